from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
import requests

from logto_auth.emulator import AlipayAccount, VisitFailed, Visitor
from logto_auth.emulator.visitors.page_reader import forms_of
from tests.emulator.relying_party import claims_of, parameters_of


def sub_of(relying_party, callback):
    code = parameters_of(callback)["code"]
    return claims_of(relying_party.exchange(code).json()["id_token"])["sub"]


def test_user_signs_in_by_button_or_password(emulator, bookstore):
    for arguments in [
        ("customer",),
        ("customer", "customer-password"),
        ("customer@bookstore.example", "customer-password"),
    ]:
        with Visitor(emulator) as visitor:
            assert sub_of(bookstore, visitor.sign_in(bookstore.authorization_url(), *arguments)) == "customer0001"


@pytest.mark.parametrize(("username", "password"), [("customer", "wrong"), ("nobody", "x"), ("", "x")])
def test_wrong_password_is_shown_on_page(bookstore, visitor, username, password):
    with pytest.raises(VisitFailed, match="password is wrong") as failure:
        visitor.sign_in(bookstore.authorization_url(), username, password)
    assert failure.value.response.status_code == 422
    assert 'data-code="session.invalid_credentials"' in failure.value.response.text


@pytest.mark.parametrize("password", [None, "suspended-password"])
def test_suspended_user_remains_on_page(bookstore, visitor, password):
    with pytest.raises(VisitFailed, match="suspended") as failure:
        visitor.sign_in(bookstore.authorization_url(), "suspended", password)
    assert failure.value.response.status_code == 401
    assert 'data-code="user.suspended"' in failure.value.response.text


@pytest.mark.usefixtures("default_sign_up")
def test_new_user_registers(emulator, bookstore, visitor):
    sub = sub_of(bookstore, visitor.register(bookstore.authorization_url(), "newcomer", "long-enough"))
    assert emulator.tenant.users[sub].username == "newcomer"
    with Visitor(emulator) as other:
        assert sub_of(bookstore, other.sign_in(bookstore.authorization_url(), "newcomer", "long-enough")) == sub


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("customer", "long-enough", "user.username_already_in_use"),
        ("1st", "long-enough", "guard.invalid_input"),
        ("new comer", "long-enough", "guard.invalid_input"),
        ("newcomer", "short", "password.rejected"),
    ],
)
@pytest.mark.usefixtures("default_sign_up")
def test_invalid_registrations_are_refused(bookstore, visitor, username, password, code):
    with pytest.raises(VisitFailed) as failure:
        visitor.register(bookstore.authorization_url(), username, password)
    assert failure.value.response.status_code == 422
    assert f'data-code="{code}"' in failure.value.response.text


def test_closed_registration_is_refused(emulator, bookstore, visitor):
    emulator.tenant.sign_in_experience.sign_in_mode = "SignIn"
    assert "/register" not in visitor.open(bookstore.authorization_url()).text
    with pytest.raises(VisitFailed):
        visitor.register(bookstore.authorization_url(), "newcomer", "long-enough")
    with pytest.raises(VisitFailed, match="closed"):
        visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")


# Alipay


def test_alipay_account_creates_one_user(emulator, bookstore):
    subs = []
    for alipay_user_id in ["2088a", "2088b", "2088a"]:
        with Visitor(emulator) as visitor:
            subs.append(sub_of(bookstore, visitor.sign_in_with_alipay(bookstore.authorization_url(), alipay_user_id)))
    assert subs[0] == subs[2] != subs[1]


def test_alipay_name_and_avatar_are_stored_once(emulator, bookstore):
    for nick_name in ["First", "Second"]:
        with Visitor(emulator) as visitor:
            url = bookstore.authorization_url()
            sub = sub_of(
                bookstore, visitor.sign_in_with_alipay(url, "2088", nick_name=nick_name, avatar="https://a.example/")
            )
    user = emulator.tenant.users[sub]
    assert (user.name, user.avatar) == ("First", "https://a.example/")
    assert user.identities["alipay"]["details"]["name"] == "First"


def test_direct_sign_in_goes_to_alipay(bookstore, visitor):
    url = bookstore.authorization_url(direct_sign_in="social:alipay")
    assert "Stand-in for Alipay" in visitor.open(url).text
    assert "code" in parameters_of(visitor.sign_in_with_alipay(url, "2088"))


@pytest.mark.parametrize("connectors", [[], ["alipay-native"]])
def test_browser_never_sees_native_connector(emulator, bookstore, visitor, connectors):
    emulator.tenant.sign_in_experience.connectors = connectors
    assert "Alipay" not in visitor.open(bookstore.authorization_url()).text
    fallback = visitor.open(bookstore.authorization_url(direct_sign_in="social:alipay", first_screen="register"))
    assert "/register?" in fallback.url
    url = f"{emulator.endpoint}/direct/social/alipay?app_id={bookstore.application.id}&fallback=//evil.example"
    assert visitor.open(url).url.startswith(f"{emulator.endpoint}/sign-in?")


def test_seeded_alipay_accounts_have_buttons(emulator, bookstore, visitor):
    page = visitor.open(bookstore.authorization_url(direct_sign_in="social:alipay")).text
    assert "Alipay Reader (2088000000000001)" in page
    assert "Alipay account without a name (2088000000000002)" in page


# All pages


class Labels(HTMLParser):
    """Collects the visible controls of a page and their labels."""

    def __init__(self):
        super().__init__()
        self.controls, self.labelled = set(), set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "input" and attrs.get("type") not in {"hidden", "checkbox"}:
            self.controls.add(attrs.get("id"))
        if tag == "label" and "for" in attrs:
            self.labelled.add(attrs["for"])


def link_to(emulator, relying_party, email):
    """Return a sign-in URL with a one-time token."""
    token = emulator.tenant.add_one_time_token(email).token
    return relying_party.authorization_url(one_time_token=token, login_hint=email)


@pytest.fixture
def pages(emulator, bookstore, third_party, visitor, phone):
    app_id = bookstore.application.id
    paths = ["/sign-in", "/register", "/direct/social/alipay", "/one-time-token"]
    paths = [f"{path}?app_id={app_id}" for path in paths]
    visitor.open(bookstore.authorization_url())
    texts = [visitor.open(emulator.endpoint + path).text for path in paths]
    visitor.sign_in(bookstore.authorization_url(), "admin")
    url = third_party.authorization_url(scope="openid profile urn:logto:scope:organizations")
    texts.append(visitor.open(url).text)
    texts.append(visitor.open(link_to(emulator, bookstore, "new@bookstore.example")).text)
    texts.append(phone.open(bookstore.authorization_url(direct_sign_in="social:alipay")).text)
    return [*texts, *(visitor.open(f"{emulator.endpoint}/{path}").text for path in ("", "unknown-session"))]


def test_all_pages_have_the_emulator_banner(pages):
    for page in pages:
        assert "Logto emulator: for development and tests only" in page
        assert 'lang="en"' in page
        assert "prefers-color-scheme: dark" in page


def test_pages_load_no_external_resources(pages):
    for page in pages:
        assert "http://" not in page.replace("http://localhost", "")
        assert "<script" not in page


def test_all_controls_have_labels(pages):
    for page in pages:
        labels = Labels()
        labels.feed(page)
        assert labels.controls <= labels.labelled


def test_user_input_is_escaped(emulator, bookstore, third_party, visitor):
    evil = '"><script>alert(1)</script>'
    emulator.tenant.add_user(username=None, name=evil)
    emulator.tenant.alipay_accounts.append(AlipayAccount(evil, evil, evil))
    emulator.tenant.add_organization(evil, id="evilorg00001")
    emulator.tenant.add_member("evilorg00001", "customer0001")
    bookstore.application.name = third_party.application.name = evil
    opened = [
        visitor.open(bookstore.authorization_url(login_hint=evil)),
        visitor.open(bookstore.authorization_url(login_hint=evil, direct_sign_in="social:alipay")),
        visitor.open(emulator.endpoint + f"/register?app_id={bookstore.application.id}"),
    ]
    visitor.sign_in(bookstore.authorization_url(), "customer")
    opened.append(visitor.open(link_to(emulator, bookstore, evil)))
    opened.append(visitor.open(third_party.authorization_url(scope="openid urn:logto:scope:organizations")))
    for response in opened:
        assert response.status_code == 200
        assert "<script>" not in response.text
        assert "&lt;script&gt;" in response.text


# Forms and cookies


PAGES = ["/sign-in", "/register", "/direct/social/alipay", "/one-time-token", "/consent"]


def is_session_not_found(response):
    return response.status_code == 400 and 'data-code="session.not_found"' in response.text


@pytest.mark.parametrize("path", PAGES)
def test_page_without_interaction_redirects(emulator, bookstore, path):
    url = f"{emulator.endpoint}{path}?app_id={bookstore.application.id}"
    response = requests.get(url, allow_redirects=False, timeout=5)
    assert response.headers["Location"] == "/unknown-session"
    assert requests.get(f"{emulator.endpoint}/unknown-session", timeout=5).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/continue/username"])
def test_form_without_interaction_is_session_not_found(emulator, bookstore, path):
    url = f"{emulator.endpoint}{path}?app_id={bookstore.application.id}"
    assert is_session_not_found(requests.post(url, data={"account": "customer0001"}, timeout=5))


@pytest.mark.parametrize("path", ["/switch-account", "/callback/social/alipaynative"])
def test_get_only_page_without_interaction_redirects(emulator, path):
    response = requests.get(emulator.endpoint + path, allow_redirects=False, timeout=5)
    assert response.headers["Location"] == "/unknown-session"


def test_tenant_sets_unknown_session_redirect(emulator):
    emulator.tenant.sign_in_experience.unknown_session_redirect_url = "http://localhost:8000/"
    response = requests.get(f"{emulator.endpoint}/sign-in", allow_redirects=False, timeout=5)
    assert response.headers["Location"] == "http://localhost:8000/"


def test_form_without_csrf_token_is_refused(emulator, bookstore, visitor):
    url = visitor.open(bookstore.authorization_url()).url
    for token in ("", "wrong"):
        data = {"account": "customer0001", "csrf_token": token}
        assert is_session_not_found(visitor.session.post(url, data=data, allow_redirects=False))


def test_form_of_older_tab_finishes_later_sign_in(bookstore, visitor):
    first, second = (visitor.open(bookstore.authorization_url(state=state)) for state in ("first", "second"))
    callbacks = [visitor.session.post(first.url, data=form_with_account(first), allow_redirects=False)]
    assert (
        parameters_of(visitor.open(urljoin(first.url, callbacks[0].headers["Location"])).headers["Location"])["state"]
        == "second"
    )
    assert is_session_not_found(visitor.session.post(second.url, data=form_with_account(second)))


def form_with_account(page):
    (form,) = (form for form in forms_of(page) if form.id == "accounts")
    return [*form.fields, ("account", "customer0001")]


def test_forged_cookie_is_ignored(emulator, bookstore, visitor):
    url = visitor.open(bookstore.authorization_url()).url
    for cookie in visitor.session.cookies:
        if cookie.name == "_interaction":
            cookie.value += "x"
    assert visitor.open(url).url.endswith("/unknown-session")


def test_two_applications_sign_in_in_one_browser(bookstore, spa, visitor):
    first = visitor.open(bookstore.authorization_url()).url
    second = visitor.open(spa.authorization_url()).url
    assert bookstore.application.id in visitor.open(first).url
    assert spa.application.id in visitor.open(second).url
    assert "Sign in to Bookstore" in visitor.open(first).text
    assert "Sign in to SPA" in visitor.open(second).text


# Organizations of third-party applications


def test_third_party_application_needs_consent_for_organization(emulator, third_party, visitor):
    url = third_party.authorization_url(scope="openid offline_access urn:logto:scope:organizations")
    code = parameters_of(visitor.sign_in(url, "admin"))["code"]
    token = third_party.exchange(code).json()["refresh_token"]
    assert third_party.refresh(token, organization_id="harbourbr001").status_code == 200
    emulator.tenant.organization_consents.clear()
    refused = third_party.refresh(token, organization_id="harbourbr001")
    assert refused.json()["error_description"] == "organization access is not granted to the application"


def test_visitor_reports_what_is_missing(emulator, bookstore, visitor):
    with pytest.raises(VisitFailed, match="no username"):
        visitor.sign_in(bookstore.authorization_url())
    with pytest.raises(VisitFailed, match="no button for the account 'nobody'"):
        visitor.sign_in(bookstore.authorization_url(), "nobody")
    emulator.tenant.sign_in_experience.connectors = []
    with pytest.raises(VisitFailed, match="no button for Alipay"):
        visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
