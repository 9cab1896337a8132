"""Problems as RFC 9457 `application/problem+json`, the domain's own carried unchanged."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions

from consent.errors import Frozen, NotFound, Refused

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1

# What the domain refuses because of what is there already; everything else is in the request.
CONFLICTS: Final = frozenset(
    {
        "api_key",
        "asked_recently",
        "company_differs",
        "company_suspended",
        "frozen",
        "idempotency_busy",
        "not_sealed",
        "output_differs",
        "run_differs",
        "too_many_waiting",
        "tool_differs",
        "tool_suspended",
        "two_live_keys",
        "webhook_there",
    }
)


@dataclass(frozen=True, slots=True)
class ItemError:
    """What is wrong with one part of a request; `pointer` (RFC 6901) says with which."""

    pointer: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


@dataclass(eq=False)
class Problem(Exception):
    """A request that is not answered with what it asked for. `code` never changes its meaning.

    `is_expected` says that it is an answer as good as any, whatever its status: nothing is wrong
    here, so no log speaks of an error.
    """

    status: int
    code: str
    detail: str | Promise
    errors: tuple[ItemError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    again_at: str = ""  # UTC: from then on the same is not refused for this reason
    is_expected: bool = False

    def as_json(self, instance: str = "") -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": address_of(self.code),
            "title": title_of(self.code),
            "status": self.status,
            "detail": str(self.detail),
            "code": self.code,
        }
        if instance:
            body["instance"] = instance
        if self.again_at:
            body["again_at"] = self.again_at
        if self.errors:
            body["errors"] = [error.as_json() for error in self.errors]
        return body

    def as_response(self, instance: str = "") -> HttpResponse:
        response = HttpResponse(
            json.dumps(self.as_json(instance)),
            status=self.status,
            content_type=CONTENT_TYPE,
        )
        for name, value in self.headers.items():
            response.headers[name] = value
        return response


def address_of(code: str) -> str:
    """Where a code is explained to people: the `type` of its problems."""
    return str(settings.SITE_URL).rstrip("/") + reverse("api-problem", args=[code])


def title_of(code: str) -> str:
    """The code in words, the same for each of its problems."""
    return code.replace("_", " ").capitalize()


def unavailable(detail: str | Promise = "") -> Problem:
    """Nobody knows what is allowed while the database is away: never a yes, and soon again."""
    return Problem(
        503,
        "unavailable",
        detail or _("The answer is not known at this moment. Nothing was changed; try again."),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def invalid(errors: Iterable[ItemError]) -> Problem:
    """A request that is well-formed JSON and not what is asked for; nothing of it was done."""
    found = tuple(errors)
    detail = _("%(count)d things are wrong with this request; nothing of it was done.")
    return Problem(
        422,
        "invalid",
        found[0].detail if len(found) == 1 else str(detail) % {"count": len(found)},
        errors=found,
    )


def of_refused(refused: Refused) -> Problem:
    """The domain's own problem, with its code, its sentence, and the field it is about."""
    if isinstance(refused, NotFound):
        status = 404
    elif isinstance(refused, Frozen) or refused.code in CONFLICTS:
        status = 409
    else:
        status = 422
    errors: tuple[ItemError, ...] = ()
    if refused.field:
        errors = (ItemError(f"/{refused.field}", refused.code, refused.sentence),)
    again_at = str(refused.params.get("again_at", ""))
    return Problem(status, refused.code, refused.sentence, errors, again_at=again_at)


def of_exception(error: Exception) -> Problem | None:
    """The problem that an exception stands for; None for a crash."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return of_refused(error)
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("The database did not answer: %s", error)
        return unavailable()
    if isinstance(error, Http404):
        return Problem(404, "not_found", _("There is nothing here for you."))
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def _of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return invalid(_flatten(error.get_full_details()))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return unauthorised()
    code = {
        exceptions.PermissionDenied: "scope_missing",
        exceptions.MethodNotAllowed: "method_not_allowed",
        exceptions.UnsupportedMediaType: "unsupported_media_type",
        exceptions.NotAcceptable: "not_acceptable",
        exceptions.ParseError: "malformed_json",
        exceptions.NotFound: "not_found",
    }.get(type(error), "invalid")
    return Problem(error.status_code, code, str(error.detail))


def unauthorised() -> Problem:
    """No key, a wrong one, or one that was revoked: the three look the same."""
    return Problem(
        401,
        "unauthorised",
        _("Send a live key of yours: “Authorization: Bearer ln_live_…”."),
        headers={"WWW-Authenticate": 'Bearer realm="Liner Notes"'},
    )


def not_allowed(methods: Iterable[str]) -> Problem:
    """Another method than those that the address takes."""
    taken = ", ".join(methods)
    return Problem(
        405,
        "method_not_allowed",
        str(_("This address takes %(methods)s.")) % {"methods": taken},
        headers={"Allow": taken},
    )


def scope_missing(scope: str) -> Problem:
    """A live key that may not do this."""
    return Problem(
        403,
        "scope_missing",
        str(_("This key may not do this: it lacks the scope “%(scope)s”.")) % {"scope": scope},
    )


def _flatten(details: Any, pointer: str = "") -> Iterable[ItemError]:
    """The framework's nested details as one list, with a pointer to each place."""
    if isinstance(details, Mapping):
        if set(details) == {"message", "code"} and isinstance(details["message"], str):
            yield ItemError(pointer, str(details["code"]), details["message"])
            return
        for name, inner in details.items():
            at = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _flatten(inner, at)
    elif isinstance(details, list):
        leaves = all(isinstance(d, Mapping) and "message" in d and "code" in d for d in details)
        for position, inner in enumerate(details):
            yield from _flatten(inner, pointer if leaves else f"{pointer}/{position}")
