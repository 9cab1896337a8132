"""Whose rate counts on a duet that a label and an independent hold together."""

import pytest

from consent.clock import now
from consent.models import Party, Recording
from consent.services.claims import end_claim, make_claim
from consent.services.claims_confirm import confirm_shares
from consent.services.claims_nothing import claim_nothing
from consent.services.licences import sign_licence
from consent.words import Authority, Right
from royalties.engine.rates import Rates
from royalties.services.rates import RateOffer, set_rates
from tests.consent.build import a_company, a_label, a_recording, an_artist

pytestmark = pytest.mark.django_db
USE = "discovery"


def test_the_label_is_weighed_by_its_share_of_the_duet_and_not_by_its_claim_on_all_work() -> None:
    maren, aoi, fjord, company = an_artist(), an_artist("Aoi"), a_label(), a_company()
    duet = a_recording(maren, aoi)

    def claims(party: Party, share_bp: int, on: Recording | None = None) -> None:
        make_claim(
            by=None,
            party=party,
            right=Right.MASTER,
            authority=Authority.OWN,
            share_bp=share_bp,
            recording=on,
            repertoire=None if on else maren,
        )

    rates = {}
    for holder, share in ((fjord, 1_000), (aoi.party, 2_000)):
        version = sign_licence(by=None, holder=holder, company=company, title="x", uses=[USE])
        offer = RateOffer(USE, "master", "share_of_revenue", share_bp=share)
        [rates[holder.pk]] = set_rates(by=None, version=version, offers=[offer])

    def governs() -> int:
        found = Rates(company=company.pk, recordings=[duet.pk], known_at=now()).governing(
            recording=duet.pk, right="master", use=USE, territory="", at=now()
        )
        assert found is not None
        return found.rate

    claims(fjord, 10_000)
    assert governs() == rates[fjord.pk].pk
    claims(aoi.party, 8_000, duet)
    confirm_shares(by=None, party=fjord, right=Right.MASTER, recordings=[duet], left_bp=2_000)
    assert governs() == rates[aoi.pk].pk


def test_whoever_says_that_none_of_it_is_its_own_sets_no_rate() -> None:
    maren, fjord, company = an_artist(), a_label(), a_company()
    song = a_recording(maren)
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    version = sign_licence(by=None, holder=fjord, company=company, title="x", uses=[USE])
    offer = RateOffer(USE, "master", "share_of_revenue", share_bp=1_000)
    [rate] = set_rates(by=None, version=version, offers=[offer])

    def governs() -> int | None:
        found = Rates(company=company.pk, recordings=[song.pk], known_at=now()).governing(
            recording=song.pk, right="master", use=USE, territory="", at=now()
        )
        return None if found is None else found.rate

    assert governs() == rate.pk
    [none] = claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    assert governs() is None
    end_claim(by=None, claim=none.claim)
    assert governs() == rate.pk
