"""Receipts from the pages: of today and of a past day, checked as the person would who got one."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from consent.ledger_keys import verifying_keys
from consent.queries.ledger import head
from consent.services.sealing import seal_ledger
from portal.models import User
from portal.roles import Role
from portal.services.delegation import grant_access
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import somebody
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import SignIn, World

pytestmark = pytest.mark.django_db


def day_of(world: World) -> dict[str, str]:
    return {
        "isrc": world.recordings[0].isrc,
        "use": "discovery",
        "tool": "tidesmith",
        "day": timezone.localdate().isoformat(),
    }


def unpacked(response: "HttpResponse | Any", folder: Path) -> dict[str, Any]:
    """The receipt of a download, after the script that came with it was content."""
    assert response["Content-Type"] == "application/zip", response
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        archive.extractall(folder)
    key = verifying_keys()[0].encode()
    checked = subprocess.run(
        [sys.executable, "-I", "verify_receipt.py", "receipt.json", "--key", key],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    found: dict[str, Any] = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
    return found


def test_each_answer_of_a_day_has_its_own_receipt(
    world: World, her: Client, tmp_path: Path
) -> None:
    world.says("discovery", "allow")
    world.says("discovery", "deny")
    seal_ledger()
    page = her.get(world.url("history"), day_of(world))
    [answer] = page.context["answers"]
    links = [receipt for _held, receipt in answer["held"]]
    assert page.text.count("Receipt of what this rested on") == len(links) >= 2
    made = [unpacked(her.get(link), tmp_path)["asked"] for link in links[-2:]]
    assert [one["allowed"] for one in made] == [True, False]
    assert made[0]["question"]["at"] < made[1]["question"]["at"]

    world.says("discovery", "ask")
    seal_ledger()
    again = [unpacked(her.get(link), tmp_path)["asked"] for link in links[-2:]]
    assert again == made, "the same address tells the same for ever"


def test_a_receipt_from_her_page_ties_what_it_proves_to_her(
    world: World, her: Client, tmp_path: Path
) -> None:
    world.says("discovery", "allow")
    seal_ledger()
    asked = {name: value for name, value in day_of(world).items() if name != "day"}
    receipt = unpacked(her.get(world.url("why_receipt"), asked), tmp_path)
    opened = [leaf["personal"]["data"] for leaf in receipt["leaves"] if "personal" in leaf]
    assert {"Maren Holt", "Tonewright"} == {data["name"] for data in opened if "name" in data}


def test_who_may_have_no_files_sees_the_day_without_receipts(
    world: World, charlie: User, signed_in: SignIn
) -> None:
    world.says("discovery", "allow")
    seal_ledger()
    helper = somebody("Tove Helper")
    grant_access(by=None, user=helper, artist=world.maren, role=Role.ASSISTANT)
    page = signed_in(helper).get(world.url("history"), day_of(world))
    assert "Maren Holt says yes." in page.text
    assert "Receipt of what" not in page.text
    link = {**day_of(world), "known_seq": str(head())}
    assert signed_in(helper).get(world.url("why_receipt"), link).status_code == 403
    assert signed_in(charlie).get(world.url("why_receipt"), link).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "yesterday"},
        {"at": "2026-01-01T00:00:00"},
        {"at": ""},
        {"known_at": "x"},
        {"known_seq": "-1"},
        {"known_seq": "9" * 30},
    ],
)
def test_what_is_no_moment_and_no_position_leads_nowhere(
    world: World, her: Client, wrong: dict[str, str]
) -> None:
    assert her.get(world.url("why_receipt"), {**day_of(world), **wrong}).status_code == 404


def test_what_has_not_been_yet_is_said_and_not_made(world: World, her: Client) -> None:
    seal_ledger()
    for later in ({"at": "2999-01-01T00:00:00Z"}, {"known_seq": "99999999"}):
        answer = her.get(world.url("why_receipt"), {**day_of(world), **later}, follow=True)
        [(address, _status)] = answer.redirect_chain
        assert parse_qs(urlsplit(address).query)["isrc"] == [world.recordings[0].isrc]
        assert "has not come" in answer.text
