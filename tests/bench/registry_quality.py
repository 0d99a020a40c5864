"""How well quality scores agree with a source that was left out, and how long they take."""

import os
import time
from pathlib import Path

from steelyard_registry.domain.quality.editions import ScoreEdition, ScoreSource
from steelyard_registry.domain.quality.scores import Basis, Task
from tests.conftest import REAL_DATA_VARIABLE
from tests.registry.evaluation import (
    ARENA_DAY,
    Curated,
    Evidence,
    agreement,
    general_figures,
    qualities,
    read_evidence,
    without_word,
)

ARENA, ANALYSIS, LLM_STATS = (
    ScoreSource.ARENA,
    ScoreSource.ARTIFICIAL_ANALYSIS,
    ScoreSource.LLM_STATS,
)
# What the methods of curated scores name when they were made with a look at a source.
WORDS = {ARENA: "Arena", ANALYSIS: "Artificial Analysis", LLM_STATS: "llm-stats"}


def main(*, short: bool) -> None:
    """Print the agreement for each source that is left out; both lengths are the same."""
    del short
    named = os.environ.get(REAL_DATA_VARIABLE)
    data = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    if not data.is_dir():
        print(f"no real feeds: set {REAL_DATA_VARIABLE}")
        return
    evidence = read_evidence(data)
    start = time.perf_counter()
    scored = evidence.scored(evidence.editions, evidence.curated)
    seconds = time.perf_counter() - start
    count = sum(len(scores) for scores in scored.scores.values())
    print(
        f"{count} scores of {len(scored.scores)} models, {len(scored.unjoined)} names unjoined, "
        f"in {seconds:.2f} s"
    )
    print(f"{'left out':<22} {'blend of':<40} {'curated':<10} {'models':>6} {'rho':>6}")
    leave_out_arena(evidence)
    leave_out_analysis(evidence)
    leave_out_llm_stats(evidence)


def leave_out_arena(evidence: Evidence) -> None:
    """Compare with the newest votes of people."""
    (newest,) = (each for each in evidence.editions if each.edition_date == ARENA_DAY)
    figures = general_figures(evidence.names, newest)
    for sources in ((ARENA, ANALYSIS, LLM_STATS), (ANALYSIS, LLM_STATS), (ANALYSIS,), (ARENA,)):
        report(evidence, figures, evidence.of(*sources, without=ARENA_DAY), left_out=ARENA)


def leave_out_analysis(evidence: Evidence) -> None:
    """Compare with the index of Artificial Analysis."""
    (index,) = evidence.of(ANALYSIS)
    figures = general_figures(evidence.names, index)
    for sources in ((ARENA, LLM_STATS), (ARENA,)):
        report(evidence, figures, evidence.of(*sources), left_out=ANALYSIS)


def leave_out_llm_stats(evidence: Evidence) -> None:
    """Compare with what our summary makes of the benchmarks that makers report."""
    scored = evidence.scored(evidence.of(LLM_STATS), evidence.curated)
    figures = {
        model: score.score
        for model, scores in scored.scores.items()
        for score in scores
        if score.basis is Basis.MEASURED and score.task is Task.GENERAL and score.share > 0
    }
    for sources in ((ARENA, ANALYSIS), (ANALYSIS,), (ARENA,)):
        report(evidence, figures, evidence.of(*sources), left_out=LLM_STATS)


def report(
    evidence: Evidence,
    figures: dict[str, float],
    editions: tuple[ScoreEdition, ...],
    *,
    left_out: ScoreSource,
) -> None:
    """Print how the blend agrees: with all curated scores, with untainted ones and without any."""
    names = " + ".join(dict.fromkeys(edition.source.value for edition in editions))
    chosen: dict[str, Curated] = {
        "all": evidence.curated,
        "untainted": without_word(evidence.curated, WORDS[left_out]),
        "none": {},
    }
    for which, curated in chosen.items():
        blended = qualities(evidence.scored(editions, curated))
        found = agreement(figures, {model: each.score for model, each in blended.items()})
        print(
            f"{left_out.value:<22} {names:<40} {which:<10} {found.count:>6} "
            f"{found.correlation:>6.3f}"
        )
