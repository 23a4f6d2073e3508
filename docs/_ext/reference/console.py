"""The console of organizations, and API keys: the endpoints, the methods, the values and the errors of each."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from logto_auth.api_keys import ApiKeys
from logto_auth.oidc.errors import LogtoError
from logto_auth.organizations.console import Console, ManagedOrganization
from logto_auth.organizations.console.api_schema import IN_ORGANIZATION

from . import markdown

CLASSES = {each.__name__: each for each in (Console, ManagedOrganization, ApiKeys)}
CONSOLE = "logto_auth.organizations.console"


def _module(package: str, name: str) -> Any:
    """Return a module of `package`, by default of the console."""
    return import_module(f"{package or CONSOLE}.{name}")


def endpoints(package: str) -> str:
    """Return a table of the endpoints, in the order of their URLs."""
    rows = []
    api_urls, api_schema = _module(package, "api_urls"), _module(package, "api_schema")
    for pattern in api_urls.urlpatterns:
        path = str(pattern.pattern).replace("<str:", "<") or "(root)"
        for method, operation in api_schema.OPERATIONS[pattern.callback.cls].items():
            fields = operation.takes().fields.items() if operation.takes else []
            takes = [_field(name, field) for name, field in fields] + [
                f"`?{each.name}`" for each in operation.parameters
            ]
            errors = [f"`{each.code}`" for each in operation.errors if each not in IN_ORGANIZATION]
            head = (f"`{method.upper()}` `{path}`", operation.summary)
            rows.append((*head, ", ".join(takes), str(operation.status), ", ".join(errors)))
    return markdown.table(("Request", "What it does", "Takes", "Status", "Errors"), rows)


def _field(name: str, field: object) -> str:
    return f"`{name}`" if getattr(field, "required", False) else f"`{name}` (optional)"


def error_table(package: str) -> str:
    """Return a table of the errors."""
    errors = _module(package, "errors")
    classes = [getattr(errors, name) for name in errors.__all__]
    rows = [
        (f"`{error.__name__}`", f"`{error.code}`", str(error.status), markdown.doc_of(error))
        for error in classes
        # The base class of the others has no sentence for users.
        if error.__bases__ != (LogtoError,)
    ]
    return markdown.table(("Class", "Code", "Status", "Meaning"), rows)


def methods(name: str) -> str:
    """Return a definition for each public method and property of a class."""
    return "\n\n".join(_definitions(CLASSES[name]))


def _definitions(cls: type) -> Iterator[str]:
    seen = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if name.startswith("_") or name in seen or isinstance(value, staticmethod):
                continue
            seen.add(name)
            if inspect.isfunction(value):
                yield _definition(name + _signature(value), value)
            elif hasattr(value, "__get__") and markdown.doc_of(value):
                yield _definition(name, value)


def _signature(method: object) -> str:
    signature = inspect.signature(method)  # type: ignore[arg-type]
    parameters = [each.replace(annotation=each.empty) for each in signature.parameters.values() if each.name != "self"]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def _definition(head: str, value: object) -> str:
    first, _, rest = markdown.doc_of(value).partition("\n\n")
    text = "\n\n".join(filter(None, [first, rest]))
    return f"`{head}`\n: " + textwrap.indent(text, "  ").lstrip()


def value_table(package: str) -> str:
    """Return a table of the classes that the methods return, with their fields."""
    tree = ast.parse(inspect.getsource(_module(package, "values")))
    rows = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            fields = [f"`{each.target.id}`" for each in node.body if isinstance(each, ast.AnnAssign)]  # type: ignore[union-attr]
            fields += [f"`{each.name}`" for each in node.body if isinstance(each, ast.FunctionDef)]
            rows.append((f"`{node.name}`", ast.get_docstring(node) or "", ", ".join(fields)))
    return markdown.table(("Class", "Meaning", "Fields"), rows)
