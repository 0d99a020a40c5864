"""A guess at quality from a model's family and size, for models without any evidence."""

import re

from steelyard_registry.domain.quality.metrics import SIZE_METRIC
from steelyard_registry.domain.quality.scores import Basis, QualityScore

SOURCE = "heuristic"
DEFAULT_SCORE = 70.0
FAMILY_UNCERTAINTY = 10.0
DEFAULT_UNCERTAINTY = 15.0
# A guess never opens the highest tier.
MAX_SCORE = 93.0
MIN_SCORE = 50.0

# Full-size models of each generation, by the words that a name begins with; the longest wins.
_FAMILIES = {
    "chatgpt": 87.0,
    "claude": 84.0,
    "claude-1": 74.0,
    "claude-2": 76.0,
    "claude-3": 85.0,
    "claude-fable": 93.0,
    "claude-haiku": 89.0,
    "claude-instant": 72.0,
    "claude-mythos": 93.0,
    "claude-opus": 92.0,
    "claude-sonnet": 91.0,
    "codestral": 82.0,
    "command": 79.0,
    "command-a": 84.0,
    "deepseek": 82.0,
    "deepseek-r1": 87.0,
    "deepseek-v3": 86.0,
    "deepseek-v4": 91.0,
    "devstral": 82.0,
    "gemini": 85.0,
    "gemini-1": 78.0,
    "gemini-1.5": 83.0,
    "gemini-2": 86.0,
    "gemini-2.5": 89.0,
    "gemini-3": 92.0,
    "gemini-4": 93.0,
    "glm": 80.0,
    "glm-4": 84.0,
    "glm-5": 91.0,
    "gpt-3.5": 74.0,
    "gpt-4": 83.0,
    "gpt-4.1": 88.0,
    "gpt-4o": 87.0,
    "gpt-5": 91.0,
    "gpt-6": 93.0,
    "grok": 82.0,
    "grok-3": 86.0,
    "grok-4": 90.0,
    "kimi": 86.0,
    "kimi-k2": 89.0,
    "kimi-k3": 93.0,
    "llama-4": 82.0,
    "magistral": 84.0,
    "mai": 84.0,
    "mimo": 86.0,
    "minimax": 84.0,
    "minimax-m2": 88.0,
    "minimax-m3": 91.0,
    "mistral": 78.0,
    "mistral-large": 83.0,
    "mistral-medium": 83.0,
    "mistral-small": 80.0,
    "muse": 90.0,
    "nova": 79.0,
    "nova-premier": 84.0,
    "o1": 87.0,
    "o3": 90.0,
    "o4": 89.0,
    "qwen": 79.0,
    "qwen-max": 83.0,
    "qwen3": 84.0,
    "qwen3-max": 88.0,
    "qwen3.5": 87.0,
    "qwen3.7": 90.0,
    "qwen3.8": 92.0,
    "sonar": 82.0,
}
# Whole words only: `gemini` is no `mini`, `minimax` neither a `mini` nor a `max`.
_WORDS = {
    "air": -3.0,
    "chat": 0.0,
    "distill": -5.0,
    "flash": -2.0,
    "flashx": -2.0,
    "lite": -4.0,
    "micro": -6.0,
    "mini": -4.0,
    "nano": -8.0,
    "preview": -1.0,
    "pro": 1.0,
    "small": -2.0,
    "tiny": -8.0,
    "turbo": -1.0,
}
# Billions of parameters below which a model of any family is no better than this.
_CEILINGS = ((2.0, 58.0), (5.0, 65.0), (10.0, 71.0), (20.0, 76.0), (40.0, 80.0), (80.0, 82.0))
_PARAMETERS = re.compile(r"(?<![\w.])(?:(\d{1,2})x)?(\d{1,4}(?:\.\d+)?)b(?![a-z0-9])", re.ASCII)


def guess(model: str) -> QualityScore:
    """Return a score labelled as a guess, with a wide uncertainty.

    Args:
        model: Canonical id.
    """
    family = _family_score(model)
    ceiling = _ceiling(model)
    known = family is not None or ceiling is not None
    words = sum(_WORDS.get(word, 0.0) for word in re.split(r"[-/:]", model)[1:])
    full_size = DEFAULT_SCORE if family is None else family + words
    score = full_size if ceiling is None else min(family or MAX_SCORE, ceiling)
    return QualityScore(
        model=model,
        score=min(max(score, MIN_SCORE), MAX_SCORE),
        uncertainty=FAMILY_UNCERTAINTY if known else DEFAULT_UNCERTAINTY,
        basis=Basis.HEURISTIC,
        source=SOURCE,
        edition_date=None,
        normalization="guessed from family and size" if known else "nothing known: default",
        metric="" if ceiling is None else SIZE_METRIC,
    )


def _family_score(model: str) -> float | None:
    name = model.rpartition("/")[2]
    words = re.split(r"[-:]", name)
    for length in range(len(words), 0, -1):
        prefix = "-".join(words[:length])
        # `qwen3.5-plus` is of family qwen3.5, `gpt-5.6-terra` of gpt-5, `qwen9` of qwen.
        for family in (prefix, prefix.rpartition(".")[0], prefix.rstrip("0123456789.")):
            if family in _FAMILIES:
                return _FAMILIES[family]
    return None


def _ceiling(model: str) -> float | None:
    match = _PARAMETERS.search(model)
    if match is None:
        return None
    experts, billions = match.groups()
    size = float(billions) * int(experts or 1)
    return next((score for below, score in _CEILINGS if size < below), None)
