"""llm-stats: published benchmark figures of many models, nearly all from the vendors themselves."""

from steelyard_registry.adapters.score_readers import figures
from steelyard_registry.adapters.score_readers.benchmarks import known_benchmarks
from steelyard_registry.adapters.score_readers.bodies import Row, read_table, unpacked
from steelyard_registry.adapters.score_readers.gathering import Gathering, ReadScores
from steelyard_registry.domain.quality.editions import Observation

_REQUIRED = ("model_id", "benchmark_id", "score")


def read_llm_stats(body: bytes) -> ReadScores:
    """Read the table of one row per model and benchmark; benchmarks that we do not use are skipped.

    Values are shares from 0 to 1.

    Raises:
        CatalogueFormatError: The body as a whole is not such a table.
    """
    benchmarks = known_benchmarks()
    gathering = Gathering()
    for position, row in enumerate(read_table(unpacked(body), _REQUIRED).rows):
        benchmark = benchmarks.get(row.get("benchmark_id", "").strip())
        if benchmark is None:
            continue
        model, value = figures.name(row.get("model_id")), _share(row)
        if not model:
            gathering.drop(f"row[{position}]", "bad_name")
        elif value is None:
            gathering.drop(f"{model}/{benchmark.metric}", "bad_figure")
        elif gathering.claim(f"{model}/{benchmark.metric}"):
            gathering.add(
                Observation(
                    source_model=model,
                    task=benchmark.task,
                    metric=benchmark.metric,
                    category=figures.name(row.get("benchmark_name")) or benchmark.metric,
                    value=value,
                )
            )
    return gathering.finish()


def _share(row: Row) -> float | None:
    shares = (
        figures.share(figures.decimal_text(row.get(column, "")))
        for column in ("normalized_score", "score")
    )
    return next((share for share in shares if share is not None), None)
