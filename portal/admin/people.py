"""Labels and managements, and who works for them: the operator lets them in."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.identifiers import Scheme
from consent.models import Artist
from consent.services.parties import register_party
from consent.words import PartyKind
from portal.access import Access
from portal.admin.base import Panel, ScopedAdmin, Text, link
from portal.admin.doing import Doing, DoingForm, Done
from portal.admin.words import when
from portal.models import Membership, Roster, RosterArtist, RosterKind, User
from portal.roles import Role, in_order
from portal.services.delegation import end_access
from portal.services.people import let_person_in
from portal.services.rosters import (
    add_artist_to_roster,
    create_roster,
    remove_artist_from_roster,
)
from portal.templatetags.times import moment

SHOWN = 200


class LabelForm(DoingForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    dpid = forms.CharField(
        label=gettext_lazy("DPID"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("By it the label's release messages are recognised."),
    )


class OpenLabel(Doing):
    name, action = "label", "label.open"
    title = gettext_lazy("Open a label")
    sentence = gettext_lazy("A company with a roster. Then let its staff in.")
    button = gettext_lazy("Open it")
    form = LabelForm

    @transaction.atomic
    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        party = register_party(
            by=by,
            kind=PartyKind.COMPANY,
            name=said["name"],
            identifiers=[(Scheme.DPID, said["dpid"])] if said["dpid"] else (),
        )
        roster = create_roster(by=by, kind=RosterKind.LABEL, name=said["name"], party=party)
        return Done(roster, _("%(label)s is open.") % {"label": roster}, label=party)


class PersonForm(DoingForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy(
            "Somebody who signs in here already keeps their password and every access they have. "
            "Somebody new chooses a password by “Forgot your password?”. Both need a second "
            "factor. Whoever works in the admin answers for no artist: that takes two addresses."
        ),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Of somebody new; whoever is known here keeps their own."),
    )


class LetIn(Doing):
    name, action = "person", "person.let_in"
    title = gettext_lazy("Let somebody in")
    button = gettext_lazy("Let them in")
    form = PersonForm

    def makes_sense(self, thing: Any) -> bool:
        return bool(thing.kind != RosterKind.SELF)

    def explain(self, thing: Any) -> Text:
        if thing.kind == RosterKind.LABEL:
            return _("Label staff work in this admin and see their own label only.")
        return _(
            "Managers act for the artists of the roster, who see everything they do. Its first "
            "people are let in here, before an artist is on it; later ones by its own people."
        )

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        role = Role.LABEL_STAFF if thing.kind == RosterKind.LABEL else Role.MANAGER
        membership = let_person_in(
            by=by, email=said["email"], name=said["name"], role=role, roster=thing
        )
        facts = {"person": membership.user, "role": membership.get_role_display(), "roster": thing}
        return Done(
            membership,
            _("%(person)s is in: %(role)s of %(roster)s.") % facts,
            label=thing.party,
            about=f"{membership.user}: {thing}",
            subject=membership.user.ref,
        )


class ArtistForm(DoingForm):
    artist = forms.SlugField(
        label=gettext_lazy("Artist"),
        allow_unicode=True,
        max_length=80,
        help_text=gettext_lazy("The short name, as in the address of the artist's pages."),
    )

    def clean_artist(self) -> Artist:
        slug = self.cleaned_data["artist"]
        artist = Artist.objects.select_related("party").filter(slug=slug).first()
        if artist is None:
            raise forms.ValidationError(_("There is no artist with this short name."))
        return artist


class PutOn(Doing):
    name, action = "artist", "roster.add"
    title = gettext_lazy("Put an artist on it")
    sentence = gettext_lazy("The label's staff see the artist from now on.")
    button = gettext_lazy("Put on")
    form = ArtistForm

    def makes_sense(self, thing: Any) -> bool:
        return bool(thing.kind == RosterKind.LABEL)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        artist = form.cleaned_data["artist"]
        add_artist_to_roster(by=by, roster=thing, artist=artist)
        return Done(
            thing,
            _("%(artist)s is on the roster.") % {"artist": artist},
            label=thing.party,
            about=f"{thing}: {artist}",
            subject=artist.party.ref,
        )


class PlaceForm(DoingForm):
    place = forms.ModelChoiceField(
        label=gettext_lazy("Artist"), queryset=RosterArtist.objects.none()
    )

    def prepare(self) -> None:
        field: Any = self.fields["place"]
        field.queryset = places(self.thing) if self.thing else RosterArtist.objects.none()
        field.label_from_instance = lambda place: str(place.artist)


class TakeOff(Doing):
    name, action = "leave", "roster.remove"
    title = gettext_lazy("Take an artist off it")
    sentence = gettext_lazy("The people of this roster lose the artist at once.")
    button = gettext_lazy("Take off")
    form = PlaceForm

    def makes_sense(self, thing: Any) -> bool:
        return places(thing).exists()

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        place = remove_artist_from_roster(by=by, place=form.cleaned_data["place"])
        return Done(
            thing,
            _("%(artist)s is off the roster.") % {"artist": place.artist},
            label=thing.party,
            about=f"{thing}: {place.artist}",
            subject=place.artist.party.ref,
        )


def places(roster: Roster) -> QuerySet[RosterArtist]:
    """The artists who are on a roster now."""
    found = RosterArtist.objects.live().filter(roster=roster)
    return found.select_related("artist__party").order_by("artist__party__name")


@admin.register(Roster)
class RosterAdmin(ScopedAdmin):
    """Labels, managements, and independents by themselves."""

    on_list = (OpenLabel(),)
    doings = (LetIn(), PutOn(), TakeOff())
    list_display = ("name", "kind", when("created_at", gettext_lazy("opened")))
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("name", "id")

    def within(self, access: Access) -> QuerySet[Any]:
        return Roster.objects.select_related("party")

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        known = thing.party.identifiers.filter(scheme="dpid") if thing.party else ()
        yield _("Name"), thing.name
        yield _("Kind"), thing.get_kind_display()
        yield _("Company"), thing.party or "–"
        yield "DPID", ", ".join(one.value for one in known) or "–"
        yield _("Opened"), moment(thing.created_at)

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        people = (
            Membership.objects.unended().filter(roster=thing).select_related("user", "granted_by")
        )
        yield Panel(
            _("People"),
            [_("Name"), _("Role"), _("Since"), _("Until"), _("Let in by")],
            [
                (
                    link(one, one.user),
                    one.get_role_display(),
                    moment(one.starts_at),
                    moment(one.ends_at) if one.ends_at else _("until ended"),
                    one.granted_by or "–",
                )
                for one in people[:SHOWN]
            ],
            empty=_("Nobody yet."),
        )
        yield Panel(
            _("Artists"),
            [_("Name"), _("Since")],
            [(link(one.artist), moment(one.starts_at)) for one in places(thing)[:SHOWN]],
            empty=_("Nobody yet."),
        )


class EndAccess(Doing):
    name, action = "end", "access.end"
    title = gettext_lazy("End the access")
    sentence = gettext_lazy(
        "It is over at once, in every browser, link and mail; with it goes whom they let in."
    )
    button = gettext_lazy("End it")

    def makes_sense(self, thing: Any) -> bool:
        return thing.ended_at is None

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        membership = end_access(by=by, membership=thing)
        roster = membership.roster
        return Done(
            membership,
            _("The access has ended."),
            label=roster.party if roster is not None else None,
            about=f"{membership.user}: {roster or membership.artist}",
            subject=membership.user.ref,
        )


@admin.register(Membership)
class AccessAdmin(ScopedAdmin):
    """Who has access to whose work."""

    doings = (EndAccess(),)
    list_display = (
        "person",
        "role",
        "to",
        when("starts_at", gettext_lazy("since")),
        when("ends_at", gettext_lazy("until")),
        when("ended_at", gettext_lazy("ended")),
    )
    list_filter = ("role",)
    list_select_related = ("user", "roster", "artist__party")
    search_fields = ("user__name", "user__email", "roster__name", "artist__party__name")
    ordering = (F("ended_at").desc(nulls_first=True), "-id")

    def within(self, access: Access) -> QuerySet[Any]:
        return Membership.objects.select_related("user", "roster", "artist__party", "granted_by")

    @admin.display(description=gettext_lazy("person"), ordering="user__name")
    def person(self, membership: Membership) -> str:
        return str(membership.user)

    @admin.display(description=gettext_lazy("to"))
    def to(self, membership: Membership) -> str:
        return str(membership.roster or membership.artist)

    def title_of(self, thing: Any) -> str:
        return f"{thing.user}: {self.to(thing)}"

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Person"), thing.user
        yield _("Role"), thing.get_role_display()
        yield _("To"), link(thing.roster) if thing.roster else link(thing.artist)
        yield _("Besides"), ", ".join(str(one.label) for one in in_order(thing.scopes)) or "–"
        yield _("Since"), moment(thing.starts_at)
        yield _("Until"), moment(thing.ends_at) if thing.ends_at else _("until ended")
        yield _("Let in by"), thing.granted_by or "–"
        yield _("Ended"), moment(thing.ended_at) if thing.ended_at else "–"
