"""Where a client is told: endpoints, their secrets, and the log of what was sent."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import shapes
from portal.api.query import number_in, number_or_none, ref_of
from portal.api.views.base import MachineView, read, writes
from portal.queries.api import message_body, messages_of, webhook_body, webhooks_of
from portal.roles import ApiScope
from portal.services.idempotency import Answer
from portal.services.webhooks import (
    create_webhook,
    end_webhook,
    find_webhook,
    replay_message,
    rotate_secret,
    send_trial,
)

SHOWN_ONCE = "The secret is in this answer, and is never shown again."


class WebhooksView(MachineView):
    """The endpoints of a client."""

    scopes = {"GET": ApiScope.FOLLOW, "POST": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="list_webhooks",
        summary="Your webhooks",
        responses={200: shapes.Webhooks, **shapes.problems()},
        tags=["Webhooks"],
    )
    def get(self, request: Request) -> Response:
        """Those that are told now."""
        rows = webhooks_of(self.caller.client)
        return Response({"items": [webhook_body(row) for row in rows]})

    @extend_schema(
        operation_id="create_webhook",
        summary="Be told by webhook",
        description=(
            "Signed as Standard Webhooks has it; the `webhook-id` is the same at every attempt. "
            "Ten attempts over three days. The address begins with https:// and is on the public "
            f"internet; redirects are not followed. {SHOWN_ONCE}"
        ),
        request=shapes.NewWebhook,
        responses={201: shapes.WebhookSecret, **shapes.problems(409, 422)},
        tags=["Webhooks"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Make an endpoint."""
        new = read(shapes.NewWebhook, request.data)
        endpoint, secret = create_webhook(
            client=self.caller.client, url=new["url"], kinds=new["kinds"]
        )
        return Answer(201, {**webhook_body(endpoint), "secret": secret})


class WebhookView(MachineView):
    """One endpoint."""

    scopes = {"GET": ApiScope.FOLLOW, "DELETE": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="show_webhook",
        summary="One of your webhooks",
        responses={200: shapes.WebhookShape, **shapes.problems(404)},
        tags=["Webhooks"],
    )
    def get(self, request: Request, ref: str) -> Response:
        """One endpoint that is told."""
        found = find_webhook(client=self.caller.client, ref=ref_of(ref, code="unknown_webhook"))
        return Response(webhook_body(found))

    @extend_schema(
        operation_id="end_webhook",
        summary="Be told no more",
        description="Messages that wait are given up.",
        responses={200: shapes.WebhookShape, **shapes.problems(404)},
        tags=["Webhooks"],
    )
    @writes
    def delete(self, request: Request, ref: str) -> Answer:
        """End an endpoint."""
        ended = end_webhook(client=self.caller.client, ref=ref_of(ref, code="unknown_webhook"))
        return Answer(200, webhook_body(ended))


class RotateView(MachineView):
    """A new secret."""

    scopes = {"POST": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Take a new secret",
        description=f"For 24 hours messages carry both signatures. {SHOWN_ONCE}",
        request=None,
        responses={200: shapes.WebhookSecret, **shapes.problems(404)},
        tags=["Webhooks"],
    )
    @writes
    def post(self, request: Request, ref: str) -> Answer:
        """Rotate."""
        endpoint, secret = rotate_secret(
            client=self.caller.client, ref=ref_of(ref, code="unknown_webhook")
        )
        return Answer(200, {**webhook_body(endpoint), "secret": secret})


class TrialView(MachineView):
    """Does it arrive?"""

    scopes = {"POST": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="try_webhook",
        summary="Send a trial message",
        request=None,
        responses={202: shapes.MessageShape, **shapes.problems(404)},
        tags=["Webhooks"],
    )
    @writes
    def post(self, request: Request, ref: str) -> Answer:
        """Send a ping."""
        message = send_trial(client=self.caller.client, ref=ref_of(ref, code="unknown_webhook"))
        return Answer(202, message_body(message))


class MessagesView(MachineView):
    """The delivery log."""

    scopes = {"GET": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="webhook_messages",
        summary="What was sent, and what came of it",
        parameters=[
            OpenApiParameter("before", int, description="the `next` of the page before"),
            OpenApiParameter("limit", int, description="1 to 100, by default 50"),
        ],
        responses={200: shapes.Messages, **shapes.problems(404, 422)},
        tags=["Webhooks"],
    )
    def get(self, request: Request, ref: str) -> Response:
        """One page, the newest first."""
        most = number_in(request, "limit", default=50, least=1, most=100)
        endpoint = find_webhook(
            client=self.caller.client,
            ref=ref_of(ref, code="unknown_webhook"),
            ended=True,
        )
        rows = messages_of(endpoint, before=number_or_none(request, "before"), most=most)
        last = str(rows[-1].pk) if len(rows) == most else None
        return Response({"items": [message_body(row) for row in rows], "next": last})


class ReplayMessageView(MachineView):
    """Once more."""

    scopes = {"POST": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="replay_webhook_message",
        summary="Deliver a message again",
        description="With the same id and the same text.",
        request=None,
        responses={202: shapes.MessageShape, **shapes.problems(404, 422)},
        tags=["Webhooks"],
    )
    @writes
    def post(self, request: Request, ref: str) -> Answer:
        """Replay one message."""
        message = replay_message(client=self.caller.client, ref=ref_of(ref, code="unknown_message"))
        return Answer(202, message_body(message))
