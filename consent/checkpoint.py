"""Checkpoints: the root of the ledger's tree, signed, in a form that others can read.

The format is C2SP's `tlog-checkpoint`, a `signed-note` signed with Ed25519:

    <origin>
    <size>
    <root, base64>

    — <key name> <base64 of the key hash (4 bytes) and the signature (64 bytes)>

A checkpoint has no time of its own that anyone could trust. What it does is to bind a size to a
root: two checkpoints of one log that cannot be proved consistent prove that history was rewritten.

Keys rotate by being added: a note is accepted when at least one key we know has signed it, so a
checkpoint signed years ago stays verifiable for whoever still lists the old verifying key. Keys are
written as the text forms of signed notes, `name+hash+base64` for verifying and
`PRIVATE+KEY+name+hash+base64` for signing.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consent.merkle import HASH_BYTES, MAX_SIZE, TreeHead

ED25519: Final = b"\x01"
"""The signed-note identifier of plain Ed25519 signatures."""

KEY_VARIABLE: Final = "LINER_SIGNING_KEY"
KEY_FILE_VARIABLE: Final = "LINER_SIGNING_KEY_FILE"

MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 64

_SIGNING_PREFIX: Final = "PRIVATE+KEY+"
_SIGNATURE_PREFIX: Final = "\N{EM DASH} "
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class CheckpointError(ValueError):
    """The note is not a checkpoint, or no key we know has signed it. Nothing may rest on it."""


class KeyTextError(ValueError):
    """The text is not a key. The message never repeats it: it may be a secret."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a key: its name and its 32 bytes.

    A name is a schema-less address such as `liner.example/ledger`, without spaces or `+`. Raises
    KeyTextError for any other name, and for more or fewer bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != 32:
            raise KeyTextError("An Ed25519 public key has 32 bytes.")

    @property
    def key_hash(self) -> bytes:
        """The four bytes that say, with the name, which key made a signature."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def encode(self) -> str:
        """The key as text, `name+hash+base64`: publish it, keep it, give it to a verifier."""
        return f"{self.name}+{self.key_hash.hex()}+{_to_base64(ED25519 + self.public)}"

    @classmethod
    def decode(cls, text: str) -> "VerifyingKey":
        """The key that `encode` wrote. Raises KeyTextError."""
        name, key_hash, data = _split_key(text)
        key = cls(name, _key_bytes(data))
        if key.key_hash.hex() != key_hash:
            raise KeyTextError("The key's hash does not belong to its name and bytes.")
        return key

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made this 64-byte signature over exactly this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private half: its name and its 32-byte seed, which no repr shows."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != 32:
            raise KeyTextError("An Ed25519 seed has 32 bytes.")

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half, to be published."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return VerifyingKey(self.name, public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, text: bytes) -> bytes:
        """The 64-byte Ed25519 signature (RFC 8032) over the text."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)

    def encode(self) -> str:
        """The key as text, `PRIVATE+KEY+name+hash+base64`: a secret."""
        key_hash = self.verifying_key.key_hash.hex()
        return f"{_SIGNING_PREFIX}{self.name}+{key_hash}+{_to_base64(ED25519 + self.seed)}"

    @classmethod
    def decode(cls, text: str) -> "SigningKey":
        """The key that `encode` wrote. Raises KeyTextError."""
        if not text.startswith(_SIGNING_PREFIX):
            raise KeyTextError(f"A signing key begins with {_SIGNING_PREFIX}.")
        name, key_hash, data = _split_key(text.removeprefix(_SIGNING_PREFIX))
        key = cls(name, _key_bytes(data))
        if key.verifying_key.key_hash.hex() != key_hash:
            raise KeyTextError("The key's hash does not belong to its name and bytes.")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's own name (`origin`), its tree head, and extension lines, of which we write none.

    Raises CheckpointError for parts that cannot be written in the format.
    """

    origin: str
    head: TreeHead
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or any(character < " " for character in line):
                raise CheckpointError("A line of a checkpoint is empty or has control characters")
        if not 0 <= self.head.size <= MAX_SIZE or len(self.head.root) != HASH_BYTES:
            raise CheckpointError("A checkpoint needs a size and a root of 32 bytes")

    @property
    def text(self) -> str:
        """What is signed: every line, with its newline."""
        lines = (self.origin, str(self.head.size), _to_base64(self.head.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that verified, and the keys known to us that signed it: at least one."""

    checkpoint: Checkpoint
    signed_by: tuple[VerifyingKey, ...]

    @property
    def head(self) -> TreeHead:
        """The signed tree head, for `verify_inclusion` and `verify_consistency`."""
        return self.checkpoint.head


def sign_checkpoint(*, checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> str:
    """The signed note, one signature line per key; several while one key hands over to the next.

    Never sign a checkpoint that is not consistent with every one signed before it: whoever calls
    this has checked that first. Raises ValueError without a key.
    """
    if not keys:
        raise ValueError("a checkpoint needs at least one signing key")
    text = checkpoint.text
    lines = []
    for key in keys:
        signature = key.verifying_key.key_hash + key.sign(text.encode())
        lines.append(f"{_SIGNATURE_PREFIX}{key.name} {_to_base64(signature)}\n")
    return f"{text}\n{''.join(lines)}"


def open_checkpoint(
    *, note: str | bytes, keys: Iterable[VerifyingKey], origin: str
) -> OpenedCheckpoint:
    """The checkpoint in a signed note, verified against the keys we know for this origin.

    Signatures by keys that we do not know (a later key, a witness) are ignored. Raises
    CheckpointError when the note is not exactly in the format, is another log's, has a wrong
    signature by a known key, or none that we can check.
    """
    text, signatures = _split_note(note)
    known = {(key.name, key.key_hash): key for key in keys}
    signed_by: list[VerifyingKey] = []
    for name, data in signatures:
        key = known.get((name, data[:4]))
        if key is None or key in signed_by:
            continue
        if not key.verifies(text.encode(), data[4:]):
            raise CheckpointError(f"the signature by {key.name} is wrong")
        signed_by.append(key)
    if not signed_by:
        raise CheckpointError("no key that we know has signed this checkpoint")
    checkpoint = _parse_text(text)
    if checkpoint.origin != origin:
        raise CheckpointError("the checkpoint is of another log")
    return OpenedCheckpoint(checkpoint, tuple(signed_by))


def read_checkpoint(*, note: str, origin: str) -> Checkpoint:
    """What a note says, whoever signed it; for telling a wrong file from a wrong signature.

    Raises `CheckpointError` when it is no checkpoint, or one of another log than `origin`.
    """
    checkpoint = _parse_text(_split_note(note)[0])
    if checkpoint.origin != origin:
        raise CheckpointError("the checkpoint is of another log")
    return checkpoint


def generate_signing_key(*, name: str) -> SigningKey:
    """A fresh key from the system's randomness. Raises KeyTextError for an impossible name.

    It is nowhere but in what this returns: store `encode()` in the environment or in a file.
    """
    return SigningKey(name, os.urandom(32))


def load_signing_key(environ: Mapping[str, str] = os.environ) -> SigningKey | None:
    """The signing key of this installation, or None when none is configured.

    `LINER_SIGNING_KEY` holds the key itself, `LINER_SIGNING_KEY_FILE` the path of a file that holds
    it. Raises KeyTextError, without the key's text, when what is configured is no key or when both
    are given, and OSError when the file cannot be read.
    """
    value, path = environ.get(KEY_VARIABLE, ""), environ.get(KEY_FILE_VARIABLE, "")
    if value and path:
        raise KeyTextError(f"Give either {KEY_VARIABLE} or {KEY_FILE_VARIABLE}, not both.")
    if path:
        value = Path(path).read_text(encoding="utf-8")
    return SigningKey.decode(value.strip()) if value else None


def parse_verifying_keys(text: str) -> tuple[VerifyingKey, ...]:
    """One verifying key a line; empty lines and lines that begin with `#` are passed over.

    This is how the keys of former years are kept. Raises KeyTextError.
    """
    lines = (line.strip() for line in text.splitlines())
    return tuple(VerifyingKey.decode(line) for line in lines if line and not line.startswith("#"))


def _split_note(note: str | bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and (key name, key hash and signature) of each signature line."""
    data = note.encode("utf-8", "surrogatepass") if isinstance(note, str) else note
    if len(data) > MAX_NOTE_BYTES:
        raise CheckpointError("the note is too long")
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError("the note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in decoded):
        raise CheckpointError("the note has control characters")
    text, blank, tail = decoded.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise CheckpointError("the note has no signatures, or does not end with a newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise CheckpointError("the note has too many signatures")
    return f"{text}\n", [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space or not _is_name(name):
        raise CheckpointError("a signature line is not one")
    data = _from_base64(encoded)
    if data is None or len(data) < 5:
        raise CheckpointError("a signature line is not one")
    return name, data


def _parse_text(text: str) -> Checkpoint:
    origin, *rest = text[:-1].split("\n")
    if len(rest) < 2:
        raise CheckpointError("a checkpoint has an origin, a size and a root")
    size, root, *extensions = rest
    decoded = _from_base64(root)
    if decoded is None or not _DECIMAL.fullmatch(size):
        raise CheckpointError("the size or the root is not written as it should be")
    return Checkpoint(origin, TreeHead(int(size), decoded), tuple(extensions))


def _split_key(text: str) -> tuple[str, str, str]:
    # The base64 may itself hold a plus; a name never does.
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise KeyTextError("A key is written as name+hash+base64.")
    return parts[0], parts[1], parts[2]


def _key_bytes(encoded: str) -> bytes:
    data = _from_base64(encoded)
    if data is None or data[:1] != ED25519:
        raise KeyTextError("The key is not an Ed25519 key in base64.")
    return data[1:]


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and "+" not in name and not re.search(r"\s", name)


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise KeyTextError("A key's name is not empty and has no spaces and no plus sign.")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """The bytes of canonical base64 (RFC 4648 section 4), None for any other spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _to_base64(data) == text else None
