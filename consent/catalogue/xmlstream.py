"""Reads a large, possibly hostile XML file as a stream of small items.

The file is never held whole. What is built is one item at a time (a party, a recording, a
release), handed over and forgotten; everything else passes by unread. So memory follows the
largest item, not the file, and each limit below is checked while reading, not afterwards.

This uses expat directly, for three reasons: a document type is refused at its first character,
before an entity in it could be declared or fetched (no entity bombs, no external files); line
numbers stay exact beyond line 65 535, where libxml2's may not; and nesting is counted as it
happens.
"""

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from xml.parsers import expat

from consent.catalogue.problems import MessageRefused

DEEPEST: Final = 64  # real release messages stay below 15
MOST_ELEMENTS: Final = 6_000_000  # honest messages of 200 MB have about half of that
MOST_KINDS: Final = 200  # different names of sections and of items
MOST_ELEMENTS_IN_AN_ITEM: Final = 50_000
MOST_CHARACTERS_IN_AN_ITEM: Final = 4_000_000
LONGEST_TAG: Final = 1_000_000  # bytes of one tag, comment or instruction
_CHUNK: Final = 64 * 1024

_CODES: Final = expat.errors.codes
_CUT_OFF: Final = {
    _CODES[expat.errors.XML_ERROR_NO_ELEMENTS],
    _CODES[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    _CODES[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
    _CODES[expat.errors.XML_ERROR_PARTIAL_CHAR],
}
_NOT_EVEN_XML: Final = {
    _CODES[expat.errors.XML_ERROR_SYNTAX],
    _CODES[expat.errors.XML_ERROR_INVALID_TOKEN],
    _CODES[expat.errors.XML_ERROR_NO_ELEMENTS],
    _CODES[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
}


class ByteSource(Protocol):
    """Anything that gives bytes on demand: a file opened for reading bytes, an upload."""

    def read(self, size: int, /) -> bytes: ...


class Element:
    """An element of an item: its name without namespace, where it stood, and what is in it.

    `path` is from the root, `line` counted from 1. `text` is the element's own text with outer
    and repeated white space removed.
    """

    __slots__ = ("attributes", "children", "line", "name", "path", "pieces")

    def __init__(self, name: str, path: str, line: int, attributes: dict[str, str]) -> None:
        self.name = name
        self.path = path
        self.line = line
        self.attributes = attributes
        self.children: list[Element] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def all(self, *names: str) -> Iterator["Element"]:
        """The direct children of these names, in the order of the file."""
        return (child for child in self.children if child.name in names)

    def first(self, *names: str) -> "Element | None":
        """The first direct child of these names."""
        return next(self.all(*names), None)

    def text_of(self, *path: str) -> str:
        """The text of the first element down this path of names; empty when there is none."""
        element: Element | None = self
        for name in path:
            element = element.first(name) if element is not None else None
        return element.text if element is not None else ""

    def flag(self, attribute: str) -> bool:
        """Whether an xs:boolean attribute is there and true."""
        return self.attributes.get(attribute) in {"true", "1"}


@dataclass(frozen=True, slots=True)
class Root:
    """The start tag of the whole document."""

    namespace: str
    name: str
    attributes: dict[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """The start of a child of the root."""

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """A grandchild of the root, complete; or a child of the root that is read as one item."""

    element: Element


@dataclass(frozen=True, slots=True)
class Passed:
    """Items that nobody wanted, counted by section and name: `element` is the first, empty."""

    section: str
    element: Element
    count: int


type Event = Root | Section | Item | Passed


def read_events(
    source: bytes | ByteSource,
    *,
    max_bytes: int,
    whole: Collection[str],
    wanted: Collection[tuple[str, str]],
    ignored: Collection[str],
) -> Iterator[Event]:
    """Yield the root, its sections and their items in the order of the file; then what passed by.

    `whole` names the children of the root that are one item each, `wanted` the items to build as
    (section, name), `ignored` the elements to leave out wherever they stand in an item.
    Elements of another namespace than the root's are left out, too; the root's own is optional
    below it, because some senders write it and some do not.

    Raises `MessageRefused` for anything that is not a complete, plain, reasonable XML document.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    builder = _Builder(whole, wanted, ignored)
    total = 0
    anything = False
    while chunk := stream.read(_CHUNK):
        if total + len(chunk) > max_bytes:
            raise MessageRefused("too_large", builder.line, str(max_bytes))
        anything = anything or bool(chunk.strip())
        builder.feed(chunk, total)
        total += len(chunk)
        yield from builder.take()
    if not anything:
        raise MessageRefused("empty")
    builder.close(total)
    yield from builder.take()


class _Builder:
    def __init__(
        self,
        whole: Collection[str],
        wanted: Collection[tuple[str, str]],
        ignored: Collection[str],
    ) -> None:
        self._whole = frozenset(whole)
        self._wanted = frozenset(wanted)
        self._ignored = frozenset(ignored)
        self._events: list[Event] = []
        self._counts: dict[str, int] = {}  # items so far, by path
        self._passed: dict[str, tuple[str, Element]] = {}  # section and first item, by path
        self._sections: set[str] = set()
        self._total = 0
        self._moved = False  # whether anything was complete in the chunk being read
        self._waiting = 0  # bytes read since something was
        self._depth = 0
        self._root: Root | None = None
        self._root_path = ""
        self._section = ""
        self._section_path = ""
        self._open: list[Element] = []  # the item under construction, outermost first
        self._skip_below = 0  # depth of the element that is being passed by, 0 for none
        self._elements = 0
        self._characters = 0
        self._encoding = ""
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._aside
        self._parser.ProcessingInstructionHandler = self._aside

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def feed(self, chunk: bytes, offset: int) -> None:
        self._moved = False
        self._parse(chunk, offset, is_last=False)
        # Older expats (2.5, in Python 3.12.1) start again at the beginning of an unfinished tag
        # with every chunk: minutes for one of 200 MB.
        self._waiting = 0 if self._moved else self._waiting + len(chunk)
        if self._waiting > LONGEST_TAG:
            raise MessageRefused("too_long_tag", self.line, str(LONGEST_TAG))

    def close(self, offset: int) -> None:
        self._parse(b"", offset, is_last=True)
        for path, (section, element) in self._passed.items():
            self._events.append(Passed(section, element, self._counts[path]))

    def _parse(self, chunk: bytes, offset: int, *, is_last: bool) -> None:
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            at = self._parser.ErrorByteIndex - offset
            byte = chunk[at] if 0 <= at < len(chunk) else 0
            raise self._refusal(error, byte, is_last=is_last) from error
        except MessageRefused:
            raise
        except (LookupError, ValueError) as error:  # from Python's codecs, asked by expat
            raise MessageRefused("unsupported_encoding", self.line, self._encoding) from error

    def _refusal(self, error: expat.ExpatError, byte: int, *, is_last: bool) -> MessageRefused:
        code, line = error.code, error.lineno
        if code == _CODES[expat.errors.XML_ERROR_UNKNOWN_ENCODING]:
            return MessageRefused("unsupported_encoding", line, self._encoding)
        if is_last and code in _CUT_OFF and (self._root or self._encoding):
            return MessageRefused("truncated", line)
        if self._root is None and code in _NOT_EVEN_XML and not self._encoding:
            return MessageRefused("not_xml", line)
        if code == _CODES[expat.errors.XML_ERROR_INCORRECT_ENCODING] or (
            code == _CODES[expat.errors.XML_ERROR_INVALID_TOKEN] and byte >= 0x80
        ):
            return MessageRefused("wrong_encoding", line)
        return MessageRefused("malformed_xml", line, expat.ErrorString(code) or "")

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._encoding = encoding or "UTF-8"

    def _refuse_doctype(self, name: str, *_ids: object) -> None:
        raise MessageRefused("doctype", self.line, name)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        depth = self._depth
        if depth > DEEPEST:
            raise MessageRefused("too_deep", self.line, str(depth))
        self._moved = True
        self._total += 1
        if self._total > MOST_ELEMENTS:
            raise MessageRefused("too_many_elements", self.line, str(MOST_ELEMENTS))
        if self._skip_below:
            return
        namespace, _, local = name.rpartition(" ")
        if self._root is None:
            self._root = Root(namespace, local, attributes, self.line)
            self._root_path = f"/{local}"
            self._events.append(self._root)
            return
        if namespace and namespace != self._root.namespace:
            self._skip_below = depth
        elif depth == 2:
            self._start_section(local, attributes)
        elif depth == 3 and not self._open:
            self._start_item(local, attributes)
        else:
            self._start_part(local, attributes)

    def _start_section(self, name: str, attributes: dict[str, str]) -> None:
        path = f"{self._root_path}/{name}"
        self._section, self._section_path = name, path
        self._sections.add(name)
        self._refuse_too_many_kinds()
        self._events.append(Section(name, path, self.line))
        if name in self._whole:
            self._open_item(Element(name, path, self.line, attributes))

    def _start_item(self, name: str, attributes: dict[str, str]) -> None:
        path = f"{self._section_path}/{name}"
        count = self._counts[path] = self._counts.get(path, 0) + 1
        wanted = (self._section, name) in self._wanted
        if wanted:
            self._open_item(Element(name, f"{path}[{count}]", self.line, attributes))
            return
        self._skip_below = self._depth
        if count == 1:
            self._passed[path] = (self._section, Element(name, f"{path}[1]", self.line, {}))
            self._refuse_too_many_kinds()

    def _refuse_too_many_kinds(self) -> None:
        if len(self._sections) + len(self._passed) > MOST_KINDS:
            raise MessageRefused("too_many_elements", self.line, str(MOST_KINDS))

    def _open_item(self, element: Element) -> None:
        self._open = [element]
        self._elements = self._characters = 0

    def _start_part(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._ignored:
            self._skip_below = self._depth
            return
        self._elements += 1
        if self._elements > MOST_ELEMENTS_IN_AN_ITEM:
            raise MessageRefused("too_big_item", self._open[0].line, self._open[0].name)
        parent = self._open[-1]
        element = Element(name, f"{parent.path}/{name}", self.line, attributes)
        parent.children.append(element)
        self._open.append(element)

    def _aside(self, *_content: str) -> None:
        self._moved = True

    def _text(self, text: str) -> None:
        self._moved = True
        if self._skip_below or not self._open:
            return
        self._characters += len(text)
        if self._characters > MOST_CHARACTERS_IN_AN_ITEM:
            raise MessageRefused("too_big_item", self._open[0].line, self._open[0].name)
        self._open[-1].pieces.append(text)

    def _end(self, _name: str) -> None:
        self._moved = True
        depth = self._depth
        self._depth -= 1
        if self._skip_below:
            if self._skip_below == depth:
                self._skip_below = 0
            return
        if self._open:
            done = self._open.pop()
            if not self._open:
                self._events.append(Item(done))
