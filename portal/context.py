"""What the frame around every signed-in page shows: where one is, and for whom one acts.

Templates read `frame`; `templates/base.html` includes the parts. The facts come from the request:
whoever works out what a person may reach (a middleware, or the view) sets `request.frame_facts`
to a `FrameFacts`. Without it the frame is still whole, only with nobody to act for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link of the navigation. `waiting` is how many things there wait for the reader."""

    label: str | Promise
    url: str
    current: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class ArtistChoice:
    """An artist whom the reader may look at. `ref` is what the switch form posts as `artist`."""

    ref: str
    name: str
    language: str = ""
    note: str | Promise = ""
    waiting: int = 0
    current: bool = False


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What only the access object knows.

    `acting` is the whole sentence of the banner ("You are acting for Maren Holt as her manager.
    She sees everything you do.") and empty for artists at home in their own work. `waiting` is
    the number of questions that wait for the current artist. `frozen` is whether the ledger is
    being checked, so that nothing new can be allowed.
    """

    artists: Sequence[ArtistChoice] = ()
    acting: str | Promise = ""
    waiting: int = 0
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What `acting.html` and `nav.html` draw. Addresses are empty where there is no such page."""

    nav: Sequence[NavItem]
    account: Sequence[NavItem]
    artist: ArtistChoice | None
    artists: Sequence[ArtistChoice]
    acting: str | Promise
    waiting: int
    frozen: bool
    switch_url: str
    all_artists_url: str
    sign_out_url: str


PAGES: Final = (
    (_("Overview"), "overview"),
    (_("Permissions"), "permissions"),
    (_("AI usage"), "usage"),
    (_("Credits"), "credits"),
    (_("Licences"), "standard_licence"),
    (_("Earnings"), "earnings"),
    (_("Timeline"), "timeline"),
    (_("People with access"), "people"),
)
ACCOUNT_PAGES: Final = (
    (_("Notices"), "notices"),
    (_("Files"), "exports"),
    (_("Settings"), "preferences"),
    (_("Sign-in and security"), "mfa_index"),
)


def address(name: str, slug: str = "") -> str:
    """The address of a page: of everybody's, or of the artist with this slug.

    Nothing when there is no such page, or no artist whose page it could be.
    """
    for arguments in ({"slug": slug}, {}) if slug else ({},):
        try:
            return reverse(name, kwargs=arguments)
        except NoReverseMatch:
            continue
    return ""


def slug_of(request: HttpRequest) -> str:
    """Whose pages the navigation leads to: the artist of the address, else the reader's own."""
    match = getattr(request, "resolver_match", None)
    named = match.kwargs.get("slug", "") if match is not None else ""
    if named:
        return str(named)
    current = getattr(getattr(request, "access", None), "current", None)
    return "" if current is None else str(current.artist.slug)


def is_current(url: str, path: str) -> bool:
    """Whether a page lies at or below an address; the root is only itself.

    `url` is quoted, as `reverse` gives it, and `path` is not, as a request has it.
    """
    url = unquote(url)
    return path == url or (url != "/" and path.startswith(url))


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor `portal.context.frame`: `{"frame": Frame}`. Asks nothing but the facts."""
    facts = getattr(request, "frame_facts", None) or FrameFacts()
    slug = slug_of(request)

    def items(pages: Sequence[tuple[str | Promise, str]]) -> list[NavItem]:
        links = [(label, name, address(name, slug)) for label, name in pages]
        # Some pages lie below others in the tree of addresses: the longest one is meant.
        here = max(
            (u for _l, _n, u in links if u and is_current(u, request.path)), key=len, default=""
        )
        return [
            NavItem(
                label=label,
                url=url,
                current=url == here,
                waiting=facts.waiting if name == "permissions" else 0,
            )
            for label, name, url in links
            if url
        ]

    return {
        "frame": Frame(
            nav=items(PAGES),
            account=items(ACCOUNT_PAGES),
            artist=next((one for one in facts.artists if one.current), None),
            artists=facts.artists,
            acting=facts.acting,
            waiting=facts.waiting,
            frozen=facts.frozen,
            switch_url=address("switch_artist"),
            all_artists_url=address("artists"),
            sign_out_url=address("account_logout"),
        )
    }
