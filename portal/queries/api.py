"""What AI companies may read of their own, as JSON: the API and the webhooks say the same."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from consent.models import AICompany, Withdrawal
from consent.queries.changes import Change
from consent.queries.requests import BatchStatus
from portal.models import WebhookEndpoint, WebhookMessage
from portal.queries.withdrawals import begins_at, recordings_concerned


def moment(at: datetime) -> str:
    """A UTC moment as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_or_none(at: datetime | None) -> str | None:
    """A UTC moment as the API writes it, where there is one."""
    return None if at is None else moment(at)


def change_body(change: Change) -> dict[str, Any]:
    """A change, as the feed and the webhook say it."""
    return {
        "seq": change.seq,
        "at": moment(change.at),
        "kind": change.kind,
        "about": dict(change.about),
    }


def request_body(status: BatchStatus) -> dict[str, Any]:
    """A question as its company sees it: the combined answer, never who was asked."""
    return {
        "request": str(status.batch),
        "state": str(status.state),
        "tool": status.tool,
        "use": status.use,
        "isrc": status.isrc or None,
        "valid_from": moment_or_none(status.valid_from),
        "valid_until": moment_or_none(status.valid_until),
        "asked_at": moment(status.asked_at),
        "answered_at": moment_or_none(status.answered_at),
    }


def withdrawals_for(
    company: AICompany,
    *,
    before: int | None = None,
    most: int = 100,
    open_only: bool = False,
    over_only: bool = False,
) -> Sequence[Withdrawal]:
    """What this company was told to stop, the newest first; `before` is the last id seen.

    Open is what waits to be confirmed and is not over.
    """
    rows = (
        Withdrawal.objects.filter(company=company)
        .select_related(
            "permission__recording",
            "permission__tool",
            "permission__act",
            "artist__party",
            "model_version__tool",
        )
        .order_by("-id")
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if open_only:
        rows = rows.filter(acknowledged_at=None, over_at=None)
    if over_only:
        rows = rows.exclude(over_at=None)
    return list(rows[:most])


def withdrawal_body(row: Withdrawal) -> dict[str, Any]:
    """What must stop, and by when.

    The artist by her pseudonym where it is all work of hers, as in the feed. Of a recording she may
    be one of several who have a say, and which of them said no is not told (`consent.discretion`).
    """
    permission, model = row.permission, row.model_version
    recordings = recordings_concerned(permission)
    tool = model.tool if model else permission.tool
    return {
        "withdrawal": str(row.ref),
        "state": state_of(row),
        "use": permission.use,
        "isrc": permission.recording.isrc if permission.recording and recordings == 1 else None,
        "recordings": recordings,
        "territories": permission.territories,
        "artist": str(row.artist.party.ref) if recordings is None else None,
        "tool": tool.slug if tool else None,
        "model_version": str(model.ref) if model else None,
        "model_name": model.name if model else None,
        "already_trained": row.already_trained,
        "outputs_until": moment(row.outputs_until),
        "acknowledge_by": moment(row.acknowledge_by),
        "acknowledged_at": moment_or_none(row.acknowledged_at),
        "began_at": moment(begins_at(row)),
        "over_at": moment_or_none(row.over_at),
    }


def state_of(row: Withdrawal) -> str:
    """`over` (all that it took is allowed again), `acknowledged`, or `open`."""
    if row.over_at is not None:
        return "over"
    return "open" if row.acknowledged_at is None else "acknowledged"


def webhooks_of(client: int) -> QuerySet[WebhookEndpoint]:
    """The endpoints of a client that are told, the newest first."""
    return WebhookEndpoint.objects.filter(client=client, ended_at=None)


def webhook_body(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint, without its secret."""
    return {
        "webhook": str(endpoint.ref),
        "url": endpoint.url,
        "kinds": endpoint.kinds,
        "position": endpoint.position,
        "created_at": moment(endpoint.created_at),
    }


def messages_of(
    endpoint: WebhookEndpoint, *, before: int | None = None, most: int = 50
) -> list[WebhookMessage]:
    """The delivery log of an endpoint, the newest message first, with its attempts."""
    rows = WebhookMessage.objects.filter(endpoint=endpoint).prefetch_related("log").order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[:most])


def message_body(message: WebhookMessage) -> dict[str, Any]:
    """A message with its attempts, without its text."""
    return {
        "message": str(message.ref),
        "id": message.message_id,
        "kind": message.kind,
        "state": message.state,
        "created_at": moment(message.created_at),
        "delivered_at": moment_or_none(message.delivered_at),
        "next_at": moment(message.next_at) if message.state == "waiting" else None,
        "attempts": [
            {
                "at": moment(one.at),
                "status": one.status,
                "error": one.error,
                "milliseconds": one.milliseconds,
            }
            for one in message.log.all()
        ],
    }
