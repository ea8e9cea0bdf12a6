"""What was imported is shared by forks: using it writes nothing, where the interpreter has immortal objects."""

import subprocess
import sys

import pytest

_USE = """
import gc
from prefect_warm_worker.zygote.immortal import _count, make_immortal

def used(text="a constant of its own"):
    return (text, 1.5)

print(make_immortal())
shared = [used, used.__code__, used.__defaults__, used.__defaults__[0], used()[1]]
before = [_count(found).value for found in shared]
references = shared * 1000
print(sum(_count(found).value != was for found, was in zip(shared, before)))
gc.freeze(), gc.collect(), gc.unfreeze(), gc.collect()
print(used())
"""
_HAS_IMMORTAL = sys.version_info >= (3, 12)


def _say() -> list[str]:
    said = subprocess.run([sys.executable, "-c", _USE], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()


@pytest.mark.skipif(not _HAS_IMMORTAL, reason="CPython 3.12 has introduced it")
def test_references_to_what_was_imported_write_nothing() -> None:
    assert _say() == ["True", "0", "('a constant of its own', 1.5)"]


@pytest.mark.skipif(_HAS_IMMORTAL, reason="CPython has it from 3.12 on")
def test_older_interpreters_are_left_as_they_are() -> None:
    assert _say() == ["False", "5", "('a constant of its own', 1.5)"]
