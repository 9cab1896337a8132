"""Audit the ledger; exit status 1 when something is wrong, 2 when it could not run."""

import argparse
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from consent.checkpoint import CheckpointError, read_checkpoint
from consent.ledger_keys import origin
from consent.services.audit import audit_ledger


class Command(BaseCommand):
    help = (
        "Hash every entry again, replay every row that was derived, and compare with what was"
        " signed, here and outside. Exit status 1 and an alarm when something is wrong,"
        " 2 when it could not run."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            metavar="FILE",
            help="a signed checkpoint from outside (- reads it from the standard input)",
        )
        parser.add_argument(
            "--incremental",
            action="store_true",
            help="only what came since the last clean audit",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        notes = {name: _read(name) for name in options["checkpoint"]}
        try:
            audited = audit_ledger(notes=notes, incremental=options["incremental"])
        except Error as error:
            # Away, or not migrated: the audit could not run, which is no finding.
            raise CommandError(f"The ledger cannot be read: {error}", returncode=2) from error
        if audited is None:
            raise CommandError("Another audit is running.", returncode=2)
        entries = f"entries {audited.since + 1} to {audited.size}"
        compared = f"{audited.outside} checkpoint{'' if audited.outside == 1 else 's'} from outside"
        seconds = audited.took.total_seconds()
        self.stdout.write(f"Read {entries} in {seconds:.1f} s, compared with {compared}.")
        if audited.is_clean:
            self.stdout.write("Nothing is wrong.")
            if not audited.outside:
                self.stdout.write(
                    "No checkpoint from outside was there: a ledger rewritten as a whole would"
                    " look the same. Give one with --checkpoint, or set LINER_LEDGER_SINKS."
                )
            return
        for problem in audited.problems:
            self.stderr.write(problem)
        raise CommandError("The ledger is not what was signed. New allowances are frozen.")


def _read(name: str) -> str:
    """The note in a file. What is none is a slip of whoever gave it, and no reason for an alarm."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        note = text.strip() + "\n"
        read_checkpoint(note=note, origin=origin())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name}: {error}", returncode=2) from error
    except CheckpointError as error:
        raise CommandError(
            f"{name} is no checkpoint of {origin()}: {error}. Nothing was audited.", returncode=2
        ) from error
    return note
