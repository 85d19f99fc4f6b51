"""The rooms that have commands; a room's are a `typer.Typer` in its `app.py`."""

from __future__ import annotations

import typer

from cli.saas.app import app as saas

ROOMS: tuple[typer.Typer, ...] = (saas,)
