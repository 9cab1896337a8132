"""Finding what a request names, within what its company may name."""

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound
from consent.models import AICompany, Artist, ModelVersion


def model_version_of(company: AICompany, ref: uuid.UUID) -> ModelVersion:
    """A model version of this company's by its ref. Raises `NotFound` (`unknown_model_version`)."""
    found = (
        ModelVersion.objects.select_related("tool__company__party")
        .filter(ref=ref, tool__company=company)
        .first()
    )
    if found is None:
        raise NotFound(
            "unknown_model_version",
            _("There is no such model version of yours. Register it first."),
            field="model_version",
        )
    return found


def artists_by_ref(refs: Sequence[uuid.UUID]) -> list[Artist]:
    """Artists by their pseudonyms. Raises `NotFound` (`unknown_artist`) when one is nobody's."""
    found = list(Artist.objects.select_related("party").filter(party__ref__in=refs))
    if len(found) != len(set(refs)):
        raise NotFound(
            "unknown_artist", _("Nobody here is known by one of these refs."), field="artists"
        )
    return found
