"""The last part of `make check`: migrations in step, and settings of production without fault."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Nothing of this is reached: these commands look at the code.
PRODUCTION = {
    "LINER_ENV": "production",
    "LINER_SECRET_KEY": secrets.token_urlsafe(50),
    "LINER_VAULT_KEY": "7e" * 32,
    "LINER_MFA_KEYS": "dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMhISE=",
    "LINER_SIGNING_KEY_FILE": "/etc/liner-notes/signing.key",
    "LINER_HOSTS": "notes.example",
    "DATABASE_URL": "postgresql://liner_app:secret@db.example/liner_notes",
    "DATABASE_OWNER_URL": "postgresql://liner_owner:secret@db.example/liner_notes",
    "REDIS_URL": "redis://redis.example:6379/0",
    "LINER_EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
    "LINER_MAIL_FROM": "notes@notes.example",
}


def run(*arguments: str, **more: str) -> None:
    """Run a command of the project; end with its exit code when it fails."""
    print("manage.py", *arguments, flush=True)  # noqa: T201
    command = [sys.executable, "-W", "error::DeprecationWarning:portal", "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Check with servers that live for this check only."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"LINER_STATE": f"{folder}/state", "LINER_STATE_TEMPORARY": "1"}
        run("makemigrations", "--check", "--dry-run", **own)
    with tempfile.TemporaryDirectory() as folder:
        made = {**PRODUCTION, "LINER_STATE": folder}
        run("check", "--deploy", "--fail-level", "WARNING", **made)
        # A file that a stylesheet names and that is missing fails here, not in production.
        run("collectstatic", "--noinput", "--verbosity", "0", **made)


if __name__ == "__main__":
    main()
