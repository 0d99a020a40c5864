"""Probes, counted."""

from opentelemetry.metrics import Meter

from steelyard_health.domain.outcome import Result


class ProbeMeters:
    """How many probes were made, how they ended, and what they cost."""

    def __init__(self, meter: Meter) -> None:
        self._probes = meter.create_counter(
            "steelyard.health.probes", unit="{probe}", description="Probes of providers that ended."
        )
        self._spend = meter.create_gauge(
            "steelyard.health.probe_spend",
            unit="{picodollar}",
            description="Most that paid probes of this day (UTC) may have cost.",
        )

    def ended(self, provider: str, kind: str, result: Result) -> None:
        """Count a probe; `kind` is `free` or `paid`."""
        self._probes.add(1, {"provider": provider, "kind": kind, "result": result.name.lower()})

    def spent(self, picodollars: int) -> None:
        """Show what is spent today, by all replicas."""
        self._spend.set(picodollars)
