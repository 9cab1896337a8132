#!/usr/bin/env python
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
# Commands of the demo know that they are in it.
DEMO = {"run_demo", "seed_demo", "demo_logins"}


def main() -> None:
    """Start the servers where none are named, then run the command."""
    ours = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None and ours.exists():
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
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
