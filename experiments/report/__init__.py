"""The report: run what is missing, judge it, draw it, and write it as a page and as text."""
