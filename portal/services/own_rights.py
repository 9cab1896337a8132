"""An artist declares what is hers: for recordings of her own, many at once.

Nobody checks it here: it is written in her name as declared and not verified. What contradicts
somebody's claim is in the queue of conflicts with that very claim, and a no until it is settled.
"""

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from consent.errors import Refused
from consent.models import Artist, Recording, RightsClaim
from consent.services.claims import NewClaim, end_claim, make_claims
from consent.services.profiles import lock_rights
from consent.words import Authority, Right
from portal.access import Access
from portal.queries.rights import MOST, RIGHTS, what_declaring_does
from portal.roles import Scope


@transaction.atomic
def declare_rights(
    *,
    by: Access,
    artist: Artist,
    shares: Mapping[Right, int],
    recordings: Mapping[Right, Sequence[int]],
) -> list[RightsClaim]:
    """Claim shares (basis points, by right) of these of her recordings (keys, by right).

    Master and publishing only. What she claims already is left as it is. Raises `Http404` and
    `PermissionDenied` as `Access.require` does, `Refused` (`not_hers`, `too_many`,
    `not_declared`, `declared_already`, and as `consent.services.claims.make_claims`) and `Frozen`.
    """
    by.require(artist, Scope.SIGN_LICENCE)
    wanted = {key for right in shares for key in recordings[right]}
    if len(wanted) > MOST:
        raise Refused("too_many", _("Declare at most 5,000 recordings at once."))
    if not set(shares) <= set(RIGHTS):
        raise Refused("not_declared", _("Only recordings and songs are declared here."))
    # From here on nobody else claims them: what is worked out now is what is written.
    lock_rights(recordings=wanted)
    by_key = Recording.objects.in_bulk(wanted)
    claims = []
    for right, share_bp in shares.items():
        found = what_declaring_does(
            artist, right=right, share_bp=share_bp, recordings=recordings[right]
        )
        claims += [
            NewClaim(
                party=artist.party,
                right=right,
                authority=Authority.OWN,
                recording=by_key[key],
                share_bp=share_bp,
            )
            for key in found.recordings
        ]
    if not claims:
        raise Refused("declared_already", _("Nothing to declare: all of it is declared already."))
    return make_claims(by=by.user, claims=claims, artist=artist, role=by.role_for(artist))


@transaction.atomic
def end_own_claim(*, by: Access, artist: Artist, claim: uuid.UUID) -> RightsClaim:
    """Take a declaration back, at once and for good; a new one can be made.

    That may settle a conflict and let something be allowed, so it needs what declaring needs.
    Raises as `declare_rights` does, and `Http404` for a claim that is not the artist's own.
    """
    by.require(artist, Scope.SIGN_LICENCE)
    hers = RightsClaim.objects.filter(
        claim=claim, party=artist.pk, authority=Authority.OWN, recording__isnull=False
    )
    if not hers.exists():
        raise Http404
    return end_claim(by=by.user, claim=claim, artist=artist, role=by.role_for(artist))
