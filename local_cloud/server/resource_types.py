"""CloudFormation resource types of the forwarded services, CodeCommit, FIS and Lake Formation, made by calls to them.

Template properties become API parameters by the service's own model: members are matched by their capitalised names,
keys of maps stay as they are. A property that the API call does not have is refused, not dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from local_cloud.codecommit import api as codecommit
from local_cloud.fis import registration as fis
from local_cloud.lakeformation import registration as lakeformation
from local_cloud.server import moto_forwarder
from local_cloud.server.json_api import service_model


@dataclass(frozen=True, kw_only=True)
class ApiResource:
    """How one type is created and deleted.

    `identifier` is a path into the answer of `create`, or the name of a parameter of it; `delete_with` names what
    `delete` wants: the identifier under that parameter, or parameters of `create`. `wrapped_in` is the one parameter
    that all properties belong to, for calls that have such a one; `renamed` leads from properties to the API's names.
    """

    service: str
    create: str
    identifier: str
    delete: str | None = None
    delete_id: str | None = None
    delete_with: tuple[str, ...] = ()
    wrapped_in: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


_TYPES = {
    "AWS::CodeCommit::Repository": ApiResource(
        service="codecommit",
        create="create_repository",
        identifier="repositoryMetadata.repositoryId",
        delete="delete_repository",
        delete_with=("repositoryName",),
        attributes={
            "Arn": "repositoryMetadata.Arn",
            "Name": "repositoryMetadata.repositoryName",
            "CloneUrlHttp": "repositoryMetadata.cloneUrlHttp",
        },
    ),
    "AWS::FIS::ExperimentTemplate": ApiResource(
        service="fis",
        create="create_experiment_template",
        identifier="experimentTemplate.id",
        delete="delete_experiment_template",
        delete_id="id",
        attributes={"Id": "experimentTemplate.id"},
    ),
    "AWS::LakeFormation::DataLakeSettings": ApiResource(
        service="lakeformation",
        create="put_data_lake_settings",
        identifier="",
        wrapped_in="DataLakeSettings",
        renamed={"Admins": "DataLakeAdmins"},
    ),
    "AWS::LakeFormation::Resource": ApiResource(
        service="lakeformation",
        create="register_resource",
        identifier="ResourceArn",
        delete="deregister_resource",
        delete_id="ResourceArn",
    ),
    "AWS::LakeFormation::Tag": ApiResource(
        service="lakeformation", create="create_lf_tag", identifier="TagKey", delete="delete_lf_tag", delete_id="TagKey"
    ),
    "AWS::LakeFormation::PrincipalPermissions": ApiResource(
        service="lakeformation",
        create="grant_permissions",
        identifier="",
        delete="revoke_permissions",
        delete_with=("Principal", "Resource", "Permissions", "PermissionsWithGrantOption"),
    ),
}
_OURS = {service.name: service for service in (codecommit.SERVICE, fis.SERVICE, lakeformation.SERVICE)}
# Idempotency tokens, which CloudFormation supplies itself.
_TOKENS = {"clientToken", "ClientToken"}


def register() -> None:
    """Add the types to ministack's CloudFormation."""
    for name, resource in _TYPES.items():
        if name not in provisioners._RESOURCE_HANDLERS:
            provisioners._RESOURCE_HANDLERS[name] = _handlers(name, resource)


def _handlers(type_name: str, resource: ApiResource) -> dict[str, Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        parameters = _parameters(type_name, resource, props)
        answer = _call(resource, resource.create, parameters)
        found = _at(answer, resource.identifier) or _at(parameters, resource.identifier)
        attributes = {name: _at(answer, path) for name, path in resource.attributes.items()}
        return str(found or f"{stack_name}-{logical_id}"), attributes

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        if resource.delete is None:
            return
        created_with = _parameters(type_name, resource, props)
        parameters = {name: created_with[name] for name in resource.delete_with if name in created_with}
        if resource.delete_id is not None:
            parameters[resource.delete_id] = physical_id
        _call(resource, resource.delete, parameters)

    return {"create": create, "delete": delete}


def _call(resource: ApiResource, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    # Not a request to this server: CloudFormation provisions on the event loop that would have to answer it.
    if ours := _OURS.get(resource.service):
        return ours.call(_operation(method), parameters)
    client = moto_forwarder.direct_client(resource.service, account=get_account_id(), region=get_region())
    answer: Mapping[str, Any] = getattr(client, method)(**parameters)
    return answer


def _operation(method: str) -> str:
    return "".join(part.capitalize() for part in method.replace("_lf_", "_l_f_").split("_"))


def parameters(service: str, operation: str, props: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The parameters of an operation that a template's properties say; raises ValueError."""
    found: dict[str, Any] = _convert(service_model(service).operation_model(operation).input_shape, props, where)
    return found


def _parameters(type_name: str, resource: ApiResource, props: Mapping[str, Any]) -> dict[str, Any]:
    shape = service_model(resource.service).operation_model(_operation(resource.create)).input_shape
    props = {resource.renamed.get(name, name): value for name, value in props.items()}
    if resource.wrapped_in is not None:
        return {resource.wrapped_in: _convert(shape.members[resource.wrapped_in], props, type_name)}
    parameters: dict[str, Any] = _convert(shape, props, type_name)
    missing_tokens = {name: f"{type_name}-{id(parameters)}"[:64] for name in _TOKENS if name in shape.members}
    return missing_tokens | parameters


def _convert(shape: Any, value: Any, where: str) -> Any:
    if shape.type_name == "structure":
        members = {name[0].upper() + name[1:]: name for name in shape.members}
        unknown = sorted(set(value) - set(members))
        if unknown:
            raise ValueError(f"{where}: the local cloud does not apply {', '.join(unknown)}.")
        return {
            members[key]: _convert(shape.members[members[key]], item, f"{where}.{key}") for key, item in value.items()
        }
    if shape.type_name == "map":
        pairs = value if isinstance(value, Mapping) else {tag["Key"]: tag["Value"] for tag in value}
        return {key: _convert(shape.value, item, f"{where}.{key}") for key, item in pairs.items()}
    if shape.type_name == "list":
        return [_convert(shape.member, item, where) for item in value]
    return _scalar(shape.type_name, value)


def _scalar(type_name: str, value: Any) -> Any:
    if type_name in ("integer", "long"):
        return int(value)
    if type_name == "boolean":
        return str(value).lower() == "true"
    return str(value) if type_name == "string" else value


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for part in path.split(".") if path else ():
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if path else None
