"""Permissions by AI tool: all tools that matter to an artist, and one of them."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consent.queries.effective import ToolView, tools_for, uses_of
from consent.words import UseKind
from portal.queries.permissions import tool_rows
from portal.queries.rows import WITHOUT_HER, state_of
from portal.templatetags.figures import count
from portal.views.permissions.common import PortalRequest, reader_of, tabs, tool_of

PER_PAGE = 25


@require_GET
def permission_tools(request: PortalRequest, slug: str) -> HttpResponse:
    """Every tool by a company with a licence that may touch her work, and what it may do."""
    reader = reader_of(request, slug)
    page = Paginator(tools_for(reader.artist).tools, PER_PAGE).get_page(request.GET.get("page"))
    views = uses_of(reader.artist, tools=list(page.object_list)) if page.object_list else []
    rows = []
    for i, tool in enumerate(page.object_list):
        lines = [(view.use, view.tools[i]) for view in views if view.tools[i].holds]
        rows.append(
            {
                "tool": tool,
                "state": _state([line for _use, line in lines]),
                "allowed": [_what(use, line) for use, line in lines],
            }
        )
    return render(
        request,
        "portal/permissions/tools.html",
        {
            "reader": reader,
            "rows": rows,
            "page": page,
            "uses": len(UseKind),
            "tabs": tabs(reader, "permission_tools"),
        },
    )


def _state(lines: list[ToolView]) -> str:
    """One pill for all that a tool may do: never greener than the least of it."""
    if not lines:
        return "denied"
    states = {
        state_of(line.steps, allowed=True, whole=line.allowed == line.recordings) for line in lines
    }
    return next(state for state in (*WITHOUT_HER, "partly", "allowed") if state in states)


def _what(use: UseKind, line: ToolView) -> str:
    if line.allowed == line.recordings:
        return str(use.label)
    facts = {"use": use.label, "some": count(line.allowed), "all": count(line.recordings)}
    return _("%(use)s (%(some)s of %(all)s)") % facts


@require_GET
def permission_tool(request: PortalRequest, slug: str, tool: str) -> HttpResponse:
    """One tool: the seven use kinds, with her answers about just this tool."""
    reader = reader_of(request, slug)
    found = tool_of(tool)
    return render(
        request,
        "portal/permissions/tool.html",
        {"reader": reader, "tool": found, "rows": tool_rows(reader, found)},
    )
