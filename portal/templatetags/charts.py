"""Charts as figures: whole numbers in, places on an SVG out. No script, no style attribute.

Places are percentages of the plot, so that the drawing stretches with the page while its
lettering keeps its size; they are computed in whole hundredths of a percent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise

from portal.templatetags.figures import count, money_minor, money_round

FILLS: Final = 6  # tables.css and chart.html know this many
WHOLE: Final = 10_000  # hundredths of a percent


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of bar part: its name and one value per period, 0 or more."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle, in percent of the plot, and what it says when pointed at."""

    x: str
    y: str
    width: str
    height: str
    fill: int
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at a place: a month under the floor, an amount beside a grid line."""

    at: str
    word: str
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class BarChart:
    """Stacked bars over periods.

    ``caption`` heads the figure, ``summary`` says in a sentence what the drawing shows (it is the
    text alternative), ``periods`` are the short words under the bars, ``series`` at most six.
    With ``currency`` the values are minor units; without, they are counts.
    Raises ``ValueError`` when a series does not fit the periods, when a value is negative, and
    for more than six series (put the rest together first: a seventh could not be told apart).
    """

    caption: str | Promise
    summary: str | Promise
    periods: Sequence[str]
    series: Sequence[Series]
    currency: str = ""

    def __post_init__(self) -> None:
        if len(self.series) > FILLS:
            raise ValueError(f"A chart shows at most {FILLS} series.")
        for one in self.series:
            if len(one.values) != len(self.periods):
                raise ValueError(f"Series {one.name!r} does not have one value per period.")
            if any(value < 0 for value in one.values):
                raise ValueError(f"Series {one.name!r} has a negative value.")

    @property
    def totals(self) -> list[int]:
        """The sum of each period."""
        return [sum(one.values[i] for one in self.series) for i in range(len(self.periods))]

    @property
    def top(self) -> int:
        """The value at the upper edge: the smallest round number that covers every total."""
        return step_for(max(self.totals, default=0)) * 4

    def write(self, value: int) -> str:
        """A value as the page writes it."""
        return money_minor(value, self.currency) if self.currency else count(value)

    @property
    def parts(self) -> list[Part]:
        """Every rectangle, bottom up within each period; parts of size zero are left out."""
        drawn = []
        slot = WHOLE // max(len(self.periods), 1)
        width = slot * 16 // 25
        for i, period in enumerate(self.periods):
            below = 0
            for fill, one in enumerate(self.series, start=1):
                value = one.values[i]
                if value:
                    # Edges, not heights, are rounded: neighbours then meet without a gap.
                    low, high = (v * WHOLE // self.top for v in (below, below + value))
                    drawn.append(
                        Part(
                            x=percent(i * slot + (slot - width) // 2),
                            y=percent(WHOLE - high),
                            width=percent(width),
                            height=percent(high - low),
                            fill=fill,
                            says=f"{period}: {one.name}, {self.write(value)}",
                        )
                    )
                below += value
        return drawn

    @property
    def feet(self) -> list[Mark]:
        """The words under the bars; on a narrow page every second one of many is left out."""
        slot = WHOLE // max(len(self.periods), 1)
        many = len(self.periods) > 8
        last = len(self.periods) - 1
        return [
            Mark(percent(i * slot + slot // 2), word, sparse=many and (last - i) % 2 == 1)
            for i, word in enumerate(self.periods)
        ]

    @property
    def lines(self) -> list[Mark]:
        """Grid lines above the floor, each with its value."""
        step = self.top // 4
        write = (lambda v: money_round(v, self.currency)) if self.currency else count
        return [Mark(percent(WHOLE - WHOLE * n // 4), write(step * n)) for n in (4, 3, 2, 1)]

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, str]], str]]:
        """The table behind the drawing: period, (name, text) per series, total."""
        return [
            (
                period,
                [(one.name, self.write(one.values[i])) for one in self.series],
                self.write(total),
            )
            for i, (period, total) in enumerate(zip(self.periods, self.totals, strict=True))
        ]


def step_for(highest: int) -> int:
    """The distance between four grid lines that cover it: 1, 2, 3 or 5 times a power of ten."""
    scale = 1
    while True:
        for digit in (1, 2, 3, 5):
            if digit * scale * 4 >= highest:
                return digit * scale
        scale *= 10


def percent(hundredths: int) -> str:
    """1234 hundredths of a percent as SVG reads them: ``12.34%``."""
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def spark_points(values: Sequence[int]) -> str:
    """Points of a small line over a box of 100 × 24; the lowest value of the axis is zero."""
    top = max(values, default=0) or 1
    last = max(len(values) - 1, 1)
    return " ".join(f"{i * 100 // last},{23 - value * 22 // top}" for i, value in enumerate(values))
