"""What holds for every request, whatever view answers it."""

import logging
import time
import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import failures, second_factor

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Who still has to set up a second factor may leave, prove who she is, and set it up.
ON_THE_WAY_TO_A_SECOND_FACTOR = frozenset(
    {
        "account_logout",
        "account_reauthenticate",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
        "set_language",
    }
)
NUL = "\0"
STAFF_SEEN = "staff_seen_at"
STAFF_SEEN_EVERY_SECONDS = 300


class PrivateByDefaultMiddleware:
    """Mark every answer ``private, no-store`` unless its path is on the public list."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and forbid storing the answer."""
        response = self.get_response(request)
        if not request.path.startswith(settings.PUBLIC_PATHS):
            response.headers["Cache-Control"] = "private, no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 503, not 500, when a view found the database unreachable or too slow."""
        if isinstance(exception, OperationalError | InterfaceError):
            logger.warning("The database did not answer: %s", exception)
            return failures.database_unreachable(request)
        return None


class TextMiddleware:
    """Refuse NUL wherever a request has text: no text holds one, and the database takes none.

    An address with one leads nowhere (404), a form or a query with one is refused (400), a cookie
    with one counts as not sent. Machines have a way of their own: `portal.api`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer without the cookies that are no text: a session's key is looked up."""
        for name in [name for name, value in request.COOKIES.items() if NUL in value]:
            del request.COOKIES[name]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse before anything is looked up. Raises `Http404` or `BadRequest`."""
        if NUL in request.path:
            raise Http404
        for data in (request.GET, request.POST):
            for name, values in data.lists():
                if NUL in name or any(NUL in value for value in values):
                    raise BadRequest("A NUL is no text.")
        return None


class ViewerMiddleware:
    """Speak the viewer's language, show her times, and end idle sessions of staff."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the viewer's language and zone, whatever the thread served before."""
        user = request.user
        if not user.is_authenticated:
            with timezone.override(None):
                return self.get_response(request)
        if user.is_staff:
            self._end_when_idle(request)
        translation.activate(user.locale)
        request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(_zone(user.time_zone)):
            return self.get_response(request)

    @staticmethod
    def _end_when_idle(request: HttpRequest) -> None:
        # The expiry is written into the session's row, so the store itself enforces it.
        # Not at every request: that would be a write per page.
        now = int(time.time())
        if now - request.session.get(STAFF_SEEN, 0) >= STAFF_SEEN_EVERY_SECONDS:
            request.session[STAFF_SEEN] = now
            request.session.set_expiry(settings.STAFF_IDLE_SECONDS)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None  # a zone that this machine does not know: UTC


class SecondFactorMiddleware:
    """Lead staff and managers to a second factor, and let them do nothing else before.

    Whoever has one has proved it at sign-in, and the session says so. ``SECOND_FACTOR_DEMANDED``
    is off in the demo only.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; the decision needs the resolved view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Redirect to setting up or proving a second factor where one is owed."""
        if not settings.SECOND_FACTOR_DEMANDED or not request.user.is_authenticated:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name.startswith("mfa_") or name in ON_THE_WAY_TO_A_SECOND_FACTOR:
            return None
        if second_factor.is_proved(request) or not second_factor.is_demanded(request.user):
            return None
        messages.info(request, _("Your role needs a second factor: set it up, or prove it."))
        return redirect(second_factor.address_to_prove_it(request))
