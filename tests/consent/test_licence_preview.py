"""What a licence would change, said before it is signed, and true after it is."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.errors import Refused
from consent.licence_terms import Terms
from consent.models import LedgerEntry, Licence, Recording
from consent.queries.decision import Ask, decide_many
from consent.queries.licences import Missing, Preview, preview_licence
from consent.words import Authority
from tests.consent import build

pytestmark = pytest.mark.django_db

CLAUSE = "§ 14.3"


def test_a_preview_says_how_many_would_be_allowed_wait_and_lack_something() -> None:
    label, publisher, company = build.a_label(), build.a_label("Skagen Songs"), build.a_company()
    build.a_tool(company)
    maren, aoi, tides = (build.an_artist(n) for n in ("Maren Holt", "田中葵", "The Low Tides"))
    build.some_recordings(3, maren, holder=label, publisher=publisher)
    build.some_recordings(2, maren, holder=label)
    build.some_recordings(4, aoi, holder=label, publisher=publisher)
    build.some_recordings(5, tides, holder=label, publisher=publisher)
    build.some_recordings(6, build.an_artist("Charlie"), holder=build.a_label("Other"))
    build.she_says(maren, "generative_training", "allow")
    build.she_says(tides, "generative_training", "deny")
    build.a_licence(publisher, company)

    preview = preview_licence(holder=label, company=company, terms=Terms(["generative_training"]))
    assert preview.recordings == 14
    assert set(preview.artists) == {maren, aoi, tides}
    [effect] = preview.effects
    assert (effect.allowed, effect.wait_for_artists) == (3, 4)
    assert (effect.refused_by_artists, effect.lack_something) == (5, 2)
    assert effect.missing == (Missing("right_unknown", "publishing", 2),)
    assert (effect.overridden, effect.objections) == (0, 0)


def test_a_preview_of_a_duet_does_not_say_which_of_two_says_no() -> None:
    label, company = build.a_label(), build.a_company()
    build.a_tool(company)
    maren, aoi = build.an_artist("Maren Holt"), build.an_artist("田中葵")
    build.a_recording(maren, featured=[aoi], holder=label)
    build.she_says(maren, "discovery", "allow")
    before = preview_licence(holder=label, company=company, terms=Terms(["discovery"])).effects
    build.she_says(aoi, "discovery", "deny")
    after = preview_licence(holder=label, company=company, terms=Terms(["discovery"])).effects
    assert after == before
    assert (after[0].wait_for_artists, after[0].refused_by_artists) == (1, 0)


def test_a_preview_counts_what_would_be_overridden_and_against_whose_no() -> None:
    label, company = build.a_label(), build.a_company()
    build.a_tool(company)
    maren, aoi = build.an_artist("Maren Holt"), build.an_artist("田中葵")
    build.some_recordings(2, maren, holder=label)
    build.some_recordings(3, aoi, holder=label)
    build.she_says(maren, "discovery", "deny")
    terms = Terms(["discovery"], artist_approval=False, override_clause=CLAUSE)
    [effect] = preview_licence(holder=label, company=company, terms=terms).effects
    assert (effect.allowed, effect.overridden, effect.objections) == (5, 5, 2)


def test_an_owner_who_decides_for_herself_is_not_overridden() -> None:
    aoi, company = build.an_artist("田中葵"), build.a_company()
    build.a_tool(company)
    build.a_recording(aoi, holder=aoi.party, authority=Authority.OWN)
    terms = Terms(["discovery"], artist_approval=False, override_clause=CLAUSE)
    [effect] = preview_licence(holder=aoi.party, company=company, terms=terms).effects
    assert (effect.allowed, effect.wait_for_artists, effect.overridden) == (0, 1, 0)


def test_a_preview_writes_nothing_and_refuses_what_signing_would_refuse() -> None:
    label, company = build.a_label(), build.a_company()
    build.a_tool(company)
    build.a_recording(build.an_artist(), holder=label)
    before = LedgerEntry.objects.count()
    preview_licence(holder=label, company=company, terms=Terms(["discovery"]))
    with pytest.raises(Refused, match="unknown_use"):
        preview_licence(holder=label, company=company, terms=Terms(["teleport"]))
    assert LedgerEntry.objects.count() == before
    assert not Licence.objects.exists()


def test_without_a_tool_a_preview_names_the_artists_and_promises_nothing() -> None:
    label, company, maren = build.a_label(), build.a_company(), build.an_artist()
    build.a_recording(maren, holder=label)
    preview = preview_licence(holder=label, company=company, terms=Terms(["discovery"]))
    assert (preview.recordings, preview.artists, preview.effects) == (1, (maren,), ())


def test_answers_about_one_recording_and_lists_are_counted_apart() -> None:
    label, publisher, company = build.a_label(), build.a_label("Skagen Songs"), build.a_company()
    build.a_tool(company)
    maren = build.an_artist()
    recordings = build.some_recordings(6, maren, holder=label, publisher=publisher)
    build.she_says(maren, "generative_training", "allow")
    build.she_says(maren, "generative_training", "deny", scope=build.on_recording(recordings[0]))
    build.a_licence(publisher, company, catalogue="all_except", recordings=recordings[4:])
    [effect] = preview_licence(
        holder=label, company=company, terms=Terms(["generative_training"])
    ).effects
    assert (effect.allowed, effect.refused_by_artists, effect.lack_something) == (3, 1, 2)


def test_what_the_superseded_version_allows_is_not_counted_in() -> None:
    label, company, maren = build.a_label(), build.a_company(), build.an_artist()
    build.a_tool(company)
    first, _ = build.some_recordings(2, maren, holder=label)
    build.she_says(maren, "discovery", "allow")
    version = build.a_licence(label, company, "discovery")
    narrower = Terms(["discovery"], catalogue="list", recordings=[first])
    preview = preview_licence(
        holder=label, company=company, terms=narrower, supersedes=version.licence
    )
    assert (preview.recordings, preview.effects[0].allowed) == (1, 1)


@pytest.mark.parametrize("territories", [[], ["NO", "SE"]])
@pytest.mark.parametrize("overriding", [False, True])
def test_what_a_preview_says_is_what_decisions_say_after_signing(
    territories: list[str], overriding: bool
) -> None:
    label, publisher, company = build.a_label(), build.a_label("Skagen Songs"), build.a_company()
    tool = build.a_tool(company)
    maren, aoi, tides = (build.an_artist(n) for n in ("Maren Holt", "田中葵", "The Low Tides"))
    build.some_recordings(2, maren, holder=label, publisher=publisher)
    build.some_recordings(2, maren, featured=[aoi], holder=label, publisher=publisher)
    build.some_recordings(2, tides, holder=label)
    for artist, stance in ((maren, "allow"), (aoi, "ask"), (tides, "deny")):
        for use in ("discovery", "generative_training"):
            build.she_says(artist, use, stance)
    build.a_licence(publisher, company)
    more: dict[str, Any] = {"territories": territories}
    if overriding:
        more |= {"artist_approval": False, "override_clause": CLAUSE}
    uses = ["discovery", "generative_training"]

    preview: Preview = preview_licence(holder=label, company=company, terms=Terms(uses, **more))
    build.a_licence(label, company, *uses, **more)
    for effect in preview.effects:
        asks = [
            Ask(isrc, effect.use, tool.slug, preview.territory)
            for isrc in Recording.objects.values_list("isrc", flat=True)
        ]
        decided = decide_many(asks).decisions
        assert sum(d.allowed for d in decided) == effect.allowed
        assert len(decided) - effect.allowed == (
            effect.wait_for_artists + effect.refused_by_artists + effect.lack_something
        )


def test_a_preview_takes_as_many_queries_for_sixty_recordings_as_for_one() -> None:
    label, company, maren = build.a_label(), build.a_company(), build.an_artist()
    build.a_tool(company)
    build.a_recording(maren, holder=label)
    terms = Terms(["discovery", "generative_training"])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            preview_licence(holder=label, company=company, terms=terms)
        return len(captured)

    few = queries()
    build.some_recordings(60, maren, holder=label)
    for name in ("田中葵", "The Low Tides"):
        build.a_recording(build.an_artist(name), holder=label)
    assert queries() == few <= 6
