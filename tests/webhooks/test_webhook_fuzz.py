"""Any request to the webhook endpoint gets 204 or 4xx, never 500, and suspends no user that it does not name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.timezone import now
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from tests.webhooks.deliveries import EVENTS, SIGNING_KEY, SUB, URL, iso, signature, user

pytestmark = pytest.mark.django_db
User = get_user_model()

bounded = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    # Rows may change between examples; the status is never 500.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
# JSON values that databases, encodings or clocks may not accept.
odd_values = st.sampled_from(
    [
        "\x00",
        "\ud800",
        "x" * 300,
        "",
        "<b>",
        1e308,
        float("nan"),
        -1,
        10**400,
        True,
        None,
        [],
        {},
        [[]],
        {"a": "\ud800"},
    ]
)
any_value = json_values | odd_values
event_names = st.sampled_from([*EVENTS, "Moon.Phase.Updated", "User.", "Organization.", ""])
routes = st.sampled_from(["/users/:userId", "/users/:userId/profile", "/users/:userId/custom-data", "/fake-path/:id"])
ids = st.just(SUB) | any_value
odd_users = st.builds(
    lambda changes: {**user(SUB), **changes},
    st.dictionaries(st.sampled_from(list(user(SUB))), any_value, max_size=4),
)
odd_profiles = st.dictionaries(
    st.sampled_from(["givenName", "familyName", "preferredUsername", "address", "nickname"]), any_value, max_size=3
)
members = st.fixed_dictionaries(
    {"event": event_names},
    optional={
        "matchedRoute": routes | any_value,
        "params": st.dictionaries(st.sampled_from(["userId", "id"]), ids, max_size=2) | any_value,
        "data": odd_users | odd_profiles | any_value,
        "user": odd_users | any_value,
        "userId": ids,
        "organizationId": ids,
        "addedUserIds": st.lists(ids, max_size=3) | any_value,
        "removedUserIds": st.lists(ids, max_size=3) | any_value,
        "createdAt": any_value,
    },
)


@pytest.fixture(autouse=True)
def identity(settings: Any) -> Iterator[LogtoIdentity]:
    """Create a user that the events name, and another user that no event names."""
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    settings.LOGTO_SCOPES = (
        *settings.LOGTO_SCOPES,
        *("phone", "address", "custom_data", "identities", "urn:logto:scope:organizations"),
    )
    # Repeated deliveries are handled too.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    account, bystander = User.objects.create_user("reader"), User.objects.create_user("bystander", first_name="By")
    LogtoIdentity.objects.create(user=bystander, issuer=conf.issuer, sub="bystander001")
    yield LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub=SUB)
    bystander = User.objects.get(username="bystander")
    assert (bystander.is_active, bystander.first_name) == (True, "By")
    assert not OrganizationMembership.objects.filter(identity__sub="bystander001").exists()


def encoded(payload: Any) -> bytes:
    """Return the payload with escapes for non-ASCII characters, because half a surrogate pair needs one."""
    return json.dumps(payload).encode()


def send(body: bytes, content_type: str, signed: str | None, **environment: str) -> int:
    if signed is not None:
        environment["HTTP_LOGTO_SIGNATURE_SHA_256"] = signed
    response = Client().generic("POST", URL, body, content_type, **environment)
    # The database still works: no transaction is left broken.
    assert User.objects.count() == 2
    return int(response.status_code)


@bounded
@given(
    body=st.binary(max_size=300) | any_value.map(encoded),
    content_type=st.sampled_from(["application/json", "application/json; charset=none", "", "text/plain", "a/b; c=é"])
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    signed=st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
def test_unsigned_body_is_refused(body: bytes, content_type: str, signed: str | None) -> None:
    assert send(body, content_type, signed) == 401


@bounded
@given(
    body=st.binary(max_size=300) | any_value.map(encoded),
    content_type=st.sampled_from(["application/json", "application/json; charset=hex", "", "text/plain"]),
)
def test_signed_body_without_event_is_refused(body: bytes, content_type: str) -> None:
    assert send(body, content_type, signature(body)) in (400, 415)


@pytest.mark.parametrize("length", ["", "0", "-1", "abc", "1e3", "\u00b2", "\u0661", "9" * 30, "9" * 5000])
def test_any_declared_length_is_handled(length: str) -> None:
    body = encoded({"event": "User.Deleted", "createdAt": iso(now()), "params": {"userId": SUB}})
    assert send(body, "application/json", signature(body), CONTENT_LENGTH=length) in (204, 400, 401, 413)


@bounded
@given(payload=members)
@example(payload={"event": "User.Data.Updated", "params": {"userId": "\ud800"}, "data": {"id": "\ud800"}})
@example(payload={"event": "User.Data.Updated", "data": {**user(SUB), "primaryEmail": "\ud800@example.com"}})
@example(payload={"event": "User.Data.Updated", "data": {**user(SUB), "name": "\ud800"}})
@example(payload={"event": "Organization.Data.Updated", "params": {"id": SUB}, "data": {"name": "\ud800\x00"}})
@example(payload={"event": "Organization.Membership.Updated", "organizationId": "o", "addedUserIds": [[], {}, SUB]})
def test_event_with_any_members_is_handled(payload: dict[str, Any]) -> None:
    Organization.objects.get_or_create(issuer=conf.issuer, logto_id=SUB)
    body = encoded({"createdAt": iso(now()), **payload})
    assert send(body, "application/json", signature(body)) in ((204,) if "createdAt" not in payload else (204, 400))
