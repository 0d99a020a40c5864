"""Rebuild the bundled seed catalogue from a copy of LiteLLM's map (`make seed`)."""

import argparse
import sys
import urllib.request
from datetime import UTC, date, datetime
from pathlib import Path

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.seed import FILE, SeedCatalogue, encode_seed

SOURCE = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
LICENCE = "MIT, Copyright (c) 2023 Berri AI"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "libs" / "catalog" / "steelyard_catalog" / "seed" / FILE
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_SEED_BYTES = 1_000_000


def main() -> int:
    """Write the seed and say what it holds; 1 when it grew beyond its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="the map; downloaded when not given")
    parser.add_argument(
        "--edition",
        type=date.fromisoformat,
        default=datetime.now(UTC).date(),
        help="day on which the map was published (default: today)",
    )
    parser.add_argument("--output", type=Path, default=TARGET, help="where to write the seed")
    options = parser.parse_args()
    catalogue = read_litellm(_download() if options.file is None else options.file.read_bytes())
    packed = encode_seed(SeedCatalogue(options.edition, SOURCE, LICENCE, catalogue.entries))
    if len(packed) > MAX_SEED_BYTES:
        print(f"the seed has {len(packed):,} bytes, more than {MAX_SEED_BYTES:,}", file=sys.stderr)
        return 1
    options.output.write_bytes(packed)
    print(f"{options.output}: {len(catalogue.entries):,} offers, {len(packed):,} bytes")
    for entry in catalogue.dropped:
        print(f"  left out {entry.key}: {entry.problem}")
    return 0


def _download() -> bytes:
    with urllib.request.urlopen(SOURCE, timeout=60) as response:
        body: bytes = response.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise SystemExit(f"the map is larger than {MAX_BODY_BYTES:,} bytes")
    return body


if __name__ == "__main__":
    sys.exit(main())
