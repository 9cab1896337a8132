"""Rights claims: who says to hold which share of which right, by what authority.

A claim is made, changed, verified, disputed and ended; each is a new row of the same claim with a
ledger entry, and the earlier rows stay. No claim is better than another here: who claims too much
or too little shows in the conflict queue (`consent.queries.conflicts`), and is a no until settled.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.days import check_within_reach
from consent.errors import NotFound, Refused
from consent.models import Artist, Party, Recording, RightsClaim, Work
from consent.services.acts import open_act, ref_of
from consent.services.claim_course import Course, courses
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.services.parties import check, states_missing
from consent.services.profiles import lock_rights, refresh_profiles
from consent.shares import WHOLE_BP
from consent.territories import normalise_territories
from consent.words import Authority, Right, Standing

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaim:
    """A claim to be made. Exactly one of recording, work and repertoire says what it is on.

    `share_bp` in basis points of the right; `territories` ISO 3166-1 alpha-2, empty for the
    world; `valid_from` and `valid_until` UTC moments, None for at once and without end.
    """

    party: Party
    right: Right | str
    authority: Authority | str
    recording: Recording | None = None
    work: Work | None = None
    repertoire: Artist | None = None
    share_bp: int = WHOLE_BP
    territories: Iterable[str] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@transaction.atomic
def make_claim(
    *,
    by: "User | None",
    party: Party,
    right: Right | str,
    authority: Authority | str,
    recording: Recording | None = None,
    work: Work | None = None,
    repertoire: Artist | None = None,
    share_bp: int = WHOLE_BP,
    territories: Iterable[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    source: str = "hand",
) -> RightsClaim:
    """Claim a share of a right; see `NewClaim` for the fields. It is declared, not verified.

    Raises `Refused`: `claimed_already`, `from_in_the_past`, `claim_asset`, `claim_share`,
    `claim_term`, `likeness_of_whom`, `unknown_territory`, or `Frozen`.
    """
    new = NewClaim(
        party=party,
        right=right,
        authority=authority,
        recording=recording,
        work=work,
        repertoire=repertoire,
        share_bp=share_bp,
        territories=territories,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    [claim] = make_claims(by=by, claims=[new], source=source)
    return claim


@transaction.atomic
def make_claims(
    *,
    by: "User | None",
    claims: Sequence[NewClaim],
    source: str = "hand",
    artist: Artist | None = None,
    role: str = "",
) -> list[RightsClaim]:
    """Make many claims in one act: all or, when one is refused, none. Raises as `make_claim`.

    `artist` is whose act it is and `role` as what `by` acts for her, where it is an artist's own.
    """
    refuse_when_frozen()
    keys = _lock(claims)
    at = now()
    rows = [_row(new, source, at) for new in claims]
    refuse_doubles(rows)
    leaves = states_missing(by=by, parties=[r.party for r in rows])
    leaves += write_claims(by, rows, "claim.made")
    refresh_profiles(keys)
    act = open_act(
        by=by,
        kind="make_claims",
        at=at,
        entries=len(leaves),
        artist=artist,
        role=role,
        summary=_summary(rows),
    )
    record(act.ref, leaves)
    return rows


def make_blanket_claim(
    *,
    by: "User | None",
    society: Party,
    artists: Sequence[Artist],
    right: Right | str = Right.PUBLISHING,
    share_bp: int = WHOLE_BP,
    territories: Iterable[str] = (),
    valid_until: datetime | None = None,
) -> list[RightsClaim]:
    """Claim the whole repertoire of each of `artists` by a society's mandate, one row each.

    Raises as `make_claim` does.
    """
    claims = [
        NewClaim(
            party=society,
            right=right,
            authority=Authority.BLANKET,
            repertoire=artist,
            share_bp=share_bp,
            territories=territories,
            valid_until=valid_until,
        )
        for artist in artists
    ]
    return make_claims(by=by, claims=claims, source="blanket")


@transaction.atomic
def change_claim(
    *,
    by: "User | None",
    claim: uuid.UUID,
    share_bp: int | None = None,
    authority: Authority | str | None = None,
    territories: Iterable[str] | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    no_end: bool = False,
) -> RightsClaim:
    """Change the terms of a claim; what is not given stays, and `no_end` takes its end away.

    With `valid_from` the old terms hold until then; without it the new ones hold at once (a claim
    that begins later keeps its beginning). A change that was given for later still comes, and keeps
    what it changes. A claim that was verified is declared again: what was verified were the old
    terms. Returns the row that holds the new terms. Raises `Refused` (`claim_over`,
    `claim_disputed` as `end_claim`, and as `make_claim`) and `Frozen`.
    """
    check_within_reach(valid_from, "valid_from")
    check_within_reach(valid_until, "valid_until")
    course, keys = _course(claim)
    _refuse_while_nothing_is_disputed(course)
    terms: dict[str, Any] = {}
    if share_bp is not None:
        if course.speaking_at(valid_from or course.at).share_bp:
            _refuse_nothing(share_bp)
        terms["share_bp"] = share_bp
    if authority is not None:
        terms["authority"] = str(authority)
    if territories is not None:
        terms["territories"] = normalise_territories(territories)
    if no_end or valid_until is not None:
        terms["valid_until"] = None if no_end else valid_until
    if valid_from is not None:
        _refuse_past(valid_from, course.at)
    rows = course.with_terms(terms, valid_from)
    if not rows:
        return course.speaking_at(valid_from or course.at)
    refuse_when_frozen()
    return _write(by, "change_claim", "claim.changed", rows, keys)


@transaction.atomic
def verify_claim(*, by: "User | None", claim: uuid.UUID) -> RightsClaim:
    """Confirm a claim after its proof was looked at; this also ends a dispute about it.

    What was given for later is confirmed with it.
    """
    return _set_standing(by, claim, Standing.VERIFIED)


@transaction.atomic
def dispute_claim(*, by: "User | None", claim: uuid.UUID, reason: str = "") -> RightsClaim:
    """Dispute a claim: from now on, until it is settled, the right is a no.

    A change that was given for later still comes, as disputed. Works while the ledger is frozen.
    `reason` is free text: it is sealed beside the ledger, with the claiming party as its subject.
    """
    return _set_standing(by, claim, Standing.DISPUTED, reason)


@transaction.atomic
def settle_claim(*, by: "User | None", claim: uuid.UUID) -> RightsClaim:
    """End a dispute without confirming the claim: it is declared, unverified, again."""
    return _set_standing(by, claim, Standing.DECLARED)


@transaction.atomic
def end_claim(
    *, by: "User | None", claim: uuid.UUID, artist: Artist | None = None, role: str = ""
) -> RightsClaim:
    """End a claim now, for good; to end it later, change its `valid_until`.

    The same again changes nothing. `artist` and `role` as in `make_claims`. Raises `NotFound`,
    `Refused` (`claim_disputed`, of one that says that nothing is claimed) and `Frozen`.
    """
    course, keys = _course(claim, ended_too=True)
    if course.is_ended:
        return course.rows[0]
    _refuse_while_nothing_is_disputed(course)
    refuse_when_frozen()
    ended = [course.ended()]
    return _write(by, "end_claim", "claim.ended", ended, keys, artist=artist, role=role)


# For other acts that write claims


def write_claims(by: "User | None", rows: Sequence[RightsClaim], kind: str) -> list[Leaf]:
    """Insert claim rows and return their leaves, in order, for the act that records them."""
    leaves = [Leaf(kind, claim_body(by, row)) for row in rows]
    for row, leaf in zip(rows, leaves, strict=True):
        row.entry_id = leaf.id
    RightsClaim.objects.bulk_create(rows, batch_size=2000)
    return leaves


def claim_body(by: "User | None", row: RightsClaim) -> dict[str, Any]:
    """The body of `claim.made`, `claim.changed` and `claim.ended`: the claim as it is from now.

    `on` is a recording (ISRC), a work or a repertoire (of a main artist), by reference. Moments
    are UTC with microseconds.
    """
    return {
        "by": ref_of(by),
        "claim": str(row.claim),
        "party": str(row.party.ref),
        "on": _on(row),
        "right": str(row.right),
        "share_bp": row.share_bp,
        "territories": list(row.territories),
        "valid_from": _moment(row.valid_from),
        "valid_until": _moment(row.valid_until),
        "authority": str(row.authority),
        "standing": str(row.standing),
        "source": row.source,
        "ended": row.ended,
    }


# Inside


def _lock(claims: Sequence[NewClaim]) -> set[int]:
    return lock_rights(
        recordings={c.recording.pk for c in claims if c.recording},
        works={c.work.pk for c in claims if c.work},
        artists={c.repertoire.pk for c in claims if c.repertoire},
    )


def _row(new: NewClaim, source: str, at: datetime) -> RightsClaim:
    if [new.recording, new.work, new.repertoire].count(None) != 2:
        raise Refused("claim_asset", _("Claim one recording, one work, or one repertoire."))
    if new.right == Right.LIKENESS and new.repertoire is None:
        raise Refused(
            "likeness_of_whom",
            _("A voice, a name and an image belong to a person: claim them for an artist."),
            field="right",
        )
    _refuse_nothing(new.share_bp)
    check_within_reach(new.valid_from, "valid_from")
    check_within_reach(new.valid_until, "valid_until")
    if new.valid_from is not None:
        _refuse_past(new.valid_from, at)
    row = RightsClaim(
        party=new.party,
        recording=new.recording,
        work=new.work,
        repertoire=new.repertoire.party if new.repertoire else None,
        right=str(new.right),
        share_bp=new.share_bp,
        territories=normalise_territories(new.territories),
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        authority=str(new.authority),
        source=source,
    )
    check_row(row)
    return row


def check_row(row: RightsClaim) -> None:
    """Validate a row before it is written; raises `Refused`."""
    # Keys come from rows that are there: looking them up again would be three queries a claim.
    check(row, exclude=["party", "recording", "work", "repertoire"])
    # The database holds to this too; validation leaves out what names a field that it leaves out.
    if not row.share_bp and (row.recording_id is None or row.territories):
        raise Refused(
            "claim_nothing",
            _("That nothing is claimed is said of one recording, and for all countries."),
        )


def _refuse_nothing(share_bp: int) -> None:
    """That nothing is claimed is said by `consent.services.claims_nothing` alone."""
    if share_bp < 1:
        raise Refused(
            "claim_share", _("A share is more than 0 and at most 100 %."), field="share_bp"
        )


def is_nothing_disputed(course: Course) -> bool:
    """Does it say that nothing is claimed, and is that disputed?

    Its end could make a yes of the no that the dispute is: it is settled first, by our staff.
    """
    row = course.rows[0]
    return not row.share_bp and row.standing == Standing.DISPUTED


def _refuse_while_nothing_is_disputed(course: Course) -> None:
    if is_nothing_disputed(course):
        raise Refused("claim_disputed", _("This is disputed. Our staff settle that first."))


def _refuse_past(moment: datetime, at: datetime) -> None:
    if moment < at:
        raise Refused(
            "from_in_the_past",
            _("A claim cannot begin in the past. Leave the beginning empty for now."),
            field="valid_from",
        )


def refuse_doubles(rows: Sequence[RightsClaim]) -> None:
    """Refuse a second claim of the same party on the same thing: the first one can be changed."""
    seen: set[tuple[object, ...]] = set()
    active = {
        _double_key(c)
        for c in active_claims(
            recordings=[r.recording_id for r in rows if r.recording_id],
            works=[r.work_id for r in rows if r.work_id],
            repertoires=[r.repertoire_id for r in rows if r.repertoire_id],
        )
    }
    for row in rows:
        key = _double_key(row)
        if key in active or key in seen:
            raise Refused(
                "claimed_already",
                _("%(party)s claims this right here already. Change that claim instead."),
                params={"party": row.party.name},
            )
        seen.add(key)


def _double_key(row: RightsClaim) -> tuple[object, ...]:
    on = (row.recording_id, row.work_id, row.repertoire_id)
    return (row.party_id, on, str(row.right), tuple(row.territories))


def active_claims(
    *,
    recordings: Sequence[int] = (),
    works: Sequence[int] = (),
    repertoires: Sequence[int] = (),
) -> list[RightsClaim]:
    """The rows of every claim on these that speak or will speak, unless the claim is ended."""
    found = active_courses(recordings=recordings, works=works, repertoires=repertoires)
    return [row for course in found for row in course.rows]


def active_courses(
    *,
    recordings: Sequence[int] = (),
    works: Sequence[int] = (),
    repertoires: Sequence[int] = (),
) -> list[Course]:
    """The course of every claim on these that is not ended."""
    found: list[Course] = []
    at = now()
    for field, keys in (("recording", recordings), ("work", works), ("repertoire", repertoires)):
        if keys:
            rows = (
                RightsClaim.objects.filter(**{f"{field}__in": keys})
                .select_related("party", field)
                .order_by("claim", "-id")
            )
            found += [course for course in courses(rows, at) if not course.is_ended]
    return found


def speaking_row(claim: uuid.UUID) -> RightsClaim:
    """The row of a claim that speaks now; of one that has not begun, the first that will.

    Raises `NotFound`.
    """
    rows = RightsClaim.objects.filter(claim=claim).select_related("party").order_by("-id")
    course = Course.of(rows, now())
    if not course.rows:
        raise NotFound("unknown_claim", _("There is no such claim."))
    return course.rows[0]


def _course(claim: uuid.UUID, *, ended_too: bool = False) -> tuple[Course, set[int]]:
    """The course of a claim, under the lock of what it is on, and the recordings touched."""
    rows = RightsClaim.objects.filter(claim=claim).order_by("-id")
    first = rows.first()
    if first is None:
        raise NotFound("unknown_claim", _("There is no such claim."))
    keys = lock_rights(
        recordings=[first.recording_id] if first.recording_id else [],
        works=[first.work_id] if first.work_id else [],
        artists=[first.repertoire_id] if first.repertoire_id else [],
    )
    course = Course.of(rows.select_related("party", "recording", "work", "repertoire"), now())
    if course.is_ended and not ended_too:
        raise Refused("claim_over", _("This claim has ended. Make a new one."))
    return course, keys


def _set_standing(
    by: "User | None", claim: uuid.UUID, standing: Standing, reason: str = ""
) -> RightsClaim:
    course, keys = _course(claim)
    rows = course.in_standing(standing)
    if not rows:
        return course.rows[0]
    if standing != Standing.DISPUTED:
        refuse_when_frozen()
    return _write(by, f"{standing}_claim", "claim.changed", rows, keys, reason)


def _write(
    by: "User | None",
    act_kind: str,
    kind: str,
    rows: Sequence[RightsClaim],
    keys: set[int],
    reason: str = "",
    artist: Artist | None = None,
    role: str = "",
) -> RightsClaim:
    """Write the rows of one claim in one act; a `reason` goes with the first, which it returns."""
    for row in rows:
        check_row(row)
    leaves = write_claims(by, rows, kind)
    if reason:
        leaves[0] = replace(leaves[0], subject=rows[0].party.ref, personal={"reason": reason})
    refresh_profiles(keys)
    act = open_act(
        by=by,
        kind=act_kind,
        at=now(),
        entries=len(leaves),
        artist=artist,
        role=role,
        summary=_summary(rows),
    )
    record(act.ref, leaves)
    return rows[0]


def _summary(rows: Sequence[RightsClaim]) -> dict[str, Any]:
    return {
        "claims": len({r.claim for r in rows}),
        "parties": sorted({str(r.party.ref) for r in rows})[:20],
        "rights": sorted({str(r.right) for r in rows}),
    }


def _on(row: RightsClaim) -> dict[str, str]:
    if row.recording is not None:
        return {"isrc": row.recording.isrc}
    if row.work is not None:
        return {"work": str(row.work.ref)}
    if row.repertoire is not None:
        return {"repertoire": str(row.repertoire.ref)}
    raise ValueError("a claim is on one thing")


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
