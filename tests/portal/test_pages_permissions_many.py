"""Questions of companies, many recordings at once, undoing, history; and what pages cost."""

import io
import re
import subprocess
import sys
import zipfile
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.ledger_keys import verifying_keys
from consent.models import Act, Artist, Permission, PermissionRequest
from consent.scopes import Scope
from consent.services.requests import ask_permission, take_back_request
from consent.services.sealing import seal_ledger
from consent.services.wordings import publish_wording
from portal.models import User
from portal.roles import Role
from portal.services.delegation import grant_access
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of, somebody
from tests.consent.build import a_tool
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import SignIn, World, another_company, days_ahead, freshly, long_ago

pytestmark = pytest.mark.django_db


def asks(world: World, use: str = "discovery", **more: Any) -> PermissionRequest:
    if "isrc" not in more:
        more["artists"] = [world.maren]
    asked = ask_permission(tool=world.tool, use=use, why="A playlist for slow mornings.", **more)
    return next(one for one in asked.requests if one.artist == world.maren)


# --- Questions ---------------------------------------------------------------------------


def test_a_question_says_who_asks_for_what_and_why_in_their_words(
    world: World, her: Client
) -> None:
    asks(world, isrc=world.recordings[0].isrc)
    page = her.get(world.url("requests")).text
    assert "Tonewright asks: Recommend you" in page
    assert "A playlist for slow mornings." in page
    assert "Paper Lanterns 1" in page
    overview = her.get(world.url("permissions")).text
    assert "1 question waits for you" in overview
    assert "Treated as no. Tonewright asked on" in overview


def test_a_yes_to_a_question_is_for_exactly_that(world: World, her: Client) -> None:
    asked = asks(world, isrc=world.recordings[0].isrc)
    her.post(world.url("answer_request", ref=asked.ref), {"stance": "allow"})
    assert world.allowed("discovery", world.recordings[0])
    assert not world.allowed("discovery", world.recordings[1])
    given = Permission.objects.get()
    assert (given.tool, given.recording) == (world.tool, world.recordings[0])
    assert "granted" in her.get(world.url("requests")).text


def test_the_page_says_what_is_kept_of_a_no_and_of_a_yes_to_a_question_with_an_end(
    world: World, her: Client
) -> None:
    end = days_ahead(90, moment=True)
    first = asks(world, isrc=world.recordings[0].isrc, valid_until=end)
    second = asks(world, isrc=world.recordings[1].isrc, valid_until=end)
    page = her.get(world.url("requests")).text
    assert "a no is kept without an end" in page
    assert "cannot ask you for this use again for 90 days" in " ".join(page.split())
    her.post(world.url("answer_request", ref=first.ref), {"stance": "allow"})
    her.post(world.url("answer_request", ref=second.ref), {"stance": "deny"})
    kept = Permission.objects.order_by("id").values_list("stance", "valid_until")
    assert list(kept) == [("allow", end), ("deny", None)]
    past = her.get(world.url("requests")).text.split("Answered before")[1]
    assert f'datetime="{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"' in past
    assert "without an end, until you change it" in past


def test_later_leaves_the_question_and_allows_nothing(world: World, her: Client) -> None:
    asked = asks(world)
    her.post(world.url("answer_request", ref=asked.ref), {"stance": "undecided"})
    assert "You said: later" in her.get(world.url("requests")).text
    assert not Permission.objects.exists()
    her.post(world.url("answer_request", ref=asked.ref), {"stance": "deny"})
    assert Permission.objects.get().stance == "deny"


def test_a_question_that_was_taken_back_cannot_be_answered(world: World, her: Client) -> None:
    asked = asks(world)
    take_back_request(company=world.tonewright, batch=asked.batch)
    url = world.url("answer_request", ref=asked.ref)
    page = her.post(url, {"stance": "allow"}, follow=True).text
    assert "This question has been answered." in page
    assert not Permission.objects.exists()


def test_a_yes_to_a_question_asks_for_a_recent_sign_in_and_a_no_does_not(
    world: World, her: Client
) -> None:
    url = world.url("answer_request", ref=asks(world).ref)
    long_ago(her)
    assert "/reauthenticate/" in her.post(url, {"stance": "allow"})["Location"]
    assert her.post(url, {"stance": "deny"})["Location"] == world.url("requests")


def test_charlie_and_a_manager_without_the_voice_cannot_answer_a_question_about_it(
    world: World, ines: User, charlie: User, signed_in: SignIn
) -> None:
    asked = asks(world, "voice", valid_until=days_ahead(90, moment=True))
    url = world.url("answer_request", ref=asked.ref)
    assert freshly(signed_in(charlie)).post(url, {"stance": "deny"}).status_code == 404
    hers = freshly(signed_in(ines))
    assert hers.post(url, {"stance": "allow"}).status_code == 403
    assert "Only Maren Holt can say yes to this." in hers.get(world.url("requests")).text
    assert hers.post(url, {"stance": "deny"}).status_code == 302


def test_a_question_to_another_artist_is_not_there(world: World, aoi: Artist, her: Client) -> None:
    asked = ask_permission(tool=world.tool, use="style", why="For fun.", artists=[aoi])
    url = world.url("answer_request", ref=asked.requests[0].ref)
    assert her.post(url, {"stance": "deny"}).status_code == 404


# --- Many at once ------------------------------------------------------------------------


def previewed(her: Client, world: World, **choice: Any) -> dict[str, Any]:
    """What the preview's form would post."""
    response = her.get(world.url("many"), choice)
    assert response.status_code == 200, response.text
    hidden: dict[str, Any] = response.context["hidden"]
    return hidden


def test_a_preview_says_what_changes_and_what_it_means_and_writes_nothing(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny", scope=Scope(recording=world.recordings[0]))
    choice = {"use": "discovery", "stance": "deny"}
    page = her.get(world.url("many"), choice).text
    assert "2 recordings get an answer of their own: “No”." in page
    assert "1 recording says this already." in page
    assert "2 recordings, for Tonewright" in page
    assert "for none of them" in page
    assert Permission.objects.count() == 2


def test_a_preview_of_a_yes_says_what_would_still_be_in_the_way(world: World, her: Client) -> None:
    recordings_of(world.maren, 1, title="Undertow")
    page = her.get(world.url("many"), {"use": "discovery", "stance": "allow"}).text
    assert "3 recordings, for Tonewright" in page
    assert "You have not licensed this yourself" in page


def test_a_preview_of_a_yes_that_nobody_could_use_says_so(
    aoi: Artist, aoi_user: User, signed_in: SignIn
) -> None:
    recordings_of(aoi, 2)
    theirs = signed_in(aoi_user)
    many = reverse("many", kwargs={"slug": aoi.slug})
    nobody = "No AI company holds a licence that would let it use this."
    assert nobody in theirs.get(many, {"use": "discovery", "stance": "allow"}).text
    assert nobody not in theirs.get(many, {"use": "discovery", "stance": "deny"}).text


def test_a_preview_marks_a_yes_to_an_earlier_text_and_saving_gives_it_anew(
    world: World, her: Client
) -> None:
    old, other, _third = world.recordings
    publish_wording(by=None, use="discovery", language="en", text="Recommend you.")
    world.says("discovery", "allow", scope=Scope(recording=old))
    publish_wording(by=None, use="discovery", language="en", text="Recommend you, and more.")
    world.says("discovery", "allow", scope=Scope(recording=other))
    assert (world.allowed("discovery", old), world.allowed("discovery", other)) == (False, True)
    freshly(her)
    choice = {"use": "discovery", "stance": "allow"}
    page = her.get(world.url("many"), choice).text
    assert "1 recording says “Yes” instead of “Yes, to an earlier text”." in page
    assert "1 recording gets an answer of its own: “Yes”." in page
    assert "1 recording says this already." in page
    assert "1 recording, for Tonewright" in page, "allowed now"
    assert "3 recordings, for Tonewright" in page, "allowed then"
    listed = page.split("<tbody>")[1]
    assert listed.count("Yes, to an earlier text") == 1
    assert "Yes, to an earlier text" in listed.split("</tr>")[0]
    assert "“No” instead of “Yes, to an earlier text”" in (
        her.get(world.url("many"), choice | {"stance": "deny"}).text
    )
    her.post(world.url("answer_many"), choice | previewed(her, world, **choice))
    assert all(world.allowed("discovery", one) for one in world.recordings)
    assert "Nothing would change." in her.get(world.url("many"), choice).text


def test_what_was_previewed_is_saved_in_one_act_and_undone_in_one(
    world: World, her: Client
) -> None:
    choice = {"use": "discovery", "stance": "allow", "q": "lanterns"}
    saved = her.post(world.url("answer_many"), previewed(her, world, **choice))
    act = Act.objects.get(kind="permission.answered_many")
    assert saved["Location"] == world.url("act", ref=act.ref)
    assert act.entries == 3
    assert all(world.allowed("discovery", one) for one in world.recordings)
    page = her.get(saved["Location"]).text
    assert re.search(r"<h1>\s*Recommend you:\s*Yes\s*</h1>", page)
    assert "3 answers in one act" in page
    assert "Undo this" in page

    world.says("discovery", "deny", scope=Scope(recording=world.recordings[1]))
    undone = her.post(world.url("undo_act", ref=act.ref))
    page = her.get(undone["Location"]).text
    assert "These were decided again since" in page
    assert "“Paper Lanterns 2”" in page
    assert not any(world.allowed("discovery", one) for one in world.recordings)
    kept = Permission.objects.filter(recording=world.recordings[1]).latest("pk")
    assert kept.stance == "deny"
    again = her.post(world.url("undo_act", ref=act.ref), follow=True).text
    assert "This was undone already." in again


def test_recordings_that_came_since_are_previewed_first(world: World, her: Client) -> None:
    hidden = previewed(her, world, use="discovery", stance="deny")
    recordings_of(world.maren, 1, title="Paper Lanterns 4", holder=world.fjord)
    response = her.post(world.url("answer_many"), hidden)
    assert response["Location"].startswith(world.url("many"))
    assert not Permission.objects.exists()


def test_only_those_without_an_answer_of_their_own(world: World, her: Client) -> None:
    world.says("discovery", "deny", scope=Scope(recording=world.recordings[0]))
    hidden = previewed(her, world, use="discovery", stance="ask", unanswered="on")
    her.post(world.url("answer_many"), hidden)
    answers = Permission.objects.order_by("pk").values_list("recording__title", "stance")
    assert list(answers) == [
        ("Paper Lanterns 1", "deny"),
        ("Paper Lanterns 2", "ask"),
        ("Paper Lanterns 3", "ask"),
    ]


def test_many_voices_are_lent_for_a_time_only(world: World, her: Client) -> None:
    page = her.get(world.url("many"), {"use": "voice", "stance": "allow"}).text
    assert "A yes to this always ends on a date" in page
    choice = {"use": "voice", "stance": "allow", "valid_until": days_ahead(200)}
    her.post(world.url("answer_many"), previewed(her, world, **choice))
    assert Permission.objects.filter(use="voice", valid_until__isnull=False).count() == 3


def test_who_may_only_say_no_cannot_undo_a_no(
    world: World, ines: User, signed_in: SignIn, her: Client
) -> None:
    world.says("voice", "allow", valid_until=days_ahead(99, moment=True))
    act = world.says("voice", "deny").permission.act
    hers = freshly(signed_in(ines))
    assert hers.post(world.url("undo_act", ref=act.ref)).status_code == 403
    assert not world.allowed("voice")
    her.post(world.url("undo_act", ref=act.ref))
    assert world.allowed("voice")


def test_an_act_on_another_artist_is_not_there(
    world: World, aoi: Artist, aoi_user: User, her: Client, signed_in: SignIn
) -> None:
    act = world.says("discovery", "allow").permission.act
    theirs = signed_in(aoi_user)
    url = f"/a/{aoi.slug}/permissions/acts/{act.ref}/"
    assert theirs.get(url).status_code == 404
    assert theirs.post(f"{url}undo/").status_code == 404
    assert her.get(world.url("act", ref=act.ref)).status_code == 200


# --- On a day ----------------------------------------------------------------------------


def test_what_was_allowed_today_changed_during_the_day(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    today = timezone.localdate().isoformat()
    query = {"isrc": world.recordings[0].isrc, "use": "discovery", "tool": "tidesmith"}
    page = her.get(world.url("history"), {**query, "day": today}).text
    assert "The answer changed on that day." in page
    assert "You say yes." in page
    before = her.get(world.url("history"), {**query, "day": days_ahead(-2)}).text
    assert "This recording is not known here." in before
    tomorrow = her.get(world.url("history"), {**query, "day": days_ahead(2)}).text
    assert "That day has not come yet." in tomorrow
    wrong = her.get(world.url("history"), {**query, "isrc": "no", "day": today})
    assert wrong.status_code == 200


def test_a_day_is_told_change_by_change(world: World, her: Client) -> None:
    for stance in ("allow", "deny", "ask"):
        world.says("discovery", stance)
    query = {
        "isrc": world.recordings[0].isrc,
        "use": "discovery",
        "tool": "tidesmith",
        "day": timezone.localdate().isoformat(),
    }
    found = her.get(world.url("history"), query).context["answers"][0]["found"]
    assert [one.allowed for one in found.held][-3:] == [True, False, False]
    assert found.whole
    again = her.get(world.url("history"), query).context["answers"][0]["found"]
    assert [one.reasons for one in again.held] == [one.reasons for one in found.held]


def test_a_day_of_a_company_is_that_of_each_tool_it_had(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    company = world.tonewright
    a_tool(company, "wavewright")
    query = {
        "isrc": world.recordings[0].isrc,
        "use": "discovery",
        "day": timezone.localdate().isoformat(),
    }
    page = her.get(world.url("history"), {**query, "company": company.slug})
    answers = page.context["answers"]
    assert [one["tool"].slug for one in answers] == ["tidesmith", "wavewright"]
    for one in answers:
        alone = her.get(world.url("history"), {**query, "tool": one["tool"].slug})
        [single] = alone.context["answers"]
        assert [h.allowed for h in single["found"].held] == [h.allowed for h in one["found"].held]
        assert f"{one['tool'].name}:" in page.text
        slug, name = one["tool"].slug, one["tool"].name
        assert f'<a href="#{slug}">{name}</a>' in page.text and f'id="{slug}"' in page.text
        assert f"{name}: the answer changed on that day." in page.text
    assert page.text.count("As it is known at position") == 1
    elsewhere = her.get(world.url("history"), {**query, "company": "somebody-else"}).text
    assert "Choose one of the list." in elsewhere and "somebody-else" not in elsewhere
    earlier = her.get(
        world.url("history"), {**query, "company": company.slug, "day": days_ahead(-2)}
    )
    assert earlier.context["answers"] == []
    assert "the company had no tool on that day" in earlier.text


@pytest.mark.parametrize("both", [{}, {"tool": "tidesmith", "company": "tonewright"}])
def test_a_day_is_of_one_tool_or_of_one_company(
    world: World, her: Client, both: dict[str, str]
) -> None:
    query = {"isrc": world.recordings[0].isrc, "use": "discovery", **both}
    page = her.get(world.url("history"), {**query, "day": days_ahead(0)})
    assert "Choose one tool or one company." in page.text
    assert page.context["answers"] is None


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_out_of_reach_is_said_to_be_so_in_every_zone(
    world: World, her: Client, maren_user: User, day: str
) -> None:
    query = {"isrc": world.recordings[0].isrc, "use": "discovery", "tool": "tidesmith"}
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        User.objects.filter(pk=maren_user.pk).update(time_zone=zone)
        for name in ("day", "known_on"):
            page = her.get(world.url("history"), {**query, "day": days_ahead(-1), name: day})
            assert "A date here lies between 2000-01-01 and 2199-12-31." in page.text


def test_what_was_known_on_an_earlier_day_leaves_out_what_came_later(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    query = {
        "isrc": world.recordings[0].isrc,
        "use": "discovery",
        "tool": "tidesmith",
        "day": timezone.localdate().isoformat(),
        "known_on": days_ahead(-1),
    }
    found = her.get(world.url("history"), query).context["answers"][0]["found"]
    assert not found.changed
    assert found.held[-1].known_seq == 0


# --- Receipts ----------------------------------------------------------------------------


def test_a_receipt_waits_for_the_seal_and_then_verifies_by_itself(
    world: World, her: Client, tmp_path: Path
) -> None:
    act = world.says("discovery", "allow").permission.act
    page = world.url("act", ref=act.ref)
    assert "Sealed within a minute" in her.get(page).text
    waits = her.get(world.url("receipt", ref=act.ref), follow=True)
    assert waits.redirect_chain[0][0] == page

    seal_ledger()
    assert "Download the receipt" in her.get(page).text
    response = her.get(world.url("receipt", ref=act.ref))
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(tmp_path)
    key = verifying_keys()[0].encode()
    checked = subprocess.run(
        [sys.executable, "verify_receipt.py", "receipt.json", "--key", key],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr

    query = {"isrc": world.recordings[0].isrc, "use": "discovery", "tool": "tidesmith"}
    assert her.get(world.url("why_receipt"), query)["Content-Type"] == "application/zip"


def test_a_receipt_is_for_those_who_may_have_files(
    world: World, charlie: User, signed_in: SignIn
) -> None:
    act = world.says("discovery", "allow").permission.act
    seal_ledger()
    url = world.url("receipt", ref=act.ref)
    assert signed_in(charlie).get(url).status_code == 404
    helper = somebody("Tove Helper")
    grant_access(by=None, user=helper, artist=world.maren, role=Role.ASSISTANT)
    assert signed_in(helper).get(url).status_code == 403
    assert "Download the receipt" not in signed_in(helper).get(world.url("act", ref=act.ref)).text


# --- What pages cost ---------------------------------------------------------------------


def fill(world: World, number: int) -> None:
    """As many of everything as pages list."""
    recordings = recordings_of(world.maren, number, title="Slow Ferry", holder=world.fjord)
    for i in range(number):
        company = another_company(world, f"company-{world.maren.pk}-{len(recordings)}-{i}")
        world.override_for(company, "discovery", clause=f"§ {i}")
        tool = company.tools.get()
        ask_permission(
            tool=tool,
            use="voice",
            why=f"Reason {i}.",
            artists=[world.maren],
            valid_until=timezone.now() + timedelta(days=30),
        )
        world.says("discovery", "deny", scope=Scope(recording=recordings[i]))
        world.says("style", "deny", scope=Scope(tool=tool))


COUNTED: dict[str, dict[str, str]] = {
    "permissions": {},
    "permission_tools": {},
    "permission_tool": {"tool": "tidesmith"},
    "permission_recordings": {},
    "permission_recording": {"isrc": "her first"},
    "exceptions": {},
    "missing": {},
    "withdrawals": {},
    "requests": {},
    "history": {},
    "many": {},
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_page_asks_the_database_as_often_for_three_as_for_one(
    name: str, world: World, ines: User, signed_in: SignIn
) -> None:
    """At most twelve times, for a manager, of whom most is asked."""
    hers = freshly(signed_in(ines))
    arguments = dict(COUNTED[name])
    if "isrc" in arguments:
        arguments["isrc"] = world.recordings[0].isrc
    publish_wording(by=None, use="discovery", language="en", text="Playlists pick you.")
    world.says("discovery", "allow")
    world.says("voice", "allow", valid_until=days_ahead(99, moment=True))
    world.says("voice", "deny")
    url = world.url(name, **arguments)
    counts = []
    for number in (1, 3):
        fill(world, number)
        hers.get(url)  # what is asked once per process is not asked again
        with CaptureQueriesContext(connection) as asked:
            assert hers.get(url).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1], f"{name}: {counts}"
    assert counts[1] <= 12, f"{name}: {counts}"
