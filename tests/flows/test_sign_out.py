"""Signing out: here, at Logto, and with the refresh token dead."""

from __future__ import annotations

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


def test_signing_out_ends_the_session_here_and_at_logto(signed_in: Browser, logto: Emulator) -> None:
    landed = urlsplit(signed_in.sign_out())
    assert (landed.netloc, landed.path) == ("testserver", "/")
    assert parse_qs(landed.query)["state"]
    assert LogtoSession.objects.count() == 0
    assert "_auth_user_id" not in signed_in.client.session
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        signed_in.sign_in()


def test_the_request_to_logto_has_all_that_the_specification_names(signed_in: Browser, logto: Emulator) -> None:
    tokens = LogtoSession.objects.get().tokens
    query = parse_qs(urlsplit(signed_in.client.post("/sign-out")["Location"]).query)
    assert query.pop("state")
    assert query == {
        "client_id": [logto.requests.to("auth")[0].query["client_id"][0]],
        "id_token_hint": [tokens["id_token"]],
        "post_logout_redirect_uri": ["http://testserver/"],
    }
    assert logto.requests.to("revocation")[0].form["token_type_hint"] == ["refresh_token"]


def test_a_hint_that_logto_would_refuse_is_left_out(signed_in: Browser, logto: Emulator, settings) -> None:
    from logto_auth.clients import reset_clients

    logto.rotate_keys()
    logto.rotate_keys()
    reset_clients()
    location = signed_in.client.post("/sign-out")["Location"]
    assert "id_token_hint" not in location
    assert signed_in.logto.sign_out(location).startswith("http://testserver/")


@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(delay_seconds=1)], ids=["gone", "slow"])
def test_C3_signing_out_works_while_logto_is_down(
    signed_in: Browser, logto: Emulator, settings, fault: HttpFault
) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.2, 0.2)
    logto.faults.http["revocation"] = fault
    response = signed_in.client.post("/sign-out")
    assert response.status_code == 200
    assert "Logto could not be reached" in response.content.decode()
    assert "_auth_user_id" not in signed_in.client.session
    assert LogtoSession.objects.count() == 0


def test_a_refused_revocation_does_not_keep_the_person_from_signing_out_at_logto(
    signed_in: Browser, logto: Emulator
) -> None:
    logto.faults.http["revocation"] = HttpFault(status=400, body="{}")
    assert signed_in.sign_out().startswith("http://testserver/")


def test_C2_only_a_post_with_the_csrf_token_signs_out(signed_in: Browser) -> None:
    assert signed_in.client.get("/sign-out").status_code == 405
    signed_in.client.handler.enforce_csrf_checks = True
    assert signed_in.client.post("/sign-out").status_code == 403
    assert "_auth_user_id" in signed_in.client.session


def test_a_session_that_has_ended_here_can_still_be_signed_out_at_logto(client, logto: Emulator) -> None:
    assert client.post("/sign-out")["Location"].startswith(f"{logto.endpoint}/oidc/session/end?")


def test_someone_signed_in_with_a_password_is_signed_out_without_logto(client, logto: Emulator, admin_user) -> None:
    client.force_login(admin_user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/sign-out")["Location"] == "/"
    assert len(logto.requests) == 0


def test_a_session_whose_tokens_are_gone_is_signed_out_at_logto_all_the_same(
    signed_in: Browser, logto: Emulator
) -> None:
    LogtoSession.objects.all().delete()
    assert signed_in.sign_out().startswith("http://testserver/")
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        signed_in.sign_in()


def test_django_s_own_logout_forgets_the_tokens_too(signed_in: Browser) -> None:
    signed_in.client.logout()
    assert "_auth_user_id" not in signed_in.client.session
