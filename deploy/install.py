"""Makes `.venv` and installs into it exactly what `requirements.lock` says.

Runs with any Python from 3.12 and nothing installed. Quick when there is nothing to do;
two that start together wait for each other.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK_FILE = ROOT / "requirements.lock"
STAMP = VENV / "installed-from"
PYTHON = VENV / "bin" / "python"


def say(sentence: str) -> None:
    """Tell the person who waits what happens."""
    print(sentence, flush=True)  # noqa: T201


def runs(*command: str | Path) -> bool:
    """Say whether a command can be run and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv(uv: str | None) -> None:
    """Make the virtual environment with the Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"Making .venv with Python {version} …")
    if uv:
        command = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
    else:
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"No virtual environment could be made with {sys.executable}. On Debian:"
            f" apt-get install python3-venv. It said:\n{done.stdout}{done.stderr}"
        )


def install(uv: str | None) -> None:
    """Install what the lock file says, each file checked against its hash."""
    count = LOCK_FILE.read_text().count("==")
    say(f"Installing {count} packages from requirements.lock …")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        command = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--require-hashes", "--requirement", str(LOCK_FILE)]
    if subprocess.run(command, check=False).returncode:
        sys.exit("The packages could not be installed; the lines above say why.")


def main() -> None:
    """Bring `.venv` in step with the lock file, if it is not."""
    wanted = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    with (ROOT / "requirements.lock").open() as doorway:
        fcntl.flock(doorway, fcntl.LOCK_EX)
        if runs(PYTHON, "-c", "") and STAMP.exists() and STAMP.read_text() == wanted:
            return
        started = time.monotonic()
        found = shutil.which("uv")
        uv = found if found and runs(found, "--version") else None
        if not runs(PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"):
            make_venv(uv)
        if not uv and not runs(PYTHON, "-m", "pip", "--version"):
            make_venv(uv)  # made by uv once, which puts no pip into it
        install(uv)
        STAMP.write_text(wanted)
        say(f"Installed in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
