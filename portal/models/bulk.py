"""One answer for many recordings on its way: what was asked for, how far it is, what came of it."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models import WorkRow
from consent.words import Stance, UseKind


class BulkChange(WorkRow):
    """Somebody pressed the button for many recordings, or for the undoing of such an act.

    The row is how far it is; the act is written in one transaction, together with the row's end:
    all of it or nothing, and once. What was chosen is kept only until then.
    """

    LOCK = timedelta(seconds=60)
    MAX_ATTEMPTS = 3

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    artist = models.ForeignKey(
        "consent.Artist", on_delete=models.PROTECT, related_name="bulk_changes"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_changes"
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    stance = models.CharField(max_length=10, choices=Stance.choices, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    wording = models.ForeignKey(
        "consent.Wording", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    undoes = models.ForeignKey(
        "consent.Act",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("the act that is to be undone; empty: an answer is to be given"),
    )
    recordings = ArrayField(models.BigIntegerField(), default=list, editable=False)
    total = models.PositiveIntegerField(editable=False)
    digest = models.CharField(max_length=32, blank=True, editable=False)
    summary = models.JSONField(default=dict, blank=True, editable=False)
    known = models.BigIntegerField(
        default=0,
        editable=False,
        help_text=_("the newest answer to this use when it was asked for"),
    )
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    act = models.OneToOneField(
        "consent.Act", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    refused = models.TextField(
        blank=True, editable=False, help_text=_("why nothing was changed, in the person's language")
    )

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["artist", "use"],
                condition=Q(state__in=["waiting", "running"]),
                name="a_use_is_changed_for_many_once_at_a_time",
                violation_error_code="bulk_running",
                violation_error_message=_("Another change of many recordings is being saved."),
            ),
            models.CheckConstraint(
                condition=Q(undoes=None) | Q(stance=""),
                name="a_bulk_change_answers_or_undoes",
                violation_error_code="bulk_kind",
                violation_error_message=_("Give an answer or undo one, not both."),
            ),
            models.CheckConstraint(
                condition=Q(act=None) | Q(refused=""),
                name="a_refused_bulk_change_has_no_act",
                violation_error_code="bulk_refused",
                violation_error_message=_("What was refused has changed nothing."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.stance or 'undo'} for {self.total}"
