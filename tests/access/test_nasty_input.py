"""Whatever is sent to whichever address: it is answered, and never by falling over.

What belongs there is sent with one part of it replaced by something nasty, and everything that any
page or endpoint reads at once, all nasty.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.core.cache import cache

from portal.api import limits
from portal.forms.permissions import AnswerForm, ManyForm
from tests.access.actors import Actor
from tests.access.asking import Asker
from tests.access.payloads import payload_of
from tests.access.routes import Route, address_of, all_routes
from tests.access.table import DOORS, TABLE
from tests.access.world import World

ROUTES: Final = all_routes()
PORTAL: Final = Path(__file__).resolve().parents[2] / "portal"

TEXTS: Final = (
    "",
    "\0",
    "maren\0holt",
    "\ud800",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{FULLWIDTH DIGIT ONE}",
    "x" * 5_000,
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "%",
    "²",
)
DATES: Final = (
    "0001-01-01",
    "9999-12-31",
    "2199-12-31",
    "2200-01-01",
    "1999-12-31",
    "2023-02-29",
    "0000-00-00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999Z",
    "2026-01-01T00:00:00",
)
THINGS: Final[tuple[Any, ...]] = (
    None,
    [],
    {},
    True,
    -1,
    2**63,
    10**40,
    0.5,
    [[]],
    [None],
    {"a": 1},
)

SOAK: Final = os.environ.get("LINER_TEST_SOAK") == "1"
SOME: Final = (*TEXTS, *DATES) if SOAK else ("\0", "\ud800", "9" * 40, *DATES[:2])
"""What is sent to every address there is; the rest goes where it is read."""

_READ: Final = re.compile(
    r"(?:(?:GET|POST|query_params|data)(?:\.get|\.getlist)?[\[(]|OpenApiParameter\("
    r"|(?:text|number)\w*\(request, )"
    r"\"(\w+)\""
)
_FIELD: Final = re.compile(
    r"^    (\w+) = (?:forms|serializers)?\.?\w*(?:Field|_percent|Moment)\(", re.MULTILINE
)


def _parameters() -> list[str]:
    """Every name that a view, a form or a shape of the portal reads."""
    found: set[str] = set()
    for folder in ("views", "forms", "api", "admin", "queries"):
        for file in (PORTAL / folder).rglob("*.py"):
            text = file.read_text()
            found.update(_READ.findall(text), _FIELD.findall(text))
    return sorted(found)


PARAMETERS: Final = _parameters()


@pytest.fixture(scope="module")
def asker(world: World) -> Asker:
    return Asker(world)


@pytest.fixture(autouse=True)
def _counts_start_at_zero(world: World) -> Iterator[None]:
    cache.clear()
    limits.forget()
    yield
    cache.clear()
    limits.forget()


def _actor(route: Route) -> Actor:
    """Whoever reaches most at this door."""
    if route.is_api:
        return Actor.API_CLIENT
    if route.is_admin:
        return Actor.OPERATOR
    return Actor.ANONYMOUS if route.pattern.startswith("accounts/") else Actor.ARTIST


def _whole(route: Route, world: World) -> list[dict[str, Any]]:
    """Payloads in which each name that a page reads is there, and right, so that it is read."""
    side = world.maren
    about = {"tool": side.tool.slug, "recording": side.songs[0].isrc}
    answer = {
        **dict.fromkeys(AnswerForm.base_fields, ""),
        **about,
        "stance": "allow",
        "wording": "",
    }
    answer |= {"valid_from": "2027-01-01", "valid_until": "2028-01-01"}
    many = {**dict.fromkeys(ManyForm.base_fields, ""), "use": "voice", "stance": "allow"}
    asked = {"use": "discovery", "tool": side.tool.slug, "isrc": side.songs[0].isrc}
    question = {**payload_of(route, world), "valid_from": None, "valid_until": None}
    wholes: dict[str, list[dict[str, Any]]] = {
        "answer_with": [answer, {**answer, "stance": "deny", "tool": ""}],
        "answer": [{**about, "stance": "deny", "wording": ""}],
        "clear_answer": [{**about, "territories": "", "company": "", "from": ""}],
        "many": [{**many, "valid_until": "2028-01-01"}],
        "answer_many": [{**many, "valid_until": "2028-01-01", "digest": "", "ref": ""}],
        "history": [{**asked, "company": "", "day": "2026-02-01", "known_on": "2026-03-01"}],
        "why": [asked],
        "why_receipt": [
            {**asked, "at": "2026-02-01T00:00:00Z", "known_at": "2026-03-01T00:00:00Z"},
            {**asked, "known_seq": "3"},
        ],
        "usage": [{"since": "2026-01-01", "until": "2026-03-01", "after": "", **asked}],
        "export_usage": [{"since": "2026-01-01", "until": "2026-03-01"}],
        "invite": [{**payload_of(route, world), "until": "2028-01-01"}],
        "standard_licence": [
            {"uses": "discovery", "companies": side.company.slug, "until": "2028-01-01"}
        ],
        "api-history": [
            {**asked, "at": "2026-02-01T00:00:00Z", "known_at": "2026-03-01T00:00:00Z"},
            {**asked, "at": "2026-02-01T00:00:00Z", "known_seq": "3", "model_version": ""},
        ],
        "api-snapshot": [{"tool": side.tool.slug, "cursor": "", "limit": "1"}],
        "api-requests": [
            question,
            {**question, "use": "voice", "valid_until": "2027-01-01T00:00Z"},
        ],
    }
    return wholes.get(route.name) or [payload_of(route, world)]


def _variants(whole: dict[str, Any], *, machine: bool) -> Iterator[dict[str, Any]]:
    values: tuple[Any, ...] = (*(TEXTS if SOAK else TEXTS[1::2]), *(DATES if SOAK else DATES[:9]))
    values += THINGS if machine else ()
    for name in whole:
        for value in values:
            yield {**whole, name: value}
    if {"valid_from", "valid_until"} <= whole.keys():
        for begin in DATES[:4]:
            for end in DATES[:4]:
                yield {**whole, "valid_from": begin, "valid_until": end}


def _bad(asker: Asker, route: Route, method: str, url: str, data: dict[str, Any]) -> str:
    """What is said of a request that fell over; empty for one that was answered."""
    if method == "GET":
        parts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.items()}
        parts = {k: v.encode("utf-8", "surrogatepass") for k, v in parts.items()}  # type: ignore[misc]
        url, data = f"{url.split('?')[0]}?{urlencode(parts)}", {}
    elif not url.startswith("/api/"):
        data = {
            k: v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v
            for k, v in data.items()
        }
    if route.pattern.startswith("accounts/"):
        cache.clear()
    limits.forget()
    answer = asker.ask(_actor(route), method, url, data)
    return "" if answer.status < 500 else f"{answer.status}: {method} {url[:300]} {data!s:.300}"


def _methods(route: Route) -> list[str]:
    return [method for method in TABLE[route.name] if method in ("GET", "POST")]


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_everything_nasty_at_once_is_answered(route: Route, asker: Asker) -> None:
    url = address_of(route, asker.world)
    found = [
        _bad(asker, route, method, url, dict.fromkeys(PARAMETERS, value))
        for method in _methods(route)
        for value in SOME
    ]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if not one.is_admin and one.name not in DOORS], ids=str
)
def test_one_nasty_thing_among_what_is_right_is_answered(route: Route, asker: Asker) -> None:
    url = address_of(route, asker.world)
    found = [
        _bad(asker, route, method, url, variant)
        for method in _methods(route)
        for whole in _whole(route, asker.world)
        for variant in _variants(whole, machine=route.is_api and method == "POST")
    ]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.arguments], ids=str)
def test_a_nasty_address_leads_nowhere_or_somewhere(route: Route, asker: Asker) -> None:
    right = address_of(route, asker.world)
    path, _, query = right.partition("?")
    parts = path.split("/")
    fixed = set(re.split(r"[/<>]", route.pattern))
    found = []
    for place, part in enumerate(parts):
        if not part or part in fixed:
            continue
        for value in SOME:
            nasty = "/".join(
                [*parts[:place], quote(value, safe="", errors="surrogatepass"), *parts[place + 1 :]]
            )
            for method in _methods(route)[:1]:
                address = f"{nasty}?{query}" if query else nasty
                limits.forget()
                answer = asker.ask(_actor(route), method, address, payload_of(route, asker.world))
                if answer.status >= 500:
                    found.append(f"{answer.status}: {method} {address[:200]}")
    assert not found, "\n".join(found)


def test_every_name_that_is_read_is_sent() -> None:
    assert {"valid_until", "known_at", "tool", "company", "territories", "cursor", "day"} <= set(
        PARAMETERS
    )


def test_a_session_that_is_no_text_is_no_session(asker: Asker) -> None:
    asker._credentials[Actor.ANONYMOUS] = {
        "Cookie": f'{settings.SESSION_COOKIE_NAME}="aaaaaaaaaaaa\\000"'
    }
    try:
        answer = asker.ask(Actor.ANONYMOUS, "GET", "/settings/")
    finally:
        asker._credentials[Actor.ANONYMOUS] = {}
    assert answer.status == 302
