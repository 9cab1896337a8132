"""Four web processes, two clients, an artist who keeps changing her mind: no old news."""

import bisect
import os

import pytest

from consent.models import Act, LedgerEntry
from consent.services.permissions import answer_recordings
from portal.roles import ApiScope
from portal.services.clients import CreatedKey, create_api_key
from tests.consent.build import a_recording
from tests.portal.api.conftest import World
from tests.portal.api.processes import Asking, Heard, web_processes

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES = 4
ANSWERS = 10_000 if os.environ.get("LINER_TEST_SOAK") == "1" else 300
TRAINING = "generative_training"


def position_of(act: Act | None) -> int:
    """Where the last leaf of an act stands in the ledger."""
    assert act is not None
    return max(LedgerEntry.objects.filter(act=act.ref).values_list("seq", flat=True))


def test_nobody_hears_a_yes_that_was_taken_back_before_they_asked(
    allowed: World, tonewright_key: CreatedKey, server_environment: dict[str, str]
) -> None:
    second = a_recording(allowed.maren, holder=allowed.fjord, publisher=allowed.songs)
    songs = [allowed.havn, second]
    other = create_api_key(by=None, client=tonewright_key.key.client, scopes=ApiScope)
    items = [
        {"isrc": s.isrc, "use": TRAINING, "tool": allowed.tool.slug} for s in (*songs, songs[0])
    ]
    history: list[tuple[int, bool]] = []
    secrets = [tonewright_key.secret, other.secret]
    with (
        web_processes(server_environment, PROCESSES) as ports,
        Asking(ports, secrets, items) as asking,
    ):
        stance = "deny"
        while len(asking.heard) < ANSWERS:
            before = len(asking.heard)
            act = answer_recordings(
                by=None,
                artist=allowed.maren,
                use=TRAINING,
                stance=stance,
                recordings=[s.pk for s in songs],
            )
            seq = position_of(act)
            history.append((seq, stance == "allow"))
            asking.confirmed, asking.ahead = seq, 5
            stance = "allow" if stance == "deny" else "deny"
            asking.wait_for(before + 2)
    check(asking.heard, history)


def check(heard: list[Heard], history: list[tuple[int, bool]]) -> None:
    """Every answer is of a position at least as new as what was confirmed, and right for it."""
    positions = [seq for seq, _ in history]
    answered = [h for h in heard if h.status == 200]
    behind = [h for h in heard if h.status != 200]
    for one in answered:
        assert one.seq >= one.confirmed, "old news: something was confirmed before the question"
        assert one.seq >= one.min_seq
        assert len(set(one.allowed)) == 1, "half an act: a batch is one snapshot"
        known = bisect.bisect_right(positions, one.seq) - 1
        expected = history[known][1] if known >= 0 else True
        assert one.allowed[0] == expected, one
    for one in behind:
        # Only what may not be there yet is refused, or what a busy machine cannot answer in time.
        assert (one.status, one.code) in {(503, "behind"), (503, "unavailable")}
        assert one.min_seq > one.confirmed or one.code == "unavailable"
    assert {True, False} == {h.allowed[0] for h in answered}
    assert "behind" in {one.code for one in behind}, "some asked for what was still to come"
    assert sum(h.confirmed > 0 for h in answered) > len(answered) / 2
