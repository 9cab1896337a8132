"""Questions of AI companies: who asks for what, in plain words, and the answers to them."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.errors import Refused
from consent.models import PermissionRequest, RequestState
from consent.queries.requests import answered_by, waiting_for
from consent.services.requests import NO_MEANS_NO_DAYS
from consent.services.wordings import current_wordings
from consent.words import Stance, UseKind
from portal.answering import scope_needed
from portal.queries.rows import text_shown
from portal.roles import Scope
from portal.services.answers import answer_question
from portal.views.permissions.common import (
    PortalRequest,
    leads,
    reader_of,
    sign_in_again,
    tabs,
    wording_shown,
)

PER_PAGE = 20


@require_GET
def requests(request: PortalRequest, slug: str) -> HttpResponse:
    """What companies ask of this artist, and what she answered before."""
    reader = reader_of(request, slug)
    page = Paginator(waiting_for(reader.artist), PER_PAGE).get_page(request.GET.get("page"))
    past = Paginator(answered_by(reader.artist), PER_PAGE).get_page(request.GET.get("past"))
    wordings = current_wordings(reader.language)
    questions = []
    for one in page.object_list:
        wording = wordings.get(one.use)
        questions.append(
            {
                "asked": one,
                "title": UseKind(one.use).label,
                "text": text_shown(one.use, wording, reader.language),
                "wording": wording,
                "later": one.state == RequestState.DEFERRED,
                "may_refuse": reader.may(Scope.WITHDRAW),
                "may_grant": reader.may(scope_needed(one.use, Stance.ALLOW)),
                "closed": ""
                if reader.may(scope_needed(one.use, Stance.ALLOW))
                else reader.why_closed(one.use),
            }
        )
    return render(
        request,
        "portal/permissions/requests.html",
        {
            "reader": reader,
            "questions": questions,
            "page": page,
            "past": past,
            "quiet_days": NO_MEANS_NO_DAYS,
            "tabs": tabs(reader, "requests", page.paginator.count),
        },
    )


@require_POST
def answer_request(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """Answer one question: yes, no, or later, for exactly what is asked."""
    reader = reader_of(request, slug)
    asked = (
        PermissionRequest.objects.filter(ref=ref, artist=reader.artist)
        .select_related("artist__party", "tool__company__party", "recording")
        .first()
    )
    if asked is None:
        raise Http404
    stance = request.POST.get("stance", "")
    if stance in Stance.values:
        reader.access.require(reader.artist, scope_needed(asked.use, stance))
    again = sign_in_again(request, stance, reader.url("requests"), use=asked.use)
    if again is not None:
        return again
    try:
        answer_question(
            by=reader.access,
            request=asked,
            stance=stance,
            wording=wording_shown(request.POST, use=asked.use, stance=stance),
        )
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        company = asked.tool.company.party.name
        said = {
            Stance.ALLOW: _("Saved. %(company)s learns that you said yes to this."),
            Stance.DENY: _("Saved. %(company)s learns that the answer is no."),
        }.get(Stance(stance), _("The question stays here. Until you answer, the answer is no."))
        messages.success(request, said % {"company": company})
    return leads(request, reader.url("requests"))
