"""When something is broken, the answer is no, or “ask again” within two seconds: never yes."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from consent.queries import decision
from portal.api import deadline
from portal.api.views import decisions
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_connection() -> Iterator[None]:
    yield
    connection.close()


def timed(machine: Machine, world: World) -> tuple[Any, float]:
    began = time.monotonic()
    response = machine.decide(world.question)
    return response, time.monotonic() - began


def unavailable(machine: Machine, world: World) -> None:
    response, took = timed(machine, world)
    problem_of(response, 503, "unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    assert took < 2


def works(machine: Machine, world: World) -> None:
    connection.close()
    response = machine.decide(world.question)
    assert response.json()["items"][0]["allowed"] is True


def test_a_slow_database_is_no_yes(machine: Machine, allowed: World) -> None:
    works(machine, allowed)
    with psycopg.connect(
        **{**connections["owner"].get_connection_params(), "cursor_factory": None}
    ) as blocker:
        blocker.execute("LOCK TABLE consent_permission IN ACCESS EXCLUSIVE MODE")
        unavailable(machine, allowed)
        unavailable(machine, allowed)
    works(machine, allowed)


def test_a_database_that_hangs_is_no_yes(machine: Machine, allowed: World) -> None:
    works(machine, allowed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    os.kill(backend, signal.SIGSTOP)
    try:
        unavailable(machine, allowed)
    finally:
        os.kill(backend, signal.SIGCONT)
    works(machine, allowed)


def test_a_database_that_takes_no_connections_is_no_yes(
    machine: Machine, allowed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(machine, allowed)
    connection.close()
    real = connection.get_connection_params()
    monkeypatch.setattr(
        connection, "get_connection_params", lambda: {**real, "host": "/nowhere", "port": "1"}
    )
    unavailable(machine, allowed)
    monkeypatch.undo()
    works(machine, allowed)


def test_a_database_that_accepts_and_then_says_nothing_is_no_yes(
    machine: Machine, allowed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(machine, allowed)
    connection.close()
    listener = socket.create_server(("127.0.0.1", 0))
    real = connection.get_connection_params()
    monkeypatch.setattr(
        connection,
        "get_connection_params",
        lambda: {
            **real,
            "host": "127.0.0.1",
            "port": str(listener.getsockname()[1]),
            "sslmode": "disable",
        },
    )
    try:
        unavailable(machine, allowed)
    finally:
        listener.close()
    monkeypatch.undo()
    works(machine, allowed)


def test_a_connection_that_was_ended_is_no_yes_and_the_next_request_works(
    machine: Machine, allowed: World
) -> None:
    works(machine, allowed)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    os.kill(backend, signal.SIGTERM)
    time.sleep(0.1)
    response, took = timed(machine, allowed)
    assert response.status_code in (200, 503)
    assert took < 2
    works(machine, allowed)


def test_a_broken_answer_of_the_database_is_no_yes(
    machine: Machine, allowed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.http.raise_request_exception = False

    def breaks(*_: Any, **__: Any) -> Any:
        raise ValueError("nonsense came back")

    monkeypatch.setattr(decision, "decide", breaks)
    response = machine.decide(allowed.question)
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert b"allowed" not in response.content


def test_many_that_wait_at_once_are_each_answered_in_time(machine: Machine, allowed: World) -> None:
    works(machine, allowed)
    answers: list[tuple[int, float]] = []

    def ask() -> None:
        try:
            response, took = timed(Machine(machine.secret), allowed)
            answers.append((response.status_code, took))
        finally:
            connection.close()

    with psycopg.connect(
        **{**connections["owner"].get_connection_params(), "cursor_factory": None}
    ) as blocker:
        blocker.execute("LOCK TABLE consent_permission IN ACCESS EXCLUSIVE MODE")
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [status for status, _ in answers] == [503] * 6
    assert max(took for _, took in answers) < 2.5  # six threads share a busy machine


def test_a_deadline_that_is_met_leaves_nothing_behind() -> None:
    with deadline.within(0.3), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    time.sleep(0.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert deadline._waiting == {}
    assert decisions.LARGEST_QUESTION < 1_000_000
