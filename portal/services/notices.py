"""Telling people: a row in the same transaction as the news, an e-mail from a worker."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from consent import clock
from consent.models import Artist, Party, WorkState
from consent.services.work import handles, wake
from portal.access import Access
from portal.models import Membership, Notice, NoticeKind, RosterKind, User
from portal.notices import names_of, render, why
from portal.queries.people import scopes_by_person
from portal.roles import Role, Scope

NEWS_FOR: Final = timedelta(days=7)
"""What is older stands in the portal, and is not sent any more."""


@transaction.atomic
def notify_artist(
    *,
    artist: Artist,
    kind: NoticeKind | str,
    key: str,
    params: Mapping[str, Any] | None = None,
    link: str = "",
    scope: Scope = Scope.SEE,
    but: User | Iterable[User | None] | None = None,
    at: datetime | None = None,
) -> int:
    """Tell everybody who may do `scope` for this artist, except `but`; returns how many are new.

    Call it in the transaction that makes the news. `params` are the facts that the sentence of
    `kind` needs (`portal.notices`): codes, names of companies, refs; never a rendered text. `key`
    names the news: the same one is told once, however often this is called. `link` is a path of
    the portal; without one the kind's own page is used. `at` is when it happened (UTC; None: now).
    """
    spared = {one.pk for one in ([but] if but is None or isinstance(but, User) else but) if one}
    users = [
        user
        for user, scopes in scopes_by_person(artist.pk).items()
        if scope in scopes and user not in spared
    ]
    return _tell(users, artist, kind, key, params, link, scope, at)


@transaction.atomic
def notify_label(
    *,
    label: Party,
    artist: Artist | None,
    kind: NoticeKind | str,
    key: str,
    params: Mapping[str, Any] | None = None,
    link: str = "",
    at: datetime | None = None,
) -> int:
    """Tell the staff of a label about one of its artists; returns how many are new.

    With no `artist` it is about the label itself, and for as long as they work for it.
    """
    users = (
        Membership.objects.live()
        .filter(role=Role.LABEL_STAFF, roster__kind=RosterKind.LABEL, roster__party=label)
        .values_list("user", flat=True)
        .distinct()
    )
    facts = dict(params or {}) | ({"label": label.pk} if artist is None else {})
    return _tell(users, artist, kind, key, facts, link, Scope.MANAGE_LABEL, at)


@transaction.atomic
def notify_person(
    *,
    user: User,
    kind: NoticeKind | str,
    key: str,
    artist: Artist | None = None,
    params: Mapping[str, Any] | None = None,
    link: str = "",
    scope: Scope = Scope.SEE,
) -> int:
    """Tell one person; returns 1, or 0 when she has been told this already."""
    return _tell([user.pk], artist, kind, key, params, link, scope)


@transaction.atomic
def mark_read(*, by: User, notices: Iterable[Notice] | None = None) -> int:
    """Mark these notices of `by` as read, or all of hers; returns how many were unread.

    Notices of other people are left alone.
    """
    rows = Notice.objects.filter(recipient=by, read_at=None)
    if notices is not None:
        rows = rows.filter(pk__in=[one.pk for one in notices])
    return rows.update(read_at=clock.now())


def _tell(
    users: Iterable[int],
    artist: Artist | None,
    kind: NoticeKind | str,
    key: str,
    params: Mapping[str, Any] | None,
    link: str,
    scope: Scope,
    at: datetime | None = None,
) -> int:
    wanted = sorted(set(users))
    if artist is not None:
        key = f"{key} {artist.pk}"  # somebody who acts for two artists is told of both
    known = set(
        Notice.objects.filter(key=key, recipient__in=wanted).values_list("recipient", flat=True)
    )
    now = clock.now()
    rows = [
        Notice(
            recipient_id=user,
            artist=artist,
            kind=str(kind),
            params=dict(params or {}),
            link=link,
            scope=scope,
            key=key,
            next_at=now,
            created_at=at or now,
        )
        for user in wanted
        if user not in known
    ]
    # Of two that tell the same news at once, the constraint lets one through.
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    refs = [row.ref for row in rows]
    wake(*Notice.objects.filter(ref__in=refs))
    return len(rows)


# --- Delivery ----------------------------------------------------------------------------


@handles(Notice)
def deliver_notice(notice: Notice) -> None:
    """Send one notice by e-mail, unless its reader lost access, or was told already, or it is old.

    A mail server takes a message for good, so a worker that dies between sending and writing it
    down sends again: the same Message-ID then lets mail programs show it once.
    """
    notice = Notice.objects.select_related("recipient", "artist__party").get(pk=notice.pk)
    if notice.emailed_at is None and not may_read(notice):
        notice.withheld_at = clock.now()
        _finish(notice, "withheld_at")
        return
    if notice.emailed_at is None and notice.created_at > clock.now() - NEWS_FOR:
        _send(notice)
        notice.emailed_at = clock.now()
    _finish(notice, "emailed_at")


def finish_old_news() -> int:
    """Finish without sending, in one statement, what is older than `NEWS_FOR`; returns how many.

    `deliver_notice` sends none of it either, one by one: this is for when a lot has piled up.
    """
    now = clock.now()
    return (
        Notice.due(now)
        .order_by()
        .filter(created_at__lte=now - NEWS_FOR)
        .update(state=WorkState.DONE, locked_until=None)
    )


def may_read(notice: Notice) -> bool:
    """Whether the recipient may, at this moment, still learn what the notice says."""
    if not notice.recipient.is_active:
        return False
    if notice.artist is None and notice.scope != Scope.MANAGE_LABEL:
        return True
    access = Access.of(notice.recipient)
    if notice.artist is None:
        return notice.params.get("label") in access.label_ids
    if notice.scope == Scope.MANAGE_LABEL:
        return access.artists_of_label().filter(pk=notice.artist.pk).exists()
    return access.may(notice.artist, Scope(notice.scope))


def _finish(notice: Notice, field: str) -> None:
    with transaction.atomic():
        notice.save(update_fields=[field])
        notice.finish()


def _send(notice: Notice) -> None:
    reader = notice.recipient
    with translation.override(reader.locale), timezone.override(reader.time_zone):
        told = render(notice, names_of([notice]))
        facts = {
            "told": told,
            "why": why(notice),
            "reader": reader,
            "site": settings.SITE_URL.rstrip("/"),
        }
        text = render_to_string("portal/email/notice.txt", facts)
        page = render_to_string("portal/email/notice.html", facts)
    message = EmailMultiAlternatives(
        subject=" ".join(told.title.split()),  # a line break in a name would forge a header
        body=text,
        to=[reader.email],
        headers={
            "Message-ID": f"<{notice.ref}@{domain_of_mails()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(page, "text/html")
    message.send()


def domain_of_mails() -> str:
    """What stands behind the @ of the ids of our mails."""
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
