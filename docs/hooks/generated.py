"""Pages that are made from the code while the site is built."""

from __future__ import annotations
