"""Sites made of the snippets of a page."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

import bookstore.urls
from logto_auth.emulator import Emulator
from tests.management_commands import fresh

from .callers import bearer
from .pages import blocks_of

__all__ = ["fresh"]

PROTECT_AN_API = "docs/how-to/protect-an-api.md"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the modules of a page importable and returns the one that is wanted."""

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
    """Return a function that applies the settings snippet of a page that contains a text."""

    def apply(page: str, name: str) -> None:
        (block,) = (block for block in blocks_of(page) if block.kind == "settings" and name in block.code)
        modules(page)
        for key, value in block.run().items():
            if key.isupper():
                setattr(settings, key, value)

    return apply


@pytest.fixture
def shop(modules: Any, settings: Any) -> Any:
    """Return a function that uses the modules of a page as the site, with the pages of the bookstore added."""

    def install(page: str) -> None:
        modules(page, "shop.urls").urlpatterns += bookstore.urls.urlpatterns
        settings.ROOT_URLCONF = "shop.urls"

    return install


@pytest.fixture
def api(shop: Any, settings: Any, logto: Emulator) -> Any:
    """Use the site of the guide to APIs. Return a function that calls it and returns status and challenge."""
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    settings.LOGTO_API_CREATE_USERS = True
    shop(PROTECT_AN_API)

    def call(path: str, token: str = "", method: str = "GET", data: Any = None) -> tuple[int, str]:
        headers = bearer(token) if token else {}
        response = Client().generic(method, path, json.dumps(data), "application/json", headers=headers)
        return response.status_code, response.headers.get("WWW-Authenticate", "")

    return call


@pytest.fixture
def branches(logto: Emulator, settings: Any) -> Emulator:
    """Two organizations. `ada` is a manager of one and a plain member of the other. `bob` is a member of none."""
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
