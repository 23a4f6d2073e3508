"""The pages of `logto_auth.contrib.swagger`: their settings for Swagger UI, and sites that restrict pages."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.conf.urls.i18n import i18n_patterns
from django.test import Client
from django.urls import include, path
from drf_spectacular.settings import spectacular_settings

from logto_auth.contrib.rest_framework import LogtoAuthentication
from logto_auth.contrib.swagger import LogtoSwaggerSplitView, LogtoSwaggerView
from tests.tenant.javascript import NODE

pytestmark = [pytest.mark.urls(__name__), pytest.mark.skipif(NODE is None, reason="Node.js is not installed.")]

ID = "docs00000000000000001"
# What the script of the page passes to Swagger UI.
RECORDED = """
const given = {};
const SwaggerUIBundle = (options) => { given.options = options; return {initOAuth: (own) => { given.oauth = own; }}; };
SwaggerUIBundle.presets = {apis: "apis"};
%s
const plain = (_, value) => typeof value === "function" ? "plugin" : value;
console.log(JSON.stringify({...given, names: schemaAuthNames}, plain));
"""


class OwnAuthentication(LogtoAuthentication):
    """A subclass with another resource."""

    resource = "https://other.example/api"


class PrivatePage(LogtoSwaggerSplitView):
    """The page of a document for which a token is required."""

    authentication_classes = [LogtoAuthentication, OwnAuthentication]


docs = [path("api/docs/", include("logto_auth.contrib.swagger_urls"))]
urlpatterns = [
    path("", include("logto_auth.urls")),
    *docs,
    *i18n_patterns(path("docs/", LogtoSwaggerSplitView.as_view(url_name="logto_api_docs:schema"))),
    path("inline/", LogtoSwaggerView.as_view(url_name="logto_api_docs:schema")),
    path("private/", PrivatePage.as_view(url_name="logto_api_docs:schema")),
]


@pytest.fixture(autouse=True)
def app_id(settings: Any) -> None:
    settings.LOGTO_API_DOCS_APP_ID = ID
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"


def passed(url: str = "/api/docs/") -> Any:
    """Run the script of a page, and return what it passes to Swagger UI."""
    script = Client().get(url, {"script": ""}).content.decode()
    run = subprocess.run(
        [str(NODE), "--input-type=commonjs", "-e", RECORDED % script], capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_page_gets_plugin_and_application() -> None:
    given = passed()
    assert given["options"]["presets"] == ["apis", "plugin"]
    assert given["options"]["deepLinking"] is True
    assert given["oauth"] == {"clientId": ID, "usePkceWithAuthorizationCodeGrant": True}


def test_settings_of_the_site_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    own = '{"docExpansion": "none", presets: [SwaggerUIBundle.presets.apis, "own"]} // as JavaScript'
    monkeypatch.setattr(spectacular_settings, "SWAGGER_UI_SETTINGS", own, raising=False)
    monkeypatch.setattr(
        spectacular_settings, "SWAGGER_UI_OAUTH2_CONFIG", {"appName": "Shop", "clientId": "x"}, raising=False
    )
    given = passed()
    assert given["options"]["presets"] == ["apis", "own", "plugin"]
    assert given["options"]["docExpansion"] == "none"
    assert given["oauth"] == {"appName": "Shop", "clientId": ID, "usePkceWithAuthorizationCodeGrant": True}


@pytest.mark.parametrize("id", ['"; alert(1); "', "</script><script>alert(1)</script>", "`${alert(1)}`", "\u2028"])
def test_application_id_is_only_a_string(settings: Any, id: str) -> None:
    settings.LOGTO_API_DOCS_APP_ID = id
    assert passed()["oauth"]["clientId"] == id
    page = Client().get("/inline/").content.decode()
    assert "</script><script>" not in page
    assert "<script>alert" not in page


def test_query_of_the_request_is_never_markup() -> None:
    attack = "</script><script>alert(1)</script>\"'"
    for url in ("/api/docs/", "/inline/", "/api/docs/oauth2-redirect.html"):
        for query in ({"code": attack}, {"state": attack}, {"lang": attack}, {"version": attack}):
            assert "<script>alert" not in Client().get(url, query).content.decode()
    script = Client().get("/api/docs/", {"script": "", "lang": attack}).content.decode()
    assert "<script>alert" not in script


def test_token_is_sent_for_private_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectacular_settings, "SERVE_PUBLIC", False, raising=False)
    assert passed("/private/")["names"] == ["LogtoSignIn", "Logto", "OwnAuthenticationSignIn", "OwnAuthentication"]


def test_pages_need_no_sign_in_at_the_site(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        *django_settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
    for url in ("/api/docs/", "/api/docs/?script=", "/api/docs/schema", "/api/docs/oauth2-redirect.html"):
        response = Client().get(url)
        assert response.status_code == 200, url
        if "schema" not in url:
            assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_page_in_each_language(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("ja", "Japanese")]
    settings.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware", *settings.MIDDLEWARE]
    for language in ("en", "ja"):
        assert passed(f"/{language}/docs/")["oauth"]["clientId"] == ID
