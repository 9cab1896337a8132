"""Earnings pages: every figure on a statement, every line back to the uses behind it."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Artist, Recording
from portal.models import User
from portal.roles import Role
from portal.services.delegation import grant_access
from royalties.models import SplitVersion
from royalties.services.splits import propose_split
from tests.cast import somebody
from tests.royalties.build import EURO, World, a_world, closed, on, the_statement
from tests.royalties.conftest import MoveClock, clock

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[User], Client]


@pytest.fixture
def world(clock: MoveClock) -> World:
    """January was closed; in February a yes was taken back, and some of the money waits."""
    world = a_world(songs=2)
    first, second = world.songs
    both = world.made(on(1, 1, 0), {first: 7_000, second: 3_000})
    clock(on(2, 1))
    for day in range(2, 6):
        world.used(both, on(1, day), 1_234_567)
    closed(1)
    clock(on(2, 15))
    world.allow("deny")
    clock(on(3, 1))
    world.used(both, on(2, 10), 2 * EURO)
    world.used(both, on(2, 20), 4 * EURO)
    closed(2)
    return world


@pytest.fixture
def maren_user(world: World) -> User:
    user = somebody("Maren Holt")
    grant_access(by=None, user=user, artist=world.maren, role=Role.ARTIST)
    return user


@pytest.fixture
def her(maren_user: User, signed_in: SignIn) -> Client:
    return signed_in(maren_user)


def page(name: str, artist: Artist, **more: object) -> str:
    return reverse(name, kwargs={"slug": artist.slug, **more})


def text_of(client: Client, url: str) -> str:
    return " ".join(client.get(url).text.split())


def test_a_month_stands_with_what_was_earned_held_and_paid(world: World, her: Client) -> None:
    text = text_of(her, page("earnings", world.maren))
    for month in (1, 2):
        found = the_statement(world.maren, month)
        assert page("statement", world.maren, ref=found.ref) in text
    assert "€1.64" in text  # a third of 4 × 1.234567, in whole units
    assert "Twelve months, by tool" in text
    assert text.count("January 2026") >= 1
    held = text_of(her, page("earnings_held", world.maren))
    assert "This use was not allowed: The artist took a yes back." in held


def test_what_tools_and_recordings_brought_is_the_same_money(world: World, her: Client) -> None:
    assert "Tidesmith" in text_of(her, page("earnings_tools", world.maren))
    recordings = text_of(her, page("earnings_recordings", world.maren))
    assert world.songs[0].isrc[-5:] in recordings
    assert "The list ends before this page" in text_of(
        her, page("earnings_recordings", world.maren) + "?page=9"
    )


def test_a_statement_adds_up_and_its_lines_open_to_the_uses_behind_them(
    world: World, her: Client
) -> None:
    found = the_statement(world.maren, 2)
    url = page("statement", world.maren, ref=found.ref)
    text = text_of(her, url)
    assert "Carried on to the next month" in text
    assert "Held" in text
    assert found.digest in text
    line = found.lines.order_by("position")[0]
    opened = page("statement_line", world.maren, ref=found.ref, position=line.position)
    assert f'hx-get="{opened}"' in text

    steps = " ".join(her.get(opened, headers={"HX-Request": "true"}).text.split())
    assert "<html" not in steps
    assert "1 use was reported, with what it brought in" in steps
    assert "100 % of it, by the licence" in steps
    assert "Your share, 33.34 %, by split 1" in steps
    assert "matches" in steps

    whole = text_of(her, opened)
    assert "How it came to be" in whole
    assert re.search(r"use-\d+", whole)
    assert "1–1 of 1" in whole
    assert her.get(opened + "?page=99").status_code == 200


def test_a_line_that_was_not_allowed_says_so_and_is_held(world: World, her: Client) -> None:
    found = the_statement(world.maren, 2)
    line = found.lines.filter(standing="held")[0]
    opened = page("statement_line", world.maren, ref=found.ref, position=line.position)
    text = text_of(her, opened)
    assert "This use was not allowed: The artist took a yes back." in text
    assert "Not allowed:" in text


def test_nobody_reads_a_statement_that_is_not_hers(
    world: World, her: Client, charlie: User, signed_in: SignIn
) -> None:
    other = the_statement(world.aoi, 1)
    assert her.get(page("statement", world.maren, ref=other.ref)).status_code == 404
    assert her.get(page("statement", world.aoi, ref=other.ref)).status_code == 404
    mine = the_statement(world.maren, 1)
    line = page("statement_line", world.maren, ref=mine.ref, position=99)
    assert her.get(line).status_code == 404
    stranger = signed_in(charlie)
    assert stranger.get(page("statement", world.maren, ref=mine.ref)).status_code == 404


def test_an_assistant_sees_the_work_and_no_money(
    world: World, charlie: User, signed_in: SignIn
) -> None:
    grant_access(by=None, user=charlie, artist=world.maren, role=Role.ASSISTANT)
    client = signed_in(charlie)
    overview = client.get(page("overview", world.maren))
    assert overview.status_code == 200
    assert "€" not in overview.text
    for name in ("earnings", "earnings_tools", "earnings_recordings", "earnings_held", "splits"):
        assert client.get(page(name, world.maren)).status_code == 403
    mine = the_statement(world.maren, 1)
    assert client.get(page("statement", world.maren, ref=mine.ref)).status_code == 403


# --- Splits ------------------------------------------------------------------------------


@pytest.fixture
def split(world: World) -> SplitVersion:
    return propose_split(
        by=None,
        recording=world.song,
        right="publishing",
        shares={world.maren.party: 5_000, world.aoi.party: 5_000},
    )


def test_a_proposed_split_waits_for_her_yes(world: World, split: SplitVersion, her: Client) -> None:
    url = page("splits", world.maren)
    assert "One proposed split waits for your yes." in text_of(her, page("overview", world.maren))
    text = text_of(her, url)
    assert "50 %" in text
    assert '<bdi lang="ja">田中葵</bdi>' in text
    answer = page("answer_split", world.maren, ref=split.ref)
    assert her.post(answer, {"answer": "perhaps"})["Location"] == url
    assert not split.shares.filter(answer__isnull=False).exists()
    assert her.post(answer, {"answer": "yes"})["Location"] == url
    assert split.shares.filter(answer__accepted=True).get().party == world.maren.party
    assert "You have said yes." in text_of(her, url)
    assert "split waits" not in text_of(her, page("overview", world.maren))


def test_who_has_no_share_answers_no_split(world: World, split: SplitVersion) -> None:
    sol = somebody("Sol Arnesen")
    grant_access(by=None, user=sol, artist=world.tides, role=Role.ARTIST)
    client = Client()
    client.force_login(sol)
    answer = page("answer_split", world.tides, ref=split.ref)
    assert client.post(answer, {"answer": "yes"}).status_code == 404
    answer = page("answer_split", world.maren, ref=split.ref)
    assert client.post(answer, {"answer": "no"}).status_code == 404


def test_a_manager_may_refuse_a_split_and_not_accept_it(
    world: World, split: SplitVersion, signed_in: SignIn
) -> None:
    ines = somebody("Ines Prado")
    grant_access(by=None, user=ines, artist=world.maren, role=Role.MANAGER)
    client = signed_in(ines)
    answer = page("answer_split", world.maren, ref=split.ref)
    assert client.post(answer, {"answer": "yes"}).status_code == 403
    assert client.post(answer, {"answer": "no"}).status_code == 302
    split.refresh_from_db()
    assert split.status == "declined"


# --- Queries -----------------------------------------------------------------------------


def test_pages_of_money_ask_as_often_for_many_lines_as_for_few(
    world: World, her: Client, clock: MoveClock
) -> None:
    def counts() -> list[int]:
        newest = the_statement(world.maren, len(closed_months))
        line = newest.lines.order_by("position")[0].position
        urls = [
            page("overview", world.maren),
            page("earnings", world.maren),
            page("earnings_tools", world.maren),
            page("earnings_recordings", world.maren),
            page("earnings_held", world.maren),
            page("splits", world.maren),
            page("statement", world.maren, ref=newest.ref),
            page("statement_line", world.maren, ref=newest.ref, position=line),
        ]
        found = []
        for url in urls:
            her.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert her.get(url).status_code == 200
            found.append(len(queries))
        return found

    def proposed(song: Recording) -> None:
        propose_split(
            by=None, recording=song, right="publishing", shares={world.maren.party: 10_000}
        )

    closed_months = [1, 2]
    proposed(world.songs[0])
    few = counts()
    world.allow()
    output = world.made(on(3, 1, 12), {world.songs[0]: 5_000, world.songs[1]: 5_000})
    clock(on(4, 1))
    for day in range(2, 12):
        world.used(output, on(3, day), EURO)
    closed(3)
    closed_months.append(3)
    proposed(world.songs[1])
    many = counts()
    assert all(much <= little for little, much in zip(few, many, strict=True)), (few, many)
    assert max(many[:-1]) <= 12
