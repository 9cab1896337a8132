"""The admin in a real browser: nothing that its policy forbids, light and dark, wide and narrow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from consent.models import AICompany, Licence
from portal.models import User
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.admin.world import *  # noqa: F403
from tests.portal.admin.world import Labels

pytestmark = pytest.mark.django_db(transaction=True)

type Scheme = Literal["light", "dark"]


@dataclass
class Window:
    """Opens pages as somebody, and hears what the browser complains about."""

    browser: Browser
    site: str
    sign_in: Callable[[User], Client]
    complaints: list[str] = field(default_factory=list)
    opened: list[Page] = field(default_factory=list)

    def open(self, user: User, path: str, *, scheme: Scheme = "light", width: int = 1280) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en"
        )
        cookie = self.sign_in(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.site}]
        )
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.go(page, path)
        self.opened.append(page)
        return page

    def go(self, page: Page, path: str) -> None:
        answer = page.goto(self.site + path)
        assert answer is not None and answer.status == 200, path

    def _hear(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.complaints.append(str(getattr(message, "text", message)))


@pytest.fixture
def window(
    browser: Browser, live_server: LiveServer, signed_in: Callable[[User], Client]
) -> Iterator[Window]:
    window = Window(browser, live_server.url, signed_in)
    yield window
    for page in window.opened:
        page.context.close()


def pages_of(labels: Labels) -> list[str]:
    things = labels.fjord.things.items()
    return [
        reverse("admin:index"),
        reverse("admin:conflicts"),
        *(reverse(f"admin:{name}_changelist") for name, _thing in things),
        *(reverse(f"admin:{name}_change", args=[thing.pk]) for name, thing in things),
        reverse("admin:consent_licence_sign"),
        reverse("admin:consent_rightsclaim_make"),
        reverse("admin:consent_cataloguemessage_message"),
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_every_page_keeps_to_its_policy_and_to_its_width(
    scheme: Scheme, width: int, labels: Labels, window: Window
) -> None:
    addresses = pages_of(labels)
    page = window.open(labels.fjord.staff, addresses[0], scheme=scheme, width=width)
    for address in addresses:
        window.go(page, address)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0, address
    assert window.complaints == []


def test_a_licence_is_signed_after_its_effect_was_shown(labels: Labels, window: Window) -> None:
    page = window.open(labels.fjord.staff, reverse("admin:consent_licence_sign"))
    page.get_by_label("AI company").select_option(label="Tonewright")
    page.get_by_label("Title").fill("Second agreement")
    page.get_by_label("Recommend", exact=True).check()
    page.get_by_label("Why").fill("Agreed on Monday")
    expect(page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Show the effect").click()
    effect = page.get_by_role("heading", name="What signing would change")
    expect(effect).to_be_visible()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Signed.")
    assert Licence.objects.filter(title="Second agreement", holder=labels.fjord.label).exists()
    assert window.complaints == []


def test_on_a_phone_what_signing_would_change_is_read_without_scrolling_sideways(
    labels: Labels, window: Window
) -> None:
    page = window.open(labels.fjord.staff, reverse("admin:consent_licence_sign"), width=360)
    page.get_by_label("AI company").select_option(label="Tonewright")
    page.get_by_label("Title").fill("Second agreement")
    page.get_by_label("Recommend", exact=True).check()
    page.get_by_label("Why").fill("Agreed on Monday")
    page.get_by_role("button", name="Show the effect").click()
    effect = page.locator(".ln-effect .results")
    expect(effect).to_be_visible()
    assert effect.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    named = "cell => getComputedStyle(cell, '::before').content"
    first = page.locator(".ln-effect td").first
    assert first.evaluate(named) == '"allowed at once"'


def test_a_page_can_be_worked_by_keyboard(labels: Labels, window: Window) -> None:
    page = window.open(labels.fjord.staff, reverse("admin:index"))
    page.keyboard.press("Tab")
    focused = "document.activeElement.className"
    assert page.evaluate(focused) == "skip-to-content-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content-start"


def test_a_contact_address_has_the_room_on_a_phone_that_the_reason_has(
    olga: User, tonewright: AICompany, window: Window
) -> None:
    page = window.open(
        olga, reverse("admin:consent_aicompany_contact", args=[tonewright.pk]), width=360
    )
    address, why = (page.locator(f"[name={name}]").bounding_box() for name in ("contact", "reason"))
    assert address is not None and why is not None
    assert (address["x"], address["width"]) == (why["x"], why["width"])
    assert address["width"] > 250


def test_on_a_phone_every_list_and_the_rates_of_a_licence_are_read_without_scrolling_sideways(
    labels: Labels, olga: User, window: Window
) -> None:
    lists = [f"admin:{name}_changelist" for name in labels.fjord.things]
    addresses = [reverse(name) for name in (*lists, "admin:consent_licence_sign", "admin:work")]
    page = window.open(olga, addresses[0], width=360)
    wide = "boxes => boxes.map(box => box.scrollWidth - box.clientWidth)"
    for address in addresses:
        window.go(page, address)
        found = page.locator(".results").evaluate_all(wide)
        assert found and max(found) <= 0, address
    window.go(page, reverse("admin:consent_withdrawal_changelist"))
    cell = page.locator(".ln-stack td").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Use kind"'
    assert not window.complaints
