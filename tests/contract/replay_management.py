"""The recorded calls of the Management API, sent to the emulator. Each method has the name of a recording."""

from __future__ import annotations

import json
from typing import Any

import requests

from logto_auth.emulator import Emulator, Visitor
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.receiver import Received, Receiver
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.recorded import recording

from .exchanges import Exchange, received

ALIPAY_CONFIG = {"appId": "2021000000000000", "privateKey": "<PEM private key>", "signType": "RSA2"}
SOCIAL_ONLY = {
    "signUp": {"identifiers": [], "password": False, "verify": False},
    "signIn": {"methods": []},
    "socialSignInConnectorTargets": ["alipay"],
}


class ManagementReplay:
    """A tenant with the recorded settings, and calls of its Management API. `version` is that of the recordings."""

    def __init__(self, emulator: Emulator, version: str = "1.41") -> None:
        self.emulator, self.version = emulator, version
        self.api = ManagementAPI(emulator)
        recorded_settings = recording("sign_in_exp_patch", version)["body"]
        for name in ("passwordPolicy", "mfa"):
            emulator.tenant.sign_in_experience.settings[name] = recorded_settings[name]
        self.alice = emulator.tenant.add_user(
            username="alice", password="alice-password", primary_email="alice@example.com", name="Alice A"
        )

    def close(self) -> None:
        self.api.http.close()

    # Errors

    def mgmt_error_no_token(self) -> Exchange:
        return self._received(requests.get(f"{self.emulator.endpoint}/api/users", timeout=5))

    def mgmt_error_bad_token(self) -> Exchange:
        headers = {"Authorization": "Bearer nope"}
        return self._received(requests.get(f"{self.emulator.endpoint}/api/users", headers=headers, timeout=5))

    def mgmt_error_404(self) -> Exchange:
        return self._received(self.api.get("/users/nope"))

    def mgmt_error_validation(self) -> Exchange:
        return self._received(self.api.post("/users", {"username": 5}))

    def mgmt_error_duplicate_username(self) -> Exchange:
        return self._received(self.api.post("/users", {"username": "alice"}))

    def mgmt_application_bad_uri(self) -> Exchange:
        metadata = {"redirectUris": ["not a uri"], "postLogoutRedirectUris": []}
        application_id = self.mgmt_application_created().body["id"]
        return self._received(self.api.patch(f"/applications/{application_id}", {"oidcClientMetadata": metadata}))

    def connector_bad_config(self) -> Exchange:
        return self._received(self.api.post("/connectors", {"connectorId": "alipay-native", "config": {"appId": 1}}))

    def alipay_native_created_twice(self) -> Exchange:
        self.alipay_native_created()
        return self.alipay_native_created()

    # Responses

    def mgmt_application_created(self) -> Exchange:
        request = recording("mgmt_application_created", self.version)["request"]
        return self._received(self.api.post("/applications", json.loads(request["body"])))

    def mgmt_application_secrets(self) -> Exchange:
        return self._received(self.api.get(f"/applications/{self.mgmt_application_created().body['id']}/secrets"))

    def mgmt_users_page(self) -> Exchange:
        tenant = self.emulator.tenant
        if self.version == "1.41":
            tenant.add_user(username="noemail", password="noemail-password")
            self._sign_in("alice")
            self._sign_in("noemail")
        else:
            tenant.add_user(username="r3other")
            tenant.add_user(username="r3noemail", password="noemail-password")
            suspended = tenant.add_user(username="r3suspd99cf0", password="suspended-password")
            self._sign_in("r3suspd99cf0")
            tenant.suspend_user(suspended.id)
        return self._received(self.api.get("/users", page=1, page_size=2))

    def alipay_native_created(self) -> Exchange:
        return self._received(self.api.post("/connectors", {"connectorId": "alipay-native", "config": ALIPAY_CONFIG}))

    def connectors_list(self) -> Exchange:
        self.alipay_native_created()
        return self._received(self.api.get("/connectors"))

    def sign_in_exp_patch(self) -> Exchange:
        self.alipay_native_created()
        return self._received(self.api.patch("/sign-in-exp", {"socialSignInConnectorTargets": ["alipay"]}))

    def sign_in_exp_patch_social_only(self) -> Exchange:
        self.alipay_native_created()
        return self._received(self.api.patch("/sign-in-exp", SOCIAL_ONLY))

    def wellknown_sign_in_exp(self) -> Exchange:
        self.sign_in_exp_patch_social_only()
        return self._received(requests.get(f"{self.emulator.endpoint}/api/.well-known/sign-in-exp", timeout=5))

    def keys_rotate(self) -> Exchange:
        return self._received(self.api.post("/configs/oidc/private-keys/rotate", {"signingKeyAlgorithm": "EC"}))

    def hook_created(self, url: str = "http://127.0.0.1:9998/hook") -> Exchange:
        body = {"name": "rec", "events": recording("hook_created", self.version)["events"], "config": {"url": url}}
        return self._received(self.api.post("/hooks", body))

    def webhooks(self) -> list[Received]:
        """Return the deliveries for a sign-in and for calls, in order."""
        organization = self.emulator.tenant.add_organization("Branch One")
        if self.version == "1.41":
            self._sign_in("alice")  # this Logto had seen the user before
        with Receiver() as receiver:
            self.signing_key = self.hook_created(receiver.url).body["signingKey"]
            self._sign_in("alice")
            self._delivered()
            made = self._delivered(self.api.made("/users", {"username": "hooked", "primaryEmail": "h@example.com"}))
            self._delivered(self.api.patch(f"/users/{made['id']}", {"name": "Hooked"}))
            self._delivered(self.api.patch(f"/users/{made['id']}/is-suspended", {"isSuspended": True}))
            self._delivered(self.api.post(f"/organizations/{organization.id}/users", {"userIds": [made["id"]]}))
            self._delivered(self.api.delete(f"/users/{made['id']}"))
        return receiver.received

    def _delivered(self, answer: Any = None) -> Any:
        self.emulator.webhooks.wait()
        return answer

    def _sign_in(self, username: str) -> None:
        application = self.emulator.tenant.add_application(name="recorder", redirect_uris=[CALLBACK])
        relying_party = RelyingParty(self.emulator, application)
        with Visitor(self.emulator) as visitor:
            visitor.sign_in(relying_party.authorization_url(), username)
        relying_party.http.close()

    def _received(self, response: requests.Response) -> Exchange:
        return received(response, self.emulator.issuer)
