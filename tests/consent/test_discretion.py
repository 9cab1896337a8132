"""What a decision says to the people of one artist, and to a machine, about everybody else."""

from datetime import timedelta

import pytest

from consent.decisions import Code, Decision, Reason, Verdict
from consent.discretion import PERSONAL, public_code, seen_by, told_to_companies
from consent.sentences import SENTENCES, TO_YOU, sentence_of, spell
from tests.consent.facts import NOW

MAREN, AOI, FJORD = 1, 2, 3
UNTIL = NOW + timedelta(days=9)
REFUSALS = sorted(PERSONAL - {Code.ARTIST_ALLOWS, Code.RUNS_OFF, Code.OBJECTION})

licensed = Reason(Code.LICENSED, Verdict.YES, FJORD, "master", seq=5)
overridden = Reason(Code.OVERRIDDEN, Verdict.YES, FJORD, "master", seq=6)


def of(code: Code, party: int = AOI, verdict: Verdict = Verdict.NO) -> Reason:
    return Reason(code, verdict, party, seq=70 + party, until=UNTIL)


def decided(*reasons: Reason) -> Decision:
    allowed = all(reason.verdict is not Verdict.NO for reason in reasons)
    return Decision(allowed, reasons, seq=99)


def codes(*reasons: Reason) -> list[str]:
    return [reason.code.value for reason in told_to_companies(reasons)]


@pytest.mark.parametrize("code", REFUSALS)
def test_whatever_the_other_artist_said_her_people_read_the_same(code: Code) -> None:
    hers = of(Code.ARTIST_ALLOWS, MAREN, Verdict.YES)
    seen = seen_by(decided(licensed, hers, of(code)), {MAREN})
    assert seen.reasons == (licensed, hers, Reason(Code.ARTIST_UNDECIDED, Verdict.NO, AOI))
    assert not seen.allowed


@pytest.mark.parametrize("code", [Code.ARTIST_ALLOWS, Code.RUNS_OFF])
def test_whatever_makes_it_a_yes_of_the_other_it_is_not_in_the_way(code: Code) -> None:
    seen = seen_by(decided(licensed, of(code, verdict=Verdict.YES)), {MAREN})
    assert seen.reasons == (licensed, Reason(Code.ARTIST_ALLOWS, Verdict.YES, AOI))


@pytest.mark.parametrize("code", sorted(PERSONAL))
def test_her_own_people_read_all_of_her_own(code: Code) -> None:
    whole = decided(licensed, of(code, MAREN))
    assert seen_by(whole, {MAREN}) == whole
    assert seen_by(whole, {MAREN, AOI}) == whole


@pytest.mark.parametrize(
    "reason",
    [
        of(Code.OBJECTION, verdict=Verdict.NOTE),
        of(Code.ARTIST_UNDECIDED, verdict=Verdict.NOTE),
        of(Code.ARTIST_ALLOWS, verdict=Verdict.YES),
    ],
)
def test_where_a_contract_decides_nobody_learns_who_objects(reason: Reason) -> None:
    assert seen_by(decided(licensed, overridden, reason), {MAREN}).reasons == (licensed, overridden)


def test_that_a_co_writer_who_is_asked_is_suspended_as_holder_is_not_told_either() -> None:
    holder = Reason(Code.HOLDER_SUSPENDED, Verdict.NO, AOI, "master", seq=5)
    seen = seen_by(decided(holder, of(Code.ARTIST_SUSPENDED)), {MAREN})
    assert seen.reasons == (Reason(Code.ARTIST_UNDECIDED, Verdict.NO, AOI),)
    label = Reason(Code.HOLDER_SUSPENDED, Verdict.NO, FJORD, "master", seq=5)
    assert label in seen_by(decided(label, of(Code.ARTIST_DENIES)), {MAREN}).reasons
    assert codes(holder, of(Code.ARTIST_SUSPENDED)) == ["no_licence", "artist_undecided"]


@pytest.mark.parametrize("signed", [True, False])
def test_whether_the_other_signed_for_her_likeness_is_hers_too(signed: bool) -> None:
    code, verdict = (
        (Code.LICENSED, Verdict.YES) if signed else (Code.NO_EXPRESS_AUTHORITY, Verdict.NO)
    )
    likeness = Reason(code, verdict, AOI, "likeness", seq=8)
    seen = seen_by(decided(likeness, of(Code.ARTIST_DENIES)), {MAREN})
    assert seen.reasons == (Reason(Code.ARTIST_UNDECIDED, Verdict.NO, AOI),)
    seen = seen_by(decided(likeness, of(Code.ARTIST_ALLOWS, verdict=Verdict.YES)), {MAREN})
    answer = (Code.ARTIST_ALLOWS if signed else Code.ARTIST_UNDECIDED, verdict)
    assert [(r.code, r.verdict) for r in seen.reasons] == [answer]


def test_what_the_other_holds_of_the_recording_itself_stays() -> None:
    hers = Reason(Code.NO_LICENCE, Verdict.NO, AOI, "master", "own", seq=5)
    seen = seen_by(decided(hers, of(Code.ARTIST_DENIES)), {MAREN})
    assert seen.reasons == (hers, Reason(Code.ARTIST_UNDECIDED, Verdict.NO, AOI))


def test_the_sentence_about_another_names_her_and_no_cause() -> None:
    said = spell(Code.ARTIST_UNDECIDED, who="田中葵", others=True)
    assert said == "田中葵 has not said yes."


@pytest.mark.parametrize("first", [Code.ARTIST_ALLOWS, *REFUSALS])
@pytest.mark.parametrize("second", REFUSALS)
def test_of_several_artists_a_company_learns_one_thing(first: Code, second: Code) -> None:
    verdict = Verdict.YES if first is Code.ARTIST_ALLOWS else Verdict.NO
    there, back = of(first, MAREN, verdict), of(second, AOI)
    expected = [licensed, Reason(Code.ARTIST_UNDECIDED, Verdict.NO)]
    assert told_to_companies([licensed, there, back]) == expected
    assert told_to_companies([licensed, back, there]) == expected


def test_the_yes_of_all_is_one_yes_and_outputs_that_run_off_say_until_when() -> None:
    yes = of(Code.ARTIST_ALLOWS, MAREN, Verdict.YES)
    runs_off = of(Code.RUNS_OFF, AOI, Verdict.YES)
    assert codes(licensed, yes, of(Code.ARTIST_ALLOWS, AOI, Verdict.YES)) == [
        "licensed",
        "artist_allows",
    ]
    for both in ([yes, runs_off], [runs_off, yes]):
        assert told_to_companies(both) == [Reason(Code.RUNS_OFF, Verdict.YES, until=UNTIL)]


def test_under_an_override_a_company_does_not_learn_which_of_two_objects() -> None:
    note = of(Code.OBJECTION, MAREN, Verdict.NOTE)
    yes = of(Code.ARTIST_ALLOWS, AOI, Verdict.YES)
    assert told_to_companies([overridden, note, yes]) == told_to_companies([overridden, yes, note])
    assert codes(overridden, note, yes) == ["overridden", "artist_undecided"]
    assert codes(overridden, note) == ["overridden", "objection"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("artist_denies", "artist_denies"),
        ("artist_asks", "artist_asks"),
        ("artist_undecided", "artist_undecided"),
        ("answer_expired", "answer_expired"),
        ("artist_withdrew", "artist_denies"),
        ("answer_revoked", "artist_denies"),
        ("artist_suspended", "artist_undecided"),
        ("guardian_missing", "artist_undecided"),
    ],
)
def test_of_one_artist_a_company_learns_the_answer_and_not_how_it_came_about(
    code: str, told: str
) -> None:
    assert codes(licensed, of(Code(code))) == ["licensed", told]


def test_a_reason_that_was_kept_without_its_party_tells_no_more_than_the_answer() -> None:
    assert {public_code(c, allowed=False) for c in REFUSALS} == {"artist_undecided"}
    assert {public_code(c, allowed=True) for c in PERSONAL} == {"artist_allows"}
    assert public_code("no_licence", allowed=False) == "no_licence"


def test_what_names_somebody_can_be_said_to_her_and_asks_as_much_of_her() -> None:
    naming = {code for code, one in SENTENCES.items() if "%(who)s" in f"{one.full}{one.todo}"}
    assert set(TO_YOU) == naming - {Code.COMPANY_SUSPENDED}, "a company reads no such page"
    for code in TO_YOU:
        to_her, plain = sentence_of(code, to_you=True), sentence_of(code)
        assert "%(who)s" not in f"{to_her.full}{to_her.todo}"
        assert (bool(to_her.todo), to_her.move) == (bool(plain.todo), plain.move)
        assert to_her.plain == plain.plain
