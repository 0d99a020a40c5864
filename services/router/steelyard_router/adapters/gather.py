"""Gathers questions: those that come while a call is on its way share the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

import grpc

from steelyard_router.adapters.dependency import Dependency

MAX_IN_FLIGHT: Final = 1
"""A call costs about the same whatever it asks, so few large ones are cheaper than many small."""
QUIET_TURNS: Final = 8
"""Turns of the loop without a new question after which a call is sent.

A server takes in one request per turn or two, so those of a burst come in turns that follow each
other. When nothing else runs, these turns take microseconds.
"""
MAX_HOLD_SECONDS: Final = 0.02
"""How long a call is held back at most while questions go on coming, which only a busy loop sees.

It has to be much less than the time that those who ask have.
"""

Q = TypeVar("Q")
Q_contra = TypeVar("Q_contra", contravariant=True)
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Batch(Protocol[Q_contra, A_co]):
    """The questions of one call."""

    def add(self, question: Q_contra) -> bool:
        """Take a question in; False when there is no room for it. There is for the first."""

    def start(self, timeout_seconds: float) -> Awaitable[Any]:
        """Send the call; its response is for `read`."""

    def read(self, position: int, response: Any) -> A_co | None:
        """Return the answer to the question at `position`, None if the response has none."""


class Gatherer(Generic[Q, A]):
    """Asks one service; at most MAX_IN_FLIGHT calls are on their way at any time.

    A question that finds a free place is sent after a few turns of the event loop, so that the
    others of a burst go with it; there is no timer. Whoever asks has a deadline of their own and
    may give up without touching the others. A call that hangs keeps its place until the last of
    its deadlines.

    A call carries the request id and the trace of the first who asked.
    """

    def __init__(self, dependency: Dependency, new_batch: Callable[[], Batch[Q, A]]) -> None:
        self._dependency = dependency
        self._new_batch = new_batch
        self._pending: list[GatheredAsk[Q, A]] = []
        self._in_flight = 0
        self._is_about_to_send = False
        self.question_count = 0
        """Questions that were sent."""
        self.call_count = 0

    def ask(self, question: Q, timeout_seconds: float) -> "GatheredAsk[Q, A]":
        loop = asyncio.get_running_loop()
        asked = GatheredAsk[Q, A](question, loop, loop.time() + timeout_seconds)
        self._pending.append(asked)
        self._send_soon(loop)
        return asked

    def _send_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._pending and self._in_flight < MAX_IN_FLIGHT and not self._is_about_to_send:
            self._is_about_to_send = True
            self._after_a_turn(loop, QUIET_TURNS, loop.time() + MAX_HOLD_SECONDS)

    def _after_a_turn(self, loop: asyncio.AbstractEventLoop, turns: int, latest: float) -> None:
        loop.call_soon(self._send_when_quiet, loop, len(self._pending), turns - 1, latest)

    def _send_when_quiet(
        self, loop: asyncio.AbstractEventLoop, known: int, turns: int, latest: float
    ) -> None:
        if loop.time() >= latest:
            turns = 0
        elif len(self._pending) > known:
            turns = QUIET_TURNS
        if turns > 0:
            self._after_a_turn(loop, turns, latest)
        else:
            self._is_about_to_send = False
            self._send(loop)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._in_flight < MAX_IN_FLIGHT and self._pending:
            batch = self._new_batch()
            asks = self._taken_into(batch)
            if asks:
                self._in_flight += 1
                call = _SharedCall(len(asks))
                call.task = loop.create_task(self._run(batch, asks), context=asks[0].context)
                for each in asks:
                    each.call = call

    def _taken_into(self, batch: Batch[Q, A]) -> list["GatheredAsk[Q, A]"]:
        """Return the questions for the next call; those that nobody waits for are forgotten."""
        waiting = [each for each in self._pending if each.is_waiting()]
        taken: list[GatheredAsk[Q, A]] = []
        self._pending = []
        for each in waiting:
            (taken if batch.add(each.question) else self._pending).append(each)
        return taken

    async def _run(self, batch: Batch[Q, A], asks: Sequence["GatheredAsk[Q, A]"]) -> None:
        try:
            await self._answer(batch, asks)
        finally:
            self._in_flight -= 1
            self._send_soon(asks[0].loop)

    async def _answer(self, batch: Batch[Q, A], asks: Sequence["GatheredAsk[Q, A]"]) -> None:
        self.call_count += 1
        self.question_count += len(asks)
        left = max(each.deadline for each in asks) - asks[0].loop.time()
        try:
            response = await batch.start(max(0.0, left))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT and len(asks) > 1:
                await asyncio.gather(*map(self._answer_alone, asks))
            else:
                self._dependency.failed(error)
        except Exception as error:  # noqa: BLE001 - it is raised where each of them waits
            for each in asks:
                each.fail(error)
        else:
            self._dependency.answered()
            for position, each in enumerate(asks):
                each.resolve(partial(batch.read, position, response))
        finally:
            for each in asks:
                each.resolve(None)

    async def _answer_alone(self, asked: "GatheredAsk[Q, A]") -> None:
        """Ask again what was refused together with others, one of which is at fault."""
        if asked.is_waiting():
            batch = self._new_batch()
            batch.add(asked.question)
            await self._answer(batch, [asked])


@dataclass(slots=True, eq=False)
class _SharedCall:
    """A call, which is given up when all who asked have been cancelled."""

    waiting: int
    task: asyncio.Task[None] | None = None

    def leave(self) -> None:
        self.waiting -= 1
        if not self.waiting and self.task is not None:
            self.task.cancel()


class GatheredAsk(Generic[Q, A]):
    """A question that waits for its call, or whose call is on its way."""

    __slots__ = ("_read", "call", "context", "deadline", "loop", "question")

    def __init__(self, question: Q, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        """Take a question and the time of the loop until which its answer is of use."""
        self.question = question
        self.loop = loop
        self.deadline = deadline
        self.context = copy_context()
        self.call: _SharedCall | None = None
        self._read: asyncio.Future[Callable[[], A | None] | None] = loop.create_future()

    async def answer(self) -> A | None:
        """Return the answer, None when there is none before the deadline."""
        if self._read.done():
            read = self._read.result()
        else:
            timer = self.loop.call_at(self.deadline, self.resolve, None)
            try:
                read = await self._read
            except asyncio.CancelledError:
                self.cancel()
                raise
            finally:
                timer.cancel()
        return read() if read is not None else None

    def cancel(self) -> None:
        """Give it up; without effect once there is an answer or the deadline has passed."""
        self._read.cancel()
        if self._read.cancelled() and self.call is not None:
            self.call.leave()
            self.call = None

    def is_waiting(self) -> bool:
        """Whether somebody waits for the answer; nobody does after the deadline."""
        if self.deadline <= self.loop.time():
            self.resolve(None)
        return not self._read.done()

    def resolve(self, read: Callable[[], A | None] | None) -> None:
        """Let go on who waits, with what reads the answer; None when there is none."""
        if not self._read.done():
            self._read.set_result(read)

    def fail(self, error: Exception) -> None:
        if not self._read.done():
            self._read.set_exception(error)
