"""Answering proposed splits in an artist's name."""

from django.db import transaction

from consent.models import Artist
from portal.access import Access
from portal.roles import Scope
from royalties.models import SplitVersion
from royalties.services import splits


@transaction.atomic
def answer_split(*, by: Access, artist: Artist, split: SplitVersion, accept: bool) -> SplitVersion:
    """Say yes or no to a proposed split for this artist.

    A yes gives money away for good, so it needs what signing a licence needs; a no leaves
    everything as it is. Raises `Http404` and `PermissionDenied` as `Access.require` does, and
    what `royalties.services.splits.answer_split` raises.
    """
    by.require(artist, Scope.SEE_MONEY)
    by.require(artist, Scope.SIGN_LICENCE if accept else Scope.WITHDRAW)
    return splits.answer_split(by=by.user, split=split, party=artist.party, accept=accept)
