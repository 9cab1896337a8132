"""Who is taken off a recording, or newly put on one, is told: nobody loses her say in silence."""

from typing import Any

import pytest

from consent.models import Artist, Recording
from consent.services.recordings import change_identity
from portal.models import NewsPosition, Notice, NoticeKind, User
from portal.notices import Told, names_of, render
from portal.roles import Role
from portal.services.delegation import grant_access
from portal.services.news import tell_news
from tests.cast import somebody
from tests.consent.messages import MONDAY, TUESDAY, a_message, a_recording, take
from tests.portal.test_news import heard, nothing_new

pytestmark = pytest.mark.django_db

ISRCS = [f"NOUM7240000{n}" for n in range(6)]


def delivered(*recordings: dict[str, Any], day: Any = MONDAY, message_id: str = "havn-1") -> None:
    """A message of Fjord Records about so many recordings, in the order of `ISRCS`."""
    take(
        a_message(
            *(
                a_recording(isrc, f"Havn {n}", **one)
                for n, (isrc, one) in enumerate(zip(ISRCS, recordings, strict=False), 1)
            ),
            created_at=day,
            message_id=message_id,
        )
    )


@pytest.fixture
def album(db: None) -> None:
    """Five by Maren with Aoi as a guest, whose voices are both named."""
    delivered(*[{"featured": ["PAoi"], "vocals": ["PMaren", "PAoi"]}] * 5)


def reader_of(name: str) -> User:
    user = somebody(name)
    grant_access(by=None, user=user, artist=artist(name), role=Role.ARTIST)
    return user


def artist(name: str) -> Artist:
    known = {"Maren Holt": "Maren Holt", "Aoi Tanaka": "田中葵"}
    return Artist.objects.select_related("party").get(party__name=known[name])


@pytest.fixture
def maren_reads(album: None) -> User:
    return reader_of("Maren Holt")


@pytest.fixture
def aoi_reads(album: None) -> User:
    return reader_of("Aoi Tanaka")


@pytest.fixture(autouse=True)
def _start(maren_reads: User, aoi_reads: User, charlie: User) -> None:
    nothing_new()


def told() -> list[tuple[User, Told]]:
    notices = list(
        Notice.objects.filter(kind=NoticeKind.BILLING_CHANGED).order_by("recipient__email", "pk")
    )
    names = names_of(notices)
    return [(one.recipient, render(one, names)) for one in notices]


def test_who_is_taken_off_by_a_message_is_told_which_recordings_and_whose_message(
    aoi_reads: User,
) -> None:
    delivered(*[{"vocals": ["PMaren"]}] * 5, day=TUESDAY, message_id="havn-2")
    tell_news()
    [(reader, one)] = told()
    assert reader == aoi_reads
    assert one.title == "Fjord Records changed where 田中葵 is named"
    assert one.sentence.startswith(
        "You are not named any more on “Havn 1”, “Havn 2”, “Havn 3” and 2 others. "
        "Your voice is not named any more on “Havn 1”, “Havn 2”, “Havn 3” and 2 others. "
        "It came with message havn-2. "
    )


def test_who_is_put_on_is_told_as_well_in_one_notice_for_the_message(
    maren_reads: User, aoi_reads: User
) -> None:
    delivered(
        {"vocals": ["PMaren", "PAoi"]},
        {"main": ["PAoi"], "vocals": ["PMaren", "PAoi"]},
        *[{"featured": ["PAoi"], "vocals": ["PMaren", "PAoi"]}] * 3,
        day=TUESDAY,
        message_id="havn-2",
    )
    tell_news()
    facts = dict(heard(NoticeKind.BILLING_CHANGED))
    assert facts[aoi_reads]["off"] == {"titles": ["Havn 1"], "others": 0}
    assert facts[maren_reads]["off"] == {"titles": ["Havn 2"], "others": 0}
    delivered(
        *[{"featured": ["PAoi"], "vocals": ["PMaren", "PAoi"]}] * 5,
        day=TUESDAY,
        message_id="havn-3",
    )
    tell_news()
    facts = dict(heard(NoticeKind.BILLING_CHANGED))
    assert facts[aoi_reads]["on"] == {"titles": ["Havn 1"], "others": 0}
    assert facts[maren_reads]["on"] == {"titles": ["Havn 2"], "others": 0}
    assert len(told()) == 4


def test_a_voice_alone_is_a_say_to_lose(maren_reads: User) -> None:
    delivered(*[{"featured": ["PAoi"], "vocals": ["PAoi"]}] * 5, day=TUESDAY, message_id="havn-2")
    tell_news()
    [(reader, facts)] = heard(NoticeKind.BILLING_CHANGED)
    assert reader == maren_reads
    assert set(facts) == {"voice_off", "sender", "message"}


def test_what_stays_or_is_new_moves_nobody(album: None) -> None:
    delivered(
        *[{"featured": ["PAoi"], "vocals": ["PMaren", "PAoi"]}] * 6,
        day=TUESDAY,
        message_id="havn-2",
    )
    change_identity(
        by=None,
        recording=Recording.objects.get(isrc=ISRCS[0]),
        main=[artist("Maren Holt"), artist("Aoi Tanaka")],
        featured=[],
    )
    tell_news()
    assert told() == []


def test_a_correction_by_hand_is_told_with_whose_hand_it_was_and_not_to_her(
    maren_reads: User, aoi_reads: User, liv: User
) -> None:
    song = Recording.objects.get(isrc=ISRCS[0])
    change_identity(by=liv, recording=song, featured=[])
    tell_news()
    [(reader, one)] = told()
    assert (reader, one.title) == (aoi_reads, f"{liv.name} changed where 田中葵 is named")
    change_identity(by=aoi_reads, recording=song, featured=[artist("Aoi Tanaka")])
    tell_news()
    assert len(told()) == 1


def test_the_position_lost_tells_it_once(aoi_reads: User) -> None:
    delivered(*[{"vocals": ["PMaren", "PAoi"]}] * 5, day=TUESDAY, message_id="havn-2")
    for _ in range(3):
        tell_news()
        NewsPosition.objects.all().delete()
    assert [reader for reader, _ in told()] == [aoi_reads]
