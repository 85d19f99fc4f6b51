"""What the role must be able to do, and must not, that runs tenants' tasks."""

from __future__ import annotations

from tests.workload_roles.line import Line, asked, in_account

_RUNNER = "granary-task-runner"
_OF_A_TENANT = {"aws:ResourceTag/granary:deployment": "acme"}
_ECS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
_TASKED = "tests/local/saas/test_tasks.py runs tasks with it"
_UNTAGGED = "refused as what bears no name of a tenant"
_CHECK, _PROJECT = in_account("lambda", "function:pool-acme-check"), in_account("codebuild", "project/silo-acme-check")
TASKS = [
    Line(
        role=_RUNNER,
        may=False,
        action="lambda:InvokeFunction",
        on=in_account("lambda", "function:payroll"),
        call=lambda client: client("lambda").invoke(FunctionName="payroll"),
    ),
    Line(
        role=_RUNNER,
        may=False,
        action="ecs:RunTask",
        on=in_account("ecs", "task-definition/payroll:1"),
        call=lambda client: client("ecs").run_task(taskDefinition="payroll:1"),
    ),
    *asked(
        _RUNNER,
        True,
        in_account("ecs", "task-definition/silo-acme-migrate:1"),
        "ecs:RunTask",
        given={**_OF_A_TENANT, "ecs:cluster": f"arn:{{partition}}:{in_account('ecs', 'cluster/silo-acme')}"},
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        False,
        in_account("ecs", "task-definition/silo-acme-migrate:1"),
        "ecs:RunTask",
        given={**_OF_A_TENANT, "ecs:cluster": f"arn:{{partition}}:{in_account('ecs', 'cluster/payroll')}"},
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        False,
        in_account("ecs", "task-definition/silo-acme-migrate:1"),
        "ecs:RunTask",
        given={"ecs:cluster": f"arn:{{partition}}:{in_account('ecs', 'cluster/silo-acme')}"},
        why=_UNTAGGED,
    ),
    *asked(_RUNNER, True, in_account("ecs", "task/silo-acme/1"), "ecs:DescribeTasks", "ecs:StopTask", why=_TASKED),
    *asked(_RUNNER, False, in_account("ecs", "task/payroll/1"), "ecs:DescribeTasks", "ecs:StopTask", why=_TASKED),
    *asked(_RUNNER, True, _CHECK, "lambda:InvokeFunction", given=_OF_A_TENANT, why=_TASKED),
    *asked(_RUNNER, False, _CHECK, "lambda:InvokeFunction", why=_UNTAGGED),
    *asked(
        _RUNNER,
        True,
        _PROJECT,
        "codebuild:BatchGetBuilds",
        "codebuild:StartBuild",
        "codebuild:StopBuild",
        given=_OF_A_TENANT,
        why=_TASKED,
    ),
    *asked(_RUNNER, False, _PROJECT, "codebuild:StartBuild", why=_UNTAGGED),
    *asked(
        _RUNNER,
        False,
        in_account("codebuild", "project/payroll"),
        "codebuild:StartBuild",
        given=_OF_A_TENANT,
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        False,
        _PROJECT,
        "codebuild:StartBuild",
        given={**_OF_A_TENANT, "codebuild:source.buildspec": "mine"},
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        True,
        in_account("cloudformation", "stack/silo-acme-data/1"),
        "cloudformation:DescribeStacks",
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        False,
        in_account("cloudformation", "stack/silo-acme-data/1"),
        "cloudformation:UpdateStack",
        "cloudformation:GetTemplate",
        why=_TASKED,
    ),
    *asked(_RUNNER, True, in_account("iam", "role/granary/silo-acme-x", ""), "iam:PassRole", given=_ECS, why=_TASKED),
    *asked(_RUNNER, False, in_account("iam", "role/granary/silo-acme-x", ""), "iam:PassRole", why=_TASKED),
    *asked(_RUNNER, False, in_account("iam", "role/admin", ""), "iam:PassRole", given=_ECS, why=_TASKED),
]
