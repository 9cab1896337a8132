"""What her pages say after a no: who must stop, what ends when, and who does not know yet."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.models import Withdrawal
from consent.scopes import Scope
from consent.services.permissions import answer_permission, answer_recordings, clear_permission
from consent.services.withdrawals import end_withdrawals_of
from portal.models import ApiClient, ApiKey
from portal.queries.staff import overdue
from portal.queries.withdrawals import Stop, stops_by_use
from portal.services.news import tell_overdue_withdrawals
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World

pytestmark = pytest.mark.django_db


def shown(world: World) -> list[Stop]:
    return stops_by_use(world.maren).get("discovery", [])


def says(world: World, stance: str, **more: object) -> None:
    answer_permission(by=None, artist=world.maren, use="discovery", stance=stance, **more)  # type: ignore[arg-type]


def test_the_page_of_a_tool_says_what_a_no_to_just_this_tool_ended(
    world: World, her: Client
) -> None:
    says(world, "allow")
    says(world, "deny", scope=Scope(tool=world.model.tool))
    page = her.get(world.url("permission_tool", tool=world.model.tool.slug)).text
    assert "Who stops, and what is not undone" in page
    assert "Ended at once, without notice" in page
    assert "Ended at once, without notice" in her.get(world.url("withdrawals")).text


def test_a_no_to_one_recording_names_it(world: World, her: Client) -> None:
    says(world, "allow")
    says(world, "deny", scope=Scope(recording=world.recordings[1]))
    title = world.recordings[1].title
    assert f"“{title}” only" in her.get(world.url("withdrawals")).text
    [stop] = shown(world)
    assert (stop.about, stop.at_once) == (f"“{title}” only", True)


def test_a_no_to_many_recordings_says_how_many(world: World, her: Client) -> None:
    says(world, "allow")
    answer_recordings(
        by=None,
        artist=world.maren,
        use="discovery",
        stance="deny",
        recordings=[one.pk for one in world.recordings],
    )
    assert "3 recordings" in her.get(world.url("withdrawals")).text


def test_a_no_for_later_says_its_day_and_not_that_it_ended(world: World, her: Client) -> None:
    says(world, "allow")
    says(world, "deny", valid_from=timezone.now() + timedelta(days=3))
    page = her.get(world.url("withdrawals")).text
    assert "Ends on" in page
    assert "Ended at once" not in page


def test_whom_nothing_reaches_is_shown_as_not_told(world: World, her: Client) -> None:
    says(world, "allow")
    says(world, "deny")
    page = world.url("withdrawals")
    assert "no webhook and no e-mail address. It has never been here to look" in her.get(page).text
    assert "must stop new outputs by" in her.get(world.url("permissions")).text
    assert "is being told" not in her.get(world.url("permissions")).text
    client = ApiClient.objects.create(
        company=world.tonewright, name="ears", created_at=timezone.now()
    )
    ApiKey.objects.create(
        client=client,
        prefix="ln_ears",
        digest="0" * 64,
        scopes=["follow"],
        slot=1,
        created_at=timezone.now(),
        last_used_at=timezone.now() - timedelta(days=40),
    )
    assert "and was last here on" in her.get(page).text


def test_the_newest_no_speaks_of_a_model_version(world: World) -> None:
    says(world, "allow")
    says(world, "deny")
    assert [stop.at_once for stop in shown(world)] == [False]
    # Now to this very tool: nothing runs off any more, and the page does not say both.
    says(world, "deny", scope=Scope(tool=world.model.tool))
    assert [stop.at_once for stop in shown(world)] == [True]


def test_a_yes_within_the_no_makes_its_row_moot(world: World) -> None:
    says(world, "allow")
    says(world, "deny")
    says(world, "allow", scope=Scope(tool=world.model.tool))
    assert shown(world) == []


def test_a_wider_yes_does_not_hide_a_narrower_no(world: World) -> None:
    says(world, "allow")
    says(world, "deny", scope=Scope(tool=world.model.tool))
    says(world, "deny")
    says(world, "allow")
    assert [stop.scope for stop in shown(world)] == [f"*/t{world.model.tool.pk}"]
    clear_permission(
        by=None, artist=world.maren, use="discovery", scope=Scope(tool=world.model.tool)
    )
    assert shown(world) == []


def test_what_she_allowed_again_is_over_and_never_overdue(world: World, her: Client) -> None:
    says(world, "allow")
    says(world, "deny")
    Withdrawal.objects.update(acknowledge_by=timezone.now() - timedelta(days=1))
    assert "Overdue since" in her.get(world.url("withdrawals")).text
    assert "has not confirmed in time" in her.get(world.url("overview")).text
    says(world, "allow")
    end_withdrawals_of(artist=world.maren)
    page = " ".join(her.get(world.url("withdrawals")).text.split())
    assert "Over since" in page
    assert "you said yes again" in page
    assert "Overdue" not in page
    assert "Ended" not in page
    assert "has not confirmed in time" not in her.get(world.url("overview")).text
    assert tell_overdue_withdrawals() == 0
    assert not overdue(Withdrawal.objects.all())


def test_the_number_of_queries_does_not_grow_with_the_withdrawals(world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert shown(world)
        return len(asked)

    says(world, "allow")
    says(world, "deny", scope=Scope(recording=world.recordings[0]))
    one = queries()
    for recording in world.recordings[1:]:
        says(world, "deny", scope=Scope(recording=recording))
    assert Withdrawal.objects.count() == 3
    assert queries() == one == 1
