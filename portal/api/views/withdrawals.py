"""What must stop because a yes was taken back; and confirming that it has."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent.errors import Refused
from consent.services.withdrawals import acknowledge_withdrawal
from portal.api import shapes
from portal.api.query import number_in, number_or_none, ref_of, text_in
from portal.api.views.base import MachineView, writes
from portal.queries.api import withdrawal_body, withdrawals_for
from portal.roles import ApiScope
from portal.services.idempotency import Answer
from portal.services.webhooks import note_told


class WithdrawalsView(MachineView):
    """The withdrawals that concern a company."""

    scopes = {"GET": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="list_withdrawals",
        summary="What must stop",
        description=(
            "The newest first: what you might do before a no, and may not after it. It holds from "
            "`began_at` on, which may be a later day. What a model version has learned is not "
            "undone; the next version learns without it, and outputs of this one end at "
            "`outputs_until`. Confirm each by `acknowledge_by`: who has not is shown to the artist "
            "as overdue. Who has neither a webhook for it nor read this list is told by e-mail, at "
            "the company's contact address. Once everything that a no took is allowed again, it is "
            "`over` since `over_at`: it is open and overdue no more, and you may go on. Where only "
            "a part is allowed again it stays open; decisions say which part."
        ),
        parameters=[
            OpenApiParameter("state", str, enum=["open", "over", "all"]),
            OpenApiParameter("before", int, description="the `next` of the page before"),
            OpenApiParameter("limit", int, description="1 to 500, by default 100"),
        ],
        responses={200: shapes.Withdrawals, **shapes.problems(422)},
        tags=["Following"],
    )
    def get(self, request: Request) -> Response:
        """One page."""
        state = text_in(request, "state") or "all"
        if state not in ("open", "over", "all"):
            raise Refused("query", _("“state” is open, over, or all."), field="state")
        most = number_in(request, "limit", default=100, least=1, most=500)
        rows = withdrawals_for(
            self.caller.company,
            before=number_or_none(request, "before"),
            most=most,
            open_only=state == "open",
            over_only=state == "over",
        )
        if not self.caller.sandbox:
            note_told(rows)
        last = str(rows[-1].pk) if len(rows) == most else None
        return Response({"items": [withdrawal_body(row) for row in rows], "next": last})


class AcknowledgeView(MachineView):
    """It has stopped."""

    scopes = {"POST": ApiScope.REPORT}

    @extend_schema(
        operation_id="acknowledge_withdrawal",
        summary="Confirm that it has stopped",
        description=(
            "A second time changes nothing. The artist sees when it was confirmed. What is over "
            "needs no confirming, and may be confirmed all the same."
        ),
        request=None,
        responses={200: shapes.WithdrawalShape, **shapes.problems(404)},
        tags=["Following"],
    )
    @writes
    def post(self, request: Request, ref: str) -> Answer:
        """Confirm one."""
        row = acknowledge_withdrawal(
            by=None,
            company=self.caller.company,
            ref=str(ref_of(ref, code="unknown_withdrawal")),
        )
        return Answer(200, withdrawal_body(row))
