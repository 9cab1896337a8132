"""One answer for many recordings: asked for once, written in one act, watched while it goes on.

Few are written at once. For many a worker is woken, so that the page can say how far it is; when no
worker takes it soon, whoever asked does the work herself: a no waits for no queue. Asking twice, by
a second click or in a second window, is asking once.
"""

import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent import clock
from consent.errors import Refused
from consent.models import Act, Artist, Permission, Wording, WorkState
from consent.services.acts import take_turn
from consent.services.work import handles, perform, tells_when_given_up, wake
from consent.words import Stance
from portal.access import Access
from portal.answering import may_lead_to_a_yes, scope_needed
from portal.models import BulkChange, NoticeKind
from portal.roles import Scope
from portal.services import answers
from portal.services.exports import LostTurnError
from portal.services.notices import notify_person

FEW: Final = 200
"""So many are written within the request; nobody needs a bar for half a second."""

PATIENCE_SECONDS: Final = 1.5  # for a worker to begin
LOOKS_AWAY: Final = timedelta(seconds=20)  # after that, whoever asked may have left the page
YES_GOOD_FOR: Final = timedelta(minutes=10)
"""A yes that could not be written by then is not written: nobody is waiting for it any more."""

UNFINISHED: Final = (WorkState.WAITING, WorkState.RUNNING)


# --- Asking ------------------------------------------------------------------------------


@transaction.atomic
def ask_for_many(
    *,
    by: Access,
    artist: Artist,
    use: str,
    stance: str,
    recordings: Sequence[int],
    digest: str,
    valid_until: datetime | None = None,
    wording: Wording | None = None,
    summary: dict[str, Any] | None = None,
    ref: uuid.UUID | None = None,
) -> BulkChange:
    """Write down that this answer is wanted for these recordings (keys); `see_to` writes the act.

    `ref` is that of the page on which the button was: the same one again is the same change.
    `digest` names the recordings (`portal.queries.selection.digest_of`); the very same change that
    is being saved already is that one. Raises `Http404` and `PermissionDenied` as `Access.require`,
    and `Refused("bulk_running")` while another change for this use is being saved; but one that may
    lead to a yes gives way to a no.
    """
    by.require(artist, scope_needed(use, stance, ends=valid_until is not None))
    return _ask(
        by,
        artist,
        ref,
        use=use,
        stance=stance,
        valid_until=valid_until,
        wording=wording,
        undoes=None,
        digest=digest,
        recordings=list(recordings),
        total=len(recordings),
        summary=summary or {},
    )


@transaction.atomic
def ask_to_undo(*, by: Access, artist: Artist, act: Act) -> BulkChange:
    """Write down that an act on many recordings is to be undone; `see_to` undoes it.

    Raises as `ask_for_many`; an act on somebody else's recordings is `Http404`.
    """
    by.require(artist, Scope.WITHDRAW)
    if act.artist_id != artist.pk:
        raise Http404
    return _ask(
        by,
        artist,
        None,
        use=str(act.summary.get("use") or act.permissions.values_list("use", flat=True)[0]),
        stance="",
        valid_until=None,
        wording=None,
        undoes=act,
        digest="",
        total=act.entries,
    )


def _ask(by: Access, artist: Artist, ref: uuid.UUID | None, **wanted: Any) -> BulkChange:
    assert by.user is not None
    use = wanted["use"]
    take_turn("bulk", artist.pk, use)
    if ref is not None:
        known = BulkChange.objects.filter(ref=ref).first()
        if known is not None and (known.artist_id, known.requested_by_id) == (
            artist.pk,
            by.user.pk,
        ):
            return known
        ref = None if known is not None else ref
    going_on = BulkChange.objects.filter(artist=artist, use=use, state__in=UNFINISHED).first()
    if going_on is not None:
        same = ("stance", "valid_until", "wording", "undoes", "digest")
        if all(getattr(going_on, name) == wanted[name] for name in same):
            return going_on
        if (
            wanted["undoes"] is not None
            or wanted["stance"] == Stance.ALLOW
            or not _yields(going_on)
        ):
            raise Refused(
                "bulk_running",
                _("Another change of many recordings is being saved. Look again in a moment."),
            )
    now = clock.now()
    return BulkChange.objects.create(
        ref=ref or uuid.uuid4(),
        artist=artist,
        requested_by=by.user,
        known=_newest(artist, use),
        next_at=now,
        created_at=now,
        **wanted,
    )


def _yields(change: BulkChange) -> bool:
    """Let a change that may lead to a yes be over, unwritten, where a no is wanted instead.

    Its worker may be gone, and a no does not wait until that is noticed. False where it is no such
    change, or is being written in this moment.
    """
    if change.undoes_id is None and change.stance != Stance.ALLOW:
        return False
    free = BulkChange.objects.select_for_update(of=("self",), skip_locked=True)
    held = free.filter(pk=change.pk, state__in=UNFINISHED).select_related("requested_by").first()
    if held is None:
        return False
    _end_refused(held, _DECIDED_SINCE)
    return True


def see_to(change: BulkChange) -> BulkChange:
    """See that a change is begun, now; returns it as it then is. Call it outside transactions.

    Few are over when this returns. Many are in the hands of a worker, or over.
    """
    if change.state == WorkState.WAITING:
        if change.total > FEW:
            wake(change)
            _wait_for_a_worker(change)
        if change.state == WorkState.WAITING:
            perform(BulkChange, change.pk)
    change.refresh_from_db()
    return change


def _wait_for_a_worker(change: BulkChange) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while change.state in UNFINISHED and time.monotonic() < patience:
        time.sleep(0.1)
        change.refresh_from_db(fields=["state"])


# --- Writing -----------------------------------------------------------------------------


@handles(BulkChange)
def save_bulk_change(row: BulkChange) -> None:
    """Write the act of one change, or say in the row why not.

    Of two workers (one was away for longer than its lock) only the one whose turn it is writes.
    """
    change = BulkChange.objects.select_related("artist__party", "requested_by", "wording").get(
        pk=row.pk
    )
    try:
        _check(change)
        _say(change, checked_at=clock.now())
        _save(change)
    except (Refused, PermissionDenied, Http404) as refusal:
        _refuse(change, refusal)
    except LostTurnError:
        raise
    except Exception:
        if change.attempts >= BulkChange.MAX_ATTEMPTS:
            _tell_not_saved(change)
        raise


def _check(change: BulkChange) -> None:
    """Ask again what was asked when the button was pressed."""
    access = Access.of(change.requested_by)
    if change.undoes is not None:
        access.require(change.artist, Scope.WITHDRAW)
        # Undoing anything but a yes may bring one back.
        gives = change.undoes.permissions.exclude(stance=Stance.ALLOW).exists()
    else:
        ends = change.valid_until is not None
        access.require(change.artist, scope_needed(change.use, change.stance, ends=ends))
        gives = may_lead_to_a_yes(change.stance, ends=ends)
    if gives and change.created_at < clock.now() - YES_GOOD_FOR:
        raise Refused("too_late", _("This could not be saved in time, so nothing was changed."))


@transaction.atomic
def _save(change: BulkChange) -> None:
    # The row first: a second worker passes over it for as long as it is held.
    held = BulkChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if held.state != WorkState.RUNNING or held.attempts != change.attempts:
        raise LostTurnError(f"bulk change {change.pk}, attempt {change.attempts}")
    access = Access.of(change.requested_by)
    # Everybody who answers for this artist waits from here on. An undo, too, is of what was known:
    # a yes that it brings back for one recording would speak against a later no for all.
    Artist.objects.select_for_update(of=("self",)).get(pk=change.artist_id)
    if _newest(change.artist, change.use) != change.known:
        raise Refused("decided_since", _DECIDED_SINCE)
    if change.undoes is not None:
        undone = answers.undo(by=access, artist=change.artist, act=change.undoes)
        if undone.act is None:
            raise Refused(
                "nothing_undone", _("All of it was decided again since: nothing was undone.")
            )
        act: Act | None = undone.act
    else:
        act = answers.answer_many(
            by=access,
            artist=change.artist,
            use=change.use,
            stance=change.stance,
            recordings=change.recordings,
            valid_until=change.valid_until,
            wording=change.wording,
            summary=change.summary,
        )
    _end(held, act=act)


def _refuse(change: BulkChange, refusal: Exception) -> None:
    with transaction.atomic():
        held = BulkChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if held.state != WorkState.RUNNING or held.attempts != change.attempts:
            return
        _end_refused(held, refusal if isinstance(refusal, Refused) else _NOT_HERS_TO_DO)


def _end_refused(held: BulkChange, why: Refused | Promise) -> None:
    with translation.override(held.requested_by.locale):
        _end(held, refused=why.sentence if isinstance(why, Refused) else str(why))
    if clock.now() > held.created_at + LOOKS_AWAY:
        _tell_not_saved(held)


_NOT_HERS_TO_DO: Final = _("This is not yours to do, so nothing was changed.")
_DECIDED_SINCE: Final = _("Something was decided on this use meanwhile, so nothing was changed.")


def _end(held: BulkChange, *, act: Act | None = None, refused: str = "") -> None:
    held.act, held.refused, held.finished_at = act, refused, clock.now()
    held.recordings, held.summary = [], {}
    held.save(update_fields=["act", "refused", "finished_at", "recordings", "summary"])
    held.finish()


def _say(change: BulkChange, **fields: Any) -> None:
    """Say how far it is, at once. Raises `LostTurnError` when another worker has the row."""
    mine = BulkChange.objects.filter(
        pk=change.pk, state=WorkState.RUNNING, attempts=change.attempts
    )
    if not mine.update(**fields):
        raise LostTurnError(f"bulk change {change.pk}, attempt {change.attempts}")


@tells_when_given_up(BulkChange)
def _tell_not_saved(change: BulkChange) -> None:
    notify_person(
        user=change.requested_by,
        artist=change.artist,
        kind=NoticeKind.NOT_SAVED,
        key=f"not saved {change.ref}",
        params={
            "use": change.use,
            "recordings": change.total,
            **({"refused": change.refused} if change.refused else {}),
        },
    )


def _newest(artist: Artist, use: str) -> int:
    """The key of the newest answer to this use, of whatever scope; 0 before the first."""
    newest = Permission.objects.filter(artist=artist, use=use).order_by("-pk")
    return newest.values_list("pk", flat=True).first() or 0
