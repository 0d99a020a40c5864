"""Callers of a router, as one process: Route at a steady pace, whatever the answers take.

`python -m tests.bench.catalogue_callers ADDRESS PER_SECOND` prints, once stdin ends, one line per
call: when it was due, on the machine's monotonic clock, and after how many seconds it was answered.
"""

import asyncio
import sys
import time

import grpc
import uvloop

from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard.router.v1 import routing_service_pb2_grpc as pb_grpc
from tests.router.builders import a_request

CALL_SECONDS = 10.0
TEXTS = ("Who was Ada Lovelace?", "Prove that the square root of two is irrational.", "Hello!")


async def call(address: str, per_second: float) -> None:
    """Make calls until stdin ends; each counts from the moment at which it was due."""
    answered: list[tuple[float, float]] = []
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.RoutingServiceStub(channel)

        async def one(due: float, request: pb.RouteRequest) -> None:
            await stub.Route(request, timeout=CALL_SECONDS)
            answered.append((due, time.monotonic() - due))

        requests = [a_request(text) for text in TEXTS]
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not ended.done():
                group.create_task(one(due, requests[int(due * per_second) % len(requests)]))
                due += 1 / per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
    for due, seconds in answered:
        print(due, seconds)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(call(sys.argv[1], float(sys.argv[2])))
