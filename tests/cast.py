"""The people in every story, always the same ones, each made when a test asks for her.

Maren Holt is an artist on the label Fjord Records; Aoi Tanaka (田中葵) releases by herself; The Low
Tides are a band: Sol answers for it, Bo sees and can say no. Ines manages Maren and Aoi on two
rosters. Liv works for Fjord Records, Noor for another label, Kestrel Music. Olga is the operator's.
Tonewright is an AI company. Charlie has no access to anything, and appears everywhere.

Everything is made by the services that the product itself uses.
"""

from collections.abc import Callable
from itertools import count

import pytest
from django.test import Client

from consent.models import AICompany, Artist, ModelVersion, Party, Recording, Tool
from consent.services.claims import make_claim
from consent.services.parties import register_artist, register_party
from consent.services.recordings import NewRecording, register_recordings
from consent.services.tools import register_company, register_model_version, register_tool
from consent.words import Authority, PartyKind, Right, ToolKind
from portal.models import Roster, RosterKind, User
from portal.roles import ApiScope, Role
from portal.services.clients import CreatedKey, create_api_client, create_api_key
from portal.services.delegation import grant_access
from portal.services.people import create_user
from portal.services.rosters import add_artist_to_roster, create_roster
from tests import signing

PASSWORD = "a song that nobody knows"

_numbers = count(1)


def somebody(name: str, *, time_zone: str = "Europe/Oslo", is_staff: bool = False) -> User:
    """A person who signs in as `<first name>@liner.example`, and reaches nothing yet."""
    return create_user(
        email=f"{name.split()[0].lower()}@liner.example",
        name=name,
        password=PASSWORD,
        time_zone=time_zone,
        is_staff=is_staff,
    )


def recordings_of(
    artist: Artist,
    how_many: int = 1,
    *,
    title: str = "Havn",
    featured: tuple[Artist, ...] = (),
    holder: Party | None = None,
) -> list[Recording]:
    """Recordings by `artist`; their master is hers, or held by `holder` under a contract."""
    made = register_recordings(
        by=None,
        artist=artist,
        recordings=[
            NewRecording(
                isrc=f"NOLN124{next(_numbers):05d}",
                title=title if how_many == 1 else f"{title} {n + 1}",
                featured=featured,
            )
            for n in range(how_many)
        ],
        rights=() if holder else (Right.MASTER,),
    )
    if holder is not None:
        for recording in made:
            make_claim(
                by=None,
                party=holder,
                right=Right.MASTER,
                authority=Authority.CONTRACT,
                recording=recording,
            )
    return made


# --- Labels ------------------------------------------------------------------------------


@pytest.fixture
def fjord(db: None) -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name="Fjord Records")


@pytest.fixture
def fjord_roster(fjord: Party) -> Roster:
    return create_roster(by=None, kind=RosterKind.LABEL, name="Fjord Records", party=fjord)


@pytest.fixture
def kestrel(db: None) -> Party:
    return register_party(by=None, kind=PartyKind.COMPANY, name="Kestrel Music")


@pytest.fixture
def kestrel_roster(kestrel: Party) -> Roster:
    return create_roster(by=None, kind=RosterKind.LABEL, name="Kestrel Music", party=kestrel)


# --- Artists -----------------------------------------------------------------------------


@pytest.fixture
def maren(fjord_roster: Roster) -> Artist:
    artist = register_artist(by=None, name="Maren Holt")
    add_artist_to_roster(by=None, roster=fjord_roster, artist=artist)
    return artist


@pytest.fixture
def maren_user(maren: Artist) -> User:
    user = somebody("Maren Holt")
    grant_access(by=None, user=user, artist=maren, role=Role.ARTIST)
    return user


@pytest.fixture
def aoi(db: None) -> Artist:
    return register_artist(
        by=None, name="田中葵", language="ja", slug="aoi-tanaka", names=[("Aoi Tanaka", "en")]
    )


@pytest.fixture
def aoi_user(aoi: Artist) -> User:
    user = somebody("Aoi Tanaka", time_zone="Asia/Tokyo")
    grant_access(by=None, user=user, artist=aoi, role=Role.ARTIST)
    return user


@pytest.fixture
def low_tides(db: None) -> Artist:
    return register_artist(by=None, name="The Low Tides", kind=PartyKind.GROUP)


@pytest.fixture
def sol(low_tides: Artist) -> User:
    """Of The Low Tides; answers for the band."""
    user = somebody("Sol Arnesen")
    grant_access(by=None, user=user, artist=low_tides, role=Role.ARTIST)
    return user


@pytest.fixture
def bo(low_tides: Artist) -> User:
    """Of The Low Tides; leaves the answers to Sol."""
    user = somebody("Bo Lindqvist")
    grant_access(by=None, user=user, artist=low_tides, role=Role.ARTIST, may_answer=False)
    return user


# --- Everybody else ----------------------------------------------------------------------


@pytest.fixture
def north_roster(maren: Artist) -> Roster:
    """The management that Maren is with."""
    roster = create_roster(by=None, kind=RosterKind.MANAGEMENT, name="North Wind Management")
    add_artist_to_roster(by=None, roster=roster, artist=maren)
    return roster


@pytest.fixture
def harbour_roster(aoi: Artist) -> Roster:
    """The management that Aoi is with."""
    roster = create_roster(by=None, kind=RosterKind.MANAGEMENT, name="Harbour Artists")
    add_artist_to_roster(by=None, roster=roster, artist=aoi)
    return roster


@pytest.fixture
def ines(north_roster: Roster, harbour_roster: Roster) -> User:
    """Manager on two rosters, with one sign-in."""
    user = somebody("Ines Prado", time_zone="Europe/Lisbon")
    for roster in (north_roster, harbour_roster):
        grant_access(by=None, user=user, roster=roster, role=Role.MANAGER)
    return user


@pytest.fixture
def charlie(db: None) -> User:
    """Signs in, and has access to nothing."""
    return somebody("Charlie Voss")


@pytest.fixture
def liv(fjord_roster: Roster) -> User:
    """Staff of Fjord Records."""
    user = somebody("Liv Dahl", is_staff=True)
    grant_access(by=None, user=user, roster=fjord_roster, role=Role.LABEL_STAFF)
    return user


@pytest.fixture
def noor(kestrel_roster: Roster) -> User:
    """Staff of Kestrel Music."""
    user = somebody("Noor Haddad", is_staff=True)
    grant_access(by=None, user=user, roster=kestrel_roster, role=Role.LABEL_STAFF)
    return user


@pytest.fixture
def olga(db: None) -> User:
    """The operator's own staff."""
    return User.objects.create_superuser("olga@liner.example", PASSWORD, name="Olga Berg")


# --- Machines ----------------------------------------------------------------------------


@pytest.fixture
def tonewright(db: None) -> AICompany:
    return register_company(by=None, slug="tonewright", name="Tonewright")


@pytest.fixture
def tidesmith(tonewright: AICompany) -> Tool:
    """A tool of Tonewright that makes music."""
    return register_tool(
        by=None,
        company=tonewright,
        slug="tidesmith",
        name="Tidesmith",
        kind=ToolKind.COMPOSER,
    )


@pytest.fixture
def tidesmith_v1(tidesmith: Tool) -> ModelVersion:
    return register_model_version(by=None, tool=tidesmith, name="v1")


@pytest.fixture
def tonewright_key(tonewright: AICompany) -> CreatedKey:
    """A live key of Tonewright's that may do everything a key can."""
    client = create_api_client(by=None, company=tonewright, name="reporting")
    return create_api_key(by=None, client=client, scopes=ApiScope)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which a person is signed in, with a second factor."""

    def sign_in(user: User) -> Client:
        client = Client()
        signing.sign_in(client, user, second_factor=True)
        return client

    return sign_in
