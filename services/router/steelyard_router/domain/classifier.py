"""Which tier a prompt belongs to: the port, and the classifier by rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Final, Protocol

from steelyard_router.domain.keywords import (
    CLASSES,
    FOREIGN_SCRIPT_LETTERS,
    MODERATE,
    SIMPLE,
    PromptWords,
)
from steelyard_router.domain.tier import Tier

TASK_POINTS: Final = MappingProxyType(
    {"code": 2, "analysis": 2, "reasoning": 2, "agentic": 2, "chat": -1}
)
"""Task types that callers may name, with their points."""

CHARACTERS_PER_TOKEN = 4
CODE_FENCE = "```"
_CODE_FENCE_POINTS = 3
_LOWEST_SCORE = -2
_TOKEN_POINTS = ((5000, 8), (2000, 5), (500, 3), (100, 1))
_SIMPLE_TOKEN_POINTS = 1
_SIMPLE_TOKENS = 2000
# Largest token count and score of each tier.
_BOUNDS = (
    (Tier.MICRO, 100, 0),
    (Tier.STANDARD, 500, 2),
    (Tier.VERSATILE, 2000, 5),
    (Tier.HEAVY, 5000, 8),
    (Tier.COMPLEX, inf, inf),
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is classified: the text that states the task, and how much text there is in all."""

    text: str
    character_count: int
    task_type: str = ""

    @classmethod
    def of(cls, text: str, task_type: str = "") -> "Prompt":
        return cls(text, len(text), task_type)


@dataclass(frozen=True, slots=True)
class Factor:
    """One part of the score; `evidence` is e.g. the word that matched."""

    name: str
    points: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Classification:
    """A tier and everything that led to it."""

    tier: Tier
    score: int
    estimated_tokens: int
    factors: tuple[Factor, ...]
    classifier: str


class Classifier(Protocol):
    """Tells the tier of a prompt; runs on the event loop, so within a millisecond."""

    def classify(self, prompt: Prompt) -> Classification:
        """Return the tier and why."""


class RulesClassifier:
    """Adds up points for length, keywords, code and the task's type."""

    name = "rules"

    def classify(self, prompt: Prompt) -> Classification:
        tokens = prompt.character_count // CHARACTERS_PER_TOKEN
        content = tuple(_content_factors(prompt))
        is_simple = any(factor.name == SIMPLE.name for factor in content)
        size = _size_factor(tokens, is_simple=is_simple)
        factors = ((size,) if size.points else ()) + content
        score = max(_LOWEST_SCORE, sum(factor.points for factor in factors))
        bounded = min(tokens, _SIMPLE_TOKENS) if is_simple else tokens
        return Classification(_tier(bounded, score), score, tokens, factors, self.name)


def _tier(tokens: int, score: int) -> Tier:
    return next(
        tier for tier, most_tokens, most in _BOUNDS if tokens <= most_tokens and score <= most
    )


def _size_factor(tokens: int, *, is_simple: bool) -> Factor:
    points = next((points for least, points in _TOKEN_POINTS if tokens >= least), 0)
    if is_simple:
        points = min(points, _SIMPLE_TOKEN_POINTS)
    return Factor("tokens", points, f"{tokens} tokens")


def _content_factors(prompt: Prompt) -> Iterator[Factor]:
    words = PromptWords.of(prompt.text)
    for keywords in CLASSES:
        evidence = words.evidence(keywords)
        if evidence is None and keywords is MODERATE:
            evidence = _foreign_script(words)
        if evidence is not None:
            yield Factor(keywords.name, keywords.points, evidence)
    if CODE_FENCE in prompt.text:
        yield Factor("code_fence", _CODE_FENCE_POINTS, CODE_FENCE)
    if points := TASK_POINTS.get(prompt.task_type, 0):
        yield Factor("task_type", points, prompt.task_type)


def _foreign_script(words: PromptWords) -> str | None:
    count = words.foreign_letter_count
    return f"{count} letters that are not Latin" if count >= FOREIGN_SCRIPT_LETTERS else None
