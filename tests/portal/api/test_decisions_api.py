"""May this tool do this? Asked by machines, and never answered with a stale or a guessed yes."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from consent.clock import now
from consent.models import LedgerEntry
from consent.queries.ledger import head
from tests.consent.build import a_recording, a_tool, an_artist, she_says
from tests.consent.prepared import prepared_runs_of
from tests.portal.api.conftest import Machine, World, problem_of

pytestmark = pytest.mark.django_db


def first(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()["items"][0]
    return found


def test_a_yes_of_everybody_is_a_yes_with_its_reasons_and_its_position(
    machine: Machine, allowed: World
) -> None:
    response = machine.decide(allowed.question)
    assert response.json()["seq"] == head()
    item = first(response)
    assert item["allowed"] is True
    assert item["valid_until"] is None
    assert [r["code"] for r in item["reasons"]] == ["licensed", "licensed", "artist_allows"]
    assert [r.get("right") for r in item["reasons"]] == ["master", "publishing", None]


def test_without_a_licence_nothing_is_allowed(machine: Machine, world: World) -> None:
    world.says("allow")
    item = first(machine.decide(world.question))
    assert item["allowed"] is False
    assert "no_licence" in [r["code"] for r in item["reasons"]]


def test_a_revocation_that_was_answered_is_never_followed_by_a_yes(
    machine: Machine, allowed: World
) -> None:
    for _ in range(3):
        assert first(machine.decide(allowed.question))["allowed"] is True
        allowed.says("deny")
        assert first(machine.decide(allowed.question))["allowed"] is False
        allowed.says("allow")


def test_the_question_to_the_database_is_prepared(machine: Machine, allowed: World) -> None:
    before = prepared_runs_of("decision_facts")
    machine.decide(allowed.question)
    machine.decide(allowed.question)
    assert prepared_runs_of("decision_facts") == before + 2


def test_reasons_name_nobody_and_count_nobody(machine: Machine, world: World) -> None:
    aoi, bo = an_artist("Aoi Tanaka"), an_artist("Charlie")
    song = a_recording(world.maren, featured=[aoi, bo], holder=world.fjord, publisher=world.songs)
    world.license("generative_training")
    item = first(machine.decide({**world.question, "isrc": song.isrc}))
    codes = [r["code"] for r in item["reasons"]]
    assert codes.count("artist_undecided") == 1
    said = json.dumps({**item, "decision": ""})  # the token's letters may spell anything
    for name in ("Maren", "Aoi", "Charlie", "Fjord", "Nordic"):
        assert name not in said


def test_a_minor_without_a_guardian_looks_like_anybody_who_has_not_answered() -> None:
    from consent.decisions import Code, Decision, Reason, Verdict
    from portal.api.answers import reasons_of

    missing = Decision(False, (Reason(Code.GUARDIAN_MISSING, Verdict.NO, 7, seq=3),), 9)
    assert [r["code"] for r in reasons_of(missing)] == ["artist_undecided"]


def test_an_unknown_recording_tool_or_model_version_is_a_no_with_its_own_reason(
    machine: Machine, allowed: World
) -> None:
    asked = [
        {**allowed.question, "isrc": "NOZZZ2400001"},
        {**allowed.question, "tool": "nobodys-tool"},
        {**allowed.question, "model_version": "00000000-0000-4000-8000-000000000000"},
    ]
    items = machine.decide(*asked).json()["items"]
    assert [i["allowed"] for i in items] == [False, False, False]
    assert [i["reasons"][0]["code"] for i in items] == [
        "unknown_recording",
        "unknown_tool",
        "unknown_model_version",
    ]


def test_the_tool_of_another_company_looks_like_no_tool_at_all(
    machine: Machine, rival: Machine, allowed: World
) -> None:
    assert first(machine.decide(allowed.question))["allowed"] is True
    item = first(rival.decide(allowed.question))
    assert item["allowed"] is False
    assert [r["code"] for r in item["reasons"]] == ["unknown_tool"]


def test_a_batch_is_one_snapshot_in_the_order_of_the_questions(
    machine: Machine, allowed: World
) -> None:
    other = a_recording(an_artist("Aoi Tanaka"), holder=allowed.fjord)
    asked = [allowed.question, {**allowed.question, "isrc": other.isrc}] * 50
    response = machine.decide(*asked)
    assert [i["allowed"] for i in response.json()["items"]] == [True, False] * 50
    assert isinstance(response.json()["seq"], int)


def test_an_isrc_may_have_hyphens(machine: Machine, allowed: World) -> None:
    i = allowed.havn.isrc
    hyphened = f"{i[:2]}-{i[2:5]}-{i[5:7]}-{i[7:]}"
    assert first(machine.decide({**allowed.question, "isrc": hyphened}))["allowed"] is True


def test_a_yes_for_norway_answers_norway_and_not_the_world(machine: Machine, world: World) -> None:
    world.license("generative_training")
    world.says("allow", territories=["NO"])
    assert first(machine.decide({**world.question, "territory": "NO"}))["allowed"] is True
    assert first(machine.decide({**world.question, "territory": "JP"}))["allowed"] is False
    assert first(machine.decide(world.question))["allowed"] is False


def test_a_yes_that_ends_says_until_when(machine: Machine, world: World) -> None:
    world.license("generative_training")
    world.says("allow", valid_until=now() + timedelta(days=30))
    until = first(machine.decide(world.question))["valid_until"]
    assert until.endswith("Z")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"isrc": "NOUM7240019"}, "/items/1/isrc", "isrc"),
        ({"isrc": None}, "/items/1/isrc", "isrc"),
        ({"isrc": 7}, "/items/1/isrc", "isrc"),
        ({"isrc": ["NOUM72400192"]}, "/items/1/isrc", "isrc"),
        ({"use": "everything"}, "/items/1/use", "unknown_use"),
        ({"use": ["voice"]}, "/items/1/use", "unknown_use"),
        ({"tool": ""}, "/items/1/tool", "tool"),
        ({"tool": "a b"}, "/items/1/tool", "tool"),
        ({"tool": "é\ud800"}, "/items/1/tool", "tool"),
        ({"territory": "XX"}, "/items/1/territory", "unknown_territory"),
        ({"territory": "no"}, "/items/1/territory", "unknown_territory"),
        ({"territory": {}}, "/items/1/territory", "unknown_territory"),
        ({"at": "yesterday"}, "/items/1/at", "moment"),
        ({"at": "2026-01-01T00:00:00"}, "/items/1/at", "moment"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "/items/1/at", "date_out_of_range"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "/items/1/at", "date_out_of_range"),
        ({"at": "2199-01-01T00:00:00Z"}, "/items/1/at", "at_in_future"),
        ({"model_version": "v1"}, "/items/1/model_version", "model_version"),
        ({"teritory": "NO"}, "/items/1/teritory", "unknown_field"),
        ({"a/b~c": 1}, "/items/1/a~1b~0c", "unknown_field"),
    ],
)
def test_one_malformed_item_refuses_the_whole_and_points_at_itself(
    machine: Machine, allowed: World, change: dict[str, Any], pointer: str, code: str
) -> None:
    before = LedgerEntry.objects.count()
    response = machine.decide(allowed.question, {**allowed.question, **change})
    problem = problem_of(response, 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(pointer, code)]
    assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize("body", [[], {}, {"items": {}}, {"items": None}, 7, "x", None])
def test_what_is_no_list_of_items_is_said(machine: Machine, allowed: World, body: Any) -> None:
    response = machine.post("decisions", json.dumps(body))
    assert response.status_code == 422
    assert "allowed" not in response.content.decode()


def test_an_item_that_is_no_object_is_said(machine: Machine, allowed: World) -> None:
    problem = problem_of(machine.decide(allowed.question, "x"), 422, "invalid")  # type: ignore[arg-type]
    assert problem["errors"][0]["pointer"] == "/items/1"


@pytest.mark.parametrize("how_many", [0, 101])
def test_there_are_1_to_100_items(machine: Machine, allowed: World, how_many: int) -> None:
    problem_of(machine.decide(*[allowed.question] * how_many), 422, "too_many_items")


def test_a_body_of_5_mb_is_refused_before_it_is_read(machine: Machine, allowed: World) -> None:
    body = json.dumps({"items": [allowed.question], "x": "y" * 5_000_000})
    problem_of(machine.post("decisions", body), 413, "too_large")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"items": NaN}', b"[" * 100_000, b'{"a": 1} x']
)
def test_what_is_not_json_is_said(machine: Machine, allowed: World, body: bytes) -> None:
    problem_of(machine.post("decisions", body), 400, "malformed_json")


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("decisions", '{"items": [{"use": "voice", "isrc": "x", "use": "style"}]}', "use"),
        ("decisions", '{"items": [], "items": []}', "items"),
        ("requests", '{"tool": "a", "tool": "a"}', "tool"),
        ("usage-events", '{"events": [{"event_id": "1", "\\u0065vent_id": "1"}]}', "event_id"),
    ],
)
def test_a_name_that_stands_twice_is_no_question(
    machine: Machine, allowed: World, path: str, body: str, name: str
) -> None:
    problem = problem_of(machine.post(path, body), 400, "malformed_json")
    assert f"“{name}” stands twice" in problem["detail"]


def test_only_json_is_read(machine: Machine, allowed: World) -> None:
    response = machine.post("decisions", b"a=b", Content_Type="application/x-www-form-urlencoded")
    problem_of(response, 415, "unsupported_media_type")


def test_decisions_are_asked_for_by_post(machine: Machine, allowed: World) -> None:
    response = machine.get("decisions")
    problem_of(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST"


def test_a_position_that_is_not_reached_is_no_answer(machine: Machine, allowed: World) -> None:
    assert machine.decide(allowed.question, min_seq=head()).status_code == 200
    response = machine.decide(allowed.question, min_seq=head() + 1)
    problem_of(response, 503, "behind")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_position_that_is_not_reached_yet_is_an_answer_and_no_error_in_the_log(
    machine: Machine, allowed: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        response = machine.decide(allowed.question, min_seq=head() + 1)
    problem_of(response, 503, "behind")
    assert response.headers["Retry-After"] == "1"
    said = [record for record in caplog.records if record.name == "django.request"]
    assert [(record.levelname, record.exc_info) for record in said] == [("INFO", None)]
    assert not [record for record in caplog.records if record.levelno >= 30]


@pytest.mark.parametrize("min_seq", [-1, 1.5, "7", True, 2**63, None])
def test_a_position_is_a_whole_number(machine: Machine, allowed: World, min_seq: Any) -> None:
    problem_of(machine.decide(allowed.question, min_seq=min_seq), 422, "invalid")


@pytest.mark.django_db(transaction=True)
def test_deciding_writes_nothing(
    machine: Machine, allowed: World, django_assert_num_queries: Any
) -> None:
    machine.decide(allowed.question)  # notes once a minute that the key was used
    with transaction.atomic(), connection.cursor() as cursor:
        with django_assert_num_queries(0):  # beside the one that Django does not see
            machine.decide(allowed.question)
        cursor.execute("SELECT pg_current_xact_id_if_assigned()")
        assert cursor.fetchone() == (None,)


def test_an_idempotency_key_means_nothing_to_a_question(machine: Machine, allowed: World) -> None:
    body = {"items": [allowed.question]}
    assert first(machine.post("decisions", body, Idempotency_Key="one"))["allowed"] is True
    allowed.says("deny")
    assert first(machine.post("decisions", body, Idempotency_Key="one"))["allowed"] is False


def test_a_sandbox_key_asks_the_same_question(
    machine: Machine, sandbox: Machine, allowed: World
) -> None:
    assert first(sandbox.decide(allowed.question))["allowed"] is True


# The same answer again


def test_a_decision_replays_to_the_same_answer_for_ever(machine: Machine, allowed: World) -> None:
    yes = first(machine.decide(allowed.question))["decision"]
    allowed.says("deny")
    no = first(machine.decide(allowed.question))["decision"]
    allowed.says("allow")
    a_tool(allowed.tool.company, "another")
    for token, answer in ((yes, True), (no, False)):
        for response in (
            machine.post("decisions/replay", {"decision": token}),
            machine.get("decisions/replay", decision=token),
        ):
            assert response.status_code == 200, response.content
            assert response.json()["allowed"] is answer
            assert response.json()["same"] is True
            assert response.json()["isrc"] == allowed.havn.isrc


def test_a_decision_keeps_its_territory_model_version_and_moment(
    machine: Machine, allowed: World
) -> None:
    asked = {
        **allowed.question,
        "territory": "NO",
        "model_version": str(allowed.model.ref),
        "at": now().isoformat(),
    }
    token = first(machine.decide(asked))["decision"]
    replay = machine.post("decisions/replay", {"decision": token}).json()
    assert replay["territory"] == "NO"
    assert replay["model_version"] == str(allowed.model.ref)
    assert replay["same"] is True


@pytest.mark.parametrize("spoil", ["flip", "cut", "empty", "swap", "version", "long"])
def test_a_changed_decision_is_not_ours(machine: Machine, allowed: World, spoil: str) -> None:
    token = first(machine.decide(allowed.question))["decision"]
    version, payload, mac = token.split(".")
    spoilt = {
        "flip": f"{version}.{'A' if payload[0] != 'A' else 'B'}{payload[1:]}.{mac}",
        "cut": token[:-3],
        "empty": "",
        "swap": f"{version}.{mac}.{payload}",
        "version": f"ln2.{payload}.{mac}",
        "long": token + "A" * 2_000,
    }[spoil]
    response = machine.get("decisions/replay", decision=spoilt)
    problem_of(response, 422, "decision_token")


def test_only_the_company_that_asked_has_its_decision_replayed(
    machine: Machine, rival: Machine, allowed: World
) -> None:
    asked = {**allowed.question, "at": now().isoformat()}
    then = {name: asked[name] for name in ("isrc", "use", "tool", "at")}
    for token in (
        first(machine.decide(allowed.question))["decision"],
        first(machine.decide(asked))["decision"],
        machine.get("decisions/history", **then).json()["decision"],
    ):
        assert machine.post("decisions/replay", {"decision": token}).json()["same"] is True
        of_another = rival.post("decisions/replay", {"decision": token})
        unknown = rival.post("decisions/replay", {"decision": "ln1.e30.AAAA"})
        problem_of(of_another, 422, "decision_token")
        assert of_another.json() == unknown.json()
        problem_of(rival.get("decisions/replay", decision=token), 422, "decision_token")


def test_what_a_rival_asked_about_a_tool_does_not_answer_the_company_whose_tool_it_is(
    machine: Machine, rival: Machine, allowed: World
) -> None:
    token = first(rival.decide(allowed.question))["decision"]
    assert rival.post("decisions/replay", {"decision": token}).json()["same"] is True
    problem_of(machine.post("decisions/replay", {"decision": token}), 422, "decision_token")


def test_any_key_of_the_company_replays_a_decision_one_for_trying_out_too(
    machine: Machine, sandbox: Machine, allowed: World
) -> None:
    for asker, other in ((machine, sandbox), (sandbox, machine)):
        token = first(asker.decide(allowed.question))["decision"]
        assert other.post("decisions/replay", {"decision": token}).json()["same"] is True


def test_a_decision_survives_a_change_of_the_key_that_signs(
    machine: Machine, allowed: World, settings: Any
) -> None:
    token = first(machine.decide(allowed.question))["decision"]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    assert machine.get("decisions/replay", decision=token).json()["same"] is True
    settings.SECRET_KEY_FALLBACKS = []
    problem_of(machine.get("decisions/replay", decision=token), 422, "decision_token")


# What was allowed then


def test_what_was_allowed_then_does_not_change(machine: Machine, allowed: World) -> None:
    then, seq = now(), head()
    allowed.says("deny")
    asked = {**allowed.question, "at": then.isoformat()}
    assert machine.get("decisions/history", **asked).json()["allowed"] is True
    assert machine.get("decisions/history", **asked, known_seq=seq).json()["allowed"] is True
    known = {**allowed.question, "at": now().isoformat(), "known_at": then.isoformat()}
    assert machine.get("decisions/history", **known).json()["allowed"] is True
    assert first(machine.decide({**allowed.question, "at": then.isoformat()}))["allowed"] is True
    assert first(machine.decide(allowed.question))["allowed"] is False


def test_the_past_of_a_company_is_that_of_each_tool_it_had_then(
    machine: Machine, rival: Machine, allowed: World
) -> None:
    then = now()
    a_tool(allowed.tool.company, "wavewright")
    asked = {name: value for name, value in allowed.question.items() if name != "tool"}
    slug = allowed.tool.company.slug
    answer = machine.get("decisions/history", **asked, company=slug, at=then.isoformat())
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert (found["company"], found["allowed"]) == (slug, True)
    [item] = found["items"]
    alone = machine.get(
        "decisions/history", **allowed.question, at=then.isoformat(), known_seq=found["seq"]
    ).json()
    for name in ("allowed", "reasons", "valid_until"):
        assert item[name] == alone[name]
    assert machine.post("decisions/replay", {"decision": item["decision"]}).json()["same"] is True
    later = machine.get("decisions/history", **asked, company=slug, at=now().isoformat()).json()
    assert [one["tool"] for one in later["items"]] == ["tidesmith", "wavewright"]
    for other in (slug, "nobody", ""):
        problem_of(
            rival.get("decisions/history", **asked, company=other, at=then.isoformat()),
            404,
            "unknown_company",
        )


def test_before_anything_was_known_the_answer_was_no(machine: Machine, allowed: World) -> None:
    asked = {**allowed.question, "at": "2001-01-01T00:00:00Z"}
    assert machine.get("decisions/history", **asked).json()["allowed"] is False


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"at": "2199-01-01T00:00:00Z"}, "at_in_future"),
        ({"at": "2999-01-01T00:00:00Z"}, "invalid"),
        ({"known_at": "0001-01-01T00:00:00Z"}, "invalid"),
        ({"tool": None}, "tool_or_company"),
        ({"company": "tonewright"}, "tool_or_company"),
        ({"tool": None, "company": "tonewright", "model_version": "x"}, "query"),
        ({"tool": None, "company": "tonewright", "use": "x"}, "invalid"),
        ({"at": None}, "invalid"),
        ({"isrc": "x"}, "invalid"),
        ({"use": "x"}, "invalid"),
        ({"known_seq": "-1"}, "invalid"),
        ({"known_at": "x"}, "invalid"),
        ({"known_at": "2199-01-01T00:00:00Z"}, "not_yet_known"),
        ({"known_seq": "99999999"}, "not_yet_known"),
        ({"known_seq": "1", "known_at": "2001-01-01T00:00:00Z"}, "known_twice"),
    ],
)
def test_history_says_what_is_wrong_with_a_question(
    machine: Machine, allowed: World, change: dict[str, Any], code: str
) -> None:
    query = {**allowed.question, "at": now().isoformat(), **change}
    query = {name: value for name, value in query.items() if value is not None}
    problem_of(machine.get("decisions/history", **query), 422, code)


@pytest.mark.parametrize("body", ["{", "[]", json.dumps({"items": []})])
def test_without_a_key_nobody_hears_what_is_wrong_with_a_question(world: World, body: str) -> None:
    wrong = {"Authorization": "Bearer ln_live_00000000_" + "A" * 43}
    for headers in ({}, wrong):
        response = Client().post(
            "/api/v1/decisions", body, content_type="application/json", headers=headers
        )
        problem_of(response, 401, "unauthorised")


def test_charlie_without_a_key_learns_nothing(allowed: World) -> None:
    response = Client().post(
        "/api/v1/decisions",
        json.dumps({"items": [allowed.question]}),
        content_type="application/json",
    )
    problem_of(response, 401, "unauthorised")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    she_says(allowed.maren, "style", "deny")
