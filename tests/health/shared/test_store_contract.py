"""What every store promises: the one of a single process, and the one that replicas share."""

from collections.abc import AsyncIterator

import pytest

from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.memory_store import MemoryHealthStore, Wiring
from steelyard_health.domain.circuit import PERMIT_SECONDS, CircuitState
from steelyard_health.domain.outcome import Headroom, Result
from steelyard_health.domain.ports import HealthStore
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.view import HealthView
from tests.health.outcomes import OFFER, PROVIDER, TENANT, an_outcome
from tests.health.shared.conftest import HastyClock, Linker
from tests.health.shared.replicas import Replica, eventually, running
from tests.valkey import Valkey

OTHER = "tenant-b"


async def look(store: HealthStore, tenant: str = TENANT, offer: str = OFFER) -> HealthView:
    return (await store.offers(tenant, [offer]))[0].view


async def report(store: HealthStore, *results: Result, tenant: str = TENANT) -> None:
    await store.record(tenant, [an_outcome(result) for result in results])


async def a_permit(store: HealthStore) -> str:
    """Ask until a permit comes; one that has to be agreed on takes a moment."""
    found: list[str] = []

    async def is_given() -> bool:
        found.append((await look(store)).probe_permit)
        return bool(found[-1])

    await eventually(is_given)
    return found[-1]


class StoreContract:
    """Holds for a store on a clock that the test sets forward."""

    async def test_an_outcome_is_in_every_later_answer(self, store: HealthStore) -> None:
        await report(store, Result.SUCCESS, Result.TIMEOUT)

        assert (await look(store)).figures.sample_count == 2
        assert (await store.provider(TENANT, PROVIDER)).figures.sample_count == 2
        assert await store.providers(TENANT) == [PROVIDER]
        assert [name for name, _ in await store.offers_of(TENANT, PROVIDER)] == [OFFER]
        assert store.version == 2

    async def test_an_outcome_counts_once(self, store: HealthStore) -> None:
        outcome = an_outcome()

        assert await store.record(TENANT, [outcome, outcome]) == 1
        assert await store.record(TENANT, [outcome]) == 0
        assert (await look(store)).figures.sample_count == 1

    async def test_an_answer_is_the_same_object_while_it_stands(self, store: HealthStore) -> None:
        await report(store, *[Result.SUCCESS] * 5)

        (first,) = await store.offers(TENANT, [OFFER])
        (again,) = await store.offers(TENANT, [OFFER])
        await report(store, Result.SUCCESS)
        (later,) = await store.offers(TENANT, [OFFER])

        assert first is again
        assert later is not first

    async def test_no_tenant_sees_what_another_met(self, store: HealthStore) -> None:
        await report(store, *[Result.TIMEOUT] * 30, tenant=OTHER)

        assert (await look(store)).state is HealthState.UNKNOWN
        assert await store.providers(TENANT) == []
        assert (await look(store, OTHER)).circuit is CircuitState.OPEN

    async def test_three_tenants_are_believed(self, store: HealthStore) -> None:
        for tenant in ("b", "c", "d"):
            await report(store, *[Result.TIMEOUT] * 5, tenant=tenant)

        assert (await look(store)).circuit is CircuitState.OPEN

    async def test_everything_leaves_with_the_window(
        self, store: HealthStore, hasty: HastyClock
    ) -> None:
        await report(store, *[Result.TIMEOUT] * 4)

        hasty.ahead_seconds += 300

        assert (await look(store)).figures.sample_count == 0

    async def test_the_later_deadline_of_a_429_is_kept(
        self, store: HealthStore, hasty: HastyClock
    ) -> None:
        limited = [an_outcome(Result.RATE_LIMITED, retry_after=seconds) for seconds in (90.0, 5.0)]
        await store.record(TENANT, limited)
        await store.record(TENANT, [an_outcome(headroom=Headroom(0.0, 30.0))])

        hasty.ahead_seconds += 60

        view = await look(store)
        assert view.state is HealthState.RATE_LIMITED
        assert view.retry_at == pytest.approx(hasty.monotonic() + 30, abs=5)

    async def test_what_is_left_of_a_limit_is_known_until_it_starts_over(
        self, store: HealthStore, hasty: HastyClock
    ) -> None:
        await store.record(TENANT, [an_outcome(headroom=Headroom(0.25, 20.0))])
        assert (await look(store)).headroom == 0.25

        hasty.ahead_seconds += 21

        assert (await look(store)).headroom is None

    async def test_a_half_open_circuit_lets_one_probe_through_at_a_time(
        self, store: HealthStore, hasty: HastyClock
    ) -> None:
        await report(store, *[Result.TIMEOUT] * 5)
        assert (await look(store)).probe_permit == ""
        hasty.ahead_seconds += 5

        permit = await a_permit(store)

        assert [(await look(store)).probe_permit for _ in range(20)] == [""] * 20
        hasty.ahead_seconds += PERMIT_SECONDS
        assert await a_permit(store) != permit

    async def test_three_good_probes_close_the_circuit(
        self, store: HealthStore, hasty: HastyClock
    ) -> None:
        await report(store, *[Result.TIMEOUT] * 5)
        hasty.ahead_seconds += 5

        for _ in range(3):
            await store.record(TENANT, [an_outcome(permit=await a_permit(store))])

        view = await look(store)
        assert view.circuit is CircuitState.CLOSED
        assert view.traffic_share == pytest.approx(0.1, abs=0.05)

    async def test_a_reset_forgets(self, store: HealthStore) -> None:
        await report(store, *[Result.TIMEOUT] * 5)

        await store.reset(PROVIDER)

        view = await look(store)
        assert (view.circuit, view.figures.sample_count) == (CircuitState.CLOSED, 0)


class TestMemoryHealthStore(StoreContract):
    @pytest.fixture
    def store(self, hasty: HastyClock) -> HealthStore:
        return MemoryHealthStore(hasty, Wiring(random=lambda: 0.5))


class TestSharedHealthStore(StoreContract):
    @pytest.fixture
    async def store(
        self, valkey: Valkey, link_to: Linker, hasty: HastyClock, telemetry: Telemetry
    ) -> AsyncIterator[HealthStore]:
        async with running(Replica(link_to(valkey.url), hasty, telemetry)) as replica:
            yield replica.store


class TestSharedHealthStoreWithoutRedis(StoreContract):
    @pytest.fixture
    async def store(
        self, valkey: Valkey, link_to: Linker, hasty: HastyClock, telemetry: Telemetry
    ) -> AsyncIterator[HealthStore]:
        async with running(Replica(link_to(valkey.url), hasty, telemetry)) as replica:
            valkey.kill()
            yield replica.store
