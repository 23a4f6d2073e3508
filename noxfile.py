"""The tests on other versions: `nox` runs what is installed here, `nox -s lowest` the lowest versions.

It is not part of `make check`. Each session runs the tests that `make test` runs; arguments after `--` go to pytest.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
DJANGOS = ["5.2", "6.0", "6.1"]
# What the guides to other packages were tried with: settings modules in `tests/profiles/packages`.
PACKAGES = {
    "allauth": ["django-allauth[socialaccount]~=65.22"],
    "django_cms": ["django-cms~=5.1"],
    "django_logto": ["django-logto==1.0.4"],
    "drf_logto": ["drf-logto==0.1.0"],
    "jazzmin": ["django-jazzmin~=3.0"],
    "row_security": [],
    "strawberry": ["strawberry-graphql~=0.341"],
    "tenants": ["django-tenants~=4.0"],
    "unfold": ["django-unfold~=0.91"],
    "wagtail": ["wagtail~=8.0"],
}


@nox.session
@nox.parametrize(
    ("python", "django"),
    [(python, django) for python in PYTHONS for django in DJANGOS if django == "5.2" or python not in ("3.10", "3.11")],
)
def tests(session: nox.Session, django: str) -> None:
    """Run the tests with the newest versions of everything but Django."""
    session.install("-r", "requirements.txt", f"django~={django}.0")
    run(session)


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest versions that pyproject.toml names, and the newest of what only tests need."""
    session.install("uv")
    pins = Path(session.create_tmp()) / "lowest.txt"
    compile_pins = ["uv", "pip", "compile", "--quiet", "--resolution=lowest-direct", "--all-extras", "pyproject.toml"]
    session.run_install(*compile_pins, "--python-version", "3.10", "--output-file", str(pins))
    session.install("-r", str(pins), "-r", "requirements.txt")
    # The tests of the documentation make one API several times in a process, which django-ninja 1.5 refuses.
    run(session, NINJA_SKIP_REGISTRY="yes")


@nox.session
def mysqlclient(session: nox.Session) -> None:
    """Run the tests of users and sessions on MariaDB or MySQL with mysqlclient, which needs a compiler to install."""
    session.install("-r", "requirements.txt", "mysqlclient")
    env = {"TEST_DATABASE": "mysql", "TEST_MYSQL_DRIVER": "mysqlclient"}
    folders = ["tests/sessions", "tests/sign_in", "tests/sync", "tests/users"]
    markers = "not (postgresql or rabbitmq or redis)"
    session.run("python", "-m", "pytest", "-n", "2", "-m", markers, *folders, *session.posargs, env=env)


@nox.session
@nox.parametrize("package", list(PACKAGES), ids=list(PACKAGES))
def packages(session: nox.Session, package: str) -> None:
    """Run the tests of a site with another package, as its guide sets it up."""
    session.install("-r", "requirements.txt", *PACKAGES[package])
    env = {"DJANGO_SETTINGS_MODULE": f"tests.profiles.packages.{package}"}
    # The first ones need what migrations of the package have created, which other tests remove.
    for tests in (f"tests/profiles/packages/own/test_{package}.py", "tests/profiles/flows"):
        session.run("python", "-m", "pytest", tests, *session.posargs, env=env)


def run(session: nox.Session, **env: str) -> None:
    """Run the tests of `make test`."""
    markers = "not (browser or live or mysql or postgresql or rabbitmq or redis)"
    session.run("python", "-m", "pytest", "-n", "2", "--dist", "worksteal", "-m", markers, *session.posargs, env=env)
