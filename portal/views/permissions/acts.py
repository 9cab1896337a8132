"""One act: what was decided, by whom, how it stands in the ledger, and undoing it."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.errors import Refused
from consent.models import Act
from consent.queries.staff_reasons import reasons_given
from consent.scopes import scope_of
from consent.services.receipts import Receipt, receipt_for_act, receipt_zip
from consent.services.wordings import replaced_wordings
from consent.words import Stance, UseKind, Way
from portal.queries.answers import changed_by, later_by, said_by, seal_of, skipped_by
from portal.queries.rows import Reader
from portal.queries.saying import about_text
from portal.roles import Role, Scope
from portal.services.answers import undo
from portal.services.bulk import FEW, ask_to_undo, see_to
from portal.views.permissions.common import (
    PortalRequest,
    leads,
    page_of,
    reader_of,
    sign_in_again,
)
from portal.views.permissions.saving import say_undone, what_became

PER_PAGE = 50


@require_GET
def act(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """What one act changed, with its receipt, and its undoing where there is one."""
    reader = reader_of(request, slug)
    found = _act(reader, ref)
    page = Paginator(changed_by(found), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "answer": one,
            "use": UseKind(one.use).label,
            "about": about_text(scope_of(one)),
            "url": page_of(reader, scope_of(one), one.use),
            "stance": Stance(one.stance).label,
            "way": Way(one.way).label,
        }
        for one in page.object_list
    ]
    undone_by = Act.objects.filter(undoes=found).first()
    skipped, later = skipped_by(found), later_by(found)
    replaced = replaced_wordings({one.use for one in later.shown})
    return render(
        request,
        "portal/permissions/act.html",
        {
            "reader": reader,
            "act": found,
            "reason": reasons_given([found.ref]).get(found.ref, ""),
            "role": Role(found.role).label if found.role in Role.values else found.role,
            "page": page,
            "rows": rows,
            "alike": len(said_by(found)) == 1,
            "seal": seal_of(found),
            "undone_by": undone_by,
            "skipped": [
                {"about": about_text(scope_of(one)), "use": UseKind(one.use).label}
                for one in skipped.shown
            ],
            "skipped_more": skipped.more,
            "later": [
                {
                    "about": about_text(scope_of(one)),
                    "use": UseKind(one.use).label,
                    "url": page_of(reader, scope_of(one), one.use),
                    "territories": one.territories,
                    "new_text": (one.use, one.wording_id) in replaced,
                }
                for one in later.shown
            ],
            "later_more": later.more,
            "may_export": reader.may(Scope.EXPORT),
            "may_undo": undone_by is None and bool(rows) and reader.may(Scope.WITHDRAW),
        },
    )


@require_POST
def undo_act(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """Undo one act: each answer that nobody changed since is again what it was before."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    found = _act(reader, ref)
    # Undoing anything but a yes may bring one back, and that asks for what a yes asks for.
    back = found.permissions.exclude(stance=Stance.ALLOW).values_list("use", flat=True)
    uses = set(back.order_by().distinct())
    if uses:
        here = reader.url("act", ref=str(ref))
        use = UseKind.VOICE if UseKind.VOICE in uses else ""
        again = sign_in_again(request, Stance.ALLOW, here, use=use)
        if again is not None:
            return again
    if found.entries > FEW:
        return _undo_many(request, reader, found)
    try:
        undone = undo(by=reader.access, artist=reader.artist, act=found)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return leads(request, reader.url("act", ref=str(ref)))
    if undone.act is None:
        messages.warning(request, _("All of it was decided again since: nothing was undone."))
        return leads(request, reader.url("act", ref=str(ref)))
    say_undone(request, undone.act)
    return leads(request, reader.url("act", ref=str(undone.act.ref)))


def _undo_many(request: PortalRequest, reader: Reader, found: Act) -> HttpResponse:
    back = reader.url("act", ref=str(found.ref))
    try:
        change = ask_to_undo(by=reader.access, artist=reader.artist, act=found)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return leads(request, back)
    return what_became(request, reader, see_to(change), back=back)


@require_GET
def receipt(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """The receipt of one act, with the script that checks it, as one file to keep."""
    reader = reader_of(request, slug, Scope.EXPORT)
    found = _act(reader, ref)
    try:
        made = receipt_for_act(act=found.ref, opened_for=opened_for(reader))
    except Refused as refusal:
        messages.info(request, refusal.sentence)
        return leads(request, reader.url("act", ref=str(ref)))
    return receipt_file(made)


def opened_for(reader: Reader) -> set[uuid.UUID]:
    """Whose personal parts this reader may see in a receipt: the artist's and her own."""
    mine = {reader.access.user.ref} if reader.access.user is not None else set()
    return {reader.artist.party.ref} | mine


def receipt_file(receipt: Receipt) -> HttpResponse:
    """A receipt as a download: the JSON, the verifier, and how to use it."""
    name = receipt.filename.removesuffix(".json")
    return HttpResponse(
        receipt_zip(receipt),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
    )


def _act(reader: Reader, ref: uuid.UUID) -> Act:
    found = (
        Act.objects.filter(ref=ref, artist=reader.artist)
        .select_related("by", "undoes", "artist__party")
        .first()
    )
    if found is None:
        raise Http404
    return found
