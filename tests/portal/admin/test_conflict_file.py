"""What does not add up, as a file: downloaded, corrected in a spreadsheet, taken in again."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent import days
from consent.models import Artist, Party, Recording, RightsClaim
from consent.services.claims import change_claim, make_claim
from consent.words import Authority, Right
from portal.admin import conflicts
from portal.admin.claims import newest
from portal.models import User
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def reels(maren: Artist, fjord: Party) -> list[Recording]:
    """Three recordings of which Fjord claims 60 % of the master, until a day."""
    made = recordings_of(maren, 3, title="=Reel", holder=fjord)
    for claim in RightsClaim.objects.filter(recording__in=made):
        change_claim(
            by=None,
            claim=claim.claim,
            share_bp=6_000,
            territories=["NO", "SE"],
            valid_until=days.end(days.LAST_DAY),
        )
    return made


def file_of(client: Client, label: Party, one: Recording) -> Any:
    one.refresh_from_db()
    return client.get(reverse("admin:conflict_file", args=[label.pk, one.profile_id]))


def take_in(client: Client, label: Party, data: bytes) -> Any:
    said = {"sender": label.pk, "reason": "Corrected", "file": SimpleUploadedFile("c.csv", data)}
    return client.post(reverse("admin:consent_cataloguemessage_claims"), said, follow=True)


def test_a_file_sent_back_as_it_came_changes_nothing_and_corrected_it_settles(
    liv: User, fjord: Party, reels: list[Recording], signed_in: SignIn
) -> None:
    hers = signed_in(liv)
    answer = file_of(hers, fjord, reels[0])
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    masters = [row for row in rows if row["right"] == "master"]
    assert {row["isrc"] for row in masters} == {one.isrc for one in reels}
    assert {row["title"][0] for row in rows} == {"'"}, "no formula"
    assert {(row["share"], row["until"]) for row in masters} == {("60.00", "2199-12-31")}
    unknown = [row for row in rows if row["right"] == "publishing"]
    assert {row["share"] for row in unknown} == {"?"}, "nobody claims it by mistake"

    before = RightsClaim.objects.count()
    page = take_in(hers, fjord, answer.content).text
    assert RightsClaim.objects.count() == before
    assert "0 made, 0 changed, 3 as before" in page

    take_in(hers, fjord, answer.content.replace(b"60.00", b"100"))
    now = newest().filter(party=fjord, right=Right.MASTER)
    assert set(now.values_list("share_bp", flat=True)) == {10_000}


def test_the_page_says_that_it_shows_the_first_only_and_leads_to_the_file(
    liv: User,
    noor: User,
    fjord: Party,
    kestrel: Party,
    reels: list[Recording],
    signed_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conflicts, "SHOWN", 2)
    reels[0].refresh_from_db()
    args = [fjord.pk, reels[0].profile_id]
    page = signed_in(liv).get(reverse("admin:conflict", args=args)).text
    assert "2 of 3" in " ".join(page.split())
    assert reverse("admin:conflict_file", args=args) in page
    assert file_of(signed_in(noor), fjord, reels[0]).status_code == 404
    assert file_of(signed_in(noor), kestrel, reels[0]).status_code == 404


def test_what_is_claimed_through_all_work_is_not_claimed_of_each_recording_by_the_file(
    liv: User, maren: Artist, fjord: Party, signed_in: SignIn
) -> None:
    [one] = recordings_of(maren, holder=fjord)
    make_claim(
        by=None,
        party=fjord,
        right=Right.PUBLISHING,
        authority=Authority.BLANKET,
        share_bp=5_000,
        repertoire=maren,
    )
    rows = csv.DictReader(
        io.StringIO(file_of(signed_in(liv), fjord, one).content.decode("utf-8-sig"))
    )
    [row] = [row for row in rows if row["right"] == "publishing"]
    assert (row["share"], row["authority"]) == ("?", "blanket")
