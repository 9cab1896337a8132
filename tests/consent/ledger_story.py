"""A ledger with every kind of fact in it, told through the services that the product uses.

Maren Holt is on Fjord Records, Aoi Tanaka (田中葵) holds her own rights, The Low Tides are a band
of two. Tonewright's tools ask, are licensed, and train. Ines answers for Maren; Olga is staff.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from consent.clock import now
from consent.models import (
    AICompany,
    Artist,
    LicenceVersion,
    ModelVersion,
    Party,
    Recording,
    Tool,
    Wording,
)
from consent.scopes import Scope
from consent.services.claims import (
    change_claim,
    dispute_claim,
    end_claim,
    make_blanket_claim,
    make_claim,
    verify_claim,
)
from consent.services.licences import end_licence, sign_licence
from consent.services.parties import change_party_state, register_artist, register_party
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    answer_request,
    clear_permission,
    revoke_permission,
    undo_act,
)
from consent.services.provenance import report_training_run
from consent.services.recordings import NewRecording, change_identity, register_recordings
from consent.services.requests import ask_permission
from consent.services.tools import (
    register_company,
    register_model_version,
    register_tool,
    resume_tool,
    retire_model_version,
    suspend_tool,
)
from consent.services.wordings import publish_wording
from consent.services.works import link_works, register_work
from consent.words import Authority, PartyKind, Right, ToolKind, UseKind
from portal.models import User
from portal.services.people import create_user

CANARY = "Solveig Marie Holtedahl"  # Maren's legal name: nobody's business

_isrcs = count(1)


@dataclass
class Story:
    maren: Artist
    aoi: Artist
    tides: Artist
    fjord: Party
    tonewright: AICompany
    tidesmith: Tool
    model: ModelVersion
    hers: list[Recording]
    aois: list[Recording]
    licence: LicenceVersion
    wording: Wording
    ines: User
    olga: User


def recordings_of(artist: Artist, how_many: int = 1) -> list[Recording]:
    return register_recordings(
        by=None,
        artist=artist,
        recordings=[
            NewRecording(isrc=f"NOLN224{next(_isrcs):05d}", title=f"Havn {n}")
            for n in range(how_many)
        ],
    )


def tell_story() -> Story:
    """Every kind of leaf and of fact, at least once."""
    ines = create_user(email="ines@liner.example", name="Ines")
    olga = create_user(email="olga@liner.example", name="Olga", is_staff=True)
    wording = publish_wording(
        by=olga, use="voice", language="en", text="May this company clone your voice?"
    )
    maren = register_artist(by=ines, name=CANARY, language="no")
    aoi = register_artist(by=None, name="田中葵", language="ja", names=[("Aoi Tanaka", "en")])
    tides = register_artist(
        by=None, name="The Low Tides", kind=PartyKind.GROUP, members=[maren.party, aoi.party]
    )
    fjord = register_party(by=olga, kind=PartyKind.COMPANY, name="Fjord Records")
    society = register_party(by=None, kind=PartyKind.SOCIETY, name="TONO")
    tonewright = register_company(by=None, slug="tonewright", name="Tonewright")
    tidesmith = register_tool(
        by=None,
        company=tonewright,
        slug="tidesmith",
        name="Tidesmith",
        kind=ToolKind.COMPOSER,
    )
    other = register_tool(
        by=None, company=tonewright, slug="kelp", name="Kelp", kind=ToolKind.VOICE
    )
    model = register_model_version(by=None, tool=tidesmith, name="v1")
    old = register_model_version(by=None, tool=other, name="v0")

    hers = recordings_of(maren, 5)
    aois = recordings_of(aoi, 3)
    recordings_of(tides, 2)
    link_works(by=None, recordings=[hers[0]], works=[register_work(title="Havn")])
    change_identity(by=olga, recording=hers[4], featured=[aoi])
    change_identity(by=olga, recording=aois[2], withdrawn=True)
    claim = make_claim(
        by=olga, party=fjord, right=Right.MASTER, authority=Authority.CONTRACT, recording=hers[0]
    )
    verify_claim(by=olga, claim=claim.claim)
    change_claim(by=olga, claim=claim.claim, share_bp=5_000, territories=["NO", "SE"])
    dispute_claim(by=olga, claim=claim.claim, reason=f"{CANARY} says it ended in 2019")
    end_claim(by=olga, claim=claim.claim)
    make_blanket_claim(by=None, society=society, artists=[maren, aoi])
    licence = sign_licence(
        by=olga,
        holder=maren.party,
        company=tonewright,
        title="Frame agreement",
        uses=[UseKind.GENERATIVE_TRAINING, UseKind.VOICE],
        catalogue="list",
        recordings=hers[:3],
        model_versions=[model],
        ends_at=now() + timedelta(days=365),
        notice_days=30,
        terms="As agreed in Bergen.",
    )
    ended = sign_licence(
        by=None,
        holder=aoi.party,
        company=tonewright,
        title="Old agreement",
        uses=[UseKind.DISCOVERY],
        artist_approval=False,
        override_clause="§ 7.2",
    )
    end_licence(by=None, licence=ended.licence)
    suspend_tool(by=olga, tool=other)
    resume_tool(by=olga, tool=other)
    retire_model_version(by=None, model_version=old)
    change_party_state(by=olga, party=fjord, suspended=True)

    answer_permission(by=ines, artist=maren, use="generative_training", stance="allow")
    answer_permission(
        by=ines,
        artist=maren,
        use="generative_training",
        stance="deny",
        scope=Scope(recording=hers[1], tool=tidesmith),
        territories=["DE"],
    )
    answer_permission(
        by=ines,
        artist=maren,
        use="voice",
        stance="allow",
        valid_until=now() + timedelta(days=300),
        notice_days=10,
    )
    answer_permission(by=ines, artist=maren, use="voice", stance="deny")  # withdrawn
    bulk = answer_recordings(
        by=ines, artist=maren, use="remix_input", stance="ask", recordings=[r.pk for r in hers]
    )
    assert bulk is not None
    undo_act(by=ines, act=bulk)
    narrow = Scope(company=tonewright)
    answer_permission(by=None, artist=aoi, use="style", stance="deny", scope=narrow)
    clear_permission(by=None, artist=aoi, use="style", scope=narrow)
    given = answer_permission(by=None, artist=aoi, use="discovery", stance="allow")
    revoke_permission(by=olga, permission=given.permission, reason="She called: it was not she.")
    asked = ask_permission(
        tool=tidesmith, use="discovery", why="For a playlist of the fjords.", artists=[aoi]
    )
    answer_request(by=None, request=asked.requests[0], stance="allow")
    report_training_run(
        company=tonewright,
        client_ref="run 1",
        model_version=model,
        use="generative_training",
        trained_at=now(),
        isrcs=[hers[0].isrc, hers[1].isrc, aois[0].isrc, "NOZZZ2499999", "no isrc"],
    )
    return Story(
        maren=maren,
        aoi=aoi,
        tides=tides,
        fjord=fjord,
        tonewright=tonewright,
        tidesmith=tidesmith,
        model=model,
        hers=hers,
        aois=aois,
        licence=licence,
        wording=wording,
        ines=ines,
        olga=olga,
    )


def answers(story: Story, how_many: int, *, seed: int = 0) -> None:
    """Further answers of Maren's and Aoi's, each in an act of its own."""
    dice = random.Random(seed)
    for _ in range(how_many):
        artist, work = dice.choice([(story.maren, story.hers), (story.aoi, story.aois)])
        answer_permission(
            by=story.ines if artist == story.maren else None,
            artist=artist,
            use=dice.choice(["generative_training", "remix_input", "discovery"]),
            stance=dice.choice(["allow", "deny", "ask"]),
            scope=Scope(
                recording=dice.choice([None, *work[:2]]), tool=dice.choice([None, story.tidesmith])
            ),
            territories=dice.choice([(), ("NO",), ("DE", "SE")]),
        )
