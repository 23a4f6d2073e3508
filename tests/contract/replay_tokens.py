"""The requests of `tokens/`, sent to the emulator. Each method has the name of a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import requests

from logto_auth.emulator import Application, Emulator, Visitor
from logto_auth.emulator.state.factors import BackupCodes, Totp
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import RelyingParty

from .exchanges import Exchange, decoded, received
from .names import NAMES

CALLBACK = "http://127.0.0.1:9999/cb"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
IMPERSONATION = "urn:logto:token-type:impersonation_token"
PERSONAL_ACCESS_TOKEN = "urn:logto:token-type:personal_access_token"
MANAGEMENT_API = "https://default.logto.app/api"
ORGANIZATIONS = "urn:logto:scope:organizations"
# The consent scopes of the third-party application.
USER_SCOPES = ["profile", "email", ORGANIZATIONS]


class TokensReplay:
    """A tenant with the recorded settings, and the requests to it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.api_resource = NAMES[emulator.like].api
        self.management = ManagementAPI(emulator)
        self._parties: dict[str, RelyingParty] = {}
        self._set_up()

    def close(self) -> None:
        self.management.http.close()
        for party in self._parties.values():
            party.http.close()

    def _set_up(self) -> None:
        tenant, scopes = self.emulator.tenant, ["read:books", "write:books"]
        tenant.add_resource(self.api_resource, scopes=scopes)
        tenant.add_role("r3editor", scopes={self.api_resource: scopes})
        self.alice = tenant.add_user(
            username="r3alice", name="Alice A", primary_email="r3alice@example.com", roles=["r3editor"]
        )
        self.other = tenant.add_user(username="r3other")
        self.organization = tenant.add_organization("r3 Branch One")
        tenant.add_organization_role("r3manager", scopes=["r3manage:inventory"])
        tenant.add_member(self.organization.id, self.alice.id, roles=["r3manager"])

    # Applications

    def _party(self, kind: str) -> RelyingParty:
        """Return the relying party of an application, which is made when it is first used."""
        if kind not in self._parties:
            application = self.emulator.tenant.add_application(**_APPLICATIONS[kind](self))
            self._parties[kind] = RelyingParty(self.emulator, application, CALLBACK)
        return self._parties[kind]

    @property
    def plain(self) -> RelyingParty:
        return self._party("plain")

    @property
    def exchanger(self) -> RelyingParty:
        return self._party("exchanger")

    @property
    def partner(self) -> RelyingParty:
        return self._party("partner")

    def _tokens(self, party: RelyingParty | None = None, username: str = "r3alice", **changes: Any) -> dict[str, Any]:
        return (party or self.plain).sign_in(username, **changes)

    def _jwt(self) -> str:
        scope = "openid offline_access read:books"
        tokens = self._tokens(scope=scope, resource=self.api_resource)
        return self.plain.refresh(tokens["refresh_token"], resource=self.api_resource).json()["access_token"]

    # Token exchange

    def _subject_token(self, user_id: str | None = None) -> str:
        return self.management.made("/subject-tokens", {"userId": user_id or self.alice.id})["subjectToken"]

    def _exchange(self, party: RelyingParty | None = None, *, to_api: bool = True, **changes: Any) -> Exchange:
        fields: dict[str, Any] = {
            "subject_token_type": ACCESS_TOKEN,
            **({"resource": self.api_resource} if to_api else {}),
            "scope": "read:books",
            **changes,
        }
        fields.setdefault("subject_token", self._subject_token())
        grant_type = "urn:ietf:params:oauth:grant-type:token-exchange"
        return self._received((party or self.exchanger).post("token", grant_type=grant_type, **fields))

    def exchange_impersonation(self) -> Exchange:
        return self._exchange()

    def exchange_impersonation_decoded(self) -> dict[str, Any]:
        return decoded(self.exchange_impersonation().body["access_token"])

    def exchange_impersonation_type(self) -> Exchange:
        return self._exchange(subject_token_type=IMPERSONATION)

    def exchange_machinetomachine(self) -> Exchange:
        return self._exchange(self._party("machine"))

    def exchange_native(self) -> Exchange:
        return self._exchange(self._party("native"))

    def exchange_spa(self) -> Exchange:
        return self._exchange(self._party("spa"))

    def exchange_missing_parameters(self) -> Exchange:
        return self._exchange(subject_token=None, subject_token_type=None)

    def exchange_no_resource(self) -> Exchange:
        return self._exchange(to_api=False, scope="openid profile")

    def exchange_no_resource_userinfo(self) -> Exchange:
        return self._received(self.exchanger.userinfo(self.exchange_no_resource().body["access_token"]))

    def exchange_not_allowed(self) -> Exchange:
        return self._exchange(self.plain)

    def exchange_subject_token_consumed(self) -> Exchange:
        token = self._subject_token()
        self._exchange(subject_token=token)
        return self._exchange(subject_token=token)

    def exchange_suspended_user(self) -> Exchange:
        token = self._subject_token(self.other.id)
        self.emulator.tenant.suspend_user(self.other.id)
        return self._exchange(subject_token=token)

    def exchange_unknown_subject_token(self) -> Exchange:
        return self._exchange(subject_token="sub_nope")

    def exchange_unknown_type(self) -> Exchange:
        return self._exchange(subject_token_type="nope")

    def exchange_unknown_resource(self) -> Exchange:
        return self._exchange(resource="https://nope.example")

    def exchange_organization(self) -> Exchange:
        return self._exchange(to_api=False, organization_id=self.organization.id, scope="r3manage:inventory")

    def exchange_organization_decoded(self) -> dict[str, Any]:
        return decoded(self.exchange_organization().body["access_token"])

    def exchange_unknown_organization(self) -> Exchange:
        return self._exchange(to_api=False, organization_id="nope")

    def exchange_jwt_access_token(self) -> Exchange:
        return self._exchange(subject_token=self._jwt(), scope="read:books write:books")

    def exchange_jwt_access_token_decoded(self) -> dict[str, Any]:
        return decoded(self.exchange_jwt_access_token().body["access_token"])

    def exchange_opaque_access_token(self) -> Exchange:
        return self._exchange(subject_token=self._tokens()["access_token"])

    def exchange_id_token(self) -> Exchange:
        return self._exchange(subject_token=self._tokens()["id_token"])

    def exchange_refresh_token(self) -> Exchange:
        return self._exchange(subject_token=self._tokens()["refresh_token"])

    def exchange_third_party_token(self) -> Exchange:
        return self._exchange(subject_token=self._third_party_tokens()["access_token"])

    def exchange_with_actor(self) -> Exchange:
        actor_token = self._tokens(username="r3other")["access_token"]
        return self._exchange(actor_token=actor_token, actor_token_type=ACCESS_TOKEN)

    def exchange_with_actor_decoded(self) -> dict[str, Any]:
        return decoded(self.exchange_with_actor().body["access_token"])

    def exchange_actor_without_type(self) -> Exchange:
        return self._exchange(actor_token=self._tokens(username="r3other")["access_token"])

    def exchange_bad_actor(self) -> Exchange:
        return self._exchange(actor_token="nope", actor_token_type=ACCESS_TOKEN)

    def exchange_jwt_actor(self) -> Exchange:
        return self._exchange(actor_token=self._jwt(), actor_token_type=ACCESS_TOKEN)

    def subject_token_created(self) -> Exchange:
        body = {"userId": self.alice.id, "context": {"ticket": "T-1"}}
        return self._received(self.management.post("/subject-tokens", body))

    def subject_token_unknown_user(self) -> Exchange:
        return self._received(self.management.post("/subject-tokens", {"userId": "nope"}))

    # Personal access tokens

    def _new_personal_access_token(self, **changes: Any) -> requests.Response:
        path = f"/users/{self.alice.id}/personal-access-tokens"
        return self.management.post(path, {"name": "cli", **changes})

    def _exchange_personal(self, party: RelyingParty | None = None, **changes: Any) -> Exchange:
        fields = {"subject_token_type": PERSONAL_ACCESS_TOKEN, **changes}
        if "subject_token" not in fields:
            fields["subject_token"] = self._new_personal_access_token().json()["value"]
        return self._exchange(party, **fields)

    def personal_access_token_created(self) -> Exchange:
        in_a_day = self.emulator.clock.now_ms() + 86_400_000
        return self._received(self._new_personal_access_token(expiresAt=in_a_day))

    def personal_access_tokens_list(self) -> Exchange:
        self.personal_access_token_created()
        return self._received(self.management.get(f"/users/{self.alice.id}/personal-access-tokens"))

    def personal_access_token_deleted(self) -> Exchange:
        self._new_personal_access_token()
        return self._received(self.management.delete(f"/users/{self.alice.id}/personal-access-tokens/cli"))

    def personal_access_token_delete_unknown(self) -> Exchange:
        return self._received(self.management.delete(f"/users/{self.alice.id}/personal-access-tokens/nope"))

    def personal_access_token_duplicate(self) -> Exchange:
        self._new_personal_access_token()
        return self._received(self._new_personal_access_token())

    def personal_access_token_past(self) -> Exchange:
        return self._received(self._new_personal_access_token(expiresAt=1000))

    def personal_access_token_long(self) -> Exchange:
        return self._received(self._new_personal_access_token(name="x" * 257))

    def personal_access_token_unknown_user(self) -> Exchange:
        return self._received(self.management.post("/users/nope/personal-access-tokens", {"name": "cli"}))

    def personal_access_tokens_unknown_user(self) -> Exchange:
        return self._received(self.management.get("/users/nope/personal-access-tokens"))

    def _rename_personal_access_token(self, name: str, new_name: str) -> Exchange:
        for each in ("cli", "one/two"):
            self._new_personal_access_token(name=each)
        body = {"currentName": name, "name": new_name}
        return self._received(self.management.patch(f"/users/{self.alice.id}/personal-access-tokens", body))

    def personal_access_token_renamed(self) -> Exchange:
        return self._rename_personal_access_token("one/two", "new/name")

    def personal_access_token_rename_taken(self) -> Exchange:
        return self._rename_personal_access_token("one/two", "cli")

    def personal_access_token_rename_unknown(self) -> Exchange:
        return self._rename_personal_access_token("nope", "new")

    def personal_access_token_deleted_by_body(self) -> Exchange:
        self._new_personal_access_token(name="new/name")
        return self.personal_access_token_delete_by_body_unknown()

    def personal_access_token_delete_by_body_unknown(self) -> Exchange:
        path = f"/users/{self.alice.id}/personal-access-tokens/delete"
        return self._received(self.management.post(path, {"name": "new/name"}))

    def exchange_personal_access_token(self) -> Exchange:
        return self._exchange_personal()

    def exchange_personal_access_token_decoded(self) -> dict[str, Any]:
        return decoded(self.exchange_personal_access_token().body["access_token"])

    def exchange_personal_access_token_deleted(self) -> Exchange:
        value = self._new_personal_access_token().json()["value"]
        self.management.delete(f"/users/{self.alice.id}/personal-access-tokens/cli")
        return self._exchange_personal(subject_token=value)

    def exchange_personal_access_token_not_allowed(self) -> Exchange:
        return self._exchange_personal(self.plain)

    def exchange_personal_access_token_opaque(self) -> Exchange:
        return self._exchange_personal(to_api=False, scope="openid profile")

    def exchange_personal_access_token_unknown(self) -> Exchange:
        return self._exchange_personal(subject_token="pat_nope")

    # Introspection and revocation

    def _introspect(self, token: str, party: RelyingParty | None = None, **options: Any) -> Exchange:
        return self._received((party or self.plain).post("token/introspection", token=token, **options))

    def introspection_opaque(self) -> Exchange:
        return self._introspect(self._tokens()["access_token"])

    def introspection_other_client(self) -> Exchange:
        return self._introspect(self._tokens()["access_token"], self.exchanger)

    def introspection_by_third_party(self) -> Exchange:
        return self._introspect(self._tokens()["access_token"], self.partner)

    def introspection_refresh_other_client(self) -> Exchange:
        return self._introspect(self._tokens()["refresh_token"], self.exchanger)

    def introspection_id_token(self) -> Exchange:
        return self._introspect(self._tokens()["id_token"])

    def introspection_jwt(self) -> Exchange:
        return self._introspect(self._jwt())

    def introspection_unknown(self) -> Exchange:
        return self._introspect("nope")

    def introspection_no_client(self) -> Exchange:
        return self._introspect("x", authenticate=False)

    def _revoke(self, party: RelyingParty | None = None, **fields: Any) -> Exchange:
        return self._received((party or self.plain).post("token/revocation", **fields))

    def revocation_access_token(self) -> Exchange:
        return self._revoke(token=self._tokens()["access_token"])

    def refresh_after_access_token_revocation(self) -> Exchange:
        tokens = self._tokens()
        self._revoke(token=tokens["access_token"])
        return self._received(self.plain.refresh(tokens["refresh_token"]))

    def revocation_id_token(self) -> Exchange:
        return self._revoke(token=self._tokens()["id_token"])

    def revocation_jwt(self) -> Exchange:
        return self._revoke(token=self._jwt())

    def revocation_no_token(self) -> Exchange:
        return self._revoke(x="y")

    def revocation_other_client(self) -> Exchange:
        return self._revoke(self.exchanger, token=self._tokens()["refresh_token"])

    def revocation_unknown(self) -> Exchange:
        return self._revoke(token="nope")

    # Errors of the token endpoint, machines

    def error_grant_password(self) -> Exchange:
        return self._received(self.plain.post("token", grant_type="password", username="a", password="b"))

    def error_m2m_by_web_app(self) -> Exchange:
        fields = {"grant_type": "client_credentials", "resource": self.api_resource}
        return self._received(self.plain.post("token", **fields))

    def error_no_client_secret(self) -> Exchange:
        fields = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": self.plain.application.id}
        return self._received(self.plain.post("token", authenticate=False, **fields))

    def error_no_grant_type(self) -> Exchange:
        return self._received(self.plain.post("token"))

    def error_unknown_client(self) -> Exchange:
        data = {"grant_type": "refresh_token", "refresh_token": "x"}
        url = f"{self.emulator.issuer}/token"
        return self._received(requests.post(url, data=data, auth=("nope", "x"), timeout=5))

    def _machine_token(self, **fields: Any) -> Exchange:
        return self._received(self._party("machine").post("token", grant_type="client_credentials", **fields))

    def m2m_no_role(self) -> Exchange:
        return self._machine_token(resource=MANAGEMENT_API, scope="all")

    def m2m_no_role_decoded(self) -> dict[str, Any]:
        return decoded(self.m2m_no_role().body["access_token"])

    def m2m_no_role_resource(self) -> Exchange:
        return self._machine_token(resource=self.api_resource, scope="read:books")

    def m2m_no_scope_parameter(self) -> Exchange:
        fields = {"grant_type": "client_credentials", "resource": MANAGEMENT_API}
        with RelyingParty(self.emulator, self.management.machine).http as http:
            auth = (self.management.machine.id, self.management.machine.secret)
            return self._received(http.post(f"{self.emulator.issuer}/token", data=fields, auth=auth, timeout=5))

    def m2m_organization_not_member(self) -> Exchange:
        return self._machine_token(organization_id=self.organization.id)

    def m2m_unknown_resource(self) -> Exchange:
        return self._machine_token(resource="https://nope.example")

    # Scripts for custom claims

    def _install(self, function: str, kind: str = "access-token", **more: Any) -> None:
        body = {"script": f"const getCustomJwtClaims = {function};", **more}
        assert self.management.put(f"/configs/jwt-customizer/{kind}", body).status_code in {200, 201}

    def _install_all(self) -> None:
        """Install a script that returns all that it sees, like the recorded one."""
        claims = "r3_context: context, r3_token: token, r3_env: environmentVariables, r3_keys: Object.keys(context)"
        function = f"async ({{ token, context, environmentVariables, api }}) => ({{ {claims} }})"
        self._install(function, environmentVariables={"KEY": "value"})

    def _add_factors_user(self) -> None:
        """Add the recorded user, who has two factors. The shape of a list is that of its first element: Password."""
        user = self.emulator.tenant.add_user(
            username="r3acca497",
            password="password",
            name="New Name",
            avatar="https://example.com/a.png",
            custom_data={"b": 2},
            profile={
                "familyName": "One",
                "givenName": "Acc",
                "nickname": "Nick",
                "birthdate": "2000-01-02",
                "address": {"country": "DE"},
            },
            roles=["r3editor"],
        )
        user.factors = [
            Totp(secret="A" * 32, created_at="2026-01-01T00:00:00.000Z"),
            BackupCodes(created_at="2026-01-01T00:00:00.000Z", codes=[]),
        ]
        self.emulator.tenant.add_member(self.organization.id, user.id, roles=["r3manager"])
        metadata = {"idTokenTtl": 3600, "corsAllowedOrigins": ["http://localhost:5173"]}
        self.plain.application.custom_client_metadata = metadata
        self.plain.application.post_logout_redirect_uris = ["http://127.0.0.1:9999/"]
        resource = self.emulator.tenant.find_resource(self.api_resource)
        assert resource is not None
        for scope in resource.scopes.values():
            scope.description = scope.name

    def _for_api(self, username: str, visitor: Visitor | None = None, party: RelyingParty | None = None) -> Any:
        scope = f"openid offline_access read:books {ORGANIZATIONS} r3manage:inventory"
        resource = [self.api_resource, "urn:logto:resource:organizations"]
        return self._tokens(party or self.plain, username, visitor=visitor, scope=scope, resource=resource)

    def _refreshed_for_api(self, tokens: dict[str, Any]) -> Exchange:
        return self._received(self.plain.refresh(tokens["refresh_token"], resource=self.api_resource))

    def _after(self, function: str) -> Exchange:
        """Return the answer to a refresh after a script with this function was installed."""
        tokens = self._for_api("r3alice")
        self._install(function)
        return self._refreshed_for_api(tokens)

    def jwt_customizer_after_totp(self) -> dict[str, Any]:
        self._install_all()
        self._add_factors_user()
        return decoded(self._refreshed_for_api(self._for_api("r3acca497")).body["access_token"])

    def jwt_customizer_organization_token(self) -> dict[str, Any]:
        self._install_all()
        self._add_factors_user()
        token = self._for_api("r3acca497")["refresh_token"]
        response = self.plain.refresh(token, organization_id=self.organization.id)
        return decoded(response.json()["access_token"])

    def jwt_customizer_silent_sso(self) -> dict[str, Any]:
        self._install_all()
        with Visitor(self.emulator) as visitor:
            self._for_api("r3alice", visitor)
            fields = {"scope": "openid offline_access read:books", "resource": self.api_resource, "prompt": None}
            code = self._party("exchanger").code(None, visitor, **fields)
        tokens = self._party("exchanger").exchange(code, resource=self.api_resource).json()
        return trimmed(tokens["access_token"], context=["interaction"], keys=True)

    def jwt_customizer_password_only(self) -> dict[str, Any]:
        self._install_all()
        answer = self._refreshed_for_api(self._for_api("r3alice"))
        return trimmed(answer.body["access_token"], context=["interaction"])

    def jwt_customizer_refresh_after_logout(self) -> dict[str, Any]:
        self._install_all()
        with Visitor(self.emulator) as visitor:
            tokens = self._for_api("r3alice", visitor)
            visitor.sign_out(self.plain.end_session_url(id_token_hint=tokens["id_token"]))
        answer = trimmed(self._refreshed_for_api(tokens).body["access_token"], keys=True)
        assert answer["claims"]["r3_keys"] == ["user", "application"]
        return answer

    def jwt_customizer_code_exchange(self) -> dict[str, Any]:
        self._install("async ({ context: c }) => ({ r3_keys: Object.keys(c), r3_interaction: c.interaction })")
        return decoded(self.token_code_with_resource().body["access_token"])

    def jwt_customizer_token_exchange(self) -> dict[str, Any]:
        self._install_all()
        token = self.subject_token_created().body["subjectToken"]
        answer = self._exchange(subject_token=token)
        return trimmed(answer.body["access_token"], context=["grant"], keys=True)

    def jwt_customizer_m2m_decoded(self) -> dict[str, Any]:
        claims = "r3_keys: Object.keys(context), r3_context: context, r3_token: token"
        self._install(f"async ({{ token, context }}) => ({{ {claims} }})", "client-credentials")
        self._party("machine").application.custom_client_metadata = {}
        self._party("machine").application.redirect_uris = []
        return decoded(self.m2m_no_role_resource().body["access_token"])

    def jwt_customizer_denies(self) -> Exchange:
        return self._after("async ({ api }) => { api.denyAccess('no entry'); }")

    def jwt_customizer_overrides(self) -> Exchange:
        names = ("sub", "iss", "scope", "aud", "exp", "client_id", "jti", "iat")
        forged = ", ".join(f"{name}: 'x'" for name in names)
        return self._after(f"async () => ({{ {forged}, extra: 1 }})")

    def jwt_customizer_overrides_decoded(self) -> dict[str, Any]:
        return decoded(self.jwt_customizer_overrides().body["access_token"])

    def jwt_customizer_slow(self) -> Exchange:
        return self._after("async () => { while (true) {} }")

    def jwt_customizer_slow_decoded(self) -> dict[str, Any]:
        return decoded(self.jwt_customizer_slow().body["access_token"])

    def jwt_customizer_string(self) -> Exchange:
        return self._after("async () => 'text'")

    def jwt_customizer_string_decoded(self) -> dict[str, Any]:
        return decoded(self.jwt_customizer_string().body["access_token"])

    def jwt_customizer_throws(self) -> Exchange:
        return self._after("async () => { throw new Error('boom'); }")

    def jwt_customizer_throws_decoded(self) -> dict[str, Any]:
        return decoded(self.jwt_customizer_throws().body["access_token"])

    # Third-party applications

    def _third_party_tokens(self) -> dict[str, Any]:
        scope = "openid profile email offline_access read:books"
        return self._tokens(self.partner, scope=scope, resource=self.api_resource, prompt="login consent")

    def _organization_tokens(self) -> dict[str, Any]:
        scope = f"openid {ORGANIZATIONS} offline_access r3manage:inventory"
        resource = "urn:logto:resource:organizations"
        return self._tokens(self.partner, scope=scope, resource=resource, prompt="login consent")

    def third_party_token(self) -> Exchange:
        scope = "openid profile email offline_access read:books"
        code = self.partner.code("r3alice", scope=scope, resource=self.api_resource)
        return self._received(self.partner.exchange(code))

    def third_party_id_token_decoded(self) -> dict[str, Any]:
        return decoded(self._third_party_tokens()["id_token"])

    def third_party_userinfo(self) -> Exchange:
        return self._received(self.partner.userinfo(self._third_party_tokens()["access_token"]))

    def third_party_refresh(self) -> Exchange:
        return self._received(self.partner.refresh(self._third_party_tokens()["refresh_token"]))

    def third_party_refresh_resource(self) -> Exchange:
        token = self._third_party_tokens()["refresh_token"]
        return self._received(self.partner.refresh(token, resource=self.api_resource))

    def third_party_resource_token_decoded(self) -> dict[str, Any]:
        return decoded(self.third_party_refresh_resource().body["access_token"])

    def third_party_organization_id_token_decoded(self) -> dict[str, Any]:
        return decoded(self._organization_tokens()["id_token"])

    def third_party_organization_token(self) -> Exchange:
        token = self._organization_tokens()["refresh_token"]
        return self._received(self.partner.refresh(token, organization_id=self.organization.id))

    def third_party_organization_token_decoded(self) -> dict[str, Any]:
        return decoded(self.third_party_organization_token().body["access_token"])

    def third_party_scope_beyond(self) -> Exchange:
        return self._received(self.partner.authorize(scope="openid profile phone", nonce=None))

    def third_party_scope_not_allowed(self) -> Exchange:
        self.partner.application.user_scopes = []
        return self._received(self.partner.authorize(scope="openid profile email", nonce=None))

    def third_party_application(self) -> Exchange:
        self.partner.application.post_logout_redirect_uris = ["http://127.0.0.1:9999/"]
        return self._received(self.management.get(f"/applications/{self.partner.application.id}"))

    def _consent_scopes(self, application: Application, given: dict[str, Any] | None = None) -> Exchange:
        path = f"/applications/{application.id}/user-consent-scopes"
        if given is None:
            return self._received(self.management.get(path))
        return self._received(self.management.post(path, given))

    def _without_consent_scopes(self) -> Application:
        application = self.partner.application
        application.user_scopes, application.resource_scopes, application.organization_scopes = (), {}, ()
        return application

    def third_party_consent_scopes_none(self) -> Exchange:
        return self._consent_scopes(self._without_consent_scopes())

    def third_party_consent_scopes_added(self) -> Exchange:
        tenant, application = self.emulator.tenant, self._without_consent_scopes()
        resource = tenant.find_resource(self.api_resource)
        assert resource is not None
        resource.scopes["read:books"].description = "read:books"
        of_api = [resource.scopes["read:books"].id]
        given = {
            "userScopes": ["profile", "email", ORGANIZATIONS],
            "resourceScopes": of_api,
            "organizationScopes": [tenant.organization_scopes["r3manage:inventory"].id],
            "organizationResourceScopes": of_api,
        }
        return self._consent_scopes(application, given)

    def third_party_consent_scopes(self) -> Exchange:
        self.third_party_consent_scopes_added()
        return self._consent_scopes(self.partner.application)

    def third_party_consent_scope_unknown(self) -> Exchange:
        return self._consent_scopes(self.partner.application, {"resourceScopes": ["nope"]})

    def third_party_consent_scope_bad_user_scope(self) -> Exchange:
        return self._consent_scopes(self.partner.application, {"userScopes": ["nope"]})

    def first_party_consent_scopes(self) -> Exchange:
        return self._consent_scopes(self.plain.application)

    def first_party_consent_scopes_error(self) -> Exchange:
        return self._consent_scopes(self.plain.application, {"userScopes": ["profile"]})

    def cimd_user_consent_scopes(self) -> Exchange:
        return self._received(self.management.get("/cimd/user-consent-scopes"))

    def third_party_token_exchange(self) -> Exchange:
        body = {"customClientMetadata": {"allowTokenExchange": True}}
        return self._received(self.management.patch(f"/applications/{self.partner.application.id}", body))

    def token_code_with_resource(self) -> Exchange:
        code = self.plain.code("r3alice", scope="openid offline_access read:books", resource=self.api_resource)
        return self._received(self.plain.exchange(code, resource=self.api_resource))

    def _third_party_tokens_without_grant(self) -> dict[str, Any]:
        tokens = self._third_party_tokens()
        self.emulator.instances.revoke_grant(next(iter(self.emulator.instances.grants)))
        return tokens

    def refresh_after_grant_revoked(self) -> Exchange:
        return self._received(self.partner.refresh(self._third_party_tokens_without_grant()["refresh_token"]))

    def userinfo_after_grant_revoked(self) -> Exchange:
        return self._received(self.partner.userinfo(self._third_party_tokens_without_grant()["access_token"]))

    # Sessions

    def user_session_unknown(self) -> Exchange:
        return self._received(self.management.delete(f"/users/{self.alice.id}/sessions/nope"))

    def user_session_revoked(self) -> Exchange:
        return self._received(self._end_session_of_alice())

    def refresh_after_session_revoked_by_management(self) -> Exchange:
        token = self._tokens()["refresh_token"]
        self._end_session_of_alice()
        return self._received(self.plain.refresh(token))

    def _end_session_of_alice(self) -> requests.Response:
        if not self.emulator.instances.sessions:
            self._tokens()
        path = f"/users/{self.alice.id}/sessions"
        session_id = self.management.get(path).json()["sessions"][0]["payload"]["uid"]
        return self.management.delete(f"{path}/{session_id}?revokeGrantsTarget=all")

    # The dynamic app

    def _authorize_url_client(self, client_id: str, *, enabled: bool = True) -> Exchange:
        self.emulator.outbound_guard = True
        self.emulator.tenant.cimd_enabled = enabled
        return self._received(self.plain.authorize(client_id=client_id, scope="openid", state=None, prompt=None))

    def cimd_client_off(self) -> Exchange:
        return self._authorize_url_client("https://client.example/metadata.json", enabled=False)

    def cimd_client_http(self) -> Exchange:
        return self._authorize_url_client("http://client.example/m.json")

    def cimd_client_loopback(self) -> Exchange:
        return self._authorize_url_client("https://127.0.0.1:9998/m.json")

    def cimd_client_unreachable(self) -> Exchange:
        return self._authorize_url_client("https://client.example/metadata.json")

    def cimd_settings(self) -> Exchange:
        return self._received(self.management.get("/configs/cimd"))

    def _set_cimd(self, enabled: bool) -> Exchange:
        return self._received(self.management.patch("/configs/cimd", {"enabled": enabled}))

    def cimd_enable(self) -> Exchange:
        self.emulator.outbound_guard = False
        return self._set_cimd(True)

    def cimd_enabled(self) -> Exchange:
        self.emulator.outbound_guard = True
        return self._set_cimd(True)

    def cimd_disabled(self) -> Exchange:
        self.cimd_enabled()
        return self._set_cimd(False)

    def cimd_discovery(self) -> Exchange:
        self.cimd_enabled()
        found = self._received(requests.get(f"{self.emulator.issuer}/.well-known/openid-configuration", timeout=5))
        # The recording has these three keys only.
        kept = ("issuer", "token_endpoint_auth_methods_supported", "client_id_metadata_document_supported")
        return replace(found, body={name: value for name, value in found.body.items() if name in kept})

    def _received(self, response: requests.Response) -> Exchange:
        return received(response, self.emulator.issuer)


_APPLICATIONS: dict[str, Callable[[TokensReplay], dict[str, Any]]] = {
    "plain": lambda replay: {"name": "r3 plain", "redirect_uris": [CALLBACK]},
    "exchanger": lambda replay: {"name": "r3 exchange", "redirect_uris": [CALLBACK], "allow_token_exchange": True},
    "spa": lambda replay: {"name": "r3 SPA", "type": "SPA", "redirect_uris": [CALLBACK], "allow_token_exchange": True},
    "native": lambda replay: {
        "name": "r3 Native",
        "type": "Native",
        "redirect_uris": [CALLBACK],
        "allow_token_exchange": True,
    },
    "machine": lambda replay: {"name": "r3 machine", "type": "MachineToMachine", "allow_token_exchange": True},
    "partner": lambda replay: {
        "name": "r3 third party",
        "redirect_uris": [CALLBACK],
        "is_third_party": True,
        "user_scopes": USER_SCOPES,
        "resource_scopes": {replay.api_resource: ["read:books"]},
        "organization_scopes": ["r3manage:inventory"],
    },
}


def trimmed(token: str, *, context: Iterable[str] = (), keys: bool = False) -> dict[str, Any]:
    """Return header and claims of a token. Of what the script saw only these parts are left, at the end as recorded."""
    answer = decoded(token)
    claims = {name: value for name, value in answer["claims"].items() if not name.startswith("r3_")}
    if context:
        claims["r3_context"] = {name: answer["claims"]["r3_context"][name] for name in context}
    if keys:
        claims["r3_keys"] = answer["claims"]["r3_keys"]
    return {"header": answer["header"], "claims": claims}
