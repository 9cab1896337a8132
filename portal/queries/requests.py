"""How many questions wait for each of several artists."""

from collections.abc import Iterable

from django.db.models import Count

from consent.models import PermissionRequest, RequestState


def open_questions(artists: Iterable[int]) -> dict[int, int]:
    """The number of open questions by artist (keys), where there are any; one query."""
    return dict(
        PermissionRequest.objects.filter(artist__in=list(artists), state=RequestState.OPEN)
        .order_by()
        .values_list("artist")
        .annotate(n=Count("pk"))
    )
