"""The front door: what this is for who comes by, the way in for who is known here."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from consent.queries.licences import overrides_public
from consent.queries.touching import overrides_of
from consent.words import UseKind
from portal.models.roster import LedgerNow
from portal.queries.rows import recordings_text
from portal.views.common import PortalRequest


@login_not_required
@require_GET
def home(request: PortalRequest) -> HttpResponse:
    """Signed out: what this is. Signed in: to the artist whom one looks at, or a welcome."""
    if not request.user.is_authenticated:
        return render(request, "portal/landing.html", {"uses": UseKind.choices})
    current = request.access.current
    if current is not None:
        return redirect("overview", slug=current.artist.slug)
    if request.user.is_staff:
        return redirect("admin:index")
    return render(request, "portal/welcome.html")


@login_not_required
@require_GET
def overrides(request: PortalRequest) -> HttpResponse:
    """Who decides without the artists, by which clause: for everybody to read.

    Whoever looks at an artist here reads, too, where they decide over this one now.
    """
    rows = [
        {"override": one, "uses": [UseKind(use).label for use in one.uses]}
        for one in overrides_public()
    ]
    current = request.access.current if request.user.is_authenticated else None
    hers = [] if current is None else overrides_of(current.artist, at=LedgerNow())
    return render(
        request,
        "portal/overrides.html",
        {
            "rows": rows,
            "artist": current and current.artist,
            "hers": [
                {"licence": version.licence, "recordings": recordings_text(touch.overridden)}
                for version, touch in hers
            ],
        },
    )
