"""Licences: signed, superseded and ended, never edited; and what they do to decisions."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from consent import standard_licence
from consent.clock import now
from consent.errors import Frozen, Refused
from consent.licence_terms import Terms
from consent.models import (
    AICompany,
    LedgerAlarm,
    LedgerEntry,
    Licence,
    LicenceListing,
    LicenceVersion,
    Party,
    Tool,
)
from consent.queries.decision import Ask, decide_one
from consent.queries.licences import (
    artists_touched_by,
    licences_of,
    licences_touching,
    overrides_public,
    speaking_versions,
    standing_versions,
)
from consent.services.licences import (
    end_licence,
    licence_body,
    offer_standard_licence,
    sign_licence,
    supersede_licence,
)
from consent.services.parties import change_party_state
from consent.services.tools import suspend_company
from tests.consent import build
from tests.consent.asking import *  # noqa: F403 - the company that asks, and its tool

pytestmark = pytest.mark.django_db

CLAUSE = "§ 14.3: the label may license AI uses without further approval"


@pytest.fixture
def label() -> Party:
    return build.a_label()


def leaves(kind: str) -> list[dict[str, Any]]:
    found = LedgerEntry.objects.filter(kind=kind).order_by("seq")
    return [json.loads(e.body) for e in found]


def refusal(label: Party, company: AICompany, *uses: str, **terms: Any) -> Refused:
    before = (Licence.objects.count(), LedgerEntry.objects.count())
    with pytest.raises(Refused) as refused:
        build.a_licence(label, company, *uses, **terms)
    assert (Licence.objects.count(), LedgerEntry.objects.count()) == before
    return refused.value


def test_no_licence_no_use(label: Party, company: AICompany, tool: Tool) -> None:
    maren = build.an_artist()
    recording = build.a_recording(maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    ask = Ask(recording.isrc, "discovery", tool.slug)
    assert decide_one(ask).deciding.code == "no_licence"
    build.a_licence(label, company, "discovery")
    assert decide_one(ask).allowed


def test_a_licence_does_not_answer_for_the_artist(
    label: Party, company: AICompany, tool: Tool
) -> None:
    recording = build.a_recording(build.an_artist(), holder=label)
    build.a_licence(label, company, "discovery")
    decision = decide_one(Ask(recording.isrc, "discovery", tool.slug))
    assert decision.deciding.code == "artist_undecided"


def test_a_leaf_holds_all_that_a_decision_reads_and_no_free_text(
    label: Party, company: AICompany, tool: Tool
) -> None:
    recordings = build.some_recordings(2, build.an_artist(), holder=label)
    model = build.a_model(tool)
    until = build.in_days(100)
    version = build.a_licence(
        label,
        company,
        "remix_input",
        "discovery",
        catalogue="all_except",
        recordings=recordings,
        territories=["se", "NO", "no"],
        ends_at=until,
        notice_days=30,
        model_versions=[model],
        artist_approval=False,
        override_clause=CLAUSE,
        terms="As agreed in Oslo.",
    )
    [body] = leaves("licence.signed")
    commitment = body.pop("personal")
    assert len(commitment) == 64
    assert body == {
        "artist_approval": False,
        "by": None,
        "catalogue": "all_except",
        "company": str(company.party.ref),
        "ended": False,
        "from": None,
        "holder": str(label.ref),
        "licence": str(version.licence.ref),
        "listed": body["listed"],
        "model_versions": [str(model.ref)],
        "notice_days": 30,
        "number": 1,
        "territories": ["NO", "SE"],
        "until": until.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "uses": ["discovery", "remix_input"],
    }
    assert body["listed"]["count"] == 2
    entry = LedgerEntry.objects.get(kind="licence.signed").body
    assert CLAUSE not in entry
    assert label.name not in entry


def test_the_leaf_can_be_made_again_from_the_rows(label: Party, company: AICompany) -> None:
    recordings = build.some_recordings(3, build.an_artist(), holder=label)
    build.a_licence(label, company, "discovery", catalogue="list", recordings=recordings)
    [body] = leaves("licence.signed")
    del body["personal"]
    version = LicenceVersion.objects.get()
    isrcs = version.listings.values_list("recording__isrc", flat=True)
    assert licence_body(None, version, isrcs=list(isrcs), models=[]) == body


@pytest.mark.parametrize(
    ("terms", "code", "field"),
    [
        ({"uses": ["teleport"]}, "unknown_use", "uses"),
        ({"uses": []}, "licence_uses", "uses"),
        ({"catalogue": "some"}, "unknown_catalogue", "catalogue"),
        ({"catalogue": "list"}, "listing_missing", "recordings"),
        ({"catalogue": "all_except"}, "listing_missing", "recordings"),
        ({"territories": ["Norway"]}, "unknown_territory", "territories"),
        ({"territories": ["EU"]}, "unknown_territory", "territories"),
        ({"notice_days": 366}, "notice_days", "notice_days"),
        ({"artist_approval": False}, "override_clause", "override_clause"),
        (
            {"artist_approval": False, "override_clause": "   "},
            "override_clause",
            "override_clause",
        ),
        ({"override_clause": CLAUSE}, "override_needless", "override_clause"),
        ({"title": ""}, "blank", "title"),
    ],
)
def test_a_licence_that_makes_no_sense_is_refused_and_nothing_is_written(
    label: Party, company: AICompany, terms: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        sign_licence(
            **{
                "by": None,
                "holder": label,
                "company": company,
                "title": "Frame agreement",
                "uses": ["discovery"],
                **terms,
            }
        )
    assert (refused.value.code, refused.value.field) == (code, field)
    assert str(refused.value.sentence)
    assert not Licence.objects.exists()
    assert not leaves("licence.signed")


def test_a_licence_for_everything_takes_no_list(label: Party, company: AICompany) -> None:
    recording = build.a_recording(build.an_artist(), holder=label)
    assert refusal(label, company, recordings=[recording]).code == "listing_needless"


@pytest.mark.parametrize("use", ["voice", "style", "name_image"])
def test_no_contract_overrides_voice_style_name_and_image(
    label: Party, company: AICompany, use: str
) -> None:
    refused = refusal(
        label, company, "discovery", use, artist_approval=False, override_clause=CLAUSE
    )
    assert (refused.code, refused.field) == ("artist_always_decides", "uses")


def test_a_backdated_beginning_is_refused(label: Party, company: AICompany) -> None:
    assert refusal(label, company, starts_at=build.in_days(-1)).code == "from_in_the_past"
    assert refusal(label, company, ends_at=build.in_days(-1)).code == "until_in_the_past"
    tomorrow = build.in_days(1)
    refused = refusal(label, company, starts_at=tomorrow, ends_at=tomorrow)
    assert refused.code == "until_before_from"


def test_a_model_version_of_another_company_is_refused(label: Party, company: AICompany) -> None:
    other = build.a_model(build.a_tool(build.a_company("charlie"), "charlies-tool"))
    refused = refusal(label, company, model_versions=[other])
    assert refused.code == "model_version_of_another"


def test_nobody_signs_with_a_suspended_party(label: Party, company: AICompany) -> None:
    change_party_state(by=None, party=label, suspended=True)
    assert refusal(label, company).code == "holder_suspended"
    suspend_company(by=None, company=company)
    assert refusal(label, company).code == "company_suspended"


def test_while_the_ledger_is_frozen_licences_can_end_and_none_can_be_signed(
    label: Party, company: AICompany
) -> None:
    version = build.a_licence(label, company)
    LedgerAlarm.objects.create(raised_at=now(), problem="a leaf does not hash to what it should")
    with pytest.raises(Frozen):
        build.a_licence(label, company)
    with pytest.raises(Frozen):
        supersede_licence(by=None, licence=version.licence, terms=Terms(uses=["discovery"]))
    with pytest.raises(Frozen):
        offer_standard_licence(by=None, artist=build.an_artist(), uses=["discovery"])
    assert end_licence(by=None, licence=version.licence).ended


def test_a_licence_for_a_list_covers_the_list_only(
    label: Party, company: AICompany, tool: Tool
) -> None:
    maren = build.an_artist()
    on_list, off_list = build.some_recordings(2, maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    first = build.a_licence(label, company, "discovery", catalogue="list", recordings=[on_list])
    assert decide_one(Ask(on_list.isrc, "discovery", tool.slug)).allowed
    assert not decide_one(Ask(off_list.isrc, "discovery", tool.slug)).allowed

    terms = Terms(uses=["discovery"], catalogue="all_except", recordings=[on_list])
    second = supersede_licence(by=None, licence=first.licence, terms=terms)
    assert not decide_one(Ask(on_list.isrc, "discovery", tool.slug)).allowed
    assert decide_one(Ask(off_list.isrc, "discovery", tool.slug)).allowed
    assert (first.number, second.number) == (1, 2)
    assert list(first.listings.values_list("recording__isrc", flat=True)) == [on_list.isrc]


def test_a_new_version_given_for_later_leaves_the_old_one_speaking_until_then(
    label: Party, company: AICompany, tool: Tool
) -> None:
    maren = build.an_artist()
    recording = build.a_recording(maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    first = build.a_licence(label, company, "discovery")
    begins = build.in_days(10)
    later = Terms(uses=["remix_input"], starts_at=begins)
    supersede_licence(by=None, licence=first.licence, terms=later)

    decision = decide_one(Ask(recording.isrc, "discovery", tool.slug))
    assert decision.allowed
    assert decision.valid_until == begins
    assert not decide_one(Ask(recording.isrc, "discovery", tool.slug, at=begins)).allowed
    assert list(speaking_versions().values_list("number", flat=True)) == [1]
    assert list(speaking_versions(at=build.in_days(11)).values_list("number", flat=True)) == [2]


def test_ending_a_licence_at_once_stops_the_use(
    label: Party, company: AICompany, tool: Tool
) -> None:
    maren = build.an_artist()
    recording = build.a_recording(maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    version = build.a_licence(label, company, "discovery")
    ended = end_licence(by=None, licence=version.licence)
    assert (ended.number, ended.ended) == (2, True)
    assert decide_one(Ask(recording.isrc, "discovery", tool.slug)).deciding.code == "no_licence"
    assert not standing_versions().exists()
    assert end_licence(by=None, licence=version.licence).pk == ended.pk
    assert len(leaves("licence.ended")) == 1


def test_an_end_given_for_later_takes_effect_on_its_day(
    label: Party, company: AICompany, tool: Tool
) -> None:
    maren = build.an_artist()
    recording = build.a_recording(maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    version = build.a_licence(label, company, "discovery", ends_at=build.in_days(50))
    ends = build.in_days(20)
    end_licence(by=None, licence=version.licence, ends_at=ends)

    decision = decide_one(Ask(recording.isrc, "discovery", tool.slug))
    assert decision.allowed
    assert decision.valid_until == ends
    assert not decide_one(Ask(recording.isrc, "discovery", tool.slug, at=ends)).allowed
    with pytest.raises(Refused, match="ends_earlier"):
        end_licence(by=None, licence=version.licence, ends_at=ends + timedelta(days=1))
    end_licence(by=None, licence=version.licence)
    assert not decide_one(Ask(recording.isrc, "discovery", tool.slug)).allowed


def test_a_licence_that_has_ended_is_not_revived_by_a_new_version(
    label: Party, company: AICompany
) -> None:
    version = build.a_licence(label, company)
    end_licence(by=None, licence=version.licence)
    with pytest.raises(Refused, match="licence_ended"):
        supersede_licence(by=None, licence=version.licence, terms=Terms(uses=["discovery"]))


def test_a_version_is_never_edited_not_even_in_the_database(
    label: Party, company: AICompany
) -> None:
    version = build.a_licence(label, company)
    with pytest.raises(DatabaseError), transaction.atomic():
        LicenceVersion.objects.filter(pk=version.pk).update(notice_days=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        LicenceVersion.objects.filter(pk=version.pk).delete()


# Overrides, and who is told


def test_an_override_is_public_with_its_clause_and_the_artists_no_is_an_objection(
    label: Party, company: AICompany, tool: Tool
) -> None:
    maren = build.an_artist("Maren Holt")
    recording = build.a_recording(maren, holder=label)
    build.she_says(maren, "discovery", "deny")
    version = build.a_licence(
        label, company, "discovery", artist_approval=False, override_clause=CLAUSE
    )
    decision = decide_one(Ask(recording.isrc, "discovery", tool.slug))
    assert decision.allowed
    assert [r.code for r in decision.reasons][-1] == "objection"

    [listed] = overrides_public()
    assert (listed.company, listed.holder, listed.clause) == (
        "Oceanic Audio",
        "Fjord Records",
        CLAUSE,
    )
    assert listed.since == version.signed_at
    assert "Maren" not in repr(listed)


def test_the_public_list_holds_what_is_in_force_only(label: Party, company: AICompany) -> None:
    over = {"artist_approval": False, "override_clause": CLAUSE}
    ended = build.a_licence(label, company, "discovery", **over)
    end_licence(by=None, licence=ended.licence)
    build.a_licence(label, company, "discovery", starts_at=build.in_days(3), **over)
    build.a_licence(label, company, "discovery")
    assert overrides_public() == []


def test_every_artist_that_a_licence_reaches_is_named_and_nobody_else(
    label: Party, company: AICompany
) -> None:
    maren, aoi, charlie = (build.an_artist(n) for n in ("Maren Holt", "田中葵", "Charlie"))
    build.a_recording(maren, featured=[aoi], holder=label)
    build.a_recording(charlie, holder=build.a_label("Other Records"))
    version = build.a_licence(label, company, "discovery")
    assert {a.pk for a in artists_touched_by(version)} == {maren.pk, aoi.pk}


def test_a_list_limits_whom_a_licence_touches(label: Party, company: AICompany) -> None:
    maren, aoi = build.an_artist("Maren Holt"), build.an_artist("田中葵")
    hers = build.a_recording(maren, holder=label)
    build.a_recording(aoi, holder=label)
    listed = build.a_licence(label, company, catalogue="list", recordings=[hers])
    excepted = build.a_licence(label, company, catalogue="all_except", recordings=[hers])
    assert artists_touched_by(listed) == [maren]
    assert artists_touched_by(excepted) == [aoi]
    assert [v.licence_id for v in licences_touching(maren)] == [listed.licence_id]
    assert [v.licence_id for v in licences_touching(aoi)] == [excepted.licence_id]
    assert artists_touched_by(end_licence(by=None, licence=listed.licence)) == [maren]
    assert not licences_touching(maren)


def test_a_publisher_reaches_the_artists_who_recorded_its_works(company: AICompany) -> None:
    maren = build.an_artist()
    publisher = build.a_label("Skagen Songs")
    build.a_recording(maren, holder=build.a_label(), publisher=publisher)
    version = build.a_licence(publisher, company)
    assert artists_touched_by(version) == [maren]
    assert list(licences_touching(maren)) == [version]
    assert not licences_touching(build.an_artist("Charlie"))


def test_for_a_voice_the_people_who_can_be_heard_are_told_too(
    label: Party, company: AICompany
) -> None:
    tides, singer = build.an_artist("The Low Tides"), build.an_artist("Maren Holt")
    build.a_recording(tides, voices=[singer], holder=label)
    discovery = build.a_licence(label, company, "discovery")
    voice = build.a_licence(label, company, "voice")
    assert artists_touched_by(discovery) == [tides]
    assert set(artists_touched_by(voice)) == {tides, singer}


# The standard licence


def test_an_independent_licenses_her_own_work_without_any_label(tool: Tool) -> None:
    aoi = build.an_artist("田中葵")
    recording = build.a_recording(aoi)
    build.own_repertoire(aoi)
    ask = Ask(recording.isrc, "generative_training", tool.slug)
    [version] = offer_standard_licence(by=None, artist=aoi, uses=["generative_training"])
    assert version.licence.holder_id == aoi.pk
    assert version.terms == standard_licence.TEXT
    assert decide_one(ask).deciding.code == "artist_undecided"
    build.she_says(aoi, "generative_training", "allow")
    assert decide_one(ask).allowed


def test_the_standard_licence_is_offered_to_every_company_in_good_standing() -> None:
    one, two, stopped = (build.a_company(s) for s in ("oceanic", "meridian", "stopped"))
    suspend_company(by=None, company=stopped)
    offered = offer_standard_licence(by=None, artist=build.an_artist(), uses=["discovery"])
    assert {v.licence.company_id for v in offered} == {one.pk, two.pk}
    signed = LedgerEntry.objects.filter(kind="licence.signed").order_by("seq")
    assert len({e.act for e in signed}) == 1
    assert [e.seq for e in signed] == [signed[0].seq, signed[0].seq + 1]


def test_the_same_offer_again_changes_nothing_and_another_supersedes_it(
    company: AICompany,
) -> None:
    aoi = build.an_artist("田中葵")

    def offer(*uses: str) -> LicenceVersion:
        [version] = offer_standard_licence(by=None, artist=aoi, uses=uses, companies=[company])
        return version

    first = offer("discovery", "style")
    assert offer("style", "discovery").pk == first.pk
    second = offer("discovery")
    assert (second.licence_id, second.number) == (first.licence_id, 2)
    end_licence(by=None, licence=second.licence)
    third = offer("discovery")
    assert (third.licence_id != first.licence_id, third.number) == (True, 1)
    assert [v.pk for v in licences_of(holder=aoi.party, company=company)] == [
        third.pk,
        LicenceVersion.objects.get(licence=first.licence, number=3).pk,
    ]


def test_a_long_list_is_one_leaf(label: Party, company: AICompany) -> None:
    recordings = build.some_recordings(300, build.an_artist(), holder=label)
    before = LedgerEntry.objects.count()
    build.a_licence(label, company, catalogue="list", recordings=recordings)
    assert LedgerEntry.objects.count() == before + 1
    assert LicenceListing.objects.count() == 300
