"""The circuit by itself, then as calls move it: opening, probes, ramp, late results."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steelyard_health.domain.circuit import (
    NEW_CIRCUIT,
    PERMIT_SECONDS,
    PROBES_TO_CLOSE,
    Circuit,
    CircuitState,
)
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.recent import RecentCalls
from steelyard_health.domain.subject import Subject
from tests.health.outcomes import OFFER, TENANT, Reports, a_board, an_outcome

SIBLING = "acme/small"
MIDDLE = 0.5
"""The draw that makes an open time neither longer nor shorter."""


def opened_again_and_again(times: int, draw: float = MIDDLE) -> list[float]:
    """Return how long a circuit is open whose every probe fails."""
    now, circuit, seconds = 0.0, NEW_CIRCUIT, []
    for _ in range(times):
        circuit = circuit.opened(now, draw)
        seconds.append(circuit.open_until - now)
        now = circuit.open_until
        assert circuit.state_at(now) is CircuitState.HALF_OPEN
    return seconds


def test_the_open_time_doubles_up_to_five_minutes() -> None:
    assert opened_again_and_again(9) == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@given(st.floats(0, 1))
def test_the_open_time_is_off_by_a_fifth_at_most(draw: float) -> None:
    for found, exact in zip(
        opened_again_and_again(9, draw), opened_again_and_again(9), strict=True
    ):
        assert 0.8 * exact - 1e-9 <= found <= 1.2 * exact + 1e-9


def test_three_good_probes_close_it_and_traffic_comes_back_within_a_minute() -> None:
    circuit = NEW_CIRCUIT.opened(0.0, MIDDLE)
    for number in range(PROBES_TO_CLOSE):
        assert circuit.share_at(5.0) == 0.0
        circuit = circuit.permitted(f"permit-{number}", 5.0)
        circuit = circuit.probed(5.0, MIDDLE, is_good=True)

    assert circuit.state_at(5.0) is CircuitState.CLOSED
    assert [circuit.share_at(5.0 + s) for s in (0, 20, 60, 600)] == pytest.approx([0.1, 0.4, 1, 1])


def test_calm_takes_back_one_doubling_each_half_minute() -> None:
    circuit = NEW_CIRCUIT
    for _ in range(4):
        circuit = circuit.opened(0.0, MIDDLE)
    closed = circuit.closed(100.0)

    lengths = [closed.opened(now, MIDDLE).open_until - now for now in (100.0, 130.0, 190.0, 900.0)]

    assert lengths == [80.0, 40.0, 10.0, 5.0]


class CircuitAgainstRules(RuleBasedStateMachine):
    """Whatever happens, revisions grow and at most one probe is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.circuit = NEW_CIRCUIT
        self.history: list[Circuit] = []

    def become(self, circuit: Circuit) -> None:
        self.history.append(self.circuit)
        self.circuit = circuit

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: not self.circuit.is_open)
    @rule(draw=st.floats(0, 1))
    def fail(self, draw: float) -> None:
        self.become(self.circuit.opened(self.now, draw))

    @precondition(lambda self: self.circuit.state_at(self.now) is CircuitState.HALF_OPEN)
    @precondition(lambda self: not self.circuit.is_probed_at(self.now))
    @rule()
    def probe(self) -> None:
        self.become(self.circuit.permitted(f"permit-{len(self.history)}", self.now))

    @precondition(lambda self: bool(self.circuit.permit))
    @rule(draw=st.floats(0, 1), verdict=st.sampled_from(["good", "bad", ""]))
    def settle(self, draw: float, verdict: str) -> None:
        is_good = verdict == "good" if verdict else None
        self.become(self.circuit.probed(self.now, draw, is_good=is_good))

    @rule()
    def reset(self) -> None:
        self.become(self.circuit.forgotten())

    @invariant()
    def revisions_grow(self) -> None:
        revisions = [each.revision for each in (*self.history, self.circuit)]
        assert revisions == sorted(set(revisions))

    @invariant()
    def only_half_open_circuits_are_probed(self) -> None:
        if self.circuit.permit:
            assert self.circuit.is_open
            began = self.circuit.permit_until - PERMIT_SECONDS
            assert began >= self.circuit.open_until - 1e-6  # sums of floats are rounded

    @invariant()
    def only_closed_circuits_take_traffic(self) -> None:
        assert (self.circuit.share_at(self.now) > 0) is not self.circuit.is_open


TestCircuitAgainstRules = CircuitAgainstRules.TestCase


def test_five_failures_in_a_row_open_it_for_five_seconds() -> None:
    reports = Reports()
    reports.add("SSSSSSSSSS" + "FFFF")
    assert reports.offer().circuit is CircuitState.CLOSED

    reports.add("F")

    view = reports.offer()
    assert (view.circuit, view.traffic_share) == (CircuitState.OPEN, 0.0)
    assert view.retry_at == reports.now + 5
    assert view.probe_permit == ""


def test_half_of_twenty_calls_within_half_a_minute_open_it() -> None:
    reports = Reports()

    reports.add("SF" * 9 + "S")
    assert reports.offer().circuit is CircuitState.CLOSED
    reports.add("F")

    assert reports.offer().circuit is CircuitState.OPEN


def test_calls_of_more_than_half_a_minute_ago_do_not_count_to_the_twenty() -> None:
    recent = RecentCalls()
    for _ in range(19):
        assert not recent.add(0.0, is_failure=True, is_slow=None)

    assert not recent.add(30.0, is_failure=True, is_slow=None)
    assert (recent.calls, recent.failures) == (1, 1)


@pytest.mark.parametrize("result", [*Result])
def test_only_the_providers_faults_open_it(result: Result) -> None:
    reports = Reports()

    for _ in range(50):
        reports.report(an_outcome(result))

    is_fault = result in {
        Result.SERVER_ERROR,
        Result.TIMEOUT,
        Result.CONNECTION_ERROR,
        Result.TRUNCATED,
    }
    assert reports.offer().circuit is (CircuitState.OPEN if is_fault else CircuitState.CLOSED)


def test_one_probe_at_a_time_is_let_through() -> None:
    reports = Reports()
    reports.add("FFFFF")
    assert reports.permit() == ""

    reports.now += 5
    permit = reports.permit()

    assert permit
    assert reports.offer().circuit is CircuitState.HALF_OPEN
    assert reports.permit() == ""
    reports.now += PERMIT_SECONDS
    assert reports.permit() not in {"", permit}


def test_a_failed_probe_opens_it_for_twice_as_long() -> None:
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5

    reports.report(an_outcome(Result.TIMEOUT, permit=reports.permit()))

    assert reports.offer().retry_at == reports.now + 10


def test_three_good_probes_one_after_the_other_close_it() -> None:
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5

    for _ in range(3):
        permit = reports.permit()
        assert reports.offer().traffic_share == 0.0
        reports.report(an_outcome(permit=permit))

    assert reports.offer().circuit is CircuitState.CLOSED


@pytest.mark.parametrize(
    "result", [Result.CANCELLED, Result.RATE_LIMITED, Result.CLIENT_ERROR, Result.AUTH_ERROR]
)
def test_a_probe_that_tells_nothing_makes_room_for_the_next_one(result: Result) -> None:
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5

    reports.report(an_outcome(result, permit=reports.permit()))

    assert reports.permit()


def test_a_permit_works_once_and_only_for_its_circuit() -> None:
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5
    permit = reports.permit()

    reports.report(an_outcome(permit=permit))
    for _ in range(5):
        reports.report(an_outcome(permit=permit))
    reports.report(an_outcome(offer=SIBLING, permit=reports.permit()))

    assert reports.offer().circuit is CircuitState.HALF_OPEN


def test_calls_that_began_before_it_opened_do_not_close_it_and_before_it_closed_not_open_it() -> (
    None
):
    reports = Reports()
    reports.add("FFFFF")
    reports.now += 5
    for _ in range(3):
        reports.report(an_outcome(permit=reports.permit()))
    assert reports.offer().circuit is CircuitState.CLOSED

    reports.now += 20
    for _ in range(20):
        reports.report(an_outcome(Result.TIMEOUT, latency=21.0))
    assert reports.offer().circuit is CircuitState.CLOSED
    for _ in range(5):
        reports.report(an_outcome(Result.TIMEOUT, latency=19.0))
    assert reports.offer().circuit is CircuitState.OPEN


def test_successes_without_a_permit_do_not_close_an_open_circuit() -> None:
    reports = Reports()
    reports.add("FFFFF")

    reports.add("S" * 50)
    reports.now += 5
    reports.add("S" * 50)

    assert reports.offer().circuit is CircuitState.HALF_OPEN


def test_one_failing_offer_does_not_take_its_siblings_with_it() -> None:
    reports = Reports()

    reports.add("F" * 50)

    assert reports.provider().circuit is CircuitState.CLOSED
    assert reports.offer(SIBLING).circuit is CircuitState.CLOSED


def test_several_failing_offers_open_the_circuit_of_their_provider() -> None:
    reports = Reports()

    reports.add("FFF")
    reports.add("FFF", offer=SIBLING)

    assert reports.provider().circuit is CircuitState.OPEN
    assert reports.offer("acme/third").circuit is CircuitState.OPEN


def test_a_probe_of_an_offer_is_one_of_its_provider_too() -> None:
    reports = Reports()
    for offer in (OFFER, SIBLING):
        reports.add("FFFFF", offer=offer)
    reports.now += 5

    for _ in range(3):
        reports.report(an_outcome(permit=reports.permit()))

    assert reports.provider().circuit is CircuitState.CLOSED
    assert reports.offer().circuit is CircuitState.CLOSED
    assert reports.offer(SIBLING).circuit is CircuitState.HALF_OPEN


def test_answers_that_begin_much_later_than_usual_open_it() -> None:
    reports = Reports()
    for _ in range(200):
        reports.report(an_outcome(latency=3.0, first_token=0.5))
    reports.now += 60

    for _ in range(20):
        assert reports.offer().circuit is CircuitState.CLOSED
        reports.report(an_outcome(latency=4.0, first_token=2.0))

    assert reports.offer().circuit is CircuitState.OPEN
    reports.now += 5
    reports.report(an_outcome(latency=4.0, first_token=2.0, permit=reports.permit()))
    assert reports.offer().circuit is CircuitState.OPEN


def test_an_offer_that_was_always_slow_is_left_alone() -> None:
    reports = Reports()

    for _ in range(500):
        reports.report(an_outcome(latency=40.0, first_token=30.0))

    assert reports.offer().circuit is CircuitState.CLOSED


def test_two_percent_failures_are_no_reason_to_open() -> None:
    randomness = random.Random(5)  # noqa: S311 - figures, not secrets
    reports = Reports()
    for _ in range(8_000):
        reports.now += 0.5
        reports.add("F" if randomness.random() < 0.02 else "S")

    track = reports.board.track_of(Subject.of(OFFER, TENANT))
    assert track is not None
    assert track.breaker.circuit == NEW_CIRCUIT


def test_a_reset_closes_the_circuit_and_forgets_the_calls() -> None:
    reports = Reports(a_board())
    reports.add("FFFFF")

    reports.board.reset(OFFER)

    view = reports.offer()
    assert (view.circuit, view.traffic_share) == (CircuitState.CLOSED, 1.0)
    assert view.is_from_provider
    assert reports.provider().figures.sample_count == 5
    reports.board.reset("acme")
    assert reports.provider().figures.sample_count == 0
