"""Reading what an address asks for."""

import uuid

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from consent.errors import NotFound, Refused

LARGEST = 10**18 - 1


def number_in(
    request: Request,
    name: str,
    *,
    default: int | None = None,
    least: int = 0,
    most: int = LARGEST,
) -> int:
    """A whole number in the query; without a `default` it must be there.

    Raises `Refused` (`query`) for anything else.
    """
    text = request.query_params.get(name, "")
    if name not in request.query_params and default is not None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most:
        return int(text)
    raise Refused(
        "query",
        _("“%(name)s” is a whole number between %(least)d and %(most)d."),
        field=name,
        params={"name": name, "least": least, "most": most},
    )


def number_or_none(request: Request, name: str) -> int | None:
    """A whole number in the query, None without one. Raises `Refused`."""
    return number_in(request, name, default=0) if name in request.query_params else None


def text_in(request: Request, name: str, *, most: int = 400) -> str:
    """A text in the query, empty without one. Raises `Refused` for what no text here is."""
    text = str(request.query_params.get(name, ""))
    if len(text) > most or not text.isprintable():
        raise Refused(
            "query", _("“%(name)s” is too long, or no text."), field=name, params={"name": name}
        )
    return text


def ref_of(text: str, *, code: str) -> uuid.UUID:
    """A ref in an address. Raises `NotFound` (`code`) for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound(code, _("There is nothing of yours by this name.")) from error
