"""Whole journeys where browsers and this server reach Logto under different addresses.

The emulator notes the `Host` of each request, so each test can tell who sent it where. `localhost` is the public
address, and `127.0.0.1` is the internal one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import include, path

from logto_auth.clients import management_api, oidc_client, provider, reset_clients
from logto_auth.decorators import access_token_required
from logto_auth.doctor.findings import Finding
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError, ManagementAPIError, ProviderError
from logto_auth.management_api.transport import OPEN_SOURCE_RESOURCE
from logto_auth.models import LogtoIdentity
from logto_auth.testing import Browser
from tests.ageing import age
from tests.api.callers import App, call
from tests.management_commands import ROLE, Run, fresh, read_env_file, run, set_all
from tests.rights import API, ask_for_rights, set_up
from tests.servers import free_port
from tests.sessions.test_backchannel import logout_token

__all__ = ["fresh", "run"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

# What only browsers open.
PAGES = ("auth", "session_end")


def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": str(request.user), "audience": request.logto.claims.get("aud", "")})


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("books/", access_token_required("read:books")(who)),
    path("any/", access_token_required()(who)),
]


@pytest.fixture
def internal(logto: Emulator, settings: Any) -> str:
    """The internal address of Logto. `LOGTO_ENDPOINT` is the public one, `http://localhost:<port>`."""
    settings.LOGTO_INTERNAL_ENDPOINT = f"http://127.0.0.1:{urlsplit(logto.endpoint).port}"
    reset_clients()
    return settings.LOGTO_INTERNAL_ENDPOINT


def hosts(logto: Emulator, *endpoints: str) -> set[str]:
    """Return the hosts under which the endpoints were called; without arguments, those of the site's server."""
    return {
        request.headers["Host"].partition(":")[0]
        for request in logto.requests
        if (request.endpoint in endpoints if endpoints else request.endpoint and request.endpoint not in PAGES)
    }


def test_sign_in_and_sign_out(browser: Browser, logto: Emulator, internal: str) -> None:
    logto.tenant.add_user(username="reader")
    assert browser.start().startswith(f"{logto.endpoint}/oidc/auth?")
    assert browser.sign_in("reader", next_url="/").url == "/"
    assert LogtoIdentity.objects.get().issuer == logto.issuer
    browser.sign_out()
    assert hosts(logto, *PAGES) == {"localhost"}
    assert hosts(logto) == {"127.0.0.1"}
    assert {"discovery", "jwks", "token"} <= {request.endpoint for request in logto.requests}


def test_refresh_userinfo_and_revocation(browser: Browser, logto: Emulator, internal: str, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "custom_data")
    settings.LOGTO_USERINFO_CLAIMS = ("custom_data",)
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    age(browser)
    assert browser.client.get("/").json()["user"] != "AnonymousUser"
    oidc_client().revoke("a-refresh-token")
    requested = [request.endpoint for request in logto.requests]
    assert requested.count("token") == 2
    assert {"me", "revocation"} <= set(requested)
    assert hosts(logto) == {"127.0.0.1"}


def test_access_tokens_of_apps(logto: Emulator, internal: str, settings: Any) -> None:
    set_up(logto)
    ask_for_rights(settings)
    settings.LOGTO_API_CREATE_USERS = True
    app = App(logto)
    settings.LOGTO_API_INTROSPECTED_APPS = [app.id]
    jwt, opaque = app.token("editor", resource=API), app.token("editor")
    app.close()
    logto.requests.clear()
    assert call("/books/", jwt).json()["audience"] == API
    assert call("/any/", opaque).status_code == 200
    assert {request.endpoint for request in logto.requests} == {"discovery", "jwks", "introspection"}
    assert hosts(logto) == {"127.0.0.1"}
    metadata = Client().get("/.well-known/oauth-protected-resource/api").json()
    assert metadata["authorization_servers"] == [logto.issuer]


def test_back_channel_logout(browser: Browser, logto: Emulator, internal: str) -> None:
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = True
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    assert Client().post("/back-channel-logout", {"logout_token": logout_token(logto)}).status_code == 200
    assert browser.client.get("/").json()["user"] == "AnonymousUser"
    assert hosts(logto) == {"127.0.0.1"}


# The Management API


def test_management_api_keeps_its_indicator(logto: Emulator, internal: str, settings: Any) -> None:
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    api = management_api()
    assert api.users.count() == 0
    assert (api.base_url, api.resource) == (f"{internal}/api", OPEN_SOURCE_RESOURCE)
    assert hosts(logto) == {"127.0.0.1"}


def test_indicator_follows_the_public_address(settings: Any) -> None:
    settings.LOGTO_ENDPOINT, settings.LOGTO_INTERNAL_ENDPOINT = "https://abc123.logto.app", "http://logto:3001"
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = "x"
    assert management_api().resource == "https://abc123.logto.app/api"


def test_setup_doctor_and_sync(run: Run, fresh: Emulator, internal: str, settings: Any, tmp_path: Path) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "web"]
    settings.LOGTO_INTERNAL_BASE_URL = "http://web:8000"
    settings.LOGTO_SCOPES, settings.LOGTO_RESOURCES, settings.LOGTO_API_RESOURCE = ("openid", "profile"), (), ""
    settings.LOGTO_USERINFO_CLAIMS = ()
    env_file = tmp_path / ".env"
    assert run("logto_setup", "--yes", "--env-file", str(env_file)).code == 0
    values = read_env_file(env_file)
    assert values["LOGTO_ENDPOINT"] == fresh.endpoint
    set_all(settings, values)
    application = fresh.tenant.applications[settings.LOGTO_APP_ID]
    assert application.redirect_uris == ["http://testserver/callback"]
    assert application.backchannel_logout_uri == "http://web:8000/back-channel-logout"
    assert [hook.config["url"] for hook in fresh.tenant.hooks.values()] == ["http://web:8000/webhooks/logto"]
    fresh.tenant.add_user(username="reader")
    call_command("logto_sync", "--create", verbosity=0)
    assert User.objects.filter(username="reader").exists()
    fresh.requests.clear()
    findings = doctor(run)
    # The outbound guard of Logto 1.42 is on, and "web" has no public address.
    assert {each.check for each in findings if each.level != "ok"} <= {"outbound-guard"}, findings
    assert f"This server sends its requests to {internal}, without encryption." in texts(findings, "addresses")
    assert texts(findings, "internal-base-url") == "Logto calls this site at http://web:8000."
    public = [request for request in fresh.requests if request.headers["Host"].startswith("localhost")]
    # The doctor tries the public address once, for information.
    assert [request.endpoint for request in public] == ["discovery"]


def test_unreachable_public_address_is_only_information(
    run: Run, fresh: Emulator, internal: str, settings: Any
) -> None:
    settings.LOGTO_ENDPOINT = public = f"http://localhost:{free_port()}"
    fresh.faults.discovery = lambda document: {**document, "issuer": f"{public}/oidc"}
    findings = [each for each in doctor(run) if each.check in ("addresses", "reachability", "discovery", "keys")]
    assert {each.level for each in findings} == {"ok"}
    assert f"{public} does not answer this server. Only browsers have to reach it." in texts(findings, "addresses")


def test_unreachable_internal_address_is_a_failure(run: Run, fresh: Emulator, internal: str, settings: Any) -> None:
    settings.LOGTO_INTERNAL_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    (finding,) = (each for each in doctor(run) if each.check == "reachability")
    assert finding.level == "failure"
    assert finding.message.startswith(f"{settings.LOGTO_INTERNAL_ENDPOINT}/oidc/.well-known/openid-configuration")


def test_internal_address_of_another_logto_is_a_failure(run: Run, fresh: Emulator, internal: str) -> None:
    fresh.faults.discovery = lambda document: {**document, "issuer": "https://other.example/oidc"}
    (finding,) = (each for each in doctor(run) if each.check == "discovery")
    assert finding.level == "failure"
    assert "names the issuer 'https://other.example/oidc'" in finding.message


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ALLOWED_HOSTS": ["testserver"]}, "web is not in ALLOWED_HOSTS"),
        ({"SECURE_SSL_REDIRECT": True}, "Logto follows no redirect to https"),
    ],
    ids=str,
)
def test_site_that_refuses_logto_at_its_internal_address_is_found(
    run: Run, fresh: Emulator, internal: str, settings: Any, changes: dict[str, Any], text: str
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "web"]
    settings.LOGTO_INTERNAL_BASE_URL = "http://web:8000"
    set_all(settings, changes)
    (finding,) = (each for each in doctor(run) if each.check == "internal-base-url")
    assert (finding.level, text in finding.message) == ("failure", True)


def doctor(run: Run) -> list[Finding]:
    return [Finding(**each) for each in json.loads(run("logto_doctor", "--json").out)["findings"]]


def texts(findings: list[Finding], check: str) -> str:
    return " ".join(each.message for each in findings if each.check == check)


# Wrong values


def test_wrong_internal_endpoint_is_refused_when_it_is_used(logto: Emulator, settings: Any) -> None:
    for url in (f"{logto.endpoint}/oidc", "http://user:hush@127.0.0.1", "file:///etc/passwd", "http://a?", "http://a#"):
        settings.LOGTO_INTERNAL_ENDPOINT = url
        with pytest.raises(ConfigurationError, match="LOGTO_INTERNAL_ENDPOINT is not an origin") as caught:
            provider()
        assert "hush" not in str(caught.value)


WRONG_ENDPOINTS = {
    "no-scheme": "auth.shop.example",
    "port-without-scheme": "localhost:3001",
    "umlaut": "https://müller.example",
    "space": " https://auth.shop.example",
    "password": "https://user:hush@auth.shop.example",
    "port": "https://auth.shop.example:99999",
    "bracket": "http://[::1",
    "other-scheme": "ftp://auth.shop.example",
}


@pytest.mark.parametrize("url", WRONG_ENDPOINTS.values(), ids=WRONG_ENDPOINTS)
def test_wrong_endpoint_is_named_by_every_request(run: Run, settings: Any, caplog: Any, url: str) -> None:
    # Without the templates and the middleware of the bookstore, which need its URLs.
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("bookstore.")]
    settings.LOGTO_ENDPOINT = url
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = "website", "secret"
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "machine", "secret"
    reset_clients()
    assert Client().get("/sign-in").status_code == 502
    assert Client().post("/sign-out").status_code == 200
    assert "LOGTO_ENDPOINT is not an http or https URL in ASCII" in run("logto_sync").error
    assert caplog.text.count("LOGTO_ENDPOINT is not an http or https URL in ASCII") == 2
    assert "hush" not in caplog.text


def test_internal_address_with_an_error_names_it(logto: Emulator, internal: str, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "https://sign-in.shop.example"
    with pytest.raises(ProviderError, match="Set LOGTO_ENDPOINT to exactly the endpoint that Logto reports"):
        provider().metadata  # noqa: B018 - raises


def test_unknown_resource_names_the_setting(logto: Emulator, internal: str, settings: Any) -> None:
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    settings.LOGTO_MANAGEMENT_API_RESOURCE = "https://abc123.logto.app/api"
    with pytest.raises(ManagementAPIError, match="Check LOGTO_MANAGEMENT_API_RESOURCE") as caught:
        management_api().users.count()
    assert caught.value.code == "invalid_target"
