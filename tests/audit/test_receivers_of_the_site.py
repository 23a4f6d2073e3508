"""Receivers of `event_recorded`, which code of the site connects, must not break the change they hear of."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from logto_auth.audit import record_event
from logto_auth.audit.signals import event_recorded

pytestmark = pytest.mark.django_db


def test_error_of_the_database_in_a_receiver_spares_the_transaction() -> None:
    def receiver(**kwargs: Any) -> None:
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM missing")

    event_recorded.connect(receiver)
    try:
        with transaction.atomic():
            assert record_event("shop.sold") is not None
            get_user_model().objects.create_user("reader")
    finally:
        event_recorded.disconnect(receiver)

    assert get_user_model().objects.filter(username="reader").exists()
