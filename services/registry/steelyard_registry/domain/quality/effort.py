"""How a source ran a model: with how much thinking. A part of its name, but not of the model's."""

import re

# Models whose thinking is set by the request. Where thinking is a model of its own (kimi-k2,
# qwen3-next, sonar...) the word belongs to the name: without it the name means another model.
_RUNS_IN_SEVERAL_WAYS = re.compile(
    r"claude-|gpt-oss-|gpt-[5-9]|o[1-9](?:-|$)"
    r"|gemini-(?:2-5|[3-9])|gemma-[4-9]|nova-[2-9]|grok-(?:3-mini|[4-9])"
    r"|deepseek-v(?:3-[1-9]|[4-9])|glm-(?:4-[5-9]|[5-9])|kimi-k(?:2-[5-9]|[3-9])"
    r"|qwen3-(?:0-6b|1-7b|4b|8b|14b|32b|30b-a3b|235b-a22b)$|qwen(?:3-[5-9]-|[4-9])"
    r"|hermes-[4-9]|mistral-(?:small|medium|large)-[4-9]|muse-|mimo-|hy[3-9](?:-|$)"
    r"|(?:llama-[\d-]*)?nemotron-|sarvam-m$|cogito-v[2-9]|exaone-[4-9]|k-exaone|solar-|minicpm[5-9]",
    re.ASCII,
)
# Of those, the ones that answer at once unless they are asked to think.
_ANSWERS_AT_ONCE = re.compile(
    r"claude-|deepseek-v3|nova-|gemini-2-5-flash-lite|hermes-|cogito-|mistral-"
    r"|(?P<effort_is_thinking>gpt-5-[1-4](?:-mini|-nano)?$)",
    re.ASCII,
)
# Their effort unless told otherwise is high, elsewhere it is medium.
_WORKS_HARD = re.compile(r"claude-|gemini-|deepseek-|glm-", re.ASCII)

_EFFORT = r"(?:minimal|low|medium|high|xhigh)"
_WAYS = re.compile(
    rf"^(.+?)((?:-(?:(?:auto-)?thinking(?:-\d+k)?|{_EFFORT}thinking|reasoning|adaptive"
    rf"|(?:no|non)-?(?:thinking|reasoning)|{_EFFORT}(?:-effort)?|base|bf16|fp8))+)$",
    re.ASCII,
)
_WORDS = (
    (re.compile(r"-(?:no|non)-?(?:thinking|reasoning)", re.ASCII), "-non-reasoning"),
    (re.compile(rf"-({_EFFORT})thinking", re.ASCII), r"-thinking-\1"),
    (re.compile(r"-auto-thinking", re.ASCII), "-thinking"),
    (re.compile(r"-effort(?=-|$)", re.ASCII), ""),
)
_STORED = re.compile(r"(?:bf16|fp8)$", re.ASCII)
_BASE = re.compile(r"(?:^|-)base(?:-|$)", re.ASCII)

_FROM_DEFAULT = {"medium": 1, "high": 2, "low": 3, "xhigh": 4, "minimal": 5}
_FROM_HIGH = {"high": 1, "medium": 2, "xhigh": 3, "low": 4, "minimal": 5}
_ASKED_TO_THINK = 10
_ASKED_NOT_TO_THINK = 90
_SNAPSHOTS = 1_000_000
# When the snapshots of OpenAI that are named by month and day came out.
_WITHOUT_YEAR = {
    "0125": 240125,
    "0301": 230301,
    "0314": 230314,
    "0613": 230613,
    "0914": 230914,
    "1106": 231106,
}
_DATES = re.compile(
    r"-20(\d\d)-?([01]\d)-?([0-3]\d)(?=-|$)|-(0125|0301|0314|0613|0914|1106)(?=-|$)|-00([12])$",
    re.ASCII,
)


def split_effort(name: str) -> tuple[str, str]:
    """Split a name into the model's and the way it was run.

    `gpt-5.1-high` is `gpt-5.1` and `high`, `claude-opus-4-5-thinking-64k-high-effort` is
    `claude-opus-4-5` and `thinking-64k-high`, `no-thinking` is always called `non-reasoning`.
    Names of models that have only one way, such as `phi-3-medium` and `kimi-k2-thinking`, come
    back whole.

    Args:
        name: Lower case, words with dashes between them; versions with dots or dashes.

    Returns:
        The name without and the way; the way is empty when the name does not say.
    """
    match = _WAYS.match(name)
    if match is None:
        return name, ""
    stem, way = match.groups()
    if not _STORED.search(way) and not _RUNS_IN_SEVERAL_WAYS.match(stem.replace(".", "-")):
        return name, ""
    if _BASE.search(way) and not stem.startswith("claude-"):
        return name, ""
    for pattern, replacement in _WORDS:
        way = pattern.sub(replacement, way)
    return stem, way.removeprefix("-")


def contradicts(variant: str, model: str) -> bool:
    """Whether a model cannot have been run like this: it always thinks, or never does."""
    words = set(re.split(r"[^a-z0-9]", model))
    never = "non" in words or "instruct" in words or "chat" in words
    always = not never and bool(words & {"thinking", "think", "reasoning", "reasoner", "r1"})
    if variant.startswith("non-"):
        return always
    return never and variant not in {"", "base", "bf16", "fp8"}


def rank(model: str, variant: str, source_model: str) -> int:
    """Return how far from a model's default a source ran it; lower is closer.

    The name alone comes first. Then the ways by how far they are from what the model does when
    the request says nothing: its usual effort (medium, for some makers high) before others, and
    more or less thinking than by default behind them. `non-reasoning` comes right after the name
    for models that answer at once by default, and last for models that think by default. Of two
    snapshots run in the same way the later one comes first, a name without a date before both.

    Args:
        model: Canonical id.
        variant: As `split_effort` calls it.
        source_model: The name in the source, for its date.
    """
    snapshot = _snapshot(source_model)
    age = _SNAPSHOTS - 1 - snapshot if snapshot else 0
    return _distance(model.rpartition("/")[2].replace(".", "-"), variant) * _SNAPSHOTS + age


def _distance(model: str, variant: str) -> int:
    """Return 0 for the name alone, and more the further a way is from the default."""
    if not variant:
        return 0
    at_once = _ANSWERS_AT_ONCE.match(model)
    efforts = _FROM_HIGH if _WORKS_HARD.match(model) else _FROM_DEFAULT
    words = variant.split("-")
    effort = next((efforts[word] for word in words if word in efforts), 0)
    if "non" in words:
        return effort + (1 if at_once else _ASKED_NOT_TO_THINK)
    if {"thinking", "reasoning", "adaptive"} & set(words):
        budget = next((int(word[:-1]) for word in words if word[:-1].isdigit()), 0)
        return effort + budget // 16 + (_ASKED_TO_THINK if at_once else 1)
    if effort and at_once and at_once["effort_is_thinking"]:
        return effort + _ASKED_TO_THINK
    return effort or (2 if variant == "fp8" else 1)


def _snapshot(name: str) -> int:
    """Return the date in a name as a number YYMMDD, a bare counter as itself, else 0."""
    match = _DATES.search(name)
    if match is None:
        return 0
    year, month, day, month_and_day, counter = match.groups()
    if counter:
        return int(counter)
    return _WITHOUT_YEAR[month_and_day] if month_and_day else int(year + month + day)
