"""Runs benchmarks: `python -m tests.bench [--short] [NAME...]`, all of them by default."""

import argparse
import importlib
import pkgutil
import sys

from tests import bench


def main() -> int:
    """Run each benchmark's `main`; their figures are printed, never asserted."""
    names = sorted(
        module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"
    )
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--short", action="store_true", help="a few seconds each, for CI")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in arguments.names or names:
        module = importlib.import_module(f"tests.bench.{name}")
        if hasattr(module, "main"):
            print(f"== {name}", flush=True)
            module.main(short=arguments.short)
    return 0


if __name__ == "__main__":
    sys.exit(main())
