"""Telling the demo: every scene at its moment, and what machines and the month's end bring."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings

from consent.clock import now
from consent.models import Withdrawal
from consent.services.sealing import seal_ledger
from consent.services.work import perform
from portal.demo.calendar import MONTHS, Calendar
from portal.demo.clock import DemoClock
from portal.demo.machines import Machines
from portal.demo.stage import Stage
from portal.demo.year import Scene, scenes
from portal.models import Notice
from portal.services.ends import tell_ends
from portal.services.news import tell_news, tell_overdue_withdrawals, tell_statements
from portal.services.notices import finish_old_news
from portal.services.texts import tell_changed_texts
from royalties.models import Period
from royalties.services.closing import close_period
from royalties.services.statements import publish_statements

EVENTS = 50_000


def tell(
    *,
    events: int = EVENTS,
    at: datetime | None = None,
    progress: Callable[[int, int], object] = lambda done, all_: None,
) -> Stage:
    """Play the demo on an empty database; returns its people and things.

    About `events` uses are reported over twelve months, which are closed and published. `at` (UTC)
    is the moment that everything is counted back from, by default the machine's. `progress` is
    called with how many scenes have been played, and how many there are.

    Raises `Refused`: `not_empty`, `no_owner`.
    """
    calendar = Calendar(at or datetime.now(UTC))
    stage = Stage(calendar, DemoClock())
    stage.clock.open(calendar.begins)
    play = sorted([*scenes(stage), *_months(stage, events)], key=lambda scene: scene.at)
    with _no_mail():
        for number, scene in enumerate(play):
            progress(number, len(play))
            stage.clock.move(scene.at)
            scene.what(stage)
            tell_news()
            tell_changed_texts()
        stage.clock.let_go()
        _catch_up(stage)
        _do_what_is_due()
    progress(len(play), len(play))
    return stage


def _months(stage: Stage, events: int) -> Iterator[Scene]:
    """Companies report on the first, money is counted on the second, paid on the fifth."""
    calendar = stage.calendar
    told: list[Machines] = []

    def report(month: int) -> Callable[[Stage], None]:
        def what(stage: Stage) -> None:
            if not told:
                told.append(Machines(stage, events=events))
            told[0].report(month, until=min(now(), calendar.latest))

        return what

    def close(month: int) -> Callable[[Stage], None]:
        def what(stage: Stage) -> None:
            close_period(by=stage.by, period=_period(calendar, month))
            _catch_up(stage)

        return what

    def publish(month: int) -> Callable[[Stage], None]:
        def what(stage: Stage) -> None:
            publish_statements(by=stage.by, period=_period(calendar, month))
            _catch_up(stage)

        return what

    for month in range(MONTHS + 1):
        yield Scene(min(calendar.day(month + 1, 1, 3), calendar.latest), report(month))
        for when, what in (
            (calendar.day(month + 1, 2, 6), close(month)),
            (calendar.day(month + 1, 5, 9), publish(month)),
        ):
            if when <= calendar.latest:
                yield Scene(when, what)


def _period(calendar: Calendar, month: int) -> Period:
    return Period.objects.get(starts_on=calendar.month(month).date())


def _catch_up(stage: Stage) -> None:
    """What the clock does all day: tell what is in no entry of the ledger, and seal that."""
    tell_statements()
    tell_overdue_withdrawals()
    tell_ends()
    seal_ledger()


def _do_what_is_due() -> None:
    """What a worker would have done meanwhile; news a week old is not sent any more."""
    finish_old_news()
    for kind in (Notice, Withdrawal):
        for key in kind.due(now()).values_list("pk", flat=True):
            perform(kind, key)


@contextmanager
def _no_mail() -> Iterator[None]:
    """Send no mail meanwhile: nobody waits for news of a year ago, at addresses that are nobody's.

    Only this process, which does nothing else, is meant to use it.
    """
    before = settings.MAILERS
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
    try:
        yield
    finally:
        settings.MAILERS = before
