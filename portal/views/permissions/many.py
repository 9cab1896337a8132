"""Many recordings at once: choose them, see what would change and what it means, then save."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from consent.errors import Refused
from consent.words import Stance, UseKind
from portal.answering import scope_needed
from portal.forms.permissions import ManyForm
from portal.queries.permissions import text_of_use
from portal.queries.rows import Reader, answer_word, recordings_text
from portal.queries.selection import (
    ENDED,
    MOST,
    OUTDATED,
    Preview,
    Selection,
    digest_of,
    preview,
    releases_to_pick,
    senders_of,
)
from portal.roles import Scope
from portal.services.bulk import ask_for_many, see_to
from portal.templatetags.figures import count
from portal.views.permissions.common import (
    PortalRequest,
    leads,
    reader_of,
    sign_in_again,
    tabs,
    wording_shown,
)
from portal.views.permissions.saving import what_became

SHOWN = 25


@require_GET
def many(request: PortalRequest, slug: str) -> HttpResponse:
    """Choose recordings and an answer; with both in the address, see what it would change."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    form = _form(reader, request.GET if "use" in request.GET else None)
    found = None
    if form.is_valid():
        reader.access.require(reader.artist, scope_needed(_use(form), _stance(form)))
        found = _preview(reader, form)
    return _page(request, reader, form, found)


@require_POST
def answer_many_recordings(request: PortalRequest, slug: str) -> HttpResponse:
    """Save what was previewed; if it is not the same recordings any more, preview again."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    form = _form(reader, request.POST)
    back = f"{reader.url('many')}?{_query(request.POST)}"
    if not form.is_valid():
        return leads(request, back)
    use, stance = _use(form), _stance(form)
    reader.access.require(reader.artist, scope_needed(use, stance))
    again = sign_in_again(request, stance, back, use=use)
    if again is not None:
        return again
    recordings = _selection(form).keys(reader.artist)
    digest = digest_of(recordings)
    if digest != request.POST.get("digest") or len(recordings) > MOST:
        messages.warning(request, _("The recordings have changed since. Look again, then save."))
        return leads(request, back)
    try:
        change = ask_for_many(
            by=reader.access,
            artist=reader.artist,
            use=use,
            stance=stance,
            recordings=recordings,
            digest=digest,
            valid_until=form.until,
            wording=wording_shown(request.POST, use=use, stance=stance),
            summary=_summary(form),
            ref=_ref(request.POST),
        )
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return leads(request, back)
    return what_became(request, reader, see_to(change), back=back)


def _form(reader: Reader, data: Mapping[str, Any] | None) -> ManyForm:
    return ManyForm(
        data,
        senders=[(one.pk, one.name) for one in senders_of(reader.artist)],
        releases=[(one.pk, one.title) for one in releases_to_pick(reader.artist)],
        initial={"use": UseKind.GENERATIVE_TRAINING},
    )


def _selection(form: ManyForm) -> Selection:
    data = getattr(form, "cleaned_data", {})
    return Selection(
        search=data.get("q", ""),
        sender=int(data["sender"]) if data.get("sender") else None,
        release=int(data["release"]) if data.get("release") else None,
        unanswered=data.get("use", "") if data.get("unanswered") else "",
    )


def _preview(reader: Reader, form: ManyForm) -> Preview:
    return preview(
        reader,
        _selection(form),
        use=_use(form),
        stance=_stance(form),
        valid_until=form.until,
    )


def _page(
    request: PortalRequest, reader: Reader, form: ManyForm, found: Preview | None
) -> HttpResponse:
    chosen = Paginator(
        _selection(form).of(reader.artist).select_related("recording"), SHOWN
    ).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "reader": reader,
        "form": form,
        "page": chosen,
        "tabs": tabs(reader, ""),
        "preview": found,
        "most": MOST,
        "too_many": chosen.paginator.count > MOST,
    }
    if found is not None:
        text, wording = text_of_use(reader, _use(form))
        context |= {
            "use": UseKind(_use(form)),
            "stance": Stance(_stance(form)),
            "text": text,
            "effects": _effects(found, form),
            "hidden": {
                **{name: form.data.get(name, "") for name in form.fields if form.data.get(name)},
                "digest": found.digest,
                "ref": str(uuid.uuid4()),  # a second click on this very button is no second act
                **({"wording": str(wording.pk)} if wording is not None else {}),
            },
        }
    return render(request, "portal/permissions/many.html", context)


def _effects(found: Preview, form: ManyForm) -> list[dict[str, str]]:
    """What changes and what it means, term by term."""
    new = Stance(_stance(form)).label
    lines = []
    for held, number in sorted(found.changes.items()):
        facts = {"n": count(number), "new": new}
        if held == _stance(form):
            words = ngettext(
                "%(n)s recording goes on saying “%(new)s”, with other dates.",
                "%(n)s recordings go on saying “%(new)s”, with other dates.",
                number,
            )
        elif held:
            outdated = held == OUTDATED
            facts["old"] = (
                _("Yes, which has ended")
                if held == ENDED
                else answer_word(Stance.ALLOW if outdated else held, outdated=outdated)
            )
            words = ngettext(
                "%(n)s recording says “%(new)s” instead of “%(old)s”.",
                "%(n)s recordings say “%(new)s” instead of “%(old)s”.",
                number,
            )
        else:
            words = ngettext(
                "%(n)s recording gets an answer of its own: “%(new)s”.",
                "%(n)s recordings get an answer of their own: “%(new)s”.",
                number,
            )
        lines.append({"term": _("Changes"), "sentence": words % facts})
    if found.same:
        words = ngettext(
            "%(n)s recording says this already.", "%(n)s recordings say this already.", found.same
        )
        lines.append({"term": _("Stays"), "sentence": words % {"n": count(found.same)}})
    meaning = found.meaning
    lines.append(
        {"term": _("Allowed now"), "sentence": _allowed(meaning.before, meaning.companies_before)}
    )
    lines.append(
        {"term": _("Allowed then"), "sentence": _allowed(meaning.after, meaning.companies_after)}
    )
    for step, number in meaning.blocks:
        lines.append(
            {
                "term": _("Still in the way"),
                "sentence": _("For %(recordings)s: %(reason)s")
                % {"recordings": recordings_text(number), "reason": step.sentence},
            }
        )
    if _stance(form) == Stance.ALLOW and not meaning.after and not meaning.blocks:
        # There is no tool of which it could be said what stands in its way.
        nobody = _("No AI company holds a licence that would let it use this.")
        lines.append({"term": _("Still in the way"), "sentence": nobody})
    if meaning.trained:
        words = ngettext(
            "%(n)s model version has learned from your recordings. That stays.",
            "%(n)s model versions have learned from your recordings. That stays.",
            meaning.trained,
        )
        lines.append({"term": _("Not undone"), "sentence": words % {"n": count(meaning.trained)}})
    return lines


def _allowed(number: int, companies: tuple[str, ...]) -> str:
    if not number:
        return _("for none of them")
    names = ", ".join(companies[:5])
    if len(companies) > 5:
        names = _("%(names)s and %(n)s more") % {"names": names, "n": count(len(companies) - 5)}
    return _("%(recordings)s, for %(names)s") % {
        "recordings": recordings_text(number),
        "names": names,
    }


def _summary(form: ManyForm) -> dict[str, Any]:
    """What was chosen, for the timeline. Keys and codes; a search is kept as it was typed."""
    data = form.cleaned_data
    return {key: data[key] for key in ("q", "sender", "release", "unanswered") if data.get(key)}


def _query(data: QueryDict) -> str:
    kept = data.copy()
    for name in ("csrfmiddlewaretoken", "digest", "ref", "wording"):
        kept.pop(name, None)
    return kept.urlencode()


def _ref(data: QueryDict) -> uuid.UUID | None:
    try:
        return uuid.UUID(data.get("ref", ""))
    except ValueError:
        return None


def _use(form: ManyForm) -> str:
    return str(form.cleaned_data["use"])


def _stance(form: ManyForm) -> str:
    return str(form.cleaned_data["stance"])
