"""What people decide: held changes are released or refused, snapshots are rolled back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from steelyard_common.errors import InvalidStateError, OverloadedError, ResourceNotFoundError
from steelyard_pricing.domain.catalogue import Catalogue, serving_order
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.gate.held_change import HeldChange, HeldState, price_of
from steelyard_pricing.domain.gate.quarantine import by_offer
from steelyard_pricing.domain.price_ports import PricePorts
from steelyard_pricing.domain.publication import (
    Cause,
    Commit,
    Refusal,
    SnapshotRecord,
    SupersededError,
)
from steelyard_pricing.domain.publisher import Publisher
from steelyard_pricing.domain.snapshot import ObservedFact, SourceFacts

ATTEMPTS = 3

logger = structlog.get_logger(__name__)


class Reviews:
    """Carries out what people decide about prices."""

    def __init__(
        self,
        catalogue: Catalogue,
        publisher: Publisher,
        ports: PricePorts,
    ) -> None:
        self._catalogue = catalogue
        self._publisher = publisher
        self._store = ports.store
        self._quarantine = ports.quarantine
        self._clock = ports.clock
        self._gatekeeper = ports.gatekeeper
        self._rolling_back: set[asyncio.Task[SnapshotRecord]] = set()

    async def decide(
        self, held_change_id: str, *, release: bool, reviewer: str, note: str
    ) -> HeldChange:
        """Release a held change, so that it is served, or refuse it for good.

        Raises:
            ResourceNotFoundError: There is no such change.
            InvalidStateError: Somebody, or a rule, has decided before.
        """
        for _ in range(ATTEMPTS):
            async with self._publisher.turn:
                try:
                    return await self._decide(
                        held_change_id, release=release, reviewer=reviewer, note=note
                    )
                except SupersededError:
                    await self._publisher.catch_up()
        raise OverloadedError

    async def roll_back(self, version: int, *, reviewer: str, note: str) -> SnapshotRecord:
        """Serve the prices of an older snapshot as a new one.

        What sources have said since then is refused, price by price, until they say another thing.

        Raises:
            ResourceNotFoundError: There never was such a snapshot.
            InvalidStateError: Its prices are the ones that are served.
        """
        # A caller that gives up does not undo it half-way.
        task = asyncio.create_task(self._rolled_back(version, reviewer=reviewer, note=note))
        self._rolling_back.add(task)
        task.add_done_callback(self._rolling_back.discard)
        return await asyncio.shield(task)

    async def _rolled_back(self, version: int, *, reviewer: str, note: str) -> SnapshotRecord:
        for _ in range(ATTEMPTS):
            async with self._publisher.turn:
                try:
                    return await self._roll_back(version, reviewer=reviewer, note=note)
                except SupersededError:
                    await self._publisher.catch_up()
        raise OverloadedError

    async def _decide(
        self, held_change_id: str, *, release: bool, reviewer: str, note: str
    ) -> HeldChange:
        change = await self._quarantine.get(held_change_id)
        if change is None:
            raise ResourceNotFoundError("held_change", held_change_id)
        if change.state is not HeldState.HELD:
            raise InvalidStateError("held_change", held_change_id, change.state.name.lower())
        state = HeldState.RELEASED if release else HeldState.REFUSED
        decided = change.closed(state, self._clock.now(), note=note, reviewer=reviewer)
        facts: Mapping[str, SourceFacts] = self._catalogue.facts
        commit = Commit(held_changes=[decided])
        if not release and not change.is_whole_body:
            refusal = Refusal(source=change.source, offer=change.offer, price=change.price)
            commit = replace(commit, refusals=[refusal])
        elif release:
            facts, commit = await self._released(change, commit)
        await self._publisher.publish(facts, cause=Cause.REVIEW, note=note, commit=commit)
        logger.warning(
            "held price change reviewed",
            held_change_id=held_change_id,
            source=change.source,
            offer=change.offer,
            decision=state.name.lower(),
            reviewer=reviewer,
        )
        return decided

    async def _released(
        self, change: HeldChange, commit: Commit
    ) -> tuple[dict[str, SourceFacts], Commit]:
        """Return what is served with a change, and what else is to be written."""
        if change.is_whole_body:
            released, held_changes = await self._whole_body(change)
            # What is known of the body before it would let its return go unnoticed.
            commit = replace(
                commit,
                held_changes=[*commit.held_changes, *held_changes],
                copies={change.source: None},
            )
        else:
            known = self._catalogue.facts.get(change.source)
            if known is None:
                raise InvalidStateError("held_change", change.held_change_id, "not_served")
            others = [each for each in known.facts if each.fact.offer != change.offer]
            released = replace(known, facts=(*others, *_as_fact(change)))
        facts = dict(self._catalogue.facts) | {change.source: released}
        return serving_order(facts, self._catalogue.sources, facts.get(SEED)), commit

    async def _whole_body(self, change: HeldChange) -> tuple[SourceFacts, Sequence[HeldChange]]:
        """Return what may be served of a body: single offers of it may be held all the same."""
        body = await self._quarantine.body(change.held_change_id)
        source = next(
            (source for source in self._catalogue.sources if source.name == change.source), None
        )
        if body is None or source is None or not source.is_enabled:
            raise InvalidStateError("held_change", change.held_change_id, "not_served")
        parsed = await asyncio.to_thread(source.parse, body)
        waiting = by_offer(await self._quarantine.waiting(change.source))
        examined = await self._gatekeeper.examine(
            change.source, parsed, waiting, {}, seen_time=change.first_seen_time
        )
        return examined.facts, examined.passage.held_changes

    async def _roll_back(self, version: int, *, reviewer: str, note: str) -> SnapshotRecord:
        then = await self._store.load_version(version)
        if then is None:
            raise ResourceNotFoundError("snapshot", str(version))
        order = [source.name for source in self._catalogue.sources]
        off = {source.name for source in self._catalogue.sources if not source.is_enabled}
        names = sorted(
            then.keys() - off, key=lambda name: order.index(name) if name in order else len(order)
        )
        if not names:
            raise InvalidStateError("snapshot", str(version), "of_sources_that_are_off")
        facts = {name: SourceFacts(name, then[name], len(then[name])) for name in names}
        before = self._catalogue.facts
        undone, restored = await asyncio.to_thread(_refusals, before, facts)
        record = await self._publisher.publish(
            facts,
            cause=Cause.ROLLBACK,
            note=note or f"back to version {version}",
            commit=Commit(
                # The next reading is a whole one: what is refused has to be recognised.
                copies=dict.fromkeys((before.keys() | facts.keys()) & set(order)),
                refusals=undone,
                lifted_refusals=restored,
            ),
        )
        if record is None:
            raise InvalidStateError("snapshot", str(version), "served")
        logger.warning("prices rolled back", to_version=version, reviewer=reviewer)
        return record


def _refusals(
    now: Mapping[str, SourceFacts], then: Mapping[str, SourceFacts]
) -> tuple[list[Refusal], list[Refusal]]:
    """Return prices to refuse from now on, and those that are taken over again."""
    undone: list[Refusal] = []
    restored: list[Refusal] = []
    for source in now.keys() | then.keys():
        present = _prices(now.get(source))
        wanted = _prices(then.get(source))
        for offer in present.keys() | wanted.keys():
            if present.get(offer) != wanted.get(offer):
                undone.append(Refusal(source=source, offer=offer, price=present.get(offer)))
                restored.append(Refusal(source=source, offer=offer, price=wanted.get(offer)))
    return undone, restored


def _prices(facts: SourceFacts | None) -> dict[str, tuple[object, ...] | None]:
    return {each.fact.offer: price_of(each.fact) for each in facts.facts} if facts else {}


def _as_fact(change: HeldChange) -> tuple[ObservedFact, ...]:
    """Return what is served from now on: it applies from when it was first seen."""
    return () if change.held is None else (ObservedFact(change.held, change.first_seen_time),)
