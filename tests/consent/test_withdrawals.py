"""What a no sets in motion: worked stories. Each claim in a row is what `decide` says."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.clock import now
from consent.models import (
    Act,
    AICompany,
    Artist,
    ModelVersion,
    Party,
    Permission,
    Recording,
    Tool,
    Withdrawal,
)
from consent.queries.decision import Ask, decide_one
from consent.scopes import Scope
from consent.services.licences import end_licence
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    revoke_permission,
    undo_act,
)
from consent.services.provenance import report_training_run
from consent.services.tools import suspend_tool
from portal.models import User
from tests.consent.build import (
    a_company,
    a_licence,
    a_model,
    a_tool,
    an_artist,
    in_days,
    licensed_songs,
    some_recordings,
)

pytestmark = pytest.mark.django_db

TRAIN = "generative_training"


@dataclass
class World:
    """Two companies that may train on three songs, one with a model version, one without."""

    maren: Artist
    fjord: Party
    kanal: Party
    tonewright: AICompany
    composer: Tool
    v1: ModelVersion
    oceanic: AICompany
    tidesmith: Tool
    songs: list[Recording]

    def says(self, stance: str, use: str = TRAIN, **more: Any) -> Permission:
        return answer_permission(
            by=None, artist=self.maren, use=use, stance=stance, **more
        ).permission

    def learns(self, *songs: Recording, model: ModelVersion | None = None) -> None:
        taught = model or self.v1
        report_training_run(
            company=taught.tool.company,
            client_ref=f"run {taught.pk} {[s.isrc for s in songs]}",
            model_version=taught,
            use=TRAIN,
            trained_at=now(),
            isrcs=[s.isrc for s in songs],
        )

    def decides(self, tool: Tool, model: ModelVersion | None = None, song: int = 0) -> Any:
        ref = model.ref if model else None
        return decide_one(Ask(self.songs[song].isrc, TRAIN, tool.slug, model=ref)).deciding


@pytest.fixture
def world() -> World:
    maren, tonewright, oceanic = an_artist(), a_company("tonewright"), a_company("oceanic")
    composer, tidesmith = a_tool(tonewright, "composer"), a_tool(oceanic, "tidesmith")
    fjord, kanal, songs = licensed_songs(maren, tonewright, oceanic)
    v1 = a_model(composer)
    return World(maren, fjord, kanal, tonewright, composer, v1, oceanic, tidesmith, songs)


def told(no: Permission | Act) -> list[tuple[str, str, bool, str]]:
    """Whom: company, model version, has it learned, and when outputs end (`at once`, a reason)."""
    act = no if isinstance(no, Act) else no.act
    rows = Withdrawal.objects.filter(permission__act=act).order_by("company", "model_version")
    found = []
    for row in rows.select_related("permission", "model_version", "company"):
        begins = row.permission.valid_from or row.created_at
        model = row.model_version.name if row.model_version else ""
        ends = "at once" if row.outputs_until == begins else "later"
        found.append((row.company.slug, model, row.already_trained, ends))
    return found


def test_a_no_in_general_tells_everybody_who_had_the_yes(world: World) -> None:
    world.says("allow")
    world.learns(world.songs[0])
    no = world.says("deny")
    # Outputs of a model version run off; a tool without one has nothing that could.
    assert told(no) == [("tonewright", "v1", True, "later"), ("oceanic", "", False, "at once")]
    row = Withdrawal.objects.get(model_version=world.v1)
    assert world.decides(world.composer, world.v1).until == row.outputs_until


@pytest.mark.parametrize("stance", ["deny", "ask", "undecided"])
def test_a_narrower_no_after_a_wide_yes_is_a_withdrawal(world: World, stance: str) -> None:
    world.says("allow")
    world.learns(world.songs[0])
    v1, other = ("tonewright", "v1", True, "at once"), ("oceanic", "", False, "at once")
    untouched = ("tonewright", "v1", False, "at once")
    assert told(world.says(stance, scope=Scope(tool=world.composer))) == [v1]
    assert world.decides(world.composer, world.v1).code != "runs_off"
    world.says("allow", scope=Scope(tool=world.composer))
    # Neither lies within the other: in Germany the no wins over her yes to the tool.
    assert told(world.says(stance, territories=["DE"])) == [v1, other]
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=Scope(), territories=["DE"])
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=Scope(tool=world.composer))
    assert told(world.says(stance, territories=["DE"])) == [v1, other]
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=Scope(), territories=["DE"])
    assert told(world.says(stance, scope=Scope(company=world.oceanic))) == [other]
    assert told(world.says(stance, scope=Scope(recording=world.songs[1]))) == [untouched]
    assert told(world.says(stance, scope=Scope(recording=world.songs[0]))) == [v1]


def test_a_no_to_many_recordings_tells_each_company_once(world: World) -> None:
    world.says("allow")
    world.learns(world.songs[1])
    act = answer_recordings(
        by=None,
        artist=world.maren,
        use=TRAIN,
        stance="deny",
        recordings=[song.pk for song in world.songs],
    )
    assert act is not None
    assert told(act) == [("tonewright", "v1", True, "at once"), ("oceanic", "", False, "at once")]


def test_a_general_no_after_one_to_a_tool_concerns_the_others_only(world: World) -> None:
    world.says("allow")
    world.says("deny", scope=Scope(tool=world.composer))
    assert world.decides(world.composer, world.v1).verdict == "no"
    assert told(world.says("deny")) == [("oceanic", "", False, "at once")]


def test_outputs_end_with_the_licence_where_it_ends_before_the_notice(world: World) -> None:
    ends = in_days(5)
    harbor = a_company("harbor")
    model = a_model(a_tool(harbor, "harbor"), "h1")
    for holder in (world.fjord, world.kanal):
        a_licence(holder, harbor, TRAIN, notice_days=30, ends_at=ends)
    world.says("allow")
    no = world.says("deny")
    row = Withdrawal.objects.get(permission=no, model_version=model)
    assert row.outputs_until == ends == world.decides(model.tool, model).until


def test_a_company_whose_narrower_yes_stays_is_told_nothing(world: World) -> None:
    world.says("allow", scope=Scope(tool=world.composer))
    world.says("allow")
    assert told(world.says("deny")) == [("oceanic", "", False, "at once")]
    assert world.decides(world.composer).verdict == "yes"


def test_a_no_from_a_day_on_is_told_with_that_day(world: World) -> None:
    world.says("allow")
    day = in_days(3)
    no = world.says("deny", valid_from=day)
    assert told(no) == [("tonewright", "v1", False, "later"), ("oceanic", "", False, "at once")]
    v1 = Withdrawal.objects.get(model_version=world.v1)
    none = Withdrawal.objects.get(model_version=None)
    asked = Ask(world.songs[0].isrc, TRAIN, world.composer.slug, at=day, model=world.v1.ref)
    assert v1.outputs_until == decide_one(asked).deciding.until
    assert none.outputs_until == day
    assert v1.acknowledge_by == none.acknowledge_by == day + timedelta(days=7)
    assert world.decides(world.composer).verdict == "yes"  # until then


def test_a_no_for_later_ends_a_yes_that_is_yet_to_begin(world: World) -> None:
    world.says("allow", valid_from=in_days(3))
    assert [row[0] for row in told(world.says("deny", valid_from=in_days(9)))] == [
        "tonewright",
        "oceanic",
    ]


def test_what_was_learned_is_said_of_the_recordings_that_the_no_is_about(world: World) -> None:
    world.says("allow")
    world.learns(world.songs[0], world.songs[1])
    no = world.says("deny", scope=Scope(recording=world.songs[2]))
    assert told(no) == [
        ("tonewright", "v1", False, "at once"),
        ("oceanic", "", False, "at once"),
    ]


def test_on_a_duet_only_those_are_told_who_had_the_yes_of_both(world: World) -> None:
    aoi = an_artist("Aoi Tanaka 田中葵")
    some_recordings(1, world.maren, aoi, holder=world.fjord, publisher=world.kanal)
    for stance in ("allow", "deny"):
        no = world.says(stance, "remix_input", scope=Scope(tool=world.tidesmith))
    # Her other songs had nobody else's word to wait for.
    assert told(no) == [("oceanic", "", False, "at once")]


def test_a_no_where_another_had_said_no_already_stops_nobody(world: World) -> None:
    aoi = an_artist("Aoi Tanaka 田中葵")
    duet = some_recordings(1, world.maren, aoi, holder=world.fjord, publisher=world.kanal)[0]
    song = Scope(recording=duet)
    world.says("allow", scope=song)
    assert told(world.says("deny", scope=song)) == []


def test_a_model_that_learned_is_named_after_every_licence_has_ended(world: World) -> None:
    world.says("allow")
    world.learns(world.songs[0])
    for holder in (world.fjord, world.kanal):
        for licence in holder.licences.all():
            end_licence(by=None, licence=licence)
    assert told(world.says("deny")) == [("tonewright", "v1", True, "at once")]


def test_a_model_of_a_suspended_company_that_learned_is_named(world: World) -> None:
    world.says("allow")
    world.learns(world.songs[0])
    suspend_tool(by=None, tool=world.composer)
    assert told(world.says("deny")) == [
        ("tonewright", "v1", True, "at once"),
        ("oceanic", "", False, "at once"),
    ]


def test_a_no_that_a_contract_overrides_stops_nobody(world: World) -> None:
    harbor = a_company("harbor")
    a_model(a_tool(harbor, "harbor"))
    a_licence(world.fjord, harbor, TRAIN, artist_approval=False, override_clause="4.2")
    a_licence(world.kanal, harbor, TRAIN, artist_approval=False, override_clause="4.2")
    world.says("allow")
    companies = {row[0] for row in told(world.says("deny"))}
    harbor_may = world.decides(Tool.objects.get(slug="harbor")).verdict != "no"
    assert ("harbor" not in companies) == harbor_may


def test_taking_a_narrower_yes_back_is_a_withdrawal_where_the_wider_answer_is_no(
    world: World,
) -> None:
    tool = Scope(tool=world.composer)
    world.says("deny")
    yes = world.says("allow", scope=tool)
    cleared = clear_permission(by=None, artist=world.maren, use=TRAIN, scope=tool)
    assert cleared is not None
    assert told(cleared.permission) == [("tonewright", "v1", False, "at once")]
    assert world.decides(world.composer, world.v1).verdict == "no"
    assert yes.pk != cleared.permission.pk


def test_an_undone_narrower_yes_is_a_withdrawal(world: World) -> None:
    world.says("deny")
    yes = world.says("allow", scope=Scope(tool=world.composer))
    undone = undo_act(by=None, act=yes.act)
    assert undone.act is not None
    assert told(undone.act) == [("tonewright", "v1", False, "at once")]


def test_staff_revoke_what_speaks_now_while_another_answer_waits(world: World) -> None:
    staff = User.objects.create_user("staff@liner.example")
    yes = world.says("allow")
    world.says("allow", valid_from=in_days(10), valid_until=in_days(20))
    revoked = revoke_permission(by=staff, permission=yes, reason="It was not her.")
    assert world.decides(world.composer).code == "answer_revoked"
    assert revoked.took_back_allow
    assert told(revoked) == [
        ("tonewright", "v1", False, "at once"),
        ("oceanic", "", False, "at once"),
    ]
    # Nothing that was given before speaks again of itself.
    later = Ask(world.songs[0].isrc, TRAIN, world.composer.slug, at=in_days(11))
    assert decide_one(later).deciding.code == "answer_revoked"


def test_an_answer_that_takes_no_yes_back_asks_the_database_no_more_than_a_yes(
    world: World,
) -> None:
    def queries(stance: str, use: str, **more: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            world.says(stance, use, **more)
        return len(asked)

    tool, song = Scope(tool=world.composer), Scope(recording=world.songs[0])
    plain = queries("deny", "discovery")
    assert queries("ask", "discovery") == plain
    assert queries("deny", "discovery", scope=tool) <= plain + 2  # the leaf names the tool
    # And whether she has a say in this recording, and what speaks beside it.
    assert queries("deny", "discovery", scope=song) <= plain + 2
    world.says("allow", "discovery", scope=tool)
    assert queries("deny", "discovery", scope=Scope(recording=world.songs[1])) > plain


def test_the_cost_of_a_withdrawal_does_not_grow_with_the_catalogue(world: World) -> None:
    def queries() -> int:
        world.says("allow")
        with CaptureQueriesContext(connection) as asked:
            world.says("deny")
        return len(asked)

    few = queries()
    some_recordings(40, world.maren, holder=world.fjord, publisher=world.kanal)
    assert queries() == few
