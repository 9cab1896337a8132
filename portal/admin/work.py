"""Work that is written down in rows: how much waits, what was given up, and trying it again."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from consent.errors import Refused
from consent.models import WorkRow, WorkState
from portal.access import access_of
from portal.admin.doing import DoingForm, tell
from portal.models import User
from portal.queries.staff import work_kinds
from portal.services.retries import retry_work
from portal.services.staff_acts import record_staff_act
from portal.templatetags.figures import count
from portal.templatetags.times import moment

SHOWN = 100


def _only_the_operator(request: HttpRequest) -> None:
    if not access_of(request).is_operator:
        raise PermissionDenied


def overview(request: HttpRequest) -> HttpResponse:
    """Every kind of work by state, and the rows that were given up or failed."""
    _only_the_operator(request)
    kinds, rows = [], []
    for kind in work_kinds():
        by_state = {
            state: (n, oldest)
            for state, n, oldest in kind._default_manager.order_by()
            .values_list("state")
            .annotate(n=Count("pk"), oldest=Min("created_at"))
        }
        kinds.append(
            {
                "name": kind._meta.verbose_name_plural,
                "states": [count(by_state.get(state, (0, None))[0]) for state in WorkState],
                "oldest": by_state.get(WorkState.WAITING, (0, None))[1],
            }
        )
        troubled = kind._default_manager.exclude(last_error="").exclude(state=WorkState.DONE)
        dead = kind._default_manager.filter(state=WorkState.DEAD)
        rows += [_row(row) for row in (dead | troubled).order_by("-pk")[:SHOWN]]
    return TemplateResponse(
        request,
        "admin/liner/work.html",
        {
            **admin.site.each_context(request),
            "title": _("Work"),
            "states": [state.label for state in WorkState],
            "kinds": kinds,
            "rows": rows,
        },
    )


def retry(request: HttpRequest, kind: str, key: int) -> HttpResponse:
    """Try one row again that was given up."""
    _only_the_operator(request)
    model = next((m for m in work_kinds() if _slug(m) == kind), None)
    row = model._default_manager.filter(pk=key).first() if model is not None else None
    if row is None:
        raise Http404
    posted = request.method == "POST"
    form = DoingForm(request.POST if posted else None, access=access_of(request), thing=row)
    if posted and form.is_valid():
        by = request.user
        assert isinstance(by, User)
        try:
            with transaction.atomic():
                retry_work(by=by, row=row)
                record_staff_act(
                    by=by, action="work.retry", thing=row, reason=form.cleaned_data["reason"]
                )
        except Refused as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("It is due again."))
            return HttpResponseRedirect(reverse("admin:work"))
    return TemplateResponse(
        request,
        "admin/liner/doing.html",
        {
            **admin.site.each_context(request),
            "title": _("Try it again"),
            "subtitle": f"{row._meta.verbose_name}: {row}",
            "sentence": row.last_error,
            "button": _("Try it again"),
            "form": form,
        },
    )


def _slug(kind: type[WorkRow]) -> str:
    return kind._meta.label_lower.replace(".", "-")


def _row(row: WorkRow) -> dict[str, Any]:
    return {
        "kind": row._meta.verbose_name,
        "about": str(row),
        "state": row.get_state_display(),
        "attempts": row.attempts,
        "next_at": moment(row.next_at),
        "error": row.last_error,
        "retry": reverse("admin:work_retry", args=[_slug(type(row)), row.pk])
        if row.state == WorkState.DEAD
        else "",
    }
