"""Answers beside the general ones; what withdrawals set in motion; what is missing."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from consent.decisions import Code
from consent.queries.effective import uses_of
from consent.queries.touching import overrides_of
from consent.scopes import scope_of
from consent.words import Stance, UseKind
from portal.answering import scope_to_clear
from portal.models.roster import LedgerNow
from portal.queries.answers import exceptions_of
from portal.queries.rights import is_on_her_own, who_settles
from portal.queries.rows import answer_word
from portal.queries.saying import about_text
from portal.queries.why import UNCLAIMED, next_for_use, whose_move
from portal.queries.withdrawals import begins_at, stops, withdrawals_of
from portal.roles import Scope
from portal.views.permissions.common import (
    PortalRequest,
    about_data,
    page_of,
    reader_of,
    tabs,
)

PER_PAGE = 50


class UseFilter(forms.Form):
    """Which use kind a list shows."""

    use = forms.ChoiceField(
        label=_("Use"), required=False, choices=[("", _("All")), *UseKind.choices]
    )


@require_GET
def exceptions(request: PortalRequest, slug: str) -> HttpResponse:
    """The answers about a tool, a company, a recording or some countries, the newest first."""
    reader = reader_of(request, slug)
    form = UseFilter(request.GET)
    use = form.cleaned_data["use"] if form.is_valid() else ""
    page = Paginator(exceptions_of(reader.artist, use=use), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = []
    for one in page.object_list:
        about = scope_of(one)
        rows.append(
            {
                "answer": one,
                "use": UseKind(one.use),
                "about": about_text(about),
                "url": page_of(reader, about, one.use),
                "stance": Stance(one.stance).label,
                "over": bool(one.__dict__["over"]),
                "again": one.stance == Stance.ALLOW and one.__dict__["text_replaced"],
                "hidden": about_data(about) | {"territories": " ".join(one.territories)},
                "may_clear": reader.may(scope_to_clear(one)),
            }
        )
    return render(
        request,
        "portal/permissions/exceptions.html",
        {
            "reader": reader,
            "form": form,
            "use": use,
            "rows": rows,
            "page": page,
            "tabs": tabs(reader, "exceptions"),
        },
    )


@require_GET
def withdrawals(request: PortalRequest, slug: str) -> HttpResponse:
    """Who was told to stop: per company and model version, and whether they confirmed."""
    reader = reader_of(request, slug)
    page = Paginator(withdrawals_of(reader.artist), PER_PAGE).get_page(request.GET.get("page"))
    by_permission: dict[int, list[object]] = {}
    for row in page.object_list:
        by_permission.setdefault(row.permission_id, []).append(row)
    groups = []
    for found in by_permission.values():
        first = found[0]
        groups.append(
            {
                "use": UseKind(first.permission.use),  # type: ignore[attr-defined]
                "at": begins_at(first),  # type: ignore[arg-type]
                "stops": stops(found),  # type: ignore[arg-type]
            }
        )
    return render(
        request,
        "portal/permissions/withdrawals.html",
        {"reader": reader, "groups": groups, "page": page, "tabs": tabs(reader, "withdrawals")},
    )


@require_GET
def missing(request: PortalRequest, slug: str) -> HttpResponse:
    """What is missing before each use could be allowed, whose move it is; and who overrides."""
    reader = reader_of(request, slug)
    me = reader.artist if reader.is_own else None
    views = uses_of(reader.artist, language=reader.language, to_herself=me is not None)
    companies = len({one.tool.company.pk for view in views for one in view.tools})
    own = reader.artist.party.name if is_on_her_own(reader.artist) else ""
    rights = reader.url("own_rights") if reader.may(Scope.SIGN_LICENCE) else ""
    twice = any(gap.step.code == Code.RIGHT_OVER_CLAIMED for v in views for gap in v.missing)
    settles = who_settles(reader.artist) if twice else None
    uses = [
        {
            "view": view,
            "says": answer_word(view.stance, outdated=view.wording_changed),
            "needs": [
                {
                    "gap": gap,
                    "whose": whose_move(gap.step, own=own, settles=settles, me=me),
                    "settle": reader.url("own_rights")
                    if gap.step.code == Code.RIGHT_OVER_CLAIMED
                    else "",
                    "declare": rights if gap.step.code in UNCLAIMED else "",
                    "companies": ""
                    if len(gap.companies) == companies
                    else ", ".join(gap.companies),
                }
                for gap in view.missing
            ],
            "next": next_for_use(view, reader, f"{reader.url('permissions')}#use-{view.use.value}"),
        }
        for view in views
        if view.allowed < view.recordings or not view.recordings
    ]
    overrides = [
        {
            "version": version,
            "uses": [UseKind(use).label for use in touch.uses],
        }
        for version, touch in overrides_of(reader.artist, at=LedgerNow())
    ]
    return render(
        request,
        "portal/permissions/missing.html",
        {
            "reader": reader,
            "uses": uses,
            "overrides": overrides,
            "rights_url": rights if own else "",
            "unlicensed": next((view.use for view in views if not view.tools), None),
            "tabs": tabs(reader, "missing"),
        },
    )
