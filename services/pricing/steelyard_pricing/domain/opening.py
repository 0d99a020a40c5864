"""Puts together what a starting service serves: what was served before, else the seed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from steelyard_common.clock import Clock
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.comparison import CURATED, SEED
from steelyard_pricing.domain.ports import PriceStore
from steelyard_pricing.domain.publication import Cause, Commit, SupersededError
from steelyard_pricing.domain.publisher import Publisher, compiled_snapshot, stored_facts
from steelyard_pricing.domain.snapshot import Snapshot, SourceFacts
from steelyard_pricing.domain.source import PriceSource, ServedCopy, SourceState

ReadSeed = Callable[[], tuple[SourceFacts, ServedCopy]]
ATTEMPTS = 3


async def open_catalogue(  # noqa: PLR0913 - all but three by keyword
    sources: Sequence[PriceSource],
    store: PriceStore,
    clock: Clock,
    *,
    time_to_live: timedelta,
    seed: ReadSeed,
    curated: SourceFacts,
) -> tuple[Catalogue, Publisher]:
    """Return a catalogue that can be served at once, without reading any feed.

    Args:
        sources: In order of precedence.
        store: Has what an earlier run has left.
        clock: Dates what is published.
        time_to_live: How long prices count as fresh.
        seed: Called only when nothing of the first source is there.
        curated: Prices for offers that no source prices; no feed, so that a start is when they
            change.
    """
    for _ in range(ATTEMPTS):
        catalogue = await _loaded(sources, store, clock, time_to_live)
        publisher = Publisher(catalogue, store, clock)
        try:
            await _settle(catalogue, publisher, seed, curated)
        except SupersededError:
            continue  # another replica starts as well
        return catalogue, publisher
    raise SupersededError("other replicas publish all the time")


async def _loaded(
    sources: Sequence[PriceSource], store: PriceStore, clock: Clock, time_to_live: timedelta
) -> Catalogue:
    stored = await store.load()
    facts: dict[str, SourceFacts] = {}
    if stored is None:
        snapshot = Snapshot.compile([], version=0, published_time=clock.now())
    else:
        facts = stored_facts(stored, [source.name for source in sources])
        snapshot = await asyncio.to_thread(compiled_snapshot, facts, stored.record)
    return Catalogue(
        sources=sources,
        time_to_live=time_to_live,
        snapshot=snapshot,
        facts=facts,
        copies=dict(stored.status.copies) if stored else {},
        states=dict(stored.status.states) if stored else {},
        waiting_count=stored.status.waiting_count if stored else 0,
    )


async def _settle(
    catalogue: Catalogue, publisher: Publisher, seed: ReadSeed, curated: SourceFacts
) -> None:
    """Serve what the settings say.

    Nothing of sources that are off, the seed where it stands in, curated prices as they are now.
    """
    enabled = {source.name for source in catalogue.sources if source.is_enabled}
    served = {name: facts for name, facts in catalogue.facts.items() if name in enabled}
    states: dict[str, SourceState] = {}
    copies: dict[str, ServedCopy | None] = {}
    for source in catalogue.sources:
        if source.name not in served and source.name in catalogue.states:
            # Without its facts a success of the past is worth nothing.
            state = catalogue.states[source.name]
            states[source.name] = replace(state, last_success_time=None)
            copies[source.name] = None
    stand_in = None
    if catalogue.sources[0].name not in served:
        stand_in, copies[SEED] = await asyncio.to_thread(seed)
    if curated.facts:
        served[CURATED] = curated
    is_first = not catalogue.snapshot.version
    await publisher.publish(
        serving_order(served, catalogue.sources, stand_in),
        cause=Cause.SEED if is_first else Cause.SETTINGS,
        commit=Commit(states=states, copies=copies),
    )
