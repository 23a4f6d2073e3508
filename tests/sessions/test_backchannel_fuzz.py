"""Random requests to the back-channel endpoint: always 200 or 4xx, never a 500, and no session ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.oidc.logout_tokens import LOGOUT_EVENT
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
URL = "/back-channel-logout"

bounded = settings(
    max_examples=75,
    deadline=None,
    derandomize=True,
    database=None,
    # The fixtures can be shared by all examples: no example changes the database or the emulator.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
odd_texts = st.text(max_size=300) | st.sampled_from(
    ["", "\x00", "a.b.c", "e30.e30.e30", "..", "é", "😀", "x" * 300_000]
)
content_types = st.sampled_from(
    [
        FORM,
        MULTIPART,
        "application/json",
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 300}",
        *(f"{kind}; charset={name}" for kind in (FORM, MULTIPART) for name in ("utf-8", "utf-16", "hex", "none", "é")),
    ]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
multipart_bodies = st.builds(
    lambda headers, body: b"--x\r\n" + headers + b"\r\n\r\n" + body + b"\r\n--x--\r\n",
    st.sampled_from(
        [
            b'Content-Disposition: form-data; name="logout_token"',
            b'Content-Disposition: form-data; name="logout_token"; filename="token"',
            b'Content-Disposition: form-data; name="logout_token"\r\nContent-Transfer-Encoding: base64',
            b"Content-Disposition: form-data",
            b"",
        ]
    )
    | st.binary(max_size=60),
    st.binary(max_size=200),
)
form_bodies = st.lists(st.tuples(st.just("logout_token") | odd_texts, odd_texts), max_size=3).map(
    lambda pairs: urlencode(pairs, errors="replace").encode()
)
bodies = st.binary(max_size=300) | form_bodies | multipart_bodies

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
# Valid JSON that a database or an encoding may not accept.
odd_values = st.sampled_from(["\x00", "\ud800", "x" * 300, "", 1e308, -1, 10**400, True, [], {}, [[]], {"a": "\ud800"}])
claim_names = st.sampled_from(
    ["iss", "aud", "azp", "iat", "exp", "nbf", "jti", "sub", "sid", "events", "nonce", "extra"]
)
header_names = st.sampled_from(["typ", "alg", "kid", "crit", "b64", "jwk", "jku", "x5c", "extra"])


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Iterator[Browser]:
    """Return the browser of a user, and check after the test that the session still exists."""
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = True
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    yield browser
    assert browser.client.session.get("_auth_user_id")
    assert LogtoSession.objects.count() == 1


def send(body: bytes, content_type: str, **environment: str) -> int:
    response = Client().generic("POST", URL, body, content_type, **environment)
    # The database can still be used: no transaction is left broken.
    assert LogtoSession.objects.count() == 1
    return int(response.status_code)


def send_token(token: str) -> int:
    return send(urlencode({"logout_token": token}).encode(), FORM)


@bounded
@given(body=bodies, content_type=content_types)
@example(body=b"logout_token=a", content_type=f"{MULTIPART}; charset=hex")
@example(
    body=b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
    content_type=f"{MULTIPART}; charset=hex",
)
@example(body=b"&".join(b"a=b" for _ in range(2000)), content_type=FORM)
def test_any_body_is_answered_with_4xx(reader: Browser, body: bytes, content_type: str) -> None:
    assert 400 <= send(body, content_type) < 500


@pytest.mark.parametrize("length", ["", "0", "-1", "abc", "1e3", "\u00b2", "\u0661", "9" * 30, "9" * 5000])
def test_any_content_length_is_answered_with_400(reader: Browser, length: str) -> None:
    assert send(b"logout_token=a", FORM, CONTENT_LENGTH=length) == 400


@bounded
@given(token=odd_texts)
def test_any_text_as_token_is_answered_with_400(reader: Browser, token: str) -> None:
    assert send_token(token.encode(errors="replace").decode()) == 400


@bounded
@given(
    claims=st.dictionaries(claim_names, json_values | odd_values, max_size=3),
    header=st.dictionaries(header_names, json_values | odd_values, max_size=2),
)
@example(claims={"jti": "\ud800"}, header={})
@example(claims={"sub": "\ud800"}, header={})
@example(claims={"sid": "\ud800"}, header={})
@example(claims={"sub": "\x00"}, header={})
@example(claims={"sid": "\x00"}, header={})
def test_any_signed_token_is_answered_with_200_or_400(
    reader: Browser, logto: Emulator, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    application_id = next(iter(logto.tenant.applications))
    good = {
        "iss": logto.issuer,
        "aud": application_id,
        "iat": int(time.time()),
        "jti": "jti",
        "sub": "somebodyelse",
        "sid": "another",
        "events": {LOGOUT_EVENT: {}},
    }
    token = sign(logto, {**good, **claims}, {"typ": "logout+jwt", **header})
    status = send_token(token)
    assert status in (200, 400)
    if not claims and not header:
        assert status == 200


def sign(logto: Emulator, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """Return the signed token, or an invalid one if the header cannot be encoded."""
    try:
        # Escaped as ASCII, so that half of a surrogate pair can be sent.
        return logto.sign(json.dumps(claims), header=header)
    except UnicodeEncodeError:
        return "no.such.token"
