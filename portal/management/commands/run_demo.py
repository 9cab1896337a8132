"""`make run`: the whole portal on this machine, until Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import servers

WEB_READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 10.0
SERVED_AT = "served-at"
"""A file in the state's folder: the address of the demo that runs just now."""


class _StopRequested(BaseException):
    """Somebody asked to stop."""


class Command(BaseCommand):
    help = "Start the portal with its demo: servers, web, worker and clock. Ctrl-C stops all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="The address to listen on.")
        parser.add_argument("--port", type=int, default=8000, help="The port to listen on.")
        parser.add_argument("--empty", action="store_true", help="Tell no stories.")

    def handle(self, *args: Any, host: str, port: int, empty: bool, **options: Any) -> None:
        self._refuse_a_busy_port(host, port)
        os.environ.setdefault("LINER_URL", f"http://localhost:{port}")  # for mails
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        programs: list[_Program] = []
        served = settings.STATE / SERVED_AT
        try:
            self._prepare()
            if not empty:
                self._seed_once()
            self._refuse_a_busy_port(host, port)  # the stories take long enough for another to come
            programs = self._start(host, port)
            self._wait_for_web(programs, port)
            served.write_text(os.environ["LINER_URL"], encoding="utf-8")
            self.stdout.write(f"\n  http://localhost:{port}\n")
            if "demo_logins" in get_commands():
                call_command("demo_logins", stdout=self.stdout)
            self.stdout.write("\nCtrl-C stops everything; what you did is kept.\n")
            self.stdout.flush()
            while True:
                self._look_after(programs)
                time.sleep(0.3)
        except _StopRequested:
            self.stdout.write("\nStopping …")
        except servers.ServersError as error:
            raise CommandError(str(error)) from error
        finally:
            # A second Ctrl-C must not leave half of them running.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            _stop_all(programs)
            served.unlink(missing_ok=True)
            _close_connections()
            if not servers.named_elsewhere():
                servers.release(servers.Home.of_this_checkout())
            self.stdout.write("Stopped.")

    def _refuse_a_busy_port(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                raise CommandError(
                    f"Port {port} is taken by another program:"
                    f" stop it, or choose another one with “make run PORT={port + 1}”."
                ) from None

    @contextlib.contextmanager
    def _step(self, sentence: str) -> Iterator[None]:
        started = time.monotonic()
        self.stdout.write(f"{sentence} …")
        self.stdout.flush()
        yield
        self.stdout.write(f"  done in {time.monotonic() - started:.1f} s")
        self.stdout.flush()

    def _prepare(self) -> None:
        if not servers.named_elsewhere():
            with self._step("Starting PostgreSQL 18 and Valkey 9"):
                servers.hold()
        with self._step("Bringing the database up to date"):
            call_command("migrate", verbosity=0, interactive=False)

    def _seed_once(self) -> None:
        if "seed_demo" not in get_commands():
            return
        from django.contrib.auth import get_user_model

        seeded = settings.STATE / "demo-is-complete"
        if seeded.exists() and get_user_model().objects.exists():
            return
        if get_user_model().objects.exists():
            if servers.named_elsewhere():
                return  # somebody's own database: it is as they want it
            with self._step("Clearing a demo that was not finished"):
                _close_connections()
                servers.recreate_database(servers.Home.of_this_checkout())
                call_command("migrate", verbosity=0, interactive=False)
        with self._step("Telling the demo's stories"):
            call_command("seed_demo", stdout=self.stdout, stderr=self.stderr)
        seeded.touch()

    def _start(self, host: str, port: int) -> list["_Program"]:
        # The connections of this process would keep their sockets through the fork.
        _close_connections()
        python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
        celery = [*python, "-m", "celery", "--app", "portal", "--quiet"]
        clock = settings.STATE / "beat-schedule"
        return [
            _Program(
                "web",
                [
                    *(sys.executable, "-m", "granian", "portal.wsgi:application"),
                    *("--interface", "wsgi", "--host", host, "--port", str(port)),
                    *("--workers", "1", "--blocking-threads", "4", "--no-ws"),
                    *("--blocking-threads-idle-timeout", "600", "--log-level", "warning"),
                ],
            ),
            _Program(
                "worker",
                [
                    *(*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"),
                    *("--without-gossip", "--without-mingle"),
                ],
            ),
            _Program(
                "clock",
                [
                    *(*celery, "beat", "--schedule", str(clock)),
                    *("--pidfile", "", "--loglevel", "WARNING"),
                ],
            ),
        ]

    def _wait_for_web(self, programs: list["_Program"], port: int) -> None:
        deadline = time.monotonic() + WEB_READY_WITHIN_SECONDS
        with self._step("Starting web server, worker and clock"):
            while True:
                self._look_after(programs)
                try:
                    with urlopen(f"http://localhost:{port}{settings.READY_PATH}", timeout=5):
                        return
                except (URLError, OSError) as error:
                    if time.monotonic() > deadline:
                        raise CommandError(f"The web server does not answer: {error}") from error
                time.sleep(0.1)

    def _look_after(self, programs: list["_Program"]) -> None:
        for program in programs:
            if program.process.poll() is not None:
                raise CommandError(
                    f"The {program.name} ended with exit code {program.process.returncode}."
                    " The lines above say why."
                )


class _Program:
    """A program of the portal's, whose lines appear with its name before them."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command,
            cwd=Path(settings.BASE_DIR),
            # Else what is done every five seconds drives the address and the logins off the screen.
            env={"LINER_LOG_TASKS": "WARNING", **os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A group of its own: Ctrl-C reaches this command, which stops them in order.
            start_new_session=True,
        )
        if self.process.stdout:
            threading.Thread(target=self._show, args=(self.process.stdout,), daemon=True).start()

    def _show(self, lines: IO[str]) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in lines:
                sys.stdout.write(f"{self.name:>6} | {line}")
                sys.stdout.flush()


def _stop(*_: Any) -> None:
    raise _StopRequested


def _stop_all(programs: list[_Program]) -> None:
    for program in reversed(programs):
        _signal(program, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    for program in programs:
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.process.wait(max(0.0, deadline - time.monotonic()))
    for program in programs:
        # The group, so that no child of a child stays behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait()


def _signal(program: _Program, number: signal.Signals) -> None:
    if program.process.poll() is None:
        program.process.send_signal(number)


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()
