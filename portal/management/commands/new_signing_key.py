"""Make a key that signs the ledger's checkpoints, and say how to change over to it."""

import argparse
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consent.checkpoint import generate_signing_key
from consent.ledger_keys import origin, verifying_keys


class Command(BaseCommand):
    help = "Write a new signing key into a file that only this user can read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", help="where the key goes; it must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        former = _former()
        key = generate_signing_key(name=origin())
        path = Path(options["file"])
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(str(error)) from error
        with os.fdopen(handle, "w") as file:
            file.write(f"{key.encode()}\n")
        self.stdout.write(
            f"The signing key is in {path}. It stands nowhere else.\n\n"
            "Publish its verifying key where people can find it without us:\n"
            f"  {key.verifying_key.encode()}\n"
        )
        if not former:
            self.stdout.write(f"Give it to the worker:\n  LINER_SIGNING_KEY_FILE={path.absolute()}")
            return
        self.stdout.write(
            "To change over: keep the former verifying keys, so that what they signed stays"
            " verifiable, give the new key, and restart.\n"
            f"  LINER_OLD_SIGNING_KEYS={former}\n"
            f"  LINER_SIGNING_KEY_FILE={path.absolute()}\n\n"
            "For a time both may sign: a file may hold several keys, one a line."
        )


def _former() -> str:
    """The keys until now; empty where the file that settings name is yet to be made."""
    named = settings.LEDGER_SIGNING_KEY_FILE
    if named and not Path(named).exists():
        return ",".join(settings.LEDGER_OLD_KEYS)
    return ",".join(each.encode() for each in verifying_keys())
