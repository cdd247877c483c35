"""The command line's configuration: its schema, its choices, its checks, and what Hydra calls.

Only it and ``run.py`` know Hydra. Importing this package itself imports nothing.
"""
