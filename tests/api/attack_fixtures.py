"""Fixtures of the attacks on APIs; a folder that needs them imports them in its `conftest.py`."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity

from . import attacked_urls
from .attackers import API, Door, TokenMaker


@pytest.fixture
def apis(logto: Emulator, settings: Any) -> None:
    """The small site of `attacked_urls` in place of the bookstore."""
    settings.ROOT_URLCONF = attacked_urls.__name__
    settings.LOGTO_API_RESOURCE = API
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]


@pytest.fixture
def doors(apis: None, caplog: Any) -> list[Door]:
    """The APIs that accept tokens for the resource, one for each way to protect them."""
    return [Door(name, path, caplog) for name, path in attacked_urls.BOOKS.items()]


@pytest.fixture
def door(doors: list[Door]) -> Door:
    """One of them, for rules that are the same at all."""
    return doors[0]


@pytest.fixture
def stock_doors(apis: None, caplog: Any) -> list[Door]:
    """The APIs that accept organization tokens."""
    return [Door(name, path, caplog) for name, path in attacked_urls.STOCKS.items()]


@pytest.fixture
def caller(db: None, logto: Emulator, reader: Any) -> Any:
    """The account on the site of the user who calls the APIs."""
    user = get_user_model().objects.create_user("caller")
    LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub=reader.id)
    return user


@pytest.fixture
def token(caller: Any, logto: Emulator, reader: Any) -> TokenMaker:
    """Make access tokens of that user."""
    return TokenMaker(logto, reader.id)
