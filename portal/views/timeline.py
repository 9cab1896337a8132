"""Everything that was done, by whom, newest first."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.forms.timeline import TimelineForm
from portal.queries.timeline import timeline_of
from portal.views.common import PortalRequest, reader_of


@require_GET
def timeline(request: PortalRequest, slug: str) -> HttpResponse:
    """A page of it, with who did each thing and where it can be undone."""
    reader = reader_of(request, slug)
    form = TimelineForm(request.GET)
    what = form.cleaned_data["what"] if form.is_valid() else ""
    after = request.GET.get("after", "")
    page = timeline_of(reader, what=what, after=after)
    return render(
        request,
        "portal/timeline.html",
        {"reader": reader, "form": form, "what": what, "page": page, "first": not after},
    )
