"""Run with `python -m steelyard_cli`."""

from steelyard_cli.main import main

if __name__ == "__main__":
    main()
