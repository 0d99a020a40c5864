"""uvicorn as a process of ours runs it: told when to stop, not listening to signals itself."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from steelyard_common.address import Address
from steelyard_common.server import AddressInUseError
from steelyard_edge.http_protocol import BoundedHttpProtocol

BACKLOG = 1024
KEEP_ALIVE_SECONDS = 75


class HttpServer:
    """Serves an ASGI application at one address."""

    def __init__(self, address: Address, app: ASGIApp) -> None:
        self.port = 0
        self._address = address
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=BoundedHttpProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # The peer is the peer: nothing here trusts what a proxy says about it.
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                backlog=BACKLOG,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            AddressInUseError: Another process listens there.
        """
        listener = listening_socket(self._address)
        self.port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()

    async def set_serving(self, *, serving: bool) -> None:
        """Do nothing: whether the edge is ready depends on the services that `/readyz` asks."""

    async def stop(self, grace_seconds: float) -> None:
        """Stop listening, let requests in flight finish, then cut what is left."""
        if self._serving is None:
            return
        if self._server.should_exit or not grace_seconds:
            self._server.force_exit = True
        self._server.config.timeout_graceful_shutdown = max(1, round(grace_seconds))
        self._server.should_exit = True
        await self._serving


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket(address: Address) -> socket.socket:
    """Return a socket that listens.

    Raises:
        AddressInUseError: It cannot.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol is named because event loops switch Nagle off only where it is: with Nagle on, a
    # head and a body that are written one after the other cost 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressInUseError(
            f"cannot listen on {address}: another process does, "
            "or the address is not of this machine"
        ) from error
    return listener
