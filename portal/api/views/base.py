"""What the views of the API have in common: who may, how often, once, and how it is said."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar, Final, NoReturn, cast

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from consent.errors import Refused
from portal.api import authentication, limits
from portal.api.authentication import ApiKeyAuthentication, Caller
from portal.api.problems import Problem, not_allowed, of_exception, scope_missing
from portal.roles import ApiScope
from portal.services.idempotency import Answer, digest_of, perform_once

LARGEST_BODY: Final = 2 * 1024 * 1024
# What is too large is read and dropped up to here, so that a client that sends all of it before it
# listens finds the problem, and not a connection that was closed in the middle.
LARGEST_DROPPED: Final = 16 * 1024 * 1024
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

LONGEST_NUMBER: Final = 100

type Write = Callable[..., Answer]


def body_of(request: Any, most: int = LARGEST_BODY) -> bytes:
    """The body of a request.

    Raises `Problem`: 413 for one that is too large, and 411 for one that does not say its length,
    because it would be taken for an empty one.
    """
    if not request.META.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in request.META:
        raise Problem(411, "length_required", _("Say in Content-Length how long the body is."))
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    if announced <= most:
        body = cast(bytes, request.body)
        if len(body) <= most:
            return body
    else:
        _drop(request, min(announced, LARGEST_DROPPED))
    raise Problem(
        413,
        "too_large",
        str(_("A request has at most %(most)d bytes. Send it in parts.")) % {"most": most},
    )


def _drop(request: Any, length: int) -> None:
    """Read what nobody looks at, a little at a time."""
    try:
        while length > 0 and (part := request.read(min(length, 64 * 1024))):
            length -= len(part)
    except OSError:
        return  # whoever sent it has gone


class _NoNumber(ValueError):
    """A number that JSON does not have, or that is longer than any that is asked for."""


def _refuse_constant(name: str) -> Any:
    raise _NoNumber(str(_("it has no %(name)s")) % {"name": name})


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise _NoNumber(str(_("a number has at most %(most)d digits")) % {"most": LONGEST_NUMBER})
    return int(digits)


class _TwoOfAName(ValueError):
    """A name stands twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name.encode("utf-8", "replace").decode()[:80]


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Which of the two is meant? Readers of JSON disagree, so it is no question at all.
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise _TwoOfAName(name)
            seen.add(name)
    return found


_DECODE: Final = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_int=_whole, object_pairs_hook=_refuse_doubles
).decode


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} ({_('line')} {error.lineno}, {_('column')} {error.colno})"
    if isinstance(error, _TwoOfAName):
        return str(_("“%(name)s” stands twice in one object")) % {"name": error.name}
    if isinstance(error, _NoNumber):
        return str(error)
    if isinstance(error, RecursionError):
        return str(_("it is nested too deeply"))
    return str(_("it is not in UTF-8"))


def json_of(body: bytes) -> Any:
    """The body as JSON. Raises `Problem` (400) for what is none."""
    try:
        return _DECODE(body.decode())
    except (ValueError, RecursionError) as error:
        detail = _why(error)
        raise Problem(
            400, "malformed_json", str(_("The body is not JSON: %(why)s.")) % {"why": detail}
        ) from error


class StrictJSONParser(JSONParser):
    """JSON of bounded size, and nothing that merely looks like it."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        request = (parser_context or {})["request"]
        return json_of(body_of(request._request))


class MayDoThis(BasePermission):
    """The key has the scope that this method of the view names."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method == "HEAD" else str(request.method)
        scope: ApiScope | None = view.scopes.get(method)
        caller: Any = request.user
        if scope is None or not isinstance(caller, Caller):
            return False
        if scope not in caller.scopes:
            raise scope_missing(scope)
        return True


class ApiView(APIView):
    """A view whose every problem is said as one."""

    renderer_classes = [JSONRenderer]
    parser_classes = [StrictJSONParser]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises `Problem` (405), with what the address takes in `Allow` (RFC 9110, 15.5.6)."""
        raise not_allowed(self.methods_taken)

    @property
    def methods_taken(self) -> list[str]:
        """The methods that this address answers."""
        return [str(name) for name in self.allowed_methods]

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        problem = of_exception(exc)
        if problem is None:
            raise exc
        return problem.as_response(self.request.path)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(response, Response):
            return response  # a problem, or a text: complete already
        return super().finalize_response(request, response, *args, **kwargs)


class PublicView(ApiView):
    """A view for everybody, counted by address."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        limits.take("public", limits.address_of(request._request))


class MachineView(ApiView):
    """A view for clients of AI companies. `scopes` names what a key needs for each method."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [MayDoThis]
    scopes: ClassVar[Mapping[str, ApiScope]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if ("GET" if request.method == "HEAD" else request.method) not in self.scopes:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        caller = self.caller
        limits.take("read" if request.method in READING else "write", str(caller.client))
        authentication.note(caller)

    @property
    def methods_taken(self) -> list[str]:
        return sorted({*self.scopes, *(["HEAD"] if "GET" in self.scopes else [])})

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.request.user)


@contextmanager
def called(**names: str) -> Iterator[None]:
    """Say in a refusal what the request calls the field: our name, then that of the API."""
    try:
        yield
    except Refused as refused:
        refused.field = names.get(refused.field, refused.field)
        raise


def writes(method: Write) -> Callable[..., Response]:
    """Decorate a method that changes something: once per `Idempotency-Key`, never in a sandbox.

    The method returns an `Answer`, and is called inside the transaction that keeps it.
    """

    @wraps(method)
    def write(self: MachineView, request: Request, **kwargs: Any) -> Response:
        caller = self.caller
        answer = perform_once(
            client=caller.client,
            sandbox=caller.sandbox,
            key=str(request.headers.get("Idempotency-Key", "")),
            digest=digest_of(
                str(request.method), request.get_full_path(), body_of(request._request)
            ),
            act=lambda: method(self, request, **kwargs),
        )
        response = Response(dict(answer.body), status=answer.status)
        if answer.replayed:
            response["Idempotency-Replayed"] = "true"
        return response

    write.writes = True  # type: ignore[attr-defined]
    return write


class StrictSerializer(Serializer[Any]):
    """A serializer that refuses what it does not know, so that a misspelt field is noticed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name)[:80] for name in set(data) - set(self.fields))
            if unknown:
                sentence = str(_("There is no such field."))
                raise ValidationError(
                    {name: [ErrorDetail(sentence, code="unknown_field")] for name in unknown}
                )
        return super().to_internal_value(data)


def read(serializer: type[BaseSerializer[Any]], data: Any) -> dict[str, Any]:
    """What a request says, checked. Raises `ValidationError`, which is said as a problem (422)."""
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return cast(dict[str, Any], checked.validated_data)
