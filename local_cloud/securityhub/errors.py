"""The errors of the service."""

from __future__ import annotations

_STATUS = {
    "AccessDeniedException": 403,
    "InvalidAccessException": 401,
    "ResourceConflictException": 409,
    "NotImplemented": 501,
}


class ServiceError(Exception):
    """An API error: `code` is the AWS error code, such as `InvalidInputException`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = _STATUS.get(code, 400)
