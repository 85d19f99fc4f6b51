"""The only module that touches ministack's internals: scopes, stores, registration, and its IAM tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from ministack.core import iam_evaluator, responses
from ministack.services import codebuild, eventbridge
from ministack.services.cloudformation import helpers as template_limits
from ministack.services.cloudformation import provisioners

T = TypeVar("T")


class ScopedStore(Generic[T]):
    """Named values of the request's account and Region."""

    def __init__(self) -> None:
        self._values: Any = responses.AccountRegionScopedDict()

    def get(self, name: str) -> T | None:
        """The value of that name, if any."""
        return cast("T | None", self._values.get(name))

    def put(self, name: str, value: T) -> None:
        """Set a value."""
        self._values[name] = value

    def pop(self, name: str) -> T | None:
        """Take a value away."""
        return cast("T | None", self._values.pop(name, None))

    def names(self) -> list[str]:
        """All names."""
        return cast("list[str]", self._values.keys())

    def values(self) -> list[T]:
        """All values."""
        return cast("list[T]", self._values.values())


def account() -> str:
    """The account of the request, or of the scope that the thread entered."""
    return str(responses.get_account_id())


def region() -> str:
    """The Region of the request, or of the scope that the thread entered."""
    return str(responses.get_region())


def caller_arn() -> str:
    """Who sent the request; the account's root when IAM is not enforced."""
    return str(iam_evaluator.caller_arn() or f"arn:aws:iam::{account()}:root")


def scope(*, account: str, region: str) -> AbstractContextManager[None]:
    """Act for an account and Region: a thread of an engine has none by itself."""
    return cast("AbstractContextManager[None]", responses.request_scope(account, region))


def build_runs(build_id: str, *, account: str, region: str) -> bool:
    """Whether a CodeBuild build is in progress: a look-up in memory, for waiting without a request each time."""
    build = codebuild._builds.get_scoped(account, region, build_id)
    return build is not None and build["buildStatus"] == "IN_PROGRESS"


def allow_large_templates() -> None:
    """Let the deploy action hand templates over in the request, where AWS hands over an object in S3 (1 MB).

    An action in another account could not read the artifact bucket, because ministack's S3 keeps accounts apart.
    """
    template_limits.TEMPLATE_BODY_MAX_BYTES = template_limits.TEMPLATE_URL_MAX_BYTES


def add_resource_type(type_name: str, handlers: Mapping[str, Callable[..., Any]]) -> None:
    """Teach CloudFormation a resource type."""
    provisioners._RESOURCE_HANDLERS[type_name] = dict(handlers)


def physical_name(*, stack: str, logical_id: str) -> str:
    """A generated name, as CloudFormation gives to a resource without one; at most 100 characters."""
    return str(provisioners._physical_name(stack, logical_id, max_len=100))


def on_event_target(
    services: frozenset[str], deliver: Callable[[Mapping[str, Any], Mapping[str, Any], str | None], None]
) -> None:
    """Hand EventBridge targets of these services to ``deliver(target, rule, input)``; others stay ministack's."""
    original = eventbridge._invoke_target

    def invoke(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> None:
        if target.get("Arn", "").split(":")[2:3] not in [[service] for service in services]:
            original(target, event, rule, view)
            return
        deliver(target, rule, _target_input(target, rule, view or eventbridge._pattern_event_view(event)))

    eventbridge._invoke_target = invoke


def _target_input(target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> str | None:
    if target.get("InputTransformer"):
        return str(eventbridge._apply_input_transformer(target["InputTransformer"], rule, view))
    return target.get("Input")
