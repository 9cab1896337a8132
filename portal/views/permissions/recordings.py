"""Permissions by recording: a list to search in, and one recording with every use and tool."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.clock import now
from consent.queries.catalogue import RecordingPage, recordings_of
from consent.queries.voices import billed_on, heard_recordings
from portal.forms.permissions import RecordingListSearch
from portal.queries.heard import heard_part
from portal.queries.permissions import recording_rows
from portal.queries.recordings import own_answers
from portal.views.permissions.common import PortalRequest, reader_of, say_of, tabs


@require_GET
def permission_recordings(request: PortalRequest, slug: str) -> HttpResponse:
    """Her recordings, with the answers that name them one by one; or those that she is heard on.

    The latter with `part`, and where there is none of the former. `after` leads on in the former,
    `heard` in the latter.
    """
    reader = reader_of(request, slug)
    search = RecordingListSearch(request.GET)
    said = search.cleaned_data if search.is_valid() else {"q": "", "part": ""}
    words, heard_only = said["q"], said["part"] == search.VOICE
    page, heard = RecordingPage((), "", 0), None
    if not heard_only:
        page = recordings_of(reader.artist, search=words, after=request.GET.get("after", ""))
    if heard_only or not page.total:
        heard = heard_part(reader, search=words, after=request.GET.get("heard", ""))
    own = own_answers(reader.artist, [row.recording.pk for row in page.rows], at=now())
    return render(
        request,
        "portal/permissions/recordings.html",
        {
            "reader": reader,
            "search": search,
            "words": words,
            "page": page,
            "rows": [(row, own.get(row.recording.pk, [])) for row in page.rows],
            "heard_only": heard_only,
            "heard": heard,
            "heard_number": 0 if heard else heard_recordings(reader.artist).count(),
            "tabs": tabs(reader, "permission_recordings"),
        },
    )


@require_GET
def permission_recording(request: PortalRequest, slug: str, isrc: str) -> HttpResponse:
    """One recording: for each use kind her answer, and what holds for each tool.

    Where she is only heard on it, for what is made of voices.
    """
    reader = reader_of(request, slug)
    say = say_of(reader.artist, isrc)
    return render(
        request,
        "portal/permissions/recording.html",
        {
            "reader": reader,
            "recording": say.recording,
            "by": [] if say.billed else billed_on([say.recording.pk])[say.recording.pk],
            "billed": say.billed,
            "rows": recording_rows(reader, say),
        },
    )
