"""Dates out of reach: refused wherever they are given, shown where a row has one all the same."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent import days
from consent.errors import Refused
from consent.models import PermissionRequest, Recording
from consent.services.claims import change_claim, end_claim, make_claim
from consent.services.licences import end_licence, sign_licence
from consent.services.requests import ask_permission
from consent.words import Right
from portal.forms.licences import OfferForm
from portal.forms.people import InviteForm
from portal.forms.permissions import AnswerForm, DayField, ManyForm
from portal.forms.usage import ExportForm, UsageForm
from portal.models import User
from portal.templatetags import times
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World, days_ahead

pytestmark = pytest.mark.django_db

FOR_EVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
ZONES = ["Europe/Oslo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows from a time when every date was taken."""
    monkeypatch.setattr(days, "LAST_DAY", date.max)


@pytest.mark.parametrize("zone", ZONES)
def test_what_ends_in_the_year_9999_can_be_read_and_taken_back_in_every_zone(
    world: World, her: Client, taken: None, zone: str
) -> None:
    User.objects.filter(pk=world.user.pk).update(time_zone=zone)
    song: Recording = world.recordings[0]
    world.says("discovery", "allow", valid_until=FOR_EVER)
    sign_licence(
        by=None,
        holder=world.fjord,
        company=world.tonewright,
        title="For ever",
        uses=["analysis_training"],
        ends_at=FOR_EVER,
    )
    asked = ask_permission(
        tool=world.tool,
        use="remix_input",
        why="For ever.",
        artists=[world.maren],
        valid_until=FOR_EVER,
    )
    make_claim(
        by=None,
        party=world.maren.party,
        recording=song,
        right=Right.PERFORMANCE,
        share_bp=1_000,
        authority="own",
        valid_until=FOR_EVER,
    )
    about = {"use": "discovery", "tool": world.tool.slug}
    pages: list[tuple[str, dict[str, Any]]] = [
        (world.url(name), {})
        for name in (
            "overview",
            "timeline",
            "permissions",
            "permission_tools",
            "permission_recordings",
            "exceptions",
            "missing",
            "withdrawals",
            "requests",
            "many",
            "standard_licence",
            "own_rights",
        )
    ]
    pages += [
        (world.url("permission_tool", tool=world.tool.slug), {}),
        (world.url("permission_recording", isrc=song.isrc), {}),
        (world.url("answer_with", use="discovery"), {}),
        (world.url("why"), about),
        (world.url("why"), {**about, "isrc": song.isrc}),
        (world.url("history"), {**about, "isrc": song.isrc, "day": days_ahead(0)}),
        (world.url("many"), {"use": "discovery", "stance": "deny"}),
        (reverse("notices"), {}),
    ]
    for url, query in pages:
        assert her.get(url, query).status_code == 200, url
    assert her.get(world.url("why_receipt"), {**about, "isrc": song.isrc}).status_code in (200, 302)
    assert her.post(world.url("answer", use="discovery"), {"stance": "deny"}).status_code == 302
    assert not world.allowed("discovery")
    ref = asked.requests[0].ref
    her.post(world.url("answer_request", ref=ref), {"stance": "deny"})
    assert PermissionRequest.objects.get(ref=ref).state == "refused"


@pytest.mark.parametrize("year", [1999, 2200, 9999])
def test_no_service_takes_a_date_out_of_reach(world: World, year: int) -> None:
    far = datetime(year, 6, 1, tzinfo=UTC)
    asking: dict[str, Any] = {
        "tool": world.tool,
        "use": "voice",
        "why": "x",
        "artists": [world.maren],
    }
    licence: dict[str, Any] = {
        "by": None,
        "holder": world.fjord,
        "company": world.tonewright,
        "title": "Far away",
        "uses": ["discovery"],
    }
    claim: dict[str, Any] = {
        "by": None,
        "party": world.maren.party,
        "recording": world.recordings[0],
        "right": Right.PERFORMANCE,
        "share_bp": 1_000,
        "authority": "own",
    }
    signed = sign_licence(**licence).licence
    mine = make_claim(**claim).claim
    calls: list[tuple[Any, str]] = [
        (lambda: ask_permission(**asking, valid_from=far), "valid_from"),
        (lambda: ask_permission(**asking, valid_until=far), "valid_until"),
        (lambda: sign_licence(**licence, starts_at=far), "starts_at"),
        (lambda: sign_licence(**licence, ends_at=far), "ends_at"),
        (lambda: end_licence(by=None, licence=signed, ends_at=far), "ends_at"),
        (lambda: make_claim(**claim, valid_from=far), "valid_from"),
        (lambda: make_claim(**claim, valid_until=far), "valid_until"),
        (lambda: change_claim(by=None, claim=mine, valid_from=far), "valid_from"),
        (lambda: change_claim(by=None, claim=mine, valid_until=far), "valid_until"),
    ]
    for call, at in calls:
        with pytest.raises(Refused) as refused:
            call()
        assert (refused.value.code, refused.value.field) == ("date_out_of_range", at)


def test_a_claim_that_ends_out_of_reach_can_still_be_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(days, "LAST_DAY", date.max)
        claim = make_claim(
            by=None,
            party=world.maren.party,
            recording=world.recordings[0],
            right=Right.PERFORMANCE,
            share_bp=1_000,
            authority="own",
            valid_until=FOR_EVER,
        )
    assert end_claim(by=None, claim=claim.claim).ended


@pytest.mark.parametrize(
    "form", [AnswerForm, ManyForm, OfferForm, InviteForm, UsageForm, ExportForm]
)
def test_every_day_in_a_form_lies_within_reach(form: Any) -> None:
    found = [field for field in form.base_fields.values() if isinstance(field, DayField)]
    assert found
    for field in found:
        assert field.widget.attrs["max"] == "2199-12-31"
        field.clean("2199-12-31")
        for far in ("0001-01-01", "1999-12-31", "2200-01-01", "9999-12-31"):
            with pytest.raises(Exception, match="A date here lies between"):
                field.clean(far)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [FOR_EVER, datetime.min.replace(tzinfo=UTC)])
def test_showing_a_moment_never_fails(zone: str, at: datetime, settings: Any) -> None:
    settings.TIME_ZONE = zone
    for style in ("minute", "day", "month", "exact"):
        assert times.moment(at, style)
    for style in ("from", "until"):
        assert times.term_day(at, style)
    assert times.plain_day(at)
