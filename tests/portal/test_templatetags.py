"""How amounts, moments, names and charts are written."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from consent.words import Stance, UseKind
from portal.templatetags import charts, figures, times, wording
from royalties.money import MoneyError


def render(text: str, **context: Any) -> str:
    return Template("{% load liner %}" + text).render(Context(context))


def test_an_amount_is_written_as_the_readers_language_writes_it() -> None:
    with translation.override("en"):
        assert figures.money_minor(128406, "EUR") == "€1,284.06"
    with translation.override("de"):
        assert figures.money_minor(128406, "EUR") == "1.284,06\N{NO-BREAK SPACE}€"


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (1235, "JPY", "¥1,235"),
        (1235, "BHD", "BHD\N{NO-BREAK SPACE}1.235"),
        (5, "EUR", "€0.05"),
        (0, "EUR", "€0.00"),
        (-9640, "EUR", "\N{MINUS SIGN}€96.40"),
        (123456, "HUF", "HUF\N{NO-BREAK SPACE}1,234.56"),
        (10**18 + 1, "EUR", "€10,000,000,000,000,000.01"),
    ],
)
def test_an_amount_shows_every_unit_of_its_currency(
    amount_minor: int, currency: str, text: str
) -> None:
    assert figures.money_minor(amount_minor, currency) == text


def test_an_amount_that_is_not_a_whole_number_is_refused() -> None:
    with pytest.raises(TypeError):
        figures.money_minor(1.5, "EUR")  # type: ignore[arg-type]
    with pytest.raises(MoneyError):
        figures.money_minor(1, "EURO")


def test_an_exact_amount_keeps_its_millionths() -> None:
    assert figures.money_micros(412_184_800, "EUR") == "€412.1848"
    assert figures.money_micros(1, "EUR") == "€0.000001"
    assert figures.money_micros(412_000_000, "EUR") == "€412.00"
    assert figures.money_micros(3_000_000, "JPY") == "¥3"


def test_an_axis_leaves_out_empty_places_only() -> None:
    assert figures.money_round(50_000, "EUR") == "€500"
    assert figures.money_round(50_050, "EUR") == "€500.5"


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_no_amount_loses_or_gains_a_cent_on_the_page(amount_minor: int) -> None:
    text = figures.money_minor(amount_minor, "EUR")
    digits = "".join(c for c in text if c.isdigit())
    assert int(digits) == abs(amount_minor)
    assert text.startswith("\N{MINUS SIGN}") == (amount_minor < 0)


def test_basis_points_are_written_as_an_exact_percentage() -> None:
    assert figures.percent_bp(655) == "6.55\N{NO-BREAK SPACE}%"
    assert figures.percent_bp(5000) == "50\N{NO-BREAK SPACE}%"
    assert figures.percent_bp(1) == "0.01\N{NO-BREAK SPACE}%"
    with translation.override("de"):
        assert figures.percent_bp(655) == "6,55\N{NO-BREAK SPACE}%"


def test_a_moment_is_shown_in_the_readers_zone_and_kept_in_utc_for_machines() -> None:
    at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        html = times.moment(at)
    assert 'datetime="2026-11-03T23:30:00Z"' in html
    assert "4 Nov 2026, 08:30" in html
    assert 'title="Asia/Tokyo"' in html


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "3 Nov 2026, 12:00 UTC"),
        ("Europe/Oslo", "3 Nov 2026, 13:00 UTC+01:00"),
        ("Asia/Kolkata", "3 Nov 2026, 17:30 UTC+05:30"),
    ],
)
def test_a_moment_in_a_mail_says_how_far_its_clock_is_off(zone: str, said: str) -> None:
    at = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    with timezone.override(zone):
        assert times.plain_minute(at) == said
        assert said.rpartition(" ")[2] + "</time>" in times.moment(at, "exact")


def test_a_day_has_no_zone_and_a_moment_is_not_a_day() -> None:
    with timezone.override("Asia/Tokyo"):
        html = times.day(date(2026, 11, 3))
    assert html == '<time datetime="2026-11-03">3 Nov 2026</time>'
    assert times.day(date(2026, 10, 1), "month") == '<time datetime="2026-10">October 2026</time>'
    with pytest.raises(TypeError):
        times.day(datetime(2026, 11, 3, tzinfo=UTC))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        times.moment(datetime(2026, 11, 3))  # noqa: DTZ001
    with pytest.raises(ValueError, match="not a style"):
        times.moment(datetime(2026, 11, 3, tzinfo=UTC), "loud")


def test_when_takes_a_moment_a_day_or_nothing() -> None:
    assert render("{% when at %}", at=None) == ""
    assert "12 Nov 2026, 11:04" in render(
        "{% when at %}", at=datetime(2026, 11, 12, 11, 4, tzinfo=UTC)
    )
    assert "12 Nov 2026<" in render("{% when at %}", at=date(2026, 11, 12))


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(214_000, "3:34"), (59_999, "1:00"), (3_723_000, "1:02:03"), (0, "0:00"), (None, "")],
)
def test_a_length_is_written_as_sleeves_write_it(milliseconds: int | None, text: str) -> None:
    assert times.duration(milliseconds) == text


def test_a_title_is_set_in_its_own_script() -> None:
    assert wording.in_script("紙の灯籠", "ja") == '<bdi lang="ja">紙の灯籠</bdi>'
    assert wording.in_script("قمر") == "<bdi>قمر</bdi>"


def test_a_title_of_the_other_direction_keeps_its_place_in_a_sentence() -> None:
    assert wording.isolated("قمر") == "\u2068قمر\u2069"
    assert wording.isolated("1. שלום") == "\u20681. שלום\u2069"
    assert wording.isolated("Havn") == "Havn"
    assert wording.isolated("紙の灯籠") == "紙の灯籠"
    with translation.override("he"):
        assert wording.isolated("Havn") == "\u2068Havn\u2069"
        assert wording.isolated("שלום") == "שלום"


def test_a_title_turns_nothing_around_that_stands_after_it() -> None:
    assert wording.isolated("Havn\u202e") == "Havn"
    assert wording.isolated("\u2069قمر\u2066") == "\u2068قمر\u2069"


def test_a_title_that_looks_like_markup_stays_a_title() -> None:
    html = wording.in_script("<script>alert(1)</script>", '"><script>')
    assert "<script>" not in html


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maren Holt", "MH"),
        ("田中葵", "田"),
        ("田中 葵", "田"),
        ("The Low Tides", "LT"),
        ("Ines", "I"),
        ("élan vital", "ÉV"),
        ("“…”", "?"),
        ("", "?"),
        ("The", "T"),
    ],
)
def test_a_name_is_stood_for_by_its_initials(name: str, letters: str) -> None:
    assert wording.initials(name) == letters


def test_an_isrc_is_written_in_its_four_parts() -> None:
    assert render("{{ code|isrc }}", code="NOUM72400192") == (
        '<span class="isrc">NO-UM7-24-00192</span>'
    )


def test_every_use_kind_and_every_stance_has_its_words() -> None:
    assert [wording.use_title(kind) for kind in UseKind.values]
    assert [wording.stance_word(stance) for stance in Stance.values] == [
        "Later",
        "No",
        "Ask me",
        "Yes",
    ]
    with pytest.raises(ValueError, match="borrow"):
        wording.use_title("borrow")


def test_a_state_that_nobody_defined_is_never_guessed() -> None:
    assert wording.state("waits").css == "waits"
    with pytest.raises(KeyError):
        wording.state("probably")


def test_green_is_only_for_what_holds_and_amber_only_for_what_waits() -> None:
    assert {code for code, one in wording.STATES.items() if one.css == "holds"} == {
        "allowed",
        "partly",
    }
    assert {code for code, one in wording.STATES.items() if one.css == "waits"} == {"waits"}


def chart(*series: charts.Series, periods: int = 3, currency: str = "EUR") -> charts.BarChart:
    return charts.BarChart("Three months", "Rising", ["a", "b", "c"][:periods], series, currency)


def hundredths(percent: str) -> int:
    whole, part = percent.removesuffix("%").split(".")
    return int(whole) * 100 + int(part)


def test_bars_stand_on_the_floor_and_parts_stand_on_each_other() -> None:
    figure = chart(charts.Series("A", [100, 0, 300]), charts.Series("B", [100, 50, 0]))
    first, second = (part for part in figure.parts if part.x == figure.parts[0].x)
    assert hundredths(first.y) + hundredths(first.height) == charts.WHOLE
    assert hundredths(second.y) + hundredths(second.height) == hundredths(first.y)
    assert len(figure.parts) == 4  # what is zero is not drawn


@given(
    st.lists(
        st.lists(st.integers(0, 10**12), min_size=3, max_size=3), min_size=1, max_size=charts.FILLS
    )
)
def test_no_bar_leaves_the_plot_and_the_table_adds_up(values: list[list[int]]) -> None:
    figure = chart(*(charts.Series(str(i), one) for i, one in enumerate(values)), currency="")
    assert figure.top >= max(figure.totals)
    for part in figure.parts:
        assert hundredths(part.y) >= 0
        assert hundredths(part.y) + hundredths(part.height) <= charts.WHOLE
        assert hundredths(part.x) + hundredths(part.width) <= charts.WHOLE
    for i, (_period, cells, total) in enumerate(figure.rows):
        assert total == figures.count(sum(one[i] for one in values))
        assert len(cells) == len(values)


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    figure = chart(charts.Series("A", [0, 0, 0]))
    assert figure.parts == []
    assert render("{% bar_chart c %}", c=figure).count("<svg") == 2
    assert render("{% bar_chart c %}", c=chart(periods=0))


@pytest.mark.parametrize(
    "series",
    [
        [charts.Series("A", [1, 2])],
        [charts.Series("A", [1, -2, 3])],
        [charts.Series(str(i), [1, 2, 3]) for i in range(7)],
    ],
)
def test_a_chart_that_would_mislead_is_refused(series: list[charts.Series]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        chart(*series)


def test_a_chart_has_a_text_and_a_table_for_those_who_do_not_see_it() -> None:
    html = render("{% bar_chart c %}", c=chart(charts.Series("Tonewright", [100, 200, 300])))
    assert 'role="img"' in html
    assert 'aria-label="Rising"' in html
    assert "<table" in html
    assert "€3.00" in html


def test_a_small_line_stays_in_its_box() -> None:
    assert charts.spark_points([0, 5, 10]) == "0,23 50,12 100,1"
    assert charts.spark_points([7]) == "0,1"
    assert charts.spark_points([]) == ""


def test_a_long_list_of_pages_is_shortened_around_the_current_one() -> None:
    assert render("{{ page|page_range|join:' ' }}", page=Paginator(range(2041), 25).page(40)) == (
        "1 … 39 40 41 … 82"
    )
