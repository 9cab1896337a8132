"""Who reaches whom, and what she may do there."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch

from consent.clock import now
from consent.errors import NotFound, Refused
from consent.models import Act, Artist, LedgerEntry, Party
from consent.services.claims import end_claim, make_claim
from consent.services.parties import change_party_state, register_artist
from consent.words import Authority, Right
from portal.access import ACTING_FOR, Access, access_of, frame_facts, middleware
from portal.models import Membership, Roster, RosterArtist, RosterKind, User
from portal.roles import (
    ADDABLE,
    API_SCOPE_SENTENCES,
    GUARDED,
    ROLE_SCOPES,
    ROLE_SENTENCES,
    SCOPE_SENTENCES,
    ApiScope,
    Role,
    Scope,
    needs_mfa,
    scopes_of,
)
from portal.services.delegation import end_access, grant_access
from portal.services.people import switch_artist
from portal.services.rosters import (
    add_artist_to_roster,
    create_roster,
    remove_artist_from_roster,
)
from tests.cast import recordings_of, somebody

pytestmark = pytest.mark.django_db

ALL_FOR_AN_ARTIST = frozenset(Scope) - {Scope.MANAGE_LABEL}


def request_of(user: Any, chosen: str = "") -> Any:
    request = RequestFactory().get("/")
    request.user = user
    request.session = {ACTING_FOR: chosen} if chosen else {}  # type: ignore[assignment]
    return request


# --- What a role is ----------------------------------------------------------------------


def test_every_role_and_every_scope_has_a_sentence() -> None:
    assert set(ROLE_SENTENCES) == set(Role) == set(ROLE_SCOPES) == set(ADDABLE)
    assert set(SCOPE_SENTENCES) == set(Scope)
    assert set(API_SCOPE_SENTENCES) == set(ApiScope)


def test_an_artist_can_always_see_and_withdraw() -> None:
    for may_answer in (True, False):
        for is_minor in (True, False):
            scopes = scopes_of(Role.ARTIST, may_answer=may_answer, is_minor=is_minor)
            assert {Scope.SEE, Scope.WITHDRAW} <= scopes


def test_a_manager_answers_for_a_voice_only_when_that_was_added() -> None:
    assert Scope.ANSWER_VOICE not in scopes_of(Role.MANAGER)
    assert Scope.ANSWER_VOICE in scopes_of(Role.MANAGER, [Scope.ANSWER_VOICE])


def test_what_is_guarded_is_the_guardians_alone_while_the_artist_is_a_minor() -> None:
    everything = list(Scope)
    for role in set(Role) - {Role.GUARDIAN}:
        assert not GUARDED & scopes_of(role, everything, is_minor=True)
    assert scopes_of(Role.GUARDIAN, is_minor=True) >= GUARDED
    assert scopes_of(Role.GUARDIAN, is_minor=False) == frozenset()


def test_what_a_role_cannot_have_is_not_had_by_writing_it_down() -> None:
    assert scopes_of(Role.ASSISTANT, list(Scope)) == {Scope.SEE, Scope.SEE_MONEY, Scope.EXPORT}
    assert scopes_of(Role.LABEL_STAFF, list(Scope)) == {Scope.MANAGE_LABEL}


# --- Whom one reaches --------------------------------------------------------------------


def test_an_artist_reaches_herself_and_nobody_else(
    maren: Artist, maren_user: User, aoi: Artist
) -> None:
    access = Access.of(maren_user)

    assert access.artist_ids == {maren.pk}
    assert access.reach(maren) is not None
    assert access.reach(maren).scopes == ALL_FOR_AN_ARTIST  # type: ignore[union-attr]
    assert not access.may(aoi, Scope.SEE)


def test_charlie_reaches_nothing(maren: Artist, charlie: User, ines: User, liv: User) -> None:
    access = Access.of(charlie)

    assert access.artists == []
    assert access.current is None
    assert not access.recordings().exists()
    assert not access.labels().exists()
    assert not access.artists_of_label().exists()
    with pytest.raises(Http404):
        access.require(maren.slug, Scope.SEE)
    with pytest.raises(Http404):
        access.require_current()


def test_nobody_and_somebody_who_left_reach_nothing_and_cost_nothing(
    maren_user: User, django_assert_num_queries: Any
) -> None:
    maren_user.is_active = False
    with django_assert_num_queries(0):
        assert Access.of(AnonymousUser()).artists == []
        assert Access.of(None).artists == []
        assert Access.of(maren_user).artists == []


def test_a_manager_reaches_the_artists_of_both_rosters_with_one_sign_in(
    ines: User, maren: Artist, aoi: Artist, low_tides: Artist
) -> None:
    access = Access.of(ines)

    assert access.artist_ids == {maren.pk, aoi.pk}
    assert access.role_for(maren) == Role.MANAGER
    assert access.reach(aoi).rosters == ("Harbour Artists",)  # type: ignore[union-attr]
    assert access.may(maren, Scope.ANSWER)
    assert not access.may(maren, Scope.ANSWER_VOICE)
    assert not access.may(maren, Scope.MANAGE_PEOPLE)
    assert not access.may(low_tides, Scope.SEE)


def test_reaching_many_artists_takes_two_queries(
    ines: User, north_roster: Roster, django_assert_num_queries: Any
) -> None:
    for n in range(4):
        artist = register_artist(by=None, name=f"Artist {n}")
        add_artist_to_roster(by=None, roster=north_roster, artist=artist)

    with django_assert_num_queries(2):
        access = Access.of(ines)
        assert len(access.artists) == 6
        assert [one.artist.party.name for one in access.artists]
        access.require(access.artists[3].artist.slug, Scope.ANSWER)


def test_the_same_person_is_artist_here_and_manager_there(
    maren: Artist, maren_user: User, aoi: Artist
) -> None:
    grant_access(by=None, user=maren_user, artist=aoi, role=Role.MANAGER)
    access = Access.of(maren_user)

    assert access.role_for(maren) == Role.ARTIST
    assert access.role_for(aoi) == Role.MANAGER
    assert access.may(maren, Scope.ANSWER_VOICE)
    assert not access.may(aoi, Scope.ANSWER_VOICE)
    assert [one.artist for one in access.artists] == [maren, aoi]


def test_of_a_band_the_one_who_may_answer_answers_and_both_can_say_no(
    low_tides: Artist, sol: User, bo: User
) -> None:
    assert Access.of(sol).may(low_tides, Scope.ANSWER)
    assert not Access.of(bo).may(low_tides, Scope.ANSWER)
    for member in (sol, bo):
        assert Access.of(member).may(low_tides, Scope.WITHDRAW)
        assert Access.of(member).may(low_tides, Scope.SEE_MONEY)


def test_a_minors_voice_is_answered_for_by_the_guardian_alone(db: None) -> None:
    artist = register_artist(by=None, name="Tuva", is_minor=True)
    child, guardian, manager = somebody("Tuva Lie"), somebody("Kari Lie"), somebody("Per Vik")
    grant_access(by=None, user=child, artist=artist, role=Role.ARTIST)
    grant_access(by=None, user=guardian, artist=artist, role=Role.GUARDIAN)
    grant_access(
        by=None, user=manager, artist=artist, role=Role.MANAGER, scopes=[Scope.ANSWER_VOICE]
    )

    assert Access.of(guardian).may(artist, Scope.ANSWER_VOICE)
    assert not Access.of(child).may(artist, Scope.ANSWER_VOICE)
    assert not Access.of(manager).may(artist, Scope.ANSWER_VOICE)
    assert Access.of(child).may(artist, Scope.WITHDRAW)

    change_party_state(by=None, party=artist.party, is_minor=False)

    assert Access.of(child).may(artist, Scope.ANSWER_VOICE)
    assert Access.of(manager).may(artist, Scope.ANSWER_VOICE)
    assert Access.of(guardian).reach(artist) is None


# --- Out of reach, and not allowed ---------------------------------------------------------


def test_an_artist_is_found_by_slug_by_pseudonym_and_by_key(
    maren: Artist, maren_user: User
) -> None:
    access = Access.of(maren_user)
    for which in (maren, maren.slug, maren.party.ref, str(maren.party.ref), maren.pk):
        assert access.require(which, Scope.SEE) == maren


def test_out_of_reach_and_unknown_look_the_same(
    maren_user: User, aoi: Artist, charlie: User
) -> None:
    for user in (maren_user, charlie):
        access = Access.of(user)
        for which in (aoi, aoi.slug, aoi.party.ref, aoi.pk, "nobody", uuid.uuid4(), 0):
            with pytest.raises(Http404):
                access.require(which, Scope.SEE)


def test_within_reach_but_not_allowed_is_refused(ines: User, maren: Artist) -> None:
    with pytest.raises(PermissionDenied):
        Access.of(ines).require(maren.slug, Scope.ANSWER_VOICE)


def test_recordings_are_those_on_which_an_artist_within_reach_is_named(
    maren: Artist, aoi: Artist, low_tides: Artist, ines: User, charlie: User
) -> None:
    both = recordings_of(maren, featured=(low_tides,))
    hers = recordings_of(aoi)
    recordings_of(low_tides)

    assert set(Access.of(ines).recordings()) == {*both, *hers}
    assert set(Access.of(ines).recordings(Scope.MANAGE_PEOPLE)) == set()
    assert set(Access.of(charlie).recordings()) == set()


# --- Time --------------------------------------------------------------------------------


def test_access_that_has_ended_is_over_with_the_next_question(ines: User, maren: Artist) -> None:
    membership = Membership.objects.get(user=ines, roster__name="North Wind Management")
    before = now()

    end_access(by=None, membership=membership)

    assert not Access.of(ines).may(maren, Scope.SEE)
    assert Access.of(ines, before).may(maren, Scope.SEE)


def test_an_artist_who_leaves_a_roster_is_out_of_reach_of_its_people(
    maren: Artist, maren_user: User, ines: User, north_roster: Roster
) -> None:
    place = RosterArtist.objects.get(roster=north_roster, artist=maren)

    remove_artist_from_roster(by=maren_user, place=place)

    assert not Access.of(ines).may(maren, Scope.SEE)
    with pytest.raises(Refused, match="access_ended"):
        remove_artist_from_roster(by=None, place=place)


def test_access_begins_and_ends_on_its_dates(maren: Artist, charlie: User) -> None:
    begins, ends = now() + timedelta(days=1), now() + timedelta(days=8)
    grant_access(
        by=None,
        user=charlie,
        artist=maren,
        role=Role.ASSISTANT,
        starts_at=begins,
        until=ends,
    )
    for moment, there in (
        (None, False),
        (begins - timedelta(seconds=1), False),
        (begins, True),
        (ends - timedelta(seconds=1), True),
        (ends, False),
    ):
        assert Access.of(charlie, moment).may(maren, Scope.SEE) is there


# --- Labels ------------------------------------------------------------------------------


def test_label_staff_work_for_their_own_label_only(
    liv: User, noor: User, fjord: Party, kestrel: Party, maren: Artist, aoi: Artist
) -> None:
    recordings_of(aoi)
    [havn] = recordings_of(maren, holder=fjord)
    liv_access, noor_access = Access.of(liv), Access.of(noor)

    assert list(liv_access.labels()) == [fjord]
    assert set(liv_access.artists_of_label()) == {maren}
    assert set(liv_access.recordings_of_label()) == {havn}
    assert list(noor_access.labels()) == [kestrel]
    assert set(noor_access.artists_of_label()) == set()
    assert set(noor_access.recordings_of_label()) == set()
    assert liv_access.may_label(fjord)
    assert not noor_access.may_label(fjord)


def test_label_staff_do_not_act_for_artists(liv: User, maren: Artist) -> None:
    assert Access.of(liv).artists == []
    with pytest.raises(Http404):
        Access.of(liv).require(maren, Scope.SEE)


def test_a_label_sees_the_main_artists_of_what_it_holds_and_not_their_guests(
    liv: User, fjord: Party, aoi: Artist, low_tides: Artist, maren: Artist
) -> None:
    recordings_of(aoi, featured=(low_tides,), holder=fjord)

    assert set(Access.of(liv).artists_of_label()) == {maren, aoi}


def test_a_label_that_gives_up_its_claim_loses_the_recording(
    liv: User, noor: User, fjord: Party, kestrel: Party, aoi: Artist, maren: Artist
) -> None:
    [sora] = recordings_of(aoi, holder=fjord)
    claim = sora.claims.get()

    end_claim(by=None, claim=claim.claim)
    make_claim(
        by=None, party=kestrel, right=Right.MASTER, authority=Authority.CONTRACT, recording=sora
    )

    assert set(Access.of(liv).artists_of_label()) == {maren}
    assert set(Access.of(liv).recordings_of_label()) == set()
    assert set(Access.of(noor).artists_of_label()) == {aoi}
    assert set(Access.of(noor).recordings_of_label()) == {sora}


def test_the_operator_sees_every_label(
    olga: User, fjord: Party, kestrel: Party, liv: User, noor: User, maren: Artist, aoi: Artist
) -> None:
    access = Access.of(olga)

    assert access.is_operator
    assert set(access.labels()) == {fjord, kestrel}
    assert set(access.artists_of_label()) == {maren, aoi}
    assert not Access.of(liv).is_operator


# --- What the database refuses -------------------------------------------------------------


def test_access_is_to_one_artist_or_to_one_roster(
    maren: Artist, north_roster: Roster, charlie: User
) -> None:
    with pytest.raises(Refused, match="access_to"):
        grant_access(by=None, user=charlie, artist=maren, roster=north_roster, role=Role.MANAGER)
    with pytest.raises(Refused, match="role_fits"):
        grant_access(by=None, user=charlie, roster=north_roster, role=Role.ARTIST)
    with pytest.raises(Refused, match="role_fits"):
        grant_access(by=None, user=charlie, artist=maren, role=Role.LABEL_STAFF)


def test_the_rules_of_access_are_the_databases_own(
    maren: Artist, maren_user: User, north_roster: Roster
) -> None:
    row = Membership.objects.get(user=maren_user)
    rules: list[dict[str, Any]] = [
        {"role": Role.LABEL_STAFF},
        {"artist": None},
        {"ends_at": row.starts_at},
        {"ended_at": row.starts_at},
        {"roster": north_roster},
        {"artist": None, "roster": north_roster, "role": "manager", "scopes": ["answer_voice"]},
    ]
    for change in rules:
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.filter(pk=row.pk).update(**change)


def test_a_voice_is_entrusted_by_each_artist_and_not_for_a_roster(
    north_roster: Roster, charlie: User
) -> None:
    with pytest.raises(Refused, match="entrusted"):
        grant_access(
            by=None,
            user=charlie,
            roster=north_roster,
            role=Role.MANAGER,
            scopes=[Scope.ANSWER_VOICE],
        )


# --- The ledger --------------------------------------------------------------------------


def test_each_grant_and_each_end_is_in_the_ledger_without_names(
    maren: Artist, maren_user: User, charlie: User
) -> None:
    membership = grant_access(
        by=maren_user,
        user=charlie,
        artist=maren,
        role=Role.MANAGER,
        scopes=[Scope.ANSWER_VOICE],
    )
    end_access(by=maren_user, membership=membership)

    granted, ended = LedgerEntry.objects.order_by("-seq")[:2][::-1]
    assert (granted.kind, ended.kind) == ("delegation.granted", "delegation.ended")
    for entry in (granted, ended):
        assert str(membership.ref) in entry.body
        assert str(charlie.ref) in entry.body
        assert str(maren.party.ref) in entry.body
        assert "Charlie" not in entry.body
        assert charlie.email not in entry.body
    assert '"answer_voice"' in granted.body
    act = Act.objects.get(ref=granted.act)
    assert (act.by, act.role, act.entries) == (maren_user, "artist", 1)


def test_joining_a_roster_is_one_entry_for_each_person_on_it(
    north_roster: Roster, aoi: Artist, ines: User, charlie: User
) -> None:
    grant_access(by=None, user=charlie, roster=north_roster, role=Role.ASSISTANT)
    before = LedgerEntry.objects.latest("seq").seq

    add_artist_to_roster(by=None, roster=north_roster, artist=aoi)

    entries = LedgerEntry.objects.filter(seq__gt=before)
    assert [entry.kind for entry in entries] == ["delegation.granted"] * 2
    assert len({entry.act for entry in entries}) == 1


def test_a_roster_without_people_joins_without_an_entry(aoi: Artist) -> None:
    roster = create_roster(by=None, kind=RosterKind.MANAGEMENT, name="New")
    before = LedgerEntry.objects.latest("seq").seq
    place = add_artist_to_roster(by=None, roster=roster, artist=aoi)

    assert LedgerEntry.objects.latest("seq").seq == before
    assert place.added_in.entries == 0


# --- In a request ------------------------------------------------------------------------


def test_a_request_asks_once(maren_user: User, django_assert_num_queries: Any) -> None:
    request = request_of(maren_user)
    with django_assert_num_queries(1):
        assert access_of(request) is access_of(request)


def test_the_middleware_gives_each_request_its_access_and_the_frame_its_facts(
    ines: User, maren: Artist
) -> None:
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    request = request_of(ines, chosen=str(maren.party.ref))
    middleware(view)(request)

    assert seen == [request]
    assert request.access.current.artist == maren
    assert [one.name for one in request.frame_facts.artists] == ["Maren Holt", "田中葵"]
    assert "Maren Holt" in request.frame_facts.acting


def test_switching_shows_another_artist_and_never_one_out_of_reach(
    ines: User, maren: Artist, aoi: Artist, low_tides: Artist
) -> None:
    session: dict[str, Any] = {}
    assert switch_artist(by=ines, session=session, artist=str(aoi.party.ref)) == aoi
    assert access_of(request_of(ines, session[ACTING_FOR])).current.artist == aoi  # type: ignore[union-attr]

    for out in (str(low_tides.party.ref), low_tides.slug, "nobody", ""):
        with pytest.raises(NotFound):
            switch_artist(by=ines, session=session, artist=out)
    assert session == {ACTING_FOR: str(aoi.party.ref)}


def test_a_chosen_artist_who_is_out_of_reach_now_gives_way_to_the_first(
    ines: User, maren: Artist, low_tides: Artist
) -> None:
    access = access_of(request_of(ines, chosen=str(low_tides.party.ref)))
    assert access.current is not None
    assert access.current.artist == maren


def test_the_banner_says_for_whom_and_as_what(
    ines: User, maren: Artist, maren_user: User, charlie: User
) -> None:
    grant_access(by=None, user=charlie, artist=maren, role=Role.ASSISTANT)

    assert Access.of(maren_user).acting == ""
    assert Access.of(ines).acting == (
        "You are acting for Maren Holt as manager. Maren Holt sees everything you do."
    )
    assert Access.of(charlie).acting.endswith("You can see it and change nothing.")


def test_the_banner_speaks_of_the_artist_whom_the_address_names(
    ines: User, maren: Artist, aoi: Artist
) -> None:
    for slug, name in ((aoi.slug, "田中葵"), ("", "Maren Holt")):
        request = request_of(ines, chosen=str(maren.party.ref))
        request.resolver_match = ResolverMatch(lambda: None, (), {"slug": slug})
        facts = frame_facts(request)
        assert str(facts.acting).startswith(f"You are acting for {name} ")
        assert [one.name for one in facts.artists if one.current] == [name]


def test_the_frame_of_somebody_who_reaches_nobody_is_empty(charlie: User) -> None:
    assert frame_facts(request_of(charlie)).artists == ()


def test_a_second_factor_is_for_staff_and_for_who_acts_for_others(
    maren_user: User, ines: User, liv: User, charlie: User, olga: User
) -> None:
    assert [needs_mfa(one) for one in (maren_user, ines, liv, charlie, olga)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_signed_in_page_has_the_frame_around_it(signed_in: Any, ines: User) -> None:
    client: Client = signed_in(ines)
    response = client.get("/no-such-page/")
    assert response.status_code == 404
