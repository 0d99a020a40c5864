"""Price facts from models.dev's catalogue."""

from collections.abc import Mapping
from decimal import Decimal

from steelyard_catalog.fields import count, number
from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_catalog.models_dev import ModelsDevEntry, read_models_dev
from steelyard_catalog.names import OfferName, canonical_name
from steelyard_pricing.adapters.litellm_fields import MODES
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.free_offers import is_free_offer
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rate_sheet import RateSheet
from steelyard_pricing.domain.rates import STANDARD_TIER, ParsedSource, PriceFact
from steelyard_pricing.domain.refusal import SourceRefusedError

NAME = "models_dev"

_COMPONENTS = {
    "input": Component.INPUT_TOKEN,
    "output": Component.OUTPUT_TOKEN,
    "cache_read": Component.CACHE_READ_TOKEN,
    "cache_write": Component.CACHE_WRITE_TOKEN,
    "reasoning": Component.REASONING_TOKEN,
    "input_audio": Component.AUDIO_INPUT_TOKEN,
    "output_audio": Component.AUDIO_OUTPUT_TOKEN,
}
_PER_MILLION = -6
# What is below is written in another unit: per token (OpenRouter's gpt-5.4-mini, 7.5E-7), per
# minute, per step. The cheapest true price of the real files is this one, for a cache read.
_MIN_USD_PER_MILLION = Decimal("0.001")

_LONG_CONTEXT = "context_over_200k"
_LONG_CONTEXT_TOKENS = 200_000
# Younger than the above, which then repeats one of them.
_BANDS = "tiers"
_MAX_BANDS = 20

_INPUTS = {
    "image": Capability.VISION,
    "pdf": Capability.PDF_INPUT,
    "audio": Capability.AUDIO_INPUT,
    "video": Capability.VIDEO_INPUT,
}
_OUTPUTS = {"image": Capability.IMAGE_OUTPUT, "audio": Capability.AUDIO_OUTPUT}
_PICTURES = frozenset({"image", "video"})


def parse_models_dev(body: bytes) -> ParsedSource:
    """Return the facts of the whole catalogue.

    Offers without a price are no facts of this source. It has hundreds of them, at plans and at
    resellers: all that they could do is to take plain names from offers that have one.

    Raises:
        SourceRefusedError: The body is not such a catalogue.
    """
    try:
        catalogue = read_models_dev(body)
    except CatalogueFormatError as error:
        raise SourceRefusedError(error.problem, f"the catalogue {error}") from error
    sheets = [(entry, _sheet(entry)) for entry in catalogue.entries]
    refused_count = sum(sheet.has_refused for _, sheet in sheets)
    facts = (_fact(entry, sheet) for entry, sheet in sheets)
    return ParsedSource(
        tuple(fact for fact in facts if fact.is_priced),
        entry_count=len(catalogue.entries) + len(catalogue.dropped),
        dropped_count=refused_count + len(catalogue.dropped),
    )


def _sheet(entry: ModelsDevEntry) -> RateSheet:
    sheet = RateSheet()
    _add_costs(sheet, entry, entry.cost)
    for tier, cost in entry.tier_costs.items():
        _add_costs(sheet, entry, cost, service_tier=tier)
    return sheet


def _add_costs(
    sheet: RateSheet,
    entry: ModelsDevEntry,
    cost: Mapping[str, object],
    *,
    service_tier: str = STANDARD_TIER,
) -> None:
    _add(sheet, entry, cost, service_tier=service_tier, above=0)
    bands = cost.get(_BANDS)
    if isinstance(bands, list):
        for band in bands[:_MAX_BANDS]:
            above = _threshold(band)
            if above is None:
                sheet.has_refused = True
            else:
                _add(sheet, entry, band, service_tier=service_tier, above=above)
    elif isinstance(long_context := cost.get(_LONG_CONTEXT), dict):
        _add(sheet, entry, long_context, service_tier=service_tier, above=_LONG_CONTEXT_TOKENS)


def _threshold(band: object) -> int | None:
    """Return the prompt size that a band begins above, None when it is not such a band."""
    tier = band.get("tier") if isinstance(band, dict) else None
    if not isinstance(tier, dict) or tier.get("type", "context") != "context":
        return None
    return count(tier, "size") or None


def _add(
    sheet: RateSheet,
    entry: ModelsDevEntry,
    cost: Mapping[str, object],
    *,
    service_tier: str,
    above: int,
) -> None:
    for name, component in _COMPONENTS.items():
        figure = cost.get(name)
        if figure is None:
            continue
        if _is_plausible(cost, name) and _is_known_unit(entry, component):
            figure = _per_token(figure)
            sheet.add(component, figure, service_tier=service_tier, above_prompt_tokens=above)
        else:
            # A zero is for nothing, whatever its unit.
            sheet.has_refused |= bool(figure)


def _is_known_unit(entry: ModelsDevEntry, component: Component) -> bool:
    """Say whether it is certain what a figure is for.

    The source has prices of tokens alone. What it writes at models that hear or draw only is per
    minute, character, image or step. At those that draw besides, `output` is for text at one seller
    and for images at the next.
    """
    if not (entry.reads_text and entry.writes_text):
        return False
    return component is not Component.OUTPUT_TOKEN or _PICTURES.isdisjoint(entry.output_modalities)


def _is_plausible(cost: Mapping[str, object], name: str) -> bool:
    """Say whether a figure that is not zero can be meant; what is no number is judged later."""
    figure = number(cost, name)
    if figure is None:
        return True
    if 0 < figure < _MIN_USD_PER_MILLION:
        return False
    # Nobody charges more for reading a prompt from the cache than for reading it.
    prompt = number(cost, "input") if name == "cache_read" else None
    return prompt is None or figure <= prompt


def _per_token(figure: object) -> object:
    """Return USD per token exactly; what is no number stays what it is."""
    if isinstance(figure, bool) or not isinstance(figure, int | Decimal):
        return figure
    return Decimal(figure).scaleb(_PER_MILLION)


def _fact(entry: ModelsDevEntry, sheet: RateSheet) -> PriceFact:
    mode = MODES.get(entry.mode, Mode.OTHER)
    free = sheet.free_rates() if is_free_offer(entry.offer, entry.provider) else ()
    rates = free or sheet.charged_rates(mode)
    return PriceFact(
        name=OfferName(
            entry.offer,
            entry.provider,
            entry.provider_model,
            canonical_name(entry.provider, entry.provider_model, entry.mode),
            entry.source_key,
        ),
        mode=mode,
        source=NAME,
        rates=rates,
        is_free=bool(free),
        max_input_tokens=entry.max_input_tokens or entry.max_context_tokens or 0,
        max_output_tokens=entry.max_output_tokens or 0,
        source_uri=entry.document_uri,
        capabilities=_capabilities(entry),
    )


def _capabilities(entry: ModelsDevEntry) -> frozenset[Capability]:
    named = ((entry.input_modalities, _INPUTS), (entry.output_modalities, _OUTPUTS))
    found = {table[name] for names, table in named for name in names if name in table}
    flags = {
        Capability.TOOLS: entry.has_tools,
        Capability.REASONING: entry.has_reasoning,
        Capability.STRUCTURED_OUTPUT: entry.has_structured_output,
        Capability.PROMPT_CACHING: bool(entry.cost.get("cache_read")),
    }
    return frozenset(found | {capability for capability, is_there in flags.items() if is_there})
