"""When a no is over: all that it took is allowed again. Worked stories."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.licence_terms import Terms
from consent.models import (
    Act,
    AICompany,
    Artist,
    Licence,
    ModelVersion,
    Recording,
    Tool,
    Withdrawal,
)
from consent.scopes import Scope
from consent.services.licences import supersede_licence
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    undo_act,
)
from consent.services.provenance import report_training_run
from consent.services.tools import resume_tool, suspend_tool
from consent.services.withdrawals import (
    acknowledge_withdrawal,
    end_withdrawals,
    end_withdrawals_of,
)
from tests.consent.build import (
    a_company,
    a_model,
    a_tool,
    an_artist,
    in_days,
    licensed_songs,
)

pytestmark = pytest.mark.django_db

TRAIN = "generative_training"


@dataclass
class World:
    """Two companies that may train on three songs: one with a model version, one without."""

    maren: Artist
    companies: list[AICompany]
    tools: list[Tool]
    songs: list[Recording]

    def says(self, stance: str, **more: Any) -> Act:
        given = answer_permission(by=None, artist=self.maren, use=TRAIN, stance=stance, **more)
        end_withdrawals_of(artist=self.maren)
        return given.permission.act

    def open(self) -> list[str]:
        """The companies that must stop."""
        rows = Withdrawal.objects.filter(over_at=None).order_by("company", "pk")
        return list(rows.values_list("company__slug", flat=True))


BOTH = ["tonewright", "oceanic"]


@pytest.fixture
def world() -> World:
    maren, companies = an_artist(), [a_company("tonewright"), a_company("oceanic")]
    tools = [a_tool(companies[0], "composer"), a_tool(companies[1], "tidesmith")]
    _label, _publisher, songs = licensed_songs(maren, *companies)
    a_model(tools[0])
    world = World(maren, companies, tools, songs)
    world.says("allow")
    return world


def test_a_yes_again_ends_what_her_no_set_in_motion(world: World) -> None:
    world.says("deny")
    assert world.open() == BOTH
    before = now()
    world.says("allow")
    assert world.open() == []
    for row in Withdrawal.objects.all():
        assert row.over_at is not None and row.over_at >= before


def test_the_yes_ends_it_by_itself_as_soon_as_it_is_written(
    world: World,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]],
) -> None:
    world.says("deny")
    with django_capture_on_commit_callbacks(execute=True):
        answer_permission(by=None, artist=world.maren, use=TRAIN, stance="allow")
    assert world.open() == []


def test_should_nobody_have_looked_then_the_clock_finds_it(world: World) -> None:
    world.says("deny")
    answer_permission(by=None, artist=world.maren, use=TRAIN, stance="allow")
    assert world.open() == BOTH
    assert end_withdrawals() == 2
    assert world.open() == []


def test_an_undo_of_the_no_ends_it(world: World) -> None:
    no = world.says("deny")
    undo_act(by=None, act=no)
    end_withdrawals_of(artist=world.maren)
    assert world.open() == []


def test_a_narrower_no_that_is_taken_back_ends(world: World) -> None:
    tool = Scope(tool=world.tools[0])
    world.says("deny", scope=tool)
    assert world.open() == ["tonewright"]
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=tool)
    end_withdrawals_of(artist=world.maren)
    assert world.open() == []


def test_what_is_given_back_to_one_company_is_over_for_it_alone(world: World) -> None:
    world.says("deny")
    world.says("allow", scope=Scope(company=world.companies[1]))
    assert world.open() == ["tonewright"]


@pytest.mark.parametrize("part", ["country", "recording", "recordings"])
def test_where_only_a_part_is_given_back_it_stays_open(world: World, part: str) -> None:
    world.says("deny")
    if part == "country":
        world.says("allow", territories=["NO"])
    elif part == "recording":
        world.says("allow", scope=Scope(recording=world.songs[0]))
    else:
        some = [one.pk for one in world.songs[:2]]
        answer_recordings(by=None, artist=world.maren, use=TRAIN, stance="allow", recordings=some)
        end_withdrawals_of(artist=world.maren)
    assert world.open() == BOTH


def test_what_is_given_back_recording_by_recording_is_over_with_the_last(world: World) -> None:
    keys = [one.pk for one in world.songs]
    answer_recordings(by=None, artist=world.maren, use=TRAIN, stance="deny", recordings=keys)
    assert world.open() == BOTH
    for song in world.songs[:2]:
        world.says("allow", scope=Scope(recording=song))
    assert world.open() == BOTH
    world.says("allow", scope=Scope(recording=world.songs[2]))
    assert world.open() == []


def test_a_yes_beside_which_a_narrower_no_stands_leaves_that_one_open(world: World) -> None:
    narrow = world.says("deny", scope=Scope(recording=world.songs[0]))
    world.says("deny")
    world.says("allow")
    rows = Withdrawal.objects.filter(over_at=None)
    assert {row.permission.act for row in rows} == {narrow}
    assert world.open() == BOTH


def test_another_no_to_training_does_not_end_by_a_yes_to_recommending(world: World) -> None:
    world.says("deny")
    answer_permission(by=None, artist=world.maren, use="discovery", stance="allow")
    end_withdrawals_of(artist=world.maren)
    assert world.open() == BOTH


def test_a_tool_that_is_suspended_may_not_go_on_until_it_is_let_in_again(world: World) -> None:
    world.says("deny")
    suspend_tool(by=None, tool=world.tools[0])
    world.says("allow")
    assert world.open() == ["tonewright"]
    resume_tool(by=None, tool=world.tools[0])
    assert end_withdrawals() == 1
    assert world.open() == []


def test_a_yes_for_a_later_day_ends_it_on_that_day(world: World) -> None:
    world.says("deny")
    day = in_days(0.00002)
    world.says("allow", valid_from=day)
    assert world.open() == BOTH
    assert set(Withdrawal.objects.values_list("look_at", flat=True)) == {day}
    while now() <= day:
        pass
    assert end_withdrawals() == 2


def test_a_no_for_a_later_day_that_is_taken_back_before_it_is_over(world: World) -> None:
    world.says("deny", valid_from=in_days(3))
    assert world.open() == BOTH
    world.says("allow")
    assert world.open() == []


def test_a_licence_that_does_without_her_gives_back_what_her_no_took(world: World) -> None:
    for stance in ("allow", "deny"):  # recommending needs nobody but the label, and her
        answer_permission(by=None, artist=world.maren, use="discovery", stance=stance)
    terms = Terms(uses=("discovery",), artist_approval=False, override_clause="4.2")
    for licence in Licence.objects.filter(company=world.companies[1]):
        supersede_licence(by=None, licence=licence, terms=terms)
    assert end_withdrawals() == 0  # she has said nothing new, so it is looked at within a day
    Withdrawal.objects.update(look_at=now())
    assert end_withdrawals() == 1
    assert world.open() == ["tonewright"]


def test_what_is_over_stays_over_and_the_next_no_is_a_withdrawal_of_its_own(world: World) -> None:
    world.says("deny")
    world.says("allow")
    over = dict(Withdrawal.objects.values_list("pk", "over_at"))
    world.says("deny")
    assert world.open() == BOTH
    assert over == dict(Withdrawal.objects.filter(pk__in=over).values_list("pk", "over_at"))


def test_what_is_over_may_be_confirmed_and_what_was_confirmed_may_end(world: World) -> None:
    world.says("deny")
    first, second = Withdrawal.objects.order_by("pk")
    acknowledge_withdrawal(by=None, company=first.company, ref=str(first.ref))
    world.says("allow")
    acknowledge_withdrawal(by=None, company=second.company, ref=str(second.ref))
    for row in Withdrawal.objects.all():
        assert row.acknowledged_at is not None
        assert row.over_at is not None


def test_a_song_that_came_after_the_no_is_nothing_that_it_took(world: World) -> None:
    world.says("deny")
    licensed_songs(world.maren)  # by a label that has licensed nothing to anybody
    world.says("allow")
    assert world.open() == []


def test_what_a_model_was_reported_to_have_learned_after_the_no_is_nothing_that_it_took(
    world: World,
) -> None:
    _label, _publisher, unlicensed = licensed_songs(world.maren)  # licensed to nobody
    named = [world.songs[0], unlicensed[0]]
    answer_recordings(
        by=None,
        artist=world.maren,
        use=TRAIN,
        stance="deny",
        recordings=[song.pk for song in named],
    )
    assert world.open() == BOTH
    [model] = ModelVersion.objects.all()
    report_training_run(
        company=model.tool.company,
        client_ref="a run that should not have been",
        model_version=model,
        use=TRAIN,
        trained_at=now(),
        isrcs=[unlicensed[0].isrc],
    )
    world.says("allow", scope=Scope(recording=world.songs[0]))
    assert world.open() == []


def test_each_is_looked_at_again_within_a_day(world: World) -> None:
    world.says("deny")
    Withdrawal.objects.update(look_at=now())
    end_withdrawals()
    for row in Withdrawal.objects.all():
        assert timedelta(hours=23) < row.look_at - now() <= timedelta(days=1)
