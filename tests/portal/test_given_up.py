"""Work whose worker died at every attempt: given up by the sweeper, and whoever waits is told."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import override_settings

from consent.clock import now
from consent.models import Artist, WorkState
from consent.services import work
from consent.services.work import perform, sweep
from portal.access import Access
from portal.models import BulkChange, Export, Notice, NoticeKind, User
from portal.queries.selection import digest_of
from portal.services.bulk import ask_for_many
from portal.services.exports import request_export
from portal.services.retries import retry_work
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of

pytestmark = pytest.mark.django_db


def killed_at_every_attempt(row: BulkChange | Export) -> None:
    """As three or five workers leave it that were killed in the middle of it."""
    type(row).objects.filter(pk=row.pk).update(
        state=WorkState.RUNNING,
        attempts=row.MAX_ATTEMPTS,
        locked_until=now() - timedelta(seconds=1),
    )


def told(kind: NoticeKind) -> list[User]:
    return [one.recipient for one in Notice.objects.filter(kind=kind).order_by("pk")]


@pytest.fixture
def change(maren: Artist, maren_user: User) -> BulkChange:
    keys = [one.pk for one in recordings_of(maren, 3)]
    return ask_for_many(
        by=Access.of(maren_user),
        artist=maren,
        use="discovery",
        stance="deny",
        recordings=keys,
        digest=digest_of(keys),
    )


def test_a_change_whose_workers_were_all_killed_is_told_once_to_whoever_asked(
    change: BulkChange, maren_user: User, ines: User, charlie: User
) -> None:
    killed_at_every_attempt(change)
    for _ in range(3):
        assert not perform(BulkChange, change.pk)
    change.refresh_from_db()
    assert change.state == WorkState.DEAD
    assert told(NoticeKind.NOT_SAVED) == [maren_user]
    notice = Notice.objects.get(kind=NoticeKind.NOT_SAVED)
    assert notice.params == {"use": "discovery", "recordings": 3}


def test_a_file_whose_workers_were_all_killed_is_told_once_to_whoever_asked(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    export = request_export(by=maren_user, artist=maren)
    killed_at_every_attempt(export)
    for _ in range(3):
        assert not perform(Export, export.pk)
    assert Export.objects.get().state == WorkState.DEAD
    assert told(NoticeKind.EXPORT_FAILED) == [maren_user]


def test_with_the_broker_gone_it_is_told_when_somebody_comes_by_and_told_once(
    change: BulkChange, maren_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at_every_attempt(change)
    monkeypatch.setattr(work, "_silent_until", 0.0)
    with override_settings(CELERY_BROKER_URL="redis://localhost:1/0"):
        sweep()  # finds it, and reaches no worker
        assert told(NoticeKind.NOT_SAVED) == []
        perform(BulkChange, change.pk)
        perform(BulkChange, change.pk)
    assert told(NoticeKind.NOT_SAVED) == [maren_user]
    monkeypatch.setattr(work, "_silent_until", 0.0)


def test_it_is_not_given_up_before_it_is_told(change: BulkChange, maren_user: User) -> None:
    killed_at_every_attempt(change)
    with transaction.atomic():
        perform(BulkChange, change.pk)
        transaction.set_rollback(True)
    change.refresh_from_db()
    assert (change.state, told(NoticeKind.NOT_SAVED)) == (WorkState.RUNNING, [])
    perform(BulkChange, change.pk)
    assert told(NoticeKind.NOT_SAVED) == [maren_user]


def test_what_is_started_again_by_staff_is_saved_after_all(
    change: BulkChange, maren: Artist, maren_user: User
) -> None:
    killed_at_every_attempt(change)
    perform(BulkChange, change.pk)
    retry_work(by=None, row=change)
    perform(BulkChange, change.pk)
    change.refresh_from_db()
    assert (change.state, change.refused) == (WorkState.DONE, "")
    assert told(NoticeKind.NOT_SAVED) == [maren_user]
