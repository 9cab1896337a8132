"""From the ledger to the people it concerns, whatever door a change came in by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from consent.clock import now
from consent.models import AICompany, Artist, Party, Tool, Withdrawal
from consent.scopes import EVERYTHING
from consent.scopes import Scope as About
from consent.services.licences import sign_licence
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    revoke_permission,
)
from consent.services.requests import ask_permission
from consent.services.withdrawals import acknowledge_withdrawal
from consent.services.work import perform
from consent.words import Stance, UseKind
from portal.models import NewsPosition, Notice, NoticeKind, User
from portal.notices import names_of, render
from portal.services.news import tell_news, tell_overdue_withdrawals
from tests.cast import recordings_of

pytestmark = pytest.mark.django_db


def nothing_new() -> None:
    """As if everything up to here had been told and read."""
    tell_news()
    Notice.objects.all().delete()


def heard(kind: NoticeKind) -> list[tuple[User, dict[str, Any]]]:
    return [
        (one.recipient, one.params)
        for one in Notice.objects.filter(kind=kind).order_by("recipient__email", "pk")
    ]


def test_an_artist_learns_what_her_manager_answered_and_the_manager_does_not(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    nothing_new()
    answer_permission(by=ines, artist=maren, use=UseKind.STYLE, stance=Stance.ALLOW, role="manager")
    tell_news()

    [(reader, params)] = heard(NoticeKind.ANSWERED_FOR_YOU)
    assert reader == maren_user
    assert (params["who"], params["use"], params["stance"]) == (str(ines.ref), "style", "allow")


def test_a_manager_learns_that_the_artist_answered_not_that_she_answered_for_herself(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    nothing_new()
    answer_permission(by=maren_user, artist=maren, use=UseKind.STYLE, stance=Stance.DENY)
    tell_news()
    [notice] = Notice.objects.filter(kind=NoticeKind.ANSWERED_FOR_YOU)
    assert notice.recipient == ines
    assert perform(Notice, notice.pk)
    [message] = mail.outbox
    assert message.subject == "Maren Holt answered: Imitate your style"
    assert "answered for" not in str(message.body)
    assert str(message.body).startswith("“No”, for all your work.")


def test_of_two_who_are_a_band_one_answers_for_it(low_tides: Artist, sol: User, bo: User) -> None:
    nothing_new()
    answer_permission(by=sol, artist=low_tides, use=UseKind.STYLE, stance=Stance.DENY)
    tell_news()
    [notice] = Notice.objects.filter(kind=NoticeKind.ANSWERED_FOR_YOU)
    title = render(notice, names_of([notice])).title
    assert title == "Sol Arnesen answered for The Low Tides: Imitate your style"


def test_of_a_band_the_others_learn_who_answered(low_tides: Artist, sol: User, bo: User) -> None:
    nothing_new()
    answer_permission(by=sol, artist=low_tides, use=UseKind.STYLE, stance=Stance.DENY)
    tell_news()
    assert [reader for reader, _ in heard(NoticeKind.ANSWERED_FOR_YOU)] == [bo]


def test_an_answer_for_many_recordings_is_one_notice(
    maren: Artist, maren_user: User, ines: User
) -> None:
    recordings = recordings_of(maren, 5)
    nothing_new()
    answer_recordings(
        by=ines,
        artist=maren,
        use=UseKind.STYLE,
        stance=Stance.DENY,
        recordings=[one.pk for one in recordings],
        role="manager",
    )
    tell_news()
    [(_, params)] = heard(NoticeKind.ANSWERED_FOR_YOU)
    assert params["recordings"] == 5


def test_what_was_answered_is_told_with_its_scope_and_its_term_whatever_door_it_came_by(
    maren: Artist, maren_user: User, ines: User, tidesmith: Tool
) -> None:
    [song] = recordings_of(maren, title="Havn")
    nothing_new()
    until = datetime(now().year + 1, 12, 31, 23, 59, 59, tzinfo=UTC)
    for about, more in (
        (About(recording=song, tool=tidesmith), {"valid_until": until}),
        (EVERYTHING, {"territories": ["NO", "SE"]}),
    ):
        answer_permission(
            by=ines,
            artist=maren,
            use=UseKind.GENERATIVE_TRAINING,
            stance=Stance.ALLOW,
            role="manager",
            scope=about,
            **more,
        )
    clear_permission(
        by=ines,
        artist=maren,
        use=UseKind.GENERATIVE_TRAINING,
        scope=About(recording=song, tool=tidesmith),
        role="manager",
    )
    tell_news()
    notices = list(Notice.objects.filter(recipient=maren_user).order_by("pk"))
    with timezone.override("Europe/Oslo"):
        told = [render(one, names_of(notices)).sentence for one in notices]
    where = ", for “Havn”, for Tidesmith (Tonewright)"
    assert told == [
        f"“Yes”{where}, until 31 Dec {until.year} (UTC), that day included. It can be changed at "
        "any time.",
        "“Yes”, for all your work, in Norway, Sweden. It can be changed at any time.",
        "An answer of its own was taken back, and the wider one speaks again"
        f"{where}. It can be changed at any time.",
    ]


def test_everything_is_told_once_however_often_it_is_read(
    maren: Artist, maren_user: User, ines: User
) -> None:
    nothing_new()
    answer_permission(by=ines, artist=maren, use=UseKind.STYLE, stance=Stance.DENY)
    assert tell_news() == 1
    assert tell_news() == 0
    NewsPosition.objects.update(seq=0)  # as if the position had been lost
    tell_news()
    assert (
        Notice.objects.filter(kind=NoticeKind.ANSWERED_FOR_YOU, recipient=maren_user).count() == 1
    )


def test_the_position_rolls_back_with_the_notices(
    maren: Artist, maren_user: User, ines: User
) -> None:
    nothing_new()
    answer_permission(by=ines, artist=maren, use=UseKind.STYLE, stance=Stance.DENY)
    with transaction.atomic():
        assert tell_news() == 1
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert tell_news() == 1
    assert len(heard(NoticeKind.ANSWERED_FOR_YOU)) == 1


def test_an_artist_learns_of_a_revocation_with_its_reason(
    maren: Artist, maren_user: User, olga: User
) -> None:
    permission = answer_permission(
        by=maren_user, artist=maren, use=UseKind.STYLE, stance=Stance.ALLOW
    ).permission
    nothing_new()
    revoke_permission(by=olga, permission=permission, reason="Given by mistake.")
    tell_news()
    [(reader, params)] = heard(NoticeKind.REVOKED_BY_STAFF)
    assert (reader, params["reason"]) == (maren_user, "Given by mistake.")


def test_every_artist_whose_work_a_licence_touches_is_told_that_day(
    maren: Artist,
    maren_user: User,
    ines: User,
    aoi: Artist,
    aoi_user: User,
    fjord: Party,
    tonewright: AICompany,
) -> None:
    recordings_of(maren, 2, holder=fjord)
    nothing_new()
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Frame agreement",
        uses=[UseKind.GENERATIVE_TRAINING],
    )
    tell_news()
    assert {reader for reader, _ in heard(NoticeKind.LICENCE_SIGNED)} == {maren_user, ines}
    assert heard(NoticeKind.OVERRIDDEN) == []


def test_an_override_is_told_and_a_no_reaches_the_holder_whichever_comes_first(
    maren: Artist,
    maren_user: User,
    fjord: Party,
    liv: User,
    noor: User,
    tonewright: AICompany,
) -> None:
    recordings_of(maren, holder=fjord)
    answer_permission(
        by=maren_user, artist=maren, use=UseKind.GENERATIVE_TRAINING, stance=Stance.DENY
    )
    nothing_new()
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Frame agreement",
        uses=[UseKind.GENERATIVE_TRAINING, UseKind.ANALYSIS_TRAINING],
        artist_approval=False,
        override_clause="12.3",
    )
    tell_news()

    assert [reader for reader, _ in heard(NoticeKind.OVERRIDDEN)] == [maren_user]
    [(reader, params)] = heard(NoticeKind.OBJECTION)
    assert (reader, params["uses"]) == (liv, ["generative_training"])

    answer_permission(
        by=maren_user, artist=maren, use=UseKind.ANALYSIS_TRAINING, stance=Stance.DENY
    )
    tell_news()
    assert [params["uses"] for _, params in heard(NoticeKind.OBJECTION)] == [
        ["generative_training"],
        ["analysis_training"],
    ]


def test_somebody_who_acts_for_two_artists_is_told_of_both(
    maren: Artist, aoi: Artist, ines: User, fjord: Party, tonewright: AICompany
) -> None:
    recordings_of(maren, holder=fjord)
    recordings_of(aoi, holder=fjord)
    nothing_new()
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Frame agreement",
        uses=[UseKind.DISCOVERY],
    )
    tell_news()
    mine = Notice.objects.filter(recipient=ines, kind=NoticeKind.LICENCE_SIGNED)
    assert {one.artist for one in mine} == {maren, aoi}


def test_who_is_asked_is_told_by_whom_and_for_what(
    maren: Artist, maren_user: User, tidesmith: Tool
) -> None:
    nothing_new()
    ask_permission(
        tool=tidesmith,
        use=UseKind.STYLE,
        artists=[maren],
        why="For a campaign.",
    )
    tell_news()
    [(reader, params)] = heard(NoticeKind.REQUESTED)
    assert reader == maren_user
    assert params == {"company": "Tonewright", "tool": "Tidesmith", "use": "style", "all": True}


def test_a_withdrawal_is_told_when_it_is_overdue_and_when_it_is_confirmed(
    maren: Artist, maren_user: User, tonewright: AICompany
) -> None:
    permission = answer_permission(
        by=maren_user, artist=maren, use=UseKind.STYLE, stance=Stance.ALLOW
    ).permission
    late = now() - timedelta(days=1)
    row = Withdrawal.objects.create(
        permission=permission,
        artist=maren,
        company=tonewright,
        already_trained=False,
        outputs_until=late,
        acknowledge_by=late,
        next_at=late,
        created_at=late,
    )
    nothing_new()

    assert [tell_overdue_withdrawals(), tell_overdue_withdrawals()] == [1, 0]
    acknowledge_withdrawal(by=None, company=tonewright, ref=str(row.ref))
    tell_news()

    assert tell_overdue_withdrawals() == 0
    [(_, overdue)] = heard(NoticeKind.WITHDRAWAL_OVERDUE)
    [(_, confirmed)] = heard(NoticeKind.WITHDRAWAL_ACKNOWLEDGED)
    assert overdue["company"] == confirmed["company"] == "Tonewright"


def test_old_news_stands_in_the_portal_and_is_not_sent(
    maren: Artist, maren_user: User, ines: User
) -> None:
    nothing_new()
    answer_permission(by=ines, artist=maren, use=UseKind.STYLE, stance=Stance.DENY)
    tell_news()
    Notice.objects.update(created_at=now() - timedelta(days=8))
    notice = Notice.objects.get(recipient=maren_user)

    assert perform(Notice, notice.pk)

    notice.refresh_from_db()
    assert (notice.state, notice.emailed_at, notice.withheld_at) == ("done", None, None)
    assert mail.outbox == []
