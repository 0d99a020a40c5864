"""OpenRouter's list of models, in its layouts of 2025 and 2026."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.fields import count, day, text, texts
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem, read_json
from steelyard_catalog.modes import mode_of_outputs
from steelyard_catalog.offers import offer_id

PROVIDER = "openrouter"
_ID = re.compile(r"~?[\w.:/@+\-]{1,255}", re.ASCII)
_BATCH = ":batch"
_MAX_OVERRIDES = 20


@dataclass(frozen=True, slots=True)
class OpenRouterEntry:
    """One model as OpenRouter sells it. Prices are decimal text, USD per unit, `-1` for unknown."""

    id: str
    offer: str
    """Offer that is priced: `openrouter/{id}`, for `:batch` ids that of the id without it."""
    service_tier: str
    """`batch` for `:batch` ids, else empty."""
    alias_target: str
    """Id that a moving name (`~author/x-latest`) stands for now; empty when it is not told."""
    canonical_slug: str
    name: str
    pricing: Mapping[str, str]
    overrides: tuple[Mapping[str, str], ...]
    """Prices above `min_prompt_tokens`, in the source's order."""
    context_length: int | None
    max_completion_tokens: int | None
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    supported_parameters: tuple[str, ...]
    created: int | None
    """Unix seconds."""
    knowledge_cutoff: date | None
    expiration_date: date | None

    @property
    def is_alias(self) -> bool:
        """Whether the id is a moving name for another one."""
        return self.id.startswith("~")

    @property
    def mode(self) -> str:
        """The kind of work in LiteLLM's words, as with CatalogueEntry."""
        return mode_of_outputs(self.output_modalities)


@dataclass(frozen=True, slots=True)
class OpenRouterCatalogue:
    """Entries in the source's order, and what was wrong with the rest."""

    entries: tuple[OpenRouterEntry, ...]
    dropped: tuple[DroppedEntry, ...]


def read_openrouter(body: bytes) -> OpenRouterCatalogue:
    """Read the whole list; single bad entries are dropped with their problem.

    Raises:
        CatalogueFormatError: The file as a whole is not such a list.
    """
    document = read_json(body)
    models = document.get("data") if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise CatalogueFormatError(FormatProblem.NOT_AN_OBJECT, "has no list `data`")
    by_id: dict[str, OpenRouterEntry] = {}
    dropped: list[DroppedEntry] = []
    for position, model in enumerate(models):
        entry = _entry(position, model)
        if isinstance(entry, DroppedEntry):
            dropped.append(entry)
        elif entry.id in by_id:
            dropped.append(DroppedEntry(entry.id, "duplicate"))
        else:
            by_id[entry.id] = entry
    if not by_id:
        raise CatalogueFormatError(FormatProblem.EMPTY, "has no usable entry")
    return OpenRouterCatalogue(tuple(by_id.values()), tuple(dropped))


def _entry(position: int, model: object) -> OpenRouterEntry | DroppedEntry:
    if not isinstance(model, dict):
        return DroppedEntry(f"data[{position}]", "not_an_object")
    identity = text(model, "id")
    if not _ID.fullmatch(identity):
        return DroppedEntry(f"data[{position}]", "bad_key")
    pricing = _mapping(model, "pricing")
    architecture = _mapping(model, "architecture")
    alias_target = _mapping(model, "alias_target")
    return OpenRouterEntry(
        id=identity,
        offer=offer_id(PROVIDER, identity.removesuffix(_BATCH)),
        service_tier="batch" if identity.endswith(_BATCH) else "",
        alias_target=text(alias_target, "slug"),
        canonical_slug=text(model, "canonical_slug"),
        name=text(model, "name"),
        pricing=_prices(pricing),
        overrides=tuple(_overrides(pricing.get("overrides"))),
        context_length=count(model, "context_length"),
        max_completion_tokens=count(_mapping(model, "top_provider"), "max_completion_tokens"),
        input_modalities=texts(architecture, "input_modalities"),
        output_modalities=texts(architecture, "output_modalities"),
        supported_parameters=texts(model, "supported_parameters"),
        created=count(model, "created"),
        knowledge_cutoff=day(model, "knowledge_cutoff"),
        expiration_date=day(model, "expiration_date"),
    )


def _mapping(model: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = model.get(name)
    return value if isinstance(value, dict) else {}


def _prices(pricing: Mapping[str, object]) -> Mapping[str, str]:
    """Keep what is a number or its text; a number in JSON is kept as it is written."""
    return {
        name: str(value)
        for name, value in pricing.items()
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    }


def _overrides(value: object) -> Iterable[Mapping[str, str]]:
    if isinstance(value, list):
        for override in value[:_MAX_OVERRIDES]:
            if isinstance(override, dict):
                yield _prices(override)
