"""What `--json` prints has the schemas of the reference."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from logto_auth.conf import conf
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity
from tests.management_commands import SITE, Run
from tests.management_commands import fresh as fresh
from tests.management_commands import run as run
from tests.processes import child
from tests.sync.own_site import ROOT

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
SCHEMAS: dict[str, Any] = {
    name: json.loads(text)
    for name, text in re.findall(
        r"<!-- schema: ([a-z_ -]+) -->\n```json\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL
    )
}
Valid = Callable[..., Any]


@pytest.fixture
def valid(run: Run, db: None) -> Valid:
    """A function that runs a command with `--json`, and returns its output, which has a schema of the reference."""

    def valid(schema: str, *arguments: str, code: int = 0, stdin: str = "") -> Any:
        words = arguments or tuple(schema.split())
        result = run(*words, "--json", stdin=stdin)
        assert result.code == code, result.error or result.err
        data = json.loads(result.out)
        if result.error:
            assert data.pop("error") == result.error
        jsonschema.validate(data, SCHEMAS[schema], jsonschema.Draft202012Validator)
        return data

    return valid


def add_user(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(name, f"{name}@example.com", "old password", **fields)


def test_schemas_are_valid_and_closed() -> None:
    assert len(SCHEMAS) == 23
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        # A schema without required members would accept anything.
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"surprise": 1}, schema)
        assert "required" in json.dumps(schema), name


def test_every_json_option_has_a_schema(run: Run) -> None:
    commands = {name.split()[0] for name in SCHEMAS}
    assert commands == {
        "emulator",
        "logto_audit",
        "logto_clearsessions",
        "logto_connectors",
        "logto_doctor",
        "logto_import",
        "logto_migrate",
        "logto_move_issuer",
        "logto_setup",
        "logto_sync",
    }


def test_setup(valid: Valid) -> None:
    assert valid("logto_setup", "logto_setup", "--check", code=1)["applied"] is False
    assert valid("logto_setup", "logto_setup", "--yes")["settings"]["LOGTO_APP_ID"]
    assert valid("logto_setup", "logto_setup", "--yes", "--show-secret")["settings"]["LOGTO_APP_SECRET"]


def test_doctor(valid: Valid) -> None:
    data = valid("logto_doctor", code=1)
    assert data["counts"]["failure"] == sum(each["level"] == "failure" for each in data["findings"]) > 0


def test_clear_sessions(valid: Valid) -> None:
    assert valid("logto_clearsessions") == {"expired_sessions_deleted": 0}


def test_audit(valid: Valid) -> None:
    user = add_user("reader")
    valid("logto_audit erase", "logto_audit", "erase", str(user.pk), "--yes")
    valid("logto_audit erase", "logto_audit", "erase", "--sub", "lqcq7a5u2k8r", "--yes")
    assert valid("logto_audit seal", "logto_audit", "seal", "--delay", "0")["events_sealed"] == 2
    verified = valid("logto_audit verify")
    assert (verified["sealed"], verified["problems"]) == (2, [])
    assert valid("logto_audit prune", "logto_audit", "prune", "--keep-days", "1", "--yes")["deleted"] == 0


def test_move_issuer(valid: Valid, settings: Any) -> None:
    settings.LOGTO_FORMER_ENDPOINTS = ["https://former.example"]
    user = add_user("reader")
    for issuer in ("https://former.example/oidc", f"{settings.LOGTO_ENDPOINT}/oidc"):
        LogtoIdentity.objects.create(user=user, issuer=issuer, sub="sub1")
    assert valid("logto_move_issuer", "logto_move_issuer", "--dry-run", code=1)["not_moved"][0]["id"] == "sub1"


def test_connectors(valid: Valid, fresh: Emulator, tmp_path: Path) -> None:
    def connectors(subcommand: str, *arguments: str, schema: str = "") -> Any:
        name = f"logto_connectors {schema or subcommand}"
        return valid(name, "logto_connectors", subcommand, *arguments)

    key = str(tmp_path / "private.pem")
    connectors("alipay-keys", "--out", key)
    connectors("factories")
    connectors("factories", "alipay-web")
    added = connectors("add", "alipay-web", "--app-id", "2021000000000000", "--private-key-file", key, "--yes")
    connectors("list")
    assert connectors("show", added["id"])["public_key"]
    assert connectors("update", added["id"], "--app-id", "2021000000000001")["changed"] == ["appId"]
    enabled = connectors("enable", "alipay", "--no-sign-up-identifier", "--yes")
    connectors("restore", json.dumps(enabled["before"]), "--yes", schema="enable")
    connectors("disable", "alipay", "--yes", schema="enable")
    assert connectors("remove", added["id"], "--yes") == {"removed": added["id"]}


def test_connector_that_sends_messages(valid: Valid, fresh: Emulator) -> None:
    fresh.tenant.add_message_connectors()
    factory = "simple-mail-transfer-protocol"
    assert valid("logto_connectors show", "logto_connectors", "show", factory)["type"] == "Email"
    data = valid("logto_connectors test", "logto_connectors", "test", factory, "reader@example.com")
    assert data == {"sent_to": "reader@example.com"}


def test_sync_and_import(valid: Valid, fresh: Emulator) -> None:
    fresh.tenant.add_user(username="reader")
    assert valid("logto_sync", "logto_sync", "--create")["counts"]["created"] == 1
    add_user("customer")
    assert valid("logto_import")["counts"]["created"] == 1


def test_migrate(valid: Valid, fresh: Emulator) -> None:
    add_user("customer")
    add_user("cus.tomer")
    assert valid("logto_migrate plan", "logto_migrate", "plan", "-v", "2")["messages"]
    assert valid("logto_import", "logto_migrate", "import")["counts"]["created"] == 2
    assert valid("logto_migrate status")["created"] == 2
    valid("logto_migrate rollback", "logto_migrate", "rollback", "--dry-run")
    assert valid("logto_migrate rollback", "logto_migrate", "rollback", "--yes")["counts"]["deleted"] == 2


def test_emulator() -> None:
    command = [sys.executable, "-m", "logto_auth.emulator", "--port", "0", "--json"]
    with child(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        data = json.loads(process.stdout.readline())
    jsonschema.validate(data, SCHEMAS["emulator"], jsonschema.Draft202012Validator)
    assert data["issuer"] == f"{data['endpoint']}/oidc"


# Failures


@pytest.mark.parametrize(
    "arguments",
    [
        ["logto_setup"],
        ["logto_sync"],
        ["logto_import"],
        ["logto_migrate", "plan"],
        ["logto_migrate", "rollback"],
        ["logto_connectors", "list"],
    ],
    ids=" ".join,
)
@pytest.mark.django_db
def test_failed_command_prints_the_error(run: Run, settings: Any, arguments: list[str]) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    result = run(*arguments, "--json")
    assert result.code in (1, 2)
    assert json.loads(result.out)["error"] == result.error
    assert "LOGTO_M2M_APP_SECRET must be set" in result.error


@pytest.mark.parametrize("body", ["[]", "null", "{}", '[{"id": 1}]', "<html>"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["logto_setup", "--yes"],
        ["logto_migrate", "status"],
        ["logto_connectors", "list"],
        ["logto_connectors", "factories"],
    ],
    ids=" ".join,
)
@pytest.mark.django_db
def test_output_is_json_whatever_logto_answers(fresh: Emulator, arguments: list[str], body: str) -> None:
    account = add_user("reader")
    LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub="sub1")
    fresh.faults.http["management_api"] = HttpFault(body=body)
    output = io.StringIO()
    # What is no answer of Logto may end with a traceback, which goes to stderr.
    with contextlib.suppress(Exception):
        call_command(*arguments, "--json", stdout=output, stderr=io.StringIO())
    # "[]" and "[{...}]" are answers to some of the requests.
    data = json.loads(output.getvalue())
    assert body.startswith("[") or data["error"]


@pytest.mark.parametrize(
    "arguments", [["logto_setup", "--yes"], ["logto_connectors", "list"], ["logto_migrate", "plan"]], ids=" ".join
)
@pytest.mark.django_db
def test_answer_of_another_shape_is_explained(fresh: Emulator, run: Run, arguments: list[str]) -> None:
    fresh.faults.http["management_api"] = HttpFault(body='"not Logto"')
    assert "answered" in run(*arguments).error


@pytest.mark.parametrize("path", ["shop", "shop.no_function", "os.path"])
@pytest.mark.parametrize(
    "arguments", [["logto_import"], ["logto_migrate", "plan"], ["logto_migrate", "rollback"]], ids=" ".join
)
@pytest.mark.django_db
def test_wrong_function_is_explained(run: Run, arguments: list[str], path: str) -> None:
    result = run(*arguments, "--values", path, "--json")
    assert (result.code, json.loads(result.out)["error"]) == (2, result.error)
    assert result.error.startswith(f"--values is {path!r}, which ")


@pytest.mark.django_db
def test_declined_question_prints_the_error(run: Run) -> None:
    result = run("logto_setup", "--json", "--base-url", SITE, stdin="n\n")
    assert json.loads(result.out)["error"] == result.error
    assert "[y/N]" not in result.out


def test_invalid_number_is_explained(run: Run) -> None:
    for value in ("0", "-1", "fast", "inf", "1e3"):
        result = run("logto_import", "--rate", value, stdout=io.StringIO())
        assert "expected a number above 0, such as 10 or 0.5" in result.error
