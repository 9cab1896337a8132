"""The demo's clock: the one way to move the product's only clock, on an empty ledger of its own."""

from datetime import datetime

from django.conf import settings
from django.db import connections
from django.utils.translation import gettext as _

from consent.errors import Refused
from consent.models import LedgerHead, Party
from portal.models import User


class DemoClock:
    """Moves the clock of a demo ledger forwards, by the owner's login; nobody else can.

    Call it outside transactions: the head of the ledger is locked while somebody writes.
    """

    def open(self, at: datetime) -> None:
        """Say that this ledger is a demo's, and begin at `at` (UTC).

        Raises `Refused`: `not_empty` where there is anything already, `no_owner` without the
        owner's login.
        """
        if "owner" not in settings.DATABASES:
            raise Refused(
                "no_owner",
                _("The demo needs the owner of the database: set DATABASE_OWNER_URL."),
            )
        if (
            User.objects.exists()
            or Party.objects.exists()
            or LedgerHead.objects.filter(seq__gt=0).exists()
        ):
            raise Refused(
                "not_empty",
                _(
                    "There is something in this database already, and a demo belongs into an "
                    "empty one. “make reset” deletes a demo of this checkout."
                ),
            )
        self._call("SELECT ledger_open_demo()")
        self.move(at)

    def move(self, at: datetime) -> None:
        """Let it be `at` (UTC) from now on; never earlier than it was."""
        self._call("SELECT ledger_move_demo_clock(%s)", at)

    def let_go(self) -> None:
        """From now on the time is the machine's."""
        self._call("SELECT ledger_move_demo_clock(NULL)")

    def _call(self, sql: str, *values: datetime) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(sql, values)


def is_demo() -> bool:
    """Whether this ledger says that it is a demo's."""
    return LedgerHead.objects.filter(demo=True).exists()
