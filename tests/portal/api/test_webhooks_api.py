"""Telling companies by webhook: signed, once, again until it arrives; never our doorstep."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from consent.clock import now
from consent.models import PermissionRequest, Withdrawal
from consent.queries.ledger import head
from consent.services.permissions import answer_request
from consent.services.withdrawals import end_withdrawals_of
from consent.services.work import perform
from portal.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from portal.services import outbound
from portal.services.outbound import NotSent, check_address, post
from portal.services.webhooks import headers_of, tell_webhooks
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db


@dataclass
class Receiver:
    """The other side: remembers what came, and says what it is told to say."""

    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?of=tonewright"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_STAY_HOME = True
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(made.wait)
            self.send_response(made.status)
            for name, value in made.more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def hook(machine: Machine, receiver: Receiver, *kinds: str) -> dict[str, Any]:
    made = machine.post("webhooks", {"url": receiver.url, "kinds": list(kinds)})
    assert made.status_code == 201, made.content
    found: dict[str, Any] = made.json()
    return found


def attempt(message: WebhookMessage) -> WebhookMessage:
    """The next attempt, whenever it is due."""
    WebhookMessage.objects.filter(pk=message.pk).update(next_at=now())
    assert perform(WebhookMessage, message.pk)
    message.refresh_from_db()
    return message


def attempt_all() -> None:
    for message in WebhookMessage.objects.filter(state="waiting"):
        attempt(message)


def opened(receiver: Receiver, secret: str, place: int = -1) -> dict[str, Any]:
    headers, body = receiver.got[place]
    found: dict[str, Any] = Webhook(secret).verify(body, headers)
    return found


def test_a_change_is_told_signed_and_once(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    assert tell_webhooks() == 0
    before = head()
    world.says("allow")
    assert tell_webhooks() == 1
    assert tell_webhooks() == 0
    attempt_all()
    message = opened(receiver, made["secret"])
    assert message["type"] == "permissions.changed"
    assert message["data"]["after"] == before
    assert message["data"]["until"] == head()
    assert message["data"]["changes"][0]["about"]["use"] == "generative_training"
    assert len(receiver.got) == 1


def test_a_signature_does_not_fit_another_text_secret_or_time(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    machine.post(f"webhooks/{made['webhook']}/try")
    attempt_all()
    headers, body = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(body.replace(b"hello", b"hullo"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUJD" * 8).verify(body, headers)
    old = {**headers, "webhook-timestamp": str(int(time.time()) - 3_600)}
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(body, old)


def test_an_id_and_a_text_stay_the_same_through_all_attempts_and_a_replay(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    receiver.status = 500
    machine.post(f"webhooks/{made['webhook']}/try")
    message = WebhookMessage.objects.get()
    for _ in range(3):
        attempt(message)
    receiver.status = 204
    assert attempt(message).state == "done"
    assert machine.post(f"webhook-messages/{message.ref}/replay").status_code == 202
    attempt(message)
    assert len(receiver.got) == 5
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {message.message_id}
    assert len({body for _, body in receiver.got}) == 1
    log = machine.get(f"webhooks/{made['webhook']}/messages").json()["items"]
    assert [a["status"] for a in log[0]["attempts"]] == [500, 500, 500, 204, 204]
    assert log[0]["state"] == "done"


def test_ten_attempts_are_spread_over_three_days_and_then_it_is_given_up(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    hooked = hook(machine, receiver)
    receiver.status = 503
    machine.post(f"webhooks/{hooked['webhook']}/try")
    message = WebhookMessage.objects.get()
    waited = timedelta()
    for n in range(10):
        began = now()
        attempt(message)
        if n < 9:
            assert message.state == "waiting"
            pause = message.next_at - began
            assert pause > timedelta(seconds=3)
            waited += pause
    assert message.state == "dead"
    assert timedelta(days=2) < waited < timedelta(days=4)
    assert WebhookAttempt.objects.count() == 10


def test_pauses_are_not_all_the_same(machine: Machine, receiver: Receiver, world: World) -> None:
    hooked = hook(machine, receiver)
    receiver.status = 503
    pauses = set()
    for _ in range(5):
        machine.post(f"webhooks/{hooked['webhook']}/try")
        message = WebhookMessage.objects.latest("pk")
        attempt(message)
        attempt(message)
        pauses.add(round((message.next_at - now()).total_seconds()))
    assert len(pauses) > 1


def test_a_retry_after_is_honoured_and_bounded(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    hooked = hook(machine, receiver)
    receiver.status, receiver.more = 429, {"Retry-After": "3600"}
    machine.post(f"webhooks/{hooked['webhook']}/try")
    message = WebhookMessage.objects.get()
    attempt(message)
    assert timedelta(minutes=59) < message.next_at - now() < timedelta(minutes=61)
    receiver.more = {"Retry-After": "99999999"}
    attempt(message)
    assert message.next_at - now() <= timedelta(hours=25)


def test_who_says_gone_is_told_no_more(machine: Machine, receiver: Receiver, world: World) -> None:
    hooked = hook(machine, receiver)
    receiver.status = 410
    machine.post(f"webhooks/{hooked['webhook']}/try")
    message = WebhookMessage.objects.get()
    assert attempt(message).state == "dead"
    assert machine.get("webhooks").json()["items"] == []
    world.says("allow")
    assert tell_webhooks() == 0


def test_a_redirect_is_not_followed(machine: Machine, receiver: Receiver, world: World) -> None:
    hooked = hook(machine, receiver)
    receiver.status, receiver.more = 302, {"Location": receiver.url}
    machine.post(f"webhooks/{hooked['webhook']}/try")
    message = WebhookMessage.objects.get()
    assert attempt(message).state == "waiting"
    assert len(receiver.got) == 1


def test_for_a_day_messages_carry_the_signatures_of_both_secrets(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    rotated = machine.post(f"webhooks/{made['webhook']}/rotate").json()
    assert rotated["secret"] != made["secret"]
    machine.post(f"webhooks/{made['webhook']}/try")
    attempt_all()
    assert opened(receiver, made["secret"])
    assert opened(receiver, rotated["secret"])
    message = WebhookMessage.objects.get()
    later = headers_of(message, at=now() + timedelta(hours=25))
    assert len(later["webhook-signature"].split()) == 1
    assert len(headers_of(message)["webhook-signature"].split()) == 2


def test_secrets_are_unique_long_and_sealed_at_rest(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    first = hook(machine, receiver)
    again = machine.post("webhooks", {"url": receiver.url + "&n=2"}).json()
    assert first["secret"] != again["secret"]
    assert first["secret"].startswith("whsec_")
    raw = Webhook(first["secret"])._whsecret
    assert 24 <= len(raw) <= 64
    endpoint = WebhookEndpoint.objects.get(ref=first["webhook"])
    assert raw not in bytes(endpoint.secret)
    assert "secret" not in machine.get(f"webhooks/{first['webhook']}").json()


def test_what_is_told_is_chosen(machine: Machine, receiver: Receiver, world: World) -> None:
    hook(machine, receiver, "withdrawal.started")
    world.says("allow")
    assert tell_webhooks() == 0
    assert WebhookEndpoint.objects.get().position == head()
    problem_of(
        machine.post("webhooks", {"url": receiver.url + "&x=1", "kinds": ["x"]}), 422, "invalid"
    )


def test_a_withdrawal_is_told_and_noted_as_told_when_it_arrives(
    machine: Machine, receiver: Receiver, allowed: World
) -> None:
    made = hook(machine, receiver)
    allowed.says("deny")
    [row] = Withdrawal.objects.all()
    assert perform(Withdrawal, row.pk)
    assert Withdrawal.objects.filter(told_at=None).exists()
    attempt_all()
    assert not Withdrawal.objects.filter(told_at=None).exists()
    message = opened(receiver, made["secret"])
    assert message["type"] == "withdrawal.started"
    assert message["data"]["withdrawal"] == str(row.ref)
    assert message["data"]["already_trained"] is False


def test_a_new_webhook_is_told_of_what_waits_to_be_confirmed(
    machine: Machine, receiver: Receiver, allowed: World
) -> None:
    allowed.says("deny")
    made = hook(machine, receiver)
    attempt_all()
    assert opened(receiver, made["secret"])["type"] == "withdrawal.started"


def test_who_was_told_to_stop_is_told_that_it_may_go_on(
    machine: Machine, receiver: Receiver, allowed: World
) -> None:
    made = hook(machine, receiver, "withdrawal.started", "withdrawal.over")
    allowed.says("deny")
    [row] = Withdrawal.objects.all()
    perform(Withdrawal, row.pk)
    attempt_all()
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    assert [tell_webhooks(), tell_webhooks()] == [1, 0]
    attempt_all()
    assert [opened(receiver, made["secret"], n)["type"] for n in range(2)] == [
        "withdrawal.started",
        "withdrawal.over",
    ]
    data = opened(receiver, made["secret"])["data"]
    assert (data["withdrawal"], data["state"]) == (str(row.ref), "over")
    assert data["over_at"] is not None


def test_a_stop_that_was_tried_once_and_may_have_arrived_is_told_to_be_over(
    machine: Machine, receiver: Receiver, allowed: World
) -> None:
    hook(machine, receiver, "withdrawal.started", "withdrawal.over")
    allowed.says("deny")
    receiver.status = 500
    perform(Withdrawal, Withdrawal.objects.get().pk)
    attempt_all()
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    assert tell_webhooks() == 1


@pytest.mark.parametrize("written", [True, False])
def test_what_is_over_before_it_was_told_is_told_to_nobody(
    machine: Machine, receiver: Receiver, allowed: World, written: bool
) -> None:
    hook(machine, receiver, "withdrawal.started", "withdrawal.over")
    allowed.says("deny")
    [row] = Withdrawal.objects.all()
    if written:
        perform(Withdrawal, row.pk)
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    if not written:
        assert perform(Withdrawal, row.pk)
    attempt_all()
    assert tell_webhooks() == 0
    assert receiver.got == []


def test_a_new_webhook_is_not_told_to_stop_what_she_allowed_again(
    machine: Machine, receiver: Receiver, allowed: World
) -> None:
    allowed.says("deny")
    machine.get("withdrawals")  # so that the company has read of it
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    hook(machine, receiver)
    assert tell_webhooks() == 0
    attempt_all()
    assert receiver.got == []


def test_an_answer_is_told_when_it_is_whole(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver, "request.answered")
    machine.post(
        "requests",
        {"tool": world.tool.slug, "use": "remix_input", "why": "Stems", "isrc": world.havn.isrc},
    )
    assert tell_webhooks() == 0
    answer_request(by=None, request=PermissionRequest.objects.get(), stance="allow")
    assert tell_webhooks() == 1
    assert tell_webhooks() == 0
    attempt_all()
    assert opened(receiver, made["secret"])["data"]["state"] == "granted"


def test_a_webhook_is_one_clients_and_nobody_elses(
    machine: Machine, rival: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    machine.post(f"webhooks/{made['webhook']}/try")
    message = WebhookMessage.objects.get()
    path = f"webhooks/{made['webhook']}"
    problem_of(rival.get(path), 404, "unknown_webhook")
    problem_of(rival.delete(path), 404, "unknown_webhook")
    problem_of(rival.post(f"{path}/rotate"), 404, "unknown_webhook")
    problem_of(rival.post(f"{path}/try"), 404, "unknown_webhook")
    problem_of(rival.get(f"{path}/messages"), 404, "unknown_webhook")
    problem_of(rival.post(f"webhook-messages/{message.ref}/replay"), 404, "unknown_message")
    assert rival.get("webhooks").json() == {"items": []}


def test_an_ended_webhook_is_told_no_more_and_keeps_its_log(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    made = hook(machine, receiver)
    machine.post(f"webhooks/{made['webhook']}/try")
    assert machine.delete(f"webhooks/{made['webhook']}").status_code == 200
    assert machine.delete(f"webhooks/{made['webhook']}").status_code == 200
    message = WebhookMessage.objects.get()
    assert message.state == "dead"
    world.says("allow")
    assert tell_webhooks() == 0
    assert machine.get(f"webhooks/{made['webhook']}/messages").json()["items"]
    problem_of(machine.get(f"webhooks/{made['webhook']}"), 404, "unknown_webhook")
    problem_of(machine.post(f"webhook-messages/{message.ref}/replay"), 422, "webhook_ended")
    assert hook(machine, receiver)["webhook"] != made["webhook"]


def test_an_address_is_told_once_and_ten_at_most(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    hook(machine, receiver)
    problem_of(machine.post("webhooks", {"url": receiver.url}), 409, "webhook_there")
    for n in range(9):
        assert machine.post("webhooks", {"url": f"{receiver.url}&n={n}"}).status_code == 201
    problem_of(machine.post("webhooks", {"url": receiver.url + "&last"}), 422, "too_many_webhooks")


# Our own doorstep


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "ftp://hooks.example/x",
        "https://user:word@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:22/",
        "https://hooks.example:99999/",
        "https://127.0.0.1/",
        "https://10.0.0.8/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.8]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::1]/",
        "https://[2001:0:5db8:d70e::1]/",
        "https://[2002:5db8:d70e::1]/",
        "https://[fec0::1]/",
        "https://[feff:ffff::1]/",
        "https://[::127.0.0.1]/",
        "https://[::8.8.8.8]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[::ffff:0:8.8.8.8]/",
        "https://[64:ff9b::10.0.0.8]/",
        "https://[64:ff9b::8.8.8.8]/",
        "https://[64:ff9b:1::10.0.0.8]/",
        "https://[5f00::1]/",
        "https://[3fff::1]/",
        "https://[2001:db8::1]/",
        "https://192.88.99.1/",
        "https://240.0.0.1/",
        "https:///x",
        "https://hooks.example/é",
        "https://hooks.example/a b",
        "nonsense",
        "",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(
    machine: Machine, world: World, url: str
) -> None:
    response = machine.post("webhooks", {"url": url})
    assert response.status_code == 422, response.content
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fd00::7",
        "::ffff:192.168.0.1",
        "fec0::1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:a00:8::1",
    ],
)
def test_a_name_that_leads_home_is_refused_when_it_is_called(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.WEBHOOKS_MAY_STAY_HOME = False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)),
        (family, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    check_address("https://looks-harmless.example/")
    with pytest.raises(NotSent, match="not on the public internet"):
        post("https://looks-harmless.example/", b"{}", {})


def test_a_name_is_looked_up_once_and_the_connection_goes_there(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "moves.example" else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert post(f"http://moves.example:{receiver.port}/", b"{}", {}).status == 200
    assert asked.count("moves.example") == 1
    assert receiver.got[0][0]["host"] == f"moves.example:{receiver.port}"


def test_who_does_not_answer_is_waited_for_a_bounded_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.4)
    receiver.wait = 3.0
    began = time.monotonic()
    with pytest.raises(NotSent):
        post(receiver.url, b"{}", {})
    assert time.monotonic() - began < 2


def test_who_drips_its_answer_is_cut_off(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEBHOOKS_MAY_STAY_HOME = True
    monkeypatch.setattr(outbound, "SECONDS", 0.6)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        wire, _ = listener.accept()
        with wire:
            try:
                for _ in range(100):
                    wire.send(b"H")
                    time.sleep(0.1)
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(NotSent):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    assert time.monotonic() - began < 3
    thread.join()
    listener.close()


def test_nobody_there_is_an_attempt_that_failed(
    machine: Machine, receiver: Receiver, world: World
) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    made = machine.post("webhooks", {"url": f"http://127.0.0.1:{port}/"}).json()
    machine.post(f"webhooks/{made['webhook']}/try")
    message = WebhookMessage.objects.get()
    assert attempt(message).state == "waiting"
    assert "no connection" in message.last_error
    assert json.loads(message.payload)["type"] == "ping"
