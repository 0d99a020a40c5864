"""Small records that replicas share, each changed by comparing its revision first.

Redis holds `1:<revision>:<value>` under a key of tenant and name. Comparing and storing is one
script, so of two replicas that saw the same revision one stores, and the other is told what it
missed.
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from redis.asyncio import Redis

from steelyard_common.redis_link import Command, T
from steelyard_common.redis_script import RedisScript

KEY_PREFIX = "steelyard:health:1:"
PLATFORM = "@platform"
"""Stands for the empty tenant; an `@` in the id of a tenant is written as `%40`."""
MAX_TENANT_CHARACTERS = 64
MAX_KEY_CHARACTERS = 512
MAX_VALUE_BYTES = 4096
MAX_REVISION = 2**53 - 1
"""Numbers of Lua are exact up to here."""
MAX_TTL_SECONDS = 30 * 86_400

_RECORD = re.compile(rb"1:([0-9]{1,16}):(.*)", re.DOTALL)

_SWAP: Final = RedisScript("""
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'string' and redis.call('STRLEN', KEYS[1]) <= tonumber(ARGV[5]) then
  local stored = redis.call('GET', KEYS[1])
  local digits = string.match(stored, '^1:(%d+):')
  if digits and #digits <= 16 then
    local revision = tonumber(digits)
    if revision > tonumber(ARGV[1]) and revision <= tonumber(ARGV[6]) then
      return stored
    end
  end
end
redis.call('SET', KEYS[1], '1:' .. ARGV[2] .. ':' .. ARGV[3], 'EX', ARGV[4])
return false
""")

_READ: Final = RedisScript("""
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return false end
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[1]) then return false end
return redis.call('GET', KEYS[1])
""")

_MAX_STORED_BYTES = len("1::") + len(str(MAX_REVISION)) + MAX_VALUE_BYTES


class Link(Protocol):
    """The part of a RedisLink that records need."""

    async def call(self, command: Command[T]) -> T:
        """Run a command of Redis."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What Redis holds of one record."""

    revision: int
    value: bytes


class SharedRecords:
    """Records by tenant and key; they may be lost at any moment, and say so by being absent."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def swap(  # noqa: PLR0913 - one statement about one record
        self,
        tenant: str,
        key: str,
        *,
        expected_revision: int,
        revision: int,
        value: bytes,
        ttl_seconds: int,
    ) -> Stored | None:
        """Store a record unless somebody has stored a newer one than `expected_revision`.

        Returns None when it is stored: the stored revision was the expected one or an older one (a
        failover has lost some), or nothing that can be read was there. Otherwise nothing changes,
        and what is stored is returned. `revision` is larger than `expected_revision`.

        Raises:
            RedisAwayError: Redis cannot be asked; the record may or may not be stored.
            ValueError: Something is longer or larger than records can be.
        """
        _check(expected_revision, revision, value, ttl_seconds)
        keys = [record_key(tenant, key)]
        arguments = (
            expected_revision,
            revision,
            value,
            ttl_seconds,
            _MAX_STORED_BYTES,
            MAX_REVISION,
        )

        async def command(redis: Redis) -> object:
            return await _SWAP.run(redis, keys, arguments)

        return _read_record(await self._link.call(command))

    async def read(self, tenant: str, key: str) -> Stored | None:
        """Return a record; None when there is none that can be read.

        Raises:
            RedisAwayError: Redis cannot be asked.
            ValueError: The tenant or the key is longer than they can be.
        """
        keys = [record_key(tenant, key)]

        async def command(redis: Redis) -> object:
            return await _READ.run(redis, keys, [_MAX_STORED_BYTES])

        return _read_record(await self._link.call(command))

    async def now(self) -> float:
        """Return the time by the clock of Redis, in seconds since 1970.

        Raises:
            RedisAwayError: Redis cannot be asked.
        """

        async def command(redis: Redis) -> float:
            seconds, microseconds = await redis.time()
            return int(seconds) + int(microseconds) / 1_000_000

        return await self._link.call(command)


def record_key(tenant: str, key: str) -> str:
    """Return the key in Redis; no two pairs of tenant and key share one.

    Raises:
        ValueError: One of them is too long, or the key is empty.
    """
    if len(tenant) > MAX_TENANT_CHARACTERS:
        raise ValueError(f"a tenant has at most {MAX_TENANT_CHARACTERS} characters")
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise ValueError(f"a key has 1 to {MAX_KEY_CHARACTERS} characters")
    owner = _quoted(tenant) if tenant else PLATFORM
    return f"{KEY_PREFIX}{owner}:circuit:{_quoted(key)}"


def _quoted(text: str) -> str:
    # Lone surrogates are text as well, and must not be taken for each other.
    return quote(text, safe="", errors="surrogatepass")


def _check(expected_revision: int, revision: int, value: bytes, ttl_seconds: int) -> None:
    if not 0 <= expected_revision < revision <= MAX_REVISION:
        raise ValueError(f"revisions grow, from 0 to {MAX_REVISION}")
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a record has at most {MAX_VALUE_BYTES} bytes")
    if not 0 < ttl_seconds <= MAX_TTL_SECONDS:
        raise ValueError(f"a record lives 1 to {MAX_TTL_SECONDS} seconds")


def _read_record(stored: object) -> Stored | None:
    if not isinstance(stored, bytes):
        return None
    match = _RECORD.fullmatch(stored)
    if match is None or int(match[1]) > MAX_REVISION or len(match[2]) > MAX_VALUE_BYTES:
        return None
    return Stored(int(match[1]), match[2])
