"""The permission pages: what an artist sees and decides, with and without JavaScript."""

import time
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from consent.models import Act, Artist, LedgerAlarm, Permission, Tool, Withdrawal
from consent.queries.decision import Ask, decide_one
from consent.scopes import Scope
from consent.services.permissions import answer_permission, revoke_permission
from consent.services.provenance import report_training_run
from consent.services.wordings import publish_wording
from portal.models import Notice, User
from portal.notices import names_of
from portal.notices import render as render_notice
from portal.roles import Role
from portal.services.delegation import grant_access
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import HTMX, SignIn, World, days_ahead, freshly, long_ago, minutes_ago

pytestmark = pytest.mark.django_db

PAGES = [
    "permissions",
    "permission_tools",
    "permission_recordings",
    "exceptions",
    "missing",
    "withdrawals",
    "requests",
    "history",
    "many",
]


# --- Who sees what -----------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_itself_to_the_artist(name: str, world: World, her: Client) -> None:
    response = her.get(world.url(name))
    assert response.status_code == 200
    assert "Maren Holt" in response.text


@pytest.mark.parametrize("name", PAGES)
def test_charlie_finds_no_page_of_hers(
    name: str, world: World, charlie: User, signed_in: SignIn
) -> None:
    assert signed_in(charlie).get(world.url(name)).status_code == 404


def test_charlie_can_answer_nothing_of_hers(world: World, charlie: User, signed_in: SignIn) -> None:
    his = signed_in(charlie)
    for name in ("answer", "answer_with", "clear_answer"):
        url = world.url(name, use="discovery")
        assert his.post(url, {"stance": "deny"}).status_code == 404
    assert his.post(world.url("answer_many"), {"stance": "deny"}).status_code == 404
    assert not Permission.objects.exists()


def test_a_page_is_about_the_artist_of_its_address(
    world: World, aoi: Artist, ines: User, signed_in: SignIn
) -> None:
    hers = signed_in(ines)
    page = hers.get(world.url("permissions")).text
    assert "You are acting for Maren Holt" in page
    assert "田中葵" not in page.split("<main")[1]


def test_every_page_says_while_the_ledger_is_checked_that_no_new_yes_is_taken(
    world: World, her: Client
) -> None:
    said = "Until that is over a new yes is not taken"
    url = world.url("permissions")
    assert said not in her.get(url).text
    alarm = LedgerAlarm.objects.create(raised_at=timezone.now(), problem="a test of the alarm")
    assert said in her.get(url).text
    alarm.cleared_at, alarm.cleared_because = timezone.now(), "It was a test."
    alarm.save()
    assert said not in her.get(url).text


# --- Answering ---------------------------------------------------------------------------


def test_a_no_is_one_click_and_holds_at_once(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    assert world.allowed("discovery")
    response = her.post(world.url("answer", use="discovery"), {"stance": "deny"})
    assert response.status_code == 302
    assert not world.allowed("discovery")
    page = her.get(world.url("permissions")).text
    assert "Recommend you: “No”" in page


def test_with_htmx_the_answer_is_the_row_again_with_what_holds_now(
    world: World, her: Client
) -> None:
    response = her.post(world.url("answer", use="discovery"), {"stance": "allow"}, headers=HTMX)
    assert response.status_code == 200
    assert 'id="use-discovery"' in response.text
    assert "All 3 recordings, for Tonewright" in response.text
    assert "data-announce" in response.text
    assert "<html" not in response.text


def test_the_same_answer_again_writes_nothing(world: World, her: Client) -> None:
    for _again in range(2):
        her.post(world.url("answer", use="style"), {"stance": "deny"})
    assert Permission.objects.count() == 1


def test_an_answer_that_there_is_not_is_refused_and_nothing_is_written(
    world: World, her: Client
) -> None:
    response = her.post(world.url("answer", use="discovery"), {"stance": "perhaps"}, headers=HTMX)
    assert "Answer later, no, ask me, or yes." in response.text
    assert her.post(world.url("answer", use="flying"), {"stance": "deny"}).status_code == 404
    assert not Permission.objects.exists()


def test_a_yes_long_after_signing_in_asks_who_is_there_and_a_no_never_does(
    world: World, her: Client
) -> None:
    long_ago(her)
    asked = her.post(world.url("answer", use="discovery"), {"stance": "allow"})
    assert asked["Location"].startswith("/accounts/reauthenticate/?next=%2Fa%2Fmaren-holt%2F")
    assert not Permission.objects.exists()
    her.post(world.url("answer", use="discovery"), {"stance": "deny"})
    assert Permission.objects.get().stance == "deny"


def test_a_yes_to_the_voice_asks_for_its_end_first(world: World, her: Client) -> None:
    answer = world.url("answer", use="voice")
    response = her.post(answer, {"stance": "allow"}, headers=HTMX)
    confirm = response["HX-Redirect"]
    assert confirm == f"{world.url('answer_with', use='voice')}?stance=allow"
    assert "at most 10 years" in her.get(confirm).text

    without = her.post(confirm, {"stance": "allow"})
    assert "always ends on a date" in without.text
    too_long = her.post(confirm, {"stance": "allow", "valid_until": days_ahead(4000)})
    assert "at most 10 years." in too_long.text
    assert not Permission.objects.exists()

    saved = her.post(confirm, {"stance": "allow", "valid_until": days_ahead(300)})
    assert saved["Location"] == f"{world.url('permissions')}#use-voice"
    given = Permission.objects.get()
    assert given.valid_until is not None
    assert f"{given.valid_until.astimezone(UTC):%Y-%m-%d %H:%M:%S}" == f"{days_ahead(300)} 23:59:59"


def test_a_yes_to_the_voice_needs_a_sign_in_of_the_last_five_minutes_and_keeps_what_was_typed(
    world: World, her: Client
) -> None:
    minutes_ago(her, 6)
    her.post(world.url("answer", use="discovery"), {"stance": "allow"})
    assert world.allowed("discovery")
    typed = {"stance": "allow", "valid_until": days_ahead(300), "notice_days": "7"}
    asked = her.post(world.url("answer_with", use="voice"), typed)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not Permission.objects.filter(use="voice").exists()
    [back] = parse_qs(urlsplit(asked["Location"]).query)["next"]
    form = her.get(back).text
    assert f'value="{days_ahead(300)}"' in form
    assert 'value="7"' in form
    minutes_ago(her, 4)
    her.post(world.url("answer_with", use="voice"), typed)
    assert Permission.objects.get(use="voice").stance == "allow"


def test_taking_a_voice_back_never_asks_and_bringing_it_back_does(
    world: World, her: Client
) -> None:
    world.says("voice", "allow", valid_until=days_ahead(300, moment=True))
    long_ago(her)
    her.post(world.url("answer", use="voice"), {"stance": "deny"})
    assert not world.allowed("voice")
    took_back = Act.objects.latest("created_at")
    undo = world.url("undo_act", ref=str(took_back.ref))
    assert her.post(undo)["Location"].startswith("/accounts/reauthenticate/")
    assert not world.allowed("voice")
    minutes_ago(her, 4)
    her.post(undo)
    assert world.allowed("voice")
    brought_back = Act.objects.latest("created_at")
    long_ago(her)
    her.post(world.url("undo_act", ref=str(brought_back.ref)))
    assert not world.allowed("voice")


def test_a_screen_left_open_since_this_morning_lifts_no_no_of_any_use(
    world: World, her: Client
) -> None:
    song = {"recording": world.recordings[0].isrc}
    world.says("discovery", "allow")
    her.post(world.url("answer", use="discovery"), {"stance": "deny", **song})
    undo = world.url("undo_act", ref=str(Act.objects.latest("created_at").ref))
    clear = world.url("clear_answer", use="discovery")
    long_ago(her)
    for url, about in ((undo, {}), (clear, song)):
        assert her.post(url, about)["Location"].startswith("/accounts/reauthenticate/")
        assert not world.allowed("discovery")
    minutes_ago(her, 6)
    her.post(clear, song)
    assert world.allowed("discovery")


def test_a_no_for_one_song_that_covers_a_yes_to_the_voice_is_not_lifted_without_a_sign_in(
    world: World, her: Client
) -> None:
    song = {"recording": world.recordings[0].isrc}
    world.says("voice", "allow", valid_until=days_ahead(300, moment=True))
    her.post(world.url("answer", use="voice"), {"stance": "deny", **song})
    minutes_ago(her, 6)
    asked = her.post(world.url("clear_answer", use="voice"), song)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not world.allowed("voice")
    freshly(her)
    her.post(world.url("clear_answer", use="voice"), song)
    assert world.allowed("voice")


def test_a_no_to_the_voice_asks_for_nothing(world: World, her: Client) -> None:
    world.says("voice", "allow", valid_until=days_ahead(300, moment=True))
    her.post(world.url("answer", use="voice"), {"stance": "deny"}, headers=HTMX)
    assert not world.allowed("voice")


def test_dates_countries_and_notice_go_with_an_answer(world: World, her: Client) -> None:
    her.post(
        world.url("answer_with", use="discovery"),
        {
            "stance": "allow",
            "territories": "no, de",
            "notice_days": "14",
            "valid_until": days_ahead(30),
        },
    )
    given = Permission.objects.get()
    assert (given.territories, given.notice_days) == (["DE", "NO"], 14)
    wrong = her.post(
        world.url("answer_with", use="discovery"), {"stance": "allow", "territories": "Norway"}
    )
    assert "Use two letters" in wrong.text
    backdated = her.post(
        world.url("answer_with", use="discovery"),
        {"stance": "allow", "valid_from": days_ahead(-3)},
    )
    assert "lies in the past" in backdated.text
    assert Permission.objects.count() == 1


def test_a_changed_wording_is_asked_again_and_the_old_yes_keeps_its_text(
    world: World, her: Client
) -> None:
    old = publish_wording(by=None, use="discovery", language="en", text="Playlists pick you.")
    her.post(world.url("answer", use="discovery"), {"stance": "allow", "wording": old.pk})
    publish_wording(by=None, use="discovery", language="en", text="Playlists and radio pick you.")
    page = her.get(world.url("permissions")).text
    assert "The text has changed since the answer of" in page
    assert "The yes was to an earlier text." in page
    assert not world.allowed("discovery")
    assert "Playlists pick you." in page
    assert "Playlists and radio pick you." in page
    stale = her.post(
        world.url("answer", use="discovery"),
        {"stance": "allow", "wording": old.pk},
        headers=HTMX,
    )
    assert "The text has changed since you opened the page" in stale.text
    assert Permission.objects.get().wording == old


def test_a_yes_that_ended_says_so_and_is_a_no(world: World, her: Client) -> None:
    world.says("discovery", "allow", valid_until=timezone.now() + timedelta(seconds=0.4))
    time.sleep(0.5)
    assert not world.allowed("discovery")
    assert "The yes ended on" in her.get(world.url("permissions")).text


def test_a_yes_that_is_still_to_begin_says_when(world: World, her: Client) -> None:
    her.post(
        world.url("answer_with", use="discovery"),
        {"stance": "allow", "valid_from": days_ahead(9)},
    )
    assert not world.allowed("discovery")
    assert "The yes begins on" in her.get(world.url("permissions")).text


# --- Taking a yes back -------------------------------------------------------------------


def test_after_a_withdrawal_the_row_says_per_model_what_ends_and_what_is_not_undone(
    world: World, her: Client
) -> None:
    world.says("voice", "allow", valid_until=days_ahead(300, moment=True))
    report_training_run(
        company=world.tonewright,
        client_ref="run 1",
        model_version=world.model,
        use="voice",
        trained_at=timezone.now(),
        isrcs=[world.recordings[0].isrc],
    )
    response = her.post(world.url("answer", use="voice"), {"stance": "deny"}, headers=HTMX)
    assert "Tonewright must stop at once" in response.text
    assert "Tidesmith v1" in response.text
    assert "It learned from your recordings. That is not undone." in response.text
    assert "You are left out of the next version." in response.text
    assert "Tidesmith v1" in her.get(world.url("withdrawals")).text


def test_who_has_not_confirmed_in_time_is_shown_as_overdue(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny")
    Withdrawal.objects.update(acknowledge_by=timezone.now() - timedelta(days=1))
    assert "was to confirm by" in her.get(world.url("permissions")).text
    assert "Overdue since" in her.get(world.url("withdrawals")).text


def test_a_yes_again_makes_the_withdrawal_disappear_from_the_row(world: World, her: Client) -> None:
    for stance in ("allow", "deny", "allow"):
        world.says("discovery", stance)
    assert "must stop" not in her.get(world.url("permissions")).text


# --- Who answers -------------------------------------------------------------------------


def test_a_manager_answers_as_manager_and_the_artist_is_told(
    world: World, ines: User, maren_user: User, signed_in: SignIn
) -> None:
    hers = freshly(signed_in(ines))
    hers.post(world.url("answer", use="discovery"), {"stance": "allow"})
    act = Act.objects.get(kind="permission.answered")
    assert (act.by, act.role) == (ines, Role.MANAGER)
    told = Notice.objects.get(recipient=maren_user, kind="answered_for_you")
    assert told.params["use"] == "discovery"
    assert not Notice.objects.filter(recipient=ines, kind="answered_for_you").exists()
    assert mail.outbox == []  # the e-mail is a worker's to send


def test_a_manager_may_take_a_voice_back_but_not_lend_it(
    world: World, ines: User, signed_in: SignIn
) -> None:
    hers = freshly(signed_in(ines))
    url = world.url("answer", use="voice")
    assert hers.post(url, {"stance": "allow"}).status_code == 403
    assert hers.post(url, {"stance": "deny"}).status_code == 302
    page = hers.get(world.url("permissions")).text
    assert "Only Maren Holt can say yes to this." in page


def test_who_leaves_the_answers_to_others_can_still_say_no(
    low_tides: Artist, bo: User, signed_in: SignIn
) -> None:
    his = freshly(signed_in(bo))
    url = f"/a/{low_tides.slug}/permissions/uses/discovery/"
    assert his.post(url, {"stance": "allow"}).status_code == 403
    assert his.post(url, {"stance": "deny"}).status_code == 302


def test_an_assistant_sees_answers_and_no_switch(world: World, signed_in: SignIn) -> None:
    from tests.cast import somebody

    helper = somebody("Tove Helper")
    grant_access(by=None, user=helper, artist=world.maren, role=Role.ASSISTANT)
    page = signed_in(helper).get(world.url("permissions"))
    assert page.status_code == 200
    assert "answer-form" not in page.text
    url = world.url("answer", use="discovery")
    assert signed_in(helper).post(url, {"stance": "deny"}).status_code == 403


def test_a_no_to_what_a_contract_decides_reaches_the_label_as_an_objection(
    world: World, her: Client, liv: User
) -> None:
    world.override("discovery", clause="§ 14.2")
    her.post(world.url("answer", use="discovery"), {"stance": "deny"})
    objection = Notice.objects.get(recipient=liv, kind="objection")
    assert objection.params["uses"] == ["discovery"]
    page = her.get(world.url("permissions")).text
    assert "Allowed over your no" in page
    assert "delivered as an objection" in page
    assert "§ 14.2" in her.get(world.url("missing")).text


@pytest.mark.parametrize("stance", ["undecided", "ask", ""])
def test_what_a_contract_allows_is_not_over_a_no_that_nobody_said(
    stance: str, world: World, her: Client
) -> None:
    world.override("discovery", clause="§ 14.2")
    if stance:
        world.says("discovery", stance)
    isrc = world.recordings[0].isrc
    for page in (
        world.url("permissions"),
        world.url("permission_tools"),
        world.url("permission_tool", tool="stemlight-studio"),
        world.url("permission_recording", isrc=isrc),
        f"{world.url('why')}?use=discovery&tool=stemlight-studio&isrc={isrc}",
    ):
        shown = her.get(page).text
        assert "Allowed without your yes" in shown, page
        assert "Allowed over your no" not in shown, page


def test_an_answer_that_staff_revoked_is_said_with_the_reason(
    world: World, her: Client, olga: User
) -> None:
    given = world.says("discovery", "allow").permission
    revoke_permission(by=olga, permission=given, reason="Signed in from a stolen phone.")
    page = her.get(world.url("permissions")).text
    assert "Liner Notes took the answer out of force" in page
    assert "Signed in from a stolen phone." in page
    act = Act.objects.get(kind="permission.revoked")
    assert "stolen phone" in her.get(world.url("act", ref=act.ref)).text


# --- Tools, recordings, exceptions --------------------------------------------------------


def test_an_answer_about_one_tool_goes_before_the_general_one(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    page = world.url("permission_tool", tool="tidesmith")
    assert "As in general: Yes" in her.get(page).text
    url = world.url("answer", use="discovery")
    row = her.post(url, {"stance": "deny", "tool": "tidesmith"}, headers=HTMX).text
    assert "You say no." in row
    assert not world.allowed("discovery")
    clear = world.url("clear_answer", use="discovery")
    row = her.post(clear, {"tool": "tidesmith"}, headers=HTMX).text
    assert "As in general: Yes" in row
    assert world.allowed("discovery")


def test_the_list_of_tools_says_how_much_of_her_work_each_may_use(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    assert ">Allowed<" in her.get(world.url("permission_tools")).text
    world.says("discovery", "deny", scope=Scope(recording=world.recordings[0]))
    page = her.get(world.url("permission_tools")).text
    assert "Partly allowed" in page
    assert ">Allowed<" not in page
    assert "Recommend you (2 of 3)" in page


def test_an_answer_about_all_tools_of_a_company_is_an_exception(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    url = world.url("answer_with", use="discovery")
    her.post(url, {"stance": "deny", "tool": "tidesmith", "whom": "company"})
    assert not world.allowed("discovery")
    assert "every tool by Tonewright" in her.get(world.url("exceptions")).text
    tool = her.get(world.url("permission_tool", tool="tidesmith")).text
    assert "As for everything by Tonewright: No" in tool


def test_one_recording_says_for_each_use_and_tool_what_holds(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    recording = world.recordings[1]
    url = world.url("permission_recording", isrc=recording.isrc)
    assert "For Tidesmith" in her.get(url).text
    her.post(world.url("answer", use="discovery"), {"stance": "deny", "recording": recording.isrc})
    assert not world.allowed("discovery", recording)
    assert world.allowed("discovery", world.recordings[0])
    assert "1 exception" in her.get(world.url("permissions")).text
    listed = her.get(world.url("permission_recordings")).text
    assert "Recommend you: No" in listed


def test_an_exception_is_taken_back_from_its_list(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny", scope=Scope(recording=world.recordings[0]))
    page = her.get(world.url("exceptions")).text
    assert "Paper Lanterns 1" in page
    response = her.post(
        world.url("clear_answer", use="discovery"),
        {"from": "exceptions", "recording": world.recordings[0].isrc},
    )
    assert response["Location"] == world.url("exceptions")
    assert "No exceptions" in her.get(world.url("exceptions")).text
    assert world.allowed("discovery", world.recordings[0])


def test_who_may_only_say_no_cannot_take_a_no_back(
    low_tides: Artist, bo: User, sol: User, signed_in: SignIn
) -> None:
    [recording] = recordings_of(low_tides)
    answer_permission(by=sol, artist=low_tides, use="discovery", stance="allow")
    about = Scope(recording=recording)
    answer_permission(by=sol, artist=low_tides, use="discovery", stance="deny", scope=about)
    url = f"/a/{low_tides.slug}/permissions/uses/discovery/clear/"
    client = freshly(signed_in(bo))
    assert client.post(url, {"recording": recording.isrc}).status_code == 403
    # Nor by an end for it, after which the wider yes would speak again.
    ends = {"stance": "deny", "recording": recording.isrc, "valid_until": days_ahead(1)}
    with_an_end = f"/a/{low_tides.slug}/permissions/uses/discovery/with/"
    assert client.post(with_an_end, ends).status_code == 403
    assert Permission.objects.filter(artist=low_tides).count() == 2


def test_a_recording_of_somebody_else_is_not_there(world: World, aoi: Artist, her: Client) -> None:
    [hers] = recordings_of(aoi, title="紙の灯籠")
    assert her.get(world.url("permission_recording", isrc=hers.isrc)).status_code == 404
    answer: dict[str, Any] = {"stance": "deny", "recording": hers.isrc}
    assert her.post(world.url("answer", use="discovery"), answer).status_code == 404
    assert not Permission.objects.exists()


def test_recordings_are_found_by_title_and_by_isrc_in_any_form(world: World, her: Client) -> None:
    url = world.url("permission_recordings")
    found = her.get(url, {"q": "lanterns 2"}).text
    assert "Paper Lanterns 2" in found
    assert "Paper Lanterns 1" not in found
    isrc = world.recordings[2].isrc
    written = f"{isrc[:2]}-{isrc[2:5]}-{isrc[5:7]}-{isrc[7:]}"
    assert "Paper Lanterns 3" in her.get(url, {"q": written}).text
    assert "Nothing found" in her.get(url, {"q": "no such song"}).text


# --- Why ---------------------------------------------------------------------------------


def test_why_says_step_by_step_who_decided_and_what_she_can_change(
    world: World, her: Client
) -> None:
    query = {"use": "discovery", "tool": "tidesmith"}
    page = her.get(world.url("why"), query).text
    assert "Licensed by Fjord Records (master recording)." in page
    assert "You have not answered. Until then the answer is no." in page
    assert "(this decides)" in page
    assert "Your own answer stands in the way, and you can change it." in page

    about_one = her.get(world.url("why"), {**query, "isrc": world.recordings[0].isrc}).text
    assert "Only for this recording and this tool" in about_one

    remix = her.get(world.url("why"), {**query, "use": "remix_input"}).text
    assert "Fjord Records has not licensed this" in remix


def test_what_is_missing_is_a_list_with_whose_move_it_is(world: World, her: Client) -> None:
    world.says("remix_input", "allow")
    page = her.get(world.url("missing")).text
    assert "Fjord Records would have to license it." in page
    assert "Nobody is known here to hold the publishing rights." in page
    assert "whoever delivered the recording" in page
    row = her.get(world.url("permissions")).text
    assert "holds rights in all 3 recordings" in row


def test_what_is_missing_says_you_to_the_artist_and_her_name_to_her_manager(
    world: World, her: Client, ines: User, signed_in: SignIn
) -> None:
    def table(reader: Client) -> str:
        page = reader.get(world.url("missing")).text
        return page.split('id="use-discovery"')[1].split("</section>")[0]

    hers = table(her)
    assert "You have not answered. Until then the answer is no." in hers
    assert "You can answer." in hers
    assert ">you</td>" in hers
    assert "Maren Holt" not in hers
    others = table(signed_in(ines))
    assert "Maren Holt has not answered. Until then the answer is no." in others
    assert ">Maren Holt</td>" in others
    assert ">you</td>" not in others


# --- What is told is exact ---------------------------------------------------------------


def told_to(reader: User) -> str:
    """The newest notice of an answer, as this reader reads it, in her zone."""
    notice = Notice.objects.filter(recipient=reader, kind="answered_for_you").latest("pk")
    with timezone.override(reader.time_zone):
        return render_notice(notice, names_of([notice])).sentence


def test_her_manager_is_not_taken_for_her(world: World, ines: User, signed_in: SignIn) -> None:
    world.says("discovery", "allow")
    hers = freshly(signed_in(ines))
    page = " ".join(hers.get(world.url("permissions")).text.split())
    assert "What AI may do with the work of Maren Holt" in page
    assert "Nothing is allowed in the name of Maren Holt that you cannot see here" in page
    assert "your work" not in page.split("<main", 1)[1].split('<ol class="uses"', 1)[0]
    missing = " ".join(hers.get(world.url("missing")).text.split())
    assert "must have licensed it, and Maren Holt must have said yes" in missing
    world.says("discovery", "deny")
    why = hers.get(world.url("why"), {"use": "discovery", "tool": "tidesmith"}).text
    assert "Maren Holt took a yes back." in why
    assert "The artist&#x27;s own answer stands in the way, and can be changed." in why


def test_a_notice_says_for_what_for_whom_and_until_when(
    world: World, ines: User, maren_user: User, signed_in: SignIn
) -> None:
    hers = freshly(signed_in(ines))
    song = world.recordings[0]
    asked = {
        "stance": "allow",
        "valid_until": "2099-01-01",
        "recording": song.isrc,
        "tool": world.tool.slug,
    }
    hers.post(world.url("answer_with", use="discovery"), asked)
    assert told_to(maren_user) == (
        "“Yes”, for “Paper Lanterns 1”, for Tidesmith (Tonewright), until 1 Jan 2099 (UTC), that "
        "day included. It can be changed at any time."
    )
    only = {"recording": song.isrc, "tool": world.tool.slug}
    hers.post(world.url("clear_answer", use="discovery"), only)
    assert told_to(maren_user) == (
        "An answer of its own was taken back, and the wider one speaks again, for “Paper Lanterns "
        "1”, for Tidesmith (Tonewright). It can be changed at any time."
    )
    hers.post(world.url("answer_with", use="discovery"), {"stance": "deny", "territories": "no"})
    assert "“No”, for all your work, in Norway." in told_to(maren_user)


def test_a_title_in_a_script_that_runs_the_other_way_stays_in_its_place_in_every_sentence(
    world: World, ines: User, maren_user: User, signed_in: SignIn
) -> None:
    [song] = recordings_of(world.maren, title="قمر", holder=world.fjord)
    hers = freshly(signed_in(ines))
    hers.post(
        world.url("answer_with", use="discovery"),
        {"stance": "deny", "recording": song.isrc, "tool": world.tool.slug},
    )
    kept = "“\u2068قمر\u2069”, for Tidesmith"
    assert kept in told_to(maren_user)
    for name in ("exceptions", "timeline"):
        assert kept in hers.get(world.url(name)).text, name


def test_a_notice_of_undoing_says_what_speaks_again_and_not_later(
    world: World, ines: User, maren_user: User, signed_in: SignIn
) -> None:
    hers = freshly(signed_in(ines))
    hers.post(
        world.url("answer", use="discovery"),
        {"stance": "deny", "recording": world.recordings[0].isrc},
    )
    act = Act.objects.latest("created_at")
    hers.post(world.url("undo_act", ref=str(act.ref)))
    said = told_to(maren_user)
    assert "the wider one speaks again, for “Paper Lanterns 1”" in said
    assert "Later" not in said


def test_the_last_day_of_a_yes_is_the_same_for_the_manager_and_for_the_artist(
    world: World, ines: User, maren_user: User, signed_in: SignIn, her: Client
) -> None:
    hers = freshly(signed_in(ines))  # in Lisbon, where midnight is that of UTC
    asked = {"stance": "allow", "valid_until": "2099-01-01", "tool": world.tool.slug}
    hers.post(world.url("answer_with", use="discovery"), asked)
    for reader, zone in ((hers, "1 Jan 2099"), (her, "1 Jan 2099 (UTC)")):
        for name in ("exceptions", "act"):
            more = {"ref": str(Act.objects.latest("created_at").ref)} if name == "act" else {}
            page = reader.get(world.url(name, **more)).text
            assert f">{zone}</time>" in page
            assert "2 Jan 2099" not in page
        form = reader.get(world.url("answer_with", use="discovery") + "?tool=tidesmith").text
        assert 'value="2099-01-01"' in form


@pytest.mark.parametrize("stance", ["undecided", "ask", "deny"])
def test_taking_a_yes_back_from_what_a_contract_decides_is_delivered_as_the_page_says(
    world: World, her: Client, liv: User, stance: str
) -> None:
    world.override("discovery", clause="§ 14.2")
    her.post(world.url("answer", use="discovery"), {"stance": "allow"})
    assert not Notice.objects.filter(recipient=liv, kind="objection").exists()
    her.post(world.url("answer", use="discovery"), {"stance": stance})
    assert Notice.objects.filter(recipient=liv, kind="objection").count() == 1
    tool = Tool.objects.get(slug="stemlight-studio")
    reasons = decide_one(Ask(world.recordings[0].isrc, "discovery", tool.slug)).reasons
    assert [r.code for r in reasons if r.verdict == "note"] == ["objection"]
    assert "delivered as an objection" in her.get(world.url("permissions")).text


def test_not_answering_yet_is_no_objection(world: World, her: Client, liv: User) -> None:
    world.override("discovery", clause="§ 14.2")
    her.post(world.url("answer", use="discovery"), {"stance": "ask"})
    her.post(world.url("answer", use="discovery"), {"stance": "undecided"})
    assert not Notice.objects.filter(recipient=liv, kind="objection").exists()
