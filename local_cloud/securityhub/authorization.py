"""What a Security Hub request acts on, for IAM.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html
"""

from __future__ import annotations

from local_cloud.server.iam_gaps import Request


def resource_arn(request: Request) -> str:
    """The product whose findings are imported, or the hub."""
    place = f"arn:aws:securityhub:{request.region}:{request.account}"
    findings = request.body.get("Findings")
    if request.operation != "BatchImportFindings" or not isinstance(findings, list):
        return f"{place}:hub/default"
    products = {str(one.get("ProductArn")) for one in findings if isinstance(one, dict)}
    # A batch of several products is of none that a policy could name.
    return products.pop() if len(products) == 1 else "*"
