import re

import pytest
import requests

from logto_auth.emulator import NativeVisitor, VisitFailed, Visitor
from tests.emulator.relying_party import claims_of, parameters_of

HARBOUR = "harbourbr001"
SCOPE = "openid offline_access email urn:logto:scope:organizations urn:logto:scope:organization_roles"


@pytest.fixture
def link(emulator, bookstore):
    """Return a function that makes a sign-in URL with a one-time token."""

    def link(email, token=None, **changes):
        value = token or emulator.tenant.add_one_time_token(email).token
        return bookstore.authorization_url(**{"scope": SCOPE, "login_hint": email, "one_time_token": value, **changes})

    return link


def claims_at(relying_party, callback):
    return claims_of(relying_party.exchange(parameters_of(callback)["code"]).json()["id_token"])


def refusal_at(visitor, url):
    """Return the error code and the status of the page on which the link ends."""
    with pytest.raises(VisitFailed) as failure:
        visitor.sign_in_by_link(url)
    response = failure.value.response
    return re.search(r'data-code="([^"]+)"', response.text)[1], response.status_code


def test_token_has_logto_format(emulator):
    token = emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=[HARBOUR])
    assert re.fullmatch("[0-9a-z]{21}", token.id)
    assert re.fullmatch("[0-9A-Za-z]{32}", token.token)
    assert (token.status, token.expires_at - token.created_at) == ("active", 600_000)
    assert token.token not in repr(token)


def test_unknown_organization_raises_key_error(emulator):
    with pytest.raises(KeyError):
        emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=["nope"])


def test_link_signs_in_existing_user(emulator, bookstore, visitor, link):
    claims = claims_at(bookstore, visitor.sign_in_by_link(link("editor@bookstore.example")))
    assert claims["sub"] == "editor000001"
    (token,) = emulator.tenant.one_time_tokens.values()
    assert token.status == "consumed"


def test_link_registers_user_despite_closed_registration(emulator, bookstore, visitor, link):
    emulator.tenant.sign_in_experience.sign_in_mode = "SignIn"
    claims = claims_at(bookstore, visitor.sign_in_by_link(link("new@bookstore.example")))
    assert (claims["email"], claims["email_verified"]) == ("new@bookstore.example", True)
    assert emulator.tenant.users[claims["sub"]].application_id == bookstore.application.id


def test_email_case_creates_no_second_user(emulator, visitor, link):
    users = len(emulator.tenant.users)
    visitor.open(link("Editor@Bookstore.example"))
    assert len(emulator.tenant.users) == users


@pytest.mark.parametrize("first_screen", ["sign_in", "register"])
def test_first_page_redirects_to_token_page(emulator, visitor, link, first_screen):
    visitor.sign_in_by_link(link("editor@bookstore.example", first_screen=first_screen))
    paths = [request.path for request in emulator.requests if request.endpoint == ""]
    assert paths[:3] == [f"/{first_screen.replace('_', '-')}", "/one-time-token", "/one-time-token"]


def test_other_first_pages_ignore_the_token(emulator, visitor, link):
    assert "Sign in to" in visitor.open(link("editor@bookstore.example", first_screen="identifier:sign_in")).text
    (token,) = emulator.tenant.one_time_tokens.values()
    assert token.status == "active"


def test_link_works_in_native_application(emulator, app):
    token = emulator.tenant.add_one_time_token("new@bookstore.example").token
    url = app.authorization_url(one_time_token=token, login_hint="new@bookstore.example")
    with NativeVisitor(emulator) as phone:
        assert phone.sign_in_by_link(url).startswith("io.bookstore.app://callback?code=")


# Just-in-time memberships


def test_link_adds_user_to_its_organizations(emulator, bookstore, visitor, link):
    emulator.tenant.add_jit(HARBOUR, roles=["staff"])
    token = emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=[HARBOUR])
    claims = claims_at(bookstore, visitor.sign_in_by_link(link(token.email, token.token)))
    assert claims["organizations"] == [HARBOUR]
    assert claims["organization_roles"] == [f"{HARBOUR}:staff"]


def test_member_keeps_roles_and_gets_jit_roles(emulator, visitor, link):
    emulator.tenant.add_jit(HARBOUR, roles=["staff"])
    token = emulator.tenant.add_one_time_token("admin@bookstore.example", jit_organization_ids=[HARBOUR])
    visitor.sign_in_by_link(link(token.email, token.token))
    assert emulator.tenant.organizations[HARBOUR].members["admin0000001"] == ["manager", "staff"]


def test_token_without_organizations_adds_no_membership(emulator, bookstore, visitor, link):
    emulator.tenant.add_jit(HARBOUR, roles=["staff"])
    claims = claims_at(bookstore, visitor.sign_in_by_link(link("new@bookstore.example")))
    assert claims["organizations"] == []


@pytest.mark.parametrize("email", ["new@bookstore.example", "editor@bookstore.example"])
def test_just_in_time_role_of_applications_ends_sign_in(emulator, api, visitor, link, email):
    role = api.made("/organization-roles", {"name": "cleaner", "type": "MachineToMachine"})
    api.put("/organizations/hillbranch01/jit/roles", {"organizationRoleIds": [role["id"]]})
    token = emulator.tenant.add_one_time_token(email, jit_organization_ids=["hillbranch01"])
    assert refusal_at(visitor, link(token.email, token.token)) == ("entity.db_constraint_violated", 422)
    sub = emulator.tenant.find_user(primary_email=email).id
    assert emulator.tenant.organizations["hillbranch01"].members[sub] == []


def test_email_domain_adds_only_new_users_to_organization(emulator, bookstore, link):
    emulator.tenant.add_jit(HARBOUR, email_domains=["bookstore.example"], roles=["staff"])
    held = {}
    for email in ["new@bookstore.example", "customer@bookstore.example", "new@evil-bookstore.example"]:
        with Visitor(emulator) as visitor:
            held[email] = claims_at(bookstore, visitor.sign_in_by_link(link(email)))["organizations"]
    assert list(held.values()) == [[HARBOUR], [], []]


def test_just_in_time_roles_must_be_user_roles(emulator):
    with pytest.raises(ValueError, match="'stock keeper' has the type MachineToMachine"):
        emulator.tenant.add_jit(HARBOUR, roles=["stock keeper"])


# Invalid links


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"one_time_token": "x" * 32}, ("one_time_token.token_not_found", 404)),
        ({"login_hint": "other@bookstore.example"}, ("one_time_token.email_mismatch", 400)),
        ({"login_hint": "Editor@bookstore.example"}, ("one_time_token.email_mismatch", 400)),
    ],
)
def test_changed_link_is_refused(emulator, visitor, link, changes, expected):
    assert refusal_at(visitor, link("editor@bookstore.example", **changes)) == expected
    assert [token.status for token in emulator.tenant.one_time_tokens.values()] == ["active"]


@pytest.mark.parametrize("status", ["consumed", "revoked", "expired"])
def test_ended_token_is_refused(emulator, visitor, link, status):
    token = emulator.tenant.add_one_time_token("editor@bookstore.example")
    emulator.tenant.update_one_time_token(token.id, status)
    assert refusal_at(visitor, link(token.email, token.token)) == (f"one_time_token.token_{status}", 400)


def test_token_works_once(emulator, visitor, link):
    url = link("editor@bookstore.example")
    visitor.sign_in_by_link(url)
    with Visitor(emulator) as other:
        assert refusal_at(other, url) == ("one_time_token.token_consumed", 400)


def test_token_expires(emulator, visitor, link):
    token = emulator.tenant.add_one_time_token("editor@bookstore.example", expires_in=60)
    emulator.clock.advance(60)
    assert refusal_at(visitor, link(token.email, token.token)) == ("one_time_token.token_expired", 400)
    assert token.status == "expired"


def test_newer_token_leaves_older_tokens_active(emulator, visitor, link):
    older = emulator.tenant.add_one_time_token("editor@bookstore.example")
    emulator.tenant.add_one_time_token("editor@bookstore.example")
    assert "code" in parameters_of(visitor.sign_in_by_link(link(older.email, older.token)))


def test_python_cannot_reactivate_ended_token(emulator):
    token = emulator.tenant.add_one_time_token("editor@bookstore.example")
    emulator.tenant.update_one_time_token(token.id, "revoked")
    with pytest.raises(ValueError, match="cannot_reactivate_token"):
        emulator.tenant.update_one_time_token(token.id, "active")


def test_suspended_user_is_refused_and_token_is_consumed(emulator, visitor, link):
    token = emulator.tenant.add_one_time_token("suspended@bookstore.example", jit_organization_ids=[HARBOUR])
    assert refusal_at(visitor, link(token.email, token.token)) == ("user.suspended", 401)
    assert token.status == "consumed"
    assert "suspended001" not in emulator.tenant.organizations[HARBOUR].members


@pytest.fixture
def enterprise(emulator):
    """Return a connector for the domain of the users, which have to sign in with it."""
    emulator.tenant.sign_in_experience.settings["singleSignOnEnabled"] = True
    return emulator.tenant.add_sso_connector("Enterprise", domains=["Bookstore.example"], config={"issuer": "x"})


def test_new_user_of_enterprise_domain_is_refused(emulator, visitor, link, enterprise):
    token = emulator.tenant.add_one_time_token("new@BOOKSTORE.example")
    assert refusal_at(visitor, link(token.email, token.token)) == ("session.sso_enabled", 422)
    assert token.status == "consumed"


def test_existing_user_of_enterprise_domain_signs_in(bookstore, visitor, link, enterprise):
    claims = claims_at(bookstore, visitor.sign_in_by_link(link("editor@bookstore.example")))
    assert claims["sub"] == "editor000001"


def test_enterprise_user_needs_connector_after_typing_the_email(bookstore, visitor, enterprise):
    url = bookstore.authorization_url()
    with pytest.raises(VisitFailed) as failure:
        visitor.sign_in(url, "editor@bookstore.example", "editor-password")
    assert 'data-code="session.sso_enabled"' in failure.value.response.text
    assert claims_at(bookstore, visitor.sign_in(url, "editor", "editor-password"))["sub"] == "editor000001"


@pytest.mark.parametrize("change", [{"config": {}}, {"domains": ["other.example"]}])
def test_unfinished_enterprise_connector_has_no_effect(bookstore, visitor, link, enterprise, change):
    for name, value in change.items():
        setattr(enterprise, name, value)
    assert claims_at(bookstore, visitor.sign_in_by_link(link("new@bookstore.example")))["email_verified"]


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("a+b@bookstore.example", "session.email_blocklist.email_subaddressing_not_allowed"),
        ("new@blocked.example", "session.email_blocklist.email_not_allowed"),
    ],
)
def test_blocked_email_cannot_register(emulator, visitor, link, email, code):
    policy = {"blockSubaddressing": True, "customBlocklist": ["@blocked.example"]}
    emulator.tenant.sign_in_experience.settings["emailBlocklistPolicy"] = policy
    assert refusal_at(visitor, link(email)) == (code, 422)


def test_link_without_email_is_invalid(emulator, visitor, link):
    response = visitor.open(link("editor@bookstore.example", login_hint=None))
    assert (response.status_code, "This link is not valid" in response.text) == (400, True)


def test_token_form_requires_its_browser(emulator, visitor, link):
    url = link("editor@bookstore.example")
    visitor.session.get(url, allow_redirects=False)
    (token,) = emulator.tenant.one_time_tokens.values()
    form = {"one_time_token": token.token, "login_hint": token.email, "csrf_token": "wrong"}
    for browser in [visitor.session, requests]:
        response = browser.post(f"{emulator.endpoint}/one-time-token", data=form, allow_redirects=False)
        assert 'data-code="session.not_found"' in response.text
    assert token.status == "active"


def test_request_log_contains_no_token(emulator, visitor, link):
    visitor.sign_in_by_link(link("editor@bookstore.example"))
    (token,) = emulator.tenant.one_time_tokens.values()
    assert token.token not in repr(list(emulator.requests))


# Links for a signed-in user


def test_signed_in_user_consumes_own_token(emulator, bookstore, visitor, link):
    bookstore.sign_in("editor", visitor)
    emulator.tenant.add_jit(HARBOUR, roles=["staff"])
    token = emulator.tenant.add_one_time_token("editor@bookstore.example", jit_organization_ids=["hillbranch01"])
    claims = claims_at(bookstore, visitor.sign_in_by_link(link(token.email, token.token)))
    assert set(claims["organizations"]) == {HARBOUR, "hillbranch01"}
    assert token.status == "consumed"


def test_other_account_is_asked_before_switching(emulator, bookstore, visitor, link):
    bookstore.sign_in("customer", visitor)
    page = visitor.open(link("editor@bookstore.example"))
    assert page.url.startswith(f"{emulator.endpoint}/switch-account?login_hint=editor%40bookstore.example&one_time_")
    assert "You are signed in as customer@bookstore.example" in page.text
    with pytest.raises(VisitFailed, match="Another user is signed in"):
        visitor.sign_in_by_link(link("editor@bookstore.example"))
    assert {token.status for token in emulator.tenant.one_time_tokens.values()} == {"active"}
    # The user who does not switch remains signed in.
    assert claims_at(bookstore, visitor.sign_in(bookstore.authorization_url()))["sub"] == "customer0001"


@pytest.mark.parametrize("changes", [{"one_time_token": "x" * 32}, {"login_hint": "Customer@bookstore.example"}])
def test_token_is_checked_after_the_switch(bookstore, visitor, link, changes):
    bookstore.sign_in("customer", visitor)
    assert "/switch-account?" in visitor.open(link("editor@bookstore.example", **changes)).url


def test_user_can_switch_to_linked_account(emulator, bookstore, visitor, link):
    former = bookstore.sign_in("customer", visitor)
    url = link("new@bookstore.example")
    claims = claims_at(bookstore, visitor.sign_in_by_link(url, switch_account=True))
    assert claims["email"] == "new@bookstore.example"
    assert [session.account_id for session in emulator.instances.sessions.values()] == [claims["sub"]]
    assert bookstore.refresh(former["refresh_token"]).status_code == 200


def test_used_link_continues_for_its_account_only(emulator, bookstore, visitor, link):
    url = link("editor@bookstore.example")
    visitor.sign_in_by_link(url)
    assert claims_at(bookstore, visitor.sign_in_by_link(url))["sub"] == "editor000001"
    with Visitor(emulator) as other:
        bookstore.sign_in("customer", other)
        assert "/switch-account?" in other.open(url).url


def test_prompt_login_switches_without_question(bookstore, visitor, link):
    bookstore.sign_in("customer", visitor)
    callback = visitor.sign_in_by_link(link("editor@bookstore.example", prompt="login consent"))
    assert claims_at(bookstore, callback)["sub"] == "editor000001"


def test_account_without_email_gets_logto_error(bookstore, visitor, link):
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    response = visitor.open(link("editor@bookstore.example"))
    assert (response.status_code, response.json()["code"]) == (400, "user.email_not_exist")


def test_token_is_ignored_without_consent_step(emulator, bookstore, visitor, link):
    bookstore.sign_in("customer", visitor, scope=SCOPE)
    callback = visitor.sign_in_by_link(link("editor@bookstore.example", prompt=None))
    assert claims_at(bookstore, callback)["sub"] == "customer0001"
    assert {token.status for token in emulator.tenant.one_time_tokens.values()} == {"active"}


def test_third_party_consent_follows_the_link(emulator, third_party, visitor):
    token = emulator.tenant.add_one_time_token("new@bookstore.example").token
    url = third_party.authorization_url(
        scope="openid profile", one_time_token=token, login_hint="new@bookstore.example"
    )
    assert "wants access to your account" in visitor.open(url).text
    assert "code" in parameters_of(visitor.sign_in_by_link(url))


def test_token_pages_without_parameters_are_invalid(emulator, bookstore, visitor, link):
    bookstore.sign_in("customer", visitor)
    visitor.open(link("editor@bookstore.example"))
    for path in ["one-time-token", "switch-account"]:
        assert visitor.open(f"{emulator.endpoint}/{path}").status_code == 400
