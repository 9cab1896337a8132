"""What people are sent about their account: in the portal's own words, with one thing to do."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from portal.models import User

pytestmark = pytest.mark.django_db

ADDRESS = "maren@liner.example"
PASSWORD = "a long enough pass phrase"


@pytest.fixture
def maren_has_an_account(db: None) -> User:
    return User.objects.create_user(email=ADDRESS, password=PASSWORD)


def the_mail() -> EmailMessage:
    (sent,) = mail.outbox
    assert sent.to == [ADDRESS]
    assert "\n" not in sent.subject
    assert str(sent.body).rstrip().splitlines()[-3:-1] == ["-- ", "Liner Notes"]
    assert "Hello from" not in sent.body and "You are receiving" not in sent.body
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
    (address,) = re.findall(r"https?://\S+", str(sent.body))
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
    assert "Enter this code" in sent.body
    assert "http" not in sent.body.partition("-- ")[0]


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
    assert "If it was not you, choose a new password at once" in sent.body
