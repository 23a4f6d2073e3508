"""Why a user has no second factor: what the site concludes from the answers of Logto."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.access.requirements import SecondFactor
from logto_auth.account.missing_factor import MissingFactor, reason_for
from logto_auth.emulator import Emulator
from logto_auth.emulator.state.factors import Passkey
from logto_auth.tenant.claims_script import merged_script

from .conftest import SCOPES, Reader
from .logto_calls import calls_of

pytestmark = pytest.mark.django_db
RESOURCE = "https://shop.example/api"
ANY = SecondFactor()


@pytest.fixture(autouse=True)
def second_factors(account_site: Emulator, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = True
    settings.LOGTO_API_RESOURCE = RESOURCE
    account_site.tenant.add_resource(RESOURCE)
    account_site.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    offer(account_site, "Totp", "WebAuthn")


def offer(logto: Emulator, *factors: str, policy: str = "NoPrompt", **more: Any) -> None:
    logto.tenant.sign_in_experience.settings |= {"mfa": {"factors": list(factors), "policy": policy}, **more}
    cache.clear()


def report(logto: Emulator, *methods: str) -> None:
    """Let the script say that users sign in in this way."""
    script = f"const getCustomJwtClaims = async () => ({{ authentication_methods: {list(methods)} }});"
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": script}


def skip(reader: Reader, *, at_sign_in: bool) -> None:
    reader.logto.tenant.update_user(reader.user.id, logto_configs={"mfa": {"skipMfaOnSignIn": at_sign_in}})


def passkey() -> Passkey:
    return Passkey(rp_id="localhost", credential_id="Y3JlZA", public_key="a2V5", counter=0)


def test_calls_stop_at_the_reason(reader: Reader) -> None:
    cache.clear()
    reader.principal.opaque_token()  # the Account API needs it; the sign-in brings another one
    reader.logto.requests.clear()
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_SET_UP
    assert [request.path for request in reader.logto.requests] == [
        "/api/.well-known/sign-in-exp",
        "/api/my-account/mfa-verifications",
    ]
    reader.logto.tenant.add_totp(reader.user)
    reader.logto.requests.clear()
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_ASKED
    assert calls_of(reader.logto) == ["/api/my-account/mfa-verifications", "/api/my-account/mfa-settings"]


@pytest.mark.parametrize(
    ("required", "expected"),
    [
        ("Totp", MissingFactor.NOT_ASKED),
        ("WebAuthn", MissingFactor.NOT_SET_UP),
        ("BackupCode", MissingFactor.NOT_OFFERED),
    ],
)
def test_only_factors_that_count_are_looked_at(reader: Reader, required: str, expected: MissingFactor) -> None:
    reader.logto.tenant.add_totp(reader.user)
    assert reason_for(reader.principal, SecondFactor(methods=(required,))) is expected


def test_factor_that_the_tenant_has_turned_off_does_not_count(reader: Reader) -> None:
    reader.logto.tenant.add_totp(reader.user)
    offer(reader.logto, "WebAuthn")
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_SET_UP


def test_used_backup_codes_do_not_count(reader: Reader) -> None:
    reader.logto.tenant.add_totp(reader.user)
    reader.logto.tenant.add_backup_codes(reader.user)
    codes_only = SecondFactor(methods=("BackupCode",))
    assert reason_for(reader.principal, codes_only) is MissingFactor.NOT_ASKED
    for code in reader.user.factors[-1].codes:
        code.used_at = "2026-01-01T00:00:00.000Z"
    assert reason_for(reader.principal, codes_only) is MissingFactor.NOT_SET_UP


@pytest.mark.parametrize(
    ("factor", "address", "expected"),
    [
        ("EmailVerificationCode", {"primary_email": "a@example.com"}, MissingFactor.NOT_ASKED),
        ("EmailVerificationCode", {"primary_email": None}, MissingFactor.NOT_SET_UP),
        ("PhoneVerificationCode", {"primary_phone": "15551234567"}, MissingFactor.NOT_ASKED),
        ("PhoneVerificationCode", {"primary_phone": None}, MissingFactor.NOT_SET_UP),
    ],
)
def test_address_of_the_user_is_a_factor(
    reader_of: Any, account_site: Emulator, factor: str, address: dict[str, Any], expected: MissingFactor
) -> None:
    reader: Reader = reader_of("other", **address)
    offer(account_site, factor)
    assert reason_for(reader.principal, ANY) is expected


def test_address_that_is_not_known_may_be_a_factor(reader_of: Any, account_site: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in SCOPES if scope != "email"]
    reader: Reader = reader_of(primary_email=None)
    offer(account_site, "EmailVerificationCode")
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_ASKED


def test_passkey_for_the_sign_in_counts_in_place_of_a_factor(reader: Reader) -> None:
    offer(reader.logto, passkeySignIn={"enabled": True})
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_SET_UP
    reader.user.factors = [passkey()]
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_ASKED
    assert reason_for(reader.principal, SecondFactor(methods=("Totp",))) is MissingFactor.NOT_OFFERED


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("NoPrompt", MissingFactor.TURNED_OFF),
        ("UserControlled", MissingFactor.TURNED_OFF),
        ("PromptOnlyAtSignIn", MissingFactor.TURNED_OFF),
        ("PromptAtSignInAndSignUp", MissingFactor.TURNED_OFF),
        ("Mandatory", MissingFactor.NOT_ASKED),
        ("PromptOnlyAtSignInMandatory", MissingFactor.NOT_ASKED),
        ("PromptAtSignInAndSignUpMandatory", MissingFactor.NOT_ASKED),
    ],
)
def test_setting_of_the_user_counts_by_the_policy(reader: Reader, policy: str, expected: MissingFactor) -> None:
    reader.logto.tenant.add_totp(reader.user)
    skip(reader, at_sign_in=True)
    offer(reader.logto, "Totp", policy=policy)
    assert reason_for(reader.principal, ANY) is expected
    skip(reader, at_sign_in=False)
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_ASKED


def test_adaptive_mfa_is_named_before_factors(reader: Reader) -> None:
    offer(reader.logto, "Totp", adaptiveMfa={"enabled": True})
    reader.logto.requests.clear()
    assert reason_for(reader.principal, ANY) is MissingFactor.ADAPTIVE
    assert calls_of(reader.logto) == []
    offer(reader.logto, "Totp", adaptiveMfa={"enabled": False})
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_SET_UP


@pytest.mark.parametrize(
    ("methods", "required", "expected"),
    [
        (["Password"], ANY, MissingFactor.NOT_SET_UP),
        ([], ANY, MissingFactor.NOT_SET_UP),
        (["EnterpriseSso"], ANY, MissingFactor.SINGLE_SIGN_ON),
        (["Password", "Totp"], SecondFactor(max_age=1), MissingFactor.TOO_OLD),
        (["BackupCode", "Password"], SecondFactor(methods=("Totp",)), MissingFactor.OTHER_METHOD),
        (["Telepathy"], ANY, MissingFactor.NOT_SET_UP),
    ],
)
def test_reported_methods_decide_first(
    reader_of: Any, account_site: Emulator, methods: list[str], required: SecondFactor, expected: MissingFactor
) -> None:
    report(account_site, *methods)
    reader: Reader = reader_of()
    if expected is MissingFactor.OTHER_METHOD:
        account_site.tenant.add_totp(reader.user)
    assert reason_for(reader.principal, required) is expected


def test_missing_methods_are_the_operators_affair_after_a_login(reader_of: Any, account_site: Emulator) -> None:
    account_site.tenant.jwt_customizers.clear()
    reader: Reader = reader_of()
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_KNOWN
    reader.browser.sign_in("reader", prompt="login")
    assert reason_for(reader.principal, ANY) is MissingFactor.NOT_REPORTED


def test_signed_out_user_has_no_reason_at_logto(reader: Reader) -> None:
    reader.browser.client.logout()
    reader.logto.requests.clear()
    assert reason_for(reader.principal, ANY) is MissingFactor.WITHOUT_LOGTO
    assert list(reader.logto.requests) == []
