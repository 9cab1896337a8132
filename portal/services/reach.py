"""Telling artists which licences touch their work: on the day that one begins to, however it does.

A signature, a message, a claim, a file, or being named on a recording: each is read from the
ledger, and what holds then is compared with what she was told last (`ToldReach`). A claim that was
given for a later day is told on its day. So she is told once of each licence, and of what they all
reach beyond that in one notice a day at most, whatever is read twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from consent.models import Act, Artist, LicenceVersion, Permission, Tool
from consent.queries.licences import artists_touched_by
from consent.queries.touching import (
    NONE,
    Pair,
    Touch,
    bring,
    reach_of,
    touched_by_act,
    version_in_force,
    versions_in_force,
)
from consent.words import Stance
from portal.models import NoticeKind, ToldReach, User
from portal.services.company_mail import note_objection
from portal.services.notices import notify_artist, notify_label

AGAIN_AFTER: Final = timedelta(days=1)
"""What licences reach beyond what was told is told so long after the last time, together."""


@dataclass(frozen=True, slots=True)
class _When:
    """When it came to be (UTC), and by whom, who is not told of it."""

    at: datetime
    by: User | None = None


@dataclass(slots=True)
class Reached:
    """What was read in one go, at `now` (UTC); `tell` then asks the database once for all of it."""

    now: datetime
    pairs: dict[Pair, _When] = field(default_factory=dict)

    def by_signature(self, licence: UUID, *, act: Act | None, at: datetime) -> None:
        """A version of a licence (by its ref) was signed."""
        key = version_in_force(licence, at=self.now)
        if key is None:
            return
        version = bring([key])[key]
        told = ToldReach.objects.filter(licence=version.licence_id).values_list("artist", flat=True)
        artists = {one.pk for one in artists_touched_by(version)} | set(told)
        self._add(((key, artist) for artist in artists), act, at)

    def by_rights(self, act_ref: UUID, *, act: Act | None, at: datetime) -> None:
        """An act changed claims, or who is named on recordings."""
        self._add(touched_by_act(act_ref, at=self.now), act, at)

    def _add(self, pairs: Iterable[Pair], act: Act | None, at: datetime) -> None:
        when = _When(at, None if act is None else act.by)
        for pair in pairs:
            self.pairs.setdefault(pair, when)

    def tell(self) -> int:
        """Tell what is news of it; returns how many notices. A dozen queries besides theirs."""
        if not self.pairs:
            return 0
        versions = bring({version for version, _ in self.pairs})
        touches = reach_of(self.pairs, versions, at=self.now)
        told = {
            (one.licence_id, one.artist_id): one
            for one in ToldReach.objects.filter(
                licence__in={one.licence_id for one in versions.values()},
                artist__in={artist for _, artist in self.pairs},
            )
        }
        artists = Artist.objects.select_related("party").in_bulk({a for _, a in self.pairs})
        teller = _Teller(self.now)
        for (key, artist), when in self.pairs.items():
            version = versions[key]
            teller.see(
                version,
                artists[artist],
                touches[key, artist],
                told.get((version.licence_id, artist)),
                when,
            )
        teller.object()
        return teller.finish()


class _Teller:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.notices = 0
        self.fresh: list[ToldReach] = []
        self.known: list[ToldReach] = []
        self.overridden: dict[int, tuple[LicenceVersion, dict[Artist, tuple[str, ...]]]] = {}
        self.moments: dict[int, datetime] = {}

    def see(
        self,
        version: LicenceVersion,
        artist: Artist,
        touch: Touch,
        told: ToldReach | None,
        when: _When,
    ) -> None:
        """Tell this artist of this version what she was not told before."""
        if artist.pk == version.licence.holder_id and version.artist_approval:
            return  # she signed it herself, and her own yes is asked all the same
        if not touch.uses:
            if told is not None:
                self._keep(told, version, touch)
            return
        row = told or ToldReach(licence=version.licence, artist=artist, number=0, told_at=self.now)
        newly = touch.overridden > 0 and row.overridden == 0
        if row.number < version.number or newly:
            self._tell_of(version, artist, touch, when, again=row.number == version.number)
        elif touch.recordings > row.recordings:
            row.waits = True  # see `tell_more`
            self.known.append(row)
            return
        elif row.number > version.number:
            return
        else:
            self._keep(row, version, touch)
            return
        row.told_at = self.now
        row.number = version.number
        self._keep(row, version, touch)

    def _keep(self, row: ToldReach, version: LicenceVersion, touch: Touch) -> None:
        row.recordings, row.overridden, row.waits = touch.recordings, touch.overridden, False
        (self.fresh if row._state.adding else self.known).append(row)

    def _tell_of(
        self,
        version: LicenceVersion,
        artist: Artist,
        touch: Touch,
        when: _When,
        *,
        again: bool,
    ) -> None:
        licence = version.licence
        key = f"licence {licence.ref} {version.number}"
        if again:  # it touched her work before, and now decides over her answer
            key = f"{key} overrides {when.at:%Y%m%d}"
        self.notices += notify_artist(
            artist=artist,
            kind=NoticeKind.OVERRIDDEN if touch.overridden else NoticeKind.LICENCE_SIGNED,
            key=key,
            params=_facts(version, touch),
            but=when.by,
            at=when.at,
        )
        if touch.overridden:
            _, artists = self.overridden.setdefault(version.pk, (version, {}))
            artists[artist] = touch.uses
            self.moments[version.pk] = when.at

    def object(self) -> None:
        """Deliver what these artists have refused to the holder whose licence does without them."""
        for key, (version, artists) in self.overridden.items():
            for artist, uses in _refused(artists).items():
                news = f"objection {version.licence.ref} {version.number}"
                note_objection(licence=version.licence, artist=artist, uses=uses, news=news)
                self.notices += notify_label(
                    label=version.licence.holder,
                    artist=artist,
                    kind=NoticeKind.OBJECTION,
                    key=news,
                    params={"company": version.licence.company.party.name, "uses": uses},
                    at=self.moments[key],
                )

    def finish(self) -> int:
        """Write down what was told; returns how many notices it was."""
        ToldReach.objects.bulk_create(self.fresh, batch_size=2_000)
        ToldReach.objects.bulk_update(
            self.known, ["number", "recordings", "overridden", "told_at", "waits"], batch_size=500
        )
        return self.notices


def tell_more(*, at: datetime) -> int:
    """Tell each artist what licences reach beyond what she was told, a day after the last time.

    All of hers at `at` (UTC) in one notice. What waits of it and is news no more is told to nobody.
    Returns how many notices; seven queries besides theirs.
    """
    waiting = ToldReach.objects.filter(waits=True)
    lately = ToldReach.objects.filter(more_at__gt=at - AGAIN_AFTER).values("artist")
    due = waiting.filter(told_at__lte=at - AGAIN_AFTER).exclude(artist__in=lately)
    rows = list(waiting.filter(artist__in=due.values("artist")).order_by("artist_id", "licence_id"))
    if not rows:
        return 0
    keys = versions_in_force({row.licence_id for row in rows}, at=at)
    versions = bring(keys.values())
    pairs = {row: (keys[row.licence_id], row.artist_id) for row in rows if row.licence_id in keys}
    touches = reach_of(pairs.values(), versions, at=at)
    artists = Artist.objects.select_related("party").in_bulk({row.artist_id for row in rows})
    tools = _only_tools({one.licence.company_id for one in versions.values()})
    news: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        touch = touches[pairs[row]] if row in pairs else NONE
        if touch.recordings > row.recordings:
            version = versions[pairs[row][0]]
            more = {
                "more": touch.recordings - row.recordings,
                "tool": tools.get(version.licence.company_id, ""),
            }
            news[row.artist_id].append(_facts(version, touch) | more)
            row.told_at = row.more_at = at
        row.recordings, row.overridden, row.waits = touch.recordings, touch.overridden, False
    ToldReach.objects.bulk_update(
        rows, ["recordings", "overridden", "told_at", "more_at", "waits"], batch_size=500
    )
    return sum(
        notify_artist(
            artist=artists[artist],
            kind=NoticeKind.REACHES_MORE,
            key=f"reaches {at:%Y%m%d%H%M}",
            params={"licences": licences},
            at=at,
        )
        for artist, licences in news.items()
    )


def _only_tools(companies: Iterable[int]) -> dict[int, str]:
    """The slug of the tool of each company that has one only; one query."""
    found: dict[int, list[str]] = defaultdict(list)
    for company, slug in Tool.objects.filter(company__in=companies).values_list("company", "slug"):
        found[company].append(slug)
    return {company: slugs[0] for company, slugs in found.items() if len(slugs) == 1}


def _facts(version: LicenceVersion, touch: Touch) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "holder": version.licence.holder.name,
        "company": version.licence.company.party.name,
        "uses": list(touch.uses),
        "reaches": touch.recordings or None,
    }
    if touch.overridden:
        facts |= {"reaches": touch.overridden, "overrides": True}
    return facts


def _refused(artists: Mapping[Artist, Iterable[str]]) -> dict[Artist, list[str]]:
    """Who of these artists says no, in general, to which of her uses; one query."""
    uses = {use for ones in artists.values() for use in ones}
    by_key = {artist.pk: artist for artist in artists}
    found: dict[Artist, list[str]] = {}
    latest = (
        Permission.objects.filter(artist__in=by_key, use__in=uses, scope="*/*")
        .order_by("artist_id", "use", "-pk")
        .distinct("artist_id", "use")
    )
    for answer in latest:
        artist = by_key[answer.artist_id]
        if answer.stance == Stance.DENY and answer.use in artists[artist]:
            found.setdefault(artist, []).append(answer.use)
    return found
