"""The answer switch in a real browser: what a click, an arrow key and a failure do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import RequestFactory, override_settings
from playwright.sync_api import Browser, Page, Route

from portal.models import User
from portal.views.gallery import gallery, sample_uses

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " object-src 'none'; base-uri 'none'; form-action 'self'"
)
HOME = "http://liner.example/"


class Portal:
    """Answers a browser without a network: the gallery, its static files, and what is posted."""

    def __init__(self) -> None:
        request = RequestFactory().get("/")
        request.user = User(email="staff@liner.example", is_staff=True)
        with override_settings(DEBUG=False):
            self.page = gallery(request).content.decode()
        self.answers: list[str] = []
        self.status = 200
        self.complaints: list[str] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(HOME)
        if route.request.method == "POST":
            stance = parse_qs(route.request.post_data or "")["stance"][0]
            self.answers.append(stance)
            if self.status != 200:
                route.fulfill(status=self.status, body="no")
                return
            use = {**sample_uses()[1], "announce": f"Saved: {stance}."}
            use["answer"]["stance"] = stance
            route.fulfill(body=render_to_string("components/use_row.html", {"use": use}))
        elif path.startswith("static/"):
            found = finders.find(path.removeprefix("static/").partition("?")[0])
            assert isinstance(found, str), path
            kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
            kind = kinds[Path(found).suffix]
            route.fulfill(body=Path(found).read_bytes(), content_type=kind)
        else:
            policy = {"Content-Security-Policy": CSP}
            route.fulfill(body=self.page, content_type="text/html; charset=utf-8", headers=policy)


Open = Callable[..., tuple[Page, Portal]]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    opened = []

    def open_it(*, script: bool = True, width: int = 1100) -> tuple[Page, Portal]:
        portal = Portal()
        context = browser.new_context(
            java_script_enabled=script, viewport={"width": width, "height": 900}
        )
        opened.append(context)
        page = context.new_page()
        page.on(
            "console", lambda m: portal.complaints.append(m.text) if m.type == "error" else None
        )
        page.on("pageerror", lambda e: portal.complaints.append(str(e)))
        page.route("**/*", portal.answer)
        page.goto(HOME)
        return page, portal

    yield open_it
    for context in opened:
        context.close()


def test_a_click_answers_at_once_and_says_so(open_page: Open) -> None:
    page, portal = open_page()
    page.locator("#use-voice").get_by_text("Ask me", exact=True).click()
    page.wait_for_function("document.getElementById('announce').textContent === 'Saved: ask.'")
    assert portal.answers == ["ask"]
    assert page.locator("#voice-ask").is_checked()
    assert portal.complaints == []


def test_arrow_keys_only_choose_and_enter_answers(open_page: Open) -> None:
    page, portal = open_page()
    page.locator("#voice-deny").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#voice-allow").is_checked()
    assert page.locator("#said-voice").inner_text().startswith("Not saved yet")
    assert page.locator("#use-voice .save button").is_visible()
    assert portal.answers == []
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('announce').textContent === 'Saved: allow.'")
    assert portal.answers == ["allow"]
    assert page.evaluate("document.activeElement.id") == "voice-allow"


def test_arrows_back_to_the_saved_answer_leave_nothing_to_save(open_page: Open) -> None:
    page, portal = open_page()
    page.locator("#voice-deny").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#said-voice").inner_text() == ""
    assert not page.locator("#use-voice .save button").is_visible()
    assert portal.answers == []


@pytest.mark.parametrize("status", [403, 503])
def test_what_was_not_saved_is_not_shown_as_if_it_were(open_page: Open, status: int) -> None:
    page, portal = open_page()
    portal.status = status
    page.locator("#use-voice").get_by_text("Yes", exact=True).click()
    page.wait_for_function("document.querySelector('#said-voice.wrong')")
    assert portal.answers == ["allow"]
    assert page.locator("#voice-deny").is_checked()
    assert page.locator("#said-voice").inner_text() == "Not saved. Your answer is as it was."


def test_without_javascript_the_same_switch_is_a_form_with_a_button(open_page: Open) -> None:
    page, portal = open_page(script=False)
    page.locator("#use-voice").get_by_text("Yes", exact=True).click()
    assert portal.answers == []
    page.locator("#use-voice .save button").click()
    assert portal.answers == ["allow"]


def test_no_page_scrolls_sideways(open_page: Open) -> None:
    page, _ = open_page()
    for width in (320, 360, 768, 1100, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_that_can_be_used_is_big_enough_to_hit(open_page: Open) -> None:
    # WCAG 2.2, 2.5.8: 24 by 24, except links within a sentence.
    page, _ = open_page(width=360)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, select, input, label:has(input),"
            + " .nav a, .tabs a, .pages a")]
            .filter((e) => e.checkVisibility() && !e.closest("[popover]:not(:popover-open)"))
            .filter((e) => !["radio", "checkbox", "hidden"].includes(e.type))
            .filter((e) => Math.min(e.offsetWidth, e.offsetHeight) < 24)
            .map((e) => e.outerHTML.slice(0, 90))"""
    )
    assert small == []


def test_the_menu_of_a_phone_opens_without_javascript(open_page: Open) -> None:
    page, _ = open_page(script=False, width=360)
    people = page.get_by_role("link", name="Sign-in and security")
    assert not people.is_visible()
    page.get_by_role("button", name="Menu").click()
    assert people.is_visible()
