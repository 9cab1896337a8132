"""The standard licence: an artist offers it herself, sees what it would mean, and ends it."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from consent.errors import Refused
from consent.licence_terms import Terms
from consent.models import Licence
from consent.queries.licences import Preview, preview_licence
from consent.standard_licence import NOTICE_DAYS, TEXT, TITLE, VERSION
from consent.words import UseKind
from portal.forms.licences import OfferForm
from portal.queries.offers import companies_to_offer_to, offers_of, paragraphs, signed_by_others
from portal.queries.rows import Reader, recordings_text
from portal.roles import Scope
from portal.services.licences import end_offer, offer_licence
from portal.templatetags.figures import count
from portal.views.common import PortalRequest, reader_of, refuse, sign_in_first, sign_in_url


@require_http_methods(["GET", "HEAD", "POST"])
def standard_licence(request: PortalRequest, slug: str) -> HttpResponse:
    """What is offered now; and offering it: first what it would mean, then the signature."""
    reader = reader_of(request, slug)
    may_sign = reader.may(Scope.SIGN_LICENCE)
    if request.method == "POST":
        reader.access.require(reader.artist, Scope.SIGN_LICENCE)
        again = sign_in_first(request, _("Before you sign, please sign in again."))
        if again is not None:
            return again
    form = OfferForm(
        request.POST if request.method == "POST" else None, companies=companies_to_offer_to()
    )
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("sign") == "yes":
                return _sign(request, reader, form)
            return _preview(request, reader, form)
        except Refused as refusal:
            refuse(form, refusal)
    return render(
        request,
        "portal/licence/offer.html",
        {
            "reader": reader,
            "form": form,
            "offers": offers_of(reader.artist),
            "others": signed_by_others(reader.artist),
            "may_sign": may_sign,
            "sign_in_url": sign_in_url(request),
            "may_end": reader.may(Scope.WITHDRAW),
            "text": paragraphs(TEXT)[1:],  # the first is its title
            "title": TITLE,
            "version": VERSION,
        },
    )


@require_POST
def end_licence(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """End one licence of her own, at once."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    licence = (
        Licence.objects.filter(ref=ref, holder=reader.artist.pk)
        .select_related("holder", "company__party")
        .first()
    )
    if licence is None:
        raise Http404
    end_offer(by=reader.access, artist=reader.artist, licence=licence)
    messages.success(
        request,
        _("Ended. %(company)s may use nothing under it from now on.")
        % {"company": licence.company.party.name},
    )
    return redirect(reader.url("standard_licence"))


def _sign(request: PortalRequest, reader: Reader, form: OfferForm) -> HttpResponse:
    offered = offer_licence(
        by=reader.access,
        artist=reader.artist,
        uses=form.cleaned_data["uses"],
        companies=form.chosen,
        ends_at=form.ends_at,
    )
    said = ngettext(
        "Signed. %(n)s AI company has your standard licence. Each use still needs your yes.",
        "Signed. %(n)s AI companies have your standard licence. Each use still needs your yes.",
        len(offered),
    )
    messages.success(request, said % {"n": count(len(offered))})
    return redirect(reader.url("standard_licence"))


def _preview(request: PortalRequest, reader: Reader, form: OfferForm) -> HttpResponse:
    example = form.chosen[0]
    preview = preview_licence(
        holder=reader.artist.party,
        company=example,
        terms=Terms(
            uses=form.cleaned_data["uses"],
            ends_at=form.ends_at,
            notice_days=NOTICE_DAYS,
            text=TEXT,
        ),
    )
    return render(
        request,
        "portal/licence/preview.html",
        {
            "reader": reader,
            "form": form,
            "uses": [UseKind(use).label for use in form.cleaned_data["uses"]],
            "companies": [one.party.name for one in form.chosen],
            "example": example.party.name,
            "several": len(form.chosen) > 1,
            "recordings": recordings_text(preview.recordings),
            "effects": _effects(preview),
            "back": reader.url("standard_licence"),
        },
    )


def _effects(preview: Preview) -> list[dict[str, str]]:
    told = []
    for one in preview.effects:
        parts = []
        if one.allowed:
            parts.append(_("%(what)s: allowed at once") % {"what": recordings_text(one.allowed)})
        if one.wait_for_artists:
            what = recordings_text(one.wait_for_artists)
            parts.append(_("%(what)s: waits for your yes, or another artist's") % {"what": what})
        if one.refused_by_artists:
            what = recordings_text(one.refused_by_artists)
            parts.append(
                _("%(what)s: you or another artist says no, and it stays no") % {"what": what}
            )
        if one.lack_something:
            what = recordings_text(one.lack_something)
            parts.append(_("%(what)s: another licence or claim is missing") % {"what": what})
        told.append(
            {
                "term": str(UseKind(one.use).label),
                "sentence": "; ".join(parts) or _("It reaches no recording."),
            }
        )
    return told
