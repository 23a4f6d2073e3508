"""`manage.py demo` in a process of its own, as `make demo` starts it; each fault is one clear sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest
import requests

from tests.processes import child
from tests.servers import free_port, lacking

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOGTO_", "POSTGRES_")) and name != "DJANGO_SETTINGS_MODULE"
    }
    return inherited | {
        "PORT": str(free_port()),
        "EMULATOR_PORT": str(free_port()),
        "SQLITE_PATH": str(tmp_path / "demo.sqlite3"),
    }


@pytest.fixture
def busy_port() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


def start(environment: dict[str, str], *options: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return child([sys.executable, "manage.py", "demo", *options], cwd=ROOT, env=environment)


def fault(environment: dict[str, str]) -> str:
    """Return the one line that a demo that cannot start leaves behind."""
    with start(environment) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, output + errors
    assert output == ""
    [line] = errors.splitlines()
    assert line.startswith("CommandError: ")
    return line.removeprefix("CommandError: ")


def wait_until_it_answers(url: str, process: subprocess.Popen[str]) -> requests.Response:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("".join(process.communicate()))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_runs_both_servers_and_ends_quietly(environment, end):
    with start(environment) as process:
        site = f"http://127.0.0.1:{environment['PORT']}"
        assert "Old books" in wait_until_it_answers(site, process).text
        assert requests.get(f"{site}/static/bookstore/style.css", timeout=5).status_code == 200
        assert "This page does not exist" in requests.get(f"{site}/no-such-page/", timeout=5).text
        emulator = f"http://127.0.0.1:{environment['EMULATOR_PORT']}"
        assert requests.get(f"{emulator}/oidc/.well-known/openid-configuration", timeout=5).status_code == 200
        mails = requests.get(f"{emulator}/emulator/messages", timeout=5).text
        link = f"http://localhost:{environment['PORT']}/branches/invitation/"
        (path,) = re.findall(rf'href="{link}([^"]*)"', mails)
        invitation = requests.get(f"http://127.0.0.1:{environment['PORT']}/branches/invitation/{path}", timeout=5)
        assert "newcomer@bookstore.example" in invitation.text
        process.send_signal(end)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert f"http://localhost:{environment['PORT']}/admin/" in output
    assert f"http://localhost:{environment['PORT']}/api/docs/" in output
    if find_spec("django_mcpz"):
        assert f"-m bookstore.agents.client --url http://localhost:{environment['PORT']}/mcp" in output
    for account in ("customer", "editor", "admin", "owner", "manager", "suspended"):
        assert f"{account}-password" in output


def test_json_names_urls_and_accounts_on_any_terminal(environment):
    with start(environment | {"PYTHONIOENCODING": "ascii"}, "--json") as process:
        data = json.loads(process.stdout.readline())
        assert data["site"] == f"http://localhost:{environment['PORT']}/"
        assert data["logto"] == f"http://localhost:{environment['EMULATOR_PORT']}"
        assert {"username": "customer", "password": "customer-password"} in data["accounts"]
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, "Traceback" in errors) == (0, "", False)


@pytest.mark.timeout(180)
def test_doctor_warns_only_of_the_policy_in_demo(environment):
    base_url = f"http://localhost:{environment['PORT']}"
    with start(environment) as process:
        wait_until_it_answers(base_url, process)
        doctor = manage("logto_doctor", "--json", environment=environment)
        plan = manage("logto_setup", "--check", "--base-url", base_url, environment=environment)
        process.send_signal(signal.SIGINT)
        output, _errors = process.communicate(timeout=30)
    findings = json.loads(doctor.stdout)["findings"]
    [warning] = [finding for finding in findings if finding["level"] not in ("ok", "skipped")]
    # A mandatory second factor would be in the way of each sign-in of the demo.
    assert warning["message"].startswith("The MFA policy is NoPrompt")
    assert {"check": "authentication-methods", "level": "ok"}.items() <= next(
        finding.items() for finding in findings if finding["check"] == "authentication-methods"
    )
    # A demo needs neither of the other two.
    changes = [line for line in plan.stdout.splitlines() if line.startswith(("+", "~"))]
    assert [line.split(" of ")[0] for line in changes] == [
        "~ sign-in experience",
        f"+ webhook {base_url}/webhooks/logto",
    ]
    assert f"http://localhost:{environment['EMULATOR_PORT']}/emulator/messages" in output


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


OWN_LOGTO = {
    "LOGTO_ENDPOINT": "https://tenant.logto.example",
    "LOGTO_APP_ID": "own",
    "LOGTO_APP_SECRET": "secret-of-the-own-logto",
}


def test_printed_machine_example_works(environment):
    if shutil.which("curl") is None:
        lacking("curl")
    with start(environment) as process:
        site = f"http://127.0.0.1:{environment['PORT']}"
        wait_until_it_answers(site, process)
        lines = iter(process.stdout.readline, "")
        example = takewhile(str.strip, dropwhile(lambda line: "TOKEN=" not in line, lines))
        run = subprocess.run(["sh", "-c", "".join(example)], capture_output=True, text=True, timeout=30)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert json.loads(run.stdout) == {"book": "emma-jane-austen", "title": "Emma", "copies": 7}


def test_real_logto_needs_no_emulator(environment, busy_port):
    with start(environment | OWN_LOGTO | {"EMULATOR_PORT": busy_port}) as process:
        wait_until_it_answers(f"http://127.0.0.1:{environment['PORT']}/", process)
        process.send_signal(signal.SIGINT)
        output, _errors = process.communicate(timeout=30)
    assert "https://tenant.logto.example" in output
    assert f"http://localhost:{environment['PORT']}/callback" in output
    # Only one origin has to be registered.
    assert "127.0.0.1" not in output
    assert "secret-of-the-own-logto" not in output
    assert "customer-password" not in output
    assert "create the API resource https://bookstore.example/api" in output
    assert "TOKEN=" not in output


ORGANIZATIONS, SHOP = "urn:logto:resource:organizations", "https://bookstore.example/api"


@pytest.mark.parametrize(
    ("variables", "api", "asked_for"),
    [
        ({}, SHOP, [ORGANIZATIONS, SHOP]),
        (OWN_LOGTO, SHOP, [ORGANIZATIONS]),
        (OWN_LOGTO | {"LOGTO_API_RESOURCE": ""}, SHOP, [ORGANIZATIONS]),
        (
            OWN_LOGTO | {"LOGTO_API_RESOURCE": "https://own.example"},
            "https://own.example",
            [ORGANIZATIONS, "https://own.example"],
        ),
    ],
    ids=["emulator", "own Logto", "own Logto, empty", "own Logto with the API"],
)
def test_sign_in_names_no_unconfigured_api_resource(environment, variables, api, asked_for):
    source = "from bookstore.settings import *; print(json.dumps([LOGTO_API_RESOURCE, LOGTO_RESOURCES]))"
    command = [sys.executable, "-c", f"import json; {source}"]
    output = subprocess.run(command, cwd=ROOT, env=environment | variables, capture_output=True, check=True).stdout
    assert json.loads(output) == [api, asked_for]


ENDPOINTS = """
import json, os, sys
if "WITHOUT_MCP" in os.environ:
    sys.modules["django_mcpz"] = None  # as if it were not installed
os.environ["DJANGO_SETTINGS_MODULE"] = "bookstore.settings"
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("check", stdout=sys.stderr)
print(json.dumps([list(settings.LOGTO_API_RESOURCES), "bookstore.agents.server" in sys.modules]))
"""


@pytest.mark.parametrize(
    ("variables", "resources"),
    [
        ({}, ["http://localhost:{PORT}/mcp"]),
        ({"LOGTO_BASE_URL": "https://shop.example"}, ["https://shop.example/mcp"]),
        ({"DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": "x" * 50}, []),
        ({"WITHOUT_MCP": "1"}, []),
    ],
    ids=["demo", "base URL", "no known URL", "no package"],
)
def test_endpoint_of_agents_exists_if_its_url_is_known(environment, variables, resources):
    if find_spec("django_mcpz") is None:
        resources = []
    command = [sys.executable, "-W", "ignore", "-c", ENDPOINTS]
    run = subprocess.run(command, cwd=ROOT, env=environment | variables, capture_output=True, text=True, timeout=60)
    expected = [resource.format(**environment) for resource in resources]
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [expected, bool(expected)]


def test_incomplete_logto_configuration_is_refused(environment):
    sentence = fault(environment | {"LOGTO_ENDPOINT": "https://tenant.logto.example"})
    assert "LOGTO_APP_ID and LOGTO_APP_SECRET" in sentence
    sentence = fault(environment | {"LOGTO_API_RESOURCE": "https://own.example"})
    assert "LOGTO_ENDPOINT and LOGTO_APP_ID and LOGTO_APP_SECRET" in sentence


def test_wrong_endpoint_is_reported_before_the_start(environment):
    with start(environment | OWN_LOGTO | {"LOGTO_ENDPOINT": "https://tenant.logto.example/oidc"}) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("SystemCheckError: System check identified some issues:")
    assert "(logto_auth.E006) LOGTO_ENDPOINT is 'https://tenant.logto.example/oidc', not an origin" in errors
    assert "HINT: Set it to 'https://tenant.logto.example'." in errors
    assert "Traceback" not in errors


def test_sign_in_at_another_name_of_the_machine_goes_to_the_registered_one(environment):
    with start(environment | OWN_LOGTO) as process:
        port = environment["PORT"]
        wait_until_it_answers(f"http://127.0.0.1:{port}/", process)
        answer = requests.get(f"http://127.0.0.1:{port}/sign-in", timeout=5, allow_redirects=False)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert answer.headers["Location"].startswith(f"http://localhost:{port}/sign-in")


@pytest.mark.parametrize("variable", ["PORT", "EMULATOR_PORT"])
def test_a_busy_port_is_named(environment, busy_port, variable):
    sentence = fault(environment | {variable: busy_port})
    assert sentence == (f"Port {busy_port} is in use by another program: stop it, or set {variable} to a free port.")


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "", "\N{FULLWIDTH DIGIT EIGHT}000"])
def test_invalid_port_is_refused(environment, value):
    assert "must be a number from 1 to 65535" in fault(environment | {"PORT": value})


def test_two_servers_need_two_ports(environment):
    assert "different numbers" in fault(environment | {"EMULATOR_PORT": environment["PORT"]})


STALE = "belongs to another version of the bookstore: delete it and start again."


def test_a_database_of_another_program_is_refused(environment):
    Path(environment["SQLITE_PATH"]).write_bytes(b"This is no database at all. " * 100)
    assert fault(environment).endswith(STALE)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE catalog_book (id integer)",
        "CREATE TABLE django_migrations (id integer primary key, app text, name text, applied text);"
        "INSERT INTO django_migrations VALUES (1, 'catalog', '0099_from_the_future', '2026-01-01')",
        "CREATE TABLE django_migrations (id integer primary key, app text, name text, applied text);"
        "INSERT INTO django_migrations VALUES (1, 'catalog', '0001_initial', '2026-01-01')",
    ],
    ids=["a foreign table", "a newer version", "a migration marked but not made"],
)
def test_a_stale_database_is_refused(environment, change):
    with sqlite3.connect(environment["SQLITE_PATH"]) as database:
        database.executescript(change)
    database.close()
    assert fault(environment).endswith(STALE)


def test_a_database_that_lacks_a_column_is_refused(environment):
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=60)
    with sqlite3.connect(environment["SQLITE_PATH"]) as database:
        database.execute("ALTER TABLE orders_orderline RENAME COLUMN quantity TO amount")
    database.close()
    assert fault(environment).endswith(STALE)


def test_missing_folder_is_named(environment, tmp_path):
    sentence = fault(environment | {"SQLITE_PATH": str(tmp_path / "nowhere" / "demo.sqlite3")})
    assert "cannot be written" in sentence


def test_demo_refuses_production_settings(environment):
    assert "unset DJANGO_DEBUG" in fault(environment | {"DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": "x" * 50})
