"""Who has access to an artist's work; letting people in, and ending it."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from consent.errors import NotFound, Refused
from portal.forms.people import InviteForm
from portal.queries.people import (
    Person,
    labels_with_access,
    people_who_had_access,
    people_with_access,
)
from portal.queries.rows import Reader
from portal.roles import Role, Scope
from portal.services.delegation import end_access as end_persons_access
from portal.services.people import invite_person
from portal.services.rosters import remove_artist_from_roster
from portal.views.common import PortalRequest, reader_of, refuse, sign_in_first, user_of

PER_PAGE = 50


@require_GET
def people(request: PortalRequest, slug: str) -> HttpResponse:
    """Who has access, what each can do, who let them in, until when; and who had it before."""
    reader = reader_of(request, slug)
    found = people_with_access(reader.artist, reader.access)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/people/people.html",
        {
            "reader": reader,
            "page": page,
            "labels": labels_with_access(reader.artist),
            "before": people_who_had_access(reader.artist),
            "may_invite": reader.may(Scope.MANAGE_PEOPLE),
            "me": user_of(request).pk,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: PortalRequest, slug: str) -> HttpResponse:
    """Let somebody in."""
    reader = reader_of(request, slug, Scope.MANAGE_PEOPLE)
    again = sign_in_first(request, _("Before you let somebody in, please sign in again."))
    if again is not None:
        return again
    reach = reader.access.reach(reader.artist)
    assert reach is not None
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        reach=reach,
        initial={"role": Role.MANAGER.value, "answers": True},
    )
    if request.method == "POST" and form.is_valid():
        try:
            invite_person(
                by=user_of(request),
                artist=reader.artist,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                scopes=form.scopes,
                may_answer=form.may_answer,
                until=form.ends_at,
            )
        except NotFound as missing:
            raise Http404 from missing
        except Refused as refusal:
            refuse(form, refusal)
        else:
            email = form.cleaned_data["email"]
            messages.success(
                request, _("%(email)s has access now, and is told by e-mail.") % {"email": email}
            )
            return redirect(reader.url("people"))
    return render(
        request,
        "portal/people/invite.html",
        {"reader": reader, "form": form, "back": reader.url("people")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_access(request: PortalRequest, slug: str, ref: uuid.UUID) -> HttpResponse:
    """Say what ends for whom, and end it. No reason is asked."""
    reader = reader_of(request, slug)
    person = _person(reader, ref)
    if not person.may_end:
        raise PermissionDenied(_("You cannot end this access."))
    own = person.user.pk == user_of(request).pk
    # An artist ends it for her work; somebody who leaves a management leaves all of its artists.
    through = person.place is not None and not own
    if request.method == "POST":
        try:
            if through and person.place is not None:
                remove_artist_from_roster(by=user_of(request), place=person.place)
            else:
                end_persons_access(by=user_of(request), membership=person.membership)
        except NotFound as missing:
            raise Http404 from missing
        except Refused as refusal:
            messages.error(request, refusal.sentence)
            return redirect(reader.url("people"))
        messages.success(request, _("Ended. It is over at once, on every screen and link."))
        return redirect("home" if own else reader.url("people"))
    others = [
        one.user.get_full_name()
        for one in people_with_access(reader.artist, reader.access)
        if through and one.place == person.place and one.user.pk != person.user.pk
    ]
    return render(
        request,
        "portal/people/end.html",
        {
            "reader": reader,
            "person": person,
            "own": own,
            "effects": _effects(person, own=own, through=through, others=others),
            "back": reader.url("people"),
        },
    )


def _person(reader: Reader, ref: uuid.UUID) -> Person:
    found = people_with_access(reader.artist, reader.access)
    for one in found:
        if one.membership.ref == ref:
            return one
    raise Http404


def _effects(
    person: Person, *, own: bool, through: bool, others: list[str]
) -> list[dict[str, str]]:
    effects = [
        {
            "term": _("At once"),
            "sentence": _("Every page, link, file and message is closed.")
            if not own
            else _("You see nothing of this any more, on any screen."),
        },
    ]
    if through:
        who = ", ".join(others)
        sentence = _("The access comes through %(roster)s, and ends for all of its people.") % {
            "roster": person.through
        }
        if who:
            sentence += " " + _("It ends for %(who)s too.") % {"who": who}
        effects.append({"term": _("With it"), "sentence": sentence})
    elif person.through:
        effects.append(
            {
                "term": _("With it"),
                "sentence": _("You leave %(roster)s, with all of its artists.")
                % {"roster": person.through},
            }
        )
    effects.append(
        {
            "term": _("What stays"),
            "sentence": _("What was decided until now stays decided, and stays in the timeline."),
        }
    )
    return effects
