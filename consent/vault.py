"""Personal data beside the ledger: sealed per person, so that an erasure is one deleted key."""

import json
import os
import uuid
from collections.abc import Sequence
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from consent.clock import now
from consent.merkle import commit
from consent.models import SubjectKey

NONCE = 12


def _master() -> AESGCM:
    return AESGCM(bytes.fromhex(settings.VAULT_KEY))


def _subject_key(subject: uuid.UUID, *, create: bool) -> AESGCM | None:
    row = SubjectKey.objects.filter(pk=subject).first()
    if row is None:
        if not create:
            return None
        nonce, key = os.urandom(NONCE), AESGCM.generate_key(256)
        wrapped = nonce + _master().encrypt(nonce, key, subject.bytes)
        SubjectKey.objects.bulk_create(
            [SubjectKey(subject=subject, wrapped=wrapped, created_at=now())],
            ignore_conflicts=True,  # two writers at once: the first key stays
        )
        row = SubjectKey.objects.get(pk=subject)
    return _unwrap(subject, bytes(row.wrapped))


def _unwrap(subject: uuid.UUID, wrapped: bytes) -> AESGCM | None:
    """The subject's key; None for one that does not open, like a key that is gone."""
    try:
        return AESGCM(_master().decrypt(wrapped[:NONCE], wrapped[NONCE:], subject.bytes))
    except (InvalidTag, ValueError):  # wrapped with another key, or changed
        return None


def seal(subject: uuid.UUID, data: dict[str, Any]) -> tuple[str, bytes]:
    """Seal `data` for `subject`; returns its commitment (hexadecimal) and the sealed box.

    Raises ``ImproperlyConfigured`` where the subject has a key that does not open.
    """
    key = _subject_key(subject, create=True)
    if key is None:
        raise ImproperlyConfigured(
            f"The key of {subject} does not open: is LINER_VAULT_KEY the one of this database?"
        )
    salt = os.urandom(32)
    nonce = os.urandom(NONCE)
    plain = rfc8785.dumps({"data": data, "salt": salt.hex()})
    return commit(salt, data), nonce + key.encrypt(nonce, plain, subject.bytes)


def unseal(subject: uuid.UUID, box: bytes) -> tuple[bytes, dict[str, Any]] | None:
    """The salt and the data of a sealed box; None after an erasure, or where it does not open."""
    return _open(_subject_key(subject, create=False), subject, box)


def unseal_each(
    boxes: Sequence[tuple[uuid.UUID, bytes]],
) -> list[tuple[bytes, dict[str, Any]] | None]:
    """What `unseal` says of each (subject, box), with each subject's key looked up once."""
    rows = SubjectKey.objects.in_bulk({subject for subject, _box in boxes})
    keys = {subject: _unwrap(subject, bytes(row.wrapped)) for subject, row in rows.items()}
    return [_open(keys.get(subject), subject, box) for subject, box in boxes]


def _open(
    key: AESGCM | None, subject: uuid.UUID, box: bytes
) -> tuple[bytes, dict[str, Any]] | None:
    if key is None:
        return None
    try:
        plain = json.loads(key.decrypt(box[:NONCE], box[NONCE:], subject.bytes))
    except (InvalidTag, ValueError):  # sealed under a key that was erased since, or changed
        return None
    return bytes.fromhex(plain["salt"]), plain["data"]
