"""Fixtures for APIs that require access tokens."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity

from . import api_urls
from .callers import API, Door, TokenMaker


@pytest.fixture
def apis(logto: Emulator, settings: Any) -> None:
    """The small site of `api_urls` in place of the bookstore."""
    settings.ROOT_URLCONF = api_urls.__name__
    settings.LOGTO_API_RESOURCE = API
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]


@pytest.fixture
def doors(apis: None, caplog: Any) -> list[Door]:
    """The APIs that take tokens for the resource, one for each way to protect them."""
    return [Door(name, path, caplog) for name, path in api_urls.BOOKS.items()]


@pytest.fixture
def stock_doors(apis: None, caplog: Any) -> list[Door]:
    """The APIs that take organization tokens."""
    return [Door(name, path, caplog) for name, path in api_urls.STOCKS.items()]


@pytest.fixture
def caller(db: None, logto: Emulator, reader: Any) -> Any:
    """The account here of somebody who calls the APIs."""
    user = get_user_model().objects.create_user("caller")
    LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub=reader.id)
    return user


@pytest.fixture
def token(caller: Any, logto: Emulator, reader: Any) -> TokenMaker:
    """Makes access tokens of that person."""
    return TokenMaker(logto, reader.id)
