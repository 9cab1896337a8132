"""Telling AI companies by webhook: signed (Standard Webhooks), each message once, in rows.

What is told is taken from the ledger: an endpoint has a position in it, and moving on commits
together with the messages. A message keeps its id and its text through all its attempts, so that
who receives it twice can tell.
"""

import json
import os
import time
import uuid
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _
from standardwebhooks.webhooks import Webhook

from consent import clock
from consent.errors import NotFound, Refused, refused_by
from consent.models import AICompany, PermissionRequest, Withdrawal
from consent.models.work import WorkState
from consent.queries.changes import Changes, changes_for
from consent.queries.ledger import head
from consent.queries.requests import BatchState, batch_status
from consent.services.work import handles, wake
from portal.models import (
    ApiClient,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookKind,
    WebhookMessage,
)
from portal.queries.api import change_body, request_body, withdrawal_body
from portal.services.outbound import NotSent, check_address, post
from portal.services.sealed import seal, unseal

PURPOSE: Final = "webhook secrets"
SECRET_BYTES: Final = 32
OLD_SECRET_FOR: Final = timedelta(hours=24)
MOST_ENDPOINTS: Final = 10
CHANGES_AT_ONCE: Final = 100
GONE: Final = 410
ANSWERS_FOR: Final = timedelta(days=7)
"""How long back an endpoint is told of answers that it was not told of yet."""

TOLD: Final = (
    WebhookKind.PERMISSIONS_CHANGED,
    WebhookKind.WITHDRAWAL_STARTED,
    WebhookKind.WITHDRAWAL_OVER,
    WebhookKind.REQUEST_ANSWERED,
)


@transaction.atomic
def create_webhook(
    *, client: int, url: str, kinds: Iterable[str] = ()
) -> tuple[WebhookEndpoint, str]:
    """Tell `client` at `url` from now on; returns the endpoint and its secret, shown once.

    Without `kinds` about everything. Withdrawals that were not confirmed yet, and are not over,
    are told at once.
    Raises `Refused`: `webhook_url`, `webhook_there`, `too_many_webhooks`, or the kind that there
    is not.
    """
    check_address(url)
    owner = (
        ApiClient.objects.select_for_update(of=("self",))
        .select_related("company__party")
        .get(pk=client)
    )
    live = WebhookEndpoint.objects.filter(client=owner, ended_at=None)
    if live.count() >= MOST_ENDPOINTS:
        raise Refused("too_many_webhooks", _("A client has at most ten webhooks."))
    ref = uuid.uuid4()
    secret = os.urandom(SECRET_BYTES)
    endpoint = WebhookEndpoint(
        ref=ref,
        client=owner,
        url=url,
        kinds=sorted(set(kinds)) or [str(kind) for kind in TOLD],
        secret=_seal(ref, secret),
        position=head(),
        created_at=clock.now(),
    )
    try:
        endpoint.full_clean()
    except ValidationError as error:
        raise refused_by(error) from error
    endpoint.save()
    for withdrawal in _unconfirmed(owner.company):
        _tell_of_withdrawal([endpoint], withdrawal)
    return endpoint, _shown(secret)


@transaction.atomic
def rotate_secret(*, client: int, ref: uuid.UUID) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret, shown once; for 24 hours messages carry both signatures.

    Raises `NotFound` (`unknown_webhook`) for an endpoint that is not this client's.
    """
    endpoint = _locked(client, ref)
    secret = os.urandom(SECRET_BYTES)
    endpoint.old_secret = endpoint.secret
    endpoint.old_secret_until = clock.now() + OLD_SECRET_FOR
    endpoint.secret = _seal(endpoint.ref, secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return endpoint, _shown(secret)


@transaction.atomic
def end_webhook(*, client: int, ref: uuid.UUID, because: str = "") -> WebhookEndpoint:
    """Tell this address no more; messages that wait are given up. A second time changes nothing.

    Raises `NotFound` (`unknown_webhook`).
    """
    endpoint = _locked(client, ref, ended=True)
    _end(endpoint, because)
    return endpoint


@transaction.atomic
def send_trial(*, client: int, ref: uuid.UUID) -> WebhookMessage:
    """Send a message that says nothing, to see whether it arrives. Raises `NotFound`."""
    endpoint = _locked(client, ref)
    return _write(endpoint, WebhookKind.PING, f"ping {uuid.uuid4()}", {"hello": "from Liner Notes"})


@transaction.atomic
def replay_message(*, client: int, ref: uuid.UUID) -> WebhookMessage:
    """Deliver a message again, with the same id and text, whatever became of it before.

    Raises `NotFound` (`unknown_message`), or `Refused` (`webhook_ended`).
    """
    message = (
        WebhookMessage.objects.select_for_update(of=("self",))
        .select_related("endpoint")
        .filter(ref=ref, endpoint__client=client)
        .first()
    )
    if message is None:
        raise NotFound("unknown_message", _("There is no such message of yours."))
    if message.endpoint.ended_at is not None:
        raise Refused("webhook_ended", _("This webhook has ended. Make a new one."))
    message.state, message.attempts, message.next_at = WorkState.WAITING, 0, clock.now()
    message.locked_until = None
    message.save(update_fields=["state", "attempts", "next_at", "locked_until"])
    wake(message)
    return message


def find_webhook(*, client: int, ref: uuid.UUID, ended: bool = False) -> WebhookEndpoint:
    """An endpoint of this client; `ended` ones too, if asked. Raises `NotFound`."""
    rows = WebhookEndpoint.objects.filter(client=client, ref=ref)
    endpoint = (rows if ended else rows.filter(ended_at=None)).first()
    if endpoint is None:
        raise NotFound("unknown_webhook", _("There is no such webhook of yours."))
    return endpoint


def note_told(withdrawals: Iterable[Withdrawal]) -> None:
    """Write down that a company has read of these withdrawals, where it was not told before."""
    untold = [row.pk for row in withdrawals if row.told_at is None]
    if untold:
        Withdrawal.objects.filter(pk__in=untold, told_at=None).update(told_at=clock.now())


# What is told


def tell_webhooks() -> int:
    """Write the messages that are due, for all endpoints; returns how many. For a clock."""
    written = 0
    for pk in WebhookEndpoint.objects.filter(ended_at=None).values_list("pk", flat=True):
        while True:
            told, more = _tell(pk)
            written += told
            if not more:
                break
    return written


@transaction.atomic
def _tell(pk: int) -> tuple[int, bool]:
    endpoint = (
        WebhookEndpoint.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("client__company__party")
        .filter(pk=pk, ended_at=None)
        .first()
    )
    if endpoint is None:
        return 0, False
    written = 0
    found = changes_for(endpoint.client.company, after=endpoint.position, most=CHANGES_AT_ONCE)
    if found.changes and WebhookKind.PERMISSIONS_CHANGED in endpoint.kinds:
        _write(
            endpoint,
            WebhookKind.PERMISSIONS_CHANGED,
            f"changes {found.after}-{found.until}",
            changes_body(found),
        )
        written += 1
    if found.until != endpoint.position:
        endpoint.position = found.until
        endpoint.save(update_fields=["position"])
    if WebhookKind.REQUEST_ANSWERED in endpoint.kinds:
        written += _tell_of_answers(endpoint)
    if WebhookKind.WITHDRAWAL_OVER in endpoint.kinds:
        written += _tell_of_overs(endpoint)
    return written, found.until < found.head


def changes_body(found: Changes) -> dict[str, Any]:
    """A page of changes, as the feed and the webhook say it."""
    return {
        "after": found.after,
        "until": found.until,
        "head": found.head,
        "changes": [change_body(change) for change in found.changes],
    }


def _tell_of_answers(endpoint: WebhookEndpoint) -> int:
    company = endpoint.client.company
    since = max(endpoint.created_at, clock.now() - ANSWERS_FOR)
    batches = (
        PermissionRequest.objects.filter(tool__company=company, answered_at__gte=since)
        .values_list("batch", flat=True)
        .distinct()
    )
    told = set(
        endpoint.messages.filter(kind=WebhookKind.REQUEST_ANSWERED).values_list("key", flat=True)
    )
    written = 0
    for batch in batches:
        if f"request {batch}" in told:
            continue
        status = batch_status(company, batch)
        if status.state in (BatchState.GRANTED, BatchState.REFUSED):
            _write(endpoint, WebhookKind.REQUEST_ANSWERED, f"request {batch}", request_body(status))
            written += 1
    return written


def _tell_of_overs(endpoint: WebhookEndpoint) -> int:
    """Tell that it may go on, where the company was told to stop, or may have been."""
    since = max(endpoint.created_at, clock.now() - ANSWERS_FOR)
    ref, text = Cast(OuterRef("ref"), TextField()), TextField()
    started = Concat(Value("withdrawal "), ref, output_field=text)
    over = Concat(Value("withdrawal "), ref, Value(" over"), output_field=text)
    sent = endpoint.messages.filter(key=started, log__isnull=False)
    known = endpoint.messages.filter(key=over)
    rows = (
        in_full(Withdrawal.objects.filter(company=endpoint.client.company, over_at__gte=since))
        .filter(Q(told_at__lte=F("over_at")) | Exists(sent), ~Exists(known))
        .order_by("pk")
    )
    found = list(rows[:CHANGES_AT_ONCE])
    for row in found:
        _write(endpoint, WebhookKind.WITHDRAWAL_OVER, over_key(row), withdrawal_body(row))
    return len(found)


def over_key(row: Withdrawal) -> str:
    """The key of the news that a withdrawal is over."""
    return f"withdrawal {row.ref} over"


@handles(Withdrawal)
def tell_of_withdrawal(row: Withdrawal) -> None:
    """Tell the company that a yes was taken back. Without a webhook its list tells it.

    What is over before anybody was told is not told any more.
    """
    if row.over_at is not None:
        row.finish()
        return
    with transaction.atomic():
        endpoints = WebhookEndpoint.objects.filter(
            client__company=row.company_id,
            ended_at=None,
            kinds__contains=[WebhookKind.WITHDRAWAL_STARTED],
        )
        [full] = _unconfirmed(row.company, only=row.pk) or [row]
        _tell_of_withdrawal(endpoints, full)
        row.finish()


def _unconfirmed(company: AICompany, only: int | None = None) -> list[Withdrawal]:
    rows = in_full(Withdrawal.objects.filter(company=company))
    if only is None:
        rows = rows.filter(acknowledged_at=None, over_at=None)
    else:
        rows = rows.filter(pk=only)
    return list(rows.order_by("pk"))


def in_full(rows: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
    """With everything that a message says of them."""
    return rows.select_related(
        "permission__recording",
        "permission__tool",
        "permission__act",
        "artist__party",
        "model_version__tool",
    )


def _tell_of_withdrawal(endpoints: Iterable[WebhookEndpoint], withdrawal: Withdrawal) -> None:
    for endpoint in endpoints:
        if WebhookKind.WITHDRAWAL_STARTED in endpoint.kinds:
            _write(
                endpoint,
                WebhookKind.WITHDRAWAL_STARTED,
                f"withdrawal {withdrawal.ref}",
                withdrawal_body(withdrawal),
            )


def _write(
    endpoint: WebhookEndpoint, kind: str, key: str, data: Mapping[str, Any]
) -> WebhookMessage:
    at = clock.now()
    payload = json.dumps(
        {"type": str(kind), "timestamp": at.isoformat(), "data": data},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    message, created = WebhookMessage.objects.get_or_create(
        endpoint=endpoint,
        key=key,
        defaults={"kind": kind, "payload": payload, "next_at": at, "created_at": at},
    )
    if created:
        wake(message)
    return message


# How it is delivered


@handles(WebhookMessage)
def deliver(row: WebhookMessage) -> None:
    """One attempt at one message, logged whatever comes of it."""
    endpoint = row.endpoint
    if endpoint.ended_at is not None:
        _give_up(row, "the webhook has ended")
        return
    if _is_over(row):
        _give_up(row, "it was over before it was told")
        return
    began = time.monotonic()
    status, error, wait = None, "", 0
    try:
        reply = post(endpoint.url, row.payload.encode(), headers_of(row))
    except NotSent as failed:
        error = str(failed)
    else:
        status, wait = reply.status, reply.retry_after
        if not 200 <= status < 300:
            error = f"the other side said {status}"
    _log(row, status, error, began)
    with transaction.atomic():
        row.status = status
        if not error:
            row.delivered_at = clock.now()
            row.save(update_fields=["status", "delivered_at"])
            row.finish()
            _told(row)
        elif status == GONE:
            _end(endpoint, "the other side said 410: it is gone for good")
            _give_up(row, error)
        else:
            row.fail(error, at=clock.now(), retry_after=timedelta(seconds=wait))


def _is_over(row: WebhookMessage) -> bool:
    """Would it tell to stop for the first time, when nothing has to stop any more?"""
    if row.kind != WebhookKind.WITHDRAWAL_STARTED or row.attempts > 1 or row.delivered_at:
        return False
    over = Withdrawal.objects.filter(ref=row.key.split()[1], over_at__isnull=False)
    return over.exists() and not row.log.exists()


def headers_of(row: WebhookMessage, at: datetime | None = None) -> dict[str, str]:
    """The headers of a message sent at `at` (UTC; None: now), with one signature per secret."""
    sent = at or clock.now()
    endpoint = row.endpoint
    secrets = [bytes(endpoint.secret)]
    if endpoint.old_secret is not None and (
        endpoint.old_secret_until is None or endpoint.old_secret_until > sent
    ):
        secrets.append(bytes(endpoint.old_secret))
    signatures = [
        Webhook(unseal(PURPOSE, endpoint.ref.bytes, sealed)).sign(row.message_id, sent, row.payload)
        for sealed in secrets
    ]
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Liner-Notes-Webhooks/1",
        "webhook-id": row.message_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _told(row: WebhookMessage) -> None:
    if row.kind == WebhookKind.WITHDRAWAL_STARTED:
        Withdrawal.objects.filter(ref=row.key.split()[1], told_at=None).update(
            told_at=row.delivered_at
        )


def _log(row: WebhookMessage, status: int | None, error: str, began: float) -> None:
    WebhookAttempt.objects.create(
        message=row,
        at=clock.now(),
        status=status,
        error=error[:300],
        milliseconds=int((time.monotonic() - began) * 1000),
    )


def _give_up(row: WebhookMessage, error: str) -> None:
    row.state, row.locked_until, row.last_error = WorkState.DEAD, None, error
    row.save(update_fields=["state", "locked_until", "last_error", "status"])


def _end(endpoint: WebhookEndpoint, because: str) -> None:
    if endpoint.ended_at is not None:
        return
    endpoint.ended_at, endpoint.ended_because = clock.now(), because[:200]
    endpoint.save(update_fields=["ended_at", "ended_because"])
    endpoint.messages.filter(state=WorkState.WAITING).update(
        state=WorkState.DEAD, last_error="the webhook has ended"
    )


def _locked(client: int, ref: uuid.UUID, *, ended: bool = False) -> WebhookEndpoint:
    found = find_webhook(client=client, ref=ref, ended=ended)
    return WebhookEndpoint.objects.select_for_update().get(pk=found.pk)


def _seal(ref: uuid.UUID, secret: bytes) -> bytes:
    return seal(PURPOSE, ref.bytes, secret)


def _shown(secret: bytes) -> str:
    return f"whsec_{b64encode(secret).decode()}"
