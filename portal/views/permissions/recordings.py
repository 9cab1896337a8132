"""Permissions by recording: a list to search in, and one recording with every use and tool."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.queries.catalogue import recordings_of
from portal.forms.permissions import RecordingSearch
from portal.queries.permissions import recording_rows
from portal.queries.recordings import own_answers
from portal.views.permissions.common import PortalRequest, reader_of, recording_of, tabs


@require_GET
def permission_recordings(request: PortalRequest, slug: str) -> HttpResponse:
    """Her recordings, with the answers that name them one by one."""
    reader = reader_of(request, slug)
    search = RecordingSearch(request.GET)
    words = search.cleaned_data["q"] if search.is_valid() else ""
    page = recordings_of(reader.artist, search=words, after=request.GET.get("after", ""))
    own = own_answers(reader.artist, [row.recording.pk for row in page.rows])
    return render(
        request,
        "portal/permissions/recordings.html",
        {
            "reader": reader,
            "search": search,
            "words": words,
            "page": page,
            "rows": [(row, own.get(row.recording.pk, [])) for row in page.rows],
            "tabs": tabs(reader, "permission_recordings"),
        },
    )


@require_GET
def permission_recording(request: PortalRequest, slug: str, isrc: str) -> HttpResponse:
    """One recording: for each use kind her answer, and what holds for each tool."""
    reader = reader_of(request, slug)
    recording = recording_of(reader.artist, isrc)
    return render(
        request,
        "portal/permissions/recording.html",
        {
            "reader": reader,
            "recording": recording,
            "rows": recording_rows(reader, recording),
        },
    )
