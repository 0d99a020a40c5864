"""The two hot paths of health, in our own Python time: no socket, no other process."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import grpc

from steelyard.health.v1 import health_pb2
from steelyard.health.v1 import health_service_pb2 as pb
from steelyard_common.clock import SystemClock
from steelyard_common.tenant import ANONYMOUS, set_current_tenant
from steelyard_health.domain.board import Capacity, HealthBoard, Means
from steelyard_health.domain.outcome import Outcome, Result
from steelyard_health.domain.permits import LocalPermitDesk
from steelyard_health.domain.window import SLOT_COUNT, SLOT_SECONDS
from steelyard_health.servicer import HealthServicer
from tests.health.service import a_health_service

OFFERS = [f"provider-{number % 8}/model-{number}" for number in range(32)]
CONTEXT = cast("grpc.aio.ServicerContext[pb.CheckOffersRequest, pb.CheckOffersResponse]", None)
SEED = 5


class Reporter:
    """Makes outcomes with plausible figures, each with an id of its own."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)  # noqa: S311 - figures, not secrets
        self._count = 0

    def batch(self, size: int) -> pb.ReportOutcomesRequest:
        return pb.ReportOutcomesRequest(outcomes=[self._outcome() for _ in range(size)])

    def _outcome(self) -> health_pb2.Outcome:
        self._count += 1
        latency = self._random.lognormvariate(0.5, 0.8)
        has_failed = self._random.random() < 0.02
        outcome = health_pb2.Outcome(
            outcome_id=f"out_{self._count:026d}",
            offer=self._random.choice(OFFERS),
            result=health_pb2.RESULT_SERVER_ERROR if has_failed else health_pb2.RESULT_SUCCESS,
            output_token_count=300,
        )
        outcome.latency.FromTimedelta(timedelta(seconds=latency))
        outcome.time_to_first_token.FromTimedelta(timedelta(seconds=latency * 0.2))
        return outcome


async def best_micros(call: Callable[[], Awaitable[object]], *, rounds: int, calls: int) -> float:
    """Return the CPU time of one call in the least disturbed of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            await call()
        best = min(best, time.process_time() - started)
    return best / calls * 1e6


async def hot_paths(rounds: int) -> None:
    set_current_tenant(ANONYMOUS)
    with TemporaryDirectory() as directory:
        async with a_health_service(Path(directory), SystemClock()) as service:
            await _hot_paths(service.servicer, rounds)


async def _hot_paths(servicer: HealthServicer, rounds: int) -> None:
    reporter = Reporter()
    batches = iter([reporter.batch(1000) for _ in range(10 * rounds)])
    singles = iter([reporter.batch(1) for _ in range(200 * rounds)])
    request = pb.CheckOffersRequest(offers=OFFERS)

    async def report_batch() -> None:
        await servicer.ReportOutcomes(next(batches), CONTEXT)

    async def check() -> None:
        await servicer.CheckOffers(request, CONTEXT)

    async def report_one() -> None:
        await servicer.ReportOutcomes(next(singles), CONTEXT)

    async def report_one_and_check() -> None:
        await report_one()
        await check()

    batch = await best_micros(report_batch, rounds=rounds, calls=10)
    print(f"ReportOutcomes, batches of 1000:  {1e9 / batch:>8,.0f} outcomes/s")
    unchanged = await best_micros(check, rounds=rounds, calls=500)
    print(f"CheckOffers, 32 offers, unchanged: {unchanged:>6.0f} us")
    one = await best_micros(report_one, rounds=rounds, calls=100)
    both = await best_micros(report_one_and_check, rounds=rounds, calls=100)
    print(f"CheckOffers, 32 offers, one outcome since the last: {both - one:>6.0f} us")


def memory(offers: int) -> None:
    """Print what an offer with outcomes in every slot of the window occupies."""
    import tracemalloc  # noqa: PLC0415 - slows down what is measured above

    tracemalloc.start()
    means = Means(random=lambda: 0.5, desk=LocalPermitDesk(lambda: "permit"))
    board = HealthBoard(means, Capacity(outcome_ids=0))
    before = tracemalloc.get_traced_memory()[0]
    for number in range(offers * SLOT_COUNT):
        slot, offer = divmod(number, offers)
        outcome = Outcome(
            outcome_id=str(number),
            offer=f"provider/model-{offer}",
            result=Result.SUCCESS,
            latency_seconds=1.0,
            first_token_seconds=0.25,
            output_token_count=300,
        )
        board.record("tenant", outcome, float(slot * SLOT_SECONDS))
    occupied = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    print(f"memory of a busy offer: {occupied / offers / 1024:.0f} KiB")


def main(*, short: bool) -> None:
    """Print figures; CPU time, because other processes share the machine."""
    asyncio.run(hot_paths(rounds=3 if short else 10))
    memory(offers=20 if short else 100)
