"""A lane of their own for machines: no session, no cookie, no language, no form.

What the layers for people add (sessions, CSRF, sign-in, messages, framing) means nothing to a
client that sends a key with every request; skipping it is faster, and leaves a browser's cookie
without any effect here. What is wrong is said as a problem, whoever finds it.
"""

from collections.abc import Callable
from datetime import UTC
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve
from django.utils import timezone, translation

from portal.api.problems import of_exception

PREFIX: Final = "/api/v1/"

type Handler = Callable[[HttpRequest], HttpResponseBase]


def machine_lane(get_response: Handler) -> Handler:
    """The middleware: stands before everything that is for people."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        with translation.override("en"), timezone.override(UTC):
            response = _answer(request)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    return answer


def _answer(request: HttpRequest) -> HttpResponseBase:
    try:
        match = resolve(request.path_info)
        request.resolver_match = match
        response: Any = match.func(request, *match.args, **match.kwargs)
        if callable(getattr(response, "render", None)):
            response = response.render()
    except Exception as error:
        problem = of_exception(error)
        if problem is None:
            raise
        return problem.as_response(request.path)
    return response  # type: ignore[no-any-return]
