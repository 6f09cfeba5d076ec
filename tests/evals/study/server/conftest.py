"""Stores and servers of small studies."""

import pytest

from evals.study.folder import open_study
from evals.study.server import open_store
from tests.evals.study.server.study_people import Clock, served, write_study


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stored(tmp_path, clock):
    """Opens the store of a study that is written with the given options."""
    opened = []

    def store(source="people", **options):
        opened.append(open_store(open_study(write_study(tmp_path / "study", **options)), source=source, clock=clock))
        return opened[-1]

    yield store
    for one in opened:
        one.close()


@pytest.fixture
def server(tmp_path):
    with served(write_study(tmp_path / "study")) as running:
        yield running
