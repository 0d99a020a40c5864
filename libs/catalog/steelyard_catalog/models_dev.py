"""models.dev's catalogue: one JSON object, a key per seller, in it one per model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.fields import count, day, flag, text, texts
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem, read_json
from steelyard_catalog.modes import CHAT, OTHER, checked_mode
from steelyard_catalog.offers import offer_id
from steelyard_catalog.providers import models_dev_provider_id

_SELLER = re.compile(r"[\w.\-]{1,64}", re.ASCII)
_MODEL = re.compile(r"[\w.:/@+*\-]{1,256}", re.ASCII)
_TIER = re.compile(r"[a-z0-9_.\-]{1,24}", re.ASCII)
_MAX_MODES = 20
_STATUSES = frozenset({"alpha", "beta", "deprecated"})

# Every model is said to put out text unless it puts out something else, embeddings too. Whole words
# of names and families that no chat model of the real files has.
_BY_WORD = {
    "bge": "embedding",
    "e5": "embedding",
    "embedding": "embedding",
    "live": "realtime",
    "realtime": "realtime",
    "rerank": "rerank",
    "reranker": "rerank",
}
_BY_FAMILY_WORD = {"embed": "embedding", "embedding": "embedding", "voyage": "embedding"}
_BY_SOLE_INPUT = {"audio": "audio_transcription"}
_SEPARATORS = re.compile(r"[^a-z0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsDevEntry:
    """One model as one seller sells it.

    Costs keep the source's names, in USD per million tokens; their numbers are `int` or `Decimal`,
    made from their text.
    """

    source_key: str
    """`{seller}/{model}` in the source's words."""
    provider: str
    provider_model: str
    offer: str
    mode: str
    """The kind of work in LiteLLM's words, as with CatalogueEntry."""
    name: str
    status: str
    """`alpha`, `beta`, `deprecated`, or empty. There is no date of when a model goes."""
    cost: Mapping[str, object]
    """Empty when the source has none."""
    tier_costs: Mapping[str, Mapping[str, object]]
    """Costs by service tier, beside the standard one."""
    max_context_tokens: int | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    has_tools: bool | None
    has_reasoning: bool | None
    has_structured_output: bool | None
    release_date: date | None
    updated_date: date | None
    knowledge_cutoff: date | None
    document_uri: str
    """The seller's page that its models are listed on."""

    @property
    def reads_text(self) -> bool:
        """Whether text is among the inputs, as it is when they are not told."""
        return not self.input_modalities or "text" in self.input_modalities

    @property
    def writes_text(self) -> bool:
        """Whether text is among the outputs, as it is when they are not told."""
        return not self.output_modalities or "text" in self.output_modalities


@dataclass(frozen=True, slots=True)
class ModelsDevCatalogue:
    """Entries in the source's order, and what was wrong with the rest."""

    entries: tuple[ModelsDevEntry, ...]
    dropped: tuple[DroppedEntry, ...]


def read_models_dev(body: bytes) -> ModelsDevCatalogue:
    """Read the whole catalogue; single bad entries are dropped with their problem.

    Raises:
        CatalogueFormatError: The file as a whole is not such a catalogue.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise CatalogueFormatError(FormatProblem.NOT_AN_OBJECT, "is not a JSON object")
    by_offer: dict[str, ModelsDevEntry] = {}
    dropped: list[DroppedEntry] = []
    for entry in _entries(document):
        if isinstance(entry, DroppedEntry):
            dropped.append(entry)
        elif by_offer.setdefault(entry.offer, entry) is not entry:
            dropped.append(DroppedEntry(entry.source_key, f"duplicate of {entry.offer}"))
    if not by_offer:
        raise CatalogueFormatError(FormatProblem.EMPTY, "has no usable entry")
    return ModelsDevCatalogue(tuple(by_offer.values()), tuple(dropped))


def _entries(document: Mapping[str, object]) -> Iterator[ModelsDevEntry | DroppedEntry]:
    for seller, fields in document.items():
        if not _SELLER.fullmatch(seller):
            yield DroppedEntry(_shown(seller), "bad_key")
        elif not isinstance(fields, dict):
            yield DroppedEntry(seller, "not_an_object")
        elif not isinstance(models := fields.get("models"), dict):
            yield DroppedEntry(seller, "no_models")
        else:
            document_uri = text(fields, "doc")
            for key, model in models.items():
                yield _entry(seller, key, model, document_uri)


def _entry(
    seller: str, key: str, model: object, document_uri: str
) -> ModelsDevEntry | DroppedEntry:
    source_key = f"{seller}/{key}"
    if not isinstance(model, dict):
        return DroppedEntry(_shown(source_key), "not_an_object")
    if not _MODEL.fullmatch(key):
        return DroppedEntry(_shown(source_key), "bad_key")
    provider = models_dev_provider_id(seller, text(_mapping(model, "provider"), "api"))
    limit, modalities = _mapping(model, "limit"), _mapping(model, "modalities")
    inputs, outputs = texts(modalities, "input"), texts(modalities, "output")
    status = text(model, "status")
    return ModelsDevEntry(
        source_key=source_key,
        provider=provider,
        provider_model=key,
        offer=offer_id(provider, key),
        mode=_mode(key, text(model, "family"), inputs, outputs),
        name=text(model, "name"),
        status=status if status in _STATUSES else "",
        cost=_mapping(model, "cost"),
        tier_costs=_tier_costs(_mapping(_mapping(model, "experimental"), "modes")),
        max_context_tokens=count(limit, "context"),
        max_input_tokens=count(limit, "input"),
        max_output_tokens=count(limit, "output"),
        input_modalities=inputs,
        output_modalities=outputs,
        has_tools=flag(model, "tool_call"),
        has_reasoning=flag(model, "reasoning"),
        has_structured_output=flag(model, "structured_output"),
        release_date=day(model, "release_date"),
        updated_date=day(model, "last_updated"),
        knowledge_cutoff=day(model, "knowledge"),
        document_uri=document_uri,
    )


def _mode(key: str, family: str, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    mode = checked_mode(CHAT, provider_model=key, outputs=outputs)
    if mode != CHAT:
        return mode
    if inputs and "text" not in inputs:
        return _BY_SOLE_INPUT.get(inputs[0], OTHER) if len(inputs) == 1 else OTHER
    named = [_BY_WORD.get(word) for word in _words(key.rpartition("/")[2])]
    named += [_BY_FAMILY_WORD.get(word) for word in _words(family)]
    # `bge-reranker` is the more special one of its two words.
    return "rerank" if "rerank" in named else next(filter(None, named), CHAT)


def _words(name: str) -> Sequence[str]:
    return _SEPARATORS.split(name.lower())


def _tier_costs(modes: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    """Return costs of the modes that are a service tier of the request and nothing else."""
    costs: dict[str, Mapping[str, object]] = {}
    for name in list(modes)[:_MAX_MODES]:
        mode = _mapping(modes, name)
        body = _mapping(_mapping(mode, "provider"), "body")
        tier = text(body, "service_tier")
        cost = _mapping(mode, "cost")
        if cost and len(body) == 1 and _TIER.fullmatch(tier):
            costs.setdefault(tier, cost)
    return costs


def _mapping(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _shown(key: str) -> str:
    return key[:256].encode("ascii", "backslashreplace").decode()
