"""Faults with a label, hours without any, and what really happened at providers."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from steelyard_health.domain.circuit import (
    FIRST_OPEN_SECONDS,
    JITTER,
    MAX_OPEN_SECONDS,
    CircuitState,
)
from steelyard_health.domain.outcome import Result
from steelyard_health.domain.overlay import NoOverlay
from steelyard_health.domain.state import HealthState
from steelyard_health.domain.status.level import StatusLevel, status_factor
from tests.health.outcomes import PROVIDER, Reports, a_board
from tests.health.traffic import Traffic

pytestmark = pytest.mark.replays

HOUR = 3600.0
FAULTY, FINE = 0.6, 0.01
MIN_REQUESTS = 20
NOTICED_SECONDS = 10.0
BROKEN: Result = Result.SERVER_ERROR


@pytest.mark.parametrize("share", [0.6, 0.8, 1.0])
@pytest.mark.parametrize("per_second", [4.0, 20.0])
def test_c6_a_fault_is_noticed_within_ten_seconds(share: float, per_second: float) -> None:
    late = 0
    for seed in range(20):
        traffic = Traffic(Reports(), seed)
        traffic.run(60, per_second, traffic.failing(FINE))
        began = traffic.reports.now

        traffic.run(NOTICED_SECONDS, per_second, traffic.failing(share))

        late += not any(at > began for at in traffic.opened_at)
    assert late == 0


def test_c6_a_fault_with_twenty_requests_in_ten_seconds_is_noticed_nearly_always() -> None:
    late = 0
    for seed in range(100):
        traffic = Traffic(Reports(), seed)
        traffic.run(60, 2.0, traffic.failing(FINE))
        began = traffic.reports.now

        traffic.run(NOTICED_SECONDS, 2.0, traffic.failing(FAULTY))

        late += not any(at > began for at in traffic.opened_at)
    assert late <= 100 * 0.1


def test_c6_a_day_at_one_percent_errors_opens_nothing() -> None:
    traffic = Traffic(Reports())

    traffic.run(24 * HOUR, 0.5, traffic.failing(FINE))

    assert traffic.opened_at == []
    assert len(traffic.calls) == pytest.approx(24 * HOUR / 2, abs=2)
    assert traffic.reports.offer().state is HealthState.HEALTHY


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fault_seconds", [20.0, 200.0, 2000.0])
def test_c4_it_recovers_within_one_interval_after_the_fault(
    draw: float, fault_seconds: float
) -> None:
    traffic = Traffic(Reports(a_board(draw=draw)))
    traffic.run(60, 4.0, traffic.failing(0.0))
    traffic.run(fault_seconds, 4.0, lambda _: BROKEN)
    ended = traffic.reports.now
    track = next(iter(traffic.reports.board.all_tracks()))
    interval = max(FIRST_OPEN_SECONDS, track.breaker.circuit.open_until - ended)

    traffic.run(interval + 3.0, 4.0, traffic.failing(0.0))

    assert traffic.circuit is CircuitState.CLOSED
    assert interval <= MAX_OPEN_SECONDS * (1 + JITTER)
    traffic.run(60.0, 4.0, traffic.failing(0.0))
    assert traffic.reports.offer().traffic_share == 1.0


def test_c4_a_dead_primary_is_probed_once_an_interval_and_less_and_less_often() -> None:
    traffic = Traffic(Reports())
    traffic.run(60, 4.0, traffic.failing(0.0))
    sent = len(traffic.calls)

    traffic.run(2 * HOUR, 4.0, lambda _: BROKEN)

    # 5, 10, ... 160 seconds, then every five minutes.
    assert len(traffic.probes) <= 6 + 2 * HOUR / MAX_OPEN_SECONDS
    gaps = [b - a for a, b in zip(traffic.probes, traffic.probes[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert len(traffic.calls) - sent - len(traffic.probes) <= 5


def test_c4_300_waiting_callers_do_not_run_over_a_provider_that_is_back() -> None:
    traffic = Traffic(Reports())
    traffic.run(10, 20.0, traffic.failing(0.0))
    traffic.run(30, 300.0, lambda _: BROKEN)
    while traffic.circuit is not CircuitState.HALF_OPEN:
        traffic.reports.now += 0.01
    back = traffic.reports.now

    traffic.run(1.0, 300.0, traffic.failing(0.0))

    in_first_second = [at for at in traffic.calls if back <= at <= back + 1.0]
    assert len(traffic.probes) <= 10
    assert len(in_first_second) <= 3 + 0.15 * 300


@dataclass(frozen=True)
class HalfHour:
    """What one endpoint did in half an hour."""

    name: str
    error_rate: float
    requests: float


def half_hours(path: Path) -> Iterable[HalfHour]:
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            good, bad = float(row["success_count"] or 0), float(row["derankable_error_count"] or 0)
            if good + bad >= MIN_REQUESTS:
                name = f"{row['provider_slug']} {row['model_slug']} {row['scraped_at']}"
                yield HalfHour(name, bad / (good + bad), good + bad)


@pytest.mark.real_data
def test_real_endpoints_that_failed_are_noticed_and_those_that_did_not_are_left_alone(
    real_data: Path,
) -> None:
    days = sorted((real_data / "openrouter" / "perf_hourly").glob("*.csv.gz"))
    known = [each for day in days for each in half_hours(day)]
    faulty = [each for each in known if each.error_rate >= FAULTY]
    fine = [each for each in known if each.error_rate <= FINE]
    assert len(days) == 2
    assert len(faulty) >= 300
    assert len(fine) >= 13_000

    missed, opened = [], []
    for number, each in enumerate(faulty):
        traffic = Traffic(Reports(), number)
        traffic.run(30, 4.0, traffic.failing(FINE))
        traffic.run(NOTICED_SECONDS, 4.0, traffic.failing(each.error_rate))
        missed += [] if traffic.opened_at else [each.name]
    for number, each in enumerate(Random(5).sample(fine, 150)):  # noqa: S311 - a sample
        traffic = Traffic(Reports(), number)
        traffic.run(120, 4.0, traffic.failing(each.error_rate))
        opened += [each.name] if traffic.opened_at else []

    assert len(missed) <= len(faulty) * 0.01
    assert opened == []


class PageSays(NoOverlay):
    """A status page whose level the test sets."""

    def __init__(self) -> None:
        self.version = 0
        self._level = StatusLevel.OPERATIONAL

    def say(self, level: StatusLevel) -> None:
        self._level = level
        self.version += 1

    def status_factor(self, provider: str) -> float:
        return status_factor(self._level) if provider == PROVIDER else 1.0


_LEVELS: Mapping[str, StatusLevel] = {
    "0": StatusLevel.OPERATIONAL,
    "1": StatusLevel.DEGRADED,
    "2": StatusLevel.OUTAGE,
    "3": StatusLevel.OUTAGE,
}


def real_incidents(path: Path) -> Iterable[tuple[StatusLevel, datetime, timedelta]]:
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            if row["API"] == "1" or row["api.anthropic.com"] == "1":
                start = datetime.fromisoformat(row["start_timestamp"]).astimezone(UTC)
                end = datetime.fromisoformat(row["close_timestamp"]).astimezone(UTC)
                yield _LEVELS[row["incident_impact_level"]], start, end - start


@pytest.mark.real_data
def test_c6_years_of_red_pages_eject_nobody_while_traffic_is_fine(real_data: Path) -> None:
    incidents = list(real_incidents(real_data / "status" / "llm_incidents_2020-12_2024-08.csv.gz"))
    assert len(incidents) >= 200

    page = PageSays()
    traffic = Traffic(Reports(overlay=page))
    for level, _, length in incidents:
        page.say(StatusLevel.OPERATIONAL)
        traffic.run(30, 1.0, traffic.failing(0.0))
        before = traffic.reports.offer()
        page.say(level)
        traffic.run(min(length.total_seconds(), 30.0), 1.0, traffic.failing(0.0))
        during = traffic.reports.offer()

        assert during.state is HealthState.HEALTHY
        assert (during.circuit, during.traffic_share) == (CircuitState.CLOSED, 1.0)
        assert during.score >= 0.5 * during.figures.score - 0.001
        assert before.status_factor == 1.0
    assert traffic.opened_at == []


@pytest.mark.real_data
def test_c6_a_green_page_hides_no_fault_of_the_hours_in_which_pages_were_red(
    real_data: Path,
) -> None:
    incidents = list(real_incidents(real_data / "status" / "llm_incidents_2020-12_2024-08.csv.gz"))

    traffic = Traffic(Reports(overlay=PageSays()))
    for number, (_, _, length) in enumerate(incidents[:30]):
        traffic.run(3 * MAX_OPEN_SECONDS, 1.0, traffic.failing(0.0))
        began = traffic.reports.now
        traffic.run(max(60.0, min(length.total_seconds(), 300.0)), 4.0, traffic.failing(FAULTY))
        noticed = [at for at in traffic.opened_at if at >= began]
        assert noticed, number
        assert noticed[0] <= began + 2 * NOTICED_SECONDS, number
