"""Mistakes in the arguments of template tags: reported where they are made, and harmless on a site in use."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from logto_auth.checks import check_project

TAGS = (
    "logto_sign_in_url",
    "logto_sign_in_button",
    "logto_sign_out_button",
    "logto_sign_out_others_button",
    "logto_organization_switcher",
    'logto_has_role "editor"',
)
MISTAKES = [
    "logto_sign_in_button first_screen='regster'",
    "logto_sign_in_url fisrt_screen='register'",
    "logto_sign_in_button scopes='read:books'",
    "logto_sign_in_button max_age='soon'",
    "logto_sign_out_button clas='button'",
    "logto_sign_out_others_button next='/'",
    "logto_organization_switcher colour='red'",
]


def rendered(tag: str, request: HttpRequest | None = None, **context: Any) -> str:
    return Template(f"{{% load logto %}}{{% {tag} %}}").render(Context({"request": request, **context}))


@pytest.fixture
def visitor(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/shelf/")
    request.user = AnonymousUser()
    request.session = {}
    return request


@pytest.mark.parametrize("tag", MISTAKES)
def test_mistake_fails_in_development(tag: str, visitor: HttpRequest, settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError):
        rendered(tag, visitor)


@pytest.mark.parametrize("tag", MISTAKES[:4])
def test_wrong_option_is_left_out_and_logged_in_production(tag: str, visitor: HttpRequest, caplog: Any) -> None:
    assert "/sign-in?next=/shelf/" in rendered(tag, visitor)
    assert "option" in caplog.text or "cannot set" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_options_may_be_empty(visitor: HttpRequest, settings: Any) -> None:
    settings.DEBUG = True
    page = rendered("logto_sign_in_url login_hint=email ui_locales=missing", visitor, email=None)
    assert page == "/sign-in?next=/shelf/"


@pytest.mark.parametrize("tag", TAGS)
def test_tag_without_request_fails_in_development(tag: str, settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match="needs the request"):
        rendered(tag)


@pytest.mark.parametrize("tag", TAGS)
def test_tag_without_request_is_logged_in_production(tag: str, caplog: Any) -> None:
    assert "next" not in rendered(tag)
    assert "needs the request" in caplog.text


def test_tag_with_next_needs_no_request(settings: Any) -> None:
    settings.DEBUG = True
    assert rendered("logto_sign_in_url next='/orders/'") == "/sign-in?next=/orders/"


def test_button_in_response_to_form_returns_to_its_page(rf: RequestFactory) -> None:
    request = rf.post("/books/add/", headers={"Referer": "http://testserver/books/"})
    assert rendered("logto_sign_in_url", request) == "/sign-in?next=/books/"


def template_problems(folder: Path, source: str, settings: Any) -> list[str]:
    (folder / "page.html").write_text(source, encoding="utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder], "APP_DIRS": False}]
    return [message.msg for message in check_project() if message.id == "logto_auth.W015"]


@pytest.mark.parametrize("tag", MISTAKES)
def test_check_finds_mistake(tag: str, tmp_path: Path, settings: Any) -> None:
    (problem,) = template_problems(tmp_path, f"{{% load logto %}}\n{{% {tag} %}}", settings)
    assert f"{tmp_path}/page.html, line 2: {tag.split()[0]}" in problem


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        ("'pasword'", "no task 'pasword'"),
        ("'security' next='/'", "does not come back"),
        ("'social'", "needs the connector_id"),
        ("'email' connector_id=connector.id", "has no connector_id"),
        ("'email' foo=1", "does not know the argument foo"),
    ],
)
def test_check_finds_mistake_in_account_link(arguments: str, mistake: str, tmp_path: Path, settings: Any) -> None:
    (problem,) = template_problems(tmp_path, f"{{% load logto %}}{{% logto_account_link {arguments} %}}", settings)
    assert mistake in problem


@pytest.mark.parametrize(
    "tag",
    [
        "logto_account_link 'email' next='/' identifier=user.email show_success=True ui_locales='ja' as url",
        "logto_account_link 'social/remove' connector_id=connector.id",
        "logto_account_link 'security'",
        "logto_account_link task",
        "logto_account_link task=task",
        "logto_sign_in_button _('Sign in') direct_sign_in='social:alipay' class='button' as link",
        "logto_sign_in_url next=request.path login_hint=user.email max_age=300",
        "logto_organization_switcher 'Branch' next='/' class='switcher'",
        "logto_has_role 'editor' as is_editor",
    ],
)
def test_check_accepts_correct_tag(tag: str, tmp_path: Path, settings: Any) -> None:
    assert template_problems(tmp_path, f"{{% load logto %}}{{% {tag} %}}", settings) == []


def test_check_ignores_other_files(tmp_path: Path, settings: Any) -> None:
    # Such as the template of another engine. Django's parser fails at a text without an end.
    assert template_problems(tmp_path, '{% from "logto_buttons" import _("a button %}', settings) == []
