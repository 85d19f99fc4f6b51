"""What the configuration has of datasets."""

from __future__ import annotations

from cli.common.errors import NotFoundError
from cli.common.output import Output
from cli.lake.session import LakeSession
from config.models.lake_datasets import Definitions
from lambdas.common.versioned_json import plain


def list_datasets(session: LakeSession, output: Output) -> None:
    """List the datasets."""
    found = [one.dataset for one in session.lake.datasets]
    lines: list[str] = []
    for one in found:
        lines.append(f"{one.name:<24} {one.prefix} -> {one.table} ({len(one.columns)} columns)")
        lines += [f"{'':<24} -> {product.name} ({product.sql_file})" for product in one.products]
        if personal := [f"{it.name} ({it.pii})" for it in one.columns if it.pii]:
            lines.append(f"{'':<24} personal data: {', '.join(personal)}")
    here = {one.name for one in found}
    absent = [one for one in session.lake.dataset_sources if one.name not in here]
    lines += [f"{one.name:<24} in a source of its own: {' '.join(one.own.values())}" for one in absent]
    output.result([plain(one) for one in found], lines)


def definitions(session: LakeSession, name: str) -> Definitions:
    """A dataset's folder.

    Raises:
        NotFoundError: there is none.
    """
    known = {one.dataset.name: one for one in session.lake.datasets}
    if name not in known:
        raise NotFoundError(f"there is no dataset {name}: `granary lake datasets` shows them")
    return known[name]
