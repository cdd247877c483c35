"""Break what users break, and see whether each promise of the README still holds.

    python scripts/stress/promises.py
    python scripts/stress/promises.py --only printing,spool
    python scripts/stress/promises.py --list

Every promise is a function in a file of promised/, which gets an empty folder and raises what is
wrong. The exit status is 1 if one is broken.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path

from common import workplace
from promised.base import PROMISES, Promise

#: Lines of what is wrong that are printed.
SHOWN = 12


def _options() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="words of files or functions, comma-separated")
    parser.add_argument("--list", action="store_true", help="say what is promised, try nothing")
    parser.add_argument("--json", type=Path, help="also write what was found to this file")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    return parser.parse_args()


def _chosen(only: str) -> list[Promise]:
    for path in sorted(Path(__file__).with_name("promised").glob("[a-z]*.py")):
        import_module(f"promised.{path.stem}")
    words = [word for word in only.split(",") if word]
    return [one for one in PROMISES if not words or any(word in one.place for word in words)]


def _broken(promise: Promise, folder: Path) -> str:
    """Try a promise; return what is wrong, nothing if it holds."""
    folder.mkdir(parents=True)
    try:
        promise.attempt(folder)
    except AssertionError as error:
        return str(error) or traceback.format_exc()
    except Exception:
        return traceback.format_exc()
    return ""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # tidy up then too
    chosen = _chosen(options.only)
    found: list[dict[str, object]] = []
    if options.list:
        print(*(f"{one.place}: {one.statement}" for one in chosen), sep="\n")
        return 0
    with workplace(options) as place:
        for promise in chosen:
            began = time.monotonic()
            wrong = _broken(promise, place / re.sub(r"\W+", "_", promise.place))
            seconds = time.monotonic() - began
            print(
                f"{'BROKEN' if wrong else 'holds '}  {promise.place}: {promise.statement} "
                f"({seconds:.0f} s)",
                flush=True,
            )
            for line in wrong.splitlines()[-SHOWN:]:
                print(f"        {line}", flush=True)
            found.append({"place": promise.place, "statement": promise.statement, "wrong": wrong})
    broken = sum(bool(one["wrong"]) for one in found)
    print(f"{len(found) - broken} of {len(found)} promises hold")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
