"""The portal's settings, on servers that live as long as one run of the tests.

The addresses of the environment are forgotten, so that no test can reach a database that
somebody needs. The servers themselves start with the first test that asks for the
database; see ``conftest.py``.
"""

import os
import secrets

# The process that pytest started chooses the folder; its workers inherit it.
if os.environ.get("LINER_STATE_TEMPORARY") != "1":
    os.environ["LINER_STATE_TEMPORARY"] = "1"
    os.environ["LINER_STATE"] = f"/tmp/liner-notes-test-{os.getuid()}-{secrets.token_hex(4)}"
for name in list(os.environ):
    given = name in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    if given or (name.startswith("LINER_") and not name.startswith(("LINER_STATE", "LINER_TEST"))):
        del os.environ[name]

# Keys that are worth nothing, so that reading settings writes nothing.
os.environ["LINER_SECRET_KEY"] = "tests"
os.environ["LINER_VAULT_KEY"] = "7e" * 32
os.environ["LINER_LEDGER_ORIGIN"] = "liner.example/ledger"
os.environ["LINER_SIGNING_KEY"] = (
    "PRIVATE+KEY+liner.example/ledger+37aeeb79+AX5+fn5+fn5+fn5+fn5+fn5+fn5+fn5+fn5+fn5+fn5+"
)
os.environ["LINER_MFA_KEYS"] = "dGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMgdGVzdHMhISE="

from portal import environment
from portal.settings import *  # noqa: F403
from portal.settings import CACHES, DATABASES, HOME, REDIS_URL

# Hashing that takes a third of a second is right for people and wrong for a thousand tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each worker of a parallel run counts attempts for itself, and has a queue of its own.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
CACHES = {
    "default": {
        **CACHES["default"],
        "LOCATION": environment.numbered(REDIS_URL, 1 + int(_worker.removeprefix("gw")) % 15),
    }
}
CELERY_TASK_DEFAULT_QUEUE = f"test-{_worker}"

# Two ledgers that are sealed at the same time would write over each other's checkpoints.
LEDGER_SINKS = [f"folder:{HOME.state / _worker / 'checkpoints'}"]

# A connection that a test thread leaves behind would keep the database from being dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
