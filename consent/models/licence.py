"""Licences: the frame agreements between rights holders and AI companies."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Fact
from consent.models.party import Party
from consent.models.recording import Recording
from consent.models.tool import AICompany
from consent.words import UseKind


class Catalogue(models.TextChoices):
    ALL = "all", _("all recordings")
    LISTED = "list", _("the listed recordings")
    ALL_EXCEPT = "all_except", _("all but the listed recordings")


class Licence(models.Model):
    """An agreement between one rights holder and one AI company; its versions say what it is."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    holder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="licences")
    company = models.ForeignKey(AICompany, on_delete=models.PROTECT, related_name="licences")
    title = models.CharField(max_length=200)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        indexes = [models.Index(fields=["company", "holder"], name="licences_of_company")]

    def __str__(self) -> str:
        return self.title


class LicenceVersion(Fact):
    """What a licence says from its signing on. Never edited: a new version supersedes it."""

    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    uses = ArrayField(models.CharField(max_length=20, choices=UseKind.choices))
    catalogue = models.CharField(max_length=12, choices=Catalogue.choices)
    territories = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text=_("empty: worldwide")
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text=_("empty: at once"))
    ends_at = models.DateTimeField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(
        default=0, help_text=_("outputs of licensed models run off this long after a withdrawal")
    )
    model_versions = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text=_("empty: every version")
    )
    artist_approval = models.BooleanField(
        default=True, help_text=_("the artist's yes is needed as well")
    )
    override_clause = models.TextField(
        blank=True, help_text=_("the clause that lets the holder decide without the artist")
    )
    terms = models.TextField(blank=True)
    ended = models.BooleanField(default=False)
    signed_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("licence", "-number")
        indexes = [models.Index(fields=["licence", "-id"], name="licence_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["licence", "number"],
                name="licence_versions_are_numbered",
                violation_error_code="licence_version",
                violation_error_message=_("This version is there already."),
            ),
            models.CheckConstraint(
                condition=Q(uses__len__gt=0),
                name="a_licence_names_its_uses",
                violation_error_code="licence_uses",
                violation_error_message=_("Name at least one use kind."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="a_licence_ends_after_it_begins",
                violation_error_code="until_before_from",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(artist_approval=True) | ~Q(override_clause=""),
                name="an_override_names_its_clause",
                violation_error_code="override_clause",
                violation_error_message=_(
                    "A licence that does without the artist's yes must name the clause."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.licence} v{self.number}"


class LicenceListing(models.Model):
    """A recording on the list of a licence version: what it covers, or what it leaves out."""

    version = models.ForeignKey(LicenceVersion, on_delete=models.PROTECT, related_name="listings")
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="listings")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "recording"],
                name="a_recording_is_listed_once",
                violation_error_code="listing",
                violation_error_message=_("This recording is on the list already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}"
