"""Beside the matrix: second factors, ends of access, e-mails, and whether a canary would sing."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from portal.api import limits
from portal.models import Membership, Notice
from portal.notices import names_of, render
from portal.services.clients import revoke_api_key
from portal.services.delegation import end_access
from portal.services.notices import deliver_notice, may_read
from tests.access.actors import Actor
from tests.access.asking import Asker, leaks
from tests.access.payloads import payload_of
from tests.access.routes import Route, address_of, all_routes
from tests.access.table import ADMIN, PAGES
from tests.access.world import World

ROUTES = {route.name: route for route in all_routes()}


@pytest.fixture(scope="module")
def asker(world: World) -> Asker:
    return Asker(world)


@pytest.fixture(scope="module")
def without_second_factor(world: World) -> Asker:
    return Asker(world, second_factor=False)


@pytest.fixture(autouse=True)
def _undone(world: World) -> Iterator[None]:
    """Whatever a test changes is as it was after it."""
    cache.clear()
    limits.forget()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def text_of(asker: Asker, actor: Actor, name: str) -> str:
    return asker.ask(actor, "GET", address_of(ROUTES[name], asker.world)).everything


# --- Would it be seen? -----------------------------------------------------------------------


def test_each_canary_is_where_its_own_people_look(asker: Asker) -> None:
    side = asker.world.maren
    word, amount = side.word.lower(), f"{side.revenue_micros // 1_000_000:,}"
    for name, canary in (
        ("overview", side.artist.party.name),
        ("credits", word),
        ("credit", side.songs[0].isrc),
        ("requests", f"{word} question"),
        ("usage", word),
        ("earnings", amount),
        ("statement", amount),
        ("people", side.management.name),
        ("export_file", side.songs[0].isrc),
    ):
        assert canary.lower() in text_of(asker, Actor.ARTIST, name), name
    for name in ("consent_recording_change", "consent_licence_change", "portal_staffact_change"):
        assert word in text_of(asker, Actor.LABEL_STAFF, f"admin:{name}"), name
    assert amount in text_of(asker, Actor.OPERATOR, "admin:royalties_statement_change")
    assert word in text_of(asker, Actor.API_CLIENT, "api-webhook")


def test_a_scan_finds_what_the_other_side_may_not_know(asker: Asker) -> None:
    answer = asker.ask(Actor.ARTIST, "GET", address_of(ROUTES["statement"], asker.world))
    assert not leaks(Actor.ARTIST, answer, "/", asker.world)
    assert leaks(Actor.OTHER_ARTIST, answer, "/", asker.world)


# --- The second factor -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "routes"),
    [
        (Actor.MANAGER, PAGES),
        (Actor.ASSISTANT, PAGES),
        (Actor.LABEL_STAFF, ADMIN),
        (Actor.OPERATOR, ADMIN),
    ],
    ids=["manager", "assistant", "label staff", "operator"],
)
def test_who_acts_for_others_reaches_nothing_before_a_second_factor(
    actor: Actor, routes: dict[str, object], without_second_factor: Asker
) -> None:
    world = without_second_factor.world
    open_to_all = {"home", "overrides"}
    for name in sorted(set(routes) - open_to_all):
        route = ROUTES[name]
        url = address_of(route, world)
        for method in ("GET", "POST"):
            answer = without_second_factor.ask(actor, method, url, payload_of(route, world))
            assert answer.status == 302, f"{method} {name}: {answer.status}"
            assert answer.headers["Location"] == reverse("mfa_index"), f"{method} {name}"


def test_an_artist_reaches_her_own_work_with_her_password(without_second_factor: Asker) -> None:
    url = address_of(ROUTES["overview"], without_second_factor.world)
    assert without_second_factor.ask(Actor.ARTIST, "GET", url).status == 200


# --- Ends --------------------------------------------------------------------------------------


def test_an_access_that_ends_is_over_with_the_next_request_everywhere(asker: Asker) -> None:
    world = asker.world
    routes = [
        ROUTES[name]
        for name, methods in PAGES.items()
        if "slug" in ROUTES[name].arguments and "GET" in methods and name != "end_access"
    ]
    before = [r for r in routes if _status(asker, Actor.MANAGER, r) == 200]
    assert len(before) > 20
    notices = [n for n in Notice.objects.filter(recipient=world.people[Actor.MANAGER]) if n.artist]
    assert notices
    assert all(may_read(notice) for notice in notices)

    membership = world.maren.rows["membership of manager"]
    assert isinstance(membership, Membership)
    end_access(by=None, membership=membership)

    assert {_status(asker, Actor.MANAGER, route) for route in routes} == {404}
    assert not any(may_read(notice) for notice in notices)


def test_a_key_that_is_revoked_is_worth_nothing_at_the_next_request(asker: Asker) -> None:
    route = ROUTES["api-tools"]
    assert _status(asker, Actor.API_CLIENT, route) == 200
    revoke_api_key(by=None, key=asker.world.keys[Actor.API_CLIENT].key)
    assert _status(asker, Actor.API_CLIENT, route) == 401
    assert _status(asker, Actor.OTHER_API_CLIENT, route) == 200


def _status(asker: Asker, actor: Actor, route: Route) -> int:
    return asker.ask(actor, "GET", address_of(route, asker.world)).status


# --- Machines ----------------------------------------------------------------------------------


def test_usage_of_another_companys_output_is_refused_event_by_event(asker: Asker) -> None:
    route = ROUTES["api-usage-events"]
    url, payload = address_of(route, asker.world), payload_of(route, asker.world)
    own = asker.ask(Actor.API_CLIENT, "POST", url, payload).everything
    others = asker.ask(Actor.OTHER_API_CLIENT, "POST", url, payload).everything
    assert "unknown_output" not in own
    assert "unknown_output" in others


def test_a_decision_about_another_companys_tool_is_no_and_says_no_more(asker: Asker) -> None:
    route = ROUTES["api-decisions"]
    url, payload = address_of(route, asker.world), payload_of(route, asker.world)
    others = asker.ask(Actor.OTHER_API_CLIENT, "POST", url, payload).everything
    assert '"allowed": false' in others or '"allowed":false' in others
    assert "unknown_tool" in others
    assert "artist" not in others.replace("unknown_tool", "")


# --- E-mails -----------------------------------------------------------------------------------


def test_no_notice_and_no_e_mail_tells_of_the_other_side(
    world: World, mailoutbox: list[object]
) -> None:
    of_maren = {user.pk for user in world.maren.users.values()}
    of_aoi = {user.pk for user in world.aoi.users.values()}
    Notice.objects.update(emailed_at=None)  # sent once already
    told = list(Notice.objects.select_related("artist__party", "recipient"))
    assert len(told) > 5
    sent = 0
    for notice in told:
        mailoutbox.clear()
        deliver_notice(notice)
        sent += len(mailoutbox)
        words = render(notice, names_of([notice]))
        text = f"{words} " + " ".join(f"{m.to} {m.subject} {m.body}" for m in mailoutbox)  # type: ignore[attr-defined]
        forbidden: set[str] = set()
        if notice.recipient_id in of_maren:
            forbidden |= world.aoi.canaries
        if notice.recipient_id in of_aoi:
            forbidden |= world.maren.canaries
        found = {canary for canary in forbidden if canary in text.lower()}
        assert not found, f"{notice.kind} to {notice.recipient}"
    assert sent > 5
