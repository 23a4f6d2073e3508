"""The Account API: tokens, scopes, field permissions and the profile. The recordings are compared in `contract`."""

import pytest

from .account_api_client import ALL_SCOPES, AccountAPI, code_of


@pytest.fixture
def account(emulator, bookstore):
    """The Account API with all scopes for the user `customer`."""
    emulator.tenant.enable_account_center()
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    yield account
    account.http.close()


def test_account_center_is_off_in_a_new_tenant(emulator, bookstore):
    emulator.tenant.account_center["enabled"] = False
    account = AccountAPI(emulator, bookstore.sign_in("customer", scope=ALL_SCOPES)["access_token"])
    assert code_of(account.get()) == (400, "account_center.not_enabled")
    account.http.close()


def test_profile_has_all_fields(account):
    assert account.get().json()["username"] == "customer"


def test_username_needs_verification(account):
    assert code_of(account.patch("/my-account", {"username": "other"})) == (
        401,
        "verification_record.permission_denied",
    )
    account.verify_password("customer-password")
    assert account.patch("/my-account", {"username": "other"}).json()["username"] == "other"
