"""Where AI companies are told, and every message that they are told with."""

import random
import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models import WorkRow
from consent.models.work import WorkState
from portal.models.client import ApiClient


class WebhookKind(models.TextChoices):
    """What an endpoint can be told about; the names are the `type` of a message."""

    PERMISSIONS_CHANGED = "permissions.changed", _("permissions changed")
    WITHDRAWAL_STARTED = "withdrawal.started", _("a yes was taken back")
    WITHDRAWAL_OVER = "withdrawal.over", _("what was taken back is allowed again")
    REQUEST_ANSWERED = "request.answered", _("a question was answered")
    PING = "ping", _("a trial message")


class WebhookEndpoint(models.Model):
    """An address of an AI company. `position` is how far of the ledger it has been told."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=30, choices=WebhookKind.choices))
    secret = models.BinaryField(editable=False, help_text=_("sealed"))
    old_secret = models.BinaryField(null=True, editable=False, help_text=_("sealed"))
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_because = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("webhook endpoint")
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["client", "url"],
                condition=Q(ended_at=None),
                name="a_client_has_each_webhook_once",
                violation_error_code="webhook_there",
                violation_error_message=_("This address is told already."),
            ),
            models.CheckConstraint(
                condition=Q(kinds__len__gt=0),
                name="a_webhook_is_told_something",
                violation_error_code="webhook_kinds",
                violation_error_message=_("Choose at least one kind of message."),
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookMessage(WorkRow):
    """One message to one endpoint. Its id and its exact text are the same at every attempt."""

    # With the first at once: ten attempts over three days, as Standard Webhooks proposes.
    PAUSES: ClassVar[tuple[timedelta, ...]] = (
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    )
    MAX_ATTEMPTS = 1 + len(PAUSES)
    LONGEST_PAUSE: ClassVar[timedelta] = timedelta(hours=24)

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="messages")
    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=30, choices=WebhookKind.choices)
    key = models.CharField(max_length=120, help_text=_("names the news, so that it is told once"))
    payload = models.TextField(help_text=_("the exact body"))
    status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("webhook message")
        ordering = ("-id",)
        indexes = [models.Index(fields=["endpoint", "-id"], name="messages_of_endpoint")]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "key"],
                name="an_endpoint_is_told_once",
                violation_error_code="webhook_message",
                violation_error_message=_("This was told already."),
            )
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """The `webhook-id`: the same at every attempt."""
        return f"msg_{self.ref.hex}"

    def fail(self, error: str, *, at: datetime, retry_after: timedelta | None = None) -> None:
        """End an attempt that failed; the next one comes after a longer pause, with jitter.

        `retry_after` is what the other side asked for; it lengthens the pause and never shortens
        it.
        """
        over = self.attempts >= self.MAX_ATTEMPTS
        self.state = WorkState.DEAD if over else WorkState.WAITING
        self.locked_until = None
        self.last_error = error[:2000]
        pause = self.PAUSES[min(max(self.attempts, 1), len(self.PAUSES)) - 1]
        pause *= random.uniform(0.8, 1.2)  # noqa: S311 — spreads load, hides nothing
        if retry_after is not None:
            pause = max(pause, min(retry_after, self.LONGEST_PAUSE))
        self.next_at = at + pause
        self.save(update_fields=["state", "locked_until", "last_error", "next_at", "status"])


class WebhookAttempt(models.Model):
    """One attempt to deliver a message, as the delivery log shows it."""

    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text=_("empty: no answer"))
    error = models.CharField(max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.status or self.error}"
