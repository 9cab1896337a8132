"""Who decides: the rules, one by one, on the pure function."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consent.decisions import Code, RecordingFacts, ToolFacts, Verdict
from tests.consent.facts import (
    ALL_USES,
    AOI,
    BAND,
    FJORD,
    MAREN,
    NOW,
    SOCIETY,
    TONEWRIGHT,
    answer,
    ask,
    claim,
    codes,
    days,
    facts,
    licence,
    person,
)


@pytest.mark.parametrize("use", sorted(ALL_USES - {"voice"}))
def test_with_every_licence_and_her_yes_each_use_is_allowed(use: str) -> None:
    assert ask(use).allowed


def test_a_voice_is_allowed_until_the_day_she_set() -> None:
    until = NOW + days(90)
    given = facts(artists={MAREN: person(MAREN, answer("allow", valid_until=until))})
    decision = ask("voice", given)
    assert decision.allowed
    assert decision.valid_until == until


@pytest.mark.parametrize("stance", ["undecided", "deny", "ask"])
@pytest.mark.parametrize("use", sorted(ALL_USES))
def test_every_answer_but_yes_is_a_no(use: str, stance: str) -> None:
    assert not ask(use, facts(artists={MAREN: person(MAREN, answer(stance))})).allowed


@pytest.mark.parametrize("use", sorted(ALL_USES))
def test_silence_is_a_no(use: str) -> None:
    decision = ask(use, facts(artists={MAREN: person(MAREN)}))
    assert not decision.allowed
    assert decision.deciding.code is Code.ARTIST_UNDECIDED


def test_the_reasons_come_in_order_with_their_ledger_positions() -> None:
    decision = ask()
    assert [(r.code.value, r.party, r.right, r.seq) for r in decision.reasons] == [
        ("licensed", FJORD, "master", 30),
        ("licensed", SOCIETY, "publishing", 40),
        ("artist_allows", MAREN, "", 50),
    ]


def test_an_unknown_recording_tool_or_use_is_a_no_with_its_own_reason() -> None:
    assert codes(ask(about=facts(recording=None))) == ["unknown_recording"]
    assert codes(ask(about=facts(tool=None))) == ["unknown_tool"]
    assert codes(ask("telepathy")) == ["unknown_use"]


def test_a_withdrawn_recording_and_one_without_an_artist_are_a_no() -> None:
    gone = RecordingFacts(key=7, seq=9, main_artists=(MAREN,), withdrawn=True)
    nobody = RecordingFacts(key=7, seq=9, main_artists=())
    assert codes(ask(about=facts(recording=gone))) == ["recording_withdrawn"]
    assert codes(ask(about=facts(recording=nobody))) == ["no_main_artist"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"suspended": True}, "tool_suspended"),
        ({"company_suspended": True}, "company_suspended"),
        ({"model_known": False}, "unknown_model_version"),
        ({"model": 9, "model_retired": True}, "model_version_retired"),
    ],
)
def test_a_tool_that_may_not_act_gets_a_no(change: dict[str, object], code: str) -> None:
    tool = replace(ToolFacts(key=70, company=TONEWRIGHT, seq=4), **change)  # type: ignore[arg-type]
    assert codes(ask(about=facts(tool=tool))) == [code]


def test_unknown_publishing_is_a_no_for_training_and_none_for_discovery() -> None:
    unknown = facts(claims=(claim(FJORD, "master"),))
    assert "right_unknown" in codes(ask(about=unknown))
    assert ask("discovery", unknown).allowed


def test_two_senders_of_one_master_contradict_each_other() -> None:
    both = facts(claims=(claim(FJORD, "master"), claim(SOCIETY, "master")))
    assert "right_over_claimed" in codes(ask("discovery", both))


def test_two_labels_in_different_countries_do_not_contradict_each_other() -> None:
    here = claim(FJORD, "master", territories=frozenset({"NO"}))
    there = claim(SOCIETY, "master", territories=frozenset({"JP"}))
    given = facts(claims=(here, there))
    assert ask("discovery", given, territory="NO").allowed
    assert ask("discovery", given).deciding.code is Code.RIGHT_UNDER_CLAIMED


def test_half_a_master_is_not_enough() -> None:
    half = facts(claims=(claim(FJORD, "master", share_bp=5_000),))
    decision = ask("discovery", half)
    assert decision.deciding.code is Code.RIGHT_UNDER_CLAIMED


def test_a_disputed_claim_is_a_no_even_when_licensed() -> None:
    disputed = facts(claims=(claim(FJORD, "master", disputed=True),))
    assert codes(ask("discovery", disputed))[0] == "right_disputed"


def test_each_work_of_a_medley_must_be_claimed_in_full() -> None:
    medley = RecordingFacts(key=7, seq=3, main_artists=(MAREN,), works=(1, 2))
    first = claim(SOCIETY, "publishing", work=1)
    one = facts(recording=medley, claims=(claim(FJORD, "master"), first))
    both = facts(
        recording=medley,
        claims=(claim(FJORD, "master"), first, claim(SOCIETY, "publishing", work=2)),
    )
    assert "right_under_claimed" in codes(ask(about=one))
    assert ask(about=both).allowed


def test_without_a_licence_there_is_no_use() -> None:
    unlicensed = facts(licences=(licence(SOCIETY),))
    decision = ask(about=unlicensed)
    assert decision.deciding.code is Code.NO_LICENCE
    assert decision.deciding.party == FJORD


@pytest.mark.parametrize(
    "change",
    [
        {"uses": frozenset({"discovery"})},
        {"covers": False},
        {"ended": True},
        {"ends_at": NOW},
        {"territories": frozenset({"NO"})},
        {"models": frozenset({99})},
    ],
)
def test_a_licence_that_does_not_cover_the_question_is_none(change: dict[str, object]) -> None:
    narrow = facts(licences=(licence(FJORD, **change), licence(SOCIETY)))
    assert ask(about=narrow).deciding.code is Code.NO_LICENCE


def test_a_refusal_in_one_territory_refuses_the_world() -> None:
    germany = answer("deny", territories=frozenset({"DE"}), seq=60)
    given = facts(artists={MAREN: person(MAREN, answer("allow"), germany)})
    assert not ask(about=given).allowed
    assert not ask(about=given, territory="DE").allowed
    assert ask(about=given, territory="NO").allowed


def test_a_yes_for_one_territory_does_not_answer_for_the_world() -> None:
    norway = answer("allow", territories=frozenset({"NO"}))
    given = facts(artists={MAREN: person(MAREN, norway)})
    assert not ask(about=given).allowed
    assert ask(about=given, territory="NO").allowed


def test_the_narrower_answer_wins_over_the_wider() -> None:
    no_but_this_tool = facts(
        artists={MAREN: person(MAREN, answer("deny"), answer("allow", maker="tool"))}
    )
    yes_but_this_company = facts(
        artists={MAREN: person(MAREN, answer("allow"), answer("deny", maker="company"))}
    )
    assert ask(about=no_but_this_tool).allowed
    assert not ask(about=yes_but_this_company).allowed


def test_a_tool_lies_within_its_company() -> None:
    given = person(MAREN, answer("deny", maker="company"), answer("allow", maker="tool"))
    assert ask(about=facts(artists={MAREN: given})).allowed


def test_between_a_recording_and_a_company_the_no_wins() -> None:
    given = person(
        MAREN, answer("allow", on_recording=True), answer("deny", maker="company", seq=51)
    )
    decision = ask(about=facts(artists={MAREN: given}))
    assert not decision.allowed
    assert decision.deciding.seq == 51


def test_a_narrower_answer_that_was_taken_back_lets_the_wider_one_speak() -> None:
    cleared = answer("undecided", way="cleared", on_recording=True)
    assert ask(about=facts(artists={MAREN: person(MAREN, answer("allow"), cleared)})).allowed


def test_later_on_one_recording_is_a_no_for_it() -> None:
    later = answer("undecided", on_recording=True)
    assert not ask(about=facts(artists={MAREN: person(MAREN, answer("allow"), later)})).allowed


def test_a_yes_that_ended_stays_a_no_and_a_no_that_ended_is_silent() -> None:
    ended_yes = answer("allow", on_recording=True, valid_until=NOW)
    ended_no = answer("deny", on_recording=True, valid_until=NOW)
    yes = facts(artists={MAREN: person(MAREN, answer("allow"), ended_yes)})
    no = facts(artists={MAREN: person(MAREN, answer("allow"), ended_no)})
    assert ask(about=yes).deciding.code is Code.ANSWER_EXPIRED
    assert ask(about=no).allowed


def test_a_yes_to_a_text_that_meant_something_else_is_a_no_with_its_own_reason() -> None:
    new = facts(meant_since=2)
    decision = ask(about=new)
    assert not decision.allowed
    assert (decision.deciding.code, decision.deciding.party) == (Code.ANSWER_OUTDATED, MAREN)
    read = facts(meant_since=2, artists={MAREN: person(MAREN, answer("allow", text=2))})
    better_words = facts(meant_since=2, artists={MAREN: person(MAREN, answer("allow", text=3))})
    assert ask(about=read).allowed
    assert ask(about=better_words).allowed


@pytest.mark.parametrize("stance", ["deny", "ask", "undecided"])
def test_a_changed_text_never_touches_a_no(stance: str) -> None:
    said = {MAREN: person(MAREN, answer(stance))}
    assert codes(ask(about=facts(artists=said))) == codes(
        ask(about=facts(artists=said, meant_since=2))
    )


def test_an_outdated_yes_for_one_recording_is_not_carried_by_a_new_one_in_general() -> None:
    old = answer("allow", on_recording=True, seq=40)
    new = answer("allow", text=2, seq=60)
    given = facts(meant_since=2, artists={MAREN: person(MAREN, old, new)})
    assert ask(about=given).deciding.seq == 40
    cleared = facts(
        meant_since=2,
        artists={MAREN: person(MAREN, new, replace(old, stance="undecided", way="cleared"))},
    )
    assert ask(about=cleared).allowed


def test_where_a_clause_decides_an_outdated_yes_is_a_note_and_no_objection() -> None:
    given = facts(
        meant_since=2,
        licences=(licence(FJORD, artist_approval=False, clause="§ 14.2"), licence(SOCIETY)),
    )
    decision = ask(about=given)
    assert decision.allowed
    assert decision.reasons[-1].code is Code.ANSWER_OUTDATED
    assert decision.reasons[-1].verdict is Verdict.NOTE


def test_a_featured_artist_answers_for_herself() -> None:
    duet = RecordingFacts(key=7, seq=3, main_artists=(MAREN,), featured_artists=(AOI,))
    silent = facts(recording=duet)
    said = facts(
        recording=duet,
        artists={MAREN: person(MAREN, answer("allow")), AOI: person(AOI, answer("allow"))},
    )
    assert ask(about=silent).deciding.party == AOI
    assert ask(about=said).allowed


def test_a_band_as_a_band_has_no_voice_to_lend() -> None:
    until = NOW + days(9)
    band = person(BAND, answer("allow", valid_until=until), kind="group")
    recording = RecordingFacts(key=7, seq=3, main_artists=(BAND,))
    given = facts(recording=recording, artists={BAND: band})
    assert ask("voice", given).deciding.code is Code.VOICE_UNKNOWN
    singer = replace(recording, voices=(AOI,))
    aoi = person(AOI, answer("allow", valid_until=until))
    assert ask("voice", facts(recording=singer, artists={BAND: band, AOI: aoi})).allowed


def test_the_voice_of_a_minor_needs_a_guardian() -> None:
    said = answer("allow", valid_until=NOW + days(9), by_guardian=True)
    child = person(MAREN, said, is_minor=True)
    alone = facts(artists={MAREN: child})
    guarded = facts(artists={MAREN: replace(child, has_guardian=True)})
    assert ask("voice", alone).deciding.code is Code.GUARDIAN_MISSING
    assert ask("voice", guarded).allowed


@pytest.mark.parametrize("use", ["voice", "name_image"])
def test_a_yes_that_she_gave_herself_lends_nothing_of_a_minor(use: str) -> None:
    hers = answer("allow", valid_until=NOW + days(900))
    grown_up = facts(artists={MAREN: person(MAREN, hers)})
    child = facts(artists={MAREN: person(MAREN, hers, is_minor=True, has_guardian=True)})
    alone = facts(artists={MAREN: person(MAREN, hers, is_minor=True)})
    assert ask(use, grown_up).allowed
    assert ask(use, child).deciding.code is Code.ANSWER_WITHOUT_GUARDIAN
    assert ask(use, alone).deciding.code is Code.GUARDIAN_MISSING
    for other in ("discovery", "style"):
        assert ask(other, child).allowed


def test_a_guardians_yes_to_a_minors_voice_ends_five_years_after_it_was_given() -> None:
    given_at = datetime(2024, 2, 29, 12, tzinfo=UTC)
    said = answer("allow", given_at=given_at, valid_until=given_at + days(3_650), by_guardian=True)
    child = person(MAREN, said, is_minor=True, has_guardian=True)
    given = facts(artists={MAREN: child})
    end = datetime(2029, 2, 28, 12, tzinfo=UTC)
    assert ask("voice", given).valid_until == end
    assert ask("voice", given, at=end - days(0.01)).allowed
    over = ask("voice", given, at=end)
    assert (over.deciding.code, over.deciding.until) == (Code.ANSWER_EXPIRED, end)
    of_age = facts(artists={MAREN: replace(child, is_minor=False)})
    assert ask("voice", of_age, at=end).allowed


def test_a_minors_likeness_never_runs_off() -> None:
    gone = withdrawn(notice_days=20)
    notice = (licence(FJORD, notice_days=30),)
    child = person(MAREN, gone, is_minor=True, has_guardian=True)  # type: ignore[arg-type]
    given = facts(tool=model(), licences=notice, artists={MAREN: child})
    assert ask("voice", given).deciding.code is Code.ARTIST_WITHDREW
    assert ask("discovery", given).deciding.code is Code.RUNS_OFF


def test_a_contract_may_do_without_her_and_her_no_stays_on_record() -> None:
    override = licence(FJORD, artist_approval=False, clause="§ 14.2")
    given = facts(
        licences=(override, licence(SOCIETY)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    decision = ask(about=given)
    assert decision.allowed
    by_code = {r.code: r for r in decision.reasons}
    assert by_code[Code.OVERRIDDEN].clause == "§ 14.2"
    assert by_code[Code.OBJECTION].verdict is Verdict.NOTE


@pytest.mark.parametrize("use", ["voice", "style", "name_image"])
def test_no_contract_does_without_her_for_what_is_personal(use: str) -> None:
    override = licence(FJORD, artist_approval=False, clause="§ 14.2")
    given = facts(
        claims=(claim(FJORD, "master"), claim(FJORD, "likeness", repertoire=MAREN)),
        licences=(override, licence(MAREN)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    assert not ask(use, given).allowed


def test_an_owner_of_one_half_who_needs_her_yes_is_enough_to_need_it() -> None:
    halves = (
        claim(FJORD, "master", share_bp=5_000),
        claim(MAREN, "master", share_bp=5_000, authority="own"),
    )
    override = licence(FJORD, artist_approval=False, clause="§ 14.2")
    given = facts(
        claims=halves,
        licences=(override, licence(MAREN)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    assert not ask("discovery", given).allowed


def test_a_society_alone_never_speaks_for_the_recording() -> None:
    given = facts(
        licences=(licence(FJORD), licence(SOCIETY, artist_approval=False, clause="mandate")),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    assert not ask(about=given).allowed


@pytest.mark.parametrize("authority", ["contract", "blanket"])
def test_over_a_master_no_authority_is_enough_without_a_clause(authority: str) -> None:
    master = claim(FJORD, "master", authority=authority)
    refused = facts(
        claims=(master, claim(SOCIETY, "publishing", authority="blanket", repertoire=MAREN)),
        artists={MAREN: person(MAREN, answer("deny"))},
    )
    silent = replace(refused, artists={MAREN: person(MAREN)})
    for use in ("discovery", "generative_training"):
        assert ask(use, refused).deciding.code is Code.ARTIST_DENIES
        assert ask(use, silent).deciding.code is Code.ARTIST_UNDECIDED
    signed = replace(
        refused,
        licences=(licence(FJORD, artist_approval=False, clause="§ 14.2"), licence(SOCIETY)),
    )
    assert ask(about=signed).allowed
    unnamed = replace(signed, licences=(licence(FJORD, artist_approval=False), licence(SOCIETY)))
    assert not ask(about=unnamed).allowed


def test_a_publisher_under_contract_needs_a_clause_as_well_and_a_society_does_not() -> None:
    override = (licence(FJORD, artist_approval=False, clause="§ 14.2"), licence(SOCIETY))
    refused = {MAREN: person(MAREN, answer("deny"))}
    for authority, allowed in (("blanket", True), ("contract", False), ("own", False)):
        song = claim(SOCIETY, "publishing", authority=authority, repertoire=MAREN)
        given = facts(claims=(claim(FJORD, "master"), song), licences=override, artists=refused)
        assert ask(about=given).allowed is allowed


def test_style_needs_her_own_signature_or_express_authority() -> None:
    unsigned = facts(licences=(licence(FJORD), licence(SOCIETY)))
    assert ask("style", unsigned).deciding.code is Code.NO_EXPRESS_AUTHORITY
    express = replace(
        unsigned, claims=(*unsigned.claims, claim(FJORD, "likeness", repertoire=MAREN))
    )
    assert ask("style", express).allowed


def withdrawn(**changes: object) -> "object":
    gone = answer("deny", way="withdrawn", took_back_allow=True, given_at=NOW - days(10))
    return replace(gone, **changes)  # type: ignore[arg-type]


def model(registered_days_ago: int = 100) -> ToolFacts:
    return ToolFacts(
        key=70,
        company=TONEWRIGHT,
        seq=4,
        model=9,
        model_registered_at=NOW - days(registered_days_ago),
    )


def test_outputs_of_a_licensed_model_run_off_until_the_notice_date() -> None:
    gone = withdrawn()
    given = facts(
        tool=model(),
        licences=(licence(FJORD, notice_days=30), licence(SOCIETY, notice_days=14)),
        artists={MAREN: person(MAREN, gone)},  # type: ignore[arg-type]
    )
    decision = ask(about=given)
    assert decision.allowed
    assert decision.deciding.code is Code.RUNS_OFF
    assert decision.valid_until == NOW + days(4)  # the shortest notice: 14 days from the no
    assert not ask(about=given, at=NOW + days(4)).allowed


def test_nothing_runs_off_for_training_for_new_models_or_for_a_revocation() -> None:
    notice = (licence(FJORD, notice_days=30), licence(SOCIETY, notice_days=30))
    for tool, gone in (
        (facts().tool, withdrawn()),
        (model(registered_days_ago=5), withdrawn()),
        (model(), withdrawn(way="revoked", stance="undecided")),
    ):
        given = facts(tool=tool, licences=notice, artists={MAREN: person(MAREN, gone)})  # type: ignore[arg-type]
        assert not ask(about=given).allowed


def test_a_voice_has_no_notice_unless_one_was_chosen_when_granting() -> None:
    notice = (licence(FJORD, notice_days=30),)
    none = facts(tool=model(), licences=notice, artists={MAREN: person(MAREN, withdrawn())})  # type: ignore[arg-type]
    chosen = replace(none, artists={MAREN: person(MAREN, withdrawn(notice_days=20))})  # type: ignore[arg-type]
    assert not ask("voice", none).allowed
    assert ask("voice", chosen).allowed


def test_a_yes_holds_until_the_first_of_its_ends() -> None:
    given = facts(
        claims=(
            claim(FJORD, "master", valid_until=NOW + days(50)),
            claim(SOCIETY, "publishing", authority="blanket", repertoire=MAREN),
        ),
        licences=(licence(FJORD, ends_at=NOW + days(40)), licence(SOCIETY)),
        artists={
            MAREN: person(
                MAREN, answer("allow", valid_until=NOW + days(60)), changes_at=NOW + days(20)
            )
        },
    )
    assert ask(about=given).valid_until == NOW + days(20)
    assert ask(about=given).allowed


def test_a_suspended_holder_company_or_artist_is_a_no() -> None:
    holder = facts(claims=(claim(FJORD, "master", suspended=True),))
    artist = facts(artists={MAREN: person(MAREN, answer("allow"), suspended=True)})
    assert "holder_suspended" in codes(ask("discovery", holder))
    assert "artist_suspended" in codes(ask("discovery", artist))
