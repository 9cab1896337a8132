"""The demo's deliveries: ERN messages as the reader hands them over, made in memory."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stdnum import ean

from consent.catalogue.message import (
    Contributor,
    DisplayArtist,
    Identifier,
    Message,
    Name,
    Party,
    Recording,
    Release,
    Sender,
    Title,
    Track,
)
from consent.services.catalogue import ImportReport, import_message
from consent.words import AiPart
from portal.demo.catalogue import Album, Song
from portal.demo.names import ACTS, CREW, OTHERS, Act
from portal.models import User

_PREFIX: Final = {"fjord": "NOFJ7", "kanal": "DEKM4", "aoi": "JPTA6", "layla": "FRLS1"}
_BY_HAND: Final = {"tomas": "PTTF2", "sol": "GBSA9"}
_ACTS: Final = {act.key: act for act in ACTS}


def isrc_of(album: Album, song: Song) -> str:
    """The ISRC of a song, in its stored form."""
    act = _ACTS[album.act]
    sender = album.act if act.sender in ("self", "") else act.sender
    prefix = _PREFIX.get(sender) or _BY_HAND[sender]
    return f"{prefix}{album.year % 100:02d}{song.number:05d}"


def duration_of(song: Song) -> int:
    """How long a song is, in milliseconds; always the same for the same one."""
    return random.Random(song.number).randrange(118_000, 322_000)  # noqa: S311 - no secret


def deliver(
    *,
    by: User | None,
    sender: Sender,
    albums: Sequence[Album],
    at: datetime,
    number: int = 1,
    only: str = "",
) -> ImportReport:
    """Send `albums` as one message of `sender`, created at `at` (UTC), and take it in.

    `only` is the title of the one song to be sent, where it is not all of them.
    """
    if only:
        albums = [
            replace(album, songs=tuple(s for s in album.songs if s.title == only))
            for album in albums
        ]
    message = Message(
        version="4.3.2",
        message_id=f"{sender.dpid[-6:]}-{at:%Y%m%d}-{number:02d}",
        thread_id="",
        sender=sender,
        sent_on_behalf_of=None,
        created_at=at,
        is_test=False,
        language="en",
        parties={party.reference: party for party in _parties(albums)},
        recordings=tuple(_recording(album, song) for album in albums for song in album.songs),
        releases=tuple(_release(n, album) for n, album in enumerate(albums)),
    )
    digest = hashlib.sha256(repr(message).encode()).hexdigest()
    return import_message(by=by, message=message, digest=digest)


def _parties(albums: Iterable[Album]) -> list[Party]:
    found: dict[str, Party] = {}
    for album in albums:
        act = _ACTS[album.act]
        named = {album.act, *act.voices, *act.members}
        named |= {song.featured for song in album.songs if song.featured}
        for key in sorted(named):
            found[f"P{key}"] = _party(key)
        for n, (name, indexed, _role, _instrument) in enumerate(CREW[act.sender]):
            found[f"PCrew{n}"] = Party(f"PCrew{n}", (Name(name, indexed=indexed),), (), 1)
    return list(found.values())


def _party(key: str) -> Party:
    act = _ACTS.get(key)
    if act is None:
        return Party(f"P{key}", (Name(OTHERS[key], indexed=_indexed(OTHERS[key])),), (), 1)
    names = [Name(act.name, act.language, "" if act.kind == "group" else _indexed(act.name))]
    if act.other is not None:
        names.append(Name(*act.other, _indexed(act.other[0])))
    return Party(f"P{key}", tuple(names), (), 1)


def _indexed(name: str) -> str:
    first, _space, last = name.rpartition(" ")
    return f"{last}, {first}" if first else ""


def _recording(album: Album, song: Song) -> Recording:
    act = _ACTS[album.act]
    titles = [Title(song.title, "display", album.language, is_default=True)]
    if song.other:
        titles.append(Title(song.other, "TranslatedTitle", "en"))
    artists = [DisplayArtist(f"P{act.key}", "MainArtist", 1)]
    if song.featured:
        artists.append(DisplayArtist(f"P{song.featured}", "FeaturedArtist", 2))
    return Recording(
        reference=f"A{song.number}",
        isrc=isrc_of(album, song),
        titles=tuple(titles),
        display_artist_names=(Name(act.name, act.language),),
        display_artists=tuple(artists),
        contributors=tuple(_contributors(act, album, song)),
        rights_controllers=(),
        works=(Identifier("iswc", _iswc(song.number)),) if song.number % 3 else (),
        contains_ai=album.ai,
        line=song.number + 1,
        duration_ms=duration_of(song),
        is_instrumental=act.instrumental,
        language="" if act.instrumental else album.language,
    )


def _contributors(act: Act, album: Album, song: Song) -> list[Contributor]:
    dice = random.Random(song.number)  # noqa: S311 - no secret
    partly = album.ai == AiPart.PARTLY
    disclosed = AiPart.NONE if album.ai != AiPart.UNDECLARED else AiPart.UNDECLARED
    writers = act.members if act.kind == "group" else (act.key,)
    found = [
        Contributor(f"P{voice}", ("LeadVocalist",), (), disclosed)
        for voice in (() if act.instrumental else act.voices)
    ]
    found += [
        Contributor(
            f"P{writer}",
            ("Composer",) if act.instrumental else ("ComposerLyricist",),
            (),
            AiPart.PARTLY if partly and n == 0 else disclosed,
        )
        for n, writer in enumerate(writers)
    ]
    crew = list(enumerate(CREW[act.sender]))
    for n, (_name, _index, role, instrument) in sorted(dice.sample(crew, min(3, len(crew)))):
        found.append(
            Contributor(f"PCrew{n}", (role,), (instrument,) if instrument else (), disclosed)
        )
    if partly:
        found.append(
            Contributor("", ("Musician",), ("Synthesizer",), AiPart.ALL, special="GenerativeAI")
        )
    return found


def _release(number: int, album: Album) -> Release:
    act = _ACTS[album.act]
    return Release(
        reference=f"R{number}",
        identifiers=(Identifier("icpn", _icpn(album.songs[0].number)),),
        titles=(Title(album.title, "display", album.language, is_default=True),),
        kind=album.kind,
        display_artist_names=(Name(act.name, act.language),),
        display_artists=(DisplayArtist(f"P{act.key}", "MainArtist", 1),),
        label_reference="",
        label_name=act.sender.title() if act.sender != "self" else act.name,
        tracks=tuple(
            Track(n, f"A{song.number}", isrc_of(album, song))
            for n, song in enumerate(album.songs, 1)
        ),
        contains_ai=album.ai,
        line=1,
        released_on=f"{album.year}-{album.songs[0].number % 12 + 1:02d}-"
        f"{album.songs[0].number % 27 + 1:02d}",
    )


def _icpn(number: int) -> str:
    """A bar code of the range that shops keep for themselves (GS1 prefixes 20 to 29)."""
    digits = f"2900000{number:05d}"
    return digits + ean.calc_check_digit(digits)


def _iswc(number: int) -> str:
    digits = f"9{number:08d}"
    total = 1 + sum(weight * int(d) for weight, d in enumerate(digits, start=1))
    return f"T{digits}{-total % 10}"
