"""Corners of the decision that the independent model and the properties found, kept as stories."""

import itertools
from dataclasses import replace

import pytest

from consent.decisions import Answer, Code, RecordingFacts
from tests.consent.facts import (
    AOI,
    FJORD,
    MAREN,
    NOW,
    SOCIETY,
    answer,
    ask,
    claim,
    days,
    facts,
    licence,
    person,
)
from tests.consent.test_decisions import model, withdrawn

NORWAY = frozenset({"NO"})


def took_back(**changes: object) -> Answer:
    """Maren's answer when she took back her yes ten days ago."""
    said = withdrawn(**changes)
    assert isinstance(said, Answer)
    return said


def test_a_yes_for_norway_that_has_ended_is_a_no_for_the_world_too() -> None:
    ended = answer("allow", on_recording=True, territories=NORWAY, valid_until=NOW, seq=60)
    given_facts = facts(artists={MAREN: person(MAREN, answer("allow"), ended)})
    assert not ask(about=given_facts, territory="NO").allowed
    assert ask(about=given_facts).deciding.code is Code.ANSWER_EXPIRED
    assert ask(about=given_facts, territory="JP").allowed


def test_a_yes_for_the_world_ends_when_its_norwegian_part_does() -> None:
    until = NOW + days(5)
    norway = answer("allow", on_recording=True, territories=NORWAY, valid_until=until, seq=60)
    given_facts = facts(artists={MAREN: person(MAREN, answer("allow"), norway)})
    assert ask(about=given_facts).valid_until == until
    assert ask(about=given_facts, territory="JP").valid_until is None


def test_what_runs_off_in_norway_sets_no_refusal_of_the_world_aside() -> None:
    refused = answer("deny", seq=40)
    gone = took_back(on_recording=True, territories=NORWAY)
    notice = (licence(FJORD, notice_days=30), licence(SOCIETY, notice_days=30))
    given_facts = facts(
        tool=model(), licences=notice, artists={MAREN: person(MAREN, refused, gone)}
    )
    assert ask(about=given_facts, territory="NO").deciding.code is Code.RUNS_OFF
    assert not ask(about=given_facts, territory="JP").allowed
    assert not ask(about=given_facts).allowed


def test_in_the_one_country_she_refused_her_yes_for_the_recording_speaks() -> None:
    refused = answer("deny", territories=NORWAY, seq=51)
    but = answer("allow", on_recording=True, territories=NORWAY, seq=52)
    given_facts = facts(artists={MAREN: person(MAREN, answer("allow"), refused, but)})
    assert ask(about=given_facts, territory="NO").allowed
    assert ask(about=given_facts).allowed


def test_a_licence_for_norway_that_needs_her_is_not_undone_by_one_for_the_world() -> None:
    abroad = licence(FJORD, artist_approval=False, clause="§ 14.2")
    at_home = replace(licence(FJORD, territories=NORWAY, seq=90), ref="at home")
    given_facts = facts(
        licences=(abroad, at_home, licence(SOCIETY)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    assert ask(about=given_facts, territory="JP").allowed
    assert not ask(about=given_facts, territory="NO").allowed
    assert not ask(about=given_facts).allowed


def test_a_licence_for_one_model_that_needs_her_is_not_undone_by_one_for_all() -> None:
    all_models = licence(FJORD, artist_approval=False, clause="§ 14.2")
    this_model = replace(licence(FJORD, models=frozenset({9}), seq=90), ref="model 9")
    given_facts = facts(
        licences=(all_models, this_model, licence(SOCIETY)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    assert not ask(about=replace(given_facts, tool=model())).allowed
    assert not ask(about=given_facts).allowed


@pytest.mark.parametrize("use", ["style", "name_image"])
def test_a_blanket_mandate_is_no_express_authority(use: str) -> None:
    mandate = claim(SOCIETY, "likeness", authority="blanket", repertoire=MAREN)
    given_facts = facts(
        claims=(claim(FJORD, "master"), mandate), licences=(licence(FJORD), licence(SOCIETY))
    )
    assert ask(use, given_facts).deciding.code is Code.NO_EXPRESS_AUTHORITY


def test_an_artist_who_may_not_be_dealt_with_is_a_no_whatever_the_clause_says() -> None:
    given_facts = facts(
        licences=(licence(FJORD, artist_approval=False, clause="§ 14.2"), licence(SOCIETY)),
        artists={MAREN: person(MAREN, answer("allow"), suspended=True)},
    )
    assert ask(about=given_facts).deciding.code is Code.ARTIST_SUSPENDED


def test_a_style_runs_off_under_the_licence_that_was_signed_for_it_before() -> None:
    gone = took_back()
    notice = licence(MAREN, notice_days=30)
    before = facts(tool=model(), licences=(notice,), artists={MAREN: person(MAREN, gone)})
    chosen = replace(gone, notice_days=30)
    after = replace(
        before,
        licences=(replace(notice, began_at=NOW - days(1)),),
        artists={MAREN: person(MAREN, chosen)},
    )
    assert ask("style", before).deciding.code is Code.RUNS_OFF
    assert not ask("style", after).allowed


def test_the_shortest_notice_counts_of_all_licences_that_one_holder_signed() -> None:
    gone = took_back()
    short = licence(FJORD, notice_days=3, artist_approval=False, clause="§ 14.2", seq=90)
    given_facts = facts(
        tool=model(),
        licences=(licence(FJORD, notice_days=30), short, licence(SOCIETY, notice_days=30)),
        artists={MAREN: person(MAREN, gone)},  # ten days ago
    )
    assert not ask(about=given_facts).allowed


def test_the_shortest_notice_counts_of_all_who_may_sign_for_her() -> None:
    hers = replace(licence(MAREN, notice_days=3, territories=NORWAY), ref="in Norway")
    before = facts(
        tool=model(),
        claims=(claim(FJORD, "likeness", repertoire=MAREN),),
        licences=(licence(FJORD, notice_days=30),),
        artists={MAREN: person(MAREN, took_back())},
    )
    assert ask("style", before).deciding.code is Code.RUNS_OFF
    both = replace(before, licences=(*before.licences, hers))
    assert ask("style", both, territory="JP").deciding.code is Code.RUNS_OFF
    assert not ask("style", both, territory="NO").allowed
    assert not ask("style", both).allowed


def test_the_notice_of_one_who_may_sign_for_her_in_one_country_counts_for_the_world() -> None:
    at_home = claim(FJORD, "likeness", repertoire=MAREN, territories=NORWAY)
    given_facts = facts(
        tool=model(),
        claims=(at_home,),
        licences=(licence(MAREN, notice_days=30), licence(FJORD, notice_days=3)),
        artists={MAREN: person(MAREN, took_back())},
    )
    assert ask("style", given_facts, territory="JP").deciding.code is Code.RUNS_OFF
    assert not ask("style", given_facts, territory="NO").allowed
    assert not ask("style", given_facts).allowed


def test_a_later_licence_does_not_end_what_an_older_one_lets_run_off() -> None:
    gone = took_back()
    old = licence(FJORD, notice_days=30, ends_at=NOW + days(3))
    new = licence(FJORD, notice_days=30, began_at=NOW - days(1), seq=90)
    given_facts = facts(
        tool=model(),
        licences=(old, new, licence(SOCIETY, notice_days=30)),
        artists={MAREN: person(MAREN, gone)},
    )
    decision = ask(about=given_facts)
    assert decision.deciding.code is Code.RUNS_OFF
    assert decision.valid_until == NOW + days(3)  # then only the licence signed afterwards is left
    assert not ask(about=given_facts, at=NOW + days(3)).allowed


def test_a_no_for_a_while_runs_off_no_longer_than_it_speaks() -> None:
    ended = answer("allow", valid_until=NOW - days(1))
    gone = took_back(on_recording=True, valid_until=NOW + days(2))
    notice = (licence(FJORD, notice_days=30), licence(SOCIETY, notice_days=30))
    given_facts = facts(tool=model(), licences=notice, artists={MAREN: person(MAREN, ended, gone)})
    assert ask(about=given_facts).valid_until == NOW + days(2)
    assert not ask(about=given_facts, at=NOW + days(2)).allowed


def test_two_halves_of_one_holder_hold_until_the_first_of_them_ends() -> None:
    halves = (
        claim(FJORD, "master", share_bp=5_000),
        claim(FJORD, "master", share_bp=5_000, valid_until=NOW + days(6)),
    )
    assert ask("discovery", facts(claims=halves)).valid_until == NOW + days(6)


def test_all_ways_to_order_three_answers_say_the_same() -> None:
    said = (
        answer("allow"),
        answer("deny", maker="company", seq=51),
        answer("allow", on_recording=True, maker="tool", seq=52),
    )
    for ordered in itertools.permutations(said):
        assert ask(about=facts(artists={MAREN: person(MAREN, *ordered)})).allowed


def test_a_guest_who_has_nothing_to_do_with_it_cannot_stand_in_the_way() -> None:
    guest = person(AOI, answer("deny"))
    given_facts = facts()
    given_facts = replace(given_facts, artists={**given_facts.artists, AOI: guest})
    assert ask(about=given_facts).allowed
    assert given_facts.recording == RecordingFacts(key=7, seq=3, main_artists=(MAREN,))


def test_of_two_who_may_sign_for_her_style_the_longer_licence_says_how_long_it_holds() -> None:
    short = claim(FJORD, "likeness", repertoire=MAREN, valid_until=NOW + days(3))
    both = facts(claims=(short,), licences=(licence(FJORD), licence(MAREN)))
    reversed_ = replace(both, licences=both.licences[::-1])
    assert ask("style", both).valid_until is None
    assert ask("style", reversed_).valid_until is None


def test_a_yes_ends_where_a_claim_ends_that_silences_a_wider_one_from_another_country() -> None:
    """In Germany nothing of Fjord's is heard while it claims the recording itself, in Norway."""
    until = NOW + days(10)
    of_all, in_norway = (
        claim(FJORD, "master", repertoire=MAREN),
        claim(FJORD, "master", territories=frozenset({"NO"}), valid_until=until),
    )
    hers = claim(MAREN, "master", authority="own", territories=frozenset({"DE"}))
    held = facts(claims=(of_all, in_norway, hers, facts().claims[1]))
    now_held = ask(about=held, territory="DE")
    assert (now_held.allowed, now_held.valid_until) == (True, until)
    refused = ask(about=held, territory="DE", at=until)
    assert refused.deciding.code is Code.RIGHT_OVER_CLAIMED
    no_wider_one = replace(held, claims=held.claims[1:])
    assert ask(about=no_wider_one, territory="DE").valid_until is None


def test_of_two_holders_who_do_without_her_the_one_whose_contract_ends_first_is_named() -> None:
    soon, late = NOW + days(5), NOW + days(50)
    holders = {
        FJORD: licence(FJORD, artist_approval=False, clause="7.2", ends_at=late),
        AOI: licence(AOI, artist_approval=False, clause="3", ends_at=soon),
    }
    halves = tuple(claim(key, "master", share_bp=5_000) for key in holders)
    for order in (halves, halves[::-1]):
        overridden = ask(
            about=facts(
                claims=(*order, facts().claims[1]),
                licences=(*holders.values(), licence(SOCIETY)),
                artists={MAREN: person(MAREN, answer("deny"))},
            )
        )
        assert overridden.allowed
        assert overridden.valid_until == soon
        [named] = [r for r in overridden.reasons if r.code is Code.OVERRIDDEN]
        assert (named.party, named.until, named.clause) == (AOI, soon, "3")
