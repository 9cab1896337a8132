"""A machine that speaks to the API, and a small world to ask about."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from consent.models import AICompany, Artist, ModelVersion, Party, Recording, Tool
from portal.api import authentication, limits
from portal.roles import ApiScope
from portal.services.clients import CreatedKey, create_api_client, create_api_key
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_recording,
    a_tool,
    an_artist,
    she_says,
)


@dataclass
class Machine:
    """A client of an AI company, with its key."""

    secret: str
    http: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", **more}

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(f"/api/v1/{path}", query, headers=self.headers())

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes | str) else json.dumps({} if body is None else body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(
            f"/api/v1/{path}",
            data,
            content_type=named.pop("Content-Type", "application/json"),
            headers=self.headers(**named),
        )

    def delete(self, path: str) -> Any:
        return self.http.delete(f"/api/v1/{path}", headers=self.headers())

    def decide(self, *items: dict[str, Any], **more: Any) -> Any:
        return self.post("decisions", {"items": list(items), **more})


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem in a response, after a look at its form."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(response.content)
    assert found["status"] == status
    assert found["code"] == code, found
    assert found["type"].endswith(f"/api/problems/{code}/")
    assert found["title"]
    assert found["detail"]
    return found


@pytest.fixture(autouse=True)
def _counts_start_at_zero() -> Iterator[None]:
    limits.forget()
    authentication._noted.clear()
    yield
    limits.forget()


@pytest.fixture
def machine(tonewright_key: CreatedKey) -> Machine:
    """Tonewright's machine; its key may do everything that a key can."""
    return Machine(tonewright_key.secret)


@pytest.fixture
def sandbox(tonewright_key: CreatedKey) -> Machine:
    """Tonewright's machine with a key for trying out."""
    return Machine(
        create_api_key(
            by=None, client=tonewright_key.key.client, scopes=ApiScope, sandbox=True
        ).secret
    )


@pytest.fixture
def oceanic(db: None) -> AICompany:
    return a_company("oceanic")


@pytest.fixture
def rival(oceanic: AICompany) -> Machine:
    """The machine of another company."""
    client = create_api_client(by=None, company=oceanic, name="rival")
    return Machine(create_api_key(by=None, client=client, scopes=ApiScope).secret)


@dataclass
class World:
    """Maren's recording on Fjord Records, with Nordic Songs as its publisher."""

    maren: Artist
    fjord: Party
    songs: Party
    havn: Recording
    tool: Tool
    model: ModelVersion

    @property
    def question(self) -> dict[str, Any]:
        return {
            "isrc": self.havn.isrc,
            "use": "generative_training",
            "tool": self.tool.slug,
        }

    def license(self, *uses: str, **terms: Any) -> None:
        for holder in (self.fjord, self.songs):
            a_licence(holder, self.tool.company, *uses, **terms)

    def says(self, stance: str, use: str = "generative_training", **more: Any) -> None:
        she_says(self.maren, use, stance, **more)


@pytest.fixture
def world(tonewright: AICompany) -> World:
    maren, fjord, songs = an_artist(), a_label(), a_label("Nordic Songs")
    tool = a_tool(tonewright)
    return World(
        maren, fjord, songs, a_recording(maren, holder=fjord, publisher=songs), tool, a_model(tool)
    )


@pytest.fixture
def allowed(world: World) -> World:
    """Everybody has said yes to generative training and remixing."""
    world.license("generative_training", "remix_input")
    world.says("allow")
    world.says("allow", "remix_input")
    return world
