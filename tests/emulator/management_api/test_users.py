"""`/api/users`, and the effect on sign-ins, tokens and claims."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from logto_auth.emulator import VisitFailed
from tests.emulator.relying_party import claims_of


def path_of(user):
    return f"/users/{user['id']}"


@pytest.fixture
def ada(api):
    return api.made(
        "/users",
        {"username": "ada", "password": "ada-password", "primaryEmail": "ada@example.com", "customData": {"b": 1}},
    )


def test_user_created_by_api_signs_in(bookstore, visitor, ada):
    callback = visitor.sign_in(bookstore.authorization_url(), "ada", "ada-password")
    assert "code=" in callback


@pytest.mark.usefixtures("default_sign_up")
def test_registered_user_is_visible_in_api(api, bookstore, visitor):
    visitor.register(bookstore.authorization_url(), "newcomer", "newcomer-password")
    newest = api.get("/users").json()[0]
    assert (newest["username"], newest["hasPassword"]) == ("newcomer", True)
    assert newest["applicationId"] == bookstore.application.id


def test_changed_user_is_visible_in_claims(api, bookstore, ada):
    changed = api.patch(
        path_of(ada), {"name": "Ada L", "profile": {"givenName": "Ada"}, "customData": {"aa": 2}}
    ).json()
    assert changed["customData"] == {"aa": 2}
    assert changed["updatedAt"] >= ada["updatedAt"]
    claims = claims_of(bookstore.sign_in("ada")["id_token"])
    assert (claims["name"], claims["given_name"]) == ("Ada L", "Ada")


def test_profile_and_custom_data_routes_merge(api, ada):
    assert api.patch(f"{path_of(ada)}/custom-data", {"customData": {"aa": 2}}).json() == {"b": 1, "aa": 2}
    assert api.get(f"{path_of(ada)}/custom-data").json() == {"b": 1, "aa": 2}
    api.patch(path_of(ada), {"profile": {"givenName": "Ada", "nickname": "A"}})
    merged = api.patch(f"{path_of(ada)}/profile", {"profile": {"nickname": "Countess", "unknown": "x"}}).json()
    assert merged == {"givenName": "Ada", "nickname": "Countess"}


def test_identifiers_are_cleared_by_null_or_empty_string(api, ada):
    assert api.patch(path_of(ada), {"primaryEmail": None}).json()["primaryEmail"] is None
    assert api.patch(path_of(ada), {"username": ""}).json()["username"] is None
    assert api.made("/users", {"username": "ada", "primaryEmail": "ada@example.com"})["username"] == "ada"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"username": "editor"}, "user.username_already_in_use"),
        ({"primaryEmail": "editor@bookstore.example"}, "user.email_already_in_use"),
        ({"primaryPhone": "81312345678"}, "user.phone_already_in_use"),
    ],
)
def test_identifiers_in_use_are_refused(emulator, api, ada, body, code):
    emulator.tenant.add_user(primary_phone="81312345678")
    for response in (api.post("/users", body), api.patch(path_of(ada), body)):
        assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({"username": "1ada"}, "invalid_string"),
        ({"primaryEmail": "nope"}, "invalid_string"),
        ({"primaryPhone": "+81 3"}, "invalid_string"),
        ({"avatar": "nope"}, "invalid_string"),
        ({"password": ""}, "too_small"),
        ({"profile": {"address": {"country": 1}}}, "invalid_type"),
        ({"customData": []}, "invalid_type"),
        ({"passwordDigest": "x", "passwordAlgorithm": "Rot13"}, "invalid_enum_value"),
        ({"username": None}, "invalid_type"),
    ],
)
def test_invalid_input_gets_zod_issue(api, body, issue):
    response = api.post("/users", body)
    assert response.status_code == 400
    assert [each["code"] for each in response.json()["data"]["issues"]] == [issue]


def test_all_invalid_fields_are_reported_together(api):
    body = api.post("/users", {"username": 5, "name": True}).json()
    assert body["details"].split("\n") == [
        'Error in key path "username": (invalid_type) Expected string but received number.',
        'Error in key path "name": (invalid_type) Expected string but received boolean.',
    ]


def test_unknown_keys_are_dropped(api):
    assert "shoeSize" not in api.made("/users", {"username": "shoes", "shoeSize": 44})


def test_suspension_by_api_ends_sessions_and_refresh(api, bookstore, visitor, ada):
    tokens = bookstore.sign_in("ada", visitor)
    suspended = api.patch(f"{path_of(ada)}/is-suspended", {"isSuspended": True})
    assert suspended.json()["isSuspended"] is True
    assert bookstore.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert bookstore.userinfo(tokens["access_token"]).status_code == 401
    with pytest.raises(VisitFailed):
        visitor.sign_in(bookstore.authorization_url(), "ada")
    api.patch(f"{path_of(ada)}/is-suspended", {"isSuspended": False})
    assert bookstore.sign_in("ada")["refresh_token"]


def test_deleted_user_is_not_found(api, bookstore, ada):
    tokens = bookstore.sign_in("ada")
    assert api.delete(path_of(ada)).status_code == 204
    assert api.get(path_of(ada)).status_code == 404
    assert bookstore.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert api.made("/users", {"username": "ada"})["id"] != ada["id"]


def test_password_is_set_verified_and_reported(api, bookstore, visitor):
    user = api.made("/users", {"username": "plain"})
    assert api.get(f"{path_of(user)}/has-password").json() == {"hasPassword": False}
    assert api.patch(f"{path_of(user)}/password", {"password": "new-password"}).json()["hasPassword"] is True
    assert api.post(f"{path_of(user)}/password/verify", {"password": "new-password"}).status_code == 204
    wrong = api.post(f"{path_of(user)}/password/verify", {"password": "old-password"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "session.invalid_credentials")
    assert visitor.sign_in(bookstore.authorization_url(), "plain", "new-password")


def pbkdf2(algorithm, length):
    digest = hashlib.pbkdf2_hmac(algorithm, b"old-password", b"salt", 1000, length).hex()
    return json.dumps(["pbkdf2", ["salt", "1000", str(length), algorithm, "@"], digest])


def argon2id():
    return Argon2id(salt=b"salt" * 4, length=32, iterations=1, lanes=1, memory_cost=64).derive_phc_encoded(
        b"old-password"
    )


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("Legacy", pbkdf2("sha256", 32)),
        ("Legacy", pbkdf2("sha1", 20)),
        ("Argon2id", argon2id()),
        ("SHA256", hashlib.sha256(b"old-password").hexdigest()),
        ("MD5", hashlib.md5(b"old-password").hexdigest()),
    ],
)
def test_imported_password_digest_signs_in(api, bookstore, visitor, algorithm, digest):
    user = api.made("/users", {"username": "moved", "passwordAlgorithm": algorithm, "passwordDigest": digest})
    assert user["hasPassword"] is True
    with pytest.raises(VisitFailed):
        visitor.sign_in(bookstore.authorization_url(), "moved", "other-password")
    assert visitor.sign_in(bookstore.authorization_url(prompt="login"), "moved", "old-password")


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("Bcrypt", "$2b$04$" + "x" * 53), ("Legacy", '["pbkdf2", ["@"], "00"]'), ("Argon2id", ""), ("Bcrypt", "")],
)
def test_unsupported_digest_matches_no_password(api, algorithm, digest):
    user = api.made("/users", {"username": "moved", "passwordAlgorithm": algorithm, "passwordDigest": digest})
    assert user["hasPassword"] is True or digest == ""
    assert api.post(f"{path_of(user)}/password/verify", {"password": "old-password"}).status_code == 422


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("Bcrypt", "nope"),
        ("Bcrypt", "$2b$10$short"),
        ("Argon2i", "not-a-digest"),
        ("Argon2id", "$argon2id$nope"),
        ("Argon2id", "$argon2id$v=19$m=16,t=2,p=1$bad"),
        ("Argon2i", "$argon2i$v=19$m=4096,t=10$aZzrqpSX45DOo+9uEW6XVw$O4MdirF0mtuWWWz68eyNAt2u1FzzV3m3g00oIxmEr0A"),
        ("Argon2i", "$argon2i$v=19$m=4096,t=10,p=1$aZzrqpSX45DOo+9uEW6XVw$"),
    ],
)
def test_malformed_digest_is_a_server_error(api, bookstore, visitor, algorithm, digest):
    """As tried on Logto 1.41.0, 1.42.0 and the head."""
    user = api.made("/users", {"username": "moved", "passwordAlgorithm": algorithm, "passwordDigest": digest})
    assert api.post(f"{path_of(user)}/password/verify", {"password": "old-password"}).status_code == 500
    with pytest.raises(VisitFailed) as failure:
        visitor.sign_in(bookstore.authorization_url(), "moved", "old-password")
    assert failure.value.response.status_code == 500


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"passwordDigest": "x"}, "user.password_algorithm_required"),
        ({"passwordDigest": "x", "passwordAlgorithm": "MD5", "password": "y"}, "user.password_and_digest"),
        ({"passwordDigest": "nope", "passwordAlgorithm": "Legacy"}, "password.invalid_legacy_password_format"),
        (
            {"passwordDigest": '["pbkdf2", ["no place"], "00"]', "passwordAlgorithm": "Legacy"},
            "password.invalid_legacy_password_format",
        ),
        ({"passwordDigest": "x" * 257, "passwordAlgorithm": "MD5"}, "guard.invalid_input"),
    ],
)
def test_digest_requires_algorithm_and_no_password(api, body, code):
    response = api.post("/users", body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_roles_are_in_the_next_token(api, bookstore, ada):
    role_ids = ["roleeditor00000000001", "roleadmin000000000001"]
    given = api.post(f"{path_of(ada)}/roles", {"roleIds": role_ids})
    assert (given.status_code, given.json()) == (201, {"roleIds": role_ids, "addedRoleIds": role_ids})
    assert api.post(f"{path_of(ada)}/roles", {"roleIds": role_ids}).json()["addedRoleIds"] == []
    tokens = bookstore.sign_in("ada", scope="openid offline_access roles")
    assert claims_of(tokens["id_token"])["roles"] == ["editor", "admin"]
    assert api.delete(f"{path_of(ada)}/roles/{role_ids[1]}").status_code == 204
    refreshed = bookstore.refresh(tokens["refresh_token"]).json()
    assert claims_of(refreshed["id_token"])["roles"] == ["editor"]
    assert api.put(f"{path_of(ada)}/roles", {"roleIds": []}).status_code == 200
    assert api.get(f"{path_of(ada)}/roles").json() == []
    assert api.delete(f"{path_of(ada)}/roles/{role_ids[1]}").status_code == 404
    assert api.post(f"{path_of(ada)}/roles", {"roleIds": ["nope"]}).status_code == 404


def test_identity_linked_by_api_signs_in(api, bookstore, visitor, ada):
    linked = api.put(f"{path_of(ada)}/identities/alipay", {"userId": "2088", "details": {"name": "A", "id": "2088"}})
    assert (linked.status_code, list(linked.json()["alipay"]["details"])) == (201, ["id", "name"])
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    assert api.get(path_of(ada)).json()["lastSignInAt"]
    assert api.put(f"{path_of(ada)}/identities/alipay", {"userId": "2089"}).status_code == 200
    assert api.get(f"{path_of(ada)}/identities/alipay").json() == {"identity": {"userId": "2089"}}
    other = api.made("/users", {})
    taken = api.put(f"{path_of(other)}/identities/alipay", {"userId": "2089"})
    assert (taken.status_code, taken.json()["code"]) == (422, "user.identity_already_in_use")
    assert api.delete(f"{path_of(ada)}/identities/alipay").json()["identities"] == {}
    assert api.get(f"{path_of(ada)}/identities/alipay").status_code == 404


def test_organizations_of_user_are_listed(api):
    organizations = api.get("/users/admin0000001/organizations").json()
    assert [each["name"] for each in organizations] == ["Harbour Branch", "Hill Branch"]
    assert organizations[0]["organizationRoles"] == [{"id": "orgrolemanager0000001", "name": "manager"}]


def test_sso_identities_are_shown_if_requested(emulator, api):
    ids = {"tenantId": "default", "id": "1", "userId": "1", "ssoConnectorId": "1"}
    sso = {**ids, "issuer": "https://idp.example", "identityId": "1", "detail": {}, "createdAt": 1, "updatedAt": 1}
    user = emulator.tenant.add_user(sso_identities=[sso])
    assert "ssoIdentities" not in api.get(f"/users/{user.id}").json()
    assert api.get(f"/users/{user.id}", includeSsoIdentities="true").json()["ssoIdentities"] == [sso]


def test_sessions_are_listed_and_ended(api, bookstore, visitor, ada):
    tokens = bookstore.sign_in("ada", visitor)
    [session] = api.get(f"{path_of(ada)}/sessions").json()["sessions"]
    assert session["payload"]["authorizations"].keys() == {bookstore.application.id}
    path = f"{path_of(ada)}/sessions/{session['payload']['uid']}"
    # Before the next sign-in: each one extends the session, from the current second.
    assert api.get(path).json() == session
    silent = visitor.session.get(bookstore.authorization_url(prompt="none"), allow_redirects=False)
    assert "code=" in silent.headers["Location"]
    assert api.delete(f"{path}?revokeGrantsTarget=nope").status_code == 400
    assert api.delete(path).status_code == 204
    silent = visitor.session.get(bookstore.authorization_url(prompt="none"), allow_redirects=False)
    assert "error=login_required" in silent.headers["Location"]
    assert bookstore.refresh(tokens["refresh_token"]).status_code == 200
    assert api.get(path).json()["code"] == "oidc.session_not_found"


def test_grants_end_with_session_if_requested(api, bookstore, visitor, ada):
    tokens = bookstore.sign_in("ada", visitor)
    [session] = api.get(f"{path_of(ada)}/sessions").json()["sessions"]
    uid = session["payload"]["uid"]
    assert api.delete(f"/users/customer0001/sessions/{uid}").json()["code"] == "oidc.invalid_session_account_id"
    assert api.delete(f"{path_of(ada)}/sessions/{uid}?revokeGrantsTarget=all").status_code == 204
    assert bookstore.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
