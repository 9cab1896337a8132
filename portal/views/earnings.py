"""What AI owes an artist: per month, tool and recording; statements, and what is behind a line."""

import uuid
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.discretion import PERSONAL
from consent.errors import Refused
from consent.queries.sharing import shared_recordings
from consent.words import Right
from portal.queries.earnings import (
    amount_of,
    charts_of,
    events_page,
    line_of,
    lines_of,
    spread_of,
    tell_line,
)
from portal.queries.reasons import reason_held, reason_of_use, state_of_use
from portal.queries.rows import Reader
from portal.roles import Scope
from portal.services.splits import answer_split as give_split_answer
from portal.views.common import PortalRequest, leads, reader_of
from royalties.models import SplitVersion, Statement, StatementLine
from royalties.queries.earnings import (
    balances_of,
    earnings_by_month,
    earnings_by_recording,
    earnings_by_tool,
    held_money,
    held_recordings,
    months_in_progress,
    pending_splits,
)
from royalties.queries.earnings import statement as find_statement
from royalties.words import PeriodState

MONTHS: Final = 24
RECORDINGS: Final = 50


@require_GET
def earnings(request: PortalRequest, slug: str) -> HttpResponse:
    """What there is, the last twelve months, and every month with its statement."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    months = earnings_by_month(reader.artist)
    page = Paginator(months, MONTHS).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/earnings/months.html",
        {
            "reader": reader,
            "tabs": _tabs(reader, "earnings"),
            "balances": balances_of(reader.artist),
            "latest": months[0] if months else None,
            "charts": charts_of(reader.artist, months),
            "page": page,
            "in_progress": [
                {"month": one.month, "state": PeriodState(one.state).label}
                for one in months_in_progress()
            ],
        },
    )


@require_GET
def earnings_tools(request: PortalRequest, slug: str) -> HttpResponse:
    """What each AI tool brought, over all statements."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    page = Paginator(earnings_by_tool(reader.artist), RECORDINGS).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/earnings/tools.html",
        {"reader": reader, "tabs": _tabs(reader, "earnings_tools"), "page": page},
    )


@require_GET
def earnings_recordings(request: PortalRequest, slug: str) -> HttpResponse:
    """What each recording brought, over all statements, the largest first."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    number = _number(request.GET.get("page"))
    rows = earnings_by_recording(
        reader.artist, offset=(number - 1) * RECORDINGS, limit=RECORDINGS + 1
    )
    return render(
        request,
        "portal/earnings/recordings.html",
        {
            "reader": reader,
            "tabs": _tabs(reader, "earnings_recordings"),
            "rows": rows[:RECORDINGS],
            "number": number,
            "first": (number - 1) * RECORDINGS + 1,
            "last": (number - 1) * RECORDINGS + len(rows[:RECORDINGS]),
            "has_next": len(rows) > RECORDINGS,
        },
    )


@require_GET
def earnings_held(request: PortalRequest, slug: str) -> HttpResponse:
    """Money that waits, and for what."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    shared = bool(shared_recordings(reader.artist, held_recordings(reader.artist)))
    held = [
        {"held": one, "why": reason_held(one.reason, shared=shared)}
        for one in held_money(reader.artist, alike=PERSONAL if shared else ())
    ]
    return render(
        request,
        "portal/earnings/held.html",
        {"reader": reader, "tabs": _tabs(reader, "earnings_held"), "rows": held},
    )


# --- Statements --------------------------------------------------------------------------


@require_GET
def statement(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """One month, as it was published: how it adds up, and its lines, each of which opens."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    found = _statement(reader, ref)
    page = lines_of(found).get_page(request.GET.get("page"))
    shared = shared_recordings(
        reader.artist, {one.recording_id for one in page.object_list if one.recording_id}
    )
    tools, recordings = spread_of(found)
    return render(
        request,
        "portal/earnings/statement.html",
        {
            "reader": reader,
            "statement": found,
            "tools": tools,
            "recordings": recordings,
            "together": found.carried_in_micros + found.earned_micros,
            "page": page,
            "rows": [
                {
                    "line": line,
                    "why": (
                        reason_held(line.held, shared=line.recording_id in shared)
                        if line.held
                        else ""
                    ),
                }
                for line in page.object_list
            ],
        },
    )


@require_GET
def statement_line(
    request: PortalRequest, slug: str, ref: uuid.UUID, position: int
) -> HttpResponse:
    """One line: the steps that made it, recomputed, and the uses behind it.

    To htmx only the steps, which open in place.
    """
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    line = _line(_statement(reader, ref), position)
    shared = line.recording_id in shared_recordings(reader.artist, [line.recording_id])
    told = tell_line(line, shared=shared)
    if request.htmx:
        return render(
            request,
            "portal/earnings/line_steps.html",
            {"reader": reader, "line": line, "told": told},
        )
    events = events_page(line, _number(request.GET.get("page")))
    return render(
        request,
        "portal/earnings/line.html",
        {
            "reader": reader,
            "line": line,
            "amount": amount_of(line),
            "told": told,
            "events": events,
            "rows": [
                {
                    "event": one,
                    "right": Right(one.right).label,
                    "state": state_of_use(allowed=one.allowed, reason=one.reason, shared=shared),
                    "why": reason_of_use(allowed=one.allowed, reason=one.reason, shared=shared),
                }
                for one in events.rows
            ],
        },
    )


def _statement(reader: Reader, ref: uuid.UUID) -> Statement:
    found = find_statement(reader.artist, ref=ref)
    if found is None:
        raise Http404
    return found


def _line(statement: Statement, position: int) -> StatementLine:
    found = line_of(statement, position)
    if found is None:
        raise Http404
    return found


# --- Splits ------------------------------------------------------------------------------


@require_GET
def splits(request: PortalRequest, slug: str) -> HttpResponse:
    """Proposed splits that this artist has a share in, and who has said yes so far."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    page = Paginator(pending_splits(reader.artist), 20).get_page(request.GET.get("page"))
    rows = []
    for split in page.object_list:
        shares = list(split.shares.all())
        mine = next(one for one in shares if one.party_id == reader.artist.pk)
        rows.append({"split": split, "shares": shares, "answered": hasattr(mine, "answer")})
    return render(
        request,
        "portal/earnings/splits.html",
        {
            "reader": reader,
            "tabs": _tabs(reader, "splits"),
            "page": page,
            "rows": rows,
            "may_accept": reader.may(Scope.SIGN_LICENCE),
            "may_decline": reader.may(Scope.WITHDRAW),
        },
    )


@require_POST
def answer_split(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """Say yes or no to one proposed split."""
    reader = reader_of(request, slug, Scope.SEE_MONEY)
    answer = request.POST.get("answer")
    split = SplitVersion.objects.filter(ref=ref, shares__party=reader.artist.pk).first()
    if split is None:
        raise Http404
    if answer not in {"yes", "no"}:
        messages.error(request, _("Answer yes or no."))
        return leads(request, reader.url("splits"))
    try:
        give_split_answer(
            by=reader.access, artist=reader.artist, split=split, accept=answer == "yes"
        )
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        said = (
            _("You said yes. With everybody's yes the split comes into force.")
            if answer == "yes"
            else _("You said no. The split that holds now goes on.")
        )
        messages.success(request, said)
    return leads(request, reader.url("splits"))


# --- Details -----------------------------------------------------------------------------


def _tabs(reader: Reader, current: str) -> list[dict[str, object]]:
    pages = (
        (_("By month"), "earnings"),
        (_("By AI tool"), "earnings_tools"),
        (_("By recording"), "earnings_recordings"),
        (_("Held"), "earnings_held"),
        (_("Splits"), "splits"),
    )
    return [
        {"label": label, "url": reader.url(name), "current": name == current}
        for label, name in pages
    ]


def _number(text: str | None) -> int:
    """A page's number from an address; the first page for anything else."""
    return max(int(text), 1) if text is not None and text.isdecimal() and len(text) < 8 else 1
