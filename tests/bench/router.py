"""The router's own time per Route: everything but the calls to pricing and health."""

import asyncio
import os
import statistics
import time
from pathlib import Path

from steelyard_common.clock import SystemClock
from steelyard_router.domain.classifier import Prompt, RulesClassifier
from steelyard_router.domain.token_count import text_tokens
from steelyard_router.messages.decision import DecisionWriter
from steelyard_router.messages.order import to_order
from steelyard_router.routing import Routing
from tests.conftest import REAL_DATA_VARIABLE
from tests.router.builders import a_request
from tests.router.in_process import routing
from tests.router.real_catalog import real_world

PROMPT = "Explain how a steelyard balance finds an unknown weight, step by step. "
SIZES = (1, 20, 400)


def main(*, short: bool) -> None:
    """Print medians over a real catalogue; without one there is nothing to measure."""
    named = os.environ.get(REAL_DATA_VARIABLE)
    data = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    if not data.is_dir():
        print(f"skipped: no real feeds in {data}")
        return
    real = real_world(data)
    print(f"{len(real.catalog.offers)} offers, {len(real.cards)} with a price")
    route = routing(real.catalog, real.cards, SystemClock())
    for size in SIZES:
        asyncio.run(measure(route, PROMPT * size, 300 if short else 3000))


async def measure(route: Routing, prompt: str, rounds: int) -> None:
    """Print where the time of one request goes, in microseconds."""
    request = a_request(prompt)
    order = to_order(request)
    decision = await route.route(order, tenant_id="local", ask_seconds=1)
    classifier, classified = RulesClassifier(), Prompt.of(prompt)
    writer = DecisionWriter()
    message = writer.write(decision)
    parts = {
        "whole request": [],
        "check and convert": [],
        "classify": [],
        "count tokens": [],
        "route": [],
        "answer": [],
        "serialize": [],
    }  # type: dict[str, list[float]]
    for _ in range(rounds):
        started = time.perf_counter()
        writer.write(await route.route(to_order(request), tenant_id="local", ask_seconds=1))
        note(parts["whole request"], started)
        for name, work in (
            ("check and convert", lambda: to_order(request)),
            ("classify", lambda: classifier.classify(classified)),
            ("count tokens", lambda: text_tokens(prompt)),
            ("answer", lambda: writer.write(decision)),
            ("serialize", message.SerializeToString),
        ):
            started = time.perf_counter()
            work()
            note(parts[name], started)
        started = time.perf_counter()
        await route.route(order, tenant_id="local", ask_seconds=1)
        note(parts["route"], started)
    print(f"prompt of {len(prompt)} characters, {len(decision.candidates)} candidates:")
    for name, times in parts.items():
        cuts = statistics.quantiles(times, n=20)
        print(f"  {name:<18} p50 {cuts[9]:7.0f} us, p95 {cuts[18]:7.0f} us")


def note(times: list[float], started: float) -> None:
    times.append((time.perf_counter() - started) * 1e6)
