"""A CDK app with one empty stack: what Python, Node and the library cost before a tenant costs anything."""

from __future__ import annotations

import aws_cdk as cdk

app = cdk.App(analytics_reporting=False)
cdk.Stack(app, "Empty")
app.synth()
