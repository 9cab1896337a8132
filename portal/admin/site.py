"""The admin site: who enters, by which door, and what waits on its first page."""

from collections.abc import Callable, Iterable
from functools import partial, update_wrapper
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, resolve_url
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from consent.models import LedgerAlarm
from portal import second_factor
from portal.access import access_of
from portal.admin.base import ScopedAdmin

# Django's own that we do without: passwords are changed where a recent sign-in is asked for;
# nothing here looks things up by typing; and no page needs to be found by content type and key.
LEFT_OUT = frozenset(
    {"password_change", "password_change_done", "autocomplete", "view_on_site", "login"}
)

PAGE_METHODS = ("GET", "HEAD", "POST")


class LinerAdminSite(admin.AdminSite):
    """The admin of label staff and of the operator's own, behind the portal's sign-in.

    Only what this package registers is there: the admin pages that come with other apps can be
    written to, past every service and without a reason.
    """

    site_title = _("Liner Notes")
    site_header = _("Liner Notes")
    index_title = _("Staff")
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register what shows only what its reader may reach; pass over everything else."""
        if admin_class is not None and issubclass(admin_class, ScopedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this is staff, with a second factor where one is demanded."""
        if not (request.user.is_active and request.user.is_staff):
            return False
        return not settings.SECOND_FACTOR_DEMANDED or second_factor.is_proved(request)

    def admin_view[V: Callable[..., HttpResponseBase]](self, view: V, cacheable: bool = False) -> V:
        """Guard a page: people who are not staff get 403, staff without a proof are led to it."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not request.user.is_staff:
                raise PermissionDenied
            if request.method not in PAGE_METHODS and self.has_permission(request):
                return HttpResponseNotAllowed(PAGE_METHODS)
            return inner(request, *args, **kwargs)

        return cast(V, update_wrapper(guarded, inner))

    def enter(self, request: HttpRequest) -> HttpResponse:
        """Lead to the portal's own sign-in, or to the second factor that is missing."""
        asked = request.GET.get(REDIRECT_FIELD_NAME, "")
        home = reverse("admin:index", current_app=self.name)
        here = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
        wanted = asked if here else home
        if not request.user.is_authenticated:
            door = resolve_url(settings.LOGIN_URL)
            return HttpResponseRedirect(f"{door}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")
        if not request.user.is_staff:
            raise PermissionDenied
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)
        return redirect(second_factor.address_to_prove_it(request))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our pages, then Django's without what is left out."""
        from portal.admin import conflicts, work

        theirs = [u for u in super().get_urls() if getattr(u, "name", "") not in LEFT_OUT]
        return [
            path("login/", self.enter, name="login"),
            path(
                "password_change/",
                self.admin_view(lambda request: redirect("account_change_password")),
                name="password_change",
            ),
            path("conflicts/", self.admin_view(conflicts.queue), name="conflicts"),
            path(
                "conflicts/<int:label>/<int:profile>/",
                self.admin_view(conflicts.group),
                name="conflict",
            ),
            path(
                "conflicts/<int:label>/<int:profile>/claims.csv",
                self.admin_view(conflicts.claims_file),
                name="conflict_file",
            ),
            path(
                "conflicts/<int:label>/<int:profile>/<slug:right>/",
                self.admin_view(conflicts.confirm),
                name="confirm_shares",
            ),
            path(
                "conflicts/<int:label>/<int:profile>/<slug:right>/none/",
                self.admin_view(conflicts.none_of_it),
                name="none_of_it",
            ),
            path("work/", self.admin_view(work.overview), name="work"),
            path("work/<slug:kind>/<int:key>/", self.admin_view(work.retry), name="work_retry"),
            *theirs,
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page knows: besides Django's, whether nothing new is allowed just now."""
        return {**super().each_context(request), "alarm": partial(self._open_alarm, request)}

    def _open_alarm(self, request: HttpRequest) -> dict[str, Any] | None:
        """The oldest open alarm, for whoever is in; with its page for whoever may see that."""
        alarm = LedgerAlarm.objects.filter(cleared_at=None).order_by("raised_at").first()
        if alarm is None or not self.has_permission(request):
            return None
        page = reverse("admin:consent_ledgeralarm_change", args=[alarm.pk])
        return {"url": page if access_of(request).is_operator else ""}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """What waits for whoever reads this, what staff did last, and where everything is."""
        from portal.queries.staff import recent_acts, waiting_for

        access = access_of(request)
        return super().index(
            request,
            {
                "access": access,
                "waiting": waiting_for(access),
                "recent": recent_acts(access),
                **(extra_context or {}),
            },
        )

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Return nothing: what staff did is in acts of staff, and narrowed to the reader."""
        from django.contrib.admin.models import LogEntry

        return LogEntry.objects.none()
