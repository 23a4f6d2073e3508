"""The pages that ask a user at a sign-in to set up a second factor."""

import json
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from logto_auth.emulator import VisitFailed, Visitor, totp_code
from logto_auth.emulator.state.factors import find_backup_codes, find_totp, passkeys_of
from logto_auth.emulator.visitors.page_reader import text_of
from tests.emulator.authenticator import HAS_KEY, USER_PRESENT, USER_VERIFIED, assertion, new_passkey
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import parameters_of


@pytest.fixture
def experience(emulator):
    """A tenant in which everybody must have an authenticator app."""
    experience = emulator.tenant.sign_in_experience
    experience.mfa_factors = ["Totp"]
    experience.mfa_policy = "Mandatory"
    return experience


@pytest.fixture
def user(emulator):
    return emulator.tenant.find_user(username="customer")


def page_of(visit, *arguments, **options):
    """Return the page on which a visit stops."""
    with pytest.raises(VisitFailed) as failure:
        visit(*arguments, **options)
    return failure.value.response


def path_of(response):
    return urlsplit(response.url).path


def add_app(visitor, page):
    """Set up the authenticator app of the page, and return its secret and the next page."""
    secret = text_of(page, "id", "secret")
    return secret, visitor._submit(page, "mfa-binding", {"code": totp_code(secret)})


def session_of(emulator, user):
    (session,) = [each for each in emulator.instances.sessions.values() if each.account_id == user.id]
    return emulator.instances.submission_of(session.uid, user.id)


def options_of(page):
    return json.loads(text_of(page, "id", "options"))


def answer(visitor, page, credential):
    return visitor._submit(page, "passkey-form", {"credential": json.dumps(credential)})


@pytest.mark.usefixtures("experience")
def test_user_sets_up_an_app_and_signs_in_with_it_afterwards(emulator, bookstore, visitor, user):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    assert path_of(page) == "/mfa-binding/Totp"
    assert text_of(page, "id", "otpauth-uri").startswith("otpauth://totp/localhost:customer?secret=")
    secret, after = add_app(visitor, page)
    assert "code" in parameters_of(visitor._past_consent(after))
    assert find_totp(user.factors).secret == secret
    assert user.logto_configs["mfa"]["enabled"] is True
    record = session_of(emulator, user)["verificationRecords"][1]
    assert record == {"id": record["id"], "type": "Totp", "userId": user.id, "verified": True}
    with Visitor(emulator) as other:
        assert "code" in parameters_of(other.sign_in(bookstore.authorization_url(), "customer", totp_secret=secret))


@pytest.mark.usefixtures("experience")
def test_wrong_code_shows_the_same_secret_again(bookstore, visitor, user):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    again = visitor._submit(page, "mfa-binding", {"code": "000000"})
    assert (again.status_code, 'data-code="session.mfa.invalid_totp_code"' in again.text) == (400, True)
    assert text_of(again, "id", "secret") == text_of(page, "id", "secret")
    assert user.factors == []


@pytest.mark.usefixtures("experience")
def test_visit_says_what_the_user_lacks(bookstore, visitor):
    with pytest.raises(VisitFailed, match=r"set up a second factor.*tenant\.add_totp\(user\)"):
        visitor.sign_in(bookstore.authorization_url(), "customer")


def test_backup_codes_follow_the_app(emulator, bookstore, visitor, experience, user):
    experience.mfa_factors = ["Totp", "BackupCode"]
    _, page = add_app(visitor, page_of(visitor.sign_in, bookstore.authorization_url(), "customer"))
    assert path_of(page) == "/mfa-binding/BackupCode"
    assert user.factors == []  # nothing is stored before the sign-in is complete
    assert "code" in parameters_of(visitor._past_consent(visitor._submit(page, "mfa-binding")))
    codes = [each.code for each in find_backup_codes(user.factors).codes]
    assert len(codes) == 10
    assert all(each in page.text for each in codes)
    record = session_of(emulator, user)["verificationRecords"][2]
    assert record == {"id": record["id"], "type": "BackupCode", "userId": user.id}


def test_user_without_unused_backup_codes_receives_new_ones(emulator, bookstore, experience, user):
    secret, codes = emulator.tenant.add_totp(user), emulator.tenant.add_backup_codes(user)
    for code in codes:
        emulator.verifications.use_backup_code(user, code)
    with Visitor(emulator) as visitor:
        page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer", totp_secret=secret)
        assert path_of(page) == "/mfa-binding/BackupCode"
        assert "code" in parameters_of(visitor._past_consent(visitor._submit(page, "mfa-binding")))
    assert [each.type for each in user.factors] == ["Totp", "BackupCode"]
    assert find_backup_codes(user.factors).remaining == 10


def test_visit_says_that_backup_codes_are_missing(emulator, bookstore, visitor, experience, user):
    experience.mfa_factors = ["Totp", "BackupCode"]
    secret = emulator.tenant.add_totp(user)
    with pytest.raises(VisitFailed, match=r"tenant\.add_backup_codes\(user\)"):
        visitor.sign_in(bookstore.authorization_url(), "customer", totp_secret=secret)


def test_user_chooses_among_several_types(bookstore, visitor, experience):
    experience.mfa_factors = ["Totp", "WebAuthn", "BackupCode"]
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    assert path_of(page) == "/mfa-binding"
    shown = [f'data-factor="{each}"' in page.text for each in ("Totp", "WebAuthn", "BackupCode")]
    assert shown == [True, True, False]
    assert 'id="skip-mfa"' not in page.text


@pytest.mark.parametrize("factor", ["BackupCode", "EmailVerificationCode", "Nonsense"])
def test_type_that_is_not_to_choose_leads_back(bookstore, visitor, experience, factor):
    experience.mfa_factors = ["Totp", "EmailVerificationCode", "BackupCode", "PhoneVerificationCode"]
    user = bookstore.emulator.tenant.add_user(username="no-address")
    page = page_of(visitor.sign_in, bookstore.authorization_url(), user.username)
    assert path_of(visitor.open(page.url.replace("/mfa-binding", f"/mfa-binding/{factor}"))) == "/mfa-binding"


# Suggestions


def test_visitor_skips_a_suggestion_once_and_for_all(emulator, bookstore, experience, user):
    experience.mfa_policy = "UserControlled"
    with Visitor(emulator) as visitor:
        assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(), "customer"))
    assert user.logto_configs["mfa"] == {"skipped": True}
    with Visitor(emulator) as visitor:
        page = visitor._press_account(visitor.open(bookstore.authorization_url()), "customer")
    assert path_of(page) == "/consent" or "Location" in page.headers


def test_user_turns_it_on_and_may_still_skip(bookstore, visitor, experience, user):
    experience.mfa_policy = "UserControlled"
    page = visitor._press_account(visitor.open(bookstore.authorization_url()), "customer")
    assert path_of(page) == "/mfa-onboarding"
    page = visitor._submit(page, "enable-mfa")
    assert path_of(page) == "/mfa-binding/Totp"
    assert "code" in parameters_of(visitor._past_consent(visitor._submit(page, "skip-mfa")))
    assert user.logto_configs["mfa"] == {"enabled": True, "skipped": True}
    assert user.factors == []


@pytest.mark.usefixtures("experience")
def test_what_is_mandatory_cannot_be_skipped(bookstore, visitor, user):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    form = next(each for each in visitor._find_form(page, "mfa-binding").fields if each[0] == "csrf_token")
    url = page.url.replace("/mfa-binding/Totp", "/mfa-onboarding")
    response = visitor._travel("POST", url, [form, ("step", "skip")])
    assert path_of(response) == "/mfa-binding/Totp"
    assert "skipped" not in user.logto_configs.get("mfa", {})


def test_registration_sets_up_a_factor_too(emulator, bookstore, visitor, experience, default_sign_up):
    page = page_of(visitor.register, bookstore.authorization_url(), "newcomer", "long-enough")
    assert path_of(page) == "/mfa-binding/Totp"
    newcomer = emulator.tenant.find_user(username="newcomer")  # registered already, as in Logto
    _, after = add_app(visitor, page)
    assert "code" in parameters_of(visitor._past_consent(after))
    submission = session_of(emulator, newcomer)
    assert submission["interactionEvent"] == "Register"
    assert [each["type"] for each in submission["verificationRecords"]] == ["NewPasswordIdentity", "Totp"]


def test_new_social_user_is_registered_once(emulator, bookstore, visitor, experience):
    page = page_of(visitor.sign_in_with_alipay, bookstore.authorization_url(), "2088")
    users = len(emulator.tenant.users)
    _, after = add_app(visitor, page)
    assert "code" in parameters_of(visitor._past_consent(after))
    assert len(emulator.tenant.users) == users


def test_nothing_can_be_set_up_before_the_second_factor(emulator, bookstore, visitor, experience, user):
    emulator.tenant.add_totp(user)
    experience.mfa_factors = ["Totp", "BackupCode"]
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    csrf = visitor._find_form(page, "mfa-verification").fields[0]
    for path in ("/mfa-binding/BackupCode", "/mfa-binding", "/mfa-onboarding"):
        url = page.url.replace("/mfa-verification/Totp", path)
        assert path_of(visitor.open(url)) == "/mfa-verification/Totp"
    for path in ("/mfa-binding/BackupCode", "/mfa-onboarding"):
        url = page.url.replace("/mfa-verification/Totp", path)
        assert path_of(visitor._travel("POST", url, [csrf, ("step", "skip")])) == "/mfa-verification/Totp"


def test_form_without_its_page_is_refused(bookstore, visitor, experience):
    experience.mfa_factors = ["Totp", "WebAuthn"]
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    (interaction,) = bookstore.emulator.instances.interactions.values()
    url = page.url.replace("/mfa-binding", "/mfa-binding/Totp")
    response = visitor._travel("POST", url, [("csrf_token", interaction.csrf_token), ("code", "000000")])
    assert (response.status_code, 'data-code="session.not_found"' in response.text) == (400, True)


@pytest.mark.parametrize("path", ["/mfa-onboarding", "/mfa-binding", "/mfa-binding/Totp"])
def test_pages_need_a_verified_user(bookstore, visitor, path):
    page = visitor.open(bookstore.authorization_url())
    assert path_of(visitor.open(page.url.replace("/sign-in", path))) == "/unknown-session"


def test_organization_requires_a_factor(emulator, bookstore, visitor, experience, user):
    api = ManagementAPI(emulator)
    assert api.patch("/organizations/harbourbr001", {"isMfaRequired": True}).json()["isMfaRequired"] is True
    mfa = {"factors": ["Totp"], "policy": "NoPrompt", "organizationRequiredMfaPolicy": "Mandatory"}
    assert api.patch("/sign-in-exp", {"mfa": mfa}).status_code == 200
    api.http.close()
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(), "customer"))
    emulator.tenant.add_member("harbourbr001", user.id)
    with Visitor(emulator) as other:
        assert path_of(page_of(other.sign_in, bookstore.authorization_url(), "customer")) == "/mfa-binding/Totp"


# Passkeys


def test_passkey_is_set_up_and_used(emulator, bookstore, experience, user):
    experience.mfa_factors = ["WebAuthn"]
    key = generate_private_key(SECP256R1())
    with Visitor(emulator) as visitor:
        page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
        assert path_of(page) == "/mfa-binding/WebAuthn"
        made = new_passkey(options_of(page), emulator.endpoint, private_key=key)
        assert "code" in parameters_of(visitor._past_consent(answer(visitor, page, made)))
    (passkey,) = passkeys_of(user.factors)
    assert (passkey.credential_id, passkey.rp_id, passkey.created_at != "") == (made["id"], "localhost", True)
    record = session_of(emulator, user)["verificationRecords"][1]
    common = {"id": record["id"], "type": "WebAuthn", "userId": user.id, "verified": True}
    assert record == {**common, "registrationRpId": "localhost"}
    emulator.instances.clear()
    with Visitor(emulator) as visitor:
        page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
        assert path_of(page) == "/mfa-verification/WebAuthn"
        used = assertion(options_of(page), emulator.endpoint, key)
        assert "code" in parameters_of(visitor._past_consent(answer(visitor, page, used)))
    record = session_of(emulator, user)["verificationRecords"][1]
    assert record == {"id": record["id"], "type": "WebAuthn", "userId": user.id, "verified": True}
    assert passkey.last_used_at is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"challenge": "AAAA"},
        {"type": "webauthn.create"},
        {"rp_id": "evil.example"},
        {"flags": USER_PRESENT},
        {"flags": USER_VERIFIED},
        {"counter": 3},
    ],
)
def test_passkey_must_verify(emulator, bookstore, visitor, experience, user, wrong):
    experience.mfa_factors = ["WebAuthn"]
    key = generate_private_key(SECP256R1())
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    made = new_passkey(options_of(page), emulator.endpoint, private_key=key)
    visitor._past_consent(answer(visitor, page, made))
    user.factors[0].counter = 3
    with Visitor(emulator) as other:
        page = page_of(other.sign_in, bookstore.authorization_url(), "customer")
        options = options_of(page)
        given = {"origin": emulator.endpoint, "private_key": key, "counter": 4, **wrong}
        refused = answer(other, page, assertion(options, **given))
        assert 'data-code="session.mfa.webauthn_verification_failed"' in refused.text
        assert options_of(refused)["challenge"] != options["challenge"]
        right = assertion(options_of(refused), emulator.endpoint, key, counter=4)
        assert "code" in parameters_of(other._past_consent(answer(other, refused, right)))


@pytest.mark.parametrize("credential", ["", "[]", "{}", '{"id": "x"}', '{"id": null, "response": 3}', "\ud83d"])
def test_nonsense_is_no_passkey(bookstore, visitor, experience, user, credential):
    experience.mfa_factors = ["WebAuthn"]
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    refused = visitor._submit(page, "passkey-form", {"credential": credential.encode("utf-8", "replace").decode()})
    assert (refused.status_code, 'data-code="session.mfa.webauthn_verification_failed"' in refused.text) == (400, True)
    made = new_passkey(options_of(refused), bookstore.emulator.endpoint)
    visitor._past_consent(answer(visitor, refused, made))
    with Visitor(bookstore.emulator) as other:
        page = page_of(other.sign_in, bookstore.authorization_url(), "customer")
        refused = other._submit(page, "passkey-form", {"credential": credential.encode("utf-8", "replace").decode()})
    assert (refused.status_code, 'data-code="session.mfa.webauthn_verification_failed"' in refused.text) == (400, True)


def test_new_passkey_needs_the_user(emulator, bookstore, visitor, experience, user):
    experience.mfa_factors = ["WebAuthn"]
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    made = new_passkey(options_of(page), emulator.endpoint, flags=USER_PRESENT | HAS_KEY)
    assert answer(visitor, page, made).status_code == 400
    assert user.factors == []


def test_new_secret_is_in_no_representation(emulator, bookstore, visitor, experience):
    secret = text_of(page_of(visitor.sign_in, bookstore.authorization_url(), "customer"), "id", "secret")
    assert secret not in repr(emulator.instances.interactions)
