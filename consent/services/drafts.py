"""The rows of an answer: checked once, then made for one scope, or for ten thousand."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from consent.days import check_within_reach, last_of_years
from consent.decisions import GUARDIAN_YEARS
from consent.errors import Frozen, Refused, refused_by
from consent.models import Act, Artist, PartyState, Permission, Wording
from consent.queries.decision import GUARDIAN
from consent.scopes import Scope, scope_key
from consent.services.answers import take_turn_to_answer, write_answers, yes_beside
from consent.services.ledger import is_frozen
from consent.services.slots import begun, lifts, yes_still
from consent.services.withdrawals import (
    end_what_is_given_back,
    prepare_withdrawals,
    start_withdrawals,
)
from consent.services.wordings import current_wording, replaced_wordings, wording_changed
from consent.territories import normalise_territories
from consent.words import LENT_KINDS, VOICE_YEARS, Stance, UseKind, Way

if TYPE_CHECKING:
    from portal.models import User

# What the database holds by its own keys and need not be asked for once more.
_KEYS = {field.name for field in Permission._meta.fields if field.is_relation}
_USES = frozenset(UseKind.values)
_STANCES = frozenset(Stance.values)


class Drafts:
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
        if use not in _USES:
            raise Refused("unknown_use", _("There is no such kind of use."), field="use")
        if stance not in _STANCES:
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
        minor = is_minor(self.artist)
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
        if self.valid_until > last_of_years(begin, years):
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
            raise wording_changed()
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
            raise frozen()

    def ends(self, previous: Permission | None) -> Permission | None:
        """The yes in this very slot that this answer ends, where `previous` is its latest."""
        now_speaks = self._speaking_now(previous)
        if now_speaks is None or now_speaks.stance != Stance.ALLOW:
            return None
        return yes_still(now_speaks, self.at, self.replaced)

    def _speaking_now(self, latest: Permission | None) -> Permission | None:
        """The answer that speaks now, where the latest of its slot may be one for later."""
        if latest is None or latest.valid_from is None or latest.valid_from <= self.at:
            return latest
        rows = Permission.objects.filter(
            artist=self.artist, use=self.use, scope=latest.scope, territories=latest.territories
        )
        return begun(rows.order_by("id"), self.at)

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
        write(
            act,
            self.artist,
            permissions,
            subject=self.subject,
            isrcs=isrcs,
            may_end_a_yes=self.may_end_a_yes,
        )


def write(
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
    end_what_is_given_back(artist=artist, permissions=permissions)


def is_minor(artist: Artist) -> bool:
    """Is she under age, as far as it is known?"""
    state = PartyState.objects.filter(party=artist.pk).order_by("-id").first()
    return state is not None and state.is_minor


def frozen() -> Frozen:
    """What somebody hears whose answer may lead to a yes while an alarm is open."""
    return Frozen(
        "frozen",
        _("Nothing new can be allowed right now: the ledger is being checked. A no still works."),
    )
