"""A changed text: who said yes to the earlier one is asked again, by pages and machines alike."""

from typing import Any

import pytest

from consent.errors import Refused
from consent.models import AICompany, Artist, ModelVersion, Permission, Recording, Tool, Wording
from consent.queries.decision import Ask, decide_many, decide_one
from consent.queries.effective import uses_of
from consent.queries.ledger import head
from consent.services.audit_facts import replay_problems
from consent.services.permissions import (
    answer_permission,
    answer_recordings,
    revoke_permission,
    undo_act,
)
from consent.services.wordings import current_wording, current_wordings, publish_wording
from portal.models import User
from tests.consent import build

pytestmark = pytest.mark.django_db

USE = "discovery"


def publish(text: str, language: str = "en", **more: Any) -> Wording:
    return publish_wording(by=None, use=USE, language=language, text=text, **more)


class World:
    """Maren's recording, licensed for playlists to one tool; the text that she reads."""

    def __init__(self) -> None:
        self.maren: Artist = build.an_artist()
        self.fjord = build.a_label()
        self.company: AICompany = build.a_company()
        self.tool: Tool = build.a_tool(self.company)
        self.model: ModelVersion = build.a_model(self.tool)
        self.songs: list[Recording] = build.some_recordings(3, self.maren, holder=self.fjord)
        build.a_licence(self.fjord, self.company, USE, notice_days=30)
        self.first = publish("Playlists pick you.")

    def says(self, stance: str, **more: Any) -> Permission:
        return answer_permission(
            by=None, artist=self.maren, use=USE, stance=stance, **more
        ).permission

    def code(self, **more: Any) -> str:
        return decide_one(Ask(self.songs[0].isrc, USE, self.tool.slug, **more)).deciding.code

    @property
    def allowed(self) -> int:
        asks = [Ask(s.isrc, USE, self.tool.slug) for s in self.songs]
        return sum(d.allowed for d in decide_many(asks).decisions)


@pytest.fixture
def world() -> World:
    return World()


# What a new text does


def test_a_text_that_means_something_new_turns_her_yes_into_a_no_for_machines(
    world: World,
) -> None:
    given = world.says("allow")
    assert world.allowed == 3
    publish("Playlists and radio pick you.")
    assert (world.allowed, world.code()) == (0, "answer_outdated")
    given.refresh_from_db()
    assert (given.stance, given.wording) == ("allow", world.first)
    assert world.says("allow").pk != given.pk
    assert world.allowed == 3


def test_translations_ask_nobody_again(world: World) -> None:
    world.says("allow")
    publish("Playlister velger deg.", "nb")
    publish("Playlists wählen dich.", "de", means_the_same=True)
    assert world.allowed == 3
    assert [w.version for w in Wording.objects.order_by("id")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Playlists pick you!"),
        ("en", "A completely different text: we may clone everything you ever did, for ever."),
        ("nb", "Spillelister velger deg."),
    ],
)
def test_nobody_can_say_of_a_changed_text_that_it_means_the_same(
    world: World, language: str, text: str
) -> None:
    publish("Playlister velger deg.", "nb")
    given = world.says("allow", wording=current_wording(USE, language))
    before = (Wording.objects.count(), head())
    with pytest.raises(Refused, match="not_a_translation") as refused:
        publish(text, language, means_the_same=True)
    assert refused.value.field == "meaning"
    assert (Wording.objects.count(), head()) == before
    changed = publish(text, language)
    assert (changed.version, changed.means_the_same) == (2, False)
    assert (world.allowed, world.code()) == (0, "answer_outdated")
    given.refresh_from_db()
    assert given.wording is not None and given.wording.version == 1


def test_the_first_text_of_a_use_translates_nothing(world: World) -> None:
    with pytest.raises(Refused, match="not_a_translation"):
        publish_wording(
            by=None, use="style", language="en", text="Sound like you.", means_the_same=True
        )


def test_two_languages_in_which_something_new_is_said_are_two_versions(
    world: World,
) -> None:
    publish("Radio velger deg.", "nb", means_the_same=False)
    publish("Radio wählt dich.", "de", means_the_same=False)
    assert [w.version for w in Wording.objects.order_by("id")] == [1, 2, 3]


def test_an_earlier_text_does_not_bring_the_old_yes_back(world: World) -> None:
    world.says("allow")
    publish("Playlists and radio pick you.")
    publish("Playlists pick you.")
    assert world.code() == "answer_outdated"


def test_a_new_text_in_one_language_asks_those_who_read_another(world: World) -> None:
    norwegian = publish("Playlister velger deg.", "nb")
    assert world.says("allow", wording=norwegian).wording == norwegian
    newest = publish("Playlists and radio pick you.")
    assert world.code() == "answer_outdated"
    # Until it is translated, she reads the one text that says what is meant now.
    assert current_wordings("nb")[USE] == current_wording(USE, "nb") == newest
    with pytest.raises(Refused, match="wording_changed"):
        world.says("allow", wording=norwegian)
    world.says("allow", wording=newest)
    assert world.allowed == 3
    translated = publish("Playlister og radio velger deg.", "nb")
    assert current_wording(USE, "nb") == translated
    assert world.allowed == 3


def test_what_is_said_to_be_new_is_new_in_whatever_language(world: World) -> None:
    world.says("allow")
    publish("Radio velger deg.", "nb", means_the_same=False)
    assert world.code() == "answer_outdated"
    assert current_wording(USE, "en") == current_wording(USE, "nb")


def test_the_same_text_is_the_translation_of_the_newest_where_that_is_said_again(
    world: World,
) -> None:
    norwegian = publish("Playlister velger deg.", "nb")
    publish("Playlists choose you, and more of you.")
    again = publish("Playlister velger deg.", "nb")
    assert (norwegian.version, again.version) == (1, 2)
    assert publish("Playlister velger deg.", "nb") == again


@pytest.mark.parametrize("stance", ["deny", "ask", "undecided"])
def test_a_new_text_never_touches_a_no(world: World, stance: str) -> None:
    world.says(stance)
    before = world.code()
    publish("Playlists and radio pick you.")
    assert world.code() == before


def test_a_yes_that_names_no_text_counts_as_one_to_the_first(world: World) -> None:
    other = "analysis_training"
    build.a_licence(world.fjord, world.company, other)
    answer_permission(by=None, artist=world.maren, use=other, stance="allow")
    assert Permission.objects.latest("id").wording is None
    ask = Ask(world.songs[0].isrc, other, world.tool.slug)

    def said() -> set[str]:
        return {str(r.code) for r in decide_one(ask).reasons if r.party == world.maren.pk}

    publish_wording(by=None, use=other, language="en", text="Count the beats.")
    assert said() == {"artist_allows"}
    publish_wording(by=None, use=other, language="en", text="Count the beats and the words.")
    assert said() == {"answer_outdated"}


def test_other_kinds_of_use_are_not_asked_again(world: World) -> None:
    world.says("allow")
    publish_wording(by=None, use="style", language="en", text="Sound like you.")
    publish_wording(by=None, use="style", language="en", text="Sound and look like you.")
    assert world.allowed == 3


# For ever


def test_an_answer_of_the_past_comes_again_whatever_was_published_since(world: World) -> None:
    world.says("allow")
    asks = [Ask(s.isrc, USE, self_tool) for s in world.songs for self_tool in [world.tool.slug]]
    before = decide_many(asks)
    publish("Playlists and radio pick you.")
    after = decide_many(asks)
    world.says("allow")
    for answered in (before, after):
        again = [Ask(a.isrc, a.use, a.tool, at=at) for a, at in zip(asks, answered.at, strict=True)]
        assert decide_many(again, known_seq=answered.seq).decisions == answered.decisions
        assert [d.allowed for d in decide_many(again).decisions] == [
            d.allowed for d in answered.decisions
        ]
    assert [d.allowed for d in before.decisions] == [True] * 3
    assert [d.allowed for d in after.decisions] == [False] * 3


def test_the_ledger_says_what_each_text_means_and_the_audit_holds(world: World) -> None:
    publish("Playlists and radio pick you.")
    publish("Playlister og radio velger deg.", "nb", means_the_same=True)
    found = [p for p in replay_problems(after=0, until=head()) if "consent_wording" in p]
    assert found == []
    assert [w.means_the_same for w in Wording.objects.order_by("id")] == [False, False, True]


# What follows from it


def test_a_page_shows_it_as_asked_again_and_only_then(world: World) -> None:
    world.says("allow")

    def view() -> Any:
        return next(v for v in uses_of(world.maren) if v.use == USE)

    publish("Playlister velger deg.", "nb", means_the_same=True)
    assert (view().wording_changed, view().state) == (False, "holds")
    publish("Playlists and radio pick you.")
    assert (view().wording_changed, view().allowed, view().state) == (True, 0, "not_in_force")
    assert view().main_reason.code == "answer_outdated"
    # Of two recordings that were answered by name, the one under the new text is allowed.
    answer_recordings(
        by=None, artist=world.maren, use=USE, stance="allow", recordings=[world.songs[0].pk]
    )
    assert (view().allowed, world.allowed) == (1, 1)


def test_groups_of_recordings_answered_by_name_keep_their_texts_apart(world: World) -> None:
    first, second, third = (s.pk for s in world.songs)
    for keys in ([first], [second, third]):
        answer_recordings(by=None, artist=world.maren, use=USE, stance="allow", recordings=keys)
        if keys == [first]:
            publish("Playlists and radio pick you.")
    view = next(v for v in uses_of(world.maren) if v.use == USE)
    assert (view.allowed, world.allowed) == (2, 2)


def test_taking_back_a_yes_that_was_none_any_more_lets_nothing_run_off(world: World) -> None:
    world.says("allow")
    publish("Playlists and radio pick you.")
    assert world.code(model=world.model.ref) == "answer_outdated"
    assert not world.says("deny").took_back_allow
    assert world.code(model=world.model.ref) == "artist_denies"


def test_staff_who_revoke_such_a_yes_take_nothing_back_either(world: World) -> None:
    given = world.says("allow")
    publish("Playlists and radio pick you.")
    staff = User.objects.create_user(email="olga@liner.test", password=None)
    row = revoke_permission(by=staff, permission=given, reason="It was not her.")
    assert not row.took_back_allow


def test_outputs_that_run_off_already_go_on_under_a_new_text(world: World) -> None:
    world.says("allow")
    assert world.says("deny").took_back_allow
    publish("Playlists and radio pick you.")
    assert world.code(model=world.model.ref) == "runs_off"


def test_an_undo_writes_no_new_yes_under_a_replaced_text(world: World) -> None:
    old = world.says("allow")
    no = world.says("deny")
    publish("Playlists and radio pick you.")
    undone = undo_act(by=None, act=no.act)
    assert undone.act is not None
    assert undone.later == (old,)
    last = Permission.objects.latest("id")
    assert (last.stance, last.way, last.wording, last.took_back_allow) == (
        "undecided",
        "undone",
        None,
        False,
    )
    assert world.code() == "artist_undecided"


def test_an_undo_of_a_new_yes_is_a_no_and_stops_what_it_allowed(world: World) -> None:
    world.says("allow")
    publish("Playlists and radio pick you.")
    yes = world.says("allow")
    undone = undo_act(by=None, act=yes.act)
    assert len(undone.later) == 1
    assert world.code() == "artist_withdrew"
    assert Permission.objects.latest("id").took_back_allow


def test_an_undo_of_many_brings_back_what_it_may(world: World) -> None:
    first, second, third = (s.pk for s in world.songs)
    many: dict[str, Any] = {"by": None, "artist": world.maren, "use": USE}
    answer_recordings(**many, stance="allow", recordings=[first])
    publish("Playlists and radio pick you.")
    answer_recordings(**many, stance="allow", recordings=[second])
    act = answer_recordings(**many, stance="deny", recordings=[first, second, third])
    assert act is not None
    undone = undo_act(by=None, act=act)
    assert [p.recording_id for p in undone.later] == [first]
    allowed = [decide_one(Ask(s.isrc, USE, world.tool.slug)).allowed for s in world.songs]
    assert allowed == [False, True, False]


def test_a_yes_for_later_to_a_replaced_text_does_not_come_back(world: World) -> None:
    later = world.says("allow", valid_from=build.in_days(2))
    no = world.says("deny")
    publish("Playlists and radio pick you.")
    assert undo_act(by=None, act=no.act).later == (later,)
    assert world.code(at=build.in_days(3)) == "artist_undecided"
