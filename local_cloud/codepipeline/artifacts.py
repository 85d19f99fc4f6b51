"""Artifacts in their stores: places for outputs, copies of inputs in the action's Region, reading members."""

from __future__ import annotations

import io
import secrets
import string
import zipfile

from local_cloud.codepipeline.definition import Action, ArtifactStore, Definition
from local_cloud.codepipeline.errors import configuration_error
from local_cloud.codepipeline.executions import Artifact, Execution, S3Location
from local_cloud.codepipeline.identity import Identity

_ALPHABET = string.ascii_letters + string.digits


def store_of(definition: Definition, region: str) -> ArtifactStore:
    """The artifact store of a Region; validation has made sure of it."""
    return definition.stores[region]


def new_location(definition: Definition, *, artifact: str, region: str) -> S3Location:
    """A fresh key in CodePipeline's own layout: pipeline (20 characters), artifact (10), a random name (7)."""
    name = "".join(secrets.choice(_ALPHABET) for _ in range(7))
    key = f"{definition.name[:20]}/{artifact[:10]}/{name}"
    return S3Location(bucket=store_of(definition, region).bucket, key=key)


def put(identity: Identity, *, body: bytes, location: S3Location, store: ArtifactStore, region: str) -> None:
    """Write an artifact, encrypted with the store's key when it has one."""
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.kms_key_id} if store.kms_key_id else {}
    s3 = identity.client("s3", region=region)
    s3.put_object(Bucket=location.bucket, Key=location.key, Body=body, **encryption)


def get(identity: Identity, *, location: S3Location, region: str) -> bytes:
    """Read an artifact."""
    s3 = identity.client("s3", region=region)
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    return body


def inputs_in_region(execution: Execution, *, action: Action, identity: Identity) -> dict[str, S3Location]:
    """Where the action's inputs lie in its own Region; what is missing there is replicated by the pipeline's role."""
    return {
        name: _copy_in_region(execution, artifact=execution.artifacts[name], region=action.region, identity=identity)
        for name in action.inputs
    }


def _copy_in_region(execution: Execution, *, artifact: Artifact, region: str, identity: Identity) -> S3Location:
    if region not in artifact.copies:
        body = get(identity, location=artifact.copies[artifact.region], region=artifact.region)
        target = new_location(execution.definition, artifact=artifact.name, region=region)
        store = store_of(execution.definition, region)
        put(identity, body=body, location=target, store=store, region=region)
        artifact.copies[region] = target
    return artifact.copies[region]


def member(archive: bytes, *, artifact: str, path: str) -> bytes:
    """A file out of a zipped artifact."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(path)
    except zipfile.BadZipFile:
        raise configuration_error(f"Artifact {artifact} is not a zip archive, so {path} cannot be read") from None
    except KeyError:
        raise configuration_error(f"File [{path}] does not exist in artifact [{artifact}]") from None


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return buffer.getvalue()
