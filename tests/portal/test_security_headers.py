"""What every answer says to the browser, and who must prove more than a password."""

import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from portal import environment, failures, middleware
from portal.db.cache import SteadyRedisCache
from portal.models import User

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long walk by the fjord"

pytestmark = pytest.mark.django_db


def person(email: str, **fields: Any) -> User:
    user = User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def ines() -> User:
    return person("ines@roster.example", name="Ines", is_staff=True)


@pytest.fixture
def maren() -> User:
    return person("maren@fjord.example", name="Maren Holt", time_zone="Europe/Oslo", locale="de")


def sign_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password})


# --- Headers ---------------------------------------------------------------------------


def test_the_content_policy_is_strict_and_its_nonce_is_new_each_time(client: Client) -> None:
    policies = [client.get("/accounts/login/")["Content-Security-Policy"] for _ in range(2)]
    for policy in policies:
        assert "unsafe" not in policy
        for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
    assert policies[0] != policies[1] or "nonce-" not in policies[0]


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/password/reset/", "/admin/", "/nowhere/", "/accounts/signup/"],
)
def test_nothing_outside_the_public_list_may_be_stored(client: Client, path: str) -> None:
    assert client.get(path)["Cache-Control"] == "private, no-store"


def test_pages_cannot_be_framed_or_sniffed(client: Client) -> None:
    answer = client.get("/accounts/login/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_sign_in_pages_hold_no_inline_script_or_style(client: Client) -> None:
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        page = client.get(path).content.decode()
        # A block of data is no script to a browser.
        page = re.sub(r'<script[^>]*type="application/json"[^>]*>', "", page)
        assert not re.search(r"<script(?![^>]*\b(src|nonce)=)[^>]*>", page), path
        assert not re.search(r"<style(?![^>]*\bnonce=)", page), path
        assert not re.search(r"\s(style|on[a-z]+)=\"", page), path


def test_the_session_cookie_is_out_of_reach_of_scripts(client: Client, maren: User) -> None:
    sign_in(client, maren)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


# --- The second factor -----------------------------------------------------------------


def test_staff_without_a_second_factor_are_led_to_set_one_up(client: Client, ines: User) -> None:
    sign_in(client, ines)
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/2fa/"


@pytest.mark.django_db(transaction=True)  # the library remembers it after the commit
def test_the_way_to_a_second_factor_is_open(client: Client, ines: User) -> None:
    sign_in(client, ines)
    assert client.get("/accounts/2fa/").status_code == 200
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith(
        "/accounts/reauthenticate/"
    )
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    secret = page.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200


def test_a_session_from_before_the_second_factor_must_prove_it(client: Client, ines: User) -> None:
    sign_in(client, ines)
    secret = generate_totp_secret()
    TOTP.activate(ines, secret)  # in another browser
    way = client.get("/admin/")["Location"]
    assert way == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2F"
    answer = client.post(way, {"code": code_of(secret)})
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_second_factor_that_somebody_else_proved_here_is_no_proof(
    client: Client, ines: User, maren: User
) -> None:
    sign_in(client, ines)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
    session["account_authentication_methods_user"] = str(maren.pk)
    session.save()
    assert client.get("/admin/")["Location"] == "/accounts/2fa/"


def test_the_demo_offers_a_second_factor_and_does_not_demand_it(
    client: Client, ines: User, settings: Any
) -> None:
    settings.SECOND_FACTOR_DEMANDED = False
    sign_in(client, ines)
    assert client.get("/admin/").status_code == 200


def test_an_artist_needs_no_second_factor(client: Client, maren: User) -> None:
    sign_in(client, maren)
    answer = client.get("/accounts/password/change/")
    assert answer.status_code == 200


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def test_staff_enter_the_admin_with_password_and_code(client: Client, ines: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(ines, secret)
    answer = sign_in(client, ines)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200


def test_seeds_of_second_factors_are_encrypted_in_the_database(ines: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(ines, secret)
    RecoveryCodes.activate(ines)
    kept = list(Authenticator.objects.values_list("data", flat=True))
    assert secret not in str(kept)
    codes = RecoveryCodes(
        Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    ).generate_codes()
    assert codes
    assert not any(code in str(kept) for code in codes)


def test_an_older_key_still_reads_what_it_wrote(settings: Any) -> None:
    written = get_adapter().encrypt("seed")
    new = "bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE="
    settings.MFA_KEYS = [new, *settings.MFA_KEYS]
    assert get_adapter().decrypt(written) == "seed"
    again = get_adapter().encrypt("seed")
    settings.MFA_KEYS = [new]
    assert get_adapter().decrypt(again) == "seed"


# --- Attempts --------------------------------------------------------------------------


def test_the_sixth_wrong_password_for_an_address_is_not_even_tried(
    client: Client, maren: User
) -> None:
    for _ in range(5):
        sign_in(client, maren, "wrong")
    answer = sign_in(client, maren)
    assert "_auth_user_id" not in client.session
    assert answer.status_code == 429
    assert answer["Retry-After"] == "300"


def test_one_person_cannot_lock_out_another(client: Client, maren: User, ines: User) -> None:
    for _ in range(6):
        sign_in(client, ines, "wrong")
    sign_in(client, maren)
    assert client.session["_auth_user_id"] == str(maren.pk)


def test_attempts_at_many_addresses_are_limited_too(client: Client) -> None:
    answers = [
        client.post("/accounts/login/", {"login": f"{n}@fjord.example", "password": "wrong"})
        for n in range(12)
    ]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429


def test_signing_in_works_within_two_seconds_while_redis_is_away(
    client: Client, maren: User, settings: Any
) -> None:
    backend = settings.CACHES["default"]
    settings.CACHES = {"default": {**backend, "LOCATION": "redis://192.0.2.1:6379/0"}}
    started = time.monotonic()
    sign_in(client, maren)
    assert time.monotonic() - started < 2
    assert "_auth_user_id" in client.session


def test_attempts_are_still_counted_while_redis_is_away() -> None:
    away = SteadyRedisCache("unix:///nowhere/valkey.sock", {})
    assert away.add("attempts", 1)
    assert not away.add("attempts", 1)
    assert away.incr("attempts") == 2
    away.touch("attempts", 60)
    away.set("attempts", 7)
    assert away.get("attempts") == 7
    away.delete("attempts")
    assert away.get("attempts") is None


def test_attempts_are_counted_in_redis_while_it_is_there() -> None:
    cache.set("attempts", 1)
    other_process = SteadyRedisCache(
        settings.CACHES["default"]["LOCATION"],
        {"KEY_PREFIX": settings.CACHES["default"]["KEY_PREFIX"]},
    )
    assert other_process.incr("attempts") == 2
    assert cache.get("attempts") == 2
    other_process.close()


def test_a_known_and_an_unknown_address_get_the_same_answer(client: Client, maren: User) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in (maren.email, "charlie@nowhere.example")
    ]
    assert {(a.status_code, a["Location"]) for a in answers} == {
        (302, "/accounts/password/reset/done/")
    }


# --- The viewer ------------------------------------------------------------------------


def see(user: Any) -> dict[str, str]:
    """Return what a view finds active when `user` asks for it."""
    seen: dict[str, str] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen["zone"] = timezone.get_current_timezone_name()
        seen["language"] = str(request.LANGUAGE_CODE)
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = user
    request.session = Client().session
    middleware.ViewerMiddleware(view)(request)
    return seen


def test_a_page_speaks_her_language_and_shows_her_time(maren: User, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    assert see(maren) == {"zone": "Europe/Oslo", "language": "de"}
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_zone_that_this_machine_does_not_know_is_utc(maren: User) -> None:
    maren.time_zone = "Atlantis/Capital"
    assert see(maren)["zone"] == "UTC"


def test_a_session_of_staff_ends_after_three_idle_hours(client: Client, ines: User) -> None:
    sign_in(client, ines)
    client.get("/accounts/2fa/")
    ends_at = Session.objects.get(session_key=client.session.session_key).expire_date
    assert ends_at - timezone.now() <= timedelta(hours=3)


# --- Failures --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/v1/decisions"])
def test_an_unreachable_database_is_503_with_a_time_to_come_back(path: str) -> None:
    request = RequestFactory().get(path)

    def away(_: HttpRequest) -> HttpResponse:
        raise OperationalError("connection refused")

    chain = middleware.PrivateByDefaultMiddleware(away)
    answer = chain.process_exception(request, OperationalError("connection refused"))
    assert answer is not None
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    try:
        away(request)
    except OperationalError:
        assert failures.server_error(request).status_code == 503
    assert chain.process_exception(request, ValueError()) is None


def test_web_requests_have_a_time_limit_in_the_database() -> None:
    code = "from portal import settings; print(settings.DATABASES['default']['OPTIONS']['options'])"
    answer = run_python(code, LINER_PROCESS="web")
    assert "statement_timeout=15000" in answer.stdout
    assert "lock_timeout=5000" in answer.stdout
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


# --- Production ------------------------------------------------------------------------


def run_python(code: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    plain = {n: v for n, v in os.environ.items() if not n.startswith(("LINER_", "DATABASE_"))}
    plain.pop("REDIS_URL", None)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**plain, "LINER_STATE": str(settings.STATE), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {
    **dict.fromkeys(environment.REQUIRED_IN_PRODUCTION, "x" * 60),
    "LINER_ENV": "production",
    "LINER_SECRET_KEY": "x" * 60,
    "LINER_VAULT_KEY": "7e" * 32,
    "LINER_MFA_KEYS": "dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMhISE=",
    "LINER_HOSTS": "notes.example",
    "DATABASE_URL": "postgresql://liner_app:secret@db.example/liner_notes",
    "REDIS_URL": "redis://redis.example/0",
    "LINER_EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
    "LINER_MAIL_FROM": "notes@notes.example",
}


@pytest.mark.parametrize("missing", [name for name in PRODUCTION if name != "LINER_ENV"])
def test_production_refuses_to_start_without_a_setting_and_names_it(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    answer = run_python("import portal.settings", **given)
    assert answer.returncode
    named = [name for name in PRODUCTION if f"  {name}:" in answer.stderr]
    assert named == [missing]


def test_production_is_closed() -> None:
    expected = {
        "DEBUG": False,
        "DEMO": False,
        "SECOND_FACTOR_DEMANDED": True,
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
        "SECURE_SSL_REDIRECT": True,
        "ALLOWED_HOSTS": ["notes.example"],
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": False,
    }
    code = f"from portal import settings as s; print({{n: getattr(s, n) for n in {[*expected]}}})"
    answer = run_python(code, LINER_DEMO="1", LINER_DEBUG="1", **PRODUCTION)
    assert answer.stdout.strip() == str(expected)


def test_a_production_web_server_does_not_know_the_owner_of_the_database() -> None:
    code = "from portal import settings as s; print(sorted(s.DATABASES))"
    assert run_python(code, **PRODUCTION).stdout == "['default']\n"
