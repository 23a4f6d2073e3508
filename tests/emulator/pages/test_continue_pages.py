"""The pages that ask users, new and existing ones, for what the sign-up of a default tenant requires."""

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


# Existing users: tried on Logto 1.41.0, 1.42.0 and the head


@pytest.fixture
def link_of(emulator, bookstore):
    def make(user):
        token = emulator.tenant.add_one_time_token(user.primary_email, jit_organization_ids=["harbourbr001"])
        return bookstore.authorization_url(login_hint=token.email, one_time_token=token.token)

    return make


def test_link_asks_existing_user_for_username_and_password(emulator, bookstore, visitor, link_of):
    user = emulator.tenant.add_user(primary_email="old@bookstore.example")
    assert stop_of(visitor.sign_in_by_link, link_of(user)) == "username"
    assert stop_of(visitor.sign_in_by_link, link_of(user), username="old") == "password"
    assert user.id not in emulator.tenant.organizations["harbourbr001"].members
    callback = visitor.sign_in_by_link(link_of(user), username="old", password="old-password")
    assert user_at(bookstore, callback) is user
    assert (user.username, user.password) == ("old", "old-password")
    assert user.id in emulator.tenant.organizations["harbourbr001"].members


def test_link_asks_existing_user_for_the_missing_password_only(emulator, visitor, link_of):
    user = emulator.tenant.add_user(primary_email="old@bookstore.example", username="old")
    assert stop_of(visitor.sign_in_by_link, link_of(user)) == "password"


def test_link_asks_complete_user_for_nothing(emulator, bookstore, visitor, link_of):
    user = emulator.tenant.add_user(primary_email="old@bookstore.example", username="old", password="old-password")
    assert user_at(bookstore, visitor.sign_in_by_link(link_of(user))) is user


@pytest.mark.parametrize("password", ["old-password", None])
def test_sign_in_by_email_asks_for_a_username(emulator, bookstore, visitor, password):
    emulator.tenant.add_user(primary_email="old@bookstore.example", password="old-password")
    url = bookstore.authorization_url()
    assert stop_of(visitor.sign_in, url, "old@bookstore.example", password) == "username"


def test_account_button_stands_for_a_password(emulator, bookstore, visitor):
    user = emulator.tenant.add_user(username="old")
    assert user_at(bookstore, visitor.sign_in(bookstore.authorization_url(), "old")) is user


def test_existing_social_user_is_asked_for_a_username(emulator, bookstore, visitor):
    emulator.tenant.sign_in_experience.sign_up_identifiers = []
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    emulator.tenant.sign_in_experience.sign_up_identifiers = ["username"]
    with Visitor(visitor.endpoint) as other:
        assert stop_of(other.sign_in_with_alipay, bookstore.authorization_url(), "2088") == "username"
        assert other.sign_in_with_alipay(bookstore.authorization_url(), "2088", username="reader")


def test_existing_users_are_asked_for_nothing_if_sign_up_requires_nothing(emulator, bookstore, visitor, link_of):
    emulator.tenant.sign_in_experience.sign_up_identifiers = []
    user = emulator.tenant.add_user(primary_email="old@bookstore.example")
    assert user_at(bookstore, visitor.sign_in_by_link(link_of(user))) is user


def test_suspended_user_is_refused_before_the_page(emulator, visitor, link_of):
    user = emulator.tenant.add_user(primary_email="old@bookstore.example")
    link = link_of(user)
    emulator.tenant.suspend_user(user.id)
    with pytest.raises(VisitFailed, match="suspended"):
        visitor.sign_in_by_link(link)
