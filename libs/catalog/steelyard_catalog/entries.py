"""What a third-party catalogue says about one offer."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One offer with its source's fields.

    Fields keep the source's names. Numbers in them are `int` or `Decimal`, made from their text;
    a number that is out of all proportion is None, like a field that the source leaves empty.
    """

    source_key: str
    provider: str
    provider_model: str
    offer: str
    mode: str
    """Mode in the source's words, e.g. `chat`, `responses`; empty when it does not say.

    What is called `chat` and writes no text is put right.
    """
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DroppedEntry:
    """An entry that was not taken over."""

    key: str
    problem: str
    """`not_an_object`, `bad_key`, `no_provider`, `duplicate`, ..., perhaps with detail."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Entries in the source's order, and what was wrong with the rest."""

    entries: tuple[CatalogueEntry, ...]
    dropped: tuple[DroppedEntry, ...]
