"""Files that are no release message: one clear error each, and never more than that."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.catalogue import xmlstream
from consent.catalogue.ern import read_message
from consent.catalogue.problems import REFUSAL_SENTENCES, MessageRefused

SAMPLES = Path(__file__).parent / "samples"
GOOD = (SAMPLES / "ern42_japanese_album.xml").read_bytes()
OPEN = b'<ern:NewReleaseMessage xmlns:ern="http://ddex.net/xml/ern/43">'
CLOSE = b"</ern:NewReleaseMessage>"
HEADER = (
    b"<MessageHeader><MessageId>1</MessageId><MessageSender><PartyId>PADPIDA2026010188E</PartyId>"
    b"</MessageSender><MessageCreatedDateTime>2026-01-01T00:00:00Z</MessageCreatedDateTime>"
    b"</MessageHeader>"
)

_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
ENTITY_BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY l0 "ha">' + _LAUGHS + b"]>\n<x>&l9;</x>"
)
EXTERNAL_ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    + OPEN
    + b"&f;"
    + CLOSE
)
EXTERNAL_DTD = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + OPEN + CLOSE

FILES = {
    "nothing": (b"", "empty", 0),
    "white space": (b" \n\t\n", "empty", 0),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_xml", 1),
    "a zip file": (b"PK\x03\x04" + bytes(200), "not_xml", 1),
    "json": (b'{"isrc": "NOFJR2600001"}', "not_xml", 1),
    "csv": (b"isrc,title\nNOFJR2600001,Low Light\n", "not_xml", 1),
    "a web page": (b"<!DOCTYPE html><html></html>", "doctype", 1),
    "plain html": (b"<html><body></body></html>", "not_ern", 1),
    "another namespace": (
        b'<NewReleaseMessage xmlns="http://example.org/"/>',
        "not_ern",
        1,
    ),
    "no namespace": (b"<NewReleaseMessage/>", "not_ern", 1),
    "an old version": (
        b'<e:NewReleaseMessage xmlns:e="http://ddex.net/xml/ern/382"/>',
        "unsupported_version",
        1,
    ),
    "a purge": (
        b'<e:PurgeReleaseMessage xmlns:e="http://ddex.net/xml/ern/43"/>',
        "not_a_release_message",
        1,
    ),
    "an entity bomb": (ENTITY_BOMB, "doctype", 2),
    "an external entity": (EXTERNAL_ENTITY, "doctype", 1),
    "an external document type": (EXTERNAL_DTD, "doctype", 1),
    "an undefined entity": (OPEN + b"&who;" + CLOSE, "malformed_xml", 1),
    "10 000 nested elements": (OPEN + b"<a>" * 10_000 + b"</a>" * 10_000 + CLOSE, "too_deep", 1),
    "an unclosed tag": (OPEN + b"\n<PartyList>\n" + CLOSE, "malformed_xml", 3),
    "two roots": (OPEN + CLOSE + b"\n" + OPEN + CLOSE, "malformed_xml", 2),
    "latin-1 that says utf-8": (
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + OPEN + b"<a>\xe6\xf8\xe5</a>" + CLOSE,
        "wrong_encoding",
        2,
    ),
    "utf-8 that says utf-16": (
        b'<?xml version="1.0" encoding="UTF-16"?>' + OPEN + CLOSE,
        "wrong_encoding",
        1,
    ),
    "an encoding that nobody knows": (
        b'<?xml version="1.0" encoding="klingon"?>' + OPEN + CLOSE,
        "unsupported_encoding",
        1,
    ),
    "an encoding of several bytes": (
        b'<?xml version="1.0" encoding="shift_jis"?>' + OPEN + CLOSE,
        "unsupported_encoding",
        1,
    ),
    "no header": (OPEN + CLOSE, "missing_header", 1),
    "no message id": (
        OPEN + HEADER.replace(b"<MessageId>1</MessageId>", b"") + CLOSE,
        "missing_message_id",
        1,
    ),
    "no sender": (OPEN + HEADER.replace(b"PADPIDA2026010188E", b" ") + CLOSE, "missing_sender", 1),
    "no moment": (
        OPEN + HEADER.replace(b"2026-01-01T00:00:00Z", b"") + CLOSE,
        "missing_created_at",
        1,
    ),
    "no such day": (
        OPEN + HEADER.replace(b"2026-01-01", b"2026-02-30") + CLOSE,
        "bad_created_at",
        1,
    ),
    "before there were such messages": (
        OPEN + HEADER.replace(b"2026-01-01", b"1999-12-31") + CLOSE,
        "date_out_of_range",
        1,
    ),
    "open without end": (
        OPEN + HEADER.replace(b"2026-01-01", b"9999-12-31") + CLOSE,
        "date_out_of_range",
        1,
    ),
    "before the year 1": (
        OPEN + HEADER.replace(b"2026-01-01T00:00:00Z", b"0001-01-01T00:00:00+14:00") + CLOSE,
        "bad_created_at",
        1,
    ),
}


@pytest.mark.parametrize(("content", "code", "line"), FILES.values(), ids=FILES.keys())
def test_a_file_that_is_no_release_message_gets_one_clear_error(
    content: bytes, code: str, line: int
) -> None:
    with pytest.raises(MessageRefused) as refused:
        read_message(content)
    assert (refused.value.code, refused.value.line) == (code, line)
    assert refused.value.sentence.endswith(".")
    assert "{" not in refused.value.sentence


def test_every_refusal_that_can_be_given_is_tried_here() -> None:
    elsewhere = {
        "too_large",
        "truncated",
        "too_big_item",
        "too_long_tag",
        "too_many_elements",
        "too_many_problems",
    }
    assert {code for _, code, _ in FILES.values()} | elsewhere == set(REFUSAL_SENTENCES)


def test_a_message_cut_off_anywhere_is_refused() -> None:
    start = GOOD.index(b"<ern:")
    for length in range(start + 200, len(GOOD) - 30, 97):
        with pytest.raises(MessageRefused) as refused:
            read_message(GOOD[:length])
        # In the middle of a Japanese character, expat calls the last bytes a wrong encoding.
        assert refused.value.code in {"truncated", "wrong_encoding"}
        assert refused.value.line <= GOOD[:length].count(b"\n") + 1


def test_a_file_beyond_the_limit_is_refused_without_reading_the_rest() -> None:
    endless = _Endless(OPEN + b"<DealList>", b"<ReleaseDeal/>")
    with pytest.raises(MessageRefused) as refused:
        read_message(endless, max_bytes=1_000_000)
    assert refused.value.code == "too_large"
    assert endless.given < 1_200_000


def test_a_file_of_exactly_the_limit_is_read() -> None:
    assert read_message(GOOD, max_bytes=len(GOOD)).version == "4.2"
    with pytest.raises(MessageRefused):
        read_message(GOOD, max_bytes=len(GOOD) - 1)


@pytest.mark.parametrize("filling", [b"<Role/>", b"many words "])
def test_one_gigantic_recording_is_refused_before_it_fills_the_memory(filling: bytes) -> None:
    endless = _Endless(OPEN + b"<ResourceList><SoundRecording>", filling)
    tracemalloc.start()
    try:
        with pytest.raises(MessageRefused) as refused:
            read_message(endless)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.code == "too_big_item"
    assert peak < 60_000_000


@pytest.mark.parametrize(
    ("beginning", "filling"),
    [
        (OPEN + b'<a b="', b"x"),
        (OPEN + b"<a ", b"".join(b'a%d="1" ' % n for n in range(20_000))),
        (OPEN + b"<!--", b"x "),
        (OPEN + b"<?x ", b"x "),
        (b"<", b"x"),
    ],
    ids=["attribute", "attributes", "comment", "instruction", "name"],
)
def test_a_tag_without_end_is_refused_long_before_the_file_ends(
    beginning: bytes, filling: bytes
) -> None:
    endless = _Endless(beginning, filling)
    with pytest.raises(MessageRefused) as refused:
        read_message(endless)
    assert refused.value.code == "too_long_tag"
    assert endless.given < 1_200_000


def test_many_comments_are_no_tag_without_end() -> None:
    message = read_message(OPEN + HEADER + b"<!-- thank you -->\n" * 100_000 + CLOSE)
    assert message.message_id == "1"


def test_a_file_of_nothing_but_mistakes_is_refused_early() -> None:
    parties = _Endless(OPEN + HEADER + b"<PartyList>", b"<Party/>")
    with pytest.raises(MessageRefused) as refused:
        read_message(parties)
    assert refused.value.code == "too_many_problems"
    assert parties.given < 1_000_000


@pytest.mark.parametrize("opening", [b"", b"<PartyList>", b"<ResourceList>"])
def test_a_file_of_ever_new_element_names_is_refused_early(opening: bytes) -> None:
    names = b"".join(b"<a%d/>" % n for n in range(1_000))
    with pytest.raises(MessageRefused) as refused:
        read_message(OPEN + HEADER + opening + names)
    assert refused.value.code == "too_many_elements"


def test_a_file_of_endless_empty_elements_is_refused() -> None:
    with pytest.raises(MessageRefused) as refused:
        read_message(_Endless(OPEN + b"<DealList><ReleaseDeal>", b"<a/>"))
    assert (refused.value.code, refused.value.value) == ("too_many_elements", "6000000")


def test_what_nobody_reads_takes_no_memory() -> None:
    deals = _Endless(OPEN + HEADER + b"<DealList>", b"<ReleaseDeal><a>b</a></ReleaseDeal>")
    tracemalloc.start()
    try:
        with pytest.raises(MessageRefused):
            read_message(deals, max_bytes=5_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_line_numbers_stay_right_in_long_files() -> None:
    recording = b"<SoundRecording>\n<ResourceReference>A1</ResourceReference></SoundRecording>"
    blank = b"\n" * 70_000
    message = read_message(
        OPEN + HEADER + blank + b"<ResourceList>" + recording + b"</ResourceList>" + CLOSE
    )
    refused = next(p for p in message.problems if p.code == "recording_without_isrc")
    assert refused.line == 70_001


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=2_000))
def test_random_bytes_never_do_more_than_be_refused(content: bytes) -> None:
    with pytest.raises(MessageRefused):
        read_message(content)


@settings(deadline=None)  # the machine may be busy
@given(st.data())
def test_a_damaged_message_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(_SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.sampled_from([0, 1, 1, 5, 400]))
        content[at : at + length] = data.draw(st.one_of(st.binary(max_size=8), _FRAGMENTS))
    _reads_or_refuses(bytes(content))


@settings(deadline=None)  # the machine may be busy
@given(st.data())
def test_values_of_any_kind_are_read_or_reported(data: st.DataObject) -> None:
    """Well-formed all through, with any text in any place: it must be readable."""
    text = data.draw(st.sampled_from(_SAMPLES)).decode()
    pieces = text.split(">")
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        before, bracket, after = pieces[at].partition("<")
        if before.strip() and bracket:
            pieces[at] = data.draw(_VALUES) + bracket + after
    _reads_or_refuses(">".join(pieces).encode())


_SAMPLES = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xml"))]
_FRAGMENTS = st.sampled_from(
    [b"<a>", b"</a>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x?>", b"&amp;", b"&#0;", b"&x;"]
)
_VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&\ufffe\uffff")),
    st.sampled_from(["9" * 5_000, "-1", "1e9", "NaN", "P1Y", "PT" + "9" * 40 + "S", "٣", "P", "T"]),
    st.integers().map(str),
)


def _reads_or_refuses(content: bytes) -> None:
    try:
        message = read_message(content)
    except MessageRefused as refused:
        _is_told_plainly(refused)
    else:
        assert all(problem.sentence for problem in message.problems)
        assert all(len(recording.isrc) == 12 for recording in message.recordings)
        assert all(len(recording.title) <= 500 for recording in message.recordings)
        assert all(len(message.release_key(release)) <= 80 for release in message.releases)


def _is_told_plainly(refused: MessageRefused) -> None:
    assert refused.code in REFUSAL_SENTENCES
    assert refused.sentence.endswith(".")


class _Endless:
    """A file that never ends: a beginning, then the same bytes again and again."""

    def __init__(self, beginning: bytes, filling: bytes) -> None:
        self._bytes = self._endlessly(beginning, filling * 1_000)
        self._rest = b""
        self.given = 0

    @staticmethod
    def _endlessly(beginning: bytes, filling: bytes) -> Iterator[bytes]:
        yield beginning
        while True:
            yield filling

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size:
            self._rest += next(self._bytes)
        chunk, self._rest = self._rest[:size], self._rest[size:]
        self.given += len(chunk)
        return chunk


def test_limits_leave_room_for_every_honest_message() -> None:
    """An item of 3 000 contributors, far beyond any real one, is still read."""
    contributor = (
        b"<Contributor><ContributorPartyReference>P</ContributorPartyReference>"
        b"<Role>Composer</Role></Contributor>"
    )
    content = (
        OPEN
        + HEADER
        + b"<ResourceList><SoundRecording><SoundRecordingEdition><ResourceId><ISRC>NOFJR2600001"
        + b"</ISRC></ResourceId></SoundRecordingEdition>"
        + contributor * 3_000
        + b"</SoundRecording></ResourceList>"
        + CLOSE
    )
    assert len(read_message(content).recordings[0].contributors) == 3_000
    assert xmlstream.DEEPEST > 3 * 15
