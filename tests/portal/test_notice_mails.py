"""What a mail says before it is opened, who sends it and why, and where it leads."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from consent.clock import now
from consent.models import Artist, Party
from portal.models import Notice, NoticeKind, Roster, User
from portal.notices import names_of, render, why
from portal.roles import Role
from portal.services.delegation import end_access, grant_access
from portal.services.notices import deliver_notice, notify_artist, notify_label, notify_person
from tests.cast import somebody

pytestmark = pytest.mark.django_db

LABELS = frozenset({NoticeKind.OBJECTION, NoticeKind.CONFLICT, NoticeKind.CONFLICT_SETTLED})


def sent(notice: Notice) -> EmailMultiAlternatives:
    deliver_notice(notice)
    letter = mail.outbox[-1]
    assert isinstance(letter, EmailMultiAlternatives)
    return letter


def the_one(kind: NoticeKind, reader: User) -> Notice:
    return Notice.objects.filter(kind=kind, recipient=reader).latest("pk")


def words(notice: Notice) -> tuple[str, str]:
    seen = render(notice, names_of([notice]))
    return seen.title, seen.sentence


def test_a_mail_begins_with_the_news_and_ends_with_why_it_was_sent(
    maren: Artist, maren_user: User
) -> None:
    facts = {"company": "Tonewright", "tool": "Tidesmith", "use": "style", "title": "Havn"}
    notify_artist(artist=maren, kind=NoticeKind.REQUESTED, key="request", params=facts)
    letter = sent(the_one(NoticeKind.REQUESTED, maren_user))
    assert letter.subject == "Tonewright asks Maren Holt: Imitate your style"
    news = "With Tidesmith, for “Havn”. Until you answer, the answer is no."
    assert str(letter.body).startswith(news + "\n")
    foot = str(letter.body).partition("\n-- \nLiner Notes\n")[2]
    assert foot.startswith(
        f"Sent to {maren_user.email}, because you have access to the work of Maren Holt."
    )
    assert "/settings/" in foot
    html = str(letter.alternatives[0][0])
    assert " ".join(html.partition("<body>")[2].split()).partition(">")[2].startswith(news)
    assert "because you have access to the work of Maren Holt." in html
    for fetched in ("<img", "<link", "url(", "@import", "src="):
        assert fetched not in html


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_mail_leads_to_a_page_that_its_reader_may_open(
    kind: NoticeKind, maren: Artist, maren_user: User, liv: User, fjord: Party, signed_in: Any
) -> None:
    facts = {
        "who": str(maren_user.ref),
        "use": "style",
        "uses": ["style"],
        "role": Role.MANAGER,
        "company": "Tonewright",
        "holder": "Fjord Records",
        "tool": "Tidesmith",
        "due": now().isoformat(),
        "period": "2026-10",
        "rows": 1,
    }
    reader = liv if kind in LABELS else maren_user
    if kind == NoticeKind.OBJECTION:
        notify_label(label=fjord, artist=maren, kind=kind, key="news", params=facts)
    elif kind in LABELS:
        notify_label(label=fjord, artist=None, kind=kind, key="news", params=facts)
    else:
        notify_artist(artist=maren, kind=kind, key="news", params=facts)
    notice = the_one(kind, reader)
    link = render(notice, names_of([notice])).link
    assert link in str(sent(notice).body)
    browser: Client = signed_in(reader)
    answered = browser.get(link)
    second_factor = link.startswith("/admin/") and answered.status_code == 302
    assert second_factor or answered.status_code == 200


def test_whoever_is_let_into_a_label_is_led_to_the_admin(liv: User) -> None:
    notice = the_one(NoticeKind.INVITED, liv)
    assert words(notice)[0] == "You have access to Fjord Records"
    assert render(notice, {}).link == "/admin/"
    assert "http://localhost:8000/admin/\n" in str(sent(notice).body)


def test_whoever_is_let_into_a_management_is_led_to_its_artists(
    north_roster: Roster, ines: User
) -> None:
    notice = Notice.objects.filter(kind=NoticeKind.INVITED, recipient=ines).earliest("pk")
    assert words(notice)[0] == f"You have access to {north_roster.name}"
    assert render(notice, {}).link == "/"


def test_nobody_is_told_that_an_artists_own_access_can_be_ended(
    maren: Artist, maren_user: User, ines: User
) -> None:
    grant_access(by=None, user=somebody("Tora Holt"), artist=maren, role=Role.ARTIST)
    assert words(the_one(NoticeKind.ACCESS_GRANTED, ines)) == (
        "Tora Holt has access to the work of Maren Holt",
        "As artist, let in by Liner Notes.",
    )
    grant_access(by=None, user=somebody("Per Lie"), artist=maren, role=Role.ASSISTANT)
    assert words(the_one(NoticeKind.ACCESS_GRANTED, maren_user)) == (
        "Per Lie has access to the work of Maren Holt",
        "As assistant, let in by Liner Notes. Maren Holt can end this at any time.",
    )


def test_who_gave_up_access_is_not_said_to_have_ended_it(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    end_access(by=charlie, membership=membership)
    assert words(the_one(NoticeKind.ACCESS_ENDED, maren_user))[1] == (
        "Access as assistant ended at once. Charlie Voss gave it up."
    )


def test_why_one_is_told_names_the_artist_or_the_label_and_nobody_else(
    maren: Artist, maren_user: User, liv: User, fjord: Party
) -> None:
    notify_label(label=fjord, artist=maren, kind=NoticeKind.OBJECTION, key="news")
    assert why(the_one(NoticeKind.OBJECTION, liv)) == "you work for a label of Maren Holt"
    notify_label(label=fjord, artist=None, kind=NoticeKind.CONFLICT, key="news")
    assert why(the_one(NoticeKind.CONFLICT, liv)) == "you work for a label that this is about"
    notify_person(user=maren_user, kind=NoticeKind.EXPORT_READY, key="file")
    assert why(the_one(NoticeKind.EXPORT_READY, maren_user)) == "it is about your account"


def test_a_reason_that_was_forgotten_leaves_no_gap(maren: Artist, maren_user: User) -> None:
    for reason, said in (
        ("Given by mistake.", "Nothing is allowed by it any more. The reason: Given by mistake."),
        ("", "Nothing is allowed by it any more."),
    ):
        params = {"use": "style", "reason": reason}
        kind = NoticeKind.REVOKED_BY_STAFF
        assert words(Notice(recipient=maren_user, artist=maren, kind=kind, params=params)) == (
            "Our staff revoked an answer of Maren Holt: Imitate your style",
            said,
        )


def test_a_name_of_the_other_direction_is_set_apart(maren: Artist, maren_user: User) -> None:
    params = {"company": "שיר", "tool": "Tidesmith", "use": "style"}
    notice = Notice(recipient=maren_user, artist=maren, kind=NoticeKind.REQUESTED, params=params)
    assert words(notice)[0].startswith("\u2068שיר\u2069 asks Maren Holt")


def test_two_licences_of_the_same_two_are_one_link(maren: Artist, maren_user: User) -> None:
    one = {"holder": "Fjord Records", "company": "Tonewright", "more": 2}
    licences = [one | {"uses": ["discovery"]}, one | {"uses": ["remix_input"]}]
    kind = NoticeKind.REACHES_MORE
    notice = Notice(recipient=maren_user, artist=maren, kind=kind, params={"licences": licences})
    seen = render(notice, {})
    assert len(seen.lines) == 2
    assert [name for name, _ in seen.links] == ["Fjord Records and Tonewright"]
