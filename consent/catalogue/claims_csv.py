"""Reads rights claims from a CSV file: pure, with a problem for every line that is not one.

UTF-8 (a byte order mark is fine), comma, semicolon or tab between cells, first line names the
columns, in any order. Each line says one claim:

- what it is on: `isrc` (a recording), `iswc` (a work), or `artist` (a whole repertoire, by the
  artist's short name). With both `isrc` and `iswc` the claim is on the work, and the work is put
  on the recording. `work_title` registers a work that is not known.
- whose it is: `party` (an ISNI, IPI or DPID, as in `isni:0000000121032683`; the scheme may be left
  out) and `party_name`, with which a party that is not known is registered, as `party_kind`
  (`person`, `group`, `company` when empty, `society`). Both empty: the sender of the file.
- `right`: `master`, `publishing` (when empty), `performance`, `likeness`.
- `share`: a percentage with at most two decimals (100 when empty).
- `authority`: `own`, `contract` or `blanket` (`contract` when empty). None of them lets a master be
  used without the artist's yes: only a licence that names its clause does.
- `title`: of the recording, for people; not read.
- `territories`: country codes with spaces between (empty: the world).
- `from`, `until`: the first and the last day, in UTC, such as 2027-01-01 (empty: at once,
  without end).
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent import days
from consent.catalogue.message import Identifier
from consent.catalogue.notes import Note
from consent.catalogue.problems import (
    MessageRefused,
    Problem,
    Severity,
    identifier_problem,
)
from consent.catalogue.values import basis_points, partial_date
from consent.identifiers import IdentifierError, Scheme, is_valid, normalise
from consent.territories import known_territories
from consent.words import Authority, PartyKind, Right

COLUMNS: Final = (
    "isrc",
    "iswc",
    "work_title",
    "artist",
    "party",
    "party_name",
    "party_kind",
    "right",
    "share",
    "authority",
    "territories",
    "from",
    "until",
)
FOR_PEOPLE: Final = ("title",)
"""Columns that help whoever reads a file, and say nothing of a claim."""

MAX_BYTES: Final = 100_000_000

WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How a sheet begins that was saved as .xlsx, .ods or .xls instead."""

CSV_SENTENCES: Final[dict[str, str | Promise]] = {
    "broken_csv": _("The file is not readable as CSV at line {line} ({value})."),
    "no_columns": _(
        "The first line must name the columns, at least one of isrc, iswc and artist. "
        "It says: {value}"
    ),
    "workbook": _(
        "This is a workbook, not a CSV file. Save its sheet as “CSV UTF-8”, and send that."
    ),
    "wrong_encoding": _("Line {line} is not in UTF-8. Save the file as UTF-8 and try again."),
}

_PARTY_SCHEMES: Final = {
    "isni": Scheme.ISNI,
    "ipi": Scheme.IPI_NAME,
    "ipi_name": Scheme.IPI_NAME,
    "ipi_base": Scheme.IPI_BASE,
    "dpid": Scheme.DPID,
}


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One line that says a claim. Identifiers in their stored form, empty where not given.

    `share_bp` in basis points; `valid_from` and `valid_until` UTC moments.
    """

    line: int
    isrc: str
    iswc: str
    work_title: str
    artist: str
    party: Identifier | None
    party_name: str
    party_kind: PartyKind
    right: Right
    share_bp: int
    authority: Authority
    territories: tuple[str, ...]
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimsFile:
    """What was read: the claims, and what was wrong with the other lines, by line number.

    `texts` keeps every line as delivered, by number, and `refused` the numbers of those that say
    no claim, so that nothing is lost.
    """

    lines: tuple[ClaimLine, ...]
    problems: tuple[Problem, ...]
    refused: tuple[int, ...]
    texts: Mapping[int, str]


class ClaimsRefused(MessageRefused):
    """The whole file cannot be read as claims, and nothing of it is to be used."""

    @property
    def sentence(self) -> str:
        """What is wrong and what to do about it, in the active language."""
        text = CSV_SENTENCES.get(self.code)
        if text is None:
            return super().sentence
        return str(text).format(value=self.value, line=self.line)


def read_claims(data: bytes, *, max_bytes: int = MAX_BYTES) -> ClaimsFile:
    """Read a file of claims. Raises `ClaimsRefused` when there is no reading it."""
    if len(data) > max_bytes:
        raise ClaimsRefused("too_large", value=str(max_bytes))
    if not data.strip():
        raise ClaimsRefused("empty")
    if data.startswith(WORKBOOKS):
        raise ClaimsRefused("workbook")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ClaimsRefused("wrong_encoding", line) from error
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _Reading(delimiter).read((reader.line_num, row) for row in reader)
    except csv.Error as error:
        raise ClaimsRefused("broken_csv", reader.line_num, str(error)) from error


class _Reading:
    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._problems: list[Problem] = []
        self._lines: list[ClaimLine] = []
        self._refused: list[int] = []
        self._texts: dict[int, str] = {}

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> ClaimsFile:
        columns: list[str] = []
        for number, row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = self._header(number, row)
                continue
            self._texts[number] = self._delimiter.join(row)
            claim = self._claim(number, row, columns)
            if claim is not None:
                self._lines.append(claim)
            else:
                self._refused.append(number)
        return ClaimsFile(
            tuple(self._lines), tuple(self._problems), tuple(self._refused), self._texts
        )

    def _header(self, number: int, row: Sequence[str]) -> list[str]:
        columns = [cell.strip().casefold().replace(" ", "_") for cell in row]
        for column in columns:
            if column and column not in (*COLUMNS, *FOR_PEOPLE):
                self._note(number, "unknown_column", column, f"/{column}", Severity.SKIPPED)
        if not {"isrc", "iswc", "artist"}.intersection(columns):
            raise ClaimsRefused("no_columns", number, ", ".join(columns))
        return columns

    def _claim(self, number: int, row: Sequence[str], columns: Sequence[str]) -> ClaimLine | None:
        if len(row) > len(columns):
            self._note(number, "wrong_cells", str(len(row)), "/", about=str(len(columns)))
            return None
        cells = dict.fromkeys(COLUMNS, "")
        cells.update(zip(columns, (cell.strip() for cell in row), strict=False))
        try:
            return self._checked(number, cells)
        except _CellError as bad:
            self._note(number, bad.code, bad.value, f"/{bad.column}")
        except _CodeError as bad:
            self._problems.append(
                identifier_problem(
                    bad.error, severity=Severity.REFUSED, path=f"/{bad.column}", line=number
                )
            )
        return None

    def _checked(self, number: int, cells: Mapping[str, str]) -> ClaimLine:
        if not (cells["isrc"] or cells["iswc"] or cells["artist"]):
            raise _CellError("no_asset", "isrc")
        right = _word(cells["right"] or Right.PUBLISHING, Right, "bad_right", "right")
        if right is Right.LIKENESS and not cells["artist"]:
            raise _CellError("likeness_of_whom", "right", cells["isrc"] or cells["iswc"])
        share_bp = basis_points((cells["share"] or "100").rstrip("% ").replace(",", "."))
        if share_bp is None:
            raise _CellError("bad_share", "share", cells["share"])
        valid_from, valid_until = _moment(cells, "from"), _moment(cells, "until")
        if valid_from and valid_until and valid_until <= valid_from:
            raise _CellError("until_before_from", "until", cells["until"])
        return ClaimLine(
            line=number,
            isrc=_identifier(cells["isrc"], Scheme.ISRC, "isrc"),
            iswc=_identifier(cells["iswc"], Scheme.ISWC, "iswc"),
            work_title=cells["work_title"],
            artist=cells["artist"],
            party=_party(cells["party"]),
            party_name=cells["party_name"],
            party_kind=_word(
                cells["party_kind"] or PartyKind.COMPANY, PartyKind, "bad_kind", "party_kind"
            ),
            right=right,
            share_bp=share_bp,
            authority=_word(
                cells["authority"] or Authority.CONTRACT, Authority, "bad_authority", "authority"
            ),
            territories=_territories(cells["territories"]),
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def _note(
        self,
        number: int,
        code: str,
        value: str,
        path: str,
        severity: Severity = Severity.REFUSED,
        about: str = "",
    ) -> None:
        self._problems.append(Note(severity, code, path, number, value[:80], about))


class _CellError(Exception):
    def __init__(self, code: str, column: str, value: str = "") -> None:
        self.code, self.column, self.value = code, column, value


class _CodeError(Exception):
    def __init__(self, error: IdentifierError, column: str) -> None:
        self.error, self.column = error, column


def _identifier(text: str, scheme: Scheme, column: str) -> str:
    if not text:
        return ""
    try:
        return normalise(scheme, text)
    except IdentifierError as error:
        raise _CodeError(error, column) from error


def _party(text: str) -> Identifier | None:
    """The party's identifier: `scheme:value`, or a value whose shape says what it is."""
    if not text:
        return None
    prefix, colon, rest = text.partition(":")
    scheme = _PARTY_SCHEMES.get(prefix.strip().casefold()) if colon else None
    if scheme is not None:
        return Identifier(scheme, _identifier(rest, scheme, "party"))
    for guess in (Scheme.DPID, Scheme.ISNI, Scheme.IPI_BASE, Scheme.IPI_NAME):
        if is_valid(guess, text):
            return Identifier(guess, normalise(guess, text))
    raise _CellError("unknown_party", "party", text)


def _territories(text: str) -> tuple[str, ...]:
    codes = sorted({code.upper() for code in text.replace(",", " ").replace(";", " ").split()})
    for code in codes:
        if code not in known_territories():
            raise _CellError("bad_territory", "territories", code)
    return tuple(codes)


def _moment(cells: Mapping[str, str], column: str) -> datetime | None:
    text = cells[column]
    if not text:
        return None
    day = partial_date(text)
    if day is None or len(day) != 10:
        raise _CellError("bad_moment", column, text)
    on = date.fromisoformat(day)
    moment = days.beginning(on) if column == "from" else days.end(on)
    # A right of long ago is told what one of yesterday is: that its claim begins now.
    is_old = column == "from" and on < days.FIRST_DAY
    if not is_old and not days.within_reach(moment):
        raise _CellError(days.OUT_OF_RANGE, column, text)
    return moment


def _word[W: (Right, Authority, PartyKind)](text: str, words: type[W], code: str, column: str) -> W:
    try:
        return words(text.casefold())
    except ValueError:
        raise _CellError(code, column, text) from None
