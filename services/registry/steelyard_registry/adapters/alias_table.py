"""The bundled table of names that leaderboards use in ways that no rule can read."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from steelyard_registry.domain.quality.aliases import AliasTable
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.name_rules import folded, tidied


def read_aliases() -> AliasTable:
    """Return the table that comes with the program."""
    return parse_aliases((files("steelyard_registry") / "data" / "aliases.toml").read_text("utf-8"))


def parse_aliases(text: str) -> AliasTable:
    """Read a table in the format of `data/aliases.toml`.

    Raises:
        ValueError: It is no TOML, a source is not known, a name is written twice in one table in
            two spellings, or a value is not of the kind that its table has.
    """
    document = tomllib.loads(text)
    families = document.get("families", [])
    if not _are_texts(families):
        raise ValueError("families: must be a list of words")
    return AliasTable(
        aliases=_meanings(document.get("aliases", {}), "aliases"),
        of_source={
            ScoreSource(source): _meanings(names, source)
            for source, names in document.get("in", {}).items()
        },
        variants={
            ScoreSource(source): _texts(names, source)
            for source, names in document.get("variants", {}).items()
        },
        not_sold=_texts(document.get("not_sold", {}), "not_sold"),
        ambiguous=_meanings(document.get("ambiguous", {}), "ambiguous"),
        families=frozenset(families),
    )


def _meanings(names: Mapping[str, Any], table: str) -> dict[str, tuple[str, ...]]:
    meanings: dict[str, tuple[str, ...]] = {}
    for name, value in _by_key(names, table).items():
        models = [value] if isinstance(value, str) else value
        if not models or not _are_texts(models):
            raise ValueError(f"{table}: {name} must mean a model or a list of them")
        meanings[name] = tuple(models)
    return meanings


def _texts(names: Mapping[str, Any], table: str) -> dict[str, str]:
    by_key = _by_key(names, table)
    if not _are_texts(list(by_key.values())):
        raise ValueError(f"{table}: every name must have a text")
    return by_key


def _by_key(names: Mapping[str, Any], table: str) -> dict[str, Any]:
    by_key: dict[str, Any] = {}
    for name, value in names.items():
        key = folded(tidied(name))
        if not key or key in by_key:
            raise ValueError(f"{table}: {name} is there twice or is no name")
        by_key[key] = value
    return by_key


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) and each for each in values)
