"""The pages of the Account Center, as a browser sees them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from logto_auth.emulator import HttpFault, totp_code
from logto_auth.emulator.state.factors import find_backup_codes, find_totp, passkeys_of

from .account_visitor import AccountVisitor
from .authenticator import new_passkey
from .management_api_client import ManagementAPI
from .receiver import Receiver

SITE = "https://shop.example/done?next=%2Fa&q=[1]&x=é#top"
RETURNED = "https://shop.example/done?next=%2Fa&q=[1]&x=%C3%A9#top"
PASSWORD = "customer-password"
NEW_PASSWORD = "a-Long-and-new-passphrase-7"
TASKS = [
    "username",
    "email",
    "phone",
    "password",
    "authenticator-app",
    "authenticator-app/replace",
    "backup-codes/generate",
    "backup-codes/regenerate",
    "backup-codes/manage",
    "passkey/add",
    "passkey/manage",
    "social/alipay-web",
    "social/alipay-web/change",
    "social/alipay-web/remove",
]


@pytest.fixture
def tenant(emulator):
    tenant = emulator.tenant
    tenant.enable_account_center()
    tenant.account_center["webauthnRelatedOrigins"] = [emulator.endpoint]
    tenant.sign_in_experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    tenant.add_message_connectors()
    return tenant


@pytest.fixture
def user(tenant):
    return tenant.find_user(username="customer")


@pytest.fixture
def visitor(emulator, tenant):
    with AccountVisitor(emulator) as visitor:
        yield visitor


@pytest.fixture
def customer(visitor):
    """A signed-in user with a verified identity."""
    return visitor.go("username").sign_in_as("customer").verify(PASSWORD)


def code_of(visitor, secret):
    return totp_code(secret, visitor.emulator.clock.precise())


# Signing in


def test_signed_out_user_signs_in_and_comes_back_to_the_task(visitor):
    visitor.go("email", redirect=SITE, ui_locales="ja")
    url = urlsplit(visitor.page.url)
    assert url.path == "/sign-in"
    assert parse_qs(url.query) == {"app_id": ["account-center"], "ui_locales": ["ja"]}
    assert visitor.sign_in_as("customer").path == "email"


def test_user_who_is_signed_in_at_logto_sees_no_sign_in(visitor, bookstore, emulator):
    bookstore.code("customer", visitor)
    assert visitor.go("username").path == "username"
    [session] = emulator.instances.sessions.values()
    assert set(session.authorizations) == {bookstore.application.id, "account-center"}


def test_whole_page_is_shown_after_the_sign_in(visitor):
    assert visitor.go("sessions").sign_in_as("customer").path == "sessions"


def test_sign_in_that_this_browser_did_not_start_is_refused(visitor, customer):
    visitor.go(code="stolen", state="unknown")
    assert visitor.problem == "The sign-in could not be completed."


def test_new_sign_in_forgets_the_verification(customer, bookstore):
    assert "username-form" in customer.go("username").forms
    customer.sign_out(bookstore.end_session_url())
    customer.go("username").sign_in_as("customer")
    assert "verification-password" in customer.forms


def test_other_user_of_the_browser_is_not_verified(customer, bookstore):
    customer.sign_out(bookstore.end_session_url())
    customer.go("username").sign_in_as("editor")
    assert "username-form" not in customer.forms
    assert "editor@" in customer.page.text


def test_user_without_a_session_at_logto_signs_in_again(customer, emulator):
    emulator.instances.sessions.clear()
    assert urlsplit(customer.go("username").page.url).path == "/sign-in"


def test_suspended_user_has_no_access(customer, tenant, user):
    tenant.suspend_user(user.id)
    assert urlsplit(customer.go("username").page.url).path == "/sign-in"


def test_account_center_is_in_no_list_of_applications(emulator, tenant):
    api = ManagementAPI(emulator)
    assert "account-center" not in {each["id"] for each in api.get("/applications").json()}
    assert api.get("/applications/account-center").status_code == 404
    api.http.close()


# Verification


def test_wrong_password_is_shown_and_verifies_nothing(visitor):
    visitor.go("username").sign_in_as("customer").verify("wrong")
    assert visitor.alert
    assert "username-form" not in visitor.forms


def test_code_to_the_present_address_verifies(visitor, emulator):
    visitor.go("username").sign_in_as("customer").fill("verification-send-email")
    visitor.fill("verification-code", code="wrong!")
    assert visitor.alert == "Invalid verification code."
    visitor.fill("verification-code", code=emulator.messages.code_for("customer@bookstore.example"))
    assert "username-form" in visitor.forms


def test_code_to_a_number_verifies(visitor, emulator, tenant, user):
    tenant.update_user(user.id, primary_phone="818012345678")
    visitor.go("username").sign_in_as("customer").fill("verification-send-phone")
    visitor.fill("verification-code", code=emulator.messages.code_for("818012345678"))
    assert "username-form" in visitor.forms


def test_kind_of_the_code_cannot_be_invented(visitor, emulator):
    visitor.go("username").sign_in_as("customer")
    visitor.fill("verification-send-email", kind="phone")
    assert emulator.messages == []
    assert "verification-password" in visitor.forms


def test_verification_ends_after_ten_minutes(customer, emulator):
    emulator.clock.advance(601)
    assert "verification-password" in customer.go("username").forms


def test_form_after_the_verification_ended_changes_nothing(customer, emulator, user):
    customer.go("username")
    emulator.clock.advance(601)
    customer.fill("username-form", username="other")
    assert user.username == "customer"
    assert "verification-password" in customer.forms


def test_record_that_logto_forgot_is_asked_for_again(customer, emulator, user):
    customer.go("username")
    emulator.verifications.clear()
    customer.fill("username-form", username="other")
    assert user.username == "customer"
    assert customer.notice.startswith("Verification required")
    assert "verification-password" in customer.forms


def test_user_without_a_method_can_only_set_a_password(visitor, tenant):
    tenant.add_user(username="bare", id="bare00000001")
    visitor.go("username").sign_in_as("bare")
    assert "no password" in visitor.problem
    visitor.go("password").fill("password-form", password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    assert visitor.path == "password/success"
    assert tenant.users["bare00000001"].password == NEW_PASSWORD
    assert "verification-password" in visitor.go("password").forms


# The way back


def test_redirect_is_followed_exactly_as_given(visitor):
    visitor.go("username", redirect=SITE).sign_in_as("customer").verify(PASSWORD)
    visitor.fill("username-form", username="renamed")
    assert visitor.left_to == RETURNED


def test_redirect_is_used_once(visitor):
    visitor.go("username", redirect=SITE).sign_in_as("customer").verify(PASSWORD)
    visitor.fill("username-form", username="renamed")
    assert visitor.go("username").fill("username-form", username="again").path == "username/success"
    assert "done" not in visitor.forms


def test_task_without_redirect_ends_at_its_success_page(customer):
    customer.fill("username-form", username="renamed")
    assert customer.path == "username/success"
    assert customer.text("id", "success") == "Your username has been changed."


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//shop.example/", "/done", "shop.example", "http:", "http://a b/", "data:,x", "x\r\ny"],
)
def test_other_redirects_are_ignored(customer, url):
    customer.go("username", redirect=url).fill("username-form", username="renamed")
    assert customer.path == "username/success"


def test_redirect_is_forgotten_after_ten_minutes(customer, emulator):
    customer.go("username", redirect=SITE)
    emulator.clock.advance(601)
    customer.go("username").verify(PASSWORD).fill("username-form", username="renamed")
    assert customer.path == "username/success"


@pytest.mark.parametrize("value", ["true", "1", "yes", "True"])
def test_success_page_comes_first_if_asked_for(customer, value):
    customer.go("username", redirect=SITE, show_success=value).fill("username-form", username="renamed")
    assert customer.path == "username/success"
    assert customer.fill("done").left_to == RETURNED


def test_other_values_of_show_success_do_not_count(customer):
    customer.go("username", redirect=SITE, show_success="0").fill("username-form", username="renamed")
    assert customer.left_to == RETURNED


def test_whole_pages_ignore_the_redirect(customer):
    customer.go("security", redirect=SITE)
    assert customer.go("username").fill("username-form", username="renamed").path == "username/success"


def test_identifier_prefills_once(customer):
    assert customer.go("username", identifier="wanted").value_of("username") == "wanted"
    assert customer.go("username").value_of("username") == "customer"
    assert customer.go("email", identifier="new@example.com").value_of("value") == "new@example.com"


# What is on


@pytest.mark.parametrize("path", ["", "security", "username", "unknown/page"])
def test_nothing_is_there_while_the_account_center_is_off(visitor, tenant, path):
    tenant.account_center["enabled"] = False
    assert visitor.go(path).problem == "There is nothing to manage here."


@pytest.mark.parametrize("permission", ["Off", "ReadOnly"])
@pytest.mark.parametrize("task", TASKS)
def test_task_of_a_field_that_users_may_not_edit_is_not_enabled(customer, tenant, task, permission):
    tenant.enable_account_center(permission)
    assert customer.go(task).problem == "This feature is not enabled."


def test_field_that_was_closed_meanwhile_changes_nothing(customer, tenant, user):
    customer.go("username")
    tenant.enable_account_center(username="ReadOnly")
    assert customer.fill("username-form", username="other").problem == "This feature is not enabled."
    assert user.username == "customer"


def test_root_and_unknown_paths_lead_to_the_first_page(customer, tenant):
    assert customer.go("").path == "security"
    assert customer.go("no/such/page").path == "security"
    tenant.account_center["profileFields"] = [{"name": "name"}]
    assert customer.go("").path == "profile"
    tenant.account_center["deleteAccountUrl"] = None  # the security page shows it
    tenant.enable_account_center("Off", session="ReadOnly")
    assert customer.go("").path == "sessions"
    tenant.enable_account_center("Off")
    assert customer.go("").problem == "There is nothing to manage here."


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ("authenticator-app", "Authenticator apps are not enabled."),
        ("backup-codes/generate", "Backup codes are not enabled."),
        ("backup-codes/manage", "Backup codes are not enabled."),
        ("passkey/add", "Passkeys are not enabled."),
    ],
)
def test_factor_that_the_tenant_does_not_enable_has_no_task(customer, tenant, task, problem):
    tenant.sign_in_experience.mfa_factors = []
    assert customer.go(task).problem == problem


# Forms


def test_form_of_another_site_is_refused(customer, user):
    response = customer.session.post(
        f"{customer.endpoint}/account/username", data={"username": "other", "csrf_token": "x"}, timeout=10
    )
    assert response.status_code == 403
    assert user.username == "customer"


def test_pages_are_not_stored(customer):
    assert customer.go("username").page.headers["Cache-Control"] == "no-store"


def test_taken_username_is_shown_and_kept_in_the_form(customer):
    customer.fill("username-form", username="editor")
    assert customer.alert == "This username is already in use."
    assert customer.value_of("username") == "editor"


# Tasks


@pytest.mark.parametrize(
    ("kind", "attribute", "value"),
    [("email", "primary_email", "new@example.com"), ("phone", "primary_phone", "818012345678")],
)
def test_address_is_changed_by_a_code_to_the_new_one(customer, emulator, user, kind, attribute, value):
    customer.go(kind, redirect=SITE).fill("address-form", value=value)
    customer.fill("code-form", code="wrong!")
    assert customer.alert == "Invalid verification code."
    assert getattr(user, attribute) != value
    customer.fill("code-form", code=emulator.messages.code_for(value))
    assert getattr(user, attribute) == value
    assert customer.left_to == RETURNED


def test_address_that_is_none_is_refused(customer, emulator):
    customer.go("email").fill("address-form", value="nonsense")
    assert customer.alert
    assert customer.value_of("value") == "nonsense"
    assert emulator.messages == []


def test_address_of_another_user_is_refused(customer, emulator):
    customer.go("email").fill("address-form", value="editor@bookstore.example")
    customer.fill("code-form", code=emulator.messages.code_for("editor@bookstore.example"))
    assert customer.alert == "This email is associated with an existing account."


def test_missing_connector_is_shown(customer, tenant):
    tenant.sign_in_experience.connector_instances.clear()
    customer.go("email").fill("address-form", value="new@example.com")
    assert customer.alert == "Cannot find any available connector for type: Email."


def test_password_is_changed(customer, user):
    customer.go("password").fill("password-form", password=NEW_PASSWORD, confirm_password="other")
    assert customer.alert == "The passwords do not match."
    customer.fill("password-form", password="short", confirm_password="short")
    assert customer.alert.startswith("Password rejected.")
    customer.fill("password-form", password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    assert (customer.path, user.password) == ("password/success", NEW_PASSWORD)


def test_breach_list_out_of_reach_is_shown(customer, emulator, user):
    emulator.faults.breach_list_unreachable = True
    customer.go("password").fill("password-form", password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    assert customer.alert == "Internal server error."
    assert user.password == PASSWORD


def test_authenticator_app_is_added_and_replaced(customer, user):
    customer.go("authenticator-app")
    secret = customer.text("id", "secret")
    assert customer.fill("code-form", code="000000").alert == "Invalid TOTP code."
    assert customer.text("id", "secret") == secret
    assert customer.fill("code-form", code=code_of(customer, secret)).path == "authenticator-app/success"
    assert find_totp(user.factors).secret == secret
    assert customer.go("authenticator-app").problem == "You have added an authenticator app already."
    secret = customer.go("authenticator-app/replace").text("id", "secret")
    customer.fill("code-form", code=code_of(customer, secret))
    assert customer.path == "authenticator-app/replace/success"
    assert find_totp(user.factors).secret == secret


def test_authenticator_app_needs_the_code_here(customer, user):
    customer.go("authenticator-app").fill("code-form", code=" ")
    assert customer.alert == "Enter the code."
    assert user.factors == []


def test_backup_codes_are_added_shown_and_replaced(customer, user):
    assert customer.go("backup-codes/generate").problem == "Backup codes need another factor first."
    secret = customer.go("authenticator-app").text("id", "secret")
    customer.fill("code-form", code=code_of(customer, secret))
    first = customer.go("backup-codes/generate").text("class", "backup-code")
    assert customer.fill("backup-codes-form").path == "backup-codes/success"
    assert find_backup_codes(user.factors).codes[0].code in first
    assert customer.go("backup-codes/generate").path == "backup-codes/manage"
    assert find_backup_codes(user.factors).codes[0].code in customer.page.text
    customer.go("backup-codes/regenerate").fill("backup-codes-form")
    assert customer.path == "backup-codes/success"
    assert len(user.factors) == 2
    assert find_backup_codes(user.factors).codes[0].code not in first


def test_passkey_is_added_renamed_and_removed(customer, user):
    options = json.loads(customer.go("passkey/add").text("id", "options"))
    payload = new_passkey(options, customer.endpoint)
    customer.fill("passkey-form", credential=json.dumps(payload), name="My key")
    assert customer.path == "passkey/success"
    [passkey] = passkeys_of(user.factors)
    assert passkey.name == "My key"
    customer.go("passkey/manage").fill(f"rename-{passkey.id}", name="Key 2")
    assert customer.notice == "Passkey renamed."
    assert passkeys_of(user.factors)[0].name == "Key 2"
    customer.fill(f"remove-{passkey.id}")
    assert customer.notice == "Passkey removed."
    assert user.factors == []


def test_passkey_needs_a_related_origin_here_too(customer, tenant, user):
    tenant.account_center["webauthnRelatedOrigins"] = []
    options = json.loads(customer.go("passkey/add").text("id", "options"))
    customer.fill("passkey-form", credential=json.dumps(new_passkey(options, customer.endpoint)))
    assert customer.alert == "WebAuthn verification failed."
    assert user.factors == []


@pytest.mark.parametrize("credential", ["", "{", "[]", "{}", '{"id": 1}'])
def test_malformed_passkey_is_refused(customer, user, credential):
    customer.go("passkey/add").fill("passkey-form", credential=credential)
    assert customer.alert
    assert user.factors == []


# Social accounts


def alipay_path(tenant, suffix=""):
    connectors = tenant.sign_in_experience.enabled_connectors
    return f"social/{next(each.id for each in connectors if each.factory.id == 'alipay-web')}{suffix}"


def choose(customer, user_id):
    """Choose an account at the stand-in for Alipay."""
    assert urlsplit(customer.page.url).path == "/stand-in/alipay"
    return customer.fill("alipay", alipay_user_id=user_id)


def test_social_account_is_added_changed_and_removed(customer, tenant, user):
    choose(customer.go(alipay_path(tenant), redirect=SITE), "2088000000000001")
    assert customer.path == "social/success"
    assert user.identities["alipay"]["userId"] == "2088000000000001"
    assert customer.fill("done").left_to == RETURNED
    assert customer.go(alipay_path(tenant)).problem == "You have already associated this social account."
    choose(customer.go(alipay_path(tenant, "/change")), "2088000000000002")
    assert user.identities["alipay"]["userId"] == "2088000000000002"
    assert customer.go(alipay_path(tenant, "/remove")).path == "social/success"
    assert user.identities == {}


def test_social_account_needs_the_verification(visitor, tenant):
    visitor.go(alipay_path(tenant)).sign_in_as("customer")
    assert "verification-password" in visitor.forms
    visitor.verify(PASSWORD)
    assert urlsplit(visitor.page.url).path == "/stand-in/alipay"


def test_removal_waits_for_the_verification(visitor, tenant, user):
    tenant.update_user(user.id, identities={"alipay": {"userId": "1", "details": {}}})
    visitor.go(alipay_path(tenant, "/remove")).sign_in_as("customer")
    assert user.identities
    assert visitor.verify(PASSWORD).path == "social/success"
    assert user.identities == {}


def test_social_account_of_another_user_is_refused(customer, tenant, user):
    editor = tenant.find_user(username="editor")
    tenant.update_user(editor.id, identities={"alipay": {"userId": "2088000000000001", "details": {}}})
    choose(customer.go(alipay_path(tenant)), "2088000000000001")
    assert customer.path == "security"
    assert customer.notice == "The social account has been associated with an existing account."
    assert user.identities == {}


def test_refused_social_account_returns_to_the_site_that_waits(customer, tenant):
    editor = tenant.find_user(username="editor")
    tenant.update_user(editor.id, identities={"alipay": {"userId": "2088000000000001", "details": {}}})
    choose(customer.go(alipay_path(tenant), redirect=SITE), "2088000000000001")
    assert customer.left_to == RETURNED


@pytest.mark.parametrize("state", ["", "other"])
def test_answer_that_this_browser_did_not_request_is_refused(customer, tenant, user, state):
    customer.go(alipay_path(tenant))
    customer.go(f"callback/{alipay_path(tenant)}", state=state, auth_code="x")
    assert customer.notice == "This browser did not request the answer of the provider."
    assert user.identities == {}


def test_answer_without_a_started_task_is_refused(customer, tenant):
    customer.go(f"callback/{alipay_path(tenant)}", state="x", auth_code="x")
    assert customer.notice == "The session is not valid. Start again."


def test_verification_that_ended_at_the_provider_is_repeated(customer, tenant, user, emulator):
    emulator.clock.advance(300)
    customer.go(alipay_path(tenant, "/change"))
    emulator.clock.advance(301)
    choose(customer, "2088000000000001")
    assert user.identities == {}
    assert customer.path == alipay_path(tenant, "/change")
    assert "verification-password" in customer.forms


def test_last_way_to_sign_in_is_not_removed(customer, tenant, user):
    tenant.update_user(user.id, identities={"alipay": {"userId": "1", "details": {}}}, username=None)
    tenant.update_user(user.id, primary_email=None)
    customer.go(alipay_path(tenant, "/remove"))
    assert customer.notice == "You need to keep at least one identifier in your account."
    assert user.identities


def test_unknown_connector_has_no_task(customer):
    assert customer.go("social/unknown").problem == "This social account is not enabled."


def test_user_without_a_method_links_an_account_without_verification(visitor, tenant):
    bare = tenant.add_user(username="bare")
    visitor.go(alipay_path(tenant)).sign_in_as("bare")
    choose(visitor, "2088000000000001")
    assert bare.identities


# Whole pages


def test_security_page_links_to_tasks_that_come_back(customer):
    customer.go("security")
    assert f"/account/email?redirect={customer.endpoint.replace('/', '%2F').replace(':', '%3A')}" in customer.page.text


def test_social_connector_for_apps_is_not_listed(customer, tenant):
    connectors = tenant.sign_in_experience.enabled_connectors
    listed = {each.id for each in connectors if f"/social/{each.id}?" in customer.go("security").page.text}
    assert listed == {each.id for each in connectors if each.factory.platform == "Web"}


def test_address_is_removed_on_the_security_page(customer, user):
    customer.go("security").fill("remove-email")
    assert user.primary_email is None
    assert "remove-email" not in customer.forms


def test_removal_needs_the_verification(visitor, user):
    visitor.go("security").sign_in_as("customer").fill("remove-email")
    assert user.primary_email
    visitor.verify(PASSWORD)
    assert visitor.go("security").fill("remove-email").notice == "Saved."
    assert user.primary_email is None


def test_skipping_mfa_is_switched_on_the_security_page(customer, user):
    customer.go("security").fill("mfa")
    assert user.logto_configs["mfa"]["skipMfaOnSignIn"] is True
    customer.fill("mfa")
    assert user.logto_configs["mfa"]["skipMfaOnSignIn"] is False


def test_link_to_delete_the_account_is_shown(customer, tenant):
    tenant.account_center["deleteAccountUrl"] = "https://shop.example/delete"
    assert 'href="https://shop.example/delete"' in customer.go("security").page.text


def test_session_is_ended_with_its_tokens(customer, bookstore, emulator):
    tokens = bookstore.sign_in("customer", scope="openid profile offline_access")
    other = next(each for each in emulator.instances.sessions.values() if "account-center" not in each.authorizations)
    customer.go("sessions").fill(f"end-{other.uid}")
    assert f"end-{other.uid}" not in customer.forms
    assert bookstore.refresh(tokens["refresh_token"]).status_code == 400


def test_profile_page_changes_the_fields_that_are_on_it(customer, tenant, user):
    tenant.account_center["profileFields"] = [{"name": "name"}, {"name": "nickname"}, {"name": "address"}]
    customer.go("profile").fill("edit-name", value="Carla")
    customer.fill("edit-nickname", value="Cee")
    assert (user.name, user.profile["nickname"]) == ("Carla", "Cee")
    tenant.enable_account_center(name="ReadOnly")
    assert "edit-name" not in customer.go("profile").forms


# Faults


@pytest.mark.parametrize("fault", [HttpFault(status=503), HttpFault(drop=True), HttpFault(body="{", status=200)])
@pytest.mark.parametrize("path", ["username", "security", "passkey/add", "sessions"])
def test_failing_api_is_shown(customer, emulator, path, fault):
    emulator.faults.http["account_api"] = fault
    customer.go(path)
    assert customer.problem == "Something went wrong."


# Webhooks


def test_webhook_tells_of_a_change(customer, tenant, user):
    with Receiver() as receiver:
        tenant.add_hook(receiver.url, ["User.Data.Updated"])
        customer.fill("username-form", username="renamed")
        customer.emulator.webhooks.wait()
    [received] = receiver.received
    assert received.payload["data"]["username"] == "renamed"
    assert received.payload["userAgent"] == customer.session.headers["User-Agent"]
    assert "matchedRoute" not in received.payload


# Logs


def test_log_of_requests_has_no_password_and_no_code(customer, emulator):
    customer.go("password").fill("password-form", password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    customer.go("authenticator-app")
    code = code_of(customer, customer.text("id", "secret"))
    customer.fill("code-form", code=code)
    logged = str(list(emulator.requests))
    assert not [each for each in (PASSWORD, NEW_PASSWORD, code) if each in logged]
