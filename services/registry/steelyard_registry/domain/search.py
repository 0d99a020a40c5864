"""Finding models by words, however people write them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import nsmallest

from steelyard_registry.domain.listing import task_score
from steelyard_registry.domain.models import Model
from steelyard_registry.domain.quality.scores import Task

_SEPARATORS = re.compile(r"[\W_]+")
# Dots stay: `4.5` means one thing, `4` and `5` may stand anywhere.
_BETWEEN_WORDS = re.compile(r"[^\w.+]+|_+")


class Match(IntEnum):
    """How well a model fits the words of a search, best first."""

    ID = 0
    """They are its id, apart from separators and order."""
    NAME = 1
    """They are another of its names, or its maker."""
    PREFIX = 2
    """Its id begins with them, and each is a whole part of its names."""
    START = 3
    """Its id begins with them, as `gpt-4o` with `gpt 4`."""
    TOKENS = 4
    """Each is a whole part of its names."""
    PART = 5
    """Each occurs somewhere."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """The names of one model, prepared."""

    model: Model
    compact_id: str
    id_tokens: frozenset[str]
    maker_tokens: frozenset[str]
    compact_names: frozenset[str]
    tokens: frozenset[str]
    text: str
    """All names in lower case, one a line."""
    starts: str
    """Each name from each of its tokens on, without separators, each after a line break."""


class SearchIndex:
    """The names of all models of one catalogue; never changes."""

    def __init__(self, models: Iterable[Model]) -> None:
        """Prepare models; takes about a tenth of a second for all real ones."""
        self._entries = {model.model: _entry(model) for model in models}

    def find(self, words: Sequence[str]) -> list[Model]:
        """Return the models in whose names all words occur, in the order of the catalogue.

        A word occurs where its letters do, or from the beginning of a part of a name on when
        separators do not count: `gpt4o` in `gpt-4o`, `4.5` in `claude-sonnet-4-5`.

        Args:
            words: In lower case.
        """
        left: Iterable[_Entry] = self._entries.values()
        for word in words:
            left = _with_word(left, word)
        return [entry.model for entry in left]

    def search(self, words: Sequence[str]) -> list[Model]:
        """Return what `find` does; what it does not find is tried again in pieces.

        So `claude-4.5-sonnet` finds `claude-sonnet-4-5`, and `openai/gpt-4o` finds `gpt-4o`.
        """
        found = self.find(words)
        cut = pieces(words)
        return found if found or not cut else self.find(cut)

    def best(
        self, found: Iterable[Model], words: Sequence[str], task: Task, limit: int
    ) -> list[Model]:
        """Return the best of what a search found: by match, then by score, then by id."""
        query = _Query(
            compact=_compact("".join(words)),
            tokens=frozenset(token for word in words for token in _tokens(word)),
        )

        def place(model: Model) -> tuple[Match, float, str]:
            match = query.match(self._entries[model.model])
            return match, -task_score(model, task), model.model

        return nsmallest(limit, found, key=place)


@dataclass(frozen=True, slots=True)
class _Query:
    compact: str
    tokens: frozenset[str]

    def match(self, entry: _Entry) -> Match:
        if self.compact == entry.compact_id or self._is_id(entry):
            return Match.ID
        if self.compact in entry.compact_names:
            return Match.NAME
        is_whole = self.tokens <= entry.tokens
        if entry.compact_id.startswith(self.compact):
            return Match.PREFIX if is_whole else Match.START
        return Match.TOKENS if is_whole else Match.PART

    def _is_id(self, entry: _Entry) -> bool:
        """Whether the words are those of the id in another order, perhaps with the maker's."""
        return self.tokens in (entry.id_tokens, entry.id_tokens | entry.maker_tokens)


def pieces(words: Iterable[str]) -> tuple[str, ...]:
    """Return words cut at everything but dots and plus signs."""
    return tuple(piece for word in words for piece in _BETWEEN_WORDS.split(word) if piece)


def _with_word(entries: Iterable[_Entry], word: str) -> list[_Entry]:
    compact = _compact(word)
    if not compact:
        return [entry for entry in entries if word in entry.text]
    start = f"\n{compact}"
    return [entry for entry in entries if word in entry.text or start in entry.starts]


def _entry(model: Model) -> _Entry:
    names = [
        name.lower()
        for name in (model.model, model.maker, model.display_name, *model.aliases)
        if name
    ]
    tokens_of = {name: _tokens(name) for name in names}
    starts = {
        "".join(tokens[position:])
        for tokens in tokens_of.values()
        for position in range(len(tokens))
    }
    return _Entry(
        model=model,
        compact_id=_compact(model.model.lower()),
        id_tokens=frozenset(_tokens(model.model.lower())),
        maker_tokens=frozenset(_tokens(model.maker.lower())),
        compact_names=frozenset(map(_compact, names)),
        tokens=frozenset(token for tokens in tokens_of.values() for token in tokens),
        text="\n".join(names),
        starts="".join(f"\n{start}" for start in sorted(starts)),
    )


def _tokens(text: str) -> list[str]:
    return [token for token in _SEPARATORS.split(_spelt(text)) if token]


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", _spelt(text))


def _spelt(text: str) -> str:
    """Spell out the one sign that tells models apart: Command R+ is `command-r-plus`."""
    return text.replace("+", " plus ")
