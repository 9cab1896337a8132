"""Reports of what AI did: the verdict of the time of use, kept; the same report twice is one."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.models import Attribution, LedgerEntry, ModelVersion, Output, Recording, TrainingUse
from consent.models import TrainingRun as Run
from consent.services.provenance import (
    OutputToReport,
    Part,
    Standing,
    TrainingReport,
    manifest_digest,
    report_output,
    report_outputs,
    report_training_run,
)
from tests.consent import build

pytestmark = pytest.mark.django_db


class World:
    """Maren's recording is licensed and allowed for training; Aoi's is licensed and unanswered."""

    def __init__(self) -> None:
        self.label = build.a_label()
        self.publisher = build.a_label("Skagen Songs")
        self.company = build.a_company()
        self.tool = build.a_tool(self.company)
        self.model = build.a_model(self.tool)
        self.maren, self.aoi = build.an_artist("Maren Holt"), build.an_artist("田中葵")
        self.hers = self.recording(self.maren)
        self.aois = self.recording(self.aoi)
        build.a_licence(self.label, self.company, "generative_training", "discovery")
        build.a_licence(self.publisher, self.company, "generative_training")
        build.she_says(self.maren, "generative_training", "allow")
        build.she_says(self.maren, "discovery", "allow")

    def recording(self, artist: Any) -> Recording:
        return build.a_recording(artist, holder=self.label, publisher=self.publisher)

    def run(self, *isrcs: str, **changes: Any) -> TrainingReport:
        return report_training_run(
            **{
                "company": self.company,
                "client_ref": "run-1",
                "model_version": self.model,
                "use": "generative_training",
                "trained_at": now(),
                "isrcs": isrcs or (self.hers.isrc,),
                **changes,
            }
        )

    def output(self, **changes: Any) -> OutputToReport:
        whole = Part(self.hers.isrc, "master", 10_000, "attrib-3.2", 7_500)
        fields: dict[str, Any] = {
            "client_ref": "out-1",
            "model_version": self.model,
            "use": "generative_training",
            "made_at": now(),
            "parts": [whole],
            **changes,
        }
        return OutputToReport(**fields)


@pytest.fixture
def world() -> World:
    return World()


# Training runs


def test_each_recording_of_a_run_gets_the_verdict_of_its_own_decision(world: World) -> None:
    report = world.run(world.hers.isrc, world.aois.isrc, "NOZZZ2400001", "not an isrc")
    assert [(i.standing, i.reason) for i in report.items] == [
        (Standing.ALLOWED, "artist_allows"),
        (Standing.NOT_ALLOWED, "artist_undecided"),
        (Standing.UNKNOWN, "unknown_recording"),
        (Standing.MALFORMED, "isrc"),
    ]
    uses = TrainingUse.objects.filter(run=report.run).order_by("recording")
    assert [(u.recording_id, u.allowed) for u in uses] == [
        (world.hers.pk, True),
        (world.aois.pk, False),
    ]
    assert {u.known_seq for u in uses} == {LedgerEntry.objects.count() - 1}


def test_what_is_unknown_stays_in_the_ledger_and_the_manifest(world: World) -> None:
    report = world.run(world.hers.isrc, "no-zzz-24-00001", "nonsense")
    entry = LedgerEntry.objects.get(kind="training.reported")
    body = json.loads(entry.body)
    assert body["unknown"] == ["NOZZZ2400001"]
    assert (body["allowed"], body["malformed"]) == ([world.hers.isrc], 1)
    assert body["manifest"] == manifest_digest([world.hers.isrc, "NOZZZ2400001", "nonsense"])
    assert report.run.manifest_digest == body["manifest"]
    assert report.run.entry_id == entry.pk


def test_the_same_run_again_returns_the_stored_outcome_whatever_has_changed_since(
    world: World,
) -> None:
    at = now()
    first = world.run(world.hers.isrc, "NOZZZ2400001", trained_at=at)
    build.she_says(world.maren, "generative_training", "deny")
    entries = LedgerEntry.objects.count()
    again = world.run("NOZZZ2400001", world.hers.isrc.lower(), trained_at=at)
    assert (first.replayed, again.replayed, again.run.pk) == (False, True, first.run.pk)
    assert [i.standing for i in again.items] == [Standing.UNKNOWN, Standing.ALLOWED]
    assert LedgerEntry.objects.count() == entries
    assert Run.objects.count() == 1


@pytest.mark.parametrize("change", ["isrcs", "use", "trained_at", "model_version"])
def test_another_run_under_the_same_name_is_refused(world: World, change: str) -> None:
    at = now()
    world.run(trained_at=at)
    other = {
        "isrcs": [world.aois.isrc],
        "use": "analysis_training",
        "trained_at": at - timedelta(seconds=1),
        "model_version": build.a_model(world.tool, "v2"),
    }
    with pytest.raises(Refused) as refused:
        world.run(**{"trained_at": at, change: other[change]})
    assert (refused.value.code, refused.value.field) == ("run_differs", "client_ref")


def test_two_companies_may_name_their_runs_alike(world: World) -> None:
    world.run()
    other = build.a_company("charlie")
    model = build.a_model(build.a_tool(other, "charlies-tool"))
    report = world.run(company=other, model_version=model)
    assert report.items[0].reason == "no_licence"
    assert Run.objects.count() == 2


def test_one_recording_named_twice_in_a_run_is_one_use(world: World) -> None:
    report = world.run(world.hers.isrc, f"NO-UM7-{world.hers.isrc[5:7]}-{world.hers.isrc[7:]}")
    assert [i.standing for i in report.items] == [Standing.ALLOWED, Standing.ALLOWED]
    assert TrainingUse.objects.filter(run=report.run).count() == 1


def test_the_verdict_is_that_of_the_time_of_use_and_not_of_the_report(world: World) -> None:
    before = now()
    build.she_says(world.maren, "generative_training", "deny")
    early = world.run(trained_at=before)
    late = world.run(client_ref="run-2", trained_at=now())
    assert early.items[0].standing is Standing.ALLOWED
    assert late.items[0].reason == "artist_withdrew"


def test_nothing_was_allowed_before_it_was_answered(world: World) -> None:
    build.she_says(world.aoi, "generative_training", "allow")
    report = world.run(world.aois.isrc, trained_at=now() - timedelta(days=1))
    assert report.items[0].standing is not Standing.ALLOWED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"use": "teleport"}, "unknown_use"),
        ({"use": "discovery"}, "not_a_training_use"),
        ({"isrcs": []}, "no_items"),
        ({"isrcs": [f"NOUM724{i:05d}" for i in range(1_001)]}, "too_many_items"),
        ({"client_ref": ""}, "client_ref"),
        ({"client_ref": "x" * 101}, "client_ref"),
    ],
)
def test_a_malformed_report_is_refused_and_nothing_is_written(
    world: World, change: dict[str, Any], code: str
) -> None:
    entries = LedgerEntry.objects.count()
    with pytest.raises(Refused, match=code):
        world.run(**change)
    assert not Run.objects.exists()
    assert LedgerEntry.objects.count() == entries


def test_a_run_of_tomorrow_cannot_be_reported(world: World) -> None:
    with pytest.raises(Refused, match="in_the_future"):
        world.run(trained_at=build.in_days(1))


def test_charlie_cannot_report_for_a_model_of_another_company(world: World) -> None:
    charlie = build.a_company("charlie")
    with pytest.raises(NotFound, match="unknown_model_version"):
        world.run(company=charlie)
    [report] = report_outputs(company=charlie, outputs=[world.output()])
    assert isinstance(report.refused, NotFound)
    assert not Run.objects.exists()
    assert not Output.objects.exists()


def test_a_report_costs_as_many_queries_for_a_hundred_recordings_as_for_one(
    world: World, django_assert_num_queries: Any
) -> None:
    many = build.some_recordings(100, world.maren, holder=world.label)
    model = ModelVersion.objects.select_related("tool__company__party").get(pk=world.model.pk)
    at = now()
    for name, isrcs in (("one", [many[0].isrc]), ("all", [r.isrc for r in many])):
        with django_assert_num_queries(13):
            world.run(client_ref=name, trained_at=at, model_version=model, isrcs=isrcs)


@pytest.mark.django_db(transaction=True)
def test_of_four_clients_that_send_the_same_run_at_once_one_writes_it(world: World) -> None:
    at = now()

    def send(_: int) -> TrainingReport:
        try:
            return world.run(world.hers.isrc, world.aois.isrc, trained_at=at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(send, range(4)))
    assert sorted(r.replayed for r in reports) == [False, True, True, True]
    assert len({r.items for r in reports}) == 1
    assert Run.objects.count() == 1
    assert LedgerEntry.objects.filter(kind="training.reported").count() == 1


# Outputs


def test_an_output_is_written_with_what_it_drew_on_and_whether_that_was_allowed(
    world: World,
) -> None:
    parts = [
        Part(world.hers.isrc, "master", 6_000, "attrib-3.2", 7_500),
        Part(world.aois.isrc, "master", 4_000, "attrib-3.2"),
        Part(world.hers.isrc, "publishing", 10_000, "attrib-3.2"),
    ]
    [report] = report_outputs(company=world.company, outputs=[world.output(parts=parts)])
    assert [(i.isrc, i.standing, i.reason) for i in report.items] == [
        (world.hers.isrc, Standing.ALLOWED, "artist_allows"),
        (world.aois.isrc, Standing.NOT_ALLOWED, "artist_undecided"),
    ]
    stored = Attribution.objects.filter(output=report.output).order_by("id")
    assert [(a.right, a.influence_bp, a.confidence_bp, a.allowed) for a in stored] == [
        ("master", 6_000, 7_500, True),
        ("master", 4_000, None, False),
        ("publishing", 10_000, None, True),
    ]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "no_items"),
        ([("hers", "master", 9_999)], "attributions_are_whole"),
        ([("hers", "master", 5_000), ("aois", "master", 5_001)], "attributions_are_whole"),
        ([("hers", "master", 10_000), ("aois", "publishing", 1)], "attributions_are_whole"),
        ([("hers", "master", 5_000), ("hers", "master", 5_000)], "attributed_twice"),
        ([("hers", "master", 0), ("aois", "master", 10_000)], "influence"),
        ([("hers", "master", 10_001)], "influence"),
        ([("hers", "mechanical", 10_000)], "unknown_right"),
        ([("NOZZZ2400001", "master", 10_000)], "unknown_recording"),
        ([("nonsense", "master", 10_000)], "isrc"),
    ],
)
def test_an_output_that_does_not_add_up_is_refused_and_nothing_is_written(
    world: World, parts: list[tuple[str, str, int]], code: str
) -> None:
    isrcs = {"hers": world.hers.isrc, "aois": world.aois.isrc}
    sent = [Part(isrcs.get(isrc, isrc), right, bp, "attrib-3.2") for isrc, right, bp in parts]
    [report] = report_outputs(company=world.company, outputs=[world.output(parts=sent)])
    assert report.refused is not None
    assert report.refused.code == code
    assert report.refused.sentence
    assert not Output.objects.exists()


def test_one_refused_output_stops_no_other(world: World) -> None:
    bad = world.output(client_ref="bad", use="teleport")
    good = world.output(client_ref="good", use="discovery")
    reports = report_outputs(company=world.company, outputs=[bad, good, replace(bad)])
    assert [r.refused.code if r.refused else "" for r in reports] == [
        "unknown_use",
        "",
        "unknown_use",
    ]
    assert list(Output.objects.values_list("client_ref", flat=True)) == ["good"]


def test_the_same_output_again_returns_the_stored_outcome(world: World) -> None:
    sent = world.output()
    [first] = report_outputs(company=world.company, outputs=[sent])
    build.she_says(world.maren, "generative_training", "deny")
    [again] = report_outputs(company=world.company, outputs=[sent])
    assert (first.replayed, again.replayed, again.output) == (False, True, first.output)
    assert again.items == first.items
    assert Attribution.objects.count() == 1


def test_another_output_under_the_same_name_is_refused(world: World) -> None:
    sent = world.output()
    report_outputs(company=world.company, outputs=[sent])
    for other in (
        replace(sent, title="Another"),
        replace(sent, made_at=sent.made_at - timedelta(seconds=1)),
        replace(sent, use="discovery"),
        replace(sent, parts=[replace(sent.parts[0], confidence_bp=1)]),
        replace(sent, parts=[replace(sent.parts[0], isrc=world.aois.isrc)]),
    ):
        [report] = report_outputs(company=world.company, outputs=[other])
        assert report.refused is not None
        assert report.refused.code == "output_differs"
    [one, two] = report_outputs(
        company=world.company,
        outputs=[world.output(client_ref="new"), world.output(client_ref="new", title="x")],
    )
    assert (one.refused, two.refused.code if two.refused else "") == (None, "output_differs")


def test_one_output_alone_raises_what_is_wrong_with_it(world: World) -> None:
    with pytest.raises(Refused) as refused:
        report_output(
            company=world.company,
            client_ref="out-1",
            model_version=world.model,
            use="discovery",
            made_at=now(),
            attributions=[Part(world.hers.isrc, "master", 1, "attrib-3.2")],
        )
    assert refused.value.code == "attributions_are_whole"
    assert "1" in refused.value.sentence


def test_a_hundred_and_one_outputs_are_refused_as_a_whole(world: World) -> None:
    sent = [world.output(client_ref=str(i)) for i in range(101)]
    with pytest.raises(Refused, match="too_many_items"):
        report_outputs(company=world.company, outputs=sent)
    assert not Output.objects.exists()


@pytest.mark.parametrize(("days", "reason"), [(30, "runs_off"), (0, "artist_withdrew")])
def test_outputs_run_off_after_a_withdrawal_as_long_as_the_licence_says(
    world: World, days: int, reason: str
) -> None:
    other = build.a_label("Other Records")
    recording = build.a_recording(world.aoi, holder=other)
    build.a_licence(other, world.company, "discovery", notice_days=days)
    build.she_says(world.aoi, "discovery", "allow")
    model = build.a_model(world.tool, "v2")
    build.she_says(world.aoi, "discovery", "deny")
    part = [Part(recording.isrc, "master", 10_000, "attrib-3.2")]
    sent = world.output(use="discovery", model_version=model, parts=part, made_at=now())
    [report] = report_outputs(company=world.company, outputs=[sent])
    assert report.items[0].reason == reason


def test_the_database_refuses_parts_that_do_not_sum_to_the_whole(world: World) -> None:
    [report] = report_outputs(company=world.company, outputs=[world.output()])
    assert report.output is not None
    Attribution.objects.create(
        output=report.output,
        recording=world.aois,
        right="master",
        influence_bp=1,
        method="attrib-3.2",
        allowed=True,
        reason="artist_allows",
        known_seq=1,
    )
    with pytest.raises(IntegrityError, match="sum to 10000"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_report_is_never_edited_not_even_in_the_database(world: World) -> None:
    world.run()
    for rows in (Run.objects.all(), TrainingUse.objects.all()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        TrainingUse.objects.update(allowed=False)


@given(st.lists(st.from_regex(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", fullmatch=True)), st.randoms())
def test_a_manifest_does_not_depend_on_order_or_repetition(isrcs: list[str], random: Any) -> None:
    shuffled = isrcs + isrcs[:1]
    random.shuffle(shuffled)
    assert manifest_digest(shuffled) == manifest_digest(isrcs)
