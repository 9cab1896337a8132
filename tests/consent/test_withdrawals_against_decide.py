"""Random lives of a small world: every row of a withdrawal says what `decide` says."""

import os
from collections.abc import Callable
from itertools import product
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.clock import now
from consent.errors import Refused
from consent.models import (
    Act,
    AICompany,
    Artist,
    Party,
    Withdrawal,
)
from consent.queries import withdrawals
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
from consent.services.withdrawals import end_withdrawals, end_withdrawals_of
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
from tests.consent.told import Overs, every_claim_is_what_decide_says

pytestmark = pytest.mark.django_db

USES = ("generative_training", "discovery")
TERRITORIES: tuple[list[str], ...] = ([], [], [], ["DE"], ["DE", "NO"])
STANCES = ("allow", "allow", "deny", "deny", "ask", "undecided")
EXAMPLES = 1_500 if os.environ.get("LINER_TEST_SOAK") == "1" else 25


class Cast:
    """Two artists, two companies, three tools of which one has no model version."""

    def __init__(self) -> None:
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


class Life:
    """What happens to a cast, which many lives share."""

    def __init__(self, cast: Cast, random: Random) -> None:
        self.random = random
        self.maren, self.aoi, self.fjord, self.kanal = cast.maren, cast.aoi, cast.fjord, cast.kanal
        self.companies, self.tools, self.models = cast.companies, cast.tools, cast.models
        self.songs = cast.songs

    def begin(self) -> None:
        for holder, company in product((self.fjord, self.kanal), self.companies):
            self.licence(holder, company)
        for artist in (self.maren, self.aoi):
            for use in USES:
                if self.chance(0.8):
                    answer_permission(by=None, artist=artist, use=use, stance="allow")
            if self.chance(0.4):  # so that an undo of many brings back what differs
                self.answers_many(artist, self.random.choice(USES))

    def answers_many(self, artist: Artist, use: str) -> Act | None:
        hers = artist.billed.values_list("recording", flat=True).order_by("recording")
        return answer_recordings(
            by=None,
            artist=artist,
            use=use,
            stance=self.random.choice(STANCES),
            recordings=[pk for pk in hers if self.chance(0.6)],
        )

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
            if what < 0.4:
                return self.answers_many(artist, use)
            given = answer_permission(
                by=None,
                artist=artist,
                use=use,
                stance=(stance := self.random.choice(STANCES)),
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


def lives(live: Callable[[int], None], number: int) -> None:
    """The same lives each time; others, and shrunk where one fails, in the long trial.

    Hypothesis draws integers from what it finds in the modules that are loaded, so that even
    without chance a life would depend on which tests ran before it.
    """
    if os.environ.get("LINER_TEST_SOAK") != "1":
        for seed in range(number):
            live(seed)
        return
    every_life = given(st.integers(min_value=0, max_value=2**32))(live)
    settings(deadline=None, max_examples=number, suppress_health_check=list(HealthCheck))(
        every_life
    )()


@pytest.mark.parametrize("many", [MANY, 0], ids=["all in line", "what matters found beforehand"])
def test_in_random_lives_every_row_says_what_decide_says(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawals, "MANY", many)
    checked = 0
    cast = Cast()  # once, and not for each life: it would take longer than the life

    def live(seed: int) -> None:
        nonlocal checked
        with transaction.atomic():
            try:
                life = Life(cast, Random(seed))
                life.begin()
                for _ in range(8):
                    act = life.act()
                    if act is not None:
                        every_claim_is_what_decide_says(life, act)
                        checked += Withdrawal.objects.filter(permission__act=act).count()
            finally:
                transaction.set_rollback(True)

    lives(live, EXAMPLES)
    assert checked > EXAMPLES


def test_in_random_lives_what_is_over_is_what_decide_allows_again() -> None:
    over = part = 0
    cast = Cast()

    def live(seed: int) -> None:
        nonlocal over, part
        with transaction.atomic():
            try:
                life = Life(cast, Random(seed))
                life.begin()
                overs = Overs(life)
                for _ in range(10):
                    act = life.act()
                    if act is None:
                        Withdrawal.objects.update(look_at=now())  # as if a day had passed
                        end_withdrawals()
                    else:
                        assert act.artist is not None
                        end_withdrawals_of(artist=act.artist)
                        # Her answer may end the no of nobody else, but with hers a licence counts.
                        Withdrawal.objects.exclude(artist=act.artist).update(look_at=now())
                        end_withdrawals()
                    overs.compare()
                over += overs.seen
                part += overs.kept_open
            finally:
                transaction.set_rollback(True)

    lives(live, EXAMPLES // 2)
    assert over > EXAMPLES // 5
    assert part > EXAMPLES // 10
