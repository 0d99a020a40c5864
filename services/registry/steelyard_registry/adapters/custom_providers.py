"""Providers of an installation's own file: anything that speaks a wire format of ours."""

import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from steelyard_catalog.names import canonical_name
from steelyard_catalog.offers import offer_id
from steelyard_catalog.providers import models_dev_provider_id, provider_id
from steelyard_catalog.spelling import spelled
from steelyard_registry.adapters.provider_table import AUTH_STYLES, WIRE_FORMATS, read_providers
from steelyard_registry.domain import capabilities
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.modes import Capability, Mode
from steelyard_registry.domain.providers import AuthStyle, Provider, is_key_pattern

MAX_BYTES = 1024 * 1024
MAX_PROVIDERS = 100
MAX_MODELS = 1_000
MAX_FAULTS = 100
MAX_TOKENS = 10**9

OLLAMA = "ollama"
"""The one bundled provider whose models only the installation knows."""

_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_MAX_SHOWN = 64
_MODES = {each.name.lower(): each for each in Mode if each not in {Mode.UNSPECIFIED, Mode.OTHER}}
_CAPABILITIES = {each.name.lower(): each for each in Capability}
_STATUS_FORMATS = ("aws", "betterstack", "flashduty", "google", "instatus", "rss", "statuspage")
_MODALITIES = ("audio", "image", "pdf", "text", "video")


class CustomProvidersError(ValueError):
    """A file of providers is not one; the message names every fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomProviders:
    """What the file names."""

    providers: Mapping[str, Provider]
    """By id; those that the bundled table has too are whole, as changed by the file."""
    offers: tuple[Offer, ...]
    """Of their models, in the file's order."""


def _one_of(words: Iterable[str]) -> AfterValidator:
    allowed = tuple(words)

    def checked(word: str) -> str:
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return word

    return AfterValidator(checked)


def _checked_url(url: str) -> str:
    """Return an address of http or https that has a host and nothing secret."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not re.fullmatch(r"[!-~]+", url):
        raise ValueError("must be an address like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user and no password")
    return url


def _checked_base_url(url: str) -> str:
    """Return a root that paths can be appended to."""
    if "?" in url or "#" in url:
        raise ValueError("must have no query and no fragment")
    return _checked_url(url).rstrip("/")


def _checked_key_pattern(pattern: str) -> str:
    if not is_key_pattern(pattern):
        raise ValueError(
            "must be characters and [classes] with counts, without groups and anchors,"
            " and with at most two repetitions in each alternative"
        )
    return pattern


_Url = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_checked_url)]
_BaseUrl = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_checked_base_url)]
_DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_KeyVariable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
_KeyPattern = Annotated[str, AfterValidator(_checked_key_pattern)]
_ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/@+*-]{1,256}$")]
_TokenLimit = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
_CapabilityName = Annotated[str, _one_of(_CAPABILITIES)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


class _Model(_Table):
    id: _ModelId
    model: _ModelId | None = None
    mode: Annotated[str, _one_of(_MODES)] = "chat"
    display_name: _DisplayName | None = None
    max_input_tokens: _TokenLimit | None = None
    max_output_tokens: _TokenLimit | None = None
    capabilities: list[_CapabilityName] = Field(default=[], max_length=len(_CAPABILITIES))
    denied_capabilities: list[_CapabilityName] = Field(default=[], max_length=len(_CAPABILITIES))
    input_modalities: list[Annotated[str, _one_of(_MODALITIES)]] = Field(
        default=[], max_length=len(_MODALITIES)
    )

    @model_validator(mode="after")
    def _checked(self) -> "_Model":
        if both := sorted({*self.capabilities} & {*self.denied_capabilities}):
            raise ValueError(f"both grants and denies {', '.join(both)}")
        return self


class _Extension(_Table):
    """What may be said of Ollama, which is bundled."""

    base_url: _BaseUrl | None = None
    models: list[_Model] = Field(default=[], max_length=MAX_MODELS)


class _Provider(_Table):
    base_url: _BaseUrl
    display_name: _DisplayName | None = None
    wire_format: Annotated[str, _one_of(WIRE_FORMATS)] = "openai"
    auth_style: Annotated[str, _one_of(AUTH_STYLES)] = "bearer"
    key_variables: list[_KeyVariable] = Field(default=[], max_length=8)
    key_pattern: _KeyPattern | None = None
    status_page_url: _Url | None = None
    status_api_url: _Url | None = None
    status_format: Annotated[str, _one_of(_STATUS_FORMATS)] | None = None
    models: list[_Model] = Field(default=[], max_length=MAX_MODELS)

    @model_validator(mode="after")
    def _checked(self) -> "_Provider":
        if (self.status_api_url is None) != (self.status_format is None):
            raise ValueError("status_api_url and status_format go together")
        if AUTH_STYLES[self.auth_style] is AuthStyle.NONE and self.key_variables:
            raise ValueError("key_variables need an auth_style that shows a key")
        return self


def read_custom_providers(path: Path) -> CustomProviders:
    """Read a file of providers.

    Args:
        path: Of TOML with a table `[providers.NAME]` for each, and `[[providers.NAME.models]]`.

    Raises:
        CustomProvidersError: It cannot be read or is faulty; all faults are named, with the tables
            that they are in, and nothing of what the file holds.
    """
    document, changed_time = _document(path)
    bundled = read_providers()
    faults: list[str] = []
    found = {
        name: table
        for name, value in _tables(document, faults)
        if (table := _table(name, value, bundled, faults)) is not None
    }
    if faults:
        hidden = len(faults) - MAX_FAULTS
        more = [f"and {hidden} more"] if hidden > 0 else []
        raise CustomProvidersError(f"{path}: " + "; ".join([*faults[:MAX_FAULTS], *more]))
    return CustomProviders(
        providers={name: _to_provider(name, table, bundled) for name, table in found.items()},
        offers=tuple(
            _to_offer(name, model, changed_time)
            for name, table in found.items()
            for model in table.models
        ),
    )


def _document(path: Path) -> tuple[Mapping[str, Any], datetime]:
    """Return the file, and when it was changed: for its offers that is when they were observed."""
    try:
        with path.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
            changed_time = datetime.fromtimestamp(os.fstat(opened.fileno()).st_mtime, UTC)
    except OSError as error:
        raise CustomProvidersError(f"{path} cannot be read: {error.strerror}") from error
    if len(body) > MAX_BYTES:
        raise CustomProvidersError(f"{path} has more than {MAX_BYTES:,} bytes")
    try:
        return tomllib.loads(body.decode()), changed_time
    except UnicodeDecodeError:
        raise CustomProvidersError(f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise CustomProvidersError(f"{path} is not TOML: {error}") from error
    except RecursionError:
        raise CustomProvidersError(f"{path} is nested too deeply") from None


def _tables(document: Mapping[str, Any], faults: list[str]) -> Iterator[tuple[str, object]]:
    faults += [
        f"{_shown(name)}: only [providers.NAME] is known"
        for name in sorted(document.keys() - {"providers"})
    ]
    providers = document.get("providers", {})
    if not isinstance(providers, dict):
        faults.append("providers: must be tables like [providers.NAME]")
    elif len(providers) > MAX_PROVIDERS:
        faults.append(f"providers: must be at most {MAX_PROVIDERS}")
    else:
        yield from providers.items()


def _table(
    name: str, value: object, bundled: Mapping[str, Provider], faults: list[str]
) -> _Provider | _Extension | None:
    path = f"providers.{_shown(name)}"
    faults += [f"{path}: {fault}" for fault in _name_faults(name, bundled)]
    faults += [f"{path}.models: has {_shown(each)} more than once" for each in _repeated(value)]
    try:
        return (_Extension if name == OLLAMA else _Provider).model_validate(value)
    except ValidationError as error:
        faults += [
            f"{path}{_place(each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return None


def _name_faults(name: str, bundled: Mapping[str, Provider]) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "the name must be 1 to 64 of a-z, 0-9, _ and -"
        return
    known = bundled.get(name)
    if name != OLLAMA and known is not None and known.is_routable:
        yield "there is a provider of this name"
    other = next(filter(name.__ne__, (provider_id(name), models_dev_provider_id(name))), None)
    if other is not None:
        yield f"this is another name of {other}"


def _repeated(value: object) -> Iterable[str]:
    models = value.get("models") if isinstance(value, dict) else None
    rows = models if isinstance(models, list) else []
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return [each for each, count in Counter(ids).items() if count > 1]


def _place(location: Iterable[int | str]) -> str:
    return "".join(
        f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in location
    )


def _shown(name: str) -> str:
    """Return a key as TOML writes it, cut short."""
    name = name[:_MAX_SHOWN]
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _to_provider(
    name: str, table: _Provider | _Extension, bundled: Mapping[str, Provider]
) -> Provider:
    known = bundled.get(name) or Provider(provider=name, display_name=name)
    base_url = table.base_url or known.base_url
    if isinstance(table, _Extension):
        return replace(known, base_url=base_url, is_custom=True)
    return replace(
        known,
        display_name=table.display_name or known.display_name,
        base_url=base_url,
        wire_format=WIRE_FORMATS[table.wire_format],
        auth_style=AUTH_STYLES[table.auth_style],
        key_variables=tuple(table.key_variables),
        key_pattern=table.key_pattern or "",
        status_page_url=table.status_page_url or known.status_page_url,
        status_api_url=table.status_api_url or known.status_api_url,
        status_format=table.status_format or known.status_format,
        is_custom=True,
    )


def _to_offer(provider: str, row: _Model, now: datetime) -> Offer:
    abilities = capabilities.from_statement(
        {_CAPABILITIES[each] for each in row.capabilities},
        {_CAPABILITIES[each] for each in row.denied_capabilities},
        row.input_modalities,
    )
    return Offer(
        offer=offer_id(provider, row.id),
        provider=provider,
        provider_model=row.id,
        model=_canonical(provider, row),
        mode=_MODES[row.mode],
        capabilities=abilities.granted,
        denied=abilities.denied,
        max_input_tokens=row.max_input_tokens,
        max_output_tokens=row.max_output_tokens,
        input_modalities=tuple(row.input_modalities),
        display_name=row.display_name or "",
        source=SourceName.CUSTOM,
        observed_time=now,
    )


def _canonical(provider: str, row: _Model) -> str:
    """Return the model that a row says it is, in any spelling of it, or that its id says."""
    if row.model is None:
        return canonical_name(provider, row.id, row.mode)
    # With a path it is a model that one seller alone has, whose id is that of the offer.
    return row.model.lower() if "/" in row.model else spelled("", row.model)
