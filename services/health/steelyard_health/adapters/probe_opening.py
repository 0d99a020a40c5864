"""Active probes as the settings want them."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from steelyard.pricing.v1 import pricing_service_pb2
from steelyard_common.channels import open_channel
from steelyard_common.clock import Clock
from steelyard_common.database import Database
from steelyard_common.leases import LeaseKeeper
from steelyard_common.provider_probe_http import ProviderHttp
from steelyard_common.telemetry import Telemetry
from steelyard_health.adapters.probe_calls import ProbeCalls
from steelyard_health.adapters.probe_keys import ProbeKeys
from steelyard_health.adapters.probe_meters import ProbeMeters
from steelyard_health.adapters.probe_prices import ProbePrices
from steelyard_health.adapters.probe_settings import ProbeSettings
from steelyard_health.adapters.probe_spend import ProbeSpend
from steelyard_health.adapters.prober import ProbeMeans, ProbePurse, Prober
from steelyard_health.domain.probing import ProbeMode, ProbeSubjects
from steelyard_health.domain.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSurroundings:
    """What the service has that probes use."""

    subjects: ProbeSubjects
    providers: Callable[[], Mapping[str, Provider]]
    """Returns the sellers that are known now, by id."""
    environment: Mapping[str, str]
    """Where the platform's keys are, such as `os.environ`; not looked at when probes are off."""
    database: Database
    leases: LeaseKeeper
    telemetry: Telemetry
    clock: Clock


async def open_prober(
    settings: ProbeSettings, surroundings: ProbeSurroundings, resources: AsyncExitStack
) -> Prober | None:
    """Return what probes, None when probes are off; then nothing is opened or read.

    Args:
        settings: From the environment.
        surroundings: What the service has.
        resources: Closes what is opened here.
    """
    if settings.probe_mode is ProbeMode.OFF:
        return None
    http = await resources.enter_async_context(ProviderHttp())
    means = ProbeMeans(
        subjects=surroundings.subjects,
        providers=surroundings.providers,
        keys=ProbeKeys(surroundings.environment),
        calls=ProbeCalls(http, surroundings.clock),
        leases=surroundings.leases,
        meters=ProbeMeters(surroundings.telemetry.meter),
        clock=surroundings.clock,
        purse=await _purse(settings, surroundings, resources),
    )
    return Prober(means, interval_seconds=settings.health_probe_seconds)


async def _purse(
    settings: ProbeSettings, surroundings: ProbeSurroundings, resources: AsyncExitStack
) -> ProbePurse | None:
    if settings.probe_mode is not ProbeMode.PAID:
        return None
    pricing = pricing_service_pb2.DESCRIPTOR.services_by_name["PricingService"]
    channel = await resources.enter_async_context(
        open_channel(settings.pricing_address, [pricing], telemetry=surroundings.telemetry)
    )
    return ProbePurse(
        prices=ProbePrices(channel),
        spend=ProbeSpend(surroundings.database, surroundings.clock),
        daily_picodollars=settings.probe_daily_picodollars,
    )
