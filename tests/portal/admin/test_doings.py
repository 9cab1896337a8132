"""What staff can do in the admin: by one service each, with a reason, and a row that says so."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from consent import days
from consent.clock import now
from consent.errors import Refused
from consent.models import (
    AICompany,
    Artist,
    CatalogueMessage,
    LedgerEntry,
    Licence,
    LicenceVersion,
    Party,
    PartyIdentifier,
    Permission,
    Recording,
    RightsClaim,
    Tool,
    Wording,
    WorkState,
)
from consent.queries.decision import Ask, decide_one
from consent.queries.staff_reasons import reasons_given
from consent.queries.wall import wall_problems
from consent.services.audit import raise_alarm
from consent.services.claims import make_claim
from consent.services.erasure import erase_subject
from consent.services.permissions import answer_permission
from consent.services.wordings import publish_wording
from consent.words import Authority, Right, Standing
from portal.access import Access
from portal.models import (
    ApiClient,
    ApiKey,
    Export,
    Membership,
    Notice,
    Roster,
    RosterKind,
    StaffAct,
    User,
)
from portal.queries.staff import read_acts
from portal.roles import Role
from portal.roles import Scope as May
from portal.services.clients import find_key
from portal.services.delegation import end_access, grant_access
from portal.services.people import let_person_in
from portal.services.rosters import add_artist_to_roster, create_roster
from royalties.models import Rate
from tests import signing
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.admin.world import *  # noqa: F403
from tests.portal.admin.world import Labels

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
SAMPLES = Path(__file__).parents[2] / "consent" / "samples"
FJORDS = "ern432_ai_disclosure.xml"
WHY = "Because the paper says so"


@pytest.fixture
def does() -> Callable[..., Any]:
    """Post a doing as somebody; check that it is written down, with who and why."""

    def do(client: Client, address: str, *, action: str, by: User, **said: Any) -> Any:
        before = StaffAct.objects.count()
        answer = client.post(address, {"reason": WHY, **said})
        form = answer.context.get("form") if answer.context else None
        assert form is None or not form.errors, form.errors
        act = StaffAct.objects.latest("id")
        assert StaffAct.objects.count() == before + 1
        [read] = read_acts([act])
        assert (act.action, act.by, read.reason) == (action, by, WHY)
        assert WHY.encode() not in bytes(act.sealed)
        return answer

    return do


def to(thing: Any, name: str) -> str:
    meta = thing._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[thing.pk])


@pytest.fixture
def hers(liv: User, signed_in: SignIn) -> Client:
    return signed_in(liv)


@pytest.fixture
def theirs(olga: User, signed_in: SignIn) -> Client:
    return signed_in(olga)


@pytest.fixture
def havn(maren: Artist, fjord: Party) -> Recording:
    return recordings_of(maren, holder=fjord)[0]


@pytest.fixture
def claim(havn: Recording) -> RightsClaim:
    return RightsClaim.objects.get(recording=havn)


def facts_on(client: Client, address: str) -> dict[str, str]:
    """What a page says, without the tags of its moments."""
    facts = client.get(address).context["facts"]
    return {str(label): re.sub(r"<[^>]+>", "", str(value)) for label, value in facts}


def standing(claim: RightsClaim) -> RightsClaim:
    return RightsClaim.objects.filter(claim=claim.claim).latest("id")


# --- Claims ------------------------------------------------------------------------------


def test_a_label_claims_publishing_on_its_recordings(
    does: Any, hers: Client, liv: User, fjord: Party, havn: Recording
) -> None:
    answer = does(
        hers,
        reverse("admin:consent_rightsclaim_make"),
        action="claim.make",
        by=liv,
        party=fjord.pk,
        isrc=havn.isrc,
        right="publishing",
        authority="contract",
        share="62.5",
        territories="no, se",
    )
    made = RightsClaim.objects.latest("id")
    assert (made.party, made.recording, made.right) == (fjord, havn, "publishing")
    assert (made.share_bp, made.territories) == (6250, ["NO", "SE"])
    assert made.standing == Standing.DECLARED
    assert answer["Location"] == to(made, "change")


def test_a_label_cannot_claim_a_recording_of_another_and_learns_nothing(
    labels: Labels, signed_in: SignIn
) -> None:
    hers = signed_in(labels.fjord.staff)
    address = reverse("admin:consent_rightsclaim_make")
    said = {
        "reason": WHY,
        "party": labels.fjord.label.pk,
        "right": "master",
        "authority": "own",
        "share": "100",
    }
    told = []
    for isrc in (labels.kestrel.recordings[0].isrc, "NOZZZ9900001"):
        answer = hers.post(address, {**said, "isrc": isrc})
        assert answer.status_code == 200
        text = str(answer.context["form"].errors["isrc"])
        told.append(text.replace(isrc[-5:], ""))
        assert "Not among the recordings here" in text
    answer = hers.post(address, {**said, "party": labels.kestrel.label.pk, "isrc": ""})
    assert "party" in answer.context["form"].errors
    assert not RightsClaim.objects.filter(source="hand", authority="own").filter(
        party=labels.fjord.label
    )


def test_a_label_changes_and_ends_its_own_claim(
    does: Any, hers: Client, liv: User, claim: RightsClaim
) -> None:
    does(hers, to(claim, "terms"), action="claim.change", by=liv, share="50", authority="contract")
    assert standing(claim).share_bp == 5000
    does(hers, to(claim, "end"), action="claim.end", by=liv)
    assert standing(claim).ended


def test_verifying_and_settling_are_the_operators(
    does: Any, hers: Client, theirs: Client, olga: User, liv: User, claim: RightsClaim
) -> None:
    for name in ("verify", "settle"):
        assert hers.post(to(claim, name), {"reason": WHY}).status_code == 403
    does(theirs, to(claim, "verify"), action="claim.verify", by=olga)
    assert standing(claim).standing == Standing.VERIFIED
    does(hers, to(claim, "dispute"), action="claim.dispute", by=liv)
    assert standing(claim).standing == Standing.DISPUTED
    does(theirs, to(standing(claim), "settle"), action="claim.settle", by=olga)
    assert standing(claim).standing == Standing.DECLARED


def test_a_label_disputes_what_another_claims_on_its_recording_and_can_do_nothing_else_to_it(
    does: Any, hers: Client, liv: User, fjord: Party, kestrel: Party, havn: Recording
) -> None:
    rival = make_claim(
        by=None,
        party=kestrel,
        right=Right.MASTER,
        authority=Authority.OWN,
        recording=havn,
    )
    assert hers.post(to(rival, "end"), {"reason": WHY}).status_code == 403
    assert hers.post(to(rival, "terms"), {"reason": WHY, "share": "1"}).status_code == 403
    does(hers, to(rival, "dispute"), action="claim.dispute", by=liv)
    assert standing(rival).standing == Standing.DISPUTED
    # What speaks against a claim is in the books of whoever disputes it.
    assert StaffAct.objects.latest("id").label == fjord


def test_a_claim_keeps_one_page_and_one_history_through_all_its_rows(
    does: Any, hers: Client, liv: User, claim: RightsClaim
) -> None:
    does(hers, to(claim, "terms"), action="claim.change", by=liv, share="50", authority="contract")
    page = hers.get(to(claim, "change"))
    assert page.context["thing"].share_bp == 5000
    history = hers.get(to(claim, "history"))
    assert [one.act.action for one in history.context["acts"]] == ["claim.change"]


# --- Licences ----------------------------------------------------------------------------


def rates(*rows: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"rates-TOTAL_FORMS": len(rows), "rates-INITIAL_FORMS": 0}
    for n, row in enumerate(rows):
        said |= {f"rates-{n}-{name}": value for name, value in row.items()}
    return said


@pytest.fixture
def terms(fjord: Party, tonewright: AICompany, tidesmith: Tool) -> dict[str, Any]:
    return {
        "holder": fjord.pk,
        "company": tonewright.pk,
        "title": "Frame agreement",
        "uses": ["discovery"],
        "catalogue": "all",
        "notice_days": "30",
        **rates(
            {"use": "discovery", "right": "master", "basis": "share_of_revenue", "share": "6.55"}
        ),
    }


def sign(client: Client, address: str, said: dict[str, Any]) -> Any:
    """Look at the effect, then sign exactly that."""
    seen = client.post(address, {"reason": WHY, **said, "preview": "yes"})
    assert seen.status_code == 200
    assert not seen.context["form"].errors, seen.context["form"].errors
    return seen


def test_a_licence_is_shown_before_it_is_signed_and_then_signed_as_it_was_shown(
    does: Any, hers: Client, liv: User, maren: Artist, havn: Recording, terms: dict[str, Any]
) -> None:
    answer_permission(by=None, artist=maren, use="discovery", stance="allow")
    address = reverse("admin:consent_licence_sign")
    seen = sign(hers, address, terms)
    assert not Licence.objects.exists()
    [use] = seen.context["effect"]["uses"]
    assert use["allowed"] == "1"
    assert [str(p) for p in seen.context["effect"]["artists"]] == ["Maren Holt"]
    does(
        hers,
        address,
        action="licence.sign",
        by=liv,
        **terms,
        previewed=seen.context["previewed"],
        sign="yes",
    )
    version = LicenceVersion.objects.get()
    assert (version.notice_days, version.artist_approval) == (30, True)
    assert Rate.objects.get(version=version).share_bp == 655
    assert StaffAct.objects.latest("id").label == version.licence.holder
    assert decide_one(Ask(havn.isrc, "discovery", "tidesmith")).allowed


def test_the_effect_of_a_licence_is_shown_before_anybody_says_why(
    hers: Client, terms: dict[str, Any]
) -> None:
    address = reverse("admin:consent_licence_sign")
    seen = hers.post(address, {**terms, "preview": "yes"})
    assert seen.context["effect"]
    said = {**terms, "previewed": seen.context["previewed"], "sign": "yes"}
    unsaid = hers.post(address, said)
    assert list(unsaid.context["form"].errors) == ["reason"]
    assert unsaid.context["previewed"] == seen.context["previewed"], "no need to look again"
    assert not Licence.objects.exists()


def test_nothing_is_signed_that_was_not_looked_at(hers: Client, terms: dict[str, Any]) -> None:
    address = reverse("admin:consent_licence_sign")
    hers.post(address, {"reason": WHY, **terms, "sign": "yes"})
    seen = sign(hers, address, terms)
    changed = {**terms, "notice_days": "0", "previewed": seen.context["previewed"]}
    again = hers.post(address, {"reason": WHY, **changed, "sign": "yes"})
    assert again.status_code == 200
    assert again.context["previewed"] != seen.context["previewed"]
    assert not Licence.objects.exists()


def test_a_licence_that_does_without_artists_must_name_its_clause(
    hers: Client, terms: dict[str, Any]
) -> None:
    said = {"reason": WHY, **terms, "without_artists": "on", "preview": "yes"}
    answer = hers.post(reverse("admin:consent_licence_sign"), said)
    assert "override_clause" in answer.context["form"].errors


def test_a_wrong_rate_signs_nothing(hers: Client, terms: dict[str, Any]) -> None:
    address = reverse("admin:consent_licence_sign")
    said = {
        **terms,
        **rates({"use": "voice", "right": "master", "basis": "share_of_revenue", "share": "5"}),
    }
    seen = sign(hers, address, said)
    previewed = seen.context["previewed"]
    answer = hers.post(address, {"reason": WHY, **said, "previewed": previewed, "sign": "yes"})
    assert answer.context["form"].errors
    assert not Licence.objects.exists()
    assert not StaffAct.objects.exists()


def test_a_label_supersedes_and_ends_its_licence(
    does: Any, hers: Client, liv: User, terms: dict[str, Any]
) -> None:
    address = reverse("admin:consent_licence_sign")
    seen = sign(hers, address, terms)
    hers.post(
        address,
        {"reason": WHY, **terms, "previewed": seen.context["previewed"], "sign": "yes"},
    )
    licence = Licence.objects.get()
    form = hers.get(to(licence, "version"))
    assert form.context["form"].initial["uses"] == ["discovery"]
    assert form.context["rates"].initial[0]["share"] == Decimal("6.55")
    said = {k: v for k, v in terms.items() if k not in ("holder", "company", "title")}
    said["uses"] = ["discovery", "remix_input"]
    seen = sign(hers, to(licence, "version"), said)
    does(
        hers,
        to(licence, "version"),
        action="licence.version",
        by=liv,
        **said,
        previewed=seen.context["previewed"],
        sign="yes",
    )
    assert licence.versions.latest("number").uses == ["discovery", "remix_input"]
    does(hers, to(licence, "end"), action="licence.end", by=liv)
    assert licence.versions.latest("number").ended
    assert hers.get(to(licence, "change")).context["doings"] == []


def test_a_term_includes_its_last_day_as_the_artist_reads_it(
    does: Any, hers: Client, liv: User, terms: dict[str, Any]
) -> None:
    address = reverse("admin:consent_licence_sign")
    said = {**terms, "starts_at": now().date().isoformat(), "ends_at": "2099-12-31"}
    previewed = sign(hers, address, said).context["previewed"]
    does(hers, address, action="licence.sign", by=liv, **said, previewed=previewed, sign="yes")
    licence = Licence.objects.get()
    version = licence.versions.get()
    assert version.starts_at is None, "today has begun"
    assert version.ends_at == days.end(date(2099, 12, 31))
    assert facts_on(hers, to(licence, "change"))["Until"] == "31 Dec 2099 (UTC)"
    form = hers.get(to(licence, "version")).context["form"]
    assert form.initial["ends_at"] == date(2099, 12, 31)
    does(hers, to(licence, "end"), action="licence.end", by=liv, ends_at="2098-06-30")
    ended = licence.versions.latest("number")
    assert (ended.ended, ended.starts_at) == (True, days.end(date(2098, 6, 30)))
    assert facts_on(hers, to(licence, "change"))["Until"] == "30 Jun 2098 (UTC)"
    assert "until 30 Jun 2098" in hers.get(reverse("admin:consent_licence_changelist")).text


def test_an_end_that_was_given_for_later_can_come_sooner_or_be_taken_back(
    does: Any, hers: Client, liv: User, terms: dict[str, Any], maren: Artist, fjord: Party
) -> None:
    [first, _second] = recordings_of(maren, 2, holder=fjord)
    address = reverse("admin:consent_licence_sign")
    said = {**terms, "catalogue": "list", "recordings": first.isrc}
    previewed = sign(hers, address, said).context["previewed"]
    hers.post(address, {"reason": WHY, **said, "previewed": previewed, "sign": "yes"})
    licence = Licence.objects.get()
    does(hers, to(licence, "end"), action="licence.end", by=liv, ends_at="2098-06-30")
    assert facts_on(hers, to(licence, "change"))["Recordings"] == "the listed recordings"
    offered = hers.get(to(licence, "change")).context["doings"]
    assert [one["url"] for one in offered] == [to(licence, "version"), to(licence, "end")]
    page = hers.get(to(licence, "version"))
    assert "30 Jun 2098" in page.context["sentence"]
    form = page.context["form"]
    assert form.initial["catalogue"] == "list", "an end covers nothing, and lists nothing"
    assert form.initial["recordings"] == first.isrc
    assert page.context["rates"].initial[0]["share"] == Decimal("6.55")
    does(hers, to(licence, "end"), action="licence.end", by=liv)
    assert hers.get(to(licence, "change")).context["doings"] == []


def test_a_claim_holds_until_the_end_of_its_last_day(
    does: Any, hers: Client, liv: User, claim: RightsClaim
) -> None:
    said = {"share": "100", "authority": "contract", "valid_until": "2099-12-31"}
    does(hers, to(claim, "terms"), action="claim.change", by=liv, **said)
    assert standing(claim).valid_until == days.end(date(2099, 12, 31))
    assert facts_on(hers, to(claim, "change"))["Until"] == "31 Dec 2099 (UTC)"
    form = hers.get(to(claim, "terms")).context["form"]
    assert form.initial["valid_until"] == date(2099, 12, 31)


def test_a_label_lists_only_recordings_that_it_holds(
    labels: Labels, signed_in: SignIn, terms: dict[str, Any]
) -> None:
    said = {
        **terms,
        "reason": WHY,
        "catalogue": "list",
        "recordings": labels.kestrel.recordings[0].isrc,
        "preview": "yes",
    }
    answer = signed_in(labels.fjord.staff).post(reverse("admin:consent_licence_sign"), said)
    assert "recordings" in answer.context["form"].errors
    assert "Kestrelcanary" not in answer.text


# --- Deliveries --------------------------------------------------------------------------


@pytest.fixture
def known_sender(fjord: Party) -> Party:
    """Fjord Records, known by the DPID of the sample message."""
    PartyIdentifier.objects.create(party=fjord, scheme="dpid", value="PADPIDA20260101998")
    return fjord


def upload(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (SAMPLES / name).read_bytes(), "application/xml")


def test_a_label_takes_in_its_message_and_reads_what_became_of_every_line(
    does: Any, hers: Client, liv: User, known_sender: Party
) -> None:
    answer = does(
        hers,
        reverse("admin:consent_cataloguemessage_message"),
        action="catalogue.import",
        by=liv,
        file=upload(FJORDS),
    )
    message = CatalogueMessage.objects.get()
    assert answer["Location"] == to(message, "change")
    page = hers.get(answer["Location"])
    [panel] = page.context["panels"]
    assert len(panel.rows) == len(message.report) > 0
    assert Recording.objects.filter(sender=known_sender).exists()
    again = hers.post(
        reverse("admin:consent_cataloguemessage_message"),
        {"reason": WHY, "file": upload(FJORDS)},
        follow=True,
    )
    assert "read before" in again.text


def test_a_message_of_another_sender_changes_nothing(hers: Client) -> None:
    answer = hers.post(
        reverse("admin:consent_cataloguemessage_message"),
        {"reason": WHY, "file": upload(FJORDS)},
    )
    assert "did not send this message" in str(answer.context["form"].errors["file"])
    assert not Recording.objects.exists()
    assert not CatalogueMessage.objects.exists()
    assert not PartyIdentifier.objects.exists()
    assert not StaffAct.objects.exists()


def test_what_is_no_message_is_refused_in_one_sentence(hers: Client) -> None:
    file = SimpleUploadedFile("x.xml", b"<html></html>", "application/xml")
    answer = hers.post(
        reverse("admin:consent_cataloguemessage_message"), {"reason": WHY, "file": file}
    )
    assert "not a DDEX release message" in str(answer.context["form"].errors["file"])
    assert not StaffAct.objects.exists()


def test_a_claims_file_reaches_ones_own_recordings_only(
    does: Any, labels: Labels, signed_in: SignIn
) -> None:
    own, other = labels.fjord.recordings[0].isrc, labels.kestrel.recordings[0].isrc
    lines = "isrc,party_name,right\n" + "".join(
        f"{isrc},Havn Forlag,publishing\n" for isrc in (own, other, "NOZZZ9900001")
    )
    before = RightsClaim.objects.filter(recording__isrc=other).count()
    hers = signed_in(labels.fjord.staff)
    answer = does(
        hers,
        reverse("admin:consent_cataloguemessage_claims"),
        action="claims.import",
        by=labels.fjord.staff,
        sender=labels.fjord.label.pk,
        file=SimpleUploadedFile("claims.csv", lines.encode()),
    )
    assert RightsClaim.objects.filter(recording__isrc=own, right="publishing").count() == 1
    assert RightsClaim.objects.filter(recording__isrc=other).count() == before
    [panel] = hers.get(answer["Location"]).context["panels"]
    sentences = [row[2].replace(other[-5:], "").replace("00001", "") for row in panel.rows]
    assert len(sentences) == 2


def test_a_claims_file_cannot_be_sent_as_another_label(labels: Labels, signed_in: SignIn) -> None:
    answer = signed_in(labels.fjord.staff).post(
        reverse("admin:consent_cataloguemessage_claims"),
        {
            "reason": WHY,
            "sender": labels.kestrel.label.pk,
            "file": SimpleUploadedFile("claims.csv", b"isrc\n"),
        },
    )
    assert "sender" in answer.context["form"].errors


# --- Answers, wordings, companies, keys, alarms, work --------------------------------------


@pytest.mark.parametrize(("name", "way"), [("revoke", "revoked"), ("invalidate", "invalidated")])
def test_the_operator_ends_an_answer_with_a_reason_and_nothing_else(
    does: Any, hers: Client, theirs: Client, olga: User, maren: Artist, name: str, way: str
) -> None:
    given = answer_permission(by=None, artist=maren, use="discovery", stance="allow").permission
    assert hers.post(to(given, name), {"reason": WHY}).status_code == 403
    without = theirs.post(to(given, name), {"reason": "  "})
    assert "reason" in without.context["form"].errors
    does(theirs, to(given, name), action=f"permission.{name}", by=olga)
    last = Permission.objects.latest("id")
    assert (last.stance, last.way) == ("undecided", way)
    assert reasons_given([last.act_id]) == {last.act_id: WHY}
    assert WHY not in str(last.act.summary)
    page = theirs.get(to(given, "change"))
    assert page.context["doings"] == []  # a newer row speaks


def test_the_operator_publishes_a_wording(does: Any, theirs: Client, olga: User) -> None:
    does(
        theirs,
        reverse("admin:consent_wording_publish"),
        action="wording.publish",
        by=olga,
        use="voice",
        language="en",
        text="May it sound like you?",
        meaning="new",
    )
    assert Wording.objects.latest("id").text == "May it sound like you?"
    does(
        theirs,
        reverse("admin:consent_wording_publish"),
        action="wording.publish",
        by=olga,
        use="voice",
        language="en",
        text="May it sound just like you?",
        meaning="new",
    )
    does(
        theirs,
        reverse("admin:consent_wording_publish"),
        action="wording.publish",
        by=olga,
        use="voice",
        language="de",
        text="Darf es genau wie du klingen?",
        meaning="same",
    )
    assert [(w.version, w.means_the_same) for w in Wording.objects.order_by("id")] == [
        (1, False),
        (2, False),
        (2, True),
    ]


def test_whoever_publishes_a_wording_reads_how_many_say_yes(
    theirs: Client, maren: Artist, aoi: Artist
) -> None:
    answer_permission(by=None, artist=maren, use="style", stance="allow")
    answer_permission(by=None, artist=aoi, use="style", stance="allow")
    answer_permission(by=None, artist=aoi, use="style", stance="deny")
    page = theirs.get(reverse("admin:consent_wording_publish")).text
    assert "Artists who say yes, by use kind: Imitate the style 1." in page


def test_the_operator_cannot_put_another_text_under_a_yes(
    theirs: Client, maren: Artist, olga: User
) -> None:
    old = publish_wording(by=olga, use="discovery", language="en", text="Playlists pick you.")
    answer_permission(by=None, artist=maren, use="discovery", stance="allow")
    said = {
        "use": "discovery",
        "language": "en",
        "text": "We may clone everything you ever did.",
        "meaning": "same",
        "reason": WHY,
    }
    answer = theirs.post(reverse("admin:consent_wording_publish"), said)
    assert "asked again" in answer.context["form"].errors["meaning"].as_text()
    assert Wording.objects.get() == old
    assert not StaffAct.objects.filter(action="wording.publish").exists()


def test_the_operator_stops_a_tool_and_a_company_and_lets_them_go_on(
    does: Any, theirs: Client, olga: User, havn: Recording, tidesmith: Tool
) -> None:
    def codes() -> list[str]:
        return [str(r.code) for r in decide_one(Ask(havn.isrc, "discovery", "tidesmith")).reasons]

    company = tidesmith.company
    does(theirs, to(tidesmith, "suspend"), action="tool.suspend", by=olga)
    assert "tool_suspended" in codes()
    does(theirs, to(tidesmith, "resume"), action="tool.resume", by=olga)
    assert "tool_suspended" not in codes()
    contact = "rights@tonewright.example"
    does(theirs, to(company, "contact"), action="company.contact", by=olga, contact=contact)
    does(theirs, to(company, "suspend"), action="company.suspend", by=olga)
    assert "company_suspended" in codes()
    does(theirs, to(company, "resume"), action="company.resume", by=olga)
    assert "company_suspended" not in codes()


def test_a_key_is_shown_once_and_kept_nowhere(does: Any, theirs: Client, olga: User) -> None:
    does(
        theirs,
        reverse("admin:consent_aicompany_register"),
        action="company.register",
        by=olga,
        slug="echoic",
        name="Echoic",
    )
    company = AICompany.objects.get(slug="echoic")
    does(theirs, to(company, "client"), action="client.create", by=olga, name="reporting")
    client = ApiClient.objects.get()
    shown = does(
        theirs, to(client, "key"), action="key.create", by=olga, scopes=["decide", "report"]
    )
    secret = shown.context["secret"]
    assert secret in shown.text
    assert shown["Cache-Control"] == "private, no-store"
    key = find_key(secret)
    assert key is not None and key.scopes == ["decide", "report"]
    for address in (to(key, "change"), to(client, "change"), to(key, "history")):
        page = theirs.get(address).text
        assert secret not in page
        assert key.digest not in page
    assert not [one for one in read_acts(StaffAct.objects.all()) if secret in one.about]
    does(theirs, to(key, "revoke"), action="key.revoke", by=olga)
    assert find_key(secret) is None
    assert ApiKey.objects.get().revoked_by == olga


def test_an_alarm_is_cleared_with_a_reason(does: Any, theirs: Client, olga: User) -> None:
    alarm = raise_alarm(problem="entry 7 is not what was signed")
    does(theirs, to(alarm, "clear"), action="alarm.clear", by=olga)
    alarm.refresh_from_db()
    assert alarm.cleared_because == WHY


def test_work_that_was_given_up_is_tried_again(
    does: Any, theirs: Client, olga: User, liv: User, maren: Artist
) -> None:
    dead = Export.objects.create(
        kind="usage_csv",
        artist=maren,
        requested_by=liv,
        state=WorkState.DEAD,
        attempts=5,
        last_error="disk full",
        next_at=now(),
        created_at=now(),
    )
    overview = theirs.get(reverse("admin:work"))
    [row] = [row for row in overview.context["rows"] if row["retry"]]
    assert "disk full" in overview.text
    answer = does(theirs, row["retry"], action="work.retry", by=olga)
    assert answer["Location"] == reverse("admin:work")
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == ("waiting", 0)
    again = theirs.post(row["retry"], {"reason": WHY})
    assert "not given up" in str(again.context["form"].errors)


def test_the_operator_opens_a_label_and_lets_its_staff_in(
    does: Any, theirs: Client, olga: User, maren: Artist, signed_in: SignIn
) -> None:
    does(
        theirs,
        reverse("admin:portal_roster_label"),
        action="label.open",
        by=olga,
        name="Skerry Records",
        dpid="PADPIDA20260101998",
    )
    roster = Roster.objects.get(name="Skerry Records")
    does(
        theirs,
        to(roster, "person"),
        action="person.let_in",
        by=olga,
        name="Siv Lund",
        email="siv@skerry.example",
    )
    siv = User.objects.get(email="siv@skerry.example")
    hers = signed_in(siv)
    artists = reverse("admin:consent_artist_changelist")
    assert "Maren Holt" not in hers.get(artists).text
    does(theirs, to(roster, "artist"), action="roster.add", by=olga, artist=maren.slug)
    assert "Maren Holt" in hers.get(artists).text
    place = roster.places.get()
    does(theirs, to(roster, "leave"), action="roster.remove", by=olga, place=place.pk)
    assert "Maren Holt" not in hers.get(artists).text
    does(theirs, to(siv.memberships.get(), "end"), action="access.end", by=olga)
    assert hers.get(artists).status_code == 403


def test_somebody_who_signs_in_here_already_becomes_label_staff_by_her_address(
    does: Any,
    theirs: Client,
    olga: User,
    maren: Artist,
    aoi: Artist,
    aoi_user: User,
    charlie: User,
    fjord_roster: Roster,
    signed_in: SignIn,
) -> None:
    grant_access(by=aoi_user, user=charlie, artist=aoi, role=Role.ASSISTANT)
    hers = signed_in(charlie)
    artists = reverse("admin:consent_artist_changelist")
    assert hers.get(artists).status_code == 403
    name, password = charlie.name, charlie.password
    does(
        theirs,
        to(fjord_roster, "person"),
        action="person.let_in",
        by=olga,
        email=f" {charlie.email.upper()}",
    )
    charlie.refresh_from_db()
    assert (charlie.is_staff, charlie.is_superuser) == (True, False)
    assert (charlie.name, charlie.password) == (name, password)
    page = hers.get(artists).text
    assert "Maren Holt" in page
    assert "田中葵" not in page, "whose work she sees is not in this label's books"
    assert hers.get(f"/a/{aoi.slug}/permissions/").status_code == 200, "what she had she keeps"
    for closed in ("portal_roster", "portal_membership", "portal_user"):
        with suppress(NoReverseMatch):
            assert hers.get(reverse(f"admin:{closed}_changelist")).status_code == 403


@pytest.mark.parametrize("who", ["olga", "confederate"])
def test_the_operator_lets_nobody_in_who_would_answer_for_an_artist_that_is_there(
    theirs: Client,
    olga: User,
    ines: User,
    charlie: User,
    maren: Artist,
    north_roster: Roster,
    who: str,
) -> None:
    """Maren is on this management; nobody has asked her."""
    user = olga if who == "olga" else charlie
    before = (LedgerEntry.objects.count(), StaffAct.objects.count(), Notice.objects.count())
    said = {"email": user.email, "reason": WHY}
    answer = theirs.post(to(north_roster, "person"), said)
    expected = "cannot let yourself in" if who == "olga" else "only its own people can let"
    assert expected in answer.context["form"].errors.as_text()
    someone_new = theirs.post(to(north_roster, "person"), said | {"email": "new@liner.example"})
    assert "only its own people can let" in someone_new.context["form"].errors.as_text()
    assert not User.objects.filter(email="new@liner.example").exists()
    assert (LedgerEntry.objects.count(), StaffAct.objects.count(), Notice.objects.count()) == before
    assert not user.memberships.filter(roster=north_roster).exists()
    answered = theirs.post(
        f"/a/{maren.slug}/permissions/uses/analysis_training/", {"stance": "allow"}
    )
    assert answered.status_code == 404
    assert not Permission.objects.exists()


def test_the_operator_lets_the_first_people_into_a_management_and_they_the_later_ones(
    does: Any, theirs: Client, olga: User, charlie: User, maren: Artist, maren_user: User
) -> None:
    roster = create_roster(by=olga, kind=RosterKind.MANAGEMENT, name="Skerry Management")
    does(
        theirs,
        to(roster, "person"),
        action="person.let_in",
        by=olga,
        email="siv@skerry.example",
        name="Siv Lund",
    )
    siv = User.objects.get(email="siv@skerry.example")
    add_artist_to_roster(by=maren_user, roster=roster, artist=maren)
    assert Access.of(siv).may(maren, May.ANSWER)
    refused = theirs.post(to(roster, "person"), {"email": charlie.email, "reason": WHY})
    assert "only its own people can let" in refused.context["form"].errors.as_text()
    # Nor after everybody's access was ended, which the operator can do.
    for one in Membership.objects.unended():
        end_access(by=olga, membership=one)
    refused = theirs.post(to(roster, "person"), {"email": charlie.email, "reason": WHY})
    assert "only its own people can let" in refused.context["form"].errors.as_text()


def test_somebody_who_answers_for_an_artist_does_not_become_staff_with_that_address(
    theirs: Client, fjord_roster: Roster, aoi: Artist, aoi_user: User
) -> None:
    said = {"email": aoi_user.email, "reason": WHY}
    answer = theirs.post(to(fjord_roster, "person"), said)
    assert "Take another e-mail address" in answer.context["form"].errors.as_text()
    aoi_user.refresh_from_db()
    assert not aoi_user.is_staff
    assert Access.of(aoi_user).may(aoi, May.ANSWER_VOICE)


def test_whoever_is_in_already_or_may_not_sign_in_is_not_let_in(
    theirs: Client, fjord_roster: Roster, liv: User, charlie: User
) -> None:
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    for user, sentence in ((liv, "has access"), (charlie, "may not sign in any more")):
        answer = theirs.post(to(fjord_roster, "person"), {"email": user.email, "reason": WHY})
        assert sentence in answer.context["form"].errors.as_text(), user
    charlie.refresh_from_db()
    assert not charlie.is_staff
    assert not charlie.memberships.exists()


def test_nobody_but_the_operator_makes_label_staff(
    fjord_roster: Roster, kestrel_roster: Roster, liv: User, charlie: User, signed_in: SignIn
) -> None:
    hers = signed_in(liv)
    for roster in (fjord_roster, kestrel_roster):
        said = {"email": charlie.email, "reason": WHY}
        assert hers.post(to(roster, "person"), said).status_code in {403, 404}
    with pytest.raises(Refused, match="may_not_grant"):
        let_person_in(by=liv, email=charlie.email, role=Role.LABEL_STAFF, roster=fjord_roster)
    charlie.refresh_from_db()
    assert not charlie.is_staff


def test_a_new_label_staff_without_a_second_factor_is_led_to_set_one_up(
    fjord_roster: Roster, charlie: User, client: Client
) -> None:
    signing.sign_in(client, charlie)
    let_person_in(by=None, email=charlie.email, role=Role.LABEL_STAFF, roster=fjord_roster)
    answer = client.get(reverse("admin:consent_artist_changelist"), follow=True)
    assert any("2fa" in url or "mfa" in url for url, _ in answer.redirect_chain)
    assert "Maren" not in answer.text


# --- The log -----------------------------------------------------------------------------


def test_every_doing_needs_a_reason(labels: Labels, theirs: Client) -> None:
    for pages in admin.site._registry.values():
        for doing in (*pages.on_list, *pages.doings):  # type: ignore[attr-defined]
            form = doing.form(None, access=_operator(), thing=None)
            assert form.fields["reason"].required, doing.action


def test_each_doing_is_tried_here_and_found_in_the_log() -> None:
    tried = set(re.findall(r'action="([a-z_.]+)"', Path(__file__).read_text()))
    tried |= {"permission.revoke", "permission.invalidate"}
    doings = {
        doing.action
        for pages in admin.site._registry.values()
        for doing in (*pages.on_list, *pages.doings)  # type: ignore[attr-defined]
    }
    assert doings | {"work.retry"} == tried


def test_no_two_doings_have_one_code() -> None:
    codes = [
        doing.action
        for pages in admin.site._registry.values()
        for doing in (*pages.on_list, *pages.doings)  # type: ignore[attr-defined]
    ]
    assert len(codes) == len(set(codes))


def test_an_erasure_takes_the_words_and_leaves_who_did_what(
    does: Any, theirs: Client, olga: User, maren: Artist
) -> None:
    given = answer_permission(by=None, artist=maren, use="discovery", stance="allow").permission
    does(theirs, to(given, "revoke"), action="permission.revoke", by=olga)
    acts = reverse("admin:portal_staffact_changelist")
    assert WHY in theirs.get(acts).text
    erase_subject(by=None, subject=maren.party.ref, reason_code="consent_withdrawn")
    page = theirs.get(acts).text
    assert WHY not in page
    assert "Maren Holt" not in page
    assert "revoked an answer" in page


def test_what_staff_did_cannot_be_changed_or_taken_back(labels: Labels) -> None:
    act = StaffAct.objects.latest("id")
    for change in (
        lambda: StaffAct.objects.filter(pk=act.pk).update(key="another"),
        act.delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert list(wall_problems([StaffAct._meta.db_table])) == []


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_down_is_not_done(
    hers: Client, claim: RightsClaim, owner: Any
) -> None:
    owner.execute("REVOKE INSERT ON portal_staffact FROM liner_app")
    try:
        with pytest.raises(DatabaseError):
            hers.post(to(claim, "end"), {"reason": WHY})
    finally:
        owner.execute("GRANT INSERT ON portal_staffact TO liner_app")
    assert not standing(claim).ended
    hers.post(to(claim, "end"), {"reason": WHY})
    assert standing(claim).ended


def _operator() -> Any:
    from portal.access import Access

    return Access(user=User(is_superuser=True, is_staff=True), at=None)
