"""Files that people ask for: written in the background, fetched by a link that works once.

Access is asked three times: when the file is asked for, when it is written, and when it is fetched.
A link by itself opens nothing: it works once, for a quarter of an hour, for the person who asked,
signed in, while she may still export this artist's work.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import NotFound, Refused
from consent.models import Artist, WorkState
from consent.services.acts import take_turn
from consent.services.work import handles, tells_when_given_up, wake
from portal.access import Access
from portal.exports.table import TableWriter
from portal.exports.usage import UsageTable, read_params, usage_table
from portal.models import Export, ExportKind, NoticeKind, User
from portal.roles import Scope
from portal.services.notices import notify_person

LINK_LIVES: Final = timedelta(minutes=15)
LINES_AT_ONCE: Final = 1000
STRAY_AFTER: Final = timedelta(days=1)
_SALT: Final = "portal.export"


class LostTurnError(Exception):
    """Another worker has this row: this one was away for longer than its lock."""


@dataclass(frozen=True, slots=True)
class OpenedExport:
    """A file to be handed out, once: stream it as an attachment and close it."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int
    sha256: str


# --- Asking ------------------------------------------------------------------------------


@transaction.atomic
def request_export(
    *,
    by: User,
    artist: Artist,
    kind: ExportKind | str = ExportKind.USAGE_CSV,
    params: dict[str, Any] | None = None,
) -> Export:
    """Ask for a file; it is written in the background, and a notice says when it is ready.

    The same file asked for again while it is being written is the same row. `params`: see
    `portal.exports.usage.read_params`. Raises `NotFound` where the artist is out of reach, and
    `Refused`: `may_not_export`, `export_params`, `until_before_from`.
    """
    reach = Access.of(by).reach(artist)
    if reach is None:
        raise NotFound("no_such_artist", _("There is no such artist."))
    if Scope.EXPORT not in reach.scopes:
        raise Refused("may_not_export", _("You cannot download this artist's work as files."))
    choices = read_params(params or {})
    kind = ExportKind(kind)
    take_turn("export", by.pk, artist.pk)
    export = Export.objects.filter(
        requested_by=by,
        artist=artist,
        kind=kind,
        params=choices,
        state__in=[WorkState.WAITING, WorkState.RUNNING],
    ).first()
    if export is None:
        now = clock.now()
        export = Export.objects.create(
            requested_by=by, artist=artist, kind=kind, params=choices, next_at=now, created_at=now
        )
        wake(export)
    return export


# --- Writing -----------------------------------------------------------------------------


@handles(Export)
def write_export(row: Export) -> None:
    """Write the file of one export, from its beginning, and say so in the row.

    A worker that dies leaves a part of a file, which the next attempt deletes. Of two workers
    (one was away for longer than its lock) only the one whose turn it is writes the row.
    """
    export = Export.objects.select_related("artist__party", "requested_by").get(pk=row.pk)
    table = _table(export)
    if table is None:
        _give_up(export)
        return
    try:
        _write(export, table)
    except Exception:
        if export.attempts >= Export.MAX_ATTEMPTS:
            _tell_failed(export)
        raise


def _write(export: Export, table: UsageTable) -> None:
    _delete(export.file)
    name = f"{secrets.token_hex(16)}.{table.suffix}"
    _progress(export, file=name, progress_done=0, progress_total=table.total())
    path = _path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = 0
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            writer = TableWriter(file)
            writer.rows([table.columns])
            for lines in table.rows(LINES_AT_ONCE):
                writer.rows(lines)
                done += len(lines)
                _progress(export, progress_done=done)
            file.flush()
            os.fsync(file.fileno())
        _finish(export, name, rows=done, size=writer.size, sha256=writer.sha256)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _table(export: Export) -> UsageTable | None:
    """What to write, or None when whoever asked for it may not have it any more."""
    reach = Access.of(export.requested_by).reach(export.artist)
    if reach is None or Scope.EXPORT not in reach.scopes:
        return None
    return usage_table(export.artist.pk, export.params, money=Scope.SEE_MONEY in reach.scopes)


def _progress(export: Export, **fields: Any) -> None:
    """Say how far the work is, and hold the row. Raises `LostTurnError` when another has it."""
    held = Export.objects.filter(
        pk=export.pk, state=WorkState.RUNNING, attempts=export.attempts
    ).update(locked_until=clock.now() + Export.LOCK, **fields)
    if not held:
        raise LostTurnError(f"export {export.pk}, attempt {export.attempts}")


@transaction.atomic
def _finish(export: Export, name: str, *, rows: int, size: int, sha256: str) -> None:
    now = clock.now()
    _progress(
        export,
        rows=rows,
        size=size,
        sha256=sha256,
        progress_done=rows,
        progress_total=rows,
        finished_at=now,
        expires_at=now + Export.KEPT,
    )
    export.refresh_from_db()
    export.finish()
    notify_person(
        user=export.requested_by,
        artist=export.artist,
        kind=NoticeKind.EXPORT_READY,
        key=f"export {export.ref}",
        params={"rows": rows, "until": (now + Export.KEPT).isoformat()},
        scope=Scope.EXPORT,
    )


@tells_when_given_up(Export)
def _tell_failed(export: Export) -> None:
    notify_person(
        user=export.requested_by,
        artist=export.artist,
        kind=NoticeKind.EXPORT_FAILED,
        key=f"export failed {export.ref}",
        scope=Scope.EXPORT,
    )


@transaction.atomic
def _give_up(export: Export) -> None:
    Export.objects.filter(pk=export.pk).update(
        state=WorkState.DEAD,
        locked_until=None,
        last_error="access ended before the file was written",
        file="",
    )
    _delete(export.file)


# --- Fetching ----------------------------------------------------------------------------


@transaction.atomic
def create_export_link(*, by: User, export: Export) -> str:
    """The token of a link to the file: works once, within 15 minutes, for `by`, signed in.

    A new link replaces the one before. Raises `NotFound` where the export is somebody else's or
    out of reach, `Refused`: `export_not_ready`, `export_expired`.
    """
    export = _own(by, export.ref)
    _require_file(export)
    nonce = secrets.token_urlsafe(24)
    export.link_digest = _digest(nonce)
    export.link_until = clock.now() + LINK_LIVES
    export.save(update_fields=["link_digest", "link_until"])
    return signing.dumps([str(export.ref), nonce], salt=_SALT, compress=False)


@transaction.atomic
def open_export(*, by: User, token: str) -> OpenedExport:
    """Open the file that the link leads to, and use the link up.

    Send it as an attachment, with `nosniff` and `no-store`. Raises `NotFound` where the export is
    somebody else's or out of reach, `Refused`: `link_invalid`, `link_used`, `export_expired`.
    """
    try:
        ref, nonce = signing.loads(token, salt=_SALT, max_age=LINK_LIVES)
    except (signing.BadSignature, ValueError) as error:
        raise Refused("link_invalid", _("This link is over. Ask for the file again.")) from error
    export = _own(by, ref)
    used = not export.link_digest or not compare_digest(export.link_digest, _digest(nonce))
    if used or export.link_until is None or export.link_until <= clock.now():
        raise Refused("link_used", _("This link was used already. Ask for the file again."))
    path = _require_file(export)
    export.link_digest, export.link_until = "", None
    export.downloads += 1
    export.save(update_fields=["link_digest", "link_until", "downloads"])
    day = f"{export.finished_at:%Y-%m-%d}"
    return OpenedExport(
        file=path.open("rb"),
        filename=f"ai-usage-{export.artist.slug}-{day}.{UsageTable.suffix}",
        content_type=UsageTable.content_type,
        size=export.size or 0,
        sha256=export.sha256,
    )


def _own(by: User, ref: Any) -> Export:
    """The export, locked, if it is `by`'s and its artist still within reach."""
    export = (
        Export.objects.select_for_update(of=("self",))
        .select_related("artist__party", "requested_by")
        .filter(ref=ref, requested_by=by)
        .first()
    )
    if export is None or not Access.of(by).may(export.artist, Scope.EXPORT):
        raise NotFound("no_such_export", _("There is no such file."))
    return export


def _require_file(export: Export) -> Path:
    if export.state != WorkState.DONE or export.expires_at is None:
        raise Refused("export_not_ready", _("This file is still being written."))
    path = _path(export.file)
    if export.expires_at <= clock.now() or not export.file or not path.exists():
        raise Refused("export_expired", _("This file was deleted. Ask for it again."))
    return path


# --- Deleting ----------------------------------------------------------------------------


def delete_old_exports() -> int:
    """Delete files whose time is over, and stray parts of files; returns how many exports."""
    over = Export.objects.filter(state=WorkState.DONE, deleted_at=None, expires_at__lte=clock.now())
    gone = 0
    for export in over.order_by("pk"):
        _delete(export.file)
        gone += Export.objects.filter(pk=export.pk, deleted_at=None).update(
            deleted_at=clock.now(), file="", link_digest="", link_until=None
        )
    _delete_strays()
    return gone


def _delete_strays() -> None:
    folder = _folder()
    if not folder.exists():
        return
    before = clock.now().timestamp() - STRAY_AFTER.total_seconds()
    known = set(Export.objects.exclude(file="").values_list("file", flat=True))
    for path in folder.iterdir():
        if path.name not in known and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return Path(settings.PRIVATE_ROOT) / "exports"


def _path(name: str) -> Path:
    return _folder() / Path(name).name


def _delete(name: str) -> None:
    if name:
        _path(name).unlink(missing_ok=True)


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()
