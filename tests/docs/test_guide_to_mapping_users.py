"""What the guide to mapping users says about its functions and settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from logto_auth.signals import user_created
from logto_auth.testing import Browser

from .pages import text_of, the_block

User = get_user_model()

MAP_USERS = "docs/how-to/map-users.md"


@pytest.mark.django_db
def test_own_user_fields_are_stored(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "shop_user_fields")
    logto.tenant.add_user(username="ada", profile={"givenName": "Ada", "familyName": "Lovelace"})
    browser.sign_in("ada")
    assert (User.objects.get().first_name, User.objects.get().last_name) == ("Ada", "LOVELACE")


@pytest.mark.django_db
def test_user_without_the_role_is_refused(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "members_only")
    logto.tenant.add_role("member")
    user = logto.tenant.add_user(username="ada")
    response = browser.sign_in("ada")
    assert response.status_code == 403
    (message,) = re.findall(r'visitor_message="(.+?)"', text_of(MAP_USERS))
    assert message in response.content.decode()
    assert not User.objects.exists()
    logto.tenant.update_user(user.id, roles=["member"])
    browser.sign_in("ada", prompt="login")
    assert User.objects.get().username == "ada"


@pytest.mark.django_db
def test_user_who_lost_the_role_is_signed_out(
    browser: Browser, logto: Emulator, apply_settings: Any, settings: Any
) -> None:
    apply_settings(MAP_USERS, "members_only")
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_role("member")
    user = logto.tenant.add_user(username="ada", roles=["member"])
    browser.sign_in("ada")
    assert browser.client.get("/").wsgi_request.user.is_authenticated
    logto.tenant.update_user(user.id, roles=[])
    assert not browser.client.get("/").wsgi_request.user.is_authenticated


@pytest.mark.django_db
def test_roles_set_staff_and_groups(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "LOGTO_GROUPS_BY_ROLE")
    for name in ("clerk", "admin", "editor"):
        logto.tenant.add_role(name)
    ada = logto.tenant.add_user(username="ada", roles=["clerk"])
    browser.sign_in("ada")
    user = User.objects.get()
    user.groups.add(Group.objects.create(name="By hand"))
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert set(user.groups.values_list("name", flat=True)) == {"Clerks", "By hand"}
    logto.tenant.update_user(ada.id, roles=["editor"])
    browser.sign_in("ada", prompt="login")
    user.refresh_from_db()
    assert not user.is_staff
    assert set(user.groups.values_list("name", flat=True)) == {"Editors", "By hand"}


@pytest.mark.django_db
@pytest.mark.parametrize(("is_staff", "accounts"), [(False, 1), (True, 2)])
def test_email_links_accounts_except_staff(
    browser: Browser, logto: Emulator, apply_settings: Any, is_staff: bool, accounts: int
) -> None:
    User.objects.create_user("old", "Ada@example.com", "password", is_staff=is_staff)
    apply_settings(MAP_USERS, "LOGTO_LINK_BY_EMAIL")
    logto.tenant.add_user(username="ada", primary_email="ada@example.com")
    browser.sign_in("ada")
    assert User.objects.count() == accounts
    assert User.objects.get(username="old").has_usable_password() is is_staff


@pytest.mark.django_db
def test_identity_created_in_code_signs_in(browser: Browser, logto: Emulator) -> None:
    User.objects.create_user("ada", is_staff=True)
    the_block(MAP_USERS, "identity").run()
    logto.tenant.add_user(id="hodngok08qve", username="another-name")
    browser.sign_in("another-name")
    assert User.objects.get().username == "ada"


@pytest.mark.django_db
def test_own_backend_refuses_banned_users(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "ShopBackend")
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    User.objects.get().groups.add(Group.objects.create(name="Banned"))
    assert browser.sign_in("ada", prompt="login").context["code"] == "refused_by_site"


@pytest.mark.django_db
def test_own_backend_has_rule_for_each_request(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    apply_settings(MAP_USERS, "RulesBackend")
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    User.objects.get().groups.add(Group.objects.create(name="Banned"))
    assert not browser.client.get("/").wsgi_request.user.is_authenticated
    assert browser.sign_in("ada", prompt="login").context["code"] == "account_disabled"


@pytest.mark.django_db
def test_new_user_waits_for_approval(browser: Browser, logto: Emulator, modules: Any) -> None:
    receiver = modules(MAP_USERS, "shop.approval").wait_for_approval
    user_created.connect(receiver)
    try:
        logto.tenant.add_user(username="ada")
        assert browser.sign_in("ada").context["code"] == "account_disabled"
    finally:
        user_created.disconnect(receiver)
    User.objects.update(is_active=True)
    assert browser.sign_in("ada").status_code == 302


@pytest.mark.django_db
def test_user_without_names_or_email_signs_in(browser: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.sign_up_identifiers = []
    sub = logto.tenant.add_user(password="p", name="曹雪芹").id
    url = browser.start()
    browser.open(browser.logto.sign_in(url, "曹雪芹"))
    user = User.objects.get()
    assert (user.username, user.first_name, user.last_name, user.email) == (sub, "曹雪芹", "", "")


@pytest.mark.django_db
def test_identities_are_created_from_usernames(browser: Browser, logto: Emulator) -> None:
    sub = logto.tenant.add_user(username="ada").id
    User.objects.create_user(sub)
    User.objects.create_user("root", password="password")
    the_block("docs/how-to/move-from-mozilla-django-oidc.md", "identities from usernames").run()
    assert LogtoIdentity.objects.count() == 1
    browser.sign_in("ada")
    assert User.objects.count() == 2
