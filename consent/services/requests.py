"""Asking: an AI company asks artists for exactly this, and no more.

Each artist concerned gets a question of her own; together they are one batch. The company learns
what became of the batch (`consent.queries.requests`), never who or how many were asked. A question
allows nothing and promises nothing; silence is no answer.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.days import check_within_reach, last_of_years
from consent.decisions import GUARDIAN_YEARS
from consent.errors import NotFound, Refused
from consent.identifiers import IdentifierError, normalise_isrc
from consent.leaves import moment
from consent.models import (
    AICompany,
    Artist,
    PartyState,
    PermissionRequest,
    Recording,
    RecordingIdentity,
    RequestState,
    Tool,
    ToolState,
)
from consent.services.acts import open_act, ref_of, take_turn
from consent.services.ledger import Leaf, record
from consent.services.parties import check
from consent.services.tools import refuse_suspended
from consent.words import LENT_KINDS, VOICE_YEARS, PartyKind, UseKind

if TYPE_CHECKING:
    from portal.models import User

MAX_ARTISTS: Final = 100
NO_MEANS_NO_DAYS: Final = 90
MOST_WAITING: Final = 5
"""So many questions of one company may wait for one artist."""
TAKEN_BACK_DAYS: Final = 7
"""For so long after it was asked a question counts that was taken back: she was told of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The batch to ask about later; `requests` are for notices and never for the company."""

    batch: uuid.UUID
    requests: tuple[PermissionRequest, ...]
    replayed: bool


@transaction.atomic
def ask_permission(
    *,
    by: "User | None" = None,
    tool: Tool,
    use: UseKind | str,
    why: str,
    artists: Sequence[Artist] = (),
    isrc: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Asked:
    """Ask for `use` by `tool`: for one recording (`isrc`), or for all work of the `artists` named.

    For a recording everybody who has a say as an artist is asked: its main and featured artists,
    for a voice the people who can be heard; nobody who is suspended, as whoever was erased is.
    `why` is shown to them as it is. Moments are UTC; for a voice an end is needed, at most 10 years
    away, and where one of them is a minor, 5. The same question while it waits returns the
    batch that waits.

    Nobody is worn down: after a no, none of those who were asked is asked by this company for this
    use again in 90 days, with whatever tool and for whatever recording; and at most five of its
    questions wait for one artist. Both are counted by questions, as the company sees them, so that
    neither says which artist answered what.

    Raises `Refused`: `unknown_use`, `scope`, `isrc`, `unknown_recording`, `nobody_to_ask`,
    `too_many_artists`, `why`, `date_out_of_range`, `from_in_past`, `until_in_past`,
    `until_before_from`, `voice_needs_end`, `voice_too_long`, `asked_recently` (with
    `params["again_at"]`, UTC), `too_many_waiting`, `company_suspended`, `tool_suspended`.
    """
    at = now()
    _check(use, why, valid_from, valid_until, at)
    _check_tool(tool)
    if bool(artists) == bool(isrc):
        raise Refused("scope", _("Name one recording, or the artists, but not both."))
    if isrc:
        recording = _recording(isrc)
        asked = _concerned(recording, use)
    else:
        recording, asked = None, sorted(set(artists), key=lambda a: a.pk)
    states = _states(asked)
    asked = [a for a in asked if a.pk not in states or not states[a.pk].suspended]
    if not asked or len(asked) < len(set(artists)):
        raise Refused("nobody_to_ask", _("Nobody here can answer for this."))
    if use in LENT_KINDS and any(one.is_minor for one in states.values()):
        _check_guarded(valid_until, at)
    if len(asked) > MAX_ARTISTS:
        raise Refused("too_many_artists", _("At most 100 artists in one question."))
    take_turn("ask", tool.company_id)
    before = _questions_before(tool.company_id, asked)
    _refuse_after_no(before, use, at)
    waiting = _waiting_already(tool, use, recording, asked, (valid_from, valid_until))
    if waiting is not None:
        return waiting
    _refuse_too_many(before, asked, at)

    batch = uuid.uuid4()
    rows, leaves = [], []
    for artist in asked:
        row = PermissionRequest(
            batch=batch,
            artist=artist,
            tool=tool,
            use=str(use),
            recording=recording,
            why=why.strip(),
            valid_from=valid_from,
            valid_until=valid_until,
            created_at=at,
        )
        check(row)
        rows.append(row)
        leaves.append(
            Leaf(
                "request.made",
                request_body(by, row),
                subject=artist.party.ref,
                personal={"why": row.why},
            )
        )
    PermissionRequest.objects.bulk_create(rows)
    act = open_act(
        by=by,
        kind="ask_permission",
        at=at,
        entries=len(leaves),
        summary={"batch": str(batch), "tool": str(tool.ref), "use": str(use)},
    )
    record(act.ref, leaves)
    return Asked(batch, tuple(rows), replayed=False)


@transaction.atomic
def take_back_request(
    *, by: "User | None" = None, company: AICompany, batch: uuid.UUID
) -> uuid.UUID:
    """Take back a question: who has not answered yet need not. What was answered stays.

    A second time changes nothing. Raises `NotFound` for a batch that is not this company's.
    """
    rows = list(
        PermissionRequest.objects.select_for_update(of=("self",))
        .select_related("artist__party", "tool__company__party", "recording")
        .filter(batch=batch, tool__company=company)
        .order_by("id")
    )
    if not rows:
        raise NotFound("unknown_request", _("There is no such question of yours."))
    open_rows = [r for r in rows if r.state in (RequestState.OPEN, RequestState.DEFERRED)]
    if not open_rows:
        return batch
    for row in open_rows:
        row.state = RequestState.TAKEN_BACK
    PermissionRequest.objects.bulk_update(open_rows, ["state"])
    act = open_act(
        by=by,
        kind="take_back_request",
        at=now(),
        entries=len(open_rows),
        summary={"batch": str(batch)},
    )
    record(act.ref, [Leaf("request.taken_back", request_body(by, row)) for row in open_rows])
    return batch


def request_body(by: "User | None", request: PermissionRequest) -> dict[str, Any]:
    """The body of `request.made` and `request.taken_back`; the why is beside it, sealed."""
    return {
        "by": ref_of(by),
        "request": str(request.ref),
        "batch": str(request.batch),
        "company": str(request.tool.company.party.ref),
        "tool": str(request.tool.ref),
        "artist": str(request.artist.party.ref),
        "use": request.use,
        "recording": request.recording.isrc if request.recording else None,
        "from": moment(request.valid_from),
        "until": moment(request.valid_until),
    }


def _check(
    use: UseKind | str,
    why: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
    at: datetime,
) -> None:
    if use not in UseKind.values:
        raise Refused(
            "unknown_use",
            _("“%(use)s” is not a use kind."),
            field="use",
            params={"use": str(use)[:40]},
        )
    if not 0 < len(why.strip()) <= 2000:
        raise Refused(
            "why", _("Say what for, in plain words and at most 2000 characters."), field="why"
        )
    check_within_reach(valid_from, "valid_from")
    check_within_reach(valid_until, "valid_until")
    if valid_from is not None and valid_from <= at:
        raise Refused("from_in_past", _("The beginning lies in the past."), field="valid_from")
    if valid_until is not None and valid_until <= at:
        raise Refused("until_in_past", _("The end lies in the past."), field="valid_until")
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise Refused(
            "until_before_from", _("The end must come after the beginning."), field="valid_until"
        )
    if use in LENT_KINDS:
        if valid_until is None:
            raise Refused(
                "voice_needs_end",
                _("A yes to a voice, name or image always ends on a date: say on which."),
                field="valid_until",
            )
        if valid_until > last_of_years(valid_from or at, VOICE_YEARS):
            raise Refused(
                "voice_too_long",
                _("A voice is given for at most 10 years."),
                field="valid_until",
            )


def _check_guarded(valid_until: datetime | None, at: datetime) -> None:
    """A guardian cannot say yes for longer, so nobody is asked for longer.

    Counted from now, as decisions count from the yes. That it is a minor is not said.
    """
    if valid_until is not None and valid_until > last_of_years(at, GUARDIAN_YEARS):
        raise Refused(
            "voice_too_long",
            _("Of some artists a voice, name or image is given for at most 5 years."),
            field="valid_until",
        )


def _states(artists: Sequence[Artist]) -> dict[int, PartyState]:
    """What speaks now of each party, by its key."""
    found = PartyState.objects.filter(party__in=[a.pk for a in artists]).order_by("party", "-id")
    return {one.party_id: one for one in found.distinct("party")}


def _check_tool(tool: Tool) -> None:
    refuse_suspended(tool.company)
    state = ToolState.objects.filter(tool=tool).order_by("-id").first()
    if state is None or state.suspended:
        raise Refused("tool_suspended", _("This tool is suspended."), field="tool")


def _recording(isrc: str) -> Recording:
    try:
        stored = normalise_isrc(isrc)
    except IdentifierError as error:
        raise Refused("isrc", error.sentence, field="isrc") from error
    found = Recording.objects.filter(isrc=stored).first()
    if found is None:
        raise Refused(
            "unknown_recording",
            _("There is no recording with the ISRC %(isrc)s here."),
            field="isrc",
            params={"isrc": stored},
        )
    return found


def _concerned(recording: Recording, use: UseKind | str) -> list[Artist]:
    """Everybody whose own answer a decision on this recording and use would read."""
    identity = RecordingIdentity.objects.filter(recording=recording).order_by("-id").first()
    if identity is None or identity.withdrawn:
        return []
    keys = identity.main_artists + identity.featured_artists
    if use == UseKind.VOICE:
        keys = identity.voices or keys
    found = Artist.objects.filter(pk__in=keys).select_related("party").order_by("pk")
    if use == UseKind.VOICE:
        found = found.filter(party__kind=PartyKind.PERSON)
    return list(found)


@dataclass
class _Question:
    """One question that was asked before, of whichever artists, as its company sees it."""

    use: str
    asked_at: datetime
    artists: set[int] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    refused_at: datetime | None = None

    def counts(self, at: datetime) -> bool:
        """Does it wait, or was it taken back a moment ago?"""
        if RequestState.REFUSED in self.states:
            return False
        if RequestState.TAKEN_BACK in self.states:
            return self.asked_at > at - timedelta(days=TAKEN_BACK_DAYS)
        return bool(self.states & {RequestState.OPEN, RequestState.DEFERRED})


def _questions_before(company: int, asked: Sequence[Artist]) -> list[_Question]:
    """The questions of this company to any of these artists that matter to a new one; one query."""
    theirs = PermissionRequest.objects.filter(tool__company=company)
    batches = theirs.filter(artist__in=[a.pk for a in asked]).values("batch")
    found: dict[uuid.UUID, _Question] = {}
    for row in PermissionRequest.objects.filter(batch__in=batches).order_by("id"):
        one = found.setdefault(row.batch, _Question(row.use, row.created_at))
        one.artists.add(row.artist_id)
        one.states.add(row.state)
        if row.state == RequestState.REFUSED and row.answered_at is not None:
            one.refused_at = min(one.refused_at or row.answered_at, row.answered_at)
    return list(found.values())


def _refuse_after_no(before: Sequence[_Question], use: UseKind | str, at: datetime) -> None:
    """A no holds for the use: asking by another tool, or for one song, is asking again."""
    answered = [one.refused_at for one in before if one.use == use and one.refused_at is not None]
    if not answered:
        return
    again_at = max(answered) + timedelta(days=NO_MEANS_NO_DAYS)
    if again_at > at:
        raise Refused(
            "asked_recently",
            _("The answer to this use was no. You can ask again from %(again_at)s on."),
            params={"again_at": moment(again_at)},
        )


def _refuse_too_many(before: Sequence[_Question], asked: Sequence[Artist], at: datetime) -> None:
    waiting = Counter(key for one in before if one.counts(at) for key in one.artists)
    if any(waiting[artist.pk] >= MOST_WAITING for artist in asked):
        raise Refused(
            "too_many_waiting",
            _(
                "At most %(most)s of your questions wait for one artist. Ask again when one of "
                "them is answered, or a week after it was asked, when it is taken back."
            ),
            params={"most": MOST_WAITING},
        )


def _waiting_already(
    tool: Tool,
    use: UseKind | str,
    recording: Recording | None,
    asked: Sequence[Artist],
    term: tuple[datetime | None, datetime | None],
) -> Asked | None:
    """The batch in which the very same waits already."""
    waiting = PermissionRequest.objects.filter(
        tool=tool,
        use=use,
        recording=recording,
        artist__in=[a.pk for a in asked],
        state__in=[RequestState.OPEN, RequestState.DEFERRED],
        valid_from=term[0],
        valid_until=term[1],
    )
    for batch in waiting.order_by("-id").values_list("batch", flat=True).distinct()[:20]:
        rows = PermissionRequest.objects.filter(batch=batch).select_related("artist__party")
        if {r.artist_id for r in rows} == {a.pk for a in asked}:
            return Asked(batch, tuple(rows), replayed=True)
    return None
