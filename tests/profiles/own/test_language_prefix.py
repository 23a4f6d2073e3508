"""Visitors in another language than that of the registered URLs."""

from __future__ import annotations

from contextlib import suppress
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import new_browser

LANGUAGES = ("en", "ja")


@pytest.fixture
def japanese(logto: Emulator) -> Browser:
    return new_browser(logto, HTTP_ACCEPT_LANGUAGE="ja")


def register(logto: Emulator, *languages: str) -> None:
    """Register the redirect URIs of these languages and nothing else."""
    application = next(iter(logto.tenant.applications.values()))
    application.redirect_uris, application.post_logout_redirect_uris = [], []
    for language in languages:
        with override(language):
            application.redirect_uris.append("http://testserver" + reverse("logto_auth:callback"))
            application.post_logout_redirect_uris.append("http://testserver" + reverse("home"))


def test_visitor_keeps_language_from_page_to_sign_out(japanese: Browser, logto: Emulator) -> None:
    register(logto, *LANGUAGES)
    to_sign_in = japanese.client.get("/ja/members/")
    assert to_sign_in["Location"] == "/ja/sign-in?next=/ja/members/"
    to_logto = japanese.client.get(to_sign_in["Location"])["Location"]
    assert japanese.open(japanese.logto.sign_in(to_logto, "reader"))["Location"] == "/ja/members/"
    to_logto = japanese.client.post("/ja/sign-out")["Location"]
    assert urlsplit(japanese.logto.sign_out(to_logto)).path == "/ja/"


def test_error_page_is_in_language_of_path(japanese: Browser, logto: Emulator) -> None:
    page = japanese.client.get("/ja/callback", {"code": "x", "state": "unknown", "iss": logto.issuer})
    assert '<html lang="ja"' in page.content.decode()


def test_translated_sign_in_url_is_not_next_page(japanese: Browser, logto: Emulator) -> None:
    register(logto, *LANGUAGES)
    to_logto = japanese.client.get("/ja/sign-in", {"next": "/en/sign-out"})["Location"]
    assert japanese.open(japanese.logto.sign_in(to_logto, "reader"))["Location"] == "/ja/"


def test_check_or_doctor_warns_of_urls_in_many_languages(logto: Emulator, settings: Any) -> None:
    register(logto, "en")
    output = StringIO()
    with suppress(SystemExit):
        call_command("logto_doctor", stdout=output, stderr=output)
    found = [*(str(message) for message in run_checks()), output.getvalue()]
    assert any("/ja/" in text or "i18n_patterns" in text for text in found)
