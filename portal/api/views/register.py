"""Tools and model versions of a company: registered before they are used."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from consent.models import ModelVersion
from consent.queries.tools import ModelInfo, ToolInfo, find_tool, list_tools
from consent.services.tools import (
    register_model_version,
    register_tool,
    retire_model_version,
)
from portal.api import shapes
from portal.api.lookup import model_version_of
from portal.api.query import ref_of, text_in
from portal.api.views.base import MachineView, called, read, writes
from portal.queries.api import moment
from portal.roles import ApiScope
from portal.services.idempotency import Answer


class ToolsView(MachineView):
    """The tools of a company."""

    scopes = {"GET": ApiScope.REGISTER, "POST": ApiScope.REGISTER}

    @extend_schema(
        operation_id="list_tools",
        summary="Your tools, with their model versions",
        responses={200: shapes.Tools, **shapes.problems()},
        tags=["Registering"],
    )
    def get(self, request: Request) -> Response:
        """All tools of the company."""
        found = list_tools(company=self.caller.company)
        return Response({"items": [_tool(info) for info in found]})

    @extend_schema(
        operation_id="register_tool",
        summary="Register a tool",
        description=(
            "Its short name begins with your company's and a hyphen, so that it is yours alone. "
            "The same again returns what is there; something else by that name is refused."
        ),
        request=shapes.NewTool,
        responses={201: shapes.ToolShape, **shapes.problems(409, 422)},
        tags=["Registering"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Register one tool."""
        new = read(shapes.NewTool, request.data)
        with called(slug="tool"):
            tool = register_tool(
                by=None,
                company=self.caller.company,
                slug=new["tool"],
                name=new["name"],
                kind=new["kind"],
                about=new["about"],
                name_of_its_own=True,
            )
        [info] = [i for i in list_tools(company=tool.company) if i.tool.pk == tool.pk]
        return Answer(201, _tool(info))


class ToolView(MachineView):
    """One tool."""

    scopes = {"GET": ApiScope.REGISTER}

    @extend_schema(
        operation_id="show_tool",
        summary="One of your tools",
        responses={200: shapes.ToolShape, **shapes.problems(404)},
        tags=["Registering"],
    )
    def get(self, request: Request, tool: str) -> Response:
        """One tool of the company, by its short name."""
        company = self.caller.company
        found = find_tool(company, tool)
        [info] = [i for i in list_tools(company=company) if i.tool.pk == found.pk]
        return Response(_tool(info))


class ModelVersionsView(MachineView):
    """The model versions of a company's tools."""

    scopes = {"GET": ApiScope.REGISTER, "POST": ApiScope.REGISTER}

    @extend_schema(
        operation_id="list_model_versions",
        summary="Your model versions",
        parameters=[OpenApiParameter("tool", str, description="of this tool only")],
        responses={200: shapes.ModelVersions, **shapes.problems()},
        tags=["Registering"],
    )
    def get(self, request: Request) -> Response:
        """All model versions, or those of one tool."""
        only = text_in(request, "tool")
        tools = list_tools(company=self.caller.company)
        return Response(
            {
                "items": [
                    _model(info.tool.slug, model)
                    for info in tools
                    if not only or info.tool.slug == only
                    for model in info.models
                ]
            }
        )

    @extend_schema(
        operation_id="register_model_version",
        summary="Register a model version",
        description=(
            "Before it is trained: training, outputs and usage are reported against it. What it "
            "has learned it keeps: a withdrawal concerns the versions that come after."
        ),
        request=shapes.NewModelVersion,
        responses={201: shapes.ModelVersionShape, **shapes.problems(404, 409, 422)},
        tags=["Registering"],
    )
    @writes
    def post(self, request: Request) -> Answer:
        """Register one model version of a tool."""
        new = read(shapes.NewModelVersion, request.data)
        tool = find_tool(self.caller.company, new["tool"])
        version = register_model_version(by=None, tool=tool, name=new["name"])
        return Answer(201, _found(version))


class RetireView(MachineView):
    """A model version runs no more."""

    scopes = {"POST": ApiScope.REGISTER}

    @extend_schema(
        operation_id="retire_model_version",
        summary="Say that a model version runs no more",
        description="For good. What it learned stays learned.",
        request=None,
        responses={200: shapes.ModelVersionShape, **shapes.problems(404)},
        tags=["Registering"],
    )
    @writes
    def post(self, request: Request, ref: str) -> Answer:
        """Retire one model version."""
        version = model_version_of(self.caller.company, ref_of(ref, code="unknown_model_version"))
        return Answer(200, _found(retire_model_version(by=None, model_version=version)))


def _tool(info: ToolInfo) -> dict[str, Any]:
    return {
        "tool": info.tool.slug,
        "ref": str(info.tool.ref),
        "name": info.tool.name,
        "kind": info.tool.kind,
        "about": info.tool.about,
        "suspended": info.suspended,
        "model_versions": [_model(info.tool.slug, model) for model in info.models],
    }


def _found(version: ModelVersion) -> dict[str, Any]:
    tools = list_tools(company=version.tool.company)
    [model] = [m for i in tools for m in i.models if m.version.pk == version.pk]
    return _model(version.tool.slug, model)


def _model(tool: str, info: ModelInfo) -> dict[str, Any]:
    return {
        "model_version": str(info.version.ref),
        "tool": tool,
        "name": info.version.name,
        "registered_at": moment(info.registered_at),
        "retired": info.retired,
    }
