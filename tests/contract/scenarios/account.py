"""The Account API and the Verification API, without factors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests

from logto_auth.emulator import User, Visitor
from logto_auth.emulator.state.social_connectors import FACTORIES, Connector
from logto_auth.emulator.state.verification_records import PasswordRecord
from tests.contract.recorded_on_head import recorded_for
from tests.emulator.account_api_client import ALL_SCOPES, AccountAPI
from tests.emulator.relying_party import CALLBACK, RelyingParty

from .play import Scenario, Stage, client_authentication

_API = "https://r3-bookstore.example/api"
_PASSWORD = "Tr0ub4dor&3xyz!"
_NEW_PASSWORD = "N3w-Passw0rd!x"
_USERNAME = "r3acca497"
_EMAIL, _NEW_EMAIL = "r3acca497@example.com", "r3acca497.new@example.com"
_PHONE, _NEW_PHONE = "8613639570682", "8613032512976"
_FIELDS = ("name", "avatar", "profile", "email", "phone", "password", "username", "social", "customData", "mfa")

_ALL = "Bearer <opaque access token, all scopes>"
_SOME = "Bearer <opaque access token, scope {}>"
_EXCHANGED = "Bearer <opaque access token from a token exchange>"
_THIRD_PARTY = "Bearer <opaque access token of a third-party application>"
_JWT = "Bearer <JWT of an API resource>"
_LESS = ("openid", "openid profile", "openid address", "openid email", "openid phone", "openid custom_data")
_LESS = (*_LESS, "openid identities", "openid profile address")

# How the recordings without a kind of token were made.
_NOBODY, _CLIENT = "nobody", "client"

_CHANGED = {
    "name": "New Name",
    "avatar": "https://example.com/a.png",
    "custom_data": {"b": 2},
    "profile": {
        "familyName": "One",
        "givenName": "Acc",
        "nickname": "Nick",
        "birthdate": "2000-01-02",
        "address": {"country": "DE"},
    },
}


def _seed(stage: Stage, **changes: Any) -> User:
    """Add the recorded user with the given changes, and the other user; let them change all fields."""
    tenant = stage.emulator.tenant
    _permit(stage, dict.fromkeys((*_FIELDS, "session"), "Edit"))
    tenant.add_message_connectors()
    social = Connector(FACTORIES["mock-social-connector"], {"clientId": "r3", "clientSecret": "r3"}, id="ognqjyzbkbe7")
    tenant.sign_in_experience.connector_instances[social.id] = social
    # The recorded server could not reach the list of known passwords.
    rejects = {"pwned": False, "repetitionAndSequence": True, "userInfo": True, "words": []}
    tenant.sign_in_experience.settings["passwordPolicy"] = {"rejects": rejects}
    tenant.add_resource(_API, scopes=["read:books"])
    application = tenant.add_application(name="r3 plain", id="pmnlbwb2se4ahi3ln7uux", redirect_uris=[CALLBACK])
    tenant.add_user(
        id="dno2js30dta3",
        username="r3alice",
        password=_PASSWORD,
        primary_email="r3alice@example.com",
        name="Alice A",
    )
    user = tenant.add_user(
        id="epg0wpnam14q",
        username=_USERNAME,
        password=_PASSWORD,
        primary_email=_EMAIL,
        primary_phone=_PHONE,
        name="Acc One",
        profile={"familyName": "One", "givenName": "Acc", "address": {"country": "JP"}},
        custom_data={"a": 1},
    )
    tenant.update_user(user.id, **changes)
    relying_party = RelyingParty(stage.emulator, application)
    stage.closing.callback(relying_party.http.close)
    _learn_tokens(stage, relying_party)
    return user


def _permit(stage: Stage, fields: Mapping[str, str]) -> None:
    stage.emulator.tenant.account_center |= {"enabled": True, "fields": dict(fields)}


def _learn_tokens(stage: Stage, relying_party: RelyingParty) -> None:
    """Sign the user in once for each kind of token that the recordings name."""
    tokens: dict[str, str] = {}

    def token(kind: str, **options: Any) -> Callable[[Mapping[str, Any]], str]:
        def header(exchange: Mapping[str, Any]) -> str:
            if kind not in tokens:
                tokens[kind] = relying_party.sign_in(_USERNAME, **options)["access_token"]
            return f"Bearer {tokens[kind]}"

        return header

    stage.tokens |= {
        _ALL: token(_ALL, scope=ALL_SCOPES),
        "Bearer <opaque access token>": token(_ALL, scope=ALL_SCOPES),
        **{_SOME.format(scope): token(scope, scope=scope) for scope in _LESS},
        _JWT: lambda exchange: f"Bearer {_jwt(relying_party)}",
        "Bearer <JWT, Management API token>": lambda exchange: str(stage.api.http.headers["Authorization"]),
        "Bearer nope": lambda exchange: "Bearer nope",
        _NOBODY: lambda exchange: "",
        _CLIENT: client_authentication(relying_party.application),
    }


def _jwt(relying_party: RelyingParty) -> str:
    scope = "openid offline_access read:books"
    refresh_token = relying_party.sign_in(_USERNAME, scope=scope, resource=_API)["refresh_token"]
    return str(relying_party.refresh(refresh_token, resource=_API).json()["access_token"])


def _account(stage: Stage, kind: str = _ALL) -> AccountAPI:
    """Return a client with one of these tokens, for calls that were not recorded."""
    account = AccountAPI(stage.emulator, stage.tokens[kind]({}).removeprefix("Bearer "))
    stage.closing.callback(account.http.close)
    return account


def _record(theirs: str, password: str = _PASSWORD) -> Callable[[Stage], None]:
    """Return a step that verifies the password, for a record that was made by a call that was not recorded."""
    return lambda stage: stage.names.learn(theirs, _account(stage).verify_password(password))


def _record_of_other_user(stage: Stage) -> None:
    verifications = stage.emulator.verifications
    other = stage.emulator.tenant.users["dno2js30dta3"]
    record = PasswordRecord(account_id=other.id, expires_at=verifications.new_expiry, is_verified=True)
    stage.names.learn("7i2uc4fonfzimgq5ro04q", verifications.add(record).id)


def _code(theirs: str, recipient: str) -> Callable[[Stage], None]:
    """Return a step that reads the code of the last message."""
    return lambda stage: stage.names.learn(theirs, stage.emulator.messages.code_for(recipient))


# The profile


def _off(stage: Stage) -> None:
    stage.emulator.tenant.account_center["enabled"] = False


def _on(stage: Stage) -> None:
    stage.emulator.tenant.account_center["enabled"] = True


def _mixed_fields(stage: Stage) -> None:
    off = dict.fromkeys((*_FIELDS, "session"), "Off")
    _permit(stage, off | dict.fromkeys(("name", "customData", "profile", "phone"), "ReadOnly"))


PROFILE = Scenario(
    "account",
    _seed,
    (
        # Permissions are compared before the token is, so they come first.
        "error_no_token",
        "error_bad_token",
        "error_jwt_token_of_resource",
        "error_m2m_token",
        "profile_all_scopes",
        "profile_openid_only",
        "profile_scope_profile",
        "profile_scope_email",
        "profile_scope_phone",
        "profile_scope_address",
        "profile_scope_custom_data",
        "profile_scope_identities",
        "profile_scope_profile_address",
        _off,
        "error_account_center_disabled",
        "error_account_center_disabled_patch",
        "verification_password_account_center_disabled",
        _on,
        "delete_account_no_route",
        "patch_name",
        "patch_custom_data",
        "patch_name_scope_missing",
        "patch_custom_data_scope_missing",
        "patch_bad_avatar",
        "patch_unknown_key",
        "patch_profile",
        "patch_profile_address_scope_missing",
        "patch_profile_bad_birthdate",
        _mixed_fields,
        "profile_fields_mixed",
        "patch_name_field_readonly",
        "patch_profile_field_readonly",
        "patch_username_field_off",
    ),
    recorded_at=1795883432,
    auth={"error_no_token": _NOBODY},
)


# The username, the e-mail address and the phone number


def _some_other_records(stage: Stage) -> None:
    """Verify the password with a token of less scope, and the address of the other user."""
    stage.names.learn(
        "jqqbf1j7zjpwwvzavkxx6", _account(stage, _SOME.format("openid profile")).verify_password(_PASSWORD)
    )
    account, taken = _account(stage), "r3alice@example.com"
    record_id = account.send_code("email", taken)
    assert account.verify_code("email", taken, record_id).status_code == 200
    stage.names.learn("jazzse7s0tcfve7noykcl", record_id)


def _seed_addresses(stage: Stage) -> None:
    _seed(stage, **_CHANGED)
    _record_of_other_user(stage)


ADDRESSES = Scenario(
    "account",
    _seed_addresses,
    (
        "verification_password_wrong",
        "verification_password_empty",
        "patch_username_no_verification",
        "verification_password",
        "patch_username",
        "patch_username_back",
        "patch_username_taken",
        "patch_username_bad",
        "patch_username_unknown_record",
        "patch_username_record_of_other_user",
        "verification_code_bad_email",
        "verification_code_bad_type",
        "verification_code_email_new",
        _code("285982", _NEW_EMAIL),
        "email_unverified_record",
        "verification_code_wrong",
        "verification_code_wrong_identifier",
        "verification_code_unknown_record",
        "verification_code_verified",
        "verification_code_consumed",
        _some_other_records,
        "email_no_record",
        "email_new_record_as_permission",
        "email_other_address",
        "email_bad",
        "email_scope_missing",
        "email_taken",
        "email_changed",
        "verification_code_email_own",
        lambda stage: stage.names.learn("711828", stage.emulator.messages.code_for(_NEW_EMAIL)),
        lambda stage: _verify_own(stage),
        "patch_username_record_by_email_code",
        "verification_code_phone_new",
        _code("640958", _NEW_PHONE),
        "verification_code_phone_verified",
        "phone_changed",
        "phone_delete_no_record",
        "phone_deleted",
        "email_deleted",
        "username_last_identifier",
    ),
    recorded_at=1795883440,
)


def _verify_own(stage: Stage) -> None:
    own = stage.names.own("3meim84zdcsafgh3v5fzg")
    assert _account(stage).verify_code("email", _NEW_EMAIL, own).status_code == 200


# Linked identities


def _seed_identities(stage: Stage) -> None:
    _seed(stage, **_CHANGED, primary_email=None, primary_phone=None, password=_NEW_PASSWORD)
    _record("noy8jatlgr2aptc394h6i", _NEW_PASSWORD)(stage)


def _identity_of_other_user(stage: Stage) -> None:
    """Link an account to the other user, and verify it once more for the first one."""
    identity = {"userId": "r3soc-taken", "details": {"id": "r3soc-taken"}}
    stage.emulator.tenant.update_user("dno2js30dta3", identities={"mock-social": identity})
    account = _account(stage)
    stage.names.learn("xslnf9gdb1xqpfmii4k4r", account.verify_password(_NEW_PASSWORD))
    body = {"connectorId": "ognqjyzbkbe7", "state": "x", "redirectUri": "http://localhost:9999/social"}
    record_id = account.post("/verifications/social", body).json()["verificationRecordId"]
    answer = {"code": "c", "userId": "r3soc-taken"}
    body = {"verificationRecordId": record_id, "connectorData": answer}
    assert account.post("/verifications/social/verify", body).status_code == 200
    stage.names.learn("swyu48lh888k1bdnesn87", record_id)


IDENTITIES = Scenario(
    "account",
    _seed_identities,
    (
        "verification_social_unknown_connector",
        "verification_social_started",
        "identity_unverified",
        "verification_social_bad_state",
        "verification_social_verified",
        "identity_no_record",
        "identity_linked",
        "identity_linked_twice",
        "profile_with_identity",
        "identity_replaced",
        "identity_access_token_none",
        "identity_unlink_no_record",
        "identity_unlink_unknown",
        "identity_unlinked",
        _identity_of_other_user,
        "identity_of_other_user",
    ),
    recorded_at=1795883561,
)


# The password


def _seed_password(stage: Stage) -> None:
    _seed(stage, **_CHANGED, primary_email=None, primary_phone=None)
    _record("sv96nzp4vtjh2abwseg5h")(stage)
    _record("noy8jatlgr2aptc394h6i")(stage)
    tokens = _signed_in_again(stage)
    stage.names.learn("yugFO4rYMfZQyMHsYEl4Pn8Yh3rcASbjuD-gp-Y4M95", tokens["refresh_token"])


def _signed_in_again(stage: Stage) -> dict[str, Any]:
    application = stage.emulator.tenant.applications["pmnlbwb2se4ahi3ln7uux"]
    relying_party = RelyingParty(stage.emulator, application)
    stage.closing.callback(relying_party.http.close)
    tokens = relying_party.sign_in(_USERNAME, scope=ALL_SCOPES)
    stage.tokens[_ALL] = lambda exchange: f"Bearer {tokens['access_token']}"
    return tokens


def _list_out_of_reach(stage: Stage) -> None:
    stage.emulator.tenant.sign_in_experience.settings["passwordPolicy"] = {}
    stage.emulator.faults.breach_list_unreachable = True


def _list_not_asked(stage: Stage) -> None:
    stage.emulator.tenant.sign_in_experience.settings["passwordPolicy"] = {"rejects": {"pwned": False}}


PASSWORD = Scenario(
    "account",
    _seed_password,
    (
        "password_no_record",
        _list_out_of_reach,
        "password_breach_list_unreachable",
        _list_not_asked,
        "password_short",
        "password_weak",
        "password_has_user_info",
        "password_changed",
        "profile_after_password_change",
        "refresh_after_password_change",
        "record_after_password_change",
    ),
    recorded_at=1795883560,
    auth={"refresh_after_password_change": _CLIENT},
)


# Sessions and grants


def _seed_sessions(stage: Stage) -> None:
    """Sign in twice, in two browsers, and give sessions and grants the recorded times."""
    _seed(stage)
    stage.tokens[_SOME.format("openid profile")]({})
    tokens = _signed_in_again(stage)
    stage.names.learn("yugFO4rYMfZQyMHsYEl4Pn8Yh3rcASbjuD-gp-Y4M95", tokens["refresh_token"])
    # The recorded server listened on IPv4 only. Node.js writes the address so on a socket for both protocols.
    stage.names.learn("127.0.0.1", "::ffff:127.0.0.1")
    stage.names.learn("python-requests/2.34.2", requests.utils.default_user_agent())
    _record("noy8jatlgr2aptc394h6i")(stage)
    _record("03g1udl8t61dayxo3smve")(stage)
    account = _account(stage, _SOME.format("openid profile"))
    stage.names.learn("8aw1mtzrcsmz8xcsrv57y", account.verify_password(_PASSWORD))
    _learn_sessions(stage)


def _learn_sessions(stage: Stage) -> None:
    instances = stage.emulator.instances
    theirs = recorded_for("account/sessions", stage.emulator.like)["body"]["sessions"]
    grants = {
        each["id"]: each["payload"] for each in recorded_for("account/grants", stage.emulator.like)["body"]["grants"]
    }
    for their, ours in zip(theirs, list(instances.sessions.values()), strict=True):
        payload, [(client_id, part)] = their["payload"], their["payload"]["authorizations"].items()
        ours.login_at, ours.expires_at = payload["loginTs"], payload["exp"]
        authorization = ours.authorizations[client_id]
        grant = instances.grants[authorization.grant_id or ""]
        grant.created_at, grant.expires_at = grants[part["grantId"]]["iat"], grants[part["grantId"]]["exp"]
        for value, own in (
            (payload["jti"], ours.id),
            (payload["uid"], ours.uid),
            (part["sid"], authorization.sid),
            (part["grantId"], grant.id),
        ):
            stage.names.learn(value, own)


def _other_sessions(stage: Stage) -> None:
    """Sign in once more, and sign in the other user. Only their ids are in the recordings."""
    application = stage.emulator.tenant.applications["pmnlbwb2se4ahi3ln7uux"]
    relying_party = RelyingParty(stage.emulator, application)
    stage.closing.callback(relying_party.http.close)
    for username, uid in (
        (_USERNAME, "v6EVVNYZZIzaZ3nLWAszOcHiIaTaxPCp3rUp0lJWYzl"),
        ("r3alice", "75DuUucFQwV1GzI4fMeiWaYWlrEE4oJIpvWIc0qduzl"),
    ):
        with Visitor(stage.emulator) as visitor:
            relying_party.sign_in(username, visitor)
        session = list(stage.emulator.instances.sessions.values())[-1]
        stage.names.learn(uid, session.uid)
    stage.names.learn("oexr59jCedz2WG_M9HJtJQl-UgbG6-AtqOqR7XVoZdW", _grant_of(stage, _USERNAME))


def _grant_of(stage: Stage, username: str) -> str:
    """Return the id of the newest grant of a user."""
    user = stage.emulator.tenant.find_user(username=username)
    return [each.id for each in stage.emulator.instances.grants.values() if user and each.account_id == user.id][-1]


SESSIONS = Scenario(
    "account",
    _seed_sessions,
    (
        "sessions",
        "grants",
        "grants_third_party",
        "sessions_no_record",
        "sessions_scope_missing",
        _other_sessions,
        "session_revoke_bad_target",
        "session_of_other_user",
        "grant_revoked",
        "session_revoked",
        "session_revoked_again",
        lambda stage: stage.emulator.clock.advance(590),
        _record("noy8jatlgr2aptc394h6i"),
        lambda stage: stage.emulator.clock.advance(20),
        "sessions_expired_record",
        "session_current_revoked",
        "profile_after_session_revoked",
        "refresh_after_session_revoked",
        # It was recorded with a token whose own grant had just been revoked.
        "grant_unknown",
    ),
    recorded_at=1795883559,
    auth={"refresh_after_session_revoked": _CLIENT},
)


# Limits


def _seed_limits(stage: Stage) -> None:
    _seed(stage)
    account = _account(stage)
    for _ in range(10):
        account.send_code("email", "r3rate2c2c@example.com")
    for _ in range(99):
        assert account.post("/verifications/password", {"password": "wrong"}).status_code == 422


LIMITS = Scenario(
    "account",
    _seed_limits,
    ("verification_code_too_many_sends", "verification_password_too_many", "verification_password_right_while_blocked"),
    recorded_at=1795884255,
)


# Other tokens


def _seed_third_party(stage: Stage) -> None:
    _seed(stage)
    tenant = stage.emulator.tenant
    _permit(stage, {**dict.fromkeys((*_FIELDS, "session"), "Edit")})
    third_party = tenant.add_application(
        name="r3 third party", redirect_uris=[CALLBACK], is_third_party=True, user_scopes=["profile", "email"]
    )
    tenant.users["dno2js30dta3"].application_id = "uqeq71fmjtp6sqdh4s8ic"
    relying_party = RelyingParty(stage.emulator, third_party)
    stage.closing.callback(relying_party.http.close)
    token = relying_party.sign_in("r3alice", scope="openid profile email")["access_token"]
    stage.tokens[_THIRD_PARTY] = lambda exchange: f"Bearer {token}"


THIRD_PARTY = Scenario(
    "account",
    _seed_third_party,
    ("third_party_profile", "third_party_patch", "third_party_verification"),
    recorded_at=1795884145,
)


def _seed_exchange(stage: Stage) -> None:
    _seed(stage)
    tenant = stage.emulator.tenant
    user = tenant.add_user(id="iiqy8p3oillw", username="r3nopass70e8")
    machine = tenant.add_application(name="r3 exchange", type="MachineToMachine")
    machine.allow_token_exchange = True
    subject_token = stage.api.made("/subject-tokens", {"userId": user.id})["subjectToken"]
    stage.names.learn("sub_r2yhwp1x394u6jtgarrmf", subject_token)
    stage.tokens["exchanger"] = client_authentication(machine)
    stage.tokens[_EXCHANGED] = lambda exchange: (
        f"Bearer {stage.names.own('qu5l2djD-T-VnJymLWsxnBt1rkh_7uMAjXzA-nvXxr0')}"
    )


EXCHANGE = Scenario(
    "account",
    _seed_exchange,
    (
        "exchanged_token",
        "exchanged_token_profile",
        "exchanged_token_patch",
        "password_first_without_record",
        "password_second_without_record",
    ),
    recorded_at=1795884963,
    auth={"exchanged_token": "exchanger"},
)


def _suspend(stage: Stage) -> None:
    stage.emulator.tenant.suspend_user("epg0wpnam14q")


SUSPENSION = Scenario(
    "account",
    _seed,
    (
        lambda stage: stage.tokens[_ALL]({}) and None,
        _suspend,
        "error_suspended_user",
        lambda stage: stage.emulator.tenant.suspend_user("epg0wpnam14q", is_suspended=False),
        "error_suspended_user_lifted",
    ),
    recorded_at=1795884963,
)

SCENARIOS = {
    "account profile": PROFILE,
    "account addresses": ADDRESSES,
    "account identities": IDENTITIES,
    "account password": PASSWORD,
    "account sessions": SESSIONS,
    "account limits": LIMITS,
    "account third party": THIRD_PARTY,
    "account exchange": EXCHANGE,
    "account suspension": SUSPENSION,
}
