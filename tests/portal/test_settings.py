"""Tests cannot reach a database that somebody needs, and sign in as the application."""

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from portal import environment


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


def test_addresses_of_the_operator_are_understood() -> None:
    found = environment.database("postgresql://ann:p%40ss@db.example:6432/notes?sslmode=require")
    assert found["HOST"] == "db.example"
    assert (found["USER"], found["PASSWORD"], found["PORT"]) == ("ann", "p@ss", "6432")
    assert found["OPTIONS"] == {"sslmode": "require"}
    assert environment.database("postgresql://a@/n?host=%2Frun%2Fx")["HOST"] == "/run/x"
    assert (
        environment.broker("unix:///run/v.sock?db=0") == "redis+socket:///run/v.sock?virtual_host=0"
    )
    assert environment.broker("rediss://:pw@r.example/0") == "rediss://:pw@r.example/0"
    assert environment.numbered("unix:///run/v.sock?db=0", 1) == "unix:///run/v.sock?db=1"
    assert environment.numbered("rediss://:pw@r.example/0", 1) == "rediss://:pw@r.example/1"
    mail = environment.mailer("smtp+tls://ann:p%40ss@mail.example")["OPTIONS"]
    assert (mail["port"], mail["password"], mail["use_tls"]) == (587, "p@ss", True)


@pytest.mark.parametrize("url", ["sqlite:///notes.db", "mysql://db.example/notes", "notes"])
def test_only_postgresql_holds_the_truth(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PostgreSQL is the only database"):
        environment.database(url)


def test_two_programs_that_start_together_agree_on_a_key(tmp_path: Path) -> None:
    names = iter(["first", "second"])

    def create() -> str:
        (tmp_path / "new_key").write_text("the other program's")
        return next(names)

    assert environment.kept_key("LINER_NEW_KEY", tmp_path, create) == "the other program's"
    assert environment.kept_key("LINER_NEW_KEY", tmp_path, create) == "the other program's"


def test_a_puzzling_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINER_DEMO", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="LINER_DEMO is 'perhaps'"):
        environment.flag("LINER_DEMO")
    monkeypatch.setenv("LINER_PROXIES", "one")
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        environment.number("LINER_PROXIES", 0)
