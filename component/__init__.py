"""The users' zone: what a tenant gets. This line says which component that is; yours is a module beside the demo.

`SPEC` and `build` are all that the factory knows of it (constructs_lib/saas/component_spec.py).
"""

from component.demo import SPEC, build

__all__ = ["SPEC", "build"]
