"""`manage.py` as it is pasted from the pages: by name, and with whatever Python is found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def test_it_asks_for_a_python_by_the_name_that_every_system_has() -> None:
    """Debian, its children and macOS have no `python`, as PEP 394 lets them."""
    assert (ROOT / "manage.py").read_text().splitlines()[0] == "#!/usr/bin/env python3"
    assert os.access(ROOT / "manage.py", os.X_OK)


def test_where_nothing_is_installed_it_says_what_installs_it(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text())
    bare = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "manage.py"), "migrate"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert bare.returncode == 1
    assert bare.stderr.strip().endswith("run “make install”.")
    assert "Traceback" not in bare.stderr


@pytest.mark.parametrize("command", ["check", "migrate", "audit_ledger"])
def test_what_production_lacks_is_said_without_a_traceback(command: str, tmp_path: Path) -> None:
    named = "postgresql://liner_app@db.example/liner_notes"
    done = run(
        sys.executable,
        "manage.py",
        command,
        LINER_ENV="production",
        LINER_STATE=str(tmp_path),
        DATABASE_URL=named,
        DATABASE_OWNER_URL=named,
        REDIS_URL="redis://redis.example:6379/0",
    )
    assert done.returncode == 1
    assert done.stderr.startswith("LINER_ENV=production also needs")
    assert "new_signing_key FILE" in done.stderr
    assert "Traceback" not in done.stderr
