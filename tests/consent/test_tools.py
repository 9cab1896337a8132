"""AI companies, tools and model versions: registered once, stopped at once."""

import json
from typing import Any

import pytest

from consent.errors import NotFound, Refused
from consent.models import AICompany, LedgerEntry, ModelVersionState, Tool
from consent.queries.decision import Ask, decide_one
from consent.queries.tools import find_model_version, find_tool, list_tools
from consent.services.tools import (
    register_company,
    register_model_version,
    register_tool,
    resume_company,
    resume_tool,
    retire_model_version,
    suspend_company,
    suspend_tool,
)
from consent.words import ToolKind
from tests.consent import build

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(LedgerEntry.objects.order_by("seq").values_list("kind", flat=True))


def test_a_company_registered_twice_is_one_company_and_one_leaf() -> None:
    first = register_company(by=None, slug="oceanic", name="Oceanic Audio")
    again = register_company(by=None, slug="oceanic", name="Oceanic Audio")
    assert again.pk == first.pk
    assert kinds() == ["party.registered"]


def test_another_company_under_the_same_short_name_is_refused() -> None:
    register_company(by=None, slug="oceanic", name="Oceanic Audio")
    with pytest.raises(Refused) as refused:
        register_company(by=None, slug="oceanic", name="Somebody Else")
    assert (refused.value.code, refused.value.field) == ("company_differs", "slug")
    assert AICompany.objects.count() == 1


def test_a_malformed_short_name_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(Refused) as refused:
        register_company(by=None, slug="not a slug", name="Oceanic Audio")
    assert refused.value.field == "slug"
    assert kinds() == []


def test_a_tool_registered_twice_is_one_tool_and_one_leaf() -> None:
    company = build.a_company()
    first = build.a_tool(company)
    assert build.a_tool(company).pk == first.pk
    assert kinds() == ["party.registered", "tool.registered"]


def test_a_tool_cannot_take_the_short_name_of_another_companys_tool() -> None:
    build.a_tool(build.a_company("oceanic"), "tidesmith")
    with pytest.raises(Refused) as refused:
        build.a_tool(build.a_company("charlie"), "tidesmith")
    assert refused.value.code == "tool_differs"
    assert Tool.objects.count() == 1


def test_the_same_tool_described_otherwise_is_refused() -> None:
    company = build.a_company()
    build.a_tool(company, "tidesmith")
    with pytest.raises(Refused, match="tool_differs"):
        register_tool(
            by=None, company=company, slug="tidesmith", name="Tidesmith", kind=ToolKind.VOICE
        )


def test_an_unknown_kind_of_tool_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        register_tool(by=None, company=build.a_company(), slug="x", name="X", kind="oracle")
    assert refused.value.field == "kind"


def test_a_suspended_company_can_register_nothing_new() -> None:
    company = build.a_company()
    tool = build.a_tool(company)
    suspend_company(by=None, company=company)
    with pytest.raises(Refused, match="company_suspended"):
        build.a_tool(company, "another")
    with pytest.raises(Refused, match="company_suspended"):
        build.a_model(tool)


def test_a_model_version_is_registered_once() -> None:
    tool = build.a_tool(build.a_company())
    first = build.a_model(tool)
    assert build.a_model(tool).pk == first.pk
    assert kinds().count("model.registered") == 1


def test_two_tools_may_name_their_model_versions_alike() -> None:
    company = build.a_company()
    one = build.a_model(build.a_tool(company, "tidesmith"), "v1")
    other = build.a_model(build.a_tool(company, "echoform"), "v1")
    assert one.pk != other.pk


def test_a_retired_model_version_stays_retired_and_is_retired_once() -> None:
    model = build.a_model(build.a_tool(build.a_company()))
    retire_model_version(by=None, model_version=model)
    retire_model_version(by=None, model_version=model)
    register_model_version(by=None, tool=model.tool, name=model.name)
    states = ModelVersionState.objects.filter(model_version=model).order_by("id")
    assert [s.retired for s in states] == [False, True]
    assert kinds()[-1] == "model.retired"


def test_suspending_and_resuming_a_tool_takes_effect_at_the_commit() -> None:
    maren, label, company = build.an_artist(), build.a_label(), build.a_company()
    tool = build.a_tool(company)
    recording = build.a_recording(maren, holder=label)
    build.a_licence(label, company, "discovery")
    build.she_says(maren, "discovery", "allow")
    ask = Ask(recording.isrc, "discovery", tool.slug)
    assert decide_one(ask).allowed

    suspend_tool(by=None, tool=tool)
    suspend_tool(by=None, tool=tool)
    assert decide_one(ask).deciding.code == "tool_suspended"
    resume_tool(by=None, tool=tool)
    assert decide_one(ask).allowed

    suspend_company(by=None, company=company)
    assert decide_one(ask).deciding.code == "company_suspended"
    resume_company(by=None, company=company)
    assert decide_one(ask).allowed
    assert kinds().count("tool.suspended") == 1
    assert kinds()[-4:] == ["tool.suspended", "tool.resumed", "party.changed", "party.changed"]


def test_leaves_name_tools_by_reference_and_no_company_by_name() -> None:
    model = build.a_model(build.a_tool(build.a_company("oceanic")))
    bodies = [json.loads(e.body) for e in LedgerEntry.objects.order_by("seq")]
    assert bodies[1]["tool"] == str(model.tool.ref)
    assert bodies[2] == {
        "by": None,
        "model_version": str(model.ref),
        "name": "v1",
        "retired": False,
        "tool": str(model.tool.ref),
    }
    assert not any("Oceanic Audio" in e.body for e in LedgerEntry.objects.all())


def test_the_list_of_tools_says_what_still_runs(django_assert_num_queries: Any) -> None:
    oceanic, stopped = build.a_company("oceanic"), build.a_company("stopped")
    smith, echo = build.a_tool(oceanic, "tidesmith"), build.a_tool(oceanic, "echoform")
    gone = build.a_tool(stopped, "gone")
    first, second = build.a_model(smith, "v1"), build.a_model(smith, "v2")
    retire_model_version(by=None, model_version=first)
    suspend_tool(by=None, tool=echo)
    suspend_company(by=None, company=stopped)
    with django_assert_num_queries(2):
        listed = list_tools()
    assert [(t.tool, t.suspended) for t in listed] == [(echo, True), (smith, False), (gone, True)]
    assert [(m.version, m.retired) for m in listed[1].models] == [(second, False), (first, True)]
    assert [t.tool for t in list_tools(company=stopped)] == [gone]


def test_a_company_finds_its_own_tools_and_models_and_no_others() -> None:
    oceanic, charlie = build.a_company("oceanic"), build.a_company("charlie")
    model = build.a_model(build.a_tool(oceanic, "tidesmith"), "v1")
    assert find_tool(oceanic, "tidesmith") == model.tool
    assert find_model_version(oceanic, "tidesmith", "v1") == model
    with pytest.raises(NotFound, match="unknown_tool"):
        find_tool(charlie, "tidesmith")
    with pytest.raises(NotFound, match="unknown_model_version"):
        find_model_version(charlie, "tidesmith", "v1")
    with pytest.raises(NotFound, match="unknown_model_version"):
        find_model_version(oceanic, "tidesmith", "v2")
