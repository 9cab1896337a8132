"""What a page says of an answer that has not begun, has ended, or is for some countries only."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consent.models import Recording
from consent.queries.decision import Ask, decide_one
from consent.queries.voices import Say
from consent.scopes import Scope
from portal.queries.permissions import pair_row, recording_rows, tool_rows
from portal.queries.rows import Reader, UseRow
from portal.templatetags.times import plain_begin, plain_end
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import HTMX, World, days_ahead

pytestmark = pytest.mark.django_db


def of_row(page: str, use: str) -> str:
    """The row of one use kind, its words in one line."""
    row = page.split(f'id="use-{use}"', 1)[1].split("</li>\n<li class=", 1)[0]
    return " ".join(row.split())


def rows_of(world: World, reader: Reader, recording: Recording | None = None) -> dict[str, UseRow]:
    """The row of “discovery” on each page on which a narrower answer has one."""
    one = recording or world.recordings[0]
    say = Say(one, billed=True)
    [of_tool] = [row for row in tool_rows(reader, world.tool) if row.key == "discovery"]
    [of_recording] = [row for row in recording_rows(reader, say) if row.key == "discovery"]
    return {
        "tool": of_tool,
        "recording": of_recording,
        "pair": pair_row(reader, say, world.tool, "discovery"),
    }


def scopes(world: World) -> dict[str, Scope]:
    one = world.recordings[0]
    return {
        "tool": Scope(tool=world.tool),
        "recording": Scope(recording=one),
        "pair": Scope(recording=one, tool=world.tool),
    }


@pytest.fixture
def reader(world: World) -> Reader:
    from portal.access import Access

    return Reader(access=Access.of(world.user), artist=world.maren)


# --- Not begun yet ----------------------------------------------------------------------------


def test_a_no_for_later_is_not_said_to_hold_from_now_on(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    saved = her.post(
        world.url("answer_with", use="discovery"),
        {"stance": "deny", "valid_from": days_ahead(9)},
        follow=True,
    ).text
    assert "It holds from now on" not in saved
    day = plain_begin(days_ahead(9, moment=True))
    assert f"Saved. Recommend you: “No”, from {day}. Until then what held goes on." in saved


def test_a_no_for_later_stands_beside_the_yes_that_still_holds(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    planned = world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    assert world.allowed("discovery")
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    day = plain_begin(days_ahead(9, moment=True))
    assert f"Decided already: “No”, from {day}." in row
    assert world.url("act", ref=planned.permission.act.ref) in row


def test_the_overview_says_what_is_decided_for_a_later_day(world: World, her: Client) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "ask", valid_from=days_ahead(20, moment=True))
    world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    world.says("remix_input", "deny", valid_from=days_ahead(9, moment=True))
    day = plain_begin(days_ahead(9, moment=True))
    answers = {one.use: one for one in her.get(world.url("overview")).context["answers"]}
    assert (answers["discovery"].stance, answers["remix_input"].stance) == ("allow", "undecided")
    assert answers["discovery"].later == answers["remix_input"].later == f"“No”, from {day}"
    assert answers["voice"].later == ""


def test_what_was_decided_for_later_is_gone_from_the_row_once_it_is_undone(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    planned = world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    her.post(world.url("undo_act", ref=planned.permission.act.ref))
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert "Decided already" not in row
    assert world.allowed("discovery")


def test_a_newer_answer_leaves_nothing_of_one_for_a_later_day(world: World, her: Client) -> None:
    world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    world.says("discovery", "allow")
    assert "Decided already" not in of_row(her.get(world.url("permissions")).text, "discovery")


def test_of_two_for_later_the_newer_speaks_alone_where_it_begins_first(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "ask", valid_from=days_ahead(20, moment=True))
    world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert row.count("Decided already") == 1
    world.says("discovery", "ask", valid_from=days_ahead(20, moment=True))
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert row.index("Decided already: “No”") < row.index("Decided already: “Ask me”")


@pytest.mark.parametrize("page", ["tool", "recording", "pair"])
def test_a_narrower_answer_for_later_does_not_move_the_switch(
    page: str, world: World, reader: Reader
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "allow", scope=scopes(world)[page])
    world.says(
        "discovery", "deny", scope=scopes(world)[page], valid_from=days_ahead(9, moment=True)
    )
    row = rows_of(world, reader)[page]
    assert row.answer is not None
    assert row.answer.stance == "allow"
    [beside] = row.beside
    assert beside.sentence.startswith("Decided already: “No”, from ")


@pytest.mark.parametrize("page", ["tool", "recording", "pair"])
def test_a_narrower_answer_for_later_alone_leaves_the_wider_one_speaking(
    page: str, world: World, reader: Reader
) -> None:
    world.says("discovery", "allow")
    world.says(
        "discovery", "deny", scope=scopes(world)[page], valid_from=days_ahead(9, moment=True)
    )
    row = rows_of(world, reader)[page]
    assert row.answer is not None
    assert row.answer.stance == ""
    assert row.as_wider
    assert row.clear  # it can be taken back before it begins


def test_the_wider_answer_of_a_recording_is_the_one_that_speaks_now(
    world: World, reader: Reader
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    assert rows_of(world, reader)["recording"].as_wider == "As in general: Yes"


def test_an_act_says_from_when_its_answers_hold(world: World, her: Client) -> None:
    given = world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    page = her.get(world.url("act", ref=given.permission.act.ref)).text
    assert plain_begin(days_ahead(9, moment=True)) in page


def test_the_list_of_exceptions_names_what_speaks_and_what_waits_for_its_day(
    world: World, her: Client
) -> None:
    about = scopes(world)["tool"]
    world.says("discovery", "allow", scope=about)
    world.says("discovery", "deny", scope=about, valid_from=days_ahead(9, moment=True))
    rows = her.get(world.url("exceptions")).context["rows"]
    assert [row["stance"] for row in rows] == ["No", "Yes"]
    her.post(
        world.url("clear_answer", use="discovery"), {"tool": world.tool.slug, "from": "exceptions"}
    )
    assert her.get(world.url("exceptions")).context["rows"] == []


# --- Over -------------------------------------------------------------------------------------


def shortly(world: World, **more: Any) -> None:
    """An answer whose time is over by now."""
    world.says("discovery", valid_until=timezone.now() + timedelta(seconds=0.4), **more)
    time.sleep(0.5)


@pytest.mark.parametrize("page", ["tool", "recording", "pair"])
def test_a_narrower_yes_that_ended_is_drawn_as_no_yes(
    page: str, world: World, reader: Reader
) -> None:
    world.says("discovery", "allow")
    shortly(world, stance="allow", scope=scopes(world)[page])
    assert not world.allowed("discovery")
    row = rows_of(world, reader)[page]
    assert row.answer is not None
    assert row.answer.stance == ""
    [beside] = row.beside
    assert beside.sentence.startswith("The yes ended on ")


def test_a_no_in_general_that_is_over_brings_no_yes_back_and_the_form_says_so(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    shortly(world, stance="deny")
    assert not world.allowed("discovery")
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert "Until you answer, the answer is no." in row
    form = her.get(world.url("answer_with", use="discovery")).text
    assert "After that day there is no answer, and that is a no." in form


@pytest.mark.parametrize("page", ["tool", "recording", "pair"])
def test_a_narrower_no_that_is_over_says_nothing_any_more(
    page: str, world: World, reader: Reader
) -> None:
    world.says("discovery", "allow")
    shortly(world, stance="deny", scope=scopes(world)[page])
    assert world.allowed("discovery")
    row = rows_of(world, reader)[page]
    assert row.answer is not None
    assert row.answer.stance == ""
    assert row.as_wider
    assert row.beside == ()


def test_a_general_yes_that_ended_is_no_yes_on_the_page_of_a_recording(
    world: World, reader: Reader
) -> None:
    shortly(world, stance="allow")
    assert rows_of(world, reader)["recording"].as_wider == "As in general: Later"


def test_the_list_of_exceptions_says_what_has_ended(world: World, her: Client) -> None:
    shortly(world, stance="allow", scope=scopes(world)["tool"])
    page = " ".join(her.get(world.url("exceptions")).text.split())
    assert "ended: a no until it is answered again" in page


# --- Some countries only -----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["tool", "recording", "pair"])
def test_an_answer_for_some_countries_stands_beside_that_for_everywhere(
    page: str, world: World, reader: Reader
) -> None:
    until = days_ahead(30, moment=True)
    world.says(
        "discovery", "allow", scope=scopes(world)[page], territories=["NO", "DE"], valid_until=until
    )
    row = rows_of(world, reader)[page]
    assert row.answer is not None
    assert row.answer.stance == ""
    [beside] = row.beside
    assert beside.sentence == (
        f"Beside it: “Yes”, in Germany, Norway, until {plain_end(until)}, that day included."
    )


def test_an_answer_for_some_countries_stands_on_the_page_in_general_and_can_be_changed_there(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny", territories=["NO"], notice_days=7)
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert "Beside it: “No”, in Norway." in row
    change = f"{world.url('answer_with', use='discovery')}?territories=NO"
    assert change in row
    form = her.get(change).context["form"]
    assert (form["stance"].value(), form["territories"].value()) == ("deny", "NO")


def test_nobody_is_not_said_where_somebody_may_in_some_countries(world: World, her: Client) -> None:
    world.says("discovery", "deny")
    assert "Nobody may do this." in of_row(her.get(world.url("permissions")).text, "discovery")
    world.says("discovery", "allow", territories=["NO"])
    ask = Ask(world.recordings[0].isrc, "discovery", world.tool.slug, territory="NO")
    assert decide_one(ask).allowed
    row = of_row(her.get(world.url("permissions")).text, "discovery")
    assert "Nobody may do this." not in row
    assert "Nobody may do this, except in the countries where the answer is another one." in row


def test_an_answer_for_some_countries_says_so_when_it_is_saved(world: World, her: Client) -> None:
    saved = her.post(
        world.url("answer_with", use="discovery"),
        {"stance": "deny", "territories": "no"},
        follow=True,
    ).text
    assert "Saved. Recommend you: “No”, in Norway. It holds from now on." in saved


def test_the_timeline_says_where_and_for_how_long(world: World, her: Client) -> None:
    until = days_ahead(30, moment=True)
    world.says("discovery", "allow", territories=["NO"], valid_until=until)
    page = " ".join(her.get(world.url("timeline")).text.split())
    assert f"For all your work, in Norway, until {plain_end(until)}, that day included." in page


def test_the_timeline_does_not_say_that_a_yes_was_taken_back_before_the_day(
    world: World, her: Client
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny", valid_from=days_ahead(9, moment=True))
    page = " ".join(her.get(world.url("timeline")).text.split())
    day = plain_begin(days_ahead(9, moment=True))
    assert f"For all your work, from {day}. A yes is taken back on that day." in page


def test_with_htmx_a_no_shows_what_else_was_said_in_the_same_row(world: World, her: Client) -> None:
    world.says("discovery", "allow", territories=["NO"])
    row = her.post(world.url("answer", use="discovery"), {"stance": "deny"}, headers=HTMX).text
    assert "Beside it: “Yes”, in Norway." in " ".join(row.split())


# --- In the list of recordings ----------------------------------------------------------------


def test_the_list_of_recordings_says_of_an_answer_that_it_is_over_or_still_to_begin(
    world: World, her: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, *_rest = world.recordings
    world.says("voice", "allow", scope=Scope(recording=one), valid_until=days_ahead(9, moment=True))
    world.says("discovery", "deny", scope=Scope(recording=two))
    later = days_ahead(12, moment=True)
    world.says("discovery", "allow", scope=Scope(recording=two), valid_from=later)

    def said_of(recording: Recording) -> list[str]:
        page = her.get(world.url("permission_recordings"))
        [answers] = [said for row, said in page.context["rows"] if row.recording == recording]
        assert all(told.note in page.text for told in answers)
        return [f"{told.answer} {told.note}".strip() for told in answers]

    assert said_of(one) == ["Yes"]
    assert said_of(two) == ["No", f"Yes from {plain_begin(later)}"]
    monkeypatch.setattr(
        "portal.views.permissions.recordings.now", lambda: days_ahead(10, moment=True)
    )
    assert said_of(one) == ["Yes over"]
