"""The ledger in public: checkpoints, proofs, and the keys that sign."""

from base64 import b64encode

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent.errors import NotFound
from consent.ledger_keys import origin, verifying_keys
from consent.models import LedgerCheckpoint
from consent.queries.ledger import (
    checkpoint_at,
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
)
from portal.api import shapes
from portal.api.query import number_in, number_or_none
from portal.api.views.base import PublicView

NOTE = "text/plain; charset=utf-8"


def _note(checkpoint: LedgerCheckpoint, *, forever: bool) -> HttpResponse:
    response = HttpResponse(checkpoint.note, content_type=NOTE)
    age = "public, max-age=31536000, immutable" if forever else "public, max-age=5"
    response.headers["Cache-Control"] = age
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


class CheckpointView(PublicView):
    """The newest checkpoint."""

    @extend_schema(
        operation_id="latest_checkpoint",
        summary="The newest checkpoint",
        description="A signed note of C2SP `tlog-checkpoint`: origin, size, root.",
        responses={(200, "text/plain"): OpenApiTypes.STR, **shapes.problems(404)},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request) -> HttpResponse:
        """As text."""
        found = latest_checkpoint()
        if found is None:
            raise NotFound("unknown_checkpoint", _("Nothing was sealed yet."))
        return _note(found, forever=False)


class CheckpointAtView(PublicView):
    """A checkpoint of one size."""

    @extend_schema(
        operation_id="checkpoint_at",
        summary="The checkpoint of a size",
        responses={(200, "text/plain"): OpenApiTypes.STR, **shapes.problems(404)},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request, size: int) -> HttpResponse:
        """As text; it never changes."""
        return _note(checkpoint_at(size), forever=True)


class InclusionView(PublicView):
    """An entry is in the ledger."""

    @extend_schema(
        operation_id="inclusion_proof",
        summary="That an entry is in the ledger",
        description="RFC 9162, §2.1.3. `size` is that of a checkpoint; without it the newest.",
        parameters=[
            OpenApiParameter("seq", int, required=True),
            OpenApiParameter("size", int),
        ],
        responses={200: shapes.InclusionShape, **shapes.problems(404, 409, 422)},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request) -> Response:
        """The hashes from leaf to root."""
        seq = number_in(request, "seq")
        proof = inclusion_proof(seq, number_or_none(request, "size"))
        note = LedgerCheckpoint.objects.filter(size=proof.size).first()
        return Response(
            {
                "seq": seq,
                "index": proof.index,
                "size": proof.size,
                "hashes": [b64encode(h).decode() for h in proof.hashes],
                "checkpoint": note.note if note is not None else None,
            }
        )


class ConsistencyView(PublicView):
    """The past was not rewritten."""

    @extend_schema(
        operation_id="consistency_proof",
        summary="That an older ledger is the beginning of a newer one",
        description="RFC 9162, §2.1.4. Without `new` the newest checkpoint.",
        parameters=[
            OpenApiParameter("old", int, required=True),
            OpenApiParameter("new", int),
        ],
        responses={200: shapes.ConsistencyShape, **shapes.problems(404, 422)},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request) -> Response:
        """The hashes between the two."""
        proof = consistency_proof(number_in(request, "old"), number_or_none(request, "new"))
        return Response(
            {
                "old": proof.old_size,
                "new": proof.new_size,
                "hashes": [b64encode(h).decode() for h in proof.hashes],
            }
        )


class KeysView(PublicView):
    """Who signs."""

    @extend_schema(
        operation_id="ledger_keys",
        summary="The keys that sign checkpoints, and those that did",
        description=(
            "Signed-note verifying keys. Keep them somewhere else too: a key that is only ever "
            "fetched from here proves nothing against us."
        ),
        responses={200: shapes.KeysShape},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request) -> Response:
        """All verifying keys."""
        return Response({"origin": origin(), "keys": [key.encode() for key in verifying_keys()]})
