"""One answer for many recordings: asked for once, written once, and watched while it goes on."""

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils.html import escape

from consent.clock import now
from consent.errors import Refused
from consent.models import Act, Artist, LedgerEntry, Permission, WorkState
from consent.scopes import Scope as About
from consent.services import work
from consent.services.erasure import erase_subject
from consent.services.work import perform
from portal.access import Access
from portal.models import BulkChange, Notice, NoticeKind, User
from portal.notices import render
from portal.queries.selection import digest_of
from portal.services.bulk import FEW, ask_for_many, ask_to_undo, save_bulk_change, see_to
from portal.services.delegation import end_access
from portal.services.exports import LostTurnError
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import HTMX, SignIn, World, freshly
from tests.portal.test_workers import eventually, kill, worker

pytestmark = pytest.mark.django_db

MANY = FEW + 50


@pytest.fixture(autouse=True)
def _broker_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that an earlier test's broker did not answer."""
    monkeypatch.setattr(work, "_silent_until", 0.0)


@pytest.fixture
def catalogue(world: World) -> list[int]:
    """As many recordings as are left to a worker."""
    songs = recordings_of(world.maren, MANY, title="Slow Ferry", holder=world.fjord)
    return [one.pk for one in (*world.recordings, *songs)]


def asked(world: World, keys: list[int], stance: str = "deny", **more: Any) -> BulkChange:
    return ask_for_many(
        by=more.pop("by", None) or Access.of(world.user),
        artist=world.maren,
        use=more.pop("use", "discovery"),
        stance=stance,
        recordings=keys,
        digest=digest_of(keys),
        **more,
    )


def written(change: BulkChange) -> BulkChange:
    """What a worker makes of it."""
    perform(BulkChange, change.pk)
    change.refresh_from_db()
    return change


def hidden(her: Client, world: World, **choice: str) -> dict[str, Any]:
    """What the button on the preview posts."""
    found: dict[str, Any] = her.get(world.url("many"), choice).context["hidden"]
    return found


def acts() -> int:
    return Act.objects.filter(kind="permission.answered_many").count()


# --- Asking once, writing once ------------------------------------------------------------


def test_a_second_click_on_the_same_button_is_no_second_act(world: World, her: Client) -> None:
    button = hidden(her, world, use="discovery", stance="deny")
    first = her.post(world.url("answer_many"), button)
    second = her.post(world.url("answer_many"), button)
    assert first["Location"] == second["Location"]
    assert "/acts/" in first["Location"]
    assert (acts(), BulkChange.objects.count()) == (1, 1)


def test_the_same_in_two_windows_is_one_act(world: World, her: Client) -> None:
    one = hidden(her, world, use="discovery", stance="deny")
    other = hidden(her, world, use="discovery", stance="deny")
    assert one["ref"] != other["ref"]
    her.post(world.url("answer_many"), one)
    page = her.post(world.url("answer_many"), other, follow=True).text
    assert "Nothing changed: all of them say this already." in page
    assert acts() == 1


def test_two_who_ask_for_the_same_while_it_is_being_saved_watch_one_change(
    world: World, catalogue: list[int], ines: User
) -> None:
    mine = asked(world, catalogue)
    theirs = asked(world, catalogue, by=Access.of(ines))
    assert mine == theirs


def test_something_else_waits_until_what_is_being_saved_is_over(
    world: World, catalogue: list[int]
) -> None:
    change = asked(world, catalogue)
    with pytest.raises(Refused, match="bulk_running"):
        asked(world, catalogue, "ask")
    assert asked(world, catalogue, use="style", stance="ask") != change
    written(change)
    assert asked(world, catalogue, "ask").state == WorkState.WAITING


def test_a_no_for_many_does_not_wait_for_a_yes_that_nobody_writes(
    world: World, catalogue: list[int]
) -> None:
    yes = asked(world, catalogue, "allow")
    slow = BulkChange.claim(yes.pk, at=now())
    assert slow is not None
    no = written(asked(world, catalogue))
    assert no.act is not None
    yes.refresh_from_db()
    assert (yes.state, yes.act) == (WorkState.DONE, None)
    assert "Something was decided on this use meanwhile" in yes.refused
    with pytest.raises(LostTurnError):
        save_bulk_change(slow)
    assert not world.allowed("discovery")


@pytest.mark.django_db(transaction=True)
def test_a_no_waits_for_a_yes_only_while_that_is_being_written(
    world: World, catalogue: list[int]
) -> None:
    yes = asked(world, catalogue, "allow")
    written_now, asked_for = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            BulkChange.objects.select_for_update(of=("self",)).get(pk=yes.pk)
            written_now.set()
            asked_for.wait(20)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written_now.wait(20)
        with pytest.raises(Refused, match="bulk_running"):
            asked(world, catalogue)
    finally:
        asked_for.set()
        writer.join()
    assert asked(world, catalogue).stance == "deny"


def test_somebody_elses_button_is_nobody_elses(world: World, ines: User) -> None:
    keys = [one.pk for one in world.recordings]
    ref = uuid.uuid4()
    mine = asked(world, keys, ref=ref)
    written(mine)
    theirs = asked(world, keys, "ask", by=Access.of(ines), ref=ref)
    assert mine.ref == ref != theirs.ref


@pytest.mark.django_db(transaction=True)
def test_four_workers_and_four_clicks_write_one_act(world: World, her: Client) -> None:
    keys = [one.pk for one in world.recordings]
    ref, gate, seen = uuid.uuid4(), threading.Barrier(8), []

    def click() -> None:
        gate.wait()
        seen.append(see_to(asked(world, keys, ref=ref)).pk)
        connection.close()

    def work_on_it() -> None:
        gate.wait()
        for _ in range(20):
            for key in BulkChange.objects.values_list("pk", flat=True):
                perform(BulkChange, key)
            time.sleep(0.01)
        connection.close()

    threads = [threading.Thread(target=one) for one in (click, work_on_it) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(seen)) == 1
    assert acts() == 1
    assert Permission.objects.filter(use="discovery").count() == len(keys)


def test_who_was_away_for_longer_than_the_lock_writes_nothing(world: World) -> None:
    change = asked(world, [one.pk for one in world.recordings])
    slow = BulkChange.claim(change.pk, at=now())
    assert slow is not None
    BulkChange.objects.update(locked_until=now())
    written(change)
    with pytest.raises(LostTurnError):
        save_bulk_change(slow)
    assert acts() == 1


# --- What is written is what was meant -----------------------------------------------------


def test_all_of_it_stands_in_one_act_one_after_another_in_the_ledger(
    world: World, catalogue: list[int]
) -> None:
    change = written(asked(world, catalogue))
    assert change.act is not None
    entries = LedgerEntry.objects.filter(act=change.act.ref)
    places = sorted(entries.values_list("seq", flat=True))
    assert places == list(range(places[0], places[0] + len(catalogue)))
    assert (change.state, change.act.entries) == (WorkState.DONE, len(catalogue))
    assert (change.recordings, change.summary) == ([], {}), "kept no longer than needed"


def test_what_was_decided_meanwhile_is_not_written_over(world: World, catalogue: list[int]) -> None:
    change = asked(world, catalogue, "allow")
    world.says("discovery", "deny", scope=About(recording=world.recordings[0]))
    written(change)
    assert (change.state, change.act) == (WorkState.DONE, None)
    assert "Something was decided on this use meanwhile" in change.refused
    assert acts() == 0
    assert not world.allowed("discovery", world.recordings[0])


def test_a_yes_that_nobody_waits_for_any_more_is_not_written_and_a_no_is(
    world: World, catalogue: list[int]
) -> None:
    yes = asked(world, catalogue, "allow")
    no = asked(world, catalogue, use="style")
    BulkChange.objects.update(created_at=now() - timedelta(hours=2))
    for change in (yes, no):
        written(change)
    assert "could not be saved in time" in yes.refused
    assert no.act is not None
    told = Notice.objects.filter(kind=NoticeKind.NOT_SAVED)
    assert [one.recipient for one in told] == [world.user]
    assert told[0].params == {
        "use": "discovery",
        "recordings": len(catalogue),
        "refused": yes.refused,
    }
    assert render(told[0], {}).sentence == (
        f"Recommend you, for {len(catalogue)} recordings: This could not be saved in time, so"
        " nothing was changed. Please look, and try again."
    )


def test_who_lost_her_access_before_it_was_written_changes_nothing(
    world: World, catalogue: list[int], ines: User
) -> None:
    change = asked(world, catalogue, "allow", by=Access.of(ines))
    for membership in ines.memberships.all():
        end_access(by=None, membership=membership)
    assert "not yours to do" in written(change).refused
    assert not Permission.objects.exists()


def test_what_fails_is_tried_again_and_given_up_with_nothing_changed_and_a_notice(
    world: World, catalogue: list[int], her: Client, owner: Any
) -> None:
    change = asked(world, catalogue)
    owner.execute("ALTER TABLE consent_permission ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        for _ in range(BulkChange.MAX_ATTEMPTS):
            BulkChange.objects.update(next_at=now())
            written(change)
        assert (change.state, change.attempts) == (WorkState.DEAD, BulkChange.MAX_ATTEMPTS)
    finally:
        owner.execute("ALTER TABLE consent_permission DROP CONSTRAINT broken")
    assert not Permission.objects.exists()
    page = her.get(world.url("saving", ref=change.ref)).text
    assert "Nothing was changed: every answer is what it was." in page
    assert "hx-trigger" not in page.split("<main", 1)[1]
    assert Notice.objects.filter(kind=NoticeKind.NOT_SAVED, recipient=world.user).count() == 1


# --- Watching ------------------------------------------------------------------------------


def test_the_page_says_which_steps_are_done_and_leads_on_when_all_are(
    world: World, catalogue: list[int], her: Client
) -> None:
    change = asked(world, catalogue)
    url = world.url("saving", ref=change.ref)
    page = her.get(url)
    assert page.status_code == 200
    assert f"Recommend you: “No” for {len(catalogue)} recordings" in page.text
    assert page.context["done"] == 1
    assert f'hx-get="{url}"' in page.text
    assert f'<a class="button quiet" href="{url}">Look again</a>' in page.text

    claimed = BulkChange.claim(change.pk, at=now())
    assert claimed is not None
    BulkChange.objects.update(checked_at=now())
    part = her.get(url, headers=HTMX)
    assert part.context["done"] == 2
    assert "<html" not in part.text

    BulkChange.objects.update(locked_until=now())
    written(change)
    assert change.act is not None
    act = world.url("act", ref=change.act.ref)
    assert her.get(url, headers=HTMX)["HX-Redirect"] == act
    page_after = her.get(url, follow=True)
    assert page_after.redirect_chain == [(act, 302)]
    assert f"{len(catalogue)} answers in one act" in page_after.text
    assert "Undo this" in page_after.text


def test_what_was_refused_is_said_on_the_page_where_one_chooses_again(
    world: World, catalogue: list[int], her: Client
) -> None:
    change = asked(world, catalogue, "allow")
    world.says("discovery", "deny")
    written(change)
    answer = her.get(world.url("saving", ref=change.ref), follow=True)
    assert answer.redirect_chain[0][0] == world.url("many")
    assert escape("so nothing was changed") in answer.text


def test_a_change_is_watched_by_those_who_may_change_and_by_nobody_else(
    world: World,
    catalogue: list[int],
    ines: User,
    charlie: User,
    aoi: Artist,
    aoi_user: User,
    signed_in: SignIn,
) -> None:
    change = asked(world, catalogue)
    url = world.url("saving", ref=change.ref)
    assert freshly(signed_in(ines)).get(url).status_code == 200
    assert signed_in(charlie).get(url).status_code == 404
    theirs = signed_in(aoi_user)
    assert theirs.get(url).status_code == 404
    assert theirs.get(f"/a/{aoi.slug}/permissions/many/{change.ref}/").status_code == 404


# --- Undoing -------------------------------------------------------------------------------


def test_many_are_undone_by_the_same_way_and_newer_answers_stay(
    world: World, catalogue: list[int], her: Client
) -> None:
    act = written(asked(world, catalogue)).act
    assert act is not None
    world.says("discovery", "allow", scope=About(recording=world.recordings[1]))
    answer = her.post(world.url("undo_act", ref=act.ref))
    undone = Act.objects.get(undoes=act)
    assert answer["Location"] == world.url("act", ref=undone.ref)
    assert undone.entries == len(catalogue) - 1
    assert world.allowed("discovery", world.recordings[1])
    again = her.post(world.url("undo_act", ref=act.ref), follow=True).text
    assert "This was undone already." in again


def test_an_undo_that_comes_late_brings_no_yes_back_against_a_no_of_meanwhile(
    world: World, catalogue: list[int]
) -> None:
    written(asked(world, catalogue, "allow"))
    act = written(asked(world, catalogue)).act
    assert act is not None
    change = ask_to_undo(by=Access.of(world.user), artist=world.maren, act=act)
    world.says("discovery", "deny")  # for all her work, while nobody took the undo
    assert "Something was decided on this use meanwhile" in written(change).refused
    assert not world.allowed("discovery")


def test_an_undo_that_nobody_waits_for_any_more_brings_no_yes_back(
    world: World, catalogue: list[int]
) -> None:
    yes = written(asked(world, catalogue, "allow")).act
    no = written(asked(world, catalogue, use="style")).act
    assert yes is not None
    assert no is not None
    for act, late in ((yes, False), (no, True)):
        change = ask_to_undo(by=Access.of(world.user), artist=world.maren, act=act)
        BulkChange.objects.filter(pk=change.pk).update(created_at=now() - timedelta(hours=2))
        assert ("could not be saved in time" in written(change).refused) is late


def test_who_may_only_say_no_undoes_no_no_of_many_either(
    world: World, catalogue: list[int], ines: User
) -> None:
    until = now() + timedelta(days=90)
    written(asked(world, catalogue, "allow", use="voice", valid_until=until))
    act = written(asked(world, catalogue, "deny", use="voice")).act
    assert act is not None
    change = ask_to_undo(by=Access.of(ines), artist=world.maren, act=act)
    assert "not yours to do" in written(change).refused
    assert not Act.objects.filter(undoes=act).exists()


# --- Whatever breaks -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("redis", ["there", "gone"])
def test_a_no_for_many_waits_for_no_worker(
    redis: str, world: World, catalogue: list[int], her: Client, settings: Any
) -> None:
    """Nobody works on rows here, with Redis or without: the request itself does in the end."""
    if redis == "gone":
        settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    button = hidden(her, world, use="discovery", stance="deny")
    begun = time.monotonic()
    answer = her.post(world.url("answer_many"), button)
    assert time.monotonic() - begun < 30
    assert "/acts/" in answer["Location"]
    assert acts() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_takes_what_is_many_and_killed_in_the_middle_leaves_all_or_nothing(
    world: World, catalogue: list[int], server_environment: dict[str, str]
) -> None:
    change = asked(world, catalogue)

    def is_done() -> bool:
        change.refresh_from_db()
        return change.state == WorkState.DONE

    # Somebody holds the artist's row: the worker gets as far as the writing, and there it dies.
    with worker(server_environment) as first, transaction.atomic():
        # Without its key: deliveries of other news, which only point at her, go on.
        Artist.objects.select_for_update(of=("self",), no_key=True).get(pk=world.maren.pk)
        work._send(BulkChange._meta.label, [change.pk])
        eventually(lambda: BulkChange.objects.filter(checked_at__isnull=False).exists())
        kill(first)
    assert not Permission.objects.exists()

    BulkChange.objects.update(locked_until=now())
    with worker(server_environment):
        assert work.sweep() >= 1
        eventually(is_done)
    assert acts() == 1
    assert change.act is not None
    assert change.act.entries == len(catalogue)


def test_an_erasure_leaves_nothing_of_a_change(world: World, catalogue: list[int]) -> None:
    asked(world, catalogue)
    erase_subject(by=None, subject=world.maren.party.ref, reason_code="objection")
    assert not BulkChange.objects.exists()
