"""What the role must be able to do, and must not, that runs tenants' tasks."""

from __future__ import annotations

from tests.workload_roles.line import Line, asked, in_account

_RUNNER = "granary-task-runner"
_ECS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
_TASKED = "tests/local/saas/test_tasks.py runs tasks with it"
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
        given={"ecs:cluster": f"arn:{{partition}}:{in_account('ecs', 'cluster/silo-acme')}"},
        why=_TASKED,
    ),
    *asked(
        _RUNNER,
        False,
        in_account("ecs", "task-definition/silo-acme-migrate:1"),
        "ecs:RunTask",
        given={"ecs:cluster": f"arn:{{partition}}:{in_account('ecs', 'cluster/payroll')}"},
        why=_TASKED,
    ),
    *asked(_RUNNER, True, in_account("ecs", "task/silo-acme/1"), "ecs:DescribeTasks", "ecs:StopTask", why=_TASKED),
    *asked(_RUNNER, False, in_account("ecs", "task/payroll/1"), "ecs:DescribeTasks", "ecs:StopTask", why=_TASKED),
    *asked(_RUNNER, True, in_account("lambda", "function:pool-acme-check"), "lambda:InvokeFunction", why=_TASKED),
    *asked(
        _RUNNER,
        True,
        in_account("codebuild", "project/silo-acme-check"),
        "codebuild:BatchGetBuilds",
        "codebuild:StartBuild",
        "codebuild:StopBuild",
        why=_TASKED,
    ),
    *asked(_RUNNER, False, in_account("codebuild", "project/payroll"), "codebuild:StartBuild", why=_TASKED),
    *asked(
        _RUNNER,
        False,
        in_account("codebuild", "project/silo-acme-check"),
        "codebuild:StartBuild",
        given={"codebuild:source.buildspec": "mine"},
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
