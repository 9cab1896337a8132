"""Release messages that can be read: what comes out of them, and what is said about them."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent.catalogue.ern import read_message
from consent.catalogue.message import Message, Recording, Release
from consent.catalogue.problems import Severity
from consent.words import AiPart

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).resolve().parents[2]


def sample(name: str) -> Message:
    with (SAMPLES / name).open("rb") as file:
        return read_message(file)


def recording(message: Message, isrc: str) -> Recording:
    return next(r for r in message.recordings if r.isrc == isrc)


def codes(message: Message, severity: Severity) -> list[tuple[str, int, str]]:
    return [(p.code, p.line, p.value) for p in message.with_severity(severity)]


def test_the_header_says_who_sent_what_and_when() -> None:
    message = sample("ern42_japanese_album.xml")
    assert message.version == "4.2"
    assert (message.thread_id, message.message_id) == ("kaede-0001", "kaede-0001-1")
    assert message.sender.dpid == "PADPIDA2026010188E"
    assert message.sender.name == "Kaede Sound"
    assert message.sender.dpid_valid
    assert message.created_at == datetime(2026, 2, 3, 0, 30, tzinfo=UTC)
    assert message.message_created_at is message.created_at
    assert not message.is_test


def test_a_distributor_sends_on_behalf_of_a_label() -> None:
    message = sample("ern43_with_faults.xml")
    assert message.sent_on_behalf_of is not None
    assert message.sent_on_behalf_of.dpid == "PADPIDA2026010188E"
    assert message.is_test


def test_titles_keep_their_language_and_script() -> None:
    track = recording(sample("ern42_japanese_album.xml"), "JPK012600001")
    assert track.title == "Garasu no Andon (Hatsuyuki)"
    assert track.title_language == "ja-Latn"
    by_language = {t.language: str(t) for t in track.titles if t.kind == "display"}
    assert by_language["ja-Jpan"] == "硝子の行灯 (初雪)"
    assert by_language["ja-Kana"] == "ｶﾞﾗｽﾉｱﾝﾄﾞﾝ"  # half-width stays as delivered
    assert track.display_artist_name == "Aoi Tanaka"
    assert [n.text for n in track.display_artist_names] == ["Aoi Tanaka", "田中葵"]


def test_a_party_has_its_names_in_both_scripts_and_its_isni_in_stored_form() -> None:
    aoi = sample("ern42_japanese_album.xml").parties["PAoi"]
    assert [(n.text, n.language) for n in aoi.names] == [
        ("Aoi Tanaka", "ja-Latn"),
        ("田中葵", "ja-Jpan"),
    ]
    assert aoi.names[0].indexed == "Tanaka, Aoi"
    assert aoi.names[1].is_stage_name
    assert aoi.identifier("isni") == "0000000598765438"


def test_a_recording_of_version_4_2_carries_its_isrc_itself() -> None:
    message = sample("ern42_japanese_album.xml")
    assert [r.isrc for r in message.recordings] == ["JPK012600001", "JPK012600002"]
    first = message.recordings[0]
    assert first.duration_ms == 187_250
    assert first.p_line is not None
    assert (first.p_line.year, first.p_line.text) == (2026, "(P) 2026 Kaede Sound")
    assert first.is_instrumental is False
    assert first.language == "ja"
    assert [(a.party_reference, a.role, a.sequence) for a in first.display_artists] == [
        ("PAoi", "MainArtist", 1)
    ]
    assert first.contributors[0].roles == ("StudioMusician",)
    assert first.contributors[0].instruments == ("Koto",)


def test_tracks_follow_their_sequence_numbers_not_the_file() -> None:
    message = sample("ern42_japanese_album.xml")
    release = message.releases[0]
    assert [(t.position, t.isrc) for t in release.tracks] == [
        (1, "JPK012600002"),
        (2, "JPK012600001"),
    ]
    assert release.label_name == "Kaede Sound"
    assert (release.released_on, release.originally_released_on) == ("2026-03-01", "2026")
    assert release.icpn == "4599999000017"  # delivered as a GTIN-14
    assert message.release_key(release) == "icpn:4599999000017"
    assert release.kind == "Album"


def test_what_is_left_out_is_said_with_its_line() -> None:
    assert codes(sample("ern42_japanese_album.xml"), Severity.SKIPPED) == [
        ("resource_not_audio", 76, "Image"),
        ("track_releases", 110, "2"),
        ("deals", 113, "1"),
    ]


def test_a_clean_message_has_nothing_refused_or_flagged() -> None:
    message = sample("ern42_japanese_album.xml")
    assert not list(message.with_severity(Severity.REFUSED))
    assert not list(message.with_severity(Severity.FLAGGED))


def test_a_malformed_isrc_refuses_that_recording_and_no_other() -> None:
    message = sample("ern43_with_faults.xml")
    assert codes(message, Severity.REFUSED) == [
        ("isrc_malformed", 89, "NO-FJR-26-003"),
        ("recording_without_isrc", 96, ""),
    ]
    assert [r.isrc for r in message.recordings] == [
        "NOFJR2600001",
        "NOFJR2600002",
        "NOFJR2600004",
    ]
    refused = next(message.with_severity(Severity.REFUSED))
    assert refused.path == (
        "/NewReleaseMessage/ResourceList/SoundRecording[2]/SoundRecordingEdition/ResourceId/ISRC"
    )
    assert refused.where.endswith("ISRC:89")


def test_every_other_bad_value_is_flagged_at_its_line() -> None:
    assert Counter(codes(sample("ern43_with_faults.xml"), Severity.FLAGGED)) == Counter(
        [
            ("dpid_check_digit", 7, "PADPIDA20260101999"),
            ("no_time_zone", 15, "2026-05-17T10:00:00"),
            ("isni_check_digit", 23, "0000000512345678"),
            ("missing_name", 36, ""),
            ("unknown_party", 42, "PGhost"),
            ("isrc_replaced", 47, "NO-FJR-25-00900"),
            ("bad_year", 53, "26"),
            ("bad_language", 58, "not a tag"),
            ("bad_number", 68, "first"),
            ("missing_party_reference", 74, ""),
            ("bad_share", 82, "33.333"),
            ("missing_title", 101, ""),
            ("missing_display_artist", 101, ""),
            ("bad_duration", 106, "about four minutes"),
            ("missing_main_artist", 108, ""),
            ("unknown_party", 123, "PNoLabel"),
            ("icpn_check_digit", 126, "7099990000019"),
            ("bad_date", 135, "2026-02-30"),
            ("unknown_resource", 140, "A9"),
        ]
    )


def test_what_is_given_twice_counts_once() -> None:
    message = sample("ern43_with_faults.xml")
    assert codes(message, Severity.SKIPPED) == [
        ("duplicate_reference", 29, "PMaren"),
        ("missing_reference", 33, ""),
        ("duplicate_isrc", 108, "NO-FJR-26-00001"),
    ]
    assert message.parties["PMaren"].name == "Maren Holt"
    assert recording(message, "NOFJR2600001").title == "Low Light"


def test_a_bad_identifier_is_kept_as_delivered_but_never_matched_by() -> None:
    maren = sample("ern43_with_faults.xml").parties["PMaren"]
    assert [(i.scheme, i.value, i.valid) for i in maren.identifiers] == [
        ("isni", "0000000512345678", False),
        ("ipi_name", "00991234517", True),
        ("ipn", "10000001", True),
        ("proprietary", "artist/7", True),
    ]
    assert maren.identifier("isni") == ""
    assert maren.identifiers[3].namespace == "PADPIDA20260101998"


def test_editions_with_their_own_isrc_are_recordings_of_their_own() -> None:
    message = sample("ern43_with_faults.xml")
    stereo, immersive = message.recordings[:2]
    assert (stereo.edition, immersive.edition) == ("NonImmersiveEdition", "ImmersiveEdition")
    assert stereo.reference == immersive.reference == "A1"
    assert stereo.titles == immersive.titles
    assert stereo.replaced_isrcs == ("NOFJR2500900",)
    assert message.releases[0].tracks[0].isrc == stereo.isrc


def test_a_track_whose_recording_was_refused_keeps_its_place() -> None:
    tracks = sample("ern43_with_faults.xml").releases[0].tracks
    assert [(t.reference, t.isrc) for t in tracks] == [
        ("A1", "NOFJR2600001"),
        ("A2", None),
        ("A5", "NOFJR2600001"),  # the same recording under a second reference
        ("A9", None),
    ]


def test_roles_works_and_rights_controllers_are_read() -> None:
    track = recording(sample("ern43_with_faults.xml"), "NOFJR2600001")
    assert [a.role for a in track.display_artists] == ["MainArtist", "FeaturedArtist"]
    assert track.contributors[0].roles == ("Composer", "LoopMaker")
    assert [(w.scheme, w.value) for w in track.works] == [("iswc", "T9123456780")]
    assert [(c.party_reference, c.share_bp) for c in track.rights_controllers] == [
        ("PFjord", 6_667),
        ("PMaren", None),
    ]


def test_a_valid_grid_is_a_better_key_than_a_bar_code_that_is_wrong() -> None:
    message = sample("ern43_with_faults.xml")
    release = message.releases[0]
    assert release.icpn == ""
    assert release.grid == "A19FJRD2026000000G"
    assert message.release_key(release) == "grid:A19FJRD2026000000G"


def test_a_release_is_keyed_by_its_senders_own_id_with_its_namespace() -> None:
    message = sample("ern432_ai_disclosure.xml")
    assert message.release_key(message.releases[0]) == "proprietary:PADPIDA20260101998:EP-9"


def test_a_release_key_is_never_longer_than_its_column() -> None:
    text = (SAMPLES / "ern432_ai_disclosure.xml").read_text()
    first = read_message(text.replace("EP-9", "x" * 400 + "1").encode())
    second = read_message(text.replace("EP-9", "x" * 400 + "2").encode())
    keys = {m.release_key(m.releases[0]) for m in (first, second)}
    assert len(keys) == 2
    assert all(len(key) <= 80 for key in keys)


def test_a_release_without_any_id_belongs_to_its_thread() -> None:
    text = (SAMPLES / "ern42_japanese_album.xml").read_text()
    message = read_message(text.replace("<ICPN>04599999000017</ICPN>", "").encode())
    assert message.release_key(message.releases[0]) == "thread:kaede-0001:R0"
    assert ("missing_release_id", 83, "") in codes(message, Severity.FLAGGED)


def test_absent_disclosure_is_undeclared_and_not_none() -> None:
    for track in sample("ern43_with_faults.xml").recordings:
        assert track.contains_ai is AiPart.UNDECLARED


def test_disclosure_is_read_per_recording_and_per_contributor() -> None:
    message = sample("ern432_ai_disclosure.xml")
    assert [r.contains_ai for r in message.recordings] == [
        AiPart.PARTLY,
        AiPart.ALL,
        AiPart.NONE,
        AiPart.UNDECLARED,
        AiPart.UNDECLARED,
    ]
    half_tide = recording(message, "NOFJR2600101")
    assert [(c.party_reference, c.special, c.ai_contribution) for c in half_tide.contributors] == [
        ("PIda", "", AiPart.PARTLY),
        ("", "GenerativeAI", AiPart.ALL),  # the standard's default
        ("PIda", "", AiPart.NONE),
    ]
    assert half_tide.contributors[0].roles == ("StudioMusician",)
    assert half_tide.contributors[0].instruments == ("Drum",)
    assert message.releases[0].contains_ai is AiPart.NONE


def test_a_disclosure_that_contradicts_itself_is_flagged_where_it_does() -> None:
    message = sample("ern432_ai_disclosure.xml")
    assert [(p.code, p.line, p.about) for p in message.with_severity(Severity.FLAGGED)] == [
        ("ai_all_with_human", 71, "A2"),
        ("ai_none_with_ai", 89, "A3"),
        ("ai_person_all", 107, "A4"),
        ("ai_not_declared_with_ai", 107, "A4"),
        ("ai_unknown_value", 126, ""),
        ("ai_release_contradicts", 134, "NO-FJR-26-00101"),
    ]


def test_generative_ai_that_is_not_ai_is_flagged() -> None:
    text = (SAMPLES / "ern432_ai_disclosure.xml").read_text()
    text = text.replace(
        "<Role><Value>Lyricist</Value></Role>",
        "<Role><Value>Lyricist</Value></Role><AiContribution>None</AiContribution>",
    )
    found = [p.code for p in read_message(text.encode()).problems]
    assert "ai_contributor_not_all" in found
    assert "ai_none_with_ai" not in found


def test_special_artists_stand_for_nobody_in_particular() -> None:
    track = recording(sample("ern432_ai_disclosure.xml"), "NOFJR2600104")
    assert [(a.party_reference, a.special) for a in track.display_artists] == [
        ("", "VariousArtists")
    ]


def test_a_control_type_that_nobody_knows_counts_as_a_test() -> None:
    text = (SAMPLES / "ern432_ai_disclosure.xml").read_text()
    message = read_message(text.replace("LiveMessage", "AlmostLiveMessage").encode())
    assert message.is_test
    assert ("unknown_control_type", 11, "AlmostLiveMessage") in codes(message, Severity.FLAGGED)


def test_a_text_of_a_novels_length_is_cut_and_flagged() -> None:
    text = (SAMPLES / "ern42_japanese_album.xml").read_text()
    message = read_message(text.replace("Hatsuyuki", "snow " * 500).encode())
    assert len(message.recordings[0].title) <= 500
    assert "text_cut" in {p.code for p in message.with_severity(Severity.FLAGGED)}


def test_missing_sections_are_flagged() -> None:
    start, _, rest = (SAMPLES / "ern42_japanese_album.xml").read_text().partition("<PartyList>")
    text = start + rest[rest.index("</ern:NewReleaseMessage>") :]
    message = read_message(text.encode())
    missing = [p.about for p in message.with_severity(Severity.FLAGGED)]
    assert missing == ["PartyList", "ResourceList", "ReleaseList"]
    assert message.recordings == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_other_unicode_encodings_read_the_same(encoding: str) -> None:
    text = (SAMPLES / "ern42_japanese_album.xml").read_text()
    plain = read_message(text.encode())
    declared = "UTF-8" if encoding == "utf-8-sig" else "UTF-16"
    prefix = b"\xff\xfe" if encoding == "utf-16-le" else b""
    other = read_message(prefix + text.replace("UTF-8", declared, 1).encode(encoding))
    assert other == plain


def test_a_default_namespace_on_every_element_reads_the_same() -> None:
    text = (SAMPLES / "ern42_japanese_album.xml").read_text()
    everywhere = text.replace("xmlns:ern=", "xmlns=").replace("ern:NewRelease", "NewRelease")
    assert read_message(everywhere.encode()) == read_message(text.encode())


def test_elements_of_a_foreign_namespace_are_not_taken_for_ours() -> None:
    text = (SAMPLES / "ern42_japanese_album.xml").read_text()
    foreign = "<x:ISRC xmlns:x='urn:x'>JPK012600009</x:ISRC><ISRC>JPK012600001</ISRC>"
    message = read_message(text.replace("<ISRC>JPK012600001</ISRC>", foreign).encode())
    assert message.recordings == read_message(text.encode()).recordings


def test_every_problem_has_a_sentence_that_a_person_can_read() -> None:
    for name in ("ern42_japanese_album.xml", "ern43_with_faults.xml", "ern432_ai_disclosure.xml"):
        for problem in sample(name).problems:
            assert problem.sentence.endswith((".", "character is wrong."))
            assert "{" not in problem.sentence
            assert problem.value in problem.sentence


def _published_samples() -> list[Path]:
    """The standard's own sample messages, where they lie beside the repository."""
    folder = os.environ.get("LINER_SHARED_DATA") or str(ROOT.parent / "shared" / "data")
    return sorted((Path(folder) / "ern").glob("*.xml"))


def test_published_samples_read_fully() -> None:
    expected = {
        "ern42_audio_album.xml": (21, 21),
        "ern43_audio_album.xml": (21, 21),
        "ern43_classical.xml": (12, 12),
        "ern43_simple_audio_single.xml": (1, 1),
    }
    for path in _published_samples():
        message = read_message(path.read_bytes())
        release: Release = message.releases[0]
        counted = (len(message.recordings), len([t for t in release.tracks if t.isrc]))
        assert counted == expected.get(path.name, counted), path.name
        assert not list(message.with_severity(Severity.REFUSED)), path.name
        assert all(r.title and r.duration_ms and r.display_artists for r in message.recordings)
        assert release.title
        assert release.label_name
        if "album" in path.name:
            assert all(
                any(t.language == "ja-Jpan" and t.text for t in r.titles)
                for r in message.recordings
            )
            assert len(release.icpn) == 13
        if "classical" in path.name:
            assert [p.code for p in message.with_severity(Severity.FLAGGED)] == ["dpid_malformed"]
