"""What AI did with an artist's work: which tool, which recording, for what, when, and allowed?"""

from dataclasses import replace
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.clock import now
from consent.errors import Refused
from consent.models import Tool
from consent.queries.sharing import shared_recordings
from consent.queries.usage import Usage, usage_by_tool, usage_of
from consent.words import Right
from portal.forms.usage import ExportForm, UsageForm
from portal.queries.reasons import reason_of_use, state_of_use
from portal.queries.rows import Reader
from portal.roles import Scope
from portal.services.exports import request_export
from portal.templatetags.figures import percent_bp
from portal.views.common import PortalRequest, leads, reader_of, user_of

LATELY = timedelta(days=30)


@require_GET
def usage(request: PortalRequest, slug: str) -> HttpResponse:
    """The uses, the latest first, and what each tool did in the days that are looked at."""
    reader = reader_of(request, slug)
    tools = [
        (tool.slug, f"{tool.name} ({tool.company.party.name})")
        for tool in Tool.objects.select_related("company__party").order_by("name")
    ]
    form = UsageForm(request.GET, tools=tools)
    form.is_valid()
    only = form.only
    try:
        page = usage_of(reader.artist, only=only, after=request.GET.get("after") or None)
    except Refused:  # an old bookmark
        return redirect(reader.url("usage"))
    shared = shared_recordings(reader.artist, {one.recording for one in page.rows})
    begins = only.since or now() - LATELY
    by_tool = usage_by_tool(reader.artist, only=replace(only, since=begins))
    return render(
        request,
        "portal/usage.html",
        {
            "reader": reader,
            "form": form,
            "rows": [_row(one, reader, one.recording in shared) for one in page.rows],
            "after": page.after,
            "first": not request.GET.get("after"),
            "by_tool": by_tool,
            "begins": begins,
            "chosen": only.since is not None or only.until is not None,
            "may_export": reader.may(Scope.EXPORT),
            "days": {name: request.GET.get(name, "") for name in ("since", "until")},
        },
    )


@require_POST
def export_usage(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask for the file of it, which is written in the background."""
    reader = reader_of(request, slug, Scope.EXPORT)
    form = ExportForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a first and a last day."))
        return leads(request, reader.url("usage"))
    try:
        export = request_export(by=user_of(request), artist=reader.artist, params=form.cleaned_data)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return leads(request, reader.url("usage"))
    return leads(request, f"{reverse('exports')}#export-{export.ref}")


def _row(one: Usage, reader: Reader, shared: bool) -> dict[str, object]:
    day = timezone.localtime(one.at).date().isoformat()
    asked = {"isrc": one.isrc, "use": one.use, "tool": one.tool, "day": day}
    return {
        "use": one,
        "state": state_of_use(allowed=one.allowed, reason=one.reason, shared=shared),
        "reason": reason_of_use(allowed=one.allowed, reason=one.reason, shared=shared),
        "why": f"{reader.url('history')}?{urlencode(asked)}",
        "recording": reader.url("credit", isrc=one.isrc),
        "influence": _influence(one),
    }


def _influence(one: Usage) -> str:
    """How much the output drew on the recording; per right where that differs."""
    if not one.shares:
        return ""
    if len({share.influence_bp for share in one.shares}) == 1:
        return percent_bp(one.shares[0].influence_bp)
    return ", ".join(
        f"{Right(share.right).label} {percent_bp(share.influence_bp)}" for share in one.shares
    )
