"""How a build ends other than well."""

from __future__ import annotations


class BuildFailure(Exception):
    """A phase failed; `code` is the phase context's status code, as AWS names it (COMMAND_EXECUTION_ERROR, ...)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BuildInterrupted(Exception):
    """The build was ended from outside: `status` is STOPPED or TIMED_OUT."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status
