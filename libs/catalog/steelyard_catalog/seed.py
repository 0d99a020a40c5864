"""The seed catalogue: what is known before any feed was read.

A gzip file of JSON lines. The first line says edition, source and licence. Every other line is one
offer: source key, provider, provider's model id, mode, and fields under the source's names, with
prices as the source writes them. Facts from LiteLLM's map, which is under the MIT licence.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from json import dumps

from steelyard_catalog.entries import CatalogueEntry
from steelyard_catalog.json_text import read_json
from steelyard_catalog.offers import offer_id

FILE = "catalogue.jsonl.gz"
_FORMAT = "steelyard-seed-1"
_KEPT = frozenset(
    {
        "default_reasoning_effort",
        "deprecation_date",
        "max_input_tokens",
        "max_output_tokens",
        "max_tokens",
        "off_peak_pricing",
        "output_vector_size",
        "prompt_cache_min_tokens",
        "source",
        "supported_endpoints",
        "supported_modalities",
        "supported_output_modalities",
        "supported_regions",
        "thinking_always_on",
        "tiered_pricing",
    }
)


class SeedFormatError(Exception):
    """The bundled seed catalogue is damaged: a fault of the build."""


@dataclass(frozen=True, slots=True)
class SeedCatalogue:
    """The offers of one edition, in its source's order."""

    edition_date: date
    source: str
    licence: str
    entries: tuple[CatalogueEntry, ...]


def read_seed() -> SeedCatalogue:
    """Return the catalogue that the package brings along."""
    return decode_seed((files(__package__) / "seed" / FILE).read_bytes())


def decode_seed(packed: bytes) -> SeedCatalogue:
    """Read a seed file.

    Raises:
        SeedFormatError: It is not one.
    """
    lines = gzip.decompress(packed).splitlines()
    # One document is parsed four times faster than as many as there are lines.
    header, *rows = _list(read_json(b"[" + b",".join(lines) + b"]"))
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise SeedFormatError(f"the seed is not of the format {_FORMAT}")
    return SeedCatalogue(
        edition_date=date.fromisoformat(str(header["edition_date"])),
        source=str(header["source"]),
        licence=str(header["licence"]),
        entries=tuple(_entry(row) for row in rows),
    )


def encode_seed(seed: SeedCatalogue) -> bytes:
    """Return the file of a seed: the same bytes for the same facts."""
    header = {
        "format": _FORMAT,
        "edition_date": seed.edition_date.isoformat(),
        "source": seed.source,
        "licence": seed.licence,
    }
    lines = [_json(header), *(_json(_row(entry)) for entry in seed.entries)]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def _row(entry: CatalogueEntry) -> list[object]:
    kept = {name: value for name, value in entry.fields.items() if _is_kept(name)}
    return [entry.source_key, entry.provider, entry.provider_model, entry.mode, kept]


def _entry(row: object) -> CatalogueEntry:
    source_key, provider, provider_model, mode, fields = _list(row)
    if not isinstance(fields, dict):
        raise SeedFormatError(f"{source_key} has no fields")
    return CatalogueEntry(
        source_key=str(source_key),
        provider=str(provider),
        provider_model=str(provider_model),
        offer=offer_id(str(provider), str(provider_model)),
        mode=str(mode),
        fields=fields,
    )


def _is_kept(name: str) -> bool:
    is_price = "cost" in name or name.endswith("_multiplier") or "_multiplier_" in name
    return is_price or name.startswith("supports_") or name in _KEPT


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise SeedFormatError("a line of the seed is not a list")
    return value


def _json(value: object) -> str:
    return "".join(_pieces(value))


def _pieces(value: object) -> Iterator[str]:
    """Write JSON with decimals as they are; the standard library would round or quote them."""
    if isinstance(value, Mapping):
        yield "{"
        for position, (name, item) in enumerate(value.items()):
            yield f"{',' if position else ''}{dumps(name)}:"
            yield from _pieces(item)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for position, item in enumerate(value):
            yield "," if position else ""
            yield from _pieces(item)
        yield "]"
    elif isinstance(value, Decimal):
        yield str(value)
    else:
        yield dumps(value)
