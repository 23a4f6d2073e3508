"""SQL that is compiled once returns the same rows as the ORM."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, models
from django.utils.timezone import now

from logto_auth.compiled_query import CompiledQuery
from logto_auth.models import LogtoIdentity, make_digest

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def identity() -> LogtoIdentity:
    user = User.objects.create_user("reader", "reader@example.com", first_name="é", last_login=now())
    return LogtoIdentity.objects.create(user=user, issuer="i", sub="s", roles=["editor", "é"])


def stored(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_row_equals_that_of_the_orm(identity: LogtoIdentity, django_assert_num_queries: Any) -> None:
    by_digest, by_pk = CompiledQuery(LogtoIdentity, "digest"), CompiledQuery(User, "id")
    for _ in range(2):
        with django_assert_num_queries(2):
            found, user = by_digest.instance(make_digest("i", "s")), by_pk.instance(identity.user_id)
        assert stored(found) == stored(LogtoIdentity.objects.get())
        assert stored(user) == stored(User.objects.get())
        assert not found.get_deferred_fields()
    assert (found._state.db, found._state.adding) == (connection.alias, False)


def test_related_row_equals_that_of_the_orm(identity: LogtoIdentity, django_assert_num_queries: Any) -> None:
    query = CompiledQuery(LogtoIdentity, "digest", related="user")
    for _ in range(2):
        with django_assert_num_queries(1):
            found = query.instance(make_digest("i", "s"))
            user = found.user
        assert stored(found) == stored(LogtoIdentity.objects.get())
        assert stored(user) == stored(User.objects.get())
        assert not user.get_deferred_fields()
        assert (user._state.db, user._state.adding) == (connection.alias, False)
    assert query.instance(make_digest("i", "t")) is None


def test_values_are_those_of_the_columns(identity: LogtoIdentity) -> None:
    assert CompiledQuery(LogtoIdentity, "id", ("sub", "roles")).values(identity.pk) == ["s", ["editor", "é"]]


def test_missing_row_is_none(identity: LogtoIdentity) -> None:
    query = CompiledQuery(User, "id")
    assert query.instance(None) is None
    assert query.instance(identity.user_id + 1) is None
    assert query.instance(identity.user_id) == identity.user


@pytest.mark.parametrize("key", [10**30, "1" * 30, 2**63, -(2**63) - 1])
def test_key_that_no_column_contains_is_none(identity: LogtoIdentity, key: int | str) -> None:
    query = CompiledQuery(User, "id")
    for _ in range(2):
        assert query.instance(key) is None
        # Compiled now, with a key that the column can contain.
        assert query.instance(identity.user_id) == identity.user


def test_error_of_the_database_is_that_of_django() -> None:
    class Absent(models.Model):
        class Meta:
            app_label = "logto_auth"
            managed = False

    with pytest.raises(DatabaseError):
        CompiledQuery(Absent, "id").instance(1)
    del Absent._meta.apps.all_models["logto_auth"]["absent"]
