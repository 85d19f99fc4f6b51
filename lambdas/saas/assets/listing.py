"""What is read of the assembly of a job: the lists of assets of the stages of its pipeline."""

from __future__ import annotations

from lambdas.common.cloud_assembly import (
    ASSETS,
    Folder,
    artifacts_in,
    assemblies_in,
    inside,
    read_json,
    stages_of_pipeline,
)
from lambdas.common.errors import GranaryError
from lambdas.saas.model.assets import MOST, Asset, listed


def assets_of(pipeline: str, assembly: Folder) -> list[Asset]:
    """What is to be published before the stacks of a pipeline's stages are deployed; none of the pipeline's own stack.

    Lists are known by the manifests that name them: a component's own files may be called as they are.

    Raises:
        GranaryError: it is no assembly that can be read, or has more assets than can be looked for.
    """
    try:
        folders = [one for stage in stages_of_pipeline(pipeline, assembly) for one in assemblies_in(stage)]
        artifacts = {f"{folder}": artifacts_in(folder) for folder in folders}
        lists = {
            f"{folder}/{name}": read_json(inside(folder, name))
            for folder in folders
            for one in artifacts[f"{folder}"].values()
            if one["type"] == ASSETS
            for name in [one["properties"]["file"]]
        }
        found = listed(lists, artifacts)
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise GranaryError(f"the assembly cannot be read: {type(error).__name__}: {error}") from error
    if len(found) > MOST:
        raise GranaryError(f"the assembly lists {len(found):,} assets, and {MOST:,} can be looked for")
    return found
