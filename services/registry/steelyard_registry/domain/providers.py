"""Sellers, and how to call those that Steelyard can call."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

MIN_KEY_LENGTH = 10
MAX_KEY_LENGTH = 512
MAX_KEY_PATTERN_LENGTH = 256

_KEY = re.compile(rf"[!-~]{{{MIN_KEY_LENGTH},{MAX_KEY_LENGTH}}}", re.ASCII)

# Patterns of keys are a small part of regular expressions: alternatives of plain characters and
# classes, counted or repeated, without groups. So they mean the same in RE2, which has no
# backtracking, and two repetitions at most cost the square of a key's length where there is some.
_PLAIN = r"[\w\-.:/=@~,;!#%&<>]|\\[dw.+*?/|(){}\[\]^$\\\-]"
_CLASS = r"\[(?:[\w.:/+=]|\\[dw.\\\-]|-(?!-))+\]"
_EXACT_COUNT = r"\{\d{1,3}\}"
_REPETITION = r"(?:[?*+]|\{\d{1,3},(?:\d{1,3})?\})"
_MAX_REPETITIONS = 2
_PATTERN_PART = re.compile(
    rf"(?:{_PLAIN}|{_CLASS})(?:{_EXACT_COUNT}|({_REPETITION}))?|(\|)", re.ASCII
)


class WireFormat(IntEnum):
    """Shape of requests and answers; numbered as in the contract."""

    UNKNOWN = 0
    OPENAI = 1
    ANTHROPIC = 2
    GEMINI = 3


class AuthStyle(IntEnum):
    """How a key is shown; numbered as in the contract."""

    UNKNOWN = 0
    BEARER = 1
    X_API_KEY = 2
    X_GOOG_API_KEY = 3
    NONE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A seller that answers requests."""

    provider: str
    display_name: str
    base_url: str = ""
    wire_format: WireFormat = WireFormat.UNKNOWN
    auth_style: AuthStyle = AuthStyle.UNKNOWN
    key_variables: tuple[str, ...] = ()
    """Environment variables with the platform's key, in order of precedence."""
    status_page_url: str = ""
    status_api_url: str = ""
    status_format: str = ""
    offer_count: int = 0
    key_pattern: str = ""
    """Regular expression (RE2) for a whole key; empty when any text may be one."""
    is_custom: bool = False
    """Whether the installation's own file names it."""

    @property
    def is_routable(self) -> bool:
        """Whether Steelyard can send requests to it."""
        return bool(self.base_url)

    def accepts_key(self, key: str) -> bool:
        """Whether a text has the form of a key: 10 to 512 printable ASCII characters, no spaces.

        What has not is certainly none; whether the provider knows one that has, only it can tell.
        """
        if _KEY.fullmatch(key) is None:
            return False
        return not self.key_pattern or bool(re.fullmatch(self.key_pattern, key, re.ASCII))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """A provider's health as the health service tells it."""

    score: float
    state: str
    sample_count: int
    is_stale: bool = False


def is_key_pattern(pattern: str) -> bool:
    r"""Whether a text is a pattern that keys can be held against, here as in RE2.

    Alternatives of characters, `\d`, `\w` and `[classes]`, each once or `{10}` times, or at most
    twice in an alternative `?`, `*`, `+`, `{10,}` or `{10,20}` times. No groups, no anchors.
    """
    if not 0 < len(pattern) <= MAX_KEY_PATTERN_LENGTH or not _has_few_repetitions(pattern):
        return False
    try:
        re.compile(pattern, re.ASCII)
    except re.error:
        # Ranges and counts the wrong way round.
        return False
    return True


def _has_few_repetitions(pattern: str) -> bool:
    position, repetitions, atoms = 0, 0, 0
    while position < len(pattern):
        part = _PATTERN_PART.match(pattern, position)
        if part is None:
            return False
        position = part.end()
        if part[2]:
            if not atoms:
                return False
            repetitions, atoms = 0, 0
        else:
            atoms += 1
            repetitions += part[1] is not None
            if repetitions > _MAX_REPETITIONS:
                return False
    return bool(atoms)


def with_sellers(
    known: Mapping[str, Provider], offer_counts: Mapping[str, int]
) -> tuple[Provider, ...]:
    """Return the known providers and every other seller of the catalogue, by id."""
    ids: Iterable[str] = sorted(known.keys() | offer_counts.keys())
    return tuple(
        replace(
            known.get(each) or Provider(provider=each, display_name=each),
            offer_count=offer_counts.get(each, 0),
        )
        for each in ids
    )
