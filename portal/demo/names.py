"""Everybody in the demo: labels, artists, the people who sign in, and those who only get credits.

All invented. The short names are what the stories call them by.
"""

from dataclasses import dataclass
from typing import Final

DOMAIN: Final = "liner.example"
PASSWORD: Final = "northern line"  # noqa: S105 - printed at every start of the demo
SOCIETY: Final = "Skald"


@dataclass(frozen=True, slots=True)
class Label:
    key: str
    name: str
    dpid: str


@dataclass(frozen=True, slots=True)
class Act:
    """An artist: `sender` delivers the recordings, a label or (`self`) the artist; none: by hand.

    `other` is the name in another script; `indexed` as in a sorted list, which shows a person.
    """

    key: str
    name: str
    language: str
    sender: str = ""
    kind: str = "person"
    slug: str = ""
    other: tuple[str, str] | None = None
    dpid: str = ""
    is_minor: bool = False
    guardian: str = ""
    is_estate: bool = False
    members: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    instrumental: bool = False
    society: bool = True
    territory: str = "NO"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in, as `<key>@liner.example`; `login` is said in the demo's table."""

    key: str
    name: str
    time_zone: str
    locale: str = "en"
    is_staff: bool = False
    login: str = ""


LABELS: Final = (
    Label("fjord", "Fjord Records", "PADPIDA2019041703R"),
    Label("kanal", "Kanal Musik", "PADPIDA2017090214H"),
)

ACTS: Final = (
    Act("maren", "Maren Holt", "no", "fjord", voices=("maren",)),
    Act("pia", "Pia Solheim", "no", "fjord", is_minor=True, guardian="kari", voices=("pia",)),
    Act("einar", "Einar Vik", "no", "fjord", is_estate=True, instrumental=True),
    Act(
        "havstov",
        "Havstøv",
        "no",
        "fjord",
        kind="group",
        members=("ida", "ravn"),
        instrumental=True,
    ),
    Act("lucie", "Lucie Marchand", "fr", "fjord", voices=("lucie",), territory="FR"),
    Act(
        "daryna",
        "Дарина Левчук",
        "uk",
        "fjord",
        slug="daryna-levchuk",
        other=("Daryna Levchuk", "en"),
        voices=("daryna",),
        territory="UA",
    ),
    Act(
        "tides",
        "The Low Tides",
        "en",
        "kanal",
        kind="group",
        members=("sol", "bo", "mika"),
        voices=("sol",),
        territory="GB",
    ),
    Act("vera", "Vera Sandmann", "de", "kanal", voices=("vera",), territory="DE"),
    Act("tarik", "Tarık Demirsoy", "tr", "kanal", voices=("tarik",), territory="DE"),
    Act(
        "klio",
        "Κλειώ Μαρή",
        "el",
        "kanal",
        slug="klio-mari",
        other=("Klio Mari", "en"),
        voices=("klio",),
        territory="GR",
    ),
    Act(
        "aoi",
        "田中葵",
        "ja",
        "self",
        slug="aoi-tanaka",
        other=("Aoi Tanaka", "en"),
        dpid="PADPIDA2020060611W",
        voices=("aoi",),
        society=False,
        territory="JP",
    ),
    Act(
        "layla",
        "ليلى الساحلي",
        "ar",
        "self",
        slug="layla-sahili",
        other=("Layla Sahili", "en"),
        dpid="PADPIDA2024021508Z",
        voices=("layla",),
        society=False,
        territory="FR",
    ),
    Act("tomas", "Tomás Ferreira", "pt", society=False, territory="PT"),
    Act("sol", "Sol Arnesen", "en", society=False, territory="GB"),
)

# People behind the names, who are parties of their own: a guardian, and members of groups.
OTHERS: Final = {
    "kari": "Kari Solheim",
    "ida": "Ida Brekke",
    "ravn": "Ravn Eide",
    "bo": "Bo Lindqvist",
    "mika": "Mika Oja",
}

PEOPLE: Final = (
    Person("maren", "Maren Holt", "Europe/Oslo", login="artist on Fjord Records"),
    Person("aoi", "Aoi Tanaka", "Asia/Tokyo", login="independent, with the standard licence"),
    Person("sol", "Sol Arnesen", "Europe/London", login="answers for The Low Tides, and solo"),
    Person("bo", "Bo Lindqvist", "Europe/Stockholm", login="of The Low Tides; sees and can say no"),
    Person("vera", "Vera Sandmann", "Europe/Berlin", login="her label overrides her"),
    Person("ines", "Ines Prado", "Europe/Lisbon", login="manager of two rosters"),
    Person("kari", "Kari Solheim", "Europe/Oslo", login="guardian of Pia Solheim, who is 16"),
    Person("tomas", "Tomás Ferreira", "Europe/Lisbon", login="independent, new here"),
    Person("liv", "Liv Dahl", "Europe/Oslo", is_staff=True, login="staff of Fjord Records (admin)"),
    Person(
        "noor",
        "Noor Haddad",
        "Europe/Berlin",
        is_staff=True,
        login="staff of Kanal Musik (admin)",
    ),
    Person("olga", "Olga Berg", "Europe/Oslo", is_staff=True, login="the operator (admin)"),
    Person("charlie", "Charlie Voss", "Europe/London", login="signs in, and has access to nothing"),
    Person("pia", "Pia Solheim", "Europe/Oslo"),
    Person("astrid", "Astrid Vik", "Europe/Oslo"),
    Person("leif", "Leif Vik", "America/New_York"),
    Person("ida", "Ida Brekke", "Europe/Oslo"),
    Person("lucie", "Lucie Marchand", "Europe/Paris"),
    Person("daryna", "Daryna Levchuk", "Europe/Kyiv"),
    Person("tarik", "Tarık Demirsoy", "Europe/Berlin"),
    Person("klio", "Klio Mari", "Europe/Athens"),
    Person("layla", "Layla Sahili", "Europe/Paris"),
)

# Who may answer for whom; `False`: sees, and can say no.
ANSWERS_FOR: Final = {
    "maren": {"maren": True},
    "pia": {"pia": True},
    "einar": {"astrid": True, "leif": True},
    "havstov": {"ida": True},
    "lucie": {"lucie": True},
    "daryna": {"daryna": True},
    "tides": {"sol": True, "bo": False},
    "vera": {"vera": True},
    "tarik": {"tarik": True},
    "klio": {"klio": True},
    "aoi": {"aoi": True},
    "layla": {"layla": True},
    "tomas": {"tomas": True},
    "sol": {"sol": True},
}

# Who is credited beside the artists: (name, as sorted, role, instrument), by sender.
CREW: Final = {
    "fjord": (
        ("Eirik Moldestad", "Moldestad, Eirik", "Producer", ""),
        ("Hanne Lie", "Lie, Hanne", "Musician", "Cello"),
        ("Jostein Ravnå", "Ravnå, Jostein", "Musician", "Drums"),
        ("Sunniva Aase", "Aase, Sunniva", "Musician", "Piano"),
        ("Per Otto Gran", "Gran, Per Otto", "MasteringEngineer", ""),
        ("Tuva Myhre", "Myhre, Tuva", "Lyricist", ""),
    ),
    "kanal": (
        ("Rike Baumbach", "Baumbach, Rike", "Producer", ""),
        ("Anton Ziegler", "Ziegler, Anton", "Musician", "Guitar"),
        ("Mehtap Karaca", "Karaca, Mehtap", "Musician", "Violin"),
        ("Oskar Thiel", "Thiel, Oskar", "MixingEngineer", ""),
        ("Lene Hartwig", "Hartwig, Lene", "MasteringEngineer", ""),
        ("Paul Okonjo", "Okonjo, Paul", "Musician", "Bass"),
    ),
    "self": (
        ("Reiko Ogawa", "Ogawa, Reiko", "Musician", "Piano"),
        ("Karim Benali", "Benali, Karim", "Musician", "Oud"),
        ("Yuki Hayashida", "Hayashida, Yuki", "MixingEngineer", ""),
    ),
}


@dataclass(frozen=True, slots=True)
class Maker:
    """An AI company of the demo."""

    key: str
    name: str
    website: str
    contact: str


@dataclass(frozen=True, slots=True)
class Product:
    """A tool of the demo, with the use kind that its outputs are reported under."""

    slug: str
    maker: str
    name: str
    kind: str
    use: str
    about: str


MAKERS: Final = (
    Maker("tonewright", "Tonewright", "https://tonewright.example", "rights@tonewright.example"),
    Maker("larksong", "Larksong", "https://larksong.example", "rights@larksong.example"),
    Maker("meridian", "Meridian Listening", "https://meridian.example", "rights@meridian.example"),
    Maker("papierboot", "Papierboot", "https://papierboot.example", "rights@papierboot.example"),
)

PRODUCTS: Final = (
    Product(
        "tidesmith",
        "tonewright",
        "Tidesmith",
        "composer",
        "generative_training",
        "Composes music from a description, for films, games and shops.",
    ),
    Product(
        "stemlight",
        "tonewright",
        "Stemlight",
        "remix",
        "remix_input",
        "Takes a recording apart, and lets fans and producers put it together anew.",
    ),
    Product(
        "larksong",
        "larksong",
        "Larksong",
        "voice",
        "voice",
        "Sings and speaks in the voices of artists who lent theirs.",
    ),
    Product(
        "night-ferry",
        "meridian",
        "Night Ferry",
        "discovery",
        "discovery",
        "A DJ that never sleeps: picks the next song, and says why.",
    ),
    Product(
        "sonar-garden",
        "meridian",
        "Sonar Garden",
        "analysis",
        "analysis_training",
        "Describes recordings by mood, tempo and instruments, so that they can be found.",
    ),
    Product(
        "draftbook",
        "papierboot",
        "Draftbook",
        "assistant",
        "style",
        "Sits beside a songwriter and suggests the next line, in a style she names.",
    ),
)
