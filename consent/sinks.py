"""Where checkpoints go outside the database, so that no one who owns the database owns them too.

One interface: `push` leaves a checkpoint there, `fetch` brings the newest one back where that is
possible, for the audit. Addresses, as LINER_LEDGER_SINKS lists them:

* `folder:/var/checkpoints`: a file per checkpoint, never overwritten, and `latest`
* `https://witness.example/liner/`: HTTP PUT of `<size>` and of `latest`, read back with GET
* `mailto:archive@label.example`: a mail, at most one a day; not read back

`?every=SECONDS` at the end sets the least time between two pushes.
"""

import base64
import os
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

TIMEOUT_SECONDS = 10
MOST_BYTES = 1_000_000


MAIL = gettext_noop("""\
This is a signed checkpoint of the ledger %(origin)s, the state of %(size)d entries. Keep this mail
where we cannot reach it: with it you can show later that none of them was changed or taken away.

Save the attached file. With the ledger: ./manage.py audit_ledger --checkpoint FILE
With a receipt of the same size: python verify_receipt.py RECEIPT --checkpoint FILE

Each mail speaks for all before it. The file says:

%(note)s""")


class SinkError(Exception):
    """The checkpoint did not get there, or could not be read back. Another attempt may work."""


class Sink(Protocol):
    """A place outside. `name` has no secrets in it; `every` is the least time between pushes."""

    @property
    def name(self) -> str: ...

    @property
    def every(self) -> timedelta: ...

    def push(self, *, size: int, note: str) -> None:
        """Leave this signed checkpoint there; the same one again is harmless. Raises SinkError."""
        ...

    def fetch(self) -> str | None:
        """The newest checkpoint that is there, None where none can be read. Raises SinkError."""
        ...


@dataclass(frozen=True)
class FolderSink:
    """A folder on a disk of its own, or one that another machine collects from."""

    folder: Path
    every: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        return f"folder:{self.folder}"

    def push(self, *, size: int, note: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            kept = self.folder / f"{size:020d}.checkpoint"
            if kept.exists() and kept.read_text(encoding="utf-8") != note:
                # Evidence: a second, different history is never put over the first.
                kept = self.folder / f"{size:020d}.{os.urandom(4).hex()}.checkpoint"
            _write(kept, note)
            _write(self.folder / "latest", note)
        except OSError as error:
            raise SinkError(str(error)) from error

    def fetch(self) -> str | None:
        try:
            return (self.folder / "latest").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise SinkError(str(error)) from error


@dataclass(frozen=True)
class HttpSink:
    """A web server that takes PUT. `authorization` is the header, kept out of `name`."""

    address: str
    authorization: str = field(default="", repr=False)
    every: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        return self.address

    def push(self, *, size: int, note: str) -> None:
        for last in (str(size), "latest"):
            self._ask("PUT", last, note.encode())

    def fetch(self) -> str | None:
        try:
            return self._ask("GET", "latest").decode()
        except UnicodeDecodeError as error:
            raise SinkError("what is there is no text") from error
        except FileNotFoundError:
            return None

    def _ask(self, method: str, last: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 — `sink_of` takes http and https only
            f"{self.address.rstrip('/')}/{last}", data=data, method=method
        )
        if data is not None:
            request.add_header("Content-Type", "text/plain; charset=utf-8")
        if self.authorization:
            request.add_header("Authorization", self.authorization)
        try:
            answer: HTTPResponse
            with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.read(MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                if method == "GET" and error.code == 404:
                    raise FileNotFoundError(self.address) from None
                raise SinkError(f"{method} was answered with {error.code}") from None
        except OSError as error:
            raise SinkError(str(error)) from error


@dataclass(frozen=True)
class MailSink:
    """Somebody's mailbox: the copy that no administrator of ours can reach."""

    address: str
    every: timedelta = timedelta(days=1)

    @property
    def name(self) -> str:
        return f"mailto:{self.address}"

    def push(self, *, size: int, note: str) -> None:
        facts = {"origin": settings.LEDGER_ORIGIN, "size": size, "note": note}
        mail = EmailMessage(
            subject=_("Checkpoint of %(origin)s at %(size)d entries") % facts,
            body=_(MAIL) % facts,
            to=[self.address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        # As bytes: a mail program may change how lines end, and the signature is over them.
        mail.attach(f"checkpoint-{size}.txt", note.encode(), "application/octet-stream")
        try:
            mail.send()
        except OSError as error:  # SMTP's errors are OSErrors too
            raise SinkError(str(error)) from error

    def fetch(self) -> str | None:
        return None


def configured_sinks() -> list[Sink]:
    """The sinks of this installation. Raises ImproperlyConfigured for an address that is none."""
    return [sink_of(address) for address in settings.LEDGER_SINKS]


def sink_of(address: str) -> Sink:
    """The sink at an address; see the module. Raises ImproperlyConfigured."""
    parts = urlsplit(address)
    every = _every(parts.query)
    if parts.scheme == "folder" and parts.path:
        return FolderSink(Path(unquote(parts.path)), every or timedelta(0))
    if parts.scheme == "mailto" and "@" in parts.path:
        return MailSink(parts.path, every or timedelta(days=1))
    if parts.scheme in {"http", "https"} and parts.hostname:
        login, _at, host = parts.netloc.rpartition("@")
        secret = base64.b64encode(unquote(login).encode()).decode() if login else ""
        plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
        return HttpSink(plain, f"Basic {secret}" if secret else "", every or timedelta(0))
    raise ImproperlyConfigured(
        f"LINER_LEDGER_SINKS: {parts.scheme or address} is no sink;"
        " there are folder:/path, https://… and mailto:…"
    )


def _every(query: str) -> timedelta | None:
    given = parse_qs(query, keep_blank_values=True)
    if not given:
        return None
    if set(given) != {"every"} or not given["every"][0].isdecimal():
        raise ImproperlyConfigured(f"LINER_LEDGER_SINKS: after ? comes every=SECONDS, not {query}")
    return timedelta(seconds=int(given["every"][0]))


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a checkpoint."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected PUT would go, with its login, to a place that nobody configured."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)
