"""Addresses of the site with bare views beside them: one query each, on the same server.

Served by `granian portal.wsgi:application` with the settings in `served_settings.py`.
"""

import hashlib
import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# The key and the answer of one artist, in one query: the least that a decision could cost.
ONE_QUERY = """
SELECT k.digest, p.stance FROM portal_apikey k
  LEFT JOIN LATERAL (
        SELECT stance FROM consent_permission
         WHERE artist_id = %s AND use = %s AND scope = '*/*' ORDER BY id DESC LIMIT 1) p ON true
 WHERE k.prefix = %s AND k.revoked_at IS NULL
"""


def _answer(header: str, body: Any) -> dict[str, Any]:
    secret = header.removeprefix("Bearer ")
    item = body["items"][0]
    artist = int(item["isrc"][-5:]) // 100 + 1
    with connection.cursor() as cursor:
        cursor.execute(ONE_QUERY, [artist, item["use"], secret[:16]])
        digest, stance = cursor.fetchone()
    assert digest == hashlib.sha256(secret.encode()).hexdigest()
    return {"allowed": stance == "allow"}


@csrf_exempt
@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    """One query as a plain view."""
    header = str(request.META["HTTP_AUTHORIZATION"])
    found = _answer(header, json.loads(request.body))
    return HttpResponse(json.dumps(found), content_type="application/json")


class BareView(APIView):
    """One query through the framework."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        return Response(_answer(str(request.META["HTTP_AUTHORIZATION"]), request.data))


@csrf_exempt
@login_not_required
def constant(request: HttpRequest) -> HttpResponse:
    """No query at all."""
    return HttpResponse("{}", content_type="application/json")


urlpatterns = [
    path("bare/plain", bare),
    path("bare/framework", BareView.as_view()),
    path("api/v1/bare/plain", bare),
    path("api/v1/bare/framework", BareView.as_view()),
    path("api/v1/bare/constant", constant),
    path("api/", include("portal.api.urls")),
]
