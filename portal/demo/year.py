"""The demo's year: who answered what when, and what came of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction

from consent.clock import now
from consent.licence_terms import Terms
from consent.models import Withdrawal
from consent.scopes import Scope as About
from consent.services.claims import active_claims, change_claim
from consent.services.licences import end_licence, supersede_licence
from consent.services.permissions import revoke_permission
from consent.services.requests import ask_permission, take_back_request
from consent.services.tools import resume_tool, suspend_tool
from consent.services.withdrawals import acknowledge_withdrawal
from consent.services.wordings import publish_wording
from consent.services.work import perform
from consent.words import LENT_KINDS
from portal.demo import opening
from portal.demo.messages import deliver
from portal.demo.opening import A, D, G, N, R, S, V
from portal.demo.stage import Stage
from portal.models import Export, Membership
from portal.queries.api import withdrawals_for
from portal.roles import Role, Scope
from portal.services.answers import answer_question, undo
from portal.services.delegation import end_access, grant_access
from portal.services.exports import request_export
from portal.services.staff_acts import record_staff_act
from portal.services.webhooks import note_told
from royalties.services.payouts import request_payout
from royalties.services.posting import balances
from royalties.services.rates import set_rates
from royalties.services.splits import propose_split
from royalties.words import AccountKind

ANALYSIS_EN: Final = (
    "Your recordings teach a model that sorts, tags or recommends music, or that tells whether "
    "other music was made by AI. It makes none. What a model has learned cannot be unlearned."
)
ANALYSIS_DE: Final = (
    "Mit deinen Aufnahmen lernt ein Modell, das Musik ordnet, beschreibt oder empfiehlt, oder "
    "erkennt, ob andere Musik von KI gemacht ist. Es macht keine. Was ein Modell gelernt hat, "
    "kann es nicht verlernen."
)

type Happening = Callable[[Stage], object]


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens at one moment of the story (UTC)."""

    at: datetime
    what: Happening


def scenes(stage: Stage) -> Iterator[Scene]:
    """Everything that people do, in no order."""
    day, ago = stage.calendar.day, stage.calendar.ago
    yield Scene(day(0, 1, 8), opening.people_arrive)
    yield Scene(day(0, 1, 8, 30), opening.artists_arrive)
    yield Scene(day(0, 1, 9), opening.catalogue_comes_in)
    yield Scene(day(0, 1, 11), opening.access_is_given)
    yield Scene(day(0, 2, 9), opening.machines_arrive)
    yield Scene(day(0, 2, 12), opening.licences_are_signed)
    yield Scene(day(0, 2, 14), _first_splits)
    yield Scene(day(0, 2, 16), opening.standard_licences_are_offered)
    yield from (Scene(day(*when, 18), what) for when, what in _answers())
    yield Scene(day(1, 20, 9), _maren_entrusts_her_voice)
    yield Scene(day(2, 10, 9), _larksong_asks_lucie)
    yield Scene(day(2, 12, 20), _lucie_lends_her_voice)
    yield Scene(day(3, 1, 9), _charlie_helps_maren)
    yield Scene(day(4, 3, 9), _stemlight_asks_klio)
    yield Scene(day(4, 8, 19), _klio_says_no)
    yield Scene(day(4, 10, 7), _new_models)
    yield Scene(day(5, 2, 9), _tidesmith_asks_the_vik_family)
    yield Scene(day(5, 4, 21), _the_vik_family_wants_time)
    yield Scene(day(5, 8, 11), _ines_answers_for_an_album)
    yield Scene(day(5, 9, 8), _and_undoes_it)
    yield Scene(day(5, 10, 9), _this_years_releases)
    yield Scene(day(6, 1, 9), _draftbook_asks_layla)
    yield Scene(day(6, 1, 12), _charlie_leaves)
    yield Scene(day(6, 6, 10), _somebody_answers_for_tarik)
    yield Scene(day(6, 8, 15), _staff_revoke_it)
    yield Scene(day(6, 15, 12), _fjord_signs_again)
    yield Scene(day(6, 20, 9), _draftbook_takes_it_back)
    yield Scene(day(7, 14, 18), _maren_keeps_an_album)
    yield Scene(day(7, 20, 12), _tarik_signs_his_splits)
    yield Scene(day(8, 1, 9), _kanal_ends_a_licence)
    for when in ((2, 9), (4, 14), (5, 12), (7, 16)):
        yield Scene(day(*when, 9), _makers_confirm)
    yield Scene(day(8, 3, 18), _daryna_withdraws)
    yield Scene(day(8, 4, 4), _makers_read)
    yield Scene(day(8, 6, 9), _meridian_confirms)
    yield Scene(day(8, 11, 9), _kanal_claims_less)
    yield Scene(day(9, 12, 7), _newer_models)
    yield Scene(day(9, 20, 9), _a_text_changes)
    yield Scene(day(9, 25, 18), _tarik_reads_it)
    yield Scene(day(10, 3, 9), _sonar_garden_is_stopped)
    yield Scene(day(10, 5, 16), _and_goes_on)
    yield Scene(day(10, 12, 9), _two_labels_claim_one_recording)
    yield Scene(ago(45, 12), _maren_shares_a_song)
    yield Scene(ago(40, 18), _tomas_answers)
    yield Scene(ago(12, 18), _the_low_tides_withdraw)
    yield Scene(ago(10, 18), _maren_takes_her_voice_back)
    yield Scene(ago(11, 4), _makers_read)
    yield Scene(ago(9, 4), _makers_read)
    yield Scene(ago(6, 9), _larksong_asks_pia)
    yield Scene(ago(5, 9), _larksong_confirms)
    yield Scene(ago(4, 9), _draftbook_asks_maren)
    yield Scene(ago(3, 19), _vik_family_decides)
    yield Scene(ago(2, 20), _files_are_asked_for)
    yield Scene(ago(1, 12), _maren_wants_to_be_paid)


# Month, day, who answers, for whom, on what, how.
_FIRST_ANSWERS: Final[tuple[tuple[int, int, str, str, str, str], ...]] = (
    (0, 3, "maren", "maren", D, "allow"),
    (0, 3, "maren", "maren", A, "allow"),
    (0, 4, "aoi", "aoi", D, "allow"),
    (0, 4, "aoi", "aoi", R, "allow"),
    (0, 4, "aoi", "aoi", G, "deny"),
    (0, 4, "aoi", "aoi", V, "deny"),
    (0, 5, "ines", "maren", G, "allow"),
    (0, 5, "tarik", "tarik", D, "allow"),
    (0, 5, "tarik", "tarik", G, "allow"),
    (0, 5, "tarik", "tarik", A, "allow"),
    (0, 5, "tarik", "tarik", R, "allow"),
    (0, 5, "tarik", "tarik", S, "deny"),
    (0, 5, "tarik", "tarik", V, "ask"),
    (0, 6, "sol", "tides", D, "allow"),
    (0, 6, "sol", "tides", S, "deny"),
    (0, 6, "sol", "tides", N, "ask"),
    (0, 7, "klio", "klio", D, "allow"),
    (0, 7, "klio", "klio", A, "allow"),
    (0, 7, "klio", "klio", G, "ask"),
    (0, 8, "ines", "aoi", A, "ask"),
    (0, 8, "ida", "havstov", G, "allow"),
    (0, 8, "ida", "havstov", A, "allow"),
    (0, 8, "ida", "havstov", R, "allow"),
    (0, 8, "ida", "havstov", D, "allow"),
    (0, 9, "layla", "layla", D, "allow"),
    (0, 9, "layla", "layla", R, "allow"),
    (0, 9, "layla", "layla", G, "deny"),
    (0, 9, "layla", "layla", S, "ask"),
    (0, 10, "lucie", "lucie", D, "allow"),
    (0, 10, "lucie", "lucie", R, "allow"),
    (0, 10, "lucie", "lucie", S, "allow"),
    (0, 10, "lucie", "lucie", G, "deny"),
    (0, 10, "lucie", "lucie", N, "ask"),
    (0, 11, "daryna", "daryna", D, "allow"),
    (0, 11, "daryna", "daryna", A, "allow"),
    (0, 12, "maren", "maren", R, "allow"),
    (0, 13, "astrid", "einar", D, "allow"),
    (0, 13, "astrid", "einar", A, "allow"),
    (0, 13, "astrid", "einar", G, "ask"),
    (0, 14, "kari", "pia", D, "allow"),
    (0, 14, "kari", "pia", G, "deny"),
    (0, 15, "vera", "vera", D, "deny"),
    (0, 15, "vera", "vera", A, "deny"),
    (0, 15, "vera", "vera", G, "deny"),
    (0, 15, "vera", "vera", R, "ask"),
    (0, 15, "vera", "vera", V, "deny"),
    (0, 20, "sol", "tides", G, "allow"),
    (1, 1, "sol", "tides", A, "allow"),
    (1, 2, "aoi", "aoi", S, "allow"),
    (1, 9, "maren", "maren", N, "allow"),
    (2, 2, "sol", "tides", R, "allow"),
    (2, 3, "sol", "sol", D, "allow"),
    (2, 3, "sol", "sol", V, "deny"),
    (4, 4, "bo", "tides", N, "deny"),
)


def _give(stage: Stage, answer: Sequence[str]) -> None:
    _person, _artist, use, stance = answer
    lent = use in LENT_KINDS and stance == "allow"
    stage.answer(*answer, for_days=900 if lent else None)


def _answers() -> Iterator[tuple[tuple[int, int], Happening]]:
    for month, day, *answer in _FIRST_ANSWERS:
        yield (month, day), partial(_give, answer=answer)
    yield (
        (2, 6),
        lambda stage: [
            stage.answer("maren", "maren", G, "deny", about=About(recording=stage.song(title)))
            for title in ("Unsent", "Room for the Dog")
        ],
    )
    yield (
        (2, 7),
        lambda stage: stage.answer(
            "maren", "maren", D, "ask", about=About(recording=stage.song("Telephone Summer"))
        ),
    )
    yield (
        (3, 4),
        lambda stage: stage.answer("maren", "maren", V, "allow", for_days=200, notice_days=30),
    )
    yield (
        (3, 6),
        lambda stage: stage.answer("daryna", "daryna", G, "allow", territories=["UA", "PL", "NO"]),
    )
    yield (
        (4, 12),
        lambda stage: stage.answer(
            "klio",
            "klio",
            D,
            "deny",
            about=About(tool=stage.tools["night-ferry"], recording=stage.song("Δύο λεμόνια")),
        ),
    )


# --- Splits --------------------------------------------------------------------------------


def _first_splits(stage: Stage) -> None:
    newest = stage.calendar.day(5, 10).year
    opening.splits_are_signed(
        stage,
        [a for a in stage.albums if a.year != newest and a.title != "Kanal Boyu"],
    )


def _this_years_releases(stage: Stage) -> None:
    opening.new_releases_come_in(stage)
    newest = stage.calendar.day(5, 10).year
    opening.splits_are_signed(stage, [a for a in stage.albums if a.year == newest])


def _tarik_signs_his_splits(stage: Stage) -> None:
    """What was held until now, for want of a split, is paid with the next statement."""
    opening.splits_are_signed(stage, [a for a in stage.albums if a.title == "Kanal Boyu"])


def _maren_shares_a_song(stage: Stage) -> None:
    """A new split that Aoi has not accepted yet: what the song earns from now on waits."""
    parties = stage.parties
    propose_split(
        by=stage.people["maren"],
        recording=stage.song("Northern Line"),
        right="master",
        shares={parties["maren"]: 3_500, parties["aoi"]: 1_500, parties["fjord"]: 5_000},
        answering_for=parties["maren"],
    )
    propose_split(
        by=stage.people["maren"],
        recording=stage.song("Northern Line"),
        right="publishing",
        shares={parties["maren"]: 6_000, parties["aoi"]: 4_000},
        answering_for=parties["maren"],
    )


# --- People with access ----------------------------------------------------------------------


def _maren_entrusts_her_voice(stage: Stage) -> None:
    grant_access(
        by=stage.people["maren"],
        user=stage.people["ines"],
        artist=stage.artists["maren"],
        role=Role.MANAGER,
        scopes=[Scope.ANSWER_VOICE],
        until=stage.calendar.latest + timedelta(days=400),
    )


def _charlie_helps_maren(stage: Stage) -> None:
    grant_access(
        by=stage.people["maren"],
        user=stage.people["charlie"],
        artist=stage.artists["maren"],
        role=Role.ASSISTANT,
    )


def _charlie_leaves(stage: Stage) -> None:
    membership = Membership.objects.get(user=stage.people["charlie"], ended_at=None)
    end_access(by=stage.people["maren"], membership=membership)


# --- Questions -------------------------------------------------------------------------------


def _ask(
    stage: Stage,
    name: str,
    tool: str,
    use: str,
    why: str,
    act: str = "",
    isrc: str = "",
    days: int | None = None,
) -> None:
    asked = ask_permission(
        tool=stage.tools[tool],
        use=use,
        why=why,
        artists=[stage.artists[act]] if act else [],
        isrc=isrc,
        valid_until=None if days is None else now() + timedelta(days=days),
    )
    stage.questions[name] = asked.requests[0]


def _reply(stage: Stage, name: str, person: str, stance: str) -> None:
    answer_question(by=stage.access(person), request=stage.questions[name], stance=stance)


def _larksong_asks_lucie(stage: Stage) -> None:
    _ask(
        stage,
        "lucie",
        "larksong",
        V,
        "We would like to offer your singing voice to theatres that cannot afford a singer for "
        "every evening. Each text is read by a person before it is sung.",
        act="lucie",
        days=700,
    )


def _lucie_lends_her_voice(stage: Stage) -> None:
    _reply(stage, "lucie", "lucie", "allow")


def _stemlight_asks_klio(stage: Stage) -> None:
    _ask(
        stage,
        "klio",
        "stemlight",
        R,
        "For a remix contest in Thessaloniki: three weeks, your stems, and a prize from us.",
        isrc=stage.song("Μικρό λιμάνι").isrc,
    )


def _klio_says_no(stage: Stage) -> None:
    _reply(stage, "klio", "klio", "deny")


def _tidesmith_asks_the_vik_family(stage: Stage) -> None:
    _ask(
        stage,
        "einar",
        "tidesmith",
        G,
        "Piano jazz of the sixties is what our users ask for most, and we have hardly any.",
        act="einar",
    )


def _the_vik_family_wants_time(stage: Stage) -> None:
    _reply(stage, "einar", "leif", "undecided")


def _vik_family_decides(stage: Stage) -> None:
    """Each of the two heirs may answer; the latest answer holds, and the other one is told."""
    stage.answer("leif", "einar", G, "deny")


def _draftbook_asks_layla(stage: Stage) -> None:
    _ask(
        stage,
        "layla",
        "draftbook",
        S,
        "Songwriters in Cairo and Paris ask for lines in your manner. Your name would be shown.",
        act="layla",
    )


def _draftbook_takes_it_back(stage: Stage) -> None:
    take_back_request(company=stage.makers["papierboot"], batch=stage.questions["layla"].batch)


def _larksong_asks_pia(stage: Stage) -> None:
    _ask(
        stage,
        "pia",
        "larksong",
        V,
        "An audio book for young listeners, read in Pia's voice. Eight hours, one title only.",
        act="pia",
        days=365,
    )


def _draftbook_asks_maren(stage: Stage) -> None:
    _ask(
        stage,
        "maren",
        "draftbook",
        S,
        "We would like people to be able to ask for a second verse “like Maren Holt”. Every such "
        "line is shown with your name, and paid by the line.",
        act="maren",
        days=365,
    )


# --- Many at once, and undone ----------------------------------------------------------------


def _ines_answers_for_an_album(stage: Stage) -> None:
    act = stage.answer_album("ines", "maren", R, "deny", ["Kind of Quiet"])
    assert act is not None
    stage.acts["album"] = act


def _and_undoes_it(stage: Stage) -> None:
    undo(by=stage.access("ines"), artist=stage.artists["maren"], act=stage.acts["album"])


def _maren_keeps_an_album(stage: Stage) -> None:
    stage.answer_album("maren", "maren", G, "deny", ["Havn"])


# --- Staff -----------------------------------------------------------------------------------


def _somebody_answers_for_tarik(stage: Stage) -> None:
    stage.acts["tarik"] = stage.answer("tarik", "tarik", N, "allow", for_days=700).permission.act


def _staff_revoke_it(stage: Stage) -> None:
    reason = "You told us that somebody else had your telephone when this was answered."
    given = stage.acts["tarik"].permissions.get()
    with transaction.atomic():
        revoked = revoke_permission(by=stage.by, permission=given, reason=reason)
        record_staff_act(by=stage.by, action="permission.revoke", thing=revoked, reason=reason)


def _a_text_changes(stage: Stage) -> None:
    """Who said yes to the old text is asked again; the old answer stays with the old text."""
    publish_wording(by=stage.by, use=A, language="en", text=ANALYSIS_EN)
    publish_wording(by=stage.by, use=A, language="de", text=ANALYSIS_DE)


def _tarik_reads_it(stage: Stage) -> None:
    stage.answer("tarik", "tarik", A, "allow")


def _sonar_garden_is_stopped(stage: Stage) -> None:
    tool = stage.tools["sonar-garden"]
    reason = "Its reports of last month name a model version that was never registered."
    with transaction.atomic():
        suspend_tool(by=stage.by, tool=tool)
        record_staff_act(by=stage.by, action="tool.suspend", thing=tool, reason=reason)


def _and_goes_on(stage: Stage) -> None:
    tool = stage.tools["sonar-garden"]
    with transaction.atomic():
        resume_tool(by=stage.by, tool=tool)
        record_staff_act(
            by=stage.by, action="tool.resume", thing=tool, reason="The reports are put right."
        )


# --- Licences and claims ---------------------------------------------------------------------


@transaction.atomic
def _fjord_signs_again(stage: Stage) -> None:
    """Half of the revenue instead of two fifths, from now on."""
    before = stage.licences["Fjord and Tonewright"]
    version = supersede_licence(
        by=stage.people["liv"],
        licence=before.licence,
        terms=Terms(uses=before.uses, notice_days=30, text=before.terms),
    )
    set_rates(by=stage.people["liv"], version=version, offers=[opening.share(G, "master", 5_000)])
    record_staff_act(
        by=stage.people["liv"],
        action="licence.version",
        thing=version.licence,
        label=stage.parties["fjord"],
        reason="Negotiated anew after half a year, as agreed.",
    )


def _kanal_ends_a_licence(stage: Stage) -> None:
    noor, licence = stage.people["noor"], stage.licences["Kanal und Papierboot"].licence
    with transaction.atomic():
        end_licence(by=noor, licence=licence)
        record_staff_act(
            by=noor,
            action="licence.end",
            thing=licence,
            label=stage.parties["kanal"],
            reason="Nothing was reported under it for eight months.",
        )


def _kanal_claims_less(stage: Stage) -> None:
    """Half of a recording turns out to be somebody's who is not known yet."""
    [claim] = active_claims(recordings=[stage.song("Ξένο κλειδί").pk])
    noor = stage.people["noor"]
    with transaction.atomic():
        changed = change_claim(by=noor, claim=claim.claim, share_bp=5_000)
        record_staff_act(
            by=noor,
            action="claim.change",
            thing=changed,
            key=str(changed.claim),
            about=f"Kanal Musik, half of {stage.song('Ξένο κλειδί')}",
            label=stage.parties["kanal"],
            reason="The contract with the studio turned up: half of the recording is theirs.",
        )


def _two_labels_claim_one_recording(stage: Stage) -> None:
    """Aoi delivers a recording that Fjord delivered before: both claim all of it."""
    [single] = [a for a in stage.albums if a.title == "Northern Line"]
    deliver(
        by=None,
        sender=opening.sender_of(stage, "aoi"),
        albums=[single],
        at=now(),
        only="Northern Line (Piano)",
    )


# --- Models ----------------------------------------------------------------------------------


def _new_models(stage: Stage) -> None:
    opening.new_model(stage, "tidesmith", "2.0")
    opening.new_model(stage, "night-ferry", "1.4")
    opening.new_model(stage, "larksong", "2.0")


def _newer_models(stage: Stage) -> None:
    opening.new_model(stage, "tidesmith", "3.0")
    opening.new_model(stage, "stemlight", "2.0")
    opening.new_model(stage, "sonar-garden", "2.0")


# --- Taking a yes back -----------------------------------------------------------------------


def _tomas_answers(stage: Stage) -> None:
    stage.answer("tomas", "tomas", D, "allow")
    stage.answer("tomas", "tomas", G, "deny")


def _daryna_withdraws(stage: Stage) -> None:
    stage.answer("daryna", "daryna", A, "deny")


def _the_low_tides_withdraw(stage: Stage) -> None:
    """Tonewright is told, and does not confirm in time."""
    stage.answer("sol", "tides", G, "deny")


def _maren_takes_her_voice_back(stage: Stage) -> None:
    """Outputs run off for the thirty days that she chose when she lent it."""
    stage.answer("maren", "maren", V, "deny")


def _confirm(stage: Stage, maker: str, act: str) -> None:
    for row in Withdrawal.objects.filter(
        company=stage.makers[maker].pk, artist=stage.artists[act].pk, acknowledged_at=None
    ):
        acknowledge_withdrawal(by=None, company=stage.makers[maker], ref=str(row.ref))


def _makers_read(stage: Stage) -> None:
    """Clients ask every day what must stop, and so learn of it."""
    for maker in stage.makers.values():
        note_told(withdrawals_for(maker, open_only=True))


def _makers_confirm(stage: Stage) -> None:
    """Within two days of a no to a recording or two, everybody has confirmed."""
    _makers_read(stage)
    for maker in stage.makers.values():
        for row in withdrawals_for(maker, open_only=True):
            acknowledge_withdrawal(by=None, company=maker, ref=str(row.ref))


def _meridian_confirms(stage: Stage) -> None:
    _confirm(stage, "meridian", "daryna")


def _larksong_confirms(stage: Stage) -> None:
    _confirm(stage, "larksong", "maren")


def _maren_wants_to_be_paid(stage: Stage) -> None:
    """Whole hundreds of euros of her balance; the rest stays in it."""
    maren = stage.parties["maren"]
    balance = balances(kind=AccountKind.PAYABLE, parties=[maren.pk]).get((maren.pk, "EUR"), 0)
    hundreds = balance // (100 * opening.EURO)
    if hundreds:
        request_payout(
            by=stage.people["maren"],
            party=maren,
            currency="EUR",
            amount_minor=hundreds * 10_000,
            key="first payout",
        )


# --- Files -----------------------------------------------------------------------------------


def _files_are_asked_for(stage: Stage) -> None:
    for person, act in (("maren", "maren"), ("ines", "aoi")):
        export = request_export(by=stage.people[person], artist=stage.artists[act])
        perform(Export, export.pk)
