"""Erasing people with the numbers to show for it, or only rehearsing it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection, transaction

from consent.models import LedgerPersonal
from consent.services.erasure import Erased, erase_subject
from portal.models import StaffAct, User

UNTOLD: Final = frozenset({"consent_ledgerhead"})
"""Tables whose rows change with every entry, and say nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What an erasure did to one table: `name` in words, and rows deleted, changed, added."""

    table: str
    name: str
    deleted: int
    changed: int
    added: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done, or in a rehearsal would be.

    `unreadable` is how many sealed personal parts nobody can open any more.
    """

    leaves: tuple[Erased, ...]
    touched: tuple[Touched, ...]
    unreadable: int


@transaction.atomic
def erase_people(
    *,
    by: User | None,
    subjects: Sequence[uuid.UUID],
    reason_code: str,
    rehearse: bool = False,
) -> Erasure:
    """Erase everybody in `subjects` (refs of parties and users) in one transaction, or nobody.

    With `rehearse` all of it is done and rolled back, so that the numbers are those of the erasure
    itself: the database counts what it did. Raises as `consent.services.erasure.erase_subject`.
    """
    sealed = {"subject__in": list(subjects)}
    unreadable = (
        LedgerPersonal.objects.filter(**sealed).count() + StaffAct.objects.filter(**sealed).count()
    )
    before = _counted()
    leaves = tuple(
        erase_subject(by=by, subject=subject, reason_code=reason_code) for subject in subjects
    )
    after = _counted()
    if rehearse:
        transaction.set_rollback(True)
    return Erasure(leaves, _touched(before, after), unreadable)


type _Counts = dict[str, tuple[int, int, int]]


def _counted() -> _Counts:
    """What this transaction has done to each table so far, as the database counts it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_del, n_tup_upd, n_tup_ins FROM pg_stat_xact_user_tables"
        )
        return {table: (deleted, changed, added) for table, deleted, changed, added in cursor}


def _touched(before: _Counts, after: _Counts) -> tuple[Touched, ...]:
    names = {
        model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()
    }
    found = []
    for table, counts in sorted(after.items()):
        deleted, changed, added = (
            now - then for now, then in zip(counts, before.get(table, (0, 0, 0)), strict=True)
        )
        if table not in UNTOLD and (deleted or changed or added):
            found.append(Touched(table, names.get(table, table), deleted, changed, added))
    return tuple(found)
