"""Template tags, from their signatures and docstrings."""

from __future__ import annotations

import inspect

from logto_auth.templatetags.logto import register

from . import markdown


def sections(_: str) -> str:
    """Return a heading and the description of each tag."""
    return "\n\n".join(map(_section, register.tags))


def _section(name: str) -> str:
    function = inspect.unwrap(register.tags[name])
    parameters = [_written(each) for each in inspect.signature(function).parameters.values() if each.name != "context"]
    return f"### `{{% {' '.join([name, *parameters])} %}}`\n\n{markdown.doc_of(function)}"


def _written(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.default is parameter.empty:
        return parameter.name
    return f"{parameter.name}=" + repr(parameter.default).replace("'", '"')
