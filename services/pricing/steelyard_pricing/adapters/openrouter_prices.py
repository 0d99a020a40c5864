"""Price facts from OpenRouter's list of models."""

import re
from collections.abc import Iterable, Mapping, Sequence

from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_catalog.names import offer_name
from steelyard_catalog.openrouter import PROVIDER, OpenRouterEntry, read_openrouter
from steelyard_pricing.adapters.litellm_fields import MODES
from steelyard_pricing.domain.bounds import ImplausiblePriceError, to_decimal
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.free_offers import is_free_offer
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rate_sheet import RateSheet
from steelyard_pricing.domain.rates import ParsedSource, PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError

NAME = "openrouter"

_COMPONENTS = {
    "prompt": Component.INPUT_TOKEN,
    "completion": Component.OUTPUT_TOKEN,
    "request": Component.REQUEST,
    "image": Component.IMAGE_INPUT_TOKEN,
    "image_output": Component.IMAGE_OUTPUT_TOKEN,
    "audio": Component.AUDIO_INPUT_TOKEN,
    "audio_output": Component.AUDIO_OUTPUT_TOKEN,
    "input_audio_cache": Component.AUDIO_CACHE_READ_TOKEN,
    "web_search": Component.QUERY,
    "internal_reasoning": Component.REASONING_TOKEN,
    "input_cache_read": Component.CACHE_READ_TOKEN,
    "input_cache_write": Component.CACHE_WRITE_TOKEN,
    "input_cache_write_1h": Component.CACHE_WRITE_1H_TOKEN,
}
# The layout of 2025 prices a whole image; it alone names a price per request.
_COMPONENTS_2025 = {**_COMPONENTS, "image": Component.INPUT_IMAGE}
_MARK_OF_2025 = "request"
_THRESHOLD = "min_prompt_tokens"
_THRESHOLD_TEXT = re.compile(r"[1-9]\d{0,9}", re.ASCII)
# Stands for "not known" and "depends", e.g. at routers among models.
_UNKNOWN = "-1"

_PARAMETERS = {
    "tools": Capability.TOOLS,
    "tool_choice": Capability.TOOL_CHOICE,
    "parallel_tool_calls": Capability.PARALLEL_TOOLS,
    "structured_outputs": Capability.STRUCTURED_OUTPUT,
    "reasoning": Capability.REASONING,
    "web_search_options": Capability.WEB_SEARCH,
}
_INPUTS = {
    "image": Capability.VISION,
    "file": Capability.PDF_INPUT,
    "audio": Capability.AUDIO_INPUT,
    "video": Capability.VIDEO_INPUT,
}
_OUTPUTS = {"image": Capability.IMAGE_OUTPUT, "audio": Capability.AUDIO_OUTPUT}


def parse_openrouter(body: bytes) -> ParsedSource:
    """Return the facts of the whole list.

    Raises:
        SourceRefusedError: The body is not such a list.
    """
    try:
        catalogue = read_openrouter(body)
    except CatalogueFormatError as error:
        raise SourceRefusedError(error.problem, f"the list {error}") from error
    offers = _by_offer(catalogue.entries)
    facts: list[PriceFact] = []
    refused_count = 0
    for offer, entries in offers.items():
        sheet = _sheet(entries)
        refused_count += sheet.has_refused
        facts.append(_fact(offer, entries, sheet))
    return ParsedSource(
        tuple(facts),
        entry_count=len(catalogue.entries) + len(catalogue.dropped),
        dropped_count=refused_count + len(catalogue.dropped),
    )


def _by_offer(entries: Iterable[OpenRouterEntry]) -> dict[str, list[OpenRouterEntry]]:
    """Group what belongs to one offer: the model itself, its batch tier, its moving names."""
    listed = list(entries)
    offers: dict[str, list[OpenRouterEntry]] = {
        entry.offer: [] for entry in listed if not entry.is_alias
    }
    for entry in listed:
        target = f"{PROVIDER}/{entry.alias_target}"
        offers.setdefault(target if target in offers else entry.offer, []).append(entry)
    return offers


def _sheet(entries: Sequence[OpenRouterEntry]) -> RateSheet:
    sheet = RateSheet()
    for entry in [entry for entry in entries if not entry.is_alias] or entries:
        _add(sheet, entry.pricing, entry, above=0)
        for override in entry.overrides:
            threshold = override.get(_THRESHOLD, "")
            if _THRESHOLD_TEXT.fullmatch(threshold):
                _add(sheet, override, entry, above=int(threshold))
            else:
                sheet.has_refused = True
    return sheet


def _add(
    sheet: RateSheet, pricing: Mapping[str, str], entry: OpenRouterEntry, *, above: int
) -> None:
    components = _COMPONENTS_2025 if _MARK_OF_2025 in entry.pricing else _COMPONENTS
    for name, written in pricing.items():
        component = components.get(name)
        if component is None or written == _UNKNOWN:
            continue
        try:
            figure = to_decimal(written)
        except ImplausiblePriceError:
            sheet.has_refused = True
            continue
        sheet.add(component, figure, service_tier=entry.service_tier, above_prompt_tokens=above)


def _fact(offer: str, entries: list[OpenRouterEntry], sheet: RateSheet) -> PriceFact:
    model = next((entry for entry in entries if entry.offer == offer), entries[0])
    mode = MODES.get(model.mode, Mode.OTHER)
    free = sheet.free_rates() if is_free_offer(offer, PROVIDER) else ()
    return PriceFact(
        name=offer_name(model),
        mode=mode,
        source=NAME,
        rates=free or sheet.charged_rates(mode),
        is_free=bool(free),
        max_input_tokens=model.context_length or 0,
        max_output_tokens=model.max_completion_tokens or 0,
        deprecation_date=model.expiration_date,
        capabilities=_capabilities(model),
        aliases=tuple(sorted({entry.offer for entry in entries} - {offer})),
    )


def _capabilities(entry: OpenRouterEntry) -> frozenset[Capability]:
    named = (
        (entry.supported_parameters, _PARAMETERS),
        (entry.input_modalities, _INPUTS),
        (entry.output_modalities, _OUTPUTS),
    )
    found = {table[name] for names, table in named for name in names if name in table}
    if "input_cache_read" in entry.pricing:
        found.add(Capability.PROMPT_CACHING)
    return frozenset(found)
