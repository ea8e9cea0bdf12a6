"""The subjects of contracts: what is in memory always, what is real as an end-to-end test."""

from collections.abc import Iterator

import pytest

from contract.prefect_server import serve
from contract.prefect_subjects import FakeSubject, RealSubject, Subject

AUTH = "admin:s3cret"
REAL = pytest.param("real", marks=[pytest.mark.e2e, pytest.mark.others])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a Prefect server of this module."""
    with serve(tmp_path_factory.mktemp("prefect"), AUTH) as url:
        yield url


@pytest.fixture(scope="module", params=["fake", REAL])
def prefect(request: pytest.FixtureRequest) -> Subject:
    """Give each Prefect, one after the other."""
    return FakeSubject() if request.param == "fake" else RealSubject(request.getfixturevalue("server"), AUTH)
