"""Each recorded answer to a call of ours gives the right value or the right error, and we send what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from logto_auth import exceptions as errors
from logto_auth.account_api import AccountAPI
from logto_auth.account_api.types import PasskeyRegistration, SocialVerification, TotpSecret, VerificationRecord
from logto_auth.oidc.secrets import Secret
from tests.recorded import FOLDER, recording

from .logto import FakeLogto

NAMES = sorted(path.stem for path in (FOLDER / "1.42" / "account").glob("*.json"))
# No answers to calls of this client.
NOT_OURS = {
    "account_center_bad_delete_url": "Management API",
    "account_center_bad_value": "Management API",
    "account_center_delete_url": "Management API",
    "account_center_related_origins": "Management API",
    "account_center_settings": "Management API",
    "delete_account_no_route": "there is no such route",
    "error_no_token": "the client always sends a token",
    "exchanged_token": "token endpoint",
    "identity_access_token_none": "tokens of social providers",
    "logto_configs": "its settings of second factors are those of mfa_settings",
    "mfa_sign_in": "Experience API",
    "mfa_sign_in_backup_code": "Experience API",
    "patch_unknown_key": "the client sends no unknown key",
    "refresh_after_password_change": "token endpoint",
    "refresh_after_session_revoked": "token endpoint",
    "verification_code_email_message": "what a connector received",
    "verification_code_email_own_message": "what a connector received",
    "verification_code_phone_message": "what a connector received",
}
# The client sends more than was recorded, because it always sends a code, a target or a type.
SENDS_MORE = {"mfa_totp_bad_secret", "session_of_other_user", "session_revoked", "session_revoked_again"}
SENDS_MORE |= {"webauthn_bad_payload"}

Call = Callable[[AccountAPI], Any]


def request_of(name: str) -> dict[str, Any]:
    request: dict[str, Any] = recording(f"account/{name}", "1.42")["request"]
    return {**request, "json": json.loads(request["body"]) if request["body"] else None}


def body_of(name: str) -> Any:
    return recording(f"account/{name}", "1.42")["body"]


def sent(name: str) -> Any:
    return request_of(name)["json"]


def last_segment(name: str, position: int = -1) -> str:
    return urlsplit(request_of(name)["url"]).path.split("/")[position]


def get(api: AccountAPI) -> Any:
    return api.get()


def update(name: str) -> Call:
    names = {"customData": "custom_data"}
    return lambda api: api.update(**{names.get(key, key): value for key, value in sent(name).items()})


def update_profile(name: str) -> Call:
    return lambda api: api.update_profile(sent(name))


def set_password(name: str) -> Call:
    return lambda api: api.set_password(sent(name)["password"])


def verify_password(name: str) -> Call:
    return lambda api: api.verify_password(sent(name)["password"])


def set_email(name: str) -> Call:
    return lambda api: api.set_email(sent(name)["email"], new_record_id=sent(name)["newIdentifierVerificationRecordId"])


def send_code(name: str) -> Call:
    identifier = sent(name)["identifier"]
    return lambda api: api.send_code(identifier["type"], identifier["value"])


def verify_code(name: str) -> Call:
    payload = sent(name)
    identifier = payload["identifier"]
    return lambda api: api.verify_code(
        identifier["type"], identifier["value"], record_id=payload["verificationId"], code=payload["code"]
    )


def link(name: str) -> Call:
    return lambda api: api.link_identity(sent(name)["newIdentifierVerificationRecordId"])


def verify_social(name: str) -> Call:
    return lambda api: api.verify_social(sent(name)["verificationRecordId"], sent(name)["connectorData"])


def start_social(name: str) -> Call:
    payload = sent(name)
    return lambda api: api.start_social(
        payload["connectorId"], state=payload["state"], redirect_uri=payload["redirectUri"]
    )


def add_totp(name: str) -> Call:
    return lambda api: api.add_totp(sent(name)["secret"], sent(name).get("code", "123456"))


def add_backup_codes(name: str) -> Call:
    return lambda api: api.add_backup_codes(sent(name)["codes"])


def verify_passkey(name: str) -> Call:
    def call(api: AccountAPI) -> None:
        api.verify_passkey(sent(name)["verificationRecordId"], {**sent(name)["payload"], "type": "public-key"})

    return call


def end_session(name: str, **options: Any) -> Call:
    return lambda api: api.end_session(last_segment(name), **options)


class Refused(NamedTuple):
    """The error that a call raises, with its attributes."""

    error: type[errors.AccountAPIError]
    attributes: dict[str, Any] = {}


def refused(error: type[errors.AccountAPIError], **attributes: Any) -> Refused:
    return Refused(error, attributes)


def record(name: str) -> VerificationRecord:
    return VerificationRecord(**record_values(name))


def record_values(name: str) -> dict[str, Any]:
    body = body_of(name)
    moment = datetime.strptime(body["expiresAt"], "%Y-%m-%dT%H:%M:%S.%f%z")
    return {"id": Secret(body["verificationRecordId"]), "expires_at": moment.timestamp()}


DENIED = refused(errors.VerificationRequired, code="verification_record.permission_denied", status=401)
DEAD = refused(errors.AccessTokenRejected, status=401)
OFF = refused(errors.AccountCenterDisabled, code="account_center.not_enabled", status=403)
EXPIRED = refused(errors.CodeExpired, status=400)
BLOCKED = refused(errors.VerificationBlocked, status=429, retry_after_seconds=3600)
# Logto answers the same to a user who may not, whatever the application asks for.
FORBIDDEN = refused(errors.AccountAPIError, code="auth.third_party_application_forbidden", status=403)


def scope_missing(*scopes: str) -> Refused:
    return refused(errors.AccountScopeMissing, scopes=scopes, status=403)


def not_editable(field: str) -> Refused:
    return refused(errors.FieldNotEditable, field=field, status=403)


def invalid(field: str) -> Refused:
    return refused(errors.InvalidValue, field=field, status=400)


def rejected(code: str, **interpolation: Any) -> Refused:
    return refused(errors.PasswordRejected, reasons=[(code, interpolation)], field="password", status=400, data=None)


PROFILES = [name for name in NAMES if name.startswith("profile_") and name != "profile_after_session_revoked"]
PATCHED = [name for name in NAMES if name.startswith("patch_") and isinstance(body_of(name), dict)]
PATCHED = [name for name in PATCHED if "id" in body_of(name)]

CASES: dict[str, tuple[Call, Any]] = {
    **{name: (get, body_of(name)) for name in [*PROFILES, "exchanged_token_profile", "third_party_profile"]},
    **{
        name: (update(name), body_of(name))
        for name in [*PATCHED, "exchanged_token_patch", "record_after_password_change"]
    },
    "email_bad": (set_email("email_bad"), invalid("email")),
    "email_changed": (set_email("email_changed"), None),
    "email_deleted": (AccountAPI.remove_email, None),
    "email_new_record_as_permission": (set_email("email_new_record_as_permission"), DENIED),
    "email_no_record": (set_email("email_no_record"), DENIED),
    "email_other_address": (set_email("email_other_address"), EXPIRED),
    "email_scope_missing": (set_email("email_scope_missing"), scope_missing("email")),
    "email_taken": (set_email("email_taken"), invalid("email")),
    "email_unverified_record": (set_email("email_unverified_record"), EXPIRED),
    "error_account_center_disabled": (get, OFF),
    "error_account_center_disabled_patch": (update("error_account_center_disabled_patch"), OFF),
    "error_bad_token": (get, DEAD),
    "error_jwt_token_of_resource": (get, DEAD),
    "error_m2m_token": (get, DEAD),
    "error_suspended_user": (get, DEAD),
    "error_suspended_user_lifted": (get, DEAD),
    "profile_after_session_revoked": (get, DEAD),
    "grant_revoked": (lambda api: api.revoke_grant(last_segment("grant_revoked")), None),
    # The server answers each call so, as it does to a dead token. `test_client` has an unknown grant.
    "grant_unknown": (lambda api: api.revoke_grant(last_segment("grant_unknown")), DEAD),
    "grants": (AccountAPI.grants, body_of("grants")["grants"]),
    "grants_third_party": (lambda api: api.grants(app_type="thirdParty"), []),
    "identity_linked": (link("identity_linked"), None),
    "identity_linked_twice": (link("identity_linked_twice"), invalid("social")),
    "identity_no_record": (link("identity_no_record"), DENIED),
    "identity_of_other_user": (link("identity_of_other_user"), invalid("social")),
    "identity_replaced": (
        lambda api: api.replace_identity(sent("identity_replaced")["newIdentifierVerificationRecordId"]),
        None,
    ),
    "identity_unlink_no_record": (lambda api: api.unlink_identity("mock-social"), DENIED),
    "identity_unlink_unknown": (lambda api: api.unlink_identity("nope"), invalid("social")),
    "identity_unlinked": (lambda api: api.unlink_identity("mock-social"), None),
    "identity_unverified": (link("identity_unverified"), EXPIRED),
    "mfa_backup_codes": (AccountAPI.backup_codes, body_of("mfa_backup_codes")["codes"]),
    "mfa_backup_codes_alone": (add_backup_codes("mfa_backup_codes_alone"), invalid("backup_codes")),
    "mfa_backup_codes_bad": (add_backup_codes("mfa_backup_codes_bad"), invalid("backup_codes")),
    "mfa_backup_codes_bound": (add_backup_codes("mfa_backup_codes_bound"), None),
    "mfa_backup_codes_generated": (
        AccountAPI.generate_backup_codes,
        body_of("mfa_backup_codes_generated")["codes"],
    ),
    "mfa_delete_unknown": (lambda api: api.remove_factor("nope"), invalid("factor")),
    "mfa_field_off": (AccountAPI.factors, not_editable("mfa")),
    "mfa_list": (AccountAPI.factors, body_of("mfa_list")),
    "mfa_list_empty": (AccountAPI.factors, []),
    "mfa_list_scope_missing": (AccountAPI.factors, DEAD),
    "mfa_list_with_passkey": (AccountAPI.factors, body_of("mfa_list_with_passkey")),
    "mfa_settings": (AccountAPI.mfa_settings, {"skipMfaOnSignIn": False}),
    "mfa_settings_patched": (lambda api: api.update_mfa_settings(skip_at_sign_in=False), {"skipMfaOnSignIn": False}),
    "mfa_totp_bad_secret": (add_totp("mfa_totp_bad_secret"), invalid("secret")),
    "mfa_totp_bound": (add_totp("mfa_totp_bound"), None),
    "mfa_totp_no_record": (add_totp("mfa_totp_no_record"), DENIED),
    "mfa_totp_replaced": (
        lambda api: api.replace_totp(sent("mfa_totp_replaced")["secret"], sent("mfa_totp_replaced")["code"]),
        None,
    ),
    "mfa_totp_secret": (AccountAPI.generate_totp_secret, TotpSecret(Secret(body_of("mfa_totp_secret")["secret"]))),
    "mfa_totp_twice": (add_totp("mfa_totp_twice"), invalid("mfa")),
    "mfa_totp_wrong_code": (add_totp("mfa_totp_wrong_code"), refused(errors.WrongCode, status=400)),
    "mfa_webauthn_bound": (
        lambda api: api.add_passkey(
            sent("mfa_webauthn_bound")["newIdentifierVerificationRecordId"], name=sent("mfa_webauthn_bound")["name"]
        ),
        None,
    ),
    "mfa_webauthn_deleted": (lambda api: api.remove_factor(last_segment("mfa_webauthn_deleted")), None),
    "mfa_webauthn_renamed": (
        lambda api: api.rename_factor(last_segment("mfa_webauthn_renamed", -2), "Key 2"),
        None,
    ),
    "password_breach_list_unreachable": (
        set_password("password_breach_list_unreachable"),
        refused(errors.AccountServiceFailed, status=502),
    ),
    "password_changed": (set_password("password_changed"), None),
    "password_first_without_record": (set_password("password_first_without_record"), None),
    "password_has_user_info": (
        set_password("password_has_user_info"),
        rejected("password_rejected.restricted.user_info"),
    ),
    "password_no_record": (set_password("password_no_record"), DENIED),
    "password_second_without_record": (set_password("password_second_without_record"), DENIED),
    "password_short": (set_password("password_short"), rejected("password_rejected.too_short", min=8)),
    "password_weak": (set_password("password_weak"), rejected("password_rejected.restricted.sequence")),
    "patch_bad_avatar": (update("patch_bad_avatar"), invalid("avatar")),
    "patch_custom_data_scope_missing": (
        update("patch_custom_data_scope_missing"),
        scope_missing("profile", "custom_data"),
    ),
    "patch_name_field_readonly": (update("patch_name_field_readonly"), not_editable("name")),
    "patch_name_scope_missing": (update("patch_name_scope_missing"), scope_missing("profile")),
    "patch_profile": (update_profile("patch_profile"), body_of("patch_profile")),
    "patch_profile_address_scope_missing": (
        update_profile("patch_profile_address_scope_missing"),
        scope_missing("profile", "address"),
    ),
    "patch_profile_bad_birthdate": (update_profile("patch_profile_bad_birthdate"), invalid("birthdate")),
    "patch_profile_field_readonly": (update_profile("patch_profile_field_readonly"), not_editable("profile")),
    "patch_username_bad": (update("patch_username_bad"), invalid("username")),
    "patch_username_field_off": (update("patch_username_field_off"), not_editable("username")),
    "patch_username_no_verification": (update("patch_username_no_verification"), DENIED),
    "patch_username_record_of_other_user": (update("patch_username_record_of_other_user"), DENIED),
    "patch_username_taken": (update("patch_username_taken"), invalid("username")),
    "patch_username_unknown_record": (update("patch_username_unknown_record"), DENIED),
    "phone_changed": (
        lambda api: api.set_phone(
            sent("phone_changed")["phone"], new_record_id=sent("phone_changed")["newIdentifierVerificationRecordId"]
        ),
        None,
    ),
    "phone_delete_no_record": (AccountAPI.remove_phone, DENIED),
    "phone_deleted": (AccountAPI.remove_phone, None),
    "session_current_revoked": (end_session("session_current_revoked", revoke_grants="all"), None),
    "session_of_other_user": (end_session("session_of_other_user"), invalid("session")),
    "session_revoke_bad_target": (
        end_session("session_revoke_bad_target", revoke_grants="nope"),
        invalid("revokeGrantsTarget"),
    ),
    "session_revoked": (end_session("session_revoked"), None),
    "session_revoked_again": (end_session("session_revoked_again"), invalid("session")),
    "sessions": (AccountAPI.sessions, body_of("sessions")["sessions"]),
    "sessions_expired_record": (AccountAPI.sessions, DENIED),
    "sessions_no_record": (AccountAPI.sessions, DENIED),
    "sessions_scope_missing": (AccountAPI.sessions, DEAD),
    "third_party_patch": (update("third_party_patch"), FORBIDDEN),
    "third_party_verification": (verify_password("third_party_verification"), FORBIDDEN),
    "username_last_identifier": (update("username_last_identifier"), invalid("username")),
    "verification_code_bad_email": (send_code("verification_code_bad_email"), invalid("email")),
    "verification_code_bad_type": (send_code("verification_code_bad_type"), invalid("username")),
    "verification_code_consumed": (verify_code("verification_code_consumed"), EXPIRED),
    "verification_code_email_new": (send_code("verification_code_email_new"), record("verification_code_email_new")),
    "verification_code_email_own": (send_code("verification_code_email_own"), record("verification_code_email_own")),
    "verification_code_phone_new": (send_code("verification_code_phone_new"), record("verification_code_phone_new")),
    "verification_code_phone_verified": (verify_code("verification_code_phone_verified"), None),
    "verification_code_too_many_sends": (
        send_code("verification_code_too_many_sends"),
        refused(errors.VerificationBlocked, status=429, retry_after_seconds=None),
    ),
    "verification_code_unknown_record": (verify_code("verification_code_unknown_record"), EXPIRED),
    "verification_code_verified": (verify_code("verification_code_verified"), None),
    "verification_code_wrong": (verify_code("verification_code_wrong"), refused(errors.WrongCode, status=400)),
    "verification_code_wrong_identifier": (verify_code("verification_code_wrong_identifier"), EXPIRED),
    "verification_password": (verify_password("verification_password"), record("verification_password")),
    "verification_password_account_center_disabled": (
        verify_password("verification_password_account_center_disabled"),
        OFF,
    ),
    "verification_password_empty": (verify_password("verification_password_empty"), invalid("password")),
    "verification_password_right_while_blocked": (
        verify_password("verification_password_right_while_blocked"),
        BLOCKED,
    ),
    "verification_password_too_many": (verify_password("verification_password_too_many"), BLOCKED),
    "verification_password_wrong": (
        verify_password("verification_password_wrong"),
        refused(errors.WrongPassword, status=400),
    ),
    "verification_social_bad_state": (verify_social("verification_social_bad_state"), invalid("social")),
    "verification_social_started": (
        start_social("verification_social_started"),
        SocialVerification(
            authorization_uri=body_of("verification_social_started")["authorizationUri"],
            **record_values("verification_social_started"),
        ),
    ),
    "verification_social_unknown_connector": (
        start_social("verification_social_unknown_connector"),
        invalid("connector"),
    ),
    "verification_social_verified": (verify_social("verification_social_verified"), None),
    "webauthn_bad_payload": (verify_passkey("webauthn_bad_payload"), invalid("passkey")),
    "webauthn_options": (
        AccountAPI.passkey_options,
        PasskeyRegistration(
            options=body_of("webauthn_options")["registrationOptions"], **record_values("webauthn_options")
        ),
    ),
    "webauthn_verified": (verify_passkey("webauthn_verified"), None),
    "webauthn_wrong_origin": (verify_passkey("webauthn_wrong_origin"), invalid("passkey")),
}


def test_every_recording_has_a_case() -> None:
    assert CASES.keys() | NOT_OURS.keys() == set(NAMES)
    assert CASES.keys() & NOT_OURS.keys() == set()


def replay(fake: FakeLogto, name: str) -> AccountAPI:
    exchange = recording(f"account/{name}", "1.42")
    fake.answer(exchange["status"], None if exchange["body"] == "" else exchange["body"])
    return fake.api(verification_id=(exchange["request"].get("headers") or {}).get("logto-verification-id"))


@pytest.mark.parametrize("name", CASES)
def test_recorded_answer_gives_value_or_error(fake: FakeLogto, name: str) -> None:
    call, expected = CASES[name]
    api = replay(fake, name)
    if not isinstance(expected, Refused):
        assert call(api) == expected
        return
    with pytest.raises(errors.AccountAPIError) as raised:
        call(api)
    assert type(raised.value) is expected.error
    assert {each: getattr(raised.value, each) for each in expected.attributes} == expected.attributes


@pytest.mark.parametrize("name", CASES)
def test_call_sends_what_was_recorded(fake: FakeLogto, name: str) -> None:
    with suppress(errors.AccountAPIError):
        CASES[name][0](replay(fake, name))
    recorded, asked = request_of(name), fake.asked[0]
    url = urlsplit(recorded["url"])
    assert (asked.method, urlsplit(asked.path).path) == (recorded["method"], url.path)
    assert asked.headers["Authorization"] == "Bearer the-access-token"
    expected_record = (recorded.get("headers") or {}).get("logto-verification-id")
    assert asked.headers["logto-verification-id"] == expected_record
    if name not in SENDS_MORE:
        assert asked.json() == recorded["json"]
        assert urlsplit(asked.path).query == url.query


SECRET_KEYS = {"password", "code", "codes", "secret", "verificationId", "verificationRecordId", "state"}
SECRET_KEYS |= {"newIdentifierVerificationRecordId"}


def secrets_in(value: Any) -> Iterator[str]:
    """Yield the texts below the keys of secrets."""
    for key, each in value.items() if isinstance(value, dict) else ():
        yield from secrets_in(each)
        if key in SECRET_KEYS:
            yield from each if isinstance(each, list) else [each]


@pytest.mark.parametrize("name", [name for name, (_, expected) in CASES.items() if isinstance(expected, Refused)])
def test_error_repeats_no_secret(fake: FakeLogto, name: str) -> None:
    """Passwords, codes, secrets and ids of records are in no text, message or data of an error."""
    with pytest.raises(errors.AccountAPIError) as raised:
        CASES[name][0](replay(fake, name))
    secrets = [*secrets_in(sent(name)), fake.asked[0].headers["logto-verification-id"], "the-access-token"]
    shown = f"{raised.value} {raised.value!r} {vars(raised.value)}"
    # A single letter, or the name of a code, is everywhere.
    assert [each for each in secrets if each and len(each) > 1 and each in shown] == []
