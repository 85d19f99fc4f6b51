"""The room `lake` in workload accounts: reading and administering a catalog, and what Lake Formation reads with."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws

from constructs_lib.common.grants import allow
from constructs_lib.common.workload_role import WorkloadRole, in_account
from lambdas.common.names import ROOM_TAG
from stacks.common.room_deployment import deployment_roles
from stacks.foundation import Foundation

_READ_GLUE = (
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTableVersions",
    "glue:GetTables",
    "glue:SearchTables",
)
# Lake Formation's actions have no resource.
_READ_GRANTS = (
    "lakeformation:DescribeResource",
    "lakeformation:GetDataLakeSettings",
    "lakeformation:GetEffectivePermissionsForPath",
    "lakeformation:GetLFTag",
    "lakeformation:GetResourceLFTags",
    "lakeformation:ListDataCellsFilter",
    "lakeformation:ListLFTags",
    "lakeformation:ListPermissions",
    "lakeformation:ListResources",
    "lakeformation:SearchDatabasesByLFTags",
    "lakeformation:SearchTablesByLFTags",
)
_GRANT = (
    "lakeformation:AddLFTagsToResource",
    "lakeformation:BatchGrantPermissions",
    "lakeformation:BatchRevokePermissions",
    "lakeformation:CreateDataCellsFilter",
    "lakeformation:CreateLFTag",
    "lakeformation:DeleteDataCellsFilter",
    "lakeformation:GrantPermissions",
    "lakeformation:RemoveLFTagsFromResource",
    "lakeformation:RevokePermissions",
    "lakeformation:UpdateLFTag",
)
# Lake Formation looks at what is granted as whoever grants it.
_LOOK = ("glue:GetDatabase", "glue:GetTable")
_CHANGE_GLUE = tuple(
    f"glue:{change}{kind}" for kind in ("Database", "Table") for change in ("Create", "Update", "Delete")
)
# The zones that people query.
_QUERIED = ("conformed", "purpose-built")
_REASON = "Catalogs are read as a whole; Lake Formation's actions have no resource; names bound what is changed."


def lake_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles. Data are read with one alone, by Lake Formation, for those who were granted them in the catalog."""
    names = foundation.names
    observing, applying = names.room_role("lake", "discover"), names.room_role("lake", "apply")
    catalog = in_account("glue", "catalog")
    reads = (catalog, in_account("glue", "database/*"), in_account("glue", "table/*/*"))
    own = names.catalog_prefix("lake")
    changes = (catalog, in_account("glue", f"database/{own}*"), in_account("glue", f"table/{own}*/*"))
    buckets = [f"arn:{Aws.PARTITION}:s3:::{names.prefix}-lake-*-{zone}-{Aws.ACCOUNT_ID}-*" for zone in _QUERIED]
    keys = allow(["kms:Decrypt"], in_account("kms", "key/*"))
    keys.add_condition("StringEquals", {f"aws:ResourceTag/{ROOM_TAG}": f"{names.prefix}/lake"})
    return (
        *deployment_roles(foundation, "lake"),
        WorkloadRole(
            purpose="LakeCatalogRead",
            name=names.room_role("lake", "catalog-read"),
            description="Reads the catalog and who is granted what in it",
            roles=[observing, applying],
            statements=[allow(_READ_GLUE, *reads), allow(_READ_GRANTS, "*")],
            reason=_REASON,
        ),
        WorkloadRole(
            purpose="LakeCatalogAdmin",
            name=names.room_role("lake", "catalog-admin"),
            description="Grants and revokes in the catalog, and keeps the room's databases and tables",
            roles=[applying],
            # Who may grant is decided by Lake Formation, too: its administrator makes this role one.
            statements=[allow(_LOOK, *reads), allow(_CHANGE_GLUE, *changes), allow(_GRANT, "*")],
            reason=_REASON,
        ),
        WorkloadRole(
            purpose="LakeDataAccess",
            name=names.room_role("lake", "data-access"),
            description="Reads data for queries of those whom Lake Formation lets in",
            service="lakeformation.amazonaws.com",
            # https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html
            source=in_account("lakeformation", "*"),
            statements=[
                allow(["s3:ListBucket"], *buckets),
                allow(["s3:GetObject"], *(f"{one}/*" for one in buckets)),
                keys,
            ],
            reason="Lake Formation narrows each session to the objects of the table that is queried.",
        ),
    )
