"""What artists answered: permissions, the wording they saw, who asked, what a no set in motion."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Fact
from consent.models.party import Artist
from consent.models.recording import Recording
from consent.models.tool import AICompany, ModelVersion, Tool
from consent.models.work import WorkRow
from consent.words import Stance, UseKind, Way


class Wording(Fact):
    """The exact text that a person saw when deciding. A new text is a new row, never an edit.

    All languages of one version mean the same: the first says something new, the others are its
    translations. A yes to an earlier version is no yes any more.
    """

    use = models.CharField(max_length=20, choices=UseKind.choices)
    language = models.CharField(max_length=10)
    version = models.PositiveIntegerField()
    text = models.TextField()
    means_the_same = models.BooleanField(
        default=False, help_text=_("a translation: nobody is asked again")
    )
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the text, hexadecimal"))
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("use", "language", "-version")
        constraints = [
            models.UniqueConstraint(
                fields=["use", "language", "version"],
                name="one_wording_per_version",
                violation_error_code="wording",
                violation_error_message=_("This wording is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.language} v{self.version}"


class Act(models.Model):
    """What one person did in one go: one answer, or one answer for ten thousand recordings."""

    ref = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="acts"
    )
    artist = models.ForeignKey(
        Artist, null=True, on_delete=models.PROTECT, related_name="acts", db_index=False
    )
    role = models.CharField(max_length=20, blank=True, help_text=_("as what: artist, manager, …"))
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by"
    )
    summary = models.JSONField(default=dict, help_text=_("what was chosen, for the timeline"))
    entries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["artist", "-created_at"], name="acts_of_artist")]

    def __str__(self) -> str:
        return self.kind


class Permission(Fact):
    """An artist's answer on a use kind, for a scope. The latest answer in a scope speaks.

    The scope is what is not empty: all my work (nothing), a recording, a company, a tool, or a
    recording together with one of these; and the territories (sorted), so that a no for Germany
    stands beside a yes for the world. `scope` is its key, as in `r12/t7`, `*/c3`, `*/*`.
    """

    # Each key without an index of its own: the indexes below are what answers are looked up by.
    artist = models.ForeignKey(
        Artist, on_delete=models.PROTECT, related_name="permissions", db_index=False
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    scope = models.CharField(max_length=50)
    recording = models.ForeignKey(
        Recording,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="permissions",
        db_index=False,
    )
    company = models.ForeignKey(
        AICompany,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="permissions",
        db_index=False,
    )
    tool = models.ForeignKey(
        Tool,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="permissions",
        db_index=False,
    )
    stance = models.CharField(max_length=10, choices=Stance.choices)
    way = models.CharField(max_length=12, choices=Way.choices, default=Way.ANSWERED)
    valid_from = models.DateTimeField(null=True, blank=True, help_text=_("empty: at once"))
    valid_until = models.DateTimeField(null=True, blank=True)
    territories = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text=_("empty: worldwide")
    )
    notice_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("chosen when granting; empty: as the licence says")
    )
    took_back_allow = models.BooleanField(
        default=False, help_text=_("this answer ended a yes that held")
    )
    wording = models.ForeignKey(
        Wording, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="permissions")

    class Meta:
        indexes = [
            models.Index(fields=["artist", "use", "scope", "-id"], name="permission_latest"),
            models.Index(
                fields=["artist", "use"],
                condition=Q(recording=None),
                name="permission_in_general",
            ),
            models.Index(
                fields=["recording", "use"],
                condition=Q(recording__isnull=False),
                name="permission_on_recording",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(company=None) | Q(tool=None),
                name="a_scope_names_a_company_or_a_tool",
                violation_error_code="scope",
                violation_error_message=_("Choose one company or one tool, not both."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None)
                | Q(valid_from=None)
                | Q(valid_from__lt=F("valid_until")),
                name="a_permission_ends_after_it_begins",
                violation_error_code="until_before_from",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.CheckConstraint(
                condition=~Q(use__in=["voice", "name_image"], stance="allow")
                | Q(valid_until__isnull=False),
                name="a_likeness_has_an_end_date",
                violation_error_code="voice_needs_end",
                violation_error_message=_(
                    "A yes to your voice, name or image always ends on a date."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(way="cleared") | ~Q(scope="*/*") | ~Q(territories=[]),
                name="only_a_narrower_answer_is_taken_back",
                violation_error_code="nothing_wider",
                violation_error_message=_("There is no wider answer that could speak instead."),
            ),
            models.CheckConstraint(
                condition=~Q(way__in=["cleared", "revoked", "invalidated"]) | Q(stance="undecided"),
                name="what_is_taken_back_says_nothing",
                violation_error_code="way",
                violation_error_message=_("An answer that was taken back says neither yes nor no."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.scope}: {self.stance}"


class RequestState(models.TextChoices):
    OPEN = "open", _("waits for an answer")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    DEFERRED = "deferred", _("later")
    TAKEN_BACK = "taken_back", _("taken back")


class PermissionRequest(models.Model):
    """An AI company asks one artist for exactly this. Each artist's answer is its own row."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.UUIDField(default=uuid.uuid4, editable=False, help_text=_("asked together"))
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT, related_name="requests")
    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="requests")
    use = models.CharField(max_length=20, choices=UseKind.choices)
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="requests"
    )
    why = models.TextField(max_length=2000)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.OPEN)
    permission = models.ForeignKey(
        Permission, null=True, blank=True, on_delete=models.PROTECT, related_name="answers"
    )
    created_at = models.DateTimeField(editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["artist", "state"], name="requests_waiting")]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "artist", "recording"],
                nulls_distinct=False,
                name="an_artist_is_asked_once",
                violation_error_code="asked",
                violation_error_message=_("This artist has been asked already."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None)
                | Q(valid_from=None)
                | Q(valid_from__lt=F("valid_until")),
                name="a_request_ends_after_it_begins",
                violation_error_code="until_before_from",
                violation_error_message=_("The end must come after the beginning."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} asks: {self.use}"


class Withdrawal(WorkRow):
    """What a no sets in motion at one AI company: it is told, it must acknowledge, by a date."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    permission = models.ForeignKey(Permission, on_delete=models.PROTECT, related_name="withdrawals")
    artist = models.ForeignKey(Artist, on_delete=models.PROTECT, related_name="withdrawals")
    company = models.ForeignKey(AICompany, on_delete=models.PROTECT, related_name="withdrawals")
    model_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="withdrawals"
    )
    already_trained = models.BooleanField(help_text=_("this is not undone"))
    outputs_until = models.DateTimeField(help_text=_("outputs of this model version run off"))
    told_at = models.DateTimeField(null=True, blank=True)
    acknowledge_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("all that it took is allowed again")
    )
    look_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text=_("when to ask again whether it is over")
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["look_at"], condition=Q(over_at=None), name="withdrawals_to_look_at"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["permission", "company", "model_version"],
                nulls_distinct=False,
                name="a_company_is_told_once",
                violation_error_code="withdrawal",
                violation_error_message=_("This company has been told already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.company} stops"
