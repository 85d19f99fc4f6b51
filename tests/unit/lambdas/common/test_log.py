"""What lines of the log are about."""

from __future__ import annotations

import logging

import pytest

from lambdas.common.log import about


def said(record: logging.LogRecord) -> dict[str, str]:
    return {name: vars(record)[name] for name in ("deployment", "run", "execution") if name in vars(record)}


def test_lines_of_every_logger_say_what_they_are_about(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with about(run="r1", execution="e1"):
        with about(deployment="acme"):
            logging.getLogger("botocore").warning("inner")
        logging.getLogger("a.b").info("outer")
    logging.getLogger("a.b").info("after")
    inner, outer, after = map(said, caplog.records)
    assert inner == {"deployment": "acme", "run": "r1", "execution": "e1"}
    assert outer == {"run": "r1", "execution": "e1"}
    assert after == {}


def test_a_failure_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """A process serves one event after the other."""
    with pytest.raises(ValueError, match="broken"), about(deployment="acme"):
        raise ValueError("broken")
    logging.getLogger("a.b").warning("next")
    assert said(caplog.records[-1]) == {}
