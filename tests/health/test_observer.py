"""What is told when, and with what evidence."""

from steelyard_health.domain.board import FORGOTTEN_SECONDS, Capacity
from steelyard_health.domain.circuit import CircuitState
from steelyard_health.domain.observer import Observed, Observer
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.overlay import NoOverlay
from steelyard_health.domain.state import HealthState
from tests.health.outcomes import OFFER, TENANT, Reports, a_board, an_outcome


class Told:
    """Reports, and what an observer makes of them."""

    def __init__(self, capacity: Capacity | None = None) -> None:
        self.reports = Reports(a_board(capacity))
        self._observer = Observer(self.reports.board, NoOverlay())

    def changes(self, name: str = OFFER, tenant: str = TENANT) -> list[Observed]:
        """Return what is told of one subject since the last call."""
        found = self._observer.changes(self.reports.now)
        return [
            each for each in found if each.subject.name == name and each.subject.tenant_id == tenant
        ]


def test_a_fault_and_its_end_are_told_once_each() -> None:
    told = Told()
    told.reports.add("S" * 20)
    assert [each.after for each in told.changes()] == [HealthState.HEALTHY]
    assert told.changes() == []

    told.reports.add("F" * 5)
    (fault,) = told.changes()
    assert (fault.before, fault.after) == (HealthState.HEALTHY, HealthState.UNHEALTHY)
    assert (fault.circuit_before, fault.circuit_after) == (CircuitState.CLOSED, CircuitState.OPEN)
    assert fault.evidence == "5 of 25 calls failed in 5 min (5 SERVER_ERROR); 5 in a row."

    told.reports.now += 5
    (half_open,) = told.changes()
    assert half_open.circuit_after is CircuitState.HALF_OPEN
    told.reports.now += 300
    (decayed,) = told.changes()
    assert decayed.after is HealthState.UNKNOWN
    assert decayed.evidence == "No calls in 5 min."


def test_a_wait_is_told_with_its_length() -> None:
    told = Told()
    told.reports.report(an_outcome(Result.RATE_LIMITED, retry_after=45.0))

    (limited,) = told.changes()

    assert limited.after is HealthState.RATE_LIMITED
    assert limited.evidence == "asked to wait 45 s."


def test_what_two_tenants_meet_is_told_to_nobody_else() -> None:
    told = Told()
    for tenant in ("b", "c"):
        told.reports.add("F" * 20, tenant=tenant)
    assert told.changes(tenant="") == []

    told.reports.add("F", tenant="d")

    (fault,) = told.changes(tenant="")
    assert (fault.after, fault.circuit_after) == (HealthState.UNHEALTHY, CircuitState.OPEN)


def test_a_circuit_that_nobody_probes_is_forgotten_after_an_hour() -> None:
    told = Told()
    told.reports.add("FFFFF")
    told.changes()

    told.reports.now += 5 + FORGOTTEN_SECONDS
    told.changes()

    assert told.reports.offer().circuit is CircuitState.CLOSED
    assert told.reports.offer().traffic_share == 1.0


def test_what_had_to_make_room_is_told_to_be_over() -> None:
    told = Told(Capacity(tracks_per_tenant=4))
    told.reports.add("FFFFF")
    told.changes()

    for number in range(10):
        told.reports.add("S", offer=f"acme/other-{number}")
    told.reports.now += 10

    (over,) = told.changes()
    assert (over.after, over.circuit_after) == (HealthState.UNKNOWN, CircuitState.CLOSED)
    assert told.changes() == []


def test_what_is_called_again_after_it_made_room_is_not_told_to_be_over() -> None:
    told = Told(Capacity(tracks_per_tenant=4))
    told.reports.add("FFFFF")
    told.changes()
    for number in range(10):
        told.reports.add("S", offer=f"acme/other-{number}")

    told.reports.add("FFFFF")
    last = told.changes()[-1]
    assert (last.after, last.circuit_after) == (HealthState.UNHEALTHY, CircuitState.OPEN)
    told.reports.now += 10

    assert {each.after for each in told.changes()} == {HealthState.UNHEALTHY}


def test_what_is_called_again_before_its_end_is_told_is_told_last_as_it_is() -> None:
    told = Told(Capacity(tracks_per_tenant=4))
    told.reports.add("FFFFF")
    told.changes()
    for number in range(10):
        told.reports.add("S", offer=f"acme/other-{number}")
    told.reports.now += 10

    told.reports.add("FFFFF")

    assert [each.after for each in told.changes()] == [HealthState.UNKNOWN, HealthState.UNHEALTHY]
