"""The price facts that ship with Steelyard, for the first start without a network."""

from datetime import UTC, datetime

from steelyard_catalog.seed import read_seed
from steelyard_pricing.adapters.litellm_prices import facts_of
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.snapshot import ObservedFact, SourceFacts
from steelyard_pricing.domain.source import ServedCopy


def read_seed_facts() -> tuple[SourceFacts, ServedCopy]:
    """Return the facts of the seed, dated with its edition."""
    seed = read_seed()
    parsed = facts_of(seed.entries, SEED)
    edition = datetime(
        seed.edition_date.year, seed.edition_date.month, seed.edition_date.day, tzinfo=UTC
    )
    facts = tuple(ObservedFact(fact, edition) for fact in parsed.facts)
    return SourceFacts(SEED, facts, parsed.entry_count), ServedCopy(edition_date=seed.edition_date)
