"""Tokens that make a repeated start one start; pure."""

from __future__ import annotations

import hashlib


def start_token(*parts: str) -> str:
    """Derive an idempotency token from what identifies a start; at most 64 characters.

    CodeBuild remembers a token for 5 minutes, and refuses it with other parameters:
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
    """
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
