"""Accounts that code of the site saves within a request: nothing of the site may break because of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils.functional import SimpleLazyObject

from logto_auth.audit import by_hand, record_event
from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.users.current_request import use_request
from logto_auth.users.rights import flags_of

from .recorded import written

pytestmark = pytest.mark.django_db
User = get_user_model()


@contextmanager
def request_of(user: Any, rf: Any) -> Iterator[None]:
    request = rf.get("/")
    request.user = user
    with use_request(request):
        yield


def all_details() -> list[Any]:
    return [event.details for event in AuditEvent.objects.order_by("pk")]


@isolate_apps("tests.audit")
def test_computed_flags_are_not_read() -> None:
    class Guest(AbstractBaseUser):
        USERNAME_FIELD = "password"
        REQUIRED_FIELDS: list[str] = []

        class Meta:
            app_label = "guests"

        @property
        def is_staff(self) -> bool:
            raise ValueError("The groups of an account that is not saved cannot be read.")

        @property
        def is_superuser(self) -> bool:
            return False

        @is_superuser.setter
        def is_superuser(self, value: bool) -> None:
            """Store it elsewhere."""

    assert flags_of(Guest()) == {"is_active": True, "is_superuser": False}
    by_hand.keep_former_flags(Guest, Guest())


def test_deferred_flags_are_not_loaded() -> None:
    User.objects.create_user("reader")
    user = User.objects.only("username").get(username="reader")

    with CaptureQueriesContext(connection) as queries:
        user.save()

    assert not any("is_staff" in each["sql"] or "is_superuser" in each["sql"] for each in queries)


def test_account_that_is_saved_while_the_user_is_loaded(rf: Any, admin_user: Any) -> None:
    def load() -> Any:
        admin_user.save()
        return admin_user

    with request_of(SimpleLazyObject(load), rf):
        User.objects.create_user("reader")

    assert User.objects.filter(username="reader").exists()


def test_actor_whom_an_async_view_has_loaded(rf: Any, admin_user: Any) -> None:
    request = rf.get("/")
    request.user, request._acached_user = SimpleLazyObject(pytest.fail), admin_user

    with use_request(request):
        User.objects.create_user("reader", is_staff=True)

    assert AuditEvent.objects.get().actor_id == str(admin_user.pk)


def test_groups_of_another_model(rf: Any, admin_user: Any) -> None:
    reader = User.objects.create_user("reader")
    group = Group.objects.create(name="Night shift")

    with mock.patch.object(Group, "natural_key", None), request_of(admin_user, rf):
        reader.groups.add(group)

    assert all_details() == [{"groups_added": [str(group.pk)]}]


def test_users_of_a_group_with_another_related_name(rf: Any, admin_user: Any) -> None:
    reader = User.objects.create_user("reader")
    group = Group.objects.create(name="Night shift")
    reader.groups.add(group)
    users = group.user_set

    with mock.patch.object(Group, "user_set", None), request_of(admin_user, rf):
        users.clear()

    assert all_details() == [{"groups_removed": ["Night shift"]}]
    assert not reader.groups.exists()


def test_many_users_of_a_group_are_one_insert(rf: Any, admin_user: Any) -> None:
    readers = User.objects.bulk_create(User(username=f"reader{n}") for n in range(20))
    group = Group.objects.create(name="Night shift")

    with request_of(admin_user, rf), written() as statements:
        group.user_set.add(*User.objects.filter(username__startswith="reader"))

    assert len([each for each in statements if each.startswith("INSERT")]) == 1
    assert AuditEvent.objects.count() == len(readers)


def test_queries_do_not_grow_with_the_permissions(rf: Any, admin_user: Any) -> None:
    reader = User.objects.create_user("reader")

    def queries(count: int) -> int:
        with request_of(admin_user, rf), CaptureQueriesContext(connection) as context:
            reader.user_permissions.set(Permission.objects.all()[:count])
        return len(context)

    queries(1)
    few = queries(3)
    reader.user_permissions.clear()
    queries(1)
    assert queries(20) == few


def test_copy_in_another_database_is_not_recorded(rf: Any, admin_user: Any) -> None:
    reader = User.objects.create_user("reader")
    reader.is_staff = True

    with request_of(admin_user, rf):
        for using in ("archive", "default"):
            by_hand.keep_former_flags(User, reader, using=using)
            by_hand.record_flags(User, reader)

    assert all_details() == [{"former": {"is_staff": False}, "current": {"is_staff": True}}]


@isolate_apps("tests.audit")
def test_proxy_of_the_user_model_is_no_way_around(rf: Any, admin_user: Any) -> None:
    class Colleague(User):  # type: ignore[misc, valid-type]
        class Meta:
            app_label, proxy = "audit", True

    reader = User.objects.create_user("reader", "reader@example.com")
    record_event("shop.sold", user=reader)
    colleague = Colleague.objects.get(pk=reader.pk)
    with mock.patch.object(apps, "get_models", return_value=[User, Colleague]):
        connect_receivers()
        try:
            with request_of(admin_user, rf):
                colleague.is_staff = True
                colleague.save()
                colleague.delete()
        finally:
            disconnect_receivers()

    events = list(AuditEvent.objects.order_by("pk"))
    assert [event.action for event in events] == ["shop.sold", "rights_changed", "account_deleted"]
    assert {event.user_id for event in events} == {str(reader.pk)}
    assert not any(event.user_data for event in events)


def test_account_that_is_saved_by_its_key(rf: Any, admin_user: Any) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)

    with request_of(admin_user, rf):
        User(pk=clerk.pk, username="clerk").save()

    assert all_details() == [{"former": {"is_staff": True}, "current": {"is_staff": False}}]


def test_actor_of_another_kind(rf: Any) -> None:
    request = rf.get("/")
    request.user = SimpleNamespace(pk="machine", is_authenticated=True)

    event = record_event("shop.sold", request)

    assert event is not None
    assert event.actor_id == "machine"
