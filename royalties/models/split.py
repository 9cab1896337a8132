"""Splits: who shares what a recording earns, agreed by everyone who shares."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.words import Right
from royalties.words import SplitStatus


class SplitVersion(models.Model):
    """A division of one right in one recording, proposed, then accepted by every party in it.

    In force from `in_force_at`: the first moment (UTC) of `effective_on`, or the last yes if that
    came later. Until then the version before it governs; the shares never change.
    """

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recording = models.ForeignKey(
        "consent.Recording", on_delete=models.PROTECT, related_name="splits"
    )
    right = models.CharField(max_length=12, choices=Right.choices)
    number = models.PositiveIntegerField(editable=False)
    status = models.CharField(
        max_length=10, choices=SplitStatus.choices, default=SplitStatus.PENDING, editable=False
    )
    effective_on = models.DateField(help_text=_("the first day, UTC"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(editable=False)
    answered_at = models.DateTimeField(
        null=True, editable=False, help_text=_("when the last yes, or the first no, was given")
    )
    in_force_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(
        null=True, editable=False, help_text=_("when it was declined, or another took its place")
    )

    class Meta:
        ordering = ("recording", "right", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "right", "number"],
                name="split_versions_are_numbered",
                violation_error_code="split_version",
                violation_error_message=_("This version is there already."),
            ),
            models.UniqueConstraint(
                fields=["recording", "right"],
                condition=Q(status="pending"),
                name="one_split_is_pending_at_a_time",
                violation_error_code="split_pending",
                violation_error_message=_("Another change of this split waits for answers."),
            ),
            models.UniqueConstraint(
                fields=["recording", "right"],
                condition=Q(status="in_force"),
                name="one_split_is_in_force",
                violation_error_code="split_in_force",
                violation_error_message=_("Another split is in force."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "declined"], in_force_at=None)
                | Q(status__in=["in_force", "superseded"], in_force_at__isnull=False),
                name="a_split_in_force_says_since_when",
                violation_error_code="split_in_force_at",
                violation_error_message=_("A split in force says since when."),
            ),
            models.CheckConstraint(
                condition=Q(status="pending", answered_at=None)
                | ~Q(status="pending") & ~Q(answered_at=None),
                name="a_decided_split_says_when",
                violation_error_code="split_answered_at",
                violation_error_message=_("A split that was decided says when."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "in_force"], ended_at=None)
                | Q(status__in=["declined", "superseded"], ended_at__isnull=False),
                name="a_split_that_ended_says_when",
                violation_error_code="split_ended_at",
                violation_error_message=_("A split that ended says when."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.right} v{self.number}"


class SplitShare(models.Model):
    """One party's part of a split version; the parts sum to 10 000. Append-only."""

    split = models.ForeignKey(SplitVersion, on_delete=models.PROTECT, related_name="shares")
    party = models.ForeignKey(
        "consent.Party", on_delete=models.PROTECT, related_name="split_shares"
    )
    share_bp = models.PositiveIntegerField()

    class Meta:
        ordering = ("-share_bp", "party")
        constraints = [
            models.UniqueConstraint(
                fields=["split", "party"],
                name="a_party_shares_once",
                violation_error_code="split_party",
                violation_error_message=_("This party is in the split already."),
            ),
            models.CheckConstraint(
                condition=Q(share_bp__gte=1, share_bp__lte=10_000),
                name="a_split_share_is_part_of_the_whole",
                violation_error_code="split_share",
                violation_error_message=_("A share is more than 0 and at most 100 %%."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id}: {self.share_bp} bp"


class SplitAnswer(models.Model):
    """One party's yes or no to a proposed split. Append-only."""

    share = models.OneToOneField(
        SplitShare, primary_key=True, on_delete=models.PROTECT, related_name="answer"
    )
    accepted = models.BooleanField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return "yes" if self.accepted else "no"
