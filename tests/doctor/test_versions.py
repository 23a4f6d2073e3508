"""Which Logto it is, by its public answers, and what the doctor says about it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from logto_auth.doctor.outbound_guard import dynamic_client_findings, outbound_guard_findings
from logto_auth.doctor.versions import EVIDENCE, Answers, LogtoVersion, Version, deduce
from logto_auth.emulator import Emulator
from tests.management_commands import Run
from tests.recorded import FOLDER, recording

V1_41 = LogtoVersion(Version.V1_41, Version.V1_41)
V1_42 = LogtoVersion(Version.V1_42, Version.HEAD)
SCOPES, ALGORITHMS = "scopes_supported", "token_endpoint_auth_signing_alg_values_supported"


def recorded(version: str) -> Answers:
    """Return what a Logto of this version answered without a token. The OpenAPI document of 1.41 was not recorded."""
    return Answers(
        discovery=recording("discovery", version)["body"],
        sign_in_experience=recording("wellknown_sign_in_exp", version)["body"],
        token_id_length=len(recording("m2m_token_decoded", version)["claims"]["jti"]),
    )


def openapi() -> dict[str, Any]:
    """Return the document of the development head after 1.42.0."""
    return json.loads(gzip.decompress((FOLDER / "1.42/openapi/management.json.gz").read_bytes()))


def released_openapi() -> dict[str, Any]:
    document = openapi()
    return {**document, "paths": {path: each for path, each in document["paths"].items() if "cimd" not in path}}


HEAD = replace(
    recorded("1.42"),
    discovery={**recorded("1.42").discovery, "client_id_metadata_document_supported": True},
    oauth_metadata={"issuer": "http://localhost:3001/oidc"},
    openapi=openapi(),
)


def test_recorded_answers_tell_the_version() -> None:
    assert str(deduce(recorded("1.41"))) == "1.41"
    assert str(deduce(recorded("1.42"))) == "1.42 or newer"
    assert str(deduce(HEAD)) == "newer than 1.42.0"
    released = replace(HEAD, discovery=recorded("1.42").discovery, openapi=released_openapi())
    assert str(deduce(released)) == "1.42"


@pytest.mark.parametrize("name", ["discovery", "sign_in_experience", "token_id_length"])
@pytest.mark.parametrize("version", ["1.41", "1.42"])
def test_one_recorded_answer_never_tells_too_much(version: str, name: str) -> None:
    alone = deduce(replace(Answers(), **{name: getattr(recorded(version), name)}))
    is_1_41 = version == "1.41"
    assert alone.low <= (Version.V1_41 if is_1_41 else Version.V1_42)
    assert alone.high == (Version.V1_41 if is_1_41 else Version.HEAD)


def test_public_settings_before_1_41_tell_an_older_version() -> None:
    older = {name: value for name, value in recorded("1.41").sign_in_experience.items() if name != "usernamePolicy"}
    assert str(deduce(replace(recorded("1.41"), sign_in_experience=older))) == "older than 1.41"


@pytest.mark.parametrize(
    "answers", [Answers(), Answers(discovery={}), Answers(openapi={"paths": []}, token_id_length=3)]
)
def test_answers_without_a_difference_tell_nothing(answers: Answers) -> None:
    version = deduce(answers)
    assert (str(version), version.evidence, version.contradictions) == ("unknown", (), ())


def test_contradicting_answers_tell_nothing() -> None:
    mixed = replace(recorded("1.42"), sign_in_experience=recorded("1.41").sign_in_experience)
    version = deduce(mixed)
    assert str(version) == "unknown"
    assert "emailBlocklistPolicy in the public sign-in experience" in version.contradictions


def test_head_shows_all_evidence_and_no_answer_shows_none() -> None:
    for evidence in EVIDENCE:
        assert evidence.is_seen(HEAD) is True, evidence.presence
        assert evidence.is_seen(Answers()) in (None, False), evidence.presence


def test_missing_document_behind_a_proxy_proves_nothing() -> None:
    assert str(deduce(replace(recorded("1.42"), oauth_metadata=None, openapi=None))) == "1.42 or newer"


# The outbound guard


def guard(
    host: str, *addresses: str, version: LogtoVersion = V1_42, is_on: bool = False, is_cloud: bool = False
) -> tuple[str, str]:
    uri = f"https://{host}/back-channel-logout"
    (finding,) = outbound_guard_findings(
        uri, version, is_on=is_on, is_cloud=is_cloud, resolve=lambda host: set(addresses)
    )
    return finding.level, finding.message


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("localhost:8000", ["127.0.0.1", "::1"]),
        ("[fd00::5]", ["fd00::5"]),
        ("web", []),
        ("shop.example", ["10.0.0.5"]),
        ("shop.example", ["::ffff:10.0.0.5"]),
        ("shop.example", ["fe80::1%eth0"]),
        ("shop.example", ["1.1.1.1", "10.0.0.5"]),
    ],
)
def test_private_host_is_a_warning_that_names_the_variable(host: str, addresses: list[str]) -> None:
    level, message = guard(host, *addresses)
    assert level == "warning"
    assert "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true" in message
    assert message.startswith("Logto sends no back-channel logout to ")
    assert "does not end sessions here" in message


def test_private_host_of_an_unknown_version_is_a_conditional_warning() -> None:
    level, message = guard("localhost", "127.0.0.1", version=LogtoVersion())
    assert (level, message.partition(" sends")[0]) == ("warning", "If it is 1.42 or newer, Logto")


def test_public_host_is_ok_and_unresolved_host_unknown() -> None:
    assert guard("shop.example", "1.1.1.1")[0] == "ok"
    level, message = guard("shop.example")
    assert (level, message.partition(".")[0]) == ("skipped", "This machine cannot resolve shop")


def test_older_logto_has_no_guard() -> None:
    assert guard("localhost", "127.0.0.1", version=V1_41) == (
        "ok",
        "Logto 1.41 has no outbound guard. It calls localhost.",
    )


def test_logto_cloud_has_no_variable() -> None:
    _, message = guard("shop.example", "10.0.0.5", is_cloud=True)
    assert "OIDC_PROVIDER" not in message


def test_enabled_dynamic_app_shows_that_the_guard_is_on() -> None:
    level, message = guard("web", is_on=True)
    assert level == "warning"
    assert "Its outbound guard is on, because the dynamic app (CIMD) requires it." in message


def test_advice_names_dynamic_clients() -> None:
    head = LogtoVersion(Version.HEAD, Version.HEAD)
    uri = "https://web/back-channel-logout"
    undeclared, declared = (
        next(outbound_guard_findings(uri, head, is_needed=is_needed, resolve=lambda host: set()))
        for is_needed in (False, True)
    )
    assert undeclared.remedy.endswith("With the variable, Logto has no dynamic clients (CIMD).")
    assert "and then it has none of the declared dynamic clients (CIMD)" in declared.message
    assert "third_party_applications" in declared.remedy
    (on,), (off,), released = (
        list(dynamic_client_findings(version, are_on=are_on))
        for version, are_on in ((head, True), (LogtoVersion(), False), (V1_41, False))
    )
    assert (on.level, off.level, released) == ("ok", "warning", [])
    assert "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true" in off.remedy


# The command, with the emulator


@pytest.fixture
def checks(run: Run, fresh: Emulator) -> Any:
    """A function that returns the findings of a check as `level: message`."""

    def checks(name: str, *arguments: str) -> list[str]:
        findings = json.loads(run("logto_doctor", "--json", *arguments).out)["findings"]
        return [f"{each['level']}: {each['message']}" for each in findings if each["check"] == name]

    return checks


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("like", "expected"),
    [("1.41", "Logto is 1.41."), ("1.42", "Logto is 1.42."), ("head", "Logto is newer than 1.42.0.")],
)
def test_doctor_names_the_version_and_its_consequences(checks: Any, fresh: Emulator, like: str, expected: str) -> None:
    fresh.like = like
    first, *consequences = checks("version")
    assert first.startswith(f"ok: {expected} Evidence: ")
    assert any("ID tokens have neither at_hash" in each for each in consequences) == (like != "1.41")
    assert any("The dynamic app (CIMD) exists" in each for each in consequences) == (like == "head")
    assert any("There is no outbound guard" in each for each in consequences) == (like == "1.41")


@pytest.mark.django_db
@pytest.mark.parametrize(("like", "level"), [("1.41", "ok"), ("1.42", "warning"), ("head", "warning")])
def test_doctor_warns_about_a_loopback_site(checks: Any, fresh: Emulator, like: str, level: str) -> None:
    fresh.like = like
    (line,) = checks("outbound-guard", "--base-url", "http://localhost:8000")
    assert line.startswith(level)
    assert ("OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true" in line) == (level == "warning")


@pytest.mark.django_db
def test_logto_that_hides_its_answers_is_unknown(checks: Any, fresh: Emulator) -> None:
    fresh.faults.discovery = lambda document: (
        {name: value for name, value in document.items() if name not in (SCOPES, ALGORITHMS)}
        | {"request_parameter_supported": False}
    )
    (line,) = checks("version")
    assert line.startswith("skipped: The version of Logto is unknown. Its answers contradict each other: ")
    (message,) = checks("outbound-guard")
    assert message.startswith("warning: If it is 1.42 or newer, Logto sends no back-channel logout to testserver")


@pytest.mark.django_db
def test_setup_names_the_variable_for_a_private_site(run: Run, fresh: Emulator) -> None:
    assert "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true" in run("logto_setup", "--check").err
    result = run("logto_setup", "--check", "--base-url", "https://shop.example")
    assert "OIDC_PROVIDER" not in result.err
