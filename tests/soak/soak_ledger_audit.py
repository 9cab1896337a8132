"""The audit at full size (A3, A4): a million entries read again within a minute."""

import os
import random
import sys
import time
from typing import Any

import pytest
from django.db import connection

from consent.clock import now
from consent.models import Artist, LedgerCheckpoint, LedgerEntry, Recording
from consent.services.audit import audit_ledger
from consent.services.sealing import seal_ledger
from tests.consent.ledger_story import tell_story
from tests.consent.test_audit import any_other, attack, audit, set_column

# The whole size with LINER_TEST_SOAK=1; otherwise a twentieth, to see that it works.
SOAK = os.environ.get("LINER_TEST_SOAK") == "1"
ACTS = 100 if SOAK else 5
PER_ACT = 10_000
SECONDS = 60 if SOAK else 6

USES = ["generative_training", "analysis_training", "remix_input", "discovery"]

# Answers as `answer_recordings` writes them, made by the database itself: bodies in canonical JSON.
ONE_ACT = """
WITH act AS (
    INSERT INTO consent_act (ref, kind, artist_id, role, summary, entries, created_at)
    VALUES (gen_random_uuid(), 'permission.answered_many', %(artist)s, 'artist',
        jsonb_build_object('use', %(use)s::text, 'stance', %(stance)s::text), %(n)s, now())
    RETURNING ref
), entry AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, r.id AS recording, r.isrc
      FROM consent_recording r WHERE r.isrc LIKE 'NOSOK%%' ORDER BY r.id LIMIT %(n)s
), answer AS (
    INSERT INTO consent_permission (artist_id, use, scope, recording_id, stance, way, territories,
        took_back_allow, act_id, entry_id)
    SELECT %(artist)s, %(use)s, 'r' || e.recording || '/*', e.recording, %(stance)s, 'answered',
           '{}', false, act.ref, e.id FROM entry e, act
)
SELECT ledger_append((SELECT ref FROM act), array_agg(e.id), array_agg('permission.answered'::text),
    array_agg('{"artist":"' || p.ref || '","by":null,"company":null,"from":null,'
        || '"notice_days":null,"recording":"' || e.isrc || '","role":"artist","stance":"'
        || %(stance)s || '","territories":[],"took_back_allow":false,"tool":null,"until":null,'
        || '"use":"' || %(use)s || '","way":"answered","wording":null}'))
  FROM entry e, consent_party p WHERE p.id = %(artist)s
"""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def recordings(how_many: int) -> None:
    at = now()
    Recording.objects.bulk_create(
        (
            Recording(isrc=f"NOSOK24{n:05d}", title=f"Havn {n}", created_at=at, updated_at=at)
            for n in range(how_many)
        ),
        batch_size=5_000,
    )


def one_act(artist: Artist, n: int) -> None:
    values = {
        "artist": artist.pk,
        "n": PER_ACT,
        "use": USES[n % len(USES)],
        "stance": ["allow", "deny"][n // len(USES) % 2],
    }
    with connection.cursor() as cursor:
        cursor.execute(ONE_ACT, values)


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


@pytest.mark.django_db(transaction=True)
def test_a_million_entries_are_audited_within_a_minute_and_new_ones_at_once() -> None:
    story = tell_story()
    recordings(PER_ACT)
    sealing = 0.0
    for n in range(ACTS):
        one_act(story.maren, n)
        began = time.monotonic()
        assert seal_ledger() is not None
        sealing += time.monotonic() - began
    entries, checkpoints = LedgerEntry.objects.count(), LedgerCheckpoint.objects.count()
    say(f"\n{entries} entries, {checkpoints} checkpoints; sealed in {sealing:.1f} s")
    whole = audit(archive=LedgerCheckpoint.objects.latest("size").note)
    say(f"whole audit: {whole.took.total_seconds():.1f} s")
    one_act(story.maren, 1)
    assert seal_ledger() is not None
    new = audit(incremental=True)
    say(f"incremental audit of {new.size - new.since}: {new.took.total_seconds():.2f} s")
    assert whole.problems == new.problems == ()
    assert whole.took.total_seconds() <= SECONDS
    assert (new.size - new.since, new.took.total_seconds() <= 2) == (PER_ACT, True)


@pytest.mark.django_db(transaction=True)
def test_a_thousand_changed_columns_are_found_every_time() -> None:
    tell_story()
    seal_ledger()
    dice = random.Random()
    size = LedgerEntry.objects.count()
    columns = ["id", "seq", "act", "kind", "body", "recorded_at", "leaf_hash"]
    missed = []
    for n in range(1000 if SOAK else 30):
        column, seq = columns[n % len(columns)], dice.randrange(1, size + 1)
        with attack() as attacker:
            found = attacker.execute(
                f"SELECT {column} FROM consent_ledgerentry WHERE seq = %s".encode(), [seq]
            ).fetchone()
            assert found is not None
            changed = any_other(column, found[0], dice)
            assert set_column(attacker, column, changed, seq) == 1
        audited = audit_ledger()
        if audited is None or audited.is_clean:
            missed.append((column, seq))
        with attack() as attacker:
            where = seq + 1_000_000 if column == "seq" else seq
            assert set_column(attacker, column, found[0], where) == 1
    assert missed == []
