"""The demo's stage: who and what has been registered so far, by the short names of `names`."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from consent.models import (
    Act,
    AICompany,
    Artist,
    LicenceVersion,
    ModelVersion,
    Party,
    PermissionRequest,
    Recording,
    Tool,
)
from consent.scopes import EVERYTHING
from consent.scopes import Scope as About
from consent.services.permissions import Given
from portal.access import Access
from portal.demo.calendar import Calendar
from portal.demo.catalogue import Album
from portal.demo.clock import DemoClock
from portal.models import User
from portal.services.answers import answer_many, give_answer

KEY_FILE: Final = "demo-keys.json"


@dataclass
class Stage:
    """What the stories have at hand. `by` is the operator, once she is there."""

    calendar: Calendar
    clock: DemoClock
    people: dict[str, User] = field(default_factory=dict)
    parties: dict[str, Party] = field(default_factory=dict)
    artists: dict[str, Artist] = field(default_factory=dict)
    makers: dict[str, AICompany] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    models: dict[str, list[ModelVersion]] = field(default_factory=dict)
    albums: tuple[Album, ...] = ()
    recordings: dict[str, Recording] = field(default_factory=dict)
    licences: dict[str, LicenceVersion] = field(default_factory=dict)
    questions: dict[str, PermissionRequest] = field(default_factory=dict)
    acts: dict[str, Act] = field(default_factory=dict)

    @property
    def by(self) -> User:
        return self.people["olga"]

    def access(self, person: str) -> Access:
        """What a person may reach at this moment of the story."""
        return Access.of(self.people[person])

    def song(self, title: str) -> Recording:
        """The recording of that title."""
        return self.recordings[title]

    def songs_on(self, *titles: str) -> list[Recording]:
        """The recordings of these releases, in order."""
        return [
            self.recordings[song.title]
            for album in self.albums
            if album.title in titles
            for song in album.songs
        ]

    def answer(
        self,
        person: str,
        artist: str,
        use: str,
        stance: str,
        *,
        about: About = EVERYTHING,
        for_days: int | None = None,
        **more: Any,
    ) -> Given:
        """Let a person answer for an artist; a yes `for_days` ends on a date."""
        until = None if for_days is None else self.calendar.latest + timedelta(days=for_days)
        return give_answer(
            by=self.access(person),
            artist=self.artists[artist],
            use=use,
            stance=stance,
            about=about,
            valid_until=until,
            **more,
        )

    def answer_album(
        self, person: str, artist: str, use: str, stance: str, titles: Sequence[str]
    ) -> Act | None:
        """Let a person answer for every recording of some releases at once."""
        return answer_many(
            by=self.access(person),
            artist=self.artists[artist],
            use=use,
            stance=stance,
            recordings=[one.pk for one in self.songs_on(*titles)],
            summary={"releases": list(titles)},
        )


def keep_keys(keys: dict[str, str]) -> None:
    """Keep the demo's API keys where `demo_logins` finds them: the database has their hash only."""
    path = _key_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(keys, file)


def kept_keys() -> dict[str, str]:
    """The demo's API keys by AI company; none where there is no demo."""
    try:
        found = json.loads(_key_file().read_text())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()}


def _key_file() -> Path:
    return Path(settings.STATE) / KEY_FILE
