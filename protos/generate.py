"""Compile protos/ into protos/gen/ (Python) and build/descriptors.binpb (lint, edge, grpcurl).

The path of a .proto under protos/ is its Python import path, so the generated modules import
each other without rewriting. Everything is compiled beside the tree first: `--check` only
compares, and without it only files whose content changed are written.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from google.api import annotations_pb2

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent
GENERATED = PROTOS / "gen"
DESCRIPTORS = ROOT / "build" / "descriptors.binpb"
# googleapis-common-protos installs its .proto files beside its modules.
GOOGLEAPIS = Path(annotations_pb2.__file__).parents[2]
WELL_KNOWN = Path(str(resources.files("grpc_tools"))) / "_proto"
# No .proto of ours imports them, but a transcoder needs the types of error details.
ERROR_DETAILS = "google/rpc/error_details.proto"


def protoc(*arguments: str) -> None:
    """Run the compiler on our include paths; its complaints go to standard error."""
    includes = [f"-I{PROTOS}", f"-I{GOOGLEAPIS}", f"-I{WELL_KNOWN}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *includes, *arguments], check=True)


def compile_python(sources: list[str], out: Path) -> None:
    """Write modules and typed stubs for `sources` under `out`."""
    # Named by path, because PATH may lack the virtual environment.
    plugins = Path(sys.executable).parent
    protoc(
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        f"--python_out={out}",
        f"--mypy_out=quiet,readable_stubs:{out}",
        f"--grpc_python_out={out}",
        f"--mypy_grpc_out=quiet,readable_stubs,only_async:{out}",
        *sources,
    )
    for stub in out.rglob("*_pb2_grpc.py"):
        if "class " not in stub.read_text():  # a file without a service
            stub.unlink()
            stub.with_suffix(".pyi").unlink(missing_ok=True)
    (out / "steelyard" / "py.typed").touch()


def compile_descriptors(sources: list[str], target: Path) -> None:
    """Write one descriptor set with every import and the comments that lint rules read."""
    target.parent.mkdir(exist_ok=True)
    protoc(
        f"--descriptor_set_out={target}",
        "--include_imports",
        "--include_source_info",
        *sources,
        ERROR_DETAILS,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Map the path of every generated file under `folder` to its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(fresh: Path, present: Path) -> list[str]:
    """Return the paths, relative to both folders, that differ or exist in one only."""
    new, old = contents(fresh), contents(present)
    return sorted(path for path in new.keys() | old.keys() if new.get(path) != old.get(path))


def replace(paths: list[str], fresh: Path, present: Path) -> None:
    """Make `paths` in `present` what they are in `fresh`: written, or absent."""
    for path in paths:
        source, target = fresh / path, present / path
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        else:
            target.unlink()
    for folder in sorted((path for path in present.rglob("*") if path.is_dir()), reverse=True):
        if not any(child.name != "__pycache__" for child in folder.iterdir()):
            shutil.rmtree(folder)
    # mypy 2.4 has crashed on a cache older than the stubs.
    shutil.rmtree(ROOT / ".mypy_cache", ignore_errors=True)


def main() -> int:
    """Bring protos/gen up to date, or with --check say what is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    options = parser.parse_args()
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.glob("steelyard/**/*.proto"))
    with tempfile.TemporaryDirectory(prefix="steelyard-gen-") as folder:
        fresh = Path(folder)
        try:
            compile_python(sources, fresh)
            compile_descriptors(sources, DESCRIPTORS)
        except subprocess.CalledProcessError as error:
            return int(error.returncode)
        changed = differences(fresh, GENERATED)
        if options.check and changed:
            listing = "".join(f"\n  {path}" for path in changed)
            print(f"protos/gen is stale, run `make generate`:{listing}", file=sys.stderr)
            return 1
        if changed:
            replace(changed, fresh, GENERATED)
    print(f"protos/gen: {len(sources)} files compiled, {len(changed)} generated files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
