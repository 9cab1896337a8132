"""Whose work one looks at: choosing among the artists within reach."""

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from consent.errors import NotFound
from portal.queries.requests import open_questions
from portal.services.people import switch_artist as look_at
from portal.views.common import PortalRequest, user_of

PER_PAGE = 50


class ArtistSearch(forms.Form):
    """The search box above the list."""

    q = forms.CharField(label=_("Name"), required=False, max_length=200)


@require_GET
def artists(request: PortalRequest) -> HttpResponse:
    """All artists within reach, with what waits for each."""
    search = ArtistSearch(request.GET)
    words = search.cleaned_data["q"].casefold() if search.is_valid() else ""
    found = [one for one in request.access.artists if words in one.artist.party.name.casefold()]
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    waiting = open_questions([one.artist.pk for one in page.object_list])
    return render(
        request,
        "portal/artists.html",
        {
            "search": search,
            "words": words,
            "page": page,
            "rows": [(one, waiting.get(one.artist.pk, 0)) for one in page.object_list],
        },
    )


@require_POST
def switch_artist(request: PortalRequest) -> HttpResponse:
    """Look at another artist from now on."""
    try:
        artist = look_at(
            by=user_of(request), session=request.session, artist=request.POST.get("artist", "")
        )
    except NotFound as missing:
        raise Http404 from missing
    return redirect("overview", slug=artist.slug)
