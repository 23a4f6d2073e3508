"""Links to Logto's Account Center."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.translation import override

from logto_auth.account import PAGES, TASKS, account_url
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError, InvalidAccountTask
from logto_auth.testing import Browser

from .account_site import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", primary_email="reader@example.com")
    return sign_in(logto)


@pytest.fixture
def request_(reader: Browser) -> Any:
    """A request of the reader's session."""
    request: Any = RequestFactory().get("/settings/", {"tab": "1"})
    request.session = SessionStore(reader.client.session.session_key)
    request.user = get_user(request)
    return request


def parts(url: str) -> tuple[str, dict[str, str]]:
    """Return the path and the parameters."""
    split = urlsplit(url)
    return split.path, {name: value for name, (value,) in parse_qs(split.query, keep_blank_values=True).items()}


def test_task_comes_back_to_site(request_: Any, logto: Emulator) -> None:
    url = account_url(request_, "password", next="/settings/")
    assert url.startswith(f"{logto.endpoint}/account/password?")
    _path, query = parts(url)
    assert set(query) == {"redirect", "ui_locales"}
    assert query["redirect"].startswith("http://testserver/account-return?next=/settings/&state=")


@pytest.mark.parametrize("task", sorted(TASKS))
def test_tasks_have_logtos_paths(request_: Any, task: str) -> None:
    connector = {"connector_id": "con 1/x"} if task.startswith("social") else {}
    path, query = parts(account_url(request_, task, **connector))
    suffix = task.replace("social", "social/con%201%2Fx")
    assert path == f"/account/{suffix}"
    assert len(query["redirect"]) < 1000


@pytest.mark.parametrize(("page", "path"), PAGES.items())
def test_pages_have_no_parameters(request_: Any, logto: Emulator, page: str, path: str) -> None:
    assert account_url(request_, page, ui_locales="ja", show_success=True) == f"{logto.endpoint}{path}"


def test_options_are_passed_on(request_: Any) -> None:
    _path, query = parts(
        account_url(request_, "email", show_success=True, identifier="new+1@example.com", ui_locales="ja en")
    )
    del query["redirect"]
    assert query == {"show_success": "true", "identifier": "new+1@example.com", "ui_locales": "ja en"}


@pytest.mark.parametrize(("language", "locales"), [("ja", "ja"), ("zh-hans", "zh-CN zh"), ("pt-br", "pt-BR pt")])
def test_active_language_is_the_default(request_: Any, language: str, locales: str) -> None:
    with override(language):
        assert parts(account_url(request_, "phone"))[1]["ui_locales"] == locales


def test_no_active_language_sends_none(request_: Any) -> None:
    with override(None):
        assert "ui_locales" not in parts(account_url(request_, "phone"))[1]


@pytest.mark.parametrize(
    ("task", "options", "text"),
    [
        ("pasword", {}, "no task 'pasword'. Expected one of account, profile"),
        ("", {}, "Expected one of"),
        ("password/success", {}, "Expected one of"),
        ("../oidc/auth", {}, "Expected one of"),
        ("social", {}, "needs the connector_id"),
        ("password", {"connector_id": "abc"}, "has no connector_id"),
        ("security", {"next": "/"}, "does not come back"),
    ],
)
def test_wrong_task_is_refused(request_: Any, task: str, options: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidAccountTask, match=text):
        account_url(request_, task, **options)  # type: ignore[arg-type]


def test_unsafe_next_is_left_out(request_: Any) -> None:
    _path, query = parts(account_url(request_, "password", next="https://evil.example/"))
    assert query["redirect"].startswith("http://testserver/account-return?state=")


def test_base_url_is_where_it_comes_back(request_: Any, settings: Any) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    assert parts(account_url(request_, "password"))[1]["redirect"].startswith("https://shop.example/account-return")


def test_endpoint_with_slash_is_accepted(request_: Any, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "https://logto.example/"
    assert account_url(request_, "profile") == "https://logto.example/account/profile"


def test_missing_endpoint_is_named(request_: Any, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = ""
    with pytest.raises(ConfigurationError, match="LOGTO_ENDPOINT"):
        account_url(request_, "password")


def test_user_without_logto_comes_back_plainly(rf: RequestFactory) -> None:
    request: Any = rf.get("/")
    request.session = SessionStore()
    request.user = get_user(request)
    _path, query = parts(account_url(request, "password", next="/settings/"))
    assert query["redirect"] == "http://testserver/account-return?next=/settings/"


# The template tag


def render(request: Any, tag: str) -> str:
    return Template(f"{{% load logto %}}{tag}").render(Context({"request": request}))


def test_tag_returns_escaped_url_to_this_page(request_: Any) -> None:
    page = render(request_, '<a href="{% logto_account_link "password" %}">Password</a>')
    assert "&amp;ui_locales=" in page
    assert "account-return%3Fnext%3D%2Fsettings%2F%253Ftab%253D1%26state%3D" in page


def test_tag_stores_url_and_takes_options(request_: Any) -> None:
    tag = '{% logto_account_link "social/remove" next="/x" connector_id="abc" as url %}{{ url }}'
    assert "/account/social/abc/remove?redirect=" in render(request_, tag)


def test_tag_links_to_pages(request_: Any, logto: Emulator) -> None:
    assert render(request_, '{% logto_account_link "security" %}') == f"{logto.endpoint}/account/security"


@pytest.mark.parametrize("arguments", ['"pasword"', '"password" colour="r"', '"social"'])
def test_mistake_in_template_is_reported(request_: Any, settings: Any, caplog: Any, arguments: str) -> None:
    tag = f"{{% logto_account_link {arguments} %}}"
    assert render(request_, tag) == ""
    assert "wrong way" in caplog.text
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError):
        render(request_, tag)
