import pytest
from disks import Disk


@pytest.fixture
def disk(tmp_path, empty_database):
    return Disk(tmp_path, empty_database)
