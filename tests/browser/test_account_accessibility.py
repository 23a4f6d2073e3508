"""The account pages, examined by axe-core: names, roles, landmarks, and contrast in light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .conftest import browser_profile
from .site import NODE_MODULES
from .test_account_security import security_site, sign_in, verify

__all__ = ["security_site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("libraries")]
AXE = NODE_MODULES / "axe-core/axe.min.js"
PAGES = [
    "/account/",
    "/account/username",
    "/account/email",
    "/account/phone",
    "/account/password",
    "/account/linked",
    "/account/security",
    "/account/security/authenticator-app",
    "/account/security/backup-codes",
    "/account/security/passkeys",
    "/account/sessions",
    "/account/applications",
    "/account/delete",
]


def violations(page: Page) -> list[tuple[str, Any]]:
    """Return the rule and the elements of each violation."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run()")
    assert result["passes"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]]


def test_examination_finds_a_faint_text(chromium: Browser, security_site: str) -> None:
    with browser_profile(chromium, security_site, bypass_csp=True) as context:
        page = context.new_page()
        sign_in(page)
        page.locator("h1").evaluate("heading => heading.style.color = '#bbb'")
        assert [rule for rule, _elements in violations(page)] == ["color-contrast"]


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_account_pages_are_accessible(chromium: Browser, security_site: str, colors: Any) -> None:
    with browser_profile(chromium, security_site, color_scheme=colors, bypass_csp=True) as context:
        page = context.new_page()
        sign_in(page)
        page.goto("/account/security/passkeys")
        found = {"/account/verify": violations(page)}
        verify(page)
        for path in PAGES:
            page.goto(path)
            found[path] = violations(page)
    assert {path: each for path, each in found.items() if each} == {}
