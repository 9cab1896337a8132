"""A singer who can be heard on a recording and is not billed on it: she has a say in her voice."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Artist, Party, Recording, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.licences import sign_licence
from consent.services.parties import register_party
from consent.services.permissions import answer_permission
from consent.services.recordings import change_identity
from consent.words import PartyKind
from portal.models import User
from tests.cast import recordings_of
from tests.consent.build import in_days
from tests.portal.pages import freshly

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def sung(maren: Artist, aoi: Artist, fjord: Party, tidesmith: Tool) -> Recording:
    """By Maren, whose label licenses voices; the voice on it is Aoi's, who is not billed."""
    [one] = recordings_of(maren, holder=fjord)
    change_identity(by=None, recording=one, voices=[aoi.party])
    sign_licence(by=None, holder=fjord, company=tidesmith.company, title="Voices", uses=["voice"])
    return one


def missing(client: Client, artist: Artist) -> str:
    page = client.get(reverse("missing", kwargs={"slug": artist.slug})).text
    return page.split('id="use-voice"')[1].split("</section>")[0]


def test_a_voice_is_asked_for_where_it_is_heard_and_her_general_yes_is_heard_there(
    aoi: Artist, maren: Artist, sung: Recording, tidesmith: Tool
) -> None:
    ask = Ask(sung.isrc, "voice", tidesmith.slug)
    before = decide_one(ask).deciding
    assert (before.code, before.party) == ("artist_undecided", aoi.pk)
    answer_permission(by=None, artist=maren, use="voice", stance="allow", valid_until=in_days(30))
    assert decide_one(ask).deciding.party == aoi.pk, "the billed artist lends no voice but her own"
    answer_permission(by=None, artist=aoi, use="voice", stance="allow", valid_until=in_days(30))
    assert decide_one(ask).allowed
    answer_permission(by=None, artist=aoi, use="voice", stance="deny")
    assert not decide_one(ask).allowed


def test_what_is_missing_names_whose_voice_it_is_also_of_somebody_without_a_page(
    aoi: Artist,
    maren: Artist,
    maren_user: User,
    sung: Recording,
    signed_in: SignIn,
) -> None:
    hers = freshly(signed_in(maren_user))
    answer_permission(by=None, artist=maren, use="voice", stance="allow", valid_until=in_days(30))
    said = " ".join(missing(hers, maren).split())
    assert 'data-label="Whose move">田中葵</td>' in said
    nina = register_party(by=None, kind=PartyKind.PERSON, name="Nina Vox")
    change_identity(by=None, recording=sung, voices=[nina])
    said = " ".join(missing(hers, maren).split())
    assert 'data-label="Whose move">Nina Vox</td>' in said


def test_she_answers_for_her_voice_on_her_own_page_though_no_recording_is_billed_to_her(
    aoi: Artist, aoi_user: User, sung: Recording, tidesmith: Tool, signed_in: SignIn
) -> None:
    hers = freshly(signed_in(aoi_user))
    shown = hers.get(reverse("permissions", kwargs={"slug": aoi.slug}))
    assert shown.status_code == 200
    said = {"stance": "allow", "valid_until": in_days(30).date().isoformat()}
    hers.post(reverse("answer_with", kwargs={"slug": aoi.slug, "use": "voice"}), said)
    assert decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
