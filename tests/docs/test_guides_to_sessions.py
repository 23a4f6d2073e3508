"""What the guides to sessions, signing out and tokens say."""

from __future__ import annotations

import re
import sys
import time
from types import ModuleType
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model, login
from django.core.management import call_command
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

from bookstore.urls import urlpatterns
from logto_auth import exceptions, models
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend

from .pages import blocks_of, the_block


def test_answer_to_a_script_is_as_shown(client: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    headers = {"Sec-Fetch-Mode": "cors", "Referer": "http://testserver/basket/"}
    response = client.get("/account/claims", headers=headers)
    (shown,) = (block for block in blocks_of("docs/how-to/htmx-and-fetch.md") if block.language == "http")
    head, _, body = shown.code.strip().partition("\n\n")
    status, *lines = head.splitlines()
    assert status.split(" ", 1)[1] == f"{response.status_code} {response.reason_phrase}"
    for line in lines:
        name, _, value = line.partition(": ")
        assert response[name] == value
    assert response.content.decode() == body


@pytest.mark.django_db
def test_expired_sessions_are_cleared_as_shown(browser: Browser, logto: Emulator, capsys: Any) -> None:
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    Browser(logto).sign_in("ada")
    LogtoSession.objects.update(delete_after=time.time() - 1)
    browser.sign_in("ada", prompt="login")
    call_command("logto_clearsessions")
    (shown,) = (block for block in blocks_of("docs/reference/commands.md") if "logto_clearsessions" in block.code)
    printed = capsys.readouterr().out
    # The sign-in over a living session has deleted one of the two already.
    assert re.sub(r"\d", "N", printed) == re.sub(r"\d", "N", shown.code.split("\n", 1)[1])
    assert LogtoSession.objects.count() == 1
    assert browser.client.get("/").wsgi_request.logto.claims


@pytest.mark.django_db
def test_users_are_signed_out_and_deactivated(browser: Browser, logto: Emulator) -> None:
    page = "docs/how-to/sign-out.md"
    logto.tenant.add_user(username="ada")
    for another in (browser, Browser(logto)):
        another.sign_in("ada")
    assert the_block(page, "sign out everywhere").run()["sign_out_everywhere"]("ada") == 2
    assert not browser.client.get("/").wsgi_request.user.is_authenticated
    browser.sign_in("ada")
    the_block(page, "deactivate").run()["deactivate"]("ada")
    assert not LogtoSession.objects.exists()
    assert browser.sign_in("ada", prompt="login").context["code"] == "account_disabled"


@pytest.mark.django_db
def test_impersonation_restores_session_of_staff(browser: Browser, logto: Emulator, settings: Any) -> None:
    signals = ModuleType("hijack.signals")
    signals.hijack_started, signals.hijack_ended = Signal(), Signal()  # type: ignore[attr-defined]
    sys.modules |= {"hijack": ModuleType("hijack"), "hijack.signals": signals}
    snippet = the_block("docs/how-to/sessions.md", "impersonation").run()

    def switch(request: HttpRequest, username: str) -> HttpResponse:
        """Do what the views of django-hijack do."""
        hijacker, hijacked = request.user, get_user_model().objects.get(username=username)
        login(request, hijacked, backend=request.session["_auth_user_backend"])
        signal = signals.hijack_ended if username == "ada" else signals.hijack_started
        signal.send(sender=None, request=request, hijacker=hijacker, hijacked=hijacked)
        return HttpResponse(f"{request.user} {request.logto.sub}")

    settings.ROOT_URLCONF = (path("switch/<str:username>", switch), *urlpatterns)
    get_user_model().objects.create_user("customer")
    sub = logto.tenant.add_user(username="ada").id
    browser.sign_in("ada")
    assert snippet["keep_session_of_staff"]
    assert browser.client.get("/switch/customer").content.decode() == "customer None"
    assert browser.client.get("/switch/ada").content.decode() == f"ada {sub}"
    assert browser.client.get("/").wsgi_request.logto.sub == sub
    for name in ("hijack", "hijack.signals"):
        del sys.modules[name]


@pytest.mark.django_db
def test_support_group_has_the_permission() -> None:
    group = the_block("docs/how-to/support-access.md", "support group").run()["create_support_group"]()
    assert group.permissions.get().codename == "impersonate_users"


@pytest.mark.django_db
def test_restored_user_can_sign_in_again(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(id="hodngok08qve", username="ada")
    browser.sign_in("ada")
    suspend(LogtoIdentity.objects.get(), models.UserStatus.DELETED, time.time())
    assert browser.sign_in("ada", prompt="login").context["code"] == "account_disabled"
    the_block("docs/how-to/webhooks.md", "restored").run()
    assert browser.sign_in("ada", prompt="login").status_code == 302


@pytest.mark.django_db
def test_session_ends_only_without_confirmation(browser: Browser, logto: Emulator, settings: Any) -> None:
    """What the guide to sessions says, and no other test shows."""
    settings.LOGTO_FRESHNESS_SECONDS = 0
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    # A sign-out elsewhere, without back-channel logout: the refresh token lives.
    browser.logto.sign_out(f"{logto.issuer}/session/end?client_id={settings.LOGTO_APP_ID}")
    assert browser.client.get("/").wsgi_request.user.is_authenticated
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 0
    logto.faults.http["token"] = HttpFault(status=503)
    assert not browser.client.get("/").wsgi_request.user.is_authenticated


@pytest.mark.django_db
def test_access_token_requires_a_session(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    page = "docs/how-to/get-tokens.md"
    apply_settings(page, 'https://stock.example/api"]\nLOGTO_SCOPES')
    logto.tenant.add_resource("https://stock.example/api", scopes=["read:stock"])
    logto.tenant.add_role("clerk", scopes={"https://stock.example/api": ["read:stock"]})
    logto.tenant.add_user(username="ada", roles=["clerk"])
    browser.sign_in("ada")
    request = browser.client.get("/").wsgi_request
    assert request.logto.access_token(resource="https://stock.example/api").count(".") == 2
    assert request.logto.user_info()["username"] == "ada"
    LogtoSession.objects.all().delete()
    request = browser.client.get("/").wsgi_request
    with pytest.raises(exceptions.SignInRequired):
        request.logto.access_token(resource="https://stock.example/api")


@pytest.mark.django_db
def test_tokens_for_an_organization(browser: Browser, logto: Emulator, apply_settings: Any) -> None:
    page = "docs/how-to/get-tokens.md"
    apply_settings(page, "urn:logto:resource:organizations")
    logto.tenant.add_resource("https://stock.example/api", scopes=["read:stock"])
    logto.tenant.add_organization_role("manager", scopes=["manage:stock"])
    organization = logto.tenant.add_organization("Harbour")
    user = logto.tenant.add_user(username="ada")
    logto.tenant.add_member(organization.id, user.id, roles=["manager"])
    browser.sign_in("ada")
    (block,) = (block for block in blocks_of(page) if "def tokens_of" in block.code)
    tokens = block.run()["tokens_of"](browser.client.get("/").wsgi_request, organization.id)
    assert [token.count(".") for token in tokens] == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_async_view_reads_the_claims(browser: Browser, logto: Emulator, settings: Any, modules: Any) -> None:
    view = the_block("docs/how-to/get-tokens.md", "async view").run()["whoami"]
    modules("docs/how-to/sign-in-options.md")
    sys.modules["shop.urls"].urlpatterns.append(path("whoami", view))
    settings.ROOT_URLCONF = "shop.urls"
    sub = logto.tenant.add_user(username="ada").id
    browser.sign_in("ada")
    client = AsyncClient()
    client.cookies = browser.client.cookies
    assert async_to_sync(client.get)("/whoami").json() == {"sub": sub, "roles": []}
