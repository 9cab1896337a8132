"""Canaries: what somebody else on the sleeve answered stands on no page and in no file of hers.

Maren sings with Aoi, who is in another state in each round; whatever Maren can open is the same
to the letter.
"""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from consent.clock import now
from consent.models import Artist, Recording, WorkState
from consent.queries.effective import uses_of
from consent.scopes import Scope
from consent.services.parties import change_party_state
from consent.services.permissions import answer_permission, revoke_permission
from consent.services.provenance import report_training_run
from consent.services.sealing import seal_ledger
from consent.services.work import perform
from consent.words import UseKind
from portal.models import Export, User
from portal.services.exports import create_export_link, open_export, request_export
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World

pytestmark = pytest.mark.django_db

STATE_WORDS = (
    "wants to be asked",
    "revoked",
    "took a yes back",
    "taken back",
    "minor",
    "guardian",
    "suspended",
    "says no",
    "has not answered",
    "cannot answer",
    "ended on",
    "artist_withdrew",
    "answer_revoked",
    "artist_denies",
    "artist_asks",
)
COUNTED = "For 1 of 4 recordings: "
HER_MOVE = {"田中葵", "田中葵 has not said yes.", "It takes the yes of 田中葵."}
SAID_OF_HER = {
    *HER_MOVE,
    "田中葵 does not stand in the way.",
    "There is nothing here for you to change: it is the move of 田中葵. "
    "It takes the yes of 田中葵.",
}


def says(aoi: Artist, stance: str, **more: Any) -> Any:
    """Her answer to both kinds of use that are looked at."""
    until = {"valid_until": now() + timedelta(days=99)} if stance == "allow" else {}
    about = {"stance": stance, **until, **more}
    return [
        answer_permission(by=None, artist=aoi, use=use, **about).permission
        for use in ("voice", "discovery")
    ]


def withdrew(aoi: Artist, olga: User) -> None:
    says(aoi, "allow")
    says(aoi, "deny")


def revoked(aoi: Artist, olga: User) -> None:
    for given in says(aoi, "allow"):
        revoke_permission(by=olga, permission=given, reason="A stolen phone.")


def expired(aoi: Artist, olga: User) -> None:
    says(aoi, "allow", valid_until=now() + timedelta(seconds=0.3))
    time.sleep(0.4)


def suspended(aoi: Artist, olga: User) -> None:
    says(aoi, "allow")
    change_party_state(by=None, party=aoi.party, suspended=True)


STATES: dict[str, Callable[[Artist, User], Any]] = {
    "undecided": lambda aoi, olga: None,
    "denies": lambda aoi, olga: says(aoi, "deny"),
    "asks": lambda aoi, olga: says(aoi, "ask"),
    "withdrew": withdrew,
    "revoked": revoked,
    "expired": expired,
    "suspended": suspended,
}


@pytest.fixture
def duet(world: World, aoi: Artist) -> Recording:
    """Maren has said yes to all that her label licensed; Aoi is on one of four recordings."""
    [duet] = recordings_of(world.maren, title="Two Voices", featured=(aoi,), holder=world.fjord)
    for use in ("voice", "discovery"):
        until = {"valid_until": now() + timedelta(days=200)} if use == "voice" else {}
        world.says(use, "allow", **until)
    return duet


def pages(world: World, duet: Recording) -> list[str]:
    about = f"use=discovery&tool={world.tool.slug}"
    today = timezone.localdate().isoformat()
    return [
        world.url("permissions"),
        world.url("missing"),
        world.url("exceptions"),
        world.url("permission_tools"),
        world.url("permission_tool", tool=world.tool.slug),
        world.url("permission_recordings"),
        world.url("permission_recording", isrc=duet.isrc),
        f"{world.url('why')}?{about}",
        f"{world.url('why')}?use=voice&tool={world.tool.slug}",
        f"{world.url('why')}?{about}&isrc={duet.isrc}",
        f"{world.url('history')}?{about}&isrc={duet.isrc}&day={today}",
        world.url("withdrawals"),
        world.url("overview"),
        world.url("credits"),
        world.url("credit", isrc=duet.isrc),
    ]


def words_of(client: Client, url: str) -> list[str]:
    """What a page says, piece by piece, without what is of this very request."""
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    main = response.text[response.text.index("<main") :]
    pieces = [" ".join(piece.split()) for piece in re.split(r"<[^>]*>", main)]
    return [piece for piece in pieces if piece and not piece.startswith("As it is known at")]


def test_every_page_of_hers_is_the_same_whatever_the_other_answered_or_is(
    world: World, duet: Recording, her: Client, aoi: Artist, olga: User
) -> None:
    seen = {}
    for state, become in STATES.items():
        with transaction.atomic():
            become(aoi, olga)
            seen[state] = {url: words_of(her, url) for url in pages(world, duet)}
            transaction.set_rollback(True)
    for state, found in seen.items():
        for url, words in found.items():
            if "/history/" not in url:  # where what held before she took it back is told
                assert words == seen["undecided"][url], (state, url)
            if "/credits/" not in url:
                told = {word.removeprefix(COUNTED) for word in words if "田中葵" in word}
                assert told <= SAID_OF_HER, (state, url)
    assert set(seen["undecided"][world.url("missing")]) >= HER_MOVE, "her move, by name"


def test_where_a_contract_decides_her_page_says_nothing_of_the_others_objection(
    world: World, duet: Recording, her: Client, aoi: Artist
) -> None:
    world.override("discovery", clause="§ 14.2")
    url = f"{world.url('why')}?use=discovery&tool=stemlight-studio&isrc={duet.isrc}"
    before = words_of(her, url)
    assert "You say yes." in before
    says(aoi, "deny")
    assert words_of(her, url) == before
    assert "田中葵" not in "\n".join(before)


@pytest.mark.parametrize("state", ["denies", "withdrew", "revoked", "suspended"])
def test_a_receipt_of_a_duet_has_no_answer_and_no_state_of_the_other(
    world: World, duet: Recording, her: Client, aoi: Artist, olga: User, state: str
) -> None:
    STATES[state](aoi, olga)
    seal_ledger()
    about = {"use": "discovery", "tool": world.tool.slug, "isrc": duet.isrc}
    response = her.get(world.url("why_receipt"), about)
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        receipt = json.loads(archive.read("receipt.json"))
    theirs = [
        leaf
        for leaf in receipt["leaves"]
        if (body := json.loads(leaf["leaf"])["body"])
        and str(aoi.party.ref) in (body.get("artist"), body.get("party"))
    ]
    assert theirs == []
    assert [r["code"] for r in receipt["asked"]["reasons"]][-1] == "artist_undecided"
    assert receipt["asked"]["reasons"][-1]["seq"] is None


@pytest.mark.parametrize("state", ["denies", "withdrew", "revoked"])
def test_usage_and_its_export_do_not_say_whose_answer_a_use_lacked(
    world: World,
    duet: Recording,
    her: Client,
    aoi: Artist,
    olga: User,
    state: str,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.PRIVATE_ROOT = tmp_path
    STATES[state](aoi, olga)
    report_training_run(
        by=None,
        company=world.tonewright,
        model_version=world.model,
        use=UseKind.VOICE,
        client_ref="run",
        trained_at=now(),
        isrcs=[duet.isrc],
    )
    page = "\n".join(words_of(her, world.url("usage")))
    assert "Not everybody who is asked had said yes." in page
    export = request_export(by=world.user, artist=world.maren, params={})
    assert perform(Export, export.pk)
    export.refresh_from_db()
    assert export.state == WorkState.DONE
    opened = open_export(by=world.user, token=create_export_link(by=world.user, export=export))
    with opened.file as file:
        text = file.read().decode("utf-8-sig")
    assert "artist_undecided" in text
    for word in STATE_WORDS:
        assert word not in page.lower(), word
        assert word not in text, word


def test_a_yes_of_her_own_is_no_override(world: World, duet: Recording) -> None:
    """Of four recordings that may be used, three are by the contract alone, one by her yes."""
    world.says("discovery", "deny")
    world.override("discovery", clause="§ 14.2")
    world.says("discovery", "allow", scope=Scope(recording=world.recordings[0]))
    view = next(one for one in uses_of(world.maren) if one.use == UseKind.DISCOVERY)
    assert (view.state, view.allowed, view.overridden) == ("overridden", 4, 3)
