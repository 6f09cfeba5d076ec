"""Fixtures of the tests of the command line."""

import pytest


@pytest.fixture(scope="session")
def saywhy(in_process):
    """`saywhy("check", "texts.jsonl", folder=..., stdin=..., env=...)` runs a command in this process."""
    return in_process.run_command
