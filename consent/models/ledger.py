"""The ledger: every fact that a decision reads, gapless, commit-ordered, append-only.

Only `ledger_append()` (sql/ledger.sql) writes here. It takes the sequence and the time itself, so
that nobody who reaches the application's login can forge either.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerEntry(models.Model):
    """One leaf. Its text and hash are made of these columns alone (`ledger_leaf`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.BigIntegerField(unique=True, editable=False)
    act = models.UUIDField(db_index=True, editable=False)
    kind = models.CharField(max_length=40, editable=False)
    body = models.TextField(editable=False, help_text=_("canonical JSON, RFC 8785"))
    recorded_at = models.DateTimeField(editable=False)
    leaf_hash = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ("seq",)

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class LedgerHead(models.Model):
    """The one row that orders all writers: the last sequence taken, and when."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    seq = models.BigIntegerField(default=0, editable=False)
    recorded_at = models.DateTimeField(null=True, editable=False)
    demo = models.BooleanField(default=False, editable=False)
    demo_now = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1),
                name="ledger_head_is_one_row",
                violation_error_code="ledger_head",
                violation_error_message=_("The ledger has one head."),
            ),
            models.CheckConstraint(
                condition=models.Q(demo=True) | models.Q(demo_now=None),
                name="only_a_demo_moves_the_clock",
                violation_error_code="demo_clock",
                violation_error_message=_("Only a demo ledger may move the clock."),
            ),
        ]

    def __str__(self) -> str:
        return f"ledger at {self.seq}"


class LedgerTile(models.Model):
    """256 hashes of the Merkle tree side by side, so that a proof needs a handful of reads.

    Level 0 holds leaf hashes, level 8 the roots of full level-0 tiles, level 16 of those. Derived
    from the leaves, and checked against them by `audit_ledger`.
    """

    level = models.SmallIntegerField(editable=False)
    index = models.BigIntegerField(editable=False)
    hashes = models.BinaryField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["level", "index"],
                name="one_tile_per_place",
                violation_error_code="ledger_tile",
                violation_error_message=_("This part of the tree is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class LedgerCheckpoint(models.Model):
    """A signed statement of the ledger's size and root: a C2SP tlog-checkpoint."""

    size = models.BigIntegerField(unique=True, editable=False)
    root = models.BinaryField(editable=False)
    note = models.TextField(editable=False, help_text=_("the signed note, as published"))
    key_name = models.CharField(max_length=200, editable=False)
    sealed_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-size",)

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"


class LedgerAlarm(models.Model):
    """An audit that failed. While one is open, nothing new is allowed; refusals go through."""

    raised_at = models.DateTimeField(editable=False)
    problem = models.TextField(editable=False)
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cleared_at=None) | ~models.Q(cleared_because=""),
                name="an_alarm_is_cleared_with_a_reason",
                violation_error_code="alarm_reason",
                violation_error_message=_("Say why this alarm is over."),
            )
        ]

    def __str__(self) -> str:
        return self.problem


class SubjectKey(models.Model):
    """The key to one person's data beside the ledger. An erasure deletes it."""

    subject = models.UUIDField(primary_key=True, editable=False)
    wrapped = models.BinaryField(editable=False)
    created_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return f"key of {self.subject}"


class LedgerPersonal(models.Model):
    """What a leaf says about a person, sealed with that person's key, beside the leaf."""

    entry = models.OneToOneField(
        LedgerEntry, primary_key=True, on_delete=models.PROTECT, related_name="personal"
    )
    subject = models.UUIDField(db_index=True, editable=False)
    sealed = models.BinaryField(editable=False)

    def __str__(self) -> str:
        return f"personal part of {self.entry_id}"


class Fact(models.Model):
    """A row derived from one ledger entry, which never changes: a newer row says what holds now.

    Within one subject (a slot, a claim, a tool) the row with the greatest `id` that is known and
    has begun is the one that speaks: writers on one subject are ordered by a lock.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        LedgerEntry, on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        abstract = True
