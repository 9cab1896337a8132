"""The permission pages in a real browser, on the real site: clicks, errors, narrow screens."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from consent.models import Permission
from consent.services.requests import ask_permission
from consent.services.work import perform
from portal.access import Access
from portal.models import BulkChange
from portal.services.bulk import ask_for_many
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World, days_ahead

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Window:
    """A browser in which Maren is signed in, and what it complained about."""

    context: BrowserContext
    site: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.site + path)
        return page

    def _hear(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.complaints.append(str(getattr(message, "text", message)))


@pytest.fixture
def window(browser: Browser, live_server: LiveServer, her: Client) -> Iterator[Window]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en")
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": her.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": live_server.url,
            }
        ]
    )
    yield Window(context, live_server.url)
    context.close()


def test_a_click_answers_and_the_row_says_what_holds_now(world: World, window: Window) -> None:
    page = window.open(world.url("permissions"))
    row = page.locator("#use-discovery")
    row.get_by_text("Yes", exact=True).click()
    expect(page.locator("#announce")).to_contain_text("Saved. Recommend you: “Yes”")
    expect(row.locator(".effect .state").first).to_have_text("Allowed")
    expect(row).to_contain_text("All 3 recordings, for Tonewright")
    row.get_by_text("No", exact=True).click()
    expect(row.locator("details[open]")).to_contain_text("Tidesmith v1")
    assert [p.stance for p in Permission.objects.order_by("pk")] == ["allow", "deny"]
    assert window.complaints == []


def test_a_yes_to_the_voice_leads_to_its_end_date(world: World, window: Window) -> None:
    page = window.open(world.url("permissions"))
    page.locator("#use-voice").get_by_text("Yes", exact=True).click()
    page.wait_for_url("**/uses/voice/with/?stance=allow")
    page.get_by_label("Until, that day included").fill(days_ahead(200))
    page.get_by_role("button", name="Save this answer").click()
    page.wait_for_url("**/permissions/#use-voice")
    assert Permission.objects.get().stance == "allow"
    assert window.complaints == []


def test_without_javascript_the_switch_has_a_save_button(
    world: World, browser: Browser, window: Window
) -> None:
    context = browser.new_context(
        java_script_enabled=False, storage_state=window.context.storage_state()
    )
    page = context.new_page()
    page.goto(window.site + world.url("permissions"))
    row = page.locator("#use-discovery")
    row.get_by_text("Ask me", exact=True).click()
    row.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    assert "Recommend you: “Ask me”" in page.inner_text("main")
    assert Permission.objects.get().stance == "ask"
    context.close()


def test_many_are_chosen_previewed_saved_and_undone(world: World, window: Window) -> None:
    page = window.open(world.url("many"))
    page.get_by_label("Use", exact=True).select_option("discovery")
    page.get_by_label("Yes", exact=True).check()
    page.get_by_role("button", name="See what would change").click()
    page.get_by_role("button", name="Save “Yes” for 3 recordings").click()
    page.wait_for_url("**/acts/**")
    assert Permission.objects.filter(stance="allow").count() == 3
    page.get_by_role("button", name="Undo this").click()
    page.wait_for_load_state()
    assert Permission.objects.filter(way="cleared").count() == 3
    assert window.complaints == []


@pytest.mark.parametrize("width", [320, 1200])
def test_no_page_scrolls_sideways_or_complains(world: World, window: Window, width: int) -> None:
    world.says("discovery", "allow")
    act = world.says("discovery", "deny").permission.act
    change = ask_for_many(
        by=Access.of(world.user),
        artist=world.maren,
        use="style",
        stance="deny",
        recordings=[one.pk for one in world.recordings],
        digest="",
    )
    ask_permission(tool=world.tool, use="style", why="Because-" + "o" * 90, artists=[world.maren])
    isrc = world.recordings[0].isrc
    query = f"?use=discovery&tool=tidesmith&isrc={isrc}"
    paths = [
        *(world.url(name) for name in ("permissions", "permission_tools", "exceptions")),
        *(world.url(name) for name in ("permission_recordings", "missing", "withdrawals")),
        *(world.url(name) for name in ("requests", "history", "many")),
        world.url("permission_tool", tool="tidesmith"),
        world.url("permission_recording", isrc=isrc),
        world.url("answer_with", use="voice"),
        world.url("own_rights"),
        world.url("act", ref=act.ref),
        world.url("saving", ref=change.ref),
        world.url("why") + query,
        world.url("why") + "?use=discovery&tool=tidesmith",
        world.url("many") + "?use=discovery&stance=allow",
        world.url("history") + query + "&day=" + days_ahead(0),
    ]
    for path in paths:
        page = window.open(path)
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, path
        page.close()
    assert window.complaints == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_change_of_many_is_watched_until_it_is_an_act(
    javascript: bool, world: World, browser: Browser, window: Window
) -> None:
    change = ask_for_many(
        by=Access.of(world.user),
        artist=world.maren,
        use="discovery",
        stance="deny",
        recordings=[one.pk for one in world.recordings],
        digest="",
    )
    context = browser.new_context(
        java_script_enabled=javascript, storage_state=window.context.storage_state()
    )
    page = context.new_page()
    page.goto(window.site + world.url("saving", ref=change.ref))
    expect(page.get_by_label("Steps done")).to_have_attribute("value", "1")
    perform(BulkChange, change.pk)  # as a worker would
    if not javascript:
        page.get_by_role("link", name="Look again").click()
    page.wait_for_url("**/acts/**")
    expect(page.locator("main")).to_contain_text("Saved: “No” for 3 recordings.")
    expect(page.get_by_role("button", name="Undo this")).to_be_visible()
    context.close()


def test_saving_many_says_that_it_is_at_work(world: World, window: Window) -> None:
    page = window.open(world.url("many") + "?use=discovery&stance=deny")
    # Nothing is sent: a browser that is on its way to the next page cannot be looked at.
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    at_work = page.get_by_label("Saving: all of them in one act, or none.")
    expect(at_work).to_be_hidden()
    page.get_by_role("button", name="Save “No” for 3 recordings").click()
    expect(at_work).to_be_visible()
    assert window.complaints == []
