"""Keys of AI companies: shown once, found quickly, worthless when revoked."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from consent.clock import now
from consent.errors import Refused
from consent.models import AICompany
from portal.models import ApiClient, ApiKey
from portal.roles import ApiScope
from portal.services.clients import (
    CreatedKey,
    create_api_client,
    create_api_key,
    find_key,
    note_use,
    revoke_api_key,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client_of(tonewright: AICompany) -> ApiClient:
    return create_api_client(by=None, company=tonewright, name="reporting")


def test_a_key_is_found_by_itself_in_one_query(
    tonewright_key: CreatedKey, tonewright: AICompany, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        key = find_key(tonewright_key.secret)
        assert key is not None
        assert key.client.company == tonewright
        assert key.client.company.party.name == "Tonewright"


def test_only_a_digest_of_the_key_is_kept(tonewright_key: CreatedKey) -> None:
    row = ApiKey.objects.values().get()
    assert row["digest"] == hashlib.sha256(tonewright_key.secret.encode()).hexdigest()
    secret = tonewright_key.secret.removeprefix(row["prefix"])
    assert len(secret) >= 43  # 256 bits
    assert not any(secret in str(value) for value in row.values())


@pytest.mark.parametrize("what", ["", "x", "ln_live_00000000_" + "A" * 43, "ln_live_é"])
def test_what_is_no_key_finds_nothing(tonewright_key: CreatedKey, what: str) -> None:
    assert find_key(what) is None


def test_a_key_with_one_character_changed_finds_nothing(tonewright_key: CreatedKey) -> None:
    secret = tonewright_key.secret
    last = "A" if secret[-5] != "A" else "B"
    for wrong in (secret[:-5] + last + secret[-4:], secret[:-1], secret + "A", secret + "\n"):
        assert find_key(wrong) is None


def test_a_revoked_key_is_worthless_at_once_and_for_good(tonewright_key: CreatedKey) -> None:
    first = revoke_api_key(by=None, key=tonewright_key.key)
    assert find_key(tonewright_key.secret) is None
    assert revoke_api_key(by=None, key=tonewright_key.key).revoked_at == first.revoked_at


def test_two_live_keys_for_each_mode_and_no_third(client_of: ApiClient) -> None:
    first = create_api_key(by=None, client=client_of, scopes=[ApiScope.DECIDE])
    create_api_key(by=None, client=client_of, scopes=[ApiScope.DECIDE])
    with pytest.raises(Refused, match="two_live_keys"):
        create_api_key(by=None, client=client_of, scopes=[ApiScope.DECIDE])
    sandbox = create_api_key(by=None, client=client_of, scopes=[ApiScope.DECIDE], sandbox=True)
    assert sandbox.secret.startswith("ln_test_")
    assert first.secret.startswith("ln_live_")

    revoke_api_key(by=None, key=first.key)
    create_api_key(by=None, client=client_of, scopes=[ApiScope.DECIDE])
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=first.key.pk).update(revoked_at=None)


def test_a_key_may_do_something_and_only_what_there_is(client_of: ApiClient) -> None:
    with pytest.raises(Refused) as nothing:
        create_api_key(by=None, client=client_of, scopes=[])
    with pytest.raises(Refused) as unknown:
        create_api_key(by=None, client=client_of, scopes=["everything"])
    assert {nothing.value.field, unknown.value.field} == {"scopes"}
    assert not ApiKey.objects.exists()


def test_a_company_names_each_client_once(tonewright: AICompany, client_of: ApiClient) -> None:
    with pytest.raises(Refused, match="api_client"):
        create_api_client(by=None, company=tonewright, name=" reporting ")


def test_last_used_is_kept_to_the_minute_and_written_at_most_once_in_it(
    tonewright_key: CreatedKey, django_assert_num_queries: Any
) -> None:
    key = find_key(tonewright_key.secret)
    assert key is not None
    note_use(key)
    seen = find_key(tonewright_key.secret)
    assert seen is not None
    assert seen.last_used_at is not None
    with django_assert_num_queries(1):  # the clock
        note_use(seen)
    ApiKey.objects.update(last_used_at=now() - timedelta(minutes=2))
    note_use(key)  # what another process has read is not what decides
    assert ApiKey.objects.get().last_used_at > now() - timedelta(minutes=1)  # type: ignore[operator]
