"""The catalogue of a label: its artists, recordings and releases, and what it delivered."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, F, Func, IntegerField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.catalogue.notes import from_json
from consent.catalogue.problems import Severity
from consent.errors import Refused
from consent.identifiers import display_isrc
from consent.models import (
    Artist,
    ArtistRecording,
    CatalogueMessage,
    Recording,
    RecordingIdentity,
    Release,
    RequestState,
    Track,
)
from consent.services.catalogue import import_file
from consent.services.claims_import import FORMAT, import_claims_csv
from portal.access import Access, access_of
from portal.admin.base import Panel, ScopedAdmin, Text, link, yes_no
from portal.admin.claims import CLAIM_HEADERS, claim_rows, claims_on
from portal.admin.doing import Doing, DoingForm, Done, no_change
from portal.admin.fields import party_field
from portal.admin.words import when
from portal.models import User
from portal.queries.staff import overdue, permissions_within, requests_within, withdrawals_within
from portal.templatetags.figures import count
from portal.templatetags.times import moment, term_day
from portal.words import use_words

MOST_BYTES = 16 * 1024 * 1024  # some ten thousand recordings: as long as a browser waits
SHOWN = 200
LINES_SHOWN = 1000


@admin.register(Artist)
class ArtistAdmin(ScopedAdmin):
    """A label's own artists, and what they say and are asked."""

    for_labels = True
    list_display = ("name", "recordings", "asked")
    list_select_related = ("party",)
    search_fields = ("party__name", "party__names__name", "slug")
    ordering = ("party__name",)

    def within(self, access: Access) -> QuerySet[Any]:
        return access.artists_of_label().select_related("party")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        access = access_of(request)
        rows = self.within(access)
        if access.is_operator:
            return rows
        # Counted among what the label holds: an artist may have more elsewhere.
        held = ArtistRecording.objects.filter(
            artist=OuterRef("pk"), recording__in=access.recordings_of_label()
        )
        open_ones = requests_within(access).filter(artist=OuterRef("pk"), state=RequestState.OPEN)
        counted: QuerySet[Any] = rows.annotate(
            held=_counted(held, "artist"), open_requests=_counted(open_ones, "artist")
        )
        return counted

    @admin.display(description=gettext_lazy("name"), ordering="party__name")
    def name(self, artist: Any) -> str:
        return str(artist.party)

    @admin.display(description=gettext_lazy("recordings"))
    def recordings(self, artist: Any) -> str:
        return count(artist.held or 0) if hasattr(artist, "held") else "–"

    @admin.display(description=gettext_lazy("open questions"))
    def asked(self, artist: Any) -> str:
        return count(artist.open_requests or 0) if hasattr(artist, "open_requests") else "–"

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        access = access_of(request)
        billed = ArtistRecording.objects.filter(
            artist=thing, recording__in=access.recordings_of_label()
        )
        names = ", ".join(thing.party.names.values_list("name", flat=True)[:10])
        yield _("Name"), thing.party
        yield _("Other names"), names or "–"
        yield _("Kind"), thing.party.get_kind_display()
        yield _("Recordings"), count(billed.count())

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        access = access_of(request)
        speaking = (
            permissions_within(access)
            .filter(artist=thing, recording=None)
            .order_by("use", "scope", "territories", "-id")
            .distinct("use", "scope", "territories")
            .select_related("company__party", "tool")[:SHOWN]
        )
        yield Panel(
            _("What the artist answered in general"),
            [_("Use kind"), _("For"), _("Answer"), _("Until")],
            [
                (
                    use_words(row.use),
                    row.tool or row.company or _("all work"),
                    link(row, row.get_stance_display()),
                    term_day(row.valid_until) if row.valid_until else "–",
                )
                for row in speaking
            ],
            empty=_("Nothing yet. What is not answered is a no."),
        )
        asked = dict(
            requests_within(access)
            .filter(artist=thing)
            .order_by()
            .values_list("state")
            .annotate(n=Count("pk"))
        )
        yield Panel(
            _("What AI companies asked"),
            [_("State"), _("Questions")],
            [(state.label, count(asked[state])) for state in RequestState if state in asked],
            empty=_("Nobody asked."),
            note=_("Questions and reasons are the artist's to read; here are the counts."),
        )
        late = overdue(withdrawals_within(access).filter(artist=thing)).select_related(
            "permission", "company__party", "model_version"
        )
        yield Panel(
            _("Withdrawals that a company should have acknowledged"),
            [_("Use kind"), _("AI company"), _("Model version"), _("By")],
            [
                (
                    link(row, use_words(row.permission.use)),
                    row.company,
                    row.model_version or "–",
                    moment(row.acknowledge_by),
                )
                for row in late[:SHOWN]
            ],
            empty=_("None."),
        )


def _counted(rows: QuerySet[Any], by: str) -> Any:
    """A subquery that counts `rows`, which are correlated by `by`."""
    return Subquery(rows.order_by().values(by).annotate(n=Count("pk")).values("n")[:1])


@admin.register(Recording)
class RecordingAdmin(ScopedAdmin):
    """The recordings whose master a label claims."""

    for_labels = True
    list_display = (
        "title",
        "shown_isrc",
        "contains_ai",
        when("updated_at", gettext_lazy("last changed")),
    )
    list_filter = ("contains_ai",)
    search_fields = ("isrc", "title", "titles__title")
    search_help_text = gettext_lazy("An ISRC without hyphens, or a title.")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        return access.recordings_of_label()

    @admin.display(description="ISRC", ordering="isrc")
    def shown_isrc(self, recording: Recording) -> str:
        return display_isrc(recording.isrc)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        access = access_of(request)
        sender = thing.sender
        own = sender is not None and access.may_label(sender)
        identity = RecordingIdentity.objects.filter(recording=thing).order_by("-id").first()
        titles = ", ".join(thing.titles.values_list("title", flat=True)[:10])
        yield _("Title"), thing.title
        yield _("Other titles"), titles or "–"
        yield "ISRC", display_isrc(thing.isrc)
        yield _("AI in it"), thing.get_contains_ai_display()
        yield _("Delivered by"), sender if own else _("somebody else") if sender else _("by hand")
        yield _("Withdrawn"), yes_no(identity is not None and identity.withdrawn)
        yield _("Last changed"), moment(thing.updated_at)

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        yield Panel(
            _("Credits"),
            [_("Name"), _("Role"), _("Instrument"), _("AI")],
            [
                (one.party, one.role, one.instrument, one.get_ai_part_display())
                for one in thing.credits.select_related("party")[:SHOWN]
            ],
            empty=_("No credits were delivered."),
        )
        yield Panel(
            _("Who claims it"),
            CLAIM_HEADERS,
            claim_rows(access_of(request), claims_on(thing)[:SHOWN]),
            empty=_("Nobody: nothing is allowed with it."),
        )
        answers = (
            permissions_within(access_of(request))
            .filter(recording=thing)
            .order_by("artist_id", "use", "scope", "territories", "-id")
            .distinct("artist_id", "use", "scope", "territories")
            .select_related("artist__party", "company__party", "tool")[:SHOWN]
        )
        yield Panel(
            _("What artists answered for this recording"),
            [_("Artist"), _("Use kind"), _("For"), _("Answer")],
            [
                (
                    row.artist,
                    use_words(row.use),
                    row.tool or row.company or _("everybody"),
                    link(row, row.get_stance_display()),
                )
                for row in answers
            ],
            empty=_("Nothing about it alone: what they say in general holds."),
        )


@admin.register(Release)
class ReleaseAdmin(ScopedAdmin):
    """The releases that a label delivered."""

    for_labels = True
    list_display = ("title", "icpn", "kind", "label_name", "released_on")
    search_fields = ("title", "icpn", "key")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        releases = Release.objects.select_related("sender")
        return releases if access.is_operator else releases.filter(sender__in=access.label_ids)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Title"), thing.title
        yield _("Sender"), thing.sender
        yield "ICPN", thing.icpn or "–"
        yield _("Kind"), thing.kind or "–"
        yield _("Label"), thing.label_name or "–"
        yield _("Released"), thing.released_on or "–"
        yield _("Message of"), moment(thing.message_created_at)

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        tracks = list(Track.objects.filter(release=thing).select_related("recording")[:SHOWN])
        held = set(
            access_of(request)
            .recordings_of_label()
            .filter(pk__in=[t.recording_id for t in tracks])
            .values_list("pk", flat=True)
        )
        yield Panel(
            _("Tracks"),
            [_("Place"), _("Title"), "ISRC"],
            [
                (
                    t.position,
                    link(t.recording) if t.recording_id in held else t.recording.title,
                    display_isrc(t.recording.isrc),
                )
                for t in tracks
            ],
        )


# Deliveries


class UploadForm(DoingForm):
    """A file that was delivered."""

    file = forms.FileField(label=gettext_lazy("File"), max_length=300)
    field_order = ("file",)

    def prepare(self) -> None:
        self.fields["reason"].initial = _("A delivery")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("This file has more than 16 MB. Ask us to take it in from the command line.")
            )
        return file


class ImportMessage(Doing):
    name, action = "message", "catalogue.import"
    title = gettext_lazy("Take in a release message")
    sentence = gettext_lazy(
        "A DDEX ERN message, 4.2, 4.3 or 4.3.2. It is taken whole or not at all; what is left out "
        "is reported line by line. The same message twice changes nothing. A large one takes a "
        "minute."
    )
    button = gettext_lazy("Take it in")
    form = UploadForm
    for_labels = True

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        report = import_file(by=by, file=form.cleaned_data["file"])
        if not access.may_label(report.sender):
            # Who sent it is known only once it is read; what it did is undone with this refusal.
            raise Refused(
                "sender_of_another",
                _("Your label did not send this message: its sender has another DPID than you."),
                field="file",
            )
        message = CatalogueMessage.objects.filter(
            sender=report.sender, message_id=report.message_id
        ).order_by("-id")[0]
        counts = report.counts
        said = (
            _("This message was read before. Nothing changed.")
            if report.already_read
            else _(
                "Recordings: %(new)s new, %(updated)s updated, %(same)s as before. "
                "Releases: %(releases)s. Reported: %(problems)s."
            )
            % {
                "new": count(counts.recordings_new),
                "updated": count(counts.recordings_updated),
                "same": count(counts.recordings_unchanged),
                "releases": count(counts.releases_new + counts.releases_updated),
                "problems": count(len(report.problems)),
            }
        )
        return Done(message, said, label=report.sender)


class ClaimsForm(UploadForm):
    def prepare(self) -> None:
        super().prepare()
        self.fields["sender"] = party_field(self.access, label=_("Sent by"))
        self.order_fields(["sender", "file"])


class ImportClaims(Doing):
    name, action = "claims", "claims.import"
    title = gettext_lazy("Take in a claims file")
    sentence = gettext_lazy(
        "A CSV file in UTF-8 with the columns isrc, iswc, work_title, artist, party, party_name, "
        "party_kind, right, share, authority, territories, from, until (first and last day). A "
        "line that cannot be taken stops no other. The same file twice changes nothing."
    )
    button = gettext_lazy("Take it in")
    form = ClaimsForm
    for_labels = True

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        data = said["file"].read()
        report = import_claims_csv(
            by=by,
            sender=said["sender"],
            data=data,
            name=said["file"].name,
            recordings=access.recordings_of_label(),
            artists=access.artists_of_label(),
        )
        found = CatalogueMessage.objects.get(
            sender=said["sender"], version=FORMAT, digest=hashlib.sha256(data).hexdigest()
        )
        counts = report.counts
        text = (
            no_change()
            if report.already_read
            else _(
                "Claims: %(made)s made, %(changed)s changed, %(same)s as before; "
                "%(refused)s lines refused."
            )
            % {
                "made": count(counts.made),
                "changed": count(counts.changed),
                "same": count(counts.unchanged),
                "refused": count(counts.refused),
            }
        )
        return Done(found, text, label=said["sender"])


SEVERITIES = {
    Severity.REFUSED: gettext_lazy("left out"),
    Severity.FLAGGED: gettext_lazy("kept, and odd"),
    Severity.SKIPPED: gettext_lazy("not read"),
}


@admin.register(CatalogueMessage)
class MessageAdmin(ScopedAdmin):
    """What a label delivered, and what became of every line."""

    for_labels = True
    on_list = (ImportMessage(), ImportClaims())
    list_display = (
        "message_id",
        "sent_by",
        "version",
        when("created_at", gettext_lazy("made")),
        when("read_at", gettext_lazy("read")),
        "reported",
    )
    list_filter = ("version",)
    list_select_related = ("sender",)
    search_fields = ("message_id",)
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        messages = CatalogueMessage.objects.select_related("sender")
        return messages if access.is_operator else messages.filter(sender__in=access.label_ids)

    def listed(self, rows: QuerySet[Any]) -> Any:
        # A report may have fifty thousand lines: counted where it lies.
        lines = Func(F("report"), function="jsonb_array_length", output_field=IntegerField())
        return rows.defer("report").annotate(lines=lines)

    @admin.display(description=gettext_lazy("sent by"))
    def sent_by(self, message: Any) -> str:
        return str(message.sender)

    @admin.display(description=gettext_lazy("reported"))
    def reported(self, message: Any) -> str:
        return count(message.lines)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Message"), thing.message_id
        yield _("Sent by"), thing.sender
        yield _("Format"), thing.version
        yield _("Made"), moment(thing.created_at)
        yield _("Read"), moment(thing.read_at)
        yield "SHA-256", thing.digest

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        stored = sorted(thing.report, key=lambda one: one["line"])
        found = [(one, from_json(one)) for one in stored[:LINES_SHOWN]]
        more = len(stored) - len(found)
        yield Panel(
            _("What was reported, line by line"),
            [_("Line"), _("What became of it"), _("Why"), _("As delivered")],
            [
                (
                    problem.line or "–",
                    SEVERITIES[problem.severity],
                    problem.sentence,
                    one.get("text", ""),
                )
                for one, problem in found
            ],
            empty=_("Nothing: everything was taken as it was delivered."),
            note=_("And %(count)d more.") % {"count": more} if more > 0 else "",
        )
