"""What one was told: an inbox."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from portal.notices import names_of
from portal.notices import render as in_words
from portal.queries.notices import notices_of, unread
from portal.services.notices import mark_read
from portal.templatetags.figures import count
from portal.views.common import PortalRequest, user_of

PER_PAGE = 30


@require_GET
def notices(request: PortalRequest) -> HttpResponse:
    """The notices of this person, newest first."""
    rows = notices_of(request.access).select_related("artist__party")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    found = list(page.object_list)
    names = names_of(found)
    return render(
        request,
        "portal/notices.html",
        {
            "page": page,
            "told": [in_words(one, names) for one in found],
            "unread": unread(request.access),
            "several": len(request.access.artists) > 1,
        },
    )


@require_POST
def read_notices(request: PortalRequest) -> HttpResponse:
    """Mark all of them as read."""
    number = mark_read(by=user_of(request))
    said = ngettext("%(n)s notice is marked as read.", "%(n)s notices are marked as read.", number)
    messages.success(request, said % {"n": count(number)})
    return redirect("notices")


@require_GET
def open_notice(request: PortalRequest, ref: uuid.UUID) -> HttpResponse:
    """Follow a notice to what it is about; it counts as read from then on."""
    notice = notices_of(request.access).filter(ref=ref).select_related("artist__party").first()
    if notice is None:
        raise Http404
    mark_read(by=user_of(request), notices=[notice])
    link = in_words(notice, names_of([notice])).link
    inside = link.startswith("/") and url_has_allowed_host_and_scheme(link, allowed_hosts=None)
    return redirect(link if inside else "notices")
