"""The Verification API: records, codes, messages and limits."""

import html

import pytest
import requests

from .account_api_client import ALL_SCOPES, AccountAPI, code_of

NO_RECORD = (401, "verification_record.permission_denied")
NOT_FOUND = (400, "verification_record.not_found")
BLOCKED = (400, "session.verification_blocked_too_many_attempts")
PASSWORD, EMAIL = "customer-password", "customer@bookstore.example"
NEW = "new@bookstore.example"
RENAME = ("/my-account", {"username": "renamed"})


@pytest.fixture
def customer(emulator):
    return emulator.tenant.users["customer0001"]


# Records


def test_record_lives_ten_minutes(emulator, account):
    account.verify_password(PASSWORD)
    emulator.clock.advance(595)
    assert account.patch(*RENAME).status_code == 200
    emulator.clock.advance(10)
    assert code_of(account.patch(*RENAME)) == NO_RECORD


def test_record_of_other_user_does_not_count(emulator, account):
    record = emulator.verifications.verify_password(emulator.tenant.users["editor000001"], "editor-password")
    account.record_id = record.id
    assert code_of(account.patch(*RENAME)) == NO_RECORD


def test_records_end_with_a_reset(emulator, account):
    account.verify_password(PASSWORD)
    emulator.reset()
    assert emulator.verifications.records == {}


def test_record_counts_in_another_session_of_the_user(emulator, account, bookstore):
    """As at Logto. A site has to keep its record in the session that made it."""
    other = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    other.record_id = account.verify_password(PASSWORD)
    assert other.patch(*RENAME).status_code == 200
    other.http.close()


def test_user_without_method_needs_no_record_for_password_and_identities(emulator, bookstore):
    emulator.tenant.add_user(username="bare")
    account = AccountAPI(emulator, bookstore.sign_in("bare", scope=ALL_SCOPES)["access_token"])
    assert account.get().json()["hasSecurityVerificationMethod"] is False
    assert code_of(account.delete("/my-account/identities/alipay")) == (404, "user.identity_not_exist")
    assert code_of(account.patch(*RENAME)) == NO_RECORD
    assert account.post("/my-account/password", {"password": "Xy9!kfLw2q-r3"}).status_code == 204
    assert code_of(account.delete("/my-account/identities/alipay")) == NO_RECORD
    account.http.close()


@pytest.mark.parametrize("field", ["primary_email", "primary_phone"])
def test_user_with_address_needs_a_record_for_the_first_password(emulator, bookstore, field):
    value = {"primary_email": "bare@bookstore.example", "primary_phone": "819012345678"}[field]
    emulator.tenant.add_user(username="bare", **{field: value})
    account = AccountAPI(emulator, bookstore.sign_in("bare", scope=ALL_SCOPES)["access_token"])
    assert code_of(account.post("/my-account/password", {"password": "Xy9!kfLw2q-r3"})) == NO_RECORD
    account.http.close()


def test_record_is_not_in_the_log_of_requests(emulator, account):
    record_id = account.verify_password(PASSWORD)
    account.get()
    assert emulator.requests[-1].headers["Logto-Verification-Id"] == "[hidden]"
    assert record_id not in repr(list(emulator.requests))


# Passwords


def test_wrong_passwords_are_limited_for_an_hour(emulator, account, bookstore):
    wrong = {"password": "x"}
    for _ in range(99):
        assert account.post("/verifications/password", wrong).status_code == 422
    emulator.clock.advance(3601)
    # The token has expired, too.
    later = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    assert code_of(later.post("/verifications/password", wrong)) == (422, "session.invalid_credentials")
    assert later.verify_password(PASSWORD)
    later.http.close()


def test_lockout_ends_after_its_time(emulator, account):
    emulator.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 2, "lockoutDuration": 3}
    answers = [account.post("/verifications/password", {"password": password}) for password in ("x", "x", PASSWORD)]
    assert [code_of(each)[1] for each in answers] == ["session.invalid_credentials", BLOCKED[1], BLOCKED[1]]
    assert answers[1].json()["message"].endswith("Please try again in 3 minutes.")
    emulator.clock.advance(121)
    assert "in 1 minute." in account.post("/verifications/password", {"password": "x"}).json()["message"]
    emulator.clock.advance(61)
    assert account.verify_password(PASSWORD)


def test_lockout_of_one_user_is_not_that_of_another(emulator, account, bookstore):
    emulator.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 1}
    assert code_of(account.post("/verifications/password", {"password": "x"})) == BLOCKED
    other = AccountAPI(emulator, bookstore.sign_in("editor", scope=ALL_SCOPES)["access_token"])
    assert other.verify_password("editor-password")
    other.http.close()


def test_lockout_is_announced(emulator, account, receiver):
    emulator.tenant.add_hook(receiver.url, ["Identifier.Lockout"])
    emulator.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 1}
    account.post("/verifications/password", {"password": "x"})
    emulator.webhooks.wait()
    [delivery] = receiver.received
    assert (delivery.payload["type"], delivery.payload["value"]) == ("userId", "customer0001")


# Codes


def test_code_for_present_address_is_a_verification(account, customer):
    record_id = account.send_code("email", EMAIL)
    account.record_id = record_id
    assert code_of(account.patch(*RENAME)) == NO_RECORD
    assert account.verify_code("email", EMAIL, record_id).status_code == 200
    assert account.patch(*RENAME).status_code == 200


def test_code_for_present_phone_is_a_verification(emulator, account, customer):
    emulator.tenant.update_user(customer.id, primary_phone="819012345678")
    account.record_id = account.send_code("phone", "819012345678")
    account.verify_code("phone", "819012345678", account.record_id)
    assert account.patch(*RENAME).status_code == 200


def test_code_for_a_factor_is_no_verification(emulator, account):
    body = {"identifier": {"type": "email", "value": EMAIL}, "templateType": "BindMfa"}
    account.record_id = account.post("/verifications/verification-code", body).json()["verificationRecordId"]
    assert account.verify_code("email", EMAIL, account.record_id).status_code == 200
    assert emulator.messages[-1].type == "BindMfa"
    assert code_of(account.patch(*RENAME)) == NO_RECORD


def test_record_for_a_new_address_counts_for_nobody_once_it_is_the_present_one(account):
    account.verify_password(PASSWORD)
    record_id = account.send_code("email", NEW)
    account.verify_code("email", NEW, record_id)
    account.post("/my-account/primary-email", {"email": NEW, "newIdentifierVerificationRecordId": record_id})
    account.record_id = record_id
    assert code_of(account.patch(*RENAME)) == NO_RECORD


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"customBlocklist": ["@Bookstore.example"]}, "session.email_blocklist.email_not_allowed"),
        ({"customBlocklist": ["new+1@bookstore.example"]}, "session.email_blocklist.email_not_allowed"),
        ({"customBlocklist": ["@*.example"]}, "session.email_blocklist.email_not_allowed"),
        ({"customAllowlist": ["@other.example"]}, "session.email_blocklist.email_not_allowed"),
        ({"blockSubaddressing": True}, "session.email_blocklist.email_subaddressing_not_allowed"),
    ],
)
def test_new_email_that_the_tenant_blocks_is_refused(emulator, account, policy, code):
    address = "new+1@bookstore.example"
    record_id = account.send_code("email", address)
    account.verify_code("email", address, record_id)
    emulator.tenant.sign_in_experience.settings["emailBlocklistPolicy"] = policy
    answer = account.post("/verifications/verification-code", {"identifier": {"type": "email", "value": address}})
    assert code_of(answer) == (422, code)
    account.verify_password(PASSWORD)
    body = {"email": address, "newIdentifierVerificationRecordId": record_id}
    assert code_of(account.post("/my-account/primary-email", body)) == (422, code)


def test_ten_wrong_codes_are_too_many(account):
    record_id = account.send_code("email", NEW)
    wrong = "000000" if account.emulator.messages.code_for(NEW) != "000000" else "000001"
    for _ in range(10):
        answer = account.verify_code("email", NEW, record_id, wrong)
        assert code_of(answer) == (400, "verification_code.code_mismatch")
    assert code_of(account.verify_code("email", NEW, record_id)) == (400, "verification_code.exceed_max_try")


def test_code_policy_of_the_tenant_applies(emulator, account):
    policy = {"expirationDuration": 60, "maxRetryAttempts": 1}
    emulator.tenant.sign_in_experience.settings["verificationCodePolicy"] = policy
    record_id = account.send_code("email", NEW)
    emulator.clock.advance(61)
    assert code_of(account.verify_code("email", NEW, record_id)) == (400, "verification_code.expired")


def test_code_ends_with_its_record(emulator, account):
    record_id = account.send_code("email", NEW)
    emulator.clock.advance(601)
    assert code_of(account.verify_code("email", NEW, record_id)) == NOT_FOUND


def test_code_of_a_phone_does_not_verify_an_email(account):
    record_id = account.send_code("phone", "819012345678")
    code = account.emulator.messages.code_for("819012345678")
    assert code_of(account.verify_code("email", NEW, record_id, code)) == NOT_FOUND
    answer = account.verify_code("phone", "819000000000", record_id, code)
    assert code_of(answer) == (400, "verification_code.phone_mismatch")


def test_each_message_has_its_own_code(account):
    first = account.send_code("email", NEW)
    code = account.emulator.messages.code_for(NEW)
    account.send_code("email", NEW)
    assert account.verify_code("email", NEW, first, code).status_code == 200


def test_messages_to_a_recipient_are_limited(emulator, account):
    for number in range(10):
        account.send_code("email", NEW.upper() if number % 2 else NEW)
    body = {"identifier": {"type": "email", "value": NEW}}
    answer = account.post("/verifications/verification-code", body)
    assert code_of(answer) == (429, "request.message_rate_limited")
    assert "Retry-After" not in answer.headers
    assert account.send_code("email", "other@bookstore.example")
    emulator.clock.advance(601)
    assert account.send_code("email", NEW)


# Connectors for messages


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_code_without_connector_is_501(emulator, account, kind):
    emulator.tenant.sign_in_experience.connector_instances.clear()
    value = {"email": NEW, "phone": "819012345678"}[kind]
    answer = account.post("/verifications/verification-code", {"identifier": {"type": kind, "value": value}})
    assert code_of(answer) == (501, "connector.not_found")
    assert emulator.messages == []


def test_code_without_template_is_refused(emulator, account):
    for connector in emulator.tenant.sign_in_experience.connector_instances.values():
        connector.config["templates"] = [{"usageType": "SignIn", "content": "{{code}}"}]
    answer = account.post("/verifications/verification-code", {"identifier": {"type": "email", "value": NEW}})
    assert code_of(answer) == (400, "connector.template_not_found")


def test_failed_message_is_refused_and_not_counted(emulator, account):
    emulator.faults.messages_fail = True
    for _ in range(11):
        answer = account.post("/verifications/verification-code", {"identifier": {"type": "email", "value": NEW}})
        assert code_of(answer) == (400, "connector.general")
    emulator.faults.messages_fail = False
    assert account.send_code("email", NEW)


def test_address_that_is_too_long_gets_no_code(emulator, account):
    longest = "a" * (128 - len("@example.com")) + "@example.com"
    account.send_code("email", longest)
    for kind, value, most in [("email", f"a{longest}", 128), ("phone", "1" * 33, 32)]:
        answer = account.post("/verifications/verification-code", {"identifier": {"type": kind, "value": value}})
        assert code_of(answer) == (422, "entity.value_too_long")
        assert answer.json()["data"] == {"message": f"value too long for type character varying({most})"}
    assert len(emulator.messages) == 1


def test_nul_character_in_address_or_record_is_answered_with_500(account):
    identifier = {"type": "email", "value": "a\0b@example.com"}
    known = {"type": "email", "value": EMAIL}
    body = {"identifier": known, "verificationId": "a\0b", "code": "123456"}
    assert account.post("/verifications/verification-code", {"identifier": identifier}).status_code == 500
    assert account.post("/verifications/verification-code/verify", body).status_code == 500


def test_code_of_unknown_recipient_is_no_code(emulator):
    with pytest.raises(LookupError, match="nobody"):
        emulator.messages.code_for("nobody@bookstore.example")


def test_code_is_not_in_the_representation(emulator, account):
    account.send_code("email", NEW)
    assert emulator.messages.code_for(NEW) not in repr(emulator.messages)
    assert emulator.messages.code_for(NEW) not in repr(emulator.verifications.records)


def test_page_shows_messages_with_the_newest_first(emulator, account):
    url = f"{emulator.endpoint}/emulator/messages"
    assert "There are no messages." in requests.get(url, timeout=5).text
    account.send_code("email", EMAIL)
    account.send_code("phone", "819012345678")
    page = requests.get(url, timeout=5).text
    assert page.index("Text message to 819012345678") < page.index(f"E-mail to {EMAIL}")
    assert emulator.messages.code_for(EMAIL) in page


@pytest.mark.parametrize(
    ("link", "is_shown"), [("https://shop.example/join?a=1&b=2", True), ("javascript:alert(1)", False)]
)
def test_page_links_to_what_the_mail_links_to(emulator, api, link, is_shown):
    invitation = {
        "invitee": NEW,
        "organizationId": "harbourbr001",
        "expiresAt": 2**42,
        "messagePayload": {"link": link},
    }
    assert api.post("/organization-invitations", invitation).status_code == 201
    page = requests.get(f"{emulator.endpoint}/emulator/messages", timeout=5).text
    assert (f'href="{html.escape(link)}"' in page) is is_shown
    assert f"E-mail to {NEW}" in page


def test_home_page_links_to_messages(emulator):
    assert 'href="/emulator/messages"' in requests.get(emulator.endpoint, timeout=5).text


# Input


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/verifications/password", {}),
        ("/verifications/verification-code", {"identifier": "x"}),
        ("/verifications/verification-code", {"identifier": {"type": "phone", "value": "+81"}}),
        ("/verifications/verification-code", {"identifier": {"type": "email", "value": f"{'a' * 250}@x.example"}}),
        ("/verifications/verification-code/verify", {"identifier": {"type": "email", "value": NEW}}),
        ("/verifications/social", {"connectorId": "x"}),
        ("/verifications/social/verify", {"verificationRecordId": "x"}),
    ],
)
def test_wrong_input_is_400(account, path, body):
    assert code_of(account.post(path, body)) == (400, "guard.invalid_input")
