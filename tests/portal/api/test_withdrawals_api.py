"""What a company reads of a no: about what it is, where, from when on, and until when."""

import json
from datetime import timedelta

import pytest

from consent.clock import now
from consent.scopes import Scope
from consent.services.permissions import answer_recordings
from consent.services.withdrawals import end_withdrawals_of
from tests.consent.build import a_recording, a_tool, an_artist, in_days, she_says
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db


def test_a_no_to_one_recording_names_it(machine: Machine, allowed: World) -> None:
    allowed.says("deny", scope=Scope(recording=allowed.havn))
    [item] = machine.get("withdrawals").json()["items"]
    assert (item["isrc"], item["recordings"], item["territories"]) == (allowed.havn.isrc, 1, [])
    assert item["outputs_until"] == item["began_at"]


def test_who_of_a_duet_said_no_is_not_told(machine: Machine, world: World) -> None:
    aoi = an_artist("Aoi Tanaka")
    duet = a_recording(world.maren, featured=[aoi], holder=world.fjord, publisher=world.songs)
    world.license("remix_input")
    for artist in (world.maren, aoi):
        she_says(artist, "remix_input", "allow")
    told = {}
    for artist in (world.maren, aoi):
        she_says(artist, "remix_input", "deny", scope=Scope(recording=duet))
        [item, *_] = machine.get("withdrawals", state="open").json()["items"]
        assert item["isrc"] == duet.isrc
        assert item["artist"] is None
        assert str(artist.party.ref) not in json.dumps(item)
        confirmed = machine.post(f"withdrawals/{item['withdrawal']}/acknowledge")
        assert confirmed.json()["artist"] is None
        told[artist.pk] = set(item)
        she_says(artist, "remix_input", "allow", scope=Scope(recording=duet))
    assert told[world.maren.pk] == told[aoi.pk]


def test_a_no_to_all_work_names_the_artist_by_her_pseudonym(
    machine: Machine, allowed: World
) -> None:
    allowed.says("deny")
    [item] = machine.get("withdrawals").json()["items"]
    assert item["artist"] == str(allowed.maren.party.ref)


def test_a_no_to_many_recordings_is_one_and_the_changes_name_each(
    machine: Machine, allowed: World
) -> None:
    other = a_recording(allowed.maren, holder=allowed.fjord, publisher=allowed.songs)
    before = machine.get("permissions/changes").json()["head"]
    act = answer_recordings(
        by=None,
        artist=allowed.maren,
        use="generative_training",
        stance="deny",
        recordings=[allowed.havn.pk, other.pk],
    )
    assert act is not None
    [item] = machine.get("withdrawals").json()["items"]
    assert (item["isrc"], item["recordings"], item["artist"]) == (None, 2, None)
    changes = machine.get("permissions/changes", after=before).json()["changes"]
    assert {one["about"].get("isrc") for one in changes} == {allowed.havn.isrc, other.isrc}


def test_a_no_for_some_countries_says_which(machine: Machine, allowed: World) -> None:
    allowed.says("deny", territories=["DE", "AT"])
    [item] = machine.get("withdrawals").json()["items"]
    assert (item["isrc"], item["recordings"], item["territories"]) == (None, None, ["AT", "DE"])


def test_a_no_for_later_says_from_when_on(machine: Machine, allowed: World) -> None:
    day = in_days(3)
    allowed.says("deny", valid_from=day)
    [item] = machine.get("withdrawals").json()["items"]
    assert item["began_at"].startswith(day.strftime("%Y-%m-%dT%H:%M:%S"))
    assert item["acknowledge_by"] > (now() + timedelta(days=9)).isoformat()


def test_a_tool_without_a_model_version_is_told_too(machine: Machine, allowed: World) -> None:
    studio = a_tool(allowed.tool.company, "studio")
    allowed.says("deny", scope=Scope(tool=studio))
    [item] = machine.get("withdrawals").json()["items"]
    assert (item["tool"], item["model_version"]) == ("studio", None)


def test_a_company_without_a_licence_is_told_nothing(rival: Machine, allowed: World) -> None:
    allowed.says("deny")
    assert rival.get("withdrawals").json()["items"] == []


def test_what_she_allowed_again_is_over_and_not_open(machine: Machine, allowed: World) -> None:
    allowed.says("deny")
    [item] = machine.get("withdrawals", state="open").json()["items"]
    assert (item["state"], item["over_at"]) == ("open", None)
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    assert machine.get("withdrawals", state="open").json()["items"] == []
    for state in ("over", "all"):
        [over] = machine.get("withdrawals", state=state).json()["items"]
        assert (over["withdrawal"], over["state"]) == (item["withdrawal"], "over")
        assert over["over_at"] > over["began_at"]


def test_what_is_over_may_be_confirmed_all_the_same(machine: Machine, allowed: World) -> None:
    allowed.says("deny")
    allowed.says("allow")
    end_withdrawals_of(artist=allowed.maren)
    [item] = machine.get("withdrawals").json()["items"]
    confirmed = machine.post(f"withdrawals/{item['withdrawal']}/acknowledge")
    assert confirmed.status_code == 200
    assert (confirmed.json()["state"], confirmed.json()["over_at"]) == ("over", item["over_at"])
    assert confirmed.json()["acknowledged_at"] is not None


def test_a_state_that_there_is_not_is_refused(machine: Machine, allowed: World) -> None:
    problem_of(machine.get("withdrawals", state="closed"), 422, "query")
