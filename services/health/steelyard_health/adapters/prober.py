"""Active probes: looks again and again for what is due, and makes the calls."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import structlog
from pydantic import SecretStr

from steelyard_common.clock import Clock
from steelyard_common.ids import new_id
from steelyard_common.leases import LeaseKeeper
from steelyard_common.money import usd_text
from steelyard_health.adapters.probe_calls import ProbeCalls, ProbeEnd, can_probe
from steelyard_health.adapters.probe_keys import ProbeKeys
from steelyard_health.adapters.probe_meters import ProbeMeters
from steelyard_health.adapters.probe_prices import MAX_OFFERS, ProbePrices
from steelyard_health.adapters.probe_spend import ProbeSpend
from steelyard_health.domain.outcome import Headroom, Outcome, Result, is_provider, provider_of
from steelyard_health.domain.probing import ProbeSchedule, ProbeSubjects
from steelyard_health.domain.provider import Provider

MAX_FREE_AT_ONCE: Final = 4
MAX_PAID_A_ROUND: Final = 10
"""One after the other, each at most ten seconds."""
MAX_LEASE_NAME: Final = 64

FREE: Final = "free"
PAID: Final = "paid"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePurse:
    """What paid probes need."""

    prices: ProbePrices
    spend: ProbeSpend
    daily_picodollars: int
    """What they may cost in a day (UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMeans:
    """What probes need of the world."""

    subjects: ProbeSubjects
    providers: Callable[[], Mapping[str, Provider]]
    """Returns the sellers that are known now, by id."""
    keys: ProbeKeys
    calls: ProbeCalls
    leases: LeaseKeeper
    meters: ProbeMeters
    clock: Clock
    purse: ProbePurse | None = None
    """None makes free probes only."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A provider that can be called."""

    provider: Provider
    key: SecretStr | None

    @property
    def name(self) -> str:
        return self.provider.provider


class Prober:
    """Probes where callers do not tell enough; see `domain/probing.py` for what is due.

    Probes of one provider or offer are a lease apart, so that replicas together keep the interval;
    paid ones need the permit of the circuit, too. A provider that refuses its key is left alone
    until the key is another one or the process starts again.
    """

    def __init__(self, means: ProbeMeans, *, interval_seconds: float) -> None:
        """Take what it works with.

        Args:
            means: Of the world.
            interval_seconds: The least time between two probes of one provider or offer.
        """
        self._means = means
        self._interval = timedelta(seconds=interval_seconds)
        self._schedule = ProbeSchedule(interval_seconds)
        self._refused: dict[str, SecretStr | None] = {}
        self._told_day: date | None = None

    async def run(self) -> None:
        """Go on as long as the process."""
        while True:
            await self.probe_due()
            await self._means.clock.sleep(self._schedule.tick_seconds)

    async def probe_due(self) -> None:
        """Make the probes that are due now, the free ones first."""
        await self._probe_freely()
        if self._means.purse is not None:
            await self._probe_offers(self._means.purse)

    async def _probe_freely(self) -> None:
        targets = self._targets()
        now = self._means.clock.monotonic()
        due = self._schedule.providers_due(self._means.subjects, targets, now)
        gate = asyncio.Semaphore(MAX_FREE_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for name in due:
                group.create_task(self._probe_provider(targets[name], gate))

    async def _probe_provider(self, target: _Target, gate: asyncio.Semaphore) -> None:
        async with gate:
            if await self._means.leases.acquire(lease_name(target.name), self._interval) is None:
                return
            began_at = self._means.clock.monotonic()
            end = await self._means.calls.models(target.provider, target.key)
        self._note(target, target.name, FREE, end, began_at)
        # It is not an answer of a model: neither its time nor its limits are theirs.
        await self._means.subjects.record_probe(
            Outcome(
                outcome_id=new_id("probe"),
                offer=f"{target.name}/models",
                result=end.result,
                retry_after_seconds=end.wait_seconds,
                is_provider_only=True,
            )
        )

    async def _probe_offers(self, purse: ProbePurse) -> None:
        targets = self._targets()
        now = self._means.clock.monotonic()
        self._means.meters.spent(await purse.spend.spent_today())
        due = self._schedule.offers_due(self._means.subjects, targets, now)
        costs = await purse.prices.costs(due[:MAX_OFFERS])
        cheapest = sorted(costs, key=lambda offer: (costs[offer], offer))
        for offer in cheapest[:MAX_PAID_A_ROUND]:
            target = self._targets().get(provider_of(offer))
            if target is None:  # its key was refused just now
                continue
            if await purse.spend.spent_today() + costs[offer] > purse.daily_picodollars:
                self._tell_spent(purse)
                return
            await self._probe_offer(offer, target, purse, costs[offer])

    async def _probe_offer(
        self, offer: str, target: _Target, purse: ProbePurse, picodollars: int
    ) -> None:
        means = self._means
        if await means.leases.acquire(lease_name(offer), self._interval) is None:
            return
        permit = await means.subjects.take_permit(offer)
        if not permit:
            return
        if not await purse.spend.reserve(picodollars, purse.daily_picodollars):
            await self._record(offer, permit, ProbeEnd(result=Result.CANCELLED), None)
            return
        began_at = means.clock.monotonic()
        end = await means.calls.completion(target.provider, _model_of(offer), target.key)
        self._note(target, offer, PAID, end, began_at)
        await self._record(offer, permit, end, means.clock.monotonic() - began_at)
        means.meters.spent(await purse.spend.spent_today())

    async def _record(self, offer: str, permit: str, end: ProbeEnd, seconds: float | None) -> None:
        """Tell how a paid probe ended.

        One token is the first: its time is not that of a whole answer.
        """
        share = end.limits.headroom
        await self._means.subjects.record_probe(
            Outcome(
                outcome_id=new_id("probe"),
                offer=offer,
                result=end.result,
                first_token_seconds=seconds if end.result is Result.SUCCESS else None,
                output_token_count=1 if end.result is Result.SUCCESS else 0,
                retry_after_seconds=end.wait_seconds,
                probe_permit=permit,
                headroom=None if share is None else Headroom(share, end.limits.reset_seconds),
            )
        )

    def _targets(self) -> dict[str, _Target]:
        """Return the providers that can be called, but for those that refused their key."""
        targets = {}
        for name, provider in self._means.providers().items():
            key = self._means.keys.key_of(provider)
            if name in self._refused and self._refused[name] != key:
                del self._refused[name]
            if is_provider(name) and can_probe(provider, key) and name not in self._refused:
                targets[name] = _Target(provider, key)
        return targets

    def _note(self, target: _Target, name: str, kind: str, end: ProbeEnd, began_at: float) -> None:
        self._schedule.note(
            name,
            end.result,
            began_at=began_at,
            now=self._means.clock.monotonic(),
            wait_seconds=end.wait_seconds,
        )
        self._means.meters.ended(target.name, kind, end.result)
        logger.debug("probe", subject=name, kind=kind, result=end.result.name.lower())
        if end.result is Result.AUTH_ERROR and target.name not in self._refused:
            self._refused[target.name] = target.key
            logger.warning("key refused, no more probes with it", provider=target.name, kind=kind)

    def _tell_spent(self, purse: ProbePurse) -> None:
        today = self._means.clock.now().date()
        if self._told_day != today:
            self._told_day = today
            logger.info("no more paid probes today", bound_usd=usd_text(purse.daily_picodollars))


def lease_name(subject: str) -> str:
    """Return the name of the lease that a probe of a provider or offer takes."""
    name = f"probe-{subject}"
    if len(name) <= MAX_LEASE_NAME:
        return name
    return f"probe-{hashlib.sha256(subject.encode()).hexdigest()[:48]}"


def _model_of(offer: str) -> str:
    """Return the provider's own id of the model."""
    return offer.partition("/")[2]
