"""Finds a Chromium for the tests that need a real browser, or leaves those tests out, aloud."""

import os
import shutil
from pathlib import Path

import pytest

HOW_TO_GET_IT = (
    "They need Chromium: install it with your system's packages (Debian: apt-get install"
    " chromium), or name yours: CHROMIUM=/path/to/chromium make test"
)
_left_out = pytest.StashKey[list[str]]()


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome on this machine, if there is one."""
    named = os.environ.get("CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in ((named,) if named else names))
    if path := next(filter(None, found), None):
        return path
    downloads = Path.home() / ".cache" / "ms-playwright"
    return next(map(str, sorted(downloads.glob("chromium-*/chrome-linux*/chrome"))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every test that asks for the fixture `browser` when there is none."""
    if find_chromium():
        return
    needs = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    items[:] = [item for item in items if item not in needs]
    config.hook.pytest_deselected(items=needs)
    config.stash[_left_out] = [item.nodeid for item in needs]
    if hasattr(config, "workeroutput"):
        config.workeroutput["without_browser"] = config.stash[_left_out]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the tests that were left out, and say how to run them."""
    if left_out := config.stash.get(_left_out, []):
        terminalreporter.section("left out: no browser here", yellow=True)
        for name in left_out:
            terminalreporter.line(name)
        terminalreporter.line(HOW_TO_GET_IT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object | None) -> None:
    """Take over from a worker of a parallel run what it left out; all leave out the same."""
    config = getattr(node, "config", None)
    output = getattr(node, "workeroutput", {})
    if isinstance(config, pytest.Config) and output.get("without_browser"):
        config.stash[_left_out] = list(output["without_browser"])
