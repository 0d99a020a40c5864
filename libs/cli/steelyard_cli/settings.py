"""Where the services are, from the environment; the same variables that the services read."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from steelyard_cli.failure import EXIT_USAGE, CommandError
from steelyard_common.address import Address
from steelyard_common.settings import PREFIX, AddressSetting, SettingsError, read


class CliSettings(BaseSettings):
    """Environment of the command."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True
    )

    data_dir: Path = Path(".steelyard")
    pricing_address: AddressSetting = Address("127.0.0.1", 50051)
    registry_address: AddressSetting = Address("127.0.0.1", 50052)
    health_address: AddressSetting = Address("127.0.0.1", 50053)
    router_address: AddressSetting = Address("127.0.0.1", 50054)
    edge_address: AddressSetting = Address("127.0.0.1", 8000)
    call_seconds: Annotated[float, Field(gt=0, le=600)] = 15.0

    def address(self, service: str) -> Address:
        """Return where a service listens."""
        address: Address = getattr(self, f"{service}_address")
        return address


def load_settings() -> CliSettings:
    """Return the settings.

    Raises:
        CommandError: Variables are wrong; it names all of them.
    """
    try:
        return read(CliSettings)
    except SettingsError as error:
        raise CommandError("; ".join(error.problems), exit_code=EXIT_USAGE) from None


def variable(service: str) -> str:
    """Return the name of the variable with a service's address."""
    return f"{PREFIX}{service.upper()}_ADDRESS"


def default_address(service: str) -> Address:
    """Return where a service listens unless told otherwise."""
    address: Address = CliSettings.model_fields[f"{service}_address"].default
    return address
