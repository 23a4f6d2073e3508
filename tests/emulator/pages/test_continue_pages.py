"""The pages that ask new users for what the sign-up of a default tenant requires."""

import pytest

from logto_auth.emulator import VisitFailed, Visitor, run_in_thread
from tests.emulator.relying_party import claims_of, parameters_of

pytestmark = pytest.mark.usefixtures("default_sign_up")


@pytest.fixture
def link(emulator, bookstore):
    """A sign-in URL with a one-time token for a new user, who is invited to a branch."""
    token = emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=["harbourbr001"])
    return bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)


def user_at(relying_party, callback):
    tokens = relying_party.exchange(parameters_of(callback)["code"]).json()
    return relying_party.emulator.tenant.users[claims_of(tokens["id_token"])["sub"]]


def stop_of(visit, *arguments, **options):
    """Return the path on which a visit stops."""
    with pytest.raises(VisitFailed) as failure:
        visit(*arguments, **options)
    return failure.value.response.url.partition("?")[0].rpartition("3001")[2].partition("/continue/")[2]


def test_new_tenant_requires_a_username_and_password():
    with run_in_thread() as emulator:
        assert emulator.tenant.sign_in_experience.sign_up_identifiers == ["username"]


def test_social_sign_in_stops_at_set_username(emulator, bookstore, visitor):
    users = len(emulator.tenant.users)
    assert stop_of(visitor.sign_in_with_alipay, bookstore.authorization_url(), "2088") == "username"
    assert len(emulator.tenant.users) == users


def test_username_completes_social_sign_in(bookstore, visitor):
    callback = visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088", nick_name="Reader", username="reader")
    user = user_at(bookstore, callback)
    assert (user.username, user.name, user.identities["alipay"]["userId"]) == ("reader", "Reader", "2088")
    assert not user.has_password


def test_second_social_sign_in_asks_for_nothing(bookstore, visitor):
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088", username="reader")
    with Visitor(visitor.endpoint) as other:
        assert user_at(bookstore, other.sign_in_with_alipay(bookstore.authorization_url(), "2088")).username == "reader"


def test_tenant_can_skip_identifiers_of_social_sign_in(emulator, bookstore, visitor):
    emulator.tenant.sign_in_experience.settings["socialSignIn"] = {"skipRequiredIdentifiers": True}
    user = user_at(bookstore, visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088"))
    assert user.username is None


@pytest.mark.parametrize(
    ("username", "code"), [("customer", "user.username_already_in_use"), ("1st", "guard.invalid_input")]
)
def test_invalid_username_is_refused(bookstore, visitor, username, code):
    with pytest.raises(VisitFailed) as failure:
        visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088", username=username)
    assert failure.value.response.status_code == 422
    assert f'data-code="{code}"' in failure.value.response.text


def test_link_is_consumed_before_set_username(emulator, visitor, link):
    assert stop_of(visitor.sign_in_by_link, link) == "username"
    (token,) = emulator.tenant.one_time_tokens.values()
    assert token.status == "consumed"
    assert emulator.tenant.find_user(primary_email=token.email) is None


def test_second_use_of_link_after_set_username_is_refused(visitor, link):
    stop_of(visitor.sign_in_by_link, link)
    with Visitor(visitor.endpoint) as other, pytest.raises(VisitFailed) as failure:
        other.sign_in_by_link(link)
    assert 'data-code="one_time_token.token_consumed"' in failure.value.response.text


def test_username_and_password_complete_sign_in_by_link(emulator, bookstore, visitor, link):
    assert stop_of(visitor.sign_in_by_link, link, username="newcomer") == "password"
    token = emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=["harbourbr001"])
    url = bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)
    with Visitor(emulator) as other:
        user = user_at(bookstore, other.sign_in_by_link(url, username="newcomer", password="long-enough"))
    assert (user.username, user.primary_email) == ("newcomer", "new@bookstore.example")
    assert user.password_fits("long-enough")
    assert user.id in emulator.tenant.organizations["harbourbr001"].members


def test_existing_user_is_asked_for_nothing(emulator, bookstore, visitor):
    token = emulator.tenant.add_one_time_token("editor@bookstore.example")
    url = bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)
    assert user_at(bookstore, visitor.sign_in_by_link(url)).username == "editor"


def test_page_without_verified_user_redirects(emulator, bookstore, visitor):
    visitor.open(bookstore.authorization_url())
    url = f"{emulator.endpoint}/continue/username?app_id={bookstore.application.id}"
    assert visitor.open(url).url.endswith("/unknown-session")


def test_demo_tenant_asks_for_nothing(emulator, bookstore, visitor):
    emulator.reset(tenant=True)
    assert "code=" in visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
