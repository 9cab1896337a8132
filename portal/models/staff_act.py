"""What staff did in the admin, and why. Append-only: the database keeps it so."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.words import ACT_WORDS


class StaffAct(models.Model):
    """One thing that a member of a label's or the operator's staff did, with the reason given.

    Written with what it is about, in one transaction. What that changed is in the ledger where a
    decision reads it; this says who of the staff did it and why, also where no ledger is touched
    (an API key, a row that is tried again). `label` is the company in whose books it was done, for
    whom its own staff may look; empty for what concerns no label. What the thing was called and
    the reason may name people: they are sealed for `subject`, whom an erasure forgets here too, and
    read by `portal.queries.staff.read_acts`.
    """

    at = models.DateTimeField(_("when"), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="staff_acts",
        editable=False,
        verbose_name=_("who"),
    )
    label = models.ForeignKey(
        "consent.Party",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="staff_acts",
        editable=False,
        verbose_name=_("label"),
    )
    action = models.CharField(
        _("what"), max_length=40, editable=False, help_text=_("a code, as in licence.sign")
    )
    model = models.CharField(
        max_length=60, editable=False, help_text=_("kind of the thing, as in consent.licence")
    )
    key = models.CharField(max_length=64, editable=False, help_text=_("its primary key"))
    subject = models.UUIDField(
        editable=False, help_text=_("whose erasure takes what the thing was called, and the reason")
    )
    sealed = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("act of staff")
        verbose_name_plural = _("acts of staff")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["label", "-id"], name="staff_acts_of_label"),
            models.Index(fields=["model", "key"], name="staff_acts_on_thing"),
        ]

    def __str__(self) -> str:
        return self.action

    @property
    def what(self) -> str:
        """What was done, in words; a code that has none is itself."""
        return str(ACT_WORDS.get(self.action, self.action))
