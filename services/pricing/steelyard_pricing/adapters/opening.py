"""Puts together what a starting service serves: the last good bodies, else the seed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from steelyard_common.feed import FeedCopy
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.refresh import RefreshPorts, SourceStore
from steelyard_pricing.domain.refusal import SourceRefusedError
from steelyard_pricing.domain.snapshot import Snapshot, SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceState

ReadSeed = Callable[[], tuple[SourceFacts, ServedCopy]]

logger = structlog.get_logger(__name__)


async def open_catalogue(
    sources: Sequence[PriceSource],
    ports: RefreshPorts,
    *,
    time_to_live: timedelta,
    seed: ReadSeed,
) -> Catalogue:
    """Return a catalogue that can be served at once, without reading any feed.

    Args:
        sources: In order of precedence.
        ports: What an earlier run has left is read through them.
        time_to_live: How long prices count as fresh.
        seed: Called only when there is no last good body of the first source.
    """
    states = dict(await ports.store.states())
    facts: dict[str, SourceFacts] = {}
    served_copies: dict[str, ServedCopy] = {}
    for source in sources:
        copy = await ports.copies.load(source.name) if source.is_enabled else None
        found = None if copy is None else await _facts(source, copy, ports.store)
        if copy is None or found is None:
            # Without its body a success of the past is worth nothing.
            state = states.get(source.name, SourceState())
            states[source.name] = replace(state, last_success_time=None)
            continue
        facts[source.name] = found
        served_copies[source.name] = ServedCopy(copy.etag, copy.sha256)
        states.setdefault(source.name, _read_at(copy.checked_time))
    stand_in = None
    if sources[0].name not in facts:
        stand_in, served_copies[SEED] = await asyncio.to_thread(seed)
    served = serving_order(facts, sources, stand_in)
    snapshot = await asyncio.to_thread(
        Snapshot.compile,
        list(served.values()),
        version=await ports.store.next_version(),
        published_time=ports.clock.now(),
    )
    return Catalogue(
        sources=sources,
        time_to_live=time_to_live,
        snapshot=snapshot,
        facts=served,
        copies=served_copies,
        states=states,
    )


async def _facts(source: PriceSource, copy: FeedCopy, store: SourceStore) -> SourceFacts | None:
    try:
        parsed = await asyncio.to_thread(source.parse, copy.body)
    except SourceRefusedError as error:
        # Accepted by an earlier version of the program.
        logger.warning("last good copy ignored", source=source.name, problem=str(error))
        return None
    observed = await store.observe(source.name, parsed.facts, copy.fetched_time)
    return SourceFacts(source.name, observed, parsed.entry_count)


def _read_at(time: datetime) -> SourceState:
    return SourceState(last_success_time=time, last_attempt_time=time, attempts=(True,))
