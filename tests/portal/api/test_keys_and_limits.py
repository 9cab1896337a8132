"""Who may call, what with, and how often."""

import contextlib
import json
import os
import signal
import time
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver

from portal.api import limits
from portal.api.problems import Problem
from portal.api.urls import V1
from portal.api.views.base import MachineView, PublicView
from portal.models import ApiKey
from portal.roles import ApiScope
from portal.services.clients import CreatedKey, create_api_key, revoke_api_key
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic bWFyZW46aG9sdA==",
        "Bearer ln_live_00000000_" + "A" * 43,
        "Bearer ln_live_00000000_" + "A" * 4_300,
        "Bearer ln_live_0000000é_" + "A" * 43,
    ],
)
def test_without_a_live_key_there_is_no_answer(world: World, header: str) -> None:
    for path in ("tools", "permissions/changes", "withdrawals", "webhooks"):
        response = Client().get(f"/api/v1/{path}", headers={"Authorization": header})
        problem_of(response, 401, "unauthorised")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_is_worthless_at_the_next_request(
    machine: Machine, tonewright_key: CreatedKey, allowed: World
) -> None:
    assert machine.decide(allowed.question).status_code == 200
    assert machine.get("tools").status_code == 200
    revoke_api_key(by=None, key=tonewright_key.key)
    problem_of(machine.decide(allowed.question), 401, "unauthorised")
    problem_of(machine.get("tools"), 401, "unauthorised")


def test_two_keys_are_live_while_one_replaces_the_other(
    machine: Machine, tonewright_key: CreatedKey, world: World
) -> None:
    second = create_api_key(by=None, client=tonewright_key.key.client, scopes=ApiScope)
    assert Machine(second.secret).get("tools").status_code == 200
    revoke_api_key(by=None, key=tonewright_key.key)
    assert Machine(second.secret).get("tools").status_code == 200
    problem_of(machine.get("tools"), 401, "unauthorised")


def test_a_key_does_what_its_scopes_say_and_no_more(
    tonewright_key: CreatedKey, world: World
) -> None:
    narrow = Machine(
        create_api_key(by=None, client=tonewright_key.key.client, scopes=[ApiScope.DECIDE]).secret
    )
    assert narrow.decide(world.question).status_code == 200
    problem = problem_of(narrow.get("tools"), 403, "scope_missing")
    assert "register" in problem["detail"]
    problem_of(narrow.get("permissions/changes"), 403, "scope_missing")
    problem_of(narrow.post("usage-events", {"events": []}), 403, "scope_missing")
    problem_of(narrow.post("requests", {}), 403, "scope_missing")


def test_a_key_without_the_scope_to_decide_decides_nothing(
    tonewright_key: CreatedKey, world: World
) -> None:
    narrow = Machine(
        create_api_key(by=None, client=tonewright_key.key.client, scopes=[ApiScope.REPORT]).secret
    )
    problem_of(narrow.decide(world.question), 403, "scope_missing")
    problem_of(narrow.get("decisions/replay", decision="x"), 403, "scope_missing")


def test_every_method_of_every_view_names_what_it_needs() -> None:
    for route in V1:
        view = route.callback.cls
        methods = {m.upper() for m in ("get", "post", "put", "patch", "delete") if m in dir(view)}
        if issubclass(view, PublicView):
            assert methods == {"GET"}, view
            continue
        assert issubclass(view, MachineView)
        assert methods == set(view.scopes), view


def test_whatever_changes_something_does_so_once() -> None:
    pure = {"DecisionsView", "ReplayView"}
    for route in V1:
        view = route.callback.cls
        for method in ("post", "delete", "put", "patch"):
            if method in dir(view) and view.__name__ not in pure:
                assert getattr(getattr(view, method), "writes", False), view


def test_a_method_that_is_not_there_is_said_before_a_key_is_asked_for(machine: Machine) -> None:
    for method in ("put", "patch", "options", "trace"):
        response = getattr(machine.http, method)("/api/v1/tools", headers=machine.headers())
        problem_of(response, 405, "method_not_allowed")


def test_an_address_that_is_not_there_is_a_problem_too(machine: Machine) -> None:
    problem_of(machine.get("nothing"), 404, "not_found")
    problem_of(machine.get("tools/"), 404, "not_found")


def test_a_browser_that_is_signed_in_is_nobody_to_the_api(
    signed_in: Any, maren_user: Any, world: World
) -> None:
    browser = signed_in(maren_user)
    problem_of(browser.get("/api/v1/tools"), 401, "unauthorised")
    response = browser.post(
        "/api/v1/decisions",
        json.dumps({"items": [world.question]}),
        content_type="application/json",
    )
    problem_of(response, 401, "unauthorised")


def test_nothing_private_may_be_stored_and_no_cookie_is_set(machine: Machine, world: World) -> None:
    for response in (
        machine.get("tools"),
        machine.decide(world.question),
        machine.get("nothing"),
        Client().get("/api/v1/tools"),
    ):
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not response.cookies


def test_last_use_is_shown_and_not_written_at_every_request(
    machine: Machine, tonewright_key: CreatedKey, world: World, django_assert_num_queries: Any
) -> None:
    assert ApiKey.objects.get().last_used_at is None
    machine.get("tools")
    seen = ApiKey.objects.get().last_used_at
    assert seen is not None
    machine.get("tools")
    machine.decide(world.question)
    assert ApiKey.objects.get().last_used_at == seen


# How often


def test_beyond_the_limit_a_client_waits(
    machine: Machine, rival: Machine, world: World, settings: Any
) -> None:
    settings.API_LIMITS = {"decide": 3, "read": 2}
    for _ in range(3):
        assert machine.decide(world.question).status_code == 200
    response = machine.decide(world.question)
    problem_of(response, 429, "too_many_requests")
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert rival.decide(world.question).status_code == 200  # each client for itself
    assert machine.get("tools").status_code == 200  # each kind for itself


def test_all_processes_count_together(settings: Any, world: World) -> None:
    settings.API_LIMITS = {"read": 300}
    taken = 0
    for n in range(400):
        if n % 10 == 0:
            limits.forget()  # another process, which knows nothing of this one's lease
        with contextlib.suppress(Problem):
            limits.take("read", "together")
            taken += 1
    assert taken <= 300
    assert cache.get(f"api:read:together:{int(time.time() // 60)}") >= 300


def test_a_thousand_wrong_keys_are_too_many(world: World, settings: Any) -> None:
    settings.API_LIMITS = {"bad_key": 5}
    wrong = {"Authorization": "Bearer ln_live_00000000_" + "A" * 43}
    stranger = Client(REMOTE_ADDR="203.0.113.7")  # whom no other test counts
    codes = [stranger.get("/api/v1/tools", headers=wrong).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2


def test_a_forwarded_address_counts_only_from_a_proxy_of_ours(world: World, settings: Any) -> None:
    settings.API_LIMITS = {"public": 2}
    path = f"/api/v1/signals/{world.havn.isrc}"
    codes = [
        Client().get(path, headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(4)
    ]
    assert codes == [200, 200, 429, 429]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    header = {"X-Forwarded-For": "203.0.113.9, 198.51.100.77"}
    assert Client().get(path, headers=header).status_code == 200


def test_without_redis_each_process_counts_for_itself(
    machine: Machine, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_LIMITS = {"decide": 2}
    nowhere = dict(django_settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")
    settings.CACHES = {"default": nowhere}
    began = time.monotonic()
    codes = [machine.decide(world.question).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    assert time.monotonic() - began < 2


def test_a_redis_that_hangs_delays_an_answer_by_less_than_two_seconds(
    machine: Machine, world: World, running_servers: Any
) -> None:
    machine.decide(world.question)
    pid = _pid_of_redis()
    limits.forget()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        response = machine.decide(world.question)
        took = time.monotonic() - began
    finally:
        os.kill(pid, signal.SIGCONT)
    assert response.status_code == 200
    assert took < 2


def _pid_of_redis() -> int:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        return int(client.info("server")["process_id"])


def test_every_route_of_the_api_is_named() -> None:
    assert all(route.name for route in V1)
    assert get_resolver().resolve("/api/v1/decisions").url_name == "api-decisions"
