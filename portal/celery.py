"""Celery: wake-ups for work that is written down in rows.

``.delay()`` says only “look at row N”. Losing such a message costs time and nothing else,
because a sweeper finds the row.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def hold_servers(**_: Any) -> None:
    """Keep our own servers running for as long as a worker or the clock runs."""
    from portal import servers

    servers.hold()
