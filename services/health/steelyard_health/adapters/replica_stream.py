"""The stream in Redis that replicas write to and read from; one key, bounded four ways.

An entry has the id of its sender, its number there, how many milliseconds it waited before it was
written, and the payload. Bounds are the number of entries, their age, the memory of the stream, and
the time to live of the key.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from redis.asyncio import Redis

from steelyard_common.redis_link import Command, T
from steelyard_common.redis_script import Argument, RedisScript
from steelyard_health.adapters.replica_outbox import MAX_PAYLOAD_BYTES

DEFAULT_KEY = "steelyard:health:1:outcomes"
MAX_ENTRIES = 16_384
MAX_AGE_SECONDS = 300.0
MAX_STREAM_BYTES = 64 * 1024 * 1024
TTL_SECONDS = 600
BATCH = 16
"""Entries read at once: at most 4 MiB."""
START = "0-0"
REWIND_MILLISECONDS = 60_000

_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_SENDER = re.compile(rb"[0-9a-f]{16}")
_NUMBER = re.compile(rb"[0-9]{1,15}")

# Ids are the time of Redis. A stream whose last id is far in the future, or of another type, is
# not ours; in our namespace it is removed, for nothing could be written after it.
_APPEND: Final = RedisScript("""
local key, ttl, max_entries = KEYS[1], ARGV[1], ARGV[2]
local max_age, max_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local removed = 0
local function add(i)
  return redis.pcall('XADD', key, 'MAXLEN', '~', max_entries, '*',
    's', ARGV[i], 'n', ARGV[i + 1], 'w', ARGV[i + 2], 'p', ARGV[i + 3])
end
local function is_strange(id)
  if type(id) == 'table' then
    local problem = id.err or ''
    return string.find(problem, 'WRONGTYPE', 1, true)
      or string.find(problem, 'exhausted', 1, true)
      or string.find(problem, 'equal or smaller', 1, true)
  end
  return tonumber(string.match(id, '^%d+')) > now + max_age
end
for i = 5, #ARGV, 4 do
  local id = add(i)
  if is_strange(id) then
    redis.call('DEL', key)
    removed = 1
    id = add(i)
  end
  if type(id) == 'table' and id.err then return id end
end
redis.call('EXPIRE', key, ttl)
redis.call('XTRIM', key, 'MINID', '~', string.format('%.0f', now - max_age))
local used = redis.pcall('MEMORY', 'USAGE', key)
if type(used) == 'number' and used > max_bytes then
  redis.call('XTRIM', key, 'MAXLEN', math.floor(redis.call('XLEN', key) * max_bytes / used * 0.8))
end
return removed
""")

_LAST_ID: Final = RedisScript("""
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return false end
if kind ~= 'stream' then
  redis.call('DEL', KEYS[1])
  return 'removed'
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
return last[1] and last[1][1] or false
""")


class Link(Protocol):
    """The part of a RedisLink that a stream needs."""

    async def call(self, command: Command[T]) -> T:
        """Run a command that Redis answers at once."""

    async def call_blocking(self, command: Command[T], block_seconds: float) -> T:
        """Run a command that Redis may hold back."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An entry to be written."""

    number: int
    waited_seconds: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """An entry as it was read."""

    sender: bytes
    number: int
    age_seconds: float
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read has found."""

    position: str
    """Id of the last entry, malformed ones included; where the next read begins."""
    entries: Sequence[Incoming]
    malformed_count: int
    is_full: bool
    """Whether there may be more at once."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How far the stream goes."""

    last_id: str
    """`0-0` when there is no entry."""
    was_removed: bool
    """Whether the key was of another type, and is gone now."""


class ReplicaStream:
    """Appends to and reads from the stream.

    Every method raises RedisAwayError while Redis cannot be used, and RedisGarbageError when what
    it answers has no sense.
    """

    def __init__(
        self,
        link: Link,
        *,
        key: str = DEFAULT_KEY,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_STREAM_BYTES,
    ) -> None:
        self._link = link
        self._key = key
        self._max_entries = max_entries
        self._max_bytes = max_bytes

    async def append(self, sender: str, entries: Iterable[Outgoing]) -> bool:
        """Write entries in order; return whether something strange under the key was removed."""
        arguments: list[Argument] = [
            TTL_SECONDS,
            self._max_entries,
            int(MAX_AGE_SECONDS * 1000),
            self._max_bytes,
        ]
        for entry in entries:
            waited = int(entry.waited_seconds * 1000)
            arguments += [sender, entry.number, waited, entry.payload]

        async def command(redis: Redis) -> bool:
            return bool(await _APPEND.run(redis, [self._key], arguments))

        return await self._link.call(command)

    async def end(self) -> StreamEnd:
        """Say how far the stream goes; a key of another type is removed."""

        async def command(redis: Redis) -> object:
            return await _LAST_ID.run(redis, [self._key], [])

        last = await self._link.call(command)
        if last == b"removed":
            return StreamEnd(START, was_removed=True)
        return StreamEnd(last.decode() if isinstance(last, bytes) else START, was_removed=False)

    async def read(self, position: str, block_seconds: float) -> Batch:
        """Return entries after a position, waiting for the first one up to `block_seconds`."""
        # To wait for 0 ms would be to wait for ever.
        block = int(block_seconds * 1000) or None

        async def command(redis: Redis) -> Batch:
            async with redis.pipeline(transaction=False) as pipeline:
                pipeline.xread({self._key: position}, count=BATCH, block=block)
                pipeline.time()  # of when the entries were there
                streams, (seconds, microseconds) = await pipeline.execute()
            rows = streams[0][1] if streams else []
            return _batch(position, rows, seconds * 1000 + microseconds // 1000)

        return await self._link.call_blocking(command, block_seconds)


def id_order(position: str) -> tuple[int, int]:
    """Return what ids are compared by."""
    match = _ID.fullmatch(position)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def rewound(position: str) -> str:
    """Return a position a minute earlier."""
    milliseconds, _ = id_order(position)
    return f"{max(0, milliseconds - REWIND_MILLISECONDS)}-0"


def _batch(position: str, rows: Sequence[tuple[bytes, object]], now: int) -> Batch:
    read = [_entry(entry_id.decode(), fields, now) for entry_id, fields in rows]
    entries = [entry for entry in read if entry is not None]
    return Batch(
        position=rows[-1][0].decode() if rows else position,
        entries=entries,
        malformed_count=len(read) - len(entries),
        is_full=len(rows) >= BATCH,
    )


def _entry(entry_id: str, fields: object, now: int) -> Incoming | None:
    if not isinstance(fields, dict):
        return None
    sender, number, waited, payload = (fields.get(name, b"") for name in (b"s", b"n", b"w", b"p"))
    is_sound = (
        _SENDER.fullmatch(sender)
        and _NUMBER.fullmatch(number)
        and _NUMBER.fullmatch(waited)
        and b"p" in fields
        and len(payload) <= MAX_PAYLOAD_BYTES
    )
    if not is_sound:
        return None
    written, _ = id_order(entry_id)
    age = max(0, now - written) + int(waited)
    return Incoming(sender, int(number), age / 1000, payload)
