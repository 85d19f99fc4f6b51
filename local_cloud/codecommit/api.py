"""The CodeCommit API: its operations, and how it names a request's faults."""

from __future__ import annotations

from local_cloud.codecommit import api_branches, api_commits, api_reading, api_repositories
from local_cloud.server.json_api import Service, service_model


def _invalid(operation: str, member: str) -> str:
    """`Invalid<member>Exception`, by the member or its type, if the operation has such an error."""
    model = service_model("codecommit").operation_model(operation)
    known = {shape.name for shape in model.error_shapes}
    names = (member[0].upper() + member[1:], model.input_shape.members[member].name)
    return next((error for name in names if (error := f"Invalid{name}Exception") in known), "ValidationException")


SERVICE = Service(
    name="codecommit",
    operations={
        **api_repositories.OPERATIONS,
        **api_branches.OPERATIONS,
        **api_commits.OPERATIONS,
        **api_reading.OPERATIONS,
    },
    invalid=_invalid,
)
