"""Asking for an address as somebody, and reading all of what comes back."""

import html
import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

from django.conf import settings
from django.contrib.messages import get_messages
from django.core import mail
from django.core.handlers.base import BaseHandler
from django.db import transaction
from django.test import Client, RequestFactory

from tests import signing
from tests.access.actors import MACHINES, MAY_KNOW_AOI, MAY_KNOW_MAREN, Actor
from tests.access.world import World

WITH_A_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class _Undo(Exception):
    """Ends a request's transaction without keeping what it did."""


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end, with the e-mails and messages that it made."""

    status: int
    headers: dict[str, str]
    text: str
    asides: list[str] = field(default_factory=list)

    @property
    def everything(self) -> str:
        """All of it as one text in lower case, as somebody might read it who looks hard."""
        heads = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return html.unescape("\n".join((heads, self.text, *self.asides))).lower()


class Asker:
    """Everybody's browser, and everybody's machine; what a request changed is undone after it.

    Requests pass every middleware and no test client: the client keeps a copy of the context of
    each template, which costs more than the page.
    """

    def __init__(self, world: World, *, second_factor: bool = True) -> None:
        self.world = world
        self._handler = BaseHandler()
        self._handler.load_middleware()
        self._factory = RequestFactory()
        self._credentials: dict[Actor, dict[str, str]] = {Actor.ANONYMOUS: {}}
        for actor, user in world.people.items():
            client = Client()
            signing.sign_in(client, user, second_factor=second_factor, just_confirmed=True)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            self._credentials[actor] = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
        for actor, key in world.keys.items():
            self._credentials[actor] = {"Authorization": f"Bearer {key.secret}"}

    def ask(
        self, actor: Actor, method: str, url: str, data: dict[str, Any] | None = None
    ) -> Answer:
        """One request of this actor's."""
        body, kind = b"", ""
        if method in WITH_A_BODY:
            if url.startswith("/api/"):
                body, kind = json.dumps(data or {}).encode(), "application/json"
            else:
                body = urlencode(data or {}, doseq=True).encode()
                kind = "application/x-www-form-urlencoded"
        mail.outbox.clear()
        request = self._factory.generic(
            method, url, body, content_type=kind, headers=self._credentials[actor]
        )
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                response: Any = self._handler.get_response(request)
                parts = response.streaming_content if response.streaming else [response.content]
                text = b"".join(parts).decode("utf-8", "replace")
                for closer in response._resource_closers:
                    closer()
                said = [str(one) for one in get_messages(request)] if actor not in MACHINES else []
                sent = [f"{m.to} {m.subject}\n{m.body}" for m in mail.outbox]
                raise _Undo
        except _Undo:
            return Answer(response.status_code, dict(response.headers), text, [*said, *sent])


def leaks(actor: Actor, answer: Answer, url: str, world: World) -> set[str]:
    """The canaries in an answer that this actor must not know.

    The address itself does not count: who asked for it knew it.
    """
    text = answer.everything
    for address in (url, url.split("?")[0]):
        for form in (address, quote(address), quote_plus(address), html.escape(address)):
            text = text.replace(form.lower(), "")
    forbidden: set[str] = set()
    if actor not in MAY_KNOW_MAREN:
        forbidden |= world.maren.canaries
    if actor not in MAY_KNOW_AOI:
        forbidden |= world.aoi.canaries
    return {canary for canary in forbidden - _own(actor, world) if canary in text}


def _own(actor: Actor, world: World) -> set[str]:
    """What is somebody's own to know: who she is, and where she was once let in."""
    user = world.people.get(actor)
    own = {user.email.lower(), user.name.lower()} if user is not None else set()
    if actor is Actor.EX_MANAGER:  # was told so, by name, and keeps the notice
        own.add(world.maren.management.name.lower())
    return own
