"""Waits until the edge says that every service is ready."""

import asyncio

import httpx

POLL_SECONDS = 0.1
CHECK_SECONDS = 5.0


class Readiness:
    """Asks `/readyz`, which asks the health service of each process over gRPC."""

    def __init__(self, edge_url: str) -> None:
        self._url = f"{edge_url}/readyz"
        self.missing = "edge"
        """What was not ready when it was asked last."""

    async def wait(self) -> None:
        """Return once everything is ready."""
        async with httpx.AsyncClient(timeout=CHECK_SECONDS, trust_env=False) as client:
            while not await self._is_ready(client):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(POLL_SECONDS)

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            answer = await client.get(self._url)
        except httpx.HTTPError:
            self.missing = "edge"
            return False
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.missing = ", ".join(answer.json()["missing"])
        return answer.is_success
