"""The pages that ask for a second factor at a sign-in."""

from urllib.parse import urlsplit

import pytest

from logto_auth.emulator import VisitFailed, Visitor, totp_code
from logto_auth.emulator.visitors.page_reader import text_of
from tests.emulator.account_api_client import ALL_SCOPES, AccountAPI
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import parameters_of


@pytest.fixture
def user(emulator):
    return emulator.tenant.find_user(username="customer")


@pytest.fixture
def secret(emulator, user):
    """The secret of the authenticator app of `customer`."""
    return emulator.tenant.add_totp(user)


def records_of(emulator):
    """The verification records of the only session."""
    (session,) = emulator.instances.sessions.values()
    return emulator.instances.submission_of(session.uid, session.account_id)["verificationRecords"]


def page_of(visit, *arguments, **options):
    """Return the page on which a visit stops."""
    with pytest.raises(VisitFailed) as failure:
        visit(*arguments, **options)
    return failure.value.response


def enter(visitor, response, code):
    return visitor._submit(response, "mfa-verification", {"code": code})


@pytest.mark.parametrize("password", [None, "customer-password"])
def test_code_of_the_app_signs_in(emulator, bookstore, visitor, user, secret, password):
    callback = visitor.sign_in(bookstore.authorization_url(), "customer", password, totp_secret=secret)
    assert "code" in parameters_of(callback)
    password_record, totp_record = records_of(emulator)
    assert (password_record["type"], password_record["verified"]) == ("Password", True)
    assert totp_record == {"id": totp_record["id"], "type": "Totp", "userId": user.id, "verified": True}


def test_backup_code_signs_in_once(emulator, bookstore, user, secret):
    codes = emulator.tenant.add_backup_codes(user)
    with Visitor(emulator) as visitor:
        visitor.sign_in(bookstore.authorization_url(), "customer", backup_code=codes[0])
    _, record = records_of(emulator)
    assert record == {"id": record["id"], "type": "BackupCode", "userId": user.id, "code": codes[0]}
    with Visitor(emulator) as visitor:
        page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer", backup_code=codes[0])
    assert (page.status_code, 'data-code="session.mfa.invalid_backup_code"' in page.text) == (400, True)


@pytest.mark.usefixtures("secret")
def test_visit_without_a_factor_says_what_to_pass(bookstore, visitor):
    with pytest.raises(VisitFailed, match="neither totp_secret nor backup_code") as failure:
        visitor.sign_in(bookstore.authorization_url(), "customer")
    assert urlsplit(failure.value.response.url).path == "/mfa-verification/Totp"


def test_wrong_code_is_refused_and_the_right_one_is_accepted_afterwards(emulator, bookstore, visitor, secret):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    page = enter(visitor, page, "000000")
    assert (page.status_code, 'data-code="session.mfa.invalid_totp_code"' in page.text) == (400, True)
    assert "code" in parameters_of(visitor._past_consent(enter(visitor, page, totp_code(secret))))


def test_code_of_a_used_time_step_is_refused(emulator, bookstore, secret):
    code = totp_code(secret, emulator.clock.precise())
    outcomes = []
    for each in (code, code, totp_code(secret, emulator.clock.precise() - 30)):
        with Visitor(emulator) as visitor:
            page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
            outcomes.append("invalid_totp_code" in enter(visitor, page, each).text)
    assert outcomes == [False, True, True]


def test_three_sign_ins_are_possible_at_once_and_more_later(emulator, bookstore, secret):
    def sign_in():
        with Visitor(emulator) as visitor:
            return visitor.sign_in(bookstore.authorization_url(), "customer", totp_secret=secret)

    for _ in range(3):
        sign_in()
    with pytest.raises(VisitFailed, match=r"clock\.advance\(30\)"):
        sign_in()
    emulator.clock.advance(30)
    assert "code" in parameters_of(sign_in())


def test_user_without_a_factor_is_not_asked(bookstore, visitor, secret):
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(), "editor"))


def test_user_chooses_another_factor(emulator, bookstore, visitor, user, secret):
    emulator.tenant.add_backup_codes(user)
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    assert 'href="/mfa-verification?' in page.text
    choice = visitor.open(page.url.replace("/Totp", ""))
    assert [each in choice.text for each in ('data-factor="Totp"', 'data-factor="BackupCode"')] == [True, True]


@pytest.mark.parametrize("factor", ["BackupCode", "WebAuthn", "Nonsense"])
def test_factor_that_the_user_lacks_leads_to_the_choice(bookstore, visitor, secret, factor):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    assert urlsplit(visitor.open(page.url.replace("Totp", factor)).url).path == "/mfa-verification"


def test_first_factor_alone_gives_no_session(emulator, bookstore, visitor, secret):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer", "customer-password")
    (interaction,) = emulator.instances.interactions.values()
    response = visitor.open(f"{emulator.endpoint}/oidc/auth/{interaction.uid}")
    assert urlsplit(response.url).path == "/sign-in"
    assert [each.account_id for each in emulator.instances.sessions.values()] == []
    assert page.status_code == 200


def test_new_first_factor_forgets_the_second(emulator, bookstore, visitor, user, secret):
    """Another tab with the sign-in page cannot take over what this one proved."""
    other = emulator.tenant.find_user(username="editor")
    emulator.tenant.add_totp(other)
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    sign_in_page = visitor.open(page.url.replace("/mfa-verification/Totp", "/sign-in"))
    (interaction,) = emulator.instances.interactions.values()
    interaction.add_record({"type": "Totp", "userId": user.id, "verified": True})
    assert urlsplit(visitor._press_account(sign_in_page, "editor").url).path == "/mfa-verification/Totp"


@pytest.mark.parametrize("path", ["/mfa-verification", "/mfa-verification/Totp"])
def test_pages_need_a_verified_user(bookstore, visitor, path):
    page = visitor.open(bookstore.authorization_url())
    response = visitor.open(page.url.replace("/sign-in", path))
    assert urlsplit(response.url).path == "/unknown-session"


def test_form_needs_the_token_against_csrf(bookstore, visitor, secret):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    response = visitor.session.post(page.url, data={"code": totp_code(secret), "csrf_token": "x"}, timeout=10)
    assert (response.status_code, 'data-code="session.not_found"' in response.text) == (400, True)


def test_too_many_wrong_codes_block_the_factor_only(emulator, bookstore, visitor, user, secret):
    codes = emulator.tenant.add_backup_codes(user)
    emulator.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 2}
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    for _ in range(2):
        page = enter(visitor, page, "000000")
    assert 'data-code="session.verification_blocked_too_many_attempts"' in page.text
    page = enter(visitor, page, totp_code(secret, emulator.clock.precise()))
    assert 'data-code="session.verification_blocked_too_many_attempts"' in page.text
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(), "customer", backup_code=codes[0]))


def test_one_time_token_is_no_second_factor(emulator, bookstore, visitor, user, secret):
    token = emulator.tenant.add_one_time_token(user.primary_email)
    url = bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)
    assert "code" in parameters_of(visitor.sign_in_by_link(url, totp_secret=secret))
    assert [each["type"] for each in records_of(emulator)] == ["OneTimeToken", "Totp"]


def test_one_time_token_of_a_signed_in_user_needs_the_factor_too(emulator, bookstore, visitor, user):
    visitor.sign_in(bookstore.authorization_url(), "customer")
    emulator.tenant.add_totp(user)
    token = emulator.tenant.add_one_time_token(user.primary_email)
    url = bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)
    assert urlsplit(page_of(visitor.sign_in_by_link, url).url).path == "/mfa-verification/Totp"


def test_social_account_is_no_second_factor(emulator, bookstore, visitor):
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    secret = emulator.tenant.add_totp(emulator.tenant.find_user_by_identity("alipay", "2088"))
    emulator.instances.clear()
    with Visitor(emulator) as other:
        page = page_of(other.sign_in_with_alipay, bookstore.authorization_url(), "2088")
        assert urlsplit(page.url).path == "/mfa-verification/Totp"
    with Visitor(emulator) as other:
        other.sign_in_with_alipay(bookstore.authorization_url(), "2088", totp_secret=secret)
    assert [each["type"] for each in records_of(emulator)] == ["Social", "Totp"]


# Settings of users and organizations


@pytest.mark.parametrize("policy", ["NoPrompt", "Mandatory"])
def test_user_turns_it_off_at_sign_in_unless_it_is_mandatory(emulator, bookstore, secret, policy):
    emulator.tenant.sign_in_experience.mfa_factors = ["Totp"]
    emulator.tenant.sign_in_experience.mfa_policy = policy
    with Visitor(emulator) as visitor:
        token = bookstore.sign_in("customer", visitor, scope=ALL_SCOPES, totp_secret=secret)["access_token"]
    account = AccountAPI(emulator, token)
    account.verify_password("customer-password")
    assert account.patch("/my-account/mfa-settings", {"skipMfaOnSignIn": True}).status_code == 200
    account.http.close()
    with Visitor(emulator) as visitor:
        page = visitor._press_account(visitor.open(bookstore.authorization_url()), "customer")
    assert ("/mfa-verification" in page.url) is (policy == "Mandatory")


def test_operator_turns_it_off_for_a_user(emulator, bookstore, visitor, secret):
    api = ManagementAPI(emulator)
    assert api.patch("/users/customer0001/logto-configs", {"mfa": {"skipMfaOnSignIn": True}}).status_code == 200
    api.http.close()
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(), "customer"))


# Codes by e-mail and SMS


@pytest.fixture(params=["email", "phone"])
def address(request, emulator, user):
    """The address of `customer` to which the second factor is sent, its kind, and the type of the factor."""
    user.primary_phone = "15550100"
    factor = {"email": "EmailVerificationCode", "phone": "PhoneVerificationCode"}[request.param]
    emulator.tenant.sign_in_experience.mfa_factors = [factor]
    return getattr(user, f"primary_{request.param}"), request.param, factor


def test_code_is_sent_and_signs_in(emulator, bookstore, visitor, address):
    to, kind, factor = address
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    assert urlsplit(page.url).path == f"/mfa-verification/{factor}"
    assert to not in page.text
    assert visitor._find_form(page, "mfa-verification") is None
    page = visitor._submit(page, "send-code")
    (message,) = emulator.messages.to(to)
    assert message.type == "MfaVerification"
    refused = enter(visitor, page, "x" + message.code)
    assert 'data-code="verification_code.code_mismatch"' in refused.text
    assert "code" in parameters_of(visitor._past_consent(enter(visitor, refused, message.code)))
    record = records_of(emulator)[1]
    assert record == {
        "id": record["id"],
        "type": f"Mfa{factor}",
        "identifier": {"type": kind, "value": to},
        "templateType": "MfaVerification",
        "verified": True,
    }


def test_code_needs_to_be_sent_first(emulator, bookstore, visitor, address):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    (interaction,) = emulator.instances.interactions.values()
    refused = visitor._travel("POST", page.url, [("csrf_token", interaction.csrf_token), ("code", "000000")])
    assert 'data-code="verification_code.not_found"' in refused.text


def test_tenant_without_a_connector_shows_the_error(emulator, bookstore, visitor, address):
    emulator.tenant.sign_in_experience.connector_instances.clear()
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    page = visitor._submit(page, "send-code")
    assert (page.status_code, 'data-code="connector.not_found"' in page.text) == (501, True)


def test_too_many_messages_are_refused(emulator, bookstore, visitor, address):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    for _ in range(11):
        page = visitor._submit(page, "send-code")
    assert (page.status_code, 'data-code="request.message_rate_limited"' in page.text) == (429, True)


# The demo


def test_page_of_messages_shows_a_code_for_each_app(emulator, bookstore, visitor, secret):
    def shown():
        page = visitor.open(f"{emulator.endpoint}/emulator/messages")
        assert text_of(page, "data-authenticator-of", "editor") == ""
        return text_of(page, "data-authenticator-of", "customer")

    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    label, code = shown().split()
    assert (label, code) in {("customer:", totp_code(secret, emulator.clock.precise() + later)) for later in (0, -1)}
    assert "code" in parameters_of(visitor._past_consent(enter(visitor, page, code)))
    assert code not in shown()


def test_page_of_messages_shows_a_code_for_an_app_that_is_being_added(emulator, bookstore, visitor, user):
    experience = emulator.tenant.sign_in_experience
    experience.mfa_factors, experience.mfa_policy = ["Totp"], "Mandatory"
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    messages = visitor.open(f"{emulator.endpoint}/emulator/messages")
    label, code = text_of(messages, "data-authenticator-of", "customer").split(": ")
    assert label == "customer, for an app that is being added"
    visitor._submit(page, "mfa-binding", {"code": code.strip()})
    assert [factor.type for factor in user.factors] == ["Totp"]
    assert "being added" not in visitor.open(f"{emulator.endpoint}/emulator/messages").text


# Users who end during the sign-in


@pytest.mark.parametrize("ended", ["suspended", "deleted"])
def test_user_who_ends_during_the_sign_in_is_refused(emulator, bookstore, visitor, user, secret, ended):
    page = page_of(visitor.sign_in, bookstore.authorization_url(), "customer")
    if ended == "suspended":
        emulator.tenant.suspend_user(user.id)
    else:
        emulator.tenant.delete_user(user.id)
    expected = {"suspended": (401, True), "deleted": (404, True)}[ended]
    code = {"suspended": "user.suspended", "deleted": "user.user_not_exist"}[ended]
    refused = visitor.open(page.url.replace("/mfa-verification/Totp", "/mfa-onboarding"))
    assert (refused.status_code, f'data-code="{code}"' in refused.text) == expected
    refused = enter(visitor, page, totp_code(secret, emulator.clock.precise()))
    assert (refused.status_code, f'data-code="{code}"' in refused.text) == expected
