"""Who made what: the recordings of an artist with everybody's part, and AI's."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.models import Recording
from consent.queries.catalogue import credits_of, credits_of_many, recordings_of
from consent.words import AiPart
from portal.forms.credits import CreditSearch
from portal.queries.credits import also_credited, releases_with, rights_of
from portal.views.common import PortalRequest, reader_of, recording_of

SHOWN = 6


@require_GET
def credits(request: PortalRequest, slug: str) -> HttpResponse:
    """The recordings, each with its credits; and where else the artist is credited."""
    reader = reader_of(request, slug)
    search = CreditSearch(request.GET)
    words = search.cleaned_data["q"] if search.is_valid() else ""
    after = request.GET.get("after", "")
    page = recordings_of(reader.artist, search=words, after=after)
    roles = credits_of_many([row.recording for row in page.rows])
    first = not words and not after
    return render(
        request,
        "portal/credits.html",
        {
            "reader": reader,
            "search": search,
            "words": words,
            "page": page,
            "rows": [
                {
                    "row": row,
                    "roles": roles[row.recording.pk][:SHOWN],
                    "more": max(len(roles[row.recording.pk]) - SHOWN, 0),
                    "ai": ai_word(row.recording),
                }
                for row in page.rows
            ],
            "elsewhere": also_credited(reader.artist) if first else [],
        },
    )


@require_GET
def credit(request: PortalRequest, slug: str, isrc: str) -> HttpResponse:
    """One recording: who did what, how far AI did, on which releases, and who holds the rights."""
    reader = reader_of(request, slug)
    recording = recording_of(reader.artist, isrc)
    return render(
        request,
        "portal/credit.html",
        {
            "reader": reader,
            "recording": recording,
            "titles": [one for one in recording.titles.all() if one.title != recording.title],
            "roles": credits_of(recording),
            "ai": ai_word(recording),
            "releases": releases_with(recording),
            "rights": rights_of(recording),
        },
    )


def ai_word(recording: Recording) -> str:
    """How far AI made it, where whoever delivered it said so."""
    part = AiPart(recording.contains_ai)
    return "" if part is AiPart.UNDECLARED else str(part.label)
