"""An AI company's client, as one could look like: the standard library, and HTTP.

It knows nothing of the portal but its address and a key. `a_day_of_work` registers, asks, trains,
makes and reports, and says in plain lines what came of it.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

USE: Final = "generative_training"
TIMEOUT_SECONDS: Final = 20.0

type Json = dict[str, Any]


class ApiProblem(Exception):
    """The API said no: `code` for machines (RFC 9457), the sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.sentence}"


class Client:
    """Speaks to the API under `url`, as in `http://localhost:8000`, with a company's `key`."""

    def __init__(self, url: str, key: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url} is no address of a website")
        self._base = url.rstrip("/") + "/api/v1/"
        self._key = key

    def get(self, path: str, **query: str | int) -> Json:
        """Read. Raises `ApiProblem`."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, {})

    def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """Write, once: whoever hears no answer sends the same again, with the same key.

        Raises `ApiProblem`.
        """
        once = {"Idempotency-Key": secrets.token_urlsafe(16)}
        for attempt in (1, 2, 3):
            try:
                return self._send("POST", path, json.dumps(body).encode(), once)
            except ApiProblem as problem:
                if problem.status != 503 or attempt == 3:
                    raise
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, data: bytes | None, more: Mapping[str, str]) -> Json:
        request = Request(  # noqa: S310 - the scheme was looked at
            self._base + path,
            data=data,
            method=method,
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                **more,
            },
        )
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                found: Json = json.load(answer)
                return found
        except HTTPError as error:
            raise _problem(error) from error
        except URLError as error:
            raise ApiProblem(0, "no_answer", f"{self._base} does not answer.") from error


def _problem(error: HTTPError) -> ApiProblem:
    try:
        said = json.load(error)
        return ApiProblem(error.code, str(said["code"]), str(said["detail"]))
    except (ValueError, KeyError, TypeError):
        return ApiProblem(error.code, "no_problem", str(error.reason))


def a_day_of_work(client: Client, say: Callable[[str], object]) -> Json:
    """Do what an AI company does in a day, telling `say` each step; returns what was reported.

    Each day of work has names of its own, so it can be done again. Raises `ApiProblem`.
    """
    day = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)
    tool = client.post(
        "tools",
        {
            "tool": "brook",
            "name": "Brook",
            "kind": "composer",
            "about": "Writes the music between two scenes.",
        },
    )
    model = client.post("model-versions", {"tool": tool["tool"], "name": day})
    say(f"Registered {tool['name']}, model version {model['name']}.")

    snapshot = client.get("permissions/snapshot", tool=tool["tool"], use=USE, limit=500)
    known = [item["isrc"] for item in snapshot["items"]]
    say(f"The snapshot at ledger position {snapshot['seq']} names {len(known)} recordings.")

    asked = [*known[:99], "ZZZZZ2600001"]
    answer = client.post(
        "decisions",
        {
            "items": [
                {
                    "isrc": isrc,
                    "use": USE,
                    "tool": tool["tool"],
                    "model_version": model["model_version"],
                }
                for isrc in asked
            ],
            "min_seq": snapshot["seq"],
        },
    )
    allowed = [isrc for isrc, one in zip(asked, answer["items"], strict=True) if one["allowed"]]
    say(f"Asked for {len(asked)} decisions at position {answer['seq']}: {len(allowed)} are a yes.")
    _say_why_not(asked, answer["items"], say)
    if not allowed:
        say("Nothing is allowed, so there is nothing to train on and nothing to report.")
        return {"asked": len(asked), "allowed": 0}

    now = datetime.now(UTC).isoformat()
    run = client.post(
        "training-runs",
        {
            "run": f"brook-{day}",
            "model_version": model["model_version"],
            "use": USE,
            "trained_at": now,
            "isrcs": allowed,
        },
    )
    say(f"Reported a training run on {len(run['items'])} recordings: {_standings(run)}.")

    sources = allowed[:2]
    shares = [10_000] if len(sources) == 1 else [6_200, 3_800]
    output = client.post(
        "outputs",
        {
            "output": f"brook-{day}-1",
            "model_version": model["model_version"],
            "use": USE,
            "made_at": now,
            "title": "Music for a train that leaves",
            "attributions": [
                {"isrc": isrc, "right": right, "influence_bp": share, "method": "attrib-3.2"}
                for right in ("master", "publishing")
                for isrc, share in zip(sources, shares, strict=True)
            ],
        },
    )
    say(f"Reported an output that drew on {' and '.join(sources)}: {_standings(output)}.")

    events = [
        {
            "event_id": f"brook-{day}-{n}",
            "output": output["output"],
            "occurred_at": datetime.now(UTC).isoformat(),
            "revenue_micros": 1_250_000 + 10_000 * n,
            "currency": "EUR",
            "territory": "NO",
        }
        for n in range(25)
    ]
    used = client.post("usage-events", {"events": events})
    again = client.post("usage-events", {"events": events[:5]})
    say(f"Reported {len(events)} uses: {used['recorded']} recorded, {used['refused']} refused.")
    say(f"Reported five of them again: {again['repeated']} were known, nothing counts twice.")

    stops = client.get("withdrawals", state="open")["items"]
    say(f"Withdrawals that wait for a confirmation by the company: {len(stops)}.")
    return {
        "asked": len(asked),
        "allowed": len(allowed),
        "recorded": used["recorded"],
        "repeated": again["repeated"],
        "output": output["output"],
    }


def _say_why_not(asked: list[str], decisions: list[Json], say: Callable[[str], object]) -> None:
    """One example for each first reason of a no."""
    told: set[str] = set()
    for isrc, decision in zip(asked, decisions, strict=True):
        if decision["allowed"]:
            continue
        reason = next(r for r in decision["reasons"] if r["verdict"] == "no")
        if reason["code"] not in told:
            told.add(reason["code"])
            say(f"  {isrc}: no. {reason['sentence']}")


def _standings(report: Json) -> str:
    counts: dict[str, int] = {}
    for item in report["items"]:
        counts[item["standing"]] = counts.get(item["standing"], 0) + 1
    return ", ".join(f"{n} {standing.replace('_', ' ')}" for standing, n in counts.items())
