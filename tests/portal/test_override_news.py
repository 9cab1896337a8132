"""A changed claim that lets a clause speak over an artist: she is told, and her no delivered."""

import pytest

from consent.models import AICompany, Artist, Party, RightsClaim
from consent.services.claims import change_claim
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from consent.words import Authority, Right, Stance, UseKind
from portal.models import NoticeKind, User
from portal.services.news import tell_news
from tests.cast import recordings_of
from tests.portal.test_news import heard, nothing_new

pytestmark = pytest.mark.django_db


def test_who_stops_being_the_owner_and_names_a_clause_tells_her_and_hears_her_no(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    liv: User,
    noor: User,
    charlie: User,
    tonewright: AICompany,
) -> None:
    recordings_of(maren, holder=fjord)
    claim = RightsClaim.objects.get(right=Right.MASTER).claim
    change_claim(by=None, claim=claim, authority=Authority.OWN)
    answer_permission(by=maren_user, artist=maren, use=UseKind.DISCOVERY, stance=Stance.DENY)
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Frame agreement",
        uses=[UseKind.DISCOVERY, UseKind.ANALYSIS_TRAINING],
        artist_approval=False,
        override_clause="12.3",
    )
    nothing_new()

    change_claim(by=liv, claim=claim, authority=Authority.CONTRACT)
    tell_news()
    [(reader, params)] = heard(NoticeKind.OVERRIDDEN)
    assert (reader, params["holder"]) == (maren_user, "Fjord Records")
    [(reader, params)] = heard(NoticeKind.OBJECTION)
    assert (reader, params["uses"]) == (liv, ["discovery"])

    change_claim(by=liv, claim=claim, authority=Authority.BLANKET)
    tell_news()
    assert len(heard(NoticeKind.OVERRIDDEN)) == len(heard(NoticeKind.OBJECTION)) == 1
