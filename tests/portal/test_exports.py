"""Files: what is in them, who fetches them, and how long they are there."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.models import AICompany, Artist, ModelVersion, WorkState
from consent.services.provenance import Part, report_output, report_training_run
from consent.services.work import perform
from consent.words import Right, UseKind
from portal.access import Access
from portal.exports.table import DANGEROUS, MARK, TableWriter, neutral, original
from portal.exports.usage import COLUMNS, MONEY_COLUMNS
from portal.models import Export, Membership, Notice, NoticeKind, Roster, User
from portal.queries.exports import export_by_ref, exports_of
from portal.roles import Role
from portal.services.delegation import end_access, grant_access
from portal.services.exports import (
    LINK_LIVES,
    create_export_link,
    delete_old_exports,
    open_export,
    request_export,
)
from royalties.services.usage import UsageReport, record_usage
from tests.cast import recordings_of


@pytest.fixture(autouse=True)
def _files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.PRIVATE_ROOT = tmp_path


def files() -> list[Path]:
    folder = Path(settings.PRIVATE_ROOT) / "exports"
    return sorted(folder.iterdir()) if folder.exists() else []


def written(by: User, artist: Artist, **params: Any) -> Export:
    export = request_export(by=by, artist=artist, params=params)
    assert perform(Export, export.pk)
    export.refresh_from_db()
    return export


def read(by: User, export: Export) -> list[dict[str, str]]:
    opened = open_export(by=by, token=create_export_link(by=by, export=export))
    with opened.file as file:
        text = file.read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# --- Cells -------------------------------------------------------------------------------

texts = st.text(alphabet=st.characters(codec="utf-8"))
dangerous = st.builds(str.__add__, st.sampled_from((*DANGEROUS, MARK)), texts)


@given(st.lists(st.lists(texts | dangerous | st.integers(), min_size=1, max_size=5), min_size=1))
def test_a_table_comes_back_as_it_was_and_no_cell_is_a_formula(
    rows: list[list[str | int]],
) -> None:
    file = io.BytesIO()
    writer = TableWriter(file)
    writer.rows(rows)
    text = file.getvalue().decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(text, newline="")))

    assert writer.size == len(file.getvalue())
    assert len(back) == len(rows)
    for cells, row in zip(back, rows, strict=True):
        for cell, was in zip(cells, row, strict=True):
            if isinstance(was, int):
                assert cell == str(was)
            else:
                assert not cell.startswith(DANGEROUS)
                assert original(cell) == was


def test_numbers_stay_numbers_and_texts_are_in_quotes() -> None:
    file = io.BytesIO()
    TableWriter(file).rows([["=1+1", -5, None, True, 'say "A;B"']])
    assert file.getvalue() == b'\xef\xbb\xbf"\'=1+1",-5,"","yes","say ""A;B"""\r\n'


def test_the_neutral_form_is_told_from_a_text_that_has_it_already() -> None:
    assert neutral("=A1") == "'=A1"
    assert neutral("'=A1") == "''=A1"
    assert neutral("＝A1") == "'＝A1"
    assert neutral("Havn = Home") == "Havn = Home"


# --- What is in the file -------------------------------------------------------------------


@pytest.mark.django_db
def test_a_usage_export_has_one_line_for_each_use(
    maren: Artist,
    maren_user: User,
    aoi: Artist,
    tonewright: AICompany,
    tidesmith_v1: ModelVersion,
) -> None:
    [havn] = recordings_of(maren, title='=HYPERLINK("https://x.example")')
    [sora] = recordings_of(aoi, title="空")
    then = now()
    report_training_run(
        company=tonewright,
        client_ref="run-1",
        model_version=tidesmith_v1,
        use=UseKind.GENERATIVE_TRAINING,
        trained_at=then,
        isrcs=[havn.isrc, sora.isrc],
    )
    report_output(
        company=tonewright,
        client_ref="out-1",
        model_version=tidesmith_v1,
        use=UseKind.STYLE,
        made_at=then,
        attributions=[
            Part(havn.isrc, Right.MASTER, 6_000, "attrib-3.2"),
            Part(sora.isrc, Right.MASTER, 4_000, "attrib-3.2"),
        ],
    )
    [recorded] = record_usage(
        by=None,
        company=tonewright,
        reports=[
            UsageReport(
                event_id="event-1",
                output="out-1",
                occurred_at=then + timedelta(microseconds=1),
                revenue_micros=1_000_000,
                currency="EUR",
                quantity=3,
                territory="NO",
            )
        ],
    )
    assert recorded.outcome == "recorded", recorded

    training, output = read(maren_user, written(maren_user, maren))

    assert tuple(training) == (*COLUMNS, *MONEY_COLUMNS)
    assert (training["what"], output["what"]) == ("training", "output")
    assert {one["isrc"] for one in (training, output)} == {havn.isrc}
    assert original(output["recording"]) == havn.title
    assert output["recording"].startswith("'=")
    assert (output["tool"], output["company"], output["model_version"]) == (
        "Tidesmith",
        "Tonewright",
        "v1",
    )
    assert (output["right"], output["influence_bp"]) == ("master", "6000")
    assert (output["quantity"], output["territory"]) == ("3", "NO")
    assert training["quantity"] == ""
    assert (output["allowed"], output["reason"]) == ("no", "no_express_authority")
    assert int(output["ledger_seq"]) > 0
    assert (output["owed_micros"], output["currency"]) == ("", "")


@pytest.mark.django_db
def test_the_columns_of_amounts_are_for_those_who_see_money(maren: Artist, charlie: User) -> None:
    grant_access(by=None, user=charlie, artist=maren, role=Role.ASSISTANT, scopes=["export"])
    export = written(charlie, maren)
    opened = open_export(by=charlie, token=create_export_link(by=charlie, export=export))
    with opened.file as file:
        header = file.readline().decode("utf-8-sig").strip()
    assert header == ",".join(f'"{name}"' for name in COLUMNS)
    assert opened.filename.startswith(f"ai-usage-{maren.slug}-")


@pytest.mark.django_db
def test_an_export_is_of_the_days_that_were_chosen(
    maren: Artist, maren_user: User, tonewright: AICompany, tidesmith_v1: ModelVersion
) -> None:
    [havn] = recordings_of(maren)
    report_training_run(
        company=tonewright,
        client_ref="run-1",
        model_version=tidesmith_v1,
        use=UseKind.GENERATIVE_TRAINING,
        trained_at=now(),
        isrcs=[havn.isrc],
    )
    today = now().date()
    assert len(read(maren_user, written(maren_user, maren, since=today, until=today))) == 1
    tomorrow = today + timedelta(days=1)
    assert read(maren_user, written(maren_user, maren, since=tomorrow)) == []
    yesterday = today - timedelta(days=1)
    assert read(maren_user, written(maren_user, maren, until=yesterday)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"since": "yesterday"}, "export_params"),
        ({"since": date(2026, 2, 1), "until": date(2026, 1, 31)}, "until_before_from"),
        ({"artist": "2"}, "export_params"),
    ],
)
def test_choices_that_make_no_sense_are_refused(
    maren: Artist, maren_user: User, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        request_export(by=maren_user, artist=maren, params=params)


# --- Asking ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_file_is_not_written_twice_at_once(maren: Artist, maren_user: User) -> None:
    first = request_export(by=maren_user, artist=maren)
    assert request_export(by=maren_user, artist=maren) == first
    assert request_export(by=maren_user, artist=maren, params={"since": "2026-01-01"}) != first
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.create(
            kind=first.kind,
            artist=maren,
            requested_by=maren_user,
            next_at=now(),
            created_at=now(),
        )
    written(maren_user, maren)
    assert request_export(by=maren_user, artist=maren).pk is not None


@pytest.mark.django_db
def test_charlie_and_an_assistant_ask_for_nothing(maren: Artist, charlie: User) -> None:
    with pytest.raises(NotFound):
        request_export(by=charlie, artist=maren)
    grant_access(by=None, user=charlie, artist=maren, role=Role.ASSISTANT)
    with pytest.raises(Refused, match="may_not_export"):
        request_export(by=charlie, artist=maren)


# --- Writing -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_finished_export_says_what_it_is_and_who_asked_is_told(
    maren: Artist, maren_user: User
) -> None:
    export = written(maren_user, maren)

    assert (export.state, export.rows, export.attempts) == (WorkState.DONE, 0, 1)
    assert export.expires_at == export.finished_at + timedelta(days=7)  # type: ignore[operator]
    [file] = files()
    assert file.name == export.file
    assert file.stat().st_size == export.size
    assert file.stat().st_mode & 0o077 == 0
    assert Notice.objects.filter(recipient=maren_user, kind=NoticeKind.EXPORT_READY).count() == 1


@pytest.mark.django_db
def test_a_file_for_somebody_whose_access_ended_meanwhile_is_not_written(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(by=None, user=charlie, artist=maren, role=Role.MANAGER)
    export = request_export(by=charlie, artist=maren)
    end_access(by=maren_user, membership=membership)

    perform(Export, export.pk)

    export.refresh_from_db()
    assert export.state == WorkState.DEAD
    assert files() == []
    assert not Notice.objects.filter(kind=NoticeKind.EXPORT_READY).exists()


@pytest.mark.django_db
def test_a_part_that_a_dead_worker_left_is_deleted_by_the_next_attempt(
    maren: Artist, maren_user: User
) -> None:
    export = request_export(by=maren_user, artist=maren)
    folder = Path(settings.PRIVATE_ROOT) / "exports"
    folder.mkdir()
    (folder / "half.csv").write_text("half a li")
    Export.objects.filter(pk=export.pk).update(
        state=WorkState.RUNNING,
        attempts=1,
        file="half.csv",
        progress_done=7,
        locked_until=now() - timedelta(seconds=1),
    )

    assert perform(Export, export.pk)

    export.refresh_from_db()
    assert (export.state, export.attempts) == (WorkState.DONE, 2)
    assert [file.name for file in files()] == [export.file]


@pytest.mark.django_db
def test_a_worker_that_was_away_too_long_does_not_touch_the_row_of_its_successor(
    maren: Artist, maren_user: User
) -> None:
    export = request_export(by=maren_user, artist=maren)
    late = Export.claim(export.pk, at=now())
    assert late is not None
    Export.objects.filter(pk=export.pk).update(locked_until=now() - timedelta(seconds=1))
    assert perform(Export, export.pk)
    done = Export.objects.get(pk=export.pk)

    from portal.services.exports import LostTurnError, _progress

    with pytest.raises(LostTurnError):
        _progress(late, progress_done=1)
    assert Export.objects.filter(pk=export.pk).values().get() == {
        field.attname: getattr(done, field.attname) for field in Export._meta.concrete_fields
    }


@pytest.mark.django_db
def test_an_export_that_fails_is_tried_again_and_then_given_up_aloud(
    maren: Artist, maren_user: User, settings: Any, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    settings.PRIVATE_ROOT = blocked
    export = request_export(by=maren_user, artist=maren)
    for attempt in range(1, Export.MAX_ATTEMPTS + 1):
        Export.objects.filter(pk=export.pk).update(next_at=now())
        assert perform(Export, export.pk)
        export.refresh_from_db()
        assert export.attempts == attempt
    assert export.state == WorkState.DEAD
    assert "NotADirectoryError" in export.last_error
    assert Notice.objects.filter(recipient=maren_user, kind=NoticeKind.EXPORT_FAILED).count() == 1


# --- Fetching ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_link_works_once(maren: Artist, maren_user: User) -> None:
    export = written(maren_user, maren)
    token = create_export_link(by=maren_user, export=export)
    open_export(by=maren_user, token=token).file.close()
    with pytest.raises(Refused, match="link_used"):
        open_export(by=maren_user, token=token)
    export.refresh_from_db()
    assert export.downloads == 1


@pytest.mark.django_db
def test_a_newer_link_replaces_the_one_before(maren: Artist, maren_user: User) -> None:
    export = written(maren_user, maren)
    old = create_export_link(by=maren_user, export=export)
    new = create_export_link(by=maren_user, export=export)
    with pytest.raises(Refused, match="link_used"):
        open_export(by=maren_user, token=old)
    open_export(by=maren_user, token=new).file.close()


@pytest.mark.django_db
def test_a_link_is_over_after_a_quarter_of_an_hour(
    maren: Artist, maren_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = written(maren_user, maren)
    token = create_export_link(by=maren_user, export=export)
    assert timedelta(minutes=15) >= LINK_LIVES
    import time

    later = time.time() + LINK_LIVES.total_seconds() + 1
    with monkeypatch.context() as clock:
        clock.setattr("django.core.signing.time.time", lambda: later)
        with pytest.raises(Refused, match="link_invalid"):
            open_export(by=maren_user, token=token)
    Export.objects.filter(pk=export.pk).update(link_until=now())
    with pytest.raises(Refused, match="link_used"):
        open_export(by=maren_user, token=token)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "a:b:c", "WyJhIiwiYiJd:1vLz:AAAA"])
def test_a_made_up_link_opens_nothing(maren_user: User, token: str) -> None:
    with pytest.raises(Refused, match="link_invalid"):
        open_export(by=maren_user, token=token)


@pytest.mark.django_db
def test_a_link_in_other_hands_opens_nothing(
    maren: Artist, maren_user: User, charlie: User, ines: User
) -> None:
    export = written(maren_user, maren)
    token = create_export_link(by=maren_user, export=export)
    for other in (charlie, ines):
        with pytest.raises(NotFound):
            open_export(by=other, token=token)
        with pytest.raises(NotFound):
            create_export_link(by=other, export=export)
        with pytest.raises(NotFound):
            export_by_ref(Access.of(other), export.ref)
    open_export(by=maren_user, token=token).file.close()


@pytest.mark.django_db
def test_a_link_is_worthless_once_access_has_ended(
    maren: Artist, maren_user: User, ines: User, north_roster: Roster
) -> None:
    export = written(ines, maren)
    token = create_export_link(by=ines, export=export)
    assert list(exports_of(Access.of(ines))) == [export]

    end_access(by=None, membership=Membership.objects.get(user=ines, roster=north_roster))

    with pytest.raises(NotFound):
        open_export(by=ines, token=token)
    assert list(exports_of(Access.of(ines))) == []


@pytest.mark.django_db
def test_a_file_that_is_not_ready_has_no_link(maren: Artist, maren_user: User) -> None:
    export = request_export(by=maren_user, artist=maren)
    with pytest.raises(Refused, match="export_not_ready"):
        create_export_link(by=maren_user, export=export)


# --- Deleting ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_file_is_deleted_after_seven_days_and_its_row_stays(
    maren: Artist, maren_user: User
) -> None:
    export = written(maren_user, maren)
    token = create_export_link(by=maren_user, export=export)
    assert delete_old_exports() == 0
    assert len(files()) == 1

    Export.objects.filter(pk=export.pk).update(expires_at=now())
    with pytest.raises(Refused, match="export_expired"):
        open_export(by=maren_user, token=token)
    assert delete_old_exports() == 1
    assert delete_old_exports() == 0

    export.refresh_from_db()
    assert files() == []
    assert (export.file, export.rows) == ("", 0)
    assert export.deleted_at is not None


@pytest.mark.django_db
def test_a_file_cannot_be_kept_for_longer(maren: Artist, maren_user: User) -> None:
    export = written(maren_user, maren)
    assert export.finished_at is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(
            expires_at=export.finished_at + timedelta(days=7, seconds=1)
        )


@pytest.mark.django_db
def test_stray_parts_of_files_go_and_fresh_ones_stay(maren: Artist, maren_user: User) -> None:
    import os

    export = written(maren_user, maren)
    folder = Path(settings.PRIVATE_ROOT) / "exports"
    old, fresh = folder / "old.csv", folder / "fresh.csv"
    old.write_text("")
    fresh.write_text("")
    os.utime(old, (0, 0))

    delete_old_exports()

    assert {file.name for file in files()} == {export.file, "fresh.csv"}
