"""From a name to the offers it means."""

import pytest

from steelyard_router.domain.catalog import Catalog
from tests.router.builders import an_offer

GPT = an_offer("openai/gpt-4o", model="gpt-4o")
RESOLD = an_offer("azure/gpt-4o", model="gpt-4o")
MINI = an_offer("openai/gpt-4o-mini", model="gpt-4o-mini")


@pytest.fixture
def catalog() -> Catalog:
    aliases = {"gpt-4o": ["gpt-4o-2024-08-06", "shared"], "gpt-4o-mini": ["shared"]}
    return Catalog.of(1, [GPT, RESOLD, MINI], [], aliases=aliases)


@pytest.mark.parametrize(
    ("name", "offers"),
    [
        ("openai/gpt-4o", ("openai/gpt-4o",)),
        ("gpt-4o", ("openai/gpt-4o", "azure/gpt-4o")),
        ("gpt-4o-2024-08-06", ("openai/gpt-4o", "azure/gpt-4o")),
        ("GPT-4o-Mini", ("openai/gpt-4o-mini",)),
        ("OpenAI/GPT-4o", ("openai/gpt-4o",)),
        ("gpt-4", ()),
        ("gpt-4-mini", ()),
        ("gpt-4o-", ()),
        ("shared", ()),
        ("", ()),
    ],
)
def test_a_name_means_offers_by_id_model_or_alias_but_never_by_a_part(
    catalog: Catalog, name: str, offers: tuple[str, ...]
) -> None:
    assert catalog.names.find(name) == offers


def test_an_unknown_name_has_nearest_ones(catalog: Catalog) -> None:
    assert catalog.names.nearest.find("gpt-4-mini")[0] == "gpt-4o-mini"
