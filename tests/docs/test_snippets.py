"""Every snippet compiles, and those with a comment above them are run."""

from __future__ import annotations

import ast
import importlib
from typing import Any

import pytest
from django.template import engines
from django.test import override_settings

from logto_auth import checks

from .pages import BLOCKS, PAGES, PYTHON, Block, examples, run_example

KINDS = {"settings", "tests", "site settings", "site urls"}
OWN_TESTS = {
    "access-token.js",
    "api settings",
    "api tests",
    "api urls",
    "app tests",
    "async view",
    "conftest.py",
    "deactivate",
    "emulator",
    "emulator on a phone",
    "emulator's Account API",
    "emulator's Management API",
    "emulator's second factor",
    "emulator's webhooks",
    "home template",
    "identities from usernames",
    "identities of a profile",
    "identity",
    "impersonation",
    "invitation",
    "invitation urls",
    "organization model",
    "organization path",
    "pytest.ini",
    "quick start",
    "restored",
    "second factor tests",
    "sign out everywhere",
    "site admin",
    "site view",
    "support group",
    "token request",
}
# The bookstore's URLs have the console of organizations, which needs settings that other sites do not.
OF_CONSOLE = {"logto_auth.E044", "logto_auth.E045", "logto_auth.W032", "logto_auth.W033"}
MOBILE_APPS = "docs/how-to/mobile-apps.md"


def test_every_kind_of_snippet_is_known() -> None:
    kinds = {block.kind for block in BLOCKS if block.kind and not block.kind.startswith(("module ", "package "))}
    assert kinds == KINDS | OWN_TESTS
    unmatched = [line for page in PAGES for line in page.read_text().splitlines() if line.startswith("<!-- snippet:")]
    assert len(unmatched) == len([block for block in BLOCKS if block.kind])


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles_and_its_imports_exist(block: Block) -> None:
    tree = compile(block.code, str(block), "exec", flags=ast.PyCF_ONLY_AST)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("logto_auth"):
            module = importlib.import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name), name.name


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_snippets_survive_a_missing_variable(block: Block) -> None:
    """A KeyError in the settings would break `manage.py check`, which names what is missing, and every test."""
    assert "os.environ[" not in block.code


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "html+django"], ids=str)
def test_templates_compile(block: Block) -> None:
    engines["django"].from_string(block.code)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind == "settings"], ids=str)
def test_settings_pass_the_checks(block: Block, modules: Any) -> None:
    modules(block.page)
    values = {name: value for name, value in block.run().items() if name.isupper()}
    assert values
    with override_settings(**values):
        problems = [*checks.check_settings(), *checks.check_project()]
        assert [each for each in problems if each.id not in OF_CONSOLE] == []


@pytest.mark.django_db
@examples("tests")
def test_example(block: Block, name: str, request: pytest.FixtureRequest) -> None:
    run_example(block, name, request)


@pytest.mark.django_db
@examples("api tests")
def test_example_against_the_api(block: Block, name: str, request: pytest.FixtureRequest, api: Any) -> None:
    run_example(block, name, request)


@pytest.mark.django_db
@examples("app tests")
def test_example_by_an_app(block: Block, name: str, request: pytest.FixtureRequest, shop: Any) -> None:
    request.getfixturevalue("apply_settings")(MOBILE_APPS, "LOGTO_API_SCOPES")
    shop(MOBILE_APPS)
    run_example(block, name, request)
