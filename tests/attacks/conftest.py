from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity
from logto_auth.testing import Browser

from . import api_urls
from .callers import API, Door, TokenMaker
from .support import Witness


@pytest.fixture
def witness(browser: Browser, logto: Emulator, caplog: Any, settings: Any) -> Witness:
    """Sees whether an attack has failed. What it looks at are the pages of the package, in no frame of a site."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    return Witness(browser, logto, caplog)


@pytest.fixture
def reader(logto: Emulator) -> Any:
    """An account at Logto, which the site has not seen yet."""
    return logto.tenant.add_user(username="reader", primary_email="reader@example.com", name="Reader")


@pytest.fixture
def spoil(logto: Emulator, settings: Any) -> Callable[[str, HttpFault], None]:
    """Breaks an endpoint of Logto."""

    def spoil(endpoint: str, fault: HttpFault) -> None:
        # A copy, for a fault counts the requests that it has hit.
        logto.faults.http[endpoint] = HttpFault(**vars(fault))
        if fault.delay_seconds or fault.drip_seconds:
            settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)

    return spoil


# APIs


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
