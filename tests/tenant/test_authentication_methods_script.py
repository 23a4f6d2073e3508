"""The block in the script for custom claims: which methods count, and that nothing else leaves it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from logto_auth.oidc.authentication_methods import CLAIM, methods_in
from logto_auth.tenant.claims_script import FUNCTION, block, merged_script
from tests.recorded import FOLDER, recording

from .javascript import NODE, call, call_in_node

USER = "epg0wpnam14q"
PASSWORD = {"id": "p", "type": "Password", "identifier": {"type": "username", "value": "alice"}, "verified": True}
TOTP = {"id": "t", "type": "Totp", "userId": USER, "verified": True}
PASSKEY = {"id": "w", "type": "WebAuthn", "userId": USER, "verified": True}
SIGN_IN_PASSKEY = {"id": "s", "type": "SignInPasskey", "userId": USER, "verified": True}
BACKUP_CODE = {"id": "b", "type": "BackupCode", "userId": USER, "code": "0123456789"}
SOCIAL = {"id": "o", "type": "Social", "connectorId": "c", "socialUserInfo": {"id": "1"}}
ENTERPRISE = {
    "id": "e",
    "type": "EnterpriseSso",
    "connectorId": "c",
    "enterpriseSsoUserInfo": {"id": "1"},
    "issuer": "https://idp.example",
}
NEW_IDENTITY = {"id": "n", "type": "NewPasswordIdentity", "identifier": {"type": "username", "value": "alice"}}
BOUND = ["Totp", "WebAuthn", "BackupCode"]
EMAIL = {"type": "email", "value": "alice@shop.example"}


def parameters(*records: Any, bound: Any = BOUND, **changes: Any) -> dict[str, Any]:
    """What Logto passes to the script after a sign-in with these records."""
    interaction = {"interactionEvent": "SignIn", "userId": USER, "verificationRecords": list(records)}
    return {
        "token": {"kind": "AccessToken", "accountId": USER},
        "context": {"user": {"id": USER, "mfaVerificationFactors": bound}, "interaction": interaction | changes},
    }


def methods(given: object) -> Any:
    """The claim, or None if there is none. The answer has no other claim."""
    answer = call(block(), FUNCTION, given)
    assert answer.keys() <= {CLAIM}
    # The site reads all of it.
    assert list(methods_in(answer) or ()) == answer.get(CLAIM, [])
    return answer.get(CLAIM)


COUNTED: dict[str, tuple[list[Any], list[str]]] = {
    "a password": ([PASSWORD], ["Password"]),
    "an authenticator app": ([TOTP, PASSWORD], ["Password", "Totp"]),
    "a passkey as second factor": ([PASSKEY], ["WebAuthn"]),
    "a passkey as sign-in": ([SIGN_IN_PASSKEY], ["SignInPasskey"]),
    "a backup code": ([BACKUP_CODE], ["BackupCode"]),
    "a social account": ([SOCIAL], ["Social"]),
    "an enterprise account": ([ENTERPRISE], ["EnterpriseSso"]),
    "a code by e-mail": (
        [{"type": "MfaEmailVerificationCode", "identifier": EMAIL, "verified": True}],
        ["MfaEmailVerificationCode"],
    ),
    "a method of a newer Logto": ([{"type": "Telepathy", "verified": True}], ["Telepathy"]),
    "a method twice": ([PASSWORD, PASSWORD], ["Password"]),
    "no method": ([], []),
}


@pytest.mark.parametrize("case", COUNTED)
def test_verified_method_counts(case: str) -> None:
    records, expected = COUNTED[case]
    assert methods(parameters(*records)) == expected


NOT_COUNTED: dict[str, Any] = {
    "a password that was not verified": {**PASSWORD, "verified": False},
    "a password without a result": {key: value for key, value in PASSWORD.items() if key != "verified"},
    "a result that is not true": {**PASSWORD, "verified": "true"},
    "a code that was not verified": {**TOTP, "verified": False},
    "the app of another user": {**TOTP, "userId": "other"},
    "an app of nobody": {key: value for key, value in TOTP.items() if key != "userId"},
    "the passkey of another user": {**SIGN_IN_PASSKEY, "userId": "other"},
    "a new passkey": {**PASSKEY, "registrationRpId": "shop.example"},
    "generated backup codes": {"type": "BackupCode", "userId": USER, "backupCodes": ["0123456789"]},
    "an empty backup code": {**BACKUP_CODE, "code": ""},
    "the backup code of another user": {**BACKUP_CODE, "userId": "other"},
    "a social sign-in that was begun": {**SOCIAL, "socialUserInfo": None},
    "an enterprise sign-in that was begun": {"type": "EnterpriseSso", "connectorId": "c"},
    "an enterprise account without an issuer": {**ENTERPRISE, "issuer": None},
    "a new identity outside of a registration": NEW_IDENTITY,
    "a newer method of another user": {"type": "Telepathy", "verified": True, "userId": "other"},
    "a newer method without a result": {"type": "Telepathy"},
    "a type that is no name": {"type": "alice@shop.example", "verified": True},
    "a type with a newline": {"type": "Totp\n", "userId": USER, "verified": True},
    "a type that is long": {"type": "A" * 65, "verified": True},
    "a type of an object": {"type": "constructor"},
    "a type that is a list": {"type": ["Totp"], "verified": True},
    "null": None,
    "a number": 1,
    "a text": "Totp",
    "a list": ["Totp"],
}


@pytest.mark.parametrize("case", NOT_COUNTED)
def test_other_record_does_not_count(case: str) -> None:
    """It does not hide the others either."""
    assert methods(parameters(NOT_COUNTED[case], PASSWORD)) == ["Password"]


UNBOUND: dict[str, tuple[dict[str, Any], Any]] = {
    "no factor": (TOTP, []),
    "another factor": (TOTP, ["WebAuthn"]),
    "no list": (TOTP, None),
    "a text": (TOTP, "Totp"),
    "no passkey": (PASSKEY, ["Totp"]),
    "no passkey for sign-in": (SIGN_IN_PASSKEY, ["Totp"]),
}


@pytest.mark.parametrize("case", UNBOUND)
def test_factor_that_user_does_not_have_does_not_count(case: str) -> None:
    """Anybody with the password can generate a factor and verify that, without binding it."""
    record, bound = UNBOUND[case]
    assert methods(parameters(PASSWORD, record, bound=bound)) == ["Password"]


def test_registration_counts() -> None:
    assert methods(parameters(NEW_IDENTITY, interactionEvent="Register")) == ["NewPasswordIdentity"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The parameters of a sign-in in which one value is changed. None removes it."""
    given: dict[str, Any] = parameters(PASSWORD, TOTP)
    *parents, last = path.split(".")
    target = given
    for name in parents:
        target = target[name]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return given


NO_CLAIM: dict[str, Any] = {
    "no parameters": None,
    "a number": 1,
    "no token": changed("token", None),
    "no context": changed("context", None),
    "no user": changed("context.user", None),
    "no interaction": changed("context.interaction", None),
    "an interaction of another user": changed("context.interaction.userId", "other"),
    "an interaction of nobody": changed("context.interaction.userId", None),
    "a token of another user": changed("token.accountId", "other"),
    "a token of nobody": changed("token.accountId", None),
    "a token of an empty user": changed("token.accountId", ""),
    "a context of another user": changed("context.user.id", "other"),
    "no records": changed("context.interaction.verificationRecords", None),
    "records that are no list": changed("context.interaction.verificationRecords", {"0": TOTP}),
    "an interaction that is text": changed("context.interaction", "SignIn"),
    "a machine": {
        "token": {"kind": "ClientCredentials", "clientId": "machine"},
        "context": {"application": {"id": "machine"}},
    },
}


@pytest.mark.parametrize("case", NO_CLAIM)
def test_without_own_interaction_there_is_no_claim(case: str) -> None:
    assert methods(NO_CLAIM[case]) is None


def test_script_has_no_error_without_arguments() -> None:
    assert call(f"{block()}const bare = () => {FUNCTION}();", "bare", None) == {}


# Recorded contexts


def recorded_parameters(name: str) -> dict[str, Any]:
    claims = recording(f"tokens/{name}", "1.42")["claims"]
    context = claims.get("r3_context", {})
    if "r3_interaction" in claims:
        context = {**context, "interaction": claims["r3_interaction"]}
    # Some recordings do not show the user, whose factors the first one shows.
    user = recording("tokens/jwt_customizer_after_totp", "1.42")["claims"]["r3_context"]["user"]
    context = {"user": {**user, "id": claims["sub"]}, **context}
    return {"token": claims.get("r3_token") or {"accountId": claims["sub"]}, "context": context}


RECORDED = {
    "jwt_customizer_after_totp": ["Password", "Totp"],
    "jwt_customizer_organization_token": ["Password", "Totp"],
    "jwt_customizer_silent_sso": ["Password", "Totp"],
    "jwt_customizer_password_only": ["Password"],
    "jwt_customizer_code_exchange": ["Password"],
    "jwt_customizer_refresh_after_logout": None,
    "jwt_customizer_token_exchange": None,
    "jwt_customizer_m2m_decoded": None,
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_context_gives_claim(name: str) -> None:
    assert methods(recorded_parameters(name)) == RECORDED[name]


def test_recorded_contexts_are_complete() -> None:
    names = {each.stem for each in (FOLDER / "1.42" / "tokens").glob("jwt_customizer_*.json")}
    with_context = {
        name
        for name in names
        if any(key.startswith("r3_") for key in recording(f"tokens/{name}", "1.42").get("claims", {}))
    }
    assert with_context == RECORDED.keys()


# The whole script, in the engine of Logto


@pytest.mark.skipif(NODE is None, reason="needs Node.js")
@pytest.mark.parametrize("name", RECORDED)
def test_new_script_works_in_the_engine_of_logto(name: str) -> None:
    answer = call_in_node(merged_script(""), "getCustomJwtClaims", recorded_parameters(name))
    assert answer == ({} if RECORDED[name] is None else {CLAIM: RECORDED[name]})


@pytest.mark.skipif(NODE is None, reason="needs Node.js")
def test_both_engines_agree() -> None:
    cases = [
        *(parameters(*records) for records, _ in COUNTED.values()),
        *(parameters(record, PASSWORD) for record in NOT_COUNTED.values()),
        *(parameters(record, bound=bound) for record, bound in UNBOUND.values()),
        *NO_CLAIM.values(),
    ]
    script = f"{block()}const all = (cases) => cases.map({FUNCTION});"
    assert call_in_node(script, "all", cases) == call(script, "all", cases)


def test_block_holds_no_secret_and_reaches_nothing() -> None:
    code = "\n".join(line for line in block().splitlines() if not line.strip().startswith("//"))
    for name in ("fetch", "process", "environmentVariables", "import", "eval", "identifier", "denyAccess"):
        assert name not in code
    assert BACKUP_CODE["code"] not in json.dumps(call(block(), FUNCTION, parameters(BACKUP_CODE)))
