"""Reads what the operator says in environment variables, and says clearly what is missing."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

# What each variable of production is for. An operator who forgets one is told this.
REQUIRED_IN_PRODUCTION = {
    "LINER_SECRET_KEY": "signs sessions and links; 50 random characters",
    "LINER_MFA_KEYS": "encrypts the seeds of second factors; Fernet keys, newest first",
    "LINER_VAULT_KEY": "wraps the keys of personal data beside the ledger; 64 hexadecimal digits",
    "LINER_SIGNING_KEY": "signs the ledger's checkpoints; or name a file in LINER_SIGNING_KEY_FILE,"
    " and make it with “./manage.py new_signing_key FILE”",
    "LINER_HOSTS": "the names under which the portal is reached, with commas",
    "DATABASE_URL": "PostgreSQL, as the application's login",
    "REDIS_URL": "Redis or Valkey: broker, and counters of the rate limits",
    "LINER_EMAIL_URL": "where mail is sent, as in smtp+tls://user:password@host:587",
    "LINER_MAIL_FROM": "the sender of the mail",
}


def text(name: str, default: str = "") -> str:
    """Return the variable `name` without surrounding space, or `default` when it is empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str) -> bool:
    """Return whether `name` is switched on. Raises ``ImproperlyConfigured`` for a puzzle."""
    value = text(name, "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; it can be 1 or 0.")


def number(name: str, default: int) -> int:
    """Return the whole number in `name`. Raises ``ImproperlyConfigured`` for anything else."""
    value = text(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None


def names(name: str) -> list[str]:
    """Return the comma-separated parts of `name`, without empty ones."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def require_for_production() -> None:
    """Raise ``ImproperlyConfigured`` that names every variable which is missing, and its use."""
    missing = [
        name
        for name in REQUIRED_IN_PRODUCTION
        if not text(name) and not (name == "LINER_SIGNING_KEY" and text(f"{name}_FILE"))
    ]
    if missing:
        lines = "\n".join(f"  {name}: {REQUIRED_IN_PRODUCTION[name]}" for name in missing)
        raise ImproperlyConfigured(f"LINER_ENV=production also needs\n{lines}")


def kept_key(name: str, folder: Path, create: Callable[[], str] = secrets.token_urlsafe) -> str:
    """Return the key in `name`; without one, a key kept in `folder`, created at first use.

    For development only: `require_for_production` refuses to go without the variable.
    """
    if given := text(name):
        return given
    path = folder / name.removeprefix("LINER_").lower()
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(create())
        # Of two processes that start together one wins, and both read the winner's key.
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def database(url: str, **settings: Any) -> dict[str, Any]:
    """Return Django's settings for a ``postgresql://user:password@host:port/name?option=…``.

    ``?host=`` may name the folder of a Unix socket. Further options go to the driver.
    Raises ``ImproperlyConfigured`` for any other kind of database.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            f"A database address starts with postgresql://, not {parts.scheme or 'nothing'}://."
            " PostgreSQL is the only database of this project: its triggers and roles guard"
            " the ledger."
        )
    options = dict(parse_qsl(parts.query))
    more = settings.pop("OPTIONS", {})
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": {**options, **more},
        **settings,
    }


def numbered(url: str, number: int) -> str:
    """Return the address of database `number` on the Redis that `url` names."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = {**dict(parse_qsl(parts.query)), "db": str(number)}
        return f"unix://{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def broker(url: str) -> str:
    """Return `url` as Celery writes it, which has a scheme of its own for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    numbers = dict(parse_qsl(parts.query))
    return f"redis+socket://{parts.path}?virtual_host={numbers.get('db', '0')}"


def mailer(url: str) -> dict[str, Any]:
    """Return Django's settings for ``smtp[+tls|+ssl]://user:password@host:port`` or ``console:``.

    Raises ``ImproperlyConfigured`` for any other scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme not in {"smtp", "smtp+tls", "smtp+ssl"}:
        raise ImproperlyConfigured(f"LINER_EMAIL_URL starts with {parts.scheme}://, not smtp://.")
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname or "localhost",
            "port": parts.port or {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtp+ssl",
            "timeout": 10,
        },
    }
