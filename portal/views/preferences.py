"""Settings of one's own, and the ways to everything about signing in."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consent.errors import Refused
from portal.context import address
from portal.forms.preferences import PreferencesForm
from portal.services.preferences import change_preferences
from portal.views.common import PortalRequest, refuse, user_of


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: PortalRequest) -> HttpResponse:
    """Name, language and time zone."""
    user = user_of(request)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None,
        initial={"name": user.name, "locale": user.locale, "time_zone": user.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_preferences(by=user, **form.cleaned_data)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            with translation.override(changed.locale):
                messages.success(request, _("Saved."))
            return redirect("preferences")
    return render(
        request,
        "portal/preferences.html",
        {
            "form": form,
            "security": [
                {"label": label, "url": address(name), "sentence": sentence}
                for label, name, sentence in (
                    (
                        _("Second factor and passkeys"),
                        "mfa_index",
                        _("A code or a passkey beside your password."),
                    ),
                    (_("Password"), "account_change_password", _("Choose another one.")),
                    (_("E-mail address"), "account_email", _("Where you are told of things.")),
                    (
                        _("Where you are signed in"),
                        "usersessions_list",
                        _("Browsers in which you are signed in; sign them out."),
                    ),
                )
                if address(name)
            ],
        },
    )
