"""What a real board tells of callers, when replicas hear of one another's probes."""

from steelyard_health.adapters.memory_store import MemoryHealthStore
from steelyard_health.adapters.probe_subjects import BoardSubjects
from steelyard_health.domain.outcome import WINDOW_SECONDS, Result
from steelyard_health.domain.probing import TRAFFIC_SECONDS, ProbeSchedule
from steelyard_health.domain.subject import EVERYBODY
from tests.fakes import FakeClock
from tests.health.outcomes import OFFER, PROVIDER, TENANT, an_outcome
from tests.health.probing.world import INTERVAL


async def test_probes_of_one_replica_are_no_traffic_to_another(clock: FakeClock) -> None:
    stores = [MemoryHealthStore(clock), MemoryHealthStore(clock)]
    subjects = [BoardSubjects(store.board, store, clock) for store in stores]
    schedules = [ProbeSchedule(INTERVAL), ProbeSchedule(INTERVAL)]
    for store in stores:
        await store.record(TENANT, [an_outcome()])
    hours_passed = WINDOW_SECONDS + TRAFFIC_SECONDS
    probes = 0
    for turn in range(int(2 * hours_passed / INTERVAL)):
        due = [
            schedule.providers_due(each, [PROVIDER], clock.monotonic())
            for schedule, each in zip(schedules, subjects, strict=True)
        ]
        if due[turn % 2]:
            probes += 1
            now = clock.monotonic()
            schedules[turn % 2].note(PROVIDER, Result.SUCCESS, began_at=now, now=now)
            probe = an_outcome(offer=f"{PROVIDER}/models", is_provider_only=True)
            for store in stores:
                await store.record(EVERYBODY, [probe])
        await clock.advance(INTERVAL)

    assert 0 < probes <= hours_passed / INTERVAL


async def test_callers_are_counted_and_probes_are_not(clock: FakeClock) -> None:
    store = MemoryHealthStore(clock)
    await store.record(TENANT, [an_outcome(), an_outcome()])
    await store.record("tenant-b", [an_outcome()])
    await store.record(EVERYBODY, [an_outcome()])
    subjects = BoardSubjects(store.board, store, clock)

    assert (subjects.sample_count(OFFER), subjects.sample_count(PROVIDER)) == (3, 3)
