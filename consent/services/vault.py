"""Personal data beside the ledger: sealed per person, so that an erasure is one deleted key."""

import json
import os
import uuid
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

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
    wrapped = bytes(row.wrapped)
    return AESGCM(_master().decrypt(wrapped[:NONCE], wrapped[NONCE:], subject.bytes))


def seal(subject: uuid.UUID, data: dict[str, Any]) -> tuple[str, bytes]:
    """Seal `data` for `subject`; returns its commitment (hexadecimal) and the sealed box."""
    key = _subject_key(subject, create=True)
    assert key is not None
    salt = os.urandom(32)
    nonce = os.urandom(NONCE)
    plain = rfc8785.dumps({"data": data, "salt": salt.hex()})
    return commit(salt, data), nonce + key.encrypt(nonce, plain, subject.bytes)


def unseal(subject: uuid.UUID, box: bytes) -> tuple[bytes, dict[str, Any]] | None:
    """The salt and the data of a sealed box, or None after an erasure."""
    key = _subject_key(subject, create=False)
    if key is None:
        return None
    try:
        plain = json.loads(key.decrypt(box[:NONCE], box[NONCE:], subject.bytes))
    except InvalidTag:  # sealed under a key that was erased since
        return None
    return bytes.fromhex(plain["salt"]), plain["data"]
