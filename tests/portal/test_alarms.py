"""The operator's people hear of an alarm of the ledger, whatever happens to mail or worker."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as current
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.clock import now
from consent.models import Artist, LedgerAlarm, LedgerEntry, WorkState
from consent.services.audit import clear_alarm, raise_alarm
from consent.services.work import perform
from portal import environment
from portal.models import AlarmMail, User
from portal.services.alarms import AGAIN_AFTER, MOST_PROBLEMS, tell_alarms
from tests.cast import *  # noqa: F403 - the people in every story

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
OPERATORS = ["olga@liner.example", "night@liner.example"]
PROBLEM = "entry 7 does not hash to what is stored for it"


@pytest.fixture(autouse=True)
def operators(settings: Any) -> None:
    settings.ADMINS = OPERATORS


@pytest.fixture
def alarm(django_capture_on_commit_callbacks: Any) -> LedgerAlarm:
    with django_capture_on_commit_callbacks(execute=True):
        return raise_alarm(problem=PROBLEM)


def later(row: AlarmMail) -> AlarmMail:
    """What a worker does when the row is due again."""
    AlarmMail.objects.filter(pk=row.pk).update(next_at=now())
    assert perform(AlarmMail, row.pk)
    row.refresh_from_db()
    return row


def test_an_alarm_is_mailed_at_once_with_what_was_found_and_what_to_do(
    alarm: LedgerAlarm,
) -> None:
    [sent] = mail.outbox
    assert sent.to == OPERATORS
    assert "nothing new is allowed" in sent.subject
    page = reverse("admin:consent_ledgeralarm_change", args=[alarm.pk])
    [(html, _kind)] = sent.alternatives  # type: ignore[attr-defined]
    for text in (sent.body, html):
        assert PROBLEM in text
        assert current.SITE_URL.rstrip("/") + page in text
        assert "audit_ledger --checkpoint" in text
    assert not tell_alarms(), "nobody is told twice"


def test_an_alarm_reaches_the_operator_when_the_mail_server_is_back(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    there = settings.MAILERS
    settings.MAILERS = {"default": environment.mailer("smtp://127.0.0.1:1")}
    with django_capture_on_commit_callbacks(execute=True):
        raise_alarm(problem=PROBLEM)
    row = AlarmMail.objects.get()
    assert (row.state, row.sent_at) == (WorkState.WAITING, None)
    assert row.next_at - now() < timedelta(minutes=1)
    settings.MAILERS = there
    later(row)
    assert [one.to for one in mail.outbox] == [OPERATORS]


def test_an_alarm_whose_finder_died_before_telling_is_told_by_the_clock() -> None:
    LedgerAlarm.objects.create(raised_at=now(), problem=PROBLEM)
    assert tell_alarms() == 1
    assert perform(AlarmMail, AlarmMail.objects.get().pk)
    assert len(mail.outbox) == 1


def test_an_open_alarm_is_told_again_each_day(alarm: LedgerAlarm) -> None:
    row = AlarmMail.objects.get()
    assert row.sent_at is not None
    assert row.next_at == row.sent_at + AGAIN_AFTER
    later(row)
    first, again = mail.outbox
    assert "still open" in again.subject
    assert first.extra_headers["Message-ID"] != again.extra_headers["Message-ID"]
    assert row.state == WorkState.WAITING


def test_whoever_did_not_clear_an_alarm_reads_that_it_was_cleared_and_why(
    alarm: LedgerAlarm, olga: User
) -> None:
    LedgerAlarm.objects.create(raised_at=now(), problem="Another.")
    clear_alarm(by=olga, alarm=alarm, reason="A drill.")
    tell_alarms()
    row = AlarmMail.objects.get(alarm=alarm)
    assert perform(AlarmMail, row.pk)
    over = mail.outbox[-1]
    assert "was cleared" in over.subject
    assert "A drill." in over.body
    assert "Another alarm is open" in over.body
    row.refresh_from_db()
    assert row.state == WorkState.DONE
    sent = len(mail.outbox)
    tell_alarms()
    assert not perform(AlarmMail, row.pk)
    assert len(mail.outbox) == sent


def test_an_alarm_of_many_problems_is_still_a_mail_that_can_be_read(
    django_capture_on_commit_callbacks: Any,
) -> None:
    problem = "\n".join(f"entry {n} is gone" for n in range(1, MOST_PROBLEMS + 6))
    with django_capture_on_commit_callbacks(execute=True):
        raise_alarm(problem=problem)
    body = mail.outbox[0].body
    assert f"entry {MOST_PROBLEMS} is gone" in body
    assert f"entry {MOST_PROBLEMS + 1} is gone" not in body
    assert "and 5 more" in body


def test_an_entry_is_found_by_the_position_that_an_alarm_names(
    maren: Artist,
    olga: User,
    signed_in: SignIn,
) -> None:
    last = LedgerEntry.objects.latest("seq")
    address = reverse("admin:consent_ledgerentry_changelist")
    for asked in (str(last.seq), str(last.act), last.kind):
        found = signed_in(olga).get(address, {"q": asked}).context["cl"].queryset
        assert last in found
    [only] = signed_in(olga).get(address, {"q": str(last.seq)}).context["cl"].queryset
    assert only == last


def test_staff_read_on_every_page_that_nothing_new_is_allowed(
    liv: User, olga: User, signed_in: SignIn, alarm: LedgerAlarm
) -> None:
    sign = reverse("admin:consent_licence_sign")
    page = reverse("admin:consent_ledgeralarm_change", args=[alarm.pk])
    hers, theirs = signed_in(liv).get(sign).text, signed_in(olga).get(sign).text
    for text in (hers, theirs):
        assert "The ledger is being checked" in text
    assert (page in hers, page in theirs) == (False, True)
    clear_alarm(by=olga, alarm=alarm, reason="A drill.")
    assert "The ledger is being checked" not in signed_in(liv).get(sign).text
