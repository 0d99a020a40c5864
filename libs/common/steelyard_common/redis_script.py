"""Lua scripts, which Redis runs whole or not at all."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class RedisScript:
    """A script that is sent by its digest, and whole to a Redis that has forgotten it.

    redis-py's own way would load it and call it by the digest again: two more round trips, with a
    gap between them in which scripts may be flushed once more.
    """

    text: str
    _digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "_digest", digest)

    async def run(self, redis: Redis, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Return what the script returns, as bytes, int, None and lists of these."""
        try:
            return await redis.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await redis.eval(self.text, len(keys), *keys, *arguments)
