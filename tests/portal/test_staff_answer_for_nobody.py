"""Nobody who works in the admin answers for an artist: not let in to, and not if she was before."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from consent.errors import Refused
from consent.models import Artist, LedgerEntry, Permission
from consent.services.parties import register_artist
from consent.services.permissions import answer_permission
from consent.services.requests import ask_permission
from portal.access import Access
from portal.models import BulkChange, Membership, Roster, RosterKind, User
from portal.queries.people import people_with_access, scopes_by_person
from portal.roles import NEVER_OF_STAFF, Role, Scope
from portal.services import answers, bulk
from portal.services.delegation import end_access, grant_access
from portal.services.people import invite_person
from portal.services.rosters import add_artist_to_roster, create_roster
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import somebody
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World

pytestmark = pytest.mark.django_db

USE = "discovery"
ANSWERING = [Role.ARTIST, Role.GUARDIAN, Role.MANAGER]


def becomes_staff(user: User, *, operator: bool = False) -> User:
    User.objects.filter(pk=user.pk).update(is_staff=not operator, is_superuser=operator)
    return User.objects.get(pk=user.pk)


# --- Letting in --------------------------------------------------------------------------


@pytest.mark.parametrize("role", ANSWERING)
def test_nobody_lets_staff_in_to_answer_whatever_tool_is_used(
    maren_user: User, charlie: User, role: Role
) -> None:
    minor = register_artist(by=None, name="Pia Solheim", is_minor=True)
    before = LedgerEntry.objects.count()
    for operator in (False, True):
        staff = becomes_staff(charlie, operator=operator)
        for given in ({"artist": minor}, {"artist": minor, "may_answer": False}):
            with pytest.raises(Refused, match="staff_cannot_answer"):
                grant_access(by=None, user=staff, role=role, **given)
    assert LedgerEntry.objects.count() == before


def test_an_artist_lets_staff_in_to_see_and_not_to_answer(
    maren: Artist, maren_user: User, liv: User
) -> None:
    with pytest.raises(Refused, match="staff_cannot_answer") as refused:
        invite_person(by=maren_user, artist=maren, email=liv.email, role=Role.MANAGER)
    assert "Take another e-mail address" in str(refused.value.sentence)
    invite_person(by=maren_user, artist=maren, email=liv.email, role=Role.ASSISTANT)
    assert Access.of(liv).reach(maren).scopes == {Scope.SEE}  # type: ignore[union-attr]


def test_staff_manage_no_roster(north_roster: Roster, liv: User) -> None:
    with pytest.raises(Refused, match="staff_cannot_answer"):
        grant_access(by=None, user=liv, roster=north_roster, role=Role.MANAGER)


def test_who_answers_is_not_made_label_staff_until_that_has_ended(
    maren: Artist, maren_user: User, charlie: User, fjord_roster: Roster
) -> None:
    managing = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.MANAGER)
    staff: dict[str, Any] = {"user": charlie, "roster": fjord_roster, "role": Role.LABEL_STAFF}
    with pytest.raises(Refused, match="answers_for_an_artist"):
        grant_access(by=None, **staff)
    end_access(by=maren_user, membership=managing)
    grant_access(by=None, **staff)


def test_the_operator_lets_in_the_first_people_of_an_artist_and_nobody_beside_them(
    olga: User, charlie: User, north_roster: Roster, maren: Artist, maren_user: User
) -> None:
    new = register_artist(by=olga, name="Sunniva Aase")
    first = grant_access(by=olga, user=charlie, artist=new, role=Role.ARTIST)
    for user, artist in ((somebody("Jo"), new), (charlie, maren)):
        with pytest.raises(Refused, match="artist_has_people"):
            grant_access(by=olga, user=user, artist=artist, role=Role.MANAGER)
    end_access(by=olga, membership=first)
    with pytest.raises(Refused, match="artist_has_people"):
        grant_access(by=olga, user=somebody("Una Dahl"), artist=new, role=Role.ARTIST)
    with pytest.raises(Refused, match="artist_has_people"):
        invite_person(by=olga, artist=maren, email="new@liner.example", role=Role.MANAGER)
    for where in ({"roster": north_roster}, {"artist": maren}):
        with pytest.raises(Refused, match="not_yourself"):
            grant_access(by=olga, user=olga, role=Role.MANAGER, **where)


def test_the_operator_lets_people_in_to_a_roster_only_before_an_artist_could_be_answered_for(
    olga: User, charlie: User, maren: Artist, maren_user: User
) -> None:
    for kind in (RosterKind.MANAGEMENT, RosterKind.SELF):
        roster = create_roster(by=olga, kind=kind, name=f"New {kind}")
        grant_access(by=olga, user=charlie, roster=roster, role=Role.MANAGER)
        with pytest.raises(Refused, match="may_not_grant"):
            add_artist_to_roster(by=olga, roster=roster, artist=maren)
        add_artist_to_roster(by=maren_user, roster=roster, artist=maren)
        with pytest.raises(Refused, match="roster_has_artists"):
            grant_access(by=olga, user=somebody(f"Jo-{kind}"), roster=roster, role=Role.ASSISTANT)


def test_an_artist_who_comes_to_a_roster_on_a_later_day_is_on_it(
    olga: User, charlie: User, maren: Artist, maren_user: User
) -> None:
    roster = create_roster(by=olga, kind=RosterKind.MANAGEMENT, name="Skerry Management")
    tomorrow = timezone.now() + timedelta(days=1)
    add_artist_to_roster(by=maren_user, roster=roster, artist=maren, starts_at=tomorrow)
    with pytest.raises(Refused, match="roster_has_artists"):
        grant_access(by=olga, user=charlie, roster=roster, role=Role.MANAGER)


# --- Answering ---------------------------------------------------------------------------


@pytest.mark.parametrize("operator", [False, True])
def test_who_became_staff_later_sees_and_answers_nothing_any_more(
    maren: Artist, maren_user: User, ines: User, operator: bool
) -> None:
    for user in (maren_user, ines):
        assert Access.of(user).may(maren, Scope.ANSWER)
        staff = becomes_staff(user, operator=operator)
        reach = Access.of(staff).reach(maren)
        assert reach is not None and Scope.SEE in reach.scopes
        assert not reach.scopes & NEVER_OF_STAFF
    # What the artist's people are shown is what holds.
    assert not any(scopes & NEVER_OF_STAFF for scopes in scopes_by_person(maren.pk).values())
    viewer = Access(user=None, at=None)
    assert not any(set(one.scopes) & NEVER_OF_STAFF for one in people_with_access(maren, viewer))


def test_a_person_who_heads_a_management_and_became_staff_lets_nobody_in(
    olga: User, charlie: User, maren: Artist, maren_user: User
) -> None:
    roster = create_roster(by=olga, kind=RosterKind.MANAGEMENT, name="Skerry Management")
    head: dict[str, Any] = {"roster": roster, "role": Role.MANAGER, "scopes": [Scope.MANAGE_PEOPLE]}
    grant_access(by=olga, user=charlie, **head)
    add_artist_to_roster(by=maren_user, roster=roster, artist=maren)
    staff = becomes_staff(charlie)
    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=staff, user=somebody("Jo"), roster=roster, role=Role.MANAGER)


def test_an_artist_whose_account_became_staff_gives_her_answers_to_nobody_either(
    maren: Artist, maren_user: User, charlie: User, harbour_roster: Roster
) -> None:
    staff = becomes_staff(maren_user)
    with pytest.raises(Refused, match="may_not_grant"):
        add_artist_to_roster(by=staff, roster=harbour_roster, artist=maren)
    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=staff, user=charlie, artist=maren, role=Role.MANAGER)


@pytest.mark.parametrize("stance", ["allow", "deny", "ask", "undecided"])
def test_no_page_takes_an_answer_from_staff(world: World, her: Client, stance: str) -> None:
    song = world.recordings[0]
    asked = ask_permission(tool=world.tool, use=USE, why="For a radio.", artists=[world.maren])
    given = answer_permission(by=None, artist=world.maren, use="style", stance="deny")
    becomes_staff(world.user)
    before = (LedgerEntry.objects.count(), Permission.objects.count())
    doors: tuple[tuple[str, dict[str, str]], ...] = (
        (world.url("answer", use=USE), {}),
        (world.url("answer", use=USE), {"recording": song.isrc}),
        (world.url("answer_with", use=USE), {}),
        (world.url("answer_request", ref=asked.requests[0].ref), {}),
        (world.url("answer_many"), {"use": USE}),
    )
    for url, more in doors:
        assert her.post(url, {"stance": stance} | more).status_code == 403, url
    undo = her.post(world.url("undo_act", ref=given.permission.act_id))
    assert undo.status_code == 403
    assert (LedgerEntry.objects.count(), Permission.objects.count()) == before
    assert not BulkChange.objects.exists()
    page = her.get(world.url("permissions"))
    assert page.status_code == 200
    assert 'name="stance"' not in page.text


def test_a_refusal_says_why_staff_cannot_answer(world: World) -> None:
    staff = Access.of(becomes_staff(world.user))
    with pytest.raises(PermissionDenied, match="works in the admin"):
        answers.give_answer(by=staff, artist=world.maren, use=USE, stance="allow")
    asked = ask_permission(tool=world.tool, use=USE, why="For a radio.", artists=[world.maren])
    with pytest.raises(PermissionDenied, match="works in the admin"):
        answers.answer_question(by=staff, request=asked.requests[0], stance="allow")


def test_a_change_of_many_by_who_became_staff_meanwhile_is_not_written(world: World) -> None:
    recordings = [one.pk for one in world.recordings]
    change = bulk.ask_for_many(
        by=Access.of(world.user),
        artist=world.maren,
        use=USE,
        stance="allow",
        recordings=recordings,
        digest="0" * 32,
    )
    becomes_staff(world.user)
    bulk.see_to(change)
    change.refresh_from_db()
    assert change.act is None
    assert not Permission.objects.exists()
    assert Membership.objects.filter(user=world.user).exists()
