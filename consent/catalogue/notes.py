"""What an import says beyond what its reader found: the outcome for what is there already.

A `Note` is a `Problem` with sentences of its own. Both are stored as plain values, and read back
into sentences in the language of whoever looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.catalogue.problems import Problem, Severity

NOTE_SENTENCES: Final[dict[str, str | Promise]] = {
    "older_message": _(
        "Release {value} is known from a newer message ({about}); this one changed nothing there."
    ),
    "older_for_recording": _(
        "{value} is known from a newer message for another release; it was left as it is."
    ),
    "recording_of_another": _(
        "{value} was delivered before by {about}. Its titles, artists and credits stay as they "
        "are; your claim was recorded."
    ),
    "claimed_by_another": _(
        "{value} is also claimed by {about}. Until the two of you settle it, nobody may use it."
    ),
    "claim_was_ended": _(
        "Your claim on {value} was ended before, and a delivery does not bring it back."
    ),
    "same_id_other_content": _(
        "A message with the id {value} was read before, with other content. It was read again."
    ),
    "test_message": _("The sender marked this as a test message. It was read like any other."),
    "sent_for_another": _(
        "The message was sent on behalf of {value}; the claim was given to the sender, {about}."
    ),
    "identifiers_disagree": _(
        "The identifiers of {value} belong to two parties here; the {about} decided."
    ),
    "artist_without_name": _("{value} names an artist without a name; the artist was left out."),
    "no_main_artist": _(
        "{value} has no main artist, so nobody can allow anything with it. Send it again with one."
    ),
    "listed_twice": _("{value} stands twice on release {about}; the first place counts."),
    # Claims by CSV
    "unknown_column": _("The column “{value}” is not known here and was not read."),
    "wrong_cells": _("This line has {value} cells, but the header has {about}."),
    "no_asset": _("The line names no recording, no work and no artist."),
    "unknown_isrc": _("{value} is not in the catalogue. Import the recording first."),
    "unknown_work": _("{value} is not known, and the line has no work_title to register it with."),
    "unknown_artist": _("“{value}” is not an artist here. Use the short name, as in maren-holt."),
    "unknown_party": _("“{value}” is not a party here. Give party_name too, to register it."),
    "bad_right": _("“{value}” is not a right. Use master, publishing, performance or likeness."),
    "bad_authority": _("“{value}” is not an authority. Use own, contract or blanket."),
    "bad_kind": _("“{value}” is no kind of party. Use person, group, company or society."),
    "bad_share": _("“{value}” is not a share. Use a percentage such as 33.33, up to 100."),
    "bad_territory": _("“{value}” is not a country code. Use two letters, as in NO or JP."),
    "bad_moment": _("“{value}” is not a day. Write it as 2026-11-20; days are those of UTC."),
    "date_out_of_range": _(
        "“{value}” lies before 2000-01-01 or after 2199-12-31. Leave what has no end empty."
    ),
    "from_in_the_past": _("A claim cannot begin in the past ({value}). Leave it empty for now."),
    "until_before_from": _("The claim ends before it begins ({value})."),
    "likeness_of_whom": _("A likeness belongs to a person: name the artist, not {value}."),
    "claim_disputed": _("What this line changes is disputed. Our staff settle that first."),
    "same_claim_twice": _("The line repeats the claim of line {about}; the first one counts."),
}


@dataclass(frozen=True, slots=True)
class Note(Problem):
    """A problem that shows only when a message meets what is known already."""

    @property
    def sentence(self) -> str:
        """What is so and what became of it, in the active language."""
        return str(NOTE_SENTENCES[self.code]).format(value=self.value, about=self.about)


def to_json(problem: Problem) -> dict[str, Any]:
    """A problem as plain values, to be stored."""
    return {
        "severity": str(problem.severity),
        "code": problem.code,
        "path": problem.path,
        "line": problem.line,
        "value": problem.value,
        "about": problem.about,
        "note": isinstance(problem, Note),
    }


def from_json(stored: Mapping[str, Any]) -> Problem:
    """A stored problem, able to say its sentence again."""
    kind = Note if stored.get("note") else Problem
    return kind(
        Severity(stored["severity"]),
        stored["code"],
        stored["path"],
        stored["line"],
        stored.get("value", ""),
        stored.get("about", ""),
    )
