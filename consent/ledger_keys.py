"""The ledger's name and keys, as this installation has them: from settings, never a database."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from consent.checkpoint import KeyTextError, SigningKey, VerifyingKey


def origin() -> str:
    """The ledger's own name, the first line of its checkpoints and the name of its keys."""
    return str(settings.LEDGER_ORIGIN)


def signing_keys() -> tuple[SigningKey, ...]:
    """The keys that sign new checkpoints: one, or two while one hands over to the next.

    Empty where this process has none, as a web server whose operator gave the key to the worker
    alone. Raises ImproperlyConfigured for a text that is no key, and for a key of another name.
    """
    text = settings.LEDGER_SIGNING_KEY
    if path := settings.LEDGER_SIGNING_KEY_FILE:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except PermissionError:
            return ()
        except OSError as error:
            raise ImproperlyConfigured(f"The file of the signing key: {error}") from error
    try:
        keys = tuple(SigningKey.decode(part) for part in text.replace(",", " ").split())
    except KeyTextError as error:
        raise ImproperlyConfigured(f"LINER_SIGNING_KEY: {error}") from None
    for key in keys:
        _check_name(key.name, "LINER_SIGNING_KEY")
    return keys


def verifying_keys() -> tuple[VerifyingKey, ...]:
    """Every key that may have signed a checkpoint of this ledger, the newest first."""
    try:
        old = [VerifyingKey.decode(text) for text in settings.LEDGER_OLD_KEYS]
    except KeyTextError as error:
        raise ImproperlyConfigured(f"LINER_OLD_SIGNING_KEYS: {error}") from None
    for key in old:
        _check_name(key.name, "LINER_OLD_SIGNING_KEYS")
    return tuple(dict.fromkeys([*(key.verifying_key for key in signing_keys()), *old]))


def _check_name(name: str, variable: str) -> None:
    if name != origin():
        raise ImproperlyConfigured(
            f"{variable} holds a key of {name}, but this ledger is {origin()}"
            " (LINER_LEDGER_ORIGIN): a ledger and its keys have one name."
        )
