"""The clock's tick: what was recorded gets a signed root, and the root leaves the house."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from psycopg.rows import TupleRow

from consent import clock, tasks
from consent.checkpoint import generate_signing_key, open_checkpoint
from consent.errors import NotFound, Refused
from consent.ledger_keys import origin, signing_keys, verifying_keys
from consent.merkle import leaf_hash, verify_consistency, verify_inclusion
from consent.models import CheckpointSink, LedgerAlarm, LedgerCheckpoint, LedgerTile, WorkState
from consent.queries import ledger
from consent.services.parties import register_artist
from consent.services.sealing import SealError, outside_notes, seal_ledger
from consent.services.work import perform
from consent.sinks import FolderSink, HttpSink, MailSink, SinkError, sink_of

Owner = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def sinks(settings: Any, tmp_path: Path) -> Path:
    settings.LEDGER_SINKS = [f"folder:{tmp_path / 'outside'}"]
    return tmp_path / "outside"


def some_entries(how_many: int) -> None:
    for n in range(how_many):
        register_artist(by=None, name=f"Maren Holt {n}")


def many_entries(how_many: int) -> None:
    """Leaves without facts, in one act: enough to fill tiles."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_append(gen_random_uuid(), array_agg(gen_random_uuid()),"
            " array_agg('note.made'::text), array_agg('{\"n\":' || n || '}'))"
            " FROM generate_series(1, %s) n",
            [how_many],
        )


def push_all() -> None:
    for row in CheckpointSink.objects.filter(state=WorkState.WAITING):
        perform(CheckpointSink, row.pk)


@pytest.mark.django_db
def test_an_empty_ledger_has_nothing_to_seal() -> None:
    assert seal_ledger() is None
    assert not LedgerCheckpoint.objects.exists()


@pytest.mark.django_db
def test_a_checkpoint_signs_everything_that_was_recorded() -> None:
    some_entries(3)
    sealed = seal_ledger()
    assert sealed is not None
    opened = open_checkpoint(note=sealed.note, keys=verifying_keys(), origin=origin())
    assert (opened.head.size, opened.head.root) == (3, bytes(sealed.root))
    assert seal_ledger() is None, "nothing is new"


@pytest.mark.django_db
def test_every_entry_is_proved_under_every_later_checkpoint() -> None:
    sizes = []
    for n in (1, 255, 2, 300, 700):
        many_entries(n)
        sealed = seal_ledger()
        assert sealed is not None
        sizes.append(sealed.size)
    heads = {
        size: open_checkpoint(
            note=ledger.checkpoint_at(size).note, keys=verifying_keys(), origin=origin()
        ).head
        for size in sizes
    }
    for size, head in heads.items():
        for seq in {1, size // 2 + 1, size}:
            found = leaf_hash(ledger.leaf_text(seq).encode())
            verify_inclusion(ledger.inclusion_proof(seq, size), leaf_hash=found, head=head)
    for old in sizes:
        for new in (size for size in sizes if size >= old):
            proof = ledger.consistency_proof(old, new)
            verify_consistency(proof, old=heads[old], new=heads[new])


@pytest.mark.django_db
def test_what_is_not_sealed_yet_is_said_to_be_so() -> None:
    some_entries(1)
    with pytest.raises(Refused) as refusal:
        ledger.inclusion_proof(1)
    assert refusal.value.code == "not_sealed"
    seal_ledger()
    assert ledger.inclusion_proof(1).size == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("seq", "size"), [(0, None), (3, None), (-1, None), (1, 3), (2, 1)])
def test_there_is_no_proof_for_what_there_is_not(seq: int, size: int | None) -> None:
    some_entries(2)
    seal_ledger()
    with pytest.raises(NotFound):
        ledger.inclusion_proof(seq, size)


@pytest.mark.django_db
def test_the_database_and_the_audit_spell_a_leaf_alike() -> None:
    register_artist(by=None, name="田中葵")
    [[leaf]] = ledger.read_leaves(after=0, until=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_leaf(act, recorded_at, body, id, kind, seq) FROM consent_ledgerentry"
        )
        (text,) = cursor.fetchone()
    assert leaf.text == text
    assert leaf_hash(text.encode()) == leaf.leaf_hash
    assert json.loads(text)["seq"] == 1


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_do_one_job() -> None:
    some_entries(2)
    sealed: list[LedgerCheckpoint | None] = []
    gate = threading.Barrier(4)

    def seal() -> None:
        gate.wait()
        try:
            sealed.append(seal_ledger())
        finally:
            connection.close()

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.size for each in sealed if each] == [2]
    assert LedgerCheckpoint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_not_committed_is_not_sealed() -> None:
    some_entries(1)
    seen: list[int] = []

    def seal() -> None:
        sealed = seal_ledger()
        seen.append(sealed.size if sealed else 0)
        connection.close()

    with transaction.atomic():
        some_entries(1)
        thread = threading.Thread(target=seal)
        thread.start()
        thread.join()
    assert seen == [1]
    sealed = seal_ledger()
    assert sealed is not None
    assert sealed.size == 2


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_was_changed_is_never_signed(owner: Owner) -> None:
    some_entries(3)
    seal_ledger()
    some_entries(2)
    with owner.transaction():
        owner.execute("ALTER TABLE consent_ledgerentry DISABLE TRIGGER append_only_rows")
        owner.execute(
            "UPDATE consent_ledgerentry SET body = replace(body, 'person', 'group') WHERE seq = 4"
        )
        owner.execute("ALTER TABLE consent_ledgerentry ENABLE ALWAYS TRIGGER append_only_rows")
    with pytest.raises(SealError, match="entry 4"):
        seal_ledger()
    assert LedgerCheckpoint.objects.count() == 1


@pytest.mark.django_db
def test_tiles_that_contradict_the_last_checkpoint_stop_the_sealing_and_raise_an_alarm() -> None:
    some_entries(3)
    seal_ledger()
    LedgerTile.objects.filter(level=0, index=0).update(hashes=bytes(96))
    some_entries(1)
    with pytest.raises(SealError, match="checkpoint at 3"):
        seal_ledger()
    tasks.seal_ledger()
    assert "sealing stopped" in LedgerAlarm.objects.get().problem
    assert LedgerCheckpoint.objects.count() == 1


@pytest.mark.django_db
def test_a_process_without_the_key_signs_nothing(settings: Any) -> None:
    settings.LEDGER_SIGNING_KEY = ""
    settings.LEDGER_OLD_KEYS = []
    some_entries(1)
    assert seal_ledger() is None


@pytest.mark.django_db
def test_keys_rotate_and_what_the_old_one_signed_stays_verifiable(
    settings: Any, tmp_path: Path
) -> None:
    some_entries(1)
    first = seal_ledger()
    assert first is not None
    [old] = verifying_keys()
    call_command("new_signing_key", str(tmp_path / "new.key"), stdout=StringIO())
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    settings.LEDGER_SIGNING_KEY_FILE = str(tmp_path / "new.key")
    settings.LEDGER_OLD_KEYS = [old.encode()]
    some_entries(1)
    second = seal_ledger()
    assert second is not None
    [new] = [key.verifying_key for key in signing_keys()]
    assert new != old
    for note, signer in ((first.note, old), (second.note, new)):
        opened = open_checkpoint(note=note, keys=verifying_keys(), origin=origin())
        assert opened.signed_by == (signer,)


def test_the_first_key_of_all_has_none_before_it(settings: Any, tmp_path: Path) -> None:
    """Settings of production name the file before it is there."""
    path = tmp_path / "first.key"
    settings.LEDGER_SIGNING_KEY_FILE = str(path)
    settings.LEDGER_SIGNING_KEY, settings.LEDGER_OLD_KEYS = "", []
    out = StringIO()
    call_command("new_signing_key", str(path), stdout=out)
    assert "LINER_OLD_SIGNING_KEYS" not in out.getvalue()
    assert f"LINER_SIGNING_KEY_FILE={path}" in out.getvalue()
    [key] = verifying_keys()
    assert key.encode() in out.getvalue()
    out = StringIO()
    call_command("new_signing_key", str(tmp_path / "second.key"), stdout=out)
    assert f"LINER_OLD_SIGNING_KEYS={key.encode()}\n" in out.getvalue()


@pytest.mark.django_db
def test_while_keys_change_over_both_sign(settings: Any) -> None:
    new = generate_signing_key(name=origin())
    settings.LEDGER_SIGNING_KEY = f"{new.encode()}\n{settings.LEDGER_SIGNING_KEY}"
    some_entries(1)
    sealed = seal_ledger()
    assert sealed is not None
    opened = open_checkpoint(note=sealed.note, keys=verifying_keys(), origin=origin())
    assert len(opened.signed_by) == 2


def test_a_key_of_another_name_is_refused(settings: Any) -> None:
    settings.LEDGER_SIGNING_KEY = generate_signing_key(name="other.example/ledger").encode()
    with pytest.raises(ImproperlyConfigured, match=r"other\.example/ledger"):
        signing_keys()


# Sinks


@pytest.mark.django_db
def test_a_checkpoint_goes_to_the_folder_and_can_be_read_back(sinks: Path) -> None:
    some_entries(2)
    sealed = seal_ledger()
    assert sealed is not None
    push_all()
    assert outside_notes() == {f"folder:{sinks}": sealed.note}
    row = CheckpointSink.objects.get()
    assert (row.pushed_size, row.state) == (2, WorkState.DONE)
    some_entries(1)
    assert seal_ledger() is not None
    push_all()
    assert len(list(sinks.glob("*.checkpoint"))) == 2


@pytest.mark.django_db
def test_a_folder_keeps_both_when_a_second_history_is_pushed(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path / "kept")
    sink.push(size=7, note="one\n")
    sink.push(size=7, note="two\n")
    kept = sorted(path.read_text() for path in (tmp_path / "kept").glob("*.checkpoint"))
    assert kept == ["one\n", "two\n"]


@pytest.mark.django_db
def test_a_sink_that_fails_blocks_nothing_and_is_tried_again(
    settings: Any, sinks: Path, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("not a folder")
    settings.LEDGER_SINKS = [f"folder:{tmp_path / 'a file' / 'in it'}", f"folder:{sinks}"]
    some_entries(1)
    assert seal_ledger() is not None
    push_all()
    bad = CheckpointSink.objects.get(name__contains="in it")
    good = CheckpointSink.objects.exclude(pk=bad.pk).get()
    assert (good.pushed_size, bad.pushed_size) == (1, 0)
    assert bad.state == WorkState.WAITING
    assert "SinkError" in bad.last_error
    (tmp_path / "a file").unlink()
    some_entries(1)
    seal_ledger()
    CheckpointSink.objects.update(next_at=clock.now())
    push_all()
    assert set(CheckpointSink.objects.values_list("pushed_size", flat=True)) == {2}


@pytest.mark.django_db
def test_a_mail_goes_out_once_a_day_and_then_with_the_newest(settings: Any) -> None:
    settings.LEDGER_SINKS = ["mailto:archive@label.example"]
    for _ in range(3):
        some_entries(1)
        seal_ledger()
        push_all()
    assert len(mail.outbox) == 1
    row = CheckpointSink.objects.get()
    assert row.state == WorkState.WAITING
    assert row.pushed_at is not None
    assert row.next_at == row.pushed_at + timedelta(days=1)
    CheckpointSink.objects.update(next_at=clock.now())
    push_all()
    again = mail.outbox[1]
    newest = LedgerCheckpoint.objects.latest("size")
    assert (newest.size, newest.note in again.body) == (3, True)
    [(name, content, _kind)] = again.attachments
    assert (name, content) == ("checkpoint-3.txt", newest.note.encode()), "to the letter"
    assert "verify_receipt.py" in again.body


class Witness(BaseHTTPRequestHandler):
    kept: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[tuple[str, str | None]]] = []
    answer: ClassVar[int] = 201

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers.get("Authorization")))
        if self.answer == 201:
            self.kept[self.path] = body
        self.send_response(self.answer)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        found = self.kept.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def witness() -> Iterator[str]:
    Witness.kept, Witness.asked, Witness.answer = {}, [], 201
    with HTTPServer(("127.0.0.1", 0), Witness) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_checkpoint_is_put_to_an_address_and_read_back(witness: str) -> None:
    sink = sink_of(f"http://maren:s%20cret@{witness}/liner/")
    assert isinstance(sink, HttpSink)
    assert sink.name == f"http://{witness}/liner/"
    assert "cret" not in repr(sink)
    assert sink.fetch() is None
    sink.push(size=12, note="a note\n")
    assert sink.fetch() == "a note\n"
    assert set(Witness.kept) == {"/liner/12", "/liner/latest"}
    assert Witness.asked[0][1] == "Basic bWFyZW46cyBjcmV0"


@pytest.mark.parametrize("answer", [302, 403, 500])
def test_a_refusal_or_a_redirect_is_an_error(witness: str, answer: int) -> None:
    Witness.answer = answer
    with pytest.raises(SinkError, match=str(answer)):
        sink_of(f"http://{witness}/").push(size=1, note="a note\n")


def test_a_dead_witness_is_an_error() -> None:
    sink = sink_of("http://127.0.0.1:1/")
    with pytest.raises(SinkError):
        sink.push(size=1, note="a note\n")
    with pytest.raises(SinkError):
        sink.fetch()


def test_sinks_are_read_from_addresses() -> None:
    assert sink_of("folder:/srv/a%20b") == FolderSink(Path("/srv/a b"))
    assert sink_of("mailto:a@b.example") == MailSink("a@b.example", timedelta(days=1))
    assert sink_of("mailto:a@b.example?every=60").every == timedelta(minutes=1)


@pytest.mark.parametrize(
    "address",
    ["ftp://b.example", "folder:", "mailto:nobody", "https://", "mailto:a@b?often=1", "x"],
)
def test_what_is_no_sink_is_said_at_once(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="LINER_LEDGER_SINKS"):
        sink_of(address)
