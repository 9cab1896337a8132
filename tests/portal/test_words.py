"""Words for label staff and companies: none speaks to the artist, and none is a code."""

from collections.abc import Iterator

import pytest

from consent.models import Artist, Party
from consent.words import UseKind
from portal.admin.doing import Doing
from portal.models import Notice, NoticeKind, StaffAct, User
from portal.notices import render
from portal.roles import Scope
from portal.words import ACT_WORDS, USE_WORDS


def doings(of: type[Doing] = Doing) -> Iterator[type[Doing]]:
    for one in of.__subclasses__():
        yield one
        yield from doings(one)


def test_everything_that_staff_can_do_is_logged_in_words() -> None:
    codes = {one.action for one in doings() if hasattr(one, "action")}
    assert "licence.sign" in codes
    assert codes <= set(ACT_WORDS)
    assert StaffAct(action="licence.version").what == "signed a new version of a licence"
    assert StaffAct(action="of.another_day").what == "of.another_day"


def test_no_word_for_others_speaks_to_the_artist() -> None:
    assert set(USE_WORDS) == set(UseKind)
    assert not [word for word in USE_WORDS.values() if "you" in str(word)]


@pytest.mark.django_db
def test_a_label_reads_of_an_artists_work_and_not_of_its_own(
    maren: Artist, liv: User, fjord: Party
) -> None:
    notice = Notice(
        recipient=liv,
        artist=maren,
        kind=NoticeKind.OBJECTION,
        scope=Scope.MANAGE_LABEL,
        params={"company": "Tonewright", "uses": ["discovery", "generative_training"]},
    )
    assert render(notice, {}).sentence.startswith(
        "Maren Holt says no to what it allows: Recommend, Train generative models."
    )
