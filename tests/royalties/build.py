"""Short words for the tests of money: one label, three writers, a tool, and what it earns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from consent.models import AICompany, Artist, ModelVersion, Output, Party, Recording, Tool
from consent.services.licences import sign_licence
from consent.services.parties import register_artist
from consent.services.permissions import answer_permission
from consent.services.provenance import Part, report_output
from consent.words import PartyKind
from royalties.models import Period, Statement
from royalties.services.closing import close_period
from royalties.services.rates import RateOffer, set_rates
from royalties.services.splits import SplitSheet, record_signed_splits
from royalties.services.statements import publish_statements
from royalties.services.usage import Recorded, UsageReport, record_usage
from tests.consent.build import a_company, a_label, a_model, a_tool, an_artist, some_recordings

EURO = 1_000_000
REMIX = "remix_input"


def on(month: int, day: int, hour: int = 12) -> datetime:
    """A moment of 2026, UTC."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


@dataclass
class World:
    """Maren Holt's songs at Fjord Records, written with two others, and the tool TideSmith."""

    maren: Artist
    aoi: Artist
    tides: Artist
    fjord: Party
    publisher: Party
    company: AICompany
    tool: Tool
    model: ModelVersion
    songs: list[Recording]
    sent: int = 0

    @property
    def song(self) -> Recording:
        return self.songs[0]

    def made(
        self,
        at: datetime,
        parts: Mapping[Recording, int] | None = None,
        rights: Sequence[str] = ("publishing",),
    ) -> str:
        """An output that drew on `parts` (basis points); returns its `client_ref`."""
        self.sent += 1
        ref = f"out-{self.sent}"
        report = report_output(
            company=self.company,
            client_ref=ref,
            model_version=self.model,
            use=REMIX,
            made_at=at,
            attributions=[
                Part(recording.isrc, right, bp, "attrib-1")
                for right in rights
                for recording, bp in (parts or {self.song: 10_000}).items()
            ],
        )
        assert isinstance(report.output, Output)
        return ref

    def report(self, output: str, at: datetime, revenue: int = EURO, **more: Any) -> UsageReport:
        self.sent += 1
        report = UsageReport(
            event_id=f"use-{self.sent}",
            occurred_at=at,
            revenue_micros=revenue,
            currency="EUR",
            output=output,
        )
        return replace(report, **more)

    def used(self, output: str, at: datetime, revenue: int = EURO, **more: Any) -> Recorded:
        (result,) = self.record(self.report(output, at, revenue, **more))
        return result

    def record(self, *reports: UsageReport) -> list[Recorded]:
        return record_usage(by=None, company=self.company, reports=reports)

    def allow(self, stance: str = "allow") -> None:
        answer_permission(by=None, artist=self.maren, use=REMIX, stance=stance)


@transaction.atomic
def a_world(songs: int = 1, *, writers: Mapping[str, int] | None = None) -> World:
    """Everything is allowed, the publisher gets all of the revenue, the writers share it."""
    maren = an_artist("Maren Holt")
    aoi = register_artist(by=None, name="田中葵", slug="aoi-tanaka", language="ja")
    tides = an_artist("The Low Tides", PartyKind.GROUP)
    fjord = a_label("Fjord Records")
    publisher = a_label("Nordlys Publishing")
    company = a_company()
    tool = a_tool(company)
    world = World(
        maren,
        aoi,
        tides,
        fjord,
        publisher,
        company,
        tool,
        a_model(tool),
        some_recordings(songs, maren, holder=fjord, publisher=publisher),
    )
    for holder, right, share in ((fjord, "master", 5_000), (publisher, "publishing", 10_000)):
        version = sign_licence(
            by=None, holder=holder, company=company, title=holder.name, uses=[REMIX]
        )
        set_rates(
            by=None,
            version=version,
            offers=[RateOffer(REMIX, right, "share_of_revenue", share_bp=share)],
        )
    world.allow()
    three = {maren: 3_334, aoi: 3_333, tides: 3_333}
    if writers is None:
        record_signed_splits(
            by=None,
            sheets=[
                SplitSheet(song, "publishing", {a.party: bp for a, bp in three.items()})
                for song in world.songs
            ],
        )
    return world


def the_month(month: int) -> Period:
    return Period.objects.get(starts_on=datetime(2026, month, 1, tzinfo=UTC).date())


def closed(month: int) -> Period:
    """Close and publish a month of 2026."""
    period = close_period(by=None, period=the_month(month))
    publish_statements(by=None, period=period)
    period.refresh_from_db()
    return period


def the_statement(artist: Artist | Party, month: int, currency: str = "EUR") -> Statement:
    return Statement.objects.get(party=artist.pk, period=the_month(month), currency=currency)
