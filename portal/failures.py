"""What a person or a machine is told when the portal itself fails."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error as plain_server_error

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# The longest window in which attempts at one address are counted; see ACCOUNT_RATE_LIMITS.
ATTEMPTS_AGAIN_AFTER_SECONDS = 300


def database_unreachable(request: HttpRequest) -> HttpResponse:
    """Return 503 with Retry-After: nobody knows what is allowed while the database is away."""
    title = _("The portal cannot answer just now")
    detail = _("Its database did not answer in time. Nothing was changed. Please try again.")
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse(
            {"type": "about:blank", "title": title, "status": 503, "detail": detail},
            status=503,
            content_type="application/problem+json",
        )
    else:
        try:
            # No request: context processors may need the database that does not answer.
            page: str = render_to_string("503.html", {"title": title, "detail": detail})
        except (TemplateDoesNotExist, OperationalError, InterfaceError):
            page = f"<!doctype html><title>{title}</title><h1>{title}</h1><p>{detail}</p>"
        response = HttpResponse(page, status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer attempts that come too fast: 429, and when to come back."""
    response = render(request, "429.html", status=429)
    response.headers["Retry-After"] = str(ATTEMPTS_AGAIN_AFTER_SECONDS)
    return response


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer a crash: 503 when it was the database that did not answer, else 500."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return database_unreachable(request)
    if request.path.startswith("/api/"):
        title = _("Something went wrong on our side")
        return JsonResponse(
            {"type": "about:blank", "title": title, "status": 500},
            status=500,
            content_type="application/problem+json",
        )
    return plain_server_error(request)
