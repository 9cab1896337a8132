"""Canaries: of several artists on one recording a machine never learns which of them said what."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction

from consent.clock import now
from consent.models import Artist, Permission, Recording
from consent.services.parties import change_party_state
from consent.services.permissions import revoke_permission
from portal.models import User
from tests.consent.build import a_recording, an_artist, she_says
from tests.portal.api.conftest import Machine, World

pytestmark = pytest.mark.django_db

USE = "generative_training"


def withdraws(artist: Artist, olga: User) -> None:
    she_says(artist, USE, "allow")
    she_says(artist, USE, "deny")


def is_revoked(artist: Artist, olga: User) -> None:
    she_says(artist, USE, "allow")
    given = Permission.objects.filter(artist=artist).latest("id")
    revoke_permission(by=olga, permission=given, reason="A stolen phone.")


def is_suspended(artist: Artist, olga: User) -> None:
    she_says(artist, USE, "allow")
    change_party_state(by=None, party=artist.party, suspended=True)


STATES: dict[str, Callable[[Artist, User], None]] = {
    "allows": lambda artist, olga: she_says(artist, USE, "allow"),
    "undecided": lambda artist, olga: None,
    "denies": lambda artist, olga: she_says(artist, USE, "deny"),
    "asks": lambda artist, olga: she_says(artist, USE, "ask"),
    "withdraws": withdraws,
    "is revoked": is_revoked,
    "is suspended": is_suspended,
}


@pytest.fixture
def aoi() -> Artist:
    return an_artist("Aoi Tanaka")


@pytest.fixture
def duet(world: World, aoi: Artist) -> Recording:
    world.license(USE)
    return a_recording(world.maren, featured=[aoi], holder=world.fjord, publisher=world.songs)


def told(machine: Machine, world: World, recording: Recording) -> dict[str, Any]:
    """Everything that the API says about it, but its tokens, which are signed and of a moment."""
    question = {**world.question, "isrc": recording.isrc}
    [item] = machine.decide(question).json()["items"]
    token = item.pop("decision")
    replay = machine.post("decisions/replay", {"decision": token}).json()
    assert replay["same"] is True
    assert replay["reasons"] == item["reasons"], "a token replays to the same reasons"
    then = machine.get("decisions/history", **question, at=now().isoformat()).json()
    run = {
        "run": "spring-run",
        "model_version": str(world.model.ref),
        "use": USE,
        "trained_at": now().isoformat(),
        "isrcs": [recording.isrc],
    }
    [verdict] = machine.post("training-runs", run).json()["items"]
    snapshot = machine.get("permissions/snapshot", tool=world.tool.slug).json()["items"]
    return {
        "item": item,
        "then": then["reasons"],
        "verdict": [verdict["standing"], verdict["reason"]],
        "snapshot": next(one for one in snapshot if one["isrc"] == recording.isrc),
    }


def test_a_no_on_a_duet_reads_the_same_whoever_gave_it_and_however(
    machine: Machine, world: World, duet: Recording, aoi: Artist, olga: User
) -> None:
    seen = {}
    for maren, other in permutations(STATES, 2):
        with transaction.atomic():
            STATES[maren](world.maren, olga)
            STATES[other](aoi, olga)
            seen[maren, other] = told(machine, world, duet)
            transaction.set_rollback(True)
    first = seen["undecided", "denies"]
    assert [r["code"] for r in first["item"]["reasons"]] == [
        "licensed",
        "licensed",
        "artist_undecided",
    ]
    assert first["verdict"] == ["not_allowed", "artist_undecided"]
    for who, found in seen.items():
        assert found == first, who


def test_the_yes_of_both_is_one_reason(
    machine: Machine, world: World, duet: Recording, aoi: Artist
) -> None:
    for artist in (world.maren, aoi):
        she_says(artist, USE, "allow", valid_until=now() + timedelta(days=9))
    found = told(machine, world, duet)
    assert found["item"]["allowed"] is True
    assert [r["code"] for r in found["item"]["reasons"]] == [
        "licensed",
        "licensed",
        "artist_allows",
    ]
    assert found["verdict"] == ["allowed", "artist_allows"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("denies", "artist_denies"),
        ("asks", "artist_asks"),
        ("undecided", "artist_undecided"),
        ("withdraws", "artist_denies"),
        ("is revoked", "artist_denies"),
        ("is suspended", "artist_undecided"),
    ],
)
def test_of_one_artist_the_answer_is_told_and_not_how_it_came_about(
    machine: Machine, world: World, olga: User, state: str, code: str
) -> None:
    world.license(USE)
    STATES[state](world.maren, olga)
    found = told(machine, world, world.havn)
    assert [r["code"] for r in found["item"]["reasons"]] == ["licensed", "licensed", code]
    assert "revoked" not in json.dumps(found)


def test_a_snapshot_and_a_change_name_a_duets_artists_in_no_order_of_billing(
    machine: Machine, world: World, aoi: Artist
) -> None:
    for main, featured in ((world.maren, aoi), (aoi, world.maren)):
        song = a_recording(main, featured=[featured], holder=world.fjord)
        items = machine.get("permissions/snapshot", tool=world.tool.slug).json()["items"]
        [found] = [one["artists"] for one in items if one["isrc"] == song.isrc]
        assert found == sorted(str(artist.party.ref) for artist in (main, featured))


def test_the_feed_does_not_say_that_staff_revoked_an_answer(
    machine: Machine, world: World, olga: User
) -> None:
    is_revoked(world.maren, olga)
    changes = machine.get("permissions/changes", after=0).json()["changes"]
    kinds = [one["kind"] for one in changes if one["kind"].startswith("permission.")]
    assert kinds == ["permission.answered", "permission.withdrawn"]
