"""The feeds of scores that are switched on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from steelyard_common.feed import Feed, FeedCopy, FeedFormat
from steelyard_registry.adapters.score_readers.arena import read_arena, read_arena_vision
from steelyard_registry.adapters.score_readers.artificial_analysis import read_artificial_analysis
from steelyard_registry.adapters.score_readers.edition_date import edition_date_of
from steelyard_registry.adapters.score_readers.gathering import ReadScores
from steelyard_registry.adapters.score_readers.livebench import read_livebench
from steelyard_registry.adapters.score_readers.llm_stats import read_llm_stats
from steelyard_registry.domain.quality.editions import ScoreEdition, ScoreSource
from steelyard_registry.domain.sync_source import ReadEdition, ScoreFeed

_READERS: Mapping[ScoreSource, Callable[[bytes], ReadScores]] = {
    ScoreSource.ARENA: read_arena,
    ScoreSource.ARENA_VISION: read_arena_vision,
    ScoreSource.ARTIFICIAL_ANALYSIS: read_artificial_analysis,
    ScoreSource.LIVEBENCH: read_livebench,
    ScoreSource.LLM_STATS: read_llm_stats,
}

MAX_BYTES = 8 * 1024 * 1024
"""Real bodies have a fifth of it."""


@dataclass(frozen=True, slots=True)
class ScoreUrl:
    """Where scores are read, and what to send for it."""

    url: str
    """Empty switches the source off."""
    headers: Mapping[str, str] = field(repr=False)


def score_feeds(urls: Mapping[ScoreSource, ScoreUrl]) -> list[ScoreFeed]:
    """Return the sources that are switched on."""
    return [
        ScoreFeed(
            name=name,
            # Tables and JSON alike: the readers tell them apart.
            feed=Feed(
                name=name,
                url=where.url,
                format=FeedFormat.TEXT,
                max_bytes=MAX_BYTES,
                headers=where.headers,
            ),
            read=edition_reader(name),
        )
        for name, where in urls.items()
        if where.url
    ]


def edition_reader(source: ScoreSource) -> Callable[[FeedCopy], ReadEdition]:
    """Return what makes an edition of a body of a source.

    It raises CatalogueFormatError when the body is not of that source's kind.
    """
    read_scores = _READERS[source]

    def read(copy: FeedCopy) -> ReadEdition:
        scores = read_scores(copy.body)
        edition_date = edition_date_of(
            copy.url, copy.last_modified, copy.body, copy.fetched_time.date()
        )
        edition = ScoreEdition(
            source=source,
            edition_date=edition_date,
            observations=scores.observations,
            fetched_time=copy.fetched_time,
            sha256=copy.sha256,
        )
        return ReadEdition(edition, len(scores.dropped))

    return read
