"""The audit: does what is stored still say what was signed, and nothing else?

It reads payloads, never stored hashes alone: every leaf is hashed again from its columns, the tree
is built again and compared with every signed checkpoint and with those that left the database,
every row that decisions read is made again from its leaf, every row that pages show as proof is
compared with the leaves that tell of it, and every personal part must open or have been erased. The
functions and triggers that keep all this must be the ones that we install. What it finds freezes
new allowances until somebody has explained it; refusals go through.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from django.db import DataError, connection, transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.leaves import moment
from consent.models import LedgerAlarm, LedgerAudit, LedgerCheckpoint
from consent.queries.wall import wall_problems
from consent.services.acts import open_act, ref_of
from consent.services.audit_code import code_problems
from consent.services.audit_facts import replay_problems
from consent.services.audit_shown import shown_problems
from consent.services.audit_tree import TreeAudit
from consent.services.ledger import Leaf, record
from consent.services.sealing import outside_notes

if TYPE_CHECKING:
    from portal.models import User

logger = logging.getLogger(__name__)

MOST_PROBLEMS = 100
LOCK = 0x11AE5_A0D1  # pg_try_advisory_lock: one audit at a time

type Listener = Callable[[LedgerAlarm], None]

_listeners: list[Listener] = []


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit read (entries after `since`, up to `size`), and what was wrong."""

    since: int
    size: int
    outside: int
    problems: tuple[str, ...]
    took: timedelta

    @property
    def is_clean(self) -> bool:
        return not self.problems


def hears_alarms(listener: Listener) -> Listener:
    """Decorate a function that tells people: it is called, after commit, with each new alarm."""
    _listeners.append(listener)
    return listener


def audit_ledger(
    *, notes: Mapping[str, str] | None = None, incremental: bool = False
) -> Audited | None:
    """Audit the whole ledger, or what came since the last clean audit (`incremental`).

    `notes` are signed checkpoints from outside the database, by a name for each; those of the
    sinks that can be read back are compared as well. Returns None when another audit is running.
    On problems it opens a `LedgerAlarm`, which freezes new allowances, and tells the listeners.
    """
    if not _take_turn():
        return None
    try:
        return _audit({**outside_notes(), **(notes or {})}, incremental=incremental)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _audit(notes: Mapping[str, str], *, incremental: bool) -> Audited:
    began = now()
    since = _last_clean() if incremental else 0
    problems: list[str] = []
    tree = TreeAudit(since=since, notes=notes)
    try:
        with _one_snapshot():
            problems.extend(islice(_problems(tree, since), MOST_PROBLEMS))
    except (ValueError, LookupError, TypeError, DataError) as error:
        # What cannot even be read was not written by us: that is a finding, not a crash.
        problems.append(f"the audit could not read on: {type(error).__name__}: {error}")
    ended = now()
    audited = Audited(since, tree.size, tree.outside, tuple(problems), ended - began)
    with transaction.atomic():
        LedgerAudit.objects.create(
            since=since,
            size=tree.size,
            outside=tree.outside,
            problems=problems,
            started_at=began,
            finished_at=ended,
        )
        if problems:
            raise_alarm(problem="\n".join(problems))
    return audited


def _problems(tree: TreeAudit, since: int) -> Iterator[str]:
    yield from wall_problems()
    yield from code_problems()
    yield from tree.problems()
    yield from replay_problems(after=since, until=tree.size)
    yield from shown_problems(after=since, until=tree.size)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """One view of the database for all that is read, where no transaction has begun yet."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # A million rows are joined and sorted; in memory that takes half the time.
            cursor.execute("SET LOCAL work_mem = '128MB'")
        yield


def _take_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (mine,) = cursor.fetchone()
    return bool(mine)


def _last_clean() -> int:
    """The size of the last checkpoint that a clean audit reached; 0 when there was none.

    The row is only where to begin: the tree at that size must still lead to a signed root.
    """
    clean = LedgerAudit.objects.filter(problems=[]).order_by("-size").first()
    if clean is None:
        return 0
    sealed = LedgerCheckpoint.objects.filter(size__lte=clean.size).order_by("-size").first()
    return sealed.size if sealed else 0


# Alarms


def raise_alarm(*, problem: str) -> LedgerAlarm:
    """Open an alarm: from its commit on nothing new is allowed. The same again opens no second."""
    open_one = LedgerAlarm.objects.filter(cleared_at=None, problem=problem).first()
    if open_one is not None:
        return open_one
    alarm = LedgerAlarm.objects.create(raised_at=now(), problem=problem)
    logger.critical("The ledger's audit failed; new allowances are frozen.\n%s", problem)
    for listener in _listeners:
        transaction.on_commit(partial(listener, alarm), robust=True)
    return alarm


@transaction.atomic
def clear_alarm(*, by: "User | None", alarm: LedgerAlarm, reason: str) -> LedgerAlarm:
    """Say that an alarm has been explained; when none is open any more, allowing works again.

    Who did it is a leaf (`alarm.cleared`), with the reason sealed beside it for that person.
    Raises Refused (`alarm_reason`, `alarm_over`) and NotFound.
    """
    reason = reason.strip()
    if not reason:
        raise Refused("alarm_reason", _("Say why this alarm is over."), field="reason")
    row = LedgerAlarm.objects.select_for_update().filter(pk=alarm.pk).first()
    if row is None:
        raise NotFound("unknown_alarm", _("There is no such alarm."))
    if row.cleared_at is not None:
        raise Refused("alarm_over", _("This alarm is over already."))
    row.cleared_at, row.cleared_because = now(), reason
    row.full_clean()
    row.save(update_fields=["cleared_at", "cleared_because"])
    act = open_act(
        by=by, kind="clear_alarm", at=row.cleared_at, entries=1, summary={"alarm": row.pk}
    )
    body = {"by": ref_of(by), "alarm": row.pk, "raised_at": moment(row.raised_at)}
    record(
        act.ref,
        [
            Leaf(
                "alarm.cleared",
                body,
                subject=by.ref if by else None,
                personal={"reason": reason} if by else None,
            )
        ],
    )
    return row


def open_alarms() -> list[LedgerAlarm]:
    """The alarms that nobody has explained yet, the oldest first."""
    return list(LedgerAlarm.objects.filter(cleared_at=None).order_by("raised_at"))
