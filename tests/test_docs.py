"""The documentation says what the code does: names and values are compared, snippets are compiled or run.

A Python block below a comment `<!-- snippet: <kind> -->` is run: `settings` are laid over the settings and checked,
`module a.b` can be imported by the rest of its page, `tests` run with the fixtures of the plugin, `site ...` make a new
site. Other kinds have a test of their own here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any

import jwt
import pytest
import requests
from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.management import call_command
from django.db import connection
from django.dispatch import Signal
from django.template import engines
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.utils import translation
from django.utils.timezone import now

import bookstore.urls
import logto_auth
from logto_auth import admin_site, checks, decorators, exceptions, mixins, models, signals, urls
from logto_auth.access import requirements as access
from logto_auth.access.requirements import MissingRequirement, RequirementKind
from logto_auth.admin_site import LogtoAdminSite
from logto_auth.api.authentication import TokenPrincipal, authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.conf import conf
from logto_auth.contrib import ninja, rest_framework
from logto_auth.emulator import Emulator, Faults, HttpFault, Tenant, Visitor, seed_demo
from logto_auth.emulator.__main__ import _parser
from logto_auth.emulator.faults import ENDPOINTS
from logto_auth.models import LogtoIdentity, LogtoSession, make_digest
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.oidc.types import AccessTokenClaims
from logto_auth.organizations import current
from logto_auth.organizations.memberships import Membership
from logto_auth.sessions import outgoing
from logto_auth.sessions.context import SessionPrincipal, SignedInSession
from logto_auth.sign_in import error_page
from logto_auth.templatetags import logto as logto_tags
from logto_auth.tenant.declaration import Role, TenantDeclaration
from logto_auth.testing import Browser, pytest_plugin
from logto_auth.users.suspension import suspend
from logto_auth.views import SignInView
from logto_auth.webhooks import signals as webhook_signals
from logto_auth.webhooks.events import WebhookEvent

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "logto_auth"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for page in DOCS.rglob("*.md") if "_build" not in page.relative_to(DOCS).parts)]
)
FENCE = re.compile(
    r"(?:<!-- snippet: (?P<kind>[^\n]+?) -->\n)?^(?P<fence>```+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
User = get_user_model()
uses_database = pytest.mark.django_db
VIEWS = "docs/reference/views-and-urls.md"
# What subclasses for a framework may set.
SETTABLE = {"accepts_machines", "methods", "of_organization", "resource"}
# Codes for code, and for callers of an API.
NEVER_ON_A_PAGE = {
    "connector_error",
    "invalid_request",
    "logto_error",
    "machine_refused",
    "management_api_error",
    "organization_required",
    "sign_in_required",
}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    kind: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def run(self, **names: Any) -> dict[str, Any]:
        """Run it with these global names, and return its global names afterwards."""
        namespace = {"__name__": "snippet", **names}
        exec(compile(self.code, str(self), "exec"), namespace)
        return namespace


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    text = text_of(page)
    return [
        Block(page, text.count("\n", 0, match.start("code")) + 1, match["language"], match["kind"] or "", match["code"])
        for match in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page.relative_to(ROOT).as_posix())]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def the_block(page: str, kind: str) -> Block:
    (block,) = (block for block in blocks_of(page) if block.kind == kind)
    return block


def column(page: str, pattern: str) -> list[str]:
    """What the first column of the page's tables holds, where it is code that fits `pattern`."""
    return re.findall(rf"^\| `({pattern})` \|", text_of(page), re.MULTILINE)


def cells(page: str, code: str) -> list[str]:
    """The cells of the table row that begins with this code."""
    (row,) = re.findall(rf"^\| `{re.escape(code)}` \|(.*)\|$", text_of(page), re.MULTILINE)
    return [cell.strip() for cell in row.split(" | ")]


# Names and values


def test_every_setting_is_documented_with_its_type_and_default() -> None:
    documented = re.findall(
        r"^### `(LOGTO_\w+)`\n\nType: (.*?)\. Default:\s+`(.*?)`\.", text_of("docs/reference/settings.md"), re.M | re.S
    )
    assert sorted(name for name, _, _ in documented) == sorted(setting.name for setting in conf.all())
    by_name = {setting.name: setting for setting in conf.all()}
    for name, types, default in documented:
        kinds = by_name[name].type if isinstance(by_name[name].type, tuple) else (by_name[name].type,)
        first = types.split(" of ")[0]
        expected = ["None" if kind is NoneType else kind.__name__ for kind in kinds]
        assert re.findall(r"`(\w+)`", first) == expected, name
        assert ast.literal_eval(default) == by_name[name].default, name


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {setting.name for setting in conf.all()} | {"LOGTO_ENDPONT"}  # the typing error that a check finds
    named = {name for page in PAGES for name in re.findall(r"\bLOGTO_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8"))}
    assert named <= known


def ids_in_checks() -> set[str]:
    source = (PACKAGE / "checks.py").read_text()
    errors = re.findall(r"\b_error\(\s*(\d+)", source) + re.findall(r"\((\d+), type\(conf\)", source)
    warnings = re.findall(r"\b_warning\(\s*(\d+)", source)
    return {f"logto_auth.E{int(number):03}" for number in errors} | {
        f"logto_auth.W{int(number):03}" for number in warnings
    }


def test_every_check_is_documented() -> None:
    documented = column("docs/reference/checks.md", r"logto_auth\.\w+")
    assert len(documented) == len(set(documented))
    assert set(documented) == ids_in_checks()


def middleware(*names: str) -> list[str]:
    return [*names, *(name for name in django_settings.MIDDLEWARE if "Logto" not in name)]


TENANT_WITHOUT_A_DESCRIPTION = TenantDeclaration(roles=[Role("editor", "")])

WRONG_SETTINGS: dict[str, dict[str, Any]] = {
    "W001": {"LOGTO_ENDPONT": "https://abc123.logto.app"},
    "E001": {"LOGTO_SCOPES": "openid profile"},
    "E002": {"LOGTO_ENDPOINT": ""},
    "E003": {"LOGTO_APP_ID": ""},
    "E004": {"LOGTO_APP_SECRET": ""},
    "E005": {"LOGTO_APP_ID": "<your-app-id>"},
    "E006": {"LOGTO_ENDPOINT": "https://abc123.logto.app/oidc"},
    "E007": {"LOGTO_ENDPOINT": "http://abc123.logto.app"},
    "E008": {"LOGTO_BASE_URL": "https://shop.example/shop"},
    "E009": {"LOGTO_SCOPES": ["profile"]},
    "E010": {"LOGTO_SIGNING_ALGORITHMS": ["HS256"]},
    "E011": {"LOGTO_SIGN_IN_QUERY_PARAMETERS": ["resources", "max_age"]},
    "E012": {"LOGTO_PROMPT": "select_account"},
    "E013": {"LOGTO_HTTP_TIMEOUT_SECONDS": (5,)},
    "E014": {"LOGTO_USER_FIELDS": "shop.nowhere.fields"},
    "E015": {"LOGTO_CLOCK_SKEW_SECONDS": -5},
    "E016": {"LOGTO_API_RESOURCE": "bookstore-api"},
    "E017": {"LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.from_subdomain"},
    "E018": {"LOGTO_M2M_APP_ID": "stockrobotdemo0000001"},
    "E019": {
        "LOGTO_API_RESOURCE": "https://bookstore.example/api",
        "LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"],
        "LOGTO_APP_ID": "",
        "LOGTO_APP_SECRET": "",
        "LOGIN_URL": "/accounts/login/",
        "ROOT_URLCONF": "logto_auth.api_urls",
    },
    "E050": {"LOGTO_TENANT": "shop.nowhere.TENANT"},
    "E051": {"LOGTO_TENANT": "tests.test_docs.TENANT_WITHOUT_A_DESCRIPTION"},
    "E055": {"LOGTO_WEBHOOK_SIGNING_KEY": "<signing key>"},
    "E056": {"LOGTO_WEBHOOK_RUNNER": "shop.nowhere.enqueue"},
    "E057": {"LOGTO_CONSOLE_URL": "cloud.logto.io/abc123"},
    "E020": {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]},
    "E021": {"MIDDLEWARE": middleware()},
    "E022": {"MIDDLEWARE": middleware("logto_auth.middleware.LogtoMiddleware")},
    "E023": {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
    "E024": {"SESSION_COOKIE_SAMESITE": "Strict"},
    "E025": {"ROOT_URLCONF": "django.conf.urls.i18n"},
    "W002": {"LOGIN_URL": "/accounts/login/"},
    "W003": {
        "LOGTO_ADMIN_PASSWORD_SIGN_IN": True,
        "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"],
    },
    "W004": {"LOGTO_SIGN_IN_QUERY_PARAMETERS": ["login_hint"]},
    "W010": {"LOGTO_ENDPOINT": "http://logto.internal"},
    "W011": {"LOGTO_BASE_URL": "http://shop.example"},
    "W012": {"SESSION_COOKIE_SECURE": False},
    "W013": {"SESSION_COOKIE_HTTPONLY": False},
    "W014": {"SESSION_COOKIE_SAMESITE": None},
}


def messages_of_checks() -> list[CheckMessage]:
    return [*checks.check_settings(), *checks.check_project(), *checks.check_deployment()]


@pytest.mark.parametrize("number", WRONG_SETTINGS)
def test_the_message_of_each_check_reads_as_documented(number: str) -> None:
    with override_settings(**WRONG_SETTINGS[number]):
        messages = {message.id: message.msg for message in messages_of_checks()}
    assert messages[f"logto_auth.{number}"] == cells("docs/reference/checks.md", f"logto_auth.{number}")[0]


def test_every_check_has_an_example() -> None:
    assert {f"logto_auth.{number}" for number in WRONG_SETTINGS} == ids_in_checks()


def sent_signals() -> dict[str, set[str]]:
    """The arguments with which the package sends each signal, `sender` aside."""
    sent: dict[str, set[str]] = {}
    for node in ast.walk(ast.Module([*map(parsed, PACKAGE.rglob("*.py"))], [])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "send_robust":
            assert isinstance(node.func.value, ast.Name)
            if not hasattr(signals, node.func.value.id):
                continue  # Those of webhooks are in a module of their own.
            names = {keyword.arg or "" for keyword in node.keywords} - {"sender"}
            assert sent.setdefault(node.func.value.id, names) == names
    return sent


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_every_signal_is_documented_with_its_arguments() -> None:
    documented = {
        name: set(re.findall(r"`(\w+)`", arguments))
        for name, arguments in re.findall(
            r"^## `(\w+)`\n\nSent with: (.*?)\. Sender:", text_of("docs/reference/signals.md"), re.MULTILINE
        )
    }
    assert set(documented) == {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert documented == sent_signals()


def test_every_signal_of_a_webhook_is_documented() -> None:
    page = "docs/reference/webhooks.md"
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)`", text_of(page), re.MULTILINE)
    by_event = {event: getattr(webhook_signals, name) for name, event in rows}
    assert by_event == webhook_signals.BY_EVENT
    defined = [value for value in vars(webhook_signals).values() if isinstance(value, Signal)]
    assert len(defined) == len(webhook_signals.BY_EVENT) + 1


def test_every_attribute_of_an_event_is_documented() -> None:
    names = {field.name for field in fields(WebhookEvent)} | {"user", "part", "ids(name)"}
    (section,) = re.findall(r"^## `WebhookEvent`\n.*?^## ", text_of("docs/reference/webhooks.md"), re.M | re.S)
    assert set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == names


def test_every_reason_of_an_ended_session_is_a_code() -> None:
    text = text_of("docs/reference/signals.md")
    (table,) = re.findall(r"^## `session_ended`\n.*?^## ", text, re.MULTILINE | re.DOTALL)
    reasons = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert len(reasons) == len(set(reasons))
    assert set(reasons) <= {*error_page.MESSAGES, "sign_in_required"}


def errors_in_code() -> dict[str, set[tuple[str, str]]]:
    """Each code with the classes and statuses that it is raised with, as the source has them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for file in PACKAGE.rglob("*.py"):
        if {"emulator", "management_api"} & set(file.parts):
            continue  # the codes there are Logto's
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(exceptions, node.func.id):
                keywords = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
                if "code" in keywords:
                    status = keywords.get("status", getattr(exceptions, node.func.id).status)
                    found.setdefault(keywords["code"], set()).add((str(status), node.func.id))
        for code, status in re.findall(r'code, status = "(\w+)", (\d+)', file.read_text()):
            found.setdefault(code, set()).add((status, "ProviderError"))
    for name, error in error_classes().items():
        found.setdefault(error.code, set()).add((str(error.status), name))
    return found


def error_classes() -> dict[str, type[exceptions.LogtoError]]:
    return {
        name: value
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.LogtoError)
    }


def test_every_error_class_is_documented_with_its_code_and_status() -> None:
    page = "docs/reference/errors.md"
    classes = error_classes()
    assert set(column(page, r"[A-Z]\w+")) == set(classes)
    for name, error in classes.items():
        assert cells(page, name)[:2] == [f"`{error.code}`", str(error.status)]
    tree = re.search(r"    LogtoError\n.*?outside the tree\)\n", exceptions.__doc__ or "", re.DOTALL)
    assert tree
    assert "\n".join(line[4:] for line in tree[0].splitlines()) in text_of(page)


def test_the_bases_of_the_errors_are_as_the_tree_says() -> None:
    assert issubclass(exceptions.TokenError, SuspiciousOperation)
    assert issubclass(exceptions.CallbackError, SuspiciousOperation)
    assert issubclass(exceptions.InvalidSignInOption, ValueError)
    assert issubclass(exceptions.ConnectorError, ValueError)
    assert issubclass(exceptions.SignInRefused, PermissionDenied)
    assert issubclass(exceptions.ConfigurationError, ImproperlyConfigured)
    assert not issubclass(exceptions.ConfigurationError, exceptions.LogtoError)


@pytest.mark.parametrize("page", ["docs/reference/errors.md", "docs/how-to/error-pages.md"])
def test_every_code_of_the_error_page_is_documented_with_its_status(page: str) -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", text_of(page), re.MULTILINE)
    assert [code for code, _ in documented] == list(error_page.MESSAGES)
    raised = errors_in_code()
    assert set(raised) == set(error_page.MESSAGES) | NEVER_ON_A_PAGE
    for code, status in documented:
        assert {status} == {raised_status for raised_status, _ in raised[code]}, code


def test_the_class_of_each_code_is_documented() -> None:
    raised = errors_in_code()
    for code in error_page.MESSAGES:
        assert cells("docs/reference/errors.md", code)[1].strip("`") in {name for _, name in raised[code]}, code


def test_what_the_visitor_reads_is_documented() -> None:
    with translation.override("en"):
        titles = {code: str(title) for code, (title, _) in error_page.MESSAGES.items()}
    assert titles == {code: cells("docs/how-to/error-pages.md", code)[1] for code in error_page.MESSAGES}


def test_every_template_tag_is_documented() -> None:
    documented = re.findall(r"^### `\{% (\w+)", text_of("docs/reference/templates-and-tags.md"), re.MULTILINE)
    assert set(documented) == set(logto_tags.register.tags)


@pytest.mark.parametrize("page", ["docs/reference/templates-and-tags.md", "docs/how-to/error-pages.md"])
def test_every_template_is_documented(page: str) -> None:
    templates = {f"logto_auth/{file.name}" for file in (PACKAGE / "templates" / "logto_auth").iterdir()}
    assert set(re.findall(r"`(logto_auth/\w+\.html)`", text_of(page))) == templates


def test_every_view_is_documented() -> None:
    rows = re.findall(r"^\| `logto_auth:([\w-]+)` \| `(.*?)` \| (\w+) \| `(.*?)` \|$", text_of(VIEWS), re.MULTILINE)
    views = [(each, each.callback.view_class) for each in urls.urlpatterns]
    assert rows == [
        (each.name, str(each.pattern), view.http_method_names[0].upper(), f"{view.__module__}.{view.__name__}")
        for each, view in views
    ]
    assert {view.__name__ for _, view in views} <= set(re.findall(r"^## `(\w+)`$", text_of(VIEWS), re.MULTILINE))


def test_every_sign_in_option_is_documented() -> None:
    names = [each.name for each in fields(SignInOptions)]
    assert set(column(VIEWS, "[a-z_]+")) == set(names)
    allowed_in_urls = set(type(conf).sign_in_query_parameters.default)
    assert set(column("docs/how-to/sign-in-options.md", "[a-z_]+")) == allowed_in_urls


def test_all_of_request_logto_is_documented() -> None:
    page = "docs/reference/request-logto.md"
    public = {name for name in vars(SessionPrincipal) if not name.startswith("_")}
    methods = {name for name in public if inspect.isfunction(vars(SessionPrincipal)[name])}
    assert set(column(page, r"\w+")) - {"resource"} == public - methods
    assert set(re.findall(r"`(\w+)\(", text_of(page))) == methods
    for returned in (Membership, SignedInSession):
        (described,) = re.findall(rf"^`{returned.__name__}` has (.*?)\n\n", text_of(page), re.MULTILINE | re.DOTALL)
        for each in fields(returned):
            assert f"`{each.name}`" in described, each.name


def public_of(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module defines itself, those with an underscore aside."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    }


def signature_of(function: Any) -> str:
    """A function's name and parameters, as the reference writes them."""
    signature = inspect.signature(function)
    parameters = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    plain = signature.replace(parameters=parameters, return_annotation=signature.empty)
    return f"{function.__name__}{plain}"


def assert_that_attributes_are_in(text: str, cls: type) -> None:
    """Those that a subclass may set, each with its default."""
    for name, value in vars(cls).items():
        if not (name.startswith("_") or callable(value) or isinstance(value, classmethod | property)):
            assert f"`{name} = {value!r}`" in text, name


def test_every_decorator_mixin_and_question_is_documented_with_its_parameters() -> None:
    page = text_of("docs/reference/decorators-and-mixins.md")
    for module in (decorators, mixins, access):
        (section,) = re.findall(rf"^## `{module.__name__}`\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
        public = public_of(module)
        assert set(re.findall(r"^`(\w+)", section, re.MULTILINE)) == set(public)
        for value in public.values():
            if inspect.isclass(value):
                assert_that_attributes_are_in(section, value)
            else:
                assert f"`{signature_of(value)}`" in section


def test_all_of_a_caller_is_documented() -> None:
    text = text_of("docs/reference/access-tokens.md")
    assert f"`logto_auth.bearer.{signature_of(authenticate)}`" in text
    section = text[text.index("## `TokenPrincipal`") : text.index("## `Machine`")]
    instance = {"token", "user"}
    public = {name for name in vars(TokenPrincipal) if not name.startswith("_")} | instance
    methods = {name for name in public - instance if inspect.isfunction(vars(TokenPrincipal)[name])}
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == public - methods
    for name in methods:
        shown = signature_of(vars(TokenPrincipal)[name]).replace("(self, ", "(").replace("(self)", "()")
        assert f"{shown}`" in section
    for each in fields(AccessTokenClaims):
        assert f"`{each.name}`" in section


def test_every_refusal_is_documented_with_its_status() -> None:
    text = text_of("docs/reference/access-tokens.md")
    section = text[text.index("## Refusals") : text.index("## Opaque tokens")]
    documented = {
        code: int(status)
        for status, codes in re.findall(r"^\| [^|]+ \| (\d{3}) \| ([^|]+) \|", section, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    refusals = [
        ErrorResponse.without_token(),
        ErrorResponse.insufficient(MissingRequirement(RequirementKind.SCOPE, ("write:books",))),
        ErrorResponse.of(exceptions.AuthorizationHeaderError("")),
        ErrorResponse.of(exceptions.TokenError("", claim="aud")),
        ErrorResponse.of(exceptions.SignInRefused("", code="account_disabled")),
        ErrorResponse.of(exceptions.ProviderUnreachable("")),
        *(
            ErrorResponse.of(exceptions.SignInRefused("", code=code))
            for code in ("account_unknown", "account_incomplete", "refused_by_site", "machine_refused")
        ),
    ]
    assert documented == {refusal.error: refusal.status for refusal in refusals}
    for each in fields(ErrorResponse):
        assert f"`{each.name}`" in section
    (shown,) = (block for block in blocks_of("docs/reference/access-tokens.md") if block.language == "http")
    challenge = refusals[1].challenge(RequestFactory().get("/"))
    assert shown.code.splitlines()[2].startswith(f"WWW-Authenticate: {challenge}")


@pytest.mark.parametrize("module", [rest_framework, ninja], ids=["rest-framework", "ninja"])
def test_what_there_is_for_a_framework_is_documented(module: ModuleType, request: pytest.FixtureRequest) -> None:
    text = text_of(f"docs/reference/{request.node.callspec.id}.md")
    public = public_of(module)
    assert set(re.findall(r"^`(\w+)[^\n]*\n: ", text, re.MULTILINE)) == set(public)
    for value in public.values():
        if not inspect.isclass(value):
            assert f"`{signature_of(value)}`" in text
        for name in SETTABLE & set(vars(value)):
            assert f"`{name} = {vars(value)[name]!r}`" in text
    for name, methods in re.findall(r"`([A-Z]+)` \(([A-Z, ]+)\)", text):
        assert set(methods.split(", ")) == vars(module)[name]


def test_what_there_is_for_organizations_is_documented() -> None:
    text = text_of("docs/reference/organizations.md")
    for name in ("from_url", "from_subdomain"):
        assert f"`logto_auth.organizations.{signature_of(getattr(current, name))}`" in text
    public = {name for name in vars(current.OrganizationQuerySet) if not name.startswith("_")}
    section = text[text.index("## `OrganizationQuerySet`") :]
    assert set(re.findall(r"^`(\w+)[(= ]", section, re.MULTILINE)) == public
    assert_that_attributes_are_in(section, current.OrganizationQuerySet)
    for model in (models.Organization, models.OrganizationMembership):
        section = text[text.index(f"### `{model.__name__}`") :]
        for field in model._meta.get_fields():
            if field.concrete and field.name != "id":
                assert f"`{field.name}`" in section, field.name
        assert f"`logto_auth.models.{model.__name__}`" in section


def test_every_command_is_documented() -> None:
    commands = {file.stem for file in (PACKAGE / "management" / "commands").glob("[!_]*.py")}
    assert set(re.findall(r"^## `manage\.py (\w+)`", text_of("docs/reference/commands.md"), re.MULTILINE)) == commands
    named = {name for page in PAGES for name in re.findall(r"manage\.py (logto_\w+)", page.read_text(encoding="utf-8"))}
    assert named <= commands


def test_what_a_site_plugs_into_its_admin_is_documented() -> None:
    text = text_of("docs/reference/admin.md")
    assert set(re.findall(r"^## `logto_auth\.admin_site\.(\w+)`", text, re.MULTILINE)) == set(public_of(admin_site))
    assert f'The action "{admin_site.sign_out_everywhere.short_description}"' in text


def test_the_addresses_of_the_admin_are_documented() -> None:
    with override_settings(ROOT_URLCONF="bookstore.urls"):
        names = {each.name for each in LogtoAdminSite().get_urls() if hasattr(each, "name")}
    documented = set(re.findall(r"`admin:(\w+)`", text_of("docs/reference/admin.md")))
    assert documented <= names
    assert "password_login" in documented


def test_the_emulator_is_documented() -> None:
    page = "docs/reference/emulator.md"
    options = {option for action in _parser()._actions for option in action.option_strings if option.startswith("--")}
    assert set(column(page, r"--[\w-]+")) == options - {"--help"}
    text = text_of(page)
    for fault in fields(Faults):
        assert f"`{fault.name}`" in text or f"faults.{fault.name}[" in text, fault.name
    for each in fields(HttpFault):
        assert f"`{each.name}`" in text, each.name
    for endpoint in ENDPOINTS:
        assert f"`{endpoint}`" in text, endpoint
    for name in [name for name in vars(Emulator) if not name.startswith("_")]:
        assert re.search(rf"`{name}[(`]", text), name
    for name in set(re.findall(r"`((?:add|find|update|suspend|delete)_\w+)\(", text)):
        assert hasattr(Tenant, name), name
    visitor = text[text.index("### `Visitor`") : text.index("## Faults")]
    methods = {name for name in vars(Visitor) if not name.startswith("_") and callable(getattr(Visitor, name))}
    assert set(re.findall(r"^\| `(\w+)\(", visitor, re.MULTILINE)) == methods - {"close"}


def test_the_test_helpers_are_documented() -> None:
    text = text_of("docs/reference/test-helpers.md")
    fixtures = re.findall(r"@pytest\.fixture.*?\ndef (\w+)", inspect.getsource(pytest_plugin))
    assert set(re.findall(r"^`(\w+)`$", text, re.MULTILINE)) == set(fixtures)
    members = {name for name in vars(Browser) if not name.startswith("_")} | {"client", "logto"}
    assert set(re.findall(r"^\| `(\w+)[(`]", text, re.MULTILINE)) == members


def test_the_targets_of_make_are_those_of_the_makefile() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"`make ([\w-]+)", text) + re.findall(r"^\$ (?:\w+=\S+ )*make ([\w-]+)", text, re.MULTILINE)
        assert set(named) <= set(phony.split()), page
    assert set(re.findall(r"^\| `make ([\w-]+)` \|", text_of("CONTRIBUTING.md"), re.MULTILINE)) == set(phony.split())


def test_the_layers_are_those_that_are_checked() -> None:
    (layers,) = re.findall(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    (drawn,) = (block for block in blocks_of("docs/explanation/architecture.md") if block.language == "text")
    named = [re.split(r"\s{2,}", line.strip())[0] for line in drawn.code.splitlines() if line.strip()]
    assert [line.split(" · ") for line in named] == [
        *(layer.split(" : ") for layer in re.findall(r'"(.+?)"', layers)),
        ["emulator"],
    ]


def named_tests() -> list[tuple[str, str, str]]:
    """File, function and case of each test that the page on security names."""
    return re.findall(r"`([\w/]+\.py)::([\w:]+)(?:\[([^\]`]+)\])?`", text_of("docs/explanation/security.md"))


@pytest.mark.parametrize("file", sorted({file for file, _, _ in named_tests()}))
def test_every_test_that_the_threat_model_names_exists(file: str) -> None:
    tree = parsed(ROOT / "tests" / file)
    functions: dict[str, ast.AST] = {}
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        prefix = f"{owner.name}::" if isinstance(owner, ast.ClassDef) else ""
        functions |= {f"{prefix}{node.name}": node for node in owner.body if isinstance(node, ast.FunctionDef)}
    for _, function, case in (named for named in named_tests() if named[0] == file):
        assert function in functions, function
        ids = {node.value for node in ast.walk(functions[function]) if isinstance(node, ast.Constant)}
        assert not case or case in ids, (function, case)


def test_the_readme_names_the_supported_versions() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (python,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    django_versions = re.findall(r"Framework :: Django :: ([\d.]+)", project)
    (base,) = re.findall(r'"mozilla-django-oidc>=([\d.]+),<6"', project)
    readme = text_of("README.md")
    assert f"Python {python} or newer, Django {django_versions[0]} to {django_versions[-1]}" in readme
    assert f"mozilla-django-oidc {base} or newer" in readme


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_other_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)", page.read_text(encoding="utf-8").replace("\n", " ")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "SECURITY.md", "docs/index.md"])
def test_the_version_is_that_of_the_package(page: str) -> None:
    assert re.search(rf"\b{re.escape(logto_auth.__version__)}\b", text_of(page))


def test_nothing_in_the_readme_is_loaded_from_elsewhere() -> None:
    assert not re.findall(r"!\[[^\]]*\]\(\w+://", text_of("README.md"))


# Snippets

KINDS = {"settings", "tests", "site settings", "site urls"}
OWN_TESTS = {
    "api settings",
    "api tests",
    "api urls",
    "app tests",
    "async view",
    "emulator",
    "emulator on a phone",
    "emulator's Management API",
    "emulator's webhooks",
    "identities from usernames",
    "identity",
    "invitation",
    "move issuer",
    "organization model",
    "organization path",
    "restored",
    "sign out everywhere",
    "switch off",
    "token request",
}


def test_every_kind_of_snippet_is_known() -> None:
    kinds = {block.kind for block in BLOCKS if block.kind and not block.kind.startswith("module ")}
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


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "html+django"], ids=str)
def test_templates_compile(block: Block) -> None:
    engines["django"].from_string(block.code)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes the modules of a page importable, and returns the one that is named."""

    def install(page: str, wanted: str = "") -> Any:
        for block in blocks_of(page):
            if block.kind.startswith("module "):
                name = block.kind.removeprefix("module ")
                parent = ModuleType(name.partition(".")[0])
                parent.__path__ = []
                monkeypatch.setitem(sys.modules, parent.__name__, sys.modules.get(parent.__name__, parent))
                module = ModuleType(name)
                monkeypatch.setitem(sys.modules, name, module)
                vars(module).update(block.run(__name__=name))
        return sys.modules[wanted] if wanted else None

    return install


@pytest.fixture
def apply_settings(settings: Any, modules: Any) -> Any:
    """A function that lays a page's settings snippet with this name in it over the settings."""

    def apply(page: str, name: str) -> None:
        (block,) = (block for block in blocks_of(page) if block.kind == "settings" and name in block.code)
        modules(page)
        for key, value in block.run().items():
            if key.isupper():
                setattr(settings, key, value)

    return apply


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind == "settings"], ids=str)
def test_settings_pass_the_checks(block: Block, modules: Any) -> None:
    modules(block.page)
    values = {name: value for name, value in block.run().items() if name.isupper()}
    assert values
    with override_settings(**values):
        assert [*checks.check_settings(), *checks.check_project()] == []


def examples(kind: str) -> Any:
    """A mark that runs a test with each test function of such snippets."""
    return pytest.mark.parametrize(
        ("block", "name"),
        [
            pytest.param(block, name, id=name)
            for block in BLOCKS
            if block.kind == kind
            for name in re.findall(r"^def (test_\w+)", block.code, re.MULTILINE)
        ],
    )


def run_example(block: Block, name: str, request: pytest.FixtureRequest) -> None:
    function = block.run()[name]
    function(**{argument: request.getfixturevalue(argument) for argument in inspect.signature(function).parameters})


@pytest.mark.django_db
@examples("tests")
def test_example(block: Block, name: str, request: pytest.FixtureRequest) -> None:
    run_example(block, name, request)


SIGN_IN = """
import sys

import django

django.setup()
from django.contrib.auth import get_user_model
from django.test.utils import setup_test_environment

from logto_auth.testing import Browser

setup_test_environment()
browser = Browser(sys.argv[1])
response = browser.sign_in("reader", next_url="/somewhere/")
assert response.url == "/somewhere/", response.content.decode()
assert get_user_model().objects.get().username == "reader"
assert "_auth_user_id" in browser.client.session
browser.sign_out()
assert "_auth_user_id" not in browser.client.session
"""


CALL = """
import sys

import django

django.setup()
from django.test import Client
from django.test.utils import setup_test_environment

setup_test_environment()
client = Client()
assert client.get("/.well-known/oauth-protected-resource/api").json()["resource"] == "https://shop.example/api"
refused = client.get("/api/me")
assert (refused.status_code, refused["WWW-Authenticate"].partition("=")[0]) == (401, "Bearer resource_metadata")
response = client.get("/api/me", headers={"Authorization": f"Bearer {sys.argv[1]}"})
assert response.json() == {"sub": "reader"}, response.content.decode()
"""


def run_new_site(page: str, kind: str, script: str, argument: str, folder: Path, **environment: str) -> None:
    """Make a site in the folder with the page's lines, check and migrate it, and run a script there."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "DJANGO_"))}
    environment = {**inherited, "PYTHONPATH": str(ROOT), **environment}

    def run(*arguments: str, **more: str) -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("-m", "django", "startproject", "mysite", ".")
    with (folder / "mysite" / "settings.py").open("a") as file:
        file.write("\n" + the_block(page, f"{kind} settings").code)
    (folder / "mysite" / "urls.py").write_text(the_block(page, f"{kind} urls").code)
    (folder / "script.py").write_text(script)
    run("manage.py", "check", "--fail-level", "WARNING")
    run("manage.py", "migrate", "--verbosity", "0")
    run("script.py", argument, DJANGO_SETTINGS_MODULE="mysite.settings")


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/add-to-a-site.md"])
def test_a_new_site_with_these_lines_signs_in(page: str, logto: Emulator, settings: Any, tmp_path: Path) -> None:
    logto.tenant.add_user(username="reader")
    application = {"LOGTO_APP_ID": settings.LOGTO_APP_ID, "LOGTO_APP_SECRET": settings.LOGTO_APP_SECRET}
    run_new_site(page, "site", SIGN_IN, logto.endpoint, tmp_path, LOGTO_ENDPOINT=logto.endpoint, **application)


def test_a_new_site_with_these_lines_is_an_api(logto: Emulator, tmp_path: Path) -> None:
    token = access_token(logto, aud="https://shop.example/api")
    run_new_site(PROTECT_AN_API, "api", CALL, token, tmp_path, LOGTO_ENDPOINT=logto.endpoint)


def test_the_readme_and_the_guide_have_the_same_lines() -> None:
    def code(page: str) -> set[str]:
        return {line.partition("  #")[0] for line in the_block(page, "site settings").code.splitlines() if line}

    assert code("README.md") < code("docs/how-to/add-to-a-site.md")


@pytest.mark.parametrize(
    ("kind", "callback"),
    [("emulator", "http://localhost:8000/callback"), ("emulator on a phone", "io.bookstore.app://callback")],
)
def test_the_emulator_s_examples_end_at_the_callback(kind: str, callback: str) -> None:
    block = the_block("docs/reference/emulator.md", kind)
    assert block.run()["callback"].startswith(f"{callback}?code=")


@pytest.mark.parametrize("kind", ["emulator's Management API", "emulator's webhooks"])
def test_the_emulator_s_examples_assert_what_they_say(kind: str) -> None:
    the_block("docs/reference/emulator.md", kind).run()


# What the guides to APIs and organizations promise

PROTECT_AN_API = "docs/how-to/protect-an-api.md"
ORGANIZATION_PERMISSIONS = "docs/how-to/organization-permissions.md"
ORGANIZATION_APIS = "docs/how-to/organization-api-resources.md"
ORGANIZATIONS = "docs/how-to/organizations.md"
MOBILE_APPS = "docs/how-to/mobile-apps.md"


def access_token(logto: Emulator, **claims: Any) -> str:
    """An access token as Logto writes them, of a person unless `claims` say otherwise."""
    now = int(time.time())
    usual = {"iss": logto.issuer, "sub": "reader", "client_id": "app", "scope": "", "iat": now, "exp": now + 60}
    return logto.sign({**usual, **claims}, header={"typ": "at+jwt"})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def shop(modules: Any, settings: Any) -> Any:
    """A function that makes the modules of a page the site, with the bookstore's pages behind them."""

    def install(page: str) -> None:
        modules(page, "shop.urls").urlpatterns += bookstore.urls.urlpatterns
        settings.ROOT_URLCONF = "shop.urls"

    return install


@pytest.fixture
def api(shop: Any, settings: Any, logto: Emulator) -> Any:
    """The site of the guide to APIs. The function returns its status and challenge for a call."""
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    settings.LOGTO_API_CREATE_USERS = True
    shop(PROTECT_AN_API)

    def call(path: str, token: str = "", method: str = "GET", data: Any = None) -> tuple[int, str]:
        headers = bearer(token) if token else {}
        response = Client().generic(method, path, json.dumps(data), "application/json", headers=headers)
        return response.status_code, response.headers.get("WWW-Authenticate", "")

    return call


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


READING = ["/api/books/", "/plain/books/", "/plain/books/count", "/plain/shelf/", "/ninja/books"]
WRITING = [("/api/books/", "POST"), ("/plain/shelf/", "DELETE"), ("/ninja/books", "POST")]


@pytest.mark.django_db
def test_the_views_of_the_guide_to_apis(api: Any, logto: Emulator) -> None:
    audience = "https://shop.example/api"
    reader = access_token(logto, aud=audience, scope="read:books")
    writer = access_token(logto, aud=audience, scope="write:books")
    for address in READING:
        assert api(address, reader)[0] == 200, address
        status, challenge = api(address, writer)
        assert (status, 'scope="read:books"' in challenge) == (403, True), address
    for address, method in WRITING:
        status, challenge = api(address, reader, method, {"title": "Emma"})
        assert (status, 'scope="write:books"' in challenge) == (403, True), address
        assert api(address, writer, method, {"title": "Emma"})[0] in (200, 201), address
    assert api("/api/orders/", reader)[0] == 200


@pytest.mark.django_db
def test_what_is_answered_when(api: Any, logto: Emulator) -> None:
    right = {"aud": "https://shop.example/api", "scope": "read:books"}
    cases = {
        "": (401, "Bearer resource_metadata="),
        "one two": (400, 'Bearer error="invalid_request"'),
        "opaque": (401, 'Bearer error="invalid_token"'),
        access_token(logto, **right, exp=1): (401, 'Bearer error="invalid_token"'),
        access_token(logto, **{**right, "aud": "https://another.example"}): (401, 'Bearer error="invalid_token"'),
        access_token(logto, **{**right, "scope": ""}): (403, 'Bearer error="insufficient_scope"'),
    }
    for address in READING:
        for token, (status, challenge) in cases.items():
            answered, given = api(address, token)
            assert (answered, given.startswith(challenge)) == (status, True), (address, token, given)
            assert 'resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"' in given


@pytest.mark.django_db
def test_who_may_call(api: Any, logto: Emulator, settings: Any) -> None:
    token = access_token(logto, aud="https://shop.example/api", scope="read:books")
    settings.LOGTO_API_CREATE_USERS = False
    metadata = 'resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"'
    assert api("/api/books/", token) == (403, f"Bearer {metadata}")
    settings.LOGTO_API_CREATE_USERS = True
    assert api("/api/books/", token)[0] == 200
    assert User.objects.get().username == "reader"
    User.objects.update(is_active=False)
    assert api("/api/books/", token)[0] == 401
    (block,) = (block for block in blocks_of(PROTECT_AN_API) if "class PeopleOnly" in block.code)
    sys.modules["shop.api"].Books.authentication_classes = [block.run()["PeopleOnly"]]
    robot = access_token(logto, aud="https://shop.example/api", scope="read:books", sub="robot", client_id="robot")
    assert api("/api/books/", robot) == (403, f"Bearer {metadata}")


@pytest.mark.django_db
def test_one_of_two_permissions_is_enough(api: Any, logto: Emulator) -> None:
    either = rest_framework.HasScope("write:books") | rest_framework.HasRole("editor")
    sys.modules["shop.api"].Books.permission_classes = [either]
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api", scope="write:books"))[0] == 200
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api", roles=["editor"]))[0] == 200
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api"))[0] == 403


@pytest.mark.django_db
def test_reading_is_public_without_a_permission_for_it(api: Any, logto: Emulator) -> None:
    sys.modules["shop.api"].Books.permission_classes = sys.modules["shop.api"].Books.permission_classes[1:]
    assert api("/api/books/")[0] == 200
    assert api("/api/books/", method="POST", data={"title": "Emma"})[0] == 401


@pytest.mark.django_db
def test_a_named_app_may_come_with_an_opaque_token(
    api: Any, logto: Emulator, apply_settings: Any, browser: Browser, settings: Any
) -> None:
    logto.tenant.add_user(id="reader", username="reader")
    browser.sign_in("reader")
    token = browser.client.get("/").wsgi_request.logto.access_token()
    assert api("/api/orders/", token)[0] == 401
    apply_settings(PROTECT_AN_API, "LOGTO_API_INTROSPECTED_APPS")
    assert api("/api/orders/", token)[0] == 401
    settings.LOGTO_API_INTROSPECTED_APPS = [settings.LOGTO_APP_ID]
    assert api("/api/orders/", token)[0] == 200
    assert api("/api/books/", token)[0] == 403


@pytest.mark.parametrize("page", [PROTECT_AN_API, ORGANIZATION_PERMISSIONS])
def test_the_robot_gets_its_token(page: str, logto: Emulator) -> None:
    seed_demo(logto.tenant)
    command = shlex.split(the_block(page, "token request").code.removeprefix("$ ").replace("\\\n", ""))
    values = [command[place + 1] for place, word in enumerate(command) if word == "--data"]
    form = dict(value.split("=", 1) for value in values)
    url = next(word for word in command if word.startswith("http")).replace("http://localhost:3001", logto.endpoint)
    user, _, password = command[command.index("--user") + 1].partition(":")
    answer = requests.post(url, data=form, auth=(user, password), timeout=10).json()
    assert answer["scope"] == form["scope"]
    assert list(answer) == ["access_token", "expires_in", "token_type", "scope"]


@pytest.fixture
def branches(logto: Emulator, settings: Any) -> Emulator:
    """Two organizations: `ada` is manager of the one and plain member of the other, `bob` is a member of none."""
    tenant = logto.tenant
    tenant.add_resource("https://shop.example/api", scopes=["read:books"])
    tenant.add_organization_role("manager", scopes=["manage:stock"])
    for name in ("harbour", "hill"):
        tenant.add_organization(name.capitalize(), id=name)
    tenant.add_user(id="ada", username="ada")
    tenant.add_user(id="bob", username="bob", primary_email="bob@example.com")
    tenant.add_member("harbour", "ada", roles=["manager"])
    tenant.add_member("hill", "ada")
    return logto


def visit(browser: Browser, path: str, **headers: str) -> Any:
    return browser.client.get(path, headers=headers)


@uses_database
def test_permissions_in_an_organization(
    browser: Browser, branches: Emulator, apply_settings: Any, shop: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATION_PERMISSIONS, "urn:logto:resource:organizations")
    shop(ORGANIZATION_PERMISSIONS)
    browser.sign_in("ada")
    assert visit(browser, "/branches/harbour/stock/").content == b"The stock of harbour"
    script = {"Accept": "application/json"}
    refused = {path: visit(browser, f"/branches/{path}/stock/", **script).json() for path in ("hill", "nowhere")}
    assert refused["hill"] == {"error": "forbidden", "missing": {"organization_scope": ["manage:stock"]}}
    assert refused["nowhere"] == {"error": "forbidden", "missing": {"organization": []}}
    token = visit(browser, "/").wsgi_request.logto.organization_token("harbour")
    for address, status in {
        "/api/branches/harbour/stock/": 200,
        "/api/branches/hill/stock/": 403,
        "/plain/branches/harbour/stock/": 200,
        "/plain/branches/hill/stock/": 403,
        "/ninja/stock": 200,
    }.items():
        assert Client().get(address, headers=bearer(token)).status_code == status, address
    settings.LOGTO_API_CREATE_USERS = True
    for_an_api = access_token(branches, aud="https://shop.example/api", scope="manage:stock", organization_id="harbour")
    assert Client().get("/api/branches/harbour/stock/", headers=bearer(for_an_api)).status_code == 401


@uses_database
def test_an_api_in_the_name_of_an_organization(branches: Emulator, shop: Any, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    settings.LOGTO_API_CREATE_USERS = True
    shop(ORGANIZATION_APIS)
    right = {"aud": "https://shop.example/api", "scope": "read:books", "organization_id": "harbour"}
    for claims, status in [
        (right, 200),
        ({**right, "scope": ""}, 403),
        ({**right, "organization_id": "hill"}, 403),
        ({**right, "organization_id": None}, 403),
        ({"aud": "urn:logto:organization:harbour", "scope": "read:books"}, 401),
    ]:
        headers = bearer(access_token(branches, **claims))
        for address in ("/api/branches/harbour/books/", "/plain/branches/harbour/books/", "/ninja/harbour/books"):
            assert Client().get(address, headers=headers).status_code == status, (address, claims)


@uses_database
def test_what_logto_puts_into_tokens_of_members(browser: Browser, branches: Emulator, settings: Any) -> None:
    """Why the guide says to demand permissions in the organization."""
    api = "https://shop.example/api"
    branches.tenant.add_organization_role("reader", resource_scopes={api: ["read:books"]})
    branches.tenant.add_member("hill", "bob", roles=["reader"])
    branches.tenant.add_member("harbour", "bob")
    settings.LOGTO_SCOPES = ["openid", "offline_access", "urn:logto:scope:organizations", "read:books"]
    settings.LOGTO_RESOURCES = [api]
    browser.sign_in("bob")
    logto = visit(browser, "/").wsgi_request.logto
    assert logto.permissions(api) == {"read:books"}
    scopes = {
        name: jwt.decode(logto.access_token(api, name), options={"verify_signature": False})["scope"]
        for name in ("harbour", "hill")
    }
    assert scopes == {"harbour": "", "hill": "read:books"}


@uses_database
def test_the_current_organization_by_the_url(
    browser: Browser, branches: Emulator, apply_settings: Any, shop: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    shop(ORGANIZATIONS)
    browser.sign_in("ada")
    assert visit(browser, "/branches/harbour/").content == b"Harbour: you are manager."
    assert visit(browser, "/branches/hill/").content == b"Hill: you are a member."
    assert visit(browser, "/branches/harbour/staff/").status_code == 200
    assert visit(browser, "/branches/hill/staff/").status_code == 403
    assert visit(browser, "/branches/nowhere/").status_code == 403
    browser.client.post("/choose-organization", {"organization_id": "harbour"})
    assert visit(browser, "/").wsgi_request.logto.organization_id == "harbour"
    assert visit(browser, "/branches/nowhere/").wsgi_request.logto.organization is None


@uses_database
def test_the_current_organization_by_other_means(
    browser: Browser, branches: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    browser.sign_in("ada")
    models.Organization.objects.filter(logto_id="hill").update(subdomain="on-the-hill")
    apply_settings(ORGANIZATIONS, "from_subdomain")
    for host, expected in {
        "harbour.shop.example": "harbour",
        "on-the-hill.shop.example": "hill",
        "nowhere.shop.example": None,
        "shop.example": None,
    }.items():
        assert visit(browser, "/", Host=host).wsgi_request.logto.organization_id == expected, host
    settings.ALLOWED_HOSTS = ["*"]
    apply_settings(ORGANIZATIONS, "from_header")
    assert visit(browser, "/", **{"X-Branch": "hill"}).wsgi_request.logto.organization_id == "hill"
    assert visit(browser, "/", **{"X-Branch": "elsewhere"}).wsgi_request.logto.organization_id is None


@pytest.fixture
def shelf(modules: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The model of the guide to organizations, with its table."""
    app = ModuleType("shop")
    app.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "shop", app)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "shop"]
    model = the_block(ORGANIZATIONS, "organization model").run(__name__="shop.models")["Shelf"]
    with connection.schema_editor() as editor:
        editor.create_model(model)
    yield model
    with connection.schema_editor() as editor:
        editor.delete_model(model)
    del apps.all_models["shop"]


@pytest.mark.django_db(transaction=True)
def test_data_of_the_current_organization(
    browser: Browser, branches: Emulator, apply_settings: Any, shelf: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    browser.sign_in("ada")
    for organization in models.Organization.objects.all():
        shelf.objects.create(organization=organization, label=f"The shelf of {organization}")
    (block,) = (block for block in blocks_of(ORGANIZATIONS) if "def shelves" in block.code)
    view = block.run(Shelf=shelf)["shelves"]
    settings.ROOT_URLCONF = (path("shelves/<organization_id>/", view), *bookstore.urls.urlpatterns)
    assert visit(browser, "/shelves/harbour/").json() == {"shelves": ["The shelf of Harbour"]}
    assert visit(browser, "/shelves/nowhere/").status_code == 403
    request = visit(browser, "/").wsgi_request
    assert not shelf.objects.for_request(request).exists()
    assert [each.label for each in shelf.objects.for_organization("hill")] == ["The shelf of Hill"]
    books = the_block(ORGANIZATIONS, "organization path").run()["BookQuerySet"]
    assert books(shelf).for_organization(None).query.is_empty()
    assert books.organization_field == "shelf__organization"


@uses_database
def test_a_door_for_members(branches: Emulator, apply_settings: Any, modules: Any, settings: Any) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    options = modules(ORGANIZATIONS, "shop.doors").HARBOUR
    door = SignInView.as_view(sign_in_options=replace(options, organization_id="harbour"))
    settings.ROOT_URLCONF = (path("door", door), *bookstore.urls.urlpatterns)
    for name, expected in {"bob": "not_a_member", "ada": None}.items():
        person = Browser(branches)
        start = visit(person, "/door").url
        response = person.open(person.logto.sign_in(start, name))
        assert (response.context or {"code": None})["code"] == expected
    assert [each.username for each in User.objects.all()] == ["ada"]
    assert visit(person, "/").wsgi_request.logto.organization_id == "harbour"


@uses_database
def test_an_invitation(browser: Browser, branches: Emulator, apply_settings: Any, settings: Any) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    branches.tenant.add_jit("hill", roles=["manager"])
    role = "Logto Management API access"
    application = branches.tenant.add_application(name="Host", type="MachineToMachine", roles=[role])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = application.id, application.secret
    invitation_link = the_block(ORGANIZATIONS, "invitation").run()["invitation_link"]
    browser.sign_in("ada")
    for email in ("bob@example.com", "new@example.com"):
        start = browser.open(invitation_link(email, "hill")).url
        assert browser.open(browser.logto.sign_in_by_link(start)).url == "/branches/hill/"
        request = visit(browser, "/").wsgi_request
        assert request.user.email == email
        assert [(each.id, each.roles) for each in request.logto.organizations] == [("hill", ("manager",))]


@uses_database
def test_whoever_has_left_an_organization_has_none_after_the_refresh(
    browser: Browser, branches: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(ORGANIZATIONS, "organization_data")
    settings.LOGTO_FRESHNESS_SECONDS = 0
    branches.tenant.add_member("hill", "bob")
    browser.sign_in("bob")
    assert visit(browser, "/").wsgi_request.logto.organization.name == "Hill"
    branches.tenant.organizations["hill"].members.pop("bob")
    changes: list[set[str]] = []

    def note(changed: set[str], **kwargs: Any) -> None:
        changes.append(changed)

    signals.user_updated.connect(note)
    assert visit(browser, "/").wsgi_request.logto.organization is None
    signals.user_updated.disconnect(note)
    assert changes == [{"organizations"}]
    assert not models.OrganizationMembership.objects.exists()


# What the guides to permissions and to calls promise

PERMISSIONS = "docs/how-to/permissions.md"
CALL_OTHER_APIS = "docs/how-to/call-other-apis.md"


@pytest.fixture
def bookkeepers(logto: Emulator) -> Emulator:
    """`ada` may read and write books, `bob` may read them."""
    api = "https://shop.example/api"
    logto.tenant.add_resource(api, scopes=["read:books", "write:books"])
    logto.tenant.add_role("editor", scopes={api: ["read:books", "write:books"]})
    logto.tenant.add_role("reader", scopes={api: ["read:books"]})
    logto.tenant.add_user(username="ada", roles=["editor"])
    logto.tenant.add_user(username="bob", roles=["reader"])
    return logto


@uses_database
def test_the_views_of_the_guide_to_permissions(
    browser: Browser, bookkeepers: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(PERMISSIONS, "LOGTO_API_RESOURCE")
    views, more = modules(PERMISSIONS, "shop.views"), sys.modules["shop.more_views"]
    open_to = {
        "add": (views.add_book, {"ada"}),
        "edit": (views.EditBook.as_view(), {"ada"}),
        "remove": (more.remove_book, {"ada"}),
        "desk": (more.desk, {"ada"}),
        "catalogue": (more.Catalogue.as_view(), {"ada"}),
    }
    views_by_name = [path(name, view) for name, (view, _) in open_to.items()]
    settings.ROOT_URLCONF = (*views_by_name, *bookstore.urls.urlpatterns)
    for username in ("ada", "bob"):
        person = Browser(bookkeepers)
        assert visit(person, "/add").url == "/sign-in?next=/add"
        person.sign_in(username)
        allowed = {name for name in open_to if visit(person, f"/{name}").status_code == 200}
        assert allowed == {name for name, (_, people) in open_to.items() if username in people}
    (template, tags) = (block for block in blocks_of(PERMISSIONS) if block.language == "html+django")
    assert "logto.write:books" in template.code
    for name, missing in {"remove": {"scope": ["write:books"]}, "desk": {"role": ["editor", "admin"]}}.items():
        answer = visit(person, f"/{name}", Accept="application/json")
        assert answer.json() == {"error": "forbidden", "missing": missing}
    assert "It asks for the permission write:books." in visit(person, "/remove").content.decode()
    request = visit(person, "/").wsgi_request
    assert request.user.has_perm("logto.read:books")
    assert not User.objects.get(username="bob").has_perm("logto.read:books")
    assert not request.user.get_all_permissions()
    rendered = engines["django"].from_string(template.code + tags.code + "{{ may_write }}").render({}, request)
    assert ("Add a book" in rendered, rendered.strip()[-5:]) == (False, "False")


@uses_database
def test_without_logto_nobody_holds_a_permission_and_the_page_says_why(
    browser: Browser, bookkeepers: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(PERMISSIONS, "LOGTO_API_RESOURCE")
    modules(PERMISSIONS)
    view = sys.modules["shop.more_views"].remove_book
    settings.ROOT_URLCONF = (path("remove", view), *bookstore.urls.urlpatterns)
    browser.sign_in("ada")
    bookkeepers.faults.http["token"] = HttpFault(status=503)
    assert not visit(browser, "/").wsgi_request.user.has_perm("logto.write:books")
    assert visit(browser, "/remove").status_code == 503


@uses_database
def test_calls_in_the_person_s_name_and_in_nobody_s(
    browser: Browser, logto: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(CALL_OTHER_APIS, "LOGTO_RESOURCES")
    resource = "https://stock.example/api"
    logto.tenant.add_resource(resource, scopes=["read:stock"])
    logto.tenant.add_role("clerk", scopes={resource: ["read:stock"]})
    logto.tenant.add_role("robot", type="MachineToMachine", scopes={resource: ["read:stock"]})
    logto.tenant.add_user(id="ada", username="ada", roles=["clerk"])
    robot = logto.tenant.add_application(name="Robot", type="MachineToMachine", roles=["robot"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = robot.id, robot.secret
    browser.sign_in("ada")
    request = visit(browser, "/").wsgi_request
    in_nobody_s_name = modules(CALL_OTHER_APIS, "shop.jobs").STOCK
    for auth, sub in [(outgoing.UserToken(request, resource=resource), "ada"), (in_nobody_s_name, robot.id)]:
        call = requests.Request("GET", f"{resource}/books", auth=auth).prepare()
        claims = jwt.decode(call.headers["Authorization"].split()[1], options={"verify_signature": False})
        assert (claims["sub"], claims["aud"], claims["scope"]) == (sub, resource, "read:stock")
    for refused, error in [
        (outgoing.MachineToken(resource="https://unknown.example"), "invalid_target"),
        (outgoing.MachineToken(organization_id="nowhere"), "access_denied"),
    ]:
        with pytest.raises(exceptions.ProviderError) as raised:
            requests.Request("GET", resource, auth=refused).prepare()
        assert raised.value.error == error


# What the guide to mapping users promises

MAP_USERS = "docs/how-to/map-users.md"


@uses_database
def test_fields_of_the_site_s_own(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "shop_user_fields")
    logto.tenant.add_user(username="ada", profile={"givenName": "Ada", "familyName": "Lovelace"})
    browser.sign_in("ada")
    assert (User.objects.get().first_name, User.objects.get().last_name) == ("Ada", "LOVELACE")


@uses_database
def test_members_only(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "members_only")
    logto.tenant.add_role("member")
    person = logto.tenant.add_user(username="ada")
    response = browser.sign_in("ada")
    assert response.status_code == 403
    assert "Ask the desk to make you one." in response.content.decode()
    assert not User.objects.exists()
    logto.tenant.update_user(person.id, roles=["member"])
    browser.sign_in("ada", prompt="login")
    assert User.objects.get().username == "ada"


@uses_database
def test_rights_by_roles(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "LOGTO_GROUPS_BY_ROLE")
    for name in ("clerk", "admin", "editor"):
        logto.tenant.add_role(name)
    person = logto.tenant.add_user(username="ada", roles=["clerk"])
    browser.sign_in("ada")
    user = User.objects.get()
    user.groups.add(Group.objects.create(name="By hand"))
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert set(user.groups.values_list("name", flat=True)) == {"Clerks", "By hand"}
    logto.tenant.update_user(person.id, roles=["editor"])
    browser.sign_in("ada", prompt="login")
    user.refresh_from_db()
    assert not user.is_staff
    assert set(user.groups.values_list("name", flat=True)) == {"Editors", "By hand"}


@uses_database
@pytest.mark.parametrize(("is_staff", "accounts"), [(False, 1), (True, 2)])
def test_linking_by_email(
    browser: Browser, logto: Emulator, apply_settings: Any, is_staff: bool, accounts: int
) -> None:
    User.objects.create_user("old", "Ada@example.com", "password", is_staff=is_staff)
    apply_settings(MAP_USERS, "LOGTO_LINK_BY_EMAIL")
    logto.tenant.add_user(username="ada", primary_email="ada@example.com")
    browser.sign_in("ada")
    assert User.objects.count() == accounts
    assert User.objects.get(username="old").has_usable_password() is is_staff


@uses_database
def test_an_identity_by_hand(browser: Browser, logto: Emulator) -> None:
    User.objects.create_user("ada", is_staff=True)
    the_block(MAP_USERS, "identity").run()
    logto.tenant.add_user(id="hodngok08qve", username="another-name")
    browser.sign_in("another-name")
    assert User.objects.get().username == "ada"


@uses_database
def test_a_backend_of_the_site_s_own(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "ShopBackend")
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    User.objects.get().groups.add(Group.objects.create(name="Banned"))
    assert browser.sign_in("ada", prompt="login").context["code"] == "refused_by_site"


@uses_database
def test_a_person_without_names_or_email(browser: Browser, logto: Emulator) -> None:
    sub = logto.tenant.add_user(password="p", name="曹雪芹").id
    url = browser.start()
    browser.open(browser.logto.sign_in(url, "曹雪芹"))
    user = User.objects.get()
    assert (user.username, user.first_name, user.last_name, user.email) == (sub, "曹雪芹", "", "")


# What other guides promise


@uses_database
def test_an_address_given_here_stays(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    User.objects.update(email="ada@example.com")
    apply_settings("docs/how-to/alipay.md", "keep_own_email")
    browser.sign_in("ada", prompt="login")
    assert User.objects.get().email == "ada@example.com"


@uses_database
def test_alipay_s_id_is_among_the_claims(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings("docs/how-to/alipay.md", "LOGTO_USERINFO_CLAIMS")
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    url = browser.start(direct_sign_in="social:alipay")
    browser.open(browser.logto.sign_in_with_alipay(url, "2088000000000002"))
    claims = browser.client.get("/").wsgi_request.logto.claims
    assert claims["identities"]["alipay"]["userId"] == "2088000000000002"


def test_a_tenant_with_the_native_connector_alone_shows_no_alipay(browser: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.connectors = ["alipay-native"]
    page = browser.logto.open(browser.start(direct_sign_in="social:alipay"))
    assert "Alipay" not in page.text
    assert "/sign-in" in page.url


def test_an_address_of_its_own_for_registering(client: Any, logto: Emulator, settings: Any, modules: Any) -> None:
    modules("docs/how-to/sign-in-options.md")
    settings.ROOT_URLCONF = "shop.urls"
    assert "first_screen=register" in client.get("/join").url


@uses_database
def test_a_view_that_starts_a_sign_in(client: Any, logto: Emulator, settings: Any, modules: Any) -> None:
    view = modules("docs/how-to/sign-in-options.md", "shop.views").branch_sign_in
    sys.modules["shop.urls"].urlpatterns += [path("branches/<branch>", view), *bookstore.urls.urlpatterns]
    settings.ROOT_URLCONF = "shop.urls"
    assert "organization_id=harbourbr001" in client.get("/branches/harbour").url
    logto.faults.http["discovery"] = HttpFault(status=500)
    pytest_plugin.reset_clients()
    assert client.get("/branches/harbour").status_code == 502


def test_a_magic_link(client: Any, logto: Emulator, apply_settings: Any) -> None:
    link = "/sign-in?one_time_token=abc&login_hint=ada%40example.com"
    assert "one_time_token" not in client.get(link).url
    apply_settings("docs/how-to/sign-in-options.md", "one_time_token")
    assert "one_time_token=abc" in client.get(link).url


@uses_database
def test_the_password_form_of_the_admin(client: Any, logto: Emulator, apply_settings: Any) -> None:
    assert client.get("/admin/login/password/").status_code == 404
    apply_settings("docs/how-to/admin.md", "LOGTO_ADMIN_PASSWORD_SIGN_IN")
    User.objects.create_superuser("root", password="password")
    response = client.post("/admin/login/password/", {"username": "root", "password": "password", "next": "/admin/"})
    assert response.url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_answer_for_a_script_is_as_shown(client: Any, logto: Emulator) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Referer": "http://testserver/basket/"}
    response = client.get("/account/", headers=headers)
    (shown,) = (block for block in blocks_of("docs/how-to/htmx-and-fetch.md") if block.language == "http")
    head, _, body = shown.code.strip().partition("\n\n")
    status, *lines = head.splitlines()
    assert status.split(" ", 1)[1] == f"{response.status_code} {response.reason_phrase}"
    for line in lines:
        name, _, value = line.partition(": ")
        assert response[name] == value
    assert response.content.decode() == body


@uses_database
def test_identities_move_with_the_issuer(logto: Emulator) -> None:
    user = User.objects.create_user("ada")
    LogtoIdentity.objects.create(user=user, issuer="https://abc123.logto.app/oidc", sub="s1")
    the_block("docs/how-to/deploy.md", "move issuer").run()
    identity = LogtoIdentity.objects.get()
    assert identity.digest == make_digest("https://sign-in.shop.example/oidc", "s1")


@uses_database
def test_expired_sessions_are_cleared_as_shown(browser: Browser, logto: Emulator, capsys: Any) -> None:
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    Browser(logto).sign_in("ada")
    row = LogtoSession.objects.first()
    kept = timedelta(seconds=django_settings.SESSION_COOKIE_AGE + 3601)
    LogtoSession.objects.update(fresh_until=row.created_at - kept)
    browser.sign_in("ada", prompt="login")
    call_command("logto_clearsessions")
    (shown,) = (block for block in blocks_of("docs/reference/commands.md") if "logto_clearsessions" in block.code)
    printed = capsys.readouterr().out
    # The sign-in over a living session has deleted one of the two already.
    assert re.sub(r"\d", "N", printed) == re.sub(r"\d", "N", shown.code.split("\n", 1)[1])
    assert LogtoSession.objects.count() == 1
    assert browser.client.get("/").wsgi_request.logto.claims


@uses_database
def test_people_are_signed_out_and_switched_off_by_the_lines_of_the_guide(browser: Browser, logto: Emulator) -> None:
    page = "docs/how-to/sign-out.md"
    logto.tenant.add_user(username="ada")
    for another in (browser, Browser(logto)):
        another.sign_in("ada")
    assert the_block(page, "sign out everywhere").run()["sign_out_everywhere"]("ada") == 2
    assert not browser.client.get("/").wsgi_request.user.is_authenticated
    browser.sign_in("ada")
    the_block(page, "switch off").run()["switch_off"]("ada")
    assert not LogtoSession.objects.exists()
    assert browser.sign_in("ada", prompt="login").context["code"] == "account_disabled"


@uses_database
def test_a_person_restored_at_logto_is_let_in_by_the_lines_of_the_guide(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(id="hodngok08qve", username="ada")
    browser.sign_in("ada")
    suspend(LogtoIdentity.objects.get(), models.UserStatus.DELETED, now())
    assert browser.sign_in("ada", prompt="login").context["code"] == "account_disabled"
    the_block("docs/how-to/webhooks.md", "restored").run()
    assert browser.sign_in("ada", prompt="login").status_code == 302


@uses_database
def test_whoever_is_no_member_any_more_is_out_at_the_next_refresh(
    browser: Browser, logto: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(MAP_USERS, "members_only")
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_role("member")
    person = logto.tenant.add_user(username="ada", roles=["member"])
    browser.sign_in("ada")
    assert browser.client.get("/").wsgi_request.user.is_authenticated
    logto.tenant.update_user(person.id, roles=[])
    assert not browser.client.get("/").wsgi_request.user.is_authenticated


@uses_database
def test_the_views_of_the_guide_to_recent_sign_ins(
    browser: Browser, logto: Emulator, settings: Any, modules: Any
) -> None:
    views = modules("docs/how-to/step-up.md", "shop.payments")
    modules("docs/how-to/sign-in-options.md")
    sys.modules["shop.urls"].urlpatterns += [
        path("pay", views.pay),
        path("close", views.CloseAccount.as_view()),
        *bookstore.urls.urlpatterns,
    ]
    settings.ROOT_URLCONF = "shop.urls"
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    assert browser.client.get("/pay").url == "/sign-in?max_age=300&next=/pay"
    assert browser.client.get("/close").url == "/sign-in?max_age=600&next=/close"
    browser.sign_in(max_age="300")
    assert browser.client.get("/pay").content == b"Thank you."
    assert browser.client.get("/close").status_code == 200


@uses_database
def test_what_ends_a_session_and_what_does_not(browser: Browser, logto: Emulator, settings: Any) -> None:
    """The claims of the guide to sessions that no flow shows."""
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    # A sign-out elsewhere, without back-channel logout: the refresh token lives.
    browser.logto.sign_out(f"{logto.issuer}/session/end?client_id={settings.LOGTO_APP_ID}")
    assert browser.client.get("/").wsgi_request.user.is_authenticated
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 0
    logto.faults.http["token"] = HttpFault(status=503)
    assert not browser.client.get("/").wsgi_request.user.is_authenticated


@uses_database
def test_identities_from_usernames(browser: Browser, logto: Emulator) -> None:
    sub = logto.tenant.add_user(username="ada").id
    User.objects.create_user(sub)
    User.objects.create_user("root", password="password")
    the_block("docs/how-to/move-from-mozilla-django-oidc.md", "identities from usernames").run()
    assert LogtoIdentity.objects.count() == 1
    browser.sign_in("ada")
    assert User.objects.count() == 2


@uses_database
def test_a_receiver_welcomes_newcomers(browser: Browser, logto: Emulator, modules: Any) -> None:
    modules("docs/reference/signals.md")
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    assert browser.client.session["show_welcome"] is True


@uses_database
def test_the_example_for_unittest(modules: Any) -> None:
    case = modules("docs/how-to/test-your-site.md", "shop.tests").SignInTest
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == 1
    assert not [*result.errors, *result.failures]


@uses_database
def test_the_views_of_the_guide_to_tokens(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    page = "docs/how-to/get-tokens.md"
    apply_settings(page, 'https://stock.example/api"]\nLOGTO_SCOPES')
    logto.tenant.add_resource("https://stock.example/api", scopes=["read:stock"])
    logto.tenant.add_role("clerk", scopes={"https://stock.example/api": ["read:stock"]})
    logto.tenant.add_user(username="ada", roles=["clerk"])
    browser.sign_in("ada")
    request = browser.client.get("/").wsgi_request
    assert request.logto.access_token(resource="https://stock.example/api").count(".") == 2
    assert request.logto.user_info()["username"] == "ada"
    LogtoSession.objects.all().delete()
    request = browser.client.get("/").wsgi_request
    with pytest.raises(exceptions.SignInRequired):
        request.logto.access_token(resource="https://stock.example/api")


@uses_database
def test_tokens_for_an_organization(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    page = "docs/how-to/get-tokens.md"
    apply_settings(page, "urn:logto:resource:organizations")
    logto.tenant.add_resource("https://stock.example/api", scopes=["read:stock"])
    logto.tenant.add_organization_role("manager", scopes=["manage:stock"])
    organization = logto.tenant.add_organization("Harbour")
    person = logto.tenant.add_user(username="ada")
    logto.tenant.add_member(organization.id, person.id, roles=["manager"])
    browser.sign_in("ada")
    (block,) = (block for block in blocks_of(page) if "def tokens_of" in block.code)
    tokens = block.run()["tokens_of"](browser.client.get("/").wsgi_request, organization.id)
    assert [token.count(".") for token in tokens] == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_an_async_view(browser: Browser, logto: Emulator, settings: Any, modules: Any) -> None:
    view = the_block("docs/how-to/get-tokens.md", "async view").run()["whoami"]
    modules("docs/how-to/sign-in-options.md")
    sys.modules["shop.urls"].urlpatterns.append(path("whoami", view))
    settings.ROOT_URLCONF = "shop.urls"
    sub = logto.tenant.add_user(username="ada").id
    browser.sign_in("ada")
    client = AsyncClient()
    client.cookies = browser.client.cookies
    assert async_to_sync(client.get)("/whoami").json() == {"sub": sub, "roles": []}
