"""What a router needs around it, as one process: a registry that changes on demand, and fakes.

`python -m tests.bench.catalogue_neighbours PORT FOLDER`: FOLDER holds the parts of a catalogue, one
file each. A line on stdin, `all`, `delta N` or `new N`, makes the next version; the answer is its
number. All of it has passed through the registry; only quality, or a model's name, is changed.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import uvloop

from steelyard.health.v1 import health_service_pb2_grpc as health_grpc
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_common.server import grpcio_server
from tests.router.fakes import a_health, a_pricing

MODELS_PER_PART = 200


class Registry(pb_grpc.RegistryServiceServicer):
    """Sends a recorded catalogue, then what it is told to."""

    def __init__(self, parts: list[pb.WatchCatalogResponse]) -> None:
        self._models = [model for part in parts for model in part.models]
        self._providers = parts[-1].providers
        self._versions = count(parts[-1].catalog_version + 1)
        self._next: asyncio.Queue[list[pb.WatchCatalogResponse]] = asyncio.Queue()
        self._first = parts

    def offers(self) -> list[str]:
        """Return the ids of all offers."""
        return [offer.offer for model in self._models for offer in model.offers]

    def change(self, what: str, models: int = 0) -> int:
        """Send all anew, or so many models that differ in quality or are new."""
        version = next(self._versions)
        changed = self._models[:models] if models else self._models
        for model in changed:
            model.quality.score = 50 + version % 50
        if what == "new":
            changed = [self._renamed(model, version) for model in changed]
            self._models += changed
        self._next.put_nowait(self._parts(changed, version, is_whole=what == "all"))
        return version

    def _renamed(self, model: model_pb2.Model, version: int) -> model_pb2.Model:
        new = model_pb2.Model()
        new.CopyFrom(model)
        new.model = f"{model.model}-{version}"
        new.ClearField("aliases")
        for offer in new.offers:
            offer.model, offer.offer = new.model, f"{offer.offer}-{version}"
        return new

    def _parts(
        self, models: list[model_pb2.Model], version: int, *, is_whole: bool
    ) -> list[pb.WatchCatalogResponse]:
        starts = range(0, len(models), MODELS_PER_PART)
        return [
            pb.WatchCatalogResponse(
                models=models[start : start + MODELS_PER_PART],
                providers=self._providers if is_whole and start == starts[-1] else (),
                catalog_version=version if start == starts[-1] else 0,
                snapshot_start=is_whole and start == 0,
                snapshot_complete=start == starts[-1],
            )
            for start in starts
        ]

    async def WatchCatalog(
        self, request: pb.WatchCatalogRequest, context: Any
    ) -> AsyncIterator[pb.WatchCatalogResponse]:
        if request.from_version != self._first[-1].catalog_version:
            for part in self._first:
                yield part
        while True:
            for part in await self._next.get():
                yield part


def recorded(folder: Path) -> list[pb.WatchCatalogResponse]:
    """Return the parts of a catalogue."""
    files = sorted(folder.iterdir())
    return [pb.WatchCatalogResponse.FromString(path.read_bytes()) for path in files]


async def serve(port: int, parts: list[pb.WatchCatalogResponse]) -> None:
    """Serve until stdin ends."""
    registry = Registry(parts)  # type: ignore[abstract]
    server = grpcio_server()
    rates = {offer: (100_000 + at, 400_000 + at) for at, offer in enumerate(registry.offers())}
    pb_grpc.add_RegistryServiceServicer_to_server(registry, server)
    pricing_grpc.add_PricingServiceServicer_to_server(a_pricing(rates), server)
    health_grpc.add_HealthServiceServicer_to_server(a_health(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, *models = line.split()
        print(registry.change(what, *map(int, models)), flush=True)
    await server.stop(None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), recorded(Path(sys.argv[2]))))
