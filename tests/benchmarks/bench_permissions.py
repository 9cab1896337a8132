"""The permission pages of an artist with few recordings and of one with very many."""

import statistics
import sys
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent.models import Artist, Party, Recording, Tool
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from portal.access import Access
from portal.models import User
from portal.roles import Role
from portal.services.answers import answer_many
from portal.services.delegation import grant_access
from tests.cast import *  # noqa: F403 - the people in every story
from tests.consent.build import some_recordings
from tests.portal.pages import freshly

pytestmark = pytest.mark.django_db

SMALL, LARGE = 12, 12_000
PAGES = ("permissions", "permission_tools", "missing", "permission_recordings", "exceptions")
ROUNDS = 15


def milliseconds(client: Client, path: str) -> float:
    """The median time of a page, in milliseconds of the server's own work."""
    client.get(path)
    found = []
    for _round in range(ROUNDS):
        begin = time.perf_counter()
        assert client.get(path).status_code == 200
        found.append((time.perf_counter() - begin) * 1000)
    return statistics.median(found)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def grow(artist: Artist, fjord: Party, number: int) -> list[Recording]:
    made: list[Recording] = []
    while len(made) < number:
        made += some_recordings(min(4000, number - len(made)), artist, holder=fjord)
    return made


def test_pages_of_many_recordings_cost_little_more_than_those_of_few(
    maren: Artist,
    maren_user: User,
    low_tides: Artist,
    fjord: Party,
    tidesmith: Tool,
    signed_in: Callable[[User], Client],
) -> None:
    """The bar: within 1.5 times, with the same number of queries, at most twelve."""
    grant_access(by=None, user=maren_user, artist=low_tides, role=Role.ARTIST)
    grow(maren, fjord, SMALL)
    recordings = grow(low_tides, fjord, LARGE)
    sign_licence(
        by=None,
        holder=fjord,
        company=tidesmith.company,
        title="Fjord and Tonewright",
        uses=["discovery", "generative_training"],
    )
    for artist in (maren, low_tides):
        answer_permission(by=maren_user, artist=artist, use="discovery", stance="allow")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = freshly(signed_in(maren_user))
    say(f"\n{'page':24}{SMALL:>12}{LARGE:>12}   times   queries")
    for name in PAGES:
        few, many = (
            milliseconds(client, f"/a/{one.slug}/{path_of(name)}") for one in (maren, low_tides)
        )
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/a/{low_tides.slug}/{path_of(name)}")
        say(f"{name:24}{few:>9.1f} ms{many:>9.1f} ms   {many / few:>5.2f}   {len(asked):>7}")
    begin = time.perf_counter()
    preview = f"/a/{low_tides.slug}/permissions/many/?use=style&stance=deny"
    assert client.get(preview).status_code == 200
    say(f"preview of {LARGE} answers {(time.perf_counter() - begin) * 1000:>10.0f} ms")
    begin = time.perf_counter()
    act = answer_many(
        by=Access.of(maren_user),
        artist=low_tides,
        use="style",
        stance="deny",
        recordings=[one.pk for one in recordings[:10_000]],
    )
    assert act is not None
    say(f"10 000 answers in one act {(time.perf_counter() - begin) * 1000:>10.0f} ms")
    few, many = (
        milliseconds(client, f"/a/{one.slug}/{path_of('permissions')}")
        for one in (maren, low_tides)
    )
    say(f"{'permissions, then':24}{few:>9.1f} ms{many:>9.1f} ms   {many / few:>5.2f}")


def path_of(name: str) -> str:
    """The path of a page below `/a/<slug>/`."""
    return {
        "permissions": "permissions/",
        "permission_tools": "permissions/tools/",
        "missing": "permissions/missing/",
        "permission_recordings": "permissions/recordings/",
        "exceptions": "permissions/exceptions/",
    }[name]
