"""Rights claims: whose they are, and what a label or the operator can do about each."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import days
from consent.clock import now
from consent.identifiers import IdentifierError, display_isrc, display_iswc, normalise_iswc
from consent.models import (
    Party,
    Recording,
    RecordingIdentity,
    RightsClaim,
    Work,
)
from consent.queries.replaced import replaced_on
from consent.services import claims
from consent.words import Authority, Right, Standing
from portal.access import Access, access_of
from portal.admin.base import Panel, ScopedAdmin, Text, link
from portal.admin.doing import Doing, DoingForm, Done, only_label
from portal.admin.fields import (
    ArtistChoice,
    CountriesField,
    FirstDayField,
    IsrcsField,
    LastDayField,
    PercentField,
    party_field,
)
from portal.models import User
from portal.templatetags.figures import percent_bp
from portal.templatetags.times import term_day

BY_CLAUSE_ONLY = gettext_lazy(
    "Whatever it is, a master goes without the artist's yes only by a licence that names the "
    "clause. Where your change lets such a licence reach her work, she is told today, and her no "
    "is delivered to you."
)


def newest() -> QuerySet[RightsClaim]:
    """The latest row of every claim: how each stands."""
    newer = RightsClaim.objects.filter(claim=OuterRef("claim"), pk__gt=OuterRef("pk"))
    return RightsClaim.objects.filter(~Exists(newer))


def claims_within(access: Access) -> QuerySet[RightsClaim]:
    """One's own claims, and what others claim on the recordings and artists of one's label.

    A label must see what contradicts it; it sees no claim that touches nothing of its own.
    """
    if access.is_operator:
        return RightsClaim.objects.all()
    held = access.recordings_of_label()
    return RightsClaim.objects.filter(
        Q(party__in=access.label_ids)
        | Q(Exists(held.filter(pk=OuterRef("recording"))))
        | Q(Exists(names_work(access, "work_id")), work__isnull=False)
        | Q(Exists(access.artists_of_label().filter(pk=OuterRef("repertoire"))))
    )


def names_work(access: Access, outer: str) -> QuerySet[RecordingIdentity]:
    """Recordings of one's own that hold the work whose key is `outer` of the query around."""
    newer = RecordingIdentity.objects.filter(recording=OuterRef("recording"), pk__gt=OuterRef("pk"))
    return RecordingIdentity.objects.filter(
        ~Exists(newer),
        works__contains=[OuterRef(outer)],
        recording__in=access.recordings_of_label(),
    )


def claimed_on(row: RightsClaim) -> str:
    """What a claim is on, in words."""
    if row.recording is not None:
        return f"{row.recording.title} ({display_isrc(row.recording.isrc)})"
    if row.work is not None:
        iswc = f" ({display_iswc(row.work.iswc)})" if row.work.iswc else ""
        return f"{row.work.title}{iswc}"
    return _("all work of %(artist)s") % {"artist": row.repertoire}


def share_of(row: RightsClaim) -> str:
    """The share that is claimed, in words where it is nothing."""
    return percent_bp(row.share_bp) if row.share_bp else _("none of it")


def called(row: RightsClaim) -> str:
    """A claim in one line, for pages and acts of staff."""
    return f"{row.party}: {row.get_right_display()}, {share_of(row)}, {claimed_on(row)}"


def where(territories: Iterable[str]) -> str:
    """Territories as people read them."""
    return ", ".join(territories) or _("worldwide")


def is_nothing_disputed(row: RightsClaim) -> bool:
    """That nothing is claimed, and that this is disputed: it is settled before anything else."""
    return not row.share_bp and row.standing == Standing.DISPUTED


# What can be done


class ClaimDoing(Doing):
    """Something done to one claim, in the books of whoever claims."""

    for_own_label = False
    """Whether a label's staff do it to the label's own claims."""

    def is_allowed(self, access: Access, thing: Any) -> bool:
        """The operator always; a label where the claim is its own."""
        return access.is_operator or (self.for_own_label and thing.party_id in access.label_ids)

    def makes_sense(self, thing: Any) -> bool:
        """Nothing is done to a claim that is over."""
        return not thing.ended

    def done(self, row: RightsClaim, message: str, label: Party | None = None) -> Done:
        """What came of it, kept under the claim's own name."""
        return Done(
            row,
            message,
            label=label or row.party,
            key=str(row.claim),
            about=called(row),
            subject=row.party.ref,
        )


class VerifyClaim(ClaimDoing):
    name, action = "verify", "claim.verify"
    title = gettext_lazy("Confirm the claim")
    sentence = gettext_lazy(
        "You have seen what proves this claim. It counts as verified from now on, and a dispute "
        "about it is over."
    )

    def makes_sense(self, thing: Any) -> bool:
        return not thing.ended and thing.standing != Standing.VERIFIED

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        row = claims.verify_claim(by=by, claim=thing.claim)
        return self.done(row, _("The claim is verified."))


class DisputeClaim(ClaimDoing):
    name, action = "dispute", "claim.dispute"
    title = gettext_lazy("Dispute the claim")
    sentence = gettext_lazy(
        "Until this is settled, nobody may use what is claimed. Say what speaks against the "
        "claim: our staff look at both sides."
    )

    def is_allowed(self, access: Access, thing: Any) -> bool:
        """Also a label that meets the claim of somebody else on what is its own."""
        return access.is_operator or bool(access.label_ids)

    def makes_sense(self, thing: Any) -> bool:
        return not thing.ended and thing.standing != Standing.DISPUTED

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        row = claims.dispute_claim(by=by, claim=thing.claim, reason=form.cleaned_data["reason"])
        # In the books of whoever disputes: what speaks against a claim is not told to the other.
        mine = None if access.is_operator else _label_that_meets(access, row)
        return self.done(row, _("The claim is disputed."), mine)


class SettleClaim(ClaimDoing):
    name, action = "settle", "claim.settle"
    title = gettext_lazy("End the dispute")
    sentence = gettext_lazy("The claim is declared, unverified, again.")

    def makes_sense(self, thing: Any) -> bool:
        return not thing.ended and thing.standing == Standing.DISPUTED

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        row = claims.settle_claim(by=by, claim=thing.claim)
        return self.done(row, _("The dispute is over."))


class EndClaim(ClaimDoing):
    name, action = "end", "claim.end"
    title = gettext_lazy("End the claim")
    sentence = gettext_lazy(
        "The claim ends now and for good. A later delivery does not bring it back. What was "
        "allowed because of it is not allowed any more."
    )
    for_own_label = True

    def makes_sense(self, thing: Any) -> bool:
        return not thing.ended and not is_nothing_disputed(thing)

    def explain(self, thing: Any) -> str | Promise:
        if thing.share_bp:
            return self.sentence
        return _(
            "That none of it is yours is taken back now. What you claim of all work of the artist "
            "speaks for this recording again, and may contradict what others claim of it."
        )

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        row = claims.end_claim(by=by, claim=thing.claim)
        return self.done(row, _("The claim has ended."))


class ChangeClaimForm(DoingForm):
    share = PercentField(label=gettext_lazy("Share, in percent"))
    authority = forms.ChoiceField(
        label=gettext_lazy("Authority"), choices=Authority.choices, help_text=BY_CLAUSE_ONLY
    )
    territories = CountriesField()
    valid_from = FirstDayField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy("Empty: at once. The old terms hold until then."),
    )
    valid_until = LastDayField(help_text=gettext_lazy("Empty: without end."))


class ChangeClaim(ClaimDoing):
    name, action = "terms", "claim.change"
    title = gettext_lazy("Change the claim")
    sentence = gettext_lazy(
        "A claim that was verified is declared again: what was verified are the old terms."
    )
    form = ChangeClaimForm
    for_own_label = True

    def makes_sense(self, thing: Any) -> bool:
        return not thing.ended and not is_nothing_disputed(thing)

    def initial(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        # What holds today, not what waits: without a day, a change is one to the terms of today.
        held = claims.speaking_row(thing.claim)
        return {
            "share": f"{held.share_bp / 100:.2f}",
            "authority": held.authority,
            "territories": " ".join(held.territories),
            "valid_until": held.valid_until and days.last_day(held.valid_until),
        }

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        row = claims.change_claim(
            by=by,
            claim=thing.claim,
            share_bp=said["share"],
            authority=said["authority"],
            territories=said["territories"],
            valid_from=said["valid_from"],
            valid_until=said["valid_until"],
            no_end=said["valid_until"] is None,
        )
        return self.done(row, _("The claim says: %(claim)s.") % {"claim": called(row)})


class MakeClaimForm(DoingForm):
    isrc = IsrcsField(
        label=gettext_lazy("Recordings (ISRC)"),
        required=False,
        help_text=gettext_lazy("One per line. Or name a work, or an artist: one of the three."),
    )
    iswc = forms.CharField(label=gettext_lazy("Work (ISWC)"), required=False, max_length=20)
    artist = ArtistChoice(label=gettext_lazy("All work of"), required=False)
    right = forms.ChoiceField(label=gettext_lazy("Right"), choices=Right.choices)
    authority = forms.ChoiceField(
        label=gettext_lazy("Authority"),
        choices=Authority.choices,
        initial=Authority.CONTRACT,
        help_text=BY_CLAUSE_ONLY,
    )
    share = PercentField(label=gettext_lazy("Share, in percent"), initial="100")
    territories = CountriesField()
    valid_from = FirstDayField(
        label=gettext_lazy("From"), required=False, help_text=gettext_lazy("Empty: at once.")
    )
    valid_until = LastDayField(help_text=gettext_lazy("Empty: without end."))

    def prepare(self) -> None:
        self.fields["party"] = party_field(self.access, label=_("Whose claim"))
        self.fields["isrc"].within = self.access.recordings_of_label()  # type: ignore[attr-defined]
        artists = self.access.artists_of_label().select_related("party")
        self.fields["artist"].queryset = artists  # type: ignore[attr-defined]
        self.order_fields(["party"])

    def clean_iswc(self) -> Work | None:
        typed = self.cleaned_data["iswc"]
        if not typed:
            return None
        try:
            iswc = normalise_iswc(typed)
        except IdentifierError as error:
            raise forms.ValidationError(error.sentence) from error
        works = Work.objects.filter(iswc=iswc)
        if not self.access.is_operator:
            works = works.filter(Exists(names_work(self.access, "pk")))
        work = works.first()
        if work is None:
            raise forms.ValidationError(_("There is no such work on the recordings here."))
        return work

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        named = [bool(said.get("isrc")), bool(said.get("iswc")), bool(said.get("artist"))]
        if not self.errors and sum(named) != 1:
            raise forms.ValidationError(_("Claim recordings, one work, or the work of one artist."))
        return said


class MakeClaim(Doing):
    name, action = "make", "claim.make"
    title = gettext_lazy("Make a claim")
    sentence = gettext_lazy(
        "A claim is declared, not verified. Together with those of others it must come to no more "
        "than the whole: too much is a no until it is settled."
    )
    button = gettext_lazy("Make the claim")
    form = MakeClaimForm
    for_labels = True

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        on: list[dict[str, Any]] = [{"recording": one} for one in said["isrc"]] or [
            {"work": said["iswc"]} if said["iswc"] else {"repertoire": said["artist"]}
        ]
        made = claims.make_claims(
            by=by,
            claims=[
                claims.NewClaim(
                    party=said["party"],
                    right=said["right"],
                    authority=said["authority"],
                    share_bp=said["share"],
                    territories=said["territories"],
                    valid_from=said["valid_from"],
                    valid_until=said["valid_until"],
                    **one,
                )
                for one in on
            ],
        )
        about = called(made[0]) if len(made) == 1 else f"{called(made[0])} (+{len(made) - 1})"
        return Done(
            made[0],
            _("Claims made: %(count)d.") % {"count": len(made)},
            label=said["party"],
            key=str(made[0].claim),
            about=about,
            subject=said["party"].ref,
        )


def _label_that_meets(access: Access, row: RightsClaim) -> Party | None:
    """The label of one's own whose recording or artist the claim is on; the first, if several."""
    label = only_label(access)
    if label is not None:
        return label
    own = (
        newest().filter(party__in=access.label_ids, recording=row.recording_id, ended=False).first()
        if row.recording_id
        else None
    )
    return own.party if own is not None else access.labels().first()


# Pages


class ClaimStage(admin.SimpleListFilter):
    """Claims that count, and those that are over."""

    title = gettext_lazy("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("standing", _("counts")), ("over", _("is over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        over = Q(ended=True) | Q(valid_until__lte=now()) if self.value() else Q()
        return (
            queryset.filter(over if self.value() == "over" else ~over) if self.value() else queryset
        )


@admin.register(RightsClaim)
class ClaimAdmin(ScopedAdmin):
    """One row per claim, as it stands; its page has the rows before."""

    for_labels = True
    on_list = (MakeClaim(),)
    doings = (ChangeClaim(), VerifyClaim(), DisputeClaim(), SettleClaim(), EndClaim())

    list_display = ("on", "whose", "right", "share", "authority", "stands", "source")
    list_filter = (ClaimStage, "right", "standing", "authority")
    list_select_related = ("party", "recording", "work", "repertoire")
    search_fields = ("recording__isrc", "recording__title", "work__title", "party__name")
    ordering = ("-id",)

    def within(self, access: Access) -> QuerySet[Any]:
        rows = claims_within(access)
        return rows.select_related("party", "recording", "work", "repertoire")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list is of one's own claims: those of others are met where they contradict."""
        access = access_of(request)
        rows = newest()
        return rows if access.is_operator else rows.filter(party__in=access.label_ids)

    @admin.display(description=gettext_lazy("on"))
    def on(self, row: RightsClaim) -> str:
        return claimed_on(row)

    @admin.display(description=gettext_lazy("whose"), ordering="party__name")
    def whose(self, row: RightsClaim) -> str:
        return str(row.party)

    @admin.display(description=gettext_lazy("share"), ordering="share_bp")
    def share(self, row: RightsClaim) -> str:
        return share_of(row)

    @admin.display(description=gettext_lazy("standing"), ordering="standing")
    def stands(self, row: RightsClaim) -> str:
        return _("ended") if row.ended else row.get_standing_display()

    def key_of(self, thing: Any) -> str:
        return str(thing.claim)

    def title_of(self, thing: Any) -> str:
        return called(thing)

    def thing(self, request: HttpRequest, object_id: str) -> Any:
        """The claim as it stands now, whichever of its rows the address names."""
        row = super().thing(request, object_id)
        return self.within(access_of(request)).filter(claim=row.claim).order_by("-id").first()

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Whose"), thing.party
        yield _("On"), claimed_on(thing)
        yield _("Right"), thing.get_right_display()
        yield _("Share"), share_of(thing)
        yield _("Where"), where(thing.territories)
        yield _("From"), term_day(thing.valid_from, "from") if thing.valid_from else _("at once")
        yield _("Until"), term_day(thing.valid_until) if thing.valid_until else _("without end")
        yield _("Authority"), thing.get_authority_display()
        yield _("Standing"), _("ended") if thing.ended else thing.get_standing_display()
        yield _("Source"), thing.source

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        rows = RightsClaim.objects.filter(claim=thing.claim).order_by("-id")[:100]
        yield Panel(
            _("How it came to stand so"),
            [_("Share"), _("Where"), _("From"), _("Until"), _("Authority"), _("Standing")],
            [
                (
                    share_of(row),
                    where(row.territories),
                    term_day(row.valid_from, "from") if row.valid_from else "–",
                    term_day(row.valid_until) if row.valid_until else "–",
                    row.get_authority_display(),
                    _("ended") if row.ended else row.get_standing_display(),
                )
                for row in rows
            ],
        )


def claims_on(recording: Recording) -> QuerySet[RightsClaim]:
    """Every claim that bears on a recording: on itself, on its works, on its main artists' all.

    Without those that the same party's claim on the recording itself speaks instead of.
    """
    identity = RecordingIdentity.objects.filter(recording=recording).order_by("-id").first()
    main = list(identity.main_artists) if identity else []
    works = list(identity.works) if identity else []
    return (
        newest()
        .filter(Q(recording=recording) | Q(work__in=works) | Q(repertoire__in=main), ended=False)
        .exclude(replaced_on(recording))
        .select_related("party")
        .order_by("right", "-share_bp", "id")
    )


def claim_rows(
    access: Access, rows: Iterable[RightsClaim], *, reached: bool = True
) -> list[tuple[Any, ...]]:
    """Claims as a panel shows them, each leading to its page.

    Those of others only if what they are on is within reach (`reached`).
    """
    return [
        (
            link(row, row.party) if reached or access.may_label(row.party_id) else row.party,
            row.get_right_display(),
            share_of(row),
            where(row.territories),
            row.get_authority_display(),
            _("ended") if row.ended else row.get_standing_display(),
        )
        for row in rows
    ]


CLAIM_HEADERS: tuple[Any, ...] = (
    gettext_lazy("Whose"),
    gettext_lazy("Right"),
    gettext_lazy("Share"),
    gettext_lazy("Where"),
    gettext_lazy("Authority"),
    gettext_lazy("Standing"),
)
