"""What changed, what holds, what must stop: for one company, and nothing of another's."""

import json
import os
import random
import threading
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from consent.clock import now
from consent.models import AICompany, LedgerEntry, Withdrawal
from consent.queries.changes import KINDS, changes_for
from consent.queries.ledger import head
from consent.scopes import Scope
from consent.services.parties import change_party_state
from consent.services.permissions import answer_permission
from consent.services.tools import suspend_tool
from consent.services.work import perform
from tests.consent.build import (
    a_company,
    a_licence,
    a_recording,
    a_tool,
    an_artist,
    in_days,
    on_recording,
    she_says,
)
from tests.portal.api.conftest import Machine, World, problem_of

SOAK = os.environ.get("LINER_TEST_SOAK") == "1"


def changes(machine: Machine, after: int = 0, **query: Any) -> list[dict[str, Any]]:
    """Everything after a position, page by page, with a look at the pages."""
    found: list[dict[str, Any]] = []
    while True:
        response = machine.get("permissions/changes", after=after, **query)
        assert response.status_code == 200, response.content
        page = response.json()
        assert page["after"] == after
        assert all(after < c["seq"] <= page["until"] for c in page["changes"])
        found += page["changes"]
        if page["until"] >= page["head"]:
            return found
        assert page["until"] > after
        after = page["until"]


@pytest.mark.django_db
def test_a_change_says_what_to_ask_about_again(machine: Machine, world: World) -> None:
    before = head()
    world.says("allow")
    world.says("deny", scope=on_recording(world.havn))
    world.says("ask", "discovery", scope=Scope(tool=world.tool))
    found = changes(machine, before)
    assert [c["kind"] for c in found] == ["permission.answered"] * 3
    assert [c["about"] for c in found] == [
        {"use": "generative_training", "artist": str(world.maren.party.ref)},
        {"use": "generative_training", "isrc": world.havn.isrc},
        {"use": "discovery", "artist": str(world.maren.party.ref), "tool": world.tool.slug},
    ]
    assert [c["seq"] for c in found] == [before + 1, before + 2, before + 3]


@pytest.mark.django_db
def test_every_page_size_gives_the_same_changes(machine: Machine, allowed: World) -> None:
    for stance in ("deny", "allow", "ask", "deny"):
        allowed.says(stance, "discovery")
    whole = changes(machine)
    for limit in (1, 2, 3, 7):
        assert changes(machine, limit=limit) == whole
    assert [c["seq"] for c in whole] == sorted({c["seq"] for c in whole})


@pytest.mark.django_db
def test_nothing_in_the_feed_is_about_another_company(
    machine: Machine, rival: Machine, world: World, oceanic: AICompany
) -> None:
    theirs = a_tool(oceanic, "gale")
    before = head()
    a_licence(world.fjord, oceanic)
    world.says("allow", scope=Scope(tool=theirs))
    world.says("allow", scope=Scope(company=oceanic))
    suspend_tool(by=None, tool=theirs)
    change_party_state(by=None, party=oceanic.party, suspended=True)
    assert changes(machine, before) == []
    kinds = [c["kind"] for c in changes(rival, before)]
    assert kinds == [
        "licence.signed",
        "permission.answered",
        "permission.answered",
        "tool.suspended",
        "party.changed",
    ]


@pytest.mark.django_db
def test_nothing_in_the_feed_is_personal(machine: Machine, world: World, maren_user: Any) -> None:
    song = a_recording(an_artist("Charlie"), holder=world.fjord, title="Secret Canary")
    world.license("generative_training")
    answer_permission(
        by=maren_user, artist=world.maren, use="voice", stance="allow", valid_until=in_days(30)
    )
    said = json.dumps(changes(machine))
    assert song.isrc in said
    for canary in (
        "Maren", "Charlie", "Fjord", "Nordic", "Canary", str(maren_user.ref),
        str(world.fjord.ref), str(world.songs.ref), "stance", "share_bp", "wording",
    ):  # fmt: skip
        assert canary not in said, canary


@pytest.mark.django_db
def test_every_kind_in_the_ledger_is_either_told_or_left_out_on_purpose(
    machine: Machine, allowed: World, maren_user: Any
) -> None:
    left_out = {
        "party.registered",
        "tool.registered",
        "delegation.granted",
        "delegation.ended",
        "training.reported",
        "request.made",
        "request.taken_back",
        "withdrawal.acknowledged",
        "subject.erased",
        "ledger.opened",
    }
    written = set(LedgerEntry.objects.values_list("kind", flat=True))
    assert written <= set(KINDS) | left_out


@pytest.mark.django_db
def test_the_position_is_a_number_that_was_reached(machine: Machine, world: World) -> None:
    problem_of(machine.get("permissions/changes", after=head() + 1), 422, "ahead")
    problem_of(machine.get("permissions/changes", after="x"), 422, "query")
    problem_of(machine.get("permissions/changes", after=-1), 422, "query")
    problem_of(machine.get("permissions/changes", limit=1_001), 422, "query")
    assert changes(machine, head()) == []


@pytest.mark.django_db
def test_the_feed_costs_the_same_for_one_change_and_for_three(
    machine: Machine, world: World, django_assert_num_queries: Any
) -> None:
    before = head()
    world.says("allow")
    machine.get("permissions/changes")
    with django_assert_num_queries(4):
        machine.get("permissions/changes", after=before)
    world.says("deny")
    world.says("allow")
    with django_assert_num_queries(4):
        machine.get("permissions/changes", after=before)


@pytest.mark.django_db(transaction=True)
def test_no_change_is_skipped_while_writers_commit_late(
    machine: Machine, world: World, settings: Any
) -> None:
    """Several writers hold their transactions open; consumers read all the time."""
    settings.API_LIMITS = {"read": 1_000_000}
    artists = [an_artist(f"Artist {n}") for n in range(8 if SOAK else 4)]
    before, done = head(), threading.Event()
    written = 40 if SOAK else 6
    longest = 2 if SOAK else 0.05

    def write(artist: Any) -> None:
        chance = random.Random(artist.pk)
        try:
            for n in range(written):
                with transaction.atomic():
                    she_says(artist, "discovery", "allow" if n % 2 else "deny")
                    time.sleep(chance.random() * longest)
        finally:
            connection.close()

    seen: list[list[int]] = [[] for _ in range(3 if SOAK else 2)]

    def consume(place: int) -> None:
        consumer, after = Machine(machine.secret), before
        try:
            while True:
                last = done.is_set()
                page = consumer.get("permissions/changes", after=after, limit=3).json()
                seen[place] += [c["seq"] for c in page["changes"]]
                after = page["until"]
                if last and after >= page["head"]:
                    return
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[a]) for a in artists]
    consumers = [threading.Thread(target=consume, args=[n]) for n in range(len(seen))]
    for thread in (*writers, *consumers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in consumers:
        thread.join()
    expected = list(range(before + 1, before + 1 + len(artists) * written))
    assert seen == [expected] * len(seen)


# A state to start from


@pytest.mark.django_db
def test_a_snapshot_and_the_feed_after_it_miss_nothing(machine: Machine, allowed: World) -> None:
    others = [
        a_recording(allowed.maren, holder=allowed.fjord, publisher=allowed.songs) for _ in range(4)
    ]
    first = machine.get(
        "permissions/snapshot", tool=allowed.tool.slug, use="generative_training", limit=2
    ).json()
    allowed.says("deny", scope=on_recording(others[-1]))  # between two parts
    held: dict[str, bool] = {}
    part = first
    while True:
        assert part["seq"] == first["seq"]
        assert part["at"] == first["at"]
        held |= {i["isrc"]: i["uses"]["generative_training"] for i in part["items"]}
        if part["next"] is None:
            break
        part = machine.get(
            "permissions/snapshot",
            tool=allowed.tool.slug,
            use="generative_training",
            limit=2,
            cursor=part["next"],
        ).json()
    assert held == {r.isrc: True for r in (allowed.havn, *others)}  # as of its own position
    [change] = changes(machine, first["seq"])
    assert change["about"]["isrc"] == others[-1].isrc


@pytest.mark.django_db
def test_a_snapshot_names_artists_by_pseudonym_and_all_uses_unless_one_is_asked_for(
    machine: Machine, rival: Machine, allowed: World
) -> None:
    [item] = machine.get("permissions/snapshot", tool=allowed.tool.slug).json()["items"]
    assert item["artists"] == [str(allowed.maren.party.ref)]
    assert len(item["uses"]) == 7
    assert item["uses"]["remix_input"] is True
    assert item["uses"]["voice"] is False
    problem_of(rival.get("permissions/snapshot", tool=allowed.tool.slug), 404, "unknown_tool")
    for cursor in ("x", "WzEsMl0=", "é"):
        response = machine.get("permissions/snapshot", tool=allowed.tool.slug, cursor=cursor)
        problem_of(response, 422, "cursor")


@pytest.mark.parametrize(
    ("last", "ahead", "at"),
    [
        ("", 0, "0001-01-01T00:00:00+14:00"),
        ("", 0, "9999-12-31T23:59:59-14:00"),
        ("", 0, "2029-01-01T00:00:00+00:00"),
        ("", 0, "2026-01-01T00:00:00"),
        ("", 1, "2026-01-01T00:00:00+00:00"),
        ("", 10**400, "2026-01-01T00:00:00+00:00"),
        ("\0", 0, "2026-01-01T00:00:00+00:00"),
        ("x" * 99, 0, "2026-01-01T00:00:00+00:00"),
    ],
)
def test_no_cursor_leads_to_what_is_yet_to_come_or_out_of_reach(
    machine: Machine, allowed: World, last: str, ahead: int, at: str
) -> None:
    made = urlsafe_b64encode(json.dumps([last, head() + ahead, at]).encode()).decode()
    response = machine.get("permissions/snapshot", tool=allowed.tool.slug, cursor=made)
    problem_of(response, 422, "cursor" if len(made) <= 400 else "query")
    response = machine.get("permissions/snapshot", tool=allowed.tool.slug, use="x")
    problem_of(response, 422, "unknown_use")


@pytest.mark.django_db
def test_a_snapshot_of_an_empty_catalogue_is_empty(machine: Machine, tonewright: AICompany) -> None:
    tool = a_tool(tonewright)
    part = machine.get("permissions/snapshot", tool=tool.slug).json()
    assert part["items"] == []
    assert part["next"] is None
    assert part["seq"] == head()


# What must stop


@pytest.fixture
def withdrawn(allowed: World) -> World:
    allowed.says("deny")
    return allowed


@pytest.mark.django_db
def test_a_company_sees_what_must_stop_and_confirms_it(
    machine: Machine, rival: Machine, withdrawn: World
) -> None:
    [item] = machine.get("withdrawals").json()["items"]
    assert item["use"] == "generative_training"
    assert item["tool"] == withdrawn.tool.slug
    assert item["model_version"] == str(withdrawn.model.ref)
    assert item["already_trained"] is False
    assert item["acknowledged_at"] is None
    assert Withdrawal.objects.get().told_at is not None
    path = f"withdrawals/{item['withdrawal']}/acknowledge"
    problem_of(rival.post(path), 404, "unknown_withdrawal")
    confirmed = machine.post(path)
    assert confirmed.status_code == 200
    assert confirmed.json()["acknowledged_at"] is not None
    assert machine.post(path).json() == confirmed.json()
    assert machine.get("withdrawals", state="open").json()["items"] == []
    assert machine.get("withdrawals", state="all").json()["items"] == [confirmed.json()]
    assert rival.get("withdrawals").json()["items"] == []
    assert LedgerEntry.objects.filter(kind="withdrawal.acknowledged").count() == 1
    problem_of(machine.get("withdrawals", state="x"), 422, "query")
    problem_of(machine.post("withdrawals/x/acknowledge"), 404, "unknown_withdrawal")


@pytest.mark.django_db
def test_withdrawals_come_page_by_page(machine: Machine, allowed: World) -> None:
    for use in ("generative_training", "remix_input"):
        allowed.says("deny", use)
    page = machine.get("withdrawals", limit=1).json()
    rest = machine.get("withdrawals", limit=1, before=page["next"]).json()
    assert [page["items"][0]["use"], rest["items"][0]["use"]] == [
        "remix_input", "generative_training",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_sandbox_that_looks_is_not_told(sandbox: Machine, withdrawn: World) -> None:
    assert sandbox.get("withdrawals").json()["items"]
    assert Withdrawal.objects.get().told_at is None


@pytest.mark.django_db(transaction=True)
def test_without_a_webhook_a_withdrawal_waits_in_the_list(withdrawn: World) -> None:
    [row] = Withdrawal.objects.all()
    assert perform(Withdrawal, row.pk)
    row.refresh_from_db()
    assert row.state == "done"
    assert row.told_at is None
    assert row.acknowledge_by > now() + timedelta(days=6)


@pytest.mark.django_db
def test_a_feed_of_many_entries_that_concern_nobody_goes_on(
    machine: Machine, tonewright: AICompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent.queries.changes.LOOK_AT", 2)
    for n in range(6):
        a_company(f"company-{n}")
    a_tool(tonewright)
    assert [c["kind"] for c in changes(machine)] == ["tool.registered"]
    page = changes_for(tonewright, after=0)
    assert page.until == 2
    assert page.changes == ()
