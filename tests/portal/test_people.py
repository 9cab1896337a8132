"""Letting people in, what the list of them says, and ending their access."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.models import Artist, LedgerEntry
from portal.access import Access
from portal.models import Membership, Notice, Roster, RosterArtist, User
from portal.queries.people import (
    labels_with_access,
    people_who_had_access,
    people_with_access,
    scopes_by_person,
)
from portal.roles import Role, Scope
from portal.services.delegation import end_access, grant_access
from portal.services.people import create_user, create_user_with_access, invite_person
from portal.services.rosters import (
    add_artist_to_roster,
    create_roster,
    remove_artist_from_roster,
)
from tests.cast import recordings_of, somebody

pytestmark = pytest.mark.django_db


# --- Inviting ----------------------------------------------------------------------------


def test_an_artist_invites_somebody_new_who_chooses_a_password_first(
    maren: Artist, maren_user: User
) -> None:
    membership = invite_person(
        by=maren_user, artist=maren, email=" Petra@Studio.example", role=Role.ASSISTANT
    )

    petra = User.objects.get(email="petra@studio.example")
    assert membership.user == petra
    assert not petra.has_usable_password()
    assert Access.of(petra).may(maren, Scope.SEE)
    assert Notice.objects.get(recipient=petra).kind == "invited"


def test_inviting_somebody_known_lets_her_in_as_she_is(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    invite_person(by=maren_user, artist=maren, email="CHARLIE@liner.example", role=Role.MANAGER)

    assert Access.of(charlie).role_for(maren) == Role.MANAGER
    assert User.objects.filter(email__iexact=charlie.email).count() == 1
    assert User.objects.get(pk=charlie.pk).has_usable_password()


def test_something_that_is_no_address_is_refused_and_nobody_is_made(
    maren: Artist, maren_user: User
) -> None:
    people = User.objects.count()
    for text in ("", "petra", "petra@", "a@b\nBcc: c@d.example", "@studio.example"):
        with pytest.raises(Refused) as refused:
            invite_person(by=maren_user, artist=maren, email=text, role=Role.MANAGER)
        assert refused.value.field == "email"
    assert User.objects.count() == people


def test_charlie_lets_nobody_in_and_does_not_learn_whom_there_is(
    maren: Artist, charlie: User
) -> None:
    before = LedgerEntry.objects.count()
    with pytest.raises(NotFound):
        invite_person(by=charlie, artist=maren, email="petra@studio.example", role=Role.MANAGER)
    with pytest.raises(NotFound):
        grant_access(by=charlie, user=charlie, artist=maren, role=Role.ARTIST)
    assert not User.objects.filter(email="petra@studio.example").exists()
    assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.ARTIST, []),
        (Role.GUARDIAN, []),
        (Role.LABEL_STAFF, []),
    ],
)
def test_a_manager_with_the_right_to_let_people_in_makes_nobody_an_owner(
    maren: Artist, maren_user: User, charlie: User, role: Role, scopes: list[Scope]
) -> None:
    manager = somebody("Per Vik")
    grant_access(
        by=maren_user,
        user=manager,
        artist=maren,
        role=Role.MANAGER,
        scopes=[Scope.MANAGE_PEOPLE],
    )
    with pytest.raises(Refused):
        grant_access(by=manager, user=charlie, artist=maren, role=role, scopes=scopes)


@pytest.mark.parametrize(
    "scope", [Scope.ANSWER_VOICE, Scope.SIGN_LICENCE, Scope.MANAGE_PEOPLE], ids=str
)
def test_what_the_artist_entrusted_is_not_passed_on(
    maren: Artist, maren_user: User, charlie: User, scope: Scope
) -> None:
    manager = somebody("Per Vik")
    grant_access(
        by=maren_user,
        user=manager,
        artist=maren,
        role=Role.MANAGER,
        scopes=[Scope.MANAGE_PEOPLE, scope],
    )
    assert Access.of(manager).may(maren, scope)

    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=manager, user=charlie, artist=maren, role=Role.MANAGER, scopes=[scope])
    grant_access(by=manager, user=charlie, artist=maren, role=Role.MANAGER)


def test_a_manager_without_that_right_lets_nobody_in(
    maren: Artist, ines: User, charlie: User, north_roster: Roster
) -> None:
    for where in ({"artist": maren}, {"roster": north_roster}):
        with pytest.raises(Refused, match="may_not_grant"):
            grant_access(by=ines, user=charlie, role=Role.ASSISTANT, **where)


def test_somebody_of_a_band_who_may_not_answer_gives_no_right_to_answer(
    low_tides: Artist, bo: User, charlie: User
) -> None:
    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=bo, user=charlie, artist=low_tides, role=Role.MANAGER)
    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=bo, user=charlie, artist=low_tides, role=Role.ARTIST)
    grant_access(by=bo, user=charlie, artist=low_tides, role=Role.ASSISTANT)


def test_who_may_let_people_into_a_roster_lets_nobody_in_to_its_artists_one_by_one(
    north_roster: Roster, maren: Artist, charlie: User
) -> None:
    head = somebody("Per Vik")
    grant_access(
        by=None,
        user=head,
        roster=north_roster,
        role=Role.MANAGER,
        scopes=[Scope.MANAGE_PEOPLE],
    )
    with pytest.raises(Refused, match="may_not_grant"):
        grant_access(by=head, user=charlie, artist=maren, role=Role.ASSISTANT)
    grant_access(by=head, user=charlie, roster=north_roster, role=Role.ASSISTANT)

    assert Access.of(charlie).may(maren, Scope.SEE)
    remove_artist_from_roster(by=head, place=RosterArtist.objects.get(roster=north_roster))
    assert not Access.of(charlie).may(maren, Scope.SEE)


def test_whom_a_manager_let_in_goes_with_the_manager(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    manager, assistant = somebody("Per Vik"), somebody("Una Dahl")
    until = now() + timedelta(days=30)
    managers = grant_access(
        by=maren_user,
        user=manager,
        artist=maren,
        role=Role.MANAGER,
        scopes=[Scope.MANAGE_PEOPLE],
        until=until,
    )
    let_in = grant_access(by=manager, user=assistant, artist=maren, role=Role.ASSISTANT)
    grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    assert let_in.ends_at == until

    end_access(by=maren_user, membership=managers)

    assert not Access.of(manager).may(maren, Scope.SEE)
    assert not Access.of(assistant).may(maren, Scope.SEE)
    assert Access.of(charlie).may(maren, Scope.SEE)
    last = LedgerEntry.objects.order_by("-seq")[:2]
    assert {entry.kind for entry in last} == {"delegation.ended"}
    assert len({entry.act for entry in last}) == 1


def test_a_role_takes_only_what_can_be_added_to_it(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    with pytest.raises(Refused, match="scope_not_addable"):
        grant_access(
            by=maren_user,
            user=charlie,
            artist=maren,
            role=Role.ASSISTANT,
            scopes=[Scope.ANSWER],
        )


def test_only_a_minor_has_a_guardian(maren: Artist, charlie: User) -> None:
    with pytest.raises(Refused, match="not_a_minor"):
        grant_access(by=None, user=charlie, artist=maren, role=Role.GUARDIAN)


def test_the_same_access_is_given_once_until_it_has_ended(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    first = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    with pytest.raises(Refused, match="has_access"):
        grant_access(by=maren_user, user=charlie, artist=maren, role=Role.MANAGER)

    end_access(by=maren_user, membership=first)
    grant_access(by=maren_user, user=charlie, artist=maren, role=Role.MANAGER)

    assert Access.of(charlie).role_for(maren) == Role.MANAGER
    assert Membership.objects.filter(user=charlie).count() == 2


def test_access_that_ran_out_can_be_given_again(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    first = grant_access(
        by=maren_user,
        user=charlie,
        artist=maren,
        role=Role.ASSISTANT,
        until=now() + timedelta(milliseconds=200),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.25)")

    grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)

    first.refresh_from_db()
    assert first.ended_at == first.ends_at
    assert Access.of(charlie).may(maren, Scope.SEE)


def test_access_does_not_begin_in_the_past_or_end_before_it_begins(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    moment = now() - timedelta(seconds=1)
    with pytest.raises(Refused, match="from_in_the_past"):
        grant_access(
            by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT, starts_at=moment
        )
    with pytest.raises(Refused, match="until_before_from"):
        grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT, until=moment)


def test_only_the_operator_opens_rosters_and_puts_artists_on_a_labels(
    maren_user: User, maren: Artist, kestrel_roster: Roster, olga: User
) -> None:
    with pytest.raises(Refused, match="may_not_grant"):
        create_roster(by=maren_user, kind="management", name="Mine")
    with pytest.raises(Refused, match="may_not_grant"):
        add_artist_to_roster(by=maren_user, roster=kestrel_roster, artist=maren)
    create_roster(by=olga, kind="management", name="Hers")
    add_artist_to_roster(by=olga, roster=kestrel_roster, artist=maren)


def test_a_label_names_its_company_and_has_one_roster(fjord_roster: Roster) -> None:
    with pytest.raises(Refused, match="label_company"):
        create_roster(by=None, kind="label", name="Nobody's")
    with pytest.raises(Refused, match="label_roster"):
        create_roster(by=None, kind="label", name="Again", party=fjord_roster.party)


def test_the_artist_herself_joins_a_management_and_nobody_joins_her(
    maren: Artist, maren_user: User, harbour_roster: Roster, ines: User
) -> None:
    with pytest.raises(Refused, match="may_not_grant"):
        add_artist_to_roster(by=ines, roster=harbour_roster, artist=maren)
    add_artist_to_roster(by=maren_user, roster=harbour_roster, artist=maren)
    assert Access.of(ines).reach(maren).rosters == (  # type: ignore[union-attr]
        "Harbour Artists",
        "North Wind Management",
    )


def test_an_address_in_use_is_refused(charlie: User) -> None:
    with pytest.raises(Refused) as refused:
        create_user(email="Charlie@Liner.example")
    assert (refused.value.code, refused.value.field) == ("unique", "email")


def test_the_operators_tools_make_people_with_access_at_once(
    fjord_roster: Roster, charlie: User, olga: User
) -> None:
    with pytest.raises(Refused, match="may_not_grant"):
        create_user_with_access(
            by=charlie, email="x@liner.example", role=Role.LABEL_STAFF, roster=fjord_roster
        )
    membership = create_user_with_access(
        by=olga,
        email="x@liner.example",
        role=Role.LABEL_STAFF,
        roster=fjord_roster,
        password="a tune of mine",
    )
    assert membership.user.is_staff
    assert not membership.user.is_superuser
    assert membership.user.check_password("a tune of mine")


# --- Ending ------------------------------------------------------------------------------


def test_everybody_may_leave_and_an_artists_own_access_is_nobody_elses_to_end(
    low_tides: Artist, sol: User, bo: User, charlie: User
) -> None:
    manager = grant_access(
        by=sol,
        user=charlie,
        artist=low_tides,
        role=Role.MANAGER,
        scopes=[Scope.MANAGE_PEOPLE],
    )
    bos = Membership.objects.get(user=bo)
    for other in (sol, charlie):
        with pytest.raises(Refused, match="may_not_end"):
            end_access(by=other, membership=bos)
    end_access(by=bo, membership=bos)
    end_access(by=charlie, membership=manager)

    assert not Access.of(bo).may(low_tides, Scope.SEE)
    assert not Access.of(charlie).may(low_tides, Scope.SEE)
    assert Access.of(sol).may(low_tides, Scope.SEE)


def test_charlie_ends_nobodys_access_and_does_not_learn_that_there_is_one(
    maren_user: User, charlie: User, ines: User
) -> None:
    for membership in Membership.objects.exclude(user=charlie):
        with pytest.raises(NotFound):
            end_access(by=charlie, membership=membership)


def test_the_same_end_twice_is_refused_the_second_time(
    maren_user: User, maren: Artist, charlie: User
) -> None:
    membership = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    end_access(by=maren_user, membership=membership)
    with pytest.raises(Refused, match="access_ended"):
        end_access(by=maren_user, membership=membership)


def test_the_session_of_a_removed_manager_reaches_nothing_at_its_next_request(
    signed_in: Any, ines: User, maren: Artist, maren_user: User, north_roster: Roster
) -> None:
    client: Client = signed_in(ines)
    client.session["acting_for"] = str(maren.party.ref)
    place = RosterArtist.objects.get(roster=north_roster, artist=maren)

    remove_artist_from_roster(by=maren_user, place=place)

    assert not Access.of(ines, chosen=str(maren.party.ref)).may(maren, Scope.SEE)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_invite_the_same_person_at_once_both_succeed_in_making_one(
    maren: Artist, maren_user: User, aoi: Artist, aoi_user: User
) -> None:
    problems: list[BaseException] = []

    def invite(by: User, artist: Artist) -> None:
        try:
            invite_person(by=by, artist=artist, email="petra@studio.example", role=Role.ASSISTANT)
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=invite, args=pair)
        for pair in ((maren_user, maren), (aoi_user, aoi))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    petra = User.objects.get(email="petra@studio.example")
    assert Access.of(petra).artist_ids == {maren.pk, aoi.pk}


# --- The list ----------------------------------------------------------------------------


def test_the_list_says_who_what_by_whom_and_until_when(
    maren: Artist, maren_user: User, ines: User, charlie: User
) -> None:
    until = now() + timedelta(days=30)
    grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT, until=until)

    hers, managers, charlies = people_with_access(maren, Access.of(maren_user))

    assert [one.user for one in (hers, managers, charlies)] == [maren_user, ines, charlie]
    assert (managers.through, managers.granted_by) == ("North Wind Management", "")
    assert managers.place is not None
    assert managers.may_end
    assert charlies.granted_by == "Maren Holt"
    assert charlies.until == until
    assert charlies.can == (
        "Sees permissions, AI usage, credits and the history of every decision.",
    )
    assert hers.until is None


def test_the_list_offers_to_end_only_what_its_reader_may_end(
    maren: Artist, maren_user: User, ines: User
) -> None:
    assert {one.user: one.may_end for one in people_with_access(maren, Access.of(ines))} == {
        maren_user: False,
        ines: True,
    }


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    maren: Artist, maren_user: User, django_assert_num_queries: Any
) -> None:
    access = Access.of(maren_user)
    with django_assert_num_queries(3):
        people_with_access(maren, access)
    for n in range(3):
        grant_access(by=maren_user, user=somebody(f"P{n} Q"), artist=maren, role=Role.MANAGER)
    with django_assert_num_queries(3):
        assert len(people_with_access(maren, access)) == 4


def test_whose_access_ended_is_remembered_with_who_ended_it(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    end_access(by=maren_user, membership=membership)

    [gone] = people_who_had_access(maren)
    assert (gone.user, gone.ended_by) == (charlie, "Maren Holt")
    assert gone.ended_at is not None
    assert charlie not in [one.user for one in people_with_access(maren, Access.of(maren_user))]


def test_labels_whose_staff_see_the_artist_are_named_with_how_many_they_are(
    maren: Artist, liv: User, aoi: Artist, noor: User, kestrel: Any
) -> None:
    recordings_of(aoi, holder=kestrel)
    assert [(one.name, one.staff) for one in labels_with_access(maren)] == [("Fjord Records", 1)]
    assert [(one.name, one.staff) for one in labels_with_access(aoi)] == [("Kestrel Music", 1)]


def test_what_the_list_shows_is_what_the_access_object_enforces(
    maren: Artist, maren_user: User, ines: User, charlie: User, sol: User, liv: User
) -> None:
    grant_access(
        by=maren_user,
        user=charlie,
        artist=maren,
        role=Role.MANAGER,
        scopes=[Scope.ANSWER_VOICE],
    )
    # Ines twice: through the roster, and with more by the artist herself.
    grant_access(
        by=maren_user, user=ines, artist=maren, role=Role.MANAGER, scopes=[Scope.SIGN_LICENCE]
    )
    found = scopes_by_person(maren.pk)
    for user in User.objects.all():
        reach = Access.of(user).reach(maren)
        assert found.get(user.pk, frozenset()) == (reach.scopes if reach else frozenset())
