"""What an import says about a message: one refusal of the whole, or a list of problems in it.

Both hold a stable code and plain values; the sentence is made when somebody reads it, in their
language. So a problem can be stored and shown later, in another language than the import ran in.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.identifiers import IdentifierError, Reason, Scheme, explain


class Severity(StrEnum):
    """What became of the thing with the problem."""

    REFUSED = "refused"  # left out, because it cannot be identified
    FLAGGED = "flagged"  # kept as delivered, and reported
    SKIPPED = "skipped"  # left out, because nothing here reads it


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with, or was left out of, a message that was otherwise read.

    `path` is the element, counted as in XPath (`/NewReleaseMessage/ResourceList/SoundRecording[3]
    /SoundRecordingEdition[1]/ResourceId/ISRC`), `line` its line in the file, counted from 1.
    `value` is what stood there, at most 80 characters; `about` a second word for the sentence
    (a reference, a count), or empty.
    """

    severity: Severity
    code: str
    path: str
    line: int
    value: str = ""
    about: str = ""

    @property
    def where(self) -> str:
        """Path and line in one string, for tables and logs."""
        return f"{self.path}:{self.line}"

    @property
    def sentence(self) -> str:
        """What is wrong and what became of it, in the active language."""
        if self.code in _IDENTIFIER_CODES:
            scheme, reason = _IDENTIFIER_CODES[self.code]
            return explain(scheme, reason, self.value)
        return str(PROBLEM_SENTENCES[self.code]).format(value=self.value, about=self.about)


class MessageRefused(ValueError):
    """The whole message cannot be read, and nothing of it is to be used.

    `code` is one of `REFUSAL_SENTENCES`; `line` is where it went wrong (0 when there is no such
    place); `value` is what was found there, at most 80 characters.
    """

    def __init__(self, code: str, line: int = 0, value: str = "") -> None:
        self.code = code
        self.line = line
        self.value = value[:80]
        super().__init__(code, line, self.value)

    @property
    def sentence(self) -> str:
        """What is wrong and what to do about it, in the active language."""
        return str(REFUSAL_SENTENCES[self.code]).format(value=self.value, line=self.line)

    def __str__(self) -> str:
        return f"{self.code} at line {self.line}: {self.value!r}"


def identifier_problem(
    error: IdentifierError, *, severity: Severity, path: str, line: int
) -> Problem:
    """The problem for an identifier that its rule refused; the code is the rule's own."""
    return Problem(severity, error.code, path, line, error.value)


_IDENTIFIER_CODES: Final = {
    f"{scheme}_{reason}": (scheme, reason) for scheme in Scheme for reason in Reason
}

REFUSAL_SENTENCES: Final[dict[str, str | Promise]] = {
    "empty": _("The file is empty."),
    "too_large": _("The file is larger than {value} bytes. Split it into several messages."),
    "not_xml": _("This is not an XML file."),
    "malformed_xml": _("The XML is broken at line {line} ({value}). Export the message again."),
    "truncated": _(
        "The file ends in the middle, after line {line}: it was cut off on its way. Send it again."
    ),
    "wrong_encoding": _(
        "Line {line} has bytes that do not fit the encoding that the file declares. "
        "Save it as UTF-8."
    ),
    "unsupported_encoding": _("The encoding “{value}” cannot be read. Save the file as UTF-8."),
    "doctype": _(
        "Line {line} declares a document type. DDEX messages have none, and entities are "
        "never followed, so the file was not read."
    ),
    "too_deep": _("Elements are nested {value} deep at line {line}. No release message is."),
    "too_big_item": _("The element “{value}” that starts at line {line} is too big to be true."),
    "too_long_tag": _("A tag or comment at line {line} is longer than {value} bytes."),
    "too_many_elements": _(
        "There are more elements up to line {line} than any release message has ({value})."
    ),
    "too_many_problems": _(
        "There are more than {value} problems up to line {line}. Have the message made again."
    ),
    "not_ern": _("This is not a DDEX release message: it starts with “{value}”."),
    "unsupported_version": _(
        "This is ERN “{value}”. Versions 4.2, 4.3 and 4.3.2 can be read; ask the sender for one."
    ),
    "not_a_release_message": _(
        "This is a DDEX “{value}”. Only NewReleaseMessage brings catalogue."
    ),
    "missing_header": _("The message has no MessageHeader, so nobody knows who sent it."),
    "missing_message_id": _("The header has no MessageId, so a repeat could not be recognised."),
    "missing_sender": _("The header does not say who sent the message (MessageSender/PartyId)."),
    "missing_created_at": _(
        "The header does not say when the message was made (MessageCreatedDateTime), so newer and "
        "older cannot be told apart."
    ),
    "bad_created_at": _("“{value}” at line {line} is not a moment in time (xs:dateTime)."),
    "date_out_of_range": _(
        "“{value}” at line {line} lies before 2000-01-01 or after 2199-12-31: no message was made "
        "then."
    ),
}

PROBLEM_SENTENCES: Final[dict[str, str | Promise]] = {
    # Recordings and releases
    "recording_without_isrc": _(
        "Recording {about} has no ISRC, so it cannot be told from others. It was left out."
    ),
    "isrc_replaced": _("The ISRC {value} was replaced by {about}; the new one counts."),
    "second_isrc": _("{value} is a second ISRC of the same edition; {about} counts."),
    "duplicate_isrc": _(
        "The ISRC {value} stands in this message twice; the first one counts ({about})."
    ),
    "duplicate_reference": _("The reference {value} is used twice; the first one counts."),
    "missing_reference": _("This {about} has no reference, so nothing can point at it."),
    "missing_title": _("{about} has no title."),
    "missing_display_artist": _("{about} names no display artist."),
    "missing_main_artist": _("{about} names no main artist, only others."),
    "missing_duration": _("{about} has no duration."),
    "missing_release_id": _("Release {about} has no ICPN, GRid or id of the sender's own."),
    "missing_label": _("Release {about} names no label."),
    "missing_section": _("The message has no {about}."),
    "missing_name": _("Party {about} has no name."),
    # References
    "unknown_party": _("{about} points at party {value}, which is not in the PartyList."),
    "unknown_resource": _("{about} points at resource {value}, which is not in this message."),
    "missing_party_reference": _("Somebody without a name or reference is named on {about}."),
    # Values
    "bad_duration": _("“{value}” is not a duration (PT3M25S). It was left out."),
    "bad_date": _("“{value}” is not a date (2024, 2024-05 or 2024-05-17). It was left out."),
    "bad_number": _("“{value}” is not a whole number. It was left out."),
    "bad_share": _("“{value}” is not a percentage with at most two decimals. It was left out."),
    "bad_language": _("“{value}” is not a language tag (ja-Jpan). It was left out."),
    "bad_year": _("“{value}” is not a year. It was left out."),
    "text_cut": _("A text of {about} characters was cut: “{value}…”."),
    "no_time_zone": _("{value} has no time zone; it was read as UTC."),
    "unknown_control_type": _(
        "“{value}” is neither LiveMessage nor TestMessage; the message counts as a test."
    ),
    "unknown_id_type": _("“{value}” identifies a party in a way that is not known here."),
    # AI disclosure (ERN 4.3.2)
    "ai_unknown_value": _("“{value}” is none of None, Partly and All; it counts as not declared."),
    "ai_all_with_human": _(
        "{about} is declared as made by AI entirely, but names a contributor who is not AI "
        "({value})."
    ),
    "ai_none_with_ai": _(
        "{about} is declared as made without AI, but a contributor is declared as AI ({value})."
    ),
    "ai_not_declared_with_ai": _(
        "{about} does not say whether AI made it, but a contributor is declared as AI ({value})."
    ),
    "ai_contributor_not_all": _(
        "The contributor GenerativeAI of {about} is declared as “{value}” AI, where only All fits."
    ),
    "ai_person_all": _(
        "A named contributor of {about} is declared as AI entirely ({value}); DDEX allows that "
        "for GenerativeAI only."
    ),
    "ai_release_contradicts": _(
        "The release is declared as “{value}” AI, but its recording {about} says otherwise."
    ),
    # Left out on purpose
    "resource_not_audio": _("{value} {about} was left out: only sound recordings are read."),
    "track_releases": _(
        "{value} track releases were left out: tracks are read from the release itself."
    ),
    "clip_releases": _("{value} clip releases were left out: only releases are read."),
    "deals": _("The deals were left out ({value}): terms for music services say nothing about AI."),
    "section_not_read": _("{about} was left out, with all {value} entries: nothing reads it."),
    "element_not_read": _("{about} times {value} was left out: nothing here reads it."),
}
