"""The clock's part in the proof: seal every few seconds, audit every hour and every night."""

import logging

from celery import shared_task
from django.db import transaction

from consent.services import audit, sealing
from consent.services.audit import raise_alarm
from consent.services.sealing import SealError

logger = logging.getLogger(__name__)


@shared_task(name="consent.seal_ledger")
def seal_ledger() -> None:
    """Seal what was appended. A tree that contradicts what was signed raises an alarm."""
    try:
        sealing.seal_ledger()
    except SealError as error:
        with transaction.atomic():
            raise_alarm(problem=f"sealing stopped: {error}")


@shared_task(name="consent.audit_new_entries")
def audit_new_entries() -> None:
    """Audit what came since the last clean audit."""
    audit.audit_ledger(incremental=True)


@shared_task(name="consent.audit_ledger", time_limit=3600, soft_time_limit=3500)
def audit_ledger() -> None:
    """Audit everything, from the first entry."""
    audit.audit_ledger()
