"""What every page owes its readers, checked on the page that shows every component."""

import re
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import resolve, reverse

from consent.decisions import Code
from consent.sentences import SENTENCES
from portal.context import FrameFacts, frame, is_current
from portal.models import User
from portal.views.gallery import gallery, sample_uses

TOKENS = Path(settings.BASE_DIR, "static/css/tokens.css").read_text()
TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))


def staff_request() -> HttpRequest:
    request = RequestFactory().get("/gallery/")
    request.user = User(email="staff@liner.example", is_staff=True)
    return request


@pytest.fixture(scope="module")
def page() -> str:
    return gallery(staff_request()).content.decode()


class Reader(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def colour(token: str, scheme: int) -> str:
    found = re.search(rf"--{token}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS)
    assert found, token
    return found.group(scheme + 1)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        *product(("ink", "quiet", "wrong", "accent"), ("paper", "sheet")),
        ("holds", "holds-tint"),
        ("waits", "waits-tint"),
        ("paper", "ink"),
    ],
)
def test_every_pair_of_text_colours_can_be_read(front: str, back: str, scheme: int) -> None:
    assert contrast(colour(front, scheme), colour(back, scheme)) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("back", ["paper", "sheet"])
def test_the_edge_of_what_can_be_used_can_be_seen(back: str, scheme: int) -> None:
    assert contrast(colour("edge", scheme), colour(back, scheme)) >= 3


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_holds_an_inline_style_or_script(path: Path) -> None:
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    if "email" in path.parts:  # no policy stands over a mail, and it may fetch nothing
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    for script in re.findall(r"<script\b([^>]*)>", text):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_every_template_begins_by_saying_what_it_needs(path: Path) -> None:
    if "elements" not in path.parts and "layouts" not in path.parts:
        assert "{% comment %}" in path.read_text()[:200]


def test_every_id_on_a_page_is_unique(page: str) -> None:
    ids = [attrs["id"] for _, attrs in Reader(page).tags if attrs.get("id")]
    # Two sample forms share their fields, and only here.
    ids = [one for one in ids if one and not one.startswith("id_")]
    assert len(ids) == len(set(ids))


def test_every_field_has_a_label_and_every_reference_a_target(page: str) -> None:
    tags = Reader(page).tags
    ids = {attrs.get("id") for _, attrs in tags}
    for _, attrs in tags:
        for name in ("for", "aria-describedby", "aria-labelledby", "popovertarget"):
            for target in (attrs.get(name) or "").split():
                assert target in ids, f"{name} points at {target}"
        link = attrs.get("href") or ""
        if link.startswith("#"):
            assert link[1:] in ids, f"a link points at {link}"


def test_the_four_answers_are_drawn_alike(page: str) -> None:
    switch = page[page.index('id="answer-voice"') : page.index('id="said-voice"')]
    answers = re.findall(r"<label\s*([^>]*)>", switch)
    assert len(answers) == 4
    assert len({attributes.strip() for attributes in answers}) == 1


def test_a_switch_that_may_not_be_used_says_why_and_cannot_be_sent(page: str) -> None:
    switch = page[page.index('id="answer-name_image"') : page.index('id="answer-discovery"')]
    form = switch[: switch.index("</form>")]
    assert "disabled" in form
    assert "may look at this answer" in form
    assert "<button" not in form


def test_where_a_sample_is_overridden_a_contract_says_so_by_its_clause() -> None:
    lines = [line for use in sample_uses() for line in use["effects"]]
    [overridden] = [line["sentence"] for line in lines if line["state"] == "overridden"]
    template = str(SENTENCES[Code.OVERRIDDEN].full)
    assert overridden.startswith(
        template
        % {
            "who": "Fjord Records",
            "clause": "§ 7 (3): all means of exploitation, now known or invented later",
        }
    )


def test_headings_never_skip_a_level(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Reader(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_gallery_does_not_exist_for_others(settings_without_debug: None) -> None:
    request = RequestFactory().get("/gallery/")
    request.user = AnonymousUser()
    with pytest.raises(Http404):
        gallery(request)


@pytest.fixture
def settings_without_debug(settings: pytest.FixtureRequest) -> None:
    settings.DEBUG = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500", "503"])
def test_an_error_page_needs_nothing_that_may_be_broken(name: str) -> None:
    html = render_to_string(f"{name}.html")
    assert html.count("<h1") == 1
    assert 'lang="en"' in html


def test_a_frame_without_facts_is_whole_and_shows_nobody() -> None:
    shown = frame(RequestFactory().get("/"))["frame"]
    assert shown.artists == ()
    assert shown.acting == ""
    assert shown.sign_out_url


def test_a_frame_says_for_whom_one_acts_and_what_waits() -> None:
    request = RequestFactory().get("/accounts/2fa/")
    request.frame_facts = FrameFacts(acting="You are acting for Maren Holt.", waiting=2)  # type: ignore[attr-defined]
    shown = frame(request)["frame"]
    assert (shown.acting, shown.waiting) == ("You are acting for Maren Holt.", 2)
    assert [item.current for item in shown.account if item.url == "/accounts/2fa/"] == [True]


def test_a_page_below_another_lights_the_one_it_hangs_from() -> None:
    assert is_current("/earnings/", "/earnings/2026-10/")
    assert not is_current("/earnings/", "/credits/")
    assert not is_current("/", "/credits/")


@pytest.mark.parametrize("slug", ["maren-holt", "田中葵", "björk-1-2"])
def test_the_navigation_marks_the_page_of_an_artist_in_whatever_script(slug: str) -> None:
    request = RequestFactory().get(reverse("permissions", kwargs={"slug": slug}))
    request.resolver_match = resolve(request.path)
    shown = frame(request)["frame"]
    assert [str(item.label) for item in shown.nav if item.current] == ["Permissions"]
    request = RequestFactory().get(reverse("permission_recordings", kwargs={"slug": slug}))
    request.resolver_match = resolve(request.path)
    shown = frame(request)["frame"]
    assert [str(item.label) for item in shown.nav if item.current] == ["Permissions"]
