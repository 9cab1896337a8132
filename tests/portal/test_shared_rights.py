"""A duet of an independent and an artist on a label: each says what is hers, and both must allow.

Maren's label, Fjord Records, claims all her work. Aoi has no label.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Artist, Party, Recording, RightsClaim, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.claims import dispute_claim, end_claim, make_claim, settle_claim
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from consent.services.recordings import NewRecording, change_identity, register_recordings
from consent.words import Authority, Right
from portal.access import Access, master_claims_on
from portal.admin.claims import claims_on
from portal.models import StaffAct, User
from portal.queries.credits import rights_of
from tests.portal.pages import freshly

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
D = "discovery"
WHY = "We agreed on it by mail"


@pytest.fixture
def duet(maren: Artist, aoi: Artist, fjord: Party, tidesmith: Tool) -> Recording:
    """Both say yes and both license the tool; whose the recording is stands in the way."""
    [one] = register_recordings(
        by=None,
        artist=maren,
        recordings=[NewRecording(isrc="NOLN12400777", title="Havn og hav")],
        rights=(),
    )
    change_identity(by=None, recording=one, main=[maren, aoi])
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    for holder in (fjord, aoi.party):
        sign_licence(by=None, holder=holder, company=tidesmith.company, title="A licence", uses=[D])
    for artist in (maren, aoi):
        answer_permission(by=None, artist=artist, use=D, stance="allow")
    return one


@pytest.fixture
def hers(aoi_user: User, signed_in: SignIn) -> Client:
    return freshly(signed_in(aoi_user))


@pytest.fixture
def labels(liv: User, signed_in: SignIn) -> Client:
    return signed_in(liv)


def why(duet: Recording, tool: Tool) -> str:
    found = decide_one(Ask(duet.isrc, D, tool.slug))
    return "allowed" if found.allowed else found.deciding.code.value


def rights(artist: Artist) -> str:
    return reverse("own_rights", kwargs={"slug": artist.slug})


def declare(client: Client, artist: Artist, duet: Recording, share: str = "50") -> None:
    said = {"master": share, "which": "ticked", "recording": [duet.pk], "declare": "yes"}
    assert client.post(rights(artist), said).status_code == 302


def door(label: Party, duet: Recording) -> str:
    duet.refresh_from_db()
    return reverse("admin:confirm_shares", args=[label.pk, duet.profile_id, "master"])


def missing(client: Client, artist: Artist) -> str:
    page = client.get(reverse("missing", kwargs={"slug": artist.slug})).text
    return page.split(f'id="use-{D}"')[1].split("</section>")[0]


def test_an_independent_declares_her_share_the_label_confirms_it_and_then_both_allow(
    aoi: Artist, fjord: Party, duet: Recording, tidesmith: Tool, hers: Client, labels: Client
) -> None:
    said = {"master": "50", "which": "ticked", "recording": [duet.pk]}
    preview = hers.post(rights(aoi), said).text
    assert "Fjord Records can confirm your share" in preview
    assert why(duet, tidesmith) == "right_under_claimed"
    declare(hers, aoi, duet)
    assert why(duet, tidesmith) == "right_over_claimed"

    page = hers.get(rights(aoi)).text
    assert "Together 150\N{NO-BREAK SPACE}%, so nobody may use it." in page
    assert "It is the move of Fjord Records" in page
    assert "of all work of Maren Holt" in page
    said_missing = missing(hers, aoi)
    assert "Fjord Records</td>" in said_missing.replace("\n", "").replace("  ", "")
    assert rights(aoi) in said_missing

    queue = labels.get(reverse("admin:conflicts")).text
    assert door(fjord, duet) in queue
    assert "you keep 50 % of this recording" in queue
    form = labels.get(door(fjord, duet))
    assert "Fjord Records claims 50" in form.text
    done = labels.post(door(fjord, duet), {"reason": WHY, "left": "5000"})
    assert done["Location"] == reverse("admin:conflicts")
    act = StaffAct.objects.latest("id")
    assert (act.action, act.label) == ("claim.confirm_shares", fjord)

    assert why(duet, tidesmith) == "allowed"
    after = hers.get(rights(aoi)).text
    assert "so nobody may use it" not in after
    assert "of all work of Maren Holt" not in after
    assert reverse("admin:confirm_shares", args=[fjord.pk, duet.profile_id, "master"]) not in (
        labels.get(reverse("admin:conflicts")).text
    )
    hers.post(reverse("answer", kwargs={"slug": aoi.slug, "use": D}), {"stance": "deny"})
    assert why(duet, tidesmith) == "artist_withdrew"


def test_whoever_is_on_the_label_reads_whose_move_it_is_too(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    duet: Recording,
    hers: Client,
    signed_in: SignIn,
) -> None:
    declare(hers, aoi, duet)
    said = missing(freshly(signed_in(maren_user)), maren)
    assert "Fjord Records</td>" in said.replace("\n", "").replace("  ", "")


def test_nothing_is_confirmed_without_a_reason_or_when_it_is_not_what_was_shown(
    aoi: Artist, fjord: Party, duet: Recording, tidesmith: Tool, hers: Client, labels: Client
) -> None:
    declare(hers, aoi, duet)
    before = RightsClaim.objects.count()
    for said in ({"left": "5000"}, {"reason": WHY}, {"reason": WHY, "left": "6000"}):
        assert labels.post(door(fjord, duet), said).status_code == 200
    assert RightsClaim.objects.count() == before
    assert not StaffAct.objects.exists()
    assert why(duet, tidesmith) == "right_over_claimed"


def test_only_the_labels_own_people_confirm_for_it(
    aoi: Artist,
    fjord: Party,
    kestrel: Party,
    duet: Recording,
    hers: Client,
    noor: User,
    olga: User,
    aoi_user: User,
    charlie: User,
    signed_in: SignIn,
) -> None:
    declare(hers, aoi, duet)
    said = {"reason": WHY, "left": "5000"}
    assert signed_in(noor).post(door(fjord, duet), said).status_code == 404
    assert signed_in(olga).post(door(fjord, duet), said).status_code == 403
    assert signed_in(noor).post(door(kestrel, duet), said).status_code == 302  # nothing is there
    for other in (aoi_user, charlie):
        assert signed_in(other).post(door(fjord, duet), said).status_code == 403
    assert RightsClaim.objects.filter(party=fjord).count() == 1


def test_whoever_confirms_a_share_does_not_get_the_independent_as_its_artist(
    maren: Artist,
    aoi: Artist,
    fjord: Party,
    duet: Recording,
    hers: Client,
    liv: User,
    labels: Client,
) -> None:
    declare(hers, aoi, duet)
    labels.post(door(fjord, duet), {"reason": WHY, "left": "5000"})
    assert set(Access.of(liv).artists_of_label()) == {maren}
    assert set(Access.of(liv).recordings_of_label()) == {duet}
    assert not master_claims_on(aoi.pk).filter(party=fjord).exists()
    assert master_claims_on(maren.pk).filter(party=fjord).exists()


def test_whoever_claims_all_of_it_is_told_to_agree_and_nothing_can_be_confirmed(
    aoi: Artist, fjord: Party, duet: Recording, tidesmith: Tool, hers: Client, labels: Client
) -> None:
    declare(hers, aoi, duet, "100")
    assert "Agree with Fjord Records on who holds what" in hers.get(rights(aoi)).text
    assert f'{door(fjord, duet)}"' not in labels.get(reverse("admin:conflicts")).text
    assert labels.get(door(fjord, duet)).status_code == 302
    assert why(duet, tidesmith) == "right_over_claimed"


def test_what_the_claim_on_the_recording_replaced_is_listed_nowhere_until_it_speaks_again(
    maren: Artist, aoi: Artist, fjord: Party, duet: Recording, hers: Client, labels: Client
) -> None:
    def listed() -> list[list[tuple[str, int]]]:
        on_page = [(one.holder, one.share_bp) for one in rights_of(duet)]
        in_panel = [(one.party.name, one.share_bp) for one in claims_on(duet)]
        return [on_page, sorted(in_panel)]

    declare(hers, aoi, duet)
    both = sorted([("Fjord Records", 10_000), ("田中葵", 5_000)])
    assert listed() == [both, both]
    labels.post(door(fjord, duet), {"reason": WHY, "left": "5000"})
    settled = sorted([("Fjord Records", 5_000), ("田中葵", 5_000)])
    assert listed() == [settled, settled]
    wider = RightsClaim.objects.get(party=fjord, repertoire=maren.pk)
    dispute_claim(by=None, claim=wider.claim)
    assert ("Fjord Records", 10_000) in listed()[0], "a dispute is still heard"
    settle_claim(by=None, claim=wider.claim)
    end_claim(by=None, claim=RightsClaim.objects.get(party=fjord, recording=duet).claim)
    assert listed() == [both, both]
