"""An account that the backend of the site refuses is refused at all entrances."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import UserManager
from django.db import models

from logto_auth.backends import LogtoBackend
from logto_auth.emulator import Emulator
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.signals import user_created, user_updated
from logto_auth.testing import Browser
from logto_auth.users import accepted
from logto_auth.users.accepted import accepted_user
from logto_auth.users.provisioning import provision_api_user

from .accounts import TRUST, local_user, sign_in

pytestmark = pytest.mark.django_db
User = get_user_model()
BANNED = "banned@example.com"


class BanningBackend(LogtoBackend):
    """The backend of a site with a rule of its own."""

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and user.email != BANNED


class HidingBackend(LogtoBackend):
    """The backend of a site whose rule is where Django asks for the user of a session."""

    def get_user(self, user_id: Any) -> Any:
        user = super().get_user(user_id)
        return None if user is None or user.email == BANNED else user


@pytest.fixture(params=[BanningBackend, HidingBackend])
def banning(request: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{request.param.__name__}"]


def deactivate(sender: object, user: Any, **kwargs: Any) -> None:
    """A receiver: new users wait for approval."""
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.fixture
def waiting() -> Any:
    user_created.connect(deactivate)
    yield
    user_created.disconnect(deactivate)


@pytest.mark.usefixtures("banning")
def test_rule_of_backend_holds_at_each_entrance(settings: Any) -> None:
    user = sign_in()
    user.email = BANNED
    user.save()
    issuer = LogtoIdentity.objects.get().issuer
    entrances = (lambda: sign_in(email=BANNED, name="New"), lambda: provision_api_user(issuer, "reader000001"))
    for entrance in entrances:
        with pytest.raises(SignInRefused) as caught:
            entrance()
        assert caught.value.code == "account_disabled"
    assert User.objects.get().first_name == ""


@pytest.mark.usefixtures("banning")
def test_refused_account_is_not_linked(settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local_user(BANNED)
    with pytest.raises(SignInRefused):
        sign_in(email=BANNED)
    assert not LogtoIdentity.objects.exists()


def test_inactive_account_is_refused_without_our_backend(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    user = local_user()
    assert accepted_user(user.pk) == user
    User.objects.update(is_active=False)
    with pytest.raises(SignInRefused):
        accepted_user(user.pk)


@pytest.mark.usefixtures("banning")
def test_page_leads_to_one_error_page(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader", primary_email="reader@example.com")
    browser.sign_in("reader")
    User.objects.update(email=BANNED)
    logto.tenant.update_user(next(iter(logto.tenant.users)), primary_email=BANNED)
    response = browser.sign_in()
    assert (response.status_code, response.context["code"]) == (403, "account_disabled")


@pytest.mark.usefixtures("waiting")
def test_new_user_waits_for_approval(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    for _ in range(2):
        response = browser.sign_in("reader")
        assert (response.status_code, response.context["code"]) == (403, "account_disabled")
        assert "not active" in response.content.decode()
    assert (LogtoSession.objects.count(), User.objects.get().last_login) == (0, None)
    User.objects.update(is_active=True)
    assert browser.sign_in("reader").status_code == 302


@pytest.mark.usefixtures("waiting")
def test_new_user_of_api_waits_for_approval(settings: Any) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    with pytest.raises(SignInRefused):
        provision_api_user("https://logto.example/oidc", "reader000001")
    assert User.objects.count() == 1


def test_receiver_of_update_deactivates_known_user() -> None:
    sign_in()
    user_updated.connect(deactivate)
    try:
        with pytest.raises(SignInRefused):
            sign_in(email="new@example.com")
    finally:
        user_updated.disconnect(deactivate)


class FilteringManager(models.Manager):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_staff=True)


class FilteringQuerySet(models.QuerySet):
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, is_staff=True, **kwargs)


class GettingManager(UserManager):
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, is_staff=True, **kwargs)


@pytest.mark.parametrize("manager", [FilteringManager, FilteringQuerySet.as_manager, GettingManager])
def test_rule_of_default_manager_holds(manager: Any, monkeypatch: Any) -> None:
    user, staff = User.objects.create_user("user"), User.objects.create_user("staff", is_staff=True)
    made = manager()
    made.model = User
    assert accepted._query.__wrapped__(User) is not None
    monkeypatch.setattr(type(User), "_default_manager", made)
    for each in (user, staff):
        LogtoIdentity.objects.create(user=each, issuer="i", sub=each.username)
    accepted._query.cache_clear()
    assert accepted_user(staff.pk) == provision_api_user("i", "staff").user == staff
    with pytest.raises(SignInRefused):
        accepted_user(user.pk)
    with pytest.raises(SignInRefused):
        provision_api_user("i", "user")
    accepted._query.cache_clear()
