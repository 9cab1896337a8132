"""The licences that an artist signed herself, and to whom she could offer the standard one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from consent import clock
from consent.models import AICompany, Artist, LicenceVersion, PartyState
from consent.queries.licences import licences_of, licences_touching
from consent.queries.touching import ONES_OWN, express_authorities
from consent.standard_licence import is_standard
from consent.words import UseKind
from portal.models.roster import LedgerNow

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """A licence that speaks now, with its uses in words. `standard`: it is the standard one."""

    version: LicenceVersion
    uses: tuple[str, ...]
    standard: bool


def offers_of(artist: Artist) -> list[Offer]:
    """The licences that this artist signed and that have not ended, newest first; one query."""
    found = licences_of(holder=artist.party)[:SHOWN]
    return [_offer(one, one.uses) for one in found if not one.ended]


def signed_by_others(artist: Artist) -> list[Offer]:
    """The licences in force that reach this artist's work and that somebody else signed.

    With the uses of her work that they reach. At most two queries.
    """
    found = licences_touching(artist, at=LedgerNow()).exclude(licence__holder=artist.pk)
    return [_offer(version, uses) for version, uses in _reaching(artist, found[:SHOWN])]


def _reaching(
    artist: Artist, versions: Iterable[LicenceVersion]
) -> list[tuple[LicenceVersion, list[str]]]:
    """Which uses of this artist's work each licence reaches, without those that reach none.

    Of style, name and image a holder licenses its own, whatever recordings it holds: this
    artist's only where it has her express authority, or is she. One query besides theirs, if any.
    """
    entitled: set[int] | None = None
    kept = []
    for version in versions:
        uses = list(version.uses)
        if any(use in ONES_OWN for use in uses):
            if entitled is None:
                express = express_authorities({artist.pk}, at=clock.now())
                entitled = {artist.pk, *(holder for holder, _ in express)}
            if version.licence.holder_id not in entitled:
                uses = [use for use in uses if use not in ONES_OWN]
        if uses:
            kept.append((version, uses))
    return kept


def _offer(version: LicenceVersion, uses: Sequence[str]) -> Offer:
    words = tuple(str(UseKind(use).label) for use in uses)
    return Offer(version=version, uses=words, standard=is_standard(version.terms))


def companies_to_offer_to() -> Sequence[AICompany]:
    """The AI companies in good standing, by name; two queries."""
    latest = (
        PartyState.objects.filter(party__aicompany__isnull=False)
        .order_by("party", "-id")
        .distinct("party")
    )
    suspended = {one.party_id for one in latest if one.suspended}
    companies = AICompany.objects.select_related("party").order_by("party__name", "slug")
    return [one for one in companies if one.pk not in suspended]


def paragraphs(text: str) -> list[str]:
    """A licence's text for a page: its paragraphs, without the line breaks of its source."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
