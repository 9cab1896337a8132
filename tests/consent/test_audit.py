"""Somebody with every right in the database changes what is written; the audit finds it.

The attacker is a superuser who switches triggers and foreign keys off, and knows this code. Against
one who rewrites everything consistently only what has left the house helps: a checkpoint outside.
"""

import json
import random
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from psycopg.rows import TupleRow

import consent
from consent import tasks, vault
from consent.checkpoint import Checkpoint, sign_checkpoint
from consent.errors import Frozen, Refused
from consent.ledger_keys import origin, signing_keys
from consent.merkle import Frontier, TreeHead
from consent.models import (
    CheckpointSink,
    LedgerAlarm,
    LedgerAudit,
    LedgerCheckpoint,
    LedgerEntry,
    LedgerTile,
    Withdrawal,
)
from consent.queries.ledger import latest_checkpoint, read_leaves
from consent.queries.wall import append_only_tables
from consent.services.audit import (
    Audited,
    audit_ledger,
    clear_alarm,
    hears_alarms,
    open_alarms,
)
from consent.services.audit_code import installed_functions
from consent.services.audit_facts import REPLAYS, uncovered_facts
from consent.services.audit_shown import ACTS, ALONE
from consent.services.delegations import Delegation, grant_delegations, open_grant
from consent.services.erasure import erase_subject
from consent.services.ledger import is_frozen
from consent.services.permissions import answer_permission
from consent.services.requests import ask_permission, take_back_request
from consent.services.sealing import seal_ledger
from consent.services.withdrawals import acknowledge_withdrawal
from consent.services.work import perform
from consent.words import Standing, Way
from portal import servers
from tests.consent.ledger_story import Story, answers, tell_story

Attacker = psycopg.Connection[TupleRow]

HERE = Path(consent.__file__).parent

UNIQUE = (("consent_recording", "isrc"), ("consent_party", "ref"))


@contextmanager
def attack() -> Iterator[Attacker]:
    """A superuser's session in which no trigger and no foreign key says a word."""
    home = servers.Home.of_this_checkout()
    assert home.temporary
    name = connections["owner"].settings_dict["NAME"]
    assert name.startswith("test_")
    with psycopg.connect(host=str(home.sockets), user="postgres", dbname=name) as connection:
        connection.execute("SET session_replication_role = replica")
        # Two rows may change places for a moment.
        for table, column in UNIQUE:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_key".encode())
        for table in append_only_tables():
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        yield connection
        for table, column in UNIQUE:
            unique = f"ADD CONSTRAINT {table}_{column}_key UNIQUE ({column})"
            connection.execute(f"ALTER TABLE {table} {unique}".encode())
        for table in append_only_tables():
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
            for trigger in ("append_only_rows", "append_only_table"):
                connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())


def audit(*, incremental: bool = False, **notes: str) -> Audited:
    audited = audit_ledger(notes=notes, incremental=incremental)
    assert audited is not None
    return audited


def sealed_note() -> str:
    checkpoint = latest_checkpoint()
    assert checkpoint is not None
    return checkpoint.note


@pytest.fixture(autouse=True)
def nothing_outside(settings: Any) -> None:
    settings.LEDGER_SINKS = []


def ask_and_withdraw(story: Story) -> None:
    """What pages show beside the facts: questions, what must stop, who may act."""
    for use in ("discovery", "style"):
        asked = ask_permission(
            tool=story.tidesmith, use=use, why="For a film.", artists=[story.maren]
        )
    take_back_request(company=story.tonewright, batch=asked.batch)
    withdrawals = Withdrawal.objects.filter(company=story.tonewright)
    acknowledge_withdrawal(by=None, company=story.tonewright, ref=str(withdrawals[0].ref))
    line = Delegation(uuid.uuid4(), story.ines, story.maren.party.ref, "manager", ("see",))
    with transaction.atomic():
        act = open_grant(by=story.olga, delegations=[line], artist=story.maren)
        grant_delegations(by=story.olga, act=act, delegations=[line])


@pytest.fixture
def story(transactional_db: None) -> Story:
    told = tell_story()
    ask_and_withdraw(told)
    seal_ledger()
    answers(told, 10)
    seal_ledger()
    answers(told, 3, seed=1)
    return told


def test_every_kind_of_fact_is_replayed() -> None:
    assert uncovered_facts() == []


def test_the_story_has_every_kind_of_fact_and_its_ledger_is_clean(story: Story) -> None:
    for each in REPLAYS:
        assert each.model._default_manager.exists(), each.name
    audited = audit(outside=sealed_note())
    assert audited.problems == ()
    assert (audited.since, audited.outside) == (0, 1)
    assert audited.size == LedgerEntry.objects.count()
    assert not is_frozen()


# The tamper drill


def any_other(column: str, value: Any, dice: random.Random) -> Any:
    if column in {"id", "act"}:
        return f"{dice.getrandbits(128):032x}"
    if column == "body":
        told = json.loads(value)
        told["by"] = f"somebody {dice.random()}"
        return json.dumps(told, separators=(",", ":"), sort_keys=True)
    if column == "kind":
        return "note.made" if value != "note.made" else "note.lost"
    if column == "leaf_hash":
        return dice.randbytes(32)
    if column == "seq":
        return value + 1_000_000
    return value.replace(microsecond=(value.microsecond + 1) % 1_000_000)


def test_any_change_of_any_column_of_any_entry_is_found(story: Story) -> None:
    dice = random.Random(3)
    size = LedgerEntry.objects.count()
    columns = ["id", "seq", "act", "kind", "body", "recorded_at", "leaf_hash"]
    for column in columns:
        for seq in dice.sample(range(1, size + 1), 3):
            with attack() as attacker:
                found = attacker.execute(
                    f"SELECT {column} FROM consent_ledgerentry WHERE seq = %s".encode(), [seq]
                ).fetchone()
                assert found is not None
                before, after = found[0], any_other(column, found[0], dice)
                assert set_column(attacker, column, after, seq) == 1
            audited = audit()
            assert not audited.is_clean, (column, seq)
            where = seq + 1_000_000 if column == "seq" else seq
            with attack() as attacker:
                assert set_column(attacker, column, before, where) == 1
    assert audit().is_clean, "and what was put back is clean again"


def set_column(attacker: Attacker, column: str, value: Any, seq: int) -> int:
    return attacker.execute(
        f"UPDATE consent_ledgerentry SET {column} = %s WHERE seq = %s".encode(), [value, seq]
    ).rowcount


def test_what_follows_a_gap_wider_than_a_batch_is_read_too(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = LedgerEntry.objects.count()
    with attack() as attacker:
        for seq in (3, 4, 5, 6, size):
            assert set_column(attacker, "seq", seq + 1_000_000, seq) == 1
    monkeypatch.setattr("consent.queries.ledger.AT_ONCE", 2)
    found = [leaf.seq for batch in read_leaves(after=0, until=size) for leaf in batch]
    assert found == [1, 2, *range(7, size)]
    assert not list(read_leaves(after=size - 1, until=size))


ROWS = {
    "an answer is changed": (
        "UPDATE consent_permission SET stance = 'allow' WHERE id ="
        " (SELECT min(id) FROM consent_permission WHERE stance = 'deny' AND use <> 'voice')"
    ),
    "an answer is moved to another artist": (
        "UPDATE consent_permission SET artist_id = (SELECT max(party_id) FROM consent_artist)"
        " WHERE id = (SELECT min(id) FROM consent_permission)"
    ),
    "an answer is moved to a scope that its columns do not have": (
        "UPDATE consent_permission SET scope = '*/t1' WHERE id ="
        " (SELECT min(id) FROM consent_permission)"
    ),
    "an answer is shown in another act": (
        "UPDATE consent_permission SET act_id = (SELECT ref FROM consent_act WHERE ref <> act_id"
        " LIMIT 1) WHERE id = (SELECT min(id) FROM consent_permission)"
    ),
    "an answer is deleted": (
        "DELETE FROM consent_permission WHERE id = (SELECT max(id) FROM consent_permission)"
    ),
    "an answer is added": (
        "INSERT INTO consent_permission SELECT (p).* FROM (SELECT jsonb_populate_record("
        "  p, jsonb_build_object('id', 1000000, 'stance', 'allow')) AS p FROM consent_permission p"
        " ORDER BY id LIMIT 1) x"
    ),
    "an answer is added that belongs to no entry": (
        "INSERT INTO consent_permission SELECT (p).* FROM (SELECT jsonb_populate_record("
        "  p, jsonb_build_object('id', 1000000, 'entry_id', gen_random_uuid())) AS p"
        " FROM consent_permission p LIMIT 1) x"
    ),
    "a claim is made whole": "UPDATE consent_rightsclaim SET share_bp = 9999",
    "a claim is taken over": (
        "UPDATE consent_rightsclaim SET party_id = (SELECT max(id) FROM consent_party)"
    ),
    "a claim is verified": "UPDATE consent_rightsclaim SET standing = 'verified'",
    "a licence covers one recording more": (
        "INSERT INTO consent_licencelisting (version_id, recording_id) SELECT v.id, r.id"
        " FROM consent_licenceversion v, consent_recording r WHERE v.catalogue = 'list'"
        " AND r.id = (SELECT max(id) FROM consent_recording)"
    ),
    "a licence runs longer": "UPDATE consent_licenceversion SET ends_at = now() + '9 years'",
    "a licence does without the artist": (
        "UPDATE consent_licenceversion SET artist_approval = false, override_clause = '§ 1'"
    ),
    "a clause is reworded": (
        "UPDATE consent_licenceversion SET override_clause = '§ 7.3' WHERE override_clause <> ''"
    ),
    "a tool is resumed": "UPDATE consent_toolstate SET suspended = false",
    "a tool changes hands": (
        "UPDATE consent_tool SET company_id = (SELECT min(id) FROM consent_party)"
    ),
    "a model lives again": "UPDATE consent_modelversionstate SET retired = false",
    "a suspended label goes on": "UPDATE consent_partystate SET suspended = false",
    "a minor is of age": (
        "UPDATE consent_partystate SET is_minor = NOT is_minor WHERE kind = 'person'"
    ),
    "a band loses its people": "UPDATE consent_partystate SET members = '{}'",
    "two people change places": (
        "WITH two AS (SELECT min(party_id) AS a, max(party_id) AS b FROM consent_artist)"
        " UPDATE consent_party p SET ref = q.ref FROM two, consent_party q"
        " WHERE (p.id, q.id) IN ((two.a, two.b), (two.b, two.a))"
    ),
    "a recording is by somebody else": (
        "UPDATE consent_recordingidentity SET main_artists = '{999}'"
    ),
    "two recordings change their codes": (
        "WITH two AS (SELECT min(id) AS a, max(id) AS b FROM consent_recording)"
        " UPDATE consent_recording r SET isrc = q.isrc FROM two, consent_recording q"
        " WHERE (r.id, q.id) IN ((two.a, two.b), (two.b, two.a))"
    ),
    "a training turns out to have been allowed": "UPDATE consent_traininguse SET allowed = true",
    "a training is left out": (
        "DELETE FROM consent_traininguse WHERE id = (SELECT min(id) FROM consent_traininguse)"
    ),
    "somebody else did it": (
        "UPDATE consent_act SET by_id = (SELECT id FROM portal_user WHERE name = 'Olga')"
        " WHERE by_id = (SELECT id FROM portal_user WHERE name = 'Ines')"
    ),
    "a wording is changed": "UPDATE consent_wording SET text = text || ' For ever?'",
    "a wording turns out to mean the same": "UPDATE consent_wording SET means_the_same = true",
    "a wording is taken away": "DELETE FROM consent_wording",
    "a personal part is exchanged": (
        "UPDATE consent_ledgerpersonal p SET sealed = (SELECT sealed FROM consent_ledgerpersonal"
        " WHERE entry_id <> p.entry_id LIMIT 1)"
    ),
    "a personal part is taken away": "DELETE FROM consent_ledgerpersonal",
    "a personal part is added": (
        "INSERT INTO consent_ledgerpersonal (entry_id, subject, sealed)"
        " SELECT id, gen_random_uuid(), '\\x00' FROM consent_ledgerentry"
        " WHERE kind = 'recording.identified' LIMIT 1"
    ),
    "a person's key is lost without an erasure": "DELETE FROM consent_subjectkey",
    "a person's key is changed": (
        "UPDATE consent_subjectkey SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)"
    ),
    "a person's key is cut short": "UPDATE consent_subjectkey SET wrapped = '\\x00'",
    "a personal part is cut short": "UPDATE consent_ledgerpersonal SET sealed = '\\x00'",
    "a personal part is changed": (
        "UPDATE consent_ledgerpersonal SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
    ),
    "an act is of another kind": (
        "UPDATE consent_act SET kind = 'permission.cleared' WHERE kind = 'permission.revoked'"
    ),
    "an act is of a kind that there is not": (
        "UPDATE consent_act SET kind = 'permission.given' WHERE kind = 'permission.answered'"
    ),
    "an answer is shown as another": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{stance}', '\"allow\"')"
        " WHERE kind = 'permission.answered' AND summary ->> 'stance' = 'deny'"
    ),
    "an answer is shown for another use": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{use}', '\"discovery\"')"
        " WHERE kind = 'permission.answered_many'"
    ),
    "an answer is shown for all work": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{scope}', '\"*/*\"')"
        " WHERE kind = 'permission.cleared'"
    ),
    "an act tells nothing": "UPDATE consent_act SET summary = '{}' WHERE kind = 'request.answered'",
    "an undo tells of another act": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{stance}', '\"allow\"')"
        " WHERE kind = 'permission.undone'"
    ),
    "a licence is named for another": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{licences,0,number}', '7')"
        " WHERE kind = 'sign_licence'"
    ),
    "a claim is named for another right": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{rights}', '[\"voice\"]')"
        " WHERE kind = 'make_claims'"
    ),
    "a claim is named for another party": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{parties,0}',"
        " to_jsonb(gen_random_uuid())) WHERE kind = 'verified_claim'"
    ),
    "an act is shown to another artist": (
        "UPDATE consent_act SET artist_id = (SELECT max(party_id) FROM consent_artist)"
        " WHERE kind = 'permission.answered_many'"
    ),
    "an act is shown to no artist": (
        "UPDATE consent_act SET artist_id = NULL WHERE kind = 'permission.answered'"
    ),
    "an act of nobody's is shown to an artist": (
        "UPDATE consent_act SET artist_id = (SELECT max(party_id) FROM consent_artist)"
        " WHERE kind = 'register_tool'"
    ),
    "somebody else asked": (
        "UPDATE consent_act SET by_id = (SELECT id FROM portal_user WHERE name = 'Olga')"
        " WHERE kind = 'ask_permission'"
    ),
    "an act was later": "UPDATE consent_act SET created_at = now() + '1 day'",
    "an act was long before": "UPDATE consent_act SET created_at = created_at - interval '2 hours'",
    "an act was about more": "UPDATE consent_act SET entries = entries + 1 WHERE entries = 5",
    "an act is gone": "DELETE FROM consent_act WHERE kind = 'register_tool'",
    "an act is added": (
        "INSERT INTO consent_act (ref, kind, artist_id, role, summary, entries, created_at)"
        " SELECT gen_random_uuid(), kind, artist_id, role, summary, entries, created_at"
        " FROM consent_act WHERE kind = 'permission.answered' LIMIT 1"
    ),
    "an act can no longer be undone": (
        "UPDATE consent_act SET undoes_id = (SELECT ref FROM consent_act"
        " WHERE kind = 'permission.cleared') WHERE kind = 'permission.revoked'"
    ),
    "an undo undoes another act": (
        "UPDATE consent_act a SET undoes_id = o.ref,"
        " summary = jsonb_build_object('undoes', o.ref) || o.summary"
        " FROM consent_act o WHERE a.kind = 'permission.undone' AND o.kind = 'permission.cleared'"
    ),
    "somebody else was let in": (
        "UPDATE consent_act SET summary = jsonb_set(summary, '{to,0}',"
        " to_jsonb(gen_random_uuid())) WHERE kind = 'delegation.granted'"
    ),
    "somebody was let in to another artist": (
        "UPDATE consent_act SET artist_id = (SELECT max(party_id) FROM consent_artist)"
        " WHERE kind = 'delegation.granted'"
    ),
    "nobody hears who was let in": (
        "UPDATE consent_act SET artist_id = NULL WHERE kind = 'delegation.granted'"
    ),
    "a question is another": "UPDATE consent_permissionrequest SET use = 'voice'",
    "a question is asked for longer": (
        "UPDATE consent_permissionrequest SET valid_until = now() + '9 years'"
    ),
    "a question is asked of another artist": (
        "UPDATE consent_permissionrequest SET artist_id = (SELECT min(party_id)"
        " FROM consent_artist)"
    ),
    "a question is asked for a better reason": (
        "UPDATE consent_permissionrequest SET why = 'For a museum.'"
    ),
    "a question was asked earlier": (
        "UPDATE consent_permissionrequest SET created_at = created_at - interval '1 day'"
    ),
    "a question is gone": "DELETE FROM consent_permissionrequest WHERE state = 'taken_back'",
    "a question is added": (
        "INSERT INTO consent_permissionrequest SELECT (r).* FROM (SELECT jsonb_populate_record("
        "  r, jsonb_build_object('id', 1000000, 'ref', gen_random_uuid(),"
        "  'batch', gen_random_uuid())) AS r FROM consent_permissionrequest r LIMIT 1) x"
    ),
    "a question waits again that was taken back": (
        "UPDATE consent_permissionrequest SET state = 'open' WHERE state = 'taken_back'"
    ),
    "a question is taken back that waits": (
        "UPDATE consent_permissionrequest SET state = 'taken_back' WHERE state = 'open'"
    ),
    "a question waits again that was answered": (
        "UPDATE consent_permissionrequest SET state = 'open', permission_id = NULL,"
        " answered_at = NULL WHERE state = 'granted'"
    ),
    "a question was refused that was granted": (
        "UPDATE consent_permissionrequest SET state = 'refused' WHERE state = 'granted'"
    ),
    "a question was granted that waits": (
        "UPDATE consent_permissionrequest SET state = 'granted', answered_at = now(),"
        " permission_id = (SELECT max(id) FROM consent_permission WHERE stance = 'allow')"
        " WHERE state = 'open'"
    ),
    "a withdrawal is confirmed": (
        "UPDATE consent_withdrawal SET acknowledged_at = now() WHERE acknowledged_at IS NULL"
    ),
    "a confirmation is taken away": (
        "UPDATE consent_withdrawal SET acknowledged_at = NULL WHERE acknowledged_at IS NOT NULL"
    ),
    "a confirmation was earlier": (
        "UPDATE consent_withdrawal SET acknowledged_at = acknowledged_at - interval '3 days'"
        " WHERE acknowledged_at IS NOT NULL"
    ),
    "a confirmation is of another company": (
        "UPDATE consent_withdrawal SET company_id = (SELECT min(id) FROM consent_party)"
    ),
    "a confirmed withdrawal is gone": (
        "DELETE FROM consent_withdrawal WHERE acknowledged_at IS NOT NULL"
    ),
    "a company has more time to confirm": (
        "UPDATE consent_withdrawal SET acknowledge_by = acknowledge_by + interval '1 day'"
    ),
    "a withdrawal is of another answer": (
        "UPDATE consent_withdrawal SET permission_id = (SELECT max(id) FROM consent_permission)"
        " WHERE id = (SELECT min(id) FROM consent_withdrawal)"
    ),
    "a recording is shown as by somebody else": (
        "UPDATE consent_artistrecording SET artist_id = (SELECT max(party_id) FROM consent_artist)"
        " WHERE id = (SELECT min(id) FROM consent_artistrecording)"
    ),
    "a recording is not shown": (
        "DELETE FROM consent_artistrecording WHERE id ="
        " (SELECT max(id) FROM consent_artistrecording)"
    ),
    "a featured artist is a main artist": (
        "UPDATE consent_artistrecording SET featured = false WHERE featured"
    ),
    "a party is a society": "UPDATE consent_party SET kind = 'society' WHERE kind = 'company'",
    "a party has another name": (
        "UPDATE consent_party SET name = 'Universal' WHERE name = 'Fjord Records'"
    ),
    "a licence has another title": "UPDATE consent_licence SET title = 'Exclusive agreement'",
    "a licence was signed earlier": (
        "UPDATE consent_licenceversion SET signed_at = signed_at - interval '1 year'"
    ),
    "a training was reported earlier": (
        "UPDATE consent_trainingrun SET reported_at = reported_at - interval '1 year'"
    ),
    "a wording was published earlier": (
        "UPDATE consent_wording SET created_at = created_at - interval '1 year'"
    ),
}


def test_any_change_behind_the_ledgers_back_is_found(story: Story) -> None:
    missed = []
    for name, change in ROWS.items():
        found = re.search(r"(?:UPDATE|DELETE FROM|INSERT INTO) (consent_\w+)", change)
        assert found is not None
        changed = found[1]
        with attack() as attacker:
            before = copied(attacker, changed)
            assert attacker.execute(change.encode()).rowcount > 0, name
        if audit().is_clean:
            missed.append(name)
        with attack() as attacker:
            attacker.execute(f"DELETE FROM {changed}".encode())
            with attacker.cursor().copy(f"COPY {changed} FROM STDIN".encode()) as copy:
                copy.write(before)
    assert missed == []
    assert is_frozen()
    assert audit().is_clean, "and everything that was put back is clean again"


def copied(attacker: Attacker, table: str) -> bytes:
    with attacker.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
        return b"".join(bytes(part) for part in copy)


def test_an_older_answer_that_is_made_to_speak_again_is_found(story: Story) -> None:
    """The row with the greatest id speaks: two answers in one scope change their ids."""
    answer_permission(by=story.ines, artist=story.maren, use="style", stance="allow")
    answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    with attack() as attacker:
        rows = attacker.execute(
            "SELECT id FROM consent_permission WHERE use = 'style' AND artist_id = %s ORDER BY id",
            [story.maren.pk],
        ).fetchall()
        [(old,), (new,)] = rows
        for before, after in ((old, -1), (new, old), (-1, new)):
            attacker.execute("UPDATE consent_permission SET id = %s WHERE id = %s", [after, before])
    [problem] = audit().problems
    assert "changed places" in problem


def delete_one(attacker: Attacker) -> None:
    attacker.execute("DELETE FROM consent_ledgerentry WHERE seq = 30")


def insert_one(attacker: Attacker) -> None:
    """Where the head says that the ledger ends, one more."""
    attacker.execute(
        "INSERT INTO consent_ledgerentry SELECT (p).* FROM (SELECT jsonb_populate_record(e,"
        " jsonb_build_object('id', gen_random_uuid(), 'seq', e.seq + 1)) AS p"
        " FROM consent_ledgerentry e ORDER BY seq DESC LIMIT 1) x"
    )


def swap_two(attacker: Attacker) -> None:
    for before, after in ((20, -1), (21, 20), (-1, 21)):
        attacker.execute("UPDATE consent_ledgerentry SET seq = %s WHERE seq = %s", [after, before])


def drop_the_last(attacker: Attacker) -> None:
    """The last entries and all that came of them, and the head goes back."""
    entries = "(SELECT id FROM consent_ledgerentry WHERE seq > 90)"
    for each in REPLAYS:
        attacker.execute(f"DELETE FROM {each.table} WHERE entry_id IN {entries}".encode())
    attacker.execute("DELETE FROM consent_ledgerentry WHERE seq > 90")
    attacker.execute(
        "UPDATE consent_ledgerhead SET seq = 90, recorded_at ="
        " (SELECT recorded_at FROM consent_ledgerentry WHERE seq = 90)"
    )


def hide_a_checkpoint_and_drop(attacker: Attacker) -> None:
    drop_the_last(attacker)
    attacker.execute("UPDATE consent_ledgercheckpoint SET size = 90")


def move_the_head(attacker: Attacker) -> None:
    attacker.execute("UPDATE consent_ledgerhead SET seq = seq + 1")


def turn_the_clock(attacker: Attacker) -> None:
    attacker.execute("UPDATE consent_ledgerhead SET recorded_at = recorded_at + '1 hour'")


STRUCTURAL = (
    delete_one,
    insert_one,
    swap_two,
    drop_the_last,
    hide_a_checkpoint_and_drop,
    move_the_head,
    turn_the_clock,
)


@pytest.mark.parametrize("how", STRUCTURAL, ids=lambda how: str(how.__name__))
def test_entries_that_go_come_or_move_are_found(
    how: Callable[[Attacker], None], transactional_db: None
) -> None:
    answers(tell_story(), 40)
    seal_ledger()
    with attack() as attacker:
        how(attacker)
    assert audit().problems


def test_tiles_that_do_not_belong_are_found(story: Story) -> None:
    tile = LedgerTile.objects.get(level=0, index=0)
    LedgerTile.objects.create(level=8, index=0, hashes=bytes(32))
    assert "tiles are stored" in audit().problems[0]
    LedgerTile.objects.filter(level=8).delete()
    *others, last = bytes(tile.hashes)
    LedgerTile.objects.filter(pk=tile.pk).update(hashes=bytes([*others, last ^ 1]))
    assert "tile 0 of level 0" in audit().problems[0]


def test_a_checkpoint_that_was_not_signed_by_us_is_found(story: Story) -> None:
    with attack() as attacker:
        attacker.execute(
            "UPDATE consent_ledgercheckpoint SET note = replace(note, 'liner', 'lines')"
        )
    assert "does not verify" in audit().problems[0]


def test_a_trigger_that_was_switched_off_is_found(story: Story, owner: Attacker) -> None:
    owner.execute("ALTER TABLE consent_permission DISABLE TRIGGER append_only_rows")
    try:
        assert "append_only_rows does not guard consent_permission" in audit().problems[0]
    finally:
        owner.execute("ALTER TABLE consent_permission ENABLE ALWAYS TRIGGER append_only_rows")


def rewrite_everything(attacker: Attacker, seq: int) -> None:
    """A no becomes a yes, and every hash, tile and checkpoint is made again to fit."""
    attacker.execute(
        "UPDATE consent_permission SET stance = 'allow' WHERE entry_id ="
        " (SELECT id FROM consent_ledgerentry WHERE seq = %s)",
        [seq],
    )
    attacker.execute(
        "UPDATE consent_act SET summary = jsonb_set(summary, '{stance}', '\"allow\"') WHERE ref ="
        " (SELECT act FROM consent_ledgerentry WHERE seq = %s)",
        [seq],
    )
    attacker.execute(
        """UPDATE consent_ledgerentry SET body = replace(body, '"deny"', '"allow"')"""
        " WHERE seq = %s",
        [seq],
    )
    attacker.execute(
        "UPDATE consent_ledgerentry SET leaf_hash = sha256('\\x00'::bytea || convert_to("
        "ledger_leaf(act, recorded_at, body, id, kind, seq), 'UTF8'))"
    )
    hashes = attacker.execute("SELECT leaf_hash FROM consent_ledgerentry ORDER BY seq").fetchall()
    [stolen] = signing_keys()
    sizes = attacker.execute("SELECT size FROM consent_ledgercheckpoint ORDER BY size").fetchall()
    frontier, done = Frontier(), 0
    for (size,) in sizes:
        frontier.extend(each for (each,) in hashes[done:size])
        done = size
        head = frontier.head()
        note = sign_checkpoint(checkpoint=Checkpoint(origin(), head), keys=[stolen])
        attacker.execute(
            "UPDATE consent_ledgercheckpoint SET root = %s, note = %s WHERE size = %s",
            [head.root, note, size],
        )
    attacker.execute("DELETE FROM consent_ledgertile")
    for tile in frontier.open_tiles():
        attacker.execute(
            "INSERT INTO consent_ledgertile (level, index, hashes) VALUES (%s, %s, %s)",
            [tile.level, tile.index, tile.hashes],
        )


def test_a_rewritten_history_is_found_by_a_checkpoint_from_outside_and_by_nothing_else(
    story: Story, tmp_path: Path
) -> None:
    note = sealed_note()
    entry = LedgerEntry.objects.filter(body__contains='"stance":"deny"', kind="permission.answered")
    seq = entry.earliest("seq").seq
    assert LedgerEntry.objects.count() < 256
    with attack() as attacker:
        rewrite_everything(attacker, seq)
    assert audit().is_clean, "the attacker was thorough, and had the key"
    [problem] = audit(archive=note).problems
    assert "checkpoint from archive" in problem

    (tmp_path / "checkpoint").write_text(note)
    LedgerAlarm.objects.all().delete()
    with pytest.raises(CommandError, match="not what was signed") as failure:
        call_command(
            "audit_ledger",
            checkpoint=[str(tmp_path / "checkpoint")],
            stderr=StringIO(),
            stdout=StringIO(),
        )
    assert failure.value.returncode == 1
    assert is_frozen()


def test_a_rewritten_history_is_found_by_the_copy_in_a_sink(
    story: Story, settings: Any, tmp_path: Path
) -> None:
    settings.LEDGER_SINKS = [f"folder:{tmp_path}"]
    assert seal_ledger() is not None
    perform(CheckpointSink, CheckpointSink.objects.get().pk)
    answers(story, 3, seed=9)
    seal_ledger()
    entry = LedgerEntry.objects.filter(body__contains='"stance":"deny"', kind="permission.answered")
    seq = entry.earliest("seq").seq
    with attack() as attacker:
        rewrite_everything(attacker, seq)
    [problem] = audit().problems
    assert f"checkpoint from folder:{tmp_path}" in problem


def test_an_outside_checkpoint_longer_than_the_ledger_is_a_problem(story: Story) -> None:
    head = TreeHead(10_000, sha256(b"").digest())
    note = sign_checkpoint(checkpoint=Checkpoint(origin(), head), keys=signing_keys())
    [problem] = audit(archive=note).problems
    assert "10000 entries" in problem


def test_an_outside_note_that_is_no_checkpoint_of_ours_is_a_problem(story: Story) -> None:
    [problem] = audit(archive="nonsense").problems
    assert "archive does not verify" in problem


# Incremental


def test_an_incremental_audit_reads_only_what_came_since_a_clean_one(story: Story) -> None:
    first = audit(incremental=True)
    assert (first.since, first.is_clean) == (0, True)
    answers(story, 4, seed=2)
    seal_ledger()
    second = audit(incremental=True)
    assert second.is_clean
    sealed_before = LedgerCheckpoint.objects.filter(size__lte=first.size).latest("size").size
    assert (second.since, second.size) == (sealed_before, LedgerEntry.objects.count())


def test_an_incremental_audit_finds_a_change_in_what_is_new(story: Story) -> None:
    audit()
    answers(story, 4, seed=2)
    seal_ledger()
    with attack() as attacker:
        attacker.execute(
            "UPDATE consent_permission SET stance = CASE stance WHEN 'allow' THEN 'deny'"
            " ELSE 'allow' END WHERE id = (SELECT max(id) FROM consent_permission)"
        )
    assert audit(incremental=True).problems


def test_an_incremental_audit_trusts_no_row_about_where_it_begins(story: Story) -> None:
    """A forged row says that all is well; the tree there must still lead to what was signed."""
    size = LedgerCheckpoint.objects.latest("size").size
    audit()
    with attack() as attacker:
        attacker.execute("DELETE FROM consent_ledgertile")
    audited = audit(incremental=True)
    assert audited.since == size
    assert audited.problems


def test_an_incremental_audit_compares_older_checkpoints_from_outside(story: Story) -> None:
    note = LedgerCheckpoint.objects.earliest("size").note
    audit()
    audited = audit(incremental=True, archive=note)
    assert (audited.outside, audited.problems) == (1, ())


# What an alarm does


def test_an_alarm_freezes_every_yes_and_lets_every_no_through(story: Story) -> None:
    with attack() as attacker:
        attacker.execute("UPDATE consent_toolstate SET suspended = NOT suspended")
    assert audit().problems
    with pytest.raises(Frozen):
        answer_permission(by=story.ines, artist=story.maren, use="style", stance="allow")
    given = answer_permission(by=story.ines, artist=story.maren, use="style", stance="deny")
    assert given.changed


def test_the_same_problem_raises_one_alarm_that_is_heard_of_once(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[LedgerAlarm] = []
    monkeypatch.setattr("consent.services.audit._listeners", [])
    hears_alarms(heard.append)
    with attack() as attacker:
        attacker.execute("UPDATE consent_toolstate SET suspended = NOT suspended")
    audit()
    tasks.audit_ledger()
    assert [alarm.problem for alarm in heard] == [open_alarms()[0].problem]
    assert LedgerAudit.objects.filter(problems=[]).count() == 0
    assert LedgerAudit.objects.count() == 2


def test_an_alarm_is_cleared_with_a_reason_and_that_is_an_entry(story: Story) -> None:
    with transaction.atomic():
        alarm = LedgerAlarm.objects.create(raised_at=story.hers[0].created_at, problem="A drill.")
    with pytest.raises(Refused) as refusal:
        clear_alarm(by=story.olga, alarm=alarm, reason="  ")
    assert refusal.value.code == "alarm_reason"
    assert is_frozen()
    clear_alarm(by=story.olga, alarm=alarm, reason="It was a drill.")
    assert not is_frozen()
    last = LedgerEntry.objects.latest("seq")
    assert last.kind == "alarm.cleared"
    assert json.loads(last.body)["by"] == str(story.olga.ref)
    assert "drill" not in last.body
    with pytest.raises(Refused) as refusal:
        clear_alarm(by=story.olga, alarm=alarm, reason="Again.")
    assert refusal.value.code == "alarm_over"
    assert audit().is_clean


@pytest.mark.parametrize("change", ["body", "empty", "half", "other log"])
def test_a_file_that_is_no_checkpoint_of_ours_raises_no_alarm(
    story: Story, tmp_path: Path, change: str
) -> None:
    """A slip of the operator's must not stop every artist from saying yes."""
    note = sealed_note()
    given = {
        "body": f"Keep this mail.\n\nThe file says:\n\n{note}",
        "empty": "",
        "half": note.partition("\n\n")[0],
        "other log": note.replace(origin(), "elsewhere.example/ledger"),
    }[change]
    (tmp_path / "given.txt").write_text(given)
    with pytest.raises(CommandError) as refused:
        call_command("audit_ledger", checkpoint=[str(tmp_path / "given.txt")], stdout=StringIO())
    assert refused.value.returncode == 2
    assert "is no checkpoint of" in str(refused.value)
    assert not is_frozen()
    (tmp_path / "given.txt").write_text(f"\n{note}\n\n", newline="\r\n")
    out = StringIO()
    call_command("audit_ledger", checkpoint=[str(tmp_path / "given.txt")], stdout=out)
    assert "compared with 1 checkpoint from outside" in out.getvalue()


def test_an_audit_that_cannot_read_the_ledger_could_not_run(story: Story) -> None:
    """As in a database that was never migrated."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO pg_temp")
        with pytest.raises(CommandError, match="cannot be read") as failure:
            call_command("audit_ledger", stdout=StringIO())
        transaction.set_rollback(True)
    assert failure.value.returncode == 2
    assert not LedgerAlarm.objects.exists()


def test_the_command_says_that_nothing_is_wrong_and_what_it_could_not_see(story: Story) -> None:
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    assert "Nothing is wrong." in out.getvalue()
    assert "No checkpoint from outside" in out.getvalue()


# The code that answers


def defined(owner: Attacker, name: str) -> str:
    found = owner.execute("SELECT pg_get_functiondef(%s::regproc)", [name]).fetchone()
    assert found is not None
    return str(found[0])


@pytest.mark.parametrize(
    "name",
    [
        "decision_facts",
        "ledger_append",
        "ledger_leaf",
        "ledger_now",
        "permission_turn",
        "permission_append",
        "refuse_change",
        "attributions_are_whole",
    ],
)
def test_a_function_that_was_changed_by_a_letter_is_found(
    story: Story, owner: Attacker, name: str
) -> None:
    before = defined(owner, name)
    head, dollars, body = before.partition("$function$")
    assert name in installed_functions()
    try:
        owner.execute(f"{head}{dollars}{body.replace('$function$', ' $function$')}".encode())
        assert audit().problems == (
            f"the function {name} is not the one that this version installs",
        )
    finally:
        owner.execute(before.encode())
    assert audit().is_clean


@pytest.mark.parametrize(
    ("change", "undo", "problem"),
    [
        (
            "ALTER FUNCTION ledger_append SECURITY INVOKER",
            "ALTER FUNCTION ledger_append SECURITY DEFINER",
            "the function ledger_append is not the one",
        ),
        (
            "ALTER FUNCTION decision_facts SET work_mem = '1MB'",
            "ALTER FUNCTION decision_facts RESET work_mem",
            "the function decision_facts is not the one",
        ),
        (
            "CREATE FUNCTION ledger_now(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "DROP FUNCTION ledger_now(integer)",
            "there is another function of the name ledger_now",
        ),
        (
            "CREATE TRIGGER yes BEFORE INSERT ON consent_permission FOR EACH ROW"
            " EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER yes ON consent_permission",
            "the trigger yes at consent_permission is none of ours",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE ON consent_act"
            " FOR EACH ROW WHEN (false) EXECUTE FUNCTION refuse_change()",
            "CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON consent_act"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "the trigger append_only_rows at consent_act does not do what it should",
        ),
        (
            "ALTER TABLE consent_act ENABLE ROW LEVEL SECURITY;"
            " CREATE POLICY all_of_it ON consent_act USING (true)",
            "DROP POLICY all_of_it ON consent_act;"
            " ALTER TABLE consent_act DISABLE ROW LEVEL SECURITY",
            "consent_act is not a plain table",
        ),
        (
            "CREATE RULE nothing AS ON UPDATE TO consent_act DO INSTEAD NOTHING",
            "DROP RULE nothing ON consent_act",
            "consent_act is not a plain table",
        ),
    ],
)
def test_other_code_around_the_ledger_is_found(
    story: Story, owner: Attacker, change: str, undo: str, problem: str
) -> None:
    owner.execute(change.encode())
    try:
        assert any(problem in each for each in audit().problems)
    finally:
        owner.execute(undo.encode())
        owner.execute("ALTER TABLE consent_act ENABLE ALWAYS TRIGGER append_only_rows")


def test_every_function_that_is_installed_is_compared() -> None:
    text = "".join(path.read_text() for path in (HERE / "sql").glob("*.sql"))
    assert text.count(" FUNCTION ledger_append(\n") == 1
    assert len(installed_functions()) == text.count("CREATE OR REPLACE FUNCTION ") + 1


def test_every_kind_of_act_that_the_services_write_has_a_rule() -> None:
    """An act of a kind without one would stop all new allowances the next night."""
    written = set()
    for path in (HERE / "services").glob("*.py"):
        text = path.read_text()
        written |= set(re.findall(r'^\s+kind="(\w+|permission\.\w+|request\.\w+)",$', text, re.M))
        written |= set(re.findall(r'_(?:record|write)\(\s*by, "(\w+)"', text))
        written |= set(re.findall(r'drafts\.act\(\s*"([\w.]+)"', text))
        written |= set(re.findall(r'kind="(\w+)", at=', text))
    written |= {f"{standing}_claim" for standing in Standing}
    written |= {f"permission.{way}" for way in (Way.REVOKED, Way.INVALIDATED)}
    assert len(written) > 25
    assert written - set(ACTS) - set(ALONE) - {"withdrawal"} == set()


def test_whose_name_was_erased_has_none(story: Story) -> None:
    erase_subject(by=story.olga, subject=story.maren.party.ref, reason_code="objection")
    assert audit().is_clean
    with attack() as attacker:
        attacker.execute("UPDATE consent_party SET name = %s WHERE name = '(erased)'", ["Nobody"])
    [problem] = audit().problems
    assert "does not have the name" in problem


def test_another_vault_key_than_that_of_the_database_is_a_finding_and_seals_nothing(
    story: Story, settings: Any
) -> None:
    """As after a backup was restored with the wrong one."""
    settings.VAULT_KEY = "ab" * 32
    audited = audit()
    assert any("does not open, and nobody erased it" in problem for problem in audited.problems)
    with pytest.raises(ImproperlyConfigured, match="LINER_VAULT_KEY"):
        vault.seal(story.maren.party.ref, {"name": "Maren Holt"})
