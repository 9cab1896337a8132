"""That the operator's people are told of an alarm of the ledger."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import SteadyWorkRow


class AlarmMail(SteadyWorkRow):
    """Tells the operator of one alarm: at once, each day while it is open, and that it is over."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    alarm = models.OneToOneField(
        "consent.LedgerAlarm", on_delete=models.CASCADE, related_name="mail", editable=False
    )
    sent_at = models.DateTimeField(null=True, editable=False, help_text=_("last told of it"))

    class Meta:
        verbose_name = _("e-mail about an alarm")
        verbose_name_plural = _("e-mails about alarms")

    def __str__(self) -> str:
        return f"{self.alarm_id}"
