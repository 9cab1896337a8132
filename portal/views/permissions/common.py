"""What the permission pages share: whose page it is, what an answer is about, where to go next."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from consent.identifiers import IdentifierError, normalise_isrc
from consent.models import AICompany, Artist, Recording, Tool, Wording
from consent.queries.voices import Say, say_in
from consent.scopes import Scope as About
from consent.words import Stance, UseKind
from portal.access import Access
from portal.answering import may_lead_to_a_yes, wording_read
from portal.queries.rows import Reader
from portal.roles import Scope

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

RECENT_SIGN_IN_SECONDS: Final = 3600
"""A yes asks for a sign-in that is no older; a no never asks."""

VOICE_SIGN_IN_SECONDS: Final = 300
"""A yes to the voice asks for one that is no older than this."""

AUTHENTICATIONS: Final = "account_authentication_methods"  # allauth's own record, in the session


class PortalRequest(HttpRequest):
    """A request as our middleware hands it to views."""

    access: Access
    htmx: "HtmxDetails"


def reader_of(request: PortalRequest, slug: str, scope: Scope = Scope.SEE) -> Reader:
    """Whoever reads the page of this artist. Raises `Http404` or `PermissionDenied`."""
    artist = request.access.require(slug, scope)
    return Reader(access=request.access, artist=artist, language=(get_language() or "en")[:2])


def use_of(use: str) -> str:
    """A use kind from an address. Raises `Http404` for anything else."""
    if use not in UseKind.values:
        raise Http404
    return use


def tool_of(slug: str) -> Tool:
    """A tool by its slug, with its company. Raises `Http404`."""
    tool = Tool.objects.filter(slug=slug).select_related("company__party").first()
    if tool is None:
        raise Http404
    return tool


def recording_of(artist: Artist, isrc: str) -> Recording:
    """A recording on which this artist is billed, in any written form. Raises `Http404`."""
    try:
        stored = normalise_isrc(isrc)
    except IdentifierError as error:
        raise Http404 from error
    found = Recording.objects.filter(isrc=stored, billed__artist=artist).first()
    if found is None:
        raise Http404
    return found


def say_of(artist: Artist, isrc: str) -> Say:
    """What this artist is asked about a recording, billed on it or heard. Raises `Http404`."""
    try:
        found = say_in(artist, normalise_isrc(isrc))
    except IdentifierError as error:
        raise Http404 from error
    if found is None:
        raise Http404
    return found


def about_of(artist: Artist, data: Mapping[str, str]) -> About:
    """What an answer is about: `tool`, `company` (slugs) and `recording` (ISRC) in a form.

    Raises `Http404` for what is not there, or is not hers.
    """
    recording = say_of(artist, data["recording"]).recording if data.get("recording") else None
    if data.get("tool"):
        return About(recording=recording, tool=tool_of(data["tool"]))
    if data.get("company"):
        company = AICompany.objects.filter(slug=data["company"]).select_related("party").first()
        if company is None:
            raise Http404
        return About(recording=recording, company=company)
    return About(recording=recording)


def about_data(about: About) -> dict[str, str]:
    """What `about_of` reads, for hidden fields and addresses."""
    data = {}
    if about.recording is not None:
        data["recording"] = about.recording.isrc
    if about.tool is not None:
        data["tool"] = about.tool.slug
    if about.company is not None:
        data["company"] = about.company.slug
    return data


def page_of(reader: Reader, about: About, use: str = "") -> str:
    """The page on which this answer stands, at its row."""
    if about.recording is not None and about.tool is not None:
        query = urlencode({"isrc": about.recording.isrc, "tool": about.tool.slug, "use": use})
        return f"{reader.url('why')}?{query}"
    if about.recording is not None:
        url = reader.url("permission_recording", isrc=about.recording.isrc)
    elif about.tool is not None:
        url = reader.url("permission_tool", tool=about.tool.slug)
    elif about.company is not None:
        url = reader.url("exceptions")
    else:
        url = reader.url("permissions")
    return f"{url}#use-{use}" if use else url


def tabs(reader: Reader, current: str, waiting: int | None = None) -> list[dict[str, object]]:
    """The permission pages as tabs; `waiting` questions stand beside theirs where it is known."""
    pages = (
        (_("In general"), "permissions"),
        (_("By AI tool"), "permission_tools"),
        (_("By recording"), "permission_recordings"),
        (_("Questions"), "requests"),
        (_("Exceptions"), "exceptions"),
        (_("What is missing"), "missing"),
    )
    return [
        {
            "label": label,
            "url": reader.url(name),
            "current": name == current,
            "waiting": waiting if name == "requests" else 0,
        }
        for label, name in pages
    ]


def wording_shown(data: Mapping[str, str], *, use: str, stance: str) -> Wording | None:
    """The text that stood beside the switch when it was used, if one was published.

    Raises `Refused` (`wording_changed`) for a yes that names none where there is one.
    """
    return wording_read(data.get("wording", ""), use=use, stance=stance)


def leads(request: PortalRequest, url: str) -> HttpResponse:
    """Go there, whether the form was sent by htmx or not."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def signed_in_recently(request: HttpRequest, within: int = RECENT_SIGN_IN_SECONDS) -> bool:
    """Whether whoever holds this session proved who she is `within` so many seconds."""
    records = request.session.get(AUTHENTICATIONS, [])
    newest = max((record.get("at", 0) for record in records), default=0)
    return time.time() - newest < within


def sign_in_again(
    request: PortalRequest, stance: str, back: str, *, use: str = "", ends: bool = False
) -> HttpResponse | None:
    """For a yes after a long while: prove who you are, then go on at `back`. None: go on.

    After a short while already where `use` is the voice. A no that `ends` may lead to a yes.
    """
    within = VOICE_SIGN_IN_SECONDS if use == UseKind.VOICE else RECENT_SIGN_IN_SECONDS
    if not may_lead_to_a_yes(stance, ends=ends) or signed_in_recently(request, within):
        return None
    if stance == Stance.ALLOW:
        said = _("Before a yes, please sign in again. A no never asks for this.")
    else:
        said = _("Before a no that ends, please sign in again. A no without an end never asks.")
    messages.info(request, said)
    return leads(request, f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")
