"""Reading models.dev's catalogue, in its layouts of 2026."""

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard_catalog.entries import DroppedEntry
from steelyard_catalog.json_text import CatalogueFormatError, FormatProblem
from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.models_dev import ModelsDevCatalogue, ModelsDevEntry, read_models_dev
from steelyard_catalog.providers import models_dev_provider_id

COST = {"input": 2.5, "output": 10}


def document(**sellers: Any) -> bytes:
    """Return a catalogue, given as seller -> model -> fields."""
    return json.dumps(
        {seller: {"id": seller, "models": models} for seller, models in sellers.items()}
    ).encode()


def model(**fields: Any) -> dict[str, Any]:
    modalities = {"input": ["text"], "output": ["text"]}
    return {"cost": COST, "modalities": modalities} | fields


def read_one(key: str = "model", seller: str = "acme", **fields: Any) -> ModelsDevEntry:
    (entry,) = read_models_dev(document(**{seller: {key: model(**fields)}})).entries
    return entry


def mode(key: str, *, inputs: str = "text", outputs: str = "text", family: str = "") -> str:
    modalities = {"input": inputs.split(), "output": outputs.split()}
    return read_one(key, family=family, modalities=modalities).mode


def test_a_model_is_an_offer_of_its_seller() -> None:
    entry = read_one("gpt-4o", "openai")

    assert entry.offer == "openai/gpt-4o"
    assert (entry.provider, entry.provider_model) == ("openai", "gpt-4o")
    assert entry.source_key == "openai/gpt-4o"


def test_numbers_stay_as_they_are_written() -> None:
    body = document(acme={"model": {}}).replace(
        b"{}", b'{"cost": {"input": 0.28670500000000000001, "output": 7.5E-7}}'
    )

    (entry,) = read_models_dev(body).entries

    assert entry.cost == {
        "input": Decimal("0.28670500000000000001"),
        "output": Decimal("0.00000075"),
    }


def test_limits_dates_and_flags_are_read() -> None:
    entry = read_one(
        name="Model",
        status="deprecated",
        limit={"context": 400000, "input": 272000, "output": 128000},
        release_date="2025-08",
        last_updated="2026-03-05",
        knowledge="2024-09-30",
        tool_call=True,
        reasoning=False,
    )

    assert (entry.max_context_tokens, entry.max_input_tokens) == (400_000, 272_000)
    assert entry.max_output_tokens == 128_000
    assert (entry.release_date, entry.updated_date) == (date(2025, 8, 1), date(2026, 3, 5))
    assert entry.knowledge_cutoff == date(2024, 9, 30)
    assert (entry.has_tools, entry.has_reasoning) == (True, False)
    assert entry.has_structured_output is None
    assert (entry.name, entry.status) == ("Model", "deprecated")


def test_metadata_of_odd_types_counts_as_absent() -> None:
    entry = read_one(
        cost="free?",
        limit=[1],
        modalities=None,
        release_date="soon",
        knowledge=2024,
        status="retired",
        tool_call="yes",
        experimental={"modes": ["fast"]},
        provider="@ai-sdk/openai",
        name=7,
    )

    assert entry.cost == entry.tier_costs == {}
    assert entry.max_context_tokens is entry.max_output_tokens is None
    assert entry.input_modalities == entry.output_modalities == ()
    assert entry.release_date is entry.knowledge_cutoff is None
    assert entry.has_tools is None
    assert (entry.status, entry.name, entry.mode) == ("", "", "chat")


def test_a_mode_that_is_a_service_tier_and_nothing_else_is_one() -> None:
    priority = {"cost": {"input": 5}, "provider": {"body": {"service_tier": "priority"}}}
    fast = {"cost": {"input": 30}, "provider": {"body": {"speed": "fast"}}}
    both = {"cost": {"input": 9}, "provider": {"body": {"service_tier": "flex", "speed": "fast"}}}
    odd = {"cost": {"input": 9}, "provider": {"body": {"service_tier": "A B"}}}
    modes = {"fast": priority, "faster": fast, "both": both, "odd": odd, "none": 1}

    entry = read_one(experimental={"modes": modes})

    assert entry.tier_costs == {"priority": {"input": 5}}


@pytest.mark.parametrize(
    ("seller", "provider"),
    [
        ("openai", "openai"),
        ("google", "google"),
        ("google-vertex", "vertex_ai"),
        ("google-vertex-anthropic", "vertex_ai"),
        ("amazon-bedrock", "bedrock"),
        ("alibaba", "qwen"),
        ("zai", "zhipu"),
        ("moonshotai", "moonshot"),
        ("togetherai", "together_ai"),
        ("lmstudio", "lm_studio"),
        # Other addresses with other price lists: other sellers.
        ("alibaba-cn", "alibaba-cn"),
        ("zhipuai", "zhipuai"),
        ("moonshotai-cn", "moonshotai-cn"),
        ("zai-coding-plan", "zai-coding-plan"),
        # Its `gpt-oss:120b` is not that of a local runner.
        ("ollama-cloud", "ollama-cloud"),
    ],
)
def test_sellers_are_joined_by_their_address(seller: str, provider: str) -> None:
    assert models_dev_provider_id(seller) == provider


def test_what_azure_sells_at_another_address_is_of_another_name() -> None:
    api = "https://${AZURE_RESOURCE_NAME}.services.ai.azure.com/anthropic/v1"

    assert read_one("claude-opus-4-6", "azure", provider={"api": api}).provider == "azure_ai"
    assert read_one("gpt-4o", "azure").provider == "azure"


@pytest.mark.parametrize(
    ("key", "inputs", "outputs", "family", "expected"),
    [
        ("gpt-4o", "text image", "text", "gpt", "chat"),
        ("text-embedding-3-small", "text", "text", "text-embedding", "embedding"),
        ("mistral-embed", "text", "text", "mistral-embed", "embedding"),
        ("all-mini-lm-l6-v2", "text", "text", "text-embedding", "embedding"),
        ("voyage/voyage-3.5", "text", "text", "voyage", "embedding"),
        ("@cf/baai/bge-m3", "text", "text", "bge", "embedding"),
        ("@cf/baai/bge-reranker-base", "text", "text", "bge", "rerank"),
        ("qwen-omni-turbo-realtime", "text audio", "text audio", "qwen", "realtime"),
        ("openai/whisper-large-v3", "audio", "text", "whisper", "audio_transcription"),
        ("nemoretriever-ocr-v1", "image", "text", "nemoretriever", "other"),
        ("gemini-2.5-pro-preview-tts", "text", "audio", "gemini", "audio_speech"),
        ("gemini-2.5-flash-image", "text image", "text image", "gemini", "chat"),
        ("nano-banana-pro", "text image", "image", "nano-banana", "image_generation"),
        ("veo-3.1", "text", "video", "veo", "video_generation"),
        ("embedded-chat", "text", "text", "", "chat"),
    ],
)
def test_the_kind_of_work_is_read_from_modalities_and_whole_words(
    key: str, inputs: str, outputs: str, family: str, expected: str
) -> None:
    assert mode(key, inputs=inputs, outputs=outputs, family=family) == expected


def test_bad_entries_are_dropped_alone_with_their_problem() -> None:
    body = json.dumps(
        {
            "acme": {"models": {"a": model(), "with space": model(), "b": "text"}},
            "a/b": {"models": {"c": model()}},
            "odd": ["models"],
            "error": {"code": 429},
            "google-vertex": {"models": {"d": model()}},
            "google-vertex-anthropic": {"models": {"d": model()}},
        }
    ).encode()

    catalogue = read_models_dev(body)

    assert [entry.offer for entry in catalogue.entries] == ["acme/a", "vertex_ai/d"]
    assert catalogue.dropped == (
        DroppedEntry("acme/with space", "bad_key"),
        DroppedEntry("acme/b", "not_an_object"),
        DroppedEntry("a/b", "bad_key"),
        DroppedEntry("odd", "not_an_object"),
        DroppedEntry("error", "no_models"),
        DroppedEntry("google-vertex-anthropic/d", "duplicate of vertex_ai/d"),
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", FormatProblem.NOT_JSON),
        (b"<!doctype html><html></html>", FormatProblem.NOT_JSON),
        (document(acme={"a": model()})[:-9], FormatProblem.NOT_JSON),
        (b"\xff\xfe", FormatProblem.NOT_JSON),
        (b"[]", FormatProblem.NOT_AN_OBJECT),
        (b"null", FormatProblem.NOT_AN_OBJECT),
        (b"{}", FormatProblem.EMPTY),
        (b'{"error": {"code": 429}}', FormatProblem.EMPTY),
        (b'{"acme": {"models": {}}}', FormatProblem.EMPTY),
        (b'{"acme": {"models": {"a": {"cost": {"input": NaN}}}}}', FormatProblem.NAN),
        (b"[" * 100_000, FormatProblem.TOO_DEEP),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_with_its_cause(
    body: bytes, problem: FormatProblem
) -> None:
    with pytest.raises(CatalogueFormatError) as caught:
        read_models_dev(body)

    assert caught.value.problem is problem


def real(folder: Path, edition: str) -> ModelsDevCatalogue:
    packed = (folder / "models_dev" / f"api_{edition}.json.gz").read_bytes()
    return read_models_dev(gzip.decompress(packed))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("edition", "count", "dropped", "joined"),
    [("2026-01-12", 2023, 0, 430), ("2026-04-21", 4256, 19, 610)],
)
def test_every_edition_of_the_real_catalogue_is_read(
    real_data: Path, edition: str, count: int, dropped: int, joined: int
) -> None:
    catalogue = real(real_data, edition)
    litellm = read_litellm((real_data / "litellm" / "2026-02-26_v1.81.16.json").read_bytes())

    assert (len(catalogue.entries), len(catalogue.dropped)) == (count, dropped)
    assert {entry.problem for entry in catalogue.dropped} <= {"bad_key"}
    offers = {entry.offer for entry in litellm.entries}
    assert sum(entry.offer in offers for entry in catalogue.entries) >= joined


@pytest.mark.real_data
def test_the_real_catalogue_is_read_as_it_is_written(real_data: Path) -> None:
    entries = {entry.offer: entry for entry in real(real_data, "2026-04-21").entries}

    assert entries["openai/gpt-5.4"].tier_costs["priority"]["input"] == 5
    assert entries["openai/gpt-5.4"].cost["input"] == Decimal("2.5")
    assert entries["azure_ai/claude-opus-4-6"].source_key == "azure/claude-opus-4-6"
    assert entries["groq/gemma2-9b-it"].status == "deprecated"
    assert entries["openai/text-embedding-3-small"].mode == "embedding"
