"""Reading OpenRouter's list, in both layouts."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_catalog.openrouter import read_openrouter
from tests.catalog.builders import openrouter_document


def model(identity: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "pricing": {"prompt": "0.0000025", "completion": "0.00001"}} | fields


def test_prices_stay_decimal_text() -> None:
    (entry,) = read_openrouter(openrouter_document(model("openai/gpt-4o"))).entries

    assert entry.offer == "openrouter/openai/gpt-4o"
    assert entry.pricing == {"prompt": "0.0000025", "completion": "0.00001"}


def test_bands_are_kept_in_order() -> None:
    pricing = {
        "prompt": "1",
        "overrides": [{"min_prompt_tokens": 32000, "prompt": "2"}, {"min_prompt_tokens": 256000}],
    }

    (entry,) = read_openrouter(openrouter_document(model("a/b", pricing=pricing))).entries

    assert entry.pricing == {"prompt": "1"}
    assert entry.overrides == (
        {"min_prompt_tokens": "32000", "prompt": "2"},
        {"min_prompt_tokens": "256000"},
    )


def test_batch_is_a_service_tier_of_the_offer_without_it() -> None:
    body = openrouter_document(model("openai/gpt-4o"), model("openai/gpt-4o:batch"))

    plain, batch = read_openrouter(body).entries

    assert (plain.offer, plain.service_tier) == ("openrouter/openai/gpt-4o", "")
    assert (batch.offer, batch.service_tier) == ("openrouter/openai/gpt-4o", "batch")


def test_a_moving_name_says_what_it_stands_for() -> None:
    moving = model("~openai/gpt-latest", alias_target={"slug": "openai/gpt-5.6-sol"})

    (entry,) = read_openrouter(openrouter_document(moving)).entries

    assert entry.is_alias
    assert entry.alias_target == "openai/gpt-5.6-sol"


def test_metadata_of_odd_types_counts_as_absent() -> None:
    odd = model(
        "a/b",
        context_length="many",
        architecture=["text"],
        top_provider=None,
        supported_parameters="tools",
        expiration_date="soon",
        created=-5,
        name=None,
    )

    (entry,) = read_openrouter(openrouter_document(odd)).entries

    assert entry.context_length is None
    assert entry.max_completion_tokens is None
    assert entry.expiration_date is None
    assert entry.input_modalities == entry.supported_parameters == ()
    assert (entry.name, entry.created) == ("", None)


def test_bad_entries_are_dropped_alone_with_their_problem() -> None:
    body = openrouter_document(model("a/b"), "a string", {"id": "with space"}, {}, model("a/b"))

    catalogue = read_openrouter(body)

    assert [entry.id for entry in catalogue.entries] == ["a/b"]
    assert catalogue.dropped == (
        DroppedEntry("data[1]", "not_an_object"),
        DroppedEntry("data[2]", "bad_key"),
        DroppedEntry("data[3]", "bad_key"),
        DroppedEntry("a/b", "duplicate"),
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", FormatProblem.NOT_AN_OBJECT),
        (b'{"data": {}}', FormatProblem.NOT_AN_OBJECT),
        (b'{"error": {"code": 429}}', FormatProblem.NOT_AN_OBJECT),
        (b'{"data": []}', FormatProblem.EMPTY),
        (b'{"data": [1, 2]}', FormatProblem.EMPTY),
        (b'{"data": [Infinity]}', FormatProblem.NAN),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_cause(
    body: bytes, problem: FormatProblem
) -> None:
    with pytest.raises(CatalogueFormatError) as caught:
        read_openrouter(body)

    assert caught.value.problem is problem


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count", "with_cutoff", "with_expiry"),
    [
        ("models_2025-05-23", 321, 0, 0),
        ("models_2026-07-17", 342, 100, 5),
        ("models_2026-08-01", 336, 100, 5),
    ],
)
def test_every_edition_of_the_real_list_is_read(
    real_data: Path, name: str, count: int, with_cutoff: int, with_expiry: int
) -> None:
    catalogue = read_openrouter((real_data / "openrouter" / f"{name}.json").read_bytes())

    assert (len(catalogue.entries), catalogue.dropped) == (count, ())
    assert all("prompt" in entry.pricing for entry in catalogue.entries)
    assert sum(entry.knowledge_cutoff is not None for entry in catalogue.entries) >= with_cutoff
    assert sum(entry.expiration_date is not None for entry in catalogue.entries) >= with_expiry


@pytest.mark.real_data
def test_the_real_list_is_read_as_it_is_written(real_data: Path) -> None:
    body = (real_data / "openrouter" / "models_2026-08-01.json").read_bytes()
    entries = {entry.id: entry for entry in read_openrouter(body).entries}

    assert entries["~openai/gpt-latest"].alias_target == "openai/gpt-5.6-sol"
    assert entries["openai/gpt-5.6-luna"].overrides[0]["min_prompt_tokens"] == "272000"
    assert entries["openai/gpt-5.6-luna"].knowledge_cutoff == date(2026, 2, 16)
    assert entries["openrouter/auto"].pricing["prompt"] == "-1"
