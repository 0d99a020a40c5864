"""Artificial Analysis: indices over many benchmarks, and the single benchmarks of its own runs.

Three layouts: a list `models` of a mirror, and a list `data` of the API, whose answers
`/data/llms/models` and `/language/models` differ in which evaluations they tell.
"""

from collections.abc import Mapping

from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem, read_json
from steelyard_registry.adapters.score_readers import figures
from steelyard_registry.adapters.score_readers.bodies import unpacked
from steelyard_registry.adapters.score_readers.gathering import Gathering, ReadScores
from steelyard_registry.domain.quality.editions import Observation
from steelyard_registry.domain.quality.scores import Task

# Indices are from 0 to 100. The agentic one is left out: it is about the use of tools.
_INDEX = 100.0
_INDICES = {
    "artificial_analysis_intelligence_index": ("aa-intelligence-index", Task.GENERAL),
    "artificial_analysis_coding_index": ("aa-coding-index", Task.CODING),
    "artificial_analysis_math_index": ("aa-math-index", Task.MATH),
}
_MIRROR_INDICES = {
    "intel": ("aa-intelligence-index", Task.GENERAL),
    "coding": ("aa-coding-index", Task.CODING),
}
# Single evaluations are shares of right answers. Left out: `tau2` and `tau_banking` (tools),
# `omniscience*` (from -100 to 100, knowing one's limits), `gdpval*` (ratings of office work).
_EVALUATIONS = {
    "mmlu_pro": ("aa-mmlu-pro", Task.GENERAL),
    "ifbench": ("aa-ifbench", Task.GENERAL),
    "gpqa": ("aa-gpqa", Task.REASONING),
    "gpqa_diamond": ("aa-gpqa", Task.REASONING),
    "hle": ("aa-hle", Task.REASONING),
    "critpt": ("aa-critpt", Task.REASONING),
    "livecodebench": ("aa-livecodebench", Task.CODING),
    "scicode": ("aa-scicode", Task.CODING),
    "terminalbench_hard": ("aa-terminalbench-hard", Task.CODING),
    "terminalbench_v2_1": ("aa-terminalbench-v2-1", Task.CODING),
    "terminalbench_v4_0": ("aa-terminalbench-v4-0", Task.CODING),
    "math_500": ("aa-math-500", Task.MATH),
    "aime": ("aa-aime", Task.MATH),
    "aime_25": ("aa-aime-2025", Task.MATH),
    "lcr": ("aa-lcr", Task.LONG_CONTEXT),
    "mmmu_pro": ("aa-mmmu-pro", Task.VISION),
}


def read_artificial_analysis(body: bytes) -> ReadScores:
    """Read a list of models in any of the three layouts; a model is called by its slug.

    Raises:
        CatalogueFormatError: The body as a whole is not such a list.
    """
    document = read_json(unpacked(body))
    top = document if isinstance(document, dict) else {}
    field = next((name for name in ("data", "models") if isinstance(top.get(name), list)), None)
    if field is None:
        raise CatalogueFormatError(FormatProblem.NOT_AN_OBJECT, "has no list `data` or `models`")
    gathering = Gathering()
    for position, entry in enumerate(top[field]):
        slug = figures.name(entry.get("slug")) if isinstance(entry, dict) else ""
        if not slug:
            gathering.drop(f"{field}[{position}]", "bad_name")
        elif gathering.claim(slug):
            _add_model(gathering, slug, entry)
    return gathering.finish()


def _add_model(gathering: Gathering, slug: str, entry: Mapping[str, object]) -> None:
    evaluations = entry.get("evaluations")
    api = evaluations if isinstance(evaluations, dict) else {}
    told: set[str] = set()
    for fields, figures_told, whole in (
        (entry, _MIRROR_INDICES, _INDEX),
        (api, _INDICES, _INDEX),
        (api, _EVALUATIONS, 1.0),
    ):
        for field, (metric, task) in figures_told.items():
            if fields.get(field) is None or metric in told:
                continue
            value = figures.share(figures.json_number(fields, field), whole=whole)
            if value is None:
                gathering.drop(f"{slug}/{field}", "bad_figure")
                continue
            told.add(metric)
            gathering.add(
                Observation(
                    source_model=slug, task=task, metric=metric, category=field, value=value
                )
            )
