"""Files that one asked for: how far they are, and fetching them."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from consent.errors import NotFound, Refused
from consent.models import WorkState
from portal.models import Export
from portal.queries.exports import export_by_ref, exports_of
from portal.services.exports import create_export_link, open_export
from portal.templatetags.figures import count
from portal.templatetags.times import plain_day
from portal.views.common import PortalRequest, user_of

PER_PAGE = 20


@require_GET
def exports(request: PortalRequest) -> HttpResponse:
    """The files of this person, newest first."""
    page = Paginator(exports_of(request.access), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/exports.html",
        {"page": page, "rows": [_row(one) for one in page.object_list]},
    )


@require_GET
def export_progress(request: PortalRequest, ref: uuid.UUID) -> HttpResponse:
    """How far one file is: a fragment of the list, asked for each second."""
    try:
        export = export_by_ref(request.access, ref)
    except NotFound as missing:
        raise Http404 from missing
    return render(request, "portal/export.html", {"row": _row(export)})


@require_POST
def fetch_export(request: PortalRequest, ref: uuid.UUID) -> HttpResponse:
    """Make a link that works once, and follow it."""
    try:
        export = export_by_ref(request.access, ref)
        token = create_export_link(by=user_of(request), export=export)
    except NotFound as missing:
        raise Http404 from missing
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("exports")
    return redirect("export_file", token=token)


@require_GET
def export_file(request: PortalRequest, token: str) -> HttpResponseBase:
    """Hand the file out, once: who asks, and for whom, is asked again."""
    try:
        opened = open_export(by=user_of(request), token=token)
    except NotFound as missing:
        raise Http404 from missing
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("exports")
    response = FileResponse(
        opened.file,
        as_attachment=True,
        filename=opened.filename,
        content_type=opened.content_type,
    )
    response.headers["Content-Length"] = str(opened.size)
    return response


def _row(export: Export) -> dict[str, object]:
    ready = export.state == WorkState.DONE and export.deleted_at is None
    gone = export.state == WorkState.DONE and not ready
    failed = export.state == WorkState.DEAD
    if failed:
        sentence = _("It could not be written. Please ask for it again.")
    elif gone:
        sentence = _("It was deleted after a week. Ask for it again.")
    elif ready:
        lines = ngettext("%(n)s line", "%(n)s lines", export.rows or 0)
        sentence = _("%(lines)s. Kept until %(day)s.") % {
            "lines": lines % {"n": count(export.rows or 0)},
            "day": plain_day(export.expires_at) if export.expires_at else "",
        }
    else:
        sentence = _("It is being written. You can leave this page: you are told when it is there.")
    return {
        "export": export,
        "ready": ready,
        "days": _days(export),
        "progress": {
            "key": str(export.ref),
            "label": export.get_kind_display(),
            "done": export.progress_done,
            "total": export.progress_total,
            "finished": ready or gone or failed,
            "sentence": sentence,
            "poll_url": reverse("export_progress", kwargs={"ref": export.ref}),
        },
        "show_bar": not (gone or failed),
    }


def _days(export: Export) -> str:
    since, until = export.params.get("since"), export.params.get("until")
    if since and until:
        return _("from %(since)s until %(until)s") % {"since": since, "until": until}
    if since:
        return _("from %(since)s on") % {"since": since}
    return _("until %(until)s") % {"until": until} if until else _("everything")
