"""AI companies and their tools, as pages and the API list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound
from consent.models import (
    AICompany,
    ModelVersion,
    ModelVersionState,
    PartyState,
    Tool,
    ToolState,
)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model version, and whether it still runs."""

    version: ModelVersion
    registered_at: datetime
    retired: bool


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A tool with its model versions, the newest first. `suspended` by itself or its company."""

    tool: Tool
    suspended: bool
    models: tuple[ModelInfo, ...]


def list_tools(*, company: AICompany | None = None) -> list[ToolInfo]:
    """The tools of one company or of all, with their model versions. Two queries."""
    own = ToolState.objects.filter(tool=OuterRef("pk")).order_by("-id").values("suspended")
    makers = PartyState.objects.filter(party=OuterRef("company")).order_by("-id")
    tools = Tool.objects.select_related("company__party").order_by("company__slug", "slug")
    if company is not None:
        tools = tools.filter(company=company)
    found = list(
        tools.annotate(
            is_suspended=Subquery(own[:1], output_field=BooleanField()),
            is_company_suspended=Subquery(
                makers.values("suspended")[:1], output_field=BooleanField()
            ),
        )
    )
    models = _models(found)
    return [
        ToolInfo(
            tool=tool,
            # A tool without a state was never registered in the ledger: it is not usable.
            suspended=tool.is_suspended is not False or tool.is_company_suspended is not False,
            models=tuple(models.get(tool.pk, ())),
        )
        for tool in found
    ]


def find_tool(company: AICompany, slug: str) -> Tool:
    """A tool of this company by its name in the API. Raises `NotFound` (`unknown_tool`)."""
    tool = Tool.objects.select_related("company__party").filter(company=company, slug=slug).first()
    if tool is None:
        raise NotFound("unknown_tool", _("There is no such tool of yours."), field="tool")
    return tool


def find_model_version(company: AICompany, tool: str, name: str) -> ModelVersion:
    """A model version of this company's, by its tool's slug and its own name.

    Ready to report against without another query. Raises `NotFound` (`unknown_model_version`).
    """
    found = (
        ModelVersion.objects.select_related("tool__company__party")
        .filter(tool__company=company, tool__slug=tool, name=name)
        .first()
    )
    if found is None:
        raise NotFound(
            "unknown_model_version",
            _("There is no such model version of yours. Register it first."),
            field="model_version",
        )
    return found


def _models(tools: Sequence[Tool]) -> dict[int, list[ModelInfo]]:
    retired = (
        ModelVersionState.objects.filter(model_version=OuterRef("pk"))
        .order_by("-id")
        .values("retired")[:1]
    )
    found: dict[int, list[ModelInfo]] = {}
    for version in (
        ModelVersion.objects.filter(tool__in=tools)
        .annotate(is_retired=Subquery(retired, output_field=BooleanField()))
        .order_by("-id")
    ):
        info = ModelInfo(version, version.created_at, version.is_retired is not False)
        found.setdefault(version.tool_id, []).append(info)
    return found
