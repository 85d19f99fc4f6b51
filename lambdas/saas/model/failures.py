"""Sorting reasons of failures into few categories, for counts; pure."""

from __future__ import annotations

import re
from enum import StrEnum


class FailureCategory(StrEnum):
    """What kind of thing failed."""

    BUILD = "build"
    SYNTH = "synth"
    STACK = "stack"
    PIPELINE = "pipeline"
    ACCOUNT = "account"
    QUOTA = "quota"
    STOPPED = "stopped"
    OTHER = "other"


# In this order: the first that a reason matches is its category, so what is most telling comes first.
_MARKS = (
    (FailureCategory.STOPPED, r"stopped by request"),
    (FailureCategory.QUOTA, r"quota|limit exceeded|limitexceeded|at its limit|too many"),
    (FailureCategory.ACCOUNT, r"bootstrap|assume|cannot be reached|not authorized|access ?denied|pre-flight"),
    (FailureCategory.SYNTH, r"synth"),
    (FailureCategory.STACK, r"\(aws::|cloudformation|change ?set|\bstack\b"),
    (FailureCategory.BUILD, r"\bbuild\b|codebuild|exit status|command_execution"),
    (FailureCategory.PIPELINE, r"\bstage\b|\baction\b|pipeline|execution|source"),
)
_PATTERNS = tuple((category, re.compile(marks, re.IGNORECASE)) for category, marks in _MARKS)
_READ = 2_000  # characters that are looked at


def category_of(reason: str) -> FailureCategory:
    """Tell the category of a reason; `other` when nothing in it is known."""
    start = reason[:_READ]
    return next((category for category, pattern in _PATTERNS if pattern.search(start)), FailureCategory.OTHER)
