"""One run from options to records: prepare the instance, solve it, log it, close the command."""

from softres.harness.job import run_job

__all__ = ["run_job"]
