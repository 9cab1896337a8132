"""Maren's world for tests of pages: her label, one AI company, and herself signed in."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import AICompany, Artist, ModelVersion, Party, Recording, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.licences import sign_licence
from consent.services.permissions import Given, answer_permission
from portal.models import User
from tests.cast import recordings_of

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@dataclass
class World:
    """Maren on Fjord Records, which has licensed Tonewright for discovery and for voices."""

    maren: Artist
    user: User
    fjord: Party
    tonewright: AICompany
    tool: Tool
    model: ModelVersion
    recordings: list[Recording]

    def url(self, name: str, **more: Any) -> str:
        return reverse(name, kwargs={"slug": self.maren.slug, **more})

    def says(self, use: str, stance: str, **more: Any) -> Given:
        return answer_permission(by=self.user, artist=self.maren, use=use, stance=stance, **more)

    def allowed(self, use: str, recording: Recording | None = None) -> bool:
        about = recording or self.recordings[0]
        return decide_one(Ask(about.isrc, use, self.tool.slug)).allowed

    def override(self, use: str, *, clause: str) -> None:
        """Another company is licensed under a clause that does without her yes."""
        self.override_for(another_company(self, "stemlight"), use, clause=clause)

    def override_for(self, company: AICompany, use: str, *, clause: str) -> None:
        sign_licence(
            by=None,
            holder=self.fjord,
            company=company,
            title=f"Fjord and {company.slug}",
            uses=[use],
            artist_approval=False,
            override_clause=clause,
        )


def another_company(world: World, slug: str) -> AICompany:
    """A company with one tool and one model version."""
    from consent.services.tools import register_company, register_model_version, register_tool

    company = register_company(by=None, slug=slug, name=slug.title())
    tool = register_tool(
        by=None, company=company, slug=f"{slug}-studio", name=f"{slug.title()} Studio", kind="remix"
    )
    register_model_version(by=None, tool=tool, name="v1")
    return company


@pytest.fixture
def world(
    maren: Artist,
    maren_user: User,
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
    return World(maren, maren_user, fjord, tonewright, tidesmith, tidesmith_v1, recordings)


@pytest.fixture
def her(maren_user: User, signed_in: SignIn) -> Client:
    """Maren, signed in a moment ago."""
    return freshly(signed_in(maren_user))


def freshly(client: Client) -> Client:
    """The same browser, with a sign-in of this moment."""
    return _signed_in_at(client, time.time())


def minutes_ago(client: Client, minutes: int) -> Client:
    """The same browser, with a sign-in of a while ago."""
    return _signed_in_at(client, time.time() - minutes * 60)


def long_ago(client: Client) -> Client:
    """The same browser, with a sign-in of this morning."""
    return _signed_in_at(client, time.time() - 6 * 3600)


def _signed_in_at(client: Client, at: float) -> Client:
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": at}]
    session.save()
    return client


def days_ahead(days: int, *, moment: bool = False) -> Any:
    """A day as a form sends it, or with `moment` as a service takes it."""
    at = timezone.now() + timedelta(days=days)
    return at if moment else at.date().isoformat()
