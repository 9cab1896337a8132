"""Wake-ups: a message says which rows to look at, and the clock finds what no message found."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.core.management import call_command

from consent.services.withdrawals import end_withdrawals
from consent.services.work import LOOK, look, sweep
from portal.services.alarms import mail_about_alarm, tell_alarms
from portal.services.bulk import save_bulk_change
from portal.services.company_mail import deliver_company_mail, write_company_mails
from portal.services.ends import tell_ends
from portal.services.exports import delete_old_exports
from portal.services.granting import close_admin
from portal.services.idempotency import forget_answers
from portal.services.news import tell_news, tell_overdue_withdrawals, tell_statements
from portal.services.notices import deliver_notice
from portal.services.slots import forget_slots, take_slot
from portal.services.texts import tell_changed_texts
from portal.services.webhooks import deliver, tell_of_withdrawal, tell_webhooks

# Handlers of rows are known once their modules are imported.
__all__ = [
    "deliver",
    "deliver_company_mail",
    "deliver_notice",
    "mail_about_alarm",
    "save_bulk_change",
    "tell_of_withdrawal",
]

SWEEP_EVERY = timedelta(seconds=15)
DAY = timedelta(days=1)


@shared_task(name=LOOK)
def look_at_rows(label: str, keys: list[Any]) -> None:
    """Do what is due among the rows `keys` of the model `label`."""
    look(label, keys)


@shared_task(name="portal.sweep")
def sweep_rows() -> None:
    """Wake workers for rows whose message was lost, or whose worker died."""
    if take_slot(job="sweep", every=SWEEP_EVERY):
        sweep()


@shared_task(name="portal.tell_alarms")
def tell_the_operator() -> None:
    """Tell the operator's people of alarms of the ledger: of new ones, and that they are over."""
    if take_slot(job="tell alarms", every=SWEEP_EVERY):
        tell_alarms()


@shared_task(name="portal.tell_news")
def tell() -> None:
    """Tell people what was written to the ledger, and which statements were published."""
    if take_slot(job="tell news", every=SWEEP_EVERY):
        tell_news()
        tell_statements()
        tell_changed_texts()


@shared_task(name="portal.tell_overdue")
def tell_overdue() -> None:
    """Tell artists which AI companies have not confirmed in time that they stop."""
    if take_slot(job="tell overdue", every=timedelta(hours=1)):
        tell_overdue_withdrawals()


@shared_task(name="portal.end_withdrawals")
def end_what_is_allowed_again() -> None:
    """End the withdrawals of which all that they took is allowed again."""
    if take_slot(job="end withdrawals", every=timedelta(minutes=1)):
        end_withdrawals()


@shared_task(name="portal.tell_ends")
def tell_what_ends() -> None:
    """Tell artists which licences and which of their yeses end, and which have ended."""
    if take_slot(job="tell ends", every=timedelta(hours=1)):
        tell_ends()


@shared_task(name="portal.close_admin")
def close_admin_to_those_who_left() -> None:
    """Let label staff out of the admin whose time at their last label has run out."""
    if take_slot(job="close admin", every=timedelta(hours=1)):
        close_admin()


@shared_task(name="portal.delete_old_exports")
def delete_exports() -> None:
    """Delete files that were kept for as long as they may be."""
    if take_slot(job="delete old exports", every=timedelta(hours=1)):
        delete_old_exports()


@shared_task(name="portal.delete_expired_sessions")
def delete_expired_sessions() -> None:
    """Delete sessions whose time is over, which could not be used any more; and old slots."""
    if take_slot(job="delete expired sessions", every=DAY):
        call_command("clearsessions")
        forget_answers()
        forget_slots()


@shared_task(name="portal.tell_webhooks")
def tell_companies() -> None:
    """Write the messages that AI companies are to be told by; rows of their own deliver them."""
    if take_slot(job="tell webhooks", every=timedelta(seconds=5)):
        tell_webhooks()


@shared_task(name="portal.write_company_mails")
def write_mails_to_companies() -> None:
    """Write the e-mails to AI companies that no webhook tells; rows of their own send them."""
    if take_slot(job="write company mails", every=SWEEP_EVERY):
        write_company_mails()
