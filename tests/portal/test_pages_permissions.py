"""The permission pages: what an artist sees and decides, with and without JavaScript."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import AICompany, Artist, ModelVersion, Party, Permission, Recording, Tool
from consent.services.licences import sign_licence
from consent.services.parties import register_party
from consent.services.permissions import answer_permission
from consent.services.requests import ask_permission
from consent.words import Authority, PartyKind, Right
from portal.models import User
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@dataclass
class World:
    """Maren on Fjord Records, which has licensed Tonewright for everything but remixes."""

    maren: Artist
    fjord: Party
    tonewright: AICompany
    tool: Tool
    model: ModelVersion
    recordings: list[Recording]

    def url(self, name: str, **more: Any) -> str:
        return reverse(name, kwargs={"slug": self.maren.slug, **more})


@pytest.fixture
def world(
    maren: Artist,
    fjord: Party,
    tonewright: AICompany,
    tidesmith: Tool,
    tidesmith_v1: ModelVersion,
) -> World:
    recordings = recordings_of(maren, 3, title="Paper Lanterns", holder=fjord)
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Fjord and Tonewright",
        uses=["discovery", "voice"],
        notice_days=30,
    )
    return World(maren, fjord, tonewright, tidesmith, tidesmith_v1, recordings)


@pytest.fixture
def her(maren_user: User, signed_in: SignIn) -> Client:
    """Maren, signed in a moment ago."""
    return freshly(signed_in(maren_user))


def freshly(client: Client) -> Client:
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
    session.save()
    return client


PAGES = [
    "permissions",
    "permission_tools",
    "permission_recordings",
    "exceptions",
    "missing",
    "withdrawals",
    "requests",
    "history",
    "many",
]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_itself_to_the_artist(name: str, world: World, her: Client) -> None:
    response = her.get(world.url(name))
    assert response.status_code == 200
    assert "Maren Holt" in response.text
    assert "Aoi" not in response.text


@pytest.mark.parametrize("name", PAGES)
def test_charlie_finds_no_page_of_hers(
    name: str, world: World, charlie: User, signed_in: SignIn
) -> None:
    assert signed_in(charlie).get(world.url(name)).status_code == 404
