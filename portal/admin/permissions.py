"""What artists answered: read here, never edited. The operator may end an answer, with a reason."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.clock import now
from consent.models import Permission, PermissionRequest, Withdrawal, Wording
from consent.queries.staff_reasons import reasons_given
from consent.services.permissions import may_be_revoked, revoke_permission
from consent.services.wordings import publish_wording
from consent.words import Stance, Way
from portal.access import Access, access_of
from portal.admin.base import Panel, ScopedAdmin, Text, link, yes_no
from portal.admin.claims import where
from portal.admin.doing import Doing, DoingForm, Done
from portal.admin.words import USE_CHOICES, UseFilter, about_use, last_day, when
from portal.models import User
from portal.queries.staff import overdue, permissions_within, withdrawals_within
from portal.queries.withdrawals import about_no, begins_at, reachable, told_by_mail, why_untold
from portal.templatetags.figures import count
from portal.templatetags.times import moment, term_day
from portal.words import use_words

LANGUAGES = settings.WORDING_LANGUAGES


def scope_text(row: Permission) -> str:
    """For what an answer is, in words."""
    for_what = row.tool or row.company or _("all AI tools")
    on = row.recording or _("all work")
    return f"{on}, {for_what}"


def _speaks() -> Exists:
    """Whether a row speaks in its scope, or waits for its day to."""
    newer = Permission.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=now()),
        artist=OuterRef("artist"),
        use=OuterRef("use"),
        scope=OuterRef("scope"),
        territories=OuterRef("territories"),
        pk__gt=OuterRef("pk"),
    )
    return ~Exists(newer)  # type: ignore[return-value]


class RevokeForm(DoingForm):
    def prepare(self) -> None:
        self.fields["reason"].help_text = _(
            "The artist reads this at once, with your name; nobody can change it later."
        )


class EndAnswer(Doing):
    """Staff cannot answer; they can only say that an answer no longer stands."""

    form = RevokeForm
    invalid = False

    def makes_sense(self, thing: Any) -> bool:
        return thing.way in (Way.ANSWERED, Way.WITHDRAWN, Way.UNDONE) and may_be_revoked(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        reason = form.cleaned_data["reason"]
        row = revoke_permission(by=by, permission=thing, reason=reason, invalid=self.invalid)
        about = f"{thing.artist}: {use_words(thing.use)}, {scope_text(thing)}"
        return Done(
            row,
            _("Recorded. The artist sees it now."),
            about=about,
            subject=thing.artist.party.ref,
        )


class Revoke(EndAnswer):
    name, action = "revoke", "permission.revoke"
    title = gettext_lazy("Revoke the answer")
    sentence = gettext_lazy(
        "The answer no longer stands from now on, nor does what was given for later beside it; "
        "until the artist answers again it is a no. "
        "Nobody but the artist can give a yes."
    )
    button = gettext_lazy("Revoke it")


class Invalidate(EndAnswer):
    name, action = "invalidate", "permission.invalidate"
    title = gettext_lazy("Find the answer invalid")
    sentence = gettext_lazy(
        "The answer should never have stood: it was not the artist's, or not freely given. Until "
        "the artist answers again it is a no."
    )
    button = gettext_lazy("Find it invalid")
    invalid = True


class Spoken(admin.SimpleListFilter):
    """The answers that speak, unless all are asked for."""

    title = gettext_lazy("which")
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("also earlier ones"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(_speaks())

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("those that speak now")}
        yield from others


@admin.register(Permission)
class PermissionAdmin(ScopedAdmin):
    """Answers of artists, for a label those of its own."""

    for_labels = True
    doings = (Revoke(), Invalidate())
    list_display = (
        "artist_name",
        about_use(),
        "scope_in_words",
        "stance",
        "way",
        last_day("valid_until", gettext_lazy("until")),
    )
    list_filter = (Spoken, UseFilter, "stance", "way")
    list_select_related = ("artist__party", "recording", "company__party", "tool")
    search_fields = ("artist__party__name", "recording__isrc", "recording__title")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        return permissions_within(access).select_related(
            "artist__party", "recording", "company__party", "tool", "wording", "act__by", "entry"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(None)

    @admin.display(description=gettext_lazy("artist"), ordering="artist__party__name")
    def artist_name(self, row: Permission) -> str:
        return str(row.artist)

    @admin.display(description=gettext_lazy("for"))
    def scope_in_words(self, row: Permission) -> str:
        return scope_text(row)

    def title_of(self, thing: Any) -> str:
        return f"{thing.artist}: {use_words(thing.use)}, {scope_text(thing)}"

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Artist"), link(thing.artist)
        yield _("Use kind"), use_words(thing.use)
        yield _("For"), scope_text(thing)
        yield _("Answer"), thing.get_stance_display()
        yield _("How"), thing.get_way_display()
        yield _("Where"), where(thing.territories)
        begins = thing.valid_from
        at = term_day(begins, "from") if begins else moment(thing.entry.recorded_at)
        yield _("From"), at
        yield _("Until"), term_day(thing.valid_until) if thing.valid_until else _("without end")
        yield _("Wording"), called(thing.wording) if thing.wording else "–"
        yield _("As"), thing.act.role or "–"
        yield _("Ledger position"), thing.entry.seq

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        rows = (
            Permission.objects.filter(
                artist=thing.artist_id,
                use=thing.use,
                scope=thing.scope,
                territories=thing.territories,
            )
            .select_related("entry", "act")
            .order_by("-id")[:100]
        )
        told = access_of(request).is_operator  # a reason is for the artist, not for a label
        reasons = reasons_given([r.act_id for r in rows if r.way in _BY_STAFF]) if told else {}
        yield Panel(
            _("Answers in this scope"),
            [_("When"), _("Answer"), _("How"), _("As"), _("Reason")],
            [
                (
                    moment(row.entry.recorded_at),
                    row.get_stance_display(),
                    row.get_way_display(),
                    row.act.role,
                    reasons.get(row.act_id, ""),
                )
                for row in rows
            ],
        )


_BY_STAFF = (Way.REVOKED, Way.INVALIDATED)


class Stage(admin.SimpleListFilter):
    """How far a company has got with stopping."""

    title = gettext_lazy("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("overdue")),
            ("open", _("not acknowledged yet")),
            ("done", _("acknowledged")),
            ("over", _("over")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "overdue":
                return overdue(queryset)
            case "open":
                return queryset.filter(acknowledged_at=None, over_at=None)
            case "over":
                return queryset.exclude(over_at=None)
            case "done":
                return queryset.exclude(acknowledged_at=None)
        return queryset


@admin.register(Withdrawal)
class WithdrawalAdmin(ScopedAdmin):
    """What a no set in motion at one AI company."""

    for_labels = True
    list_display = (
        "artist_name",
        about_use("permission.use"),
        "company_name",
        "stopped_model",
        when("acknowledge_by", gettext_lazy("to be acknowledged by")),
        when("acknowledged_at", gettext_lazy("acknowledged")),
        "late",
    )
    list_filter = (Stage,)
    list_select_related = ("artist__party", "company__party", "permission", "model_version__tool")
    search_fields = ("artist__party__name", "company__party__name")
    ordering = (
        F("over_at").asc(nulls_first=True),
        F("acknowledged_at").asc(nulls_first=True),
        "acknowledge_by",
        "id",
    )

    def within(self, access: Access) -> QuerySet[Any]:
        return reachable(withdrawals_within(access)).select_related(
            "artist__party",
            "company__party",
            "permission__recording",
            "permission__tool",
            "permission__act",
            "model_version__tool",
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(None)

    @admin.display(description=gettext_lazy("artist"))
    def artist_name(self, row: Withdrawal) -> str:
        return str(row.artist)

    @admin.display(description=gettext_lazy("AI company"))
    def company_name(self, row: Withdrawal) -> str:
        return str(row.company)

    @admin.display(description=gettext_lazy("model version"))
    def stopped_model(self, row: Withdrawal) -> str:
        version = row.model_version
        return f"{version.tool} {version}" if version is not None else "–"

    @admin.display(description=gettext_lazy("stage"))
    def late(self, row: Withdrawal) -> str:
        if row.over_at is not None:
            return _("over")
        if row.acknowledged_at is not None:
            return _("acknowledged")
        if row.acknowledge_by <= now():
            return _("overdue")
        return _("told") if row.told_at else why_untold(row)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Artist"), thing.artist
        yield _("Use kind"), use_words(thing.permission.use)
        tool = thing.model_version.tool if thing.model_version else thing.permission.tool
        yield _("For"), about_no(thing.permission) or _("all work")
        yield _("Holds from"), moment(begins_at(thing))
        yield _("AI company"), thing.company
        yield _("Tool"), tool or "–"
        yield _("Model version"), thing.model_version or "–"
        yield _("Already trained (not undone)"), yes_no(thing.already_trained)
        yield _("Outputs run off until"), moment(thing.outputs_until)
        yield (
            _("Told"),
            _told(thing) if thing.told_at else why_untold(thing) or _("not yet"),
        )
        yield _("To be acknowledged by"), moment(thing.acknowledge_by)
        yield (
            _("Acknowledged"),
            moment(thing.acknowledged_at) if thing.acknowledged_at else _("not yet"),
        )
        if thing.over_at:
            yield _("Over: allowed again since"), moment(thing.over_at)


def _told(row: Withdrawal) -> str:
    assert row.told_at is not None
    at = moment(row.told_at)
    return format_html("{} {}", at, _("by e-mail")) if told_by_mail(row) else at


@admin.register(PermissionRequest)
class RequestAdmin(ScopedAdmin):
    """What AI companies ask artists. A label sees the counts, on the page of its artist."""

    list_display = (
        "artist_name",
        "tool",
        about_use(),
        "recording",
        "state",
        when("created_at", gettext_lazy("asked")),
    )
    list_filter = ("state", UseFilter)
    list_select_related = ("artist__party", "tool", "recording")
    search_fields = ("artist__party__name", "tool__name")
    ordering = ("-id",)

    @admin.display(description=gettext_lazy("artist"), ordering="artist__party__name")
    def artist_name(self, row: PermissionRequest) -> str:
        return str(row.artist)

    def title_of(self, thing: Any) -> str:
        return _("%(tool)s asks: %(use)s") % {"tool": thing.tool, "use": use_words(thing.use)}

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Artist"), thing.artist
        yield _("Tool"), thing.tool
        yield _("Use kind"), use_words(thing.use)
        yield _("Recording"), thing.recording or _("all work")
        yield _("Why"), thing.why
        yield _("From"), term_day(thing.valid_from, "from") if thing.valid_from else _("at once")
        yield _("Until"), term_day(thing.valid_until) if thing.valid_until else _("without end")
        yield _("State"), thing.get_state_display()
        yield _("Asked"), moment(thing.created_at)
        yield _("Answered"), moment(thing.answered_at) if thing.answered_at else "–"


# Wordings


NEW, SAME = "new", "same"
MEANINGS = [
    (NEW, gettext_lazy("something new: every yes to an earlier text is a no, and is asked again")),
    (SAME, gettext_lazy("the same, in a language in which this text is not there yet")),
]


def called(wording: Wording) -> str:
    """What a text is called: for which use, in which language, which version."""
    facts = {
        "use": use_words(wording.use),
        "language": _language(wording.language),
        "number": wording.version,
    }
    return _("%(use)s, %(language)s, version %(number)d") % facts


def _language(code: str) -> str:
    return str(dict(LANGUAGES).get(code, code))


def _what_a_new_text_takes() -> str:
    """For each use, how many artists have a yes that a text of new meaning makes a no."""
    yeses = (
        Permission.objects.filter(_speaks(), stance=Stance.ALLOW)
        .exclude(valid_until__lte=now())
        .order_by()
        .values_list("use")
        .annotate(n=Count("artist", distinct=True))
    )
    counted = dict(yeses)
    parts = [f"{label} {count(counted[use])}" for use, label in USE_CHOICES if counted.get(use)]
    if not parts:
        return ""
    return _("Artists who say yes, by use kind: %(uses)s.") % {"uses": ", ".join(parts)}


class WordingForm(DoingForm):
    use = forms.ChoiceField(label=gettext_lazy("Use kind"), choices=USE_CHOICES)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)
    text = forms.CharField(
        label=gettext_lazy("Text"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 10})
    )
    meaning = forms.ChoiceField(
        label=gettext_lazy("It means"), choices=MEANINGS, initial=NEW, widget=forms.RadioSelect
    )

    def prepare(self) -> None:
        self.fields["meaning"].help_text = _what_a_new_text_takes()


class PublishWording(Doing):
    name, action = "publish", "wording.publish"
    title = gettext_lazy("Publish a wording")
    sentence = gettext_lazy(
        "The text that artists read before they answer. Answers that were given under another "
        "text stay tied to that one. Where the new text means something new, what an earlier yes "
        "allowed is not allowed any more, until its people have answered again. A no stays."
    )
    button = gettext_lazy("Publish it")
    form = WordingForm

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        wording = publish_wording(
            by=by,
            use=said["use"],
            language=said["language"],
            text=said["text"],
            means_the_same=said["meaning"] == SAME,
        )
        return Done(
            wording, _("Version %(number)d is what people read.") % {"number": wording.version}
        )


@admin.register(Wording)
class WordingAdmin(ScopedAdmin):
    """The texts that people decide on."""

    on_list = (PublishWording(),)
    list_display = (
        about_use(),
        "language",
        "version",
        "meaning",
        when("created_at", gettext_lazy("published")),
    )
    list_filter = (UseFilter, "language")
    search_fields = ("text",)
    ordering = ("use", "language", "-version")

    @admin.display(description=gettext_lazy("means"))
    def meaning(self, wording: Wording) -> str:
        if wording.means_the_same:
            return _("the same, in another language")
        return _("something new") if wording.version > 1 else "–"

    def title_of(self, thing: Any) -> str:
        return called(thing)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Use kind"), use_words(thing.use)
        yield _("Language"), _language(thing.language)
        yield _("Version"), thing.version
        yield _("Text"), thing.text
        yield _("It means"), self.meaning(thing)
        yield "SHA-256", thing.digest
        yield _("Published"), moment(thing.created_at)
