"""A cache in Redis that goes on counting in memory while Redis is away."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5.0


class SteadyRedisCache(RedisCache):
    """Redis, and the memory of this process for as long as Redis does not answer.

    Made for counters of rate limits. Without Redis each process counts for itself: the
    limits grow by the number of processes, and still exist. A dead Redis is asked again
    after five seconds, so that a request waits for it at most once, and signing in goes on.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache(f"instead of redis {server}", params)
        self._away_until = 0.0

    def _either(self, redis: Callable[[], Any], memory: Callable[[], Any]) -> Any:
        if time.monotonic() < self._away_until:
            return memory()
        try:
            return redis()
        except (RedisError, OSError) as error:
            if not self._away_until:
                logger.warning("Redis does not answer; counting in memory: %s", error)
            self._away_until = time.monotonic() + RETRY_AFTER_SECONDS
            return memory()

    def add(self, *args: Any, **kwargs: Any) -> Any:
        """Set a value if there is none."""
        return self._either(
            lambda: super(SteadyRedisCache, self).add(*args, **kwargs),
            lambda: self._memory.add(*args, **kwargs),
        )

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a value, or the default."""
        return self._either(
            lambda: super(SteadyRedisCache, self).get(*args, **kwargs),
            lambda: self._memory.get(*args, **kwargs),
        )

    def set(self, *args: Any, **kwargs: Any) -> Any:
        """Set a value."""
        return self._either(
            lambda: super(SteadyRedisCache, self).set(*args, **kwargs),
            lambda: self._memory.set(*args, **kwargs),
        )

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        """Give a value a new time to live."""
        return self._either(
            lambda: super(SteadyRedisCache, self).touch(*args, **kwargs),
            lambda: self._memory.touch(*args, **kwargs),
        )

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete a value."""
        return self._either(
            lambda: super(SteadyRedisCache, self).delete(*args, **kwargs),
            lambda: self._memory.delete(*args, **kwargs),
        )

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        """Add to a value. Raises ``ValueError`` where there is none."""
        return self._either(
            lambda: super(SteadyRedisCache, self).incr(*args, **kwargs),
            lambda: self._memory.incr(*args, **kwargs),
        )
