"""The recorded requests, sent to the emulator. Each method has the name of a recording."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import requests

from logto_auth.emulator import Emulator, Visitor
from tests.emulator.relying_party import RelyingParty, parameters_of

from .exchanges import Exchange, decoded, received
from .names import NAMES

CALLBACK = "http://127.0.0.1:9999/cb"
FIRST_SCOPE = (
    "openid profile email phone offline_access roles custom_data identities "
    "urn:logto:scope:organizations urn:logto:scope:organization_roles"
)
PLAIN_SCOPE = "openid profile urn:logto:scope:organizations urn:logto:scope:organization_roles"


class Replay:
    """A tenant with the recorded settings, and the requests to it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.names = NAMES[emulator.like]
        self._set_up()
        self.visitor = Visitor(emulator)
        self.rp = RelyingParty(emulator, self.application)
        self.machine_rp = RelyingParty(emulator, self.machine)

    def close(self) -> None:
        self.visitor.close()
        self.rp.http.close()
        self.machine_rp.http.close()

    def _set_up(self) -> None:
        tenant, names = self.emulator.tenant, self.names
        scopes = ["read:books", "write:books"]
        tenant.add_resource(names.api, scopes=scopes)
        tenant.add_role(names.of("editor"), scopes={names.api: scopes})
        self.username = names.of("editor")
        self.user = tenant.add_user(
            username=self.username, name="Editor", primary_email="editor@bookstore.example", roles=[names.of("editor")]
        )
        self.organization = tenant.add_organization(names.of(" Branch One").strip())
        tenant.add_organization_role(names.of("manager"), scopes=[names.of("manage:inventory")])
        tenant.add_member(self.organization.id, self.user.id, roles=[names.of("manager")])
        self.application = tenant.add_application(
            name="Bookstore",
            id=names.client_id,
            redirect_uris=[CALLBACK],
            post_logout_redirect_uris=["http://127.0.0.1:9999/"],
            backchannel_logout_uri="http://127.0.0.1:9/",
            backchannel_logout_session_required=True,
        )
        self.machine = tenant.add_application(
            name="Machine", type="MachineToMachine", roles=["Logto Management API access"]
        )

    # Authorization

    def _authorize(self, **changes: Any) -> Exchange:
        base = {"redirect_uri": CALLBACK, "scope": "openid", "prompt": None, "nonce": None}
        return self._received(self.rp.authorize(**{**base, **changes}))

    def auth_bad_redirect_uri(self) -> Exchange:
        return self._authorize(redirect_uri="http://evil.example/cb")

    def auth_unknown_client(self) -> Exchange:
        return self._authorize(client_id="nope")

    def auth_bad_scope(self) -> Exchange:
        return self._authorize(scope="openid nonsense")

    def auth_no_pkce(self) -> Exchange:
        return self._authorize(code_challenge=None, code_challenge_method=None)

    def auth_prompt_none_signed_out(self) -> Exchange:
        return self._authorize(prompt="none")

    def auth_unknown_resource(self) -> Exchange:
        return self._authorize(resource="https://nope.example")

    def auth_direct_sign_in(self) -> Exchange:
        return self._authorize(
            direct_sign_in="social:alipay", first_screen="register", login_hint="a@b.c", ui_locales="ja"
        )

    def callback_success(self) -> Exchange:
        return self._callback(prompt="consent", scope=FIRST_SCOPE)

    def callback_sso_no_prompt(self) -> Exchange:
        self._callback(prompt="consent", scope=FIRST_SCOPE)
        return self._callback(prompt=None, scope=PLAIN_SCOPE)

    def _callback(self, **changes: Any) -> Exchange:
        url = self.rp.authorization_url(**{"redirect_uri": CALLBACK, **changes})
        return Exchange(303, {}, None, self.visitor.sign_in(url, self.username), self.emulator.issuer)

    def _code(self, **changes: Any) -> str:
        return parameters_of(self._callback(**changes).location or "")["code"]

    # Token endpoint

    def _exchange(self, code: str, **changes: Any) -> requests.Response:
        return self.rp.exchange(code, **{"redirect_uri": CALLBACK, **changes})

    def _first_tokens(self) -> dict[str, Any]:
        return self._exchange(self._code(scope=FIRST_SCOPE)).json()

    def _refresh_token(self) -> str:
        resources = [self.names.api, "urn:logto:resource:organizations"]
        scope = f"{self.names.scope} read:books write:books {self.names.of('manage:inventory')}"
        return self._exchange(self._code(scope=scope, resource=resources)).json()["refresh_token"]

    def token_authorization_code(self) -> Exchange:
        return self._received(self._exchange(self._code(scope=FIRST_SCOPE)))

    def token_no_prompt_consent(self) -> Exchange:
        return self._received(self._exchange(self._code(prompt=None, scope=f"{PLAIN_SCOPE} offline_access")))

    def error_bad_verifier(self) -> Exchange:
        return self._received(self._exchange(self._code(), code_verifier="x" * 50))

    def error_code_replayed(self) -> Exchange:
        code = self._code()
        self._exchange(code)
        return self._received(self._exchange(code))

    def error_bad_refresh(self) -> Exchange:
        return self._received(self.rp.refresh("nope"))

    def error_bad_secret(self) -> Exchange:
        data = {"grant_type": "refresh_token", "refresh_token": "nope"}
        auth = (self.application.id, "wrong")
        return self._received(requests.post(f"{self.emulator.issuer}/token", data=data, auth=auth, timeout=5))

    def refresh_1(self) -> Exchange:
        return self._received(self.rp.refresh(self._refresh_token()))

    def refresh_reuse_same_token(self) -> Exchange:
        token = self._refresh_token()
        self.rp.refresh(token)
        return self._received(self.rp.refresh(token))

    def refresh_for_resource(self) -> Exchange:
        return self._received(self.rp.refresh(self._refresh_token(), resource=self.names.api))

    def refresh_for_organization(self) -> Exchange:
        return self._received(self.rp.refresh(self._refresh_token(), organization_id=self.organization.id))

    def refresh_for_organization_resource(self) -> Exchange:
        token = self._refresh_token()
        return self._received(self.rp.refresh(token, organization_id=self.organization.id, resource=self.names.api))

    def error_refresh_unknown_org(self) -> Exchange:
        return self._received(self.rp.refresh(self._refresh_token(), organization_id="nope"))

    def error_refresh_unknown_resource(self) -> Exchange:
        return self._received(self.rp.refresh(self._refresh_token(), resource="https://nope.example"))

    def refresh_after_code_replay(self) -> Exchange:
        code = self._code()
        token = self._exchange(code).json()["refresh_token"]
        self._exchange(code)
        return self._received(self.rp.refresh(token))

    def refresh_after_logout(self) -> Exchange:
        token = self._refresh_token()
        self.visitor.sign_out(self.rp.end_session_url())
        return self._received(self.rp.refresh(token))

    def refresh_after_revocation(self) -> Exchange:
        token = self._refresh_token()
        self.rp.post("token/revocation", token=token)
        return self._received(self.rp.refresh(token))

    def refresh_suspended_user(self) -> Exchange:
        token = self._refresh_token()
        self.emulator.tenant.suspend_user(self.user.id)
        return self._received(self.rp.refresh(token))

    def refresh_deleted_user(self) -> Exchange:
        token = self._refresh_token()
        self.emulator.tenant.delete_user(self.user.id)
        return self._received(self.rp.refresh(token))

    def m2m_token(self) -> Exchange:
        fields = {"resource": "https://default.logto.app/api", "scope": "all"}
        return self._received(self.machine_rp.post("token", grant_type="client_credentials", **fields))

    def m2m_error_no_resource(self) -> Exchange:
        return self._received(self.machine_rp.post("token", grant_type="client_credentials"))

    # The other endpoints

    def discovery(self) -> Exchange:
        return self._received(requests.get(f"{self.emulator.issuer}/.well-known/openid-configuration", timeout=5))

    def jwks_before_rotation(self) -> Exchange:
        return self._received(requests.get(f"{self.emulator.issuer}/jwks", timeout=5))

    def jwks(self) -> Exchange:
        return self.jwks_before_rotation()

    def jwks_after_rotation(self) -> Exchange:
        self.emulator.rotate_keys()
        return self.jwks_before_rotation()

    def userinfo(self) -> Exchange:
        return self._received(self.rp.userinfo(self._first_tokens()["access_token"]))

    def userinfo_bad_token(self) -> Exchange:
        return self._received(self.rp.userinfo("nope"))

    def userinfo_suspended_user(self) -> Exchange:
        token = self._first_tokens()["access_token"]
        self.emulator.tenant.suspend_user(self.user.id)
        return self._received(self.rp.userinfo(token))

    def revocation(self) -> Exchange:
        fields = {"token": self._refresh_token(), "token_type_hint": "refresh_token"}
        return self._received(self.rp.post("token/revocation", **fields))

    def introspection_refresh(self) -> Exchange:
        token = self._exchange(self._code(scope="openid profile offline_access")).json()["refresh_token"]
        return self._received(self.rp.post("token/introspection", token=token))

    def session_end(self, index: int) -> Exchange:
        """Return the first answer, or that of the confirm step."""
        hint = self._first_tokens()["id_token"]
        url = self.rp.end_session_url(
            client_id=self.application.id,
            post_logout_redirect_uri="http://127.0.0.1:9999/",
            state="bye",
            id_token_hint=hint,
        )
        page = self.visitor.session.get(url)
        if index == 0:
            return self._received(page)
        xsrf = page.text.partition('name="xsrf" value="')[2].partition('"')[0]
        data = {"xsrf": xsrf, "logout": "yes"}
        confirm = f"{self.emulator.issuer}/session/end/confirm"
        return self._received(self.visitor.session.post(confirm, data=data, allow_redirects=False))

    # Decoded tokens

    def id_token_decoded(self) -> dict[str, Any]:
        return decoded(self._first_tokens()["id_token"])

    def resource_access_token_decoded(self) -> dict[str, Any]:
        return decoded(self.refresh_for_resource().body["access_token"])

    def organization_token_decoded(self) -> dict[str, Any]:
        return decoded(self.refresh_for_organization().body["access_token"])

    def organization_resource_token_decoded(self) -> dict[str, Any]:
        return decoded(self.refresh_for_organization_resource().body["access_token"])

    def m2m_token_decoded(self) -> dict[str, Any]:
        return decoded(self.m2m_token().body["access_token"])

    def logout_token_decoded(self) -> dict[str, Any]:
        (request,) = self.backchannel_logout_requests()
        return decoded(parse_qs(request["body"])["logout_token"][0])

    def id_token_after_rotation_header(self) -> Any:
        self.emulator.rotate_keys()
        return self.id_token_decoded()["header"]

    def backchannel_logout_requests(self) -> list[dict[str, Any]]:
        """Return the requests that the relying party receives at a sign-out."""
        with self.receiver() as received_requests:
            self._first_tokens()
            self.visitor.sign_out(self.rp.end_session_url())
        return received_requests

    @contextmanager
    def receiver(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the list of the requests to the application's back-channel logout URI. Each is there when it ends."""
        received_requests: list[dict[str, Any]] = []

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                received_requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Receiver) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            self.application.backchannel_logout_uri = f"http://127.0.0.1:{server.server_port}/backchannel"
            yield received_requests
            server.shutdown()
            thread.join()

    def _received(self, response: requests.Response) -> Exchange:
        return received(response, self.emulator.issuer)
