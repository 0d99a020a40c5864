"""Makes the catalogue of a state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from steelyard_registry.domain.catalogue import Catalogue, Edition
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.feeds import SourceName
from steelyard_registry.domain.grading import Grader
from steelyard_registry.domain.merging import merged
from steelyard_registry.domain.models import Offer
from steelyard_registry.domain.providers import Provider
from steelyard_registry.domain.quality.joining import AliasTable
from steelyard_registry.domain.quality.scores import QualityScore
from steelyard_registry.domain.source_facts import SourceFacts
from steelyard_registry.domain.state import OfferRecord, Records, RegistryState

_BY_ID_ONLY = (SourceName.MODELS_DEV,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What ships with the program or is set by its installation; it changes only with a start."""

    seed: SourceFacts
    seed_time: datetime
    providers: Mapping[str, Provider]
    custom_offers: tuple[Offer, ...] = ()
    curated: Mapping[str, Sequence[QualityScore]] = field(default_factory=dict)
    """Our own scores by canonical model id."""
    aliases: AliasTable = field(default_factory=AliasTable)


@dataclass(frozen=True, slots=True)
class _Market:
    """Everything that is sold, one offer per id."""

    offers: tuple[Offer, ...]
    by_id_only: frozenset[str]
    source_keys: Mapping[str, str]


class CatalogueBuilder:
    """Joins what sources say with what ships, for the sources that are switched on."""

    def __init__(self, bundled: Bundled, enabled: Iterable[str]) -> None:
        """Take what every catalogue is made of.

        Args:
            bundled: The seed stands in for LiteLLM's map until that has been read.
            enabled: Names of sources, of offers and of scores; what others left is not used.
        """
        self.bundled = bundled
        self.enabled = frozenset(enabled)
        self._grader = Grader()
        self._last: tuple[Mapping[str, Records], _Market] | None = None

    def build(
        self, state: RegistryState, *, version: int, previous: Edition | None = None
    ) -> Catalogue:
        """Return the catalogue of a state; takes about a second: call it off the event loop."""
        return Catalogue.build(
            self.facts(state),
            version=version,
            today=state.day,
            is_stale=state.is_stale,
            previous=previous,
            grader=self._grader,
        )

    def facts(self, state: RegistryState) -> Facts:
        """Return everything that a catalogue is made of."""
        market = self._market(state.records)
        return Facts(
            offers=market.offers,
            by_id_only=market.by_id_only,
            source_keys=market.source_keys,
            moving_names={
                offer: name
                for source in self.enabled & state.sources.keys()
                for offer, name in state.sources[source].moving_names.items()
            },
            evidence=self.bundled.curated,
            editions=tuple(
                edition
                for source in sorted(self.enabled & state.editions.keys())
                for edition in state.editions[source]
            ),
            corrections=state.corrections,
            decisions=state.decisions,
            aliases=self.bundled.aliases,
            providers=self.bundled.providers,
        )

    def _market(self, all_records: Mapping[str, Records]) -> _Market:
        """Return the offers of records, the same object for the same records."""
        known = self._last
        if known is None or known[0] is not all_records:
            known = self._last = all_records, self._merged(all_records)
        return known[1]

    def _merged(self, all_records: Mapping[str, Records]) -> _Market:
        records = {name: each for name, each in all_records.items() if name in self.enabled}
        by_source: dict[SourceName, Iterable[Offer]] = {
            SourceName(name): [record.offer for record in known.values()]
            for name, known in records.items()
        }
        source_keys = {
            name: record.source_key
            for known in records.values()
            for name, record in known.items()
            if record.source_key
        }
        if SourceName.LITELLM not in records:
            by_source[SourceName.SEED] = self.bundled.seed.offers
            source_keys |= self.bundled.seed.source_keys
        by_source[SourceName.CUSTOM] = self.bundled.custom_offers
        histories = _histories(records.values())
        offers = tuple(
            _with_history(offer, histories.get(offer.offer.lower(), ()))
            for offer in merged(by_source)
        )
        return _Market(
            offers,
            frozenset(offer.offer for offer in offers if offer.sources == _BY_ID_ONLY),
            source_keys,
        )


def _histories(sources: Iterable[Mapping[str, OfferRecord]]) -> dict[str, list[OfferRecord]]:
    histories: dict[str, list[OfferRecord]] = {}
    for records in sources:
        for name, record in records.items():
            # Sources spell one offer in several cases.
            histories.setdefault(name.lower(), []).append(record)
    return histories


def _with_history(offer: Offer, records: Sequence[OfferRecord]) -> Offer:
    if not records:
        return offer
    times = [record.first_seen_time for record in records]
    # Who has the whole list of a seller knows best what it sells no more.
    best = [each for each in records if each.offer.source == offer.provider] or records
    return replace(
        offer,
        first_seen_time=None if None in times else min(filter(None, times)),
        missed_syncs=min(record.missed_syncs for record in best),
    )
