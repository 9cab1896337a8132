"""Tests cannot reach a database that somebody needs, and sign in as the application."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connections


@pytest.mark.django_db
def test_tests_use_databases_that_nobody_needs() -> None:
    for alias in ("default", "owner"):
        assert connections[alias].settings_dict["NAME"].startswith("test_")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        assert cursor.fetchone() == ("liner_app", connections["owner"].settings_dict["NAME"])


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_writes_people() -> None:
    get_user_model().objects.create_user("Maren@Fjord.example", name="Maren Holt")
    assert get_user_model().objects.get(email="MAREN@fjord.example").name == "Maren Holt"


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_finds_nothing_of_another_one() -> None:
    assert not get_user_model().objects.exists()
