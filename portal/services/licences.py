"""Licences that an artist signs herself, from the portal."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.http import Http404

from consent.models import AICompany, Artist, Licence, LicenceVersion
from consent.services import licences
from consent.words import UseKind
from portal.access import Access
from portal.roles import Scope


@transaction.atomic
def offer_licence(
    *,
    by: Access,
    artist: Artist,
    uses: Collection[UseKind | str],
    companies: Collection[AICompany],
    ends_at: datetime | None = None,
) -> list[LicenceVersion]:
    """Offer the standard licence for this artist's own rights to `companies`.

    Raises `Http404` and `PermissionDenied` as `Access.require` does, and what
    `consent.services.licences.offer_standard_licence` raises.
    """
    by.require(artist, Scope.SIGN_LICENCE)
    return licences.offer_standard_licence(
        by=by.user, artist=artist, uses=uses, companies=companies, ends_at=ends_at
    )


@transaction.atomic
def end_offer(*, by: Access, artist: Artist, licence: Licence) -> LicenceVersion:
    """End, at once, a licence that this artist signed. Whoever may say no for her may.

    Raises as `offer_licence` does, and `Http404` for a licence that somebody else signed.
    """
    by.require(artist, Scope.WITHDRAW)
    if licence.holder_id != artist.pk:
        raise Http404
    return licences.end_licence(by=by.user, licence=licence)
