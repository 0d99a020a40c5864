"""Questions that are gathered: who shares a call, and who is not harmed by whom."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_router.adapters.dependency import Dependency
from steelyard_router.adapters.gather import GatheredAsk, Gatherer

PATIENT = 30.0
SHORT = 0.02


def refusal(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


@dataclass
class Service:
    """Doubles numbers; each call waits until the test lets it go on."""

    room: int = 64
    calls: list[list[int]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    given_up: list[list[int]] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    """Numbers for which a whole call is refused."""
    error: Exception | None = None
    running: int = 0
    most_running: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    def batch(self) -> "Doubling":
        return Doubling(self)

    async def call(self, numbers: list[int], timeout_seconds: float) -> dict[int, int]:
        self.calls.append(numbers)
        self.timeouts.append(timeout_seconds)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.is_open.wait()
        except TimeoutError:
            raise refusal(grpc.StatusCode.DEADLINE_EXCEEDED) from None
        except asyncio.CancelledError:
            self.given_up.append(numbers)
            raise
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error
        if self.bad.intersection(numbers):
            raise refusal(grpc.StatusCode.INVALID_ARGUMENT)
        return {number: 2 * number for number in numbers}


class Doubling:
    """The numbers of one call."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._numbers: list[int] = []

    def add(self, question: int) -> bool:
        if len(self._numbers) == self._service.room:
            return False
        self._numbers.append(question)
        return True

    def start(self, timeout_seconds: float) -> Any:
        return self._service.call(self._numbers, timeout_seconds)

    def read(self, position: int, response: dict[int, int]) -> int | None:
        return response.get(self._numbers[position])


Doubler = Gatherer[int, int]


def gatherer(service: Service) -> Doubler:
    return Gatherer(Dependency("doubling"), service.batch)


async def until_called(service: Service, count: int) -> None:
    while len(service.calls) < count:  # noqa: ASYNC110 - turns of the loop are what is waited for
        await asyncio.sleep(0)


async def answers(asks: Sequence[GatheredAsk[int, int]]) -> list[int | None]:
    return await asyncio.gather(*(ask.answer() for ask in asks))


async def test_questions_of_one_moment_share_a_call() -> None:
    service = Service()
    service.is_open.set()
    asking = gatherer(service)

    found = await answers([asking.ask(number, PATIENT) for number in range(5)])

    assert found == [0, 2, 4, 6, 8]
    assert service.calls == [[0, 1, 2, 3, 4]]
    assert (asking.question_count, asking.call_count) == (5, 1)


async def test_one_alone_is_sent_without_waiting_for_others() -> None:
    service = Service()
    service.is_open.set()

    assert await gatherer(service).ask(4, PATIENT).answer() == 8


async def test_questions_that_come_while_a_call_is_on_its_way_share_the_next() -> None:
    service = Service()
    asking = gatherer(service)
    asks = [asking.ask(1, PATIENT)]
    await until_called(service, 1)
    for number in (2, 3, 4):
        asks.append(asking.ask(number, PATIENT))
        for _ in range(20):
            await asyncio.sleep(0)
    assert service.calls == [[1]]

    service.is_open.set()

    assert await answers(asks) == [2, 4, 6, 8]
    assert service.calls == [[1], [2, 3, 4]]


async def test_what_does_not_fit_goes_in_the_next_call() -> None:
    service = Service(room=3)
    service.is_open.set()
    asking = gatherer(service)

    found = await answers([asking.ask(number, PATIENT) for number in range(7)])

    assert found == [0, 2, 4, 6, 8, 10, 12]
    assert service.calls == [[0, 1, 2], [3, 4, 5], [6]]


async def test_each_deadline_is_kept_while_the_shared_call_hangs() -> None:
    service = Service()
    asking = gatherer(service)
    hasty, patient = asking.ask(1, SHORT), asking.ask(2, PATIENT)

    assert await hasty.answer() is None

    assert not service.given_up
    service.is_open.set()
    assert await patient.answer() == 4
    assert service.calls == [[1, 2]]
    assert service.timeouts[0] > SHORT


async def test_a_deadline_passes_while_the_place_is_taken() -> None:
    service = Service()
    asking = gatherer(service)
    first = asking.ask(1, PATIENT)
    await until_called(service, 1)

    assert await asking.ask(2, SHORT).answer() is None

    service.is_open.set()
    assert await first.answer() == 2
    assert service.calls == [[1]]


async def test_a_call_that_hangs_frees_its_place_at_the_last_of_its_deadlines() -> None:
    service = Service()
    asking = gatherer(service)
    assert await answers([asking.ask(1, SHORT), asking.ask(2, 2 * SHORT)]) == [None, None]
    later = asking.ask(3, PATIENT)
    await until_called(service, 2)

    service.is_open.set()

    assert await later.answer() == 6
    assert service.timeouts[0] == pytest.approx(2 * SHORT, abs=SHORT / 2)
    assert service.most_running == 1


async def test_an_error_is_no_answer_and_the_next_call_recovers() -> None:
    service = Service(error=refusal(grpc.StatusCode.INTERNAL))
    service.is_open.set()
    asking = gatherer(service)
    assert await answers([asking.ask(1, PATIENT), asking.ask(2, PATIENT)]) == [None, None]

    service.error = None

    assert await asking.ask(3, PATIENT).answer() == 6


async def test_an_invalid_question_does_not_fail_the_others() -> None:
    service = Service(bad={13})
    service.is_open.set()
    asking = gatherer(service)

    found = await answers([asking.ask(number, PATIENT) for number in (1, 13, 2)])

    assert found == [2, None, 4]
    assert service.calls == [[1, 13, 2], [1], [13], [2]]


async def test_a_defect_is_raised_where_the_answer_is_waited_for() -> None:
    service = Service(error=LookupError("a defect"))
    service.is_open.set()
    asks = [gatherer(service).ask(1, PATIENT)]

    with pytest.raises(LookupError, match="a defect"):
        await answers(asks)


async def test_who_is_cancelled_does_not_cancel_the_call_of_the_others() -> None:
    service = Service()
    asking = gatherer(service)
    leaving = asyncio.create_task(asking.ask(1, PATIENT).answer())
    staying = asyncio.create_task(asking.ask(2, PATIENT).answer())
    await until_called(service, 1)

    leaving.cancel()
    await asyncio.wait({leaving})
    service.is_open.set()

    assert leaving.cancelled()
    assert await staying == 4
    assert service.calls == [[1, 2]]


async def test_when_all_are_cancelled_the_call_is_given_up_and_its_place_is_free() -> None:
    service = Service()
    asking = gatherer(service)
    tasks = [asyncio.create_task(asking.ask(number, PATIENT).answer()) for number in (1, 2)]
    await until_called(service, 1)

    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    service.is_open.set()

    assert await asking.ask(3, PATIENT).answer() == 6
    assert service.given_up == [[1, 2]]


async def test_what_is_given_up_before_it_is_sent_is_never_sent() -> None:
    service = Service()
    service.is_open.set()
    asking = gatherer(service)
    given_up, kept = asking.ask(1, PATIENT), asking.ask(2, PATIENT)

    given_up.cancel()

    assert await kept.answer() == 4
    assert service.calls == [[2]]


async def test_giving_up_what_is_answered_changes_nothing() -> None:
    service = Service()
    service.is_open.set()
    ask = gatherer(service).ask(1, PATIENT)
    await ask.answer()

    ask.cancel()

    assert await ask.answer() == 2
    assert not service.given_up


@given(
    waves=st.lists(st.lists(st.integers(0, 99), max_size=12), max_size=6),
    bad=st.sets(st.integers(0, 99), max_size=3),
    cancelled=st.sets(st.integers(0, 71)),
    room=st.integers(1, 5),
)
def test_everybody_gets_the_answer_to_their_own_question(
    waves: list[list[int]], bad: set[int], cancelled: set[int], room: int
) -> None:
    async def run() -> None:
        service = Service(room=room, bad=bad)
        service.is_open.set()
        asking = gatherer(service)
        asked: list[tuple[int, asyncio.Task[int | None]]] = []
        for wave in waves:
            for number in wave:
                ask = asking.ask(number, PATIENT)
                task = asyncio.create_task(ask.answer())
                if len(asked) in cancelled:
                    task.cancel()
                    ask.cancel()
                asked.append((number, task))
            await asyncio.sleep(0)
        for position, (number, task) in enumerate(asked):
            if position in cancelled:
                await asyncio.wait({task})
                assert task.cancelled()
            else:
                assert await task == (None if number in bad else 2 * number)
        assert all(len(call) <= room for call in service.calls)
        if not bad:
            assert service.most_running <= 1

    asyncio.run(run())
