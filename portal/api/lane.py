"""A lane of their own for machines: no session, no cookie, no language, no form.

What the layers for people add (sessions, CSRF, sign-in, messages, framing) means nothing to a
client that sends a key with every request; skipping it is faster, and leaves a browser's cookie
without any effect here. What is wrong is said as a problem, whoever finds it, and so is an address
under `/api` that leads nowhere; the pages about the API, which are there, are for people.
"""

from collections.abc import Callable
from datetime import UTC
from functools import lru_cache
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch, get_urlconf, is_valid_path, resolve
from django.utils import timezone, translation
from django.utils.log import log_response

from portal.api.problems import of_exception

ROOT: Final = "/api"
PREFIX: Final = "/api/v1/"
DECISIONS: Final = f"{PREFIX}decisions"
LANGUAGE: Final = "en"
# An answer is data: a browser that is led to one runs, loads and frames nothing.
POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

type Handler = Callable[[HttpRequest], HttpResponseBase]


def machine_lane(get_response: Handler) -> Handler:
    """The middleware: stands before everything that is for people."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not _is_for_machines(request.path_info):
            return get_response(request)
        try:
            response = _answer(request)
        except Exception as error:
            response = _problem(request, error)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-store"
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return answer


def _is_for_machines(path: str) -> bool:
    if path.startswith(PREFIX):
        return True
    if path != ROOT and not path.startswith(f"{ROOT}/"):
        return False
    return not (is_valid_path(path) or is_valid_path(f"{path}/"))


def _answer(request: HttpRequest) -> HttpResponseBase:
    match = _match(request.path_info)
    request.resolver_match = match
    if getattr(match.func, "speaks_no_language", False):
        return match.func(request)  # type: ignore[no-any-return]
    with translation.override(LANGUAGE), timezone.override(UTC):
        response: Any = match.func(request, *match.args, **match.kwargs)
        if callable(getattr(response, "render", None)):
            response = response.render()
    return response  # type: ignore[no-any-return]


def _problem(request: HttpRequest, error: Exception) -> HttpResponse:
    with translation.override(LANGUAGE), timezone.override(UTC):
        problem = of_exception(error)
        if problem is None:
            raise error
        response = problem.as_response(request.path)
    if problem.is_expected:  # said here, at its own level, or Django calls every 503 an error
        log_response(
            "%s: %s", problem.code, request.path, response=response, request=request, level="info"
        )
    return response


def _match(path: str) -> ResolverMatch:
    """The view at this address. The busiest address is found without looking for it each time."""
    if "\0" in path:  # nothing here is named so, and the database cannot even look for it
        raise Http404
    return _busiest(get_urlconf()) if path == DECISIONS else resolve(path)


@lru_cache(maxsize=4)
def _busiest(urlconf: str | None) -> ResolverMatch:
    return resolve(DECISIONS, urlconf)
