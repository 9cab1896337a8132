"""A song of her own, made without her label: the label says that none of it is its own.

Maren is on Fjord Records, which claims all her work. She registers one song by herself.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from consent.clock import now
from consent.models import Act, Artist, LedgerAlarm, Party, Recording, RightsClaim, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.audit import audit_ledger
from consent.services.claims import dispute_claim, make_claim
from consent.services.claims_nothing import claim_nothing
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from consent.services.receipts import receipt_for_recording
from consent.services.recordings import NewRecording, change_identity, register_recordings
from consent.services.sealing import seal_ledger
from consent.words import Authority, Right
from portal.access import Access
from portal.admin.claims import claims_on
from portal.models import Notice, NoticeKind, StaffAct, User
from portal.notices import names_of, render
from portal.queries.credits import rights_of as credited
from portal.queries.rights import is_on_her_own, rights_of, what_declaring_does, who_settles
from portal.services.news import tell_news
from tests.consent.test_receipts import judge
from tests.portal.pages import freshly

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
D = "discovery"
WHY = "She made it without us"


@pytest.fixture
def song(maren: Artist, fjord: Party, tidesmith: Tool) -> Recording:
    """She says yes, and both she and the label license the tool; both claim all of it."""
    make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        repertoire=maren,
    )
    [one] = register_recordings(
        by=None,
        artist=maren,
        recordings=[NewRecording(isrc="NOLN12400778", title="Alene")],
        rights=(Right.MASTER,),
    )
    for holder in (fjord, maren.party):
        sign_licence(by=None, holder=holder, company=tidesmith.company, title="A licence", uses=[D])
    answer_permission(by=None, artist=maren, use=D, stance="allow")
    return one


@pytest.fixture
def labels(liv: User, signed_in: SignIn) -> Client:
    return signed_in(liv)


@pytest.fixture
def hers(maren_user: User, signed_in: SignIn) -> Client:
    return freshly(signed_in(maren_user))


def why(song: Recording, tool: Tool) -> str:
    found = decide_one(Ask(song.isrc, D, tool.slug))
    return "allowed" if found.allowed else found.deciding.code.value


def door(label: Party, song: Recording) -> str:
    song.refresh_from_db()
    return reverse("admin:none_of_it", args=[label.pk, song.profile_id, "master"])


def rights(artist: Artist) -> str:
    return reverse("own_rights", kwargs={"slug": artist.slug})


def heard(kind: NoticeKind) -> list[User]:
    tell_news()
    return [one.recipient for one in Notice.objects.filter(kind=kind).select_related("recipient")]


def test_the_label_says_it_with_one_press_takes_it_back_and_she_reads_both(
    maren: Artist,
    maren_user: User,
    charlie: User,
    fjord: Party,
    song: Recording,
    tidesmith: Tool,
    hers: Client,
    labels: Client,
) -> None:
    assert why(song, tidesmith) == "right_over_claimed"
    assert "or says that none of this is theirs" in hers.get(rights(maren)).text
    queue = labels.get(reverse("admin:conflicts")).text
    assert door(fjord, song) in queue
    assert "If none of it is yours, say so" in queue
    before = labels.get(door(fjord, song)).text
    assert "Then these decide" in before
    assert "Maren Holt: 100" in " ".join(before.split())
    assert "Together that is the whole" in before
    assert not RightsClaim.objects.filter(share_bp=0).exists()

    done = labels.post(door(fjord, song), {"reason": WHY}, follow=True)
    assert "It is said of 1 recording. The artist is told." in done.text
    claim = RightsClaim.objects.get(share_bp=0)
    page = reverse("admin:consent_rightsclaim_change", args=[claim.pk])
    assert page in done.text
    act = StaffAct.objects.latest("id")
    assert (act.action, act.label, act.key) == ("claim.nothing", fjord, str(claim.claim))
    assert act.what == "said that none of it is the label's"
    assert why(song, tidesmith) == "allowed"
    assert labels.get(reverse("admin:conflicts")).text.count("Over-claimed") == 0

    assert heard(NoticeKind.NONE_OF_IT) == [maren_user]
    assert heard(NoticeKind.NONE_OF_IT) == [maren_user], "once"
    notice = Notice.objects.get(kind=NoticeKind.NONE_OF_IT)
    said = render(notice, names_of([notice]))
    assert said.title == "Fjord Records gives up a claim on the work of Maren Holt"
    assert "They claim nothing of the recording “" in said.sentence
    assert said.link == rights(maren)
    hers_now = hers.get(rights(maren)).text
    assert "says that none of this is theirs" in hers_now
    assert "so nobody may use it" not in hers_now
    held = hers.get(
        reverse("why", kwargs={"slug": maren.slug}),
        {"use": D, "tool": tidesmith.slug, "isrc": song.isrc},
    )
    assert "Fjord Records says that none of the master recording rights here is theirs" in held.text

    assert "none of it" in labels.get(page).text
    end = reverse("admin:consent_rightsclaim_end", args=[claim.pk])
    assert "speaks for this recording again" in " ".join(labels.get(end).text.split())
    labels.post(end, {"reason": "It was ours after all"})
    assert why(song, tidesmith) == "right_over_claimed"
    assert "says that none of this is theirs<" not in hers.get(rights(maren)).text
    assert hers.get(reverse("own_rights", kwargs={"slug": maren.slug})).status_code == 200


def test_nobody_but_the_labels_own_people_says_it_for_the_label(
    fjord: Party,
    kestrel: Party,
    song: Recording,
    noor: User,
    olga: User,
    maren_user: User,
    charlie: User,
    signed_in: SignIn,
) -> None:
    said = {"reason": WHY}
    assert signed_in(noor).post(door(fjord, song), said).status_code == 404
    assert signed_in(olga).post(door(fjord, song), said).status_code == 403
    assert signed_in(noor).post(door(kestrel, song), said).status_code == 302  # nothing is there
    for other in (maren_user, charlie):
        assert signed_in(other).post(door(fjord, song), said).status_code == 403
    assert not RightsClaim.objects.filter(share_bp=0).exists()


def test_it_needs_a_reason_and_is_refused_while_an_alarm_is_open(
    fjord: Party, song: Recording, tidesmith: Tool, labels: Client
) -> None:
    assert labels.post(door(fjord, song), {}).status_code == 200
    LedgerAlarm.objects.create(raised_at=now(), problem="a test of the alarm")
    assert labels.post(door(fjord, song), {"reason": WHY}).status_code == 200
    assert not RightsClaim.objects.filter(share_bp=0).exists()
    assert why(song, tidesmith) == "right_over_claimed"


def test_in_forms_nothing_is_no_share_and_a_claim_of_nothing_keeps_it(
    fjord: Party, song: Recording, labels: Client
) -> None:
    [none] = claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    wider = RightsClaim.objects.get(party=fjord, share_bp=10_000)
    terms = {"reason": WHY, "share": "0", "authority": "contract", "territories": ""}
    page = reverse("admin:consent_rightsclaim_terms", args=[wider.pk])
    assert "A share is more than 0" in labels.post(page, terms).text
    until = (now() + timedelta(days=9)).date().isoformat()
    page = reverse("admin:consent_rightsclaim_terms", args=[none.pk])
    assert labels.post(page, {**terms, "valid_until": until}).status_code == 302
    last = RightsClaim.objects.filter(claim=none.claim).latest("id")
    assert (last.share_bp, last.valid_until is not None) == (0, True)


def test_whoever_says_it_of_all_loses_sight_of_them_and_lists_leave_it_out(
    maren: Artist, fjord: Party, song: Recording, liv: User
) -> None:
    own = make_claim(
        by=None,
        party=fjord,
        right=Right.MASTER,
        authority=Authority.CONTRACT,
        recording=song,
    )
    assert set(Access.of(liv).recordings_of_label()) == {song}
    [none] = claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    assert not Access.of(liv).recordings_of_label().exists()
    assert RightsClaim.objects.filter(claim=own.claim, ended=True).exists()
    assert [(one.holder, one.share_bp) for one in credited(song)] == [("Maren Holt", 10_000)]
    assert {one.share_bp for one in claims_on(song)} == {0, 10_000}
    dispute_claim(by=None, claim=none.claim)
    assert ("Fjord Records", 0) in [(one.holder, one.share_bp) for one in credited(song)]


def test_her_rights_count_nobody_who_claims_nothing(
    maren: Artist, aoi: Artist, fjord: Party, song: Recording
) -> None:
    assert who_settles(maren)[Right.MASTER] == ("Fjord Records", "Maren Holt")
    claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    assert who_settles(maren)[Right.MASTER] == ()
    [row], _free = rights_of(maren, [song])
    assert [(one.name, one.is_nothing) for one in row.master] == [
        ("Maren Holt", False),
        ("Fjord Records", True),
    ]
    assert row.master_tangle is None
    assert not is_on_her_own(maren), "the label still claims all else"

    [other] = register_recordings(
        by=None,
        artist=maren,
        recordings=[NewRecording(isrc="NOLN12400779", title="Fri")],
        rights=(),
    )
    claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[other])
    _rows, free = rights_of(maren)
    assert free.keys(Right.MASTER) == [other.pk], "nobody claims it, so she can"
    found = what_declaring_does(maren, right=Right.MASTER, share_bp=10_000, recordings=[other.pk])
    assert (found.contradicts, found.incomplete, found.others) == (0, 0, ())


def test_of_a_duet_both_artists_are_told_and_not_whoever_is_only_featured(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    aoi_user: User,
    fjord: Party,
    song: Recording,
    labels: Client,
) -> None:
    change_identity(by=None, recording=song, main=[maren], featured=[aoi])
    claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    assert heard(NoticeKind.NONE_OF_IT) == [maren_user]


def test_the_ledger_and_the_receipt_say_it_and_the_audit_finds_nothing_wrong(
    maren: Artist, fjord: Party, song: Recording, tidesmith: Tool, tmp_path: Path
) -> None:
    claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[song])
    assert Act.objects.latest("created_at").kind == "claim_nothing"
    seal_ledger()
    receipt = receipt_for_recording(
        artist=maren, recording=song, use=D, tool=tidesmith, opened_for=[maren.party.ref]
    )
    status, said = judge(receipt, tmp_path)
    assert status == 0
    assert "nothing_claimed" in said
    assert '"share_bp":0' in receipt.text.replace("\\", "").replace(" ", "")
    audited = audit_ledger()
    assert audited is not None
    assert audited.problems == ()
