"""A singer who can be heard on a recording and is not billed on it: she has a say in her voice."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent import verify_receipt
from consent.models import Act, Artist, ModelVersion, Party, Permission, Recording, Tool, Withdrawal
from consent.queries.decision import Ask, decide_one
from consent.scopes import Scope as About
from consent.services.licences import sign_licence
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission, revoke_permission
from consent.services.recordings import change_identity
from consent.services.sealing import seal_ledger
from consent.words import PartyKind, UseKind
from portal.models import User
from portal.roles import Role, Scope
from portal.services.delegation import grant_access
from tests.cast import recordings_of, somebody
from tests.consent.build import in_days
from tests.portal.pages import HTMX, freshly

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


# --- She sees where her voice is heard ---------------------------------------------------------


@pytest.fixture
def hers(aoi_user: User, signed_in: SignIn) -> Client:
    """Aoi, signed in a moment ago."""
    return freshly(signed_in(aoi_user))


def at(artist: Artist, name: str, **more: str) -> str:
    return reverse(name, kwargs={"slug": artist.slug, **more})


def words(text: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", text[text.index("<main") :]).split())


def heard_part(client: Client, artist: Artist, address: str = "") -> str:
    """The part of her list of recordings where her voice is heard; empty where there is none."""
    page = client.get(address or at(artist, "permission_recordings")).text
    _before, part, rest = page.partition('id="heard"')
    return words("<main" + rest.split("</section>")[0]) if part else ""


def voices(artist: Artist) -> str:
    """The address of that part."""
    return at(artist, "permission_recordings") + "?part=voice"


def lend(aoi: Artist, **more: Any) -> Permission:
    """Aoi lends her voice, in general or as `more` says."""
    return answer_permission(
        by=None, artist=aoi, use="voice", stance="allow", valid_until=in_days(30), **more
    ).permission


def test_her_list_has_a_part_for_recordings_on_which_she_is_only_heard(
    aoi: Artist, maren: Artist, sung: Recording, hers: Client
) -> None:
    part = heard_part(hers, aoi)
    assert "Havn" in part and "Maren Holt" in part
    assert "NO-LN1-24-" in part
    assert "1 recording" in part
    [own] = recordings_of(aoi, title="Kaze")
    page = hers.get(at(aoi, "permission_recordings")).text
    assert own.title in page.split('id="heard"')[0]
    assert "1 recording by others" in heard_part(hers, aoi)
    assert f'href="{voices(aoi)}"' in page
    assert heard_part(hers, aoi, voices(aoi)) == part
    assert "Kaze" not in hers.get(voices(aoi)).text
    assert "Havn" in heard_part(hers, aoi, voices(aoi) + "&q=hav")
    assert not heard_part(hers, aoi, voices(aoi) + "&q=kaze")


def test_that_list_says_what_holds_for_her_voice_as_decide_does(
    aoi: Artist, maren: Artist, fjord: Party, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    assert "You have not answered" in heard_part(hers, aoi)
    assert "For Tidesmith" not in heard_part(hers, aoi)
    lend(aoi)
    assert decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    assert "For Tidesmith" in heard_part(hers, aoi)
    [unclaimed] = recordings_of(maren, title="Tåke", holder=fjord)
    change_identity(by=None, recording=unclaimed, voices=[aoi.party], withdrawn=True)
    part = heard_part(hers, aoi)
    assert part.count("For Tidesmith") == 1
    assert "2 recordings" in part


def test_her_voice_page_leads_there_and_the_page_of_that_answer_shows_it(
    aoi: Artist, sung: Recording, hers: Client
) -> None:
    general = hers.get(at(aoi, "permissions")).text
    assert "also heard on 1 recording by others" in general
    assert voices(aoi) in general
    part = heard_part(hers, aoi, at(aoi, "answer_with", use="voice"))
    assert "Havn" in part and "Maren Holt" in part
    assert not heard_part(hers, aoi, at(aoi, "answer_with", use="style"))


def test_nobody_else_has_such_a_part(
    aoi: Artist, maren: Artist, maren_user: User, sung: Recording, signed_in: SignIn
) -> None:
    billed = freshly(signed_in(maren_user))
    assert not heard_part(billed, maren)
    assert "also heard" not in billed.get(at(maren, "permissions")).text


def test_fifty_stand_on_a_page_and_each_once(
    aoi: Artist, maren: Artist, fjord: Party, hers: Client
) -> None:
    for one in recordings_of(maren, 53, title="Skjær", holder=fjord):
        change_identity(by=None, recording=one, voices=[aoi.party])
    first = hers.get(at(aoi, "permission_recordings")).text
    more = re.search(r'rel="next"\s+href="([^"]+)"', first.split('id="heard"')[1])
    assert more is not None
    address = at(aoi, "permission_recordings") + more[1].replace("&amp;", "&")
    second = hers.get(address).text
    found = [re.findall(r"NO-LN1-24-\d{5}", page) for page in (first, second)]
    assert [len(set(page)) for page in found] == [50, 3]
    assert not set(found[0]) & set(found[1])
    assert "53 recordings" in words(second)
    assert "Skjær 7" in heard_part(hers, aoi, at(aoi, "permission_recordings") + "?q=Skjær 7")


@pytest.mark.parametrize("name", ["part", "list", "answer_with", "permission_recording", "why"])
def test_her_pages_ask_the_database_as_often_for_three_as_for_one(
    aoi: Artist,
    maren: Artist,
    fjord: Party,
    sung: Recording,
    tidesmith: Tool,
    ines: User,
    signed_in: SignIn,
    name: str,
) -> None:
    """At most twelve times, for a manager, of whom most is asked."""
    recordings_of(aoi, 2, title="Kaze")
    lend(aoi)
    addresses = {
        "part": voices(aoi),
        "list": at(aoi, "permission_recordings"),
        "answer_with": at(aoi, "answer_with", use="voice"),
        "permission_recording": at(aoi, "permission_recording", isrc=sung.isrc),
        "why": at(aoi, "why") + about(sung, tidesmith),
    }
    manager = freshly(signed_in(ines))
    counts = []
    for number in (0, 2):
        for one in recordings_of(maren, number, title="Skjær", holder=fjord) if number else ():
            change_identity(by=None, recording=one, voices=[aoi.party])
            lend(aoi, scope=About(recording=one))
        manager.get(addresses[name])
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(addresses[name]).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[1] <= 12, "\n".join(one["sql"][:230] for one in asked)


# --- The page of such a recording ---------------------------------------------------------------


def about(sung: Recording, tool: Tool, use: str = "voice") -> str:
    return f"?isrc={sung.isrc}&use={use}&tool={tool.slug}"


def test_the_page_of_that_recording_opens_for_her_voice_alone(
    aoi: Artist, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    page = hers.get(at(aoi, "permission_recording", isrc=sung.isrc))
    assert page.status_code == 200
    assert re.findall(r'<li class="use" id="use-(\w+)"', page.text) == ["voice"]
    said = words(page.text)
    assert "Other uses of it are decided by those who are billed." in said
    assert "Maren Holt" in said and "Tidesmith" in said
    why = hers.get(at(aoi, "why") + about(sung, tidesmith))
    assert why.status_code == 200
    assert "You have not answered" in words(why.text)


@pytest.mark.parametrize("use", [use for use in UseKind if use != UseKind.VOICE])
def test_why_of_another_use_is_one_sentence(
    aoi: Artist, sung: Recording, tidesmith: Tool, hers: Client, use: str
) -> None:
    said = words(hers.get(at(aoi, "why") + about(sung, tidesmith, use)).text)
    assert "Other uses of it are decided by those who are billed." in said
    for word in ("Fjord", "Maren", "licens", "Nobody", "rights"):
        assert word not in said, (use, word)


def says(maren: Artist, stance: str) -> list[Permission]:
    """Maren's answer to the voice and to another use."""
    until: dict[str, Any] = {"valid_until": in_days(99)} if stance == "allow" else {}
    return [
        answer_permission(by=None, artist=maren, use=use, stance=stance, **until).permission
        for use in ("voice", "discovery")
    ]


def withdrew(maren: Artist, olga: User) -> None:
    says(maren, "allow")
    says(maren, "deny")


def revoked(maren: Artist, olga: User) -> None:
    for given in says(maren, "allow"):
        revoke_permission(by=olga, permission=given, reason="A stolen phone.")


STATES: dict[str, Callable[[Artist, User], Any]] = {
    "undecided": lambda maren, olga: None,
    "allows": lambda maren, olga: says(maren, "allow"),
    "denies": lambda maren, olga: says(maren, "deny"),
    "withdrew": withdrew,
    "revoked": revoked,
    "suspended": lambda maren, olga: change_party_state(by=None, party=maren.party, suspended=True),
    "a minor": lambda maren, olga: change_party_state(by=None, party=maren.party, is_minor=True),
}


def test_no_page_of_hers_tells_what_the_billed_artist_answered_or_is(
    aoi: Artist, maren: Artist, olga: User, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    """Maren also holds a recording on which Aoi is heard by herself, without any licence."""
    [own] = recordings_of(maren, title="Alene")
    change_identity(by=None, recording=own, voices=[aoi.party])
    lend(aoi)
    addresses = [
        voices(aoi),
        at(aoi, "permissions"),
        at(aoi, "permission_recordings"),
        at(aoi, "missing"),
        at(aoi, "answer_with", use="voice"),
        at(aoi, "withdrawals"),
        *(at(aoi, "permission_recording", isrc=one.isrc) for one in (sung, own)),
        *(at(aoi, "why") + about(one, tidesmith) for one in (sung, own)),
        at(aoi, "why") + about(sung, tidesmith, "discovery"),
    ]
    seen = {}
    for state, become in STATES.items():
        with transaction.atomic():
            become(maren, olga)
            seen[state] = {url: words(hers.get(url).text) for url in addresses}
            transaction.set_rollback(True)
    for state, found in seen.items():
        for url, said in found.items():
            plain = re.sub(r"As it is known at.*?\.", "", said)
            assert plain == re.sub(r"As it is known at.*?\.", "", seen["undecided"][url]), (
                state,
                url,
            )


def receipt_of(client: Client, aoi: Artist, query: str) -> dict[str, Any]:
    response = client.get(at(aoi, "why_receipt") + query)
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        found: dict[str, Any] = json.loads(archive.read("receipt.json"))
    return found


@pytest.mark.parametrize("suspended", [False, True])
def test_her_receipt_verifies_without_anybodys_share_or_answer(
    aoi: Artist,
    maren: Artist,
    sung: Recording,
    tidesmith: Tool,
    hers: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suspended: bool,
) -> None:
    [own] = recordings_of(maren, title="Alene")
    change_identity(by=None, recording=own, voices=[aoi.party])
    lend(aoi)
    says(maren, "deny")
    change_party_state(by=None, party=maren.party, suspended=suspended)
    seal_ledger()
    for one, codes in ((sung, ["licensed"]), (own, ["no_licence"])):
        receipt = receipt_of(hers, aoi, about(one, tidesmith))
        leaves = [json.loads(leaf["leaf"]) for leaf in receipt["leaves"]]
        kinds = {leaf["kind"] for leaf in leaves}
        assert not {kind for kind in kinds if kind.startswith("claim.")}
        assert {"permission.answered", "recording.identified"} <= kinds
        theirs = [
            leaf
            for leaf in leaves
            if str(maren.party.ref) in (leaf["body"].get("artist"), leaf["body"].get("party"))
        ]
        assert theirs == []
        assert [r["code"] for r in receipt["asked"]["reasons"]] == [*codes, "artist_allows"]
        path = tmp_path / f"{one.isrc}.json"
        path.write_text(json.dumps(receipt), encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["verify_receipt.py", str(path)])
        assert verify_receipt.main() == 0


def test_no_receipt_of_another_use_or_of_another_day(
    aoi: Artist, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    seal_ledger()
    refused = hers.get(at(aoi, "why_receipt") + about(sung, tidesmith, "discovery"), follow=True)
    assert refused.redirect_chain[0][0] == at(aoi, "permission_recording", isrc=sung.isrc)
    assert "decided by those who are billed" in words(refused.text)
    for more in ("&at=2026-01-01T00:00:00Z", "&known_seq=1", "&known_at=2026-01-01T00:00:00Z"):
        assert hers.get(at(aoi, "why_receipt") + about(sung, tidesmith) + more).status_code == 404
    assert hers.get(at(aoi, "credit", isrc=sung.isrc)).status_code == 404, "shares stand there"
    asked = about(sung, tidesmith) + "&day=2026-01-01"
    assert "No recording of yours" in words(hers.get(at(aoi, "history") + asked).text)


# --- Her answer for that one --------------------------------------------------------------------


def test_she_lends_her_voice_to_one_recording_and_takes_it_back(
    aoi: Artist,
    maren: Artist,
    fjord: Party,
    sung: Recording,
    tidesmith: Tool,
    tidesmith_v1: ModelVersion,
    hers: Client,
) -> None:
    [other] = recordings_of(maren, title="Tåke", holder=fjord)
    change_identity(by=None, recording=other, voices=[aoi.party])
    said = {
        "stance": "allow",
        "valid_until": in_days(30).date().isoformat(),
        "recording": sung.isrc,
    }
    saved = hers.post(at(aoi, "answer_with", use="voice"), said, follow=True)
    page = at(aoi, "permission_recording", isrc=sung.isrc)
    assert saved.redirect_chain[0][0] == f"{page}#use-voice"
    allowed = [decide_one(Ask(r.isrc, "voice", tidesmith.slug)).allowed for r in (sung, other)]
    assert allowed == [True, False]
    assert "For Tidesmith" in heard_part(hers, aoi)
    no = {"stance": "deny", "recording": sung.isrc}
    row = hers.post(at(aoi, "answer", use="voice"), no, headers=HTMX)
    assert 'id="use-voice"' in row.text and "It holds from now on" in row.text
    assert not decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    told = Withdrawal.objects.get()
    assert (told.artist, told.permission.recording) == (aoi, sung)
    stopping = words(hers.get(at(aoi, "withdrawals")).text)
    assert "Tonewright" in stopping and "Havn" in stopping
    back = hers.post(at(aoi, "clear_answer", use="voice"), {"recording": sung.isrc}, headers=HTMX)
    assert 'id="use-voice"' in back.text
    assert Permission.objects.order_by("-id").values_list("way", flat=True)[0] == "cleared"


def test_her_general_no_does_not_say_nobody_beside_a_yes_there(
    aoi: Artist, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    answer_permission(by=None, artist=aoi, use="voice", stance="deny")
    lend(aoi, scope=About(recording=sung))
    assert decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    page = words(hers.get(at(aoi, "permissions")).text)
    assert "Nobody may do this, except where a recording by others has another answer." in page
    assert "Nobody may do this." not in page


def test_an_answer_to_one_tool_there_is_hers_too(
    aoi: Artist, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    lend(aoi)
    said = {"stance": "deny", "recording": sung.isrc, "tool": tidesmith.slug}
    row = hers.post(at(aoi, "answer", use="voice"), said, headers=HTMX)
    assert 'id="use-voice"' in row.text
    assert not decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("use", [use for use in UseKind if use != UseKind.VOICE])
def test_another_use_is_refused_with_a_sentence(
    aoi: Artist, sung: Recording, hers: Client, use: str, headers: dict[str, str]
) -> None:
    before = Act.objects.count()
    page = at(aoi, "permission_recording", isrc=sung.isrc)
    for stance in ("deny", "allow"):
        said = {"stance": stance, "recording": sung.isrc}
        answered = hers.post(at(aoi, "answer", use=use), said, headers=headers)
        address = answered.headers.get("HX-Redirect") or answered.headers["Location"]
        shown = hers.get(address, follow=True)
        assert shown.request["PATH_INFO"] == page
        assert "decided by those who are billed" in words(shown.text)
    said = {"stance": "deny", "recording": sung.isrc}
    form = hers.post(at(aoi, "answer_with", use=use), said, follow=True)
    assert "decided by those who are billed" in words(form.text)
    assert Act.objects.count() == before


def test_a_manager_answers_for_her_and_an_assistant_only_sees(
    aoi: Artist,
    aoi_user: User,
    sung: Recording,
    tidesmith: Tool,
    ines: User,
    signed_in: SignIn,
) -> None:
    """A manager's yes takes the scope for the voice, which the artist gives; a no does not."""
    assistant = somebody("Runa Eide")
    grant_access(by=None, user=assistant, artist=aoi, role=Role.ASSISTANT)
    page = at(aoi, "permission_recording", isrc=sung.isrc)
    no = {"stance": "deny", "recording": sung.isrc}
    yes = {
        "stance": "allow",
        "valid_until": in_days(30).date().isoformat(),
        "recording": sung.isrc,
    }
    lend(aoi)
    manager = freshly(signed_in(ines))
    assert manager.get(page).status_code == 200
    assert manager.post(at(aoi, "answer", use="voice"), no).status_code == 302
    assert not decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    manager.post(at(aoi, "answer_with", use="voice"), yes)
    assert not decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    voice = [Scope.ANSWER_VOICE]
    grant_access(by=aoi_user, user=ines, artist=aoi, role=Role.MANAGER, scopes=voice)
    assert manager.post(at(aoi, "answer_with", use="voice"), yes).status_code == 302
    assert decide_one(Ask(sung.isrc, "voice", tidesmith.slug)).allowed
    looking = freshly(signed_in(assistant))
    assert looking.get(page).status_code == 200
    assert looking.post(at(aoi, "answer", use="voice"), no).status_code == 403


def test_neither_charlie_nor_the_label_nor_the_billed_artist_sees_pages_of_hers(
    aoi: Artist,
    maren: Artist,
    sung: Recording,
    tidesmith: Tool,
    charlie: User,
    liv: User,
    noor: User,
    maren_user: User,
    signed_in: SignIn,
) -> None:
    lend(aoi)
    for user in (charlie, liv, noor, maren_user):
        client = freshly(signed_in(user))
        for url in (
            at(aoi, "permission_recordings"),
            at(aoi, "permission_recording", isrc=sung.isrc),
            at(aoi, "why") + about(sung, tidesmith),
            at(aoi, "why_receipt") + about(sung, tidesmith),
        ):
            assert client.get(url).status_code == 404, (user, url)
    staff = freshly(signed_in(noor))
    assert sung.isrc not in staff.get(reverse("admin:consent_recording_changelist")).text


# --- When her voice is not on it any more -----------------------------------------------------


def test_whoever_is_no_longer_a_voice_finds_no_page_and_keeps_her_history(
    aoi: Artist, maren: Artist, sung: Recording, tidesmith: Tool, hers: Client
) -> None:
    given = lend(aoi, scope=About(recording=sung))
    nina = register_party(by=None, kind=PartyKind.PERSON, name="Nina Vox")
    change_identity(by=None, recording=sung, voices=[nina])
    for url in (
        at(aoi, "permission_recording", isrc=sung.isrc),
        at(aoi, "why") + about(sung, tidesmith),
        at(aoi, "why_receipt") + about(sung, tidesmith),
    ):
        assert hers.get(url).status_code == 404
    no = {"stance": "deny", "recording": sung.isrc}
    assert hers.post(at(aoi, "answer", use="voice"), no).status_code == 404
    assert not heard_part(hers, aoi)
    assert "also heard" not in hers.get(at(aoi, "permissions")).text
    act = hers.get(at(aoi, "act", ref=str(given.act.ref)))
    assert act.status_code == 200 and "Havn" in words(act.text)
    assert "Havn" in words(hers.get(at(aoi, "exceptions")).text)


def test_whoever_is_billed_later_has_it_among_her_own(
    aoi: Artist, maren: Artist, sung: Recording, hers: Client
) -> None:
    change_identity(by=None, recording=sung, featured=[aoi])
    assert not heard_part(hers, aoi)
    page = hers.get(at(aoi, "permission_recording", isrc=sung.isrc)).text
    assert len(re.findall(r'<li class="use" id="use-', page)) == len(UseKind)
