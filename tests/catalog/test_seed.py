"""The bundled seed catalogue and the script that builds it."""

import gzip
import subprocess
import sys
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.seed import (
    FILE,
    SeedCatalogue,
    SeedFormatError,
    decode_seed,
    encode_seed,
    read_seed,
)
from tests.catalog.builders import chat_model, litellm_document

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_seed.py"
BUNDLED = files("steelyard_catalog") / "seed" / FILE


def seed_of(body: bytes) -> SeedCatalogue:
    return SeedCatalogue(date(2026, 10, 21), "a source", "MIT", read_litellm(body).entries)


def test_the_first_start_knows_more_than_four_thousand_offers() -> None:
    seed = read_seed()

    assert seed.edition_date == date(2026, 10, 21)
    assert seed.licence.startswith("MIT")
    assert len(seed.entries) >= 4000
    assert len({entry.offer for entry in seed.entries}) == len(seed.entries)


def test_prices_of_the_seed_are_exact() -> None:
    by_offer = {entry.offer: entry for entry in read_seed().entries}

    gpt_4o = by_offer["openai/gpt-4o"].fields

    assert gpt_4o["input_cost_per_token"] == Decimal("0.0000025")
    assert gpt_4o["output_cost_per_token"] == Decimal("0.00001")
    assert by_offer["google/gemini-2.5-pro"].source_key == "gemini/gemini-2.5-pro"


def test_facts_come_through_unchanged_and_the_rest_is_left_out() -> None:
    body = litellm_document(
        **{
            "a/b": chat_model(
                "a",
                input_cost_per_token=2.8e-07,
                tiered_pricing=[{"input_cost_per_token": 1e-6, "range": [0, 32000.0]}],
                supports_vision=False,
                deprecation_date="2026-11-30",
                source="https://example.com/\u00e9",
                comment="not a fact",
                rpm=5,
            )
        }
    )

    (entry,) = decode_seed(encode_seed(seed_of(body))).entries
    (original,) = read_litellm(body).entries

    dropped = {"comment", "litellm_provider", "mode", "rpm"}
    assert entry.fields == {
        name: value for name, value in original.fields.items() if name not in dropped
    }
    assert (entry.offer, entry.mode) == (original.offer, original.mode)


def test_the_same_facts_make_the_same_bytes() -> None:
    seed = read_seed()

    assert encode_seed(seed) == BUNDLED.read_bytes()


def test_a_damaged_seed_says_so() -> None:
    with pytest.raises(SeedFormatError, match="format"):
        decode_seed(gzip.compress(b'{"format": "something else"}'))
    header = gzip.decompress(BUNDLED.read_bytes()).splitlines()[0]
    with pytest.raises(SeedFormatError, match="list"):
        decode_seed(gzip.compress(header + b'\n{"a": 1}'))


def test_the_seed_is_below_its_limit() -> None:
    assert len(BUNDLED.read_bytes()) < 1_000_000


@pytest.mark.real_data
def test_the_script_rebuilds_the_bundled_seed_byte_for_byte(
    real_data: Path, tmp_path: Path
) -> None:
    newest = real_data / "litellm" / "2026-10-21_v1.106.2.json"
    target = tmp_path / FILE

    output = subprocess.run(
        [sys.executable, SCRIPT, newest, "--edition", "2026-10-21", "--output", target],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout

    assert "4,195 offers" in output
    assert "left out fallback_generalizations: no_provider" in output
    assert target.read_bytes() == BUNDLED.read_bytes()
