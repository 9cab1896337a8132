"""Rights claims: who says to hold which share of which right, by what authority.

A claim is made, changed, verified, disputed and ended; each is a new row of the same claim with a
ledger entry, and the earlier rows stay. No claim is better than another here: who claims too much
or too little shows in the conflict queue (`consent.queries.conflicts`), and is a no until settled.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Frozen, NotFound, Refused
from consent.models import Artist, Party, Recording, RightsClaim, Work
from consent.services.acts import open_act, ref_of
from consent.services.ledger import Leaf, is_frozen, record
from consent.services.parties import check, states_missing
from consent.services.profiles import lock_rights, refresh_profiles
from consent.territories import normalise_territories
from consent.words import Authority, Right, Standing

if TYPE_CHECKING:
    from portal.models import User

WHOLE_BP = 10_000


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
    *, by: "User | None", claims: Sequence[NewClaim], source: str = "hand"
) -> list[RightsClaim]:
    """Make many claims in one act: all or, when one is refused, none. Raises as `make_claim`."""
    refuse_when_frozen()
    keys = _lock(claims)
    at = now()
    rows = [_row(new, source, at) for new in claims]
    _refuse_doubles(rows)
    leaves = states_missing(by=by, parties=[r.party for r in rows])
    leaves += write_claims(by, rows, "claim.made")
    refresh_profiles(keys)
    act = open_act(by=by, kind="make_claims", at=at, entries=len(leaves), summary=_summary(rows))
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

    With `valid_from` the old terms hold until then. A claim that was verified is declared again:
    what was verified were the old terms. Raises `Refused` (`claim_over`, and as `make_claim`).
    """
    last, keys = _last(claim)
    row = _next(last)
    row.share_bp = last.share_bp if share_bp is None else share_bp
    row.authority = last.authority if authority is None else str(authority)
    if territories is not None:
        row.territories = normalise_territories(territories)
    row.valid_until = None if no_end else valid_until or last.valid_until
    if valid_from is not None:
        row.valid_from = valid_from
        _refuse_past(valid_from, now())
    if terms_of(row) == terms_of(last) and row.valid_from in (None, last.valid_from):
        return last
    if last.standing == Standing.VERIFIED:
        row.standing = Standing.DECLARED
    refuse_when_frozen()
    return _write(by, "change_claim", "claim.changed", row, keys)


@transaction.atomic
def verify_claim(*, by: "User | None", claim: uuid.UUID) -> RightsClaim:
    """Confirm a claim after its proof was looked at; this also ends a dispute about it."""
    return _set_standing(by, claim, Standing.VERIFIED)


@transaction.atomic
def dispute_claim(*, by: "User | None", claim: uuid.UUID, reason: str = "") -> RightsClaim:
    """Dispute a claim: until it is settled, the right is a no. Works while the ledger is frozen.

    `reason` is free text: it is sealed beside the ledger, with the claiming party as its subject.
    """
    return _set_standing(by, claim, Standing.DISPUTED, reason)


@transaction.atomic
def settle_claim(*, by: "User | None", claim: uuid.UUID) -> RightsClaim:
    """End a dispute without confirming the claim: it is declared, unverified, again."""
    return _set_standing(by, claim, Standing.DECLARED)


@transaction.atomic
def end_claim(*, by: "User | None", claim: uuid.UUID) -> RightsClaim:
    """End a claim now, for good; to end it later, change its `valid_until`.

    The same again changes nothing. Raises `NotFound` and `Frozen`.
    """
    last, keys = _last(claim, ended_too=True)
    if last.ended:
        return last
    refuse_when_frozen()
    row = _next(last)
    row.ended = True
    row.valid_from = None
    return _write(by, "end_claim", "claim.ended", row, keys)


# For other acts that write claims


def refuse_when_frozen() -> None:
    """Raise `Frozen` while an audit alarm is open: no change of rights may turn a no into a yes."""
    if is_frozen():
        raise Frozen(
            "ledger_frozen",
            _("The ledger is being checked. Nothing new is allowed until that is over."),
        )


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


def terms_of(row: RightsClaim) -> tuple[object, ...]:
    """What two rows of one claim are compared by: share, authority, territories and end."""
    return (row.share_bp, str(row.authority), tuple(row.territories), row.valid_until)


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
    _check(row)
    return row


def _check(row: RightsClaim) -> None:
    # Keys come from rows that are there: looking them up again would be three queries a claim.
    check(row, exclude=["party", "recording", "work", "repertoire"])


def _refuse_past(moment: datetime, at: datetime) -> None:
    if moment < at:
        raise Refused(
            "from_in_the_past",
            _("A claim cannot begin in the past. Leave the beginning empty for now."),
            field="valid_from",
        )


def _refuse_doubles(rows: Sequence[RightsClaim]) -> None:
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
    """The latest row of every claim on these that is not ended, those given for later included."""
    found: list[RightsClaim] = []
    for field, keys in (("recording", recordings), ("work", works), ("repertoire", repertoires)):
        if keys:
            latest = (
                RightsClaim.objects.filter(**{f"{field}__in": keys})
                .select_related("party", field)
                .order_by("claim", "-id")
                .distinct("claim")
            )
            found += [row for row in latest if not row.ended]
    return found


def _last(claim: uuid.UUID, *, ended_too: bool = False) -> tuple[RightsClaim, set[int]]:
    """The latest row of a claim, under the lock of what it is on, and the recordings touched."""
    rows = RightsClaim.objects.filter(claim=claim).order_by("-id")
    first = rows.first()
    if first is None:
        raise NotFound("unknown_claim", _("There is no such claim."))
    keys = lock_rights(
        recordings=[first.recording_id] if first.recording_id else [],
        works=[first.work_id] if first.work_id else [],
        artists=[first.repertoire_id] if first.repertoire_id else [],
    )
    last = rows.select_related("party", "recording", "work", "repertoire")[0]
    if last.ended and not ended_too:
        raise Refused("claim_over", _("This claim has ended. Make a new one."))
    return last, keys


def _next(last: RightsClaim) -> RightsClaim:
    begins_later = last.valid_from is not None and last.valid_from > now()
    return RightsClaim(
        claim=last.claim,
        party=last.party,
        recording=last.recording,
        work=last.work,
        repertoire=last.repertoire,
        right=last.right,
        share_bp=last.share_bp,
        territories=last.territories,
        valid_from=last.valid_from if begins_later else None,
        valid_until=last.valid_until,
        authority=last.authority,
        standing=last.standing,
        source=last.source,
    )


def _set_standing(
    by: "User | None", claim: uuid.UUID, standing: Standing, reason: str = ""
) -> RightsClaim:
    last, keys = _last(claim)
    if last.standing == standing:
        return last
    if standing != Standing.DISPUTED:
        refuse_when_frozen()
    row = _next(last)
    row.standing = standing
    return _write(by, f"{standing}_claim", "claim.changed", row, keys, reason)


def _write(
    by: "User | None", act_kind: str, kind: str, row: RightsClaim, keys: set[int], reason: str = ""
) -> RightsClaim:
    _check(row)
    leaf = Leaf(
        kind,
        claim_body(by, row),
        subject=row.party.ref if reason else None,
        personal={"reason": reason} if reason else None,
    )
    row.entry_id = leaf.id
    row.save()
    refresh_profiles(keys)
    act = open_act(by=by, kind=act_kind, at=now(), entries=1, summary=_summary([row]))
    record(act.ref, [leaf])
    return row


def _summary(rows: Sequence[RightsClaim]) -> dict[str, Any]:
    return {
        "claims": len(rows),
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
