"""Why, step by step: for one recording, or for all of an artist's, grouped by their reasons."""

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consent.errors import Refused
from consent.models import Recording
from consent.queries.effective import explain_groups
from consent.queries.voices import DECIDED_BY_THE_BILLED
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
    say_of,
    tool_of,
    use_of,
)

OF_ANOTHER_DAY: Final = frozenset({"at", "known_at", "known_seq"})


@require_GET
def why(request: PortalRequest, slug: str) -> HttpResponse:
    """May this tool do this, and why: `use` and `tool`, and `isrc` for one recording."""
    reader = reader_of(request, slug)
    use = use_of(request.GET.get("use", ""))
    tool = tool_of(request.GET.get("tool", ""))
    facts: dict[str, Any] = {"reader": reader, "use_kind": UseKind(use), "tool": tool}
    if request.GET.get("isrc"):
        say = say_of(reader.artist, request.GET["isrc"])
        facts |= {"recording": say.recording, "billed": say.billed}
        if use not in say.uses:
            facts["closed"] = DECIDED_BY_THE_BILLED
            return render(request, "portal/permissions/why_recording.html", facts)
        row = pair_row(reader, say, tool, use)
        [reasons] = reason_lines(row.steps)
        return render(
            request,
            "portal/permissions/why_recording.html",
            {
                **facts,
                "row": row,
                "reasons": reasons,
                "next_step": next_step(row.steps, reader, f"#use-{use}", billed=say.billed),
                "may_export": reader.may(Scope.EXPORT),
            },
        )
    groups = explain_groups(reader.artist, use=use, tool=tool, to_herself=reader.is_own)
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
    """The receipt of what holds for one recording, use and tool: the leaves it rests on.

    Of another day with `at`, a moment, and `known_at` (a moment) or `known_seq` (a position); but
    for who is only heard on it, who may not have been before.
    """
    reader = reader_of(request, slug, Scope.EXPORT)
    use = use_of(request.GET.get("use", ""))
    tool = tool_of(request.GET.get("tool", ""))
    say = say_of(reader.artist, request.GET.get("isrc", ""))
    recording = say.recording
    if use not in say.uses:
        messages.info(request, str(DECIDED_BY_THE_BILLED))
        return leads(request, page_of(reader, About(recording=recording)))
    if not say.billed and not OF_ANOTHER_DAY.isdisjoint(request.GET):
        raise Http404
    try:
        made = receipt_for_recording(
            artist=reader.artist,
            recording=recording,
            use=use,
            tool=tool,
            at=_moment(request, "at"),
            known_at=_moment(request, "known_at"),
            known_seq=_position(request),
            opened_for=opened_for(reader),
        )
    except Refused as refusal:
        messages.info(request, refusal.sentence)
        return leads(request, page_of(reader, About(recording=recording, tool=tool), use))
    return receipt_file(made)


def _moment(request: PortalRequest, name: str) -> datetime | None:
    """A moment of ISO 8601 with its offset in the address, as UTC. Raises `Http404`."""
    text = request.GET.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    raise Http404


def _position(request: PortalRequest) -> int | None:
    """A ledger position in the address. Raises `Http404`."""
    text = request.GET.get("known_seq")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise Http404
