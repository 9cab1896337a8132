"""Answers, from the service to what really holds: nothing here is decided without the database."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from consent.clock import now
from consent.errors import Frozen, Refused
from consent.models import (
    Act,
    AICompany,
    Artist,
    LedgerAlarm,
    LedgerEntry,
    Party,
    Permission,
    PermissionRequest,
    Recording,
    RequestState,
    Tool,
    Withdrawal,
)
from consent.queries.decision import Ask, decide_many, decide_one
from consent.queries.effective import explain, uses_of
from consent.scopes import EVERYTHING, Scope
from consent.services.parties import change_party_state
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    answer_request,
    clear_permission,
    revoke_permission,
    undo_act,
)
from consent.services.tools import (
    register_tool,
    resume_company,
    resume_tool,
    suspend_company,
    suspend_tool,
)
from consent.services.wordings import publish_wording
from portal.models import User
from tests.consent.build import (
    a_company,
    a_label,
    a_licence,
    a_model,
    a_tool,
    an_artist,
    in_days,
    licensed_songs,
    some_recordings,
)
from tests.consent.prepared import prepared_runs_of

pytestmark = pytest.mark.django_db

TRAIN = "generative_training"


@dataclass
class World:
    maren: Artist
    fjord: Party
    publisher: Party
    company: AICompany
    tool: Tool
    songs: list[Recording]

    def allowed(self, use: str = TRAIN, song: int = 0, territory: str | None = None) -> bool:
        ask = Ask(self.songs[song].isrc, use, self.tool.slug, territory)
        return decide_one(ask).allowed

    def says(self, stance: str, use: str = TRAIN, **more: object) -> Permission:
        given = answer_permission(by=None, artist=self.maren, use=use, stance=stance, **more)  # type: ignore[arg-type]
        return given.permission


@pytest.fixture
def world() -> World:
    maren, company = an_artist(), a_company("tonewright")
    tool = a_tool(company, "composer")
    fjord, publisher, songs = licensed_songs(maren, company)
    a_licence(fjord, company, "voice")
    return World(maren, fjord, publisher, company, tool, songs)


def test_a_yes_takes_effect_at_once_and_a_no_takes_it_back_at_once(world: World) -> None:
    assert not world.allowed()
    world.says("allow")
    assert world.allowed()
    world.says("deny")
    assert not world.allowed()


def test_the_same_answer_twice_is_one_answer(world: World) -> None:
    world.says("allow")
    before = LedgerEntry.objects.count()
    again = answer_permission(by=None, artist=world.maren, use=TRAIN, stance="allow")
    assert not again.changed
    assert LedgerEntry.objects.count() == before


def test_both_calls_of_an_answer_are_prepared(world: World) -> None:
    calls = ("permission_turn", "permission_append")
    before = [prepared_runs_of(call) for call in calls]
    world.says("allow")
    world.says("ask")
    assert [prepared_runs_of(call) for call in calls] == [runs + 2 for runs in before]


def test_an_answer_and_its_leaf_say_the_same(world: World) -> None:
    until = in_days(40)
    given = world.says("allow", valid_until=until, scope=Scope(tool=world.tool), notice_days=7)
    leaf = LedgerEntry.objects.get(pk=given.entry_id)
    body = json.loads(leaf.body)
    assert leaf.kind == "permission.answered"
    assert leaf.act == given.act_id
    assert body["artist"] == str(world.maren.party.ref)
    assert body["tool"] == str(world.tool.ref)
    assert (body["use"], body["stance"], body["notice_days"]) == (TRAIN, "allow", 7)
    assert body["until"] == until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_if_the_ledger_refuses_nothing_has_changed(world: World) -> None:
    world.says("deny")
    before = Permission.objects.count()

    def fail_after_the_answer() -> None:
        with transaction.atomic():
            world.says("allow")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_the_answer()
    assert Permission.objects.count() == before
    assert not world.allowed()


def test_a_narrower_answer_wins_and_can_be_taken_back(world: World) -> None:
    world.says("allow")
    song = Scope(recording=world.songs[1])
    world.says("deny", scope=song)
    assert [world.allowed(song=i) for i in range(3)] == [True, False, True]
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=song)
    assert world.allowed(song=1)
    assert clear_permission(by=None, artist=world.maren, use=TRAIN, scope=song) is None


def test_all_my_work_has_nothing_wider_that_could_speak(world: World) -> None:
    with pytest.raises(Refused, match="nothing_wider"):
        clear_permission(by=None, artist=world.maren, use=TRAIN, scope=EVERYTHING)


def test_a_no_for_germany_stands_beside_a_yes_for_the_world(world: World) -> None:
    world.says("allow")
    world.says("deny", territories=["de"])
    assert world.allowed(territory="NO")
    assert not world.allowed(territory="DE")
    assert not world.allowed()


def test_an_answer_for_later_waits_for_its_day(world: World) -> None:
    world.says("allow")
    tomorrow = in_days(1)
    world.says("deny", valid_from=tomorrow)
    ask = Ask(world.songs[0].isrc, TRAIN, world.tool.slug)
    today = decide_one(ask)
    assert today.allowed
    assert today.valid_until == tomorrow
    assert not decide_one(
        Ask(ask.isrc, TRAIN, ask.tool, at=tomorrow + timedelta(seconds=1))
    ).allowed


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_from": -1}, "from_in_past"),
        ({"valid_from": 3, "valid_until": 2}, "until_before_from"),
        ({"valid_until": -1}, "until_before_from"),
        ({"territories": ["Norway"]}, "unknown_territory"),
        ({"territories": ["UK"]}, "unknown_territory"),
        ({"use": "telepathy"}, "unknown_use"),
        ({"stance": "maybe"}, "unknown_stance"),
    ],
)
def test_a_wrong_answer_is_refused_and_nothing_written(
    world: World, more: dict[str, object], code: str
) -> None:
    before = LedgerEntry.objects.count(), Permission.objects.count(), Act.objects.count()
    wrong = {k: in_days(v) if isinstance(v, int) else v for k, v in more.items()}
    with pytest.raises(Refused) as refusal:
        world.says(**{"stance": "allow", **wrong})  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert before == (
        LedgerEntry.objects.count(),
        Permission.objects.count(),
        Act.objects.count(),
    )


def test_what_only_the_database_refuses_is_said_in_the_constraints_own_words(world: World) -> None:
    before = Act.objects.count()
    both = Scope(company=world.company, tool=world.tool)
    with pytest.raises(Refused) as refusal:
        world.says("deny", scope=both)
    assert refusal.value.code == "scope"
    assert refusal.value.sentence == "Choose one company or one tool, not both."
    assert Act.objects.count() == before


def test_a_voice_ends_on_a_day_at_most_ten_years_away(world: World) -> None:
    for until, code in ((None, "voice_needs_end"), (in_days(3660), "voice_too_long")):
        with pytest.raises(Refused) as refusal:
            world.says("allow", use="voice", valid_until=until)
        assert refusal.value.code == code
    world.says("allow", use="voice", valid_until=in_days(3640))
    assert world.allowed("voice")


def test_only_the_guardian_lends_a_minors_voice_and_for_five_years() -> None:
    guardian = an_artist("Solveig Holt").party
    from consent.services.parties import register_artist

    child = register_artist(by=None, name="Nils", is_minor=True, guardian=guardian)
    for role, until, code in (
        ("artist", in_days(10), "guardian_only"),
        ("manager", in_days(10), "guardian_only"),
        ("guardian", in_days(1900), "voice_too_long"),
    ):
        with pytest.raises(Refused) as refusal:
            answer_permission(
                by=None, artist=child, use="voice", stance="allow", role=role, valid_until=until
            )
        assert refusal.value.code == code
    given = answer_permission(
        by=None,
        artist=child,
        use="voice",
        stance="allow",
        role="guardian",
        valid_until=in_days(1800),
    )
    assert given.changed


def test_a_changed_text_asks_again_and_carries_nothing_over(world: World) -> None:
    first = publish_wording(by=None, use=TRAIN, language="en", text="Teach a model.")
    given = world.says("allow", wording=first)
    second = publish_wording(by=None, use=TRAIN, language="en", text="Teach any model.")
    assert Permission.objects.get(pk=given.pk).wording == first
    with pytest.raises(Refused, match="wording_changed"):
        world.says("allow", wording=first)
    views = {v.use: v for v in uses_of(world.maren)}
    assert views[TRAIN].wording_changed  # type: ignore[index]
    assert world.says("allow", wording=second).wording == second


def test_a_no_says_who_must_stop_and_what_is_not_undone(world: World) -> None:
    model = a_model(world.tool, "v1")
    world.says("allow")
    no = world.says("deny")
    assert no.way == "withdrawn"
    [row] = Withdrawal.objects.filter(permission=no)
    assert (row.company, row.model_version, row.already_trained) == (world.company, model, False)
    assert row.outputs_until - now() > timedelta(days=29)
    asked = Ask(world.songs[0].isrc, TRAIN, world.tool.slug, model=model.ref)
    assert decide_one(asked).deciding.code == "runs_off"
    assert not world.allowed()


def test_many_recordings_are_answered_in_one_act_with_contiguous_leaves(world: World) -> None:
    world.says("allow")
    act = answer_recordings(
        by=None,
        artist=world.maren,
        use=TRAIN,
        stance="deny",
        recordings=[s.pk for s in world.songs[:2]],
    )
    assert act is not None
    leaves = LedgerEntry.objects.filter(act=act.ref).values_list("seq", flat=True)
    assert list(leaves) == list(range(leaves[0], leaves[0] + 2))
    assert [world.allowed(song=i) for i in range(3)] == [False, False, True]


def test_somebody_elses_recording_cannot_be_answered_for(world: World) -> None:
    other = some_recordings(1, an_artist("Charlie"))[0]
    with pytest.raises(Refused, match="not_hers"):
        answer_recordings(
            by=None,
            artist=world.maren,
            use=TRAIN,
            stance="allow",
            recordings=[world.songs[0].pk, other.pk],
        )
    assert not Permission.objects.exists()


def test_an_undo_restores_and_names_what_was_decided_again_since(world: World) -> None:
    world.says("allow")
    act = answer_recordings(
        by=None,
        artist=world.maren,
        use=TRAIN,
        stance="deny",
        recordings=[s.pk for s in world.songs],
    )
    assert act is not None
    again = world.says("ask", scope=Scope(recording=world.songs[2]))
    undone = undo_act(by=None, act=act)
    assert [p.recording for p in undone.skipped] == [world.songs[2]]
    assert [world.allowed(song=i) for i in range(3)] == [True, True, False]
    assert again.scope == f"r{world.songs[2].pk}/*"
    with pytest.raises(Refused, match="undone_already"):
        undo_act(by=None, act=act)


def test_an_undone_yes_is_a_withdrawal_like_any_other(world: World) -> None:
    a_model(world.tool, "v1")
    world.says("deny")
    yes = world.says("allow")
    undone = undo_act(by=None, act=yes.act)
    assert undone.act is not None
    [row] = undone.act.permissions.all()
    assert (row.stance, row.way, row.took_back_allow) == ("deny", "undone", True)
    assert Withdrawal.objects.filter(permission=row).count() == 1
    assert not world.allowed()


def test_staff_can_only_revoke_with_a_reason_that_the_artist_reads(world: World) -> None:
    staff = User.objects.create_user("staff@liner.example")
    yes = world.says("allow")
    with pytest.raises(Refused, match="reason_needed"):
        revoke_permission(by=staff, permission=yes, reason=" ")
    revoked = revoke_permission(by=staff, permission=yes, reason="Signed under duress.")
    assert decide_one(Ask(world.songs[0].isrc, TRAIN, world.tool.slug)).deciding.code == (
        "answer_revoked"
    )
    leaf = LedgerEntry.objects.get(pk=revoked.entry_id)
    assert leaf.kind == "permission.revoked"
    assert "duress" not in leaf.body
    with pytest.raises(Refused, match="superseded"):
        revoke_permission(by=staff, permission=yes, reason="Again.")


def test_a_request_is_answered_for_exactly_what_was_asked(world: World) -> None:
    request = PermissionRequest.objects.create(
        artist=world.maren,
        tool=world.tool,
        use=TRAIN,
        recording=world.songs[0],
        why="For our next model.",
        valid_until=in_days(20),
        created_at=now(),
    )
    later = answer_request(by=None, request=request, stance="undecided")
    assert later.state == RequestState.DEFERRED
    assert not Permission.objects.exists()
    answered = answer_request(by=None, request=request, stance="allow")
    assert answered.state == RequestState.GRANTED
    assert [world.allowed(song=i) for i in range(3)] == [True, False, False]
    with pytest.raises(Refused, match="answered_already"):
        answer_request(by=None, request=request, stance="deny")


def test_while_an_alarm_is_open_a_no_goes_through_and_a_yes_does_not(world: World) -> None:
    world.says("allow")
    LedgerAlarm.objects.create(raised_at=now(), problem="leaf 3 does not match its hash")
    world.says("deny")
    assert not world.allowed()
    with pytest.raises(Frozen):
        world.says("allow")


def test_an_act_that_would_bring_a_yes_back_waits_for_the_alarm(world: World) -> None:
    world.says("allow")
    no = world.says("deny")
    LedgerAlarm.objects.create(raised_at=now(), problem="a gap")
    with pytest.raises(Frozen):
        undo_act(by=None, act=no.act)


def test_a_narrower_no_is_not_lifted_while_an_alarm_is_open(world: World) -> None:
    song = Scope(recording=world.songs[0])
    world.says("allow")
    no = world.says("deny", scope=song)
    LedgerAlarm.objects.create(raised_at=now(), problem="a gap")
    with pytest.raises(Frozen):
        undo_act(by=None, act=no.act)
    with pytest.raises(Frozen):
        clear_permission(by=None, artist=world.maren, use=TRAIN, scope=song)
    with pytest.raises(Frozen):
        world.says("deny", scope=song, valid_until=in_days(1))
    with pytest.raises(Frozen):
        answer_recordings(
            by=None,
            artist=world.maren,
            use=TRAIN,
            stance="ask",
            recordings=[song.pk for song in world.songs],
            valid_until=in_days(1),
        )
    assert not world.allowed()


def test_a_no_that_lasts_as_long_as_the_one_before_goes_through_an_alarm(world: World) -> None:
    song = Scope(recording=world.songs[0])
    world.says("allow")
    world.says("deny", scope=song, valid_until=in_days(2))
    LedgerAlarm.objects.create(raised_at=now(), problem="a gap")
    world.says("ask", scope=song, valid_until=in_days(2))
    world.says("deny", scope=Scope(recording=world.songs[1]), valid_until=in_days(9))
    assert [world.allowed(song=i) for i in range(3)] == [False, False, True]


def test_who_was_stopped_stays_stopped_while_an_alarm_is_open(world: World) -> None:
    world.says("allow")
    suspend_tool(by=None, tool=world.tool)
    suspend_company(by=None, company=world.company)
    LedgerAlarm.objects.create(raised_at=now(), problem="a gap")
    with pytest.raises(Frozen):
        resume_tool(by=None, tool=world.tool)
    with pytest.raises(Frozen):
        resume_company(by=None, company=world.company)
    LedgerAlarm.objects.update(cleared_at=now(), cleared_because="a disk, mended")
    resume_company(by=None, company=world.company)
    LedgerAlarm.objects.create(raised_at=now(), problem="another gap")
    with pytest.raises(Frozen):
        register_tool(by=None, company=world.company, slug="other", name="Other", kind="voice")
    with pytest.raises(Frozen):
        change_party_state(by=None, party=world.maren.party, is_estate=True)
    suspend_company(by=None, company=world.company)
    assert not world.allowed()


@pytest.mark.parametrize("year", [1, 1999, 2200, 9999])
def test_a_year_out_of_reach_is_refused_and_nothing_is_written(world: World, year: int) -> None:
    far = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    for dates in ({"valid_from": far}, {"valid_until": far}):
        for use in (TRAIN, "voice"):
            with pytest.raises(Refused, match="date_out_of_range"):
                world.says("allow", use=use, **dates)
    assert not Permission.objects.exists()


def test_what_was_known_then_answers_the_same_for_ever(world: World) -> None:
    yes = world.says("allow")
    seq = LedgerEntry.objects.get(pk=yes.entry_id).seq
    ask = Ask(world.songs[0].isrc, TRAIN, world.tool.slug, at=now())
    then = decide_many([ask], known_seq=seq)
    world.says("deny")
    world.says("deny", scope=Scope(recording=world.songs[0]))
    assert decide_many([ask], known_seq=seq) == then
    assert decide_many([ask]).decisions[0].allowed  # what held at that moment
    assert not world.allowed()


def test_the_explanation_names_everyone_in_order(world: World) -> None:
    world.says("allow")
    _answered, steps = explain(Ask(world.songs[0].isrc, TRAIN, world.tool.slug), artist=world.maren)
    assert [(s.code, s.who) for s in steps] == [
        ("licensed", "Fjord Records"),
        ("licensed", "Kanal Forlag"),
        ("artist_allows", "Maren Holt"),
    ]
    assert all(s.seq for s in steps)


def test_the_page_counts_recordings_and_companies_without_asking_for_each(world: World) -> None:
    world.says("allow")
    world.says("deny", scope=Scope(recording=world.songs[1]))
    views = {v.use.value: v for v in uses_of(world.maren)}
    training = views[TRAIN]
    assert (training.state, training.allowed, training.recordings) == ("holds", 2, 3)
    assert training.companies == ("Tonewright Audio",)
    assert training.exceptions == 1
    assert views["discovery"].state == "waits"
    world.says("allow", use="style")
    style = {v.use.value: v for v in uses_of(world.maren)}["style"]
    assert style.state == "not_in_force"
    assert style.main_reason is not None
    assert style.main_reason.code == "no_express_authority"


def test_a_yes_under_an_overriding_contract_is_not_shown_as_hers() -> None:
    maren, fjord = an_artist(), a_label()
    company = a_company("tonewright")
    a_tool(company, "composer")
    some_recordings(2, maren, holder=fjord)
    a_licence(fjord, company, "discovery", artist_approval=False, override_clause="§ 14.2")
    answer_permission(by=None, artist=maren, use="discovery", stance="deny")
    view = next(v for v in uses_of(maren) if v.use == "discovery")
    assert (view.state, view.allowed) == ("overridden", 2)


def test_a_clock_that_was_set_back_hides_no_refusal(world: World) -> None:
    world.says("allow")
    world.says("deny")
    head = now() + timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT recorded_at FROM consent_ledgerhead")
        (recorded,) = cursor.fetchone()
    assert recorded <= now() < head
    assert not world.allowed()


def test_an_exception_for_some_countries_can_be_taken_back(world: World) -> None:
    world.says("allow")
    world.says("deny", territories=["DE"])
    assert not world.allowed(territory="DE")
    clear_permission(by=None, artist=world.maren, use=TRAIN, scope=EVERYTHING, territories=["DE"])
    assert world.allowed(territory="DE")
    assert world.allowed()
