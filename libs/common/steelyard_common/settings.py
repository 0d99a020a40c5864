"""Settings from environment variables; every bad one is named at once, secrets never shown."""

import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from steelyard_common.address import Address
from steelyard_common.call_limits import CallLimits
from steelyard_common.redis_url import checked_redis_url

PREFIX = "STEELYARD_"
EXIT_BAD_SETTINGS = 2

T = TypeVar("T", bound=BaseSettings)


def _parse_address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def _checked_feed_url(url: str) -> str:
    if url and not url.startswith(("https://", "http://", "file://")):
        raise ValueError("must start with https://, http:// or file://, or be empty")
    return url


AddressSetting = Annotated[Address, NoDecode, BeforeValidator(_parse_address)]
"""`host:port`, `[ipv6]:port` or `unix:/path`."""

FeedUrl = Annotated[str, AfterValidator(_checked_feed_url)]
"""URL of a feed; empty switches it off."""


class SettingsError(Exception):
    """Environment variables are missing or wrong; `problems` has one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class ServiceSettings(BaseSettings):
    """What every service reads; a service adds its own fields and names its listener."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        validate_default=True,
        # Errors of pydantic quote their input, which may be a secret.
        hide_input_in_errors=True,
    )

    listener: ClassVar[str]
    """Name of the field that holds the address of the service itself."""

    uses_redis: ClassVar[bool] = False
    """Whether replicas of the service share something through Redis."""

    data_dir: Path = Path(".steelyard")
    """Directory of SQLite files, the master key and the last good feeds."""

    database_url: SecretStr | None = None
    """`postgresql://...`, one schema per service; unset means SQLite in the data directory."""

    redis_url: Annotated[SecretStr | None, AfterValidator(checked_redis_url)] = None
    """`redis://...`, or `rediss://...` for TLS: what replicas tell each other; unset means nothing.

    A service that shares nothing says so when it is set.
    """

    auth: Literal["on", "off"] | None = None
    """Whether callers need a key; by default only when the listener is not loopback."""

    log_format: Literal["json", "console"] = "json"
    """How log lines look."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log lines that are written."""

    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """How long calls in flight may go on after SIGTERM."""

    default_deadline_seconds: PositiveFloat = 10.0
    """Deadline of a unary call whose caller set none."""

    max_deadline_seconds: PositiveFloat = 600.0
    """No call runs longer, whatever its caller asked for."""

    max_concurrent_calls: PositiveInt = 1024
    """Calls beyond are refused with OVERLOADED."""

    parent_pid: PositiveInt | None = None
    """Process that this one must not outlive, set by the supervisor; unset means none."""

    @property
    def listen_address(self) -> Address:
        """The address of the service itself."""
        address: Address = getattr(self, self.listener)
        return address

    @property
    def is_auth_on(self) -> bool:
        """Whether callers need a key."""
        if self.auth is None:
            return not self.listen_address.is_loopback
        return self.auth == "on"

    @property
    def call_limits(self) -> CallLimits:
        """Limits for the server."""
        return CallLimits(
            unary_deadline_seconds=self.default_deadline_seconds,
            stream_deadline_seconds=self.max_deadline_seconds,
            max_deadline_seconds=self.max_deadline_seconds,
            max_concurrent_calls=self.max_concurrent_calls,
        )

    @model_validator(mode="after")
    def _refuse_an_open_door(self) -> Self:
        if self.auth == "off" and not self.listen_address.is_loopback:
            variable = f"{PREFIX}{self.listener.upper()}"
            raise ValueError(f"{PREFIX}AUTH: off is only allowed when {variable} is loopback")
        return self


def read(cls: type[T]) -> T:
    """Build settings from the environment.

    Raises:
        SettingsError: Variables are missing or wrong; it names all of them.
    """
    try:
        return cls()
    except ValidationError as error:
        raise SettingsError([_problem(cls, dict(fault)) for fault in error.errors()]) from None
    except SourceError as error:
        raise SettingsError([str(error)]) from None


def load(cls: type[T]) -> T:
    """Build settings from the environment, or name what is wrong on stderr and exit with 2."""
    try:
        return read(cls)
    except SettingsError as error:
        lines = "".join(f"  {problem}\n" for problem in error.problems)
        sys.stderr.write(f"wrong settings:\n{lines}")
        raise SystemExit(EXIT_BAD_SETTINGS) from None


def variable_name(cls: type[BaseSettings], field: str) -> str:
    """Return the environment variable of a field."""
    alias = cls.model_fields[field].validation_alias if field in cls.model_fields else None
    if isinstance(alias, str):
        return alias
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def _problem(cls: type[BaseSettings], fault: dict[str, Any]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:  # about several fields: the message names them
        return message
    name = str(fault["loc"][0])
    variable = name if name.isupper() else variable_name(cls, name)
    return f"{variable}: {'is not set' if fault['type'] == 'missing' else message}"
