"""Checkpoints and keys: known answers from elsewhere, rotation, and a parser that gives no inch."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent.checkpoint import (
    Checkpoint,
    CheckpointError,
    KeyTextError,
    SigningKey,
    VerifyingKey,
    generate_signing_key,
    load_signing_key,
    open_checkpoint,
    parse_verifying_keys,
    sign_checkpoint,
)
from consent.merkle import EMPTY_ROOT, MAX_SIZE, TreeHead

ORIGIN = "liner.example/ledger"
FIRST = SigningKey(ORIGIN, bytes(range(32)))
SECOND = SigningKey(ORIGIN, bytes(range(1, 33)))
WITNESS = SigningKey("witness.example/one", bytes(range(2, 34)))
HEAD = TreeHead(12, bytes(range(32)))
NOTE = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[FIRST])

# The published test key of Go's own signed-note package, with its example note.
GO_SIGNING = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFYING = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def opened(note: str | bytes, *keys: SigningKey) -> TreeHead:
    return open_checkpoint(
        note=note, keys=[key.verifying_key for key in keys or (FIRST,)], origin=ORIGIN
    ).head


def signed(text: str, key: SigningKey = FIRST) -> str:
    """A note over any text at all, rightly signed: what a careless signer could have made."""
    signature = key.verifying_key.key_hash + key.sign(text.encode())
    return f"{text}\n\N{EM DASH} {key.name} {b64encode(signature).decode()}\n"


def test_a_key_of_another_implementation_reads_and_signs_the_same() -> None:
    key = SigningKey.decode(GO_SIGNING)
    assert key.encode() == GO_SIGNING
    assert key.verifying_key.encode() == GO_VERIFYING
    assert VerifyingKey.decode(GO_VERIFYING) == key.verifying_key
    signature = b64decode(GO_SIGNATURE)
    assert signature == key.verifying_key.key_hash + key.sign(GO_TEXT.encode())
    assert key.verifying_key.verifies(GO_TEXT.encode(), signature[4:])


def test_a_checkpoint_is_written_as_the_format_says() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "12", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]
    assert len(b64decode(lines[4].split(" ")[2])) == 4 + 64


@given(
    size=st.integers(0, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1)),
)
@example(size=0, root=EMPTY_ROOT, extensions=[])
def test_what_was_signed_is_what_is_read(size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(ORIGIN, TreeHead(size, root), tuple(extensions))
    note = sign_checkpoint(checkpoint=checkpoint, keys=[FIRST])
    for form in (note, note.encode()):
        read = open_checkpoint(note=form, keys=[FIRST.verifying_key], origin=ORIGIN)
        assert read.checkpoint == checkpoint
        assert read.signed_by == (FIRST.verifying_key,)


def test_an_old_key_still_verifies_what_it_signed_after_the_rotation() -> None:
    handover = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[FIRST, SECOND])
    after = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[SECOND])
    assert opened(NOTE, FIRST, SECOND) == HEAD
    assert opened(after, FIRST, SECOND) == HEAD
    assert opened(handover, FIRST) == opened(handover, SECOND) == HEAD
    with pytest.raises(CheckpointError, match="no key that we know"):
        opened(after, FIRST)


def test_a_signature_by_a_key_that_we_do_not_know_is_passed_over() -> None:
    both = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[WITNESS, FIRST])
    read = open_checkpoint(note=both, keys=[FIRST.verifying_key], origin=ORIGIN)
    assert read.signed_by == (FIRST.verifying_key,)
    with_later_format = f"{NOTE}\N{EM DASH} witness.example/two {b64encode(bytes(2424)).decode()}\n"
    assert opened(with_later_format) == HEAD


def test_a_wrong_signature_by_a_known_key_refuses_the_note_whatever_else_signed_it() -> None:
    def forged(key: SigningKey) -> str:
        signature = b64encode(key.verifying_key.key_hash + bytes(64)).decode()
        return f"\N{EM DASH} {key.name} {signature}\n"

    for note in (NOTE + forged(SECOND), f"{Checkpoint(ORIGIN, HEAD).text}\n{forged(FIRST)}"):
        with pytest.raises(CheckpointError, match="signature by"):
            opened(note, FIRST, SECOND)


def test_the_same_key_under_another_name_is_another_key() -> None:
    namesake = SigningKey("liner.example/other", FIRST.seed)
    note = sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[namesake])
    with pytest.raises(CheckpointError, match="no key that we know"):
        opened(note)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(CheckpointError, match="another log"):
        opened(sign_checkpoint(checkpoint=Checkpoint("other.example", HEAD), keys=[FIRST]))


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n012\n{ROOT}\n",
        f"{ORIGIN}\n+12\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n 12\n{ROOT}\n",
        f"{ORIGIN}\n1_2\n{ROOT}\n",
        f"{ORIGIN}\n१२\n{ROOT}\n",
        f"{ORIGIN}\n0x0c\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT}\n",
        f"{ORIGIN}\n12\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n12\n{ROOT.replace('8=', '9=')}\n",
        f"{ORIGIN}\n12\n{ROOT} \n",
        f"{ORIGIN}\n12\nAAEC\n",
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n",
        f"{ORIGIN}\n12\n{ROOT}\n\nextension after a blank line\n",
        f"\n12\n{ROOT}\n",
    ],
)
def test_a_text_that_is_not_exactly_a_checkpoint_is_refused_even_if_signed(text: str) -> None:
    with pytest.raises(CheckpointError):
        opened(signed(text))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        NOTE.replace("— ", " — "),
        NOTE + "not a signature line\n",
        NOTE + f"— {ORIGIN} !!!!\n",
        NOTE + f"— {ORIGIN} AAA=\n",
        NOTE + "—  AAAAAAAA\n",
        NOTE + "— a+b AAAAAAAA\n",
        NOTE.replace("=\n", "=\t\n"),
        NOTE.replace(ORIGIN, ORIGIN + "\0", 1),
        NOTE.encode() + b"\xff\n",
        NOTE + "\ud800",
        NOTE + "— x AAAAAAAA\n" * 64,
        NOTE + f"— x {'A' * 1_000_000}\n",
    ],
)
def test_a_note_with_any_other_frame_is_refused(note: str | bytes) -> None:
    with pytest.raises(CheckpointError):
        opened(note)


@given(st.data())
def test_no_changed_byte_of_a_note_goes_unnoticed(data: st.DataObject) -> None:
    bent = bytearray(NOTE.encode())
    place = data.draw(st.integers(0, len(bent) - 1))
    bent[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CheckpointError):
        opened(bytes(bent))


@given(st.one_of(st.binary(), st.text().map(lambda text: f"{text}\n\n— {ORIGIN} AAAAAAAA\n")))
def test_rubbish_is_refused_and_never_a_crash(note: str | bytes) -> None:
    with pytest.raises(CheckpointError):
        opened(note)


def test_a_checkpoint_that_cannot_be_written_cannot_be_made() -> None:
    for origin, head, extensions in (
        ("", HEAD, ()),
        ("two\nlines", HEAD, ()),
        (ORIGIN, HEAD, ("",)),
        (ORIGIN, HEAD, ("line\rline",)),
        (ORIGIN, TreeHead(-1, HEAD.root), ()),
        (ORIGIN, TreeHead(MAX_SIZE + 1, HEAD.root), ()),
        (ORIGIN, TreeHead(1, b"short"), ()),
    ):
        with pytest.raises(CheckpointError):
            Checkpoint(origin, head, extensions)
    with pytest.raises(ValueError, match="at least one"):
        sign_checkpoint(checkpoint=Checkpoint(ORIGIN, HEAD), keys=[])


def test_a_fresh_key_survives_being_written_and_read() -> None:
    key = generate_signing_key(name=ORIGIN)
    assert key != generate_signing_key(name=ORIGIN)
    assert SigningKey.decode(key.encode()) == key
    assert VerifyingKey.decode(key.verifying_key.encode()) == key.verifying_key


@pytest.mark.parametrize("name", ["", "two words", "plus+plus", "tab\t", "line\n", "nb\u00a0sp"])
def test_a_name_that_a_key_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(KeyTextError):
        generate_signing_key(name=name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORIGIN,
        "name+c74f20a3",
        GO_VERIFYING.replace("c74f20a3", "c74f20a4"),
        GO_VERIFYING.replace("PeterNeumann", "PeterNewmann"),
        GO_VERIFYING.replace("+ARpc", "+AhpC"),
        GO_VERIFYING[:-4],
        GO_VERIFYING + "=",
        GO_VERIFYING.upper(),
    ],
)
def test_what_is_no_verifying_key_is_refused(text: str) -> None:
    with pytest.raises(KeyTextError):
        VerifyingKey.decode(text)


def test_the_signing_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "signing key"
    file.write_text(FIRST.encode() + "\n")
    assert load_signing_key({}) is None
    assert load_signing_key({"LINER_SIGNING_KEY": ""}) is None
    assert load_signing_key({"LINER_SIGNING_KEY": FIRST.encode()}) == FIRST
    assert load_signing_key({"LINER_SIGNING_KEY_FILE": str(file)}) == FIRST
    with pytest.raises(KeyTextError, match="not both"):
        load_signing_key({"LINER_SIGNING_KEY": "x", "LINER_SIGNING_KEY_FILE": str(file)})
    with pytest.raises(FileNotFoundError):
        load_signing_key({"LINER_SIGNING_KEY_FILE": str(tmp_path / "absent")})


def test_a_refused_or_printed_key_never_shows_its_secret() -> None:
    secret = FIRST.encode().rsplit("+", 1)[1]
    for text in (FIRST.encode()[:-2], FIRST.encode() + "x", "x" + FIRST.encode()):
        with pytest.raises(KeyTextError) as refused:
            load_signing_key({"LINER_SIGNING_KEY": text})
        assert secret[:12] not in str(refused.value)
    assert str(FIRST.seed) not in repr(FIRST)
    assert secret not in repr(FIRST)


def test_the_keys_of_former_years_are_a_file_of_lines() -> None:
    text = f"# until 2026\n{FIRST.verifying_key.encode()}\n\n  {SECOND.verifying_key.encode()}\n"
    assert parse_verifying_keys(text) == (FIRST.verifying_key, SECOND.verifying_key)
    with pytest.raises(KeyTextError):
        parse_verifying_keys(f"{text}rubbish")
