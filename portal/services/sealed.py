"""Secrets of machines at rest: sealed with keys made from the vault's, one for each purpose."""

import os
from hashlib import sha256
from hmac import digest
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE: Final = 12


def seal(purpose: str, about: bytes, data: bytes) -> bytes:
    """Seal `data`; only `unseal` with the same `purpose` and `about` opens it."""
    nonce = os.urandom(NONCE)
    return nonce + _box(purpose).encrypt(nonce, data, about)


def unseal(purpose: str, about: bytes, box: bytes) -> bytes:
    """Open a box. Raises `cryptography.exceptions.InvalidTag` for one that is not ours."""
    return _box(purpose).decrypt(box[:NONCE], box[NONCE:], about)


def _box(purpose: str) -> AESGCM:
    return AESGCM(digest(bytes.fromhex(settings.VAULT_KEY), purpose.encode(), sha256))
