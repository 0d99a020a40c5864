"""How long a router pauses when its catalogue changes: its loop's lag, and Route calls meanwhile.

Four processes: the router in this one, a registry, pricing with health, and callers at a steady
pace. The catalogue is that of the real feeds where they are at hand, else the shipped one.
"""

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import uvloop

from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.address import Address
from steelyard_common.background import supervised
from steelyard_common.clock import SystemClock
from steelyard_common.lifecycle import COLLECTOR_THRESHOLDS
from steelyard_router.app import Settings, build
from tests.bench.registry import SYNC_SECONDS, feeds, read_feeds
from tests.stack import Stack, free_ports

PROBE_SECONDS = 0.001
PER_SECOND = 100
AFTER_SECONDS = 1.0
CHANGES = ("nothing", "delta 1", "delta 200", "all", "new 1")


@dataclass(frozen=True, slots=True)
class Window:
    """When something was going on, on the monotonic clock."""

    name: str
    start: float
    end: float


class Probe:
    """Notes how late the event loop is, every millisecond."""

    def __init__(self) -> None:
        self.lags: list[tuple[float, float]] = []

    async def run(self) -> None:
        while True:
            due = time.monotonic() + PROBE_SECONDS
            await asyncio.sleep(PROBE_SECONDS)
            self.lags.append((due, max(0.0, time.monotonic() - due)))


def main(*, short: bool) -> None:
    """Print the lag and the latency during each kind of change."""
    gc.set_threshold(*COLLECTOR_THRESHOLDS)  # as the router's own process does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(rounds=3 if short else 10))


async def measure(*, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        await record(folder)
        ports = free_ports(3)
        # What makes new catalogues answers no quotes meanwhile.
        roles = [
            ["-m", "tests.bench.catalogue_neighbours", str(port), str(folder / "parts")]
            for port in ports[:2]
        ]
        async with child(roles[0]) as registry, child(roles[1]):
            for port in ports[:2]:
                async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                    await channel.channel_ready()
            await swaps(registry, folder / "router", ports, rounds)


async def swaps(
    registry: asyncio.subprocess.Process, data_dir: Path, ports: list[int], rounds: int
) -> None:
    """Run the router and change its catalogue again and again."""
    probe = Probe()
    addresses = [Address("127.0.0.1", port) for port in ports]
    async with AsyncExitStack() as stack:
        probing = asyncio.create_task(probe.run())
        stack.callback(probing.cancel)
        started = time.monotonic()
        await start_router(stack, data_dir, addresses)
        windows = [Window("first snapshot", started, time.monotonic())]
        role = ["-m", "tests.bench.catalogue_callers", str(addresses[-1]), str(PER_SECOND)]
        callers = await stack.enter_async_context(child(role))
        await asyncio.sleep(2 * AFTER_SECONDS)
        for _ in range(rounds):
            for change in CHANGES:
                start = time.monotonic()
                if change != "nothing":
                    await ask(registry, change)
                await asyncio.sleep(AFTER_SECONDS)
                windows.append(Window(change, start, time.monotonic()))
        body, _ = await callers.communicate(b"\n")
    calls = [tuple(map(float, line.split())) for line in body.decode().splitlines()]
    for name in ("first snapshot", *CHANGES):
        report(name, [each for each in windows if each.name == name], probe.lags, calls)
    print(f"resident {psutil.Process().memory_info().rss / 1e6:.0f} MB, with the probe's notes")


async def start_router(stack: AsyncExitStack, data_dir: Path, addresses: list[Address]) -> None:
    """Start it as its process does."""
    registry, others, own = addresses
    service = await build(
        Settings(
            router_address=own,
            data_dir=data_dir,
            registry_address=registry,
            pricing_address=others,
            health_address=others,
        )
    )
    await stack.enter_async_context(service.resources)
    await service.server.start()
    stack.push_async_callback(service.server.stop, 0)
    await service.prepare()
    gc.freeze()
    await service.server.set_serving(serving=True)
    for task in service.tasks:
        stack.callback(asyncio.create_task(supervised(task, SystemClock())).cancel)


def report(
    name: str,
    windows: list[Window],
    lags: list[tuple[float, float]],
    calls: list[tuple[float, ...]],
) -> None:
    """Print the medians over the windows of one kind."""
    late = [[1e3 * lag for lag in within(lags, window)] for window in windows]
    slow = [[1e3 * latency for latency in within(calls, window)] for window in windows]
    worst = statistics.median(max(each) for each in late)
    text = f"{name:<15} loop lag: worst {worst:6.1f} ms (of all {max(map(max, late)):6.1f})"
    over = statistics.median(sum(lag for lag in each if lag > 1) for each in late)
    text += f", sum of those over 1 ms {over:6.1f} ms"
    if all(slow):
        everything = [latency for each in slow for latency in each]
        cuts = statistics.quantiles(everything, n=100)
        longest = statistics.median(max(each) for each in slow)
        text += f"; Route p50 {cuts[49]:5.1f}, p99 {cuts[98]:5.1f}, longest {longest:5.1f} ms"
    print(text, flush=True)


def within(notes: Sequence[tuple[float, ...]], window: Window) -> Iterator[float]:
    """Yield what was noted in a window."""
    return (value for time_, value in notes if window.start <= time_ < window.end)


async def ask(registry: asyncio.subprocess.Process, change: str) -> None:
    """Have the registry publish another version."""
    assert registry.stdin is not None
    assert registry.stdout is not None
    registry.stdin.write(f"{change}\n".encode())
    await registry.stdout.readline()


@asynccontextmanager
async def child(arguments: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process of this benchmark until the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def record(folder: Path) -> None:
    """Write the catalogue of a real registry, and print what such a process weighs."""
    (folder / "parts").mkdir()
    urls = feeds(folder)
    async with Stack(folder / "registry", environment=urls, services=("registry",)) as stack:
        stub = pb_grpc.RegistryServiceStub(stack.channel("registry"))
        if urls:
            await read_feeds(stub)
        call = stub.WatchCatalog(pb.WatchCatalogRequest(), timeout=SYNC_SECONDS)
        number = 0
        async for part in call:
            (folder / "parts" / f"{number:04}").write_bytes(part.SerializeToString())
            number += 1
            if part.snapshot_complete:
                break
        call.cancel()
