"""A client of the Liner Notes API with nothing but the standard library. Copy it, change it.

    python docs/examples/liner_client.py --url http://localhost:8000 --key ln_live_… \
        --isrc NOUM72400192 --tool your-company-first

registers a tool and a model version, asks whether a recording may be used, and reports a training
run, an output and usage events: only what it was told is allowed.
"""

import argparse
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any


class Problem(Exception):
    """What the API says when it does not do what was asked (RFC 9457)."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code', '')}: {body.get('detail', '')}")
        self.status, self.code, self.body = status, body.get("code", ""), body


class Liner:
    """One company's client. Retries what may be retried, with the same Idempotency-Key."""

    def __init__(self, url: str, key: str, *, attempts: int = 4) -> None:
        self.url, self.key, self.attempts = url.rstrip("/"), key, attempts

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and return its JSON. Raises `Problem`."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())  # the same through all attempts
        for attempt in range(1, self.attempts + 1):
            request = urllib.request.Request(  # noqa: S310 — the address is your own choice
                f"{self.url}/api/v1/{path}", data=data, headers=headers, method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                    return json.load(response)
            except urllib.error.HTTPError as error:
                problem = Problem(error.code, json.loads(error.read() or b"{}"))
                if error.code not in (429, 503) or attempt == self.attempts:
                    raise problem from None
                time.sleep(float(error.headers.get("Retry-After", 1)))
            except urllib.error.URLError:
                if attempt == self.attempts:
                    raise
                time.sleep(attempt)
        raise AssertionError("unreachable")

    def decide(self, items: Sequence[dict[str, Any]], *, min_seq: int = 0) -> list[dict[str, Any]]:
        """The decisions on any number of questions, a hundred at a time."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(items), 100):
            part = {"items": list(items[start : start + 100]), "min_seq": min_seq}
            found += self.call("POST", "decisions", part)["items"]
        return found

    def changes(self, after: int) -> Iterator[dict[str, Any]]:
        """Every change after a ledger position, in order, as far as there is."""
        while True:
            page = self.call("GET", f"permissions/changes?after={after}")
            yield from page["changes"]
            after = page["until"]
            if after >= page["head"]:
                return


def now() -> str:
    """This moment, as the API reads it."""
    return datetime.now(UTC).isoformat()


def tour(liner: Liner, isrcs: Sequence[str], *, tool: str, say: Any = print) -> dict[str, int]:
    """Everything once: register, ask, train, make, bill. Returns how many of each."""
    liner.call("POST", "tools", {"tool": tool, "name": tool.title(), "kind": "composer"})
    model = liner.call("POST", "model-versions", {"tool": tool, "name": "v1"})["model_version"]
    say(f"Registered {tool}, model version {model}.")

    def allowed_for(use: str) -> list[str]:
        asked = [{"isrc": i, "use": use, "tool": tool, "model_version": model} for i in isrcs]
        decided = liner.decide(asked)
        for isrc, one in zip(isrcs, decided, strict=True):
            why = next((r for r in one["reasons"] if r["verdict"] == "no"), one["reasons"][-1])
            say(f"{isrc} {use}: {'yes' if one['allowed'] else 'no'}. {why['sentence']}")
        return [isrc for isrc, one in zip(isrcs, decided, strict=True) if one["allowed"]]

    done = {"trained": 0, "outputs": 0, "events": 0}
    if trained := allowed_for("generative_training"):
        run = {
            "run": f"run-{uuid.uuid4()}",
            "model_version": model,
            "use": "generative_training",
            "trained_at": now(),
            "isrcs": trained,
        }
        done["trained"] = len(liner.call("POST", "training-runs", run)["items"])
        say(f"Reported a training run on {done['trained']} recordings.")
    events = []
    for isrc in allowed_for("remix_input"):
        output = {
            "output": f"song-{uuid.uuid4()}",
            "model_version": model,
            "use": "remix_input",
            "made_at": now(),
            "title": "A song made of another",
            "attributions": [
                {"isrc": isrc, "right": right, "influence_bp": 10_000, "method": "input, whole"}
                for right in ("master", "publishing")
            ],
        }
        liner.call("POST", "outputs", output)
        done["outputs"] += 1
        events += [
            {
                "event_id": str(uuid.uuid4()),
                "output": output["output"],
                "occurred_at": now(),
                "revenue_micros": 30_000,
                "currency": "EUR",
                "territory": "NO",
            }
            for _ in range(3)
        ]
    if events:
        done["events"] = liner.call("POST", "usage-events", {"events": events})["recorded"]
        say(f"Reported {done['outputs']} outputs and {done['events']} uses of them.")
    return done


def main() -> None:
    """Take the tour from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--key", required=True, help="a key of yours")
    parser.add_argument("--isrc", action="append", required=True, help="may be given many times")
    parser.add_argument(
        "--tool", required=True, help="its short name: begins with your company's, and is for ever"
    )
    given = parser.parse_args()
    try:
        tour(Liner(given.url, given.key), given.isrc, tool=given.tool)
    except Problem as problem:
        parser.exit(1, f"{problem}\n")
    except OSError as error:
        parser.exit(1, f"{given.url} does not answer: {error}\n")


if __name__ == "__main__":
    main()
