"""Sending a request again: one effect, one answer; and a sandbox that has none."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from consent.clock import now
from consent.models import LedgerEntry, ModelVersion, Tool
from consent.queries.ledger import head
from portal.models import AnsweredRequest, ApiClient
from portal.services import idempotency
from portal.services.idempotency import Answer, perform_once
from tests.portal.api.conftest import Machine, World, problem_of

TOOL = {"tool": "tonewright-wavewright", "name": "Wavewright", "kind": "composer"}


@pytest.mark.django_db
def test_the_same_request_again_has_the_same_answer_and_no_effect(
    machine: Machine, world: World
) -> None:
    made = machine.post("tools", TOOL, Idempotency_Key="a")
    assert "Idempotency-Replayed" not in made.headers
    before = head()
    again = machine.post("tools", TOOL, Idempotency_Key="a")
    assert again.status_code == 201
    assert again.json() == made.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert head() == before


@pytest.mark.django_db
def test_another_request_under_the_same_key_is_refused(machine: Machine, world: World) -> None:
    machine.post("tools", TOOL, Idempotency_Key="a")
    other = machine.post("tools", {**TOOL, "tool": "other"}, Idempotency_Key="a")
    problem_of(other, 422, "idempotency_reused")
    elsewhere = machine.post("model-versions", TOOL, Idempotency_Key="a")
    problem_of(elsewhere, 422, "idempotency_reused")
    assert not Tool.objects.filter(slug="other").exists()


@pytest.mark.django_db
def test_each_client_has_its_own_keys(machine: Machine, rival: Machine, world: World) -> None:
    machine.post("tools", TOOL, Idempotency_Key="a")
    other = rival.post(
        "tools", {**TOOL, "tool": "oceanic-gale", "name": "Gale"}, Idempotency_Key="a"
    )
    assert other.status_code == 201


@pytest.mark.django_db
def test_what_was_refused_can_be_corrected_under_the_same_key(
    machine: Machine, world: World
) -> None:
    problem_of(machine.post("tools", {**TOOL, "kind": "x"}, Idempotency_Key="a"), 422, "invalid")
    assert machine.post("tools", TOOL, Idempotency_Key="a").status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 256, "é"])
def test_a_key_is_a_short_plain_text(machine: Machine, world: World, key: str) -> None:
    problem_of(machine.post("tools", TOOL, Idempotency_Key=key), 422, "idempotency_key")


@pytest.mark.django_db
def test_answers_are_sealed_and_forgotten_after_their_time(machine: Machine, world: World) -> None:
    machine.post("tools", TOOL, Idempotency_Key="a")
    row = AnsweredRequest.objects.get()
    assert b"tonewright-wavewright" not in bytes(row.body)
    assert idempotency.forget_answers() == 0
    AnsweredRequest.objects.update(created_at=now() - idempotency.KEPT - timedelta(minutes=1))
    assert idempotency.forget_answers() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect(machine: Machine, world: World) -> None:
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(
                Machine(machine.secret).post(
                    "model-versions",
                    {"tool": world.tool.slug, "name": "v2"},
                    Idempotency_Key="at once",
                )
            )
        finally:
            connection.close()

    before = head()
    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert sum("Idempotency-Replayed" in a.headers for a in answers) == 7
    assert ModelVersion.objects.filter(name="v2").count() == 1
    assert head() == before + 1


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_being_worked_on_the_second_is_told_to_wait(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_MS", 200)
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> Answer:
        begun.set()
        go_on.wait(10)
        return Answer(201, {})

    from django.test import RequestFactory

    from portal.api.authentication import authenticate

    request = RequestFactory().get("/", headers=machine.headers())
    client = authenticate(request).client

    def first() -> None:
        try:
            perform_once(client=client, sandbox=False, key="slow", digest="0" * 64, act=slowly)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(10)
        busy = machine.post("tools", TOOL, Idempotency_Key="slow")
        problem_of(busy, 409, "idempotency_busy")
    finally:
        go_on.set()
        thread.join()


@pytest.mark.django_db
def test_what_fails_half_way_leaves_neither_effect_nor_answer(
    machine: Machine, world: World
) -> None:
    def breaks() -> Answer:
        ModelVersion.objects.create(tool=world.tool, name="half", created_at=now())
        raise RuntimeError("the machine burns")

    client = ApiClient.objects.get()
    with pytest.raises(RuntimeError):
        perform_once(client=client.pk, sandbox=False, key="k", digest="0" * 64, act=breaks)
    assert not ModelVersion.objects.filter(name="half").exists()
    assert not AnsweredRequest.objects.exists()


# The sandbox


@pytest.mark.django_db
def test_a_sandbox_checks_everything_writes_nothing_and_says_so(
    sandbox: Machine, machine: Machine, world: World
) -> None:
    before = head(), LedgerEntry.objects.count()
    tried = sandbox.post("tools", TOOL)
    assert tried.status_code == 201
    assert tried.json()["sandbox"] is True
    assert tried.json()["tool"] == "tonewright-wavewright"
    assert (head(), LedgerEntry.objects.count()) == before
    assert not Tool.objects.filter(slug="tonewright-wavewright").exists()
    problem_of(sandbox.post("tools", {**TOOL, "kind": "x"}), 422, "invalid")
    assert "sandbox" not in machine.post("tools", TOOL).json()


@pytest.mark.django_db
def test_a_sandbox_and_the_live_world_keep_their_answers_apart(
    sandbox: Machine, machine: Machine, world: World
) -> None:
    tried = sandbox.post("tools", TOOL, Idempotency_Key="a")
    again = sandbox.post("tools", TOOL, Idempotency_Key="a")
    assert again.json() == tried.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    live = machine.post("tools", TOOL, Idempotency_Key="a")
    assert "sandbox" not in live.json()
    assert Tool.objects.filter(slug="tonewright-wavewright").exists()
