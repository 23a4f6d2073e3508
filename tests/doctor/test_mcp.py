"""`manage.py logto_doctor --mcp`: the official client, servers with faults, and an operator who signs in."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.core.management import CommandError, call_command

from logto_auth.clients import management_api
from logto_auth.contrib.mcp import logto_mcp
from logto_auth.doctor.mcp.application import Chosen, Server, choose_application
from logto_auth.doctor.mcp.callback import CallbackListener
from logto_auth.doctor.mcp.transcript import Exchange, SignInFailed
from logto_auth.emulator import Application, Emulator, Visitor
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant import DynamicClients, TenantDeclaration, ThirdPartyApplication, apply_plan, make_plan
from tests.client_documents import served_document
from tests.management_commands import Run
from tests.mcp.shops import asgi_server, beside_django, sdk_server, set_up

pytestmark = pytest.mark.django_db

TOOLS, ORDERS = "mcp:tools", "read:orders"
AUTHORIZATION_URL = re.compile(r"^http://\S+/oidc/auth\?\S+$", re.MULTILINE)
GUIDE = (Path(__file__).parents[2] / "docs/how-to/check-an-mcp-server.md").read_text(encoding="utf-8")
Doctor = Callable[..., dict[str, str]]


class Terminal(io.StringIO):
    """A terminal with an operator, who opens the URL that the doctor prints in a browser, and signs in."""

    def __init__(self, sign_in: Callable[[str], str] | None) -> None:
        super().__init__()
        self._sign_in = sign_in
        self.opened: list[str] = []

    def isatty(self) -> bool:
        return self._sign_in is not None

    def write(self, text: str) -> int:
        for url in AUTHORIZATION_URL.findall(text) if self._sign_in else ():
            self.opened.append(url)
            threading.Thread(target=self._open, args=(url,), daemon=True).start()
        return super().write(text)

    def _open(self, url: str) -> None:
        assert self._sign_in is not None
        callback = self._sign_in(url)
        if not callback:
            return
        with requests.Session() as browser:
            browser.trust_env = False
            # A browser asks for more than the callback.
            assert browser.get(callback.partition("/callback")[0] + "/favicon.ico", timeout=5).status_code == 404
            assert browser.get(callback.replace("state=", "state=x"), timeout=5).status_code == 404
            assert "You can close this page." in browser.get(callback, timeout=5).text
            assert browser.get(callback, timeout=5).status_code == 404


@pytest.fixture
def url(fresh: Emulator, live_server: Any, settings: Any) -> str:
    """The URL of the MCP server of a site. The user "buyer" may call all tools, "visitor" only the first one."""
    pytest.importorskip("django_mcpz")
    url = f"{live_server.url}/mcp"
    settings.ROOT_URLCONF = "tests.doctor.urls_mcp"
    settings.LOGTO_BASE_URL = live_server.url
    settings.LOGTO_API_RESOURCE, settings.LOGTO_API_SCOPES = url, (TOOLS, ORDERS)
    settings.LOGTO_API_CREATE_USERS = True
    fresh.tenant.add_resource(url, scopes=[TOOLS, ORDERS])
    fresh.tenant.add_role("buyer", scopes={url: [TOOLS, ORDERS]})
    fresh.tenant.add_role("visitor", scopes={url: [TOOLS]})
    fresh.tenant.add_user(username="buyer", roles=["buyer"])
    fresh.tenant.add_user(username="visitor", roles=["visitor"])
    return url


@pytest.fixture
def application(fresh: Emulator, url: str) -> Application:
    """The application that MCP clients are registered as."""
    return fresh.tenant.add_application(
        name="MCP client",
        type="Native",
        redirect_uris=["http://127.0.0.1/callback"],
        is_third_party=True,
        resource_scopes={url: [TOOLS, ORDERS]},
    )


@pytest.fixture
def doctor(fresh: Emulator, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """A function that runs the doctor and returns `level message` by check. `user` signs in, if the doctor asks."""

    def doctor(url: str, *arguments: str, user: str = "") -> dict[str, str]:
        visitor = Visitor(fresh)
        out, terminal = io.StringIO(), Terminal((lambda url: visitor.sign_in(url, user)) if user else None)
        monkeypatch.setattr(sys, "stdin", terminal)
        with contextlib.suppress(SystemExit):
            call_command("logto_doctor", "--json", "--mcp", url, *arguments, stdout=out, stderr=terminal, no_color=True)
        printed = out.getvalue() + terminal.getvalue()
        for secret in issued(fresh):
            assert secret not in printed
        found: dict[str, str] = {}
        for each in json.loads(out.getvalue())["findings"]:
            found[each["check"]] = f"{found.get(each['check'], '')}\n{each['level']} {each['message']}".strip()
        return found

    return doctor


def issued(logto: Emulator) -> set[str]:
    return set(logto.instances.refresh_tokens) | set(logto.instances.access_tokens)


def test_client_signs_in_and_lists_the_tools(
    doctor: Doctor, url: str, application: Application, fresh: Emulator
) -> None:
    metadata = url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    found = doctor(url, "--client-id", application.id, user="buyer")
    assert found == {
        "mcp-server": f"ok {url} answers 401 to a request without a token.",
        "mcp-challenge": f"ok The 401 names the metadata {metadata} and requires mcp:tools.",
        "mcp-metadata": f"ok The metadata is that of {url}. Permissions: mcp:tools, read:orders.",
        "mcp-logto": f"ok {fresh.endpoint}/oidc/.well-known/openid-configuration is the metadata of Logto, which does "
        "not accept clients that are URLs (CIMD).",
        "mcp-application": f'ok The client is the third-party application "MCP client" ({application.id}).',
        "mcp-authorization": f"ok Logto accepts the request of {application.id} for {url}.",
        "mcp-sign-in": "ok The user signed in at Logto, and the client got a token.",
        "mcp-token": f"ok The token is for {url}. Permissions: mcp:tools.",
        "mcp-tools": "ok The server speaks MCP 2026-07-28. Tools: search_books, read_order, fail.",
        "mcp-revocation": "ok The refresh token of this run was revoked.",
    }
    # Nothing of the run stays at Logto.
    assert fresh.instances.grants == {}


# Tools


def test_tool_that_requires_more_gets_a_second_sign_in(doctor: Doctor, url: str, application: Application) -> None:
    call = ("--client-id", application.id, "--tool", "read_order", "--arguments", '{"number": 7}')
    found = doctor(url, *call, user="buyer")
    assert (
        found["mcp-tool"]
        == "ok read_order answered after a second sign-in for more permissions. Parts of its answer: 1."
    )
    assert found["mcp-token"].endswith("Permissions: mcp:tools, read:orders.")


@pytest.mark.django_db(transaction=True)
def test_server_of_the_official_sdk_is_tried(doctor: Doctor, fresh: Emulator, settings: Any) -> None:
    def app(origin: str) -> Any:
        auth = logto_mcp(TOOLS, resource=f"{origin}/mcp")
        return beside_django(auth.asgi(sdk_server(auth).streamable_http_app()))

    settings.ROOT_URLCONF, settings.LOGTO_BASE_URL = "tests.mcp.urls", ""
    with asgi_server(app) as origin:
        url = f"{origin}/mcp"
        client_id = set_up(fresh, settings, url)
        found = doctor(
            url, "--client-id", client_id, "--tool", "read_order", "--arguments", '{"number": 7}', user="buyer"
        )
    assert not [each for each in found.values() if not each.startswith("ok ")]
    assert found["mcp-tool"].startswith("ok read_order answered after a second sign-in")


def test_user_without_the_permission_is_a_failure(doctor: Doctor, url: str, application: Application) -> None:
    call = ("--client-id", application.id, "--tool", "read_order", "--arguments", '{"number": 7}')
    found = doctor(url, *call, user="visitor")
    assert found["mcp-token"].splitlines() == [
        f"ok The token is for {url}. Permissions: mcp:tools.",
        "warning The token lacks read:orders, which the client requested.",
    ]
    assert found["mcp-tool"].startswith(
        "failure The client could not call read_order: the server answers 403. The access"
    )
    assert "read:orders" in found["mcp-tool"]


def test_error_of_a_tool_and_unknown_tool_are_found(doctor: Doctor, url: str, application: Application) -> None:
    call = ("--client-id", application.id, "--tool", "read_order", "--arguments", '{"number": -1}')
    assert (
        doctor(url, *call, user="buyer")["mcp-tool"]
        == "warning read_order answered with an error: There is no such order."
    )
    found = doctor(url, "--client-id", application.id, "--tool", "fail", user="buyer")
    assert found["mcp-tool"].startswith(
        ("failure The client could not call fail: ", "warning fail answered with an error")
    )
    assert "secret" not in found["mcp-tool"]
    found = doctor(url, "--client-id", application.id, "--tool", "burn_books", user="buyer")
    assert found["mcp-tool"] == "failure The server has no tool 'burn_books'."


def test_guide_shows_the_output(
    url: str, application: Application, fresh: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command, shown), *_ = re.findall(
        r"^```console\n\$ python manage\.py (logto_doctor .*?)\n\n?(.*?)```$", GUIDE, re.M | re.S
    )
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    name, *arguments = shlex.split(command.replace("https://shop.example/mcp", url))
    out, visitor = io.StringIO(), Visitor(fresh)
    terminal = Terminal(lambda url: visitor.sign_in(url, "buyer"))
    monkeypatch.setattr(sys, "stdin", terminal)
    call_command(name, *arguments, stdout=out, stderr=terminal, no_color=True)
    printed = terminal.getvalue() + out.getvalue()
    shorter = re.sub(r"/oidc/auth\?\S+", "/oidc/auth?...", printed)
    replaced = {
        url.removesuffix("/mcp"): "https://shop.example",
        fresh.endpoint: "https://abc123.logto.app",
        application.id: "ID",
    }
    for value, example in replaced.items():
        shorter = shorter.replace(value, example)
    shorter = shorter.replace(", fail.", ".")  # a tool that only the tests have
    # Both runs of the client precede the first sign-in.
    assert lines_of(shorter) == lines_of(re.sub(r"\b[a-z0-9]{21}\b", "ID", shown))


def lines_of(text: str) -> list[str]:
    return sorted(line.rstrip() for line in text.splitlines() if line.strip())


# The application


def test_without_a_terminal_it_ends_before_the_sign_in(doctor: Doctor, url: str, application: Application) -> None:
    for arguments in ([], ["--no-browser"]):
        found = doctor(url, "--client-id", application.id, *arguments)
        assert list(found)[-2:] == ["mcp-authorization", "mcp-sign-in"]
        assert found["mcp-authorization"].startswith("ok ")
        assert found["mcp-sign-in"].startswith("skipped ")


def test_declared_application_is_used(doctor: Doctor, settings: Any, url: str, application: Application) -> None:
    assert doctor(url)["mcp-application"].startswith(
        "skipped No sign-in was tried, because the tenant has no third-party"
    )
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    # A namesake that is not third-party.
    assert f"({application.id})" in doctor(url)["mcp-application"]


DECLARED = TenantDeclaration(
    third_party_applications=[
        ThirdPartyApplication("Web agent", ["https://agent.example/callback"], type="Traditional"),
        ThirdPartyApplication("MCP client", ["http://127.0.0.1/callback"]),
    ]
)


def test_without_management_api_the_client_id_is_enough(
    doctor: Doctor, url: str, settings: Any, application: Application
) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert doctor(url)["mcp-application"].startswith("skipped No sign-in was tried, because no application is known")
    found = doctor(url, "--client-id", application.id, user="buyer")
    assert "mcp-application" not in found
    assert found["mcp-tools"].startswith("ok ")
    found = doctor(url, "--client-id", "unknown0000000000000x")
    assert found["mcp-authorization"].startswith("failure Logto refuses the request of unknown")


def test_application_that_clients_cannot_use_is_found(
    doctor: Doctor, url: str, application: Application, fresh: Emulator
) -> None:
    found = doctor(url, "--client-id", "unknown")
    assert "has no application 'unknown'" in found["mcp-application"]
    assert found["mcp-sign-in"] == "skipped No sign-in was tried, because of the failures above."
    web = fresh.tenant.add_application(name="Web", redirect_uris=["http://127.0.0.1/callback"])
    assert "has the type Traditional, which has a secret" in doctor(url, "--client-id", web.id)["mcp-application"]
    application.redirect_uris = ["https://agent.example/callback", "agent.app:/callback"]
    assert "has no redirect URI on this machine" in doctor(url, "--client-id", application.id)["mcp-application"]
    found = doctor(url, "--client-id", application.id, "--redirect-uri", "http://127.0.0.1:8900/callback")
    assert found["mcp-authorization"].startswith(
        "failure The redirect URI http://127.0.0.1:8900/callback is not one of"
    )
    application.redirect_uris, application.resource_scopes = ["http://127.0.0.1/callback"], {}
    found = doctor(url, "--client-id", application.id)
    assert f"warning The client may not request mcp:tools of {url}." in found["mcp-application"]


def test_resource_that_logto_lacks_is_found(
    doctor: Doctor, url: str, application: Application, fresh: Emulator
) -> None:
    fresh.tenant.resources.clear()
    found = doctor(url, "--client-id", application.id)
    assert found["mcp-authorization"].endswith(
        f" for {url}: 303 invalid_target resource indicator is missing, or unknown."
    )


def test_url_as_client_id_needs_dynamic_clients(doctor: Doctor, url: str) -> None:
    found = doctor(url, "--client-id", "https://agent.example/client.json")
    assert found["mcp-application"].startswith("failure Logto does not accept the URL of a document as a client id")


def test_dynamic_client_signs_in_within_the_ceiling(doctor: Doctor, url: str, fresh: Emulator) -> None:
    fresh.like, fresh.outbound_guard, fresh.loopback_client_documents = "head", True, True
    with served_document(redirect_uris=["http://127.0.0.1/callback"]) as document:
        apply_plan(make_plan(management_api(), dynamic_clients({})))
        found = doctor(url, "--client-id", document.url)
        assert found["mcp-logto"].endswith("which accepts clients that are URLs (CIMD).")
        # The certificate of the document is that of the tests.
        unread, missing = found["mcp-application"].splitlines()[::2]
        assert unread.startswith(
            f"warning This machine cannot read the client metadata document: {document.url} is out"
        )
        assert (
            missing == f"warning The client may not request mcp:tools of {url}. Logto leaves it out without an error."
        )
        apply_plan(make_plan(management_api(), dynamic_clients({url: [TOOLS]})))
        found = doctor(url, "--client-id", document.url, user="buyer")
    assert "may not request" not in found["mcp-application"]
    assert found["mcp-token"] == f"ok The token is for {url}. Permissions: mcp:tools."
    assert found["mcp-tools"].startswith("ok ")


def dynamic_clients(scopes: dict[str, list[str]]) -> TenantDeclaration:
    return TenantDeclaration(webhook_events=(), dynamic_clients=DynamicClients(scopes=scopes))


def test_document_of_a_client_is_read(fresh: Emulator, faulty: FaultyServer) -> None:
    """The doctor reads it with a client that accepts http, as Logto does not."""
    url = f"{faulty.origin}/client.json"
    server = Server("https://shop.example/mcp", frozenset(), accepts_urls=True)

    def chosen(document: Any) -> Any:
        faulty.documents["/client.json"] = document
        return list(choose_application(HTTPClient(connect_seconds=5, total_seconds=5), url, "", server))

    assert "is no client metadata document" in chosen({"client_id": "https://other.example/"})[0].message
    assert "is no client metadata document" in chosen(None)[0].message
    assert (
        "has no redirect URI on this machine" in chosen({"client_id": url, "redirect_uris": [7, "app:/x"]})[0].message
    )
    found = chosen({"client_id": url, "redirect_uris": ["https://a.example/", "http://[::1]:90/callback"]})
    assert found[-1] == Chosen(url, "http://[::1]/callback")


# The sign-in


def test_declined_consent_is_a_failure(
    doctor: Doctor, url: str, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decline(visitor: Visitor, url: str, user: str) -> str:
        query = parse_qs(urlsplit(url).query)
        answer = urlencode({"error": "access_denied", "error_description": "denied", "state": query["state"][0]})
        return f"{query['redirect_uri'][0]}?{answer}"

    monkeypatch.setattr(Visitor, "sign_in", decline)
    found = doctor(url, "--client-id", application.id, user="buyer")
    assert found["mcp-sign-in"] == "failure The sign-in failed: access_denied denied."
    assert list(found)[-1] == "mcp-sign-in"


def test_operator_who_does_not_come_back_is_a_failure() -> None:
    with CallbackListener("http://localhost/callback") as listener:
        listener.expect("a state")
        # A browser opens connections in advance.
        with socket.create_connection(("127.0.0.1", listener.port)):
            response = requests.get(f"http://127.0.0.1:{listener.port}/callback?state=&code=x", timeout=5)
            assert response.status_code == 404
            with pytest.raises(SignInFailed, match=r"No browser came back to http://localhost:\d+/callback within 0 s"):
                listener.wait(0.01)


def test_port_in_use_is_a_failure(doctor: Doctor, url: str, application: Application) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"http://127.0.0.1:{other.getsockname()[1]}/callback"
        found = doctor(url, "--client-id", application.id, "--redirect-uri", uri, user="buyer")
    assert found["mcp-sign-in"].startswith(f"failure The doctor cannot listen at {uri}: ")


def test_interrupt_ends_the_wait_at_once(
    doctor: Doctor, url: str, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(visitor: Visitor, url: str, user: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return ""

    monkeypatch.setattr(Visitor, "sign_in", interrupt)
    # A shell lets what it runs in the background ignore SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(CommandError, match="Interrupted before the last check"):
            doctor(url, "--client-id", application.id, user="buyer")
    finally:
        signal.signal(signal.SIGINT, before)
    # A thread that still waits would keep the process from ending.
    for thread in threading.enumerate():
        if thread.name == "AnyIO worker thread":
            thread.join(5)
            assert not thread.is_alive()


# Servers with faults


class FaultyServer:
    """Answers POST with `answer`, a status with headers, and GET with the JSON of `documents`, by path."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str]] = (401, {})
        self.documents: dict[str, Any] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:
                handler.rfile.read(int(handler.headers["Content-Length"]))
                handler.send(*self.answer, b"{}")

            def do_GET(handler) -> None:
                document = self.documents.get(handler.path)
                handler.send(404 if document is None else 200, {}, json.dumps(document).encode())

            def send(handler, status: int, headers: dict[str, str], body: bytes) -> None:
                handler.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                    **headers,
                }.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.origin}/mcp"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.close()


def findings(run: Run, url: str) -> dict[str, str]:
    """Return the first finding of each check, as `level message`."""
    found = json.loads(run("logto_doctor", "--json", "--mcp", url).out)["findings"]
    return {each["check"]: f"{each['level']} {each['message']}" for each in reversed(found)}


@pytest.mark.parametrize(
    ("status", "location", "text"),
    [
        (200, "", "answers without a token, so anybody can call its tools."),
        (302, "/sign-in?next=/mcp", "answers 302, a redirect to /sign-in, expected 401."),
        (301, "/mcp/", "answers 301, a redirect to /mcp/, expected 401."),
        (403, "", "answers 403 to a request without a token, expected 401."),
        (404, "", "answers 404 to a request without a token, expected 401."),
        (500, "", "answers 500 to a request without a token, expected 401."),
    ],
)
def test_other_answer_than_401_is_a_failure(
    run: Run, faulty: FaultyServer, status: int, location: str, text: str
) -> None:
    faulty.answer = (status, {"Location": location} if location else {})
    found = findings(run, faulty.url)
    assert found["mcp-server"] == f"failure {faulty.url} {text}"
    assert set(found) == {"mcp-server", "mcp-sign-in"}


def test_server_out_of_reach_is_a_failure(run: Run, faulty: FaultyServer) -> None:
    faulty.close()
    assert findings(run, faulty.url)["mcp-server"] == f"failure {faulty.url} is out of reach: ConnectError."


def test_challenge_without_metadata_is_found(run: Run, faulty: FaultyServer) -> None:
    for challenge, text in (
        ("", "The 401 has no WWW-Authenticate: Bearer, so clients"),
        ('Basic realm="x"', "The 401 has no WWW-Authenticate: Bearer, so clients"),
        ('Bearer realm="Logto"', "The 401 names no resource_metadata, so clients"),
    ):
        faulty.answer = (401, {"WWW-Authenticate": challenge} if challenge else {})
        found = findings(run, faulty.url)
        assert found["mcp-challenge"].startswith(f"warning {text}")
        assert found["mcp-metadata"] == (
            "failure The client found no metadata of the API resource. Tried: "
            f"{faulty.origin}/.well-known/oauth-protected-resource/mcp (404), "
            f"{faulty.origin}/.well-known/oauth-protected-resource (404)."
        )
    faulty.answer = (401, {"WWW-Authenticate": 'Bearer resource_metadata="https://127.0.0.1:1/metadata"'})
    found = findings(run, faulty.url)
    assert "has another origin than" in found["mcp-challenge"]
    assert "https://127.0.0.1:1/metadata is out of reach: ConnectError." in found["mcp-metadata"]


@pytest.mark.parametrize(
    ("resource", "server", "expected"),
    [
        ("{origin}/api", "{issuer}", "failure The metadata is that of {origin}/api. A client that connects to"),
        ("{origin}/mcp-other", "{issuer}", "failure The metadata is that of {origin}/mcp-other."),
        ("https://shop.example/mcp", "{issuer}", "failure The metadata is that of https://shop.example/mcp."),
        ("{origin}/", "{issuer}", "warning The metadata is that of {origin}/, not of {origin}/mcp."),
        (
            "{origin}/mcp",
            "{origin}/oidc",
            "failure The metadata names the authorization server {origin}/oidc, expected",
        ),
    ],
)
def test_metadata_of_another_resource_or_server_is_found(
    run: Run, fresh: Emulator, faulty: FaultyServer, resource: str, server: str, expected: str
) -> None:
    def filled(text: str) -> str:
        return text.format(origin=faulty.origin, issuer=f"{fresh.endpoint}/oidc")

    document = {"resource": filled(resource), "authorization_servers": [filled(server)], "scopes_supported": [TOOLS]}
    faulty.documents["/.well-known/oauth-protected-resource/mcp"] = document
    assert findings(run, faulty.url)["mcp-metadata"].startswith(filled(expected))


def test_remedies_name_the_url_that_the_server_knows(run: Run, fresh: Emulator, faulty: FaultyServer) -> None:
    faulty.documents["/.well-known/oauth-protected-resource/mcp"] = {
        "resource": faulty.url,
        "authorization_servers": [f"{fresh.endpoint}/oidc"],
        "scopes_supported": [TOOLS],
    }
    metadata = f"{faulty.origin}/.well-known/oauth-protected-resource/mcp"
    faulty.answer = (401, {"WWW-Authenticate": f'Bearer resource_metadata="{metadata}"'})
    out = run("logto_doctor", "--mcp", faulty.url.replace("127.0.0.1", "localhost")).out
    assert f"If clients use {faulty.origin}, pass a URL of that origin. Otherwise correct LOGTO_BASE_URL" in out
    assert f"If clients use {faulty.url}, pass that URL. Otherwise declare an API resource" in out


def test_logto_out_of_reach_of_clients_is_a_failure(run: Run, faulty: FaultyServer, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://127.0.0.1:1"
    document = {
        "resource": faulty.url,
        "authorization_servers": ["http://127.0.0.1:1/oidc"],
        "scopes_supported": [TOOLS],
    }
    faulty.documents["/.well-known/oauth-protected-resource/mcp"] = document
    found = findings(run, faulty.url)
    assert found["mcp-logto"] == "failure The client found no metadata of Logto. Logto is out of reach: ConnectError."
    assert "mcp-client" not in found


@pytest.mark.parametrize("document", [[], "text", {"resource": 7}, {"resource": "x", "authorization_servers": "y"}])
def test_malformed_metadata_is_a_failure(run: Run, faulty: FaultyServer, document: Any) -> None:
    faulty.documents["/.well-known/oauth-protected-resource/mcp"] = document
    assert findings(run, faulty.url)["mcp-metadata"].startswith("failure The")


# The command


def test_missing_package_is_a_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.delitem(sys.modules, "logto_auth.doctor.mcp.client", raising=False)
    result = run("logto_doctor", "--mcp", "https://shop.example/mcp")
    assert result.code == 1
    assert 'pip install "logto-auth[mcp]"' in result.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--mcp", "shop.example/mcp"],
            "--mcp is 'shop.example/mcp', expected a URL such as https://shop.example/mcp.",
        ),
        (["--mcp", "https://u:p@shop.example/mcp"], "expected a URL such as"),
        (["--mcp", "https://shop.example/m\x00cp"], "expected a URL such as"),
        (["--mcp", "https://[shop/mcp"], "expected a URL such as"),
        (["--client-id", "abc"], "--client-id needs --mcp URL."),
        (["--tool", "read_order"], "--tool needs --mcp URL."),
        (["--mcp", "https://shop.example/mcp", "--arguments", "[1]"], "--arguments is '[1]', expected a JSON object"),
        (["--mcp", "https://shop.example/mcp", "--arguments", "{"], "--arguments is '{', expected a JSON object"),
        (["--mcp", "https://shop.example/mcp", "--redirect-uri", "https://a.example/"], "expected a loopback URI"),
    ],
)
def test_wrong_arguments_are_an_error(run: Run, arguments: list[str], text: str) -> None:
    result = run("logto_doctor", *arguments)
    assert result.code == 2
    assert text in result.error


def test_hostile_challenge_costs_no_time() -> None:
    began = time.monotonic()
    for challenge in ("a" * 50_000, 'a="' * 20_000, "a \t" * 20_000, 'a="' + "\\" * 50_000):
        exchange = Exchange(
            method="GET", url="", status=401, challenge=f'Bearer scope="mcp:tools", {challenge}', location=""
        )
        assert exchange.parameter("scope") == "mcp:tools"
    # In quadratic time it would take minutes.
    assert time.monotonic() - began < 15
