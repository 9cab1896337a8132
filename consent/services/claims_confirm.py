"""Confirm what another party claims of single recordings, and keep the remainder.

The way out where a claim on an artist's whole work meets what somebody declares of one recording:
the wider claim stays for all other recordings, and a claim on this one speaks instead here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Party, Recording, RightsClaim
from consent.services.acts import open_act
from consent.services.claim_course import Course
from consent.services.claims import (
    active_courses,
    check_row,
    refuse_doubles,
    write_claims,
)
from consent.services.identities import Identity, latest_identities
from consent.services.ledger import record, refuse_when_frozen
from consent.services.profiles import lock_rights, refresh_profiles
from consent.shares import Share, left_for
from consent.words import Authority, Right

if TYPE_CHECKING:
    from portal.models import User

MOST_CAREFUL = (Authority.OWN, Authority.CONTRACT, Authority.BLANKET)
"""Authorities, the one that binds its party most to ask first."""


@transaction.atomic
def confirm_shares(
    *,
    by: "User | None",
    party: Party,
    right: Right | str,
    recordings: Sequence[Recording],
    left_bp: int,
) -> list[RightsClaim]:
    """Take what others claim of these recordings themselves for so; `party` keeps the rest.

    Where it claims the recording itself, that claim is changed; where it claims all work of an
    artist, it gets a claim on the recording that speaks instead there, on the same terms. `left_bp`
    (basis points) is what it was told would be left: on each recording it must be just that. One
    act. What others claim is not changed, nor verified. Raises `Refused` (`nothing_to_confirm`,
    `shares_changed`, and as `consent.services.claims.make_claim`) and `Frozen`.
    """
    refuse_when_frozen()
    keys = lock_rights(recordings=[one.pk for one in recordings])
    at = now()
    made: list[RightsClaim] = []
    changed: list[RightsClaim] = []
    for recording, bearing in _bearing(recordings, Right(right), at).items():
        left = left_for(party.pk, (share_of(course.rows[0]) for course in bearing))
        if left is None:
            raise Refused(
                "nothing_to_confirm",
                _("There is nothing to confirm here: the claims are not as they were."),
            )
        if left != left_bp:
            raise Refused(
                "shares_changed", _("The claims have changed meanwhile. Look at them again.")
            )
        mine = [course for course in bearing if course.rows[0].party_id == party.pk]
        by_itself = [course for course in mine if course.rows[0].recording_id is not None]
        for course in by_itself:
            if course.rows[0].share_bp > left:
                changed += course.with_terms({"share_bp": left})
        if not by_itself:
            made += _instead(recording, [course.rows[0] for course in mine], left)
    refuse_doubles(made)
    for row in (*made, *changed):
        check_row(row)
    leaves = write_claims(by, made, "claim.made") + write_claims(by, changed, "claim.changed")
    refresh_profiles(keys)
    act = open_act(
        by=by,
        kind="confirm_shares",
        at=at,
        entries=len(leaves),
        summary={
            "claims": len({row.claim for row in (*made, *changed)}),
            "parties": [str(party.ref)],
            "rights": [str(right)],
        },
    )
    record(act.ref, leaves)
    return [*made, *changed]


def share_of(row: RightsClaim) -> Share:
    """A row of a claim as a share of the right."""
    return Share(
        party=row.party_id,
        share_bp=row.share_bp,
        of_song=row.work_id is not None,
        of_repertoire=row.repertoire_id is not None,
        territories=frozenset(row.territories),
    )


def _bearing(
    recordings: Sequence[Recording], right: Right, at: datetime
) -> dict[Recording, list[Course]]:
    """The claims to a right that speak now, by each recording that they bear on."""
    identities = latest_identities([one.pk for one in recordings])
    found = active_courses(
        recordings=list(identities),
        works=sorted({key for one in identities.values() for key in one.works}),
        repertoires=sorted({key for one in identities.values() for key in one.main}),
    )
    running = [c for c in found if c.rows[0].right == right and _runs(c.rows[0], at)]
    return by_recording(recordings, identities, running)


def by_recording(
    recordings: Sequence[Recording], identities: Mapping[int, Identity], claims: Sequence[Course]
) -> dict[Recording, list[Course]]:
    """Of these claims, by each recording, those on it, on its songs or its main artists."""
    by_thing: dict[tuple[str, int], list[Course]] = {}
    for course in claims:
        row = course.rows[0]
        for thing in ("recording", "work", "repertoire"):
            key = getattr(row, f"{thing}_id")
            if key is not None:
                by_thing.setdefault((thing, key), []).append(course)
    return {
        one: _of(by_thing, one.pk, identities[one.pk]) for one in recordings if one.pk in identities
    }


def _of(
    by_thing: Mapping[tuple[str, int], list[Course]], recording: int, identity: Identity
) -> list[Course]:
    things = [("recording", recording)]
    things += [("work", work) for work in identity.works]
    things += [("repertoire", main) for main in identity.main]
    return [course for thing in things for course in by_thing.get(thing, ())]


def _runs(row: RightsClaim, at: datetime) -> bool:
    begun = row.valid_from is None or row.valid_from <= at
    return begun and (row.valid_until is None or row.valid_until > at)


def _instead(
    recording: Recording, wider: Iterable[RightsClaim], share_bp: int
) -> list[RightsClaim]:
    """The claims on one recording that speak instead of wider ones of the same party.

    One per set of territories; of several on different terms, the one that ends first and binds
    its party most.
    """
    by_places: dict[tuple[str, ...], list[RightsClaim]] = {}
    for row in wider:
        by_places.setdefault(tuple(row.territories), []).append(row)
    return [
        RightsClaim(
            party=rows[0].party,
            recording=recording,
            right=rows[0].right,
            share_bp=share_bp,
            territories=list(places),
            valid_until=min((r.valid_until for r in rows if r.valid_until), default=None),
            authority=min((Authority(r.authority) for r in rows), key=MOST_CAREFUL.index),
            source="hand",
        )
        for places, rows in by_places.items()
    ]
