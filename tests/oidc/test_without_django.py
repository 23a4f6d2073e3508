"""The protocol layer and the Management API client can be imported where Django is not installed."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import logto_auth.management_api
import logto_auth.oidc

PROGRAM = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "mozilla_django_oidc"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted(name for name in sys.modules if name.startswith("logto_auth")))
"""


def modules_of(package: object) -> list[str]:
    return [package.__name__, *(info.name for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."))]


def run(*modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, *modules], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("package", [logto_auth.oidc, logto_auth.management_api], ids=["oidc", "management_api"])
def test_package_is_imported_without_django(package: object) -> None:
    modules = modules_of(package)
    ran = run(*modules)
    assert ran.returncode == 0, ran.stderr
    assert set(modules) <= set(ran.stdout.split())
    assert "logto_auth.conf" not in ran.stdout.split()


def test_blocker_stops_a_module_that_needs_django() -> None:
    ran = run("logto_auth.exceptions")
    assert ran.returncode != 0
    assert "django is blocked" in ran.stderr


def test_protocol_layer_names_no_setting() -> None:
    for info in pkgutil.iter_modules(logto_auth.oidc.__path__, "logto_auth.oidc."):
        with open(info.module_finder.find_spec(info.name).origin, encoding="utf-8") as source:
            assert "LOGTO_" not in source.read(), info.name


@pytest.mark.parametrize("package", [logto_auth.oidc], ids=["oidc"])
def test_each_module_declares_its_public_names(package: object) -> None:
    for name in modules_of(package):
        module = sys.modules.get(name) or __import__(name, fromlist=["_"])
        assert all(hasattr(module, public) for public in module.__all__), name
