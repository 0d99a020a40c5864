"""How leaderboards spell names, read by explicit rules; none removes a size, tier or version."""

import re
import unicodedata
from collections.abc import Iterator

from steelyard_catalog.names import MAX_NAME_LENGTH
from steelyard_catalog.spelling import spelled
from steelyard_registry.domain.quality.editions import ScoreSource

_Rule = tuple[re.Pattern[str], str]


def _rules(*pairs: tuple[str, str]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern, re.ASCII), replacement) for pattern, replacement in pairs)


_BETWEEN_WORDS = re.compile(r"[^\w.:@]+|_")
_FOLDED = re.compile(r"[^\w]+|_")
_DATE = re.compile(r"-(?:20\d\d-?\d\d-?\d\d|\d\d-\d\d|\d{4})$", re.ASCII)

# A maker's name before that of the model, and words of the place that answered.
_AROUND = _rules(
    (
        r"^(?:amazon|anthropic|arcee|cohere|google|ibm|meta|microsoft|nv|nvidia|openai|xai)-(?=.)",
        "",
    ),
    (r"-(?:api|togetherai)(?=-|$)", ""),
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|june|jul|july|aug|sep|oct|nov|dec)"
_EVERYWHERE = _rules(
    (r"^gpt(?=(?:35|4)(?:-|$))", "gpt-"),
    (r"^gpt-35-", "gpt-3.5-"),
    (r"^claude(-instant)?-v(?=\d)", r"claude\1-"),
    (r"^claude-(\d)(\d)(?=-|$)", r"claude-\1-\2"),
    (r"^(claude-[12])[.-]0$", r"\1"),
    (rf"^(claude-.+)-{_MONTH}-(?:20)?\d\d$", r"\1"),
    # The size behind the kind: llama-3-1-instruct-70b, llama-3-1-nemotron-instruct-70b.
    (r"^(llama-.+|qwen-?[\d.-]*)-(instruct|chat)-(\d+b)(-vision)?$", r"\1-\3\4-\2"),
    (r"^nova-(lite|micro|premier|pro)-v?1[.-]0$", r"nova-\1"),
    (r"^nova-2[.-]0-", "nova-2-"),
    (r"^jamba-(1[.-][67])-(large|mini)$", r"jamba-\2-\1"),
    (r"^kimi-k2-0711-preview$", "kimi-k2"),
    (r"^(kimi-k2-\d{4})-preview$", r"\1"),
    # xAI names its snapshots by month and day, and serves the latest under the plain name.
    (r"^(grok-(?!.*preview).+?)(?:-20\d\d)?-(?:0[1-9]|1[0-2])-?[0-3]\d$", r"\1"),
    (r"^(.+)-reasoning-(\d{4}|\d\d-20\d\d)$", r"\1-\2-reasoning"),
)
# Artificial Analysis calls Qwen3 models that think or not after the way it ran them, models that
# only think after those that do not, and writes sizes with a dash for the point.
_HYBRID_QWEN3 = r"qwen3-(?:0\.6b|1\.7b|4b|8b|14b|32b|30b-a3b|235b-a22b)"
_BEFORE_SMALL_SIZE = r"lfm2(?:-5)?+(?:-vl)?|exaone-4-0|minicpm-v4-6|qwen3-5|.*-distill-qwen"
_IN_OWN_WORDS = {
    ScoreSource.ARTIFICIAL_ANALYSIS: _rules(
        (r"^(qwen3-.+?)(?:-instruct)?-2507(?:-instruct)?-reasoning$", r"\1-thinking-2507"),
        (
            r"^(qwen3-.+?)-2507(?:-instruct)?$(?<!-instruct-2507)(?<!-thinking-2507)",
            r"\1-instruct-2507",
        ),
        (r"^(qwen3-(?:next|omni|vl)-.+)-reasoning$", r"\1-thinking"),
        (rf"^({_HYBRID_QWEN3})-instruct-reasoning$", r"\1-reasoning"),
        (rf"^({_HYBRID_QWEN3})-instruct$", r"\1-non-reasoning"),
        (
            rf"^({_BEFORE_SMALL_SIZE})-([0-2])-(\db)(?=-|$)",
            r"\1-\2.\3",
        ),
    )
}

# Names that leave out what tells the chat model from its base: sizes, and these families.
_SHORT_NAME = re.compile(r"^(?:phi-\d|dbrx$)|-e?\d+(?:\.\d+)?b(?:-a\d+b)?$", re.ASCII)
_KINDS = ("instruct", "it", "chat")


def tidied(name: str) -> str:
    """Return a name in lower case, without the path before it and with dashes between its words.

    `ChatGPT-4o-latest (2025-03-26)` becomes `chatgpt-4o-latest-2025-03-26`, `Command R+`
    `command-r-plus`. What is too long for a name becomes empty.
    """
    if len(name) > MAX_NAME_LENGTH:
        return ""
    plain = unicodedata.normalize("NFKC", name).strip().lower().rpartition("/")[2]
    return _BETWEEN_WORDS.sub("-", plain.replace("+", "-plus ")).strip("-")


def folded(name: str) -> str:
    """Return a tidied name with dashes for dots and colons: what is looked up."""
    return _FOLDED.sub("-", name).strip("-")


def translated(source: ScoreSource, name: str) -> str:
    """Return a tidied name without the words that this source alone uses in its own way."""
    return _applied(_IN_OWN_WORDS.get(source, ()), name)


def rewritten(name: str) -> str:
    """Return a tidied name in the words and the order that sellers use."""
    return _applied((*_AROUND, *_EVERYWHERE), name)


def _applied(rules: tuple[_Rule, ...], name: str) -> str:
    for pattern, replacement in rules:
        name = pattern.sub(replacement, name)
    return name


def spellings(name: str) -> tuple[str, ...]:
    """Return the ways to spell a tidied name, as it is first, the canonical one last."""
    by_rule = rewritten(name)
    return tuple(dict.fromkeys((name, by_rule, spelled("", by_rule))))


def with_kind(name: str) -> Iterator[str]:
    """Yield the full names that a short one may stand for: `gemma-3-27b`, `gemma-3-27b-it`..."""
    if _SHORT_NAME.search(name):
        yield from (f"{name}-{kind}" for kind in _KINDS)


def without_date(name: str) -> str:
    """Remove any date at the end, to look up names of series of experiments."""
    return _DATE.sub("", name)
