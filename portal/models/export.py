"""Files that people asked for; and the slots in which the clock's jobs run once."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from consent.models import WorkRow


class ExportKind(models.TextChoices):
    USAGE_CSV = "usage_csv", _("AI usage, as a table (CSV)")


class Export(WorkRow):
    """A file about one artist, written in the background for one person.

    The file lies in private storage under a random name, is handed out by one-time links only
    (`portal.services.exports`), and is deleted after at most seven days.
    """

    LOCK = timedelta(seconds=30)
    KEPT: timedelta = timedelta(days=7)

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=ExportKind.choices)
    artist = models.ForeignKey("consent.Artist", on_delete=models.PROTECT, related_name="exports")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports"
    )
    params = models.JSONField(default=dict, blank=True)
    progress_done = models.PositiveIntegerField(default=0, editable=False)
    progress_total = models.PositiveIntegerField(null=True, blank=True, editable=False)
    file = models.CharField(
        max_length=80, blank=True, editable=False, help_text=_("its name in private storage")
    )
    rows = models.PositiveIntegerField(null=True, blank=True, editable=False)
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text=_("bytes"))
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    link_digest = models.CharField(
        max_length=64, blank=True, editable=False, help_text=_("of the one link that works now")
    )
    link_until = models.DateTimeField(null=True, blank=True, editable=False)
    downloads = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=["requested_by", "-created_at"], name="exports_of_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "artist", "kind", "params"],
                condition=Q(state__in=["waiting", "running"]),
                name="an_export_is_written_once_at_a_time",
                violation_error_code="export_running",
                violation_error_message=_("This export is being written already."),
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None)
                | Q(expires_at__lte=F("finished_at") + timedelta(days=7)),
                name="an_export_is_kept_seven_days",
                violation_error_code="export_kept",
                violation_error_message=_("An export is kept for at most seven days."),
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | (Q(rows__isnull=False, finished_at__isnull=False) & ~Q(sha256="")),
                name="a_finished_export_has_its_sum",
                violation_error_code="export_sum",
                violation_error_message=_("A finished export says what is in it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"


class JobSlot(models.Model):
    """A time at which a job of the clock ran: with two clocks, each slot still runs once."""

    job = models.CharField(max_length=60)
    slot = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "slot"],
                name="a_job_runs_once_in_a_slot",
                violation_error_code="job_slot",
                violation_error_message=_("This job ran already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%Y-%m-%d %H:%M:%S}"
