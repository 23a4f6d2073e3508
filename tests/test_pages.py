"""Pages: texts of the provider are escaped, and the headers forbid caching and framing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.template import Context, Template
from django.test import Client, RequestFactory

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.support import changed_claims, code_on, query_of

pytestmark = pytest.mark.django_db

MARKUP = '<img src=x onerror="alert(1)">\'"><script>alert(2)</script>{{ 7|add:7 }}'


@pytest.fixture
def hostile(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    """Return the browser of a superuser whose texts at Logto all contain markup."""
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "profile",
        "email",
        "phone",
        "address",
        "custom_data",
        "identities",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
    ]
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ["admin"]
    logto.tenant.add_role("admin")
    logto.tenant.add_role(MARKUP)
    user = logto.tenant.add_user(
        username="reader",
        name=MARKUP,
        avatar="javascript:alert(3)",
        profile=dict.fromkeys(
            ["familyName", "nickname", "website", "locale", "profile"], "javascript:alert(4)" + MARKUP
        ),
        identities={MARKUP: {"userId": MARKUP, "details": {"name": MARKUP, "avatar": "javascript:alert(5)"}}},
        custom_data={MARKUP: MARKUP, "list": [MARKUP]},
        roles=["admin", MARKUP],
    )
    logto.tenant.add_organization(MARKUP, id="organization")
    logto.tenant.add_organization_role(MARKUP)
    logto.tenant.add_member("organization", user.id, roles=[MARKUP])
    logto.faults.id_token_claims = changed_claims(username=MARKUP, given_name=MARKUP, extra=MARKUP)
    assert browser.sign_in("reader").status_code == 302
    return browser


@pytest.mark.parametrize("path", ["/", "/account/claims", "/admin/", "/admin/auth/user/", "/basket/"])
def test_texts_of_provider_are_escaped(hostile: Browser, path: str) -> None:
    response = hostile.client.get(path)
    assert response.status_code == 200
    assert_harmless(response.content.decode())


def test_texts_of_provider_are_escaped_in_user_admin(hostile: Browser) -> None:
    user = get_user_model().objects.get()
    page = hostile.client.get(f"/admin/auth/user/{user.pk}/change/")
    assert page.status_code == 200
    assert_harmless(page.content.decode())


def test_texts_of_provider_are_escaped_on_403_page(
    browser: Browser, logto: Emulator, reader: Any, settings: Any
) -> None:
    browser.sign_in("reader")
    get_user_model().objects.update(username=MARKUP, first_name=MARKUP)
    page = browser.client.get("/admin/login/")
    assert page.status_code == 403
    assert_harmless(page.content.decode())


@pytest.mark.parametrize("attribute", ["label", "next", "class"])
def test_buttons_escape_their_arguments(rf: RequestFactory, attribute: str) -> None:
    context = Context({"request": rf.get("/"), "markup": MARKUP})
    for button in ("logto_sign_in_button", "logto_sign_out_button"):
        if (button, attribute) != ("logto_sign_out_button", "next"):
            page = Template(f"{{% load logto %}}{{% {button} {attribute}=markup %}}").render(context)
            assert_harmless(page)


def assert_harmless(page: str) -> None:
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert not re.search(r"""(?:href|src|action|style|on\w+)\s*=\s*["']?\s*javascript:""", page)
    assert 'onerror="' not in page
    assert "14" not in re.findall(r"alert\(2\)(?:</script>|&lt;/script&gt;)(\d+)", page)


def test_links_do_not_repeat_code_and_state(browser: Browser) -> None:
    for path in ("/callback?code=THECODE&state=THESTATE", "/sign-in?next=/&prompt=THECODE"):
        page = browser.client.get(path)
        links = re.findall(r'href="([^"]*)"', page.content.decode())
        assert links
        assert not any("THECODE" in link or "THESTATE" in link for link in links)


def test_pages_and_redirects_are_not_cached_or_framed(browser: Browser, reader: Any) -> None:
    responses = [
        browser.client.get("/sign-in"),
        browser.client.get("/callback"),
        browser.sign_in("reader"),
        browser.client.get("/sign-out"),
        browser.client.post("/sign-out"),
        Client().head("/callback"),
        browser.client.get("/sign-in", headers={"Sec-Purpose": "prefetch"}),
    ]
    for response in responses:
        assert response["Cache-Control"] == "no-store"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == ("no-referrer" if response.status_code == 302 else "same-origin")
    assert code_on(responses[1]) == "sign_in_cancelled"
    assert "code" not in query_of(responses[2]["Location"])
