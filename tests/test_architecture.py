"""What holds for the whole repository and no single package can promise."""

import ast
import gzip
import hashlib
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from pydantic_settings import BaseSettings

from steelyard_common.access import required_scopes
from steelyard_common.settings import variable_name

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ROOT / "protos" / "gen"
CLOCK = ROOT / "libs" / "common" / "steelyard_common" / "clock.py"
# What no commit holds; the rest of .gitignore is made by tools inside these.
UNTRACKED = re.compile(r"\.git|\.venv|\.steelyard|build|dist|__pycache__|\.\w+_cache|\.hypothesis")
SERVICES = ("edge", "health", "pricing", "registry", "router")
SAYS_NOTHING = {"base", "core", "helpers", "manager", "types", "utils"}
READ_VERBS = {
    *("Batch", "Check", "Classify", "Compare", "Estimate", "Get", "List"),
    *("Quote", "Reconcile", "Replay", "Reprice", "Search", "Watch"),
}
DATA_SUFFIXES = {".csv", ".gz", ".html", ".json", ".jsonl", ".rss", ".xml", ".zst"}
MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_FILE_BYTES = 1_000_000


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield every file that a commit may hold."""
    for path in sorted(folder.iterdir()):
        if UNTRACKED.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


FILES = tuple(files())
MODULES = tuple(
    path for path in FILES if path.suffix == ".py" and not path.is_relative_to(GENERATED)
)
PROGRAM = tuple(path for path in MODULES if path.relative_to(ROOT).parts[0] in {"libs", "services"})


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def services() -> list[ServiceDescriptor]:
    """Return every service of the contract."""
    modules = [
        importlib.import_module(".".join(path.relative_to(GENERATED).with_suffix("").parts))
        for path in sorted(GENERATED.rglob("*_pb2.py"))
    ]
    return [
        service for module in modules for service in module.DESCRIPTOR.services_by_name.values()
    ]


def is_read(method: MethodDescriptor) -> bool:
    return bool(method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)


def has_read_verb(method: MethodDescriptor) -> bool:
    verb = re.match(r"[A-Z][a-z]+", method.name)
    return verb is not None and verb[0] in READ_VERBS


@pytest.mark.parametrize("service", services(), ids=lambda service: str(service.full_name))
def test_every_method_declares_who_may_call_it(service: ServiceDescriptor) -> None:
    assert len(required_scopes(service)) == len(service.methods) > 0


def test_the_contract_is_not_empty() -> None:
    assert {service.file.package for service in services()} == {
        f"steelyard.{name}.v1" for name in SERVICES if name != "edge"
    }


def test_methods_without_side_effects_say_so_and_no_others_do() -> None:
    methods = [method for service in services() for method in service.methods]

    wrong = [method.full_name for method in methods if is_read(method) != has_read_verb(method)]

    assert wrong == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_is_in_the_table_of_the_readme(name: str) -> None:
    settings: type[BaseSettings] = importlib.import_module(f"steelyard_{name}.app").Settings
    readme = (ROOT / "README.md").read_text()
    documented = {
        variable
        for row in readme.splitlines()
        if row.startswith("|")
        for variable in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)
    }

    needed = {variable_name(settings, field) for field in settings.model_fields}

    assert sorted(needed - documented) == []


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.* ## \S", makefile, re.MULTILINE))

    assert targets - explained == set()
    assert {"help", "install", "run", "test", "check", "generate", "bench"} <= targets


def test_documents_name_only_paths_that_exist() -> None:
    folders = r"(?:libs|services|protos|tests|scripts|deploy)"
    named = {
        (document.name, path)
        for document in FILES
        if document.suffix == ".md"
        for path in re.findall(rf"`({folders}/[\w./-]*)`", document.read_text())
    }

    assert sorted(entry for entry in named if not (ROOT / entry[1]).exists()) == []


def test_no_module_is_named_after_nothing() -> None:
    assert names([path for path in MODULES if path.stem in SAYS_NOTHING]) == []


def test_modules_stay_small() -> None:
    long = [path for path in MODULES if len(path.read_text().splitlines()) > MAX_MODULE_LINES]

    assert names(long) == []


def test_functions_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= MAX_FUNCTION_LINES
    ]

    assert long == []


def test_only_the_clock_knows_what_time_it_is() -> None:
    asking = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if path != CLOCK
        and isinstance(node, ast.Attribute)
        and node.attr in {"now", "today", "utcnow"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"date", "datetime"}
    ]

    assert asking == []


def test_fakes_are_written_and_nothing_is_patched() -> None:
    patching = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any("unittest" in name.name for name in node.names))
        or (isinstance(node, ast.ImportFrom) and "unittest" in (node.module or ""))
        or (isinstance(node, ast.Attribute) and node.attr == "setattr")
    ]

    assert patching == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_no_index_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()

    assert re.findall(r".*(?:://|index-url|find-links| @ ).*", text) == []
    assert text.count("--hash=sha256:") >= len(pins(name))


def test_the_tools_are_locked_on_top_of_what_the_services_run_on() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def pins(name: str) -> dict[str, str]:
    """Map each package of a lock file to its version, condition and hashes."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\w)", text.strip())
    return dict(entry.split("==", maxsplit=1) for entry in entries)


def test_no_file_is_large() -> None:
    assert names([path for path in FILES if path.stat().st_size > MAX_FILE_BYTES]) == []


def test_data_that_we_ship_is_accounted_for() -> None:
    notice = (ROOT / "NOTICE").read_text()
    data = [
        path
        for path in FILES
        if path.suffix in DATA_SUFFIXES and not path.is_relative_to(ROOT / "tests")
    ]

    assert [name for name in names(data) if name not in notice] == []


@pytest.mark.real_data
def test_no_file_of_somebody_else_is_in_the_repository(real_data: Path) -> None:
    manifest = json.loads((real_data / "MANIFEST.json").read_text())
    foreign = {entry["sha256"] for entry in manifest}
    foreign |= {
        hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        for path in real_data.rglob("*.gz")
    }

    copies = [path for path in FILES if hashlib.sha256(path.read_bytes()).hexdigest() in foreign]

    assert len(foreign) > 1
    assert names(copies) == []
