"""The pages that every artist opens, for one with a thousand recordings and one with very many.

Both are in one database and were used as much: they differ in the size of their catalogue alone.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent.models import Artist, ArtistRecording, Party, Recording, Tool
from consent.services.claims import make_claim
from consent.services.licences import sign_licence
from consent.services.parties import register_artist, register_party
from consent.services.permissions import answer_permission, answer_recordings
from consent.services.profiles import refresh_all
from consent.services.tools import register_company, register_model_version, register_tool
from portal.models import User
from portal.roles import Role
from portal.services.delegation import grant_access
from tests.benchmarks.load import (
    Catalogue,
    Owner,
    load_recordings,
    load_statements,
    load_uses,
    open_months,
)
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import freshly

SMALL = 1_000
LARGE = int(os.environ.get("LINER_TEST_RECORDINGS", "100000"))
ROUNDS = 21
ONE_BY_ONE = 200
MOST_QUERIES = 12
PAGES = {
    "overview": "",
    "permissions": "permissions/",
    "permission_recordings": "permissions/recordings/",
    "usage": "usage/",
    "earnings": "earnings/",
}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def milliseconds(client: Client, path: str) -> float:
    begin = time.perf_counter()
    assert client.get(path).status_code == 200
    return (time.perf_counter() - begin) * 1000


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def tools(fjord: Party, kestrel: Party, publisher: Party) -> list[Tool]:
    """Six companies with a tool each, licensed by labels and publisher in different ways."""
    made = []
    for n, kind in enumerate(("composer", "remix", "voice", "discovery", "analysis", "assistant")):
        company = register_company(by=None, slug=f"company-{n}", name=f"Company {n}")
        tool = register_tool(
            by=None, company=company, slug=f"tool-{n}", name=f"Tool {n}", kind=kind
        )
        register_model_version(by=None, tool=tool, name="v1")
        made.append(tool)
        for holder in (fjord, kestrel, publisher)[: 3 if n % 2 else 2]:
            sign_licence(
                by=None,
                holder=holder,
                company=company,
                title=f"{holder.name} and Company {n}",
                uses=["discovery", "remix_input", "generative_training", "analysis_training"],
                notice_days=30,
            )
    return made


def answers(user: User, artist: Artist, tool: Tool) -> None:
    """Her answers in general, one about a tool, and some on recordings one by one."""
    for use, stance in (
        ("discovery", "allow"),
        ("generative_training", "allow"),
        ("analysis_training", "ask"),
        ("style", "deny"),
    ):
        answer_permission(by=user, artist=artist, use=use, stance=stance)
    one_by_one(user, artist, ONE_BY_ONE // 2, "generative_training")
    one_by_one(user, artist, ONE_BY_ONE // 2, "remix_input")


def one_by_one(user: User, artist: Artist, number: int, use: str) -> None:
    hers = ArtistRecording.objects.filter(artist=artist).order_by("recording")
    keys = list(hers.values_list("recording", flat=True)[:number])
    answer_recordings(by=user, artist=artist, use=use, stance="deny", recordings=keys)


def listed(artists: tuple[Artist, ...], holder: Party, tool: Tool) -> None:
    """A licence that names 200 recordings of each artist one by one."""
    chosen: list[Recording] = []
    for artist in artists:
        hers = Recording.objects.filter(billed__artist=artist).order_by("-pk")
        chosen += hers[:ONE_BY_ONE]
    sign_licence(
        by=None,
        holder=holder,
        company=tool.company,
        title="A list",
        uses=["style", "discovery"],
        catalogue="list",
        recordings=chosen,
    )


def measure(client: Client, title: str, few: Artist, many: Artist, only: Mapping[str, str]) -> None:
    """Time each page of both in turns, and print a line for each."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    say(f"\n{title}, load {os.getloadavg()[0]:.1f}")
    say(f"{'page':24}{SMALL:>10}{LARGE:>13}{'times':>9}{'queries':>10}")
    for name, path in only.items():
        paths = [f"/a/{one.slug}/{path}" for one in (few, many)]
        asked = [queries(client, one) for one in paths]
        took: list[list[float]] = [[], []]
        for _round in range(ROUNDS):
            for i, one in enumerate(paths):
                took[i].append(milliseconds(client, one))
        small, large = (statistics.median(one) for one in took)
        say(
            f"{name:24}{small:>7.1f} ms{large:>10.1f} ms{large / small:>9.2f}"
            f"{asked[0]:>6} {asked[1]:>3}"
        )
        assert asked[0] == asked[1], "more recordings, more queries"
        assert asked[1] <= MOST_QUERIES


def test_pages_cost_the_same_whatever_the_size_of_the_catalogue(
    owner: Owner,
    maren: Artist,
    maren_user: User,
    low_tides: Artist,
    fjord: Party,
    kestrel: Party,
    signed_in: Callable[[User], Client],
) -> None:
    """The bar: within 1.5 times, with the same number of queries, at most twelve."""
    begin = time.perf_counter()
    grant_access(by=None, user=maren_user, artist=low_tides, role=Role.ARTIST)
    publishers = [
        register_party(by=None, kind="company", name=f"Publisher {letter}") for letter in "ABC"
    ]
    guest = register_artist(by=None, name="A Guest")
    society = register_party(by=None, kind="society", name="A Society")
    for artist in (maren, low_tides):
        make_claim(
            by=None, party=society, right="publishing", authority="blanket", repertoire=artist
        )
    made = tools(fjord, kestrel, publishers[0])
    open_months(owner)
    for artist, number, registrant in ((maren, SMALL, "FJ1"), (low_tides, LARGE, "FJ2")):
        load_recordings(
            owner,
            Catalogue(
                artist=artist.pk,
                recordings=number,
                registrant=registrant,
                holders=(fjord.pk, kestrel.pk),
                publishers=[one.pk for one in publishers],
                guest=guest.pk,
            ),
        )
        load_uses(owner, artist.pk)
    load_statements(owner, [maren.pk, low_tides.pk])
    owner.execute("ANALYZE")
    assert refresh_all() == SMALL + LARGE
    for artist in (maren, low_tides):
        answers(maren_user, artist, made[0])
    listed((maren, low_tides), fjord, made[0])
    owner.execute("VACUUM ANALYZE")
    say(f"\nloaded in {time.perf_counter() - begin:.0f} s")
    client = freshly(signed_in(maren_user))
    measure(client, "as used for a year", maren, low_tides, PAGES)
    one_by_one(maren_user, low_tides, 10_000, "style")
    once_more = {name: PAGES[name] for name in ("permissions", "permission_recordings")}
    measure(client, "10 000 of them answered one by one", maren, low_tides, once_more)
