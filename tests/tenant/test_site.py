"""The declaration of this site: LOGTO_TENANT, and the URLs from the URLconf."""

from __future__ import annotations

from typing import Any

import pytest

from bookstore import settings as bookstore_settings
from bookstore.core.demo import seed
from logto_auth import checks
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import TenantDeclaration, make_plan, site_declaration
from logto_auth.tenant.site import site_base_urls, unreachable_warning
from tests.management_commands import SITE, Run

from .declarations import resource, role

NOT_DECLARED = "not a declaration"


def test_emulator_demo_matches_bookstore_declaration(api: ManagementAPI, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_ID = bookstore_settings.LOGTO_APP_ID
    origins = ["http://localhost:8000", "http://127.0.0.1:8000"]
    seed(fresh.tenant, base_urls=origins)
    changes = make_plan(api, site_declaration(origins)).changes
    # The demo has no webhook, and no redirect of its own for unknown sessions. `manage.py demo` installs the script.
    assert [step.kind for step in changes] == ["sign-in experience", "script for custom claims", "webhook"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bookstore.nowhere.TENANT", "which cannot be imported"),
        ("bookstore.tenant.NOTHING", "which cannot be imported"),
        ("tests.tenant.test_site.NOT_DECLARED", "which is a str, expected a TenantDeclaration"),
    ],
)
def test_logto_tenant_without_declaration_is_an_error(run: Run, settings: Any, path: str, text: str) -> None:
    settings.LOGTO_TENANT = path
    hints = {message.id: message.hint for message in checks.check_settings()}
    assert text in hints["logto_auth.E020"]
    assert text in run("logto_setup", "--base-url", SITE).error


INVALID = TenantDeclaration(**role(description=""), **resource(indicator="shop"))


def test_system_checks_report_errors_of_the_declaration(settings: Any) -> None:
    settings.LOGTO_TENANT = "tests.tenant.test_site.INVALID"
    assert [each.id for each in checks.check_settings()] == ["logto_auth.E021", "logto_auth.E021"]


def test_uris_below_i18n_patterns_have_every_language(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.tenant.urls_by_language"
    declared = site_declaration([SITE])
    assert declared.redirect_uris == [f"{SITE}/{code}/callback" for code in ("en", "ja", "zh-hans")]
    assert declared.post_sign_out_uris == [f"{SITE}/"]


def test_base_url_with_umlaut_gets_its_ascii_form() -> None:
    with pytest.raises(ConfigurationError, match=r"'https://xn--mller-kva\.example'"):
        site_base_urls(["https://müller.example"])


def test_logto_calls_the_internal_base_url(settings: Any) -> None:
    settings.LOGTO_INTERNAL_BASE_URL = "http://web:8000"
    declared = site_declaration(["https://shop.example"])
    assert declared.redirect_uris == ["https://shop.example/callback"]
    assert declared.post_sign_out_uris == ["https://shop.example/"]
    assert declared.back_channel_logout_uri == "http://web:8000/back-channel-logout"
    assert declared.webhook_url == "http://web:8000/webhooks/logto"
    assert unreachable_warning(["http://localhost:8000"]) == ""


def test_wrong_internal_base_url_is_refused(settings: Any) -> None:
    settings.LOGTO_INTERNAL_BASE_URL = "http://web:8000/shop"
    with pytest.raises(ConfigurationError, match="is not an origin without a path"):
        site_declaration(["https://shop.example"])


def test_base_url_with_a_path_names_the_setting_for_it() -> None:
    with pytest.raises(ConfigurationError, match=r"For a site below a path, set FORCE_SCRIPT_NAME\.$"):
        site_base_urls(["https://site.example/shop"])


def test_logto_in_a_container_gets_no_localhost_url(settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:3001"
    settings.LOGTO_INTERNAL_ENDPOINT = "http://logto:3001"
    assert site_declaration(["http://localhost:8000"]).webhook_url == ""
    assert "Logto cannot call this site" in unreachable_warning(["http://localhost:8000"])


def test_remote_logto_gets_no_localhost_url(settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "https://abc123.logto.app"
    declared = site_declaration(["http://localhost:8000", "https://shop.example"])
    assert declared.redirect_uris == ["http://localhost:8000/callback", "https://shop.example/callback"]
    assert declared.back_channel_logout_uri == "https://shop.example/back-channel-logout"
    assert declared.webhook_url == "https://shop.example/webhooks/logto"
    alone = site_declaration(["http://localhost:8000"])
    assert (alone.back_channel_logout_uri, alone.webhook_url) == ("", "")
