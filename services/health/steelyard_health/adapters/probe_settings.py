"""Environment of active probes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from steelyard_common.address import Address
from steelyard_common.money import PICODOLLARS_PER_USD, to_picodollars
from steelyard_common.settings import AddressSetting, ServiceSettings
from steelyard_health.domain.probing import ProbeMode


def _checked_usd(usd: Decimal) -> Decimal:
    if Decimal(to_picodollars(usd)) != usd * PICODOLLARS_PER_USD:
        raise ValueError("must have at most 12 decimals")
    return usd


class ProbeSettings(ServiceSettings):
    """Which probes are made, and for how much."""

    health_probes: Literal["off", "free", "paid"] = "off"
    """Whether providers are probed where traffic is thin: `free` reads lists of models, `paid` also
    asks for completions of one token."""

    health_probe_seconds: Annotated[float, Field(ge=5, le=86_400)] = 60.0
    """The least time between two probes of one provider or offer."""

    health_probe_daily_usd: Annotated[Decimal, AfterValidator(_checked_usd)] = Decimal("0.05")
    """What paid probes may cost in a day (UTC), of all replicas together."""

    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    """Where the pricing service is dialled, for prices of paid probes."""

    @property
    def probe_mode(self) -> ProbeMode:
        return ProbeMode(self.health_probes)

    @property
    def probe_daily_picodollars(self) -> int:
        return to_picodollars(self.health_probe_daily_usd)
