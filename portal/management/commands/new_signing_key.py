"""Make a key that signs the ledger's checkpoints, and say how to change over to it."""

import argparse
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.checkpoint import generate_signing_key
from consent.ledger_keys import origin, verifying_keys


class Command(BaseCommand):
    help = "Write a new signing key into a file that only this user can read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", help="where the key goes; it must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        key = generate_signing_key(name=origin())
        path = Path(options["file"])
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(str(error)) from error
        with os.fdopen(handle, "w") as file:
            file.write(f"{key.encode()}\n")
        former = ",".join(each.encode() for each in verifying_keys())
        self.stdout.write(
            f"The signing key is in {path}. It stands nowhere else.\n\n"
            "Publish its verifying key where people can find it without us:\n"
            f"  {key.verifying_key.encode()}\n\n"
            "To change over: keep the former verifying keys, so that what they signed stays"
            " verifiable, give the new key, and restart.\n"
            f"  LINER_OLD_SIGNING_KEYS={former}\n"
            f"  LINER_SIGNING_KEY_FILE={path}\n\n"
            "For a time both may sign: a file may hold several keys, one a line."
        )
