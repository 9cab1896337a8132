"""Proof in operation: which sink outside has which checkpoint, and what the audits found."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models.work import SteadyWorkRow


class CheckpointSink(SteadyWorkRow):
    """A place outside the database, and the newest checkpoint that it has.

    One row per sink, armed again by each new checkpoint: only the newest has to get through, since
    it speaks for all before it. It is tried for as long as it takes.
    """

    name = models.CharField(
        max_length=300, unique=True, editable=False, help_text=_("its address, without secrets")
    )
    wanted_size = models.BigIntegerField(default=0, editable=False)
    pushed_size = models.BigIntegerField(default=0, editable=False)
    pushed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("checkpoint sink")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class LedgerAudit(models.Model):
    """One run of `audit_ledger`: from which entry to which, against what, and what was wrong.

    For people, and for the next incremental run to begin where a clean one ended. No proof rests
    on these rows: the next whole audit reads everything again.
    """

    since = models.BigIntegerField(editable=False, help_text=_("entries after this one were read"))
    size = models.BigIntegerField(editable=False, help_text=_("up to this one"))
    outside = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("checkpoints from outside it was compared with")
    )
    problems = models.JSONField(default=list, editable=False)
    started_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("audit of the ledger")
        verbose_name_plural = _("audits of the ledger")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(since__gte=0) & Q(size__gte=models.F("since")),
                name="an_audit_reads_forwards",
                violation_error_code="audit_range",
                violation_error_message=_("An audit reads from an entry to a later one."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.since}–{self.size}"

    @property
    def is_clean(self) -> bool:
        return not self.problems
