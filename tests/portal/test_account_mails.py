"""What people are sent about their account: in the portal's own words, with one thing to do."""

import re

import pytest
from allauth.account.adapter import get_adapter
from allauth.core import context
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client, RequestFactory
from django.urls import reverse

from portal.models import User

pytestmark = pytest.mark.django_db

ADDRESS = "maren@liner.example"
PASSWORD = "a long enough pass phrase"


@pytest.fixture
def maren_has_an_account(db: None) -> User:
    return User.objects.create_user(email=ADDRESS, password=PASSWORD)


def the_mail() -> EmailMultiAlternatives:
    (sent,) = mail.outbox
    assert sent.to == [ADDRESS]
    assert "\n" not in sent.subject
    assert str(sent.body).rstrip().splitlines()[-3:-1] == ["-- ", "Liner Notes"]
    assert "Hello from" not in sent.body and "You are receiving" not in sent.body
    assert f"Sent to {ADDRESS}, because" in sent.body and "None" not in sent.body
    assert isinstance(sent, EmailMultiAlternatives)
    page = str(sent.alternatives[0][0])
    assert f"<h1>{sent.subject}</h1>" in page
    for fetched in ("<img", "<link", "url(", "@import", "src="):
        assert fetched not in page
    for address in re.findall(r"^https?://\S+$", str(sent.body), flags=re.MULTILINE):
        assert f'<a href="{address}">' in page
    return sent


def ask_for_a_new_password(client: Client) -> None:
    client.post(reverse("account_reset_password"), {"email": ADDRESS})


def sign_up(client: Client) -> None:
    client.post(
        reverse("account_signup"), {"email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD}
    )


def test_who_forgot_her_password_gets_one_address_that_opens(
    client: Client, maren_has_an_account: User
) -> None:
    ask_for_a_new_password(client)
    sent = the_mail()
    assert sent.subject == "Choose a new password"
    (address,) = re.findall(r"^https?://\S+$", str(sent.body), flags=re.MULTILINE)
    assert client.get(address, follow=True).status_code == 200


def test_a_stranger_who_forgot_a_password_is_told_that_there_is_none(client: Client) -> None:
    ask_for_a_new_password(client)
    sent = the_mail()
    assert "no account with this address" in sent.body
    assert reverse("account_signup") in sent.body


def test_whoever_signs_up_gets_a_code(client: Client) -> None:
    sign_up(client)
    sent = the_mail()
    assert sent.subject == "Confirm your e-mail address"
    code = str(sent.body).splitlines()[0]
    assert re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", code), "the first that a locked screen shows"
    assert "Enter this code" in sent.body and "for 15 minutes" in sent.body
    assert f'<p class="code"> {code} </p>' in " ".join(str(sent.alternatives[0][0]).split())
    assert "http" not in str(sent.body).partition("-- ")[0]


def test_whoever_signs_up_a_second_time_is_told_so(
    client: Client, maren_has_an_account: User
) -> None:
    sign_up(client)
    sent = the_mail()
    assert sent.subject == "You have an account already"
    assert reverse("account_reset_password") in sent.body


def test_a_changed_password_is_told_with_what_to_do_if_it_was_not_she(
    client: Client, maren_has_an_account: User
) -> None:
    client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD})
    mail.outbox.clear()
    client.force_login(
        maren_has_an_account, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    new = "another long enough pass phrase"
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    maren_has_an_account.refresh_from_db()
    assert maren_has_an_account.check_password(new)
    sent = the_mail()
    assert sent.subject == "Your password was changed"
    assert str(sent.body).startswith("The password of your account was changed.")
    assert "If it was not you, choose a new password at once" in sent.body
    assert re.search(r"When: \d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC", str(sent.body))


EVERY_NOTE = (
    "account/email/password_changed",
    "account/email/password_reset",
    "account/email/password_set",
    "account/email/email_changed",
    "account/email/email_confirm",
    "account/email/email_deleted",
    "mfa/email/recovery_codes_generated",
    "mfa/email/totp_activated",
    "mfa/email/totp_deactivated",
    "mfa/email/webauthn_added",
    "mfa/email/webauthn_removed",
)


@pytest.mark.parametrize("template", EVERY_NOTE)
def test_whatever_changes_in_an_account_is_told_in_words_of_ours(
    template: str, maren_has_an_account: User, rf: RequestFactory
) -> None:
    request = rf.get("/", headers={"user-agent": "https://evil.example/"})
    facts = {
        "from_email": ADDRESS,
        "to_email": "maren@holt.example",
        "deleted_email": "maren@holt.example",
    }
    with context.request_context(request):
        get_adapter().send_notification_mail(
            template, maren_has_an_account, context=facts, email=ADDRESS
        )
    sent = the_mail()
    assert not re.search(r" [A-Z]", str(sent.subject)), "a sentence, and no Title In Capitals"
    first = str(sent.body).splitlines()[0]
    assert first.endswith(".") and not first.startswith("This was changed")
    assert settings.LEDGER_OPERATOR["contact"] in sent.body, "who lost the account has somebody"
    assert "two-factor" not in str(sent.body).lower()
    assert 'href="https://evil' not in str(sent.alternatives[0][0])
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
