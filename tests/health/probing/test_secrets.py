"""Keys are shown to their provider alone."""

import io
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from steelyard_common import logs
from steelyard_common.provider_probe_http import (
    CallFault,
    CallFaultError,
    ProviderCall,
    ProviderHttp,
)
from steelyard_health.adapters.probe_keys import ProbeKeys
from steelyard_health.domain.outcome import Result
from tests.fakes import FakeClock
from tests.health.probing.world import INTERVAL, KEY, MICRODOLLAR, FakeSubjects, World

OFFER = "acme/large"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return where everything is logged, down to debug."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    written = io.StringIO()
    logs.configure("health", level="debug", stream=written)
    yield written
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


async def test_no_key_is_in_logs_urls_outcomes_or_metrics_however_probes_end(
    world: World, subjects: FakeSubjects, clock: FakeClock, stream: io.StringIO
) -> None:
    world.pricing.price(OFFER, MICRODOLLAR)
    prober = await world.prober(subjects, daily_picodollars=10**12, timeout_seconds=1)
    played = world.providers.played["acme"]
    faults: list[dict[str, Any]] = [
        {"status": 200},
        {"status": 500},
        {"status": 429, "headers": {"retry-after": KEY, "x-ratelimit-limit": KEY}},
        {"drops": True},
        {"hangs": True, "drops": False},
        {"cut_after": 2, "hangs": False, "status": 200},
        {"status": 302, "headers": {"location": f"/{KEY}"}},
        {"status": 401, "headers": {}},
    ]
    for fault in faults:
        for name, value in fault.items():
            setattr(played, name, value)
        subjects.call(OFFER)
        subjects.half_opens(OFFER)
        await prober.probe_due()
        await clock.advance(INTERVAL * 70)

    assert len({result for _, result in subjects.results}) >= 6
    assert world.providers.received[0].headers["authorization"] == f"Bearer {KEY}"
    assert all(KEY not in each.path for each in world.providers.received)
    assert "key refused" in stream.getvalue()
    for text in (
        stream.getvalue(),
        repr(subjects.recorded),
        world.telemetry.prometheus_text().decode(),
    ):
        assert KEY not in text


@pytest.mark.parametrize("fault", ["drops", "hangs", "cut_after"])
async def test_no_key_is_in_an_error_or_its_causes_or_its_locals(world: World, fault: str) -> None:
    setattr(world.providers.played["acme"], fault, 2)
    provider = world.providers.providers["acme"]
    call = ProviderCall(
        method="GET",
        url=f"{provider.base_url}/models",
        key_header="authorization",
        key_prefix="Bearer ",
        key=ProbeKeys(world.environment).key_of(provider),
    )

    async with ProviderHttp(total_seconds=0.2) as http:
        with pytest.raises(CallFaultError) as caught:
            await http.send(call)

    assert KEY not in repr(call)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # The first frame is this one, and the world knows the key.
    assert KEY not in repr([frame.locals for frame in told.stack[1:]])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://127.0.0.1/v1",
        "https://",
        "http://user:secret@127.0.0.1:1/v1",
        "http://[::1/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:1/\x00",
    ],
)
async def test_an_address_that_cannot_be_called_is_no_fault_of_the_provider(url: str) -> None:
    async with ProviderHttp() as http:
        with pytest.raises(CallFaultError) as caught:
            await http.send(ProviderCall(method="GET", url=url))

    assert caught.value.fault is CallFault.REQUEST
    assert "secret" not in str(caught.value)


async def test_a_base_url_with_a_password_is_not_called(
    world: World, subjects: FakeSubjects
) -> None:
    acme = world.providers.providers["acme"]
    with_password = acme.base_url.replace("http://", "http://user:secret@")
    world.providers.providers["acme"] = replace(acme, base_url=with_password)
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert subjects.results == [("acme", Result.CLIENT_ERROR)]
    assert world.providers.connection_count == 0


async def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    world: World, subjects: FakeSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert subjects.results == [("acme", Result.SUCCESS)]
