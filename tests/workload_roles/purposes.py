"""What the roles with a purpose of their own must be able to do, and must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.workload_roles.line import Call, Line, asked, in_account
from tests.workload_roles.tasks import TASKS

_NO_TAGS = "the local cloud gives IAM no tags of FIS's requests and resources"
_EXECUTED = "tests/local/resilience executes it"
_SERVICE = "only FIS assumes the role, and the local cloud runs no experiments"
_GLUE = "ministack names no database in this request"
_GOVERNED = "applying a plan makes the call"


def _backup(table: str) -> Call:
    return lambda client: client("dynamodb").create_backup(TableName=table, BackupName="one")


_SAAS = [
    Line(
        role="granary-archive",
        may=True,
        action="dynamodb:CreateBackup",
        on=in_account("dynamodb", "table/silo-acme"),
        call=_backup("silo-acme"),
    ),
    Line(
        role="granary-archive",
        may=False,
        action="dynamodb:CreateBackup",
        on=in_account("dynamodb", "table/orders"),
        call=_backup("orders"),
    ),
    Line(
        role="granary-archive",
        may=False,
        action="dynamodb:DeleteTable",
        on=in_account("dynamodb", "table/silo-acme"),
        call=lambda client: client("dynamodb").delete_table(TableName="silo-acme"),
    ),
    *asked(
        "granary-archive",
        True,
        in_account("rds", "db:silo-acme"),
        "rds:CreateDBSnapshot",
        why="takes a database server",
    ),
    *asked("granary-archive", False, in_account("rds", "db:orders"), "rds:CreateDBSnapshot", why="the same"),
    *TASKS,
]

_ADOPTION, _CHANGE = "granary-adoption", "cloudformation:CreateChangeSet"
_COMPONENT, _PIPELINE = (in_account("cloudformation", f"stack/silo-a-{name}/1") for name in ("resources", "pipeline"))
_TEMPLATES = "s3:::cdk-granary-assets-{account}-{region}"
_EXECUTION = "role/granary/cdk-granary-cfn-exec-role-{account}-{region}"
_AS_EXECUTION = {"cloudformation:RoleArn": f"arn:{{partition}}:iam::{{account}}:{_EXECUTION}"}
_NAMED = {"cloudformation:ChangeSetName": "granary-adoption"}
_AS_EXECUTION |= _NAMED
_AS_ADMIN = {"cloudformation:RoleArn": "arn:{partition}:iam::{account}:role/admin", **_NAMED}
_OTHERS = {**_AS_EXECUTION, "cloudformation:ChangeSetName": "PipelineChange"}
_TENANTS = {**_AS_EXECUTION, "aws:ResourceTag/granary:factory": "granary/111111111111/us-east-1"}
_DELETE, _LOOKS = (
    "cloudformation:DeleteChangeSet",
    ("cloudformation:DescribeChangeSet", "cloudformation:GetStackPolicy"),
)
_TRIED, _THROUGH_S3 = "tests/local/saas/test_strangers executes it", {"kms:ViaService": "s3.{region}.amazonaws.com"}
_CANNOT = ("cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet", "cloudformation:UpdateStack")
_EXECUTE = Line(
    role=_ADOPTION,
    may=False,
    action="cloudformation:ExecuteChangeSet",
    on=_COMPONENT,
    call=lambda client: client("cloudformation").execute_change_set(
        StackName="silo-a-resources", ChangeSetName="granary-adoption"
    ),
)
_SAAS += [
    _EXECUTE,
    *asked(_ADOPTION, True, _COMPONENT, _CHANGE, given=_AS_EXECUTION, why=_TRIED),
    *asked(_ADOPTION, True, _COMPONENT, _DELETE, given=_NAMED, why=_TRIED),
    *asked(_ADOPTION, True, _COMPONENT, *_LOOKS, why=_TRIED),
    *asked(_ADOPTION, False, _COMPONENT, _CHANGE, _DELETE, given=_OTHERS, why="refused as without a name"),
    *asked(
        _ADOPTION, False, _COMPONENT, _CHANGE, _DELETE, *_LOOKS, given=_TENANTS, why="no tags of stacks in IAM here"
    ),
    *asked(_ADOPTION, False, _COMPONENT, _CHANGE, given=_AS_ADMIN, why="refused as without a role"),
    *asked(_ADOPTION, False, _COMPONENT, _CHANGE, *_CANNOT, why="refused as an execution"),
    *asked(_ADOPTION, False, _PIPELINE, _CHANGE, given=_AS_EXECUTION, why="no pipeline stands in a workload account"),
    *asked(
        _ADOPTION,
        False,
        in_account("cloudformation", "stack/orders/1"),
        _CHANGE,
        "cloudformation:DeleteChangeSet",
        given=_AS_EXECUTION,
        why="no name of a tenant",
    ),
    *asked(
        _ADOPTION,
        True,
        in_account("iam", _EXECUTION, ""),
        "iam:PassRole",
        given={"iam:PassedToService": "cloudformation.amazonaws.com"},
        why=_TRIED,
    ),
    *asked(
        _ADOPTION,
        False,
        in_account("iam", _EXECUTION, ""),
        "iam:PassRole",
        given={"iam:PassedToService": "lambda.amazonaws.com"},
        why="no service asks for it",
    ),
    *asked(_ADOPTION, True, f"{_TEMPLATES}/adoption/a.json", "s3:DeleteObject", "s3:PutObject", why=_TRIED),
    *asked(_ADOPTION, False, f"{_TEMPLATES}/components/a.json", "s3:GetObject", "s3:PutObject", why="not its folder"),
    *asked(_ADOPTION, False, f"{_TEMPLATES}/a.json", "s3:PutObject", why="an administrator's cdk deploy would take it"),
    *asked(_ADOPTION, True, in_account("kms", "key/a"), "kms:Decrypt", given=_THROUGH_S3, why="buckets have AWS's key"),
    *asked(_ADOPTION, False, in_account("kms", "key/a"), "kms:Decrypt", why="through S3 alone"),
]

_READ, _ADMIN, _DATA = "granary-lake-catalog-read", "granary-lake-catalog-admin", "granary-lake-data-access"
_QUERIES = "only Lake Formation assumes the role: a query executes it"
_LAKES = {"aws:ResourceTag/granary:room": "granary/lake"}
_GRANT = {
    "Principal": {"DataLakePrincipalIdentifier": "arn:aws:iam::222222222222:role/analyst"},
    "Resource": {"Database": {"Name": "granary_lake_sales"}},
    "Permissions": ["DESCRIBE"],
}
_TABLE = {"Name": "orders", "StorageDescriptor": {"Columns": []}}


def _create_table(database: str) -> Call:
    return lambda client: client("glue").create_table(DatabaseName=database, TableInput=_TABLE)


def _grant(client: Callable[[str], Any]) -> object:
    return client("lakeformation").grant_permissions(**_GRANT)


def _list_grants(client: Callable[[str], Any]) -> object:
    return client("lakeformation").list_permissions()


def _get_tables(client: Callable[[str], Any]) -> object:
    return client("glue").get_tables(DatabaseName="granary_lake_sales")


def _object(zone: str) -> str:
    return f"s3:::granary-lake-dev-{zone}-{{account}}-{{region}}/one"


_OWN, _SHOP = in_account("glue", "database/granary_lake_sales"), in_account("glue", "database/shop")
_LAKE = [
    Line(role=_READ, may=True, action="glue:GetTables", on=_OWN, call=_get_tables),
    *asked(_READ, True, in_account("glue", "table/shop/orders"), "glue:GetTable", "glue:GetPartitions", why=_GLUE),
    Line(role=_READ, may=True, action="lakeformation:ListPermissions", on="*", call=_list_grants),
    Line(role=_READ, may=False, action="lakeformation:GrantPermissions", on="*", call=_grant),
    Line(role=_READ, may=False, action="glue:CreateTable", on=_OWN, call=_create_table("granary_lake_sales")),
    *asked(
        _READ,
        True,
        "*",
        "lakeformation:GetDataLakeSettings",
        "lakeformation:ListDataCellsFilter",
        "lakeformation:ListLFTags",
        "lakeformation:SearchDatabasesByLFTags",
        "lakeformation:SearchTablesByLFTags",
        why=_GOVERNED,
    ),
    *asked(_READ, True, _OWN, "glue:GetDatabases", why=_GOVERNED),
    *asked(_READ, False, "*", "lakeformation:CreateLFTag", "lakeformation:CreateDataCellsFilter", why=_GOVERNED),
    *asked(_READ, False, "*", "lakeformation:GetDataAccess", why="moto lacks it"),
    Line(role=_ADMIN, may=True, action="lakeformation:GrantPermissions", on="*", call=_grant),
    *asked(
        _ADMIN,
        True,
        "*",
        "lakeformation:AddLFTagsToResource",
        "lakeformation:BatchGrantPermissions",
        "lakeformation:BatchRevokePermissions",
        "lakeformation:CreateDataCellsFilter",
        "lakeformation:CreateLFTag",
        "lakeformation:DeleteDataCellsFilter",
        "lakeformation:RemoveLFTagsFromResource",
        "lakeformation:UpdateLFTag",
        why=_GOVERNED,
    ),
    *asked(_ADMIN, True, _SHOP, "glue:GetDatabase", "glue:GetTable", why=_GOVERNED),
    *asked(_ADMIN, False, "*", "lakeformation:DeleteLFTag", "lakeformation:ListPermissions", why=_GOVERNED),
    Line(role=_ADMIN, may=True, action="glue:CreateTable", on=_OWN, call=_create_table("granary_lake_sales")),
    Line(role=_ADMIN, may=False, action="glue:CreateTable", on=_SHOP, call=_create_table("shop")),
    *asked(_ADMIN, False, _SHOP, "glue:DeleteDatabase", "glue:UpdateDatabase", why=_GLUE),
    *asked(_ADMIN, False, in_account("glue", "table/shop/orders"), "glue:DeleteTable", why=_GLUE),
    Line(
        role=_ADMIN,
        may=False,
        action="lakeformation:PutDataLakeSettings",
        on="*",
        call=lambda client: client("lakeformation").put_data_lake_settings(DataLakeSettings={}),
    ),
    *asked(_ADMIN, False, "*", "lakeformation:GetDataAccess", "lakeformation:RegisterResource", why="as settings"),
    *asked(_DATA, True, _object("conformed"), "s3:GetObject", why=_QUERIES),
    *asked(_DATA, True, _object("purpose-built"), "s3:GetObject", why=_QUERIES),
    *asked(_DATA, True, in_account("kms", "key/1"), "kms:Decrypt", given=_LAKES, why=_QUERIES),
    *asked(_DATA, False, in_account("kms", "key/1"), "kms:Decrypt", why=_QUERIES),
    *asked(_DATA, False, _object("raw"), "s3:GetObject", why=_QUERIES),
    *asked(_DATA, False, _object("conformed"), "s3:PutObject", "s3:DeleteObject", why=_QUERIES),
    *asked(_DATA, False, "*", "lakeformation:GrantPermissions", "glue:GetTable", why=_QUERIES),
]

_RUN, _EXPERIMENT = "granary-resilience-run", "granary-resilience-experiment"
_TEMPLATE, _RUNNING = in_account("fis", "experiment-template/EXT1"), in_account("fis", "experiment/EXP1")
_TAGGED, _WITH_TAG = {"aws:ResourceTag/granary:deployment": "acme"}, {"aws:RequestTag/granary:deployment": "acme"}
_FIS = {"iam:PassedToService": "fis.amazonaws.com"}
_ALARM = in_account("cloudwatch", "alarm:silo-acme-errors")
_PROJECT = in_account("codebuild", "project/silo-acme-checks")
_TASK = in_account("ecs", "task/silo-acme/1")
_RESILIENCE = [
    *asked(_RUN, True, _TEMPLATE, "fis:CreateExperimentTemplate", given=_WITH_TAG, why=_NO_TAGS),
    *asked(_RUN, False, _TEMPLATE, "fis:CreateExperimentTemplate", why=_NO_TAGS),
    *asked(_RUN, True, _TEMPLATE, "fis:StartExperiment", given=_TAGGED, why=_NO_TAGS),
    *asked(_RUN, True, _RUNNING, "fis:StartExperiment", given=_WITH_TAG, why=_NO_TAGS),
    *asked(
        _RUN,
        True,
        _RUNNING,
        "fis:GetExperiment",
        "fis:ListExperimentResolvedTargets",
        "fis:StopExperiment",
        given=_TAGGED,
        why=_NO_TAGS,
    ),
    *asked(_RUN, True, "*", "fis:ListExperimentTemplates", "fis:ListExperiments", why=_NO_TAGS),
    *asked(_RUN, True, in_account("fis", "safety-lever/default"), "fis:GetSafetyLever", why=_EXECUTED),
    *asked(_RUN, False, in_account("fis", "safety-lever/default"), "fis:UpdateSafetyLeverState", why=_EXECUTED),
    *asked(
        _RUN,
        True,
        _PROJECT,
        "codebuild:BatchGetBuilds",
        "codebuild:ListBuildsForProject",
        "codebuild:StartBuild",
        "codebuild:StopBuild",
        given=_TAGGED,
        why=_EXECUTED,
    ),
    *asked(_RUN, False, _PROJECT, "codebuild:StartBuild", "codebuild:StopBuild", why=_EXECUTED),
    *asked(_RUN, True, _ALARM, "cloudwatch:DescribeAlarms", why=_NO_TAGS),
    *asked(_RUN, False, _ALARM, "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState", why=_NO_TAGS),
    *asked(
        _RUN,
        True,
        in_account("cloudformation", "stack/silo-acme-resources/1"),
        "cloudformation:DescribeStacks",
        why=_NO_TAGS,
    ),
    *asked(_RUN, False, in_account("cloudformation", "stack/payroll/1"), "cloudformation:DescribeStacks", why=_NO_TAGS),
    Line(
        role=_RUN,
        may=False,
        action="fis:StartExperiment",
        on=_TEMPLATE,
        call=lambda client: client("fis").start_experiment(experimentTemplateId="EXT1"),
    ),
    # Who could tag a template that others made could start it, with a role that nobody bounded.
    *asked(_RUN, False, _TEMPLATE, "fis:TagResource", given=_WITH_TAG, why=_NO_TAGS),
    *asked(_RUN, True, in_account("iam", f"role/granary/{_EXPERIMENT}", ""), "iam:PassRole", given=_FIS, why=_NO_TAGS),
    *asked(_RUN, False, in_account("iam", "role/admin", ""), "iam:PassRole", given=_FIS, why=_NO_TAGS),
    *asked(_RUN, False, _TASK, "ecs:StopTask", given=_TAGGED, why="what is denied is denied without a task, too"),
    *asked(_EXPERIMENT, True, _TASK, "ecs:StopTask", given=_TAGGED, why=_SERVICE),
    *asked(_EXPERIMENT, False, _TASK, "ecs:StopTask", why=_SERVICE),
    *asked(
        _EXPERIMENT, True, in_account("rds", "cluster:silo-acme"), "rds:FailoverDBCluster", given=_TAGGED, why=_SERVICE
    ),
    *asked(_EXPERIMENT, False, in_account("rds", "cluster:silo-acme"), "rds:FailoverDBCluster", why=_SERVICE),
    *asked(_EXPERIMENT, False, in_account("ec2", "instance/i-1"), "ec2:StopInstances", why=_SERVICE),
    *asked(
        _EXPERIMENT, False, in_account("ec2", "instance/i-1"), "ec2:TerminateInstances", given=_TAGGED, why=_SERVICE
    ),
]

_REPOSITORIES = "granary-delivery-repository-read"


def _repository(name: str) -> Call:
    return lambda client: client("codecommit").get_repository(repositoryName=name)


def _images(name: str) -> Call:
    return lambda client: client("ecr").list_images(repositoryName=name)


_PACKAGES = "neither ministack nor moto serves CodeArtifact here"
_DELIVERY = [
    Line(
        role=_REPOSITORIES,
        may=True,
        action="codecommit:GetRepository",
        on=in_account("codecommit", "granary-delivery-app"),
        call=_repository("granary-delivery-app"),
    ),
    Line(
        role=_REPOSITORIES,
        may=False,
        action="codecommit:GetRepository",
        on=in_account("codecommit", "payroll"),
        call=_repository("payroll"),
    ),
    Line(
        role=_REPOSITORIES,
        may=False,
        action="codecommit:DeleteRepository",
        on=in_account("codecommit", "granary-delivery-app"),
        call=lambda client: client("codecommit").delete_repository(repositoryName="granary-delivery-app"),
    ),
    *asked(
        _REPOSITORIES, True, in_account("codecommit", "granary-delivery-app"), "codecommit:GitPull", why="has no API"
    ),
    *asked(
        _REPOSITORIES, False, in_account("codecommit", "granary-delivery-app"), "codecommit:GitPush", why="has no API"
    ),
    Line(
        role=_REPOSITORIES,
        may=True,
        action="ecr:ListImages",
        on=in_account("ecr", "repository/granary-delivery-app"),
        call=_images("granary-delivery-app"),
    ),
    Line(
        role=_REPOSITORIES,
        may=False,
        action="ecr:ListImages",
        on=in_account("ecr", "repository/payroll"),
        call=_images("payroll"),
    ),
    *asked(
        _REPOSITORIES, False, in_account("ecr", "repository/granary-delivery-app"), "ecr:PutImage", why="takes an image"
    ),
    *asked(
        _REPOSITORIES,
        True,
        in_account("codeartifact", "repository/granary-delivery-all/app"),
        "codeartifact:ReadFromRepository",
        why=_PACKAGES,
    ),
    *asked(
        _REPOSITORIES,
        False,
        in_account("codeartifact", "repository/granary-delivery-all/app"),
        "codeartifact:PublishPackageVersion",
        why=_PACKAGES,
    ),
    *asked(
        _REPOSITORIES,
        True,
        "*",
        "sts:GetServiceBearerToken",
        given={"sts:AWSServiceName": "codeartifact.amazonaws.com"},
        why=_PACKAGES,
    ),
]

PURPOSES = [*_SAAS, *_LAKE, *_RESILIENCE, *_DELIVERY]
