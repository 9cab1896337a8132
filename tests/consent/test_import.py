"""Release messages taken into the catalogue."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent.catalogue.ern import read_message
from consent.catalogue.message import Contributor, Identifier, Sender
from consent.catalogue.notes import from_json
from consent.clock import now
from consent.errors import Frozen
from consent.models import (
    Act,
    Artist,
    CatalogueMessage,
    Credit,
    LedgerAlarm,
    LedgerEntry,
    LedgerPersonal,
    Party,
    PartyIdentifier,
    PartyState,
    ProfileCount,
    Recording,
    RecordingIdentity,
    Release,
    RightsClaim,
    Track,
    Work,
)
from consent.queries.catalogue import credits_of
from consent.services.catalogue import import_message
from consent.services.claims import end_claim
from consent.services.claims_nothing import claim_nothing
from consent.services.identities import latest_identities
from consent.services.matching import know_party_as
from consent.services.parties import register_artist
from consent.services.profiles import refresh_all
from consent.services.recordings import NewRecording, change_identity, register_recordings
from consent.words import AiPart, Authority, Right, Standing
from tests.consent.messages import (
    AOI,
    FJORD,
    KAEDE,
    MONDAY,
    TUESDAY,
    a_message,
    a_party,
    a_recording,
    a_release,
    codes,
    take,
)

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parent / "samples"
ONE, TWO = "NOFJR2600001", "NOFJR2600002"


def identity(isrc: str) -> RecordingIdentity:
    found = RecordingIdentity.objects.filter(isrc=isrc).order_by("-id").first()
    assert found is not None
    return found


def names(keys: list[int]) -> list[str]:
    parties = Party.objects.in_bulk(keys)
    return [parties[k].name for k in keys]


# What a message brings


def test_a_message_brings_recordings_artists_a_release_and_a_declared_claim() -> None:
    report = take(a_message(a_recording(ONE, "Havn"), a_recording(TWO, "Fyr", featured=["PAoi"])))

    assert report.sender.name == "Fjord Records"
    assert report.counts.recordings_new == 2
    fyr = Recording.objects.get(isrc=TWO)
    assert (fyr.title, fyr.language, fyr.duration_ms) == ("Fyr", "en", 180_000)
    assert names(identity(TWO).main_artists) == ["Maren Holt"]
    assert names(identity(TWO).featured_artists) == ["田中葵"]
    assert set(Artist.objects.values_list("slug", flat=True)) == {"maren-holt", "田中葵"}
    [release] = Release.objects.all()
    assert (release.icpn, release.kind, str(release.released_on)) == (
        "4006381333931",
        "Album",
        "2026-03-06",
    )
    assert list(release.tracks.values_list("recording__isrc", "position")) == [(ONE, 1), (TWO, 2)]
    for claim in RightsClaim.objects.all():
        assert (claim.party, claim.right, claim.share_bp) == (report.sender, Right.MASTER, 10_000)
        assert (claim.standing, claim.authority) == (Standing.DECLARED, Authority.CONTRACT)
        assert claim.source == "import"


def test_one_act_holds_the_whole_message_with_its_leaves_side_by_side() -> None:
    report = take(a_message(a_recording(ONE), a_recording(TWO)))
    [act] = Act.objects.all()
    seqs = list(LedgerEntry.objects.order_by("seq").values_list("seq", "act", "kind"))
    assert act.entries == len(seqs) == report.counts.leaves
    assert [s for s, *_ in seqs] == list(range(seqs[0][0], seqs[0][0] + len(seqs)))
    assert {a for _, a, _ in seqs} == {act.ref}
    assert [k for *_, k in seqs].count("recording.identified") == 2
    assert [k for *_, k in seqs].count("claim.made") == 2


def test_no_name_of_anybody_stands_in_a_leaf() -> None:
    take(a_message(a_recording(ONE, featured=["PAoi"])))
    bodies = " ".join(LedgerEntry.objects.values_list("body", flat=True))
    for name in ("Maren", "田中葵", "Tanaka", "Fjord", "Havn"):
        assert name not in bodies
    assert LedgerPersonal.objects.count() == PartyState.objects.count() == 3


def test_titles_and_names_keep_their_scripts() -> None:
    with (SAMPLES / "ern42_japanese_album.xml").open("rb") as file:
        message = read_message(file)
    take(message)
    delivered = {str(t) for r in message.recordings for t in r.titles}
    kept = set(Recording.objects.values_list("title", flat=True)) | set(
        Recording.objects.exclude(titles=None).values_list("titles__title", flat=True)
    )
    assert delivered == kept
    assert any("\u3040" <= c <= "\u9fff" for t in kept for c in t)


def test_every_sample_message_is_taken_whole() -> None:
    for path in sorted(SAMPLES.glob("*.xml")):
        message = read_message(path.read_bytes())
        report = import_message(by=None, message=message, digest=path.name)
        assert report.counts.recordings_new == len(message.recordings), path.name
        assert set(message.problems) <= set(report.problems)
        kept = Recording.objects.filter(sender=report.sender, tracks__release__isnull=False)
        assert kept.exists()


def test_the_real_messages_are_taken_whole() -> None:
    folder = Path(
        os.environ.get(
            "LINER_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"
        )
    )
    for path in sorted((folder / "ern").glob("*.xml")):
        message = read_message(path.read_bytes())
        report = import_message(by=None, message=message, digest=path.name)
        isrcs = [r.isrc for r in message.recordings]
        assert Recording.objects.filter(isrc__in=isrcs).count() == len(isrcs) > 0, path.name
        assert RightsClaim.objects.filter(
            recording__isrc__in=isrcs, party=report.sender
        ).count() == len(isrcs)
        for delivered in message.recordings:
            stored = Recording.objects.get(isrc=delivered.isrc)
            kept = {stored.title, *stored.titles.values_list("title", flat=True)}
            assert {str(t) for t in delivered.titles} <= kept


def test_credits_come_with_roles_instruments_and_the_part_that_ai_had() -> None:
    piano = Contributor("PAoi", ("AssociatedPerformer", "Composer"), ("Piano",), AiPart.NONE)
    robot = Contributor("", ("BackgroundVocalist",), (), AiPart.ALL, special="GenerativeAI")
    take(
        a_message(a_recording(ONE, contributors=[piano, robot], contains_ai=AiPart.PARTLY)),
    )
    recording = Recording.objects.get(isrc=ONE)
    assert recording.contains_ai == AiPart.PARTLY
    assert set(Credit.objects.values_list("party__name", "role", "instrument", "ai_part")) == {
        ("Maren Holt", "MainArtist", "", "undeclared"),
        ("田中葵", "AssociatedPerformer", "Piano", "none"),
        ("田中葵", "Composer", "", "none"),
        ("Generative AI", "BackgroundVocalist", "", "all"),
    }
    by_role = {r.role: r.ai_part for r in credits_of(recording)}
    assert by_role["BackgroundVocalist"] is AiPart.ALL
    assert by_role["MainArtist"] is AiPart.UNDECLARED


def test_vocalists_are_voices_and_ai_is_nobodys_voice() -> None:
    robot = Contributor("", ("LeadVocalist",), (), AiPart.ALL, special="GenerativeAI")
    take(
        a_message(
            a_recording(ONE, main=["PTides"], vocals=["PMaren", "PAoi"], contributors=[robot])
        )
    )
    assert set(names(identity(ONE).voices)) == {"Maren Holt", "田中葵"}


def test_only_evidence_makes_a_party_a_person() -> None:
    take(a_message(a_recording(ONE, main=["PMaren", "PTides", "PAoi"])))
    assert dict(PartyState.objects.values_list("party__name", "kind")) == {
        "Fjord Records": "company",
        "Maren Holt": "person",  # “Holt, Maren”
        "The Low Tides": "group",  # “Low Tides, The”
        "田中葵": "group",  # nothing shows it: her voice stays hers until somebody says so
    }


def test_somebody_who_is_only_credited_stands_in_no_leaf() -> None:
    engineer = Contributor("PAoi", ("MixingEngineer",), ())
    take(a_message(a_recording(ONE, contributors=[engineer])))
    aoi = Party.objects.get(name="田中葵")
    assert aoi.credits.count() == 1
    assert not PartyState.objects.filter(party=aoi).exists()
    take(a_message(a_recording(ONE, featured=["PAoi"]), message_id="havn-2", created_at=TUESDAY))
    assert PartyState.objects.filter(party=aoi).count() == 1


def test_works_are_linked_by_their_iswc_and_stay_linked() -> None:
    take(a_message(a_recording(ONE, works=["T0345246801"])))
    take(a_message(a_recording(ONE), message_id="havn-2", created_at=TUESDAY))
    [work] = Work.objects.all()
    assert (work.iswc, identity(ONE).works) == ("T0345246801", [work.pk])


# Again, newer, older


def test_the_same_message_twice_changes_nothing_and_says_so() -> None:
    message = a_message(a_recording(ONE, featured=["PAoi"]))
    take(message)
    before = (LedgerEntry.objects.count(), Credit.objects.count(), Party.objects.count())
    report = take(message)
    assert report.already_read
    assert before == (LedgerEntry.objects.count(), Credit.objects.count(), Party.objects.count())
    assert CatalogueMessage.objects.count() == 1


def test_the_same_content_in_a_newer_message_writes_no_leaf() -> None:
    take(a_message(a_recording(ONE)))
    leaves, acts = LedgerEntry.objects.count(), Act.objects.count()
    report = take(a_message(a_recording(ONE), message_id="havn-2", created_at=TUESDAY))
    assert (report.counts.recordings_unchanged, report.counts.releases_unchanged) == (1, 1)
    assert (LedgerEntry.objects.count(), Act.objects.count()) == (leaves, acts)
    assert Release.objects.get().message_created_at == TUESDAY


def test_a_newer_message_updates_titles_and_artists_and_tells_the_ledger_only_of_artists() -> None:
    take(a_message(a_recording(ONE, "Havn", featured=["PAoi"]), a_recording(TWO, "Fyr")))
    leaves = LedgerEntry.objects.count()
    report = take(
        a_message(
            a_recording(ONE, "Havn", main=["PMaren", "PAoi"]),
            a_recording(TWO, "Fyr (Live)"),
            message_id="havn-2",
            created_at=TUESDAY,
        )
    )
    assert report.counts.recordings_updated == 2
    assert Recording.objects.get(isrc=TWO).title == "Fyr (Live)"
    assert LedgerEntry.objects.count() == leaves + 1
    assert names(identity(ONE).main_artists) == ["Maren Holt", "田中葵"]
    assert not identity(ONE).featured_artists
    billed = Artist.objects.get(party__name="田中葵").billed
    assert list(billed.values_list("recording__isrc", "featured")) == [(ONE, False)]


def test_the_order_of_artists_is_no_fact_for_the_ledger() -> None:
    take(a_message(a_recording(ONE, main=["PMaren", "PAoi"])))
    leaves = LedgerEntry.objects.count()
    take(
        a_message(
            a_recording(ONE, main=["PAoi", "PMaren"]), message_id="havn-2", created_at=TUESDAY
        )
    )
    assert LedgerEntry.objects.count() == leaves


def test_an_artist_who_is_taken_off_a_recording_loses_it_from_her_lists() -> None:
    take(a_message(a_recording(ONE, featured=["PAoi"])))
    take(a_message(a_recording(ONE), message_id="havn-2", created_at=TUESDAY))
    aoi = Artist.objects.get(party__name="田中葵")
    assert not aoi.billed.exists()
    assert not aoi.profile_counts.exists()


def test_an_older_message_changes_nothing_of_a_release_and_is_reported() -> None:
    take(a_message(a_recording(ONE, "Havn"), created_at=TUESDAY))
    report = take(
        a_message(
            a_recording(ONE, "Hamn"),
            a_recording(TWO, "Fyr"),
            message_id="havn-0",
            created_at=MONDAY,
        )
    )
    assert codes(report) == ["older_message"]
    assert report.counts.releases_older == 1
    assert Recording.objects.get().title == "Havn"
    assert Track.objects.count() == 1


def test_an_older_message_for_another_release_leaves_a_recording_as_it_is_known() -> None:
    take(a_message(a_recording(ONE, "Havn"), created_at=TUESDAY))
    single = a_release(ONE, icpn="0602537347377", title="Havn")
    report = take(
        a_message(
            a_recording(ONE, "Hamn"), releases=[single], message_id="havn-0", created_at=MONDAY
        )
    )
    assert codes(report) == ["older_for_recording"]
    assert Recording.objects.get().title == "Havn"
    assert set(Release.objects.values_list("title", flat=True)) == {"Havner", "Havn"}


def test_messages_in_any_order_end_in_the_same_catalogue() -> None:
    newer = a_message(a_recording(ONE, "Havn"), message_id="b", created_at=TUESDAY)
    older = a_message(a_recording(ONE, "Hamn"), message_id="a", created_at=MONDAY)
    for message in (newer, older, newer, older):
        take(message)
    assert Recording.objects.get().title == "Havn"
    assert RightsClaim.objects.count() == 1


def test_one_id_with_other_content_is_read_and_said() -> None:
    take(a_message(a_recording(ONE, "Havn")))
    report = take(a_message(a_recording(ONE, "Hamn")))
    assert "same_id_other_content" in codes(report)
    assert Recording.objects.get().title == "Hamn"


def test_a_track_that_leaves_a_release_leaves_its_list_and_keeps_its_recording() -> None:
    take(a_message(a_recording(ONE), a_recording(TWO)))
    report = take(a_message(a_recording(TWO), message_id="havn-2", created_at=TUESDAY))
    assert report.counts.releases_updated == 1
    assert list(Track.objects.values_list("recording__isrc", "position")) == [(TWO, 1)]
    assert Recording.objects.count() == 2


# Who is who


def test_an_isni_finds_the_same_artist_from_every_sender() -> None:
    take(a_message(a_recording(ONE, main=["PAoi"])))
    spelled = a_party("P1", "Aoi TANAKA", isni="0000000121032683")
    take(
        a_message(
            a_recording("JPKDE2600001", main=["P1"]),
            parties=[spelled],
            sender=KAEDE,
            message_id="k",
        )
    )
    [aoi] = Party.objects.filter(identifiers__scheme="isni")
    assert aoi.name == "田中葵"
    assert {"Aoi Tanaka", "Aoi TANAKA"} <= set(aoi.names.values_list("name", flat=True))
    assert Artist.objects.get(party=aoi).billed.count() == 2


def test_one_name_from_two_senders_is_two_artists() -> None:
    plain = a_party("P1", "Maren Holt")
    take(a_message(a_recording(ONE)))
    take(
        a_message(
            a_recording("JPKDE2600001", main=["P1"]),
            parties=[plain],
            sender=KAEDE,
            message_id="k",
        )
    )
    assert Artist.objects.filter(party__name="Maren Holt").count() == 2
    assert len(set(Artist.objects.values_list("slug", flat=True))) == 2


def test_a_number_of_the_senders_finds_the_artist_under_another_name() -> None:
    take(a_message(a_recording(ONE)))
    renamed = a_party("P1", "Maren H.", number="M-1")
    take(
        a_message(
            a_recording(TWO, main=["P1"]),
            parties=[renamed],
            message_id="havn-2",
            created_at=TUESDAY,
        )
    )
    assert Artist.objects.count() == 1


def test_one_name_with_two_numbers_of_one_sender_is_two_artists() -> None:
    other = a_party("PMaren", "Maren Holt", number="M-2")
    take(a_message(a_recording(ONE)))
    take(
        a_message(
            a_recording(TWO),
            parties=[other],
            message_id="havn-2",
            created_at=TUESDAY,
            releases=[],
        )
    )
    assert Artist.objects.filter(party__name="Maren Holt").count() == 2


def test_an_identifier_that_fails_its_rule_is_kept_and_finds_nobody() -> None:
    first = a_party("P1", "Aoi Tanaka", isni="0000000121032684", valid=False)
    second = a_party("P2", "Ren Sato", isni="0000000121032684", valid=False)
    take(a_message(a_recording(ONE, main=["P1", "P2"]), parties=[first, second]))
    assert Artist.objects.count() == 2
    kept = PartyIdentifier.objects.filter(value="0000000121032684")
    assert list(kept.values_list("is_valid", flat=True)) == [False, False]


def test_an_artist_registered_before_her_label_delivers_is_found_once_that_is_said() -> None:
    sender = take(a_message(a_recording(ONE, main=["PTides"]))).sender
    maren = register_artist(by=None, name="Maren Holt")
    know_party_as(sender=sender, party=maren.party)
    take(a_message(a_recording(TWO), releases=[], message_id="havn-2", created_at=TUESDAY))
    assert identity(TWO).main_artists == [maren.pk]


def test_identifiers_of_two_parties_are_reported_and_the_first_decides() -> None:
    register_artist(by=None, name="Ren Sato", identifiers=[("isni", "000000012146438X")])
    take(a_message(a_recording(ONE, main=["PAoi"])))
    both = replace(AOI, identifiers=(*AOI.identifiers, Identifier("ipi_name", "00014107338")))
    ren = Party.objects.get(name="Ren Sato")
    PartyIdentifier.objects.create(party=ren, scheme="ipi_name", value="00014107338")
    report = take(
        a_message(a_recording(TWO, main=["PAoi"]), parties=[both], releases=[], message_id="2")
    )
    assert "identifiers_disagree" in codes(report)
    assert names(identity(TWO).main_artists) == ["田中葵"]


def test_a_sender_with_a_bad_dpid_is_one_sender_by_the_same_text_and_name() -> None:
    bad = Sender("PADPIDA111111111", "Fjord Records", dpid_valid=False)
    other = replace(bad, name="Kestrel Music")
    assert (
        take(a_message(a_recording(ONE), sender=bad)).sender
        == take(a_message(a_recording(TWO), sender=bad, message_id="2", releases=[])).sender
    )
    assert Party.objects.filter(kind="company").count() == 1
    take(a_message(a_recording("NOKES2600001"), sender=other, releases=[]))
    assert Party.objects.filter(kind="company").count() == 2


# Two senders


def test_a_second_sender_gets_its_claim_and_does_not_overwrite_whose_it_is() -> None:
    take(a_message(a_recording(ONE, "Havn")))
    report = take(
        a_message(a_recording(ONE, "Stolen", main=["PAoi"]), sender=KAEDE, message_id="k")
    )
    assert {"recording_of_another", "claimed_by_another"} <= set(codes(report))
    assert Recording.objects.get().title == "Havn"
    assert names(identity(ONE).main_artists) == ["Maren Holt"]
    assert set(RightsClaim.objects.values_list("party__name", flat=True)) == {
        "Fjord Records",
        "Kaede Sound",
    }


def test_what_the_sender_says_to_be_none_of_its_own_is_not_brought_back_by_a_delivery() -> None:
    take(a_message(a_recording(ONE)))
    fjord = RightsClaim.objects.get().party
    claim_nothing(by=None, party=fjord, right=Right.MASTER, recordings=[Recording.objects.get()])
    report = take(a_message(a_recording(ONE), message_id="havn-2", created_at=TUESDAY))
    assert "claim_was_ended" in codes(report)
    assert RightsClaim.objects.latest("id").share_bp == 0
    report = take(a_message(a_recording(ONE), sender=KAEDE, message_id="k"))
    assert "claimed_by_another" not in codes(report)


def test_a_claim_that_was_ended_is_not_brought_back_by_a_delivery() -> None:
    take(a_message(a_recording(ONE)))
    end_claim(by=None, claim=RightsClaim.objects.get().claim)
    report = take(a_message(a_recording(ONE), message_id="havn-2", created_at=TUESDAY))
    assert "claim_was_ended" in codes(report)
    assert report.counts.claims == 0


def test_a_label_that_delivers_an_independents_recording_does_not_take_it() -> None:
    maren = register_artist(by=None, name="Maren Holt")
    register_recordings(
        by=None, artist=maren, recordings=[NewRecording(isrc="NO-FJR-26-00001", title="Havn")]
    )
    report = take(a_message(a_recording(ONE, "Taken", main=["PAoi"])))
    assert identity(ONE).main_artists == [maren.pk]
    assert "claimed_by_another" in codes(report)
    assert RightsClaim.objects.filter(recording__isrc=ONE).count() == 2


# What was said by hand


def test_voices_and_a_withdrawal_set_by_hand_outlive_a_delivery() -> None:
    take(a_message(a_recording(ONE, main=["PTides"])))
    recording = Recording.objects.get()
    sol = register_artist(by=None, name="Sol Arnesen")
    change_identity(by=None, recording=recording, voices=[sol.party], withdrawn=True)
    take(
        a_message(
            a_recording(ONE, main=["PTides"], featured=["PAoi"]),
            message_id="havn-2",
            created_at=TUESDAY,
        )
    )
    assert (identity(ONE).voices, identity(ONE).withdrawn) == ([sol.pk], True)


# What goes wrong


def test_a_recording_without_a_main_artist_is_kept_and_reported() -> None:
    report = take(a_message(a_recording(ONE, main=[])))
    assert "no_main_artist" in codes(report)
    assert identity(ONE).main_artists == []


def test_a_malformed_isrc_refuses_that_recording_and_no_other() -> None:
    message = read_message((SAMPLES / "ern43_with_faults.xml").read_bytes())
    report = take(message)
    refused = [p for p in report.problems if p.severity == "refused"]
    assert refused
    assert Recording.objects.count() == len(message.recordings) > 0


def test_the_report_is_kept_and_can_be_read_again() -> None:
    report = take(a_message(a_recording(ONE, main=[])))
    [stored] = CatalogueMessage.objects.all()
    assert [from_json(p) for p in stored.report] == list(report.problems)
    assert [from_json(p).sentence for p in stored.report] == [p.sentence for p in report.problems]


def test_nothing_is_imported_while_the_ledger_is_frozen() -> None:
    LedgerAlarm.objects.create(raised_at=now(), problem="a hash does not fit")
    with pytest.raises(Frozen):
        take(a_message(a_recording(ONE)))
    assert not Recording.objects.exists()


# Groups of recordings that are alike


def test_recordings_alike_are_one_group_and_a_change_moves_one_out() -> None:
    many = [a_recording(f"NOFJR26{n:05d}", works=[]) for n in range(12)]
    take(a_message(*many))
    maren = Artist.objects.get()
    assert list(maren.profile_counts.values_list("recordings", flat=True)) == [12]
    end_claim(by=None, claim=RightsClaim.objects.filter(recording__isrc="NOFJR2600003").get().claim)
    assert sorted(maren.profile_counts.values_list("recordings", flat=True)) == [1, 11]
    alone = maren.profile_counts.get(recordings=1)
    assert alone.example.isrc == "NOFJR2600003"


def test_grouping_everything_anew_finds_nothing_to_move() -> None:
    take(a_message(a_recording(ONE, featured=["PAoi"], works=["T0345246801"]), a_recording(TWO)))
    before = set(ProfileCount.objects.values_list("artist", "profile", "recordings"))
    assert refresh_all() == 0
    assert before == set(ProfileCount.objects.values_list("artist", "profile", "recordings"))


def test_an_import_asks_the_database_as_often_for_forty_recordings_as_for_four() -> None:
    def queries(first: int, how_many: int) -> int:
        recordings = [
            a_recording(f"NOFJR26{first + n:05d}", works=["T0345246801"]) for n in range(how_many)
        ]
        message = a_message(
            *recordings, message_id=str(first), releases=[a_release(icpn="0602537347377")]
        )
        with CaptureQueriesContext(
            connection,
        ) as asked:
            take(message)
        return len(asked)

    take(a_message(a_recording(ONE)))
    assert queries(100, 4) == queries(200, 40) <= 60


# By hand


def test_an_independent_registers_her_own_recordings_with_her_own_claims() -> None:
    aoi = register_artist(by=None, name="田中葵", slug="aoi-tanaka")
    [made] = register_recordings(
        by=None,
        artist=aoi,
        recordings=[NewRecording(isrc="jp-aoi-26-00001", title="夜明け", titles=[("Dawn", "en")])],
        rights=[Right.MASTER, Right.PUBLISHING],
    )
    assert made.isrc == "JPAOI2600001"
    assert latest_identities([made.pk])[made.pk].main == (aoi.pk,)
    assert set(made.claims.values_list("party", "right", "authority")) == {
        (aoi.pk, "master", "own"),
        (aoi.pk, "publishing", "own"),
    }
    leaves = LedgerEntry.objects.count()
    again = register_recordings(
        by=None, artist=aoi, recordings=[NewRecording(isrc="JPAOI2600001", title="夜明け")]
    )
    assert again == [made]
    assert LedgerEntry.objects.count() == leaves


def test_a_leaf_of_an_identity_says_all_that_decisions_read() -> None:
    take(a_message(a_recording(ONE, featured=["PAoi"], vocals=["PMaren"], works=["T0345246801"])))
    body = json.loads(LedgerEntry.objects.get(kind="recording.identified").body)
    refs = {p.name: str(p.ref) for p in Party.objects.all()}
    assert body == {
        "by": None,
        "isrc": ONE,
        "recording": str(Recording.objects.get().ref),
        "main_artists": [refs["Maren Holt"]],
        "featured_artists": [refs["田中葵"]],
        "voices": [refs["Maren Holt"]],
        "works": [str(Work.objects.get().ref)],
        "withdrawn": False,
    }


# The command


def test_the_command_reads_every_file_it_can_and_fails_for_the_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<not-a-release/>")
    good = SAMPLES / "ern42_japanese_album.xml"
    out = StringIO()
    with pytest.raises(CommandError, match="2 of 3"):
        call_command(
            "import_ern", broken, good, tmp_path / "absent.xml", stdout=out, stderr=StringIO()
        )
    assert Recording.objects.exists()
    assert "not a DDEX release message" in out.getvalue()
    assert "line" in out.getvalue()

    again = StringIO()
    call_command("import_ern", good, stdout=again)
    assert "read before" in again.getvalue()
    assert sha256(good.read_bytes()).hexdigest() == CatalogueMessage.objects.get().digest


@pytest.mark.django_db(transaction=True)
def test_two_messages_at_once_make_an_artist_once_and_stop_nobody() -> None:
    def deliver(n: int) -> int:
        try:
            sender = FJORD if n % 2 else KAEDE
            message = a_message(
                a_recording(ONE, main=["PAoi"]),
                a_recording(f"NOFJR26{n:05d}", main=["PAoi"], featured=["PMaren"]),
                releases=[],
                sender=sender,
                message_id=str(n),
            )
            return take(message).counts.claims
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claims = sum(pool.map(deliver, range(100, 108)))
    assert claims == RightsClaim.objects.count() == 8 + 2
    assert Artist.objects.filter(party__identifiers__scheme="isni").count() == 1
    assert Artist.objects.filter(party__name="Maren Holt").count() == 2  # one of each sender's
    assert [p.recordings for p in ProfileCount.objects.filter(artist__party__name="田中葵")]
    assert refresh_all() == 0
    seqs = list(LedgerEntry.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
