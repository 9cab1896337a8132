"""Two sides that must never meet, with everything a page, a file or a machine could show of each.

On one side Maren Holt, her label Fjord Records, her manager and the AI company Tonewright; on the
other Aoi Tanaka, her label Kestrel Music, her manager and the AI company Oceanic Audio. Whatever
only one side may see carries that side's canary: a word that stands nowhere else, or an amount
that nobody else earned.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from consent.clock import now
from consent.models import (
    Act,
    AICompany,
    Artist,
    CatalogueMessage,
    CheckpointSink,
    LedgerAlarm,
    LedgerAudit,
    LedgerCheckpoint,
    LedgerEntry,
    ModelVersion,
    Party,
    Recording,
    Release,
    RightsClaim,
    Tool,
    Withdrawal,
    WorkState,
)
from consent.scopes import Scope
from consent.services.claims import make_claim
from consent.services.licences import sign_licence
from consent.services.parties import register_artist, register_party
from consent.services.permissions import answer_permission
from consent.services.provenance import Part, report_output, report_training_run
from consent.services.requests import ask_permission
from consent.services.sealing import seal_ledger
from consent.services.tools import register_company, register_model_version, register_tool
from consent.services.wordings import publish_wording
from consent.services.work import perform
from consent.words import Authority, PartyKind, Right, ToolKind, UseKind
from portal.access import Access
from portal.models import (
    Export,
    Notice,
    Roster,
    RosterKind,
    User,
)
from portal.roles import ApiScope, Role
from portal.services.bulk import ask_for_many
from portal.services.clients import CreatedKey, create_api_client, create_api_key
from portal.services.delegation import end_access, grant_access
from portal.services.exports import create_export_link, request_export
from portal.services.news import tell_news
from portal.services.rosters import add_artist_to_roster, create_roster
from portal.services.staff_acts import record_staff_act
from portal.services.webhooks import create_webhook, send_trial
from royalties.models import Payout
from royalties.services.payouts import request_payout
from royalties.services.rates import RateOffer, set_rates
from royalties.services.splits import SplitSheet, propose_split, record_signed_splits
from royalties.services.usage import UsageReport, record_usage
from tests.access.actors import Actor
from tests.cast import PASSWORD, somebody
from tests.consent.build import some_recordings
from tests.royalties.build import closed, the_month, the_statement

type MoveClock = Callable[[datetime], None]


@dataclass
class Side:
    """One artist and everybody who works with her, and what only they may see."""

    word: str
    revenue_micros: int
    artist: Artist
    label: Party
    label_roster: Roster
    publisher: Party
    management: Roster
    company: AICompany
    tool: Tool
    model: ModelVersion
    songs: list[Recording] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    rows: dict[str, Model] = field(default_factory=dict)
    keys: dict[str, CreatedKey] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def canaries(self) -> frozenset[str]:
        """What nobody of the other side may read anywhere, in lower case."""
        micros = self.revenue_micros
        return frozenset(
            text.lower()
            for text in (
                self.word,
                self.artist.party.name,
                self.label.name,
                self.management.name,
                *(song.isrc for song in self.songs),
                *(user.email for user in self.users.values()),
                *(user.name for user in self.users.values()),
                str(micros),
                f"{micros // 1_000_000:,}.{micros // 10_000 % 100:02d}",
                f"{micros // 1_000_000}.{micros // 10_000 % 100:02d}",
            )
        )


@dataclass
class World:
    """Both sides, everybody who asks, and one row of each kind for the address of every route."""

    maren: Side
    aoi: Side
    people: dict[Actor, User] = field(default_factory=dict)
    keys: dict[Actor, CreatedKey] = field(default_factory=dict)
    operators: dict[str, Model] = field(default_factory=dict)
    passkey: Authenticator | None = None


def build_world(move_clock: MoveClock) -> World:
    """Make both sides through the services; a month is closed, and a new one has begun.

    `move_clock` moves the demo's clock, which stands at the beginning of 2026.
    """
    world = World(
        maren=_begin(
            word="Vinterfugl",
            revenue_micros=7_331_170_000,
            artist=register_artist(by=None, name="Maren Holt", slug="the-artist"),
            label="Fjord Records",
            management="North Wind Management",
            company="tonewright",
            tool="tidesmith",
        ),
        aoi=_begin(
            word="Akatonbo",
            revenue_micros=8_446_290_000,
            artist=register_artist(by=None, name="田中葵", language="ja", slug="the-other"),
            label="Kestrel Music",
            management="Harbour Artists",
            company="oceanic",
            tool="undertow",
        ),
    )
    sides = (world.maren, world.aoi)
    _let_people_in(world)
    for side in sides:
        _earn(side)
    move_clock(datetime(2026, 2, 1, tzinfo=UTC))
    closed(1)
    move_clock(datetime(2026, 2, 3, tzinfo=UTC))
    for side in sides:
        _fill(side)
    _fill_operators_desk(world)
    _tell_everybody(world)
    return world


def _begin(
    *,
    word: str,
    revenue_micros: int,
    artist: Artist,
    label: str,
    management: str,
    company: str,
    tool: str,
) -> Side:
    party = register_party(by=None, kind=PartyKind.COMPANY, name=label)
    label_roster = create_roster(by=None, kind=RosterKind.LABEL, name=label, party=party)
    managed = create_roster(by=None, kind=RosterKind.MANAGEMENT, name=management)
    for roster in (label_roster, managed):
        add_artist_to_roster(by=None, roster=roster, artist=artist)
    made_by = register_company(by=None, slug=company, name=f"{company.title()} Audio")
    its_tool = register_tool(
        by=None, company=made_by, slug=tool, name=tool.title(), kind=ToolKind.COMPOSER
    )
    return Side(
        word=word,
        revenue_micros=revenue_micros,
        artist=artist,
        label=party,
        label_roster=label_roster,
        publisher=register_party(by=None, kind=PartyKind.COMPANY, name=f"{word} Publishing"),
        management=managed,
        company=made_by,
        tool=its_tool,
        model=register_model_version(by=None, tool=its_tool, name="v1"),
    )


def _let_people_in(world: World) -> None:
    maren, aoi = world.maren, world.aoi
    for side, artist, manager, staff, assistant in (
        (maren, "Maren Holt", "Pia Nygaard", "Liv Dahl", "Runa Eide"),
        (aoi, "Aoi Tanaka", "Otto Weiss", "Noor Haddad", "Kenji Mori"),
    ):
        side.users = {
            "artist": somebody(artist),
            "manager": somebody(manager),
            "assistant": somebody(assistant),
            "staff": somebody(staff, is_staff=True),
        }
        for who, on, role in (
            ("artist", {"artist": side.artist}, Role.ARTIST),
            ("manager", {"roster": side.management}, Role.MANAGER),
            ("assistant", {"artist": side.artist}, Role.ASSISTANT),
            ("staff", {"roster": side.label_roster}, Role.LABEL_STAFF),
        ):
            given: dict[str, Any] = on
            membership = grant_access(by=None, user=side.users[who], role=role, **given)
            side.rows[f"membership of {who}"] = membership
        client = create_api_client(by=None, company=side.company, name=f"{side.word} reporting")
        side.keys["all"] = create_api_key(by=None, client=client, scopes=ApiScope)

    ines, gone = somebody("Ines Prado"), somebody("Eskil Moe")
    for side in (maren, aoi):
        grant_access(by=None, user=ines, roster=side.management, role=Role.MANAGER)
    for on in ({"roster": maren.management}, {"artist": maren.artist}):
        given = on
        was = grant_access(by=None, user=gone, role=Role.MANAGER, **given)
        end_access(by=maren.users["artist"] if was.artist else None, membership=was)
    suspended = somebody("Sunniva Lie")
    grant_access(by=None, user=suspended, artist=maren.artist, role=Role.MANAGER)
    suspended.is_active = False
    suspended.save(update_fields=["is_active"])
    world.people = {
        Actor.SUSPENDED: suspended,
        Actor.CHARLIE: somebody("Charlie Voss"),
        Actor.ARTIST: maren.users["artist"],
        Actor.OTHER_ARTIST: aoi.users["artist"],
        Actor.MANAGER: maren.users["manager"],
        Actor.EX_MANAGER: gone,
        Actor.OTHER_MANAGER: aoi.users["manager"],
        Actor.MANAGER_OF_BOTH: ines,
        Actor.ASSISTANT: maren.users["assistant"],
        Actor.LABEL_STAFF: maren.users["staff"],
        Actor.OTHER_LABEL_STAFF: aoi.users["staff"],
        Actor.UNASSIGNED_STAFF: somebody("Birk Strand", is_staff=True),
        Actor.OPERATOR: User.objects.create_superuser(
            "olga@liner.example", PASSWORD, name="Olga Berg"
        ),
    }
    world.keys = {Actor.API_CLIENT: maren.keys["all"], Actor.OTHER_API_CLIENT: aoi.keys["all"]}


def _earn(side: Side) -> None:
    """January: everything is licensed and allowed, and a tool earns her one amount."""
    side.songs = some_recordings(
        2, side.artist, holder=side.label, publisher=side.publisher, title=f"{side.word} song"
    )
    for song in side.songs:
        song.sender = side.label
        song.save(update_fields=["sender"])
    uses = [UseKind.REMIX_INPUT, UseKind.DISCOVERY]
    for holder in (side.label, side.publisher):
        version = sign_licence(
            by=None,
            holder=holder,
            company=side.company,
            title=f"{side.word} agreement",
            uses=uses,
            terms=f"{side.word} terms",
            notice_days=30,
        )
        side.rows.setdefault("consent_licence", version.licence)
        set_rates(
            by=None,
            version=version,
            offers=[
                RateOffer(
                    UseKind.REMIX_INPUT,
                    "publishing" if holder is side.publisher else "master",
                    "share_of_revenue",
                    share_bp=10_000 if holder is side.publisher else 5_000,
                )
            ],
        )
    for use in uses:
        answer_permission(by=side.users["artist"], artist=side.artist, use=use, stance="allow")
    record_signed_splits(
        by=None,
        sheets=[SplitSheet(song, "publishing", {side.artist.party: 10_000}) for song in side.songs],
    )
    at = now()
    report_output(
        company=side.company,
        client_ref=f"{side.word}-output",
        model_version=side.model,
        use=UseKind.REMIX_INPUT,
        made_at=at,
        title=f"{side.word} remix",
        attributions=[Part(side.songs[0].isrc, "publishing", 10_000, "attrib-1")],
    )
    report_training_run(
        company=side.company,
        client_ref=f"{side.word}-run",
        model_version=side.model,
        use=UseKind.GENERATIVE_TRAINING,
        trained_at=at,
        isrcs=[side.songs[0].isrc],
    )
    record_usage(
        by=None,
        company=side.company,
        reports=[
            UsageReport(
                event_id=f"{side.word}-event",
                occurred_at=at,
                revenue_micros=side.revenue_micros,
                currency="EUR",
                output=f"{side.word}-output",
            )
        ],
    )


def _fill(side: Side) -> None:
    """February: answers, a withdrawal, questions, files, notices, and the label's own papers."""
    artist, her, staff = side.artist, side.users["artist"], side.users["staff"]
    first, second = side.songs
    answer_permission(by=her, artist=artist, use=UseKind.DISCOVERY, stance="deny")
    given = answer_permission(
        by=her, artist=artist, use=UseKind.STYLE, stance="deny", scope=Scope(recording=first)
    )
    make_claim(  # a third party that claims some of the same: a conflict
        by=None,
        party=side.publisher,
        right=Right.MASTER,
        authority=Authority.OWN,
        share_bp=4_000,
        recording=second,
    )
    asked = ask_permission(
        tool=side.tool, use=UseKind.STYLE, why=f"{side.word} question", artists=[artist]
    )
    own_licence = sign_licence(
        by=her,
        holder=artist.party,
        company=side.company,
        title=f"{side.word} of her own",
        uses=[UseKind.STYLE],
    )
    own_claim = make_claim(  # of a right that no decision reads
        by=None,
        party=artist.party,
        right=Right.PERFORMANCE,
        authority=Authority.OWN,
        recording=first,
    )
    split = propose_split(
        by=None, recording=second, right="publishing", shares={artist.party: 10_000}
    )
    export = request_export(by=her, artist=artist, params={})
    perform(Export, export.pk)
    export.refresh_from_db()
    side.texts["token"] = create_export_link(by=her, export=export)
    statement = the_statement(artist, 1)
    second.refresh_from_db()
    side.texts["profile"] = str(second.profile_id)
    at = now()
    client = side.keys["all"].key.client
    endpoint, _ = create_webhook(client=client.pk, url=f"https://hooks.example/{side.word}")
    side.texts["decision"] = _decided(side)
    withdrawal = Withdrawal.objects.get(artist=artist, company=side.company)
    claim = RightsClaim.objects.filter(recording=first, right=Right.MASTER).latest("id")
    side.rows |= {
        "act": Act.objects.get(ref=given.permission.entry.act),
        "bulk change": ask_for_many(
            by=Access.of(her),
            artist=artist,
            use=UseKind.REMIX_INPUT,
            stance="deny",
            recordings=[first.pk],
            digest="",
        ),
        "request": asked.requests[0],
        "own licence": own_licence.licence,
        "own claim": own_claim,
        "split": split,
        "export": export,
        "statement": statement,
        "webhook": endpoint,
        "webhook message": send_trial(client=client.pk, ref=endpoint.ref),
        "payout": request_payout(
            by=her, party=artist.party, currency="EUR", amount_minor=100, key=f"{side.word} payout"
        ),
        "portal_roster": side.label_roster,
        "portal_membership": side.rows["membership of staff"],
        "consent_artist": artist,
        "consent_recording": first,
        "consent_rightsclaim": claim,
        "consent_permission": given.permission,
        "consent_withdrawal": withdrawal,
        "consent_permissionrequest": asked.requests[0],
        "consent_aicompany": side.company,
        "consent_tool": side.tool,
        "portal_apiclient": client,
        "portal_apikey": side.keys["all"].key,
        "royalties_statement": statement,
        "consent_release": Release.objects.create(
            sender=side.label,
            key=f"{side.word} key",
            title=f"{side.word} album",
            message_created_at=at,
            updated_at=at,
        ),
        "consent_cataloguemessage": CatalogueMessage.objects.create(
            sender=side.label,
            message_id=f"{side.word} message",
            digest="0" * 64,
            version="4.3",
            created_at=at,
            read_at=at,
            report=[],
        ),
        "portal_staffact": record_staff_act(
            by=staff,
            action="licence.sign",
            thing=side.rows["consent_licence"],
            reason=f"{side.word} reason",
            label=side.label,
        ),
    }


def _decided(side: Side) -> str:
    """The token of a decision that the company of this side asked for."""
    question = {"isrc": side.songs[0].isrc, "use": "discovery", "tool": side.tool.slug}
    response = Client().post(
        reverse("api-decisions"),
        {"items": [question]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {side.keys['all'].secret}"},
    )
    return str(response.json()["items"][0]["decision"])


def _tell_everybody(world: World) -> None:
    """Write the notices that all of this makes, and send the e-mails."""
    while tell_news():
        pass
    for pk in Notice.objects.values_list("pk", flat=True):
        perform(Notice, pk)
    for side in (world.maren, world.aoi):
        side.rows["notice"] = Notice.objects.filter(recipient=side.users["artist"]).latest("pk")


def _fill_operators_desk(world: World) -> None:
    """What only the operator has: the ledger's papers, the month, and work that was given up."""
    seal_ledger()
    at = now()
    given_up = Export.objects.create(
        requested_by=world.maren.users["artist"],
        artist=world.maren.artist,
        kind="usage_csv",
        params={},
        state=WorkState.DEAD,
        attempts=9,
        last_error=f"{world.maren.word} could not be written",
        next_at=at,
        created_at=at,
    )
    sink, _ = CheckpointSink.objects.get_or_create(
        name="folder:/nowhere", defaults={"next_at": at, "created_at": at}
    )
    size = LedgerEntry.objects.count()
    world.operators = {
        "work": given_up,
        "consent_ledgeralarm": LedgerAlarm.objects.create(
            raised_at=at, problem="a test of the alarm", cleared_at=at, cleared_because="a test"
        ),
        "consent_ledgeraudit": LedgerAudit.objects.create(
            since=0, size=size, started_at=at, finished_at=at
        ),
        "consent_ledgercheckpoint": LedgerCheckpoint.objects.latest("size"),
        "consent_checkpointsink": sink,
        "consent_ledgerentry": LedgerEntry.objects.latest("pk"),
        "consent_wording": publish_wording(
            by=None, use=UseKind.VOICE, language="en", text="What a machine does with a voice."
        ),
        "royalties_period": the_month(1),
        "royalties_payout": Payout.objects.get(party=world.maren.artist.party),
    }
