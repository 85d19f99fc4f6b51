"""What the stacks of a component declare public, after an execution that has deployed them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from lambdas.common.written import cut
from lambdas.saas.model.component_stacks import stack_name
from lambdas.saas.model.public_outputs import LONGEST_NAME, LONGEST_VALUE, MOST, public_outputs
from lambdas.saas.model.status import StackRef, Status

logger = logging.getLogger(__name__)

Outputs = dict[str, dict[str, str]]


class StackOutputs(Protocol):
    """Port to the outputs of stacks in the workload accounts; None when they cannot be read."""

    def stack_outputs(self, stack: StackRef) -> Mapping[str, str] | None: ...


def outputs_after(status: Status, stacks: Iterable[StackRef], *, facts: StackOutputs) -> Outputs | None:
    """The public outputs of each Region that an execution has deployed to; None when nothing changes.

    Where a stack cannot be read, what was known of the Region stays, unless that is what a move has left in another
    account; and nothing else is asked there, for a Region that does not answer takes its time. Every other Region is
    left.
    """
    places: dict[str, list[StackRef]] = {}
    for ref in sorted(stacks, key=stack_name):
        places.setdefault(ref.region, []).append(ref)
    told: Outputs = {}
    for region, refs in places.items():
        outputs = _of_a_place(refs, facts)
        if outputs is None and not _is_left(status, refs[0]):
            outputs = status.outputs.get(region)
        if outputs:
            told[region] = outputs
    return None if told == status.outputs or not places else told


def _of_a_place(refs: Sequence[StackRef], facts: StackOutputs) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for ref in refs:
        outputs = facts.stack_outputs(ref)
        if outputs is None:
            return None
        found = {**outputs, **found}
    told, left_out = public_outputs(found)
    if left_out:
        logger.warning(
            "in account %s, %s the component declares public what is not told: %s. At most %s outputs are, with names "
            "of at most %s characters and values of at most %s",
            *(*refs[0].place, cut(", ".join(left_out), LONGEST_VALUE), MOST, LONGEST_NAME, LONGEST_VALUE),
        )
    return told


def _is_left(status: Status, ref: StackRef) -> bool:
    """Whether what is known of a Region may be of stacks that stand in another account."""
    return any(one.region == ref.region and one.account != ref.account for one in status.former_stacks)
