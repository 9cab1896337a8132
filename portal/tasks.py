"""Wake-ups of the portal."""

from celery import shared_task
from django.core.management import call_command


@shared_task(name="portal.delete_expired_sessions")
def delete_expired_sessions() -> None:
    """Delete sessions whose time is over; they could not be used any more."""
    call_command("clearsessions")
