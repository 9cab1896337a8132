"""Label staff see their own label's in the admin, and nothing of others: not even a count."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from consent.clock import now
from consent.models import Withdrawal
from consent.scopes import Scope
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission
from consent.services.tools import register_company, register_model_version, register_tool
from portal.models import Membership, Roster, User
from portal.roles import Role
from portal.services.delegation import end_access, grant_access
from portal.services.granting import close_admin
from portal.services.people import let_person_in
from tests.cast import *  # noqa: F403 - the people in every story
from tests.cast import recordings_of, somebody
from tests.portal.admin.world import *  # noqa: F403
from tests.portal.admin.world import Labels, Side

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]

FOR_LABELS = [
    "consent_artist",
    "consent_recording",
    "consent_release",
    "consent_rightsclaim",
    "consent_licence",
    "consent_permission",
    "consent_withdrawal",
    "consent_cataloguemessage",
    "portal_staffact",
]


def names_of_the_admin() -> Iterator[tuple[str, URLPattern]]:
    def walk(patterns: object) -> Iterator[URLPattern]:
        for one in patterns:  # type: ignore[attr-defined]
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns)
            else:
                yield one

    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.app_name == "admin":
            for pattern in walk(resolver.url_patterns):
                if pattern.name:
                    yield pattern.name, pattern


def of_the_other(side: Side, body: str) -> list[str]:
    """What of this label stands in a page."""
    words = [side.canary, side.artist.party.name, side.label.name, side.staff.name]
    return [word for word in words if word in body]


def registered_for_labels() -> list[str]:
    return [
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model, pages in admin.site._registry.items()
        if getattr(pages, "for_labels", False)
    ]


def test_the_tests_know_every_page_that_labels_have() -> None:
    assert sorted(registered_for_labels()) == sorted(FOR_LABELS)


def test_a_list_shows_ones_own_and_nothing_of_another_label(
    labels: Labels, olga: User, signed_in: SignIn
) -> None:
    for name in FOR_LABELS:
        address = reverse(f"admin:{name}_changelist")
        counted = []
        for side, other in ((labels.fjord, labels.kestrel), (labels.kestrel, labels.fjord)):
            answer = signed_in(side.staff).get(address)
            assert answer.status_code == 200
            assert of_the_other(other, answer.text) == []
            shown = answer.context["cl"]
            assert shown.result_count >= 1
            counted.append((shown.result_count, shown.full_result_count))
        everything = signed_in(olga).get(address).context["cl"]
        sums = tuple(sum(parts) for parts in zip(*counted, strict=True))
        assert sums == (everything.result_count, everything.full_result_count)


def test_filters_searches_and_counts_reveal_nothing(labels: Labels, signed_in: SignIn) -> None:
    for name in FOR_LABELS:
        hers = signed_in(labels.fjord.staff)
        url = reverse(f"admin:{name}_changelist")
        for query in (
            "_facets=True",
            "q=Kestrelcanary",
            "q=Zzyzx",
            "all=",
            "which=all",
            "stage=open",
        ):
            answer = hers.get(f"{url}?{query}")
            text = re.sub(r"(value|href)=\"[^\"]*\"", "", answer.text)
            assert of_the_other(labels.kestrel, text) == [], query
            assert "Kestrel" not in text


def test_a_page_of_another_label_is_not_there(labels: Labels, signed_in: SignIn) -> None:
    for name in FOR_LABELS:
        hers = signed_in(labels.fjord.staff)
        own, other = labels.fjord.things[name], labels.kestrel.things[name]
        answer = hers.get(reverse(f"admin:{name}_change", args=[own.pk]))
        assert answer.status_code == 200
        assert of_the_other(labels.kestrel, answer.text) == []
        history = hers.get(reverse(f"admin:{name}_history", args=[own.pk]))
        assert history.status_code == 200
        assert of_the_other(labels.kestrel, history.text) == []
        nowhere = reverse(f"admin:{name}_change", args=[987654321])
        for address in (
            reverse(f"admin:{name}_change", args=[other.pk]),
            reverse(f"admin:{name}_history", args=[other.pk]),
            nowhere,
        ):
            assert hers.get(address).status_code == 404
            assert hers.post(address).status_code == 404


def test_no_doing_reaches_a_thing_of_another_label(labels: Labels, signed_in: SignIn) -> None:
    hers = signed_in(labels.fjord.staff)
    tried = 0
    for model, pages in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for one in getattr(pages, "doings", ()):
            thing = labels.kestrel.things.get(name)
            address = reverse(f"admin:{name}_{one.name}", args=[thing.pk if thing else 1])
            expected = 404 if thing else 403
            assert hers.get(address).status_code == expected, address
            assert hers.post(address, {"reason": "I try"}).status_code == expected, address
            tried += 1
    assert tried > 10


def test_every_operators_page_is_closed_to_labels(labels: Labels, signed_in: SignIn) -> None:
    hers = signed_in(labels.fjord.staff)
    for model, pages in admin.site._registry.items():
        if getattr(pages, "for_labels", False):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert hers.get(reverse(f"{name}_changelist")).status_code == 403, name
        assert hers.get(reverse(f"{name}_change", args=[1])).status_code == 403, name
    assert hers.get(reverse("admin:work")).status_code == 403
    assert hers.get(reverse("admin:work_retry", args=["portal-export", 1])).status_code == 403


def test_the_first_page_says_what_waits_for_this_label_only(
    labels: Labels, signed_in: SignIn
) -> None:
    answer = signed_in(labels.fjord.staff).get(reverse("admin:index"))
    assert of_the_other(labels.kestrel, answer.text) == []
    counts = {str(one.text): one.count for one in answer.context["waiting"]}
    assert counts["Withdrawals that a company should have acknowledged"] == 1
    assert counts["Questions of AI companies that your artists have not answered"] == 1
    assert "Fjordcanary agreement" in answer.text  # what staff did last


def test_an_artist_of_two_labels_is_shown_to_each_without_the_others_dealings(
    labels: Labels, signed_in: SignIn
) -> None:
    maren, kestrel = labels.fjord.artist, labels.kestrel.label
    [theirs] = recordings_of(maren, title="Kestrelcanary too", holder=kestrel)
    echoic = register_company(by=None, slug="echoic", name="Echoic")
    tool = register_tool(by=None, company=echoic, slug="echo", name="Echo", kind="composer")
    register_model_version(by=None, tool=tool, name="v1")
    sign_licence(by=None, holder=kestrel, company=echoic, title="Echo deal", uses=["discovery"])
    on_theirs = answer_permission(
        by=None, artist=maren, use="style", stance="deny", scope=Scope(recording=theirs)
    ).permission
    answer_permission(by=None, artist=maren, use="discovery", stance="allow")
    answer_permission(by=None, artist=maren, use="discovery", stance="deny")
    withdrawal = Withdrawal.objects.get(company=echoic)

    for side, status in ((labels.fjord, 404), (labels.kestrel, 200)):
        hers = signed_in(side.staff)
        for name, thing in (
            ("consent_permission", on_theirs),
            ("consent_withdrawal", withdrawal),
            ("consent_recording", theirs),
        ):
            page = hers.get(reverse(f"admin:{name}_change", args=[thing.pk]))
            assert page.status_code == status, (side.label.name, name)
    hers = signed_in(labels.fjord.staff)
    text = hers.get(reverse("admin:consent_artist_change", args=[maren.pk])).text
    assert "Kestrelcanary" not in text
    assert "Echoic" not in text


def test_the_queue_of_another_label_is_not_there(labels: Labels, signed_in: SignIn) -> None:
    hers = signed_in(labels.fjord.staff)
    queue = hers.get(reverse("admin:conflicts"))
    assert queue.status_code == 200
    assert "Fjordcanary" in queue.text
    assert of_the_other(labels.kestrel, queue.text) == []
    other = labels.kestrel
    assert hers.get(reverse("admin:conflicts"), {"label": other.label.pk}).status_code == 404
    profile = type(other.recordings[0]).objects.get(pk=other.recordings[0].pk).profile_id
    group = reverse("admin:conflict", args=[other.label.pk, profile])
    assert hers.get(group).status_code == 404
    assert (
        hers.get(reverse("admin:conflict", args=[labels.fjord.label.pk, profile])).status_code
        == 404
    )


@pytest.mark.parametrize("name", ["sign", "make", "message", "claims"])
def test_forms_offer_ones_own_labels_and_artists_only(
    name: str, labels: Labels, signed_in: SignIn
) -> None:
    pages = {"sign": "licence", "make": "rightsclaim"}.get(name, "cataloguemessage")
    answer = signed_in(labels.fjord.staff).get(reverse(f"admin:consent_{pages}_{name}"))
    assert answer.status_code == 200
    assert of_the_other(labels.kestrel, answer.text) == []


def run_out(user: User) -> None:
    """Let the time of all that this person was granted be over."""
    Membership.objects.filter(user=user).update(ends_at=F("starts_at") + timedelta(microseconds=1))


def test_staff_whose_time_ran_out_find_an_empty_admin(labels: Labels, signed_in: SignIn) -> None:
    hers = signed_in(labels.fjord.staff)
    run_out(labels.fjord.staff)
    index = hers.get(reverse("admin:index"))
    assert index.status_code == 200
    assert of_the_other(labels.fjord, index.text.replace(labels.fjord.staff.name, "")) == []
    for name in FOR_LABELS:
        assert hers.get(reverse(f"admin:{name}_changelist")).status_code == 403


def test_staff_whose_last_label_ended_their_access_have_no_admin_any_more(
    labels: Labels, kestrel_roster: Roster, signed_in: SignIn
) -> None:
    staff = labels.fjord.staff
    hers = signed_in(staff)
    grant_access(by=None, user=staff, roster=kestrel_roster, role=Role.LABEL_STAFF)
    first, last = Membership.objects.filter(user=staff).order_by("pk")
    end_access(by=None, membership=first)
    assert hers.get(reverse("admin:index")).status_code == 200, "she still works for a label"
    end_access(by=staff, membership=last)
    staff.refresh_from_db()
    assert not staff.is_staff
    for address in ("/admin/", "/admin/login/", reverse("admin:consent_artist_changelist")):
        assert hers.get(address).status_code == 403


def test_who_left_a_label_and_is_let_in_again_has_the_admin_again(
    labels: Labels, fjord_roster: Roster, signed_in: SignIn
) -> None:
    staff = labels.fjord.staff
    end_access(by=None, membership=Membership.objects.get(user=staff))
    assert signed_in(staff).get("/admin/").status_code == 403
    let_person_in(by=None, email=staff.email, role=Role.LABEL_STAFF, roster=fjord_roster)
    assert signed_in(staff).get("/admin/").status_code == 200


def test_the_clock_lets_out_whose_time_at_the_last_label_ran_out_and_nobody_else(
    labels: Labels, fjord_roster: Roster, olga: User
) -> None:
    grant_access(by=None, user=olga, roster=fjord_roster, role=Role.LABEL_STAFF)
    of_no_label = somebody("Birk Strand", is_staff=True)
    run_out(labels.fjord.staff)
    run_out(olga)
    assert close_admin() == 1
    assert close_admin() == 0
    staff = User.objects.filter(is_staff=True)
    assert set(staff) == {labels.kestrel.staff, olga, of_no_label}


def test_the_operator_who_also_worked_for_a_label_stays_in_the_admin(
    fjord_roster: Roster, olga: User, signed_in: SignIn
) -> None:
    theirs = grant_access(by=None, user=olga, roster=fjord_roster, role=Role.LABEL_STAFF)
    end_access(by=olga, membership=theirs)
    assert signed_in(olga).get("/admin/").status_code == 200


def test_the_list_of_one_app_does_not_say_that_one_works_for_no_label(
    labels: Labels, signed_in: SignIn
) -> None:
    nobody = "You work for no label"
    hers = signed_in(labels.fjord.staff)
    for address in (reverse("admin:index"), reverse("admin:app_list", args=["consent"])):
        assert nobody not in hers.get(address).text
    run_out(labels.fjord.staff)
    assert nobody in hers.get(reverse("admin:index")).text


def test_the_operator_sees_both_labels(labels: Labels, olga: User, signed_in: SignIn) -> None:
    theirs = signed_in(olga)
    for name in FOR_LABELS:
        for side in (labels.fjord, labels.kestrel):
            page = reverse(f"admin:{name}_change", args=[side.things[name].pk])
            assert theirs.get(page).status_code == 200, page


def test_charlie_and_artists_have_no_admin(
    labels: Labels, charlie: User, maren_user: User, ines: User, signed_in: SignIn
) -> None:
    for one in (charlie, maren_user, ines):
        theirs = signed_in(one)
        for address in ("/admin/", "/admin/login/", reverse("admin:consent_artist_changelist")):
            assert theirs.get(address).status_code == 403


def test_nobody_enters_without_signing_in(labels: Labels, client: Client) -> None:
    for name, pattern in names_of_the_admin():
        if pattern.pattern.converters or name == "app_list":
            continue
        answer = client.get(reverse(f"admin:{name}"), follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/"), name


def test_no_row_is_added_edited_or_deleted_by_hand(
    labels: Labels, olga: User, signed_in: SignIn
) -> None:
    theirs = signed_in(olga)
    names = {name for name, _pattern in names_of_the_admin()}
    assert not [name for name in names if name.endswith(("_add", "_delete"))]
    assert "autocomplete" not in names
    assert "view_on_site" not in names
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert not pages.list_editable
        before = model._default_manager.count()
        listing = reverse(f"{name}_changelist")
        theirs.post(
            listing, {"action": "delete_selected", "_selected_action": ["1"], "post": "yes"}
        )
        theirs.post(f"{listing}add/", {})
        assert model._default_manager.count() == before


def test_only_our_own_pages_are_registered() -> None:
    from portal.admin.base import ScopedAdmin

    assert admin.site._registry
    assert all(isinstance(pages, ScopedAdmin) for pages in admin.site._registry.values())


def test_withdrawals_name_the_tool_and_what_is_over_comes_last(
    labels: Labels, olga: User, signed_in: SignIn
) -> None:
    first = Withdrawal.objects.earliest("id")
    Withdrawal.objects.filter(pk=first.pk).update(
        over_at=now(), acknowledge_by=now() - timedelta(days=30)
    )
    answer = signed_in(olga).get(reverse("admin:consent_withdrawal_changelist"))
    rows = list(answer.context["cl"].result_list)
    assert len(rows) > 1
    assert rows[-1] == first
    assert first.model_version is not None
    assert f"{first.model_version.tool} {first.model_version}" in answer.text


@pytest.mark.parametrize("who", ["liv", "olga"])
def test_no_page_asks_more_than_thirty_questions(
    who: str, labels: Labels, signed_in: SignIn, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(who)
    theirs = signed_in(user)
    addresses = [reverse("admin:index"), reverse("admin:conflicts")]
    for name in FOR_LABELS:
        addresses.append(reverse(f"admin:{name}_changelist"))
        addresses.append(reverse(f"admin:{name}_change", args=[labels.fjord.things[name].pk]))
    addresses.append(reverse("admin:consent_licence_sign"))
    if who == "olga":
        addresses.append(reverse("admin:work"))
        addresses.append(reverse("admin:consent_aicompany_change", args=[labels.company.pk]))
    asked = {}
    for address in addresses:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert theirs.get(address).status_code == 200
        asked[address] = len(queries)
    assert max(asked.values()) <= 30, asked
