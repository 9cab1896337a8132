"""What is sent to the routes that change something: what would be accepted from the right person.

So an answer that says “done” was done (and undone after), and a refusal was of the person.
"""

from collections.abc import Callable
from typing import Any, Final

from consent.words import UseKind
from tests.access.routes import Route
from tests.access.world import Side, World

DAY: Final = "2026-02-02T00:00:00Z"

type Payload = dict[str, Any]


def payload_of(route: Route, world: World) -> Payload:
    """What to send to this route."""
    if route.name in PAYLOADS:
        return PAYLOADS[route.name](world.maren)
    if route.name.startswith("admin:"):
        return {"reason": "to see who may"}
    return {}


def _question(side: Side) -> Payload:
    return {"isrc": side.songs[0].isrc, "use": "discovery", "tool": side.tool.slug}


PAYLOADS: Final[dict[str, Callable[[Side], Payload]]] = {
    "admin:confirm_shares": lambda _: {"reason": "to see who may", "left": 6_000},
    "switch_artist": lambda side: {"artist": str(side.artist.party.ref)},
    "preferences": lambda _: {"name": "Somebody", "locale": "en", "time_zone": "UTC"},
    "invite": lambda _: {"email": "new@liner.example", "role": "assistant"},
    "answer": lambda _: {"stance": "deny"},
    "answer_with": lambda _: {"stance": "deny"},
    "answer_many": lambda _: {"use": UseKind.DISCOVERY.value, "stance": "deny"},
    "answer_request": lambda _: {"stance": "deny"},
    "answer_split": lambda _: {"answer": "no"},
    "api-decisions": lambda side: {"items": [_question(side)]},
    "api-replay": lambda side: {"decision": side.texts["decision"]},
    "api-tools": lambda _: {
        "tool": "tonewright-wavewright",
        "name": "Wavewright",
        "kind": "composer",
    },
    "api-model-versions": lambda side: {"tool": side.tool.slug, "name": "v2"},
    "api-requests": lambda side: {
        "tool": side.tool.slug,
        "use": "style",
        "why": "to see who may",
        "artists": [str(side.artist.party.ref)],
    },
    "api-training-runs": lambda side: {
        "run": "another run",
        "model_version": str(side.model.ref),
        "use": "generative_training",
        "trained_at": DAY,
        "isrcs": [side.songs[0].isrc],
    },
    "api-outputs": lambda side: {
        "output": "another output",
        "model_version": str(side.model.ref),
        "use": "remix_input",
        "made_at": DAY,
        "title": "A new song",
        "attributions": [
            {
                "isrc": side.songs[0].isrc,
                "right": "publishing",
                "influence_bp": 10_000,
                "method": "embedding-2",
            }
        ],
    },
    "api-usage-events": lambda side: {
        "events": [
            {
                "event_id": "another event",
                "output": f"{side.word}-output",
                "occurred_at": DAY,
                "revenue_micros": 1_000_000,
                "currency": "EUR",
            }
        ]
    },
    "api-webhooks": lambda _: {"url": "https://hooks.example/another"},
}
