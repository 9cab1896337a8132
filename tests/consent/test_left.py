"""What stays with a party that confirms what others claim of a recording itself."""

import pytest

from consent.shares import Share, left_for, who_can_confirm

LABEL, AOI, SOL = 1, 2, 3
NORTH = frozenset({"DK", "NO", "SE"})


def all_work(*, territories: frozenset[str] = frozenset()) -> Share:
    return Share(LABEL, 10_000, of_repertoire=True, territories=territories)


def of_it(party: int, share_bp: int, territories: frozenset[str] = frozenset()) -> Share:
    return Share(party, share_bp, territories=territories)


def test_the_label_keeps_the_rest_of_the_world_where_the_others_claim_the_world() -> None:
    assert left_for(LABEL, [all_work(), of_it(AOI, 4_000)]) == 6_000


@pytest.mark.parametrize(
    "others",
    [
        [of_it(AOI, 4_000, NORTH)],
        [of_it(AOI, 2_000), of_it(SOL, 2_000, NORTH)],
        [of_it(AOI, 4_000, NORTH), of_it(SOL, 3_000, frozenset({"JP"}))],
    ],
)
def test_one_share_for_everywhere_settles_nothing_where_others_claim_more_in_some_countries(
    others: list[Share],
) -> None:
    """The label would give up in Japan what nobody claims but in Norway: less than the whole."""
    assert left_for(LABEL, [all_work(), *others]) is None
    assert LABEL not in who_can_confirm([all_work(), *others])


def test_what_others_claim_where_the_label_claims_nothing_does_not_count() -> None:
    norway = frozenset({"NO"})
    shares = [all_work(territories=norway), of_it(AOI, 4_000, NORTH)]
    assert left_for(LABEL, shares) == 6_000
    assert left_for(LABEL, [*shares, of_it(SOL, 5_000, frozenset({"JP"}))]) == 6_000
    split = [all_work(), of_it(AOI, 4_000, NORTH), of_it(SOL, 4_000)]
    assert left_for(LABEL, split) is None
