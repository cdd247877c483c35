"""``python -m softres``: the ``softres`` command."""

from softres.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
