"""The bundled table of components that are, or are not, the API."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from steelyard_health.domain.status.rules import ComponentRules

_DEFAULT = "default"
_FIELDS = frozenset({"api", "other", "topics", "products", "services", "regions"})


@dataclass(frozen=True, slots=True)
class RuleTable:
    """What counts, by provider."""

    by_provider: Mapping[str, ComponentRules]
    default: ComponentRules
    """For providers that the table does not name."""

    def of(self, provider: str) -> ComponentRules:
        return self.by_provider.get(provider, self.default)


def read_status_rules() -> RuleTable:
    """Return the table that comes with the program."""
    text = (files("steelyard_health") / "data" / "status_components.toml").read_text("utf-8")
    return parse_status_rules(text)


def parse_status_rules(text: str) -> RuleTable:
    """Read a table in the format of `data/status_components.toml`.

    Raises:
        ValueError: It is no TOML, or has a field that is not known or is no list of texts.
    """
    document = tomllib.loads(text)
    shared = _texts(_DEFAULT, document.pop(_DEFAULT, {}), frozenset({"other"})).get("other", ())
    return RuleTable(
        by_provider={name: _rules(name, row, shared) for name, row in document.items()},
        default=ComponentRules(other=shared),
    )


def _rules(provider: str, row: dict[str, Any], shared: tuple[str, ...]) -> ComponentRules:
    fields = _texts(provider, row, _FIELDS)
    return ComponentRules(
        api=fields.get("api", ()),
        other=(*shared, *fields.get("other", ())),
        topics=fields.get("topics", ()),
        products=frozenset(fields.get("products", ())),
        services=fields.get("services", ()),
        regions=fields.get("regions", ()),
    )


def _texts(table: str, row: object, known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(row, dict):
        raise ValueError(f"{table}: must be a table")  # noqa: TRY004
    for field, value in row.items():
        if field not in known:
            raise ValueError(f"{table}: {field} is not known")
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{table}: {field} must be a list of texts")
    return {field: tuple(value) for field, value in row.items()}
