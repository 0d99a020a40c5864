"""Reading LiteLLM's map, good and bad."""

from decimal import Decimal
from pathlib import Path

import pytest

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_catalog.litellm import read_litellm
from tests.catalog.builders import chat_model, litellm_document


def test_prices_keep_the_text_that_the_source_wrote() -> None:
    body = b'{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.50e-06}}'

    (entry,) = read_litellm(body).entries

    assert str(entry.fields["input_cost_per_token"]) == "0.00000250"


def test_an_entry_names_its_offer_its_seller_and_its_key() -> None:
    body = litellm_document(**{"gemini/gemini-2.5-pro": chat_model("gemini")})

    (entry,) = read_litellm(body).entries

    assert (entry.source_key, entry.offer) == ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro")
    assert (entry.provider, entry.provider_model) == ("google", "gemini-2.5-pro")
    assert entry.mode == "chat"


def test_the_sample_entry_is_not_a_model() -> None:
    body = litellm_document(sample_spec=chat_model("openai"), o1=chat_model("openai"))

    assert [entry.offer for entry in read_litellm(body).entries] == ["openai/o1"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", FormatProblem.NOT_JSON),
        (b"<html>429</html>", FormatProblem.NOT_JSON),
        (b'{"gpt-4o": {"litellm_provider": "ope', FormatProblem.NOT_JSON),
        (b'{"gpt-4o": "\xff"}', FormatProblem.NOT_JSON),
        (b'{"a": {"litellm_provider": "p", "input_cost_per_token": NaN}}', FormatProblem.NAN),
        (b'{"a": {"litellm_provider": "p", "x": -Infinity}}', FormatProblem.NAN),
        (b"[" * 100_000, FormatProblem.TOO_DEEP),
        (b"[]", FormatProblem.NOT_AN_OBJECT),
        (b"{}", FormatProblem.EMPTY),
        (b'{"a": {}, "b": null}', FormatProblem.EMPTY),
    ],
)
def test_a_file_that_is_no_map_is_refused_with_its_cause(
    body: bytes, problem: FormatProblem
) -> None:
    with pytest.raises(CatalogueFormatError) as caught:
        read_litellm(body)

    assert caught.value.problem is problem


def test_p7_bad_entries_are_dropped_alone_with_their_problem() -> None:
    body = litellm_document(
        **{
            "good": chat_model("openai"),
            "a list": [],
            "spaced name": chat_model("openai"),
            "no-provider": {"mode": "chat"},
            "provider-is-a-number": {"litellm_provider": 7},
            "groq/": chat_model("groq"),
        }
    )

    catalogue = read_litellm(body)

    assert [entry.source_key for entry in catalogue.entries] == ["good"]
    assert catalogue.dropped == (
        DroppedEntry("a list", "not_an_object"),
        DroppedEntry("spaced name", "bad_key"),
        DroppedEntry("no-provider", "no_provider"),
        DroppedEntry("provider-is-a-number", "no_provider"),
        DroppedEntry("groq/", "no_model"),
    )


def test_a_key_that_cannot_be_printed_is_reported_in_ascii() -> None:
    body = b'{"ok": {"litellm_provider": "p"}, "\\ud800": {"litellm_provider": "p"}}'

    (dropped,) = read_litellm(body).dropped

    assert dropped == DroppedEntry("\\ud800", "bad_key")


@pytest.mark.parametrize(
    "number", ["1e999999", "1e99999999999999999999", "1" * 5000, "0." + "1" * 5000]
)
def test_p7_a_number_out_of_all_proportion_loses_its_field_and_nothing_else(number: str) -> None:
    body = (
        '{"a": {"litellm_provider": "p", "input_cost_per_token": NUMBER,'
        ' "output_cost_per_token": 1e-6}}'
    ).replace("NUMBER", number)

    (entry,) = read_litellm(body.encode()).entries

    assert entry.fields["input_cost_per_token"] is None
    assert entry.fields["output_cost_per_token"] == Decimal("0.000001")


def test_the_entry_that_names_its_seller_wins_over_the_bare_one() -> None:
    bare, prefixed = chat_model("deepseek", tpm=1), chat_model("deepseek", max_input_tokens=5)
    both = [("deepseek-chat", bare), ("deepseek/deepseek-chat", prefixed)]

    for order in (both, both[::-1]):
        catalogue = read_litellm(litellm_document(**dict(order)))

        assert [entry.source_key for entry in catalogue.entries] == ["deepseek/deepseek-chat"]
        assert catalogue.dropped == (
            DroppedEntry("deepseek-chat", "duplicate of deepseek/deepseek-chat"),
        )


def test_two_entries_with_equal_facts_are_one_offer_and_no_problem() -> None:
    body = litellm_document(
        **{
            "deepseek-flash": chat_model("deepseek", tpm=1),
            "deepseek/deepseek-flash": chat_model("deepseek", source="https://example.com"),
        }
    )

    catalogue = read_litellm(body)

    assert [entry.source_key for entry in catalogue.entries] == ["deepseek/deepseek-flash"]
    assert catalogue.dropped == ()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "offers", "dropped"),
    [
        ("2023-12-14_v1.14.4", 141, 0),
        ("2025-11-09_v1.79.3", 1727, 2),
        ("2026-02-26_v1.81.16", 2577, 10),
        ("2026-08-09_v1.92.2", 2889, 15),
        ("2026-10-21_v1.106.2", 4195, 25),
    ],
)
def test_every_edition_of_the_real_map_is_read(
    real_data: Path, name: str, offers: int, dropped: int
) -> None:
    catalogue = read_litellm((real_data / "litellm" / f"{name}.json").read_bytes())

    assert (len(catalogue.entries), len(catalogue.dropped)) == (offers, dropped)
    assert len({entry.offer for entry in catalogue.entries}) == offers
    assert {entry.problem.partition(" ")[0] for entry in catalogue.dropped} <= {
        "duplicate",
        "no_provider",
    }
