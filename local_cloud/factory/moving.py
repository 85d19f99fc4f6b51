"""The release that new tenants get."""

from __future__ import annotations

from lambdas.saas.model.releases import Release
from lambdas.saas.store.release_parameter import ReleaseParameter
from local_cloud.factory.granary import NAMES, Granary


def current_release(granary: Granary) -> Release:
    """The newest release that reached every tenant; raises NotReleasedError when none has."""
    return ReleaseParameter(client=granary.client("ssm"), name=NAMES.release_parameter).current()
