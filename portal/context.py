"""What the frame around every signed-in page shows: where one is, and for whom one acts.

Templates read `frame`; `templates/base.html` includes the parts. The facts come from the request:
whoever works out what a person may reach (a middleware, or the view) sets `request.frame_facts`
to a `FrameFacts`. Without it the frame is still whole, only with nobody to act for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
    the number of questions that wait for the current artist.
    """

    artists: Sequence[ArtistChoice] = ()
    acting: str | Promise = ""
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """What `acting.html` and `nav.html` draw. Addresses are empty where there is no such page."""

    nav: Sequence[NavItem]
    account: Sequence[NavItem]
    artist: ArtistChoice | None
    artists: Sequence[ArtistChoice]
    acting: str | Promise
    waiting: int
    switch_url: str
    all_artists_url: str
    sign_out_url: str


PAGES: Final = (
    (_("Overview"), "overview"),
    (_("Permissions"), "permissions"),
    (_("AI usage"), "usage"),
    (_("Credits"), "credits"),
    (_("Earnings"), "earnings"),
    (_("Timeline"), "timeline"),
    (_("People with access"), "people"),
)
ACCOUNT_PAGES: Final = ((_("Notices"), "notices"), (_("Sign-in and security"), "mfa_index"))


def address(name: str) -> str:
    """The address of a page without arguments, or nothing when there is no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def is_current(url: str, path: str) -> bool:
    """Whether a page lies at or below an address; the root is only itself."""
    return path == url or (url != "/" and path.startswith(url))


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor `portal.context.frame`: `{"frame": Frame}`. Asks nothing but the facts."""
    facts = getattr(request, "frame_facts", None) or FrameFacts()

    def items(pages: Sequence[tuple[str | Promise, str]]) -> list[NavItem]:
        links = [(label, name, address(name)) for label, name in pages]
        return [
            NavItem(
                label=label,
                url=url,
                current=is_current(url, request.path),
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
            switch_url=address("switch_artist"),
            all_artists_url=address("artists"),
            sign_out_url=address("account_logout"),
        )
    }
