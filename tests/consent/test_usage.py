"""AI usage: what an artist sees of what AI did with her work, and nothing of anybody else's."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from consent.clock import now
from consent.errors import Refused
from consent.models import AICompany, Artist, ModelVersion, Party, Recording
from consent.queries.usage import (
    Share,
    Usage,
    UsageFilter,
    UsageKind,
    count_uses_of,
    every_use_of,
    usage_by_tool,
    usage_of,
)
from consent.services.provenance import (
    OutputToReport,
    Part,
    report_outputs,
    report_training_run,
)
from tests.consent import build

pytestmark = pytest.mark.django_db


class World:
    """Two tools of one company; a recording of Maren's alone, and one on which Aoi features."""

    def __init__(self) -> None:
        self.label: Party = build.a_label()
        self.company: AICompany = build.a_company()
        self.smith: ModelVersion = build.a_model(build.a_tool(self.company, "tidesmith"))
        self.radio: ModelVersion = build.a_model(build.a_tool(self.company, "radio"))
        self.maren, self.aoi = build.an_artist("Maren Holt"), build.an_artist("田中葵")
        self.alone = build.a_recording(self.maren, holder=self.label, title="Havn")
        self.shared = build.a_recording(
            self.maren, featured=[self.aoi], holder=self.label, title="海のうた"
        )
        self.counter = 0

    def name(self) -> str:
        self.counter += 1
        return f"report-{self.counter}"

    def trains(self, *recordings: Recording, at: datetime | None = None) -> None:
        report_training_run(
            company=self.company,
            client_ref=self.name(),
            model_version=self.smith,
            use="generative_training",
            trained_at=at or now(),
            isrcs=[r.isrc for r in recordings],
        )

    def makes(
        self, *parts: tuple[Recording, str, int], at: datetime | None = None, **changes: Any
    ) -> None:
        fields: dict[str, Any] = {
            "client_ref": self.name(),
            "model_version": self.radio,
            "use": "discovery",
            "made_at": at or now(),
            "parts": [Part(r.isrc, right, bp, "attrib-3.2", 8_000) for r, right, bp in parts],
            **changes,
        }
        [report] = report_outputs(company=self.company, outputs=[OutputToReport(**fields)])
        assert report.refused is None


@pytest.fixture
def world() -> World:
    return World()


def ago(days: float) -> datetime:
    return now() - timedelta(days=days)


def titles(rows: Any) -> list[str]:
    return [u.title for u in rows]


def test_a_use_says_which_tool_used_which_recording_when_and_whether_it_might(
    world: World,
) -> None:
    build.a_licence(world.label, world.company, "discovery")
    build.she_says(world.maren, "discovery", "allow")
    made_at = now()
    world.makes((world.alone, "master", 10_000), at=made_at, title="Morning mix")
    [use] = usage_of(world.maren).rows
    assert (use.kind, use.at, use.title) == (UsageKind.OUTPUT, made_at, "Havn")
    assert (use.tool, use.company, use.model_version) == ("radio", "Oceanic Audio", "v1")
    assert (use.use, use.allowed, use.reason) == ("discovery", True, "artist_allows")
    assert use.known_seq > 0
    assert use.output_title == "Morning mix"
    assert use.shares == (Share("master", 10_000, "attrib-3.2", 8_000),)


def test_what_was_not_allowed_is_shown_with_its_reason(world: World) -> None:
    world.trains(world.alone)
    [use] = usage_of(world.maren).rows
    assert (use.kind, use.allowed, use.reason) == (UsageKind.TRAINING, False, "no_licence")
    assert use.shares == ()


def test_an_output_is_one_line_though_it_drew_on_two_rights(world: World) -> None:
    world.makes((world.alone, "publishing", 10_000), (world.alone, "master", 10_000))
    [use] = usage_of(world.maren).rows
    assert {s.right for s in use.shares} == {"master", "publishing"}
    assert count_uses_of(world.maren) == 1


def test_a_featured_artist_sees_the_recording_she_is_on_and_no_other(world: World) -> None:
    world.makes((world.alone, "master", 6_000), (world.shared, "master", 4_000))
    assert titles(usage_of(world.aoi).rows) == ["海のうた"]
    assert titles(usage_of(world.maren).rows) == ["海のうた", "Havn"]


def test_charlie_sees_nothing_of_anybody(world: World) -> None:
    charlie: Artist = build.an_artist("Charlie")
    world.trains(world.alone)
    world.makes((world.alone, "master", 10_000))
    assert usage_of(charlie).rows == ()
    assert usage_by_tool(charlie) == []
    assert count_uses_of(charlie) == 0


@pytest.fixture
def history(world: World) -> World:
    """Four uses of Maren's: trained 30 days ago, outputs 20 and 10 days ago, trained today."""
    build.a_licence(world.label, world.company, "discovery")
    build.she_says(world.maren, "discovery", "allow")
    world.trains(world.alone, at=ago(30))
    world.makes((world.alone, "master", 10_000), at=ago(20))
    world.makes((world.shared, "master", 10_000), at=ago(10), use="remix_input")
    world.makes((world.alone, "master", 10_000))
    return world


@pytest.mark.parametrize(
    ("only", "days"),
    [
        (UsageFilter(), [0, 10, 20, 30]),
        (UsageFilter(tool="radio"), [0, 10, 20]),
        (UsageFilter(tool="nothing"), []),
        (UsageFilter(use="remix_input"), [10]),
        (UsageFilter(kind=UsageKind.TRAINING), [30]),
        (UsageFilter(kind=UsageKind.OUTPUT, use="discovery"), [0, 20]),
        (UsageFilter(allowed=True), [0]),
        (UsageFilter(allowed=False), [10, 20, 30]),
    ],
)
def test_uses_can_be_filtered(history: World, only: UsageFilter, days: list[int]) -> None:
    at = now()
    rows = usage_of(history.maren, only=only).rows
    assert [round((at - u.at) / timedelta(days=1)) for u in rows] == days
    assert count_uses_of(history.maren, only=only) == len(days)
    assert len(list(every_use_of(history.maren, only=only))) == len(days)


def test_uses_of_one_recording_and_of_one_period(history: World) -> None:
    one = UsageFilter(isrc=history.shared.isrc)
    assert titles(usage_of(history.maren, only=one).rows) == ["海のうた"]
    period = UsageFilter(since=ago(25), until=ago(5))
    assert len(usage_of(history.maren, only=period).rows) == 2
    edge = usage_of(history.maren).rows[1].at
    assert len(usage_of(history.maren, only=UsageFilter(since=edge)).rows) == 2
    assert len(usage_of(history.maren, only=UsageFilter(until=edge)).rows) == 2


def test_pages_show_every_use_once_even_of_the_very_same_moment(world: World) -> None:
    at = ago(1)
    world.trains(world.alone, world.shared, at=at)
    for _ in range(3):
        world.makes((world.alone, "master", 5_000), (world.shared, "master", 5_000), at=at)
    seen: list[Usage] = []
    after = None
    while True:
        page = usage_of(world.maren, after=after, most=3)
        seen += page.rows
        after = page.after
        if after is None:
            break
    whole = usage_of(world.maren).rows
    assert len(whole) == 8
    assert seen == list(whole) == list(every_use_of(world.maren))


def test_an_export_can_go_on_where_it_stopped(history: World) -> None:
    every = list(every_use_of(history.maren))
    assert list(every_use_of(history.maren, after=every[1].cursor)) == every[2:]


@pytest.mark.parametrize("cursor", ["", "x", "bm9uc2Vuc2U", "MjAyNi0wMS0wMXwxfDE", "é", "a" * 500])
def test_a_page_that_nobody_gave_does_not_exist(world: World, cursor: str) -> None:
    with pytest.raises(Refused, match="cursor"):
        usage_of(world.maren, after=cursor)


def test_the_summary_adds_up_per_tool(history: World) -> None:
    history.makes((history.alone, "master", 5_000), (history.shared, "master", 5_000))
    radio, smith = usage_by_tool(history.maren)
    assert (radio.tool, radio.trained, radio.outputs, radio.not_allowed) == ("radio", 0, 4, 3)
    assert (smith.tool, smith.trained, smith.outputs, smith.not_allowed) == ("tidesmith", 1, 0, 1)
    [only] = usage_by_tool(history.maren, only=UsageFilter(use="remix_input"))
    assert (only.outputs, only.tool_name, only.company) == (1, "Radio", "Oceanic Audio")


def test_a_page_takes_one_query_however_much_there_is(
    world: World, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        world.makes((world.alone, "master", 10_000))
        with django_assert_num_queries(1):
            usage_of(world.maren)
        with django_assert_num_queries(1):
            usage_by_tool(world.maren)
