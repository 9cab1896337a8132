"""A DDEX release message as plain values: what was read, as delivered, and what was wrong with it.

Frozen, without the database and without XML. Texts are as the sender wrote them, with outer and
repeated white space removed and cut at the lengths below; identifiers are in their stored form
when they are valid, and as delivered when they are not (then there is a problem that says so).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent.catalogue.problems import Problem, Severity
from consent.words import AiPart

LONGEST_TEXT: Final = 500
LONGEST_WORD: Final = 80  # roles, instruments, references, kinds
LONGEST_KEY: Final = 80


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier of a party, release or work.

    `scheme` is one of `isni`, `dpid`, `ipi_name`, `icpn`, `grid`, `iswc` (checked by
    `consent.identifiers`) or `ipn`, `cisac_society`, `catalogue_number`, `proprietary`
    (taken as they are). `namespace` is whose number it is, for the last two. `valid` is False
    for an identifier that its own rule refuses: kept, flagged, and not to be matched by.
    """

    scheme: str
    value: str
    namespace: str = ""
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Title:
    """A title in one language and script, as DDEX splits it.

    `kind` is `display` (DisplayTitle), `display_text` (DisplayTitleText, one formatted string),
    `formal`, `grouping`, or the sender's TitleType for an additional title (`FormalTitle`…,
    `additional` when it names none). `language` is a BCP 47 tag such as `ja-Jpan`, or empty when
    the message does not say: the language of the message itself is not a title's language.
    """

    text: str
    kind: str
    language: str = ""
    subtitle: str = ""
    is_default: bool = False

    def __str__(self) -> str:
        return f"{self.text} ({self.subtitle})" if self.subtitle else self.text


@dataclass(frozen=True, slots=True)
class Name:
    """A party's name in one language and script; `indexed` is as in a sorted list."""

    text: str
    language: str = ""
    indexed: str = ""
    is_stage_name: bool = False
    is_legal_name: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """A person, group or company of the PartyList, known in this message by `reference`."""

    reference: str
    names: tuple[Name, ...]
    identifiers: tuple[Identifier, ...]
    line: int

    @property
    def name(self) -> str:
        """The first name delivered, or empty."""
        return self.names[0].text if self.names else ""

    def identifier(self, scheme: str) -> str:
        """The first valid identifier of a scheme, or empty."""
        return next((i.value for i in self.identifiers if i.scheme == scheme and i.valid), "")


@dataclass(frozen=True, slots=True)
class Sender:
    """A company in the message header. `dpid` is as delivered when `dpid_valid` is False."""

    dpid: str
    name: str
    dpid_valid: bool


@dataclass(frozen=True, slots=True)
class DisplayArtist:
    """An artist in the credit line. `role` is DDEX's word: `MainArtist`, `FeaturedArtist`…

    Exactly one of `party_reference` and `special` is set; `special` is `VariousArtists`,
    `Traditional` or `GenerativeAI` (ERN 4.3.2). `sequence` is None where the sender gave none.
    """

    party_reference: str
    role: str
    sequence: int | None = None
    special: str = ""


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who did something on a recording: `roles` and `instruments` in DDEX's words.

    `party_reference` or `special` is set, as for `DisplayArtist`. `ai_contribution` has the
    standard's default applied: All for the special contributor GenerativeAI.
    """

    party_reference: str
    roles: tuple[str, ...]
    instruments: tuple[str, ...]
    ai_contribution: AiPart = AiPart.UNDECLARED
    special: str = ""
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class RightsController:
    """Who the sender says controls rights in a recording; `share_bp` in basis points.

    `share_bp` is None when the sender says that it is unknown, or does not say.
    """

    party_reference: str
    types: tuple[str, ...]
    share_bp: int | None


@dataclass(frozen=True, slots=True)
class CopyrightLine:
    """A ℗ or © line: `year` is None when it was not given by itself."""

    text: str
    year: int | None = None
    company: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """One sound recording with one ISRC.

    A resource with several editions (stereo, immersive…), each with an ISRC of its own, is
    several recordings that share `reference`; `edition` is the edition's type, or empty.
    `isrc` is always well formed: a recording without a valid one is not here but among the
    problems. `duration_ms` is in milliseconds; `display_artist_names` are the credit line as
    printed, the default one first. `language` is what is sung or spoken, as BCP 47, or empty.
    """

    reference: str
    isrc: str
    titles: tuple[Title, ...]
    display_artist_names: tuple[Name, ...]
    display_artists: tuple[DisplayArtist, ...]
    contributors: tuple[Contributor, ...]
    rights_controllers: tuple[RightsController, ...]
    works: tuple[Identifier, ...]
    contains_ai: AiPart
    line: int
    duration_ms: int | None = None
    p_line: CopyrightLine | None = None
    edition: str = ""
    kind: str = ""
    replaced_isrcs: tuple[str, ...] = ()
    is_instrumental: bool | None = None
    language: str = ""

    @property
    def title(self) -> str:
        """The title to show where only one can be shown, subtitle included, at most 500 long."""
        return str(main_title(self.titles) or "")[:LONGEST_TEXT]

    @property
    def title_language(self) -> str:
        """The language of `title`, or empty."""
        return language_of(main_title(self.titles))

    @property
    def display_artist_name(self) -> str:
        """The credit line to show where only one can be shown, or empty."""
        return self.display_artist_names[0].text if self.display_artist_names else ""


@dataclass(frozen=True, slots=True)
class Track:
    """A place in a release's running order, counted from 1 over the whole release.

    `isrc` is None when what stands there was refused, is no sound recording, or is not in the
    message; `reference` still says what the sender meant.
    """

    position: int
    reference: str
    isrc: str | None


@dataclass(frozen=True, slots=True)
class Release:
    """A product. Dates are `2024`, `2024-05` or `2024-05-17`, or empty."""

    reference: str
    identifiers: tuple[Identifier, ...]
    titles: tuple[Title, ...]
    kind: str
    display_artist_names: tuple[Name, ...]
    display_artists: tuple[DisplayArtist, ...]
    label_reference: str
    label_name: str
    tracks: tuple[Track, ...]
    contains_ai: AiPart
    line: int
    released_on: str = ""
    originally_released_on: str = ""
    p_line: CopyrightLine | None = None
    c_line: CopyrightLine | None = None

    @property
    def title(self) -> str:
        """The title to show where only one can be shown, subtitle included, at most 500 long."""
        return str(main_title(self.titles) or "")[:LONGEST_TEXT]

    @property
    def title_language(self) -> str:
        """The language of `title`, or empty."""
        return language_of(main_title(self.titles))

    @property
    def display_artist_name(self) -> str:
        """The credit line to show where only one can be shown, or empty."""
        return self.display_artist_names[0].text if self.display_artist_names else ""

    @property
    def icpn(self) -> str:
        """The bar code, 13 digits; empty when there is none or it is not valid."""
        return next((i.value for i in self.identifiers if i.scheme == "icpn" and i.valid), "")

    @property
    def grid(self) -> str:
        """The GRid; empty when there is none or it is not valid."""
        return next((i.value for i in self.identifiers if i.scheme == "grid" and i.valid), "")


@dataclass(frozen=True, slots=True)
class Message:
    """A NewReleaseMessage that was read. `created_at` is in UTC and decides which one is newer.

    `version` is `4.2`, `4.3` or `4.3.2`. `is_test` is True unless the message is live for sure.
    `parties` are keyed by reference. `problems` are in the order of the file.
    """

    version: str
    message_id: str
    thread_id: str
    sender: Sender
    sent_on_behalf_of: Sender | None
    created_at: datetime
    is_test: bool
    language: str
    parties: dict[str, Party]
    recordings: tuple[Recording, ...]
    releases: tuple[Release, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def message_created_at(self) -> datetime:
        """`created_at`, by the name that a stored release gives it."""
        return self.created_at

    def release_key(self, release: Release) -> str:
        """What one sender's release is the same by, over all messages; at most 80 characters.

        The first there is of: bar code, GRid, the sender's own id, catalogue number, and a valid
        one before an invalid one; an invalid one is better than none, because the sender will
        deliver it so again. A release without any is tied to its message thread.
        """
        schemes = ("icpn", "grid", "proprietary", "catalogue_number")
        for valid in (True, False):
            for scheme in schemes:
                for i in (i for i in release.identifiers if (i.scheme, i.valid) == (scheme, valid)):
                    return _short_key(":".join(filter(None, (scheme, i.namespace, i.value))))
        return _short_key(f"thread:{self.thread_id or self.message_id}:{release.reference}")

    def with_severity(self, severity: Severity) -> Iterator[Problem]:
        """The problems of one severity, in the order of the file."""
        return (p for p in self.problems if p.severity is severity)


def main_title(titles: tuple[Title, ...]) -> Title | None:
    """The title to show where only one can be shown: the default display title, else the first."""
    display = [t for t in titles if t.kind == "display"] or list(titles)
    return next((t for t in display if t.is_default), display[0] if display else None)


def language_of(title: Title | None) -> str:
    """The language of a title, or empty."""
    return title.language if title else ""


def _short_key(key: str) -> str:
    if len(key) <= LONGEST_KEY:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
