"""From signing in to seeing what she is owed: the whole loop, in a real browser, on the demo.

Makes the picture of the README on the way; `LINER_TEST_PICTURE=1` keeps it.
"""

import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.demo.names import PASSWORD

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "permissions.png"
EVENTS = 300


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_an_artist_decides_sees_it_hold_and_reads_what_she_earned(
    browser: Browser, live_server: LiveServer, settings: Any, tmp_path: Path
) -> None:
    settings.STATE = tmp_path
    call_command("seed_demo", "--events", str(EVENTS), stdout=StringIO(), verbosity=0)
    context = browser.new_context(
        viewport={"width": 1200, "height": 1000}, locale="en", color_scheme="light"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    sign_in(page, live_server.url)
    page.get_by_role("link", name="Permissions").first.click()
    # The caret as it is: to hide it, a style would be injected, which the policy refuses.
    page.screenshot(path=str(tmp_path / "permissions.png"), caret="initial")
    if os.environ.get("LINER_TEST_PICTURE") == "1":
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_bytes((tmp_path / "permissions.png").read_bytes())
    she_takes_a_yes_back_and_gives_it_again(page)
    she_opens_an_amount(page)
    assert complaints == []
    context.close()


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("input[name=login]", "maren@liner.example")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("nav").get_by_text("Permissions").first).to_be_visible()


def she_takes_a_yes_back_and_gives_it_again(page: Page) -> None:
    row = page.locator("#use-discovery")
    expect(row).to_contain_text("allowed")
    row.get_by_text("No", exact=True).click()
    expect(row.locator(".state").first).to_contain_text("Not allowed")
    page.reload()
    row = page.locator("#use-discovery")
    expect(row.locator(".state").first).to_contain_text("Not allowed")
    row.get_by_text("Yes", exact=True).click()
    expect(row.locator(".state").first).not_to_contain_text("Not allowed")


def she_opens_an_amount(page: Page) -> None:
    page.get_by_role("link", name="Earnings").first.click()
    page.get_by_role("table").last.get_by_role("link").first.click()
    first = page.locator("main details").first
    first.locator("summary").click()
    expect(first).to_have_attribute("open", "")
    expect(page.locator("main")).to_contain_text("matches")
