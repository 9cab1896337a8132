"""Settings. What an operator may choose comes from the environment; see `portal.environment`.

Three situations: development (nothing set), the demo (``LINER_DEMO=1``: development with
stories in it, where a second factor is offered and not demanded) and production
(``LINER_ENV=production``, which refuses to start while something is missing).

Reading this file starts nothing and needs no server: type checkers read it too.
"""

import logging.config
import secrets
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from cryptography.fernet import Fernet
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from consent.checkpoint import generate_signing_key
from portal import environment, servers

BASE_DIR = Path(__file__).resolve().parent.parent
PRODUCTION = environment.text("LINER_ENV") == "production"
DEMO = environment.flag("LINER_DEMO") and not PRODUCTION
DEBUG = environment.flag("LINER_DEBUG") and not PRODUCTION

if PRODUCTION:
    environment.require_for_production()

# Our own servers' addresses stand in for those that are not given.
HOME = servers.Home.of_this_checkout()
STATE = HOME.state
KEYS = STATE / "keys"
OWN = HOME.urls()

# --- Keys ----------------------------------------------------------------------------

SECRET_KEY = environment.kept_key("LINER_SECRET_KEY", KEYS)
SECRET_KEY_FALLBACKS = environment.names("LINER_OLD_SECRET_KEYS")
# Newest first: the first encrypts, all decrypt. Never in the database that they protect.
MFA_KEYS = environment.kept_key(
    "LINER_MFA_KEYS", KEYS, create=lambda: Fernet.generate_key().decode()
).split(",")

# Wraps the keys of people's data beside the ledger (consent/vault.py); 64 hex digits.
VAULT_KEY = environment.kept_key("LINER_VAULT_KEY", KEYS, create=lambda: secrets.token_hex(32))

# --- Proof: the ledger's own name, its keys, and where its checkpoints go ---------------

# An address without a scheme. It is the name of the keys too, and never changes.
LEDGER_ORIGIN = environment.text(
    "LINER_LEDGER_ORIGIN", f"{(environment.names('LINER_HOSTS') or ['localhost'])[0]}/ledger"
)
# Signs checkpoints (consent/ledger_keys.py). In the environment or in a file of the operator's,
# never in the database that it vouches for; with a file, only the worker needs to read it.
LEDGER_SIGNING_KEY_FILE = environment.text("LINER_SIGNING_KEY_FILE")
LEDGER_SIGNING_KEY = (
    environment.text("LINER_SIGNING_KEY")
    if LEDGER_SIGNING_KEY_FILE
    else environment.kept_key(
        "LINER_SIGNING_KEY", KEYS, create=lambda: generate_signing_key(name=LEDGER_ORIGIN).encode()
    )
)
# Verifying keys of former signing keys, so that what they signed stays verifiable.
LEDGER_OLD_KEYS = environment.names("LINER_OLD_SIGNING_KEYS")
# Where checkpoints are pushed (consent/sinks.py): folder:/path, https://…, mailto:…
LEDGER_SINKS = environment.names("LINER_LEDGER_SINKS") or (
    [] if PRODUCTION else [f"folder:{STATE / 'checkpoints'}"]
)
# Who answers for the records, as receipts say it (ISO/IEC TS 27560); the country is ISO 3166-1.
LEDGER_OPERATOR = {
    "name": environment.text("LINER_OPERATOR_NAME", "Liner Notes"),
    "address": environment.text("LINER_OPERATOR_ADDRESS", LEDGER_ORIGIN.split("/")[0]),
    "contact": environment.text("LINER_OPERATOR_CONTACT", f"privacy@{LEDGER_ORIGIN.split('/')[0]}"),
    "country": environment.text("LINER_OPERATOR_COUNTRY", "NO"),
}

# --- Applications --------------------------------------------------------------------

INSTALLED_APPS = [
    "portal",
    "royalties",
    "consent",
    "portal.admin_config.LinerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.api.lane.machine_lane",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Above the session: it also marks the answers that the layers below give by themselves.
    "portal.middleware.PrivateByDefaultMiddleware",
    "portal.middleware.TextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.middleware.ViewerMiddleware",
    "portal.access.middleware",
    "portal.middleware.SecondFactorMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.frame",
            ],
        },
    },
]

# --- Databases -----------------------------------------------------------------------

# Web requests are bounded: a query that runs longer than anybody waits only holds locks.
# Commands and workers close months and load catalogues; they say so themselves.
_WEB = environment.text("LINER_PROCESS") == "web"
_STATEMENT_TIMEOUT_MS = environment.number("LINER_STATEMENT_TIMEOUT_MS", 15_000 if _WEB else 0)
_LOCK_TIMEOUT_MS = environment.number("LINER_LOCK_TIMEOUT_MS", 5_000 if _WEB else 0)
# Django switches prepared statements off, also for who asks for one: a decision and an answer do,
# and save a third of what their questions cost the database. Django's own cursors go on without.
_PREPARED = {"prepare_threshold": 5}
_SESSION_OPTIONS = {
    **_PREPARED,
    "connect_timeout": "2" if _WEB else "10",
    "options": (
        f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c lock_timeout={_LOCK_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={60_000 if _WEB else 0}"
    ),
}

DATABASES: dict[str, Any] = {
    # The application's login. It can read the ledger and not write it.
    #
    # Persistent connections rather than a pool: the web server's threads are few and live
    # long, so each keeps one connection, without a lock between them; and Celery closes a
    # pool at every task. The health check costs one round trip and is what lets a process
    # survive a restart of the database.
    "default": environment.database(
        environment.text("DATABASE_URL", OWN["DATABASE_URL"]),
        CONN_MAX_AGE=600,
        CONN_HEALTH_CHECKS=True,
        OPTIONS=_SESSION_OPTIONS,
    ),
}
_OWNER_URL = environment.text("DATABASE_OWNER_URL") or (
    # The owner's password belongs to whoever migrates. A web server with servers of its
    # operator's does not know it, and then there is no such alias.
    "" if environment.text("DATABASE_URL") else OWN["DATABASE_OWNER_URL"]
)
if _OWNER_URL:
    DATABASES["owner"] = environment.database(_OWNER_URL, OPTIONS=_PREPARED)
    DATABASES["default"]["TEST"] = {"MIRROR": "owner"}

DATABASE_ROUTERS = ["portal.db.routers.OwnerMigratesRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: counters of the rate limits, and Celery's broker --------------------------

REDIS_URL = environment.text("REDIS_URL", OWN["REDIS_URL"])

CACHES = {
    "default": {
        # Nothing that anybody sees is cached. This counts attempts, and goes on counting
        # within each process while Redis is away.
        "BACKEND": "portal.db.cache.SteadyRedisCache",
        # Apart from the broker: clearing a cache empties its whole database.
        "LOCATION": environment.text("LINER_CACHE_URL", environment.numbered(REDIS_URL, 1)),
        "KEY_PREFIX": "liner",
        "OPTIONS": {
            "socket_connect_timeout": 0.3,
            "socket_timeout": 0.3,
        },
    }
}

CELERY_BROKER_URL = environment.broker(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # kombu waits for ever by default; a link that is half open would hang the sender.
    # Longer than the second that a worker's own blocking read takes.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_policy": {"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    # A wake-up that a dead worker holds comes back after this many seconds. No task runs
    # longer, and none is sent with a delay: rows carry the time at which they are due.
    "visibility_timeout": 900,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = environment.text("LINER_QUEUE", "liner")
CELERY_TASK_PUBLISH_RETRY = False  # the sweeper finds what was not sent
CELERY_TASK_IGNORE_RESULT = True  # results are rows
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 570
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "portal.sweep", "schedule": 15.0, "options": {"expires": 15}},
    # A tick that comes late is worthless: the next one seals what it would have sealed.
    "seal the ledger": {
        "task": "consent.seal_ledger",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "audit new entries": {
        "task": "consent.audit_new_entries",
        "schedule": crontab(minute="50"),
        "options": {"expires": 1800},
    },
    "audit the ledger": {
        "task": "consent.audit_ledger",
        "schedule": crontab(hour="2", minute="10"),
        "options": {"expires": 3600},
    },
    "tell alarms": {"task": "portal.tell_alarms", "schedule": 15.0, "options": {"expires": 15}},
    "tell the news": {"task": "portal.tell_news", "schedule": 15.0, "options": {"expires": 15}},
    "tell what is overdue": {"task": "portal.tell_overdue", "schedule": crontab(minute="5")},
    "end withdrawals": {
        "task": "portal.end_withdrawals",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tell what ends": {"task": "portal.tell_ends", "schedule": crontab(minute="10")},
    "write to companies": {
        "task": "portal.write_company_mails",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "close the admin to those who left": {
        "task": "portal.close_admin",
        "schedule": crontab(minute="15"),
    },
    "tell webhooks": {
        "task": "portal.tell_webhooks",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "delete old exports": {
        "task": "portal.delete_old_exports",
        "schedule": crontab(minute="20"),
    },
    "delete expired sessions": {
        "task": "portal.delete_expired_sessions",
        "schedule": crontab(hour="3", minute="40"),
    },
}

# --- Sign-in -------------------------------------------------------------------------

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "portal.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
# Changing how one signs in asks for a sign-in of the last five minutes. So does granting
# (portal's own views say so, per view); withdrawing never does.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Counted in Redis, for all processes together. “key” is the address that is tried.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
# How many proxies of the operator's stand in front; their X-Forwarded-For is believed.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("LINER_PROXIES", 0)

MFA_ADAPTER = "portal.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Liner Notes"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost
# Demanded of staff and managers everywhere but in the demo, where it is offered.
SECOND_FACTOR_DEMANDED = not DEMO

USERSESSIONS_TRACK_ACTIVITY = False  # four statements per page; sign-ins are recorded anyway

# --- Sessions and cookies ------------------------------------------------------------

# In the database: a cache loses them, and a cached copy of them races with itself.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
STAFF_IDLE_SECONDS = 3 * 3600
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in forms and in hx-headers
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"

ALLOWED_HOSTS = environment.names("LINER_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
# What links in mails begin with.
SITE_URL = environment.text(
    "LINER_URL", f"https://{ALLOWED_HOSTS[0]}" if PRODUCTION else "http://localhost:8000"
)
if PRODUCTION:
    # The prefix makes browsers refuse a cookie that a neighbouring subdomain planted.
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
else:
    SESSION_COOKIE_NAME = "liner_session"
    CSRF_COOKIE_NAME = "liner_csrf"

# --- Headers -------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],  # data: is the picture of a new second factor
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
}
# Answers 200 once the web server serves.
READY_PATH = "/accounts/login/"
# Paths that hold nothing of anybody's; everything else is “private, no-store”.
PUBLIC_PATHS = ("/static/", "/api/v1/signals/", "/api/schema/", "/checkpoints/", "/favicon.ico")

# --- Language, time, files, mail -----------------------------------------------------

LANGUAGE_CODE = "en"
# A language is offered when all of its pages are translated, not before.
LANGUAGES = [("en", _("English"))]
# In which the texts that people decide on are published; a language of its own list, as people
# read them with care long before every page is translated.
WORDING_LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(environment.text("LINER_STATIC_ROOT", str(STATE / "static")))
# What people may fetch is never under a public address; views check and stream it.
PRIVATE_ROOT = Path(environment.text("LINER_PRIVATE_ROOT", str(STATE / "private")))
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(PRIVATE_ROOT)},
    },
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        ),
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = not PRODUCTION

MAILERS = {"default": environment.mailer(environment.text("LINER_EMAIL_URL", "console:"))}
DEFAULT_FROM_EMAIL = environment.text("LINER_MAIL_FROM", "Liner Notes <notes@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Who is told at once when an audit of the ledger fails.
ADMINS = environment.names("LINER_ALARM_MAIL")
EMAIL_SUBJECT_PREFIX = ""

# --- API -----------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # JSON only: the browsable pages of the framework have inline scripts.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
}
# Webhooks go to the public internet. Tests and the demo have their other side on this machine.
WEBHOOKS_MAY_STAY_HOME = environment.flag("LINER_WEBHOOKS_MAY_STAY_HOME") or DEMO
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Liner Notes",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Logging -------------------------------------------------------------------------

LOGGING_CONFIG = None
logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": environment.text("LINER_LOG_LEVEL", "WARNING")},
        "loggers": {
            "portal": {"level": "INFO"},
            "celery": {"level": environment.text("LINER_LOG_TASKS", "INFO")},
        },
    }
)
