"""People with access, notices, files and settings: pages about the reader and her company."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Artist, WorkState
from consent.services.permissions import answer_permission
from consent.services.work import perform
from portal.access import Access
from portal.models import Export, Membership, Notice, Roster, User
from portal.roles import Role, Scope
from portal.services.delegation import end_access, grant_access
from portal.services.news import tell_news
from tests.cast import recordings_of, somebody
from tests.signing import sign_in

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.PRIVATE_ROOT = tmp_path


@pytest.fixture
def her(maren_user: User, signed_in: SignIn) -> Client:
    return signed_in(maren_user)


def page(name: str, artist: Artist, **more: object) -> str:
    return reverse(name, kwargs={"slug": artist.slug, **more})


def text_of(client: Client, url: str) -> str:
    return " ".join(client.get(url).text.split())


# --- People ------------------------------------------------------------------------------


def test_everybody_with_access_stands_with_what_she_can_do_and_who_let_her_in(
    maren: Artist, maren_user: User, ines: User, fjord_roster: Roster, liv: User, her: Client
) -> None:
    grant_access(by=maren_user, user=somebody("Bo Lindqvist"), artist=maren, role=Role.ASSISTANT)
    text = text_of(her, page("people", maren))
    assert "Manager</b>, through North Wind Management" in text
    assert "Can answer what AI may do, for everything but voice, name and image." in text
    assert "let in by Maren Holt" in text
    assert "Until somebody ends it." in text
    assert "Fjord Records" in text
    assert "Charlie" not in text
    assert "Harbour" not in text


def test_an_artist_lets_somebody_in_with_what_she_chooses_and_until_when(
    maren: Artist, maren_user: User, charlie: User, her: Client
) -> None:
    asked = {
        "email": "CHARLIE@liner.example",
        "role": "manager",
        "manager_scopes": ["sign_licence"],
        "assistant_scopes": ["see_money"],
        "until": "2099-12-31",
    }
    assert her.post(page("invite", maren), asked)["Location"] == page("people", maren)
    given = Membership.objects.get(user=charlie)
    assert (given.role, given.scopes, given.granted_by) == ("manager", ["sign_licence"], maren_user)
    assert given.ends_at is not None and given.ends_at.year == 2099
    assert "Charlie Voss" in text_of(her, page("people", maren))
    again = her.post(page("invite", maren), asked)
    assert "has access already" in again.text


def test_somebody_new_gets_access_by_an_address(maren: Artist, her: Client) -> None:
    asked = {"email": "new@liner.example", "role": "assistant"}
    assert her.post(page("invite", maren), asked).status_code == 302
    assert Membership.objects.filter(user__email="new@liner.example", role="assistant").exists()
    for wrong in (
        {"email": "nobody", "role": "assistant"},
        {"email": "x@liner.example", "role": "label_staff"},
        {"email": "x@liner.example", "role": "assistant", "until": "2001-01-01"},
    ):
        assert "Something is not right yet" in her.post(page("invite", maren), wrong).text


def test_a_manager_lets_nobody_in_and_gives_nothing_she_was_not_given(
    maren: Artist, ines: User, maren_user: User, signed_in: SignIn
) -> None:
    client = signed_in(ines)
    assert client.get(page("invite", maren)).status_code == 403
    extra = [Scope.MANAGE_PEOPLE]
    bo = somebody("Bo Lindqvist")
    grant_access(by=maren_user, user=bo, artist=maren, role=Role.MANAGER, scopes=extra)
    form = signed_in(bo).get(page("invite", maren)).text
    assert "Can sign licences" not in form
    assert 'value="artist"' not in form
    asked = {"email": "x@liner.example", "role": "manager", "manager_scopes": ["sign_licence"]}
    signed_in(bo).post(page("invite", maren), asked)
    assert Membership.objects.get(user__email="x@liner.example").scopes == []
    asked = {"email": "y@liner.example", "role": "artist"}
    assert "Something is not right yet" in signed_in(bo).post(page("invite", maren), asked).text


def test_letting_in_asks_to_sign_in_again_after_a_while_and_ending_never_does(
    maren: Artist, maren_user: User, charlie: User, signed_in: SignIn
) -> None:
    given = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    client = signed_in(maren_user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 1}]
    session.save()
    answer = client.get(page("invite", maren))
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    end = page("end_access", maren, ref=str(given.ref))
    assert client.get(end).status_code == 200
    assert client.post(end).status_code == 302
    assert Access.of(charlie).artists == []


def test_ending_a_management_says_who_leaves_with_it(
    maren: Artist, ines: User, north_roster: Roster, her: Client, signed_in: SignIn
) -> None:
    bo = somebody("Bo Lindqvist")
    grant_access(by=None, user=bo, roster=north_roster, role=Role.ASSISTANT)
    manager = signed_in(ines)
    assert manager.get(page("overview", maren)).status_code == 200
    of_ines = Membership.objects.get(user=ines, roster=north_roster)
    end = page("end_access", maren, ref=str(of_ines.ref))
    text = text_of(her, end)
    assert "End the access of Ines Prado?" in text
    assert "It ends for Bo Lindqvist too." in text
    assert her.post(end)["Location"] == page("people", maren)
    assert manager.get(page("overview", maren)).status_code == 404
    assert {one.artist.slug for one in Access.of(ines).artists} == {"aoi-tanaka"}
    assert "Ines" not in text_of(her, page("people", maren)).partition("Who had access")[0]


def test_a_manager_may_leave_and_end_nobody_else(
    maren: Artist, maren_user: User, ines: User, north_roster: Roster, signed_in: SignIn
) -> None:
    client = signed_in(ines)
    own = Membership.objects.get(user=maren_user)
    assert client.post(page("end_access", maren, ref=str(own.ref))).status_code == 403
    mine = Membership.objects.get(user=ines, roster=north_roster)
    assert "You leave North Wind Management" in text_of(
        client, page("end_access", maren, ref=str(mine.ref))
    )
    assert client.post(page("end_access", maren, ref=str(mine.ref)))["Location"] == "/"
    assert client.get(page("overview", maren)).status_code == 404


def test_access_of_other_artists_is_not_there(
    maren: Artist, aoi_user: User, charlie: User, her: Client, signed_in: SignIn
) -> None:
    other = Membership.objects.get(user=aoi_user)
    end = page("end_access", maren, ref=str(other.ref))
    assert her.get(end).status_code == 404
    assert her.post(end).status_code == 404
    assert signed_in(charlie).post(page("invite", maren), {}).status_code == 404


def test_the_page_of_people_asks_as_often_for_many_as_for_one(
    maren: Artist, ines: User, her: Client
) -> None:
    def queries() -> int:
        her.get(page("people", maren))
        with CaptureQueriesContext(connection) as captured:
            her.get(page("people", maren))
        return len(captured)

    one = queries()
    for name in ("Bo Lindqvist", "Sol Arnesen", "Noor Haddad"):
        given = grant_access(by=None, user=somebody(name), artist=maren, role=Role.ASSISTANT)
    end_access(by=None, membership=given)
    assert queries() == one <= 12


# --- Notices -----------------------------------------------------------------------------


def test_a_notice_is_new_until_it_is_followed(
    maren: Artist, ines: User, maren_user: User, her: Client
) -> None:
    answer_permission(by=ines, artist=maren, use="style", stance="deny", role="manager")
    answer_permission(by=ines, artist=maren, use="voice", stance="deny", role="manager")
    tell_news()
    Notice.objects.filter(recipient=maren_user).exclude(kind="answered_for_you").update(
        read_at="2026-01-01T00:00Z"
    )
    text = text_of(her, reverse("notices"))
    assert "2 are new." in text
    notice = Notice.objects.filter(recipient=maren_user, kind="answered_for_you").latest("pk")
    followed = her.get(reverse("open_notice", kwargs={"ref": notice.ref}))
    assert followed["Location"] == page("permissions", maren)
    assert "1 is new." in text_of(her, reverse("notices"))
    her.post(reverse("read_notices"))
    assert "0 are new." in text_of(her, reverse("notices"))


def test_notices_are_for_nobody_else_and_go_with_access(
    maren: Artist, ines: User, maren_user: User, charlie: User, signed_in: SignIn
) -> None:
    given = grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    answer_permission(by=ines, artist=maren, use="style", stance="deny", role="manager")
    tell_news()
    hers = Notice.objects.filter(recipient=maren_user)[0]
    client = signed_in(charlie)
    assert client.get(reverse("open_notice", kwargs={"ref": hers.ref})).status_code == 404
    assert "Ines Prado answered" in text_of(client, reverse("notices"))
    end_access(by=maren_user, membership=given)
    assert "Ines Prado answered" not in text_of(client, reverse("notices"))


# --- Files -------------------------------------------------------------------------------


def test_a_file_is_asked_for_written_and_fetched_once(
    maren: Artist, maren_user: User, charlie: User, her: Client, signed_in: SignIn
) -> None:
    recordings_of(maren, 2)
    answer = her.post(page("export_usage", maren), {"since": "", "until": ""})
    export = Export.objects.get()
    assert answer["Location"] == f"{reverse('exports')}#export-{export.ref}"
    progress = reverse("export_progress", kwargs={"ref": export.ref})
    waiting = her.get(progress).text
    assert "It is being written." in waiting
    assert f'hx-get="{progress}"' in waiting
    assert perform(Export, export.pk)
    done = her.get(progress).text
    assert "hx-get" not in done
    assert "0 lines" in " ".join(done.split())

    fetch = reverse("fetch_export", kwargs={"ref": export.ref})
    assert her.get(fetch).status_code == 405
    link = her.post(fetch)["Location"]
    stranger = signed_in(charlie)
    assert stranger.get(link).status_code == 404
    assert stranger.get(progress).status_code == 404
    assert stranger.post(fetch).status_code == 404
    response = her.get(link)
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["Cache-Control"] == "private, no-store"
    assert b"occurred_at" in response.getvalue()
    again = her.get(link)
    assert again["Location"] == reverse("exports")
    assert "used already" in text_of(her, reverse("exports"))


def test_a_file_goes_with_access_and_a_failed_one_says_so(
    maren: Artist, ines: User, maren_user: User, signed_in: SignIn, her: Client
) -> None:
    client = signed_in(ines)
    client.post(page("export_usage", maren), {"since": "2026-01-01", "until": "2026-02-01"})
    export = Export.objects.get()
    assert "from 2026-01-01 until 2026-02-01" in text_of(client, reverse("exports"))
    assert "No files yet" in text_of(her, reverse("exports"))
    Export.objects.update(state=WorkState.DEAD)
    assert "could not be written" in text_of(client, reverse("exports"))
    for place in Membership.objects.filter(user=ines):
        end_access(by=None, membership=place)
    progress = reverse("export_progress", kwargs={"ref": export.ref})
    assert client.get(progress).status_code == 404
    wrong = {"since": "2026-02-01", "until": "2026-01-01"}
    her.post(page("export_usage", maren), wrong)
    assert "The end must come after the beginning." in text_of(her, page("usage", maren))


def test_an_assistant_downloads_nothing_unless_she_was_let(
    maren: Artist, maren_user: User, charlie: User, signed_in: SignIn
) -> None:
    grant_access(by=maren_user, user=charlie, artist=maren, role=Role.ASSISTANT)
    client = signed_in(charlie)
    assert "as a file" not in client.get(page("usage", maren)).text
    assert client.post(page("export_usage", maren)).status_code == 403


# --- Settings ----------------------------------------------------------------------------


def test_a_person_chooses_her_name_language_and_clock(
    maren: Artist, maren_user: User, her: Client, settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    url = reverse("preferences")
    chosen = {"name": "Maren H.", "locale": "de", "time_zone": "Asia/Tokyo"}
    assert her.post(url, chosen)["Location"] == url
    maren_user.refresh_from_db()
    assert (maren_user.name, maren_user.locale, maren_user.time_zone) == tuple(chosen.values())
    assert '<html lang="de"' in her.get(url).text
    for wrong in ({"locale": "xx"}, {"time_zone": "Mars/Base"}):
        her.post(url, {**chosen, **wrong})
    maren_user.refresh_from_db()
    assert (maren_user.locale, maren_user.time_zone) == ("de", "Asia/Tokyo")


def test_settings_lead_to_everything_about_signing_in(her: Client) -> None:
    text = her.get(reverse("preferences")).text
    for name in ("mfa_index", "account_change_password", "account_email", "usersessions_list"):
        assert f'href="{reverse(name)}"' in text


@pytest.mark.parametrize("name", ["artists", "notices", "exports", "preferences"])
def test_pages_of_ones_own_need_a_sign_in_and_show_nobody_else(
    name: str, maren: Artist, charlie: User, signed_in: SignIn
) -> None:
    assert Client().get(reverse(name)).status_code == 302
    text = signed_in(charlie).get(reverse(name)).text
    assert "Maren Holt" not in text


# --- In a browser ------------------------------------------------------------------------

WIDTHS = (320, 1280)


@pytest.mark.django_db(transaction=True)
def test_pages_fit_and_complain_of_nothing_in_a_browser(
    maren: Artist, maren_user: User, live_server: Any, browser: Any
) -> None:
    recordings_of(maren, 3, title="The Long Way Down to the Water, and Everything We Said There")
    client = Client()
    sign_in(client, maren_user, second_factor=True)
    cookie = client.cookies["liner_session"].value
    complaints: list[str] = []
    for width in WIDTHS:
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.add_cookies([{"name": "liner_session", "value": cookie, "url": live_server.url}])
        tab = context.new_page()
        tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        for name in ("overview", "usage", "credits", "standard_licence", "people", "timeline"):
            tab.goto(live_server.url + page(name, maren))
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
        for name in ("notices", "exports", "preferences", "overrides"):
            tab.goto(live_server.url + reverse(name))
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
        tab.goto(live_server.url + page("usage", maren))
        tab.get_by_role("button", name="All of it as a file").click()
        tab.wait_for_url(re.compile("/files/"))
        assert tab.get_by_text("It is being written.").first.is_visible()
        context.close()
    assert complaints == []
