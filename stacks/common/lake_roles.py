"""The room `lake` in workload accounts: reading and administering a catalog."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.common.grants import allow
from constructs_lib.common.workload_role import WorkloadRole, in_account
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
_REASON = "Catalogs are read as a whole; Lake Formation's actions have no resource; names bound what is changed."


def lake_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles. None may read data: the catalog says what there is, and Lake Formation who may read it."""
    names = foundation.names
    observing, applying = names.room_role("lake", "discover"), names.room_role("lake", "apply")
    catalog = in_account("glue", "catalog")
    reads = (catalog, in_account("glue", "database/*"), in_account("glue", "table/*/*"))
    own = names.catalog_prefix("lake")
    changes = (catalog, in_account("glue", f"database/{own}*"), in_account("glue", f"table/{own}*/*"))
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
    )
