"""The limit on a job's memory, and its peak."""

import resource

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.harness.resources.memory import PeakMemory, memory_limited

LINUX = pytest.mark.skipif(PeakMemory().gib is None, reason="the system does not tell (no /proc)")


@LINUX
def test_more_than_the_limit_is_refused_in_one_line_and_the_limit_ends_with_the_block():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    refused = pytest.raises(InputError, match=r"memory_limit=0\.25: the job needs more")
    with refused, memory_limited(0.25):
        np.ones(2**26)  # half a GiB
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert np.ones(2**26).size == 2**26


@LINUX
def test_torch_is_held_by_the_limit_too():
    import torch

    with pytest.raises(InputError, match="memory_limit"), memory_limited(0.25):
        torch.ones(2**26, dtype=torch.float64)


@LINUX
def test_less_than_the_limit_is_allowed():
    with memory_limited(1.0):
        assert np.ones(2**26).sum() == 2**26


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="other"), memory_limited(1.0):
        raise RuntimeError("other")


@LINUX
def test_the_peak_is_that_of_the_block_alone():
    np.ones(2**26)
    peak = PeakMemory()
    quiet = peak.gib
    np.ones(2**25)
    assert quiet < 0.1
    assert 0.2 < peak.gib < 0.45
