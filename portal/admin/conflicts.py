"""The queue of claims that do not add up: what is wrong, for how many, and what to do next."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent import days
from consent.errors import Refused
from consent.models import Party, Recording, RightsClaim
from consent.queries.conflicts import (
    ClaimLine,
    Conflict,
    ConflictKind,
    On,
    conflicts,
    recordings_of_conflict,
)
from consent.services.claims_confirm import confirm_shares
from consent.services.claims_nothing import claim_nothing
from consent.shares import WHOLE_BP
from consent.words import Authority
from portal.access import Access, access_of
from portal.admin.base import Panel
from portal.admin.claims import CLAIM_HEADERS, called, claim_rows, claims_on, newest
from portal.admin.doing import DoingForm, tell
from portal.exports.table import TableWriter
from portal.services.staff_acts import record_staff_act
from portal.templatetags.figures import percent_bp

SHOWN = 200


class ConfirmForm(DoingForm):
    """Why, and what was said to be left: what has changed since is not confirmed unseen."""

    left = forms.IntegerField(widget=forms.HiddenInput)


def _labels(access: Access) -> QuerySet[Party]:
    if not access.is_operator and not access.label_ids:
        raise PermissionDenied
    return access.labels().order_by("name")


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def queue(request: HttpRequest) -> HttpResponse:
    """The queue of one label; the operator chooses which."""
    access = access_of(request)
    labels = list(_labels(access))
    asked = _number(request.GET.get("label", ""), 0)
    label = next((one for one in labels if one.pk == asked), None)
    if asked and label is None:
        raise Http404
    if label is None and labels:
        label = labels[0]
    kind = request.GET.get("kind", "")
    if kind and kind not in ConflictKind.values:
        raise Http404
    page = None
    if label is not None:
        number = _number(request.GET.get("page", ""), 1)
        page = conflicts(label=label, kind=kind, page=number)
    return TemplateResponse(
        request,
        "admin/liner/conflicts.html",
        {
            **admin.site.each_context(request),
            "title": _("Claims that do not add up"),
            "labels": labels,
            "label": label,
            "is_own": label is not None and label.pk in access.label_ids,
            "page": page,
            "kind": kind,
            "kinds": [
                {"value": k.value, "label": k.label, "count": page.by_kind.get(k, 0)}
                for k in ConflictKind
            ]
            if page
            else [],
            "rows": [_row(one) for one in page.conflicts] if page else [],
            "here": urlencode({"label": label.pk, "kind": kind}) if label else "",
        },
    )


def group(request: HttpRequest, label: int, profile: int) -> HttpResponse:
    """One thing to do: the recordings it is about, and everybody's claims on them."""
    access = access_of(request)
    whose = _labels(access).filter(pk=label).first()
    if whose is None:
        raise Http404
    recordings = recordings_of_conflict(label=whose, profile=profile, size=SHOWN)
    if not recordings:
        raise Http404
    found = conflicts(label=whose, profile=profile).conflicts
    reached = set(
        access.recordings_of_label()
        .filter(pk__in=[r.pk for r in recordings])
        .values_list("pk", flat=True)
    )
    return TemplateResponse(
        request,
        "admin/liner/conflict.html",
        {
            **admin.site.each_context(request),
            "title": _("What to do"),
            "label": whose,
            "is_own": label in access.label_ids,
            "rows": [_row(one) for one in found],
            "recordings": [{"row": r, "reached": r.pk in reached} for r in recordings],
            "all": max((one.recordings for one in found), default=len(recordings)),
            "file": reverse("admin:conflict_file", args=[label, profile]) if found else "",
            "claims": Panel(
                _("Who claims what"),
                CLAIM_HEADERS,
                claim_rows(access, claims_on(recordings[0]), reached=recordings[0].pk in reached),
            ),
        },
    )


def claims_file(request: HttpRequest, label: int, profile: int) -> HttpResponse:
    """The recordings of one group as a claims file: what the label claims of each now.

    To be corrected and taken in again. Where it claims nothing, the share is a question mark, which
    is refused: a file that is sent back as it came changes nothing.
    """
    access = access_of(request)
    whose = _labels(access).filter(pk=label).first()
    if whose is None:
        raise Http404
    found = conflicts(label=whose, profile=profile).conflicts
    if not found:
        raise Http404
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="claims-{label}-{profile}.csv"'},
    )
    table = TableWriter(answer)  # type: ignore[arg-type]
    table.rows([("isrc", "title", "right", "share", "authority", "territories", "until")])
    for one in found:
        table.rows(_lines(whose, one))
    return answer


def _lines(label: Party, one: Conflict) -> Iterator[tuple[str, ...]]:
    recordings = _recordings(label, one)
    own = newest().filter(party=label, right=one.right, ended=False)
    claims = {c.recording_id: c for c in own.filter(recording__in=[r.pk for r in recordings])}
    wider = next((line for line in one.claims if line.is_mine), None)
    for recording in recordings:
        claim = claims.get(recording.pk)
        said: tuple[str, ...]
        if claim is not None:
            until = claim.valid_until and days.last_day(claim.valid_until).isoformat()
            where = " ".join(claim.territories)
            said = (f"{claim.share_bp / 100:.2f}", claim.authority, where, until or "")
        else:
            said = ("?", wider.authority.value if wider else Authority.CONTRACT.value, "", "")
        yield recording.isrc, recording.title, one.right.value, *said


def confirm(request: HttpRequest, label: int, profile: int, right: str) -> HttpResponse:
    """Confirm, for the label, what others declare of the recordings of one group themselves.

    By the label's own people only.
    """
    access, whose = _by_its_own(request, label)
    one = _still_open(whose, profile, right, lambda c: c.left_bp is not None)
    if one is None:
        return _nothing_left(request)
    form = ConfirmForm(
        request.POST if request.method == "POST" else None,
        access=access,
        thing=one,
        initial={"left": one.left_bp},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = len(_confirm(access, whose, one, form))
        except Refused as refusal:
            tell(form, refusal)
        else:
            said = ngettext("%(n)d claim is made or changed.", "%(n)d claims are.", made)
            messages.success(request, _("Confirmed.") + " " + said % {"n": made})
            return redirect("admin:conflicts")
    return _settle_page(
        request,
        whose,
        one,
        form,
        title=_("Confirm what others declare"),
        button=_("Confirm it"),
        template="admin/liner/confirm_share.html",
        context={"left": percent_bp(one.left_bp or 0)},
    )


@transaction.atomic
def _confirm(access: Access, label: Party, one: Conflict, form: ConfirmForm) -> list[RightsClaim]:
    assert access.user is not None
    claims = confirm_shares(
        by=access.user,
        party=label,
        right=one.right,
        recordings=_recordings(label, one),
        left_bp=form.cleaned_data["left"],
    )
    _note(access, label, claims, "claim.confirm_shares", form.cleaned_data["reason"])
    return claims


def none_of_it(request: HttpRequest, label: int, profile: int, right: str) -> HttpResponse:
    """Say, for the label, that nothing of the recordings of one group is its own.

    By the label's own people only.
    """
    access, whose = _by_its_own(request, label)
    one = _still_open(whose, profile, right, lambda c: c.may_be_none_of_mine)
    if one is None:
        return _nothing_left(request)
    form = DoingForm(
        request.POST if request.method == "POST" else None,
        access=access,
        thing=one,
    )
    if request.method == "POST" and form.is_valid():
        try:
            said = _none_of_it(access, whose, one, form)
        except Refused as refusal:
            tell(form, refusal)
        else:
            first = reverse("admin:consent_rightsclaim_change", args=[said[0].pk])
            messages.success(
                request,
                format_html(
                    '{} <a href="{}">{}</a>',
                    ngettext(
                        "It is said of %(n)d recording. The artist is told.",
                        "It is said of %(n)d recordings. The artists are told.",
                        len(said),
                    )
                    % {"n": len(said)},
                    first,
                    _("Look at it, or take it back"),
                ),
            )
            return redirect("admin:conflicts")
    return _settle_page(
        request,
        whose,
        one,
        form,
        title=_("None of this is ours"),
        button=_("None of this is ours"),
        template="admin/liner/none_of_it.html",
        context={
            "then": _row(one, lines=one.others)["claims"],
            "sum": None if one.others_bp is None else percent_bp(one.others_bp),
            "is_whole": one.others_bp == WHOLE_BP,
            "ends": any(c.is_mine and c.on is On.RECORDING for c in one.claims),
        },
    )


@transaction.atomic
def _none_of_it(access: Access, label: Party, one: Conflict, form: DoingForm) -> list[RightsClaim]:
    assert access.user is not None
    claims = claim_nothing(
        by=access.user, party=label, right=one.right, recordings=_recordings(label, one)
    )
    _note(access, label, claims, "claim.nothing", form.cleaned_data["reason"])
    return claims


def _by_its_own(request: HttpRequest, label: int) -> tuple[Access, Party]:
    """Who asks, and the label: nobody else settles anything, or gives it up, in its name."""
    access = access_of(request)
    whose = _labels(access).filter(pk=label).first()
    if whose is None:
        raise Http404
    if label not in access.label_ids:
        raise PermissionDenied
    return access, whose


def _still_open(
    label: Party, profile: int, right: str, may: Callable[[Conflict], bool]
) -> Conflict | None:
    found = conflicts(label=label, profile=profile).conflicts
    return next((c for c in found if c.right == right and may(c)), None)


def _nothing_left(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("That has been settled meanwhile: nothing is left to do here."))
    return redirect("admin:conflicts")


def _settle_page(
    request: HttpRequest,
    label: Party,
    one: Conflict,
    form: DoingForm,
    *,
    title: str,
    button: str,
    template: str,
    context: dict[str, Any],
) -> HttpResponse:
    return TemplateResponse(
        request,
        template,
        {
            **admin.site.each_context(request),
            "title": title,
            "button": button,
            "label": label,
            "back": reverse("admin:conflict", args=[label.pk, one.profile]),
            "row": _row(one),
            "form": form,
            **context,
        },
    )


def _recordings(label: Party, one: Conflict) -> list[Recording]:
    return recordings_of_conflict(label=label, profile=one.profile, size=one.recordings)


def _note(
    access: Access, label: Party, claims: list[RightsClaim], action: str, reason: str
) -> None:
    """One line for all the claims of an act in the label's list of what its people did."""
    assert access.user is not None
    first = claims[0]
    record_staff_act(
        by=access.user,
        action=action,
        thing=first,
        key=str(first.claim),
        about=called(first) if len(claims) == 1 else f"{called(first)} (+{len(claims) - 1})",
        subject=label.ref,
        reason=reason,
        label=label,
    )


def _row(one: Conflict, *, lines: Iterable[ClaimLine] | None = None) -> dict[str, Any]:
    return {
        "right_value": one.right.value,
        "to_confirm": one.left_bp is not None,
        "may_be_none": one.may_be_none_of_mine,
        "profile": one.profile,
        "kind": one.kind.label,
        "right": one.right.label,
        "recordings": one.recordings,
        "example": one.example,
        "artists": one.artists,
        "claimed": percent_bp(one.claimed_bp),
        "claims": [
            {
                "party": line.party,
                "share": percent_bp(line.share_bp),
                "authority": line.authority.label,
                "standing": line.standing.label,
                "territories": ", ".join(line.territories),
                "on": line.on.label,
                "is_mine": line.is_mine,
            }
            for line in (one.claims if lines is None else lines)
        ],
        "move": one.move.label,
        "next_step": one.next_step,
    }
