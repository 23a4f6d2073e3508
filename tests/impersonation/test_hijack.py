"""django-hijack with the rules of support access: the real package, without its buttons."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.signals import impersonation_ended, impersonation_refused, impersonation_started
from logto_auth.testing import Browser

from .pages_site import Clerk, set_up

pytestmark = pytest.mark.django_db
User = get_user_model()
OWN = {"user": "clerk", "sub": "clerk0000001", "impersonator": None}
AS_ADA = {"user": "ada", "sub": None, "impersonator": "clerk"}


@pytest.fixture
def clerk(logto: Emulator, settings: Any) -> Clerk:
    set_up(logto, settings)
    settings.ROOT_URLCONF = "tests.impersonation.hijack_urls"
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "hijack", "logto_auth.contrib.hijack.LogtoHijackConfig"]
    index = settings.MIDDLEWARE.index("logto_auth.middleware.LogtoMiddleware") + 1
    added = ["logto_auth.contrib.hijack.HijackMiddleware", "hijack.middleware.HijackUserMiddleware"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:index], *added, *settings.MIDDLEWARE[index:]]
    settings.HIJACK_PERMISSION_CHECK = "logto_auth.contrib.hijack.may_hijack"
    return Clerk(logto)


@pytest.fixture
def events() -> Iterator[list[tuple[Any, ...]]]:
    """The signals of this package that are sent: name, staff member, user, and the cause or the code."""
    seen: list[tuple[Any, ...]] = []
    receivers = []
    for name, signal in (
        ("started", impersonation_started),
        ("ended", impersonation_ended),
        ("refused", impersonation_refused),
    ):

        def note(name: str = name, impersonator: Any = None, user: Any = None, **kwargs: Any) -> None:
            detail = kwargs.get("cause") or kwargs.get("code")
            seen.append((name, impersonator.get_username(), user.get_username(), detail))

        receivers.append((signal, note))
        signal.connect(note)
    yield seen
    for signal, note in receivers:
        signal.disconnect(note)


def acquire(clerk: Clerk, user: Any) -> Any:
    return clerk.client.post("/hijack/acquire/", {"user_pk": user.pk})


def who(clerk: Clerk) -> Any:
    return clerk.get("/").json()


def test_staff_act_and_have_their_session_again(clerk: Clerk, events: list[Any]) -> None:
    row = LogtoSession.objects.get(user=clerk.user)
    assert acquire(clerk, clerk.ada).status_code == 302
    assert who(clerk) == AS_ADA
    assert clerk.client.post("/hijack/release/").status_code == 302
    assert who(clerk) == OWN
    assert LogtoSession.objects.get(user=clerk.user) == row
    assert events == [("started", "clerk", "ada", None), ("ended", "clerk", "ada", "left")]


@pytest.mark.parametrize(
    ("who_is", "code"),
    [
        ("without permission", "impersonation_not_permitted"),
        ("staff", "impersonation_of_staff"),
        ("inactive", "impersonation_user_inactive"),
        ("oneself", "impersonation_of_oneself"),
    ],
)
def test_rules_are_those_of_support_access(clerk: Clerk, events: list[Any], who_is: str, code: str) -> None:
    target = clerk.ada
    if who_is == "without permission":
        clerk.user.user_permissions.remove(Permission.objects.get(codename="impersonate_users"))
    elif who_is == "staff":
        User.objects.filter(pk=target.pk).update(is_staff=True)
    elif who_is == "inactive":
        User.objects.filter(pk=target.pk).update(is_active=False)
    else:
        target = clerk.user
    assert acquire(clerk, target).status_code in (302, 403)
    assert who(clerk) == OWN
    assert events == [("refused", "clerk", target.get_username(), code)]


def test_superuser_of_the_admin_needs_logto(clerk: Clerk, events: list[Any]) -> None:
    boss = User.objects.create_superuser("boss", password="x")
    clerk.client = Client()
    clerk.client.force_login(boss, "django.contrib.auth.backends.ModelBackend")
    acquire(clerk, clerk.ada)
    assert who(clerk)["user"] == "boss"
    assert events == [("refused", "boss", "ada", "impersonation_without_logto")]


def test_list_of_users_sends_no_refusals(clerk: Clerk, events: list[Any]) -> None:
    from hijack.templatetags.hijack import can_hijack

    request = clerk.get("/").wsgi_request
    assert not can_hijack(request.user, clerk.ada), "outside of a request, nothing is permitted"
    assert events == []


def test_nested_impersonation_is_refused(clerk: Clerk, logto: Emulator, events: list[Any]) -> None:
    logto.tenant.add_user(username="bob")
    Browser(logto).sign_in("bob")
    acquire(clerk, clerk.ada)
    acquire(clerk, User.objects.get(username="bob"))
    assert who(clerk) == AS_ADA


def test_end_of_the_own_session_ends_it(clerk: Clerk) -> None:
    acquire(clerk, clerk.ada)
    LogtoSession.objects.filter(user=clerk.user).end()
    assert who(clerk)["user"] == ""


def test_sign_out_ends_it(clerk: Clerk, events: list[Any]) -> None:
    acquire(clerk, clerk.ada)
    clerk.client.post("/sign-out")
    assert who(clerk)["user"] == ""
    assert not LogtoSession.objects.filter(user=clerk.user).exists()
    assert events[1:] == [("ended", "clerk", "ada", "signed_out")]


def test_missing_package_is_named() -> None:
    code = "import sys; sys.modules['hijack'] = None\nimport logto_auth.contrib.hijack"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'django-hijack, which is not installed: pip install "logto_auth[hijack]"' in result.stderr
