"""`steelyard health --watch`: changes as they happen."""

import asyncio
from typing import Any

import grpc
import typer

from steelyard.health.v1 import health_service_pb2 as pb
from steelyard.health.v1.health_pb2 import StateChange
from steelyard.health.v1.health_service_pb2_grpc import HealthServiceStub
from steelyard_cli.commands.health import circuit_name, state_name
from steelyard_cli.output import UNKNOWN, moment_if, print_json_line, print_line
from steelyard_cli.services import Connection, ask

RECONNECT_SECONDS = 1.0
GOES_ON = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""How a stream ends when the server stops, or has had enough of it: the next one goes on."""


def watch_health(provider: str, *, as_json: bool) -> None:
    """Print one line per change until interrupted; first what is not well at present.

    Args:
        provider: Only changes of this seller and its offers; empty means all.
        as_json: Print one JSON document per line.
    """

    async def question(connection: Connection) -> None:
        stub = HealthServiceStub(connection.channel)
        # A stream may be silent for hours: whether anybody answers is asked with a question.
        await stub.ListProviderHealth(pb.ListProviderHealthRequest(), timeout=connection.seconds)
        await _Watch(stub, provider, as_json=as_json).run()

    try:
        ask("health", question)
    except KeyboardInterrupt:
        print_line()


class _Watch:
    """Follows the stream from one connection to the next without printing a change twice."""

    def __init__(self, stub: HealthServiceStub, provider: str, *, as_json: bool) -> None:
        self._stub = stub
        self._provider = provider
        self._as_json = as_json
        self._version = 0

    async def run(self) -> None:
        """Print for ever.

        Raises:
            grpc.aio.AioRpcError: The service refuses.
        """
        while True:
            try:
                await self._follow()
            except grpc.aio.AioRpcError as error:
                if error.code() not in GOES_ON:
                    raise
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self) -> None:
        call = self._stub.WatchHealth(pb.WatchHealthRequest(from_version=self._version))
        async for event in call:
            if not event.HasField("change"):  # too old to go on from: the present follows
                self._version = 0
                continue
            self._version = max(self._version, event.change.version)
            if self._provider in {"", event.change.provider}:
                self._print(event)

    def _print(self, event: pb.WatchHealthResponse) -> None:
        if self._as_json:
            print_json_line(_document(event))
        else:
            typer.echo(_line(event))  # a line however long it is, and no markup


def _line(event: pb.WatchHealthResponse) -> str:
    change = event.change
    moment = moment_if(change, "time")
    parts = [
        f"{moment:%Y-%m-%d %H:%M:%S}" if moment else UNKNOWN,
        change.offer or change.provider,
        _step(state_name(change.before), state_name(change.after), is_present=event.present),
        f"circuit {_circuits(change, is_present=event.present)}",
        change.evidence,
    ]
    return "  ".join(filter(None, parts))


def _circuits(change: StateChange, *, is_present: bool) -> str:
    before, after = circuit_name(change.circuit_before), circuit_name(change.circuit_after)
    return _step(before or UNKNOWN, after or UNKNOWN, is_present=is_present)


def _step(before: str, after: str, *, is_present: bool) -> str:
    return after if is_present or before == after else f"{before} → {after}"


def _document(event: pb.WatchHealthResponse) -> dict[str, Any]:
    change = event.change
    return {
        "time": moment_if(change, "time"),
        "provider": change.provider,
        "offer": change.offer or None,
        "before": state_name(change.before),
        "after": state_name(change.after),
        "circuit_before": circuit_name(change.circuit_before),
        "circuit_after": circuit_name(change.circuit_after),
        "evidence": change.evidence,
        "version": change.version,
        "platform_wide": change.platform_wide,
        "present": event.present,
    }
