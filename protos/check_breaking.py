"""Compare the contract with protos/baseline.binpb, the contract that callers already rely on.

`--accept` rewrites the baseline from the .proto files as they are; do that only on purpose, and
say in the commit why callers survive it.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

PROTOS = Path(__file__).resolve().parent
BASELINE = PROTOS / "baseline.binpb"
DESCRIPTORS = PROTOS.parent / "build" / "descriptors.binpb"
BUF = Path(sys.executable).parent / "buf"


def without_comments(image: bytes) -> bytes:
    """Return a descriptor set that depends on the contract only, not on its comments."""
    files = descriptor_pb2.FileDescriptorSet.FromString(image)
    for file in files.file:
        file.ClearField("source_code_info")
    return files.SerializeToString(deterministic=True)


def check() -> int:
    """Fail when a caller built from the baseline could notice a difference."""
    if not BASELINE.exists():
        print(
            "protos/baseline.binpb is missing, so nothing holds the contract: "
            "run `make accept-contract` and commit the file.",
            file=sys.stderr,
        )
        return 1
    arguments = [DESCRIPTORS, "--against", BASELINE, "--config", PROTOS / "buf.yaml"]
    status = subprocess.run([BUF, "breaking", *map(str, arguments)], check=False).returncode
    if status:
        print(
            "The contract broke against protos/baseline.binpb. Undo it, or if no caller can have "
            "relied on it yet run `make accept-contract`.",
            file=sys.stderr,
        )
    return status


def main() -> int:
    """Check the contract, or accept it as the new baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="rewrite the baseline")
    if not parser.parse_args().accept:
        return check()
    BASELINE.write_bytes(without_comments(DESCRIPTORS.read_bytes()))
    print(f"protos/baseline.binpb: {BASELINE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
