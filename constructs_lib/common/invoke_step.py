"""A step of a pipeline that invokes a Lambda function and waits for what it reports."""

from __future__ import annotations

import json
from collections.abc import Mapping

import jsii
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import pipelines


@jsii.implements(pipelines.ICodePipelineActionFactory)
class InvokeStep(pipelines.Step):
    """Invokes a function, which is known by its ARN, with these parameters, and the assembly if it asks for that.

    The function answers with `lambdas.common.pipeline_jobs.answer_job`: a job without an answer holds the pipeline.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
    """

    def __init__(
        self, step_id: str, *, function_arn: str, parameters: Mapping[str, str], with_assembly: bool = False
    ) -> None:
        super().__init__(step_id)
        self._with_assembly = with_assembly
        self._function_arn = function_arn
        self._parameters = dict(parameters)

    @jsii.member(jsii_name="produceAction")
    def produce_action(
        self, stage: codepipeline.IStage, options: pipelines.ProduceActionOptions
    ) -> pipelines.CodePipelineActionFactoryResult:
        """Add the action."""
        function = lambda_.Function.from_function_arn(options.scope, f"{self.id}-function", self._function_arn)
        assembly = [options.pipeline.cloud_assembly_file_set] if self._with_assembly else []
        stage.add_action(
            actions.LambdaInvokeAction(
                action_name=options.action_name,
                run_order=options.run_order,
                lambda_=function,
                inputs=[options.artifacts.to_code_pipeline(one) for one in assembly],
                user_parameters_string=json.dumps(self._parameters, sort_keys=True),
            )
        )
        return pipelines.CodePipelineActionFactoryResult(run_orders_consumed=1)
