"""Every route of the portal, read from the URLconf, with an address of Maren's for each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from consent.models import RightsClaim
from consent.words import UseKind
from tests.access.world import Side, World

CATCH_ALL: Final = "admin/(?P<url>.*)$"


@dataclass(frozen=True)
class Route:
    """One pattern. `name` as `reverse` takes it; the pattern itself where there is none."""

    name: str
    pattern: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def is_api(self) -> bool:
        """Whether machines ask here, and nobody else."""
        return self.pattern.startswith("api/v1/")

    @property
    def is_admin(self) -> bool:
        """Whether staff work here."""
        return self.pattern.startswith("admin/")


def all_routes() -> list[Route]:
    """Every pattern of the URLconf: pages, API, sign-in and admin."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: Any, before: str, space: str) -> Iterator[Route]:
    for one in patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one.url_patterns, pattern, inner)
        elif isinstance(one, URLPattern):
            name = f"{space}{one.name}" if one.name else pattern
            arguments = _arguments(pattern)
            yield Route(name, pattern, arguments)


def _arguments(pattern: str) -> tuple[str, ...]:
    """The names of the arguments in a whole pattern: `<str:slug>` or `(?P<key>…)`."""
    return tuple(re.findall(r"<(?:\w+:)?(\w+)>", pattern))


def address_of(route: Route, world: World) -> str:
    """The address of this route that is about Maren."""
    if route.pattern == CATCH_ALL:
        return f"{reverse('admin:index')}nowhere/at/all"
    side = world.maren
    url = reverse(
        route.name, kwargs={name: _argument(name, route, world) for name in route.arguments}
    )
    asked = {"use": "discovery", "tool": side.tool.slug, "isrc": side.songs[0].isrc}
    queries: dict[str, dict[str, Any]] = {
        "why": asked,
        "why_receipt": asked,
        "api-history": {**asked, "at": "2026-01-15T00:00:00Z"},
        "api-snapshot": {"tool": side.tool.slug},
        "api-inclusion": {"seq": 1},
        "api-consistency": {"old": 1, "new": 2},
        "api-replay": {"decision": side.texts["decision"]},
    }
    query = queries.get(route.name)
    return f"{url}?{urlencode(query)}" if query else url


def _argument(name: str, route: Route, world: World) -> Any:
    side = world.maren
    if name == "object_id":  # admin/<app>/<model>/<object_id>/…
        model = "_".join(route.pattern.split("/")[1:3])
        return (side.rows.get(model) or world.operators[model]).pk
    if name == "ref":
        return _ref(route.name, side)
    if route.name == "account_reset_password_from_key":
        return {"uidb36": "1", "key": "set-password"}[name]
    checkpoint: Any = world.operators["consent_ledgercheckpoint"]
    return {
        "slug": side.artist.slug,
        "isrc": side.songs[0].isrc,
        "tool": side.tool.slug,
        "use": UseKind.DISCOVERY.value,
        "token": side.texts["token"],
        "position": 1,
        "size": checkpoint.size,
        "code": "unknown_tool",
        "label": side.label.pk,
        "profile": side.texts["profile"],
        "right": "master",
        "kind": "portal-export",
        "key": world.operators["work"].pk,
        "app_label": "consent",
        "pk": world.passkey.pk if world.passkey else 0,
    }[name]


# Which of Maren's rows the `ref` of an address names.
REFS: Final = {
    "answer_request": "request",
    "act": "act",
    "receipt": "act",
    "undo_act": "act",
    "saving": "bulk change",
    "open_notice": "notice",
    "export_progress": "export",
    "fetch_export": "export",
    "answer_split": "split",
    "statement": "statement",
    "statement_line": "statement",
    "end_access": "membership of manager",
    "end_licence": "own licence",
    "end_own_right": "own claim",
    "api-acknowledge": "consent_withdrawal",
    "api-webhook": "webhook",
    "api-webhook-rotate": "webhook",
    "api-webhook-try": "webhook",
    "api-webhook-messages": "webhook",
    "api-webhook-replay": "webhook message",
}


def _ref(name: str, side: Side) -> Any:
    if name == "api-retire-model":
        return side.model.ref
    if name == "api-request":
        asked: Any = side.rows["request"]
        return asked.batch
    row: Any = side.rows[REFS[name]]
    return row.claim if isinstance(row, RightsClaim) else row.ref
