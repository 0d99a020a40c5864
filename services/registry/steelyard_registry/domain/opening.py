"""Puts together what a starting registry serves: what was kept, else the seed."""

import asyncio
from dataclasses import replace
from datetime import date
from types import MappingProxyType

import structlog

from steelyard_common.clock import Clock
from steelyard_common.errors import SteelyardError
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.events import CatalogEvent, EventKind
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.ports import StateStore
from steelyard_registry.domain.publisher import Publisher, Rules
from steelyard_registry.domain.state import RegistryState

CHANGED = "the program or its settings have changed"

logger = structlog.get_logger(__name__)


async def open_registry(store: StateStore, rules: Rules, clock: Clock) -> Publisher:
    """Return a registry that can be served at once, without reading any feed."""
    state = await store.load()
    changed: CatalogEvent | None = None
    builder = rules.builder
    if state.version:
        served = await asyncio.to_thread(builder.build, state, version=state.version)
    else:
        served = Catalogue.empty()
    if served.edition.digest() != state.digest:
        # What watchers have is no longer what this version is.
        state = replace(state, day=date.min)
        if state.version:
            changed = CatalogEvent(kind=EventKind.UPDATED, model="", note=CHANGED)
    publisher = Publisher(LiveCatalogue(served), state, store, rules, clock)

    def settle(state: RegistryState) -> RegistryState:
        """Let a seed that is newer than what was read of its source take its place."""
        litellm = state.source(SourceName.LITELLM)
        is_older = (
            litellm.fetched_time is not None
            and litellm.fetched_time < builder.bundled.seed_time
            and SourceName.LITELLM in state.records
        )
        if not is_older:
            return state
        records = {name: each for name, each in state.records.items() if name != SourceName.LITELLM}
        sources = {name: each for name, each in state.sources.items() if name != SourceName.LITELLM}
        return replace(state, records=MappingProxyType(records), sources=MappingProxyType(sources))

    try:
        await publisher.publish(settle, decided=changed)
    except SteelyardError as error:
        # No room, a locked database: what is known is served all the same.
        logger.warning("catalogue served without keeping it", problem=error.message)
        await publisher.serve_unkept(settle)
    return publisher
