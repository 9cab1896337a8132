"""What changed, and a state to start from."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent import clock
from consent.days import within_reach
from consent.errors import Refused
from consent.queries.changes import changes_for, snapshot_of
from consent.queries.ledger import head
from consent.words import UseKind
from portal.api import shapes
from portal.api.query import number_in, text_in
from portal.api.views.base import MachineView
from portal.queries.api import moment, moment_or_none
from portal.roles import ApiScope
from portal.services.webhooks import changes_body

MOST_CHANGES = 1_000
MOST_HELD = 500


class ChangesView(MachineView):
    """The feed."""

    scopes = {"GET": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="permission_changes",
        summary="What changed after a ledger position",
        description=(
            "Ordered and gapless: every entry with `after < seq <= until` that concerns you is "
            "here, and none comes later. Go on with `after=until`; while `until < head` there is "
            "more. A change says what to ask about again, not what the answer is."
        ),
        parameters=[
            OpenApiParameter("after", int, description="0 for the beginning"),
            OpenApiParameter("limit", int, description="1 to 1000, by default 500"),
        ],
        responses={200: shapes.ChangesShape, **shapes.problems(422)},
        tags=["Following"],
    )
    def get(self, request: Request) -> Response:
        """The next page."""
        found = changes_for(
            self.caller.company,
            after=number_in(request, "after", default=0),
            most=number_in(request, "limit", default=500, least=1, most=MOST_CHANGES),
        )
        return Response(changes_body(found))


class SnapshotView(MachineView):
    """What holds now, to start from."""

    scopes = {"GET": ApiScope.FOLLOW}

    @extend_schema(
        operation_id="permission_snapshot",
        summary="What holds for a tool, recording by recording",
        description=(
            "All parts, followed by their `next`, are of one ledger position `seq`. Then read the "
            "feed after that `seq`: together they miss nothing."
        ),
        parameters=[
            OpenApiParameter("tool", str, required=True),
            OpenApiParameter("use", str, many=True, enum=shapes.USES),
            OpenApiParameter("limit", int, description="1 to 500, by default 100"),
            OpenApiParameter("cursor", str, description="the `next` of the part before"),
        ],
        responses={200: shapes.SnapshotShape, **shapes.problems(404, 422)},
        tags=["Following"],
    )
    def get(self, request: Request) -> Response:
        """The next part."""
        uses = request.query_params.getlist("use")
        for use in uses:
            if use not in UseKind.values:
                raise Refused("unknown_use", _("There is no such kind of use."), field="use")
        after, seq, at = _read_cursor(text_in(request, "cursor"))
        tool = text_in(request, "tool")
        if not tool:
            raise Refused("query", _("Say in “tool” for which tool of yours."), field="tool")
        found = snapshot_of(
            self.caller.company,
            tool=tool,
            uses=list(dict.fromkeys(uses)),
            after=after,
            most=number_in(request, "limit", default=100, least=1, most=MOST_HELD),
            seq=seq,
            at=at,
        )
        return Response(
            {
                "seq": found.seq,
                "at": moment(found.at),
                "tool": tool,
                "items": [
                    {
                        "isrc": held.isrc,
                        "artists": [str(ref) for ref in held.artists],
                        "uses": dict(held.uses),
                        "valid_until": moment_or_none(held.valid_until),
                    }
                    for held in found.held
                ],
                "next": _write_cursor(found.last, found.seq, found.at) if found.last else None,
            }
        )


def _write_cursor(last: str, seq: int, at: datetime) -> str:
    return urlsafe_b64encode(json.dumps([last, seq, at.isoformat()]).encode()).decode()


def _read_cursor(text: str) -> tuple[str, int | None, datetime | None]:
    if not text:
        return "", None, None
    try:
        last, seq, at = json.loads(urlsafe_b64decode(text))
        found = str(last), _whole(seq), datetime.fromisoformat(at)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused("cursor", _("This is not a cursor of ours."), field="cursor") from error
    last, seq, at = found
    if not last.isprintable() or len(last) > 12 or at.tzinfo is None or not _is_past(seq, at):
        raise Refused("cursor", _("This is not a cursor of ours."), field="cursor")
    return found


def _whole(seq: object) -> int:
    if type(seq) is not int:
        raise TypeError("a position is a whole number")
    return seq


def _is_past(seq: int, at: datetime) -> bool:
    """Whether a snapshot could have been taken then: what is yet to come is told to nobody."""
    return within_reach(at) and at <= clock.now() and 0 <= seq <= head()
