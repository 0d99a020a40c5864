"""Price facts from entries in the format of LiteLLM's map, which the seed catalogue shares."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from steelyard_catalog.entries import Catalogue, CatalogueEntry
from steelyard_catalog.fields import count, day, flag, text, texts
from steelyard_catalog.json_text import CatalogueFormatError
from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.names import offer_name
from steelyard_pricing.adapters.litellm_fields import CAPABILITIES, MODES, PriceField, price_field
from steelyard_pricing.adapters.off_peak import UnreadableWindowError, read_windows
from steelyard_pricing.domain.components import Component
from steelyard_pricing.domain.free_offers import is_free_offer
from steelyard_pricing.domain.modes import Capability, Mode
from steelyard_pricing.domain.rate_sheet import RateSheet
from steelyard_pricing.domain.rates import ParsedSource, PriceFact, Rate, TimeWindow
from steelyard_pricing.domain.refusal import SourceRefusedError

NAME = "litellm"
_SEARCH_CONTEXT = "search_context_cost_per_query"
_MEDIUM_SEARCH = "search_context_size_medium"
_OFF_PEAK = "off_peak_pricing"
_TIERED = "tiered_pricing"

# In image modes a figure for input is for the images made, unless there is one for output too.
_IMAGES_MADE = {
    Component.INPUT_IMAGE: Component.OUTPUT_IMAGE,
    Component.INPUT_PIXEL: Component.OUTPUT_PIXEL,
}
_OUTPUT_FIELDS = {
    Component.INPUT_IMAGE: "output_cost_per_image",
    Component.INPUT_PIXEL: "output_cost_per_pixel",
}


def parse_litellm(body: bytes) -> ParsedSource:
    """Return the facts of the whole map.

    Raises:
        SourceRefusedError: The body is not such a map.
    """
    try:
        catalogue: Catalogue = read_litellm(body)
    except CatalogueFormatError as error:
        raise SourceRefusedError(error.problem, f"the map {error}") from error
    return facts_of(catalogue.entries, NAME, dropped_count=len(catalogue.dropped))


def facts_of(
    entries: Iterable[CatalogueEntry], source: str, *, dropped_count: int = 0
) -> ParsedSource:
    """Return the facts of entries; `dropped_count` were dropped before."""
    reader = _EntryReader(source)
    facts = tuple(reader.read(entry) for entry in entries)
    return ParsedSource(
        facts,
        entry_count=len(facts) + dropped_count,
        dropped_count=reader.refused_count + dropped_count,
    )


class _EntryReader:
    """Reads entries, keeping equal values once: many offers differ in their name alone."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._fields: dict[str, PriceField | None] = {}
        self._rates: dict[tuple[Rate, ...], tuple[Rate, ...]] = {}
        self._texts: dict[str, str] = {}
        self._capabilities: dict[frozenset[Capability], frozenset[Capability]] = {}
        self.refused_count = 0
        """Entries with a figure that cannot be a price."""

    def read(self, entry: CatalogueEntry) -> PriceFact:
        fields = entry.fields
        mode = MODES.get(entry.mode, Mode.OTHER)
        sheet = self._sheet(mode, fields)
        self.refused_count += sheet.has_refused
        free = sheet.free_rates() if is_free_offer(entry.offer, entry.provider) else ()
        rates = free or sheet.charged_rates(mode)
        capabilities = _capabilities(fields)
        return PriceFact(
            name=offer_name(entry),
            mode=mode,
            source=self._source,
            rates=self._rates.setdefault(rates, rates),
            is_free=bool(free),
            supports_caching=flag(fields, "supports_prompt_caching"),
            cache_min_tokens=count(fields, "prompt_cache_min_tokens") or 0,
            max_input_tokens=count(fields, "max_input_tokens") or 0,
            max_output_tokens=count(fields, "max_output_tokens") or 0,
            deprecation_date=day(fields, "deprecation_date"),
            source_uri=self._shared(text(fields, "source")),
            capabilities=self._capabilities.setdefault(capabilities, capabilities),
        )

    def _sheet(self, mode: Mode, fields: Mapping[str, object]) -> RateSheet:
        sheet = RateSheet()
        self._add_fields(sheet, mode, fields)
        self._add_ranges(sheet, mode, fields.get(_TIERED))
        self._add_off_peak(sheet, mode, fields.get(_OFF_PEAK))
        search = fields.get(_SEARCH_CONTEXT)
        if isinstance(search, dict) and _MEDIUM_SEARCH in search:
            sheet.add(Component.QUERY, search[_MEDIUM_SEARCH])
        return sheet

    def _add_fields(
        self,
        sheet: RateSheet,
        mode: Mode,
        fields: Mapping[str, object],
        *,
        above: int = 0,
        windows: tuple[TimeWindow, ...] = (),
    ) -> None:
        for name, figure in fields.items():
            if figure is None:
                continue
            priced = self._priced(name)
            if priced is None:
                continue
            component = _charged_component(priced.component, mode, fields)
            if component is not None:
                sheet.add(
                    component,
                    figure,
                    service_tier=priced.service_tier,
                    above_prompt_tokens=above or priced.above_prompt_tokens,
                    windows=windows,
                )

    def _add_ranges(self, sheet: RateSheet, mode: Mode, ranges: object) -> None:
        """Add prices by prompt size; sizes up to the end of a range belong to it."""
        for item in ranges if isinstance(ranges, list) else ():
            if not isinstance(item, dict):
                sheet.has_refused = True
                continue
            # Searches are priced by the number of results: a plain one gets the fewest.
            start = _start(item.get("range", item.get("max_results_range")))
            if start is None:
                sheet.has_refused = True
            elif start == 0 or "range" in item:
                self._add_fields(sheet, mode, item, above=start)

    def _add_off_peak(self, sheet: RateSheet, mode: Mode, pricing: object) -> None:
        if not isinstance(pricing, dict):
            return
        try:
            windows = read_windows(pricing)
        except UnreadableWindowError:
            sheet.has_refused = True
        else:
            self._add_fields(sheet, mode, pricing, windows=windows)

    def _priced(self, name: str) -> PriceField | None:
        if name not in self._fields:
            self._fields[name] = price_field(name)
        return self._fields[name]

    def _shared(self, value: str) -> str:
        return self._texts.setdefault(value, value)


def _charged_component(
    component: Component, mode: Mode, fields: Mapping[str, object]
) -> Component | None:
    """Return what a figure is really for; None when another figure says the same."""
    if mode is not Mode.IMAGE or component not in {*_IMAGES_MADE, *_IMAGES_MADE.values()}:
        return component
    is_pixel = component in {Component.INPUT_PIXEL, Component.OUTPUT_PIXEL}
    if is_pixel and any(
        _is_positive(fields, name) for name in ("input_cost_per_image", "output_cost_per_image")
    ):
        # The same charge in another unit.
        return None
    if component in _OUTPUT_FIELDS and not _is_positive(fields, _OUTPUT_FIELDS[component]):
        return _IMAGES_MADE[component]
    return component


def _is_positive(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name)
    return isinstance(value, Decimal | int) and value > 0


def _start(bounds: object) -> int | None:
    """Return where a range begins, None when it is not a range."""
    if not isinstance(bounds, list) or not bounds:
        return None
    return count({"start": bounds[0]}, "start")


def _capabilities(fields: Mapping[str, object]) -> frozenset[Capability]:
    found = {capability for name, capability in CAPABILITIES.items() if fields.get(name) is True}
    if "image" in texts(fields, "supported_output_modalities"):
        found.add(Capability.IMAGE_OUTPUT)
    return frozenset(found)
