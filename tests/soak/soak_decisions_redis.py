"""Redis is emptied, paused and stopped while people take back what they allowed (B1, B3)."""

import os
import signal
import threading
import time

import pytest
import redis

from consent.services.permissions import answer_recordings
from portal.roles import ApiScope
from portal.services.clients import CreatedKey, create_api_key
from tests.portal.api.conftest import (  # noqa: F401
    World,
    _counts_start_at_zero,
    allowed,
    world,
)
from tests.portal.api.processes import Asking, web_processes
from tests.portal.api.test_read_your_revocation import PROCESSES, TRAINING, check, position_of

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 40 if os.environ.get("LINER_TEST_SOAK") == "1" else 3


class Trouble(threading.Thread):
    """Does to Redis what may happen to it, again and again."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.over = threading.Event()

    def run(self) -> None:
        with redis.Redis.from_url(self._url) as client:
            pid = int(client.info("server")["process_id"])
            while not self.over.wait(0.5):
                client.flushall()
                client.execute_command("CLIENT", "PAUSE", "700")
                time.sleep(1)
                os.kill(pid, signal.SIGSTOP)
                time.sleep(1)
                os.kill(pid, signal.SIGCONT)


def test_no_trouble_of_redis_ever_makes_a_yes_out_of_a_no(
    allowed: World,  # noqa: F811
    tonewright_key: CreatedKey,
    server_environment: dict[str, str],
) -> None:
    other = create_api_key(by=None, client=tonewright_key.key.client, scopes=ApiScope)
    item = {"isrc": allowed.havn.isrc, "use": TRAINING, "tool": allowed.tool.slug}
    trouble = Trouble(server_environment["REDIS_URL"])
    history: list[tuple[int, bool]] = []
    with (
        web_processes(server_environment, PROCESSES) as ports,
        Asking(ports, [tonewright_key.secret, other.secret], [item]) as asking,
    ):
        asking.wait_for(20 * len(ports))  # the first answer of a process takes its time
        trouble.start()
        try:
            for n in range(ROUNDS * 20):
                act = answer_recordings(
                    by=None,
                    artist=allowed.maren,
                    use=TRAINING,
                    stance="allow" if n % 2 else "deny",
                    recordings=[allowed.havn.pk],
                )
                history.append((position_of(act), n % 2 == 1))
                asking.confirmed, asking.ahead = history[-1][0], 5
                time.sleep(0.05)
        finally:
            trouble.over.set()
            trouble.join()
    check(asking.heard, history)
    late = [h for h in asking.heard if h.confirmed and h.seconds > 4]
    assert not late, "each answer within two seconds, and as much again for a machine that is busy"
