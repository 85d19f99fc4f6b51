"""A fake that refuses what boto3 would: a call that the service does not have, or other parameters than it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.validate import validate_parameters


@cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name).input_shape for name in model.operation_names}


@dataclass(frozen=True)
class Checked:
    """`fake` as a client of a service."""

    fake: Any
    service: str

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name == "get_paginator":
            return lambda operation: _Pages(self, operation)
        shape = _operations(self.service)[name]

        def call(**given: Any) -> Any:
            validate_parameters(given, shape)
            return getattr(self.fake, name)(**given)

        return call


@dataclass(frozen=True)
class _Pages:
    client: Checked
    operation: str

    def paginate(self, **given: Any) -> Any:
        validate_parameters(given, _operations(self.client.service)[self.operation])
        return self.client.fake.get_paginator(self.operation).paginate(**given)
