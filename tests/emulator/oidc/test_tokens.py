import hashlib
from base64 import b64encode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.emulator.relying_party import CALLBACK, VERIFIER, RelyingParty, claims_of, header_of

API = "https://bookstore.example/api"
ORGANIZATIONS = "urn:logto:resource:organizations"
HARBOUR = "harbourbr001"
RIGHTS = {
    "scope": "openid offline_access urn:logto:scope:organizations read:books write:books manage:stock",
    "resource": [API, ORGANIZATIONS],
}


def error_of(response):
    return response.status_code, response.json()["error"]


# Client authentication


def test_basic_and_post_are_both_accepted(bookstore):
    by_basic = bookstore.exchange(bookstore.code())
    credentials = {"client_id": bookstore.application.id, "client_secret": bookstore.application.secret}
    by_post = bookstore.exchange(bookstore.code(), authenticate=False, **credentials)
    assert (by_basic.status_code, by_post.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("fields", "status", "error", "description"),
    [
        ({}, 400, "invalid_request", "no client authentication mechanism provided"),
        ({"client_id": "nope"}, 400, "invalid_client", "invalid client nope"),
        ({"client_id": "bookstoredemo00000001"}, 401, "invalid_client", "client authentication failed"),
        (
            {"client_id": "bookstoredemo00000001", "client_secret": "x"},
            401,
            "invalid_client",
            "client authentication failed",
        ),
    ],
)
def test_failed_client_authentication_is_reported(bookstore, fields, status, error, description):
    response = bookstore.post("token", authenticate=False, grant_type="refresh_token", refresh_token="x", **fields)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"] == description
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("Bearer x", "invalid_request"),
        ("Basic", "invalid_request"),
        ("Basic !!!", "invalid_request"),
        ("Basic " + b64encode(b"no colon").decode(), "invalid_request"),
        ("Basic " + b64encode(b"bookstoredemo00000001:").decode(), "invalid_request"),
        ("Basic " + b64encode(b"bookstoredemo00000001:wrong").decode(), "invalid_client"),
    ],
)
def test_malformed_authorization_header_is_refused(emulator, header, error):
    data = {"grant_type": "refresh_token", "refresh_token": "x"}
    url = f"{emulator.endpoint}/oidc/token"
    assert requests.post(url, data=data, headers={"Authorization": header}, timeout=5).json()["error"] == error


def test_two_authentication_methods_at_once_are_refused(bookstore):
    response = bookstore.post("token", client_secret=bookstore.application.secret, grant_type="refresh_token")
    assert error_of(response) == (400, "invalid_request")


def test_public_application_must_not_send_a_secret(spa):
    assert error_of(spa.exchange("x", client_secret="anything")) == (401, "invalid_client")


def test_valid_secret_works_and_expired_secret_fails(emulator, bookstore):
    fields = {"client_id": bookstore.application.id, "authenticate": False}
    second = emulator.tenant.add_application_secret(bookstore.application.id, "second")
    response = bookstore.exchange(bookstore.code(), client_secret=second.value, **fields)
    assert response.status_code == 200
    second.expires_at = emulator.clock.now_ms() - 1
    response = bookstore.exchange("x", client_secret=second.value, **fields)
    assert error_of(response) == (400, "invalid_request")
    assert response.json()["error_description"] == "client secret has expired"


def test_origin_must_belong_to_the_application(bookstore):
    url = f"{bookstore.emulator.endpoint}/oidc/token"
    auth = (bookstore.application.id, bookstore.application.secret)
    data = {"grant_type": "refresh_token", "refresh_token": "x"}
    bookstore.application.redirect_uris.append("https://*.shop.example/callback")
    bookstore.application.cors_allowed_origins = ["https://listed.example"]
    refused = ["http://evil.example", "http://localhost:8001", "null", "https://one.two.shop.example"]
    allowed = ["http://localhost:8000", "https://one.shop.example", "https://listed.example"]
    expected = dict.fromkeys(refused, "invalid_request") | dict.fromkeys(allowed, "invalid_grant")
    for origin, error in expected.items():
        response = requests.post(url, data=data, auth=auth, headers={"Origin": origin}, timeout=5)
        assert response.json()["error"] == error
        # A browser shows a refused response to no script.
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if origin in allowed else None)


def test_userinfo_checks_the_origin(bookstore):
    headers = {"Authorization": f"Bearer {bookstore.sign_in()['access_token']}", "Origin": "http://evil.example"}
    response = requests.get(f"{bookstore.emulator.endpoint}/oidc/me", headers=headers, timeout=5)
    assert response.status_code == 400


def test_preflight_request_is_answered(emulator):
    headers = {"Origin": "http://localhost:8000", "Access-Control-Request-Headers": "authorization"}
    response = requests.options(f"{emulator.endpoint}/oidc/me", headers=headers, timeout=5)
    assert (response.status_code, response.headers["Access-Control-Allow-Headers"]) == (204, "authorization")
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"
    assert "Content-Type" not in response.headers


# Grant types


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        (None, "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("client_credentials", "invalid_request"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "invalid_request"),
        ("urn:ietf:params:oauth:grant-type:device_code", "invalid_request"),
    ],
)
def test_other_grant_types_are_refused(bookstore, grant_type, error):
    assert error_of(bookstore.post("token", grant_type=grant_type)) == (400, error)


# Codes


def test_replayed_code_revokes_the_grant(bookstore):
    code = bookstore.code()
    tokens = bookstore.exchange(code).json()
    assert error_of(bookstore.exchange(code)) == (400, "invalid_grant")
    assert error_of(bookstore.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert bookstore.userinfo(tokens["access_token"]).status_code == 401


def test_code_expires_after_a_minute(emulator, bookstore):
    code = bookstore.code()
    emulator.clock.advance(60)
    assert error_of(bookstore.exchange(code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": "ü" * 43}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8000/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "x" * 43}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_refused_exchange_does_not_consume_the_code(bookstore, changes, error):
    code = bookstore.code()
    fields = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes}
    assert error_of(bookstore.post("token", grant_type="authorization_code", **fields)) == (400, error)
    assert bookstore.exchange(code).status_code == 200


def test_code_of_another_application_is_refused(bookstore, spa):
    assert error_of(spa.exchange(bookstore.code())) == (400, "invalid_grant")


def test_concurrent_exchanges_of_a_code_succeed_once(bookstore):
    code = bookstore.code()
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(response.status_code for response in pool.map(bookstore.exchange, [code] * 4))
    assert statuses == [200, 400, 400, 400]


# ID tokens


def test_at_hash_is_the_left_half_of_sha384(emulator, bookstore):
    emulator.like = "1.41"
    answer = bookstore.sign_in()
    digest = hashlib.sha384(answer["access_token"].encode()).digest()
    assert claims_of(answer["id_token"])["at_hash"] == urlsafe_b64encode(digest[:24]).decode()


@pytest.mark.parametrize(("uri", "required", "expected"), [
    ("http://127.0.0.1:9/out", True, True),
    ("http://127.0.0.1:9/out", False, False),
    (None, True, False),
])  # fmt: skip
def test_sid_needs_both_back_channel_settings(bookstore, uri, required, expected):
    bookstore.application.backchannel_logout_uri = uri
    bookstore.application.backchannel_logout_session_required = required
    assert ("sid" in claims_of(bookstore.sign_in()["id_token"])) is expected


def test_enabled_extended_claims_are_in_the_id_token(emulator, bookstore):
    scope = "openid custom_data identities roles"
    assert "custom_data" not in claims_of(bookstore.sign_in(scope=scope)["id_token"])
    emulator.tenant.id_token_extended_claims = {"custom_data", "sso_identities"}
    claims = claims_of(bookstore.sign_in(scope=scope)["id_token"])
    assert claims["custom_data"] == {}
    assert claims["sso_identities"] == []
    assert not {"roles", "identities"} & set(claims)


def test_no_id_token_without_openid(bookstore):
    answer = bookstore.sign_in(scope="profile", nonce=None)
    assert "id_token" not in answer
    assert bookstore.userinfo(answer["access_token"]).json()["error"] == "insufficient_scope"


def test_application_sets_lifetime_of_id_token(bookstore):
    bookstore.application.id_token_ttl = 60
    claims = claims_of(bookstore.sign_in()["id_token"])
    assert claims["exp"] - claims["iat"] == 60


# Resources and organizations


def test_resource_token_has_held_and_requested_scopes(emulator, bookstore):
    token = bookstore.sign_in("editor", **RIGHTS)["refresh_token"]
    answer = bookstore.refresh(token, resource=API).json()
    assert header_of(answer["access_token"])["typ"] == "at+jwt"
    assert claims_of(answer["access_token"])["aud"] == API
    assert answer["scope"] == claims_of(answer["access_token"])["scope"] == "read:books write:books"
    assert bookstore.refresh(token, resource=API, scope="openid read:books").json()["scope"] == "read:books"
    assert bookstore.userinfo(answer["access_token"]).status_code == 401


def test_code_can_be_exchanged_for_a_resource(bookstore):
    answer = bookstore.exchange(bookstore.code("editor", **RIGHTS), resource=API).json()
    assert claims_of(answer["access_token"])["aud"] == API


def test_scope_is_empty_without_permissions(bookstore):
    answer = bookstore.refresh(bookstore.sign_in("customer", **RIGHTS)["refresh_token"], resource=API).json()
    assert answer["scope"] == claims_of(answer["access_token"])["scope"] == ""


def test_lost_role_ends_at_once_new_role_later(emulator, bookstore, visitor):
    token = bookstore.sign_in("editor", visitor=visitor, **RIGHTS)["refresh_token"]
    emulator.tenant.update_user("editor000001", roles=[])
    assert bookstore.refresh(token, resource=API).json()["scope"] == ""
    emulator.tenant.update_user("editor000001", roles=["editor"])
    assert bookstore.refresh(token, resource=API).json()["scope"] == "read:books write:books"
    other = bookstore.sign_in("customer", **RIGHTS)["refresh_token"]
    emulator.tenant.update_user("customer0001", roles=["editor"])
    assert bookstore.refresh(other, resource=API).json()["scope"] == ""


def test_later_organization_permission_appears_on_refresh(emulator, bookstore):
    token = bookstore.sign_in("editor", **RIGHTS)["refresh_token"]
    assert bookstore.refresh(token, organization_id=HARBOUR).json()["scope"] == ""
    emulator.tenant.add_member(HARBOUR, "editor000001", roles=["manager"])
    answer = bookstore.refresh(token, organization_id=HARBOUR).json()
    assert answer["scope"] == "manage:stock"
    assert claims_of(answer["access_token"])["aud"] == f"urn:logto:organization:{HARBOUR}"


def test_organization_permission_must_be_requested_with_its_resource(bookstore):
    scope = "openid offline_access urn:logto:scope:organizations manage:stock"
    token = bookstore.sign_in("admin", scope=scope)["refresh_token"]
    assert bookstore.refresh(token, organization_id=HARBOUR).json()["scope"] == ""


def test_organization_roles_and_global_roles_both_count(emulator, bookstore):
    tenant = emulator.tenant
    tenant.add_organization_role("reader", resource_scopes={API: ["read:books"]})
    tenant.add_member(HARBOUR, "customer0001", roles=["reader"])
    tenant.add_member("hillbranch01", "customer0001")
    token = bookstore.sign_in("customer", **RIGHTS)["refresh_token"]
    inside = bookstore.refresh(token, resource=API, organization_id=HARBOUR).json()
    assert claims_of(inside["access_token"])["organization_id"] == HARBOUR
    assert inside["scope"] == "read:books"
    assert bookstore.refresh(token, resource=API).json()["scope"] == "read:books"
    assert bookstore.refresh(token, resource=API, organization_id="hillbranch01").json()["scope"] == ""


@pytest.mark.parametrize(
    ("rights", "changes", "status", "error"),
    [
        (RIGHTS, {"resource": "https://nope.example"}, 400, "invalid_target"),
        (RIGHTS, {"resource": "https://default.logto.app/api"}, 400, "invalid_target"),
        (RIGHTS, {"resource": [API, ORGANIZATIONS]}, 400, "invalid_target"),
        (RIGHTS, {"organization_id": "nope"}, 403, "access_denied"),
        (RIGHTS, {"organization_id": "hillbranch01"}, 403, "access_denied"),
        ({}, {"organization_id": HARBOUR}, 403, "insufficient_scope"),
        ({}, {"scope": "openid email"}, 400, "invalid_scope"),
    ],
)
def test_invalid_refresh_is_refused_without_consuming_token(bookstore, rights, changes, status, error):
    token = bookstore.sign_in("editor", **rights)["refresh_token"]
    response = bookstore.refresh(token, **changes)
    assert error_of(response) == (status, error)
    assert bookstore.refresh(token).status_code == 200


def test_organization_can_require_mfa(emulator, bookstore):
    token = bookstore.sign_in("editor", **RIGHTS)["refresh_token"]
    emulator.tenant.organizations[HARBOUR].is_mfa_required = True
    assert error_of(bookstore.refresh(token, organization_id=HARBOUR)) == (403, "access_denied")
    emulator.tenant.update_user("editor000001", has_mfa=True)
    assert bookstore.refresh(token, organization_id=HARBOUR).status_code == 200


def test_default_resource_applies_at_authorization(emulator, bookstore):
    emulator.tenant.find_resource(API).is_default = True
    scope = "openid offline_access read:books"
    answer = bookstore.sign_in("editor", scope=scope)
    assert answer["scope"] == "openid offline_access"
    assert bookstore.refresh(answer["refresh_token"], resource=API).json()["scope"] == "read:books"


# Rotation


def test_confidential_application_rotates_after_seventy_percent(emulator, bookstore):
    token = bookstore.sign_in()["refresh_token"]
    emulator.clock.advance(9.7 * 86400)
    assert bookstore.refresh(token).json()["refresh_token"] == token
    emulator.clock.advance(0.2 * 86400)
    assert bookstore.refresh(token).json()["refresh_token"] != token


def test_public_application_rotates_at_each_refresh(spa):
    first = spa.sign_in()["refresh_token"]
    second = spa.refresh(first).json()["refresh_token"]
    assert first != second
    assert spa.refresh(second).status_code == 200


def test_rotated_token_revokes_grant_after_three_seconds(emulator, spa):
    first = spa.sign_in()["refresh_token"]
    second = spa.refresh(first).json()["refresh_token"]
    assert spa.refresh(first).status_code == 200
    emulator.clock.advance(4)
    assert error_of(spa.refresh(first)) == (400, "invalid_grant")
    assert error_of(spa.refresh(second)) == (400, "invalid_grant")


def test_rotation_can_be_disabled(spa):
    spa.application.rotate_refresh_token = False
    token = spa.sign_in()["refresh_token"]
    assert spa.refresh(token).json()["refresh_token"] == token


@pytest.mark.parametrize(("kind", "extended"), [("spa", False), ("native", True)])
def test_rotation_extends_lifetime_except_for_spa(request, emulator, kind, extended):
    application = request.getfixturevalue(kind)
    token = application.sign_in()["refresh_token"]
    emulator.clock.advance(10 * 86400)
    token = application.refresh(token).json()["refresh_token"]
    emulator.clock.advance(5 * 86400)
    assert (application.refresh(token).status_code == 200) is extended


def test_refresh_token_ends_with_grant_after_180_days(emulator, native):
    token = native.sign_in()["refresh_token"]
    for _ in range(17):
        emulator.clock.advance(10 * 86400)
        token = native.refresh(token).json()["refresh_token"]
    emulator.clock.advance(10 * 86400)
    assert error_of(native.refresh(token)) == (400, "invalid_grant")


def test_refresh_token_of_another_application_is_refused(bookstore, spa):
    assert error_of(spa.refresh(bookstore.sign_in()["refresh_token"])) == (400, "invalid_grant")


def test_parallel_refreshes_of_confidential_application_succeed(bookstore):
    token = bookstore.sign_in()["refresh_token"]
    with ThreadPoolExecutor(4) as pool:
        assert {response.status_code for response in pool.map(bookstore.refresh, [token] * 8)} == {200}


def test_refreshed_id_token_has_nonce_and_current_claims(emulator, bookstore):
    token = bookstore.sign_in()["refresh_token"]
    emulator.tenant.update_user("customer0001", name="Changed")
    claims = claims_of(bookstore.refresh(token).json()["id_token"])
    assert (claims["nonce"], claims["name"]) == ("n", "Changed")


def test_max_allowed_grants_revokes_the_oldest(bookstore):
    bookstore.application.max_allowed_grants = 1
    first, second = (bookstore.sign_in()["refresh_token"] for _ in range(2))
    assert error_of(bookstore.refresh(first)) == (400, "invalid_grant")
    assert bookstore.refresh(second).status_code == 200


# Suspended and deleted users


@pytest.mark.parametrize("end", ["suspend_user", "delete_user"])
def test_suspension_and_deletion_end_tokens(emulator, bookstore, visitor, end):
    tokens = bookstore.sign_in(visitor=visitor)
    code = bookstore.code(visitor=visitor)
    getattr(emulator.tenant, end)("customer0001")
    assert error_of(bookstore.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert error_of(bookstore.exchange(code)) == (400, "invalid_grant")
    assert error_of(bookstore.userinfo(tokens["access_token"])) == (401, "invalid_token")
    assert "/sign-in" in visitor.open(bookstore.authorization_url(prompt=None)).url


# Machines


@pytest.fixture
def machine(emulator):
    emulator.tenant.add_role("worker", type="MachineToMachine", scopes={API: ["read:books"]})
    application = emulator.tenant.add_application(name="Worker", type="MachineToMachine", roles=["worker"])
    emulator.tenant.add_organization_role("stock worker", scopes=["manage:stock"], type="MachineToMachine")
    emulator.tenant.add_organization_application(HARBOUR, application.id, roles=["stock worker"])
    relying_party = RelyingParty(emulator, application)
    yield relying_party
    relying_party.http.close()


def test_machine_gets_only_requested_scopes(machine):
    named = machine.post("token", grant_type="client_credentials", resource=API, scope="read:books write:books").json()
    assert list(named) == ["access_token", "expires_in", "token_type", "scope"]
    assert named["scope"] == "read:books"
    assert claims_of(named["access_token"])["sub"] == machine.application.id
    unnamed = machine.post("token", grant_type="client_credentials", resource=API).json()
    assert list(unnamed) == ["access_token", "expires_in", "token_type"]
    assert "scope" not in claims_of(unnamed["access_token"])


def test_machine_gets_token_for_its_organization(machine):
    fields = {"grant_type": "client_credentials", "scope": "manage:stock read:books"}
    token = machine.post("token", organization_id=HARBOUR, **fields).json()
    assert token["scope"] == "manage:stock"
    within = machine.post("token", organization_id=HARBOUR, resource=API, **fields).json()
    assert "scope" not in within
    assert claims_of(within["access_token"])["organization_id"] == HARBOUR
    assert error_of(machine.post("token", organization_id="hillbranch01", **fields)) == (403, "access_denied")


@pytest.mark.parametrize("organization_id", [HARBOUR, "nope"])
def test_code_exchange_ignores_the_organization(bookstore, organization_id):
    code = bookstore.code("admin", **RIGHTS)
    token = bookstore.exchange(code, resource=API, organization_id=organization_id).json()["access_token"]
    assert "organization_id" not in claims_of(token)


@pytest.mark.parametrize("organization_id", ["hillbranch01", "nope"])
def test_machine_without_organization_role_gets_no_token(emulator, machine, organization_id):
    emulator.tenant.add_organization_application("hillbranch01", machine.application.id)
    fields = {"grant_type": "client_credentials", "organization_id": organization_id, "scope": "manage:stock"}
    for target in ({}, {"resource": API}):
        refused = machine.post("token", **fields, **target)
        assert error_of(refused) == (403, "access_denied")
        assert refused.json()["error_description"] == "app has not associated with the organization"


def test_demo_robot_has_catalogue_and_stock_permissions(emulator):
    robot = RelyingParty(emulator, emulator.tenant.applications["stockrobotdemo0000001"])
    fields = {"grant_type": "client_credentials", "scope": "read:books write:books manage:stock"}
    assert robot.post("token", resource=API, **fields).json()["scope"] == "read:books write:books"
    assert robot.post("token", organization_id=HARBOUR, **fields).json()["scope"] == "manage:stock"
    assert error_of(robot.post("token", organization_id="hillbranch01", **fields)) == (403, "access_denied")
    robot.http.close()


@pytest.mark.parametrize("changes", [{}, {"resource": "https://nope.example"}, {"resource": [API, ORGANIZATIONS]}])
def test_machine_must_name_one_target(machine, changes):
    assert error_of(machine.post("token", grant_type="client_credentials", **changes)) == (400, "invalid_target")


def test_machine_has_no_other_grant_type(machine):
    assert error_of(machine.post("token", grant_type="refresh_token", refresh_token="x")) == (400, "invalid_request")


# Token exchange


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"actor_token": "nope", "resource": "https://nowhere.example"}, (400, "invalid_target")),
        ({"actor_token": "nope", "organization_id": "nowhere"}, (403, "access_denied")),
        ({"actor_token": "nope"}, (400, "invalid_grant")),
    ],
)
def test_exchange_checks_the_actor_last(emulator, bookstore, changes, expected):
    bookstore.application.allow_token_exchange = True
    token = emulator.tenant.add_personal_access_token(emulator.tenant.find_user(username="customer").id, "script")
    response = bookstore.post(
        "token",
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=token.value,
        subject_token_type="urn:logto:token-type:personal_access_token",
        actor_token_type="urn:ietf:params:oauth:token-type:access_token",
        **changes,
    )
    assert error_of(response) == expected


# Revocation and introspection


def test_revoking_refresh_token_ends_the_grant(bookstore):
    tokens = bookstore.sign_in()
    assert bookstore.post("token/revocation", token=tokens["refresh_token"]).status_code == 200
    assert error_of(bookstore.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert bookstore.userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize(("like", "refresh_status"), [("1.41", 200), ("1.42", 400)])
def test_revoking_access_token_ends_grant_since_1_42(emulator, bookstore, like, refresh_status):
    emulator.like = like
    tokens = bookstore.sign_in()
    bookstore.post("token/revocation", token=tokens["access_token"])
    assert bookstore.userinfo(tokens["access_token"]).status_code == 401
    assert bookstore.refresh(tokens["refresh_token"]).status_code == refresh_status


def test_revoking_unknown_and_foreign_tokens(bookstore, spa):
    assert bookstore.post("token/revocation", token="nope").status_code == 200
    token = spa.sign_in()["refresh_token"]
    assert error_of(bookstore.post("token/revocation", token=token)) == (400, "invalid_request")
    assert error_of(bookstore.post("token/revocation")) == (400, "invalid_request")


def test_introspection_describes_stored_tokens_only(bookstore, spa):
    tokens = bookstore.sign_in(**RIGHTS)
    refresh_token = bookstore.post("token/introspection", token=tokens["refresh_token"]).json()
    assert list(refresh_token) == ["active", "sub", "client_id", "exp", "iat", "sid", "iss", "scope"]
    access_token = bookstore.post("token/introspection", token=tokens["access_token"]).json()
    assert access_token["token_type"] == "Bearer"
    assert bookstore.post("token/introspection", token="nope").json() == {"active": False}
    assert spa.post("token/introspection", token=tokens["access_token"]).json() == {"active": False}


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_jwts_are_neither_revoked_nor_introspected(emulator, bookstore, kind):
    emulator.like = "1.42"
    refresh_token = bookstore.sign_in(**RIGHTS)["refresh_token"]
    jwt = bookstore.refresh(refresh_token, resource=API).json()[kind]
    for endpoint, done in (("revocation", "revoked"), ("introspection", "introspected")):
        refused = bookstore.post(f"token/{endpoint}", token=jwt)
        assert error_of(refused) == (400, "unsupported_token_type")
        assert refused.json()["error_description"].startswith(f"Structured JWT Tokens cannot be {done} via")
    emulator.like = "1.41"
    assert bookstore.post("token/revocation", token=jwt).status_code == 200
    assert bookstore.post("token/introspection", token=jwt).json() == {"active": False}


@pytest.mark.parametrize("token", ["a.b.c", "e30.x", "nope", "e30", "bnVsbA.x.y"])
def test_other_texts_with_dots_are_unknown_tokens(bookstore, token):
    assert bookstore.post("token/introspection", token=token).json() == {"active": False}


# Userinfo


def test_userinfo_accepts_token_in_header_or_form(emulator, bookstore):
    token = bookstore.sign_in()["access_token"]
    url = f"{emulator.endpoint}/oidc/me"
    assert requests.post(url, data={"access_token": token}, timeout=5).status_code == 200
    assert requests.get(url, params={"access_token": token}, timeout=5).status_code == 400
    both = requests.post(url, data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert both.status_code == 400


@pytest.mark.parametrize(("like", "expected"), [("1.41", (400, "invalid_request")), ("1.42", (401, "invalid_token"))])
def test_userinfo_requires_a_token(emulator, like, expected):
    emulator.like = like
    response = requests.get(f"{emulator.endpoint}/oidc/me", timeout=5)
    assert error_of(response) == expected
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="{emulator.issuer}"'


def test_opaque_token_expires_after_an_hour(emulator, bookstore):
    token = bookstore.sign_in()["access_token"]
    emulator.clock.advance(3600)
    assert bookstore.userinfo(token).status_code == 401


# Errors


def test_parse_error_false_returns_oauth_fields_only(emulator):
    response = requests.post(f"{emulator.endpoint}/oidc/token?parse_error=false", data={"client_id": "x"}, timeout=5)
    assert list(response.json()) == ["error", "error_description"]


def test_resource_in_query_is_ignored(emulator, bookstore):
    token = bookstore.sign_in("editor", **RIGHTS)["refresh_token"]
    answer = bookstore.post(f"token?resource={API}", grant_type="refresh_token", refresh_token=token).json()
    assert "openid" in answer["scope"]


def test_json_body_is_accepted(emulator, bookstore):
    body = {"client_id": bookstore.application.id, "client_secret": bookstore.application.secret}
    body |= {"grant_type": "refresh_token", "refresh_token": bookstore.sign_in()["refresh_token"]}
    assert requests.post(f"{emulator.endpoint}/oidc/token", json=body, timeout=5).status_code == 200


@pytest.mark.parametrize("endpoint", ["token", "token/introspection", "token/revocation", "me"])
@pytest.mark.parametrize("body", [{"files": {"token": (None, "x")}}, {"data": "token=x", "type": "text/plain"}])
def test_other_content_types_are_refused(emulator, bookstore, endpoint, body):
    headers = {"Content-Type": body["type"]} if "type" in body else {}
    content = {name: value for name, value in body.items() if name != "type"}
    auth = (bookstore.application.id, bookstore.application.secret)
    response = requests.post(f"{emulator.endpoint}/oidc/{endpoint}", **content, headers=headers, auth=auth, timeout=5)
    assert error_of(response) == (400, "invalid_request")
    assert response.json()["error_description"] == (
        f"only application/x-www-form-urlencoded content-type bodies are supported on POST /{endpoint}"
    )


@pytest.mark.parametrize("path", ["/nope", "/token", "/session/end/confirm", "/"])
def test_unknown_routes_and_methods_get_json_error(emulator, path):
    response = requests.get(f"{emulator.endpoint}/oidc{path}", timeout=5)
    assert error_of(response) == (404, "invalid_request")
    shown = path.removeprefix("/oidc")
    assert response.json()["error_description"] == f"unrecognized route or not allowed method (GET on {shown})"
    assert "Cache-Control" not in response.headers


def test_large_body_and_nul_byte_are_refused(emulator):
    url = f"{emulator.endpoint}/oidc/token"
    assert requests.post(url, data={"client_id": "x" * 60_000}, timeout=5).status_code == 413
    assert requests.post(url, data={"client_id": "x\0"}, timeout=5).status_code == 400
