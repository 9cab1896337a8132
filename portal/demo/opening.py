"""The first days of the demo: people, labels, the catalogue, AI companies, licences and splits."""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from consent.catalogue.message import Sender
from consent.models import Catalogue, Party, Recording
from consent.services.claims import NewClaim, make_blanket_claim, make_claims
from consent.services.first_wordings import publish_first_wordings
from consent.services.licences import offer_standard_licence, sign_licence
from consent.services.matching import know_party_as
from consent.services.parties import register_artist, register_party
from consent.services.recordings import NewRecording, register_recordings
from consent.services.tools import register_company, register_model_version, register_tool
from consent.words import Authority, PartyKind, Right, UseKind
from portal.demo.catalogue import Album, albums
from portal.demo.messages import deliver, duration_of, isrc_of
from portal.demo.names import (
    ACTS,
    ANSWERS_FOR,
    DOMAIN,
    LABELS,
    MAKERS,
    OTHERS,
    PASSWORD,
    PEOPLE,
    PRODUCTS,
    SOCIETY,
    Act,
)
from portal.demo.stage import Stage, keep_keys
from portal.models import Roster, RosterKind, User
from portal.roles import ApiScope, Role
from portal.services.clients import create_api_client, create_api_key
from portal.services.delegation import grant_access
from portal.services.people import create_user
from portal.services.rosters import add_artist_to_roster, create_roster
from royalties.services.rates import RateOffer, set_rates
from royalties.services.splits import SplitSheet, record_signed_splits
from royalties.words import RateBasis

G, A, R = UseKind.GENERATIVE_TRAINING, UseKind.ANALYSIS_TRAINING, UseKind.REMIX_INPUT
S, V, N, D = UseKind.STYLE, UseKind.VOICE, UseKind.NAME_IMAGE, UseKind.DISCOVERY
EURO = 1_000_000


@transaction.atomic
def people_arrive(stage: Stage) -> None:
    """The operator, then everybody who signs in; texts to decide on are published."""
    password = make_password(PASSWORD)  # slow on purpose: once is enough for people who share it
    stage.people["olga"] = User.objects.create_superuser(
        f"olga@{DOMAIN}", None, name="Olga Berg", time_zone="Europe/Oslo"
    )
    for one in PEOPLE:
        if one.key not in stage.people:
            stage.people[one.key] = create_user(
                email=f"{one.key}@{DOMAIN}",
                name=one.name,
                time_zone=one.time_zone,
                locale=one.locale,
                is_staff=one.is_staff,
            )
    everybody = list(stage.people.values())
    User.objects.filter(pk__in=[one.pk for one in everybody]).update(password=password)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in everybody
    )
    for user in everybody:
        user.refresh_from_db()
    publish_first_wordings(by=stage.by)


@transaction.atomic
def artists_arrive(stage: Stage) -> None:
    """Labels, the authors' society, artists, and the people behind their names."""
    by = stage.by
    for label in LABELS:
        stage.parties[label.key] = register_party(
            by=by, kind=PartyKind.COMPANY, name=label.name, identifiers=[("dpid", label.dpid)]
        )
    stage.parties["skald"] = register_party(by=by, kind=PartyKind.SOCIETY, name=SOCIETY)
    for key, name in OTHERS.items():
        stage.parties[key] = register_party(by=by, kind=PartyKind.PERSON, name=name)
    for act in sorted(ACTS, key=lambda one: bool(one.members)):
        artist = register_artist(
            by=by,
            name=act.name,
            kind=act.kind,
            slug=act.slug,
            language=act.language,
            names=[act.other] if act.other else [],
            identifiers=[("dpid", act.dpid)] if act.dpid else [],
            is_minor=act.is_minor,
            is_estate=act.is_estate,
            guardian=stage.parties[act.guardian] if act.guardian else None,
            members=[stage.parties[key] for key in act.members],
        )
        stage.artists[act.key] = artist
        stage.parties[act.key] = artist.party
    for act in ACTS:
        sender = stage.parties.get(act.key if act.sender == "self" else act.sender)
        if sender is not None:
            for key in sorted({act.key, *act.voices, *act.members}):
                know_party_as(sender=sender, party=stage.parties[key])
    # Who is featured on somebody else's record, or delivered a second time.
    know_party_as(sender=stage.parties["fjord"], party=stage.parties["aoi"])
    know_party_as(sender=stage.parties["aoi"], party=stage.parties["maren"])
    make_blanket_claim(
        by=by,
        society=stage.parties["skald"],
        artists=[stage.artists[act.key] for act in ACTS if act.society],
    )
    make_claims(
        by=by,
        claims=[
            NewClaim(
                party=stage.parties[key],
                right=Right.PUBLISHING,
                authority=Authority.OWN,
                repertoire=stage.artists[key],
            )
            for key in ("aoi", "layla", "sol")
        ],
    )


@transaction.atomic
def access_is_given(stage: Stage) -> None:
    """Rosters of labels and managements, and who may see and answer for whom."""
    by = stage.by
    for label in LABELS:
        roster = create_roster(
            by=by, kind=RosterKind.LABEL, name=label.name, party=stage.parties[label.key]
        )
        for act in ACTS:
            if act.sender == label.key:
                add_artist_to_roster(by=by, roster=roster, artist=stage.artists[act.key])
        staff = stage.people["liv" if label.key == "fjord" else "noor"]
        grant_access(by=by, user=staff, roster=roster, role=Role.LABEL_STAFF)
    for key, people in ANSWERS_FOR.items():
        for person, may_answer in people.items():
            grant_access(
                by=None,  # the operator's own tool: its people let nobody in beside others
                user=stage.people[person],
                artist=stage.artists[key],
                role=Role.ARTIST,
                may_answer=may_answer,
            )
    kari = stage.people["kari"]
    grant_access(by=None, user=kari, artist=stage.artists["pia"], role=Role.GUARDIAN)
    for name, key in (("North Wind Management", "maren"), ("Harbour Artists", "aoi")):
        management: Roster = create_roster(by=by, kind=RosterKind.MANAGEMENT, name=name)
        grant_access(by=by, user=stage.people["ines"], roster=management, role=Role.MANAGER)
        add_artist_to_roster(by=stage.people[key], roster=management, artist=stage.artists[key])


def catalogue_comes_in(stage: Stage) -> None:
    """What was out before the story begins."""
    newest = stage.calendar.day(5, 10).year
    stage.albums = tuple(albums(newest))
    _deliver(stage, [a for a in stage.albums if not _is_new(a, newest)], number=1)


def new_releases_come_in(stage: Stage) -> None:
    """What came out this year."""
    newest = stage.calendar.day(5, 10).year
    _deliver(stage, [a for a in stage.albums if _is_new(a, newest)], number=2)


def _is_new(album: Album, newest: int) -> bool:
    return album.year == newest


def sender_of(stage: Stage, key: str) -> Sender:
    """Who signs a delivery: a label, or an artist who delivers herself."""
    names = {label.key: (label.dpid, label.name) for label in LABELS}
    names |= {act.key: (act.dpid, act.name) for act in ACTS if act.dpid}
    return Sender(*names[key], dpid_valid=True)


def _deliver(stage: Stage, chosen: list[Album], *, number: int) -> None:
    by_act = {act.key: act for act in ACTS}
    at = stage.calendar.day(0, 1, 9) if number == 1 else stage.calendar.day(5, 10, 9)
    by_sender: dict[str, list[Album]] = {}
    for album in chosen:
        act = by_act[album.act]
        by_sender.setdefault(act.key if act.sender == "self" else act.sender, []).append(album)
    for key, delivered in by_sender.items():
        if key:
            deliver(by=None, sender=sender_of(stage, key), albums=delivered, at=at, number=number)
    for album in by_sender.get("", []):
        register_recordings(
            by=stage.people[album.act],
            artist=stage.artists[album.act],
            recordings=[
                NewRecording(
                    isrc=isrc_of(album, song),
                    title=song.title,
                    language=album.language,
                    duration_ms=duration_of(song),
                )
                for song in album.songs
            ],
        )
    found = {r.isrc: r for r in Recording.objects.all()}
    for album in chosen:
        for song in album.songs:
            stage.recordings[song.title] = found[isrc_of(album, song)]


def machines_arrive(stage: Stage) -> None:
    """AI companies, their tools and first models, and the key of one for the demo's client."""
    for maker in MAKERS:
        stage.makers[maker.key] = register_company(
            by=stage.by,
            slug=maker.key,
            name=maker.name,
            website=maker.website,
            contact=maker.contact,
        )
    for one in PRODUCTS:
        stage.tools[one.slug] = register_tool(
            by=None,
            company=stage.makers[one.maker],
            slug=one.slug,
            name=one.name,
            kind=one.kind,
            about=one.about,
        )
        new_model(stage, one.slug, "1.0")
    client = create_api_client(by=stage.by, company=stage.makers["tonewright"], name="Reporting")
    live = create_api_key(by=stage.by, client=client, scopes=ApiScope)
    sandbox = create_api_key(by=stage.by, client=client, scopes=ApiScope, sandbox=True)
    keep_keys({"Tonewright": live.secret, "Tonewright, sandbox": sandbox.secret})


def new_model(stage: Stage, tool: str, name: str) -> None:
    """A tool gets a new version of its model."""
    version = register_model_version(by=None, tool=stage.tools[tool], name=name)
    stage.models.setdefault(tool, []).append(version)


# --- Licences ------------------------------------------------------------------------------


def share(use: str, right: str, bp: int) -> RateOffer:
    """A rate: a share of revenue, in basis points."""
    return RateOffer(use, right, RateBasis.SHARE_OF_REVENUE, share_bp=bp)


def per_output(use: str, right: str, micros: int) -> RateOffer:
    """A rate: a price for each output, in micros of a euro."""
    return RateOffer(use, right, RateBasis.PER_OUTPUT, price_micros=micros, currency="EUR")


def per_training(use: str, right: str, micros: int) -> RateOffer:
    """A rate: a price for each training run, in micros of a euro."""
    return RateOffer(use, right, RateBasis.FLAT_FEE, price_micros=micros, currency="EUR")


def licences_are_signed(stage: Stage) -> None:
    """The frame agreements of the labels and of the society."""
    vera_before = stage.songs_on("Zimmer mit Aussicht auf Regen", "Nachtfahrt")
    _sign(stage, "fjord", "tonewright", "Fjord and Tonewright", [share(G, "master", 4_000)], 30)
    _sign(
        stage,
        "fjord",
        "tonewright",
        "Fjord and Tonewright: Stemlight",
        [share(R, "master", 5_000)],
        30,
        catalogue=Catalogue.LISTED,
        recordings=stage.songs_on(
            "Slow Weather",
            "Kind of Quiet",
            "Signalfeil",
            "Støv",
            "La fenêtre d'en face",
            "Marée haute",
        ),
    )
    _sign(
        stage,
        "fjord",
        "meridian",
        "Fjord and Meridian",
        [share(D, "master", 5_500), per_training(A, "master", 1_800 * EURO)],
        14,
    )
    _sign(
        stage,
        "fjord",
        "larksong",
        "Fjord and Larksong",
        [share(V, "master", 1_500), share(V, "likeness", 3_500)],
        0,
    )
    _sign(stage, "kanal", "tonewright", "Kanal und Tonewright", [share(G, "master", 4_500)], 60)
    _sign(
        stage,
        "kanal",
        "meridian",
        "Kanal und Meridian",
        [share(D, "master", 5_000), per_training(A, "master", 1_500 * EURO)],
        14,
        catalogue=Catalogue.ALL_EXCEPT,
        recordings=vera_before,
    )
    _sign(
        stage,
        "kanal",
        "meridian",
        "Kanal und Meridian: Verträge vor 2015",
        [share(D, "master", 5_000), per_training(A, "master", 400 * EURO)],
        14,
        catalogue=Catalogue.LISTED,
        recordings=vera_before,
        artist_approval=False,
        override_clause="§ 7 (3): all means of exploitation, now known or invented later",
    )
    _sign(stage, "kanal", "papierboot", "Kanal und Papierboot", [share(G, "master", 3_000)], 30)
    _sign(
        stage,
        "skald",
        "tonewright",
        "Skald and Tonewright",
        [share(G, "publishing", 1_500), share(R, "publishing", 2_000)],
        30,
    )
    _sign(
        stage,
        "skald",
        "meridian",
        "Skald and Meridian",
        [per_training(A, "publishing", 900 * EURO)],
        30,
    )
    _sign(
        stage,
        "lucie",
        "papierboot",
        "Lucie Marchand and Papierboot",
        [per_output(S, "likeness", 20_000)],
        30,
    )


def standard_licences_are_offered(stage: Stage) -> None:
    """Independents offer the standard licence to every company of that day; rates are agreed."""
    for key, uses in (("aoi", (D, R, S, A)), ("layla", (D, R))):
        for version in offer_standard_licence(
            by=stage.people[key], artist=stage.artists[key], uses=uses
        ):
            stage.licences[f"{key} {version.licence.company.slug}"] = version
            offers = {
                D: [share(D, "master", 6_000)],
                R: [share(R, "master", 5_000), share(R, "publishing", 2_000)],
                S: [per_output(S, "likeness", 25_000)],
                A: [per_training(A, "master", 250 * EURO)],
            }
            set_rates(by=stage.by, version=version, offers=[o for use in uses for o in offers[use]])


def _sign(
    stage: Stage,
    holder: str,
    maker: str,
    title: str,
    rates: list[RateOffer],
    notice_days: int,
    *,
    catalogue: Catalogue = Catalogue.ALL,
    recordings: list[Recording] | None = None,
    artist_approval: bool = True,
    override_clause: str = "",
) -> None:
    signer = {"fjord": "liv", "kanal": "noor", "lucie": "lucie"}.get(holder, "olga")
    version = sign_licence(
        by=stage.people[signer],
        holder=stage.parties[holder],
        company=stage.makers[maker],
        title=title,
        uses=sorted({rate.use for rate in rates}),
        catalogue=catalogue,
        recordings=recordings or (),
        notice_days=notice_days,
        artist_approval=artist_approval,
        override_clause=override_clause,
        terms=f"{title}. Uses are reported and paid each calendar month.",
    )
    set_rates(by=stage.people[signer], version=version, offers=rates)
    stage.licences[title] = version


# --- Splits --------------------------------------------------------------------------------


def splits_are_signed(stage: Stage, chosen: list[Album]) -> None:
    """Who shares what, signed by all: the label and the artist, and those who wrote it."""
    acts = {act.key: act for act in ACTS}
    sheets = []
    for album in chosen:
        act = acts[album.act]
        for song in album.songs:
            recording = stage.song(song.title)
            for right, shares in _shares(act, song.featured):
                parties: dict[Party, int] = {stage.parties[k]: bp for k, bp in shares.items()}
                sheets.append(SplitSheet(recording, right, parties))
    record_signed_splits(by=stage.by, sheets=sheets)


def _shares(act: Act, featured: str) -> list[tuple[str, dict[str, int]]]:
    own = {"maren": 5_000, "einar": 2_500, "tides": 4_500, "havstov": 6_000}.get(act.key, 4_000)
    if act.sender in ("fjord", "kanal"):
        master = {act.key: own, act.sender: 10_000 - own}
        if featured:
            master = {act.key: own - 1_500, featured: 1_500, act.sender: 10_000 - own}
    else:
        master = {act.key: 10_000}
    writers = {
        "tides": {"sol": 5_000, "bo": 2_500, "mika": 2_500},
        "havstov": {"ida": 5_000, "ravn": 5_000},
    }.get(act.key, {act.key: 10_000})
    return [
        (Right.MASTER, master),
        (Right.PUBLISHING, writers),
        (Right.LIKENESS, {act.key: 10_000}),
    ]
