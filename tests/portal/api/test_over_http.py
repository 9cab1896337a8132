"""The quickstart, the example client and the demo, over real HTTP to a running server."""

import json
import os
import re
import runpy
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from consent.models import ModelVersion, Output, Tool, TrainingRun
from royalties.models import UsageEvent
from tests.portal.api.conftest import Machine, World

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "liner_client.py"

pytestmark = pytest.mark.django_db(transaction=True)


def shell_blocks() -> list[str]:
    text = (ROOT / "docs" / "api.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def test_the_quickstart_works_when_it_is_pasted(
    machine: Machine, allowed: World, live_server: Any, tmp_path: Path
) -> None:
    """With a stand-in for curl, so that the test needs nothing that a machine may lack."""
    exports, paste = shell_blocks()
    curl = tmp_path / "curl"
    curl.write_text(f"#!{sys.executable}\n{STAND_IN}")
    curl.chmod(0o755)
    exports = exports.replace("http://localhost:8000", live_server.url)
    exports = exports.replace("ln_live_your_key", machine.secret)
    exports = exports.replace("NOUM72400192", allowed.havn.isrc)
    exports = exports.replace("your-company", allowed.tool.company.slug)
    done = subprocess.run(
        ["sh", "-eu", "-c", exports + paste],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    tool, model, decisions, signals, changes = map(json.loads, done.stdout.splitlines())
    assert tool["tool"] == "tonewright-quick-tool"
    assert model["name"] == "v1"
    assert [i["allowed"] for i in decisions["items"]] == [True, True]
    assert signals["uses"]["generative_training"]["state"] == "by_licence"
    assert changes["changes"]
    assert Tool.objects.filter(slug="tonewright-quick-tool").exists()


STAND_IN = """
import sys, urllib.request
arguments = sys.argv[1:]
url, headers, data = None, {}, None
while arguments:
    one = arguments.pop(0)
    if one == "-sS":
        continue
    if one == "-H":
        name, value = arguments.pop(0).split(":", 1)
        headers[name] = value.strip()
    elif one == "-d":
        data = arguments.pop(0).encode()
    else:
        url = one
request = urllib.request.Request(url, data=data, headers=headers)
with urllib.request.urlopen(request, timeout=30) as answer:
    sys.stdout.write(answer.read().decode())
"""


def test_the_example_client_does_only_what_is_allowed(
    machine: Machine, allowed: World, live_server: Any
) -> None:
    example = runpy.run_path(str(EXAMPLE))
    liner = example["Liner"](live_server.url, machine.secret)
    said: list[str] = []
    done = example["tour"](
        liner, [allowed.havn.isrc, "NOZZZ2400001"], tool="tonewright-tour-tool", say=said.append
    )
    assert done == {"trained": 1, "outputs": 1, "events": 3}
    assert TrainingRun.objects.count() == 1
    assert Output.objects.count() == 1
    assert UsageEvent.objects.filter(allowed=True).count() == 3
    assert any("No recording with this ISRC is known here." in line for line in said)
    assert [c["kind"] for c in liner.changes(0)][-1] == "model.registered"


def test_the_example_client_says_problems_as_they_are(
    machine: Machine, allowed: World, live_server: Any
) -> None:
    example = runpy.run_path(str(EXAMPLE))
    liner = example["Liner"](live_server.url, "ln_live_wrong")
    with pytest.raises(example["Problem"]) as raised:
        liner.call("GET", "tools")
    assert raised.value.code == "unauthorised"


def run_example(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_example_client_is_run_as_it_says_itself(
    machine: Machine, allowed: World, live_server: Any
) -> None:
    """With the options that its first lines show, the company's own values put in."""
    shown = EXAMPLE.read_text().split("liner_client.py ")[1].split("\n\n")[0]
    words = shown.replace("\\\n", " ").replace("http://localhost:8000", live_server.url)
    words = words.replace("ln_live_…", machine.secret).replace("NOUM72400192", allowed.havn.isrc)
    done = run_example(*words.replace("your-company", "tonewright").split())
    assert (done.returncode, done.stderr) == (0, "")
    assert "Reported 1 outputs and 3 uses of them." in done.stdout


def test_the_example_client_ends_with_the_sentence_of_a_problem(
    machine: Machine, allowed: World, live_server: Any
) -> None:
    given = ("--url", live_server.url, "--key", machine.secret, "--isrc", allowed.havn.isrc)
    done = run_example(*given, "--tool", "somebody-elses")
    assert done.returncode == 1
    assert done.stderr.startswith("422 tool_name: The short name of a tool of yours begins with")
    assert "Traceback" not in done.stderr
    assert "--tool" in run_example(*given).stderr


def test_the_demo_client_takes_the_tour(allowed: World, live_server: Any) -> None:
    out = StringIO()
    call_command("demo_client", url=live_server.url, stdout=out)
    assert "Reported 1 outputs and 3 uses of them." in out.getvalue()
    assert ModelVersion.objects.filter(tool__slug="tonewright-demo-tool").count() == 1
    call_command("demo_client", url=live_server.url, stdout=out)  # again is harmless
    assert Tool.objects.filter(slug="tonewright-demo-tool").count() == 1


def test_the_demo_client_makes_a_key_that_works(allowed: World, live_server: Any) -> None:
    out = StringIO()
    call_command("demo_client", url=live_server.url, new_key=True, stdout=out)
    found = dict(
        line.removeprefix("export ").split("=", 1) for line in out.getvalue().split("\n")[:4]
    )
    assert found["LINER"] == live_server.url
    assert Machine(found["LINER_KEY"]).get("tools").status_code == 200
    assert found["ISRC"] == allowed.havn.isrc
    assert found["TOOL"] == "tonewright-quick-tool"


def test_the_demo_client_says_when_nobody_answers(allowed: World) -> None:
    with pytest.raises(CommandError, match="does not answer"):
        call_command("demo_client", url="http://127.0.0.1:1", stdout=StringIO())


def test_answers_are_what_the_schema_says(
    machine: Machine, allowed: World, live_server: Any
) -> None:
    """Every answer of a tour through the API is held against the published schema."""
    schema = json.loads(
        Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).content
    )
    tool = allowed.tool.slug
    token = machine.decide(allowed.question).json()["items"][0]["decision"]
    allowed.says("deny", "remix_input")
    withdrawal = machine.get("withdrawals").json()["items"][0]["withdrawal"]
    asked = {"tool": tool, "use": "discovery", "why": "A radio", "isrc": allowed.havn.isrc}
    request = machine.post("requests", asked).json()["request"]
    then = f"isrc={allowed.havn.isrc}&use=voice&tool={tool}&at=2026-01-01T00:00:00Z"
    tour = [
        ("post", "decisions", {"items": [allowed.question, {**allowed.question, "tool": "x"}]}),
        ("post", "decisions/replay", {"decision": token}),
        ("get", f"decisions/history?{then}", None),
        ("get", "permissions/changes", None),
        ("get", f"permissions/snapshot?tool={tool}", None),
        ("get", f"signals/{allowed.havn.isrc}", None),
        ("get", "tools", None),
        ("get", f"tools/{tool}", None),
        ("get", "model-versions", None),
        ("post", "tools", {"tool": "another", "name": "Another", "kind": "voice"}),
        ("post", "model-versions", {"tool": "another", "name": "v1"}),
        ("get", "requests", None),
        ("get", f"requests/{request}", None),
        ("post", "usage-events", {"events": [{"event_id": "x"}]}),
        ("get", "withdrawals", None),
        ("post", f"withdrawals/{withdrawal}/acknowledge", {}),
        ("post", "webhooks", {"url": "https://hooks.example/x"}),
        ("get", "webhooks", None),
        ("get", "ledger/keys", None),
        ("get", "nothing-here", None),
        ("post", "tools", {"kind": "x"}),
    ]  # fmt: skip
    for method, path, body in tour:
        response = machine.get(path) if method == "get" else machine.post(path, body)
        told = shape_of(schema, method, path, response.status_code)
        jsonschema.validate(response.json(), told)


def shape_of(schema: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    """The schema of one answer, with what it refers to."""
    if status >= 400:
        found: dict[str, Any] = {"$ref": "#/components/schemas/ProblemShape"}
    else:
        wanted = f"/api/v1/{path.split('?')[0]}"
        exact = [p for p in schema["paths"] if p == wanted]
        named = exact or [
            p for p in schema["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), wanted)
        ]
        content = schema["paths"][named[0]][method]["responses"][str(status)]["content"]
        found = content["application/json"]["schema"]
    made: dict[str, Any] = _strict({**found, "components": schema["components"]})
    return made


def _strict(node: Any) -> Any:
    """OpenAPI 3.0 as JSON schema: `nullable`, and no field that is not described."""
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    if made.pop("nullable", False):
        return {"anyOf": [made, {"type": "null"}]}
    return made
