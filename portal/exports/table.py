"""CSV that a spreadsheet opens without running anything.

A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab, a line break or NUL for a
formula, and everything that a company or a catalogue sends could be one. Such texts get an
apostrophe in front; so do texts that begin with an apostrophe, so that `original` can tell. Numbers
stay numbers, negative ones too.

The format is RFC 4180: comma, CRLF, every text in quotes (a semicolon in a title splits no cell
where the spreadsheet's own separator is the semicolon). The file begins with the UTF-8 byte order
mark: without it spreadsheets read 田中葵 as a row of accents.
"""

import codecs
import csv
import hashlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

type Cell = str | int | bool | None

# The last four are what Japanese and Chinese input writes for the first four.
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
MARK: Final = "'"


def neutral(text: str) -> str:
    """The text as a cell that is not a formula. `original(neutral(text)) == text`, always."""
    return MARK + text if text.startswith((*DANGEROUS, MARK)) else text


def original(cell: str) -> str:
    """The text that `neutral` was given."""
    return cell.removeprefix(MARK)


class TableWriter:
    """Writes rows to a file that was opened for bytes, and sums up what it wrote."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.size = 0
        self._csv = csv.writer(self, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        self._bytes(codecs.BOM_UTF8)

    @property
    def sha256(self) -> str:
        """Of every byte so far, hexadecimal."""
        return self._sum.hexdigest()

    def write(self, text: str) -> None:
        """Take a piece of text from the `csv` module."""
        self._bytes(text.encode())

    def rows(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows. Texts are made `neutral`, yes and no words, None nothing."""
        self._csv.writerows([_plain(cell) for cell in row] for row in rows)

    def _bytes(self, data: bytes) -> None:
        self._file.write(data)
        self._sum.update(data)
        self.size += len(data)


def _plain(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return cell
    return neutral(cell)
