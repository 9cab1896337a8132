"""Telling AI companies by e-mail what no webhook tells them: each thing once, many in one mail.

Who has a webhook that may still deliver is told by it. Everybody else is written to at the contact
address of the company: what must stop and what may go on again, what was answered, that somebody
objects to a licence. What waits for the next mail is a row, and so is each mail, tried again until
it was sent or given up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Exists, F, OuterRef, TextField, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from consent import clock
from consent.errors import NotFound
from consent.models import (
    AICompany,
    Artist,
    Licence,
    PermissionRequest,
    Withdrawal,
    WorkState,
)
from consent.queries.requests import BatchState, batch_status
from consent.services.work import handles, wake
from portal.models import (
    CompanyMail,
    CompanyNews,
    CompanyNewsKind,
    WebhookEndpoint,
    WebhookKind,
    WebhookMessage,
)
from portal.queries.api import request_body, withdrawal_body
from portal.queries.withdrawals import begins_at, hooks_that_may_tell
from portal.services.notices import NEWS_FOR, domain_of_mails
from portal.services.webhooks import in_full, over_key
from portal.words import USE_WORDS

LANGUAGE: Final = "en"
"""Companies are spoken to as their machines are: in one language, with times in UTC."""

AT_MOST_EVERY: Final = timedelta(minutes=15)
"""The first news is sent at once; what comes after it is gathered for so long."""

IN_ONE_MAIL: Final = 100
AT_ONCE: Final = 2_000


class NoAddress(Exception):
    """The contact address was taken away before the mail was sent."""


@transaction.atomic
def note_objection(*, licence: Licence, artist: Artist, uses: Iterable[str], news: str) -> None:
    """Let the company of a licence that does without this artist know that she says no.

    Call it where the holder of the licence is told; `news` is the key of what is told there.
    There is no webhook for it, so who has a contact address is written to.
    """
    company = licence.company
    if company.contact:
        about = {"licence": str(licence.ref), "uses": sorted(map(str, uses))}
        _note(company, CompanyNewsKind.OBJECTION, [(f"{news} {artist.pk}", about, None)])


def write_company_mails() -> int:
    """Write the mails that are due, for all companies; returns how many. For a clock."""
    since = clock.now() - NEWS_FOR
    mine = OuterRef("pk")
    withdrawn = Withdrawal.objects.filter(company=mine)
    something = AICompany.objects.exclude(contact="").filter(
        Exists(CompanyNews.objects.filter(company=mine, mail=None))
        | Exists(withdrawn.filter(told_at=None, acknowledged_at=None, over_at=None))
        | Exists(withdrawn.filter(over_at__gte=since))
        | Exists(PermissionRequest.objects.filter(tool__company=mine, answered_at__gte=since))
    )
    return sum(_write(pk) for pk in something.values_list("pk", flat=True))


@transaction.atomic
def _write(pk: int) -> int:
    company = (
        AICompany.objects.select_for_update(of=("self",), skip_locked=True)
        .exclude(contact="")
        .filter(pk=pk)
        .first()
    )
    if company is None:
        return 0
    _note_withdrawals(company)
    _note_overs(company)
    _note_answers(company)
    now = clock.now()
    waiting = list(CompanyNews.objects.filter(company=company, mail=None).order_by("pk"))
    recent = CompanyMail.objects.filter(company=company, created_at__gt=now - AT_MOST_EVERY)
    if not waiting or recent.exists():
        return 0
    mails = []
    for start in range(0, len(waiting), IN_ONE_MAIL):
        mail = CompanyMail.objects.create(company=company, next_at=now, created_at=now)
        some = [one.pk for one in waiting[start : start + IN_ONE_MAIL]]
        CompanyNews.objects.filter(pk__in=some).update(mail=mail)
        mails.append(mail)
    wake(*mails)
    return len(mails)


def _note_withdrawals(company: AICompany) -> None:
    noted = CompanyNews.objects.filter(withdrawal=OuterRef("pk"))
    untold = Withdrawal.objects.filter(
        company=company, told_at=None, acknowledged_at=None, over_at=None
    )
    untold = untold.filter(~Exists(noted), ~Exists(hooks_that_may_tell())).order_by("pk")
    _note(
        company,
        CompanyNewsKind.WITHDRAWAL,
        [(f"withdrawal {row.ref}", {}, row) for row in untold[:AT_ONCE]],
    )


def _note_overs(company: AICompany) -> None:
    """What it was told to stop, by whatever way, and may go on with; unless a webhook says so."""
    since = clock.now() - NEWS_FOR
    noted = CompanyNews.objects.filter(company=company, key=_key_of_over(OuterRef("ref")))
    given_up = WebhookMessage.objects.filter(
        endpoint=OuterRef("pk"), key=_key_of_over(OuterRef(OuterRef("ref"))), state=WorkState.DEAD
    )
    hooks = WebhookEndpoint.objects.filter(
        client__company=company,
        ended_at=None,
        kinds__contains=[WebhookKind.WITHDRAWAL_OVER],
        created_at__lte=OuterRef("over_at"),
    ).filter(~Exists(given_up))
    rows = Withdrawal.objects.filter(
        company=company, over_at__gte=since, told_at__lte=F("over_at")
    ).filter(~Exists(noted), ~Exists(hooks))
    _note(
        company,
        CompanyNewsKind.OVER,
        [
            (over_key(row), {"withdrawal": str(row.ref)}, None)
            for row in rows.order_by("pk")[:AT_ONCE]
        ],
    )


def _key_of_over(ref: OuterRef) -> Concat:
    """As `over_key`, of the withdrawal whose `ref` it is given."""
    text = TextField()
    return Concat(Value("withdrawal "), Cast(ref, text), Value(" over"), output_field=text)


def _note_answers(company: AICompany) -> None:
    """Questions that were answered lately; a webhook that has them, or still may, says them."""
    since = clock.now() - NEWS_FOR
    asked = PermissionRequest.objects.filter(tool__company=company, answered_at__gte=since)
    batches = set(asked.values_list("batch", flat=True).order_by())
    keys = {f"request {batch}": batch for batch in batches}
    known = set(
        CompanyNews.objects.filter(company=company, key__in=keys).values_list("key", flat=True)
    )
    hooks = WebhookEndpoint.objects.filter(
        client__company=company, ended_at=None, kinds__contains=[WebhookKind.REQUEST_ANSWERED]
    )
    since_when = dict(hooks.values_list("pk", "created_at"))
    told = WebhookMessage.objects.filter(endpoint__client__company=company, key__in=keys)
    delivered = set(told.exclude(delivered_at=None).values_list("key", flat=True))
    given_up = set(told.filter(state=WorkState.DEAD).values_list("key", "endpoint"))
    found: list[tuple[str, dict[str, Any], None]] = []
    for key in keys.keys() - known - delivered:
        status = batch_status(company, keys[key])
        if status.answered_at is None:
            continue
        by_webhook = any(
            begun <= status.answered_at and (key, hook) not in given_up
            for hook, begun in since_when.items()
        )
        if not by_webhook:
            found.append((key, {"request": str(keys[key])}, None))
    _note(company, CompanyNewsKind.ANSWER, found)


def _note(
    company: AICompany,
    kind: CompanyNewsKind,
    found: Iterable[tuple[str, Mapping[str, Any], Withdrawal | None]],
) -> None:
    """Write down what is to be told: of each its key, the facts, and the withdrawal that it is."""
    now = clock.now()
    rows = [
        CompanyNews(
            company=company,
            kind=kind,
            key=key,
            about=dict(about),
            withdrawal=withdrawal,
            created_at=now,
        )
        for key, about, withdrawal in found
    ]
    CompanyNews.objects.bulk_create(rows, ignore_conflicts=True)


# --- Delivery ----------------------------------------------------------------------------


@handles(CompanyMail)
def deliver_company_mail(mail: CompanyMail) -> None:
    """Send one mail: of what it is to say, what is still news; where nothing is, nothing is sent.

    A mail server takes a message for good, so a worker that dies between sending and writing it
    down sends again: the same Message-ID then lets mail programs show it once. Raises `NoAddress`.
    """
    mail = CompanyMail.objects.select_related("company__party").get(pk=mail.pk)
    news = list(
        mail.news.select_related(
            "withdrawal__permission__recording",
            "withdrawal__permission__tool",
            "withdrawal__permission__act",
            "withdrawal__artist__party",
            "withdrawal__model_version__tool",
        )
    )
    stops = [
        one.withdrawal
        for one in news
        if one.withdrawal is not None
        and one.withdrawal.acknowledged_at is None
        and one.withdrawal.over_at is None
    ]
    overs = list(
        in_full(
            Withdrawal.objects.filter(
                ref__in=[
                    one.about["withdrawal"] for one in news if one.kind == CompanyNewsKind.OVER
                ]
            )
        ).order_by("pk")
    )
    answers = _answers(mail.company, news)
    fresh = clock.now() - NEWS_FOR
    objections = _objections(
        one.about
        for one in news
        if one.kind == CompanyNewsKind.OBJECTION and one.created_at > fresh
    )
    if mail.sent_at is None and (stops or overs or answers or objections):
        if not mail.company.contact:
            raise NoAddress("the company has no contact address any more")
        _send(mail, stops, overs, answers, objections)
        mail.address, mail.sent_at = mail.company.contact, clock.now()
    with transaction.atomic():
        mail.save(update_fields=["address", "sent_at"])
        if mail.sent_at is not None:
            told = Withdrawal.objects.filter(pk__in=[row.pk for row in stops], told_at=None)
            told.update(told_at=mail.sent_at)
        mail.finish()


def _objections(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By licence, all uses that are objected to: who objects, and how many, is not said."""
    uses: dict[str, set[str]] = {}
    for about in found:
        uses.setdefault(about["licence"], set()).update(about["uses"])
    named = {
        str(one.ref): one
        for one in Licence.objects.filter(ref__in=list(uses)).select_related("holder")
    }
    return [
        {
            "licence": licence,
            "title": named[licence].title,
            "holder": named[licence].holder.name,
            "uses": [_use(code) for code in sorted(of_it)],
        }
        for licence, of_it in uses.items()
        if licence in named
    ]


def _answers(company: AICompany, news: Iterable[CompanyNews]) -> list[dict[str, Any]]:
    found = []
    for one in news:
        if one.kind != CompanyNewsKind.ANSWER:
            continue
        try:
            status = batch_status(company, UUID(one.about["request"]))
        except NotFound:
            continue
        found.append(
            request_body(status)
            | {"what": _use(status.use), "granted": status.state is BatchState.GRANTED}
        )
    return found


def _send(
    mail: CompanyMail,
    stops: Sequence[Withdrawal],
    overs: Sequence[Withdrawal],
    answers: Sequence[Mapping[str, Any]],
    objections: Sequence[Mapping[str, Any]],
) -> None:
    with translation.override(LANGUAGE), timezone.override(UTC):
        subject = _subject(stops, overs, answers, objections)
        facts = {
            "title": subject,
            "first_by": _minute(min(row.acknowledge_by for row in stops)) if stops else "",
            "contact": settings.LEDGER_OPERATOR["contact"],
            "company": mail.company.party.name,
            "address": mail.company.contact,
            "stops": [_stop(row) for row in stops],
            "overs": [_over(row) for row in overs],
            "answers": answers,
            "objections": objections,
            "api": f"{settings.SITE_URL.rstrip('/')}/api/v1",
            "site": settings.SITE_URL.rstrip("/"),
        }
        text = render_to_string("portal/email/company.txt", facts).lstrip()
        page = render_to_string("portal/email/company.html", facts)
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[mail.company.contact],
        headers={
            "Message-ID": f"<{mail.ref}@{domain_of_mails()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(page, "text/html")
    message.send()


def _subject(
    stops: Sequence[Withdrawal],
    overs: Sequence[Withdrawal],
    answers: Sequence[Any],
    objections: Sequence[Any],
) -> str:
    if stops:
        words = ngettext(
            "%(n)s use must stop: confirm by %(day)s",
            "%(n)s uses must stop: confirm by %(day)s",
            len(stops),
        )
        first = min(row.acknowledge_by for row in stops)
        return words % {"n": len(stops), "day": f"{first:%Y-%m-%d}"}
    if overs:
        words = ngettext(
            "%(n)s use may go on: it is allowed again",
            "%(n)s uses may go on: they are allowed again",
            len(overs),
        )
        return words % {"n": len(overs)}
    if answers:
        words = ngettext(
            "A question of yours was answered",
            "%(n)s questions of yours were answered",
            len(answers),
        )
        return words % {"n": len(answers)}
    words = ngettext(
        "An artist objects to a licence of yours",
        "Artists object to %(n)s licences of yours",
        len(objections),
    )
    return words % {"n": len(objections)}


def _stop(row: Withdrawal) -> dict[str, Any]:
    """A withdrawal as the mail says it: what the API says, and its times in words."""
    body = withdrawal_body(row)
    began = begins_at(row)
    return body | {
        "what": _use(body["use"]),
        "by": _by(row),
        "title": _title(row),
        "began": _minute(began),
        "runs_off": row.outputs_until > began,
        "outputs_end": _minute(row.outputs_until),
        "confirm_by": _minute(row.acknowledge_by),
    }


def _over(row: Withdrawal) -> dict[str, Any]:
    """A withdrawal that is over, as the mail says it."""
    assert row.over_at is not None
    body = withdrawal_body(row)
    return body | {
        "what": _use(body["use"]),
        "by": _by(row),
        "title": _title(row),
        "since": _minute(row.over_at),
    }


def _use(code: str) -> str:
    """A use kind in words, and as the API calls it."""
    return f"{USE_WORDS[code]} ({code})"


def _by(row: Withdrawal) -> str:
    """The tool by its name and as the API calls it, and the version of its model."""
    model = row.model_version
    tool = model.tool if model else row.permission.tool
    if tool is None:
        return ""
    named = f"{tool.name} ({tool.slug})" if tool.name != tool.slug else tool.name
    return f"{named} {model.name}" if model and model.name else named


def _title(row: Withdrawal) -> str:
    recording = row.permission.recording
    return recording.title if recording else ""


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
