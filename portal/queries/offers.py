"""The licences that an artist signed herself, and to whom she could offer the standard one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consent.models import AICompany, Artist, LicenceVersion, PartyState
from consent.queries.licences import licences_of, licences_touching
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
    return [_offer(one) for one in licences_of(holder=artist.party)[:SHOWN] if not one.ended]


def signed_by_others(artist: Artist) -> list[Offer]:
    """The licences in force that reach this artist's work and that somebody else signed.

    One query.
    """
    found = licences_touching(artist, at=LedgerNow()).exclude(licence__holder=artist.pk)
    return [_offer(one) for one in found[:SHOWN]]


def _offer(version: LicenceVersion) -> Offer:
    uses = tuple(str(UseKind(use).label) for use in version.uses)
    return Offer(version=version, uses=uses, standard=is_standard(version.terms))


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
