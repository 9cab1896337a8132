"""Your rights: who claims what in an artist's own recordings, and declaring what is hers."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from consent.errors import Refused
from consent.words import Right
from portal.forms.rights import TICKED, DeclareForm, RightsSearch
from portal.queries.rights import (
    MOST,
    Declaring,
    own_recordings,
    rights_of,
    what_declaring_does,
)
from portal.queries.rows import Reader, recordings_text
from portal.roles import Scope
from portal.services.own_rights import declare_rights, end_own_claim
from portal.templatetags.figures import count, percent_bp
from portal.views.common import PortalRequest, reader_of, refuse, sign_in_first, sign_in_url

PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def own_rights(request: PortalRequest, slug: str) -> HttpResponse:
    """Who claims what; and declaring: first what it would mean, then the declaration."""
    reader = reader_of(request, slug)
    if request.method == "POST":
        reader.access.require(reader.artist, Scope.SIGN_LICENCE)
        again = sign_in_first(request, _("Before you declare rights, please sign in again."))
        if again is not None:
            return again
    search = RightsSearch(request.GET)
    words = search.cleaned_data["q"] if search.is_valid() else ""
    found = own_recordings(reader.artist, words)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows, free = rights_of(reader.artist, [one.recording for one in page.object_list])
    form = DeclareForm(request.POST if request.method == "POST" else None, free=free)
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("declare") == "yes":
                return _declare(request, reader, form)
            return _preview(request, reader, form)
        except Refused as refusal:
            refuse(form, refusal)
    return render(
        request,
        "portal/licence/rights.html",
        {
            "reader": reader,
            "form": form,
            "search": search,
            "words": words,
            "page": page,
            "rows": rows,
            "ticked": form.ticked,
            "may_declare": reader.may(Scope.SIGN_LICENCE),
            "sign_in_url": sign_in_url(request),
        },
    )


@require_POST
def end_own_right(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """Take one declaration of hers back."""
    reader = reader_of(request, slug, Scope.SIGN_LICENCE)
    here = reader.url("own_rights")
    again = sign_in_first(request, _("Before you change your rights, please sign in again."), here)
    if again is not None:
        return again
    try:
        end_own_claim(by=reader.access, artist=reader.artist, claim=ref)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Taken back. You can declare it anew at any time."))
    return redirect(here)


def _declare(request: PortalRequest, reader: Reader, form: DeclareForm) -> HttpResponse:
    made = declare_rights(
        by=reader.access, artist=reader.artist, shares=form.shares, recordings=form.recordings
    )
    said = ngettext("%(n)s right is declared.", "%(n)s rights are declared.", len(made))
    messages.success(
        request,
        " ".join(
            [
                said % {"n": count(len(made))},
                _("What holds now, you see in your permissions."),
            ]
        ),
    )
    return redirect(reader.url("own_rights"))


def _preview(request: PortalRequest, reader: Reader, form: DeclareForm) -> HttpResponse:
    meant = form.recordings
    found = [
        what_declaring_does(reader.artist, right=right, share_bp=share, recordings=meant[right])
        for right, share in form.shares.items()
    ]
    left = form.left
    return render(
        request,
        "portal/licence/rights_preview.html",
        {
            "reader": reader,
            "form": form,
            "hidden": {name: form.data.get(name, "") for name in ("master", "publishing", "which")},
            "ticked": form.ticked if form.cleaned_data["which"] == TICKED else [],
            "effects": [_effect(one, left[one.right]) for one in found],
            "anything": any(one.recordings for one in found),
            "contradicts": any(one.contradicts for one in found),
            "confirm": list(dict.fromkeys(name for one in found for name in one.confirm)),
            "back": reader.url("own_rights"),
        },
    )


def _effect(one: Declaring, left: int) -> dict[str, str]:
    share = percent_bp(one.share_bp)
    if one.right == Right.MASTER:
        term = _("You own %(share)s of the recording") % {"share": share}
    else:
        term = _("You wrote %(share)s of the song") % {"share": share}
    number = len(one.recordings)
    parts = [recordings_text(number)] if number else []
    if left:
        parts.append(
            _("left for later: %(what)s, as at most %(most)s are declared at once")
            % {"what": recordings_text(left), "most": count(MOST)}
        )
    if one.known:
        what = recordings_text(one.known)
        parts.append(_("%(what)s: you claim it already, and that stays as it is") % {"what": what})
    if one.contradicts:
        said = _("this contradicts the claim of %(others)s") % {"others": ", ".join(one.others)}
        if one.confirm:
            said += _(", and %(who)s can confirm your share") % {"who": ", ".join(one.confirm)}
        parts.append(_of_these(one.contradicts, number, said))
    if one.incomplete:
        said = _(
            "a part is claimed by nobody yet, and until it is, nothing that needs this right is "
            "allowed"
        )
        parts.append(_of_these(one.incomplete, number, said))
    return {"term": term, "sentence": "; ".join(parts) + "."}


def _of_these(some: int, of: int, said: str) -> str:
    """What holds of some of so many recordings, without a number where it holds of all."""
    return said if some == of else f"{recordings_text(some)}: {said}"
