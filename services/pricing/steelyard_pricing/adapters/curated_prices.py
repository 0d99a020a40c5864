"""Prices that people looked up, for offers that no source prices: ours, and an operator's own."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from steelyard_catalog.names import MAX_NAME_LENGTH, OfferName, canonical_name
from steelyard_catalog.offers import offer_id, split_offer
from steelyard_pricing.adapters.litellm_fields import MODES
from steelyard_pricing.domain.bounds import ImplausiblePriceError, checked_price
from steelyard_pricing.domain.comparison import CURATED
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.rates import PriceFact, Rate
from steelyard_pricing.domain.snapshot import ObservedFact, SourceFacts

MAX_BYTES = 4 * 1024 * 1024
_FIELDS = frozenset({"offer", "mode", "rates", "evidence", "date", "note"})
_COMPONENTS = {each.name.lower(): each for each in Component if each.is_token}
_MODES = {name: mode for name, mode in MODES.items() if name}
# No sign and no exponent: what a person copies from a page.
_USD_PER_MILLION = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_PER_MILLION = -6
_OFFER = re.compile(r"[!-~]+", re.ASCII)


class CuratedPricesError(ValueError):
    """A file of curated prices is not one; the message says where."""


def read_curated_facts(own_file: Path | None = None) -> SourceFacts:
    """Return our prices and those of an operator, whose entries replace ours.

    Raises:
        CuratedPricesError: A file is not one of curated prices.
    """
    ours = (files("steelyard_pricing") / "data" / "curated_prices.toml").read_text("utf-8")
    found = parse_curated_prices(ours)
    if own_file is not None:
        found = {**found, **_read(own_file)}
    return SourceFacts(CURATED, tuple(found.values()), len(found))


def parse_curated_prices(text: str) -> dict[str, ObservedFact]:
    """Return facts by offer, dated with the day on which somebody looked.

    Unlike a feed, which nobody here has written, a file with one bad entry is refused.

    Raises:
        CuratedPricesError: The text is not in the format of `data/curated_prices.toml`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CuratedPricesError(f"is not TOML: {error}") from error
    entries = document.get("prices")
    if document.keys() != {"prices"} or not isinstance(entries, list):
        raise CuratedPricesError("must have a list of [[prices]] and nothing else")
    found: dict[str, ObservedFact] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            observed = _observed(entry)
        except CuratedPricesError as error:
            raise CuratedPricesError(f"entry {number}: {error}") from error
        if found.setdefault(observed.fact.offer, observed) is not observed:
            raise CuratedPricesError(f"entry {number}: {observed.fact.offer} is there before")
    return found


def _read(file: Path) -> dict[str, ObservedFact]:
    try:
        with file.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
        return _parsed(body)
    except OSError as error:
        raise CuratedPricesError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CuratedPricesError(f"{file} is not UTF-8") from error
    except CuratedPricesError as error:
        raise CuratedPricesError(f"{file}: {error}") from error


def _parsed(body: bytes) -> dict[str, ObservedFact]:
    if len(body) > MAX_BYTES:
        raise CuratedPricesError(f"has more than {MAX_BYTES:,} bytes")
    return parse_curated_prices(body.decode())


def _observed(entry: object) -> ObservedFact:
    if not isinstance(entry, dict):
        raise CuratedPricesError("must be a table")
    if entry.keys() != _FIELDS:
        raise CuratedPricesError(f"must have exactly {', '.join(sorted(_FIELDS))}")
    day = entry["date"]
    if not isinstance(day, date) or isinstance(day, datetime):
        raise CuratedPricesError("date must be a day like 2026-10-21")
    _text(entry, "note")
    return ObservedFact(_fact(entry), datetime(day.year, day.month, day.day, tzinfo=UTC))


def _fact(entry: Mapping[str, Any]) -> PriceFact:
    mode = entry["mode"]
    if not isinstance(mode, str) or mode not in _MODES:
        raise CuratedPricesError(f"mode must be one of {', '.join(sorted(_MODES))}")
    evidence = _text(entry, "evidence")
    if not evidence.startswith(("https://", "http://")):
        raise CuratedPricesError("evidence must be the address of a page")
    rates = _rates(entry["rates"])
    components = {rate.component for rate in rates}
    needed = {Component.INPUT_TOKEN}
    if _MODES[mode].writes_text:
        needed.add(Component.OUTPUT_TOKEN)
    if missing := sorted(each.name.lower() for each in needed - components):
        raise CuratedPricesError(f"rates must have {' and '.join(missing)}")
    return PriceFact(
        name=_name(_text(entry, "offer"), mode),
        mode=_MODES[mode],
        source=CURATED,
        rates=rates,
        source_uri=evidence,
    )


def _name(offer: str, mode: str) -> OfferName:
    if len(offer) > MAX_NAME_LENGTH or not _OFFER.fullmatch(offer):
        raise CuratedPricesError(f"offer must have at most {MAX_NAME_LENGTH} visible characters")
    try:
        provider, provider_model = split_offer(offer)
    except ValueError:
        raise CuratedPricesError("offer must be {provider}/{model}") from None
    return OfferName(
        offer_id(provider, provider_model),
        provider,
        provider_model,
        canonical_name(provider, provider_model, mode),
        offer,
    )


def _rates(rates: object) -> tuple[Rate, ...]:
    if not isinstance(rates, dict):
        raise CuratedPricesError("rates must be a table")
    return tuple(sorted(_rate(name, figure) for name, figure in rates.items()))


def _rate(name: str, figure: object) -> Rate:
    component = _COMPONENTS.get(name)
    if component is None:
        raise CuratedPricesError(f"rates must be among {', '.join(_COMPONENTS)}")
    if not isinstance(figure, str) or not _USD_PER_MILLION.fullmatch(figure):
        raise CuratedPricesError(f'{name} must be USD per million as text, like "0.25"')
    try:
        picodollars = checked_price(component, Decimal(figure).scaleb(_PER_MILLION))
    except ImplausiblePriceError:
        raise CuratedPricesError(f"{name} is too small or too large for a price") from None
    if not picodollars:
        raise CuratedPricesError(f"{name} must be above zero: leave out what costs nothing")
    return Rate(component, picodollars)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry[name]
    if not isinstance(value, str) or not value.strip():
        raise CuratedPricesError(f"{name} must be a text")
    return value


def _file_or_none(value: object) -> object:
    return value or None


def _checked(file: Path | None) -> Path | None:
    if file is not None:
        _read(file)
    return file


CuratedFile = Annotated[Path | None, BeforeValidator(_file_or_none), AfterValidator(_checked)]
"""A file of curated prices that can be read; empty means none."""
