"""Recording usage events: each once, for ever, judged by what was allowed when it happened."""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from django.db import IntegrityError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import AICompany, Attribution, Output, TrainingRun, TrainingUse
from consent.queries.decision import Ask
from consent.services.acts import take_turn
from consent.territories import known_territories
from royalties.models import UsageConflict, UsageEvent, UsageRefusal
from royalties.money import EXPONENTS
from royalties.queries.judging import Judged, judge
from royalties.services.periods import month_of, open_period_for

if TYPE_CHECKING:
    from portal.models import User

MOST_AT_ONCE = 1_000
_LARGEST_QUANTITY = 10**9
_LARGEST_REVENUE_MICROS = 10**15


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One use as a company reports it; exactly one of `output` and `training_run` says of what.

    Both are the company's own ids (`client_ref`). `occurred_at` has a time zone. `revenue_micros`
    (millionths of the major unit of `currency`) and `quantity` are zero or more; in a reversal,
    which names in `reverses` the event id of what it takes back, they are zero or less.
    """

    event_id: str
    occurred_at: datetime
    revenue_micros: int
    currency: str
    output: str | None = None
    training_run: str | None = None
    quantity: int = 1
    territory: str = ""
    reverses: str | None = None

    def canonical(self) -> dict[str, Any]:
        """What makes two reports the same, as JSON: numbers as text, moments in UTC."""
        return {
            "currency": self.currency,
            "event_id": self.event_id,
            "occurred_at": self.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "output": self.output,
            "quantity": str(self.quantity),
            "revenue_micros": str(self.revenue_micros),
            "reverses": self.reverses,
            "territory": self.territory,
            "training_run": self.training_run,
        }

    def digest(self) -> str:
        """SHA-256 of the canonical report, hexadecimal.

        Everything in it is text or null, of which `json` makes what RFC 8785 asks for.
        """
        text = json.dumps(
            self.canonical(), ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one report.

    `recorded`: it is kept, from now on. `repeated`: the very same was kept before. `conflict`:
    another content was kept under this id; that one stays, this one is noted. `refused`: nothing
    was kept, `code` and `sentence` say why. `allowed` is None where nothing was kept.
    """

    event_id: str
    outcome: Literal["recorded", "repeated", "conflict", "refused"]
    allowed: bool | None = None
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class _Thing:
    """What was used: an output or a training run, and the recordings it drew on."""

    pk: int
    kind: Literal["output", "training_run"]
    use: str
    tool: int
    tool_slug: str
    model: uuid.UUID
    since: datetime
    drawn: tuple["_Drawn", ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    recording: int
    isrc: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class _Kept:
    pk: int
    digest: str
    allowed: bool


def record_usage(
    *, by: "User | None", company: AICompany, reports: Sequence[UsageReport]
) -> list[Recorded]:
    """Record up to 1 000 uses of one company; returns what became of each, in order.

    Repeating is harmless, for ever: an event id is recorded once. One bad report does not lose
    the others. A use that was not allowed when it happened is recorded all the same, and its money
    is held. What comes after its month was sealed is paid with the first month still open.

    Raises `Refused` (`too_many_events`) for more than 1 000 reports.
    """
    if len(reports) > MOST_AT_ONCE:
        raise Refused("too_many_events", _("Report at most 1 000 uses at once."))
    for attempt in (1, 2, 3):
        try:
            with transaction.atomic():
                return _Batch(company, reports).record()
        except IntegrityError as error:
            # The month was sealed between finding it and writing into it: find the next one.
            if attempt == 3 or _constraint(error) != "a_closed_period_stays_closed":
                raise
    raise AssertionError("unreachable")


def _constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


class _Problem(Exception):
    def __init__(self, code: str, sentence: "str | Promise") -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence


class _Batch:
    """One batch, in one transaction."""

    def __init__(self, company: AICompany, reports: Sequence[UsageReport]) -> None:
        self.company = company
        self.reports = reports
        self.at = now()
        self.results: dict[int, Recorded] = {}
        self.digests: dict[int, str] = {}

    def record(self) -> list[Recorded]:
        sound = self._sound()
        kept = self._kept(self.reports[i].event_id for i in sound)
        fresh: dict[str, int] = {}
        for i in sound:
            event_id = self.reports[i].event_id
            if event_id not in kept and event_id not in fresh:
                fresh[event_id] = i
        if fresh:
            kept |= self._write(list(fresh.values()))
        conflicts: list[UsageConflict] = []
        for i in sound:
            if i in self.results:
                continue
            event_id = self.reports[i].event_id
            found = kept.get(event_id)
            if found is None:
                self._refuse_like(i, fresh[event_id])
            elif found.digest != self.digests[i]:
                conflicts.append(self._conflict(i, found))
            else:
                outcome: Literal["recorded", "repeated"] = (
                    "recorded" if fresh.get(event_id) == i and event_id in self.new else "repeated"
                )
                self.results[i] = Recorded(event_id, outcome, found.allowed)
        if conflicts:
            UsageConflict.objects.bulk_create(conflicts, ignore_conflicts=True)
        return [self.results[i] for i in range(len(self.reports))]

    new: frozenset[str] = frozenset()

    def _sound(self) -> list[int]:
        """The reports that are well formed by themselves; the others are refused."""
        sound: list[int] = []
        for i, report in enumerate(self.reports):
            try:
                _check(report, self.at)
            except _Problem as problem:
                self._refuse(i, problem)
            else:
                self.digests[i] = report.digest()
                sound.append(i)
        return sound

    def _refuse(self, i: int, problem: _Problem) -> None:
        self.results[i] = Recorded(
            self.reports[i].event_id, "refused", None, problem.code, str(problem.sentence)
        )

    def _refuse_like(self, i: int, first: int) -> None:
        """Refuse a report whose id stood earlier in the batch, where it was refused."""
        if self.digests[i] == self.digests[first]:
            self.results[i] = self.results[first]
        else:
            self._refuse(
                i,
                _Problem("usage_id_twice", _("This id stands twice in the batch. Send it again.")),
            )

    def _kept(self, event_ids: Iterable[str]) -> dict[str, _Kept]:
        rows = UsageEvent.objects.filter(
            company=self.company, event_id__in=set(event_ids)
        ).values_list("event_id", "pk", "body_digest", "allowed")
        return {event_id: _Kept(pk, digest, allowed) for event_id, pk, digest, allowed in rows}

    def _conflict(self, i: int, found: _Kept) -> UsageConflict:
        report = self.reports[i]
        self.results[i] = Recorded(
            report.event_id,
            "conflict",
            None,
            "usage_conflict",
            str(_("Another use was reported under this id before. The first one stays.")),
        )
        return UsageConflict(
            kept_id=found.pk,
            body_digest=self.digests[i],
            body=report.canonical(),
            received_at=self.at,
        )

    def _write(self, positions: Sequence[int]) -> dict[str, _Kept]:
        """Write those of these reports that can be; returns what is kept of them afterwards."""
        things = self._things(positions)
        reversed_events = self._reversed(positions)
        whole: list[tuple[int, _Thing, UsageEvent | None]] = []
        for i in positions:
            report = self.reports[i]
            try:
                thing = _thing_of(report, things)
                original = _original_of(report, thing, reversed_events, self.reports, positions)
                _check_time(report, thing)
            except _Problem as problem:
                self._refuse(i, problem)
            else:
                whole.append((i, thing, original))
        if not whole:
            return {}
        verdicts = self._verdicts(whole)
        ids = self._insert(whole, verdicts)
        self.new = frozenset(ids)
        UsageRefusal.objects.bulk_create(
            [
                UsageRefusal(
                    event_id=ids[self.reports[i].event_id],
                    recording_id=drawn.recording,
                    reason=drawn.judged.reason,
                    known_seq=drawn.judged.seq,
                )
                for i, _thing, _original in whole
                if self.reports[i].event_id in ids
                for drawn in verdicts[i]
                if not drawn.judged.allowed
            ]
        )
        return self._kept(self.reports[i].event_id for i, _thing, _original in whole)

    def _things(self, positions: Sequence[int]) -> dict[tuple[str, str], _Thing]:
        outputs = {r.output for i in positions if (r := self.reports[i]).output is not None}
        runs = {
            r.training_run for i in positions if (r := self.reports[i]).training_run is not None
        }
        things: dict[tuple[str, str], _Thing] = {}
        if outputs:
            things |= _outputs(self.company, outputs)
        if runs:
            things |= _runs(self.company, runs)
        return things

    def _reversed(self, positions: Sequence[int]) -> dict[str, UsageEvent]:
        names = sorted({n for i in positions if (n := self.reports[i].reverses) is not None})
        for name in names:
            take_turn("reversal", self.company.pk, name)
        if not names:
            return {}
        events = UsageEvent.objects.filter(company=self.company, event_id__in=names)
        return {event.event_id: event for event in events.prefetch_related("refusals", "reversals")}

    def _verdicts(
        self, whole: Sequence[tuple[int, _Thing, UsageEvent | None]]
    ) -> dict[int, tuple[_Drawn, ...]]:
        """For each use, each recording with the decision at the moment of use.

        A training run was decided when it ran, and a reversal is judged as what it reverses.
        What was made without permission stays so, even if it is used later with one.
        """
        asks: list[Ask] = []
        places: list[tuple[int, int]] = []
        verdicts: dict[int, list[_Drawn]] = {}
        for i, thing, original in whole:
            report = self.reports[i]
            drawn = list(thing.drawn)
            if original is not None:
                refused = {r.recording_id: r for r in original.refusals.all()}
                drawn = [
                    _Drawn(
                        d.recording,
                        d.isrc,
                        Judged(False, r.reason, r.known_seq)
                        if (r := refused.get(d.recording))
                        else Judged(True, original.reason, original.known_seq),
                    )
                    for d in drawn
                ]
            elif thing.kind == "output":
                for place, d in enumerate(drawn):
                    if d.judged.allowed:
                        places.append((i, place))
                        asks.append(
                            Ask(
                                isrc=d.isrc,
                                use=thing.use,
                                tool=thing.tool_slug,
                                territory=report.territory or None,
                                at=report.occurred_at.astimezone(UTC),
                                model=thing.model,
                            )
                        )
            verdicts[i] = drawn
        for (i, place), judged in zip(places, judge(asks), strict=True):
            before = verdicts[i][place]
            verdicts[i][place] = _Drawn(before.recording, before.isrc, judged)
        return {i: tuple(drawn) for i, drawn in verdicts.items()}

    def _insert(
        self,
        whole: Sequence[tuple[int, _Thing, UsageEvent | None]],
        verdicts: Mapping[int, tuple[_Drawn, ...]],
    ) -> dict[str, int]:
        """Insert, leaving out what another sender wrote meanwhile; returns the new rows' ids."""
        months = {month_of(self.reports[i].occurred_at) for i, _t, _o in whole}
        periods = {month: open_period_for(month=month).pk for month in sorted(months)}
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for i, thing, original in whole:
            report = self.reports[i]
            judged = _overall(verdicts[i])
            row: dict[str, Any] = {
                "event_id": report.event_id,
                "body_digest": self.digests[i],
                "tool_id": thing.tool,
                "output_id": thing.pk if thing.kind == "output" else None,
                "training_run_id": thing.pk if thing.kind == "training_run" else None,
                "use": thing.use,
                "occurred_at": report.occurred_at,
                "territory": report.territory,
                "quantity": report.quantity,
                "revenue_micros": report.revenue_micros,
                "currency": report.currency,
                "reverses_id": original.pk if original is not None else None,
                "allowed": judged.allowed,
                "reason": judged.reason,
                "known_seq": judged.seq,
                "period_id": periods[month_of(report.occurred_at)],
            }
            for name, value in row.items():
                columns[name].append(value)
        names = ", ".join(f'"{name}"' for name in _TYPES)
        arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES.values())
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO royalties_usageevent (company_id, received_at, {names})"  # noqa: S608
                f" SELECT %s, %s, x.* FROM unnest({arrays}) AS x"
                " ON CONFLICT (company_id, event_id) DO NOTHING RETURNING event_id, id",
                [self.company.pk, self.at, *(columns[name] for name in _TYPES)],
            )
            return dict(cursor.fetchall())


_TYPES = {
    "event_id": "text",
    "body_digest": "text",
    "tool_id": "bigint",
    "output_id": "bigint",
    "training_run_id": "bigint",
    "use": "text",
    "occurred_at": "timestamptz",
    "territory": "text",
    "quantity": "bigint",
    "revenue_micros": "bigint",
    "currency": "text",
    "reverses_id": "bigint",
    "allowed": "boolean",
    "reason": "text",
    "known_seq": "bigint",
    "period_id": "bigint",
}


def _overall(drawn: Sequence[_Drawn]) -> Judged:
    """The decision on a use as a whole: a no for one recording is a no."""
    return next((d.judged for d in drawn if not d.judged.allowed), drawn[0].judged)


def _check(report: UsageReport, at: datetime) -> None:
    """Refuse what is wrong in itself."""
    for value in (report.revenue_micros, report.quantity):
        if type(value) is not int:
            raise _Problem("usage_number", _("Quantity and revenue are whole numbers."))
    for name in (report.event_id, report.output, report.training_run, report.reverses):
        if name is not None and not (1 <= len(name) <= 100 and name.isprintable()):
            raise _Problem("usage_event_id", _("An id has 1 to 100 printable characters."))
    if (report.output is None) == (report.training_run is None):
        raise _Problem("usage_of", _("Report the use of one output, or of one training run."))
    if report.currency not in EXPONENTS:
        raise _Problem("currency", _("This is not a currency of ISO 4217."))
    territory = report.territory
    if territory and territory not in known_territories():
        raise _Problem("territory", _("A territory is a country's two capital letters, as in NO."))
    if report.occurred_at.tzinfo is None:
        raise _Problem("usage_time_zone", _("Say the time zone in which it happened."))
    if report.occurred_at > at:
        raise _Problem("usage_in_future", _("A use is reported after it happened."))
    sign = 1 if report.reverses is None else -1
    if report.quantity * sign <= 0 or report.revenue_micros * sign < 0:
        raise _Problem(
            "usage_sign", _("Quantity and revenue are negative in a reversal, and only there.")
        )
    if (
        abs(report.quantity) > _LARGEST_QUANTITY
        or abs(report.revenue_micros) > _LARGEST_REVENUE_MICROS
    ):
        raise _Problem("usage_size", _("Report at most a thousand million at once."))


def _thing_of(report: UsageReport, things: Mapping[tuple[str, str], _Thing]) -> _Thing:
    if report.output is not None:
        thing = things.get(("output", report.output))
        if thing is None:
            raise _Problem("unknown_output", _("No output was reported under this id."))
    else:
        thing = things.get(("training_run", report.training_run or ""))
        if thing is None:
            raise _Problem("unknown_training_run", _("No training was reported under this id."))
    if not thing.drawn:
        raise _Problem(
            "nothing_drawn_on", _("No recording is attributed to this, so there is none to pay.")
        )
    return thing


def _check_time(report: UsageReport, thing: _Thing) -> None:
    if report.occurred_at < thing.since:
        raise _Problem("used_before_made", _("This was used before it was made."))


def _original_of(
    report: UsageReport,
    thing: _Thing,
    reversed_events: Mapping[str, UsageEvent],
    reports: Sequence[UsageReport],
    positions: Sequence[int],
) -> UsageEvent | None:
    """What a reversal reverses: never more of it than there was."""
    if report.reverses is None:
        return None
    original = reversed_events.get(report.reverses)
    if original is None or original.reverses_id is not None:
        raise _Problem("unknown_event", _("No use was recorded under the id to be reversed."))
    of = original.output_id if thing.kind == "output" else original.training_run_id
    if of != thing.pk or original.currency != report.currency:
        raise _Problem("reverses_other", _("A reversal is of the same thing and currency."))
    others = [r for i in positions if (r := reports[i]).reverses == report.reverses]
    done = list(original.reversals.all())
    quantity = sum(r.quantity for r in others) + sum(r.quantity for r in done)
    revenue = sum(r.revenue_micros for r in others) + sum(r.revenue_micros for r in done)
    if original.quantity + quantity < 0 or original.revenue_micros + revenue < 0:
        raise _Problem("reverses_too_much", _("More would be reversed than was reported."))
    return original


def _outputs(company: AICompany, refs: set[str]) -> dict[tuple[str, str], _Thing]:
    rows = list(
        Output.objects.filter(company=company, client_ref__in=refs).values_list(
            "pk",
            "client_ref",
            "use",
            "made_at",
            "model_version__ref",
            "model_version__tool_id",
            "model_version__tool__slug",
        )
    )
    drawn: defaultdict[int, dict[int, _Drawn]] = defaultdict(dict)
    # Several rights in one recording are one recording; a no for one of them is a no.
    for output, recording, isrc, allowed, reason, seq in (
        Attribution.objects.filter(output__in=[row[0] for row in rows])
        .order_by("output_id", "recording_id", "-allowed")
        .values_list(
            "output_id", "recording_id", "recording__isrc", "allowed", "reason", "known_seq"
        )
    ):
        drawn[output][recording] = _Drawn(recording, isrc, Judged(allowed, reason, seq))
    return {
        ("output", ref): _Thing(
            pk, "output", use, tool, slug, model, made_at, tuple(drawn[pk].values())
        )
        for pk, ref, use, made_at, model, tool, slug in rows
    }


def _runs(company: AICompany, refs: set[str]) -> dict[tuple[str, str], _Thing]:
    rows = list(
        TrainingRun.objects.filter(company=company, client_ref__in=refs).values_list(
            "pk",
            "client_ref",
            "use",
            "trained_at",
            "model_version__ref",
            "model_version__tool_id",
            "model_version__tool__slug",
        )
    )
    drawn: defaultdict[int, list[_Drawn]] = defaultdict(list)
    for run, recording, isrc, allowed, reason, seq in (
        TrainingUse.objects.filter(run__in=[row[0] for row in rows])
        .order_by("run_id", "recording_id")
        .values_list("run_id", "recording_id", "recording__isrc", "allowed", "reason", "known_seq")
    ):
        drawn[run].append(_Drawn(recording, isrc, Judged(allowed, reason, seq)))
    return {
        ("training_run", ref): _Thing(
            pk, "training_run", use, tool, slug, model, trained_at, tuple(drawn[pk])
        )
        for pk, ref, use, trained_at, model, tool, slug in rows
    }
