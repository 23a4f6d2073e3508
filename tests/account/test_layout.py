"""The account pages inside the layout of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Reader

pytestmark = pytest.mark.django_db
LAYOUT = "{% for message in messages %}<p>{{ message }}</p>{% endfor %}{% block content %}{% endblock %}"


@pytest.fixture
def templates(account_site: Any, tmp_path: Path, settings: Any) -> Path:
    """Return the folder of the site's templates for this package."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    folder = tmp_path / "logto_auth"
    (folder / "account").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("layout", [LAYOUT, "{% block content %}{% endblock %}"])
def test_message_is_shown_once(templates: Path, reader: Reader, layout: str) -> None:
    (templates / "base.html").write_text(layout)
    assert reader.post("", "about", name="Ada").status_code == 302
    assert reader.get().text.count("Your profile has been saved.") == 1


def test_site_adds_tab(templates: Path, reader: Reader) -> None:
    tab = '<li><a href="/orders/">Orders</a></li>'
    (templates / "account" / "base.html").write_text(
        f'{{% extends "logto_auth/account/base.html" %}}{{% block account_tabs %}}{tab}{{% endblock %}}'
    )
    text = reader.get().text
    assert tab in text[text.index("<nav") : text.index("</nav>")]
