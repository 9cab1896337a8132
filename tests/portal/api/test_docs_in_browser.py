"""The readable description, drawn in a real browser under the strict content policy."""

from typing import Any

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_are_drawn_without_breaking_the_content_policy(
    browser: Browser, live_server: Any, scheme: Any
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 360, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{live_server.url}/api/docs/")
    page.wait_for_selector("#operations-Decisions-decide", timeout=30_000)
    text = page.inner_text("#swagger-ui")
    assert "Quickstart" in text
    assert "May this tool do this with this recording?" in text
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert said == []
    page.close()
