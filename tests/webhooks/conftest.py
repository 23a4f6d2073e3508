from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity

from .deliveries import SIGNING_KEY, SUB


@pytest.fixture
def signing_key(settings: Any) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    cache.clear()


@pytest.fixture
def identity(db: None) -> LogtoIdentity:
    """Return the identity of a known user who is not signed in."""
    account = get_user_model().objects.create_user("reader", "old@example.com", first_name="Old")
    return LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub=SUB)
