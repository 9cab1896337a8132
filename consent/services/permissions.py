"""Answering: the artist's own say, what takes it back, and what it sets in motion.

Who may answer for an artist is the storey above's to know; these functions take the `role` in
which somebody answers, write it down, and hold the rules that no role can bend.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused, refusing
from consent.models import (
    Act,
    Artist,
    Permission,
    PermissionRequest,
    RequestState,
    Wording,
)
from consent.queries.decision import GUARDIAN
from consent.queries.voices import DECIDED_BY_THE_BILLED, asked_about
from consent.scopes import EVERYTHING, Scope, scope_key
from consent.services.answers import take_turn_to_answer
from consent.services.drafts import Drafts, frozen, is_minor, write
from consent.services.ledger import is_frozen
from consent.services.slots import begun, copied, lifts, line_of, slot_of, yes_still
from consent.services.wordings import replaced_wordings
from consent.words import LENT_KINDS, Stance, UseKind, Way

if TYPE_CHECKING:
    from portal.models import User


@dataclass(frozen=True, slots=True)
class Given:
    """What came of an answer. `changed` is False when the very same answer held already."""

    permission: Permission
    changed: bool


def answer_permission(
    *,
    by: "User | None",
    artist: Artist,
    use: str,
    stance: str,
    role: str = "artist",
    scope: Scope = EVERYTHING,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    territories: Iterable[str] = (),
    notice_days: int | None = None,
    wording: Wording | None = None,
    kind: str = "permission.answered",
) -> Given:
    """Record one answer; it holds from the commit on, or from `valid_from` (UTC, not in the past).

    `territories` are ISO 3166-1 alpha-2 codes, none for the world; each set of territories is a
    slot of its own. The very same answer twice changes nothing. A yes is tied to the `wording`
    that was shown, by default the current one in the person's language.

    Raises `Refused` (`date_out_of_range`, `from_in_past`, `until_before_from`, `voice_needs_end`,
    `voice_too_long`, `guardian_only`, `wording_changed`, `unknown_use`, `unknown_stance`,
    `unknown_territory`; as `check_asked` does), and `Frozen` for a yes, or what gives way to one,
    while an audit alarm is open.
    """
    with refusing(Permission), transaction.atomic():
        # A no to what somebody was asked is taken whatever became of the billing meanwhile.
        asked = kind == "request.answered" and stance == Stance.DENY
        if scope.recording is not None and not asked:
            check_asked(artist, use=use, recordings=[scope.recording.pk])
        drafts = Drafts(
            by=by,
            artist=artist,
            role=role,
            use=use,
            stance=stance,
            valid_from=valid_from,
            valid_until=valid_until,
            territories=territories,
            notice_days=notice_days,
            wording=wording,
            scope=scope,
        )
        previous = drafts.latest
        if previous is not None and drafts.says_the_same(previous):
            return Given(previous, changed=False)
        drafts.refuse_a_frozen_yes([previous])
        drafts.look_beside(scope)
        act = drafts.act(kind, summary={"use": use, "stance": stance, "scope": scope.key})
        permission = drafts.draft(act, scope)
        drafts.write(act, [permission])
        return Given(permission, changed=True)


def answer_recordings(
    *,
    by: "User | None",
    artist: Artist,
    use: str,
    stance: str,
    recordings: Sequence[int],
    role: str = "artist",
    valid_until: datetime | None = None,
    wording: Wording | None = None,
    summary: dict[str, Any] | None = None,
) -> Act | None:
    """Give one answer for each of `recordings` (ids) in one act.

    All or nothing, leaves contiguous. Recordings that hold the very same answer are left out;
    returns None when nothing would change. 10 000 recordings take about two seconds. Raises as
    `answer_permission`.
    """
    with transaction.atomic():
        drafts = Drafts(
            by=by,
            artist=artist,
            role=role,
            use=use,
            stance=stance,
            valid_until=valid_until,
            wording=wording,
        )
        wanted = dict.fromkeys(recordings)
        isrcs = check_asked(artist, use=use, recordings=wanted)
        speaking = drafts.speaking([scope_key(pk, None, None) for pk in wanted])
        drafts.look_beside(None)
        todo = [
            (pk, previous)
            for pk in wanted
            if (previous := speaking.get(scope_key(pk, None, None))) is None
            or not drafts.says_the_same(previous)
        ]
        if not todo:
            return None
        drafts.refuse_a_frozen_yes([previous for _pk, previous in todo])
        act = drafts.act(
            "permission.answered_many",
            summary={"use": use, "stance": stance, **(summary or {})},
            entries=len(todo),
        )
        drafts.write(
            act,
            [drafts.draft_for(act, pk, None, None, previous) for pk, previous in todo],
            isrcs=isrcs,
        )
        return act


def check_asked(artist: Artist, *, use: str, recordings: Collection[int]) -> dict[int, str]:
    """Refuse an answer about a recording (key) in which she has no say for this use.

    Returns the ISRCs. Whoever is billed has a say in everything, whoever is only heard in what is
    made of voices. Raises `Refused`: `not_billed` where others are asked about this use, `not_hers`
    where she is neither billed nor heard.
    """
    found = asked_about(artist, use, recordings)
    missing = [key for key in recordings if key not in found]
    if not missing:
        return found
    if len(asked_about(artist, UseKind.VOICE, missing)) == len(missing):
        raise Refused("not_billed", DECIDED_BY_THE_BILLED)
    if len(recordings) == 1:
        raise Refused("not_hers", _("You are neither billed nor heard on this recording."))
    raise Refused("not_hers", _("Some of these recordings are not by this artist."))


def clear_permission(
    *,
    by: "User | None",
    artist: Artist,
    use: str,
    scope: Scope,
    territories: Iterable[str] = (),
    role: str = "artist",
) -> Given | None:
    """Take a narrower answer back, so that the wider one speaks again.

    `territories` are those of the answer, as they were given. Returns None when there was none.
    Raises `Refused("nothing_wider")` for all my work in all the world, and `Frozen` while an alarm
    is open if what is taken back was a refusal.
    """
    territories = tuple(territories)
    if scope.is_everything and not territories:
        raise Refused("nothing_wider", _("There is no wider answer that could speak instead."))
    with refusing(Permission), transaction.atomic():
        drafts = Drafts(
            by=by,
            artist=artist,
            role=role,
            use=use,
            stance=Stance.UNDECIDED,
            way=Way.CLEARED,
            territories=territories,
            scope=scope,
        )
        previous = drafts.latest
        if previous is None or previous.way == Way.CLEARED:
            return None
        drafts.refuse_a_frozen_yes([previous])
        drafts.may_end_a_yes = previous.took_back_allow or drafts.ends(previous) is not None
        act = drafts.act("permission.cleared", summary={"use": use, "scope": scope.key})
        permission = drafts.draft(act, scope)
        drafts.write(act, [permission])
        return Given(permission, changed=True)


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did: its act, and the answers that were given again since and stay.

    `later` are the yeses of before that it could not bring back: they are to be answered again.
    """

    act: Act | None
    skipped: tuple[Permission, ...]
    later: tuple[Permission, ...] = ()


def undo_act(*, by: "User | None", act: Act, role: str = "artist") -> Undone:
    """Undo an act, which is itself a decision: each scope gets back the answer it had before.

    A scope that was decided again since keeps its newer answer and is named in `skipped`. An act
    is undone once: a second time raises `Refused("undone_already")`. A yes that comes back stays
    tied to the wording that it was given under; `Frozen` while an alarm is open and the undo
    would bring one back. A yes to a text whose meaning has been replaced comes back as “later”, and
    is named in `later`; so does one to a minor's likeness, unless the `role` is her guardian's.
    """
    with transaction.atomic():
        artist = act.artist
        if artist is None:
            raise Refused("not_undoable", _("This cannot be undone."))
        turn = take_turn_to_answer(artist.pk)
        at = turn.at
        if Act.objects.filter(undoes=act).exists():
            raise Refused("undone_already", _("This was undone already."))
        mine = list(act.permissions.select_related("recording").order_by("id"))
        if not mine:
            raise Refused("not_undoable", _("This cannot be undone."))
        rows = list(
            Permission.objects.filter(
                artist=artist, use__in={p.use for p in mine}, scope__in={p.scope for p in mine}
            )
            .select_related("wording")
            .order_by("id")
        )
        uses = {p.use for p in mine}
        before = _Before(
            replaced=replaced_wordings(uses),
            guarded=role != GUARDIAN and not LENT_KINDS.isdisjoint(uses) and is_minor(artist),
        )
        history: dict[tuple[str, str, tuple[str, ...]], list[Permission]] = {}
        for row in rows:
            history.setdefault(slot_of(row), []).append(row)
        drafts: list[Permission] = []
        skipped: list[Permission] = []
        may_lift = False
        undo = Act(
            kind="permission.undone",
            by=by,
            artist=artist,
            role=role,
            undoes=act,
            summary={"undoes": str(act.ref), **act.summary},
            created_at=at,
        )
        for slot, done in {slot_of(p): p for p in mine}.items():
            line = history[slot]
            if line[-1].pk != done.pk:
                skipped.append(done)
                continue
            restored = before.restored(undo, act, line, at)
            may_lift |= any(lifts(p, line[-1]) for p in restored)
            drafts += restored
        if not drafts:
            return Undone(None, tuple(skipped))
        if may_lift and is_frozen():
            raise frozen()
        undo.entries = len(drafts)
        write(
            undo,
            artist,
            drafts,
            subject=turn.subject,
            isrcs={
                p.recording_id: p.recording.isrc for p in mine if p.recording_id and p.recording
            },
        )
        return Undone(undo, tuple(skipped), tuple(before.later))


def revoke_permission(
    *, by: "User", permission: Permission, reason: str, invalid: bool = False
) -> Permission:
    """Staff record that an answer no longer stands, with a reason that the artist sees.

    The only thing that staff can do to an answer: to the one that speaks in its scope, also while
    another waits for its day, or to the last one given. It holds at once, and until the artist
    answers again nothing else speaks in that scope, not what was given for later either. Raises
    `Refused("reason_needed")` without a reason, and `Refused("superseded")` for an answer that a
    newer one has replaced.
    """
    if not reason.strip():
        raise Refused("reason_needed", _("Say why; the artist will read it."), field="reason")
    with transaction.atomic():
        artist = permission.artist
        turn = take_turn_to_answer(artist.pk)
        at = turn.at
        line = line_of(permission)
        speaks = begun(line, at)
        if not _may_be_revoked(permission, line, speaks):
            raise Refused("superseded", _("The artist has answered again since."))
        way = Way.INVALIDATED if invalid else Way.REVOKED
        act = Act(
            kind=f"permission.{way}",
            by=by,
            artist=artist,
            role="staff",
            summary={"use": permission.use, "scope": permission.scope},
            entries=1,
            created_at=at,
        )
        row = copied(permission, act=act, stance=Stance.UNDECIDED, way=way)
        row.valid_from, row.valid_until = None, None
        replaced = replaced_wordings({permission.use})
        row.took_back_allow = yes_still(speaks, at, replaced) is not None
        write(act, artist, [row], subject=turn.subject, personal={"reason": reason})
        return row


def may_be_revoked(permission: Permission) -> bool:
    """Would `revoke_permission` take this answer? It speaks, or it is the last one given."""
    line = line_of(permission)
    return _may_be_revoked(permission, line, begun(line, now()))


def _may_be_revoked(
    permission: Permission, line: Sequence[Permission], speaks: Permission | None
) -> bool:
    return permission.pk == line[-1].pk or (speaks is not None and permission.pk == speaks.pk)


def answer_request(
    *,
    by: "User | None",
    request: PermissionRequest,
    stance: str,
    role: str = "artist",
    wording: Wording | None = None,
) -> PermissionRequest:
    """Answer what an AI company asked, for exactly that: `allow`, `deny`, or `undecided` (later).

    Yes and no become an answer in the scope of the request; later leaves everything as it is.
    Raises `Refused("answered_already")` when the company took it back or it was answered, and as
    `answer_permission`.
    """
    if stance not in (Stance.ALLOW, Stance.DENY, Stance.UNDECIDED):
        raise Refused("unknown_stance", _("Answer yes, no, or later."), field="stance")
    with transaction.atomic():
        request = PermissionRequest.objects.select_for_update().get(pk=request.pk)
        if request.state not in (RequestState.OPEN, RequestState.DEFERRED):
            raise Refused("answered_already", _("This question has been answered."))
        at = now()
        if stance == Stance.UNDECIDED:
            request.state = RequestState.DEFERRED
        else:
            starts = request.valid_from
            given = answer_permission(
                by=by,
                artist=request.artist,
                use=request.use,
                stance=stance,
                role=role,
                scope=Scope(recording=request.recording, tool=request.tool),
                valid_from=starts if starts is not None and starts > at else None,
                valid_until=request.valid_until if stance == Stance.ALLOW else None,
                wording=wording,
                kind="request.answered",
            )
            request.permission = given.permission
            request.state = RequestState.GRANTED if stance == Stance.ALLOW else RequestState.REFUSED
        request.answered_at = at
        request.save(update_fields=["state", "permission", "answered_at"])
        return request


@dataclass(slots=True)
class _Before:
    """Brings back what stood in a slot before an act, and keeps the yeses that it cannot."""

    replaced: frozenset[tuple[str, int | None]]
    guarded: bool  # she is a minor, and it is not her guardian who undoes
    later: list[Permission] = field(default_factory=list)

    def restored(
        self, undo: Act, act: Act, line: Sequence[Permission], at: datetime
    ) -> list[Permission]:
        """The answer that spoke, and those given for later.

        Each of the latter from the day that it was given for: an undo makes nothing begin earlier.
        """
        before = [p for p in line if p.act_id != act.ref]
        spoke = begun(before, at)
        coming = [
            p
            for p in before
            if p.valid_from is not None and p.valid_from > at and (spoke is None or p.pk > spoke.pk)
        ]
        ended = yes_still(begun(line, at), at, self.replaced)
        return [self._spoke_before(undo, line[-1], spoke, ended=ended)] + [
            copied(p, act=undo, way=Way.UNDONE, took_back_allow=False)
            for p in coming
            if self._may_return(p)
        ]

    def _may_return(self, permission: Permission) -> bool:
        """Nobody's yes is given anew by an undo: one that is none any more is only named."""
        if permission.stance != Stance.ALLOW:
            return True
        replaced = (permission.use, permission.wording_id) in self.replaced
        if not replaced and not (self.guarded and permission.use in LENT_KINDS):
            return True
        self.later.append(permission)
        return False

    def _spoke_before(
        self, undo: Act, undone: Permission, before: Permission | None, *, ended: Permission | None
    ) -> Permission:
        """The answer that speaks again: `before`, or none. `ended` is the yes held until now."""
        silent = before is None or before.way == Way.CLEARED
        if before is None or silent or not self._may_return(before):
            cleared = silent and (undone.scope != "*/*" or bool(undone.territories))
            return copied(
                undone,
                act=undo,
                stance=Stance.UNDECIDED,
                way=Way.CLEARED if cleared else Way.UNDONE,
                valid_from=None,
                valid_until=None,
                wording_id=None,
                took_back_allow=ended is not None and not cleared,
                notice_days=ended.notice_days if ended else None,
            )
        took_back = ended is not None and before.stance != Stance.ALLOW
        return copied(
            before,
            act=undo,
            way=Way.UNDONE,
            valid_from=None,
            took_back_allow=took_back,
            notice_days=ended.notice_days if took_back and ended else before.notice_days,
        )
