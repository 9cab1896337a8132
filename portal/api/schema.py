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


SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Liner Notes",
    "VERSION": "1",
    "DESCRIPTION": description(),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": str(settings.SITE_URL).rstrip("/")}],
    "PREPROCESSING_HOOKS": ["portal.api.schema.only_v1"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "UseKind": "consent.words.UseKind",
        "Right": "consent.words.Right",
        "ToolKind": "consent.words.ToolKind",
    },
}
