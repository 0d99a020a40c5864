"""LiteLLM's map of models: one JSON object, a key per offer."""

import re
from collections.abc import Mapping

from steelyard_catalog.entries import Catalogue, CatalogueEntry, DroppedEntry
from steelyard_catalog.fields import text, texts
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem, read_json
from steelyard_catalog.modes import checked_mode
from steelyard_catalog.offers import offer_id
from steelyard_catalog.providers import provider_id, provider_model

# Documents the format; not a model.
_SAMPLE_KEY = "sample_spec"
_KEY = re.compile(r"[\w.:/@+*\-]{1,256}", re.ASCII)
_PROVIDER = re.compile(r"[\w.\-]{1,64}", re.ASCII)
# Differences in these do not make two entries contradict each other.
_NOT_FACTS = frozenset({"comment", "litellm_provider", "metadata", "rpm", "source", "tpm"})


def read_litellm(body: bytes) -> Catalogue:
    """Read the whole map; single bad entries are dropped with their problem.

    Raises:
        CatalogueFormatError: The file as a whole is not such a map.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise CatalogueFormatError(FormatProblem.NOT_AN_OBJECT, "is not a JSON object")
    by_offer: dict[str, CatalogueEntry] = {}
    dropped: list[DroppedEntry] = []
    for key, value in document.items():
        if key == _SAMPLE_KEY:
            continue
        entry = _entry(key, value)
        if isinstance(entry, DroppedEntry):
            dropped.append(entry)
            continue
        known = by_offer.get(entry.offer)
        if known is None:
            by_offer[entry.offer] = entry
            continue
        by_offer[entry.offer], other = _by_precision(known, entry)
        if _facts(known) != _facts(entry):
            dropped.append(DroppedEntry(other.source_key, f"duplicate of {entry.offer}"))
    if not by_offer:
        raise CatalogueFormatError(FormatProblem.EMPTY, "has no usable entry")
    return Catalogue(tuple(by_offer.values()), tuple(dropped))


def _entry(key: str, value: object) -> CatalogueEntry | DroppedEntry:
    if not isinstance(value, dict):
        return DroppedEntry(_shown(key), "not_an_object")
    if not _KEY.fullmatch(key):
        return DroppedEntry(_shown(key), "bad_key")
    source_provider = value.get("litellm_provider")
    if not isinstance(source_provider, str) or not _PROVIDER.fullmatch(source_provider):
        return DroppedEntry(key, "no_provider")
    provider, model = provider_id(source_provider), provider_model(source_provider, key)
    if not model:
        return DroppedEntry(key, "no_model")
    return CatalogueEntry(
        source_key=key,
        provider=provider,
        provider_model=model,
        offer=offer_id(provider, model),
        mode=checked_mode(
            text(value, "mode"),
            provider_model=model,
            outputs=texts(value, "supported_output_modalities"),
        ),
        fields=value,
    )


def _by_precision(
    one: CatalogueEntry, other: CatalogueEntry
) -> tuple[CatalogueEntry, CatalogueEntry]:
    """Order two entries of one offer: a key that names its seller comes first, then the longer."""
    first, second = sorted(
        (one, other),
        key=lambda entry: (
            entry.source_key == entry.provider_model,
            -len(entry.source_key),
            entry.source_key,
        ),
    )
    return first, second


def _facts(entry: CatalogueEntry) -> Mapping[str, object]:
    return {name: value for name, value in entry.fields.items() if name not in _NOT_FACTS}


def _shown(key: str) -> str:
    return key[:256].encode("ascii", "backslashreplace").decode()
