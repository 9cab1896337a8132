"""Maren's voice on two recordings, licensed to one tool; Kari is her mother."""

from datetime import datetime
from typing import Any

from consent.models import Artist, Permission, Tool
from consent.queries.decision import Ask, decide_one
from consent.services.parties import change_party_state, register_party
from consent.services.permissions import answer_permission
from consent.words import PartyKind
from tests.consent import build

USE = "voice"


class Voice:
    """Her world, in which she may be a minor, or become one."""

    def __init__(self) -> None:
        self.maren: Artist = build.an_artist()
        self.kari = register_party(by=None, kind=PartyKind.PERSON, name="Kari Holt")
        fjord, company = build.a_label(), build.a_company()
        self.tool: Tool = build.a_tool(company)
        self.songs = build.some_recordings(2, self.maren, holder=fjord, voices=[self.maren])
        build.a_licence(fjord, company, USE, "name_image")
        build.a_licence(self.maren.party, company, USE, "name_image")

    def says(
        self, stance: str, role: str = "artist", *, days: float = 1_000, **more: Any
    ) -> Permission:
        if stance == "allow":
            more["valid_until"] = build.in_days(days)
        given = answer_permission(
            by=None, artist=self.maren, use=USE, stance=stance, role=role, **more
        )
        return given.permission

    def is_minor(self, minor: bool = True, *, guarded: bool = True) -> None:
        change_party_state(
            by=None,
            party=self.maren.party,
            is_minor=minor,
            guardian=self.kari if minor and guarded else None,
            no_guardian=not (minor and guarded),
        )

    def code(self, **more: Any) -> str:
        return decide_one(Ask(self.songs[0].isrc, USE, self.tool.slug, **more)).deciding.code

    def allows(self, at: datetime | None = None, song: int = 0) -> bool:
        return decide_one(Ask(self.songs[song].isrc, USE, self.tool.slug, None, at)).allowed
