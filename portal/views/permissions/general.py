"""Permissions in general; and giving an answer, from whichever page."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent.clock import now
from consent.errors import Refused
from consent.models import AICompany, Permission, Recording
from consent.queries.requests import waiting_for
from consent.queries.voices import DECIDED_BY_THE_BILLED, OF_A_VOICE, say_in
from consent.scopes import Scope as About
from consent.services.permissions import Given
from consent.territories import normalise_territories
from consent.words import LENT_KINDS, Stance, UseKind
from portal.answering import scope_needed
from portal.forms.permissions import AnswerForm
from portal.queries.heard import heard_part
from portal.queries.permissions import (
    Note,
    general_rows,
    one_row,
    pair_row,
    recording_rows,
    text_of_use,
    tool_rows,
)
from portal.queries.rows import Reader, UseRow
from portal.queries.saying import about_text, terms_of
from portal.roles import Scope
from portal.services.answers import give_answer, take_back_narrower
from portal.views.permissions.common import (
    PortalRequest,
    about_data,
    about_of,
    leads,
    page_of,
    reader_of,
    sign_in_again,
    tabs,
    use_of,
    wording_shown,
)

TYPED = ("valid_from", "valid_until", "territories", "notice_days", "whom")
"""What is kept of a filled-in form while somebody signs in again."""


@require_GET
def permissions(request: PortalRequest, slug: str) -> HttpResponse:
    """The seven use kinds, her answer to each, and what really holds."""
    reader = reader_of(request, slug)
    asked = list(waiting_for(reader.artist)[:200])
    rows = general_rows(reader, waiting=asked)
    waiting = sum(one.state == "open" for one in asked)
    undecided = sum(row.answer is not None and row.answer.stance == "undecided" for row in rows)
    return render(
        request,
        "portal/permissions/general.html",
        {
            "reader": reader,
            "rows": rows,
            "tabs": tabs(reader, "permissions", waiting),
            "waiting": waiting,
            "undecided": undecided,
            "again": sum(row.asked_again is not None for row in rows),
        },
    )


@require_POST
def answer(request: PortalRequest, slug: str, use: str) -> HttpResponse:
    """Save one answer; show its row again to htmx, or go back to its page."""
    reader = reader_of(request, slug)
    use = use_of(use)
    about = about_of(reader.artist, request.POST)
    stance = request.POST.get("stance", "")
    if stance in Stance.values:
        reader.access.require(reader.artist, scope_needed(use, stance))
        if stance == Stance.ALLOW and use in LENT_KINDS:
            return leads(request, _with_more(reader, about, use, stance))
        again = sign_in_again(request, stance, _with_more(reader, about, use, stance), use=use)
        if again is not None:
            return again
    try:
        given = give_answer(
            by=reader.access,
            artist=reader.artist,
            use=use,
            stance=stance,
            about=about,
            wording=wording_shown(request.POST, use=use, stance=stance),
        )
    except Refused as refusal:
        note = Note(use, refused=refusal.sentence)
    else:
        note = Note(use, announce=_saved(use, stance, given))
    return _after(request, reader, about, note)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_with(request: PortalRequest, slug: str, use: str) -> HttpResponse:
    """One answer with dates, countries and a notice period, said in full before it is saved."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    use = use_of(use)
    data = request.POST if request.method == "POST" else request.GET
    about = about_of(reader.artist, data)
    if about.recording is not None and not _asked(reader, about.recording, use):
        messages.error(request, str(DECIDED_BY_THE_BILLED))
        return leads(request, page_of(reader, About(recording=about.recording)))
    wanted = request.GET.get("stance", "")
    reach = reader.access.reach(reader.artist)
    form = AnswerForm(
        request.POST if request.method == "POST" else None,
        use=use,
        about=about,
        current=_current(reader, about, use, _places(data.get("territories", ""))),
        may_grant=reader.may(scope_needed(use, Stance.ALLOW)),
        minor=reach is not None and reach.is_minor,
        stance=wanted if wanted in Stance.values else "",
        initial={name: request.GET[name] for name in TYPED if name in request.GET},
    )
    if request.method == "POST" and form.is_valid():
        stance = form.cleaned_data["stance"]
        if form.cleaned_data.get("whom") == "company" and about.tool is not None:
            about = About(company=AICompany.objects.get(pk=about.tool.company_id))
        typed = {name: request.POST.get(name, "") for name in TYPED}
        again = sign_in_again(
            request,
            stance,
            _with_more(reader, about, use, stance, **typed),
            use=use,
            ends=form.moments["valid_until"] is not None,
        )
        if again is not None:
            return again
        try:
            given = give_answer(
                by=reader.access,
                artist=reader.artist,
                use=use,
                stance=stance,
                about=about,
                territories=form.cleaned_data["territories"],
                notice_days=form.cleaned_data["notice_days"],
                wording=wording_shown(request.POST, use=use, stance=stance),
                **form.moments,
            )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _saved(use, stance, given))
            return leads(request, page_of(reader, about, use))
    text, wording = text_of_use(reader, use)
    return render(
        request,
        "portal/permissions/answer_with.html",
        {
            "reader": reader,
            "use": UseKind(use),
            "text": text,
            "about": about_text(about),
            "form": form,
            "hidden": {
                **about_data(about),
                **({"wording": str(wording.pk)} if wording is not None else {}),
            },
            "back": page_of(reader, about, use),
            "heard": (
                heard_part(reader, after=request.GET.get("heard", ""))
                if use in OF_A_VOICE and about.is_everything
                else None
            ),
        },
    )


@require_POST
def clear_answer(request: PortalRequest, slug: str, use: str) -> HttpResponse:
    """Take a narrower answer back, so that the wider one speaks again."""
    reader = reader_of(request, slug, Scope.WITHDRAW)
    use = use_of(use)
    about = about_of(reader.artist, request.POST)
    territories = sorted(request.POST.get("territories", "").split())
    last = _current(reader, about, use, territories)
    if last is not None and last.stance != Stance.ALLOW:
        # The wider answer that speaks again may be a yes.
        again = sign_in_again(request, Stance.ALLOW, page_of(reader, about, use), use=use)
        if again is not None:
            return again
    try:
        given = take_back_narrower(
            by=reader.access,
            artist=reader.artist,
            use=use,
            about=about,
            territories=territories,
        )
    except Refused as refusal:
        note = Note(use, refused=refusal.sentence)
    else:
        said = _("This answer is taken back. The wider one speaks again.")
        note = Note(use, announce=said if given else _("There was no answer to take back."))
    if request.POST.get("from") == "exceptions":
        (messages.error if note.refused else messages.success)(request, note.spoken(use))
        return leads(request, reader.url("exceptions"))
    return _after(request, reader, about, note)


def row_of(reader: Reader, about: About, use: str, note: Note) -> UseRow | None:
    """The row in which an answer stands, as it is now; None where it has no row of its own."""
    if about.company is not None:
        return None
    if about.recording is not None:
        say = say_in(reader.artist, about.recording.isrc)
        if say is None or use not in say.uses:
            return None
        if about.tool is not None:
            return pair_row(reader, say, about.tool, use, note=note)
        return one_row(recording_rows(reader, say, note=note), use)
    if about.tool is not None:
        return one_row(tool_rows(reader, about.tool, note=note), use)
    return one_row(general_rows(reader, note=note), use)


def _after(request: PortalRequest, reader: Reader, about: About, note: Note) -> HttpResponse:
    if request.htmx:
        row = row_of(reader, about, note.use, note)
        if row is not None:
            return render(request, "portal/permissions/use.html", {"use": row, "reader": reader})
    (messages.error if note.refused else messages.success)(request, note.spoken(note.use))
    return leads(request, page_of(reader, about, note.use))


def _asked(reader: Reader, recording: Recording, use: str) -> bool:
    """Has she a say in this use of a recording, on which she is billed or heard?"""
    say = say_in(reader.artist, recording.isrc)
    return say is not None and use in say.uses


def _with_more(reader: Reader, about: About, use: str, stance: str, **typed: str) -> str:
    kept = {name: value for name, value in typed.items() if value}
    query = urlencode({**about_data(about), "stance": stance, **kept})
    return f"{reader.url('answer_with', use=use)}?{query}"


def _current(
    reader: Reader, about: About, use: str, territories: Sequence[str] = ()
) -> Permission | None:
    found = Permission.objects.filter(
        artist=reader.artist, use=use, scope=about.key, territories=list(territories)
    )
    last = found.order_by("-id").first()
    return None if last is None or last.way == "cleared" else last


def _places(text: str) -> list[str]:
    """The countries of an answer, as they stand in an address or a form; none for no countries."""
    try:
        return normalise_territories(text.replace(",", " ").split())
    except Refused:
        return []


def _saved(use: str, stance: str, given: Given) -> str:
    answer = given.permission
    facts = {
        "use": UseKind(use).label,
        "answer": Stance(stance).label,
        "terms": terms_of(answer),
    }
    if not given.changed:
        return _("%(use)s: your answer was “%(answer)s”%(terms)s already.") % facts
    if answer.valid_from is not None and answer.valid_from > now():
        return _("Saved. %(use)s: “%(answer)s”%(terms)s. Until then what held goes on.") % facts
    if stance == Stance.ALLOW:
        return _("Saved. %(use)s: “%(answer)s”%(terms)s. You can take it back at any time.") % facts
    return _("Saved. %(use)s: “%(answer)s”%(terms)s. It holds from now on.") % facts
