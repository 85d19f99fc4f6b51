"""Other settings for a while, where a commit that changes the configuration is not what a scenario is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local_cloud.factory.granary import Granary


@contextmanager
def setting(granary: Granary, function: str, **changed: str) -> Iterator[None]:
    """Let a function have other environment variables than it was deployed with, until the block ends."""
    client = granary.client("lambda")
    before = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    assert set(changed) <= set(before), f"{function} has the settings {sorted(before)}"
    client.update_function_configuration(FunctionName=function, Environment={"Variables": before | changed})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=function, Environment={"Variables": before})
