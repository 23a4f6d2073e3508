"""Findings about Logto: reachability, discovery document, clock and keys."""

from __future__ import annotations

import re
from typing import Any

import pytest

from logto_auth.doctor.logto import clock_finding
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.oidc.http import Response
from tests.management_commands import SITE, Run

from .findings import Found, only

pytestmark = pytest.mark.django_db


def test_unreachable_logto_skips_sign_in(found: Found, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:9"
    unreachable, sign_in = found()
    assert unreachable.startswith(
        "failure reachability: http://localhost:9/oidc/.well-known/openid-configuration is out"
    )
    assert sign_in == "skipped sign-in: No sign-in was tried, because there is no valid discovery document."


LOGTO_PROBLEMS: dict[str, tuple[str, HttpFault, str]] = {
    "no discovery document": ("discovery", HttpFault(status=404), "failure reachability: "),
    "a redirect": ("discovery", HttpFault(status=302, headers={"Location": "/"}), "failure reachability: "),
    "a page": ("discovery", HttpFault(body="<p>Hello</p>"), "failure discovery: "),
    "no keys": ("jwks", HttpFault(status=500), "failure keys: "),
    "an empty key set": (
        "jwks",
        HttpFault(body='{"keys": []}'),
        "failure keys: Logto signs with a key of the type unknown",
    ),
    "a broken token endpoint": (
        "token",
        HttpFault(status=500, body='{"error": "server_error"}'),
        "failure application: The token endpoint answered 500 server_error",
    ),
    "a broken authorization endpoint": (
        "auth",
        HttpFault(status=503),
        f"failure redirect-uri: Logto answered 503 no error to a sign-in with the redirect URI {SITE}/callback.",
    ),
    "a broken sign-out": (
        "session_end",
        HttpFault(status=500),
        f"failure post-sign-out-uri: Logto answered 500 no error to a sign-out with the redirect URI {SITE}/.",
    ),
    "a Management API that rejects requests": (
        "management_api",
        HttpFault(status=403, body='{"code": "auth.forbidden", "message": "No."}'),
        "failure management-api: ",
    ),
}


@pytest.mark.parametrize("case", LOGTO_PROBLEMS)
def test_problem_at_logto_is_found_until_corrected(found: Found, fresh: Emulator, case: str) -> None:
    endpoint, fault, text = LOGTO_PROBLEMS[case]
    fresh.faults.http[endpoint] = fault
    assert any(line.startswith(text) for line in found())
    fresh.faults.clear()
    assert found() == []


def test_slow_answer_is_a_warning(found: Found, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (3, 3)
    fresh.faults.http["discovery"] = HttpFault(delay_seconds=1.6, times=1)
    words = re.search(r"answered after (\d\.\d) s\. The time-out is 3 s\.", only(found()))
    assert words
    assert 1.6 <= float(words[1]) <= 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": "tomorrow"},
        {"Date": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
        {"Date": "Sun, 29 Nov 2026 00:41:06 -0000"},
        {"Date": "Sun, 29 Nov 2026 00:41:06 GMT, Sun, 29 Nov 2026 00:41:06 GMT"},
    ],
    ids=["none", "text", "year", "zone", "twice"],
)
def test_answer_without_readable_date_is_a_warning(headers: dict[str, str]) -> None:
    finding = clock_finding(Response(200, headers, b"", ""))
    assert (finding.level, finding.message) == (
        "warning",
        "Logto's answer has no header Date with a time, so the clocks were not compared.",
    )


@pytest.mark.parametrize(("seconds", "level"), [(-120, "failure"), (120, "failure"), (45, "warning"), (-45, "warning")])
def test_clock_difference_is_found_until_corrected(found: Found, fresh: Emulator, seconds: int, level: str) -> None:
    fresh.clock.advance(seconds)
    match = re.fullmatch(rf"{level} clock: The clocks of Logto and this machine differ by (\d+) s\. .*", only(found()))
    assert match
    assert abs(int(match[1]) - abs(seconds)) <= 2
    fresh.clock.reset()
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"issuer": "https://abc123.logto.app/oidc"}, "failure discovery: The discovery document names the issuer"),
        (
            {"jwks_uri": "ftp://localhost/jwks"},
            "failure discovery: The discovery document names 'ftp://localhost/jwks'",
        ),
        (
            {"userinfo_endpoint": "http://logto:3001/oidc/me"},
            "failure discovery: The discovery document names 'http://logto:3001/oidc/me'",
        ),
    ],
)
def test_wrong_discovery_document_is_found(found: Found, fresh: Emulator, changes: dict[str, str], text: str) -> None:
    fresh.faults.discovery = lambda document: {**document, **changes}
    assert found()[0].startswith(text)


def test_unaccepted_signing_algorithm_is_found(run: Run, found: Found, settings: Any) -> None:
    settings.LOGTO_SIGNING_ALGORITHMS = ("RS256",)
    assert only(found()) == "failure keys: Logto signs with a key of the type EC P-384 ES384, expected ['RS256']."
