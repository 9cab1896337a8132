"""How the API describes itself: OpenAPI, with the quickstart of docs/api.md in front."""

from typing import Any, Final

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

FALLBACK: Final = "Decisions, reports and changes, for AI companies."
# The address in the file; who reads it here is shown the one that this is served at.
WRITTEN_FOR: Final = "http://localhost:8000"


def description() -> str:
    """The part of docs/api.md that comes first: what it is, and how to begin, pasteable here."""
    page = settings.BASE_DIR / "docs" / "api.md"
    if not page.is_file():
        return FALLBACK
    text = page.read_text(encoding="utf-8")
    begin, end = text.find("<!-- schema -->"), text.find("<!-- /schema -->")
    if not 0 <= begin < end:
        return FALLBACK
    shown = text[begin + len("<!-- schema -->") : end].strip()
    return shown.replace(WRITTEN_FOR, str(settings.SITE_URL).rstrip("/"))


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The key in the header."""

    target_class = "portal.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of yours: ln_live_… or, to try things out, ln_test_….",
        }


def only_v1(endpoints: list[Any], **_: Any) -> list[Any]:
    """The schema describes what is promised, and nothing beside it."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


WRITES_NOTHING: Final = frozenset({"decide", "replay_decision"})
"""Operations by POST that change nothing, so that doing them once or twice is the same."""


def say_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the problems that come of what an operation is, beside those that it names itself."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            found = operation["responses"]
            public = "Public" in operation["tags"]
            for status in (401, 403) if public else ():
                found.pop(str(status), None)
            for status in _problems_of(method, operation, public=public):
                found.setdefault(str(status), _problem(result))
            operation["responses"] = dict(sorted(found.items()))
    return result


def _problems_of(method: str, operation: dict[str, Any], *, public: bool) -> set[int]:
    found = {429, 503} if public else {401, 403, 429, 503}
    if operation["operationId"] != "decide":
        found.add(406)  # the hot path does not look at what is accepted
    if "requestBody" in operation:
        found |= {400, 411, 413, 415, 422}
    if method in {"post", "delete"} and operation["operationId"] not in WRITES_NOTHING:
        found |= {409, 411, 413, 422}  # the Idempotency-Key, and the body that it is compared by
    return found


def _problem(result: dict[str, Any]) -> dict[str, Any]:
    [name] = [name for name in result["components"]["schemas"] if name.startswith("Problem")]
    shape = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"content": {"application/problem+json": shape}, "description": ""}


SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Liner Notes",
    "VERSION": "1",
    "DESCRIPTION": description(),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": str(settings.SITE_URL).rstrip("/")}],
    "PREPROCESSING_HOOKS": ["portal.api.schema.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.api.schema.say_problems",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "UseKind": "consent.words.UseKind",
        "Right": "consent.words.Right",
        "ToolKind": "consent.words.ToolKind",
    },
}
