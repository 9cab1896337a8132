"""What anybody may know of a recording."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent import crosswalk
from consent.crosswalk import Signal
from consent.identifiers import IdentifierError, normalise_isrc
from consent.queries.signals import signals_of
from portal.api import shapes
from portal.api.problems import Problem
from portal.api.views.base import PublicView
from portal.queries.api import moment

FRESH_FOR = "public, max-age=60"
CONSTRAINED = "Only under a licence signed before, which the artist can see: {address}"


class SignalsView(PublicView):
    """The signals of one recording."""

    @extend_schema(
        operation_id="signals",
        summary="What a recording may be used for, for everybody",
        description=(
            "The effective state per use kind for somebody who has no agreement with anybody: "
            "`by_licence` when everybody who must agree has said yes to everybody and a licence "
            "is all that is missing; `denied` when somebody says no, or wants to be asked; "
            "`undecided` when somebody has not answered. No use kind is `allowed` without a "
            "licence. The same in other vocabularies, by a versioned table: undecided is left "
            "out, and what needs a licence is a no where there is no word for it. No key needed."
        ),
        responses={200: shapes.SignalsShape, **shapes.problems(404, 422, 429)},
        auth=[],
        tags=["Public"],
    )
    def get(self, request: Request, isrc: str) -> HttpResponse:
        """Decide for a stranger."""
        try:
            stored = normalise_isrc(isrc[:40])
        except IdentifierError as error:
            raise Problem(422, "isrc", error.sentence) from error
        found = signals_of(stored)
        site = str(settings.SITE_URL).rstrip("/")
        licences = site + reverse("api-docs")
        address = site + reverse("api-signals", args=[stored])
        response = Response(
            {
                "isrc": found.isrc,
                "at": moment(found.at),
                "crosswalk": crosswalk.VERSION,
                "uses": {
                    str(use): {"state": str(signal), "allowed": signal is Signal.ALLOWED}
                    for use, signal in found.uses.items()
                },
                "cawg": {
                    "label": crosswalk.CAWG_LABEL,
                    "data": crosswalk.as_cawg(
                        found.uses, constraint_info=CONSTRAINED.format(address=licences)
                    ),
                },
                "aipref": {
                    "field": crosswalk.AIPREF_FIELD,
                    "value": crosswalk.as_aipref(found.uses),
                },
                "tdmrep": crosswalk.as_tdmrep(found.uses, policy=licences),
                "rsl": crosswalk.as_rsl(found.uses, url=address, server=licences),
                "licences": licences,
            }
        )
        response["Cache-Control"] = FRESH_FOR
        response["Access-Control-Allow-Origin"] = "*"
        return response
