"""`steelyard up` as a process of its own, on free ports, with the feeds switched off."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import psutil

from tests.stack import NO_FEEDS, SERVICES, free_ports

READY_SECONDS = 60
STEELYARD = (sys.executable, "-m", "steelyard_cli")


class RunningUp:
    """A supervisor and everything it started; nothing of it outlives `end`."""

    def __init__(self, data_dir: Path, *, ports: list[int] | None = None) -> None:
        self.data_dir = data_dir
        self.ports = dict(zip(SERVICES, ports or free_ports(len(SERVICES)), strict=True))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEELYARD_")}
        addresses = {
            f"STEELYARD_{name.upper()}_ADDRESS": f"127.0.0.1:{port}"
            for name, port in self.ports.items()
        }
        self.environment = {**inherited, **NO_FEEDS, **addresses, "NO_COLOR": "1"}
        self.output = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said = asyncio.Event()
        self._seen: set[psutil.Process] = set()

    async def start(self) -> None:
        """Start it, without waiting for anything."""
        self._process = await asyncio.create_subprocess_exec(
            *STEELYARD, "up", "--data-dir", str(self.data_dir),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    async def wait_for(self, text: str, *, seconds: float = READY_SECONDS) -> None:
        """Return once it has printed something."""
        async with asyncio.timeout(seconds):
            while text not in self.output:
                self._said.clear()
                assert self._reader is not None
                if self._reader.done():
                    raise AssertionError(f"ended without saying {text!r}:\n{self.output}")
                await self._said.wait()

    def children(self) -> dict[str, psutil.Process]:
        """Return the running services by name."""
        named = {}
        for child in psutil.Process(self.pid).children():
            if service := re.search(r"steelyard_(\w+)", " ".join(child.cmdline())):
                named[service[1]] = child
        self._seen |= set(named.values())
        return named

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self, *, seconds: float) -> int:
        """Return the exit code; fail when it takes longer."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    async def end(self) -> None:
        """Leave nothing behind, however the test went."""
        if self._process is not None and self._process.returncode is None:
            self.children()
            self._process.kill()
            await self._process.wait()
        for child in self._seen:
            if child.is_running():
                child.kill()
        if self._reader is not None:
            await self._reader

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run another command with the same environment; return exit code, stdout and stderr."""
        return await run_command(*arguments, environment=self.environment)

    async def run_printed(self, line: str) -> tuple[int, str]:
        """Run a line as a person would who copied it; return exit code and stdout."""
        process = await asyncio.create_subprocess_shell(
            line,
            env={k: v for k, v in self.environment.items() if not k.startswith("STEELYARD_")},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output += line.decode()
            self._said.set()
        self._said.set()


async def run_command(*arguments: str, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run `steelyard`; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *STEELYARD,
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
