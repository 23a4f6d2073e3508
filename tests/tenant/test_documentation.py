"""The documentation of logto_setup and of declarations: options, fields, and the guide, whose commands are run."""

from __future__ import annotations

import io
import re
import shlex
import socket
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand

from logto_auth.emulator import Emulator
from logto_auth.management.commands import logto_doctor, logto_setup
from logto_auth.tenant import (
    MFA,
    WEBHOOK_EVENTS,
    AccountCenter,
    APIResource,
    DeclaredOrganization,
    DynamicClients,
    OrganizationConsole,
    OrganizationRole,
    PasswordPolicy,
    Role,
    TenantDeclaration,
    ThirdPartyApplication,
)
from tests.management_commands import read_env_file, set_all

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "how-to/set-up-from-the-terminal.md").read_text(encoding="utf-8")
COMMANDS = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
DECLARATION = (DOCS / "reference/tenant-declaration.md").read_text(encoding="utf-8")

CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ python manage\.py (?P<command>.*)\n(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)
# What differs between runs.
VARIABLE = {
    r"https://abc123\.logto\.app|http://localhost:\d+": "LOGTO",
    r"\b[a-z0-9]{21}\b": "ID",
    r"within [\d.]+ s": "within N s",
    r"differ by \d s": "differ by N s",
}


def normalized(text: str) -> str:
    for pattern, word in VARIABLE.items():
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture
def shop(fresh: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The site of the guide, with its declaration and the settings of a server."""
    (code,) = re.findall(r"<!-- snippet: module shop\.tenant -->\n```python\n(.*?)```", GUIDE, re.DOTALL)
    module = ModuleType("shop.tenant")
    exec(code, vars(module))
    for name, value in {"shop": ModuleType("shop"), "shop.tenant": module}.items():
        monkeypatch.setitem(sys.modules, name, value)
    settings.LOGTO_TENANT = "shop.tenant.TENANT"
    # The guide adds the account pages in its last section.
    settings.ROOT_URLCONF = "tests.checks.urls_without_account_pages"
    settings.LOGTO_BASE_URL = ""
    settings.ALLOWED_HOSTS = ["shop.example"]
    settings.SESSION_COOKIE_SECURE = True
    settings.LOGTO_SIGNING_ALGORITHMS = ("ES256", "ES384", "ES512", "RS256")
    resolved = socket.getaddrinfo
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 0))]
    # Nothing connects to it.
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: public if host == "shop.example" else resolved(host, *rest, **more),
    )
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return fresh


@pytest.mark.django_db
def test_guide_shows_the_output_of_its_commands(
    shop: Emulator, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [match for block in CONSOLE_BLOCK.findall(GUIDE) for match in COMMAND.finditer(block)]
    assert [match["command"].split()[0] for match in shown] == [
        "logto_setup",
        "logto_setup",
        "logto_doctor",
        "logto_setup",
    ]
    for match in shown:
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        name, *arguments = shlex.split(match["command"])
        call_command(name, *arguments, stdout=out, stderr=out, no_color=True)
        # The answer of the user is not in the output.
        printed = out.getvalue().replace("Continue? [y/N] \n", "Continue? [y/N] y\n")
        assert normalized(printed) == normalized(match["printed"]), match["command"]
        set_all(settings, read_env_file(tmp_path / ".env"))


@pytest.mark.parametrize("number", [7, 8])
def test_guide_shows_the_plan_for_what_is_shared(shop: Emulator, number: int) -> None:
    (section,) = re.findall(rf"^## {number}\. .*?(?=^## )", GUIDE, re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    exec(code, vars(sys.modules["shop.tenant"]))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("logto_setup", "--check", "--base-url", "https://shop.example", stdout=out, no_color=True)
    assert shown in out.getvalue()


@pytest.mark.parametrize("module", [logto_setup, logto_doctor])
def test_every_option_is_documented(module: Any) -> None:
    name = module.__name__.rpartition(".")[2]
    (section,) = re.findall(rf"^## `manage\.py {name}`\n(.*?)(?=^## |\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| `(--[\w-]+)", section, re.MULTILINE)) == options(module.Command) - options(BaseCommand)


def options(command: type[BaseCommand]) -> set[str]:
    actions = command().create_parser("manage.py", "command")._actions
    return {option for action in actions for option in action.option_strings}


def test_declaration_fields_are_documented_with_defaults() -> None:
    (filled_in,) = re.findall(r"^The commands fill in (.*?) from", DECLARATION, re.MULTILINE | re.DOTALL)
    for declared in (
        TenantDeclaration,
        APIResource,
        Role,
        OrganizationRole,
        DeclaredOrganization,
        ThirdPartyApplication,
        DynamicClients,
        OrganizationConsole,
        AccountCenter,
        PasswordPolicy,
        MFA,
    ):
        (section,) = re.findall(rf"^## `{declared.__name__}`\n(.*?)^## ", DECLARATION, re.MULTILINE | re.DOTALL)
        documented = dict(re.findall(r"^\| `(\w+)` \| (?:`(.*?)` )?\|", section, re.MULTILINE))
        own = filled_in if declared is TenantDeclaration else ""
        expected = {each.name: default_of(each) for each in fields(declared) if f"`{each.name}`" not in own}
        assert documented == expected
    assert set(re.findall(r"`(\w+)`", filled_in)) < {each.name for each in fields(TenantDeclaration)}


def default_of(field: Field[Any]) -> str:
    if field.default is WEBHOOK_EVENTS:
        return "WEBHOOK_EVENTS"
    if field.default_factory is not MISSING:
        return repr(field.default_factory())
    return "" if field.default is MISSING else repr(field.default).replace("'", '"')
