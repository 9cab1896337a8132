"""Random lives of a small world: every row of a withdrawal says what `decide` says.

Nothing is put together here as the product does it: every recording, tool, model version and place
is asked about by itself, as it was known before the act and as it is known with it.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest
from django.db import transaction
from django.db.models import Max, Min
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.clock import now
from consent.errors import Refused
from consent.models import (
    Act,
    AICompany,
    LedgerEntry,
    ModelVersion,
    Party,
    Permission,
    Recording,
    Tool,
    TrainingUse,
    Withdrawal,
)
from consent.queries import withdrawals
from consent.queries.decision import Ask, decide_many
from consent.queries.withdrawals import MANY
from consent.scopes import Scope
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    clear_permission,
    undo_act,
)
from consent.services.provenance import report_training_run
from consent.services.tools import retire_model_version, suspend_tool
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_tool,
    an_artist,
    in_days,
    some_recordings,
)

pytestmark = pytest.mark.django_db

USES = ("generative_training", "discovery")
PLACES = (None, "DE", "NO", "FR")
TERRITORIES: tuple[list[str], ...] = ([], [], [], ["DE"], ["DE", "NO"])
NO_END = datetime.max.replace(tzinfo=UTC)
EXAMPLES = 1_500 if os.environ.get("LINER_TEST_SOAK") == "1" else 25


class Life:
    """Two artists, two companies, three tools of which one has no model version."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.maren, self.aoi = an_artist(), an_artist("Aoi Tanaka 田中葵")
        self.fjord, self.kanal = a_label(), a_label("Kanal Forlag")
        self.companies = [a_company("tonewright"), a_company("oceanic")]
        first, second = self.companies
        self.tools = [a_tool(first, "composer"), a_tool(first, "mixer"), a_tool(second, "tide")]
        composer, _mixer, tide = self.tools
        self.models = [a_model(composer), a_model(composer, "v2"), a_model(tide, "t1")]
        self.songs = [
            *some_recordings(2, self.maren, holder=self.fjord, publisher=self.kanal),
            *some_recordings(1, self.maren, self.aoi, holder=self.fjord, publisher=self.kanal),
            *some_recordings(
                1, self.maren, featured=[self.aoi], holder=self.fjord, publisher=self.kanal
            ),
        ]

    def begin(self) -> None:
        for holder, company in product((self.fjord, self.kanal), self.companies):
            self.licence(holder, company)
        for artist in (self.maren, self.aoi):
            for use in USES:
                if self.chance(0.8):
                    answer_permission(by=None, artist=artist, use=use, stance="allow")

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def licence(self, holder: Party, company: AICompany) -> None:
        more: dict[str, object] = {"notice_days": self.random.choice([0, 10, 30])}
        if self.chance(0.2):
            more["ends_at"] = in_days(self.random.choice([5, 40]))
        if self.chance(0.2):
            more["territories"] = self.random.choice([["DE"], ["NO", "DE"]])
        if self.chance(0.2):
            more["catalogue"] = "list"
            more["recordings"] = [s for s in self.songs if self.chance(0.6)] or self.songs
        if self.chance(0.9):
            a_licence(holder, company, *USES, **more)

    def scope(self) -> Scope:
        recording = self.random.choice(self.songs) if self.chance(0.35) else None
        maker = self.random.random()
        if maker < 0.25:
            return Scope(recording=recording, tool=self.random.choice(self.tools))
        if maker < 0.4:
            return Scope(recording=recording, company=self.random.choice(self.companies))
        return Scope(recording=recording)

    def act(self) -> Act | None:
        """One thing happens; returns the act where somebody answered."""
        what = self.random.random()
        if what < 0.08:
            self.reports()
            return None
        if what < 0.12:
            if self.chance(0.5):
                suspend_tool(by=None, tool=self.random.choice(self.tools))
            else:
                retire_model_version(by=None, model_version=self.random.choice(self.models))
            return None
        if what < 0.2:
            return self.undoes()
        artist = self.random.choice([self.maren, self.maren, self.aoi])
        use = self.random.choice(USES)
        try:
            if what < 0.28:
                cleared = clear_permission(
                    by=None,
                    artist=artist,
                    use=use,
                    scope=self.scope(),
                    territories=self.random.choice(TERRITORIES),
                )
                return cleared.permission.act if cleared else None
            stance = self.random.choice(["allow", "allow", "deny", "deny", "ask", "undecided"])
            if what < 0.4:
                hers = artist.billed.values_list("recording", flat=True)
                some = [pk for pk in hers if self.chance(0.6)]
                return answer_recordings(
                    by=None, artist=artist, use=use, stance=stance, recordings=some
                )
            given = answer_permission(
                by=None,
                artist=artist,
                use=use,
                stance=stance,
                scope=self.scope(),
                territories=self.random.choice(TERRITORIES),
                valid_from=in_days(self.random.choice([1, 3, 20])) if self.chance(0.15) else None,
                valid_until=in_days(self.random.choice([25, 60])) if self.chance(0.15) else None,
                notice_days=7 if stance == "allow" and self.chance(0.2) else None,
            )
        except Refused:
            return None
        return given.permission.act if given.changed else None

    def undoes(self) -> Act | None:
        acts = Act.objects.filter(artist__isnull=False, undone_by=None).order_by("-created_at")[:4]
        if not acts:
            return None
        try:
            return undo_act(by=None, act=self.random.choice(list(acts))).act
        except Refused:
            return None

    def reports(self) -> None:
        model = self.random.choice(self.models)
        report_training_run(
            company=model.tool.company,
            client_ref=f"run {self.random.random()}",
            model_version=model,
            use=USES[0],
            trained_at=now(),
            isrcs=[self.random.choice(self.songs).isrc],
        )


def every_claim_is_what_decide_says(life: Life, act: Act) -> None:
    """Compare the rows of an act with the decisions before it and after it."""
    span = LedgerEntry.objects.filter(act=act.ref).aggregate(first=Min("seq"), last=Max("seq"))
    recorded = LedgerEntry.objects.get(seq=span["last"]).recorded_at
    answers = list(act.permissions.select_related("tool", "company"))
    rows = list(Withdrawal.objects.filter(permission__act=act).select_related("permission"))
    for key in {_key(p) for p in answers}:
        mine = [p for p in answers if _key(p) == key]
        theirs = [row for row in rows if _key(row.permission) == key]
        if mine[0].stance == "allow":
            assert not theirs
            continue
        begins = max(mine[0].valid_from or recorded, recorded)
        songs = [
            s
            for s in life.songs
            if s.billed.filter(artist=act.artist).exists()
            and any(p.recording_id in (None, s.pk) for p in mine)
        ]
        lost = dict(_lost(life, mine[0], songs, begins, span["first"] - 1, span["last"]))
        _compare(life, theirs, lost, songs, begins, mine[0])


def _key(p: Permission) -> tuple[object, ...]:
    places = tuple(p.territories)
    return (
        p.use,
        p.company_id,
        p.tool_id,
        places,
        p.valid_from,
        p.recording_id is None,
        p.stance == "allow",
    )


def _lost(
    life: Life, no: Permission, songs: list[Recording], at: datetime, before: int, after: int
) -> Iterator[tuple[tuple[Tool, ModelVersion | None], datetime]]:
    """For each tool and model version that lost anything: the last moment that outputs run to."""
    for tool in life.tools:
        if no.tool_id not in (None, tool.pk) or no.company_id not in (None, tool.company_id):
            continue
        for model in (None, *(m for m in life.models if m.tool_id == tool.pk)):
            ref = model.ref if model else None
            places = no.territories or PLACES
            asks = [
                Ask(s.isrc, no.use, tool.slug, place, at, ref) for s in songs for place in places
            ]
            if not asks:
                continue
            was = decide_many(asks, known_seq=before).decisions
            is_now = decide_many(asks, known_seq=after).decisions
            ends = []
            for earlier, later in zip(map(_until, was), map(_until, is_now), strict=True):
                if earlier is not None and (later is None or later < earlier):
                    ends.append(later or at)
            if ends:
                yield (tool, model), max(ends)


def _until(decision: object) -> datetime | None:
    if not decision.allowed:  # type: ignore[attr-defined]
        return None
    reasons = decision.reasons  # type: ignore[attr-defined]
    return min((r.until for r in reasons if r.code == "runs_off"), default=NO_END)


def _compare(
    life: Life,
    rows: list[Withdrawal],
    lost: dict[tuple[Tool, ModelVersion | None], datetime],
    songs: list[Recording],
    begins: datetime,
    no: Permission,
) -> None:
    taught = set(
        TrainingUse.objects.filter(recording__in=songs).values_list("model_version", flat=True)
    )
    by_model = {row.model_version_id: row for row in rows if row.model_version_id is not None}
    for (_tool, model), until in lost.items():
        if model is not None:
            assert by_model[model.pk].outputs_until == until, no
    also = by_model.keys() - {model.pk for _tool, model in lost if model is not None}
    for key in also:  # what has learned is named though nothing more was allowed anyway
        assert key in taught
        assert no.use == USES[0]
        assert by_model[key].outputs_until == begins
    named = {m.tool_id for m in life.models if m.pk in by_model}
    without = {t.company_id for (t, m) in lost if m is None and t.pk not in named}
    assert {row.company_id for row in rows if row.model_version_id is None} == without, no
    for row in rows:
        assert row.already_trained == (row.model_version_id in taught)
        assert row.outputs_until >= begins
        assert row.acknowledge_by == begins + timedelta(days=7)


@pytest.mark.parametrize("many", [MANY, 0], ids=["all in line", "what matters found beforehand"])
def test_in_random_lives_every_row_says_what_decide_says(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawals, "MANY", many)
    checked = 0

    @settings(
        deadline=None,
        max_examples=EXAMPLES,
        suppress_health_check=list(HealthCheck),
        derandomize=os.environ.get("LINER_TEST_SOAK") != "1",
    )
    @given(st.integers(min_value=0, max_value=2**32))
    def every_life(seed: int) -> None:
        nonlocal checked
        with transaction.atomic():
            try:
                life = Life(Random(seed))
                life.begin()
                for _ in range(8):
                    act = life.act()
                    if act is not None:
                        every_claim_is_what_decide_says(life, act)
                        checked += Withdrawal.objects.filter(permission__act=act).count()
            finally:
                transaction.set_rollback(True)

    every_life()
    assert checked > EXAMPLES
