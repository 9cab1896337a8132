"""How much one client may ask: counted for all processes together, in Redis.

A process takes leave for several requests at once (a lease), so that counting costs the hot path
nothing: the count never exceeds the limit, and may stop a client short of it by what other
processes still hold. While Redis is away each process counts in its own memory, so the limits grow
by the number of processes and still exist: neither open to abuse nor closed to everybody. A Redis
that hangs is waited for 0.3 s, at most once in five seconds (`portal.db.cache`).
"""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.api.problems import Problem

WINDOW_SECONDS: Final = 60

# Requests a minute of one client (or one address, where there is no client).
LIMITS: Final[dict[str, int]] = {
    "decide": 300_000,
    "read": 6_000,
    "write": 3_000,
    "public": 1_200,
    "bad_key": 60,
}
LARGEST_LEASE: Final = 500


@dataclass(slots=True)
class _Lease:
    window: int
    left: int
    refused: bool = False


_leases: dict[tuple[str, str], _Lease] = {}
_lock = Lock()


def take(kind: str, who: str) -> None:
    """Count one request of `who`. Raises `Problem` (429, with Retry-After) beyond the limit."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    lease = _leases.get((kind, who))
    if lease is not None and lease.window == window:
        if lease.left > 0:
            lease.left -= 1
            return
        if lease.refused:
            raise _too_many(now)
    _renew(kind, who, window, now)


def _renew(kind: str, who: str, window: int, now: float) -> None:
    limit = int(getattr(settings, "API_LIMITS", {}).get(kind, LIMITS[kind]))
    size = max(1, min(LARGEST_LEASE, limit // 100))
    with _lock:
        if len(_leases) > 50_000:
            _leases.clear()
        key = f"api:{kind}:{who}:{window}"
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        try:
            total = cache.incr(key, size)
        except ValueError:  # Redis came or went between the two
            cache.set(key, size, timeout=2 * WINDOW_SECONDS)
            total = size
        granted = size - max(0, total - limit)
        if granted <= 0:
            _leases[kind, who] = _Lease(window, 0, refused=True)
            raise _too_many(now)
        _leases[kind, who] = _Lease(window, granted - 1)


def _too_many(now: float) -> Problem:
    wait = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
    return Problem(
        429,
        "too_many_requests",
        _("That is more than one client may ask in a minute. Try again later."),
        headers={"Retry-After": str(wait)},
    )


def forget() -> None:
    """Give back every lease of this process: for tests."""
    with _lock:
        _leases.clear()


def address_of(request: HttpRequest) -> str:
    """The address that a request came from; forwarded ones count only from our own proxies."""
    remote = str(request.META.get("REMOTE_ADDR", ""))
    proxies = int(settings.ALLAUTH_TRUSTED_PROXY_COUNT)
    if proxies:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        named = [part.strip() for part in forwarded if part.strip()]
        if len(named) >= proxies:
            return named[-proxies]
    return remote
