#!/usr/bin/env python3
"""Everything that is done from a command line."""

import importlib.util
import os
import sys
from pathlib import Path

# Commands that look at code only, and must work where no server can be started.
WITHOUT_SERVERS = {"collectstatic", "compilemessages", "makemessages", "help", "--help", "version"}
WITHOUT_SERVERS |= {"check", "diffsettings", "spectacular", "startapp", "testserver"}
# These hold the servers themselves, or must not.
WITHOUT_SERVERS |= {"run_demo", "reset_demo"}
# This one makes what settings of production need, before there is anything to connect to.
WITHOUT_SERVERS |= {"new_signing_key"}
# Commands of the demo know that they are in it.
DEMO = {"run_demo", "seed_demo", "demo_logins"}


def main() -> None:
    """Start the servers where none are named, then run the command."""
    ours = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None:
        if not ours.exists() or sys.prefix == str(ours.parents[1]):
            sys.exit("The packages of this project are not installed here: run “make install”.")
        # Called with the machine's Python: go on with the one that has our packages.
        os.execv(ours, [str(ours), __file__, *sys.argv[1:]])  # noqa: S606
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if len(sys.argv) > 1 and sys.argv[1] in DEMO:
        os.environ.setdefault("LINER_DEMO", "1")
    from portal import servers

    if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVERS:
        try:
            servers.hold()
        except servers.ServersError as error:
            sys.exit(str(error))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))  # it says what to set; where in our code it was missed helps nobody


if __name__ == "__main__":
    main()
