"""Asking artists for permission, and learning the answer."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent.errors import Refused
from consent.queries.requests import batch_status, batches_of
from consent.queries.tools import find_tool
from consent.services.requests import ask_permission, take_back_request
from portal.api import shapes
from portal.api.lookup import artists_by_ref
from portal.api.query import number_in, ref_of, text_in
from portal.api.reading import Fault, read_moment
from portal.api.views.base import MachineView, read, writes
from portal.queries.api import request_body
from portal.roles import ApiScope
from portal.services.idempotency import Answer


class RequestsView(MachineView):
    """The questions of a company."""

    scopes = {"GET": ApiScope.REQUEST, "POST": ApiScope.REQUEST}

    @extend_schema(
        operation_id="list_requests",
        summary="Your questions, the newest first",
        parameters=[
            OpenApiParameter("before", str, description="the `next` of the page before"),
            OpenApiParameter("limit", int, description="1 to 100, by default 50"),
        ],
        responses={200: shapes.Requests, **shapes.problems(422)},
        tags=["Asking"],
    )
    def get(self, request: Request) -> Response:
        """One page."""
        most = number_in(request, "limit", default=50, least=1, most=100)
        text = text_in(request, "before")
        try:
            before = read_moment(text) if text else None
        except Fault as fault:
            raise Refused("cursor", _("This is not a cursor of ours."), field="before") from fault
        found = batches_of(self.caller.company, before=before, most=most)
        items = [request_body(status) for status in found]
        last = items[-1]["asked_at"] if len(items) >= most else None
        return Response({"items": items, "next": last})

    @extend_schema(
        operation_id="ask_permission",
        summary="Ask for a permission",
        description=(
            "For one recording (`isrc`), or for all work of the `artists` named. Everybody who "
            "has a say as an artist is asked, and you learn the combined answer: never who was "
            "asked, nor how many. A yes of artists is not a licence: decisions say what holds."
        ),
        request=shapes.NewRequest,
        responses={201: shapes.RequestShape, **shapes.problems(404, 409, 422)},
        tags=["Asking"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Ask everybody concerned."""
        new = read(shapes.NewRequest, request.data)
        company = self.caller.company
        asked = ask_permission(
            tool=find_tool(company, new["tool"]),
            use=new["use"],
            why=new["why"],
            isrc=new["isrc"],
            artists=artists_by_ref(new["artists"]),
            valid_from=new["valid_from"],
            valid_until=new["valid_until"],
        )
        return Answer(201, request_body(batch_status(company, asked.batch)))


class RequestView(MachineView):
    """One question."""

    scopes = {"GET": ApiScope.REQUEST, "DELETE": ApiScope.REQUEST}

    @extend_schema(
        operation_id="show_request",
        summary="What became of a question",
        responses={200: shapes.RequestShape, **shapes.problems(404)},
        tags=["Asking"],
    )
    def get(self, request: Request, ref: str) -> Response:
        """The combined answer."""
        found = batch_status(self.caller.company, ref_of(ref, code="unknown_request"))
        return Response(request_body(found))

    @extend_schema(
        operation_id="take_back_request",
        summary="Take a question back",
        responses={200: shapes.RequestShape, **shapes.problems(404)},
        tags=["Asking"],
    )
    @writes
    def delete(self, request: Request, ref: str) -> Answer:
        """Ask no more; what was answered stays."""
        company = self.caller.company
        batch = ref_of(ref, code="unknown_request")
        take_back_request(company=company, batch=batch)
        return Answer(200, request_body(batch_status(company, batch)))
