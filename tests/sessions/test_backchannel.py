"""Back-channel logout: signing out at Logto, or at another site, ends the sessions here."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now
from freezegun import freeze_time

from logto_auth.clients import oidc_client, reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.recorded import VERSIONS, recording
from tests.support import row_of

pytestmark = pytest.mark.django_db
URL = "/back-channel-logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    """Return the browser of a user who signed in with an application that sends `sid`."""
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = True
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    assert LogtoSession.objects.get().sid
    return browser


def claims(logto: Emulator, **changes: Any) -> dict[str, Any]:
    row = LogtoSession.objects.get()
    good = {
        "sub": "reader000001",
        "events": {EVENT: {}},
        "jti": f"jti-{time.time_ns()}",
        "sid": row.sid,
        "aud": oidc_client().client_id,
        "iat": int(time.time()),
        "iss": logto.issuer,
        **changes,
    }
    return {name: value for name, value in good.items() if value is not ...}


def logout_token(logto: Emulator, header: dict[str, Any] | None = None, **changes: Any) -> str:
    return logto.sign(claims(logto, **changes), header={"typ": "logout+jwt", **(header or {})})


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/").wsgi_request.user.is_authenticated


def assert_refused(browser: Browser, token: str) -> None:
    response = Client().post(URL, {"logout_token": token})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert response["Cache-Control"] == "no-store"
    assert is_signed_in(browser)


def test_logout_token_ends_session_with_its_sid(reader: Browser, logto: Emulator) -> None:
    other_device = Browser(logto)
    other_device.sign_in("reader")
    sid = row_of(reader).sid
    token = logto.sign(
        {
            "sub": "reader000001",
            "sid": sid,
            "events": {EVENT: {}},
            "jti": "j",
            "aud": oidc_client().client_id,
            "iat": int(time.time()),
            "iss": logto.issuer,
        },
        header={"typ": "logout+jwt"},
    )
    # Other fields of the form are ignored.
    response = Client().post(URL, {"logout_token": token, "extra": "x"})
    assert (response.status_code, response.content, response["Cache-Control"]) == (200, b"", "no-store")
    assert not is_signed_in(reader)
    assert is_signed_in(other_device)


def test_sign_out_at_logto_ends_session_here(reader: Browser, logto: Emulator, live_server) -> None:
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = f"{live_server.url}{URL}"
    sign_out = f"{logto.endpoint}/oidc/session/end?client_id={oidc_client().client_id}"
    reader.logto.sign_out(sign_out)
    assert not is_signed_in(reader)


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_logout_token_of_logto_is_accepted(settings, version: str) -> None:
    reset_clients()
    token = recording("backchannel_logout_requests", version)[0]["body"].removeprefix("logout_token=")
    decoded = recording("logout_token_decoded", version)["claims"]
    settings.LOGTO_ENDPOINT, settings.LOGTO_APP_ID = "http://localhost:3001", decoded["aud"]
    client = oidc_client()
    from logto_auth.oidc.jwks import KeySet

    # The keys of the recorded Logto.
    client.keys = KeySet.parse(recording("jwks_after_rotation", version)["body"], ("ES384",))
    with freeze_time(now().fromtimestamp(decoded["iat"])):
        verified = client.validate_logout_token(token)
    reset_clients()
    assert (verified.sub, verified.sid, verified.jti) == (decoded["sub"], decoded["sid"], decoded["jti"])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": "other"}, id="rp-backchannel-wrong-aud"),
        pytest.param({"iss": "https://evil.example/oidc"}, id="rp-backchannel-wrong-iss"),
        pytest.param({"events": ...}, id="rp-backchannel-no-event"),
        pytest.param({"events": {"http://other": {}}}, id="rp-backchannel-wrong-event"),
        pytest.param({"nonce": "n"}, id="rp-backchannel-with-nonce"),
        pytest.param({"sub": ..., "sid": ...}, id="neither-sub-nor-sid"),
        pytest.param({"iat": 1_600_000_000}, id="iat-too-old"),
        pytest.param({"jti": ...}, id="no-jti"),
    ],
)
def test_logout_token_with_wrong_claim_is_refused(reader: Browser, logto: Emulator, changes: dict[str, Any]) -> None:
    assert_refused(reader, logout_token(logto, **changes))


@pytest.mark.parametrize("typ", ["JWT", None])
def test_token_of_another_type_is_refused(reader: Browser, logto: Emulator, typ: str | None) -> None:
    assert_refused(reader, logout_token(logto, {"typ": typ}))


@pytest.mark.parametrize("typ", ["JWT", None])
def test_untyped_token_is_accepted_only_by_setting(reader: Browser, logto: Emulator, settings, typ: str | None) -> None:
    settings.LOGTO_LOGOUT_TOKEN_TYPE_REQUIRED = False
    assert_refused(reader, LogtoSession.objects.get().tokens["id_token"])
    assert_refused(reader, logout_token(logto, {"typ": "at+jwt"}))
    assert Client().post(URL, {"logout_token": logout_token(logto, {"typ": typ})}).status_code == 200
    assert not is_signed_in(reader)


def test_unsigned_or_wrongly_signed_tokens_are_refused(reader: Browser, logto: Emulator) -> None:
    good = logout_token(logto)
    assert_refused(reader, logout_token(logto, {"alg": "none"}))
    assert_refused(reader, good[:-6] + "AAAAAA")
    assert_refused(reader, LogtoSession.objects.get().tokens["id_token"])
    assert_refused(reader, "x" * 1_000_000)
    assert_refused(reader, "")


def test_malformed_logout_requests_are_refused(reader: Browser, logto: Emulator) -> None:
    token = logout_token(logto)
    client = Client()
    assert client.get(URL, {"logout_token": token}).status_code == 405
    assert client.post(URL, {"logout_token": token}, content_type="application/json").status_code == 400
    assert client.post(URL).status_code == 400
    form = f"logout_token={token}&logout_token={token}"
    assert client.post(URL, form, content_type="application/x-www-form-urlencoded").status_code == 400
    assert client.post(f"{URL}?logout_token={token}").status_code == 400
    assert is_signed_in(reader)


def test_unknown_claims_and_exp_are_accepted(reader: Browser, logto: Emulator) -> None:
    token = logout_token(logto, ignored_claim=1, exp=int(time.time()) + 120)
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    assert not is_signed_in(reader)


def test_session_of_another_user_is_kept(reader: Browser, logto: Emulator) -> None:
    assert Client().post(URL, {"logout_token": logout_token(logto, sub="other0000001")}).status_code == 200
    assert Client().post(URL, {"logout_token": logout_token(logto, sid="unknown")}).status_code == 200
    assert is_signed_in(reader)


def test_token_without_sid_ends_all_sessions_of_user(reader: Browser, logto: Emulator) -> None:
    token = logout_token(logto, sid=...)
    other_device = Browser(logto)
    other_device.sign_in("reader")
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    assert not is_signed_in(reader)
    assert not is_signed_in(other_device)


def test_replayed_token_keeps_later_session(reader: Browser, logto: Emulator) -> None:
    token = logout_token(logto, sid=...)
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    reader.sign_in("reader")
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    assert is_signed_in(reader)


def test_token_older_than_session_keeps_it(reader: Browser, logto: Emulator) -> None:
    assert (
        Client().post(URL, {"logout_token": logout_token(logto, sid=..., iat=int(time.time()) - 90)}).status_code == 200
    )
    assert is_signed_in(reader)


def test_number_of_queries_is_independent_of_sessions(
    reader: Browser, logto: Emulator, django_assert_num_queries
) -> None:
    identity, later = LogtoIdentity.objects.get(), time.time() + 3600
    token = logout_token(logto)
    LogtoSession.objects.bulk_create(
        LogtoSession(
            identity=identity, user_id=identity.user_id, sid=f"sid{number}", fresh_until=later, delete_after=later
        )
        for number in range(10_000)
    )
    with django_assert_num_queries(1):
        assert Client().post(URL, {"logout_token": token}).status_code == 200
    assert LogtoSession.objects.count() == 10_000


def test_missing_keys_are_answered_with_503(reader: Browser, logto: Emulator) -> None:
    from logto_auth.clients import reset_clients

    token = logout_token(logto)
    reset_clients()
    logto.faults.http["jwks"] = HttpFault(drop=True)
    assert Client().post(URL, {"logout_token": token}).status_code == 503
    assert is_signed_in(reader)


@pytest.mark.parametrize("engine", ["cache", "cached_db", "file"])
def test_logout_token_ends_session_on_every_engine(
    reader: Browser, logto: Emulator, settings, tmp_path, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    LogtoSession.objects.all().delete()
    browser = Browser(logto)
    browser.sign_in("reader")
    assert is_signed_in(browser)
    assert Client().post(URL, {"logout_token": logout_token(logto)}).status_code == 200
    assert not is_signed_in(browser)
