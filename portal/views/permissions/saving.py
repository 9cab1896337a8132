"""A change of many recordings on its way: how far it is, and what became of it."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from consent.models import Act, WorkState
from consent.words import Stance, UseKind
from portal.models import BulkChange
from portal.queries.answers import later_by
from portal.queries.rows import Reader, recordings_text
from portal.roles import Scope
from portal.templatetags.figures import count
from portal.views.permissions.common import PortalRequest, leads, reader_of, tabs

STEPS = 3


@require_GET
def saving(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """How far it is; once it is over, on to what came of it. Asked again each second."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    change = BulkChange.objects.filter(ref=ref, artist=reader.artist).select_related("act").first()
    if change is None:
        raise Http404
    if change.state == WorkState.DONE:
        return what_became(request, reader, change, back=_back(reader, change))
    shown = {"reader": reader, "change": change, **_progress(reader, change)}
    if request.htmx:
        return render(request, "portal/permissions/saving_progress.html", shown)
    return render(request, "portal/permissions/saving.html", {**shown, "tabs": tabs(reader, "")})


def what_became(
    request: PortalRequest, reader: Reader, change: BulkChange, *, back: str
) -> HttpResponse:
    """Lead to the act that was written; to `back` when none was; else to how far it is."""
    if change.act is not None:
        if change.undoes_id is not None:
            say_undone(request, change.act)
        else:
            said = _("Saved: “%(answer)s” for %(recordings)s.") % {
                "recordings": recordings_text(change.act.entries),
                "answer": str(Stance(change.stance).label),
            }
            messages.success(request, said)
        return leads(request, reader.url("act", ref=str(change.act.ref)))
    if change.state == WorkState.DONE:
        if change.refused:
            messages.error(request, change.refused)
        else:
            messages.info(request, _("Nothing changed: all of them say this already."))
        return leads(request, back)
    return leads(request, reader.url("saving", ref=str(change.ref)))


def say_undone(request: PortalRequest, undo: Act) -> None:
    """Say that it was undone, and how many yeses did not come back; its page names them."""
    later = later_by(undo, most=0).total
    if not later:
        messages.success(request, _("Undone. Each answer is again what it was before."))
        return
    said = ngettext(
        "Undone, but for %(n)s yes: it can only be given again, below.",
        "Undone, but for %(n)s yeses: they can only be given again, below.",
        later,
    )
    messages.warning(request, said % {"n": count(later)})


def _back(reader: Reader, change: BulkChange) -> str:
    if change.undoes_id is not None:
        return reader.url("act", ref=str(change.undoes_id))
    return reader.url("many")


def _progress(reader: Reader, change: BulkChange) -> dict[str, object]:
    """The steps that are behind it, and the one that it is at. Each is written down as it ends."""
    done = 1 + (change.checked_at is not None)
    if change.state == WorkState.WAITING:
        done = 1
    facts = {"recordings": recordings_text(change.total)}
    if change.undoes_id is not None:
        label = _("Undoing: %(use)s, for %(recordings)s")
    else:
        label = _("%(use)s: “%(answer)s” for %(recordings)s")
        facts["answer"] = str(Stance(change.stance).label)
    steps = (
        _("Take down what was asked for"),
        _("Check that nothing was decided since"),
        _("Write all of it, in one act"),
    )
    return {
        "label": label % {**facts, "use": UseKind(change.use).label},
        "steps": [
            {"sentence": text, "done": number < done, "current": number == done}
            for number, text in enumerate(steps)
        ],
        "done": done,
        "total": STEPS,
        "failed": change.state == WorkState.DEAD,
        "again": change.state == WorkState.WAITING and change.attempts > 0,
        "poll_url": reader.url("saving", ref=str(change.ref)),
        "back": _back(reader, change),
    }
