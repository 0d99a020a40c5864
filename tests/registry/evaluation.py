"""How well scores agree with an edition that they were not made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from steelyard_registry.adapters.alias_table import read_aliases
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.adapters.score_readers.arena import read_arena
from steelyard_registry.adapters.score_readers.artificial_analysis import read_artificial_analysis
from steelyard_registry.adapters.score_readers.llm_stats import read_llm_stats
from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.domain.quality.editions import Observation, ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.joining import Joined, ScoreNames
from steelyard_registry.domain.quality.plausibility import rank_correlation
from steelyard_registry.domain.quality.scores import Basis, Quality, QualityScore, Task
from steelyard_registry.domain.quality.scoring import Join, Scored, score_models
from tests.registry.named_models import models_of

TODAY = date(2026, 10, 21)
ARENA_DAY = date(2025, 12, 11)
_ARENA = {
    ARENA_DAY: "leaderboard-text_2025-12-11.json.gz",
    date(2025, 8, 6): "lmarena_text_2025-08-06.csv",
    date(2025, 3, 7): "leaderboard-text_2025-03-07.json.gz",
    date(2024, 12, 3): "lmsys_2024-12-03.csv",
    date(2024, 6, 19): "lmsys_2024-06-19.csv",
}
_FETCHED = datetime(2026, 10, 21, tzinfo=UTC)
Curated = Mapping[str, Sequence[QualityScore]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is real: names, editions, and our own judgements."""

    names: Join
    editions: tuple[ScoreEdition, ...]
    curated: Curated

    def of(self, *sources: ScoreSource, without: date | None = None) -> tuple[ScoreEdition, ...]:
        """Return the editions of some sources, without those of one day."""
        return tuple(
            each
            for each in self.editions
            if each.source in sources and each.edition_date != without
        )

    def scored(self, editions: Sequence[ScoreEdition], curated: Curated) -> Scored:
        """Return all scores by some of the evidence."""
        return score_models(editions, self.names, curated, {}, TODAY)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the order of some models is the same twice."""

    count: int
    correlation: float
    """Spearman's rank correlation."""


def read_evidence(data: Path) -> Evidence:
    """Return what a catalogue of October 2026 could know of quality."""
    models = models_of(data, "2026-10-21_v1.106.2", "models_2026-08-01")
    index = (data / "benchmarks" / "artificial_analysis_2026-10-03.json").read_bytes()
    reported = (data / "benchmarks" / "llm_stats_scores_2025-10-16.csv").read_bytes()
    arenas = {day: (data / "lmarena" / name).read_bytes() for day, name in _ARENA.items()}
    return Evidence(
        names=ScoreNames(models, read_aliases()),
        editions=(
            *(
                _edition(ScoreSource.ARENA, day, body, read_arena(body).observations)
                for day, body in arenas.items()
            ),
            _edition(
                ScoreSource.ARTIFICIAL_ANALYSIS,
                date(2026, 10, 3),
                index,
                read_artificial_analysis(index).observations,
            ),
            _edition(
                ScoreSource.LLM_STATS,
                date(2025, 10, 16),
                reported,
                read_llm_stats(reported).observations,
            ),
        ),
        curated=read_curated_scores(),
    )


def without_word(curated: Curated, word: str) -> dict[str, tuple[QualityScore, ...]]:
    """Return the curated scores that were not made with a look at what the word names."""
    kept = {
        model: tuple(score for score in scores if word not in score.normalization)
        for model, scores in curated.items()
    }
    return {model: scores for model, scores in kept.items() if scores}


def general_figures(names: Join, edition: ScoreEdition) -> dict[str, float]:
    """Return the general figure of each model in an edition, of its variants the first one."""
    best: dict[str, tuple[int, float]] = {}
    for each in edition.observations:
        joined = names.join(edition.source, each.source_model)
        if each.task is Task.GENERAL and isinstance(joined, Joined):
            known = best.setdefault(joined.model, (joined.rank, each.value))
            best[joined.model] = min(known, (joined.rank, each.value))
    return {model: value for model, (_, value) in best.items()}


def qualities(scored: Scored) -> dict[str, Quality]:
    """Return the blends that rest on more than a guess."""
    blends = ((model, blend(scores, TODAY)) for model, scores in scored.scores.items())
    return {
        model: quality
        for model, quality in blends
        if quality is not None and quality.basis >= Basis.CURATED
    }


def agreement(left_out: Mapping[str, float], scores: Mapping[str, float]) -> Agreement:
    """Return how the models that both know are ordered by each; at least two models."""
    models = sorted(left_out.keys() & scores.keys())
    return Agreement(
        count=len(models),
        correlation=rank_correlation(
            [left_out[model] for model in models], [scores[model] for model in models]
        ),
    )


def _edition(
    source: ScoreSource, day: date, body: bytes, observations: tuple[Observation, ...]
) -> ScoreEdition:
    return ScoreEdition(
        source=source,
        edition_date=day,
        observations=observations,
        fetched_time=_FETCHED,
        sha256=sha256(body).hexdigest(),
    )
