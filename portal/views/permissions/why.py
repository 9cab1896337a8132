"""Why, step by step: for one recording, or for all of an artist's, grouped by their reasons."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.errors import Refused
from consent.models import Recording
from consent.queries.effective import explain_groups
from consent.scopes import Scope as About
from consent.services.receipts import receipt_for_recording
from consent.words import UseKind
from portal.queries.permissions import pair_row
from portal.queries.rows import state_of
from portal.queries.why import next_step, reason_lines
from portal.roles import Scope
from portal.views.permissions.acts import opened_for, receipt_file
from portal.views.permissions.common import (
    PortalRequest,
    leads,
    page_of,
    reader_of,
    recording_of,
    tool_of,
    use_of,
)


@require_GET
def why(request: PortalRequest, slug: str) -> HttpResponse:
    """May this tool do this, and why: `use` and `tool`, and `isrc` for one recording."""
    reader = reader_of(request, slug)
    use = use_of(request.GET.get("use", ""))
    tool = tool_of(request.GET.get("tool", ""))
    facts = {"reader": reader, "use_kind": UseKind(use), "tool": tool}
    if request.GET.get("isrc"):
        recording = recording_of(reader.artist, request.GET["isrc"])
        row = pair_row(reader, recording, tool, use)
        [reasons] = reason_lines(row.steps)
        return render(
            request,
            "portal/permissions/why_recording.html",
            {
                **facts,
                "recording": recording,
                "row": row,
                "reasons": reasons,
                "next_step": next_step(row.steps, reader, f"#use-{use}"),
                "may_export": reader.may(Scope.EXPORT),
            },
        )
    groups = explain_groups(reader.artist, use=use, tool=tool)
    if not groups:
        raise Http404
    shown = groups[:20]
    switch = f"{reader.url('permission_tool', tool=tool.slug)}#use-{use}"
    examples = {
        one.isrc: one for one in Recording.objects.filter(isrc__in=[one.isrc for one in shown])
    }
    lines = reason_lines(*(one.steps for one in shown))
    return render(
        request,
        "portal/permissions/why.html",
        {
            **facts,
            "groups": [
                {
                    "recordings": group.recordings,
                    "example": examples[group.isrc],
                    "state": state_of(group.steps, allowed=group.allowed),
                    "reasons": reasons,
                    "next_step": next_step(group.steps, reader, switch),
                }
                for group, reasons in zip(shown, lines, strict=True)
            ],
            "more": len(groups) - len(shown),
            "total": sum(group.recordings for group in groups),
        },
    )


@require_GET
def why_receipt(request: PortalRequest, slug: str) -> HttpResponse:
    """The receipt of what holds now for one recording, use and tool: the leaves it rests on."""
    reader = reader_of(request, slug, Scope.EXPORT)
    use = use_of(request.GET.get("use", ""))
    tool = tool_of(request.GET.get("tool", ""))
    recording = recording_of(reader.artist, request.GET.get("isrc", ""))
    try:
        made = receipt_for_recording(
            artist=reader.artist,
            recording=recording,
            use=use,
            tool=tool,
            opened_for=opened_for(reader),
        )
    except Refused as refusal:
        messages.info(request, refusal.sentence)
        return leads(request, page_of(reader, About(recording=recording, tool=tool), use))
    return receipt_file(made)
