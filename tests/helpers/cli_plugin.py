"""Subcommands of ``softres`` as another package would bring them."""

import sys


def answer(arguments):
    print(f"{sys.argv[0]}: {' '.join(arguments)}")
    return 42


def stop(arguments):
    raise KeyboardInterrupt
