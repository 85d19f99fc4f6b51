"""botocore's model of the service: what requests look like."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session


@cache
def service_model() -> Any:
    """The CodePipeline service model."""
    return botocore.session.get_session().get_service_model("codepipeline")
