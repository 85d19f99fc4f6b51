"""Which files of a source decide what tenants get, beside what sample tenants show of them; pure.

Samples show what the product's own code makes. Not so the users' zone, which may do more for a tenant's id or
parameters, and whatever it reads or imports: of these, and of all that nobody knows, the bytes count.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

import yaml

# The product's own code and settings: what they make of tenants, samples show.
_PRODUCT = ("app.py", "buildspecs/", "cli/", "config/", "constructs_lib/", "lambdas/", "local_cloud/", "stacks/")
# What is never there when a tenant is synthesized, or says nothing about it.
_ASIDE = (
    ".cfnlintrc.yaml",
    ".checkov.yaml",
    ".ci/",
    ".gitattributes",
    ".github/",
    ".gitignore",
    ".gitlab",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "docs/",
    "examples/",
    "pyproject.toml",
    "requirements-dev.txt",
    "tests/",
)
# Of the product, what a tenant's own build runs around its synth, and what acts on whatever the zone has made for a
# tenant: assets that nobody else has, say. No sample shows that.
_COUNTS = (
    "buildspecs/artifact_keys.py",
    "buildspecs/entry.py",
    "buildspecs/saas/build_steps.py",
    "buildspecs/saas/tenant_synth/",
    "buildspecs/self_mutate.py",
    "buildspecs/synthesis.py",
    "constructs_lib/common/cli_projects.py",
    "constructs_lib/common/role_path.py",
    "constructs_lib/saas/tasks.py",
    "constructs_lib/saas/tenant_deployment.py",
    "constructs_lib/saas/tenant_pipeline.py",
    "stacks/saas/component.py",
    "stacks/saas/tenant_pipeline.py",
    "stacks/saas/tenants.py",
    "stacks/tags.py",
)
_ZONE = "component/"
# With these, nobody can tell what a module imports or runs.
_RUNNING = frozenset({"__import__", "compile", "eval", "exec", "importlib", "pkgutil", "runpy", "subprocess"})
_WORKLOADS = "config/workloads.yaml"
# Where tenants may go: a new account or Region changes nobody who stands.
_TARGETS = frozenset({"accounts", "accounts_file", "leaving", "organization_id", "organization_paths", "regions"})


def reaching(files: Mapping[str, bytes]) -> dict[str, str]:
    """Digests of the files of a source (by path) that reach tenants in ways that no sample shows.

    Raises:
        SyntaxError, ValueError: a file that decides which others do cannot be read.
    """
    named = {name for name in files if name.startswith(_COUNTS) or not name.startswith((*_PRODUCT, *_ASIDE))}
    modules = imported(files)
    named |= modules | _beside(modules, files)
    if any(name.startswith(_ZONE) and name.endswith(".py") and _imports_by_name(name, files[name]) for name in files):
        named |= {name for name in files if not name.startswith(_ASIDE)}
    if any(name.startswith("config/") and name.endswith(".py") for name in named):
        # The zone reads the configuration, all of it maybe.
        named |= {name for name in files if name.startswith("config/")}
    found = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(named)}
    if _WORKLOADS in files and _WORKLOADS not in found:
        found[_WORKLOADS] = _of_workloads(files[_WORKLOADS])
    return found


def imported(files: Mapping[str, bytes]) -> set[str]:
    """The modules of the source that the zone imports, wherever in it, and those that these import."""
    found: set[str] = set()
    left = [name for name in files if name.startswith(_ZONE) and name.endswith(".py")]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        left += [one for module in _imports(name, files[name]) for one in _files_of(module) if one in files]
    return found


def _beside(modules: Iterable[str], files: Mapping[str, bytes]) -> set[str]:
    """What modules of the product may read: whatever else lies where they do."""
    folders = {name.rpartition("/")[0] for name in modules}
    return {name for name in files if not name.endswith(".py") and name.rpartition("/")[0] in folders}


def _imports_by_name(name: str, text: bytes) -> bool:
    """Whether a module imports, or runs, what only it knows when it is run."""
    tree = ast.parse(text, filename=name)
    words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool(_RUNNING & (words | {module.partition(".")[0] for module in _imports(name, text)}))


def _imports(name: str, text: bytes) -> Iterator[str]:
    """Dotted names that a module imports; `from a import b` may be the module a.b."""
    package = name.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(ast.parse(text, filename=name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))


def _files_of(module: str) -> Iterator[str]:
    """The files that an import of a module runs, if they are there: its packages', and its own."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        yield from (f"{path}.py", f"{path}/__init__.py")


def _of_workloads(text: bytes) -> str:
    document = yaml.safe_load(text)
    if not isinstance(document, dict):
        raise ValueError(f"{_WORKLOADS} is no mapping")  # noqa: TRY004 - as everything else that cannot be told
    said = {key: value for key, value in document.items() if key not in _TARGETS}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
