"""The first page: what changed since somebody was last here, and what waits for her."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.models import Artist, Permission, Withdrawal
from consent.queries.texts import text_replaced
from consent.queries.usage import ToolUsage, UsageFilter, usage_by_tool
from consent.words import Stance, UseKind
from portal.access import Access
from portal.models.roster import LedgerNow
from portal.notices import Told, names_of, render
from portal.queries.notices import notices_of
from portal.queries.own import still_to_speak
from portal.queries.rows import Link, Reader
from portal.queries.saying import terms_of
from portal.roles import Scope
from portal.templatetags.figures import count
from royalties.models import SplitVersion
from royalties.queries.earnings import MonthEarned, earnings_by_month
from royalties.words import SplitStatus

LATELY: Final = timedelta(days=30)
"""What a first visit is shown, and the most that one after a long time is."""

NEWS_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Waits:
    """One thing that waits for the reader, in a sentence, and where it is done."""

    sentence: str
    link: Link


@dataclass(frozen=True, slots=True)
class GeneralAnswer:
    """What the artist answered on a use kind, in general. Not what holds: others have a say.

    `again`: it was a yes to an earlier text, and is none any more. `later`: the next that is
    decided already, and from when.
    """

    use: str
    title: str
    stance: str
    answer: str
    again: bool = False
    later: str = ""


def answers_in_general(artist: Artist) -> list[GeneralAnswer]:
    """Her answers for all her work everywhere, in the order of the use kinds; one query.

    An answer that ran out is none any more, nor is a yes to an earlier text.
    """
    latest = (
        Permission.objects.filter(artist=artist, scope="*/*", territories=[])
        .annotate(
            now=LedgerNow(),
            waits=Case(When(valid_from__gt=LedgerNow(), then=F("pk"))),
            replaced=text_replaced(),
        )
        .order_by("use", "waits", "-id")
        .distinct("use", "waits")
    )
    lines: dict[str, list[Permission]] = {}
    for row in latest:
        lines.setdefault(row.use, []).append(row)
    said: dict[str, Stance] = {}
    again: set[str] = set()
    later: dict[str, str] = {}
    for one in (one for line in lines.values() for one in still_to_speak(line, _now(line))):
        if one.__dict__["waits"] is not None:
            words = {"answer": str(Stance(one.stance).label), "terms": terms_of(one)}
            later.setdefault(one.use, _("“%(answer)s”%(terms)s") % words)
            continue
        over = one.valid_until is not None and one.valid_until <= one.__dict__["now"]
        said[one.use] = Stance.UNDECIDED if over else Stance(one.stance)
        if said[one.use] == Stance.ALLOW and one.__dict__["replaced"]:
            said[one.use] = Stance.UNDECIDED
            again.add(one.use)
    return [
        GeneralAnswer(
            use=use.value,
            title=str(use.label),
            stance=said.get(use.value, Stance.UNDECIDED).value,
            answer=(
                _("Answer again")
                if use.value in again
                else str(said.get(use.value, Stance.UNDECIDED).label)
            ),
            again=use.value in again,
            later=later.get(use.value, ""),
        )
        for use in UseKind
    ]


def _now(line: Sequence[Permission]) -> datetime:
    at: datetime = line[0].__dict__["now"]
    return at


def what_waits(reader: Reader, *, questions: int, answers: Sequence[GeneralAnswer]) -> list[Waits]:
    """What waits for this reader, the most pressing first; one query.

    `questions` is how many of AI companies are open, `answers` are those in general.
    """
    found = []
    if questions:
        found.append(
            Waits(
                ngettext(
                    "One AI company's question waits for an answer. Until then the answer is no.",
                    "%(n)s questions of AI companies wait for an answer. Until then each is a no.",
                    questions,
                )
                % {"n": count(questions)},
                Link(_("Read and answer"), reader.url("requests")),
            )
        )
    splits, overdue = _counts(reader.artist)
    if splits and reader.may(Scope.SEE_MONEY):
        found.append(
            Waits(
                ngettext(
                    "One proposed split waits for your yes. Money may be held until then.",
                    "%(n)s proposed splits wait for your yes. Money may be held until then.",
                    splits,
                )
                % {"n": count(splits)},
                Link(_("Look at the shares"), reader.url("splits")),
            )
        )
    if overdue:
        found.append(
            Waits(
                ngettext(
                    "One AI company has not confirmed in time that it stops.",
                    "%(n)s confirmations that AI companies stop are overdue.",
                    overdue,
                )
                % {"n": count(overdue)},
                Link(_("See who"), reader.url("withdrawals")),
            )
        )
    again = sum(one.again for one in answers)
    if again:
        found.append(
            Waits(
                ngettext(
                    "One text has changed since the yes to it. Until you answer again, it is a no.",
                    "%(n)s texts have changed since the yes to them. Until you answer again, each "
                    "is a no.",
                    again,
                )
                % {"n": count(again)},
                Link(_("Read and answer"), reader.url("permissions")),
            )
        )
    undecided = sum(one.stance == Stance.UNDECIDED and not one.again for one in answers)
    if undecided:
        found.append(
            Waits(
                ngettext(
                    "One use has no answer yet. Until you answer, the answer is no.",
                    "%(n)s uses have no answer yet. Until you answer, the answer is no.",
                    undecided,
                )
                % {"n": count(undecided)},
                Link(_("Decide"), reader.url("permissions")),
            )
        )
    return found


def _counts(artist: Artist) -> tuple[int, int]:
    """Splits that wait for this artist, and companies that are late; one query."""
    splits = SplitVersion.objects.filter(
        status=SplitStatus.PENDING, shares__party=OuterRef("pk"), shares__answer=None
    )
    overdue = Withdrawal.objects.filter(
        artist=OuterRef("pk"),
        acknowledged_at=None,
        over_at=None,
        acknowledge_by__lte=LedgerNow(),
    )
    row = (
        Artist.objects.filter(pk=artist.pk)
        .values_list(_how_many(splits, "status"), _how_many(overdue, "artist"))
        .first()
    )
    return row or (0, 0)


def _how_many(rows: QuerySet[Any], by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(n=Count("pk", distinct=True)).values("n")
    return Coalesce(Subquery(counted), 0)


def news(access: Access, artist: Artist, *, since: datetime | None) -> Sequence[Told]:
    """What this reader was told about the artist since then (UTC), newest first; two queries.

    Without `since` the latest, whenever it was. One more than is shown says that there is more.
    """
    rows: QuerySet[Any] = notices_of(access).filter(artist=artist).select_related("artist__party")
    if since is not None:
        rows = rows.filter(created_at__gt=since)
    found = list(rows[: NEWS_SHOWN + 1])
    names = names_of(found)
    return [render(row, names) for row in found]


def used_since(artist: Artist, since: datetime) -> list[ToolUsage]:
    """What each tool did since then (UTC), the busiest last moment first; one query."""
    return usage_by_tool(artist, only=UsageFilter(since=since))


@dataclass(frozen=True, slots=True)
class Money:
    """The latest statement in one currency, and how the months before it went."""

    latest: MonthEarned
    trend: tuple[int, ...]


def money_of(artist: Artist, *, months: int = 12) -> list[Money]:
    """One per currency, the one that was paid last first; one query."""
    by_currency: dict[str, list[MonthEarned]] = {}
    for month in earnings_by_month(artist):
        by_currency.setdefault(month.currency, []).append(month)
    found = [
        Money(rows[0], tuple(_upwards(row.paid_minor for row in rows[:months])))
        for rows in by_currency.values()
    ]
    return sorted(found, key=lambda one: one.latest.month, reverse=True)


def _upwards(amounts: Iterable[int]) -> list[int]:
    """In the order of time, and nothing below the floor: a line of what came in."""
    return [max(amount, 0) for amount in reversed(list(amounts))]
