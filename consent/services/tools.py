"""AI companies, their tools and the versions of their models: registered, stopped, retired.

Registering twice is harmless: the same again returns what is there, anything else under the same
name is refused. What a decision reads of a tool (may it be used, does the model still run) changes
only here, each time with its ledger entry.
"""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused
from consent.models import (
    AICompany,
    ModelVersion,
    ModelVersionState,
    PartyState,
    Tool,
    ToolState,
)
from consent.services.acts import open_act, ref_of, take_turn
from consent.services.ledger import Leaf, record, refuse_when_frozen
from consent.services.parties import change_party_state, check, register_party
from consent.words import PartyKind, ToolKind

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def register_company(
    *,
    by: "User | None",
    slug: str,
    name: str,
    website: str = "",
    contact: str = "",
    language: str = "",
) -> AICompany:
    """Register an AI company; `slug` names it for ever, `contact` is where it reads e-mail.

    Raises `Refused`: `company_differs` when the slug is another company's, or the code of the
    field that is wrong.
    """
    take_turn("company", slug)
    found = AICompany.objects.select_related("party").filter(slug=slug).first()
    if found is not None:
        if (found.party.name, found.website) != (name, website):
            raise Refused(
                "company_differs",
                _("A company with this short name is there already."),
                field="slug",
            )
        return found
    party = register_party(by=by, kind=PartyKind.COMPANY, name=name, language=language)
    company = AICompany(party=party, slug=slug, website=website, contact=contact.strip())
    check(company)
    company.save()
    return company


@transaction.atomic
def change_contact(*, by: "User | None", company: AICompany, contact: str) -> AICompany:
    """Write down where a company reads e-mail, or with an empty `contact` that it reads none.

    No decision reads it, so it is in no ledger entry: the admin keeps who changed it, and why.
    Raises `Refused` (`invalid`) for what is no address.
    """
    company = AICompany.objects.select_for_update(of=("self",)).get(pk=company.pk)
    company.contact = contact.strip()
    check(company)
    company.save(update_fields=["contact"])
    return company


def suspend_company(*, by: "User | None", company: AICompany) -> AICompany:
    """Stop a company: every decision about its tools is a no from this commit on."""
    change_party_state(by=by, party=company.party, suspended=True)
    return company


def resume_company(*, by: "User | None", company: AICompany) -> AICompany:
    """Let a company that was stopped go on; raises `Frozen` while an audit alarm is open."""
    change_party_state(by=by, party=company.party, suspended=False)
    return company


@transaction.atomic
def register_tool(
    *,
    by: "User | None",
    company: AICompany,
    slug: str,
    name: str,
    kind: ToolKind | str,
    about: str = "",
    name_of_its_own: bool = False,
) -> Tool:
    """Register a tool of `company`; `slug` is its name in the API, unique among all companies.

    `name_of_its_own`: a new slug has to begin with the company's, as where the company itself asks.
    Raises `Refused`: `tool_differs` when the slug stands for something else already, or the company
    has a tool of this name under another slug, `tool_name`, `company_suspended`, or the code of the
    field that is wrong. Raises `Frozen` while an audit alarm is open: what is licensed to the
    company would be allowed to the tool.
    """
    if name_of_its_own:
        _refuse_foreign_name(company, slug)
    take_turn("tool", slug)
    found = Tool.objects.filter(slug=slug).first()
    if found is not None:
        same = (company.pk, name, str(kind), about)
        if (found.company_id, found.name, found.kind, found.about) != same:
            raise Refused(
                "tool_differs", _("A tool with this short name is there already."), field="slug"
            )
        return found
    refuse_suspended(company)
    refuse_when_frozen()
    namesake = Tool.objects.filter(company=company, name=name).first()
    if namesake is not None:
        raise Refused(
            "tool_differs",
            _("A tool of this name is there already, with the short name %(slug)s."),
            field="name",
            params={"slug": namesake.slug},
        )
    at = now()
    tool = Tool(company=company, slug=slug, name=name, kind=kind, about=about, created_at=at)
    check(tool)
    tool.save()
    state = ToolState(tool=tool)
    leaf = Leaf("tool.registered", tool_body(by, state))
    state.entry_id = leaf.id
    state.save()
    act = open_act(by=by, kind="register_tool", at=at, entries=1, summary={"tool": str(tool.ref)})
    record(act.ref, [leaf])
    return tool


def _refuse_foreign_name(company: AICompany, slug: str) -> None:
    """Refuse a new short name outside of the company's own (`tool_name`).

    Were any name free to be tried, trying would tell which tools others have.
    """
    if Tool.objects.filter(company=company, slug=slug).exists():
        return
    own = f"{company.slug}-"
    longer = AICompany.objects.filter(slug__startswith=own).values_list("slug", flat=True)
    others = tuple(f"{other}-" for other in longer)
    if not slug.startswith(own) or slug == own or slug.startswith(others):
        raise Refused(
            "tool_name",
            _("The short name of a tool of yours begins with “%(own)s”, as in “%(own)sone”."),
            field="slug",
            params={"own": own},
        )


def suspend_tool(*, by: "User | None", tool: Tool) -> Tool:
    """Stop a tool: every decision about it is a no from this commit on."""
    return _set_tool(by, tool, suspended=True)


def resume_tool(*, by: "User | None", tool: Tool) -> Tool:
    """Let a tool that was stopped go on; raises `Frozen` while an audit alarm is open."""
    refuse_when_frozen()
    return _set_tool(by, tool, suspended=False)


@transaction.atomic
def register_model_version(*, by: "User | None", tool: Tool, name: str) -> ModelVersion:
    """Register a version of a tool's model, before it is trained: a use is reported against it.

    The same name again returns the version that is there, retired or not. Raises `Refused`
    (`company_suspended`, or the code of the field that is wrong).
    """
    # The tool's row orders the states of its model versions too, and is there before they are.
    Tool.objects.select_for_update(no_key=True).get(pk=tool.pk)
    found = ModelVersion.objects.filter(tool=tool, name=name).first()
    if found is not None:
        return found
    refuse_suspended(tool.company)
    at = now()
    version = ModelVersion(tool=tool, name=name, created_at=at)
    check(version)
    version.save()
    state = ModelVersionState(model_version=version)
    leaf = Leaf("model.registered", model_body(by, state))
    state.entry_id = leaf.id
    state.save()
    act = open_act(
        by=by,
        kind="register_model_version",
        at=at,
        entries=1,
        summary={"model_version": str(version.ref)},
    )
    record(act.ref, [leaf])
    return version


@transaction.atomic
def retire_model_version(*, by: "User | None", model_version: ModelVersion) -> ModelVersion:
    """Say that a model version runs no more. What it learned stays learned; this is for good."""
    Tool.objects.select_for_update(no_key=True).get(pk=model_version.tool_id)
    if ModelVersionState.objects.filter(model_version=model_version, retired=True).exists():
        return model_version
    state = ModelVersionState(model_version=model_version, retired=True)
    leaf = Leaf("model.retired", model_body(by, state))
    state.entry_id = leaf.id
    state.save()
    act = open_act(
        by=by,
        kind="retire_model_version",
        at=now(),
        entries=1,
        summary={"model_version": str(model_version.ref)},
    )
    record(act.ref, [leaf])
    return model_version


def refuse_suspended(company: AICompany) -> None:
    """Raise `Refused` (`company_suspended`) when nothing new may be agreed with `company`."""
    state = PartyState.objects.filter(party=company.pk).order_by("-id").first()
    if state is None or state.suspended:
        raise Refused("company_suspended", _("This company is suspended."), field="company")


@transaction.atomic
def _set_tool(by: "User | None", tool: Tool, *, suspended: bool) -> Tool:
    tool = Tool.objects.select_for_update(no_key=True).get(pk=tool.pk)
    last = ToolState.objects.filter(tool=tool).order_by("-id").first()
    if last is not None and last.suspended == suspended:
        return tool
    state = ToolState(tool=tool, suspended=suspended)
    leaf = Leaf("tool.suspended" if suspended else "tool.resumed", tool_body(by, state))
    state.entry_id = leaf.id
    state.save()
    act = open_act(
        by=by,
        kind="suspend_tool" if suspended else "resume_tool",
        at=now(),
        entries=1,
        summary={"tool": str(tool.ref)},
    )
    record(act.ref, [leaf])
    return tool


def tool_body(by: "User | None", state: ToolState) -> dict[str, Any]:
    """The body of `tool.registered`, `tool.suspended` and `tool.resumed`."""
    return {
        "by": ref_of(by),
        "tool": str(state.tool.ref),
        "slug": state.tool.slug,
        "company": str(state.tool.company.party.ref),
        "suspended": state.suspended,
    }


def model_body(by: "User | None", state: ModelVersionState) -> dict[str, Any]:
    """The body of `model.registered` and `model.retired`."""
    return {
        "by": ref_of(by),
        "model_version": str(state.model_version.ref),
        "name": state.model_version.name,
        "tool": str(state.model_version.tool.ref),
        "retired": state.retired,
    }
