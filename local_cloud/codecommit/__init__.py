"""A CodeCommit service over bare git repositories, for ministack; pull requests and comments are not part of it.

https://docs.aws.amazon.com/codecommit/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from local_cloud.codecommit.registration import register

__all__ = ["register"]
