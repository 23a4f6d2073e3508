"""A check of the arguments that a site's templates pass to the tags of `{% load logto %}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage
from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.template.base import Lexer, TokenType

from logto_auth.account.links import check_task
from logto_auth.exceptions import ConfigurationError, InvalidAccountTask, InvalidSignInOption
from logto_auth.sign_in.start import check_url_options

from .problem import Problem

WRONG_TAG = Problem(
    "logto_auth.W015",
    "{template}, line {line}: {tag} has a wrong argument. {mistake}",
    "Correct it: in production, the tag ignores it.",
)

# The arguments that each tag knows, beside the sign-in options of the first two.
ARGUMENTS = {
    "logto_sign_in_url": {"next"},
    "logto_sign_in_button": {"label", "next", "class"},
    "logto_sign_out_button": {"label", "class"},
    "logto_sign_out_others_button": {"label", "class"},
    "logto_organization_switcher": {"label", "next", "class"},
    "logto_account_link": {"task", "next", "show_success", "identifier", "ui_locales", "connector_id"},
}
ARGUMENT = re.compile(r"""(?P<name>\w+)=(?P<text>(?P<quote>["']).*(?P=quote)$)?""", re.DOTALL)


def check_templates() -> Iterator[CheckMessage]:
    """Yield the wrong arguments in the templates of the site, except in those of installed packages."""
    for path in _template_files():
        source = path.read_text(encoding="utf-8", errors="replace")
        if "logto_" not in source:
            continue
        for token in Lexer(source).tokenize():
            tag, *_ = token.contents.split(maxsplit=1) or [""]
            if token.token_type is not TokenType.BLOCK or tag not in ARGUMENTS:
                continue
            if mistake := _mistake(tag, token.split_contents()[1:]):
                yield WRONG_TAG(template=path, line=token.lineno, tag=tag, mistake=mistake)


def _template_files() -> Iterator[Path]:
    directories: dict[Path, None] = {}
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            directories.update(dict.fromkeys(_directories(backend.engine.template_loaders)))
    for directory in directories:
        if not {"site-packages", "dist-packages"} & set(directory.parts):
            yield from (path for path in sorted(directory.rglob("*")) if path.is_file())


def _directories(loaders: Any) -> Iterator[Path]:
    for loader in loaders:
        # The loader that caches contains others.
        yield from _directories(getattr(loader, "loaders", ()))
        yield from map(Path, loader.get_dirs() if hasattr(loader, "get_dirs") else ())


def _mistake(tag: str, arguments: list[str]) -> str:
    """Return what is wrong with the arguments of a tag, or an empty text."""
    named = {match["name"]: match["text"] for match in map(ARGUMENT.match, arguments) if match}
    others = {argument: text for argument, text in named.items() if argument not in ARGUMENTS[tag]}
    if tag == "logto_account_link" and not others:
        return _mistake_in_account_link(arguments, named)
    if not tag.startswith("logto_sign_in"):
        return f"The tag does not know the argument {', '.join(others)}." if others else ""
    # The value of a variable is known only when the page is made. An empty one is no option.
    options = {option: text[1:-1] if text else "" for option, text in others.items()}
    try:
        check_url_options(options)
    except InvalidSignInOption as error:
        return str(error)
    except ConfigurationError:
        pass  # E001 reports the setting
    return ""


def _mistake_in_account_link(arguments: list[str], named: dict[str, Any]) -> str:
    """Return what is wrong with the task of a link, or an empty text. A task in a variable is not checked."""
    task = named["task"] if "task" in named else next(iter(arguments), "")
    if not task or task[0] not in ("'", '"'):
        return ""
    try:
        check_task(task[1:-1], connector_id="x" if "connector_id" in named else "", next=named.get("next"))
    except InvalidAccountTask as error:
        return str(error)
    return ""
