"""Licences: previewed before they are signed, superseded and ended, never edited."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import days
from consent.clock import now
from consent.decisions import Code
from consent.errors import Refused
from consent.licence_terms import MAX_NOTICE_DAYS, Terms
from consent.models import (
    AICompany,
    Catalogue,
    Licence,
    LicenceListing,
    LicenceVersion,
    ModelVersion,
    Recording,
)
from consent.queries.licences import Preview, UseEffect, preview_licence
from consent.sentences import spell
from consent.services.licences import end_licence, sign_licence, supersede_licence
from consent.words import Right
from portal.access import Access, access_of
from portal.admin.base import Panel, ScopedAdmin, Text
from portal.admin.claims import where
from portal.admin.doing import Doing, DoingForm, Done, tell
from portal.admin.fields import (
    CountriesField,
    FirstDayField,
    IsrcsField,
    LastDayField,
    PercentField,
    party_field,
)
from portal.admin.words import USE_CHOICES
from portal.models import User
from portal.templatetags.figures import count, money_micros, percent_bp
from portal.templatetags.times import moment, plain_begin, plain_end, term_day
from portal.words import use_words
from royalties.models import Rate
from royalties.services.rates import RateOffer, set_rates
from royalties.words import RateBasis

MICROS = 1_000_000
RATE_ROWS = 4
MOST_RATES = 60
LISTED_SHOWN = 200


# What is asked


class TermsForm(DoingForm):
    """What a licence version says."""

    uses = forms.MultipleChoiceField(
        label=gettext_lazy("Use kinds"),
        choices=USE_CHOICES,
        widget=forms.CheckboxSelectMultiple,
    )
    catalogue = forms.ChoiceField(label=gettext_lazy("Recordings"), choices=Catalogue.choices)
    recordings = IsrcsField(
        label=gettext_lazy("The list (ISRC)"),
        required=False,
        help_text=gettext_lazy("One per line; empty when all recordings are licensed."),
    )
    territories = CountriesField()
    starts_at = FirstDayField(
        label=gettext_lazy("From"), required=False, help_text=gettext_lazy("Empty: when signed.")
    )
    ends_at = LastDayField(help_text=gettext_lazy("Empty: until ended."))
    notice_days = forms.IntegerField(
        label=gettext_lazy("Notice, in days"),
        min_value=0,
        max_value=MAX_NOTICE_DAYS,
        initial=0,
        help_text=gettext_lazy(
            "So long outputs of licensed model versions run off after an artist takes a yes back."
        ),
    )
    model_versions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Model versions"),
        queryset=ModelVersion.objects.none(),
        required=False,
        help_text=gettext_lazy("None chosen: every version of the company's tools."),
    )
    without_artists = forms.BooleanField(
        label=gettext_lazy("Holds without the artists' own yes"),
        required=False,
        help_text=gettext_lazy(
            "Only where a contract gives you that right. The clause is published, each artist is "
            "told today, and a no is delivered to you as an objection."
        ),
    )
    override_clause = forms.CharField(
        label=gettext_lazy("The clause that gives that right"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    text = forms.CharField(
        label=gettext_lazy("Wording"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("The agreement itself, or where it is kept."),
    )

    def prepare(self) -> None:
        versions = ModelVersion.objects.select_related("tool__company__party").order_by(
            "tool__company__party__name", "tool__name", "pk"
        )
        if self.thing is not None:
            versions = versions.filter(tool__company=self.thing.company_id)
        self.fields["model_versions"].queryset = versions  # type: ignore[attr-defined]
        self.fields["model_versions"].label_from_instance = _in_full  # type: ignore[attr-defined]
        self.fields["recordings"].within = self.access.recordings_of_label()  # type: ignore[attr-defined]

    def terms(self) -> Terms:
        """What was said, for the domain. After validation only."""
        said = self.cleaned_data
        return Terms(
            uses=said["uses"],
            catalogue=said["catalogue"],
            recordings=said["recordings"],
            territories=said["territories"],
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
            notice_days=said["notice_days"],
            model_versions=list(said["model_versions"]),
            artist_approval=not said["without_artists"],
            override_clause=said["override_clause"],
            text=said["text"],
        )


class SignForm(TermsForm):
    """A new licence: between whom, besides."""

    company = forms.ModelChoiceField(
        label=gettext_lazy("AI company"), queryset=AICompany.objects.none()
    )
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)

    def prepare(self) -> None:
        super().prepare()
        self.fields["holder"] = party_field(self.access, label=_("Rights holder"))
        companies = AICompany.objects.select_related("party").order_by("party__name")
        self.fields["company"].queryset = companies  # type: ignore[attr-defined]
        self.order_fields(["holder", "company", "title"])


class RateForm(forms.Form):
    """One rate: a share of revenue, or a price."""

    use = forms.ChoiceField(
        label=gettext_lazy("Use kind"), choices=[("", "–"), *USE_CHOICES], required=False
    )
    right = forms.ChoiceField(
        label=gettext_lazy("Right"),
        choices=[(r.value, r.label) for r in (Right.MASTER, Right.PUBLISHING, Right.LIKENESS)],
    )
    basis = forms.ChoiceField(label=gettext_lazy("Paid as"), choices=RateBasis.choices)
    share = PercentField(label=gettext_lazy("Percent"), required=False)
    price = forms.DecimalField(
        label=gettext_lazy("Price"),
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=6,
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"), required=False, min_length=3, max_length=3
    )

    def offer(self) -> RateOffer | None:
        """The rate, or None for a row that was left empty. After validation only."""
        said = self.cleaned_data
        if not said.get("use"):
            return None
        share = said["basis"] == RateBasis.SHARE_OF_REVENUE
        price: Decimal | None = said["price"]
        return RateOffer(
            use=said["use"],
            right=said["right"],
            basis=said["basis"],
            share_bp=said["share"] if share else None,
            price_micros=None if share or price is None else int(price * MICROS),
            currency="" if share else said["currency"].upper(),
        )


RateForms = forms.formset_factory(RateForm, extra=RATE_ROWS, max_num=MOST_RATES, validate_max=True)


def _in_full(version: ModelVersion) -> str:
    return f"{version.tool.company}: {version.tool}, {version}"


# What can be done


class TermsDoing(Doing):
    """Signs a version: shown what it would change first, then signed as it was shown."""

    template = "admin/liner/licence.html"
    button = gettext_lazy("Sign")
    for_labels = True

    def rates(self, request: HttpRequest, thing: Any) -> Any:
        """The rates, filled in with what was posted, or with those of the version before."""
        if request.method == "POST":
            return RateForms(request.POST, prefix="rates")
        return RateForms(prefix="rates", initial=[_as_typed(rate) for rate in _rates_of(thing)])

    def make_form(self, request: HttpRequest, thing: Any) -> DoingForm:
        form = super().make_form(request, thing)
        form.rates = self.rates(request, thing)  # type: ignore[attr-defined]
        if request.method == "POST" and "sign" not in request.POST:
            form.fields["reason"].required = False  # nothing is done yet that would need one
        return form

    def is_ready(self, request: HttpRequest, form: DoingForm) -> bool:
        """Sign only what was looked at: the same terms, after their preview."""
        rates = form.rates  # type: ignore[attr-defined]
        if not rates.is_valid():
            return False
        return "sign" in request.POST and request.POST.get("previewed") == _digest(request)

    def ask(
        self, request: HttpRequest, pages: ScopedAdmin, thing: Any, form: DoingForm, **more: Any
    ) -> HttpResponse:
        effect = None
        # Where only the reason is missing, what was looked at still stands on the page.
        said = request.method == "POST" and set(form.errors) <= {"reason"}
        if said and form.rates.is_valid():  # type: ignore[attr-defined]
            effect = self.preview(thing, form)
        return super().ask(
            request,
            pages,
            thing,
            form,
            rates=form.rates,  # type: ignore[attr-defined]
            effect=effect and shown(effect),
            previewed=_digest(request) if effect else "",
        )

    def preview(self, thing: Any, form: DoingForm) -> Preview | None:
        """What signing would change; None when it would be refused, with the form told."""
        assert isinstance(form, TermsForm)
        said = form.cleaned_data
        try:
            return preview_licence(
                holder=said["holder"] if thing is None else thing.holder,
                company=said["company"] if thing is None else thing.company,
                terms=form.terms(),
                supersedes=thing,
            )
        except Refused as refusal:
            tell(form, refusal)
            return None

    def offers(self, form: DoingForm) -> list[RateOffer]:
        """The rates that were typed."""
        found = (one.offer() for one in form.rates)  # type: ignore[attr-defined]
        return [offer for offer in found if offer is not None]


class SignLicence(TermsDoing):
    name, action = "sign", "licence.sign"
    title = gettext_lazy("Sign a licence")
    sentence = gettext_lazy(
        "A licence never allows more than its artists do, unless you name the clause that lets you "
        "decide alone. You see what it would change before you sign."
    )
    form = SignForm

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        assert isinstance(form, TermsForm)
        said, terms = form.cleaned_data, form.terms()
        version = sign_licence(
            by=by,
            holder=said["holder"],
            company=said["company"],
            title=said["title"],
            uses=terms.uses,
            catalogue=terms.catalogue,
            recordings=terms.recordings,
            territories=terms.territories,
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            notice_days=terms.notice_days,
            model_versions=terms.model_versions,
            artist_approval=terms.artist_approval,
            override_clause=terms.override_clause,
            terms=terms.text,
        )
        _set_rates(by, version, self.offers(form))
        return Done(
            version.licence,
            _("Signed. Every artist whose work it touches is told today."),
            label=said["holder"],
            subject=said["holder"].ref,
        )


class SupersedeLicence(TermsDoing):
    name, action = "version", "licence.version"
    title = gettext_lazy("Sign a new version")
    sentence = gettext_lazy(
        "The version before speaks until this one begins. Nothing is taken over by itself: what "
        "you see here is all that the new version says."
    )
    form = TermsForm

    def makes_sense(self, thing: Any) -> bool:
        return not is_over(thing)

    def explain(self, thing: Any) -> str | Promise:
        ends = waiting_end(thing)
        if ends is None:
            return self.sentence
        return _("It ends on %(day)s. A new version takes that end back. %(rest)s") % {
            "day": plain_end(ends),
            "rest": self.sentence,
        }

    def initial(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        last = terms_of(thing)
        if last is None:
            return {}
        listed = Recording.objects.filter(listings__version=last).order_by("isrc")
        return {
            "uses": last.uses,
            "catalogue": last.catalogue,
            "recordings": "\n".join(listed.values_list("isrc", flat=True)),
            "territories": " ".join(last.territories),
            "ends_at": last.ends_at and days.last_day(last.ends_at),
            "notice_days": last.notice_days,
            "model_versions": last.model_versions,
            "without_artists": not last.artist_approval,
            "override_clause": last.override_clause,
            "text": last.terms,
        }

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        assert isinstance(form, TermsForm)
        version = supersede_licence(by=by, licence=thing, terms=form.terms())
        _set_rates(by, version, self.offers(form))
        return Done(
            thing,
            _("Version %(number)d is signed.") % {"number": version.number},
            label=thing.holder,
            subject=thing.holder.ref,
        )


class EndForm(DoingForm):
    ends_at = LastDayField(help_text=gettext_lazy("Empty: it ends now."))


class EndLicence(Doing):
    name, action = "end", "licence.end"
    title = gettext_lazy("End the licence")
    sentence = gettext_lazy(
        "From then on nothing is allowed by it. What a model learned before is not undone."
    )
    button = gettext_lazy("End it")
    form = EndForm
    for_labels = True

    def explain(self, thing: Any) -> str | Promise:
        ends = waiting_end(thing)
        if ends is None:
            return self.sentence
        return _("It ends on %(day)s already. Another end must come before. %(rest)s") % {
            "day": plain_end(ends),
            "rest": self.sentence,
        }

    def makes_sense(self, thing: Any) -> bool:
        return not is_over(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        version = end_licence(by=by, licence=thing, ends_at=form.cleaned_data["ends_at"])
        if version.starts_at and version.starts_at > now():
            said = _("Its last day is %(day)s.") % {"day": plain_end(version.starts_at)}
        else:
            said = _("The licence has ended.")
        return Done(thing, said, label=thing.holder, subject=thing.holder.ref)


# Small things


def last_version(licence: Licence) -> LicenceVersion | None:
    """The newest version of a licence, whether it speaks yet or not."""
    return licence.versions.order_by("-id").first()


def terms_of(licence: Licence) -> LicenceVersion | None:
    """The newest version that says what is licensed, and not that it ends."""
    return licence.versions.filter(ended=False).order_by("-id").first()


def waiting_end(licence: Licence) -> datetime | None:
    """When an end that was given for later begins; None where none waits."""
    last = last_version(licence)
    if last is None or not last.ended or last.starts_at is None or last.starts_at <= now():
        return None
    return last.starts_at


def is_over(licence: Licence) -> bool:
    """Whether a licence has ended, and not only will."""
    last = last_version(licence)
    return last is None or (last.ended and waiting_end(licence) is None)


def _from(version: LicenceVersion) -> str:
    """Since when a version speaks: from a day on, or from its signature."""
    if version.starts_at is None:
        return moment(version.signed_at)
    return term_day(version.starts_at, "from")


def _until(version: LicenceVersion) -> str:
    """Until when a version speaks that has an end, or the licence that this version ends."""
    if version.ended and version.starts_at is None:
        return moment(version.signed_at)
    end = version.starts_at if version.ended else version.ends_at
    assert end is not None
    return term_day(end)


def _rates_of(licence: Licence | None) -> list[Rate]:
    last = terms_of(licence) if licence is not None else None
    return [] if last is None else list(Rate.objects.filter(version=last).order_by("id"))


def _set_rates(by: User, version: LicenceVersion, offers: Sequence[RateOffer]) -> None:
    if offers:
        set_rates(by=by, version=version, offers=offers)


def _as_typed(rate: Rate) -> dict[str, Any]:
    return {
        "use": rate.use,
        "right": rate.right,
        "basis": rate.basis,
        "share": None if rate.share_bp is None else Decimal(rate.share_bp) / 100,
        "price": None if rate.price_micros is None else Decimal(rate.price_micros) / MICROS,
        "currency": rate.currency,
    }


def _digest(request: HttpRequest) -> str:
    """What stands for the terms that were previewed: any change in them asks for another look."""
    left_out = {"csrfmiddlewaretoken", "previewed", "preview", "sign", "reason"}
    said = sorted((k, v) for k, v in request.POST.lists() if k not in left_out)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def rate_text(rate: Rate) -> str:
    """What a rate pays, as people read it."""
    if rate.basis == RateBasis.SHARE_OF_REVENUE:
        return percent_bp(rate.share_bp or 0)
    return money_micros(rate.price_micros or 0, rate.currency)


def shown(preview: Preview) -> dict[str, Any]:
    """A preview as its page shows it."""
    return {
        "reached": preview.recordings,
        "recordings": count(preview.recordings),
        "artists": [one.party for one in preview.artists[:50]],
        "artists_more": max(0, len(preview.artists) - 50),
        "territory": preview.territory,
        "uses": [_effect(one) for one in preview.effects],
    }


def _effect(effect: UseEffect) -> dict[str, Any]:
    return {
        "use": use_words(effect.use),
        "allowed": count(effect.allowed),
        "wait": count(effect.wait_for_artists),
        "refused": count(effect.refused_by_artists),
        "lacking": count(effect.lack_something),
        "overridden": effect.overridden,
        "objections": effect.objections,
        "missing": [
            {
                "recordings": count(one.recordings),
                "sentence": spell(
                    Code(one.code), right=Right(one.right).label if one.right else "", plain=True
                ),
            }
            for one in effect.missing
        ],
    }


# Pages


@admin.register(Licence)
class LicenceAdmin(ScopedAdmin):
    """The frame agreements of a label; for the operator those of everybody."""

    for_labels = True
    on_list = (SignLicence(),)
    doings = (SupersedeLicence(), EndLicence())

    list_display = ("title", "holder_name", "company_name", "uses", "version", "stands")
    list_select_related = ("holder", "company__party")
    search_fields = ("title", "company__party__name", "holder__name")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        licences = Licence.objects.select_related("holder", "company__party")
        return licences if access.is_operator else licences.filter(holder__in=access.label_ids)

    def listed(self, rows: QuerySet[Any]) -> Any:
        last = LicenceVersion.objects.filter(licence=OuterRef("pk")).order_by("-id")
        return rows.annotate(
            last_uses=Subquery(last.values("uses")[:1]),
            last_number=Subquery(last.values("number")[:1]),
            last_ended=Subquery(last.values("ended")[:1]),
            last_from=Subquery(last.values("starts_at")[:1]),
            last_until=Subquery(last.values("ends_at")[:1]),
        )

    @admin.display(description=gettext_lazy("holder"), ordering="holder__name")
    def holder_name(self, licence: Any) -> str:
        return str(licence.holder)

    @admin.display(description=gettext_lazy("AI company"), ordering="company__party__name")
    def company_name(self, licence: Any) -> str:
        return str(licence.company)

    @admin.display(description=gettext_lazy("use kinds"))
    def uses(self, licence: Any) -> str:
        return use_words(*(licence.last_uses or ()))

    @admin.display(description=gettext_lazy("version"), ordering="last_number")
    def version(self, licence: Any) -> int:
        return int(licence.last_number or 0)

    @admin.display(description=gettext_lazy("stands"))
    def stands(self, licence: Any) -> str:
        begins, until = licence.last_from, licence.last_until
        if licence.last_ended:
            return (
                _("until %(day)s") % {"day": plain_end(begins)}
                if begins and begins > now()
                else _("ended")
            )
        if until is not None and until <= now():
            return _("ran out")
        if begins is not None and begins > now():
            return _("begins %(day)s") % {"day": plain_begin(begins)}
        return _("until %(day)s") % {"day": plain_end(until)} if until else _("in force")

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        last, terms = last_version(thing), terms_of(thing)
        yield _("Rights holder"), thing.holder
        yield _("AI company"), thing.company
        if last is None or terms is None:
            return
        yield _("Use kinds"), use_words(*terms.uses)
        yield _("Recordings"), terms.get_catalogue_display()
        yield _("Where"), where(terms.territories)
        yield _("From"), _from(terms)
        yield _("Until"), _until(last) if last.ended or last.ends_at else _("until ended")
        yield _("Notice"), _("%(days)d days") % {"days": terms.notice_days}
        models = ModelVersion.objects.filter(pk__in=terms.model_versions).select_related(
            "tool__company__party"
        )
        yield _("Model versions"), ", ".join(_in_full(m) for m in models) or _("every version")
        if terms.artist_approval:
            yield _("The artists' yes"), _("needed as well")
        else:
            yield _("The artists' yes"), _("not needed, by this clause (published):")
            yield _("Clause"), terms.override_clause
        yield _("Wording"), terms.terms or "–"

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        versions = list(thing.versions.order_by("-id")[:50])
        yield Panel(
            _("Versions"),
            [_("Number"), _("Signed"), _("From"), _("Until"), _("Use kinds"), ""],
            [
                (
                    v.number,
                    moment(v.signed_at),
                    "–" if v.ended else _from(v),
                    _until(v) if v.ended or v.ends_at else "–",
                    use_words(*v.uses),
                    _("the end") if v.ended else "",
                )
                for v in versions
            ],
        )
        speaking = next((v for v in versions if not v.ended), None)
        rates = Rate.objects.filter(version=speaking).order_by("id") if speaking else []
        yield Panel(
            _("Rates"),
            [_("Use kind"), _("Right"), _("Paid as"), _("Rate")],
            [
                (use_words(r.use), r.get_right_display(), r.get_basis_display(), rate_text(r))
                for r in rates
            ],
            empty=_("No rates: nothing is owed for uses under this version."),
        )
        if speaking is not None and speaking.catalogue != Catalogue.ALL:
            listed = LicenceListing.objects.filter(version=speaking).select_related("recording")
            held = access_of(request).recordings_of_label()
            reached = set(held.filter(listings__version=speaking).values_list("pk", flat=True))
            yield Panel(
                speaking.get_catalogue_display(),
                ["ISRC", _("Title")],
                [
                    (one.recording.isrc, one.recording.title)
                    for one in listed.order_by("recording__isrc")[:LISTED_SHOWN]
                    if one.recording_id in reached
                ],
                note=_("The first %(count)d are shown.") % {"count": LISTED_SHOWN},
            )
