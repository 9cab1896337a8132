"""Telling the operator's people of an alarm of the ledger, until it is cleared.

Nobody may miss it, and an attacker who stops a mail server for an hour must not keep it quiet. So
the mail is a row that is sent until it got through, again each day while the alarm is open, and
once more when somebody has cleared it: whoever did not do so reads that it was done.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from consent.clock import now
from consent.models import LedgerAlarm, WorkState
from consent.services.audit import hears_alarms, open_alarms
from consent.services.work import handles, perform, wake
from portal.models import AlarmMail
from portal.services.notices import domain_of_mails
from portal.templatetags.times import plain_minute

logger = logging.getLogger(__name__)

AGAIN_AFTER: Final = timedelta(days=1)
MOST_PROBLEMS: Final = 20
"""A mail names so many; the alarm's page has them all."""


@hears_alarms
def tell_at_once(alarm: LedgerAlarm) -> None:
    """Send the mail about a new alarm now, by whoever found it: a worker might not be running."""
    row, _created = AlarmMail.objects.get_or_create(
        alarm=alarm, defaults={"next_at": now(), "created_at": now()}
    )
    perform(AlarmMail, row.pk)


def tell_alarms() -> int:
    """Arm a mail for every alarm that nobody was told of, or that is over; returns how many."""
    at = now()
    untold = LedgerAlarm.objects.filter(mail=None, cleared_at=None)
    AlarmMail.objects.bulk_create(
        [AlarmMail(alarm=one, next_at=at, created_at=at) for one in untold], ignore_conflicts=True
    )
    resting = AlarmMail.objects.filter(state=WorkState.WAITING, next_at__gt=at, attempts=0)
    resting.filter(alarm__cleared_at__isnull=False).update(next_at=at)
    due = list(AlarmMail.due(at))
    wake(*due)
    return len(due)


@handles(AlarmMail)
def mail_about_alarm(row: AlarmMail) -> None:
    """Send what is to be said of the alarm now: that it is open, still is, or was cleared."""
    row = AlarmMail.objects.select_related("alarm").get(pk=row.pk)
    over = row.alarm.cleared_at is not None
    if not over or row.sent_at is not None:
        _send(row)
    with transaction.atomic():
        if over:
            row.finish()
        else:
            row.sent_at = now()
            row.save(update_fields=["sent_at"])
            row.rest(until=row.sent_at + AGAIN_AFTER)


def _send(row: AlarmMail) -> None:
    if not settings.ADMINS:
        logger.error("An alarm is told to nobody: LINER_ALARM_MAIL names no address.")
        return
    with translation.override(settings.LANGUAGE_CODE), timezone.override(UTC):
        facts = _facts(row)
        text = render_to_string("portal/email/alarm.txt", facts).lstrip()
        page = render_to_string("portal/email/alarm.html", facts)
    message = EmailMultiAlternatives(
        subject=facts["title"],
        body=text,
        from_email=settings.SERVER_EMAIL,
        to=list(settings.ADMINS),
        headers={
            "Message-ID": f"<{row.ref}.{facts['nth']}@{domain_of_mails()}>",
            "Auto-Submitted": "auto-generated",
            "Importance": "high",
        },
    )
    message.attach_alternative(page, "text/html")
    message.send()


def _facts(row: AlarmMail) -> Mapping[str, Any]:
    alarm = row.alarm
    site = str(settings.SITE_URL).rstrip("/")
    said = {"host": urlsplit(site).netloc, "since": plain_minute(alarm.raised_at)}
    open_now = len(open_alarms())
    if alarm.cleared_at is not None:
        title = _("The ledger's alarm of %(since)s was cleared at %(host)s")
    elif row.sent_at is not None:
        title = _("The ledger's alarm of %(since)s is still open at %(host)s")
    else:
        title = _("The ledger's audit failed at %(host)s: nothing new is allowed")
    problems = alarm.problem.splitlines()
    return {
        **said,
        "title": title % said,
        "nth": _nth(row, alarm.cleared_at),
        "alarm": alarm,
        "cleared": alarm.cleared_at and plain_minute(alarm.cleared_at),
        "still_open": open_now,
        "problems": problems[:MOST_PROBLEMS],
        "more": max(0, len(problems) - MOST_PROBLEMS),
        "site": site,
        "page": site + reverse("admin:consent_ledgeralarm_change", args=[alarm.pk]),
        "history": site + reverse("admin:consent_ledgeralarm_history", args=[alarm.pk]),
    }


def _nth(row: AlarmMail, cleared_at: datetime | None) -> str:
    """What tells the mails of one alarm apart, and is the same when one is sent twice."""
    if cleared_at is not None:
        return "over"
    return "open" if row.sent_at is None else f"open.{row.sent_at:%Y%m%d%H%M%S}"
