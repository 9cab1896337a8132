"""What a phone asks of every page: nothing wider than it, and nothing too small for a finger."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from consent.scopes import Scope as About
from portal.access import Access
from portal.services.answers import give_answer
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World, freshly

pytestmark = pytest.mark.django_db(transaction=True)

FINGER = 44
"""CSS pixels, as WCAG 2.5.5 and both makers of phones have it."""

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# What stands alone to be pressed; a link within a sentence may be as low as the sentence is.
TOO_LOW = """finger => [...document.querySelectorAll(
  ".button, button, summary, .answer label, .tabs a, .pages a, .nav a, .more > a, .stack th > a"
)].filter(one => one.checkVisibility({visibilityProperty: true}) && !one.closest(".unseen, .skip"))
  .map(one => [one.textContent.trim(), one.getBoundingClientRect().height])
  .filter(([, height]) => height > 0 && height < finger - .5)"""


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, her: Client) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 320, "height": 640},
        base_url=live_server.url,
        has_touch=True,
        is_mobile=True,
        locale="en",
    )
    cookie = her.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    yield context.new_page()
    context.close()


def test_a_finger_ticks_a_recording_anywhere_in_its_row(
    world: World, her: Client, phone: Page
) -> None:
    freshly(her)
    recordings_of(world.maren, title="أغنية عن البحر", holder=world.fjord)
    phone.goto(world.url("own_rights"))
    titles = [one.bounding_box() for one in phone.locator("th .tick bdi").all()]
    assert len({box["x"] for box in titles if box is not None}) == 1, "on one edge in any script"
    row = phone.locator("th .tick").first
    row.scroll_into_view_if_needed()
    box = row.bounding_box()
    assert box is not None
    assert box["height"] >= FINGER
    assert box["width"] > 200
    tick = row.locator("input")
    corners = [
        (x, y)
        for x in (box["x"] + 2, box["x"] + box["width"] - 2)
        for y in (box["y"] + 2, box["y"] + box["height"] - 2)
    ]
    for number, (x, y) in enumerate([*corners, (box["x"] + 9, box["y"] + box["height"] / 2)]):
        phone.touchscreen.tap(x, y)
        assert tick.is_checked() is (number % 2 == 0), (x, y)
    assert phone.evaluate(TOO_WIDE) <= 0


def test_no_page_is_wider_than_a_phone_or_too_small_for_a_finger(world: World, phone: Page) -> None:
    long = "A title that somebody in a mood for words gave, أغنية عن البحر والريح"
    (song,) = recordings_of(world.maren, title=long, holder=world.fjord)
    for use in ("generative_training", "discovery"):
        give_answer(
            by=Access.of(world.user),
            artist=world.maren,
            use=use,
            stance="deny",
            about=About(recording=song),
        )
    pages = [
        *(
            world.url(name)
            for name in (
                "permissions",
                "permission_tools",
                "permission_recordings",
                "exceptions",
                "missing",
                "withdrawals",
                "requests",
                "history",
                "many",
            )
        ),
        world.url("permission_recording", isrc=song.isrc),
        world.url("answer_with", use="voice"),
        reverse("notices"),
        reverse("overrides"),
        reverse("preferences"),
        reverse("api-problems"),
        reverse("account_reauthenticate"),
    ]
    for path in pages:
        phone.goto(path)
        assert phone.evaluate(TOO_WIDE) <= 0, path
        assert phone.evaluate(TOO_LOW, FINGER) == [], path
