"""Which files of a source reach tenants in ways that samples do not show."""

from __future__ import annotations

import pytest

from buildspecs.saas.reaching_files import imported, reaching
from tests.source_files import source_files

SOURCE = {
    "README.md": b"read me",
    "app.py": b"main()",
    "component/__init__.py": b"from component.mine import build\n",
    "component/mine.py": b"def build():\n    from constructs_lib.saas import rare\n    from .parts import one\n",
    "component/parts.py": b"one = 1\n",
    "component/page.html": b"<p>",
    "config/__init__.py": b"",
    "config/loader.py": b"",
    "config/toolchain.yaml": b"prefix: granary\n",
    "config/workloads.yaml": b"accounts: ['222222222222']\nregions: [eu-west-1]\ncomponent: {kind: x}\n",
    "constructs_lib/__init__.py": b"",
    "constructs_lib/saas/__init__.py": b"",
    "constructs_lib/saas/rare.py": b"import lambdas.common.deep\n",
    "constructs_lib/saas/unused.py": b"",
    "docs/page.md": b"a page",
    "frontend/index.js": b"let x",
    "lambdas/common/deep.py": b"",
    "lambdas/common/other.py": b"",
    "requirements.txt": b"boto3==1",
    "tests/test_x.py": b"def test(): ...",
}


def changes(name: str, text: bytes = b"# other\n") -> bool:
    return reaching(SOURCE) != reaching({**SOURCE, name: text})


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "app.py",
        "config/toolchain.yaml",
        "constructs_lib/saas/unused.py",
        "docs/another.md",
        "docs/page.md",
        "lambdas/common/other.py",
        "tests/test_x.py",
    ],
)
def test_what_never_reaches_them_or_samples_show_does_not_count(name: str) -> None:
    assert not changes(name)


@pytest.mark.parametrize(
    "name",
    [
        "buildspecs/saas/tenant_synth/synth.py",
        "buildspecs/self_mutate.py",
        "cdk.context.json",
        "component/another.py",
        "component/page.html",
        "component/parts.py",
        "constructs_lib/__init__.py",
        "constructs_lib/saas/rare.py",
        "frontend/index.js",
        "lambdas/common/deep.py",
        "README.txt",
        "requirements.txt",
        "something",
    ],
)
def test_the_zone_what_it_imports_and_what_nobody_knows_count(name: str) -> None:
    """Wherever the zone imports it, in a function too, and whatever that imports."""
    assert changes(name)


def test_what_lies_beside_an_imported_module_counts() -> None:
    """Given a module of the product that reads a table of its own, which the zone imports, wherever in it."""
    source = {**SOURCE, "constructs_lib/saas/rare.json": b"{}", "constructs_lib/other/rare.json": b"{}"}
    assert reaching(source) != reaching({**source, "constructs_lib/saas/rare.json": b"[]"})
    assert reaching(source) == reaching({**source, "constructs_lib/other/rare.json": b"[]"})


@pytest.mark.parametrize(
    "text",
    [
        b"import importlib\none = importlib.import_module('constructs_lib.saas.unused')\n",
        b"from importlib import import_module\n",
        b"from importlib.resources import files\n",
        b"one = __import__('constructs_lib.saas.' + 'unused')\n",
        b"import runpy\n",
        b"exec('import constructs_lib.saas.unused')\n",
    ],
)
def test_of_a_zone_that_imports_by_name_all_of_the_products_code_counts(text: bytes) -> None:
    source = {**SOURCE, "component/parts.py": text}
    assert reaching(source) != reaching({**source, "constructs_lib/saas/unused.py": b"# other\n"})
    assert reaching(source) == reaching({**source, "docs/page.md": b"another"})


def test_new_accounts_and_regions_change_nobody() -> None:
    name = "config/workloads.yaml"
    more = b"accounts: ['222222222222', '333333333333']\nregions: [eu-west-1, us-east-1]\ncomponent: {kind: x}\n"
    assert not changes(name, more)
    assert not changes(name, b"# a comment\n" + SOURCE[name])
    assert changes(name, SOURCE[name].replace(b"kind: x", b"kind: y"))
    assert changes(name, SOURCE[name] + b"tiers: {gold: {size: large}}\n")


def test_a_zone_that_reads_the_configuration_gets_all_of_it() -> None:
    source = {**SOURCE, "component/parts.py": b"from config.loader import load\n"}
    assert reaching(source) != reaching({**source, "config/toolchain.yaml": b"prefix: other\n"})


@pytest.mark.parametrize(("name", "text"), [("component/parts.py", b"def ("), ("config/workloads.yaml", b"- a list\n")])
def test_what_cannot_be_read_is_said(name: str, text: bytes) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        reaching({**SOURCE, name: text})


def test_of_this_source_the_zone_and_what_makes_tenants_of_it_count() -> None:
    """And nothing that a commit of documentation, of a test or of a function changes."""
    files = source_files()
    found = set(reaching(files))
    zone = {name for name in files if name.startswith("component/")}
    assert zone <= found
    assert zone & imported(files)
    assert found >= {
        "cdk.json",
        "config/workloads.yaml",
        "constructs_lib/saas/component_spec.py",
        "lambdas/saas/model/record.py",
        "package-lock.json",
        "package.json",
        "requirements.txt",
        "stacks/saas/component.py",
    }
    aside = ("cli/", "docs/", "examples/", "lambdas/saas/release/", "local_cloud/", "stacks/saas/toolchain", "tests/")
    assert [name for name in found - imported(files) if name.startswith(aside)] == []
