"""Say that nothing of a right in single recordings is a party's own.

The way out where a claim on an artist's whole work meets a recording that she made without that
party: the wider claim stays for all other recordings, and a share of 0 speaks instead here. Ending
it (`consent.services.claims.end_claim`) gives the wider claim its word back.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import Party, Recording, RightsClaim
from consent.services.acts import open_act
from consent.services.claim_course import Course
from consent.services.claims import active_courses, check_row, write_claims
from consent.services.claims_confirm import MOST_CAREFUL, by_recording
from consent.services.identities import latest_identities
from consent.services.ledger import record, refuse_when_frozen
from consent.services.profiles import lock_rights, refresh_profiles
from consent.words import Authority, Right, Standing

if TYPE_CHECKING:
    from portal.models import User

RIGHTS = (Right.MASTER, Right.PUBLISHING)


@transaction.atomic
def claim_nothing(
    *,
    by: "User | None",
    party: Party,
    right: Right | str,
    recordings: Sequence[Recording],
) -> list[RightsClaim]:
    """Say, for `party`, that nothing of this right in each of these recordings is its own.

    What it claims of such a recording itself ends; what it claims of all work of an artist goes on
    for her other recordings. Where it was disputed that nothing is its own, and that was not
    settled, it still is. One act; returns the claims of 0. What was said already is left alone.

    Who may speak for `party` is for the caller to see to. Raises `Refused` (`nothing_of_whom` for
    another right than master and publishing, `claims_nothing_here`, `claim_on_the_song`,
    `claim_disputed`) and `Frozen`: it may turn a no into a yes.
    """
    refuse_when_frozen()
    right = Right(right)
    if right not in RIGHTS:
        raise Refused(
            "nothing_of_whom", _("Only of a master or a publishing right it is said that none is.")
        )
    keys = lock_rights(recordings=[one.pk for one in recordings])
    at = now()
    identities = latest_identities([one.pk for one in recordings])
    found = active_courses(
        recordings=list(identities),
        works=sorted({key for one in identities.values() for key in one.works}),
        repertoires=sorted({key for one in identities.values() for key in one.main}),
    )
    own = [c for c in found if c.rows[0].right == right and c.rows[0].party_id == party.pk]
    made: list[RightsClaim] = []
    ended: list[RightsClaim] = []
    for recording, courses in by_recording(recordings, identities, own).items():
        mine = [course.rows[0] for course in courses]
        _refuse(mine)
        on_it = [course for course in courses if course.rows[0].recording_id is not None]
        if any(_is_nothing(course) for course in on_it) and len(on_it) == 1:
            continue
        ended += [course.ended() for course in on_it]
        made.append(
            RightsClaim(
                party=party,
                recording=recording,
                right=str(right),
                share_bp=0,
                authority=min((Authority(row.authority) for row in mine), key=MOST_CAREFUL.index),
                source="hand",
            )
        )
    if not made:
        raise Refused(
            "claims_nothing_here", _("This is said already: there is no such claim to any of it.")
        )
    for row in (*ended, *made):
        check_row(row)
    leaves = write_claims(by, ended, "claim.ended") + write_claims(by, made, "claim.made")
    refresh_profiles(keys)
    act = open_act(
        by=by,
        kind="claim_nothing",
        at=at,
        entries=len(leaves),
        summary={
            "claims": len({row.claim for row in (*ended, *made)}),
            "parties": [str(party.ref)],
            "rights": [str(right)],
        },
    )
    record(act.ref, leaves)
    return made


def _refuse(mine: Sequence[RightsClaim]) -> None:
    if not mine:
        raise Refused(
            "claims_nothing_here", _("This is said already: there is no such claim to any of it.")
        )
    if any(row.work_id is not None for row in mine):
        raise Refused(
            "claim_on_the_song",
            _("The claim is on the song, in all its recordings. Change or end that claim."),
        )
    if any(row.standing == Standing.DISPUTED for row in mine):
        raise Refused(
            "claim_disputed",
            _("A claim of yours here is disputed. Our staff settle that first."),
        )


def _is_nothing(course: Course) -> bool:
    """Does it say so already, now and for good?"""
    return all(not row.share_bp and row.valid_until is None for row in course.rows)
