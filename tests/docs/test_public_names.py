"""`docs/reference/api.md` lists the public names. They are those in `__all__`, and pages import no others."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from .pages import DOCS, PYTHON, Block

sys.path.insert(0, str(DOCS / "_ext"))

from reference import api

PACKAGE = DOCS.parent / "logto_auth"
LISTED = api.listed((DOCS / "reference" / "api.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", LISTED)
def test_listed_names_are_those_of_the_module(module: str) -> None:
    assert LISTED[module]
    assert LISTED[module] == api.public_names(module)


# Modules at the top of the package, and in `contrib`, whose names are for the package itself.
PRIVATE = {
    "logto_auth",
    "logto_auth.admin_password",
    "logto_auth.announcements",
    "logto_auth.api_urls",
    "logto_auth.batches",
    "logto_auth.check_tags",
    "logto_auth.checks",
    "logto_auth.compiled_query",
    "logto_auth.contrib.mcp_sdk",
    "logto_auth.contrib.open_sockets",
    "logto_auth.contrib.rest_framework_urls",
    "logto_auth.contrib.spectacular",
    "logto_auth.contrib.swagger_urls",
    "logto_auth.contrib.user_endpoints",
    "logto_auth.contrib.user_endpoints_schema",
    "logto_auth.doctor",
    "logto_auth.encryption",
    "logto_auth.navigation",
    "logto_auth.origins",
    "logto_auth.site_cache",
    "logto_auth.telemetry",
    "logto_auth.transactions",
    "logto_auth.urls",
}


# Modules inside packages whose names are public.
INNER = {
    "logto_auth.account_api.types",
    "logto_auth.api_keys.errors",
    "logto_auth.api_keys.proof",
    "logto_auth.audit.admin",
    "logto_auth.audit.models",
    "logto_auth.audit.signals",
    "logto_auth.management_api.types",
    "logto_auth.organizations.console",
    "logto_auth.organizations.console.errors",
    "logto_auth.organizations.console.values",
    "logto_auth.webhooks.signals",
}


def test_modules_with_public_names_are_listed() -> None:
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py"), *(PACKAGE / "contrib").glob("*.py")]
    modules = {".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files}
    modules = {module.removesuffix(".__init__") for module in modules}
    assert {module for module in modules if api.public_names(module)} - PRIVATE == set(LISTED) - INNER


def imported_names(block: Block) -> Iterator[tuple[str, str]]:
    """Return module and name of each import from the package."""
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("logto_auth"):
            yield from ((str(node.module), name.name) for name in node.names)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_snippet_imports_public_names(block: Block) -> None:
    assert [(module, name) for module, name in imported_names(block) if name not in LISTED.get(module, [])] == []
