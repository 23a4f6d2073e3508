"""The Account API: tokens, permissions and changes. `contract` compares it with the recordings."""

import hashlib

import pytest
import requests

from logto_auth.emulator import HttpFault, PasswordDigest, Tenant
from logto_auth.emulator.state.clock import Clock
from logto_auth.emulator.state.password_policy import rejections

from .account_api_client import ALL_SCOPES, AccountAPI, code_of

NO_RECORD = (401, "verification_record.permission_denied")
NOT_EDITABLE = (400, "account_center.field_not_editable")
PASSWORD = "customer-password"
NEW_PASSWORD = "Xy9!kfLw2q-r3"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82"


@pytest.fixture
def other(emulator, bookstore):
    """The Account API of another user."""
    other = AccountAPI(emulator, bookstore.sign_in("editor", scope=ALL_SCOPES)["access_token"])
    yield other
    other.http.close()


@pytest.fixture
def customer(emulator):
    return emulator.tenant.users["customer0001"]


# The account center


def test_account_center_is_off_in_a_new_tenant():
    assert Tenant(Clock()).account_center == {
        "tenantId": "default",
        "id": "default",
        "enabled": False,
        "fields": {},
        "webauthnRelatedOrigins": [],
        "deleteAccountUrl": None,
        "customCss": None,
        "profileFields": None,
    }


def test_account_center_is_enabled_with_some_fields(emulator):
    emulator.tenant.enable_account_center("Off", name="Edit", email="ReadOnly")
    fields = emulator.tenant.account_center["fields"]
    assert (fields["name"], fields["email"], fields["phone"]) == ("Edit", "ReadOnly", "Off")


def test_unknown_field_of_account_center_is_refused(emulator):
    with pytest.raises(TypeError, match="nickname"):
        emulator.tenant.enable_account_center(nickname="Edit")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/my-account"),
        ("PATCH", "/my-account/profile"),
        ("POST", "/my-account/password"),
        ("DELETE", "/my-account/primary-email"),
        ("DELETE", "/my-account/primary-phone"),
        ("PUT", "/my-account/identities"),
        ("GET", "/my-account/sessions"),
        ("GET", "/my-account/grants"),
        ("POST", "/my-account/user-assets/avatar"),
        ("POST", "/verifications/password"),
        ("POST", "/verifications/social"),
    ],
)
def test_everything_is_off_with_the_account_center(emulator, account, method, path):
    emulator.tenant.account_center["enabled"] = False
    assert code_of(account(method, path, {})) == (400, "account_center.not_enabled")


# Tokens


def test_token_of_deleted_user_is_refused(emulator, account, customer):
    emulator.tenant.delete_user(customer.id)
    assert code_of(account.get()) == (401, "auth.unauthorized")


def test_expired_token_is_refused(emulator, account):
    emulator.clock.advance(3601)
    assert code_of(account.get()) == (401, "auth.unauthorized")


def test_token_type_other_than_bearer_is_refused(account):
    account.http.headers["Authorization"] = "Basic x"
    assert code_of(account.get()) == (401, "auth.authorization_token_type_not_supported")


def test_token_of_deleted_application_changes_nothing(emulator, account):
    del emulator.tenant.applications["bookstoredemo00000001"]
    assert account.get().status_code == 200
    assert code_of(account.patch("/my-account", {"name": "x"})) == (403, "auth.third_party_application_forbidden")


# Field permissions and scopes of each route

CHANGES = {
    "name": ("PATCH", "/my-account", {"name": "x"}),
    "avatar": ("PATCH", "/my-account", {"avatar": "https://example.com/a.png"}),
    "username": ("PATCH", "/my-account", {"username": "x"}),
    "customData": ("PATCH", "/my-account", {"customData": {}}),
    "profile": ("PATCH", "/my-account/profile", {}),
    "password": ("POST", "/my-account/password", {"password": NEW_PASSWORD}),
    "email": ("DELETE", "/my-account/primary-email", None),
    "phone": ("DELETE", "/my-account/primary-phone", None),
    "social": ("DELETE", "/my-account/identities/alipay", None),
    "session": ("DELETE", "/my-account/sessions/x", None),
}


@pytest.mark.parametrize("permission", ["Off", "ReadOnly"])
@pytest.mark.parametrize("field", CHANGES)
def test_field_that_is_not_edit_is_not_changed(emulator, account, field, permission):
    account.verify_password(PASSWORD)
    emulator.tenant.enable_account_center(**{field: permission})
    assert code_of(account(*CHANGES[field])) == NOT_EDITABLE


@pytest.mark.parametrize("path", ["/my-account/sessions", "/my-account/grants"])
def test_sessions_are_read_unless_they_are_off(emulator, account, path):
    account.verify_password(PASSWORD)
    emulator.tenant.enable_account_center(session="ReadOnly")
    assert account.get(path).status_code == 200
    emulator.tenant.enable_account_center(session="Off")
    assert code_of(account.get(path)) == (400, "account_center.field_not_enabled")


@pytest.mark.parametrize(
    ("field", "status"), [("phone", 400), ("email", 400), ("social", 400), ("session", 401), ("profile", 400)]
)
def test_missing_scope_has_the_status_of_its_route(emulator, bookstore, field, status):
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope="openid")["access_token"])
    account.verify_password(PASSWORD)
    assert code_of(account(*CHANGES[field])) == (status, "auth.unauthorized")
    account.http.close()


def test_linking_without_scope_is_401(emulator, bookstore):
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope="openid")["access_token"])
    answer = account.post("/my-account/identities", {"newIdentifierVerificationRecordId": "x"})
    assert code_of(answer) == (401, "auth.unauthorized")
    account.http.close()


@pytest.mark.parametrize("field", CHANGES)
def test_third_party_application_changes_nothing(emulator, third_party, field):
    third_party.application.user_scopes = ALL_SCOPES.split()
    account = AccountAPI(emulator, third_party.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    record = emulator.verifications.verify_password(emulator.tenant.users["customer0001"], PASSWORD)
    account.record_id = record.id
    assert code_of(account(*CHANGES[field])) == (403, "auth.third_party_application_forbidden")
    account.http.close()


# The profile


def test_empty_change_is_refused(account):
    assert code_of(account.patch("/my-account", {})) == (422, "entity.invalid_input")


def test_null_empties_name_and_avatar(account, customer):
    assert account.patch("/my-account", {"name": None, "avatar": None}).status_code == 200
    assert (customer.name, customer.avatar) == (None, None)


def test_empty_text_is_no_username(account):
    account.verify_password(PASSWORD)
    assert code_of(account.patch("/my-account", {"username": ""})) == (400, "guard.invalid_input")


@pytest.mark.parametrize("field", ["name", "avatar"])
def test_empty_text_is_stored_as_null(account, customer, field):
    account.patch("/my-account", {"name": "A", "avatar": "https://a.example/b.png"})
    answer = account.patch("/my-account", {field: ""})
    if field == "avatar":
        assert code_of(answer) == (400, "guard.invalid_input")
    else:
        assert (answer.json()["name"], customer.name) == (None, None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/my-account", {"name": "a\0b"}),
        ("/my-account", {"customData": {"a": ["x", {"b": "y\0"}]}}),
        ("/my-account", {"customData": {"a\0": 1}}),
        ("/my-account/profile", {"nickname": "a\0b"}),
        ("/my-account/profile", {"address": {"country": "a\0b"}}),
    ],
)
def test_nul_character_is_not_stored(account, customer, path, body):
    before = (customer.name, dict(customer.custom_data), dict(customer.profile))
    answer = account.patch(path, body)
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error."})
    assert (customer.name, customer.custom_data, customer.profile) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/my-account", {"customData": {"a": "\ud800"}}),
        ("/my-account", {"customData": {"\udc00": 1}}),
        ("/my-account/profile", {"nickname": "a\ud800b"}),
    ],
)
def test_half_of_surrogate_pair_is_no_json(account, path, body):
    assert code_of(account.patch(path, body)) == (422, "entity.invalid_input")
    assert account.get().status_code == 200


def test_half_of_surrogate_pair_is_replaced_in_a_text(account):
    assert account.patch("/my-account", {"name": "a\ud800b"}).json()["name"] == "a\N{REPLACEMENT CHARACTER}b"


def test_username_ends_where_the_text_ends(account):
    account.verify_password(PASSWORD)
    assert code_of(account.patch("/my-account", {"username": "reader\n"})) == (400, "guard.invalid_input")


def test_username_policy_of_the_tenant_applies(emulator, account):
    account.verify_password(PASSWORD)
    policy = {"minLength": 4, "maxLength": 6, "allowedChars": {"uppercase": False, "underscore": False}}
    emulator.tenant.sign_in_experience.settings["usernamePolicy"] = policy
    codes = [
        account.patch("/my-account", {"username": name}).json()["code"] for name in ("abc", "abcdefg", "abCd", "a_bc")
    ]
    assert codes == [
        "user.username_too_short",
        "user.username_too_long",
        "user.username_uppercase_not_allowed",
        "user.username_underscore_not_allowed",
    ]


def test_change_is_announced_without_a_route(emulator, account, receiver):
    emulator.tenant.add_hook(receiver.url, ["User.Data.Updated"])
    account.patch("/my-account/profile", {"nickname": "N"})
    emulator.webhooks.wait()
    [delivery] = receiver.received
    assert list(delivery.payload) == ["event", "createdAt", "userAgent", "ip", "data", "hookId"]
    assert delivery.payload["data"]["profile"] == {"nickname": "N"}


def test_refused_change_is_not_announced(emulator, account, receiver):
    emulator.tenant.add_hook(receiver.url, ["User.Data.Updated"])
    account.patch("/my-account", {"username": "other"})
    account.delete("/my-account/primary-email")
    emulator.webhooks.wait()
    assert receiver.received == []


# The password


def test_password_is_changed_and_signs_in(emulator, account, customer):
    account.verify_password(PASSWORD)
    assert account.post("/my-account/password", {"password": NEW_PASSWORD}).status_code == 204
    assert customer.password_fits(NEW_PASSWORD)


def test_present_password_is_refused(account):
    account.verify_password(PASSWORD)
    assert code_of(account.post("/my-account/password", {"password": PASSWORD})) == (422, "user.same_password")


def test_known_password_is_rejected_by_default(account):
    account.verify_password(PASSWORD)
    answer = account.post("/my-account/password", {"password": "iloveyou1"})
    assert answer.json()["data"] == [{"code": "password_rejected.pwned"}]


def test_unreachable_list_does_not_matter_if_the_policy_does_not_ask_it(emulator, account):
    account.verify_password(PASSWORD)
    emulator.faults.breach_list_unreachable = True
    emulator.tenant.sign_in_experience.settings["passwordPolicy"] = {"rejects": {"pwned": False}}
    assert account.post("/my-account/password", {"password": NEW_PASSWORD}).status_code == 204


def test_faults_are_cleared(emulator):
    emulator.faults.breach_list_unreachable = emulator.faults.messages_fail = True
    emulator.faults.clear()
    assert (emulator.faults.breach_list_unreachable, emulator.faults.messages_fail) == (False, False)


@pytest.mark.parametrize(
    ("policy", "password", "codes"),
    [
        ({}, NEW_PASSWORD, []),
        ({}, "short1", ["too_short"]),
        ({"length": {"max": 9}}, NEW_PASSWORD, ["too_long"]),
        ({"characterTypes": {"min": 3}}, "onlylowers9", ["character_types"]),
        ({"characterTypes": {"min": 4}}, NEW_PASSWORD, []),
        ({}, "pässword-long", ["unsupported_characters"]),
        ({}, "aaaaaaaa", ["restricted.repetition"]),
        ({}, "hgfedcba", ["restricted.sequence"]),
        ({}, "QWERTYUI", ["restricted.sequence"]),
        ({}, "aaaa1234", ["restricted.repetition", "restricted.sequence"]),
        ({}, "12345678kLw", []),
        ({}, "12345678kL", ["restricted.sequence"]),
        ({}, "customer", ["restricted.user_info"]),
        ({}, "customer-x", ["restricted.user_info"]),
        ({"rejects": {"words": ["Harbour"]}}, "harbour12", ["restricted.words"]),
        ({"rejects": {"userInfo": False}}, "customer", []),
        ({"rejects": {"repetitionAndSequence": False}}, "aaaaaaaa", []),
        ({"rejects": {"pwned": False}}, "iloveyou1", []),
    ],
)
def test_password_policy(customer, policy, password, codes):
    issues = rejections(policy, password, customer)
    assert [issue["code"].removeprefix("password_rejected.") for issue in issues] == codes


def test_user_with_imported_digest_proves_the_password(emulator, bookstore):
    digest = PasswordDigest("SHA256", hashlib.sha256(b"imported").hexdigest())
    emulator.tenant.add_user(username="imported", password_digest=digest)
    account = AccountAPI(emulator, bookstore.sign_in("imported", scope=ALL_SCOPES)["access_token"])
    assert account.verify_password("imported")
    account.http.close()


# E-mail and phone


@pytest.mark.parametrize(("kind", "value"), [("email", "new@bookstore.example"), ("phone", "819012345678")])
def test_address_is_set_and_removed(emulator, account, customer, kind, value):
    account.verify_password(PASSWORD)
    record_id = account.send_code(kind, value)
    assert account.verify_code(kind, value, record_id).status_code == 200
    body = {kind: value, "newIdentifierVerificationRecordId": record_id}
    assert account.post(f"/my-account/primary-{kind}", body).status_code == 204
    assert getattr(customer, f"primary_{kind}") == value
    assert account.delete(f"/my-account/primary-{kind}").status_code == 204
    assert getattr(customer, f"primary_{kind}") is None


def test_phone_needs_the_record_of_a_phone(account):
    account.verify_password(PASSWORD)
    record_id = account.send_code("email", "new@bookstore.example")
    account.verify_code("email", "new@bookstore.example", record_id)
    body = {"phone": "819012345678", "newIdentifierVerificationRecordId": record_id}
    assert code_of(account.post("/my-account/primary-phone", body)) == (400, "verification_record.not_found")


def test_phone_of_other_user_is_refused(emulator, account):
    emulator.tenant.update_user("editor000001", primary_phone="819012345678")
    account.verify_password(PASSWORD)
    record_id = account.send_code("phone", "819012345678")
    account.verify_code("phone", "819012345678", record_id)
    body = {"phone": "819012345678", "newIdentifierVerificationRecordId": record_id}
    assert code_of(account.post("/my-account/primary-phone", body)) == (422, "user.phone_already_in_use")


def test_linked_identity_counts_as_last_identifier(emulator, account, customer):
    emulator.tenant.update_user(customer.id, identities={"alipay": {"userId": "2088"}}, username=None)
    account.verify_password(PASSWORD)
    assert account.delete("/my-account/primary-email").status_code == 204
    answer = account.delete("/my-account/identities/alipay")
    assert code_of(answer) == (400, "user.last_sign_in_method_required")


# Linked identities


def started(account, connector_id="alipayweb000", redirect_uri="http://localhost:8000/account/link/alipay"):
    body = {"connectorId": connector_id, "state": "s/1", "redirectUri": redirect_uri}
    answer = account.post("/verifications/social", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def linked(account, visitor, user_id, **options):
    """Choose an account at the stand-in for Alipay, and return the id of the verified record."""
    start = started(account)
    callback = visitor.choose_alipay_account(start["authorizationUri"], user_id, **options)
    answer = dict(part.split("=", 1) for part in callback.partition("?")[2].split("&"))
    body = {"verificationRecordId": start["verificationRecordId"], "connectorData": answer}
    assert account.post("/verifications/social/verify", body).status_code == 200
    return start["verificationRecordId"]


def test_alipay_account_is_linked_replaced_and_unlinked(account, visitor, customer):
    account.verify_password(PASSWORD)
    record_id = linked(account, visitor, "2088000000000001", nick_name="Reader")
    body = {"newIdentifierVerificationRecordId": record_id}
    assert account.post("/my-account/identities", body).status_code == 204
    assert customer.identities["alipay"]["userId"] == "2088000000000001"
    assert customer.identities["alipay"]["details"]["name"] == "Reader"
    body = {"newIdentifierVerificationRecordId": linked(account, visitor, "2088000000000002")}
    assert code_of(account.post("/my-account/identities", body)) == (400, "user.identity_already_in_use")
    assert account.put("/my-account/identities", body).status_code == 204
    assert account.get().json()["identities"]["alipay"]["userId"] == "2088000000000002"
    assert account.delete("/my-account/identities/alipay").status_code == 204
    assert customer.identities == {}


def test_linked_alipay_account_signs_in(emulator, account, visitor, bookstore):
    users = set(emulator.tenant.users)
    account.verify_password(PASSWORD)
    record_id = linked(account, visitor, "2088000000000001")
    account.post("/my-account/identities", {"newIdentifierVerificationRecordId": record_id})
    callback = visitor.sign_in_with_alipay(
        bookstore.authorization_url(direct_sign_in="social:alipay"), "2088000000000001"
    )
    assert "code=" in callback
    assert set(emulator.tenant.users) == users


def test_stand_in_returns_what_alipay_returns(account, visitor):
    callback = visitor.choose_alipay_account(
        started(account, redirect_uri="https://x.example/cb?a=1")["authorizationUri"], "2088"
    )
    assert callback.startswith("https://x.example/cb?a=1&app_id=2021000000000000&scope=auth_user&state=s%2F1&source=")
    assert "&auth_code=" in callback


@pytest.mark.parametrize(
    "query", ["app_id=nope&redirect_uri=http://x.example", "app_id=2021000000000000&redirect_uri=javascript:alert(1)"]
)
def test_stand_in_refuses_wrong_parameters(emulator, query):
    url = f"{emulator.endpoint}/stand-in/alipay"
    assert requests.get(f"{url}?{query}", timeout=5).status_code == 400
    data = dict(part.split("=", 1) for part in query.split("&")) | {"alipay_user_id": "1"}
    assert requests.post(url, data=data, allow_redirects=False, timeout=5).status_code == 400


def test_native_connector_has_the_uri_of_the_app(account):
    start = started(account, "alipaynative")
    assert start["authorizationUri"] == "alipay://?app_id=2021000000000000&state=s/1"


@pytest.mark.parametrize(
    ("connector_data", "refusal"),
    [
        ({}, (400, "connector.invalid_response")),
        ({"auth_code": "unknown"}, (401, "connector.social_auth_code_invalid")),
    ],
)
def test_wrong_answer_of_alipay_is_refused(account, connector_data, refusal):
    record_id = started(account)["verificationRecordId"]
    body = {"verificationRecordId": record_id, "connectorData": connector_data}
    assert code_of(account.post("/verifications/social/verify", body)) == refusal


def test_social_record_is_bound_to_no_user(account, other, visitor):
    """As at Logto. A site has to keep to whom it gave a record."""
    record_id = linked(account, visitor, "2088000000000001")
    other.verify_password("editor-password")
    body = {"newIdentifierVerificationRecordId": record_id}
    assert other.post("/my-account/identities", body).status_code == 204


def test_social_record_proves_no_identity(account, visitor):
    account.record_id = linked(account, visitor, "2088000000000001")
    assert code_of(account.patch("/my-account", {"username": "other"})) == NO_RECORD


def test_message_connector_is_no_social_connector(account):
    body = {"connectorId": "emulatormail", "state": "s", "redirectUri": "http://localhost:8000/"}
    assert code_of(account.post("/verifications/social", body)) == (400, "connector.unexpected_type")


# Sessions and grants


def test_ended_session_leaves_its_tokens_unless_grants_are_revoked(emulator, account, bookstore):
    tokens = [bookstore.sign_in("customer", scope=ALL_SCOPES) for _ in range(2)]
    account.verify_password(PASSWORD)
    sessions = [each for each in account.get("/my-account/sessions").json()["sessions"] if not each["isCurrent"]]
    (first, second), uids = tokens, [each["payload"]["uid"] for each in sessions]
    assert account.delete(f"/my-account/sessions/{uids[0]}").status_code == 204
    assert bookstore.refresh(first["refresh_token"]).status_code == 200
    assert account.delete(f"/my-account/sessions/{uids[1]}", revokeGrantsTarget="firstParty").status_code == 204
    assert bookstore.refresh(second["refresh_token"]).status_code == 400
    assert code_of(AccountAPI(emulator, second["access_token"]).get()) == (401, "auth.unauthorized")


def test_session_names_the_sid_of_the_id_token(account, bookstore, emulator):
    account.verify_password(PASSWORD)
    [session] = account.get("/my-account/sessions").json()["sessions"]
    stored = next(iter(emulator.instances.sessions.values()))
    assert session["isCurrent"] is True
    assert session["payload"]["authorizations"][bookstore.application.id]["sid"] == (
        stored.authorizations[bookstore.application.id].sid
    )


def test_session_by_alipay_says_so(emulator, account, visitor, bookstore):
    emulator.tenant.update_user("customer0001", identities={"alipay": {"userId": "2088000000000001"}})
    visitor.sign_in_with_alipay(bookstore.authorization_url(direct_sign_in="social:alipay"), "2088000000000001")
    account.verify_password(PASSWORD)
    sessions = account.get("/my-account/sessions").json()["sessions"]
    records = [record for each in sessions for record in each["lastSubmission"]["verificationRecords"]]
    assert [record["type"] for record in records] == ["Password", "Social"]
    assert records[1]["connectorId"] == "alipayweb000"


def test_revoked_grant_leaves_the_session_without_its_application(account, bookstore, emulator):
    account.verify_password(PASSWORD)
    bookstore.sign_in("customer", scope="openid")
    own = next(iter(emulator.instances.access_tokens.values())).grant_id
    [other_grant] = [each for each in account.get("/my-account/grants").json()["grants"] if each["id"] != own]
    assert account.delete(f"/my-account/grants/{other_grant['id']}").status_code == 204
    sessions = account.get("/my-account/sessions").json()["sessions"]
    assert [bool(each["payload"]["authorizations"]) for each in sessions] == [True, False]


def test_grant_of_other_user_is_not_revoked(account, other, emulator):
    account.verify_password(PASSWORD)
    [theirs] = [each for each in emulator.instances.grants.values() if each.account_id == "editor000001"]
    assert code_of(account.delete(f"/my-account/grants/{theirs.id}")) == (404, "oidc.invalid_grant")
    assert code_of(account.delete("/my-account/grants/nope")) == (404, "oidc.invalid_grant")
    assert other.get().status_code == 200


def test_grants_have_no_type_all(account):
    account.verify_password(PASSWORD)
    assert code_of(account.get("/my-account/grants", appType="all")) == (400, "guard.invalid_input")


# The avatar


def uploaded(account, content, name="me.png", field="file"):
    return account("POST", "/my-account/user-assets/avatar", None, files={field: (name, content, "image/png")})


def test_uploaded_avatar_is_served(account, customer):
    answer = uploaded(account, PNG, "my face.png")
    assert answer.status_code == 200, answer.text
    served = requests.get(answer.json()["url"], timeout=5)
    assert (served.content, served.headers["Content-Type"]) == (PNG, "image/png")
    assert customer.avatar is None


def test_empty_file_is_answered_with_500(account):
    answer = uploaded(account, b"")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error."})


@pytest.mark.parametrize("content", [b"no image", PNG[:-1], b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_other_file_than_image_is_refused(account, content):
    assert code_of(uploaded(account, content)) == (400, "guard.mime_type_not_allowed")


def test_large_avatar_is_refused(account):
    content = PNG[:8] + bytes(20 * 1024 * 1024) + PNG[-8:]
    assert code_of(uploaded(account, content)) == (400, "guard.file_size_exceeded")


def test_upload_without_file_is_refused(account):
    assert code_of(uploaded(account, PNG, field="other")) == (400, "guard.invalid_input")


def test_upload_without_storage_is_refused(emulator, account):
    emulator.tenant.has_storage = False
    assert code_of(uploaded(account, PNG)) == (400, "storage.not_configured")


def test_upload_needs_scope_and_permission(emulator, account, bookstore):
    emulator.tenant.enable_account_center(avatar="ReadOnly")
    assert code_of(uploaded(account, PNG)) == NOT_EDITABLE
    less = AccountAPI(emulator, bookstore.sign_in("customer", scope="openid")["access_token"])
    assert code_of(uploaded(less, PNG)) == (401, "auth.unauthorized")
    less.http.close()


# Scripts of other origins


@pytest.mark.parametrize("path", ["/my-account", "/verifications/password", "/my-account/unknown"])
def test_preflight_is_answered_without_a_token(emulator, path):
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,logto-verification-id",
    }
    answer = requests.options(f"{emulator.endpoint}/api{path}", headers=headers, timeout=5)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,logto-verification-id"
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


def test_management_api_answers_no_other_origin(emulator, api):
    answer = requests.get(f"{emulator.endpoint}/api/users", headers={"Origin": "https://app.example"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in answer.headers


# Broken endpoints


def test_fault_breaks_the_account_api_alone(emulator, account, api):
    emulator.faults.http["account_api"] = HttpFault(status=503)
    assert account.get().status_code == 503
    assert api.get("/users").status_code == 200


@pytest.mark.parametrize("body", ["[", "5", '"x"'])
def test_body_that_is_no_object_is_refused(account, body):
    url = f"{account.emulator.endpoint}/api/my-account"
    answer = account.http.patch(url, data=body, headers={"Content-Type": "application/json"}, timeout=5)
    assert answer.status_code == 400
