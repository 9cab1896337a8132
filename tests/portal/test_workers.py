"""Work that survives its workers: real workers, a real broker, and kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.db import connection, transaction

from consent.clock import now
from consent.models import Artist, ModelVersion, TrainingRun, WorkState
from consent.services import work
from consent.services.provenance import report_training_run
from consent.services.work import kinds, oldest_due, perform, sweep, wake
from consent.words import UseKind
from portal.models import Export, JobSlot, Notice, NoticeKind, User
from portal.services.exports import request_export
from portal.services.slots import forget_slots, take_slot
from portal.tasks import sweep_rows
from tests.cast import recordings_of

RECORDINGS, RUNS = 100, 200


@pytest.fixture(autouse=True)
def _broker_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that an earlier test's broker did not answer."""
    monkeypatch.setattr(work, "_silent_until", 0.0)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A Celery worker that takes work, in a process group of its own; killed at the end.

    On a busy machine a wake-up would be over before a worker has come up: here no sweeper sends it
    again.
    """
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "--concurrency=1"]
    command += ["--loglevel=WARNING"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        eventually(lambda: current_app.control.ping(timeout=0.5))
        yield process
    finally:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """The whole group at once, without a chance to tidy up."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(5)


def eventually(condition: Callable[[], Any], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def trained_often(artist: Artist, model_version: ModelVersion) -> int:
    """Give the artist many lines of usage: one real report, and copies of it. Returns how many."""
    recordings = recordings_of(artist, RECORDINGS)
    report = report_training_run(
        company=model_version.tool.company,
        client_ref="run-0",
        model_version=model_version,
        use=UseKind.GENERATIVE_TRAINING,
        trained_at=now(),
        isrcs=[one.isrc for one in recordings],
    )
    first = report.run
    runs = TrainingRun.objects.bulk_create(
        TrainingRun(
            company=first.company,
            client_ref=f"run-{n}",
            model_version=first.model_version,
            use=first.use,
            trained_at=first.trained_at,
            manifest_digest=first.manifest_digest,
            entry=first.entry,
            reported_at=first.reported_at,
        )
        for n in range(1, RUNS)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO consent_traininguse"
            " (run_id, model_version_id, recording_id, allowed, reason, known_seq)"
            " SELECT run, model_version_id, recording_id, allowed, reason, known_seq"
            " FROM consent_traininguse, unnest(%s::bigint[]) AS run WHERE run_id = %s",
            [[run.pk for run in runs], first.pk],
        )
    return RECORDINGS * RUNS


@pytest.mark.django_db(transaction=True)
def test_an_export_whose_worker_is_killed_is_finished_once_by_the_next(
    server_environment: dict[str, str],
    tmp_path: Path,
    maren: Artist,
    maren_user: User,
    tidesmith_v1: ModelVersion,
) -> None:
    lines = trained_often(maren, tidesmith_v1)
    Notice.objects.all().delete()
    environment = server_environment | {"LINER_PRIVATE_ROOT": str(tmp_path)}

    with worker(environment) as first:
        export = request_export(by=maren_user, artist=maren)

        def in_the_middle() -> bool:
            export.refresh_from_db()
            return export.progress_done > 0

        eventually(in_the_middle)
        kill(first)

    with worker(environment):
        export.refresh_from_db()
        assert export.state == WorkState.RUNNING
        assert 0 < export.progress_done < lines
        [half] = (tmp_path / "exports").iterdir()
        assert half.name == export.file
        assert sweep() == 0  # the dead worker's lock still holds
        # Half a minute later, without waiting for it.
        Export.objects.update(locked_until=now())
        assert sweep() == 1

        def finished() -> bool:
            export.refresh_from_db()
            return export.state == WorkState.DONE

        eventually(finished)
        sweep()
        eventually(lambda: Notice.objects.filter(emailed_at__isnull=False).exists())

    assert (export.attempts, export.rows, export.progress_done) == (2, lines, lines)
    [file] = (tmp_path / "exports").iterdir()
    assert file.name == export.file != half.name
    content = file.read_bytes()
    assert len(content) == export.size
    assert content.count(b"\r\n") == lines + 1
    [notice] = Notice.objects.all()
    assert (notice.kind, notice.recipient) == (NoticeKind.EXPORT_READY, maren_user)
    assert not perform(Export, export.pk)


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_costs_a_request_a_second_and_the_work_is_found_later(
    maren: Artist, maren_user: User, settings: Any, tmp_path: Path
) -> None:
    settings.PRIVATE_ROOT = tmp_path
    alive = settings.CELERY_BROKER_URL
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/nobody.sock?virtual_host=0"
    began = time.monotonic()
    export = request_export(by=maren_user, artist=maren)
    assert time.monotonic() - began < 2
    assert work._silent_until > time.monotonic()
    began = time.monotonic()
    wake(export)
    assert time.monotonic() - began < 0.1  # nobody waits for it twice

    settings.CELERY_BROKER_URL = alive
    work._silent_until = 0.0
    assert export.pk in Export.due(now()).values_list("pk", flat=True)
    assert sweep() >= 1
    assert perform(Export, export.pk)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_costs_a_request_less_than_two_seconds(
    maren: Artist, maren_user: User, settings: Any, tmp_path: Path
) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/silent.sock?virtual_host=0"
        began = time.monotonic()
        export = request_export(by=maren_user, artist=maren)
        assert time.monotonic() - began < 2
    assert Export.objects.get(pk=export.pk).state == WorkState.WAITING


@pytest.mark.django_db
def test_a_wake_up_is_sent_after_commit_and_never_for_what_was_rolled_back(
    maren_user: User,
    maren: Artist,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(work, "_send", lambda label, keys: sent.append((label, keys)))
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            request_export(by=maren_user, artist=maren)
            transaction.set_rollback(True)
        export = request_export(by=maren_user, artist=maren)
        assert sent == []
    assert sent == [("portal.Export", [export.pk])]


@pytest.mark.django_db
def test_every_kind_of_work_in_the_portal_is_swept() -> None:
    assert {Notice, Export} <= set(kinds())


@pytest.mark.django_db
def test_the_age_of_the_oldest_work_is_known(maren_user: User, maren: Artist) -> None:
    Notice.objects.all().delete()
    assert oldest_due() == timedelta()
    export = request_export(by=maren_user, artist=maren)
    assert oldest_due(at=export.next_at + timedelta(seconds=90)) == timedelta(seconds=90)


# --- The clock ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_two_clocks_run_each_slot_once() -> None:
    at = datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC)  # the night of the change to winter time
    every = timedelta(seconds=15)
    ticks = [at + timedelta(seconds=n // 2) for n in range(240)]  # two clocks, a tick a second
    ran = [tick for tick in ticks if take_slot(job="sweep", every=every, at=tick)]
    assert len(ran) == 9  # 120 seconds touch nine stretches of 15
    assert len({int(tick.timestamp() // 15) for tick in ran}) == 9
    assert take_slot(job="another", every=every, at=at)


@pytest.mark.django_db
def test_a_sweep_in_a_slot_that_was_taken_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swept: list[int] = []
    monkeypatch.setattr("portal.tasks.sweep", lambda: swept.append(1))
    monkeypatch.setattr(
        "portal.services.slots.clock.now", lambda: datetime(2026, 11, 2, tzinfo=UTC)
    )
    sweep_rows()
    sweep_rows()
    assert swept == [1]


@pytest.mark.django_db
def test_old_slots_are_forgotten() -> None:
    take_slot(job="sweep", every=timedelta(seconds=15), at=now() - timedelta(days=3))
    take_slot(job="sweep", every=timedelta(seconds=15))
    assert forget_slots() == 1
    assert JobSlot.objects.count() == 1


@pytest.mark.django_db
def test_work_that_kills_its_worker_is_given_up_after_five_attempts(
    maren: Artist, maren_user: User
) -> None:
    Notice.objects.all().delete()
    export = request_export(by=maren_user, artist=maren)
    for _ in range(Export.MAX_ATTEMPTS):
        assert Export.claim(export.pk, at=now()) is not None
        Export.objects.update(locked_until=now())
    assert not perform(Export, export.pk)
    export.refresh_from_db()
    assert export.state == WorkState.DEAD
    assert mail.outbox == []
