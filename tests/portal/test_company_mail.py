"""What AI companies read by e-mail, where no webhook tells them: each thing once, many in one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.clock import now
from consent.errors import Refused
from consent.models import AICompany, PermissionRequest, Withdrawal
from consent.scopes import Scope
from consent.services.licences import sign_licence
from consent.services.permissions import answer_permission, answer_request
from consent.services.requests import ask_permission
from consent.services.tools import change_contact, register_company
from consent.services.withdrawals import acknowledge_withdrawal, end_withdrawals_of
from consent.services.work import perform
from portal.models import (
    ApiClient,
    CompanyMail,
    CompanyNews,
    StaffAct,
    User,
    WebhookEndpoint,
    WebhookMessage,
)
from portal.services import company_mail
from portal.services.company_mail import AT_MOST_EVERY, write_company_mails
from portal.services.news import tell_news
from portal.services.retries import retry_work
from portal.services.webhooks import create_webhook, end_webhook, tell_webhooks
from tests.cast import *  # noqa: F403 - the people in every story
from tests.portal.pages import *  # noqa: F403 - Maren's world, and her signed in
from tests.portal.pages import World

pytestmark = pytest.mark.django_db

ADDRESS = "rights@tonewright.example"


def says(world: World, stance: str, use: str = "discovery", **more: Any) -> None:
    answer_permission(by=None, artist=world.maren, use=use, stance=stance, **more)


@pytest.fixture
def stopped(world: World) -> Withdrawal:
    """Maren took back a yes, and Tonewright has no webhook, but an address."""
    change_contact(by=None, company=world.tonewright, contact=ADDRESS)
    says(world, "allow")
    says(world, "deny")
    return Withdrawal.objects.get()


def send_all() -> list[CompanyMail]:
    """What the clock and a worker do next; the pause between two mails is over."""
    CompanyMail.objects.update(created_at=now() - AT_MOST_EVERY)
    write_company_mails()
    waiting = list(CompanyMail.objects.filter(state="waiting"))
    for one in waiting:
        CompanyMail.objects.filter(pk=one.pk).update(next_at=now())
        assert perform(CompanyMail, one.pk)
        one.refresh_from_db()
    return waiting


def tell(*withdrawals: Withdrawal) -> None:
    for row in withdrawals:
        perform(Withdrawal, row.pk)


def a_webhook(world: World) -> WebhookEndpoint:
    client = ApiClient.objects.create(company=world.tonewright, name="ears", created_at=now())
    return create_webhook(client=client.pk, url="https://hooks.example/ears")[0]


def test_a_company_without_a_webhook_is_told_by_e_mail_what_must_stop(
    world: World, stopped: Withdrawal, her: Client
) -> None:
    tell(stopped)
    assert stopped.told_at is None
    [sent] = send_all()
    [message] = mail.outbox
    assert message.to == [ADDRESS] == [sent.address]
    assert "1 use must stop" in message.subject
    assert isinstance(message, mail.EmailMultiAlternatives)
    for text in (message.body, str(message.alternatives[0][0])):
        assert "discovery" in text
        assert world.model.tool.slug in text
        assert str(world.maren.party.ref) in text
        assert world.maren.party.name not in text, "companies know artists by pseudonym"
        assert f"/api/v1/withdrawals/{stopped.ref}/acknowledge" in text
        assert f"{stopped.acknowledge_by:%Y-%m-%d %H:%M} UTC" in text
        assert f"{stopped.outputs_until:%Y-%m-%d %H:%M} UTC" in text
    stopped.refresh_from_db()
    assert stopped.told_at == sent.sent_at is not None
    assert "Told by e-mail" in her.get(world.url("withdrawals")).text


def test_companies_that_need_not_hear_anything_are_not_looked_at_one_by_one(
    world: World, django_assert_max_num_queries: Any
) -> None:
    for n in range(5):
        register_company(by=None, slug=f"idle-{n}", name=f"Idle {n}", contact=ADDRESS)
    with django_assert_max_num_queries(2):
        assert write_company_mails() == 0


def test_the_same_is_never_sent_twice(world: World, stopped: Withdrawal) -> None:
    assert len(send_all()) == 1
    assert send_all() == []
    [sent] = CompanyMail.objects.all()
    assert not perform(CompanyMail, sent.pk)
    CompanyMail.objects.update(state="running", locked_until=now() - timedelta(seconds=1))
    perform(CompanyMail, sent.pk)  # its worker had died after it was sent
    assert len(mail.outbox) == 1


def test_what_comes_within_minutes_is_gathered_into_one_mail(
    world: World, stopped: Withdrawal
) -> None:
    send_all()
    says(world, "allow", "analysis_training")
    for song in world.recordings[:2]:
        says(world, "allow")
        says(world, "deny", scope=Scope(recording=song))
    assert write_company_mails() == 0, "the last mail is not fifteen minutes old"
    [sent] = send_all()
    assert sent.news.count() == 2
    assert "2 uses must stop" in mail.outbox[-1].subject
    assert len(mail.outbox) == 2


def test_very_much_news_is_several_mails_each_with_its_part(
    world: World, stopped: Withdrawal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company_mail, "IN_ONE_MAIL", 2)
    for song in world.recordings:
        says(world, "allow")
        says(world, "deny", scope=Scope(recording=song))
    assert [one.news.count() for one in send_all()] == [2, 2]
    assert not Withdrawal.objects.filter(told_at=None).exists()


def test_a_webhook_that_may_still_deliver_tells_it_and_no_mail_does(
    world: World, stopped: Withdrawal, her: Client
) -> None:
    a_webhook(world)
    tell(stopped)
    assert send_all() == []
    assert "Being told" in her.get(world.url("withdrawals")).text


def test_a_webhook_that_was_given_up_or_ended_leaves_it_to_the_mail(
    world: World, stopped: Withdrawal
) -> None:
    hook = a_webhook(world)
    says(world, "allow")
    says(world, "deny", scope=Scope(recording=world.recordings[0]))
    tell(*Withdrawal.objects.all())
    first = WebhookMessage.objects.get(key=f"withdrawal {stopped.ref}")
    WebhookMessage.objects.filter(pk=first.pk).update(state="dead")
    [sent] = send_all()
    assert [one.withdrawal for one in sent.news.all()] == [stopped]
    end_webhook(client=hook.client_id, ref=hook.ref)
    [rest] = send_all()
    assert stopped not in [one.withdrawal for one in rest.news.all()]
    assert not Withdrawal.objects.filter(told_at=None).exists()


def test_what_it_read_in_the_list_or_confirmed_needs_no_mail(
    world: World, stopped: Withdrawal
) -> None:
    write_company_mails()
    acknowledge_withdrawal(by=None, company=world.tonewright, ref=str(stopped.ref))
    [unsent] = send_all()
    assert (unsent.sent_at, unsent.state, mail.outbox) == (None, "done", [])
    says(world, "allow")
    says(world, "deny", scope=Scope(recording=world.recordings[0]))
    Withdrawal.objects.filter(told_at=None).update(told_at=now())
    assert send_all() == []


def test_who_was_told_by_e_mail_is_told_by_e_mail_that_it_may_go_on(
    world: World, stopped: Withdrawal
) -> None:
    send_all()
    says(world, "allow")
    end_withdrawals_of(artist=world.maren)
    send_all()
    assert send_all() == []
    _stop, over = mail.outbox
    assert over.subject == "1 use may go on: it is allowed again"
    assert isinstance(over, mail.EmailMultiAlternatives)
    stopped.refresh_from_db()
    assert stopped.over_at is not None
    for text in (str(over.body), str(over.alternatives[0][0])):
        assert "May go on from" in text
        assert f"{stopped.over_at:%Y-%m-%d %H:%M} UTC" in text
        assert str(stopped.ref) in text
        assert "must stop" not in text


def test_what_is_over_before_the_mail_went_out_is_in_no_mail(
    world: World, stopped: Withdrawal
) -> None:
    write_company_mails()
    says(world, "allow")
    end_withdrawals_of(artist=world.maren)
    send_all()
    assert send_all() == []
    assert mail.outbox == []


def test_a_webhook_that_says_that_it_is_over_leaves_nothing_to_the_mail(
    world: World, stopped: Withdrawal
) -> None:
    hook = a_webhook(world)
    Withdrawal.objects.update(told_at=now())
    says(world, "allow")
    end_withdrawals_of(artist=world.maren)
    assert send_all() == []
    tell_webhooks()
    over = WebhookMessage.objects.get(endpoint=hook, kind="withdrawal.over")
    WebhookMessage.objects.filter(pk=over.pk).update(state="dead")
    send_all()
    assert [one.subject for one in mail.outbox] == ["1 use may go on: it is allowed again"]


def test_without_a_webhook_and_an_address_her_page_says_that_nobody_was_told(
    world: World, her: Client
) -> None:
    says(world, "allow")
    says(world, "deny")
    tell(Withdrawal.objects.get())
    assert send_all() == []
    assert "no webhook and no e-mail address" in her.get(world.url("withdrawals")).text
    change_contact(by=None, company=world.tonewright, contact=ADDRESS)
    assert "Being told" in her.get(world.url("withdrawals")).text
    assert len(send_all()) == 1, "what it was not told yet is sent now"


def test_a_mail_server_that_refuses_is_tried_again_for_a_day_and_then_seen_as_given_up(
    world: World, stopped: Withdrawal, her: Client, settings: Any, olga: User, signed_in: Any
) -> None:
    working = settings.MAILERS
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1},
        }
    }
    write_company_mails()
    [one] = CompanyMail.objects.all()
    waited = timedelta()
    while one.state != "dead":
        CompanyMail.objects.update(next_at=now())
        perform(CompanyMail, one.pk)
        one.refresh_from_db()
        waited += max(one.next_at - now(), timedelta())
    assert waited > timedelta(days=1)
    assert "e-mails to it do not arrive" in her.get(world.url("withdrawals")).text
    theirs = signed_in(olga)
    assert "mail to a company" in theirs.get(reverse("admin:work")).text
    page = theirs.get(reverse("admin:consent_aicompany_change", args=[world.tonewright.pk])).text
    assert "given up" in page
    settings.MAILERS = working
    retry_work(by=olga, row=one)
    assert [m.state for m in send_all()] == ["done"]
    assert len(mail.outbox) == 1


def test_an_address_that_was_taken_away_is_no_place_to_send_to(
    world: World, stopped: Withdrawal
) -> None:
    write_company_mails()
    change_contact(by=None, company=world.tonewright, contact="")
    [one] = CompanyMail.objects.all()
    perform(CompanyMail, one.pk)
    one.refresh_from_db()
    assert (one.state, one.sent_at, mail.outbox) == ("waiting", None, [])
    assert "no contact address" in one.last_error
    stopped.refresh_from_db()
    assert stopped.told_at is None


def test_an_answered_question_is_told_once_with_its_answer_and_nobodys_name(world: World) -> None:
    change_contact(by=None, company=world.tonewright, contact=ADDRESS)
    ask_permission(
        by=None,
        tool=world.model.tool,
        use="style",
        why="An album in her manner.",
        artists=[world.maren],
    )
    asked = PermissionRequest.objects.get()
    assert send_all() == [], "it waits for an answer"
    answer_request(by=None, request=asked, stance="deny")
    assert len(send_all()) == 1
    [message] = mail.outbox
    assert message.subject == "A question of yours was answered"
    assert f"/api/v1/requests/{asked.batch}" in message.body
    assert ": no" in message.body
    assert world.maren.party.name not in message.body
    assert send_all() == []


def test_an_answer_that_a_webhook_says_is_in_no_mail_but_one_older_than_the_webhook_is(
    world: World,
) -> None:
    change_contact(by=None, company=world.tonewright, contact=ADDRESS)

    def asked(use: str) -> PermissionRequest:
        ask_permission(
            by=None, tool=world.model.tool, use=use, why="An album.", artists=[world.maren]
        )
        return PermissionRequest.objects.get(use=use)

    answer_request(by=None, request=asked("style"), stance="deny")
    hook = a_webhook(world)
    [before] = send_all()
    answer_request(by=None, request=asked("remix_input"), stance="allow")
    tell_webhooks()
    assert [one.about["request"] for one in before.news.all()] == [
        str(PermissionRequest.objects.get(use="style").batch)
    ]
    assert send_all() == []
    WebhookMessage.objects.filter(endpoint=hook, kind="request.answered").update(state="dead")
    assert [one.news.count() for one in send_all()] == [1]
    assert ": yes" in mail.outbox[-1].body


def test_an_objection_to_a_licence_that_does_without_her_reaches_the_company(
    world: World,
) -> None:
    change_contact(by=None, company=world.tonewright, contact=ADDRESS)
    version = sign_licence(
        by=None,
        holder=world.fjord,
        company=world.tonewright,
        title="Without asking",
        uses=["discovery"],
        terms="§ 14.2",
        artist_approval=False,
        override_clause="§ 14.2",
    )
    tell_news()
    says(world, "deny")
    tell_news()
    says(world, "undecided")
    says(world, "deny")
    tell_news()
    sent = [one for one in send_all() if one.sent_at]
    assert len(sent) == 1
    text = mail.outbox[-1].body
    assert text.count(str(version.licence.ref)) == 1, "who objects how often is not said"
    assert "What is allowed does not change" in text
    assert world.maren.party.name not in text
    assert CompanyNews.objects.filter(kind="objection").count() == 2
    tell_news()
    assert send_all() == []


def test_a_name_with_a_line_break_forges_no_header(world: World, stopped: Withdrawal) -> None:
    send_all()
    assert "\n" not in mail.outbox[0].subject


@pytest.mark.parametrize("text", ["rights", "rights@", "a@b\nBcc: c@d.example", "@x.example"])
def test_what_is_no_address_is_refused_as_one(tonewright: AICompany, text: str) -> None:
    with pytest.raises(Refused) as refused:
        change_contact(by=None, company=tonewright, contact=text)
    assert refused.value.field == "contact"
    with pytest.raises(Refused):
        register_company(by=None, slug="larksong", name="Larksong", contact=text)
    tonewright.refresh_from_db()
    assert tonewright.contact == ""


def test_the_operator_changes_the_address_with_a_reason_and_a_wrong_one_is_shown_beside_it(
    tonewright: AICompany, olga: User, signed_in: Callable[[User], Client]
) -> None:
    theirs = signed_in(olga)
    page = reverse("admin:consent_aicompany_contact", args=[tonewright.pk])
    wrong = theirs.post(page, {"contact": "nobody", "reason": "They wrote to us."})
    assert "contact" in wrong.context["form"].errors
    theirs.post(page, {"contact": ADDRESS, "reason": "They wrote to us."})
    tonewright.refresh_from_db()
    assert tonewright.contact == ADDRESS
    assert StaffAct.objects.get().action == "company.contact"
    shown = theirs.get(reverse("admin:consent_aicompany_change", args=[tonewright.pk]))
    assert ADDRESS in shown.text


def both(letter: Any) -> tuple[str, str]:
    return str(letter.body), " ".join(str(letter.alternatives[0][0]).split())


def test_the_contact_person_reads_words_beside_the_codes_and_no_nothing(
    world: World, stopped: Withdrawal
) -> None:
    Withdrawal.objects.filter(pk=stopped.pk).delete()
    song = world.recordings[0]
    says(world, "allow")
    says(world, "deny", scope=Scope(recording=song))
    send_all()
    tool, model = world.model.tool, world.model
    for text in both(mail.outbox[-1]):
        assert "Recommend (discovery)" in text
        assert f"{tool.name} ({tool.slug}) {model.name}" in text
        assert song.title in text and song.isrc in text
        assert "None" not in text
        assert settings.LEDGER_OPERATOR["contact"] in text
    assert "Confirm by" in both(mail.outbox[-1])[1].partition("<h1>")[0]
