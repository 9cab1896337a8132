"""Answering: the artist's own say, what takes it back, and what it sets in motion.

Who may answer for an artist is the storey above's to know; these functions take the `role` in
which somebody answers, write it down, and hold the rules that no role can bend.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.days import check_within_reach
from consent.decisions import GUARDIAN_YEARS, years_after
from consent.errors import Frozen, Refused, refused_by, refusing
from consent.models import (
    Act,
    Artist,
    PartyState,
    Permission,
    PermissionRequest,
    RequestState,
    Wording,
)
from consent.queries.decision import GUARDIAN
from consent.scopes import EVERYTHING, Scope, scope_key
from consent.services.answers import take_turn_to_answer, write_answers, yes_beside
from consent.services.ledger import is_frozen
from consent.services.withdrawals import prepare_withdrawals, start_withdrawals
from consent.services.wordings import current_wording, replaced_wordings
from consent.territories import normalise_territories
from consent.words import LENT_KINDS, Stance, UseKind, Way

if TYPE_CHECKING:
    from portal.models import User

VOICE_YEARS = 10

# What the database holds by its own keys and need not be asked for once more.
_KEYS = {field.name for field in Permission._meta.fields if field.is_relation}


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
    `unknown_territory`), and `Frozen` for a yes, or what gives way to one, while an audit alarm is
    open.
    """
    with refusing(Permission), transaction.atomic():
        drafts = _Drafts(
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
    """Give one answer for each of `recordings` (ids of the artist's own) in one act.

    All or nothing, leaves contiguous. Recordings that hold the very same answer are left out;
    returns None when nothing would change. 10 000 recordings take about two seconds. Raises as
    `answer_permission`; recordings that are not the artist's raise `Refused("not_hers")`.
    """
    with transaction.atomic():
        drafts = _Drafts(
            by=by,
            artist=artist,
            role=role,
            use=use,
            stance=stance,
            valid_until=valid_until,
            wording=wording,
        )
        wanted = dict.fromkeys(recordings)
        isrcs = dict(
            artist.billed.filter(recording__in=list(wanted)).values_list(
                "recording_id", "recording__isrc"
            )
        )
        if len(isrcs) != len(wanted):
            raise Refused("not_hers", _("Some of these recordings are not by this artist."))
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
        drafts = _Drafts(
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
            guarded=role != GUARDIAN and not LENT_KINDS.isdisjoint(uses) and _is_minor(artist),
        )
        history: dict[tuple[str, str, tuple[str, ...]], list[Permission]] = {}
        for row in rows:
            history.setdefault(_slot(row), []).append(row)
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
        for slot, done in {_slot(p): p for p in mine}.items():
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
            raise _frozen()
        undo.entries = len(drafts)
        _write(
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
        line = _line_of(permission)
        speaks = _begun(line, at)
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
        row = _copy(permission, act=act, stance=Stance.UNDECIDED, way=way)
        row.valid_from, row.valid_until = None, None
        replaced = replaced_wordings({permission.use})
        row.took_back_allow = _yes(speaks, at, replaced) is not None
        _write(act, artist, [row], subject=turn.subject, personal={"reason": reason})
        return row


def may_be_revoked(permission: Permission) -> bool:
    """Would `revoke_permission` take this answer? It speaks, or it is the last one given."""
    line = _line_of(permission)
    return _may_be_revoked(permission, line, _begun(line, now()))


def _may_be_revoked(
    permission: Permission, line: Sequence[Permission], speaks: Permission | None
) -> bool:
    return permission.pk == line[-1].pk or (speaks is not None and permission.pk == speaks.pk)


def _line_of(permission: Permission) -> list[Permission]:
    """All answers in the slot of this one, oldest first."""
    return list(
        Permission.objects.filter(
            artist=permission.artist_id,
            use=permission.use,
            scope=permission.scope,
            territories=permission.territories,
        ).order_by("id")
    )


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


def _frozen() -> Frozen:
    return Frozen(
        "frozen",
        _("Nothing new can be allowed right now: the ledger is being checked. A no still works."),
    )


def lifts(answer: Permission, before: Permission | None) -> bool:
    """May something be allowed by `answer` that was not, with `before` as the last of its slot?

    By a yes; and by what falls silent, now or when it ends, where a no stood that would have stood
    longer: then a wider yes speaks again.
    """
    if answer.stance == Stance.ALLOW:
        return True
    ends = answer.valid_until
    if answer.way != Way.CLEARED and ends is None:
        return False
    if before is None or before.way == Way.CLEARED:
        return False
    if before.valid_from is None and before.stance == Stance.ALLOW:
        return False
    ended = before.valid_until if before.valid_from is None else None
    return ended is None or ends is None or ended > ends


def _slot(permission: Permission) -> tuple[str, str, tuple[str, ...]]:
    return permission.use, permission.scope, tuple(permission.territories)


def _copy(permission: Permission, **changes: Any) -> Permission:
    """A new draft in the same slot, after `permission`."""
    fields = {
        f.attname: getattr(permission, f.attname)
        for f in Permission._meta.concrete_fields
        if f.attname not in ("id", "entry_id", "act_id")
    }
    return Permission(**{**fields, "entry_id": uuid.uuid4(), **changes})


def _holds(permission: Permission | None, at: datetime) -> bool:
    """Is this a yes that has begun and has not ended?"""
    return (
        permission is not None
        and permission.stance == Stance.ALLOW
        and (permission.valid_from is None or permission.valid_from <= at)
        and (permission.valid_until is None or permission.valid_until > at)
    )


def _is_minor(artist: Artist) -> bool:
    state = PartyState.objects.filter(party=artist.pk).order_by("-id").first()
    return state is not None and state.is_minor


def _begun(line: Iterable[Permission], at: datetime) -> Permission | None:
    """The answer in a slot that speaks at `at`; `line` is the slot's, oldest first."""
    return next(
        (p for p in reversed(list(line)) if p.valid_from is None or p.valid_from <= at), None
    )


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
        spoke = _begun(before, at)
        coming = [
            p
            for p in before
            if p.valid_from is not None and p.valid_from > at and (spoke is None or p.pk > spoke.pk)
        ]
        ended = _yes(_begun(line, at), at, self.replaced)
        return [self._spoke_before(undo, line[-1], spoke, ended=ended)] + [
            _copy(p, act=undo, way=Way.UNDONE, took_back_allow=False)
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
            return _copy(
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
        return _copy(
            before,
            act=undo,
            way=Way.UNDONE,
            valid_from=None,
            took_back_allow=took_back,
            notice_days=ended.notice_days if took_back and ended else before.notice_days,
        )


def _yes(
    permission: Permission | None, at: datetime, replaced: frozenset[tuple[str, int | None]]
) -> Permission | None:
    """The answer, if it is a yes that has not ended, to a text that still means what it meant."""
    if permission is None or permission.stance != Stance.ALLOW:
        return None
    over = permission.valid_until is not None and permission.valid_until <= at
    gone = (permission.use, permission.wording_id) in replaced
    return None if over or gone else permission


class _Drafts:
    """Checks an answer once, then makes its rows: for one scope, or for ten thousand."""

    def __init__(
        self,
        *,
        by: "User | None",
        artist: Artist,
        role: str,
        use: str,
        stance: str,
        way: str = Way.ANSWERED,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        territories: Iterable[str] = (),
        notice_days: int | None = None,
        wording: Wording | None = None,
        scope: Scope | None = None,
    ) -> None:
        if use not in UseKind.values:
            raise Refused("unknown_use", _("There is no such kind of use."), field="use")
        if stance not in Stance.values:
            raise Refused("unknown_stance", _("Answer later, no, ask me, or yes."), field="stance")
        check_within_reach(valid_from, "valid_from")
        check_within_reach(valid_until, "valid_until")
        self.by, self.role, self.use, self.stance, self.way = by, role, use, stance, way
        self.territories = normalise_territories(territories)
        turn = take_turn_to_answer(
            artist.pk,
            use=use,
            scope=None if scope is None else scope.key,
            territories=self.territories,
        )
        self.artist, self.subject, self.at, self.latest = artist, turn.subject, turn.at, turn.latest
        self.valid_from, self.valid_until = valid_from, valid_until
        self.notice_days = notice_days
        self.may_end_a_yes = False
        # What a guardian says of a likeness is another answer than the same by somebody else.
        self.by_guardian: frozenset[uuid.UUID] | None = None
        if role == GUARDIAN and use in LENT_KINDS:
            acts = Act.objects.filter(artist=self.artist, role=GUARDIAN)
            self.by_guardian = frozenset(acts.values_list("ref", flat=True))
        if valid_from is not None and valid_from < self.at:
            raise Refused(
                "from_in_past",
                _("The beginning lies in the past. Leave it empty for at once."),
                field="valid_from",
            )
        if valid_until is not None and valid_until <= (valid_from or self.at):
            raise Refused(
                "until_before_from",
                _("The end must come after the beginning."),
                field="valid_until",
            )
        self.wording: Wording | None = None
        if stance == Stance.ALLOW:
            if use in LENT_KINDS:
                self._check_lent()
            self.wording = self._wording(wording)

    def _check_lent(self) -> None:
        """Likeness is lent for a time, and a minor's by the guardian only (NO FAKES; ELVIS)."""
        minor = _is_minor(self.artist)
        if minor and self.role != GUARDIAN:
            raise Refused("guardian_only", _("Only a guardian can say yes to this for a minor."))
        years = GUARDIAN_YEARS if minor else VOICE_YEARS
        if self.valid_until is None:
            raise Refused(
                "voice_needs_end",
                _("A yes to your voice, name or image always ends on a date. Choose one."),
                field="valid_until",
            )
        begin = self.valid_from or self.at
        if self.valid_until > years_after(begin, years):
            raise Refused(
                "voice_too_long",
                _("A yes to this lasts at most %(years)s years."),
                field="valid_until",
                params={"years": years},
            )

    def _wording(self, shown: Wording | None) -> Wording | None:
        language = shown.language if shown else getattr(self.by, "locale", "en") or "en"
        newest = current_wording(self.use, language)
        if shown is not None and (newest is None or newest.pk != shown.pk):
            raise Refused(
                "wording_changed",
                _("The text has changed since you opened the page. Read it and answer again."),
            )
        return newest

    @cached_property
    def replaced(self) -> frozenset[tuple[str, int | None]]:
        """The texts to which a yes is none any more. Asked only where there is a yes."""
        return replaced_wordings({self.use})

    def speaking(self, scopes: Sequence[str]) -> dict[str, Permission]:
        """The latest answer in each of many scopes, begun or yet to begin."""
        latest = (
            Permission.objects.filter(
                artist=self.artist,
                use=self.use,
                territories=self.territories,
                scope__in=scopes,
            )
            .order_by("scope", "-id")
            .distinct("scope")
        )
        found = {row.scope: row for row in latest}
        self.may_end_a_yes = any(self._may_run_off(row) for row in found.values())
        return found

    def _may_run_off(self, row: Permission) -> bool:
        return bool(self.valid_from or row.valid_from or row.took_back_allow)

    def look_beside(self, scope: Scope | None) -> None:
        """Learn whether any yes beside this answer may be ended by it; or outputs after a no.

        The answer is in `scope`, or one for each of several recordings.
        """
        if self.latest is not None:
            self.may_end_a_yes |= self._may_run_off(self.latest)
        narrower = scope is None or not scope.is_everything or bool(self.territories)
        if self.stance != Stance.ALLOW and narrower and not self.may_end_a_yes:
            self.may_end_a_yes = yes_beside(
                self.artist.pk, use=self.use, scope=scope, begins=self.valid_from or self.at
            )

    def refuse_a_frozen_yes(self, latest: Iterable[Permission | None]) -> None:
        """Raise `Frozen` while an alarm is open, if one of these would give way to a yes."""
        if self.stance != Stance.ALLOW and self.way != Way.CLEARED and self.valid_until is None:
            return
        says = Permission(stance=self.stance, way=self.way, valid_until=self.valid_until)
        if any(lifts(says, before) for before in latest) and is_frozen():
            raise _frozen()

    def ends(self, previous: Permission | None) -> Permission | None:
        """The yes in this very slot that this answer ends, where `previous` is its latest."""
        now_speaks = self._speaking_now(previous)
        if now_speaks is None or now_speaks.stance != Stance.ALLOW:
            return None
        return _yes(now_speaks, self.at, self.replaced)

    def _speaking_now(self, latest: Permission | None) -> Permission | None:
        """The answer that speaks now, where the latest of its slot may be one for later."""
        if latest is None or latest.valid_from is None or latest.valid_from <= self.at:
            return latest
        rows = Permission.objects.filter(
            artist=self.artist, use=self.use, scope=latest.scope, territories=latest.territories
        )
        return _begun(rows.order_by("id"), self.at)

    def says_the_same(self, previous: Permission) -> bool:
        return (
            previous.stance == self.stance
            and previous.valid_from == self.valid_from
            and previous.valid_until == self.valid_until
            and previous.notice_days == self.notice_days
            and previous.wording_id == (self.wording.pk if self.wording else None)
            and previous.way in (Way.ANSWERED, Way.WITHDRAWN)
            and (self.by_guardian is None or previous.act_id in self.by_guardian)
        )

    def act(self, kind: str, *, summary: dict[str, Any], entries: int = 1) -> Act:
        return Act(
            kind=kind,
            by=self.by,
            artist=self.artist,
            role=self.role,
            summary=summary,
            entries=entries,
            created_at=self.at,
        )

    def draft(self, act: Act, scope: Scope) -> Permission:
        """The one answer in `scope`; raises `Refused` where a field cannot hold what was given."""
        draft = self.draft_for(
            act,
            scope.recording.pk if scope.recording else None,
            scope.company.pk if scope.company else None,
            scope.tool.pk if scope.tool else None,
            self.latest,
        )
        draft.recording, draft.company, draft.tool = scope.recording, scope.company, scope.tool
        try:
            draft.clean_fields(exclude=_KEYS)
        except ValidationError as error:
            raise refused_by(error) from error
        return draft

    def draft_for(
        self,
        act: Act,
        recording: int | None,
        company: int | None,
        tool: int | None,
        previous: Permission | None,
    ) -> Permission:
        ended = self.ends(previous)
        took_back = self.stance != Stance.ALLOW and self.way != Way.CLEARED and ended is not None
        notice = ended.notice_days if took_back and ended else self.notice_days
        return Permission(
            entry_id=uuid.uuid4(),
            artist=self.artist,
            use=self.use,
            scope=scope_key(recording, company, tool),
            recording_id=recording,
            company_id=company,
            tool_id=tool,
            stance=self.stance,
            way=Way.WITHDRAWN if took_back else self.way,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            territories=self.territories,
            notice_days=notice,
            took_back_allow=took_back,
            wording=self.wording,
            act=act,
        )

    def write(
        self, act: Act, permissions: Sequence[Permission], *, isrcs: dict[int, str] | None = None
    ) -> None:
        _write(
            act,
            self.artist,
            permissions,
            subject=self.subject,
            isrcs=isrcs,
            may_end_a_yes=self.may_end_a_yes,
        )


def _write(
    act: Act,
    artist: Artist,
    permissions: Sequence[Permission],
    *,
    subject: uuid.UUID,
    isrcs: dict[int, str] | None = None,
    personal: dict[str, Any] | None = None,
    may_end_a_yes: bool = True,
) -> None:
    """Write the act with its answers, and start what they set in motion as withdrawals.

    `may_end_a_yes` is False where it is known that none of them does, but for a yes in its own
    slot.
    """
    stopping = []
    if may_end_a_yes or any(p.took_back_allow for p in permissions):
        stopping = prepare_withdrawals(artist=artist, permissions=permissions)
    recorded = write_answers(
        act, permissions, subject=subject, isrcs=isrcs or {}, personal=personal
    )
    start_withdrawals(artist=artist, stopping=stopping, recorded=recorded)
