"""The portal's settings, with the bare views beside the site."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.served"
# One client stands for many: it is to find the server's limit, not its own.
API_LIMITS = {"decide": 10_000_000}
