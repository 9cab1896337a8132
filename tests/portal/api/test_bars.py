"""What decisions and reports must withstand, through several processes of the real server.

At a size that fits the suite; `make soak` runs the full one.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings as portal_settings
from django.db import connection

from consent.clock import now
from consent.queries.ledger import head
from portal import servers
from portal.api import limits
from portal.roles import ApiScope
from portal.services.clients import CreatedKey, create_api_key
from royalties.models import UsageConflict, UsageEvent
from tests.consent.build import on_recording, some_recordings
from tests.portal.api.conftest import Machine, World
from tests.portal.api.running import Site, site
from tests.portal.api.test_reports_api import event_of, output_of

pytestmark = pytest.mark.django_db(transaction=True)

USAGE = "/api/v1/usage-events"
SOAK = bool(os.environ.get("LINER_TEST_SOAK"))


@pytest.fixture(scope="module")
def processes(running_servers: servers.Home, django_db_setup: None) -> Iterator[Site]:
    """Several processes of the web server, for all tests here: what they serve is emptied."""
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": running_servers.database_url(servers.APPLICATION_ROLE, name),
        "REDIS_URL": running_servers.redis_url,
        "LINER_SECRET_KEY": str(portal_settings.SECRET_KEY),
    }
    with site(environment, workers=4 if SOAK else 2) as running:
        yield running


@pytest.fixture
def served(processes: Site, allowed: World) -> Iterator[Site]:
    processes.keep()
    yield processes
    connection.close()


class Line:
    """One connection of a client that keeps it open."""

    def __init__(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        self.http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        self.http.request("POST", f"/api/v1/{path}", json.dumps(body), self.headers | headers)
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())

    def allowed(self, *questions: dict[str, Any]) -> tuple[int, list[bool]]:
        status, body = self.post("decisions", {"items": list(questions)})
        assert status == 200, body
        return body["seq"], [item["allowed"] for item in body["items"]]


def both_keys(key: CreatedKey) -> list[str]:
    second = create_api_key(by=None, client=key.key.client, scopes=[ApiScope.DECIDE])
    return [key.secret, second.secret]


@pytest.mark.parametrize("redis_is", ["there", "flushed and paused"])
def test_after_a_revocation_no_process_says_yes(
    served: Site, allowed: World, tonewright_key: CreatedKey, redis_is: str
) -> None:
    """Each answer of the artist is asked about at once, over connections to several processes."""
    rounds = 2_500 if SOAK else 20
    with (
        contextlib.ExitStack() as open_lines,
        redis.Redis.from_url(portal_settings.REDIS_URL) as broker,
    ):
        lines = [
            open_lines.enter_context(Line(served.url, secret))
            for secret in both_keys(tonewright_key)
            for _ in range(4)
        ]
        for n in range(rounds):
            if redis_is != "there" and n % 5 == 0:
                broker.flushdb()
                broker.execute_command("CLIENT", "PAUSE", 200, "ALL")
            stance = "allow" if n % 2 else "deny"
            allowed.says(stance)
            after = head()
            for line in random.sample(lines, 2):
                seq, [answer] = line.allowed(allowed.question)
                assert seq >= after
                assert answer is (stance == "allow")


def test_whoever_asks_while_an_artist_answers_hears_what_held_at_its_position(
    served: Site, allowed: World, tonewright_key: CreatedKey
) -> None:
    """Readers race a writer: every answer is right for its `seq`, and no later one is older."""
    said: dict[int, bool] = {head(): True}
    rounds = 2_000 if SOAK else 40
    over = threading.Event()
    wrong: list[Any] = []
    heard: Counter[bool] = Counter()

    def read() -> None:
        last = 0
        with Line(served.url, tonewright_key.secret) as line:
            while not over.is_set():
                seq, answers = line.allowed(allowed.question, allowed.question)
                heard[answers[0]] += 1
                if seq < last or answers[0] is not answers[1]:
                    wrong.append((seq, last, answers))
                last = seq
                found.append((seq, answers[0]))

    found: list[tuple[int, bool]] = []
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for n in range(rounds):
        allowed.says("deny" if n % 2 == 0 else "allow")
        said[head()] = n % 2 == 1
    over.set()
    for reader in readers:
        reader.join()
    positions = sorted(said)
    for seq, answer in found:
        held = said[max(p for p in positions if p <= seq)]
        if answer is not held:
            wrong.append((seq, answer, held))
    assert wrong == []
    assert heard[True] and heard[False]


def test_a_batch_is_one_snapshot_whatever_changes_meanwhile(
    served: Site, allowed: World, tonewright_key: CreatedKey
) -> None:
    """All answers of a batch agree about a fact that they share."""
    songs = some_recordings(20, allowed.maren, holder=allowed.fjord, publisher=allowed.songs)
    questions = [{**allowed.question, "isrc": r.isrc} for r in songs] * 5
    over = threading.Event()

    def flip() -> None:
        try:
            n = 0
            while not over.is_set():
                allowed.says("deny" if n % 2 else "allow")
                n += 1
        finally:
            connection.close()

    writer = threading.Thread(target=flip)
    writer.start()
    mixed = 0
    try:
        with Line(served.url, tonewright_key.secret) as line:
            for _ in range(500 if SOAK else 15):
                _seq, answers = line.allowed(*questions)
                mixed += len(set(answers)) != 1
    finally:
        over.set()
        writer.join()
    assert mixed == 0


def test_random_past_decisions_replay_to_the_same_answer(
    machine: Machine, allowed: World, settings: Any
) -> None:
    settings.API_LIMITS = {"read": 1_000_000}
    songs = some_recordings(5, allowed.maren, holder=allowed.fjord, publisher=allowed.songs)
    chance = random.Random(3)
    tokens: list[tuple[str, bool]] = []
    acts: list[Callable[[], None]] = [
        lambda: allowed.says(chance.choice(["allow", "deny", "ask"])),
        lambda: allowed.says(
            chance.choice(["allow", "deny"]), scope=on_recording(chance.choice(songs))
        ),
        lambda: allowed.says("allow", "remix_input", territories=["NO"]),
        lambda: allowed.says("deny", "remix_input"),
    ]
    for _ in range(2_000 if SOAK else 25):
        chance.choice(acts)()
        asked = [
            {
                **allowed.question,
                "isrc": song.isrc,
                "use": chance.choice(["generative_training", "remix_input"]),
                **({"territory": "NO"} if chance.random() < 0.5 else {}),
                **({"model_version": str(allowed.model.ref)} if chance.random() < 0.5 else {}),
            }
            for song in songs
        ]
        tokens += [
            (item["decision"], item["allowed"]) for item in machine.decide(*asked).json()["items"]
        ]
    assert {answer for _token, answer in tokens} == {True, False}
    chance.shuffle(tokens)
    limits.forget()
    for token, answer in tokens:
        replay = machine.get("decisions/replay", decision=token).json()
        assert replay["allowed"] is answer
        assert replay["same"] is True


def test_usage_survives_cut_connections_killed_workers_and_repetition(
    served: Site, machine: Machine, allowed: World, tonewright_key: CreatedKey
) -> None:
    """What was confirmed is there, once; what conflicts is noted, and changes nothing."""
    how_many = 100_000 if SOAK else 600
    assert machine.post("outputs", output_of(allowed)).status_code == 201
    at = now().isoformat()
    events = [event_of(n, occurred_at=at, revenue_micros=n + 1) for n in range(how_many)]
    sent = [*events, *random.sample(events, how_many * 3 // 10)]
    sent += [{**e, "revenue_micros": 7_000_000} for e in random.sample(events, how_many // 20)]
    random.shuffle(sent)
    batches = [sent[n : n + 20] for n in range(0, len(sent), 20)]
    confirmed: dict[str, int] = {}
    refused: list[Any] = []
    over = threading.Event()
    patience = time.monotonic() + (3_600 if SOAK else 120)

    def send(part: list[list[dict[str, Any]]]) -> None:
        chance = random.Random(len(part))
        for batch in part:
            while True:
                with Line(served.url, tonewright_key.secret) as line:
                    try:
                        if chance.random() < 0.1:  # the answer is lost on its way
                            body = json.dumps({"events": batch})
                            line.http.request("POST", USAGE, body, line.headers)
                            continue
                        status, answer = line.post("usage-events", {"events": batch})
                    except (OSError, http.client.HTTPException, ValueError):
                        status = 0
                if status == 200:
                    break
                assert time.monotonic() < patience, "nobody answers any more"
                time.sleep(0.05)
            for event, item in zip(batch, answer["items"], strict=True):
                if item["outcome"] in ("recorded", "repeated"):
                    confirmed[event["event_id"]] = event["revenue_micros"]
                elif item["outcome"] != "conflict":
                    refused.append(item)

    def kill() -> None:
        """Kill, and keep the server, which ends itself when its workers die again and again."""
        left = 20 if SOAK else 3
        while not over.wait(0.5 if SOAK else 0.1):
            pids = served.worker_pids()
            if left and pids:
                left -= 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(random.choice(pids), signal.SIGKILL)
            served.keep()

    senders = [threading.Thread(target=send, args=[batches[n::4]]) for n in range(4)]
    killer = threading.Thread(target=kill)
    for thread in (*senders, killer):
        thread.start()
    for thread in senders:
        thread.join()
    over.set()
    killer.join()
    assert refused == []
    stored = dict(UsageEvent.objects.values_list("event_id", "revenue_micros"))
    assert len(stored) == UsageEvent.objects.count() == how_many
    assert {name: stored[name] for name in confirmed} == confirmed
    assert UsageConflict.objects.exists()
