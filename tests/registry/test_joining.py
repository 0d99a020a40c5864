"""Which model a leaderboard means by a name."""

from functools import cache

import pytest

from steelyard_registry.adapters.alias_table import parse_aliases, read_aliases
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.effort import split_effort
from steelyard_registry.domain.quality.joining import (
    AliasTable,
    Joined,
    ScoreNames,
    Unjoined,
    UnjoinedReason,
)
from steelyard_registry.domain.quality.name_rules import folded, tidied
from tests.registry.joining_cases import ANALYSIS, ARENA, JOINS, MODELS, NEVER, UNJOINED
from tests.registry.named_models import models_named


def names_of(*models: str, table: AliasTable | None = None) -> ScoreNames:
    """Return the names of a catalogue that sells nothing but these models."""
    return ScoreNames(models_named(*models), table or AliasTable())


@cache
def everything() -> ScoreNames:
    return names_of(*MODELS, table=read_aliases())


def ranked(names: ScoreNames, source: ScoreSource, *source_models: str) -> list[str]:
    """Return names of one model, the one that counts first."""
    joined = {name: names.join(source, name) for name in source_models}
    assert len({each.model for each in joined.values() if isinstance(each, Joined)}) == 1
    ranks = {name: each.rank for name, each in joined.items() if isinstance(each, Joined)}
    assert len(set(ranks.values())) == len(source_models)
    return sorted(ranks, key=ranks.__getitem__)


@pytest.mark.parametrize(("source", "name", "model", "variant"), JOINS)
def test_r8_a_name_joins_the_model_it_means(
    source: ScoreSource, name: str, model: str, variant: str
) -> None:
    joined = everything().join(source, name)

    assert isinstance(joined, Joined)
    assert (joined.model, joined.variant) == (model, variant)


@pytest.mark.parametrize(("source", "name", "reason", "canonical"), UNJOINED)
def test_a_name_that_joins_nothing_has_its_true_reason(
    source: ScoreSource, name: str, reason: UnjoinedReason, canonical: str
) -> None:
    assert everything().join(source, name) == Unjoined(reason, canonical)


@pytest.mark.parametrize(("name", "others"), NEVER)
def test_r8_a_name_never_takes_the_place_of_another_size_or_kind(
    name: str, others: tuple[str, ...]
) -> None:
    names = names_of(*others, table=read_aliases())

    assert [type(names.join(source, name)) for source in ScoreSource] == [Unjoined] * 5


def test_reasons_are_numbered_as_in_the_contract() -> None:
    assert [(each.name, int(each)) for each in UnjoinedReason] == [
        ("NO_OFFER", 1),
        ("AMBIGUOUS", 2),
        ("NOT_SOLD", 3),
        ("UNKNOWN_NAME", 4),
    ]


def test_a_short_name_that_several_kinds_fit_is_ambiguous() -> None:
    names = names_of("olmo-2-32b-it", "olmo-2-32b-instruct")

    assert names.join(ARENA, "olmo-2-32b") == Unjoined(UnjoinedReason.AMBIGUOUS, "olmo-2-32b")


def test_a_short_name_is_the_model_of_that_name_first() -> None:
    names = names_of("olmo-2-32b", "olmo-2-32b-it")

    assert names.join(ARENA, "olmo-2-32b") == Joined("olmo-2-32b")


def test_a_snapshot_that_is_sold_by_itself_keeps_its_scores() -> None:
    both = names_of("grok-4.20", "grok-4.20-0309")
    one = names_of("grok-4.20")

    assert both.join(ARENA, "grok-4.20-0309") == Joined("grok-4.20-0309")
    assert one.join(ARENA, "grok-4.20-0309") == Joined("grok-4.20")


def test_a_thinking_model_that_is_sold_by_itself_keeps_its_scores() -> None:
    both = names_of("grok-4-fast", "grok-4-fast-reasoning", "grok-4-fast-non-reasoning")
    hybrid = names_of("grok-4-fast")

    for way in ("reasoning", "non-reasoning"):
        assert both.join(ARENA, f"grok-4-fast-{way}") == Joined(f"grok-4-fast-{way}")
        joined = hybrid.join(ARENA, f"grok-4-fast-{way}")
        assert isinstance(joined, Joined)
        assert (joined.model, joined.variant) == ("grok-4-fast", way)
    only_one = names_of("grok-4-fast-reasoning")
    assert isinstance(only_one.join(ARENA, "grok-4-fast-non-reasoning"), Unjoined)
    assert only_one.join(ARENA, "grok-4-fast-thinking") == Joined("grok-4-fast-reasoning")


def test_of_the_ways_to_run_a_model_the_default_counts_first() -> None:
    names = everything()

    efforts = ("gpt-5", "gpt-5-medium", "gpt-5-high", "gpt-5-low", "gpt-5-minimal")
    assert ranked(names, ANALYSIS, *reversed(efforts)) == list(efforts)
    budgets = ("", "-thinking-16k", "-thinking-32k", "-thinking-64k")
    opus = [f"claude-opus-4-1-20250805{budget}" for budget in budgets]
    assert ranked(names, ARENA, *reversed(opus)) == opus
    qwen = ["qwen3-235b-a22b", "qwen3-235b-a22b-thinking", "qwen3-235b-a22b-no-thinking"]
    assert ranked(names, ARENA, *reversed(qwen)) == qwen


def test_a_model_that_does_not_think_by_default_counts_without_thinking() -> None:
    names = everything()

    sonnet = [f"claude-4-sonnet-20250514-{way}" for way in ("base", "thinking-64k")]
    assert ranked(names, ScoreSource.LIVEBENCH, *reversed(sonnet)) == sonnet
    gpt = [f"gpt-5.1-2025-11-13-{way}" for way in ("nothinking", "medium", "high", "low")]
    assert ranked(names, ScoreSource.LIVEBENCH, *reversed(gpt)) == gpt


def test_a_plain_name_that_was_run_without_thinking_does_not_count_first() -> None:
    flash = ["gemini-2-5-flash-reasoning", "gemini-2-5-flash"]

    assert ranked(everything(), ANALYSIS, *reversed(flash)) == flash


def test_of_two_snapshots_the_later_counts_first() -> None:
    names = everything()

    gpt = ["gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-05-13"]
    assert ranked(names, ARENA, *reversed(gpt)) == gpt
    old = [f"gpt-3.5-turbo-{day}" for day in ("0125", "1106", "0613", "0314")]
    assert ranked(names, ARENA, *reversed(old)) == old
    sonnet = ["Claude 3.5 Sonnet (20241022)", "Claude 3.5 Sonnet (20240620)"]
    assert ranked(names, ARENA, *reversed(sonnet)) == sonnet


@pytest.mark.parametrize(
    ("name", "stem", "variant"),
    [
        ("gpt-5.1-high", "gpt-5.1", "high"),
        ("o3-mini-high", "o3-mini", "high"),
        ("claude-opus-4-5-thinking-64k-high-effort", "claude-opus-4-5", "thinking-64k-high"),
        ("claude-sonnet-4-6-non-reasoning-low-effort", "claude-sonnet-4-6", "non-reasoning-low"),
        ("claude-4-sonnet-base", "claude-4-sonnet", "base"),
        ("gemini-2.5-pro-06-05-highthinking", "gemini-2.5-pro-06-05", "thinking-high"),
        ("gpt-5.2-nothinking", "gpt-5.2", "non-reasoning"),
        ("qwen3-32b-no-thinking", "qwen3-32b", "non-reasoning"),
        ("llama-3.1-405b-instruct-fp8", "llama-3.1-405b-instruct", "fp8"),
    ],
)
def test_effort_is_split_from_the_name(name: str, stem: str, variant: str) -> None:
    assert split_effort(name) == (stem, variant)


@pytest.mark.parametrize(
    "name",
    [
        "phi-3-medium",
        "mistral-medium",
        "magistral-medium",
        "gpt-5.1-codex-max",
        "kimi-k2-thinking",
        "kimi-k2-base",
        "sonar-reasoning",
        "command-a-reasoning",
        "phi-4-reasoning",
        "qwen3-max-thinking",
        "qwen3-next-80b-a3b-thinking",
        "qwen3-vl-235b-a22b-thinking",
        "gemini-2.0-flash-thinking",
        "grok-3-reasoning",
        "granite-3.3-8b-base",
        "olmo-3-32b-think",
    ],
)
def test_what_belongs_to_the_name_stays_in_it(name: str) -> None:
    assert split_effort(name) == (name, "")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("ChatGPT-4o-latest (2025-03-26)", "chatgpt-4o-latest-2025-03-26"),
        ("Command R+ (04-2024)", "command-r-plus-04-2024"),
        ("openrouter/anthropic/claude-3.5-sonnet", "claude-3.5-sonnet"),
        (" InternLM2_5  20B ", "internlm2-5-20b"),
        ("ｇｐｔ－４ｏ", "gpt-4o"),  # noqa: RUF001 - full width, as some tables have it
        ("", ""),
        ("a" * 513, ""),
    ],
)
def test_names_are_tidied(name: str, plain: str) -> None:
    assert tidied(name) == plain


def test_the_bundled_table_is_well_formed() -> None:
    table = read_aliases()

    meant = [*table.aliases, *table.not_sold, *table.ambiguous, *table.of_source[ARENA]]
    assert all(name == folded(tidied(name)) for name in meant)
    assert not table.not_sold.keys() & table.aliases.keys()
    assert all(len(models) > 1 for models in table.ambiguous.values())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[aliases]\n"gpt-4.5" = "a"\n"GPT 4.5" = "b"', "there twice"),
        ('[aliases]\n"/" = "a"', "is no name"),
        ('[aliases]\n"a" = 1', "must mean a model"),
        ('[aliases]\n"a" = []', "must mean a model"),
        ('[not_sold]\n"a" = 1', "must have a text"),
        ('families = "a"', "list of words"),
        ('[in.somewhere]\n"a" = "b"', "not a valid ScoreSource"),
    ],
)
def test_a_faulty_table_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_aliases(text)


def test_of_several_meanings_the_first_that_is_sold_counts() -> None:
    table = parse_aliases('[aliases]\n"mistral-medium-2508" = ["first", "mistral-medium-3.1"]')

    assert names_of("mistral-medium-3.1", table=table).join(ARENA, "Mistral-Medium-2508") == Joined(
        "mistral-medium-3.1"
    )
    assert names_of("mistral-medium-3", table=table).join(ARENA, "Mistral-Medium-2508") == Unjoined(
        UnjoinedReason.NO_OFFER, "first"
    )
