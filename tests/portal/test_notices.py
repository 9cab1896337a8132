"""Telling people: once, in their language, and only while they may know."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.utils import translation

from consent.clock import now
from consent.models import Artist, WorkState
from consent.services.work import perform
from portal.access import Access
from portal.models import Membership, Notice, NoticeKind, User
from portal.notices import TEXTS, names_of, render
from portal.queries.notices import notices_of, told, unread
from portal.roles import Role, Scope
from portal.services.delegation import end_access, grant_access
from portal.services.notices import (
    deliver_notice,
    finish_old_news,
    mark_read,
    notify_artist,
    notify_label,
    notify_person,
)
from tests.cast import somebody

pytestmark = pytest.mark.django_db

ASKED = {"company": "Tonewright", "tool": "Tidesmith", "use": "style"}


def everybody_read() -> None:
    """Empty the desk: what the cast was told while it was made."""
    Notice.objects.all().delete()


def ask(artist: Artist, key: str = "request 1", **more: Any) -> int:
    return notify_artist(artist=artist, kind=NoticeKind.REQUESTED, key=key, params=ASKED, **more)


# --- Who is told -------------------------------------------------------------------------


def test_everybody_with_access_is_told_and_charlie_is_not(
    maren: Artist, maren_user: User, ines: User, charlie: User, liv: User, aoi_user: User
) -> None:
    everybody_read()
    assert ask(maren) == 2
    assert {one.recipient for one in Notice.objects.all()} == {maren_user, ines}


def test_the_same_news_is_told_once(maren: Artist, maren_user: User) -> None:
    everybody_read()
    assert [ask(maren), ask(maren), ask(maren, "request 2")] == [1, 0, 1]
    first, second = Notice.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(pk=first.pk).update(key=second.key)


def test_who_did_it_need_not_be_told(maren: Artist, maren_user: User, ines: User) -> None:
    everybody_read()
    assert ask(maren, but=ines) == 1
    assert ask(maren, "request 2", but=(ines, maren_user, None)) == 0


def test_news_about_money_is_for_those_who_see_money(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    grant_access(by=None, user=charlie, artist=maren, role=Role.ASSISTANT)
    everybody_read()
    notify_artist(
        artist=maren,
        kind=NoticeKind.STATEMENT_PUBLISHED,
        key="statement 2026-10",
        params={"period": "2026-10"},
        scope=Scope.SEE_MONEY,
    )
    assert {one.recipient for one in Notice.objects.all()} == {maren_user}


def test_the_staff_of_a_label_are_told_of_an_objection(
    maren: Artist, liv: User, noor: User, fjord: Any
) -> None:
    everybody_read()
    notify_label(
        label=fjord,
        artist=maren,
        kind=NoticeKind.OBJECTION,
        key="objection 1",
        params={"company": "Tonewright", "uses": ["generative_training"]},
    )
    [notice] = Notice.objects.all()
    assert notice.recipient == liv
    [seen] = told(Access.of(liv))
    assert seen.title == "Maren Holt objects to your licence with Tonewright"
    deliver_notice(notice)
    assert mail.outbox[0].to == [liv.email]


def test_a_notice_rolls_back_with_the_news(maren: Artist, maren_user: User) -> None:
    everybody_read()
    with transaction.atomic():
        ask(maren)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


# --- In words ----------------------------------------------------------------------------


def test_every_kind_has_words_for_whatever_facts_it_has(
    maren: Artist, maren_user: User, ines: User
) -> None:
    facts = {
        "who": str(ines.ref),
        "by": str(maren_user.ref),
        "use": "voice",
        "uses": ["voice", "style"],
        "stance": "deny",
        "role": "manager",
        "company": "Tonewright",
        "tool": "Tidesmith",
        "holder": "Fjord Records",
        "reason": "By mistake.",
        "until": now().isoformat(),
        "due": now().isoformat(),
        "period": "2026-10",
        "recordings": 3,
        "rows": 1,
    }
    assert set(TEXTS) == set(NoticeKind)
    for kind in NoticeKind:
        for params in (facts, {}):
            notice = Notice(recipient=maren_user, artist=maren, kind=kind, params=params)
            for language in ("en", "de"):
                with translation.override(language):
                    seen = render(notice, names_of([notice]))
                    assert "%" not in seen.title + seen.sentence
                    assert seen.title


def test_a_notice_is_in_the_readers_language_at_the_moment_of_reading(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    ask(maren)
    [seen] = told(Access.of(maren_user))
    assert seen.title == "Tonewright asks Maren Holt: Imitate your style"
    assert seen.sentence == "With Tidesmith. Until you answer, the answer is no."
    assert Notice.objects.get().params == ASKED


def test_somebody_who_was_forgotten_is_somebody(maren: Artist, maren_user: User) -> None:
    notice = Notice(
        recipient=maren_user,
        artist=maren,
        kind=NoticeKind.ANSWERED_FOR_YOU,
        params={"who": "00000000-0000-4000-8000-000000000000", "use": "style", "stance": "allow"},
    )
    assert render(notice, {}).title == "Somebody answered for Maren Holt: Imitate your style"


# --- The list ----------------------------------------------------------------------------


def test_a_person_sees_her_own_notices_in_two_queries_and_reads_them(
    maren: Artist, maren_user: User, ines: User, django_assert_num_queries: Any
) -> None:
    everybody_read()
    for n in range(3):
        ask(maren, f"request {n}")
    access = Access.of(maren_user)

    assert unread(access) == 3
    with django_assert_num_queries(1):
        assert len(told(access)) == 3
    assert mark_read(by=maren_user, notices=Notice.objects.filter(recipient=ines)) == 0
    assert mark_read(by=maren_user) == 3
    assert unread(access) == 0
    assert unread(Access.of(ines)) == 3


def test_a_former_manager_sees_nothing_of_what_she_was_told(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(by=None, user=charlie, artist=maren, role=Role.MANAGER)
    ask(maren)
    assert notices_of(Access.of(charlie)).exists()

    end_access(by=maren_user, membership=membership)

    assert not notices_of(Access.of(charlie)).exists()


# --- By e-mail ---------------------------------------------------------------------------


def test_a_notice_is_sent_once_however_often_it_is_looked_at(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    ask(maren)
    notice = Notice.objects.get()

    assert [perform(Notice, notice.pk) for _ in range(3)] == [True, False, False]

    [message] = mail.outbox
    assert message.to == [maren_user.email]
    assert message.subject == "Tonewright asks Maren Holt: Imitate your style"
    assert "Until you answer, the answer is no." in str(message.body)
    assert str(notice.ref) in message.extra_headers["Message-ID"]
    notice.refresh_from_db()
    assert notice.emailed_at is not None
    assert notice.state == WorkState.DONE


def test_what_piled_up_for_a_week_is_finished_at_once_and_not_sent(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    ask(maren, "request 1", at=now() - timedelta(days=8))
    ask(maren, "request 2")
    assert finish_old_news() == 1
    assert finish_old_news() == 0
    states = {one.key.split()[1]: one.state for one in Notice.objects.all()}
    assert states == {"1": WorkState.DONE, "2": WorkState.WAITING}
    assert mail.outbox == []


def test_the_page_does_not_say_of_old_news_that_it_was_sent(
    maren: Artist, maren_user: User, signed_in: Any
) -> None:
    everybody_read()
    ask(maren, at=now() - timedelta(days=8))
    finish_old_news()
    page = signed_in(maren_user).get("/notices/").text
    assert mail.outbox == []
    assert "Each was sent" not in page
    assert "Each is sent by e-mail too, unless it is more than a week old by then." in page


def test_a_worker_that_died_after_sending_sends_the_same_message_again(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    ask(maren)
    notice = Notice.objects.get()
    perform(Notice, notice.pk)
    # As if the worker had died between the mail server and the row.
    Notice.objects.update(
        state=WorkState.RUNNING, emailed_at=None, locked_until=now() - timedelta(seconds=1)
    )
    perform(Notice, notice.pk)

    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_a_notice_for_somebody_whose_access_ended_meanwhile_is_withheld(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(by=None, user=charlie, artist=maren, role=Role.MANAGER)
    everybody_read()
    ask(maren)
    end_access(by=maren_user, membership=membership)

    for notice in Notice.objects.filter(kind=NoticeKind.REQUESTED):
        perform(Notice, notice.pk)

    assert [message.to for message in mail.outbox] == [[maren_user.email]]
    assert Notice.objects.get(recipient=charlie).withheld_at is not None


def test_somebody_who_may_not_sign_in_any_more_is_not_written_to(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    ask(maren)
    User.objects.filter(pk=maren_user.pk).update(is_active=False)
    perform(Notice, Notice.objects.get().pk)
    assert mail.outbox == []


def test_a_name_with_a_line_break_forges_no_header(maren_user: User) -> None:
    everybody_read()
    notify_person(
        user=maren_user,
        kind=NoticeKind.WITHDRAWAL_ACKNOWLEDGED,
        key="ack",
        params={"company": "Tone\nBcc: charlie@liner.example", "use": "style"},
    )
    perform(Notice, Notice.objects.get().pk)
    [message] = mail.outbox
    assert "\n" not in message.subject
    assert message.recipients() == [maren_user.email]


def test_a_page_in_a_mail_escapes_what_companies_call_themselves(
    maren: Artist, maren_user: User
) -> None:
    everybody_read()
    notify_artist(
        artist=maren,
        kind=NoticeKind.REQUESTED,
        key="request",
        params=ASKED | {"company": "<b>Tone</b> & Co"},
    )
    perform(Notice, Notice.objects.get().pk)
    [message] = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    page = str(message.alternatives[0][0])
    assert "<b>Tone" not in page
    assert message.subject.startswith("<b>Tone</b> & Co asks")


def test_a_mail_server_that_refuses_is_asked_again_later(
    maren: Artist, maren_user: User, settings: Any
) -> None:
    everybody_read()
    ask(maren)
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }
    notice = Notice.objects.get()
    assert perform(Notice, notice.pk)

    notice.refresh_from_db()
    assert notice.state == WorkState.WAITING
    assert "ConnectionRefused" in notice.last_error
    assert notice.next_at > now()
    assert notice.emailed_at is None


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (NoticeKind.REQUESTED, "questions"),
        (NoticeKind.WITHDRAWAL_ACKNOWLEDGED, "withdrawals"),
        (NoticeKind.WITHDRAWAL_OVERDUE, "withdrawals"),
    ],
)
def test_news_leads_to_where_one_can_act_on_it(
    maren: Artist, maren_user: User, kind: NoticeKind, page: str
) -> None:
    everybody_read()
    notify_artist(artist=maren, kind=kind, key="news", params=ASKED | {"due": now().isoformat()})
    (notice,) = Notice.objects.filter(recipient=maren_user)
    assert render(notice, {}).link.endswith(f"/permissions/{page}/")


def test_a_link_leads_into_the_portal_and_nowhere_else(maren_user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        notify_person(
            user=maren_user,
            kind=NoticeKind.REQUESTED,
            key="k",
            params=ASKED,
            link="https://elsewhere.example/",
        )


# --- What access itself tells --------------------------------------------------------------


def test_an_artist_is_told_who_got_access_and_whose_ended(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    everybody_read()
    membership = grant_access(
        by=ines_as_owner(maren), user=charlie, artist=maren, role=Role.MANAGER
    )
    end_access(by=charlie, membership=membership)

    kinds = {(one.recipient, one.kind) for one in Notice.objects.filter(artist=maren)}
    assert {
        (maren_user, "access_granted"),
        (maren_user, "access_ended"),
        (ines, "access_granted"),
        (ines, "access_ended"),
        (charlie, "invited"),
    } <= kinds
    assert (charlie, "access_granted") not in kinds
    assert Membership.objects.get(pk=membership.pk).ended_by == charlie


def ines_as_owner(artist: Artist) -> User:
    """A second person who is the artist, to grant in her name."""
    twin = somebody("Twin Holt")
    grant_access(by=None, user=twin, artist=artist, role=Role.ARTIST)
    return twin
