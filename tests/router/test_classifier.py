"""The classifier by rules, held to its parity facts."""

import pytest

from steelyard_router.domain.classifier import (
    Classification,
    Factor,
    Prompt,
    RulesClassifier,
)
from steelyard_router.domain.tier import Tier


def classified(text: str, task_type: str = "") -> Classification:
    return RulesClassifier().classify(Prompt.of(text, task_type))


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [
        ("", Tier.MICRO),
        ("a" * 400, Tier.STANDARD),
        ("a" * 2000, Tier.VERSATILE),
        ("a" * 8000, Tier.VERSATILE),
        ("a" * 8004, Tier.HEAVY),
        ("a" * 20_000, Tier.HEAVY),
        ("a" * 20_004, Tier.COMPLEX),
        ("hello" * 5000, Tier.VERSATILE),
        ("hello " * 5000, Tier.VERSATILE),
        ("explain this in detail", Tier.STANDARD),
        ("write a function", Tier.VERSATILE),
    ],
    ids=lambda value: value.name if isinstance(value, Tier) else f"{value[:24]}[{len(value)}]",
)
def test_a_parity_fact_holds(prompt: str, tier: Tier) -> None:
    assert classified(prompt).tier is tier


@pytest.mark.parametrize(
    ("characters", "points"),
    [(399, 0), (400, 1), (1999, 1), (2000, 3), (7999, 3), (8000, 5), (19_999, 5), (20_000, 8)],
)
def test_length_counts_in_steps(characters: int, points: int) -> None:
    found = classified("a" * characters)

    assert found.score == points
    assert found.estimated_tokens == characters // 4


@pytest.mark.parametrize(
    ("task_type", "score"),
    [("code", 2), ("analysis", 2), ("reasoning", 2), ("agentic", 2), ("chat", -1), ("", 0)],
)
def test_the_task_type_counts(task_type: str, score: int) -> None:
    assert classified("zebra", task_type).score == score


def test_a_class_of_keywords_counts_once() -> None:
    once, often = classified("some python"), classified("python sql regex html bash pytest")

    assert once.score == often.score == 3


def test_a_code_fence_counts() -> None:
    assert classified("```\nx\n```").factors == (Factor("code_fence", 3, "```"),)


def test_no_score_is_below_the_floor() -> None:
    assert classified("hello", "chat").score == -2


def test_factors_add_up_to_the_score_and_name_their_evidence() -> None:
    found = classified("Explain this traceback: " + "x " * 300)

    assert found.factors == (
        Factor("tokens", 1, "156 tokens"),
        Factor("moderate_keywords", 1, "explain"),
        Factor("code_keywords", 3, "traceback"),
    )
    assert found.score == 5


def test_keywords_in_the_middle_of_a_long_document_are_material_not_the_task() -> None:
    document = "word " * 2000

    assert classified(f"{document} python {document}").score == classified(document * 2).score
    assert classified(f"{document} fix my code").score > classified(document).score


@pytest.mark.parametrize("text", ["the hellos", "rephelloed", "sqlite", "explainer", "unproven"])
def test_keywords_match_whole_words_only(text: str) -> None:
    assert classified(text).factors == ()


@pytest.mark.parametrize(
    "word", ["class", "let", "return", "import", "print", "public", "global", "scale"]
)
def test_q21_everyday_words_are_no_evidence_of_code(word: str) -> None:
    assert classified(f"We {word} what we can.").factors == ()


def test_q21_a_long_question_in_japanese_is_not_micro() -> None:
    question = (
        "賃貸借契約において、借主が無断で転貸した場合、貸主は契約を解除できますか。"
        "信頼関係破壊の法理について判例を踏まえて教えてください。"
    )

    assert classified(question).tier >= Tier.STANDARD


def test_q21_a_proof_in_symbols_is_not_micro() -> None:
    assert classified("∀n ∃m: m > n ∈ P").tier is Tier.VERSATILE


def test_q21_a_long_text_in_an_uncovered_script_is_not_micro() -> None:
    assert classified("კითხვა " * 10).tier is Tier.STANDARD
