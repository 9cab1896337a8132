"""The feed of changes for one AI company, straight from the ledger; and a state to start from.

The ledger is gapless and in the order of commits, so whoever has read up to a position has missed
nothing and never will: an entry that commits late has a later position. A change says what to ask
about again, never what somebody said: what holds depends on everybody who has a say. Nothing in it
is personal (artists are pseudonymous refs), and nothing is about the agreements or questions of
another company.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound, Refused
from consent.models import AICompany, Party, Recording, RecordingIdentity, Tool
from consent.queries.decision import Ask, decide_many
from consent.words import UseKind

LOOK_AT: Final = 20_000
"""How many entries one page looks through at most."""

KINDS: Final = (
    "permission.answered",
    "permission.withdrawn",
    "permission.cleared",
    "permission.undone",
    "permission.revoked",
    "permission.invalidated",
    "claim.made",
    "claim.changed",
    "claim.ended",
    "licence.signed",
    "licence.ended",
    "tool.registered",
    "tool.suspended",
    "tool.resumed",
    "model.registered",
    "model.retired",
    "recording.identified",
    "party.changed",
    "wording.published",
)
"""What a company may hear of, where it is its own or nobody's in particular."""

_TOLD_AS: Final = {
    "permission.revoked": "permission.withdrawn",
    "permission.invalidated": "permission.withdrawn",
}
"""What staff did to an answer is between them and the artist: an answer is gone, and no more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry as a company may see it. `about` holds what it concerns, by plain names.

    `use`, `isrc`, `artist`, `artists`, `tool`, `model_version`, `licence`, `uses`, `right`,
    `party`, `withdrawn`: each only where it says something; refs are UUIDs as text.
    """

    seq: int
    at: datetime
    kind: str
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes with `after < seq <= until`, all of them. `head` is the ledger's last position.

    While `until < head` there is more to read: go on after `until`.
    """

    after: int
    until: int
    head: int
    changes: tuple[Change, ...]


_PAGE = """
SELECT h.seq, e.seq, e.kind, e.body, e.recorded_at
  FROM consent_ledgerhead h
  LEFT JOIN LATERAL (
        SELECT * FROM consent_ledgerentry
         WHERE seq > %(after)s AND seq <= least(%(after)s + %(look_at)s, h.seq)
           AND kind = ANY (%(kinds)s)
         ORDER BY seq LIMIT %(most)s) e ON true
 WHERE h.id = 1 ORDER BY e.seq
"""


def changes_for(company: AICompany, *, after: int, most: int = 500) -> Changes:
    """The next changes of `company` after the position `after`; two queries, of one snapshot each.

    Looks through at most 20 000 entries, of which at most `most` come back. Raises `Refused`
    (`ahead`) for a position that the ledger has not reached.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGE, {"after": after, "look_at": LOOK_AT, "kinds": list(KINDS), "most": most}
        )
        rows = cursor.fetchall()
    head = rows[0][0]
    if after > head:
        raise Refused("ahead", _("The ledger has not come that far."), field="after")
    found = [row for row in rows if row[1] is not None]
    until = found[-1][1] if len(found) == most else min(after + LOOK_AT, head)
    viewer = _Viewer(company)
    changes = []
    for _head, seq, kind, body, at in found:
        about = viewer.about(kind, json.loads(body))
        if about is not None:
            changes.append(Change(seq, at, _TOLD_AS.get(kind, kind), about))
    return Changes(after, until, head, tuple(changes))


class _Viewer:
    """What one company may see of an entry."""

    def __init__(self, company: AICompany) -> None:
        self.company = str(company.party.ref)
        self.tools = {
            str(ref): slug
            for ref, slug in Tool.objects.filter(company=company).values_list("ref", "slug")
        }
        self._companies: frozenset[str] | None = None

    def about(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the entry concerns; None for what is not this company's to know."""
        subject = kind.split(".")[0]
        found: dict[str, Any] | None = getattr(self, f"_{subject}")(body)
        return found

    def _permission(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        tool, company = body.get("tool"), body.get("company")
        if company not in (None, self.company) or (tool is not None and tool not in self.tools):
            return None
        about = {"use": body["use"]}
        if body.get("recording") is not None:
            about["isrc"] = body["recording"]
        else:
            about["artist"] = body["artist"]
        if tool is not None:
            about["tool"] = self.tools[tool]
        return about

    def _claim(self, body: Mapping[str, Any]) -> dict[str, Any]:
        about = {"right": body.get("right", "")}
        on = body.get("on") or {}
        for name, said in (("isrc", "isrc"), ("work", "work"), ("repertoire", "artist")):
            if on.get(name) is not None:
                about[said] = on[name]
        return about

    def _licence(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if body["company"] != self.company:
            return None
        return {"licence": body["licence"], "uses": body["uses"]}

    def _tool(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        return {"tool": body["slug"]} if body["company"] == self.company else None

    def _model(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if body["tool"] not in self.tools:
            return None
        return {"tool": self.tools[body["tool"]], "model_version": body["model_version"]}

    def _recording(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "isrc": body.get("isrc", body.get("recording")),
            # In no order that says who is billed first: with reasons it would tell who said what.
            "artists": sorted([*body.get("main_artists", ()), *body.get("featured_artists", ())]),
            "withdrawn": body.get("withdrawn", False),
        }

    def _party(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        if self._companies is None:
            refs = AICompany.objects.values_list("party__ref", flat=True)
            self._companies = frozenset(str(ref) for ref in refs) - {self.company}
        return None if body["party"] in self._companies else {"party": body["party"]}

    def _wording(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """A text that means something new: the yeses to the one before are none any more."""
        return None if body.get("means_the_same") else {"use": body["use"]}


# A state to start from


@dataclass(frozen=True, slots=True)
class Held:
    """What holds for one recording and one tool, per use kind.

    Artists by their refs, in no order that says who is billed first.
    """

    isrc: str
    artists: tuple[uuid.UUID, ...]
    uses: Mapping[str, bool]
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A part of the state at ledger position `seq` and moment `at`; `last` is where it ends.

    `last` is empty when nothing comes after.
    """

    seq: int
    at: datetime
    held: tuple[Held, ...]
    last: str


def snapshot_of(
    company: AICompany,
    *,
    tool: str,
    uses: Sequence[str] = (),
    after: str = "",
    most: int = 200,
    seq: int | None = None,
    at: datetime | None = None,
) -> Snapshot:
    """What holds for `tool` on the next `most` recordings in the order of their ISRCs.

    Ask the following parts with the `seq` and `at` of the first, and read the feed after `seq`:
    together they miss nothing. Raises `NotFound` (`unknown_tool`) for a tool of somebody else.
    """
    if not Tool.objects.filter(company=company, slug=tool).exists():
        raise NotFound("unknown_tool", _("There is no such tool of yours."), field="tool")
    rows = list(
        Recording.objects.filter(isrc__gt=after).order_by("isrc").values_list("isrc", "pk")[:most]
    )
    kinds = list(uses) or list(UseKind.values)
    asks = [Ask(isrc, use, tool, at=at) for isrc, _pk in rows for use in kinds]
    answered = decide_many(asks or [Ask("", "", tool, at=at)], known_seq=seq)
    artists = _artists_of([pk for _isrc, pk in rows])
    held = []
    for i, (isrc, pk) in enumerate(rows):
        part = answered.decisions[i * len(kinds) : (i + 1) * len(kinds)]
        ends = [d.valid_until for d in part if d.valid_until is not None]
        held.append(
            Held(
                isrc,
                artists.get(pk, ()),
                {use: d.allowed for use, d in zip(kinds, part, strict=True)},
                min(ends, default=None),
            )
        )
    return Snapshot(
        answered.seq, answered.at[0], tuple(held), rows[-1][0] if len(rows) == most else ""
    )


def _artists_of(recordings: Sequence[int]) -> dict[int, tuple[uuid.UUID, ...]]:
    identities = list(
        RecordingIdentity.objects.filter(recording__in=recordings)
        .order_by("recording_id", "-id")
        .distinct("recording_id")
        .values_list("recording_id", "main_artists", "featured_artists")
    )
    keys = {key for _pk, main, featured in identities for key in (*main, *featured)}
    refs = dict(Party.objects.filter(pk__in=keys).values_list("pk", "ref"))
    return {
        pk: tuple(sorted(refs[key] for key in {*main, *featured}))
        for pk, main, featured in identities
    }
