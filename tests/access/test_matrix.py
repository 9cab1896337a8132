"""Every route, every method, every kind of person: who gets what, and nothing of anybody else's."""

from collections.abc import Iterator, Sequence
from typing import Final

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from portal.api import limits
from tests.access.actors import NOBODY, STAFF, Actor
from tests.access.asking import Answer, Asker, leaks
from tests.access.payloads import payload_of
from tests.access.routes import Route, address_of, all_routes
from tests.access.table import SIGN_IN, TABLE, Expected
from tests.access.world import World

METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ROUTES: Final = all_routes()

NOT_STAFF_AGAIN: Final = frozenset({Actor.ARTIST, Actor.EX_MANAGER})
"""Of the people who are not staff, who asks the admin again by POST: one guard turns all of them
away before it looks at what is asked and how, as all of them find out by GET."""

FOR_PUT: Final = frozenset({Actor.ANONYMOUS, Actor.ARTIST, Actor.OPERATOR})
"""Who asks a door of sign-in by PUT, which the library takes for POST."""

REFUSED: Final[frozenset[Expected]] = frozenset({401, 403, 404, 405, 302, SIGN_IN})
"""What a method may get that nothing answers; 302 is a door that leads away."""

# Who has the ISRC may ask anybody what it may be used for; machines follow the whole catalogue by
# ISRC. It is the recording's public number, and names nobody.
BY_ISRC: Final = frozenset({"api-signals", "api-changes", "api-snapshot"})
# A page of samples, the same for everybody, whose people are called as in every story.
SAMPLES: Final = "gallery"


@pytest.fixture(scope="module")
def asker(world: World) -> Asker:
    return Asker(world)


@pytest.fixture(autouse=True)
def _her_passkey(request: pytest.FixtureRequest, world: World) -> Iterator[None]:
    """Maren has a passkey while somebody tries to remove or rename it, and only then."""
    route = getattr(request.node, "callspec", None)
    if route is None or "pk" not in route.params["route"].arguments:
        yield
        return
    world.passkey = Authenticator.objects.create(
        user=world.people[Actor.ARTIST],
        type=Authenticator.Type.WEBAUTHN,
        data={"name": f"{world.maren.word} passkey", "credential": {}},
    )
    yield
    world.passkey.delete()


@pytest.fixture(autouse=True)
def _counts_start_at_zero(world: World) -> Iterator[None]:
    cache.clear()
    limits.forget()
    yield
    cache.clear()
    limits.forget()


def who_asks_in_vain(route: Route, method: str) -> Sequence[Actor]:
    """Nobody, and whoever reaches most at this door: what she does not get nobody gets."""
    if route.is_api:
        return (Actor.ANONYMOUS, Actor.API_CLIENT, Actor.OTHER_API_CLIENT)
    if route.is_admin:
        return (Actor.ANONYMOUS, Actor.OTHER_LABEL_STAFF if method == "HEAD" else Actor.OPERATOR)
    return (Actor.ANONYMOUS, Actor.ARTIST, *([Actor.OTHER_ARTIST] if method == "HEAD" else []))


def who_asks(route: Route, method: str) -> list[Actor]:
    """Everybody, but for what the same guard or the same code was asked already."""
    if method == "PUT":
        return [actor for actor in Actor if actor in FOR_PUT]
    if route.is_admin and method == "POST":
        again = NOBODY | STAFF | NOT_STAFF_AGAIN
        return [actor for actor in Actor if actor in again]
    return list(Actor)


def outcome(answer: Answer) -> Expected:
    """The status, or that one is led to sign in."""
    if answer.status == 302 and answer.headers["Location"].split("?")[0] in (
        reverse("account_login"),
        reverse("admin:login"),
    ):
        return SIGN_IN
    return answer.status


def wrong_headers(route: Route, answer: Answer) -> list[str]:
    """What is missing from the headers that every answer has."""
    headers, found = answer.headers, []
    address_is_public = route.pattern.startswith(
        tuple(p.lstrip("/") for p in settings.PUBLIC_PATHS)
    )
    by_itself = route.name in ("api-checkpoint", "api-checkpoint-at")
    if not (address_is_public or by_itself) and headers.get("Cache-Control") != "private, no-store":
        found.append("may be stored")
    if headers.get("X-Content-Type-Options") != "nosniff":
        found.append("may be sniffed")
    if not route.is_api:
        policy = headers.get("Content-Security-Policy", "")
        if "default-src 'self'" not in policy or "unsafe" in policy:
            found.append("has no strict content policy")
        if headers.get("X-Frame-Options") != "DENY":
            found.append("may be framed")
    elif "text/html" in headers.get("Content-Type", ""):
        found.append("is a page")
    return found


def told(route: Route, actor: Actor, answer: Answer, url: str, world: World) -> set[str]:
    """The canaries of the other side in an answer, but for what is said to everybody."""
    found = leaks(actor, answer, url, world)
    if route.name in BY_ISRC:
        found -= {s.isrc.lower() for side in (world.maren, world.aoi) for s in side.songs}
    if route.name == SAMPLES:
        found -= {side.artist.party.name.lower() for side in (world.maren, world.aoi)}
        found -= {side.label.name.lower() for side in (world.maren, world.aoi)}
        found -= {side.users["artist"].name.lower() for side in (world.maren, world.aoi)}
    return found


def test_every_route_is_in_the_table_and_nothing_else_is() -> None:
    names = [route.name for route in ROUTES]
    assert sorted(set(names) - set(TABLE)) == [], "routes without a row in tests/access/table.py"
    assert sorted(set(TABLE) - set(names)) == [], "rows without a route"
    assert len(names) == len(set(names)), "two routes of one name: one of them is not asked"
    for name, methods in TABLE.items():
        for method, answers in methods.items():
            assert set(answers) == set(Actor), f"{name} {method} does not answer everybody"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_everybody_gets_what_the_table_says_and_nothing_of_anybody_elses(
    route: Route, asker: Asker
) -> None:
    world = asker.world
    url, payload = address_of(route, world), payload_of(route, world)
    wrong: list[str] = []
    for method, answers in TABLE[route.name].items():
        for actor in who_asks(route, method):
            expected = answers[actor]
            if route.pattern.startswith("accounts/"):
                cache.clear()  # what is counted is tried elsewhere
            answer = asker.ask(actor, method, url, payload)
            got = outcome(answer)
            if got != expected:
                wrong.append(f"{method} by {actor}: {got}, not {expected}")
            wrong += [f"{method} by {actor} {what}" for what in wrong_headers(route, answer)]
            if canaries := told(route, actor, answer, url, world):
                wrong.append(f"{method} tells {actor} of {sorted(canaries)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_method_that_is_not_in_the_table_does_nothing_and_shows_nothing(
    route: Route, asker: Asker
) -> None:
    world = asker.world
    url, payload = address_of(route, world), payload_of(route, world)
    wrong: list[str] = []
    for method in METHODS:
        if method in TABLE[route.name]:
            continue
        for actor in who_asks_in_vain(route, method):
            if route.pattern.startswith("accounts/"):
                cache.clear()
            answer = asker.ask(actor, method, url, payload)
            got = outcome(answer)
            if method == "HEAD" and "GET" in TABLE[route.name]:
                if got not in (405, TABLE[route.name]["GET"][actor]):
                    wrong.append(f"HEAD by {actor}: {got}, not as GET")
            elif got not in (REFUSED | ({200} if method == "OPTIONS" else set())):
                wrong.append(f"{method} by {actor}: {got}")
            wrong += [f"{method} by {actor} {what}" for what in wrong_headers(route, answer)]
            if canaries := told(route, actor, answer, url, world):
                wrong.append(f"{method} tells {actor} of {sorted(canaries)}")
    assert not wrong, "\n".join(wrong)
