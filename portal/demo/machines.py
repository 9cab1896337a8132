"""What the AI companies of the demo report: training, outputs with what they drew on, and uses.

They ask before they use, as they should, and report once a month; now and then one of them uses
what it was not allowed to, which is recorded with its reason, and its money is held.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, batched
from typing import Final

from consent.models import ModelVersion, Recording
from consent.queries.decision import Ask, load
from consent.services.provenance import OutputToReport, Part, report_outputs, report_training_run
from portal.demo.names import ACTS, PRODUCTS, Product
from portal.demo.stage import Stage
from royalties.services.usage import MOST_AT_ONCE, UsageReport, record_usage

# How much of the year's use fell into each month: it grew.
_GROWTH: Final = (30, 38, 47, 55, 62, 70, 84, 92, 104, 118, 136, 164, 170)
_DAYS_OF_OUTPUTS: Final = (2, 9, 16, 23)
_FAVOURITES: Final = {
    "Paper Lanterns": 9,
    "Northern Line": 12,
    "Slow Weather": 6,
    "Neap": 6,
    "紙の灯り": 7,
    "Nachtfahrt": 5,
}
_METHOD: Final = "attrib-3.2"


@dataclass(frozen=True, slots=True)
class Habit:
    """How a tool is used: its part of all uses (per cent), outputs a month, what one brings."""

    part: int
    outputs: int
    draws_on: tuple[int, ...]
    rights: tuple[str, ...]
    least_micros: int
    most_micros: int
    most_quantity: int = 1


_HABITS: Final = {
    "tidesmith": Habit(20, 44, (2, 2, 3), ("master", "publishing"), 1_500_000, 8_000_000),
    "stemlight": Habit(13, 36, (1,), ("master", "publishing"), 700_000, 4_200_000),
    "larksong": Habit(5, 10, (1,), ("master", "likeness"), 900_000, 6_500_000),
    "night-ferry": Habit(53, 150, (1,), ("master",), 300_000, 1_900_000, 240),
    "draftbook": Habit(9, 24, (1,), ("likeness",), 0, 0, 12),
}


@dataclass
class _Made:
    """The outputs of one tool so far, newest last; and how far their uses have been counted."""

    refs: list[str] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    territories: list[str] = field(default_factory=list)


class Machines:
    """All reports of the demo's companies; `events` uses are reported in the twelve months."""

    def __init__(self, stage: Stage, *, events: int) -> None:
        self._stage = stage
        self._events = events
        self._dice = random.Random(1971)  # noqa: S311 - a story, no secret
        self._made: dict[str, _Made] = {one.slug: _Made() for one in PRODUCTS}
        self._popular: dict[int, float] = {}
        self._home: dict[int, str] = {}
        self._count = 0

    def report(self, month: int, *, until: datetime) -> int:
        """Report what happened in a month of the story, up to `until`; returns how many uses."""
        calendar = self._stage.calendar
        start = calendar.day(0, 5, 6) if month == 0 else calendar.month(month)
        end = min(calendar.month(month + 1), until)
        if start >= end:
            return 0
        whole = calendar.month(month + 1) - calendar.month(month)
        part = (end - calendar.month(month)) / whole
        self._home = self._homes()
        self._train(month, start, end)
        allowed = self._ask(start)
        for product in PRODUCTS:
            if product.slug in _HABITS:
                self._make(product, month, start, end, allowed[product.slug])
        share = _GROWTH[month] / sum(_GROWTH[:12])
        return self._use(round(self._events * share * part), start, end)

    # --- Asking ----------------------------------------------------------------------------

    def _ask(self, at: datetime) -> dict[str, list[Recording]]:
        """What each tool may use at `at`, of the whole catalogue."""
        recordings = list(self._stage.recordings.values())
        asks = [
            Ask(recording.isrc, product.use, product.slug, at=at)
            for product in PRODUCTS
            for recording in recordings
        ]
        loaded = load(asks, at=at)
        found: dict[str, list[Recording]] = {product.slug: [] for product in PRODUCTS}
        for ask, recording in zip(asks, recordings * len(PRODUCTS), strict=True):
            if loaded.decide(ask).allowed:
                found[ask.tool].append(recording)
        return found

    # --- Training --------------------------------------------------------------------------

    def _train(self, month: int, start: datetime, end: datetime) -> None:
        for product in PRODUCTS:
            if product.use not in ("generative_training", "analysis_training", "voice"):
                continue
            for version in self._stage.models[product.slug]:
                trained_at = max(version.created_at + timedelta(days=3), start)
                fresh = start <= version.created_at + timedelta(days=3) or month == 0
                if not fresh or version.created_at >= end or trained_at >= end:
                    continue
                self._train_one(product, version, trained_at)

    def _train_one(self, product: Product, version: ModelVersion, at: datetime) -> None:
        late = max(at, self._stage.calendar.day(0, 21, 6))
        asks = [
            Ask(r.isrc, product.use, product.slug, at=late) for r in self._stage.recordings.values()
        ]
        loaded = load(asks, at=late)
        isrcs = [ask.isrc for ask in asks if loaded.decide(ask).allowed]
        if not isrcs:
            return
        others = [ask.isrc for ask in asks if ask.isrc not in set(isrcs)]
        isrcs += self._dice.sample(others, min(3, len(others)))  # nobody is perfect
        ref = f"{product.slug}-{version.name}-training"
        company = self._stage.makers[product.maker]
        report_training_run(
            company=company,
            client_ref=ref,
            model_version=version,
            use=product.use,
            trained_at=late,
            isrcs=isrcs,
        )
        if product.use == "analysis_training":
            event = UsageReport(
                event_id=f"{ref}-fee",
                occurred_at=late,
                revenue_micros=0,
                currency="EUR",
                training_run=ref,
            )
            record_usage(by=None, company=company, reports=[event])

    # --- Outputs ---------------------------------------------------------------------------

    def _make(
        self,
        product: Product,
        month: int,
        start: datetime,
        end: datetime,
        allowed: list[Recording],
    ) -> None:
        habit, made = _HABITS[product.slug], self._made[product.slug]
        if not allowed:
            return
        weights = list(accumulate(self._popularity(one) for one in allowed))
        moments = [
            moment
            for day in _DAYS_OF_OUTPUTS
            if start <= (moment := self._stage.calendar.day(month, day, 5)) < end
        ] or [start]
        # In a small demo there are fewer outputs as well.
        each = max(1, round(habit.outputs * min(1.0, self._events / 20_000)) // len(moments))
        for moment in moments:
            model = self._model(product.slug, moment)
            batch = []
            for _ in range(each):
                self._count += 1
                sources = self._draw(allowed, weights, self._dice.choice(habit.draws_on))
                if self._dice.random() < 0.02:
                    sources[0] = self._dice.choice(self._known(moment))
                    sources = list({one.pk: one for one in sources}.values())
                ref = f"{product.slug}-{self._count:06d}"
                batch.append(
                    OutputToReport(
                        ref, model, product.use, moment, self._parts(sources, habit.rights)
                    )
                )
                made.refs.append(ref)
                made.at.append(moment)
                made.territories.append(self._home[sources[0].pk])
            for some in batched(batch, 100):
                for told in report_outputs(company=self._stage.makers[product.maker], outputs=some):
                    if told.refused is not None:
                        raise told.refused

    def _known(self, at: datetime) -> list[Recording]:
        return [one for one in self._stage.recordings.values() if one.created_at <= at]

    def _model(self, tool: str, at: datetime) -> ModelVersion:
        return [one for one in self._stage.models[tool] if one.created_at <= at][-1]

    def _draw(
        self, allowed: list[Recording], weights: list[float], how_many: int
    ) -> list[Recording]:
        found: dict[int, Recording] = {}
        for _ in range(how_many):
            one = allowed[bisect_right(weights, self._dice.random() * weights[-1])]
            found[one.pk] = one
        return list(found.values())

    def _parts(self, sources: list[Recording], rights: tuple[str, ...]) -> list[Part]:
        cuts = sorted(self._dice.sample(range(800, 9_200), len(sources) - 1))
        shares = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
        confidence = self._dice.randrange(7_200, 9_800)
        return [
            Part(recording.isrc, right, share, _METHOD, confidence)
            for right in rights
            for recording, share in zip(sources, shares, strict=True)
        ]

    def _popularity(self, recording: Recording) -> float:
        found = self._popular.get(recording.pk)
        if found is None:
            dice = random.Random(recording.isrc)  # noqa: S311 - no secret
            found = dice.lognormvariate(0, 1.1) * _FAVOURITES.get(recording.title, 1)
            self._popular[recording.pk] = found
        return found

    def _homes(self) -> dict[int, str]:
        acts = {act.key: act.territory for act in ACTS}
        return {
            self._stage.recordings[song.title].pk: acts[album.act]
            for album in self._stage.albums
            for song in album.songs
            if song.title in self._stage.recordings
        }

    # --- Uses ------------------------------------------------------------------------------

    def _use(self, how_many: int, start: datetime, end: datetime) -> int:
        by_maker: dict[str, list[UsageReport]] = {}
        total = sum(habit.part for habit in _HABITS.values())
        for product in PRODUCTS:
            habit, made = _HABITS.get(product.slug), self._made[product.slug]
            if habit is None or not made.refs:
                continue
            reports = by_maker.setdefault(product.maker, [])
            newest = len(made.refs)
            for n in range(round(how_many * habit.part / total)):
                # What is new is used most, and something of it for ever.
                which = min(newest - 1, int(newest * self._dice.random() ** 0.35))
                since = max(start, made.at[which])
                reports.append(
                    self._one(
                        f"{product.slug}-{start:%y%m}-{n:05d}",
                        made,
                        which,
                        habit,
                        since + (end - since) * self._dice.random(),
                    )
                )
        for maker, reports in by_maker.items():
            reports.sort(key=lambda one: one.occurred_at)
            for some in batched(reports, MOST_AT_ONCE):
                record_usage(by=None, company=self._stage.makers[maker], reports=some)
        return sum(map(len, by_maker.values()))

    def _one(
        self, event_id: str, made: _Made, which: int, habit: Habit, at: datetime
    ) -> UsageReport:
        home = made.territories[which]
        return UsageReport(
            event_id=event_id,
            occurred_at=at.replace(microsecond=0) if at.microsecond else at,
            revenue_micros=self._dice.randrange(habit.least_micros, habit.most_micros + 1),
            currency="EUR",
            output=made.refs[which],
            quantity=self._dice.randint(1, habit.most_quantity),
            territory=home if self._dice.random() < 0.6 else self._dice.choice(("US", "DE", "GB")),
        )
