"""What the API says of itself: problems, the schema, the docs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from drf_spectacular.validation import validate_schema

from consent.errors import Refused
from portal.api.catalogue import MEANINGS
from portal.api.problems import CONFLICTS, Problem, of_exception, of_refused
from portal.api.schema import description
from portal.api.urls import V1
from tests.portal.api.conftest import Machine, World, problem_of

ROOT = Path(__file__).resolve().parents[3]

# Where the codes come from that an API call can meet.
SOURCES = (
    "portal/api",
    "portal/services/webhooks.py",
    "portal/services/outbound.py",
    "portal/services/tokens.py",
    "portal/services/idempotency.py",
    "consent/queries/changes.py",
    "consent/queries/signals.py",
    "consent/queries/requests.py",
    "consent/queries/tools.py",
    "consent/queries/ledger.py",
    "consent/services/tools.py",
    "consent/services/requests.py",
    "consent/services/provenance.py",
    "consent/services/withdrawals.py",
)
RAISED = re.compile(
    r"(?:Refused|NotFound|Frozen)\(\s*\"([a-z_]+)\"|Problem\(\s*\d{3},\s*\"([a-z_]+)\""
)
# Refused by operators' services in those files, which no API call reaches; or the name of a field.
NOT_OF_THE_API = {"company_differs"}


def _codes() -> set[str]:
    found: set[str] = set()
    for source in SOURCES:
        path = ROOT / source
        for file in [path] if path.is_file() else path.rglob("*.py"):
            for one, other in RAISED.findall(file.read_text()):
                found.add(one or other)
    return found


def test_every_code_that_can_be_met_is_explained() -> None:
    codes = _codes()
    assert {"too_large", "run_differs", "asked_recently", "webhook_url"} <= codes
    assert sorted(codes - set(MEANINGS) - NOT_OF_THE_API) == []


def test_a_code_has_the_status_that_its_page_says() -> None:
    for code, meaning in MEANINGS.items():
        if code in CONFLICTS:
            assert meaning.status == 409, code
        assert of_refused(Refused("x", "y")).status == 422


@pytest.mark.django_db
def test_a_problem_leads_to_its_page(machine: Machine, world: World) -> None:
    problem = problem_of(machine.decide(), 422, "too_many_items")
    page = Client().get(problem["type"].split("8000")[-1])
    assert page.status_code == 200
    assert str(MEANINGS["too_many_items"].sentence) in page.content.decode()
    assert Client().get(reverse("api-problems")).status_code == 200
    assert Client().get("/api/problems/no_such_code/").status_code == 404


@pytest.mark.parametrize("path", ["ledger/keys", "ledger/head", "signals/nonsense", "no/such"])
def test_a_browser_that_is_led_to_an_answer_runs_and_frames_nothing(path: str) -> None:
    answer = Client().get(f"/api/v1/{path}")
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_what_is_not_foreseen_is_no_problem_but_a_crash() -> None:
    assert of_exception(ValueError("x")) is None
    assert isinstance(of_exception(Problem(400, "x", "y")), Problem)


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    response = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def test_the_schema_is_one_and_has_every_route(schema: dict[str, Any]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    described = {re.sub(r"\{[^}]*\}", "{}", path) for path in schema["paths"]}
    assert described == {"/api/v1/" + re.sub(r"<[^>]*>", "{}", str(route.pattern)) for route in V1}
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["operationId"]
            assert operation["summary"]
            assert operation["tags"]


def test_every_operation_but_the_public_ones_needs_a_key(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            public = "Public" in operation["tags"]
            assert (operation.get("security") in (None, [], [{}])) is public, path


WITHOUT_A_BODY = {"429", "503"}
WITH_A_BODY = WITHOUT_A_BODY | {"400", "413", "415", "422"}


def test_the_schema_declares_every_problem_that_comes_of_what_an_operation_is(
    schema: dict[str, Any],
) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            declared = set(operation["responses"])
            expected = WITH_A_BODY if "requestBody" in operation else WITHOUT_A_BODY
            public = "Public" in operation["tags"]
            assert expected <= declared, (path, method)
            assert declared.isdisjoint({"401", "403"}) is public, (path, method)


@pytest.mark.django_db
def test_what_is_wrong_with_any_request_is_answered_as_the_schema_declares(
    machine: Machine, world: World, schema: dict[str, Any]
) -> None:
    headers = {**machine.headers(), "Idempotency-Key": "é"}
    bodies = [
        ({}, b"{", "application/json"),
        ({}, b'{"a": 1, "a": 1}', "application/json"),
        ({}, b"{}", "application/json"),
        ({}, b"{}", "text/plain"),
        ({}, b"x" * 2_100_000, "application/json"),
        ({"Accept": "image/png"}, b"{}", "application/json"),
        ({"Authorization": "Bearer ln_live_no"}, b"{}", "application/json"),
    ]
    seen = set()
    for path, operations in schema["paths"].items():
        address = re.sub(r"\{[^}]*\}", "1", path)
        for method, operation in operations.items():
            for more, body, kind in bodies:
                answer = Client().generic(
                    method.upper(), address, body, kind, headers={**headers, **more}
                )
                seen.add(answer.status_code)
                assert str(answer.status_code) in operation["responses"], (path, method, body[:9])
    assert {400, 401, 406, 413, 415, 422} <= seen


def test_the_schema_has_the_words_of_the_house(schema: dict[str, Any]) -> None:
    question = schema["components"]["schemas"]["Question"]["properties"]
    assert set(question) == {"isrc", "use", "tool", "model_version", "territory", "at"}


def test_the_schema_begins_with_a_quickstart(schema: dict[str, Any]) -> None:
    assert "Quickstart" in schema["info"]["description"]
    assert schema["info"]["version"].startswith("1")


@pytest.mark.django_db
def test_the_docs_are_a_page_without_anything_inline() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    body = page.content.decode()
    assert "swagger-ui" in body
    assert "<style" not in body
    assert not re.search(r"<script(?![^>]*\bsrc=)", body)
    assert "<title>API · Liner Notes</title>" in body
    assert '<a href="/api/schema/">OpenAPI</a>' in body  # where there is no JavaScript
    script = Client().get("/api/docs/?script=")
    assert "javascript" in script.headers["Content-Type"]
    assert "/api/schema/" in script.content.decode()


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/x", "/api/v1/x"])
def test_an_address_of_the_api_that_leads_nowhere_is_a_problem(path: str) -> None:
    for answer in (Client().get(path), Client().post(path, {}, content_type="application/json")):
        problem_of(answer, 404, "not_found")
        assert "no-store" in answer.headers["Cache-Control"]


def test_the_pages_about_the_api_stay_pages() -> None:
    assert Client().get("/api/docs/").headers["Content-Type"].startswith("text/html")
    assert Client().get("/api/docs")["Location"] == "/api/docs/"
    assert Client().get("/apis").headers["Content-Type"].startswith("text/html")


def test_the_quickstart_names_the_address_that_it_is_read_at(settings: Any) -> None:
    settings.SITE_URL = "https://liner.example/"
    shown = description()
    assert "export LINER=https://liner.example\n" in shown
    assert "localhost" not in shown
