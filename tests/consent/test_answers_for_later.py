"""Answers that begin on a later day, and what taking back or undoing does to them."""

from dataclasses import dataclass

import pytest

from consent.models import AICompany, Artist, ModelVersion, Permission, Recording, Tool
from consent.queries.decision import Ask, decide_one
from consent.scopes import Scope
from consent.services.permissions import answer_permission, revoke_permission, undo_act
from portal.models import User
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_tool,
    an_artist,
    in_days,
    some_recordings,
)

pytestmark = pytest.mark.django_db


@dataclass
class World:
    maren: Artist
    company: AICompany
    tool: Tool
    model: ModelVersion
    song: Recording

    def says(
        self, stance: str, days: float | None = None, scope: Scope | None = None
    ) -> Permission:
        return answer_permission(
            by=None,
            artist=self.maren,
            use="discovery",
            stance=stance,
            scope=scope or Scope(),
            valid_from=None if days is None else in_days(days),
        ).permission

    def allowed(self, days: float | None = None, *, outputs: bool = False) -> bool:
        at = None if days is None else in_days(days)
        model = self.model.ref if outputs else None
        return decide_one(Ask(self.song.isrc, "discovery", self.tool.slug, None, at, model)).allowed


@pytest.fixture
def world() -> World:
    maren, fjord = an_artist(), a_label()
    company = a_company()
    tool = a_tool(company)
    model = a_model(tool)
    (song,) = some_recordings(1, maren, holder=fjord)
    a_licence(fjord, company, "discovery", notice_days=30)
    return World(maren, company, tool, model, song)


def test_an_undo_brings_a_yes_for_later_back_for_later(world: World) -> None:
    world.says("allow", days=10)
    no = world.says("deny")
    undo_act(by=None, act=no.act)
    assert not world.allowed()
    assert not world.allowed(days=9)
    assert world.allowed(days=11)


def test_an_undo_brings_back_what_spoke_and_what_was_given_for_later(world: World) -> None:
    world.says("allow")
    world.says("deny", days=10)
    ask = world.says("ask")
    assert not world.allowed()
    undo_act(by=None, act=ask.act)
    assert world.allowed()
    assert world.allowed(days=9)
    assert not world.allowed(days=11)


def test_an_undo_of_an_undo_knows_the_yes_that_it_ends(world: World) -> None:
    world.says("allow")
    world.says("deny", days=10)
    ask = world.says("ask")
    undone = undo_act(by=None, act=ask.act)
    assert undone.act is not None
    again = undo_act(by=None, act=undone.act)
    assert again.act is not None
    assert not world.allowed()
    assert world.allowed(outputs=True)  # outputs of what was licensed run off
    assert [p.took_back_allow for p in again.act.permissions.all()] == [True]


def test_nothing_runs_off_when_the_yes_had_not_begun(world: World) -> None:
    later = world.says("allow", days=10)
    undo_act(by=None, act=later.act)
    assert not world.allowed(outputs=True)
    world.says("allow", days=10)
    world.says("deny")
    assert not world.allowed(outputs=True)


def test_a_yes_that_speaks_is_taken_back_also_when_another_answer_waits(world: World) -> None:
    world.says("allow")
    world.says("deny", days=10)
    no = world.says("deny")
    assert no.took_back_allow
    assert no.withdrawals.count() == 1
    assert not world.allowed()
    assert world.allowed(outputs=True)


def test_a_narrower_yes_for_later_that_is_undone_leaves_nothing(world: World) -> None:
    world.says("deny")
    later = world.says("allow", days=10, scope=Scope(tool=world.tool))
    undo_act(by=None, act=later.act)
    assert not world.allowed(days=11)
    assert not world.allowed(days=11, outputs=True)


def test_an_undo_after_a_revocation_brings_back_no_wider_yes(world: World) -> None:
    world.says("allow")
    narrow = Scope(tool=world.tool)
    yes = world.says("allow", scope=narrow)
    clerk = User.objects.create_user(email="clerk@fjord.test", password=None)
    revoke_permission(by=clerk, permission=yes, reason="It was not her.")
    assert not world.allowed()
    again = world.says("allow", scope=narrow)
    assert world.allowed()
    undo_act(by=None, act=again.act)
    assert not world.allowed()
