"""Run with `python -m steelyard_edge`."""

from steelyard_common.lifecycle import run_process
from steelyard_edge.app import NAME, Settings, build


def main() -> None:
    run_process(NAME, Settings, build)


if __name__ == "__main__":
    main()
