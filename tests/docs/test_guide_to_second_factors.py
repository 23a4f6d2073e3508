"""What the guide to second factors says about its pages, its API and its script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.account.missing_factor import MissingFactor
from logto_auth.emulator import Emulator
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.tenant.claims_script import merged_script
from logto_auth.testing import Browser

from .callers import access_token, bearer
from .pages import Block, examples, run_example, text_of, the_block

PAGE = "docs/how-to/second-factor.md"
API = "https://shop.example/api"


@pytest.fixture
def site(shop: Any, apply_settings: Any, settings: Any, logto: Emulator) -> Emulator:
    """Use the site of the guide, with its declaration. Return the emulator."""
    apply_settings(PAGE, "LOGTO_TENANT")
    settings.LOGTO_SCOPES = [*settings.LOGTO_SCOPES, "identities"]
    shop(PAGE)
    return logto


@pytest.fixture
def ada(site: Emulator, settings: Any) -> str:
    """Return the secret of the authenticator app of the user `ada`."""
    names = the_block(PAGE, "second factor tests").run()
    names["set_up_tenant"](site, settings)
    secret: str = names["add_user_with_app"](site, "ada")
    return secret


@pytest.mark.django_db
@examples("second factor tests")
def test_example(block: Block, name: str, request: pytest.FixtureRequest, site: Emulator) -> None:
    run_example(block, name, request)


@pytest.mark.django_db
def test_mixin_of_the_guide_asks_for_a_recent_factor(browser: Browser, ada: str) -> None:
    browser.sign_in("ada", totp_secret=ada)
    assert "max_age=3600" in browser.client.get("/staff/prices").url
    browser.sign_in("ada", totp_secret=ada, prompt="login consent")
    assert browser.client.get("/staff/prices").content == b"All prices."


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/api/refunds/", "/plain/refunds/", "/ninja/refunds"])
def test_api_answers_as_shown(client: Any, site: Emulator, settings: Any, url: str) -> None:
    settings.LOGTO_API_CREATE_USERS = True

    def call(**claims: Any) -> Any:
        token = access_token(site, **{"aud": API, "scope": "write:orders", **claims})
        return client.post(url, headers=bearer(token))

    assert call(authentication_methods=["Password", "Totp"]).status_code == 200
    for methods in (["Password"], [], "Totp"):
        response = call(authentication_methods=methods)
        assert response.status_code == 401
        shown = re.search(r"^WWW-Authenticate: (Bearer error=.*?), error_description", text_of(PAGE), re.MULTILINE)
        assert shown
        assert response["WWW-Authenticate"].startswith(shown[1])
    assert call(authentication_methods=["Totp"], scope="").status_code == 403


def test_guide_shows_the_script() -> None:
    shown = text_of(PAGE).partition("   ```javascript\n")[2].partition("   ```\n")[0]
    assert "".join(line.removeprefix("   ") for line in shown.splitlines(keepends=True)) == merged_script("")


def first_cells(heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading."""
    section = text_of(PAGE).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_guide_lists_all_factors() -> None:
    assert sorted(first_cells("Choose the factors")) == sorted(SECOND_FACTORS)


def test_guide_lists_all_codes_of_the_page() -> None:
    assert sorted(first_cells("What users see")) == sorted(each.value for each in MissingFactor)


@pytest.mark.django_db
def test_admin_of_the_guide_requires_the_factor(browser: Browser, ada: str, settings: Any) -> None:
    settings.LOGTO_ADMIN_SECOND_FACTOR = True
    browser.sign_in("ada", totp_secret=ada)
    get_user_model().objects.update(is_staff=True)
    assert browser.client.get("/admin/").status_code == 200
