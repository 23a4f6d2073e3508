"""Sign-out: the session here, the session at Logto, and the refresh token."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from logto_auth.emulator import Emulator, HttpFault, VisitFailed
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    return browser


def test_sign_out_ends_session_here_and_at_logto(signed_in: Browser, logto: Emulator) -> None:
    assert signed_in.sign_out() == "http://testserver/"
    assert LogtoSession.objects.count() == 0
    assert "_auth_user_id" not in signed_in.client.session
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        signed_in.sign_in()


def test_sign_out_request_has_all_parameters(signed_in: Browser, logto: Emulator) -> None:
    tokens = LogtoSession.objects.get().tokens
    query = parse_qs(urlsplit(signed_in.client.post("/sign-out")["Location"]).query)
    assert query == {
        "client_id": [logto.requests.to("auth")[0].query["client_id"][0]],
        "id_token_hint": [tokens["id_token"]],
        "post_logout_redirect_uri": ["http://testserver/"],
    }
    assert logto.requests.to("revocation")[0].form["token_type_hint"] == ["refresh_token"]


def test_unverifiable_id_token_hint_is_omitted(signed_in: Browser, logto: Emulator, settings) -> None:
    from logto_auth.clients import reset_clients

    logto.rotate_keys()
    logto.rotate_keys()
    reset_clients()
    location = signed_in.client.post("/sign-out")["Location"]
    assert "id_token_hint" not in location
    assert signed_in.logto.sign_out(location).startswith("http://testserver/")


@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(delay_seconds=1)], ids=["gone", "slow"])
def test_sign_out_works_while_logto_is_down(signed_in: Browser, logto: Emulator, settings, fault: HttpFault) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.2, 0.2)
    logto.faults.http["revocation"] = fault
    response = signed_in.client.post("/sign-out")
    assert response.status_code == 200
    assert "Logto could not be reached" in response.content.decode()
    assert "_auth_user_id" not in signed_in.client.session
    assert LogtoSession.objects.count() == 0


def test_sign_outs_of_an_outage_do_not_wait_for_each_other(logto: Emulator, settings) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (1, 1)
    logto.tenant.add_user(username="reader")
    browsers = [Browser(logto) for _ in range(3)]
    for browser in browsers:
        browser.sign_in("reader")
    logto.faults.http["revocation"] = HttpFault(delay_seconds=2)
    seconds = []
    for browser in browsers:
        began_at = time.monotonic()
        response = browser.client.post("/sign-out")
        seconds.append(time.monotonic() - began_at)
        assert "signed out" in response.content.decode()
        assert "_auth_user_id" not in browser.client.session
    assert seconds[0] >= 1
    assert max(seconds[1:]) < 0.5
    assert len(logto.requests.to("revocation")) == 1


def test_refused_revocation_does_not_stop_sign_out(signed_in: Browser, logto: Emulator) -> None:
    logto.faults.http["revocation"] = HttpFault(status=400, body="{}")
    assert signed_in.sign_out().startswith("http://testserver/")


def test_sign_out_requires_post_with_csrf_token(signed_in: Browser) -> None:
    assert signed_in.client.get("/sign-out").status_code == 405
    signed_in.client.handler.enforce_csrf_checks = True
    assert signed_in.client.post("/sign-out").status_code == 403
    assert "_auth_user_id" in signed_in.client.session


def test_anonymous_sign_out_redirects_to_logto(client, logto: Emulator) -> None:
    assert client.post("/sign-out")["Location"].startswith(f"{logto.endpoint}/oidc/session/end?")


def test_password_session_is_signed_out_without_logto(client, logto: Emulator, admin_user) -> None:
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/sign-out")["Location"] == "/"
    assert len(logto.requests) == 0


def test_session_without_row_is_signed_out_at_logto(signed_in: Browser, logto: Emulator) -> None:
    LogtoSession.objects.all().delete()
    assert signed_in.sign_out().startswith("http://testserver/")
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        signed_in.sign_in()
