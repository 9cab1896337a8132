"""The artist's own pages: what changed, what AI did, credits, timeline, licences."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.clock import now
from consent.models import (
    AICompany,
    Artist,
    Credit,
    LicenceVersion,
    ModelVersion,
    Party,
    Recording,
    RecordingTitle,
    Tool,
)
from consent.services.claims import make_claim
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission, answer_recordings, undo_act
from consent.services.provenance import Part, report_output, report_training_run
from consent.services.requests import ask_permission
from portal.models import Roster, User, Visit
from portal.roles import Role
from portal.services.delegation import grant_access
from portal.services.news import tell_news
from tests.cast import recordings_of, somebody

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def work(maren: Artist, fjord: Party) -> list[Recording]:
    return recordings_of(maren, 3, title="Paper Lanterns", holder=fjord)


@pytest.fixture
def licence(fjord: Party, tonewright: AICompany, tidesmith_v1: ModelVersion) -> LicenceVersion:
    return sign_licence(
        by=None, holder=fjord, company=tonewright, title="Fjord and Tonewright", uses=["discovery"]
    )


@pytest.fixture
def her(maren_user: User, signed_in: SignIn) -> Client:
    return signed_in(maren_user)


def page(name: str, artist: Artist, **more: Any) -> str:
    return reverse(name, kwargs={"slug": artist.slug, **more})


def made(
    model: ModelVersion, ref: str, *recordings: Recording, use: str = "discovery", **more: Any
) -> None:
    shares = [10_000 // len(recordings)] * len(recordings)
    shares[0] += 10_000 - sum(shares)
    report_output(
        company=model.tool.company,
        client_ref=ref,
        model_version=model,
        use=use,
        made_at=now(),
        attributions=[
            Part(one.isrc, "master", share, "attrib-1")
            for one, share in zip(recordings, shares, strict=True)
        ],
        **more,
    )


OF_HERS = ["overview", "usage", "credits", "standard_licence", "timeline", "people"]
OF_MONEY = ["earnings", "earnings_tools", "earnings_recordings", "earnings_held", "splits"]


@pytest.mark.parametrize("name", OF_HERS + OF_MONEY)
def test_every_page_is_there_with_nothing_on_it_and_for_nobody_else(
    name: str, maren: Artist, her: Client, charlie: User, signed_in: SignIn
) -> None:
    response = her.get(page(name, maren))
    assert response.status_code == 200
    assert "Maren Holt" in response.text
    assert "Charlie" not in response.text
    assert signed_in(charlie).get(page(name, maren)).status_code == 404
    assert Client().get(page(name, maren)).status_code == 302


def most_queries(
    client: Client, url: str, more: Callable[[], None], *, at_most: int = 12
) -> list[int]:
    """Queries of a page before and after there is more on it."""
    client.get(url)
    counts = []
    for step in (None, more):
        if step is not None:
            step()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert max(counts) <= at_most, queries.captured_queries
    return counts


# --- The front door ----------------------------------------------------------------------


def test_who_comes_by_reads_what_this_is() -> None:
    response = Client().get("/")
    assert response.status_code == 200
    assert "Sign in" in response.text
    assert "Clone your voice" in response.text


def test_who_is_known_here_is_led_to_her_own_work(
    maren: Artist, her: Client, charlie: User, liv: User, signed_in: SignIn
) -> None:
    assert her.get("/")["Location"] == page("overview", maren)
    assert "nobody's work is within your reach" in signed_in(charlie).get("/").text
    assert signed_in(liv).get("/")["Location"] == reverse("admin:index")


def test_everybody_may_read_who_decides_without_the_artists(
    maren: Artist, work: list[Recording], fjord: Party, tonewright: AICompany
) -> None:
    assert "None at present" in Client().get("/overrides/").text
    sign_licence(
        by=None,
        holder=fjord,
        company=tonewright,
        title="Analysis",
        uses=["analysis_training"],
        artist_approval=False,
        override_clause="14.2 the label decides",
    )
    text = Client().get("/overrides/").text
    assert "14.2 the label decides" in text
    assert "Fjord Records" in text
    assert "Maren" not in text


# --- Whose work --------------------------------------------------------------------------


def test_a_manager_switches_artist_and_always_sees_for_whom_she_acts(
    maren: Artist, aoi: Artist, ines: User, signed_in: SignIn
) -> None:
    client = signed_in(ines)
    listed = client.get(reverse("artists")).text
    assert "Maren Holt" in listed
    assert '<bdi lang="ja">田中葵</bdi>' in listed
    answer = client.post(reverse("switch_artist"), {"artist": str(aoi.party.ref)})
    assert answer["Location"] == page("overview", aoi)
    assert client.get("/")["Location"] == page("overview", aoi)
    assert "You are acting for 田中葵 as manager" in client.get(page("overview", aoi)).text
    assert "田中葵" in client.get(reverse("artists"), {"q": "田中"}).text
    assert "Nothing found" in client.get(reverse("artists"), {"q": "Charlie"}).text


def test_nobody_switches_to_an_artist_out_of_reach(
    low_tides: Artist, her: Client, maren: Artist
) -> None:
    other = {"artist": str(low_tides.party.ref)}
    assert her.post(reverse("switch_artist"), other).status_code == 404
    assert her.get("/")["Location"] == page("overview", maren)
    assert her.get(reverse("switch_artist")).status_code == 405


# --- Overview ----------------------------------------------------------------------------


def test_the_first_page_says_what_others_did_since_one_was_last_here(
    maren: Artist, work: list[Recording], ines: User, maren_user: User, her: Client
) -> None:
    assert "From now on this page says what changed" in her.get(page("overview", maren)).text
    Visit.objects.update(seen_at=now() - timedelta(hours=3))
    answer_permission(by=ines, artist=maren, use="style", stance="deny", role="manager")
    answer_permission(by=maren_user, artist=maren, use="voice", stance="deny")
    tell_news()
    text = her.get(page("overview", maren)).text
    assert "Since you were last here" in text
    assert "Ines Prado answered for Maren Holt: Imitate your style" in text
    assert "“No”, for all your work." in text
    assert "Maren Holt answered" not in text
    Visit.objects.update(seen_at=now() - timedelta(hours=2))
    assert "Ines Prado answered" in her.get(page("overview", maren)).text
    Visit.objects.update(before_at=now(), seen_at=now())
    assert "Nothing was decided or signed by anybody else" in her.get(page("overview", maren)).text


def test_looking_again_within_the_hour_is_the_same_visit(maren: Artist, her: Client) -> None:
    her.get(page("overview", maren))
    visit = Visit.objects.get()
    her.get(page("overview", maren))
    visit.refresh_from_db()
    assert visit.before_at is None


def test_the_first_page_says_what_waits(
    maren: Artist, work: list[Recording], tidesmith: Tool, tidesmith_v1: ModelVersion, her: Client
) -> None:
    text = her.get(page("overview", maren)).text
    assert "7 uses have no answer yet" in text
    ask_permission(tool=tidesmith, use="style", why="For a choir.", artists=[maren])
    for use in ("discovery", "style", "remix_input", "name_image", "analysis_training"):
        answer_permission(by=None, artist=maren, use=use, stance="deny")
    answer_permission(by=None, artist=maren, use="generative_training", stance="deny")
    text = her.get(page("overview", maren)).text
    assert "One use has no answer yet" in text
    assert "waits for an answer" in text
    assert page("requests", maren) in text


def test_the_first_page_adds_up_what_ai_did(
    maren: Artist,
    work: list[Recording],
    licence: LicenceVersion,
    tidesmith_v1: ModelVersion,
    her: Client,
) -> None:
    answer_permission(by=None, artist=maren, use="discovery", stance="allow")
    made(tidesmith_v1, "o1", work[0])
    answer_permission(by=None, artist=maren, use="discovery", stance="deny")
    made(tidesmith_v1, "o2", work[0], work[1])
    text = her.get(page("overview", maren)).text
    assert "2 outputs drew on your work" in text
    assert "1 of these was not allowed" in text
    assert "Tidesmith" in text


def test_the_first_page_asks_the_database_as_often_for_much_as_for_little(
    maren: Artist,
    work: list[Recording],
    licence: LicenceVersion,
    tidesmith: Tool,
    tidesmith_v1: ModelVersion,
    ines: User,
    north_roster: Roster,
    signed_in: SignIn,
) -> None:
    bo = somebody("Bo Lindqvist")
    grant_access(by=None, user=bo, roster=north_roster, role=Role.MANAGER)
    answer_permission(by=ines, artist=maren, use="discovery", stance="allow", role="manager")
    made(tidesmith_v1, "o1", work[0])
    tell_news()

    def more() -> None:
        for number, use in enumerate(("style", "voice", "name_image")):
            answer_permission(by=ines, artist=maren, use=use, stance="deny", role="manager")
            made(tidesmith_v1, f"more-{number}", *work)
        ask_permission(tool=tidesmith, use="style", why="For a choir.", artists=[maren])
        tell_news()

    first, second = most_queries(signed_in(bo), page("overview", maren), more)
    assert first == second


# --- AI usage ----------------------------------------------------------------------------


def test_each_use_says_who_what_when_and_under_which_permission(
    maren: Artist,
    work: list[Recording],
    licence: LicenceVersion,
    tidesmith_v1: ModelVersion,
    her: Client,
) -> None:
    answer_permission(by=None, artist=maren, use="discovery", stance="allow")
    made(tidesmith_v1, "o1", work[0], title="Evening mix")
    report_training_run(
        company=tidesmith_v1.tool.company,
        client_ref="run",
        model_version=tidesmith_v1,
        use="generative_training",
        trained_at=now(),
        isrcs=[work[1].isrc],
    )
    text = " ".join(her.get(page("usage", maren)).text.split())
    assert "“<bdi>Evening mix</bdi>”" in text
    assert "A model was trained" in text
    assert "Tonewright" in text
    assert "influence 100" in text
    assert text.count('<span class="state holds">Allowed</span>') == 1
    assert text.count('<span class="state stops">Not allowed</span>') == 1
    assert f"isrc={work[0].isrc}&amp;use=discovery&amp;tool=tidesmith&amp;day=" in text


def test_uses_are_narrowed_and_paged(
    maren: Artist,
    work: list[Recording],
    licence: LicenceVersion,
    tidesmith_v1: ModelVersion,
    her: Client,
) -> None:
    made(tidesmith_v1, "o1", work[0], title="First")
    made(tidesmith_v1, "o2", work[1], title="Second")
    url = page("usage", maren)
    only = her.get(url, {"isrc": f"{work[0].isrc[:2]}-{work[0].isrc[2:]}"}).text
    assert "First" in only and "Second" not in only
    assert "Nothing found" in her.get(url, {"allowed": "yes"}).text
    assert "First" in her.get(url, {"allowed": "no", "what": "output"}).text
    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    assert "Nothing found" in her.get(url, {"since": tomorrow}).text
    assert "ISRC:" in her.get(url, {"isrc": "no isrc"}).text
    assert her.get(url, {"after": "nonsense"})["Location"] == url
    for number in range(60):
        made(tidesmith_v1, f"many-{number}", work[2], title=f"Many {number}")
    text = her.get(url).text
    assert text.count("Many ") == 50
    later = text.partition('rel="next"')[2].partition('href="')[2].partition('"')[0]
    assert "First" in her.get(url + later.replace("&amp;", "&")).text


def test_usage_takes_as_many_queries_for_many_uses_as_for_one(
    maren: Artist, work: list[Recording], tidesmith_v1: ModelVersion, her: Client
) -> None:
    made(tidesmith_v1, "o1", work[0])

    def more() -> None:
        made(tidesmith_v1, "o2", *work)

    first, second = most_queries(her, page("usage", maren), more)
    assert first == second


# --- Credits -----------------------------------------------------------------------------


def credited(recording: Recording, party: Party, role: str, **more: Any) -> None:
    Credit.objects.create(recording=recording, party=party, role=role, **more)


def test_credits_stand_by_role_in_their_scripts_with_what_ai_did(
    maren: Artist, aoi: Artist, work: list[Recording], her: Client
) -> None:
    credited(work[0], maren.party, "MainArtist")
    credited(work[0], aoi.party, "Lyricist", position=1)
    credited(work[0], maren.party, "Composer", position=2, ai_part="partly")
    RecordingTitle.objects.create(recording=work[0], title="紙の灯籠", language="ja")
    Recording.objects.filter(pk=work[0].pk).update(contains_ai="partly")
    text = her.get(page("credits", maren)).text
    assert '<bdi lang="ja">田中葵</bdi>' in text
    assert '<bdi lang="ja">紙の灯籠</bdi>' in text
    assert "partly AI" in text
    assert "No credits were delivered." in text
    one = her.get(page("credit", maren, isrc=work[0].isrc)).text
    assert "Fjord Records" in one
    assert "holds it under a contract" in one
    assert "100" in one


def test_a_recording_of_somebody_else_has_no_page_here(
    maren: Artist, aoi: Artist, her: Client
) -> None:
    [other] = recordings_of(aoi)
    assert her.get(page("credit", maren, isrc=other.isrc)).status_code == 404
    credited(other, maren.party, "Instrumentalist")
    assert other.title in her.get(page("credits", maren)).text


def test_credits_are_found_and_take_the_same_queries(
    maren: Artist, work: list[Recording], her: Client, fjord: Party
) -> None:
    url = page("credits", maren)
    assert "Lanterns 2" in her.get(url, {"q": "lanterns 2"}).text
    assert "Nothing found" in her.get(url, {"q": "no such song"}).text
    credited(work[0], maren.party, "MainArtist")

    def more() -> None:
        for recording in recordings_of(maren, 3, title="Slow Weather", holder=fjord):
            credited(recording, maren.party, "MainArtist")

    first, second = most_queries(her, url, more)
    assert first == second


# --- Timeline ----------------------------------------------------------------------------


def test_the_timeline_says_who_did_what_as_what_and_leads_to_undoing_it(
    maren: Artist,
    work: list[Recording],
    ines: User,
    north_roster: Roster,
    maren_user: User,
    licence: LicenceVersion,
    tidesmith: Tool,
    her: Client,
) -> None:
    act = answer_recordings(
        by=ines,
        artist=maren,
        use="discovery",
        stance="allow",
        recordings=[one.pk for one in work],
        role="manager",
    )
    assert act is not None
    answer_permission(by=maren_user, artist=maren, use="style", stance="allow")
    answer_permission(by=maren_user, artist=maren, use="style", stance="deny")
    undo_act(by=maren_user, act=act)
    ask_permission(tool=tidesmith, use="style", why="For a choir.", artists=[maren])
    text = " ".join(her.get(page("timeline", maren)).text.split())
    assert "Recommend you: “Yes”" in text
    assert "For 3 recordings. This was undone later." in text
    assert "Ines Prado, as manager" in text
    assert page("act", maren, ref=str(act.ref)) in text
    assert "Undone: Recommend you: “Yes”" in text
    assert "Imitate your style: “No”" in text
    assert "For all your work. A yes was taken back." in text
    assert "Tonewright asks: Imitate your style" in text
    assert "Fjord Records signed a licence with Tonewright" in text
    assert "North Wind Management was let in" in text
    assert "Access was given to Ines Prado" in text
    assert "Fjord Records took you on its list of artists" in text


def test_a_timeline_is_narrowed_and_paged_without_losing_anything(
    maren: Artist, work: list[Recording], maren_user: User, licence: LicenceVersion, her: Client
) -> None:
    for number in range(45):
        stance = "deny" if number % 2 else "ask"
        answer_permission(by=maren_user, artist=maren, use="style", stance=stance)
    url = page("timeline", maren)
    seen = 0
    query = "?what=answers"
    while query:
        text = her.get(url + query).text
        seen += text.count("Imitate your style: ")
        assert "signed a licence" not in text
        following = text.partition('rel="next"')[2].partition('href="')[2].partition('"')[0]
        query = following.replace("&amp;", "&")
    assert seen == 45
    assert "Imitate" not in her.get(url, {"what": "licences"}).text.partition("<main")[2]
    assert her.get(url, {"after": "nonsense", "what": "nonsense"}).status_code == 200


def test_a_timeline_takes_as_many_queries_for_much_as_for_little(
    maren: Artist,
    work: list[Recording],
    ines: User,
    licence: LicenceVersion,
    signed_in: SignIn,
) -> None:
    answer_permission(by=ines, artist=maren, use="style", stance="deny", role="manager")

    def more() -> None:
        for use in ("voice", "discovery", "name_image"):
            answer_permission(by=ines, artist=maren, use=use, stance="deny", role="manager")

    first, second = most_queries(signed_in(ines), page("timeline", maren), more)
    assert first == second


# --- Licences ----------------------------------------------------------------------------


def test_an_independent_sees_what_a_licence_would_mean_then_signs_then_ends_it(
    aoi: Artist,
    aoi_user: User,
    tonewright: AICompany,
    tidesmith_v1: ModelVersion,
    signed_in: SignIn,
) -> None:
    recordings_of(aoi, 2)
    client = signed_in(aoi_user)
    url = page("standard_licence", aoi)
    chosen = {"uses": ["discovery"], "companies": ["tonewright"]}
    preview = client.post(url, chosen)
    assert preview.status_code == 200
    assert "2 recordings: waits for your yes, or another artist&#x27;s" in preview.text
    assert not LicenceVersion.objects.exists()

    assert client.post(url, {**chosen, "sign": "yes"})["Location"] == url
    version = LicenceVersion.objects.get()
    assert (version.uses, version.artist_approval) == (["discovery"], True)
    assert "Tonewright" in client.get(url).text

    end = page("end_licence", aoi, ref=str(version.licence.ref))
    assert client.post(end)["Location"] == url
    assert LicenceVersion.objects.order_by("-id")[0].ended


def test_nothing_is_offered_to_nobody_or_for_nothing(
    aoi: Artist, aoi_user: User, tonewright: AICompany, signed_in: SignIn
) -> None:
    client = signed_in(aoi_user)
    url = page("standard_licence", aoi)
    for wrong in ({}, {"uses": ["discovery"]}, {"uses": ["all"], "companies": ["tonewright"]}):
        text = client.post(url, {**wrong, "sign": "yes"}).text
        assert "Something is not right yet" in text
    past = {"uses": ["discovery"], "companies": ["tonewright"], "until": "2020-01-01"}
    assert "The end must lie ahead." in client.post(url, {**past, "sign": "yes"}).text
    assert not LicenceVersion.objects.exists()


def test_a_manager_who_was_not_entrusted_signs_nothing(
    aoi: Artist, ines: User, tonewright: AICompany, signed_in: SignIn
) -> None:
    client = signed_in(ines)
    chosen = {"uses": ["discovery"], "companies": ["tonewright"], "sign": "yes"}
    assert client.post(page("standard_licence", aoi), chosen).status_code == 403
    assert "Only the artist" in client.get(page("standard_licence", aoi)).text


def test_a_label_licence_is_shown_and_cannot_be_ended_from_here(
    maren: Artist, work: list[Recording], licence: LicenceVersion, her: Client
) -> None:
    assert "Fjord and Tonewright" in her.get(page("standard_licence", maren)).text
    end = page("end_licence", maren, ref=str(licence.licence.ref))
    assert her.post(end).status_code == 404


def test_a_licence_of_somebody_who_sings_along_reaches_the_recording_and_not_her_style(
    maren: Artist, aoi: Artist, tonewright: AICompany, her: Client
) -> None:
    [duet] = recordings_of(maren, featured=(aoi,))
    make_claim(
        by=None,
        party=aoi.party,
        right="publishing",
        authority="own",
        share_bp=5_000,
        recording=duet,
    )
    sign_licence(
        by=None,
        holder=aoi.party,
        company=tonewright,
        title="What Aoi gives",
        uses=["style", "name_image"],
    )
    assert "What Aoi gives" not in her.get(page("standard_licence", maren)).text
    sign_licence(
        by=None,
        holder=aoi.party,
        company=tonewright,
        title="What Aoi gives besides",
        uses=["discovery", "style"],
    )
    said = her.get(page("standard_licence", maren)).text
    others = said.split("reaching your work")[1].split("</table>")[0]
    assert "Recommend you" in others
    assert "Imitate your style" not in others


def test_who_has_her_express_authority_is_shown_with_her_style(
    maren: Artist, fjord: Party, tonewright: AICompany, her: Client
) -> None:
    make_claim(by=None, party=fjord, right="likeness", authority="contract", repertoire=maren)
    sign_licence(by=None, holder=fjord, company=tonewright, title="By mandate", uses=["style"])
    others = her.get(page("standard_licence", maren)).text.split("reaching your work")[1]
    assert "Imitate your style" in others.split("</table>")[0]
