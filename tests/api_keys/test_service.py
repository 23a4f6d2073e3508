"""The rules of the service: names, times of expiry, the number of keys, and who may do what."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory

from logto_auth.api_keys import ApiKeys
from logto_auth.api_keys.errors import (
    ApiKeyError,
    ApiKeyGone,
    ClientRefused,
    ExpiryNotAllowed,
    InvalidKeyName,
    KeyNameTaken,
    ProofRequired,
    SessionRequired,
    TooManyApiKeys,
)
from logto_auth.api_keys.service import valid_name
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import (
    ConfigurationError,
    LogtoError,
    ManagementAPIError,
    ProviderError,
    SignInRefused,
    SignInRequired,
)

from .site import Owner, tokens_of

pytestmark = pytest.mark.django_db
NEXT_WEEK = datetime.now(timezone.utc) + timedelta(days=7)


def keys_of(owner: Owner) -> ApiKeys:
    return ApiKeys(owner.request)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("  laptop ", "laptop"),
        ("a/b", "a/b"),
        ("..", ".."),
        ("鍵 \N{KEY}", "鍵 \N{KEY}"),
        ("n" * 128, "n" * 128),
        ("\N{KEY}" * 64, "\N{KEY}" * 64),
    ],
)
def test_name_is_accepted(name: str, stored: str) -> None:
    assert valid_name(name) == stored


@pytest.mark.parametrize("name", ["", " ", "\u200b", "a\0b", "a\nb", "a\u2028b", "\ud83d", "n" * 129, "\N{KEY}" * 65])
def test_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidKeyName) as raised:
        valid_name(name)
    assert str(raised.value.visitor_message)


def test_key_is_made_listed_renamed_and_revoked(ada: Owner, signals: list[dict[str, Any]]) -> None:
    keys = keys_of(ada)
    created = keys.create("a/b", expires_at=NEXT_WEEK)
    token = ada.tokens["a/b"]
    assert created.value.reveal() == token.value
    assert token.value not in repr(created)
    assert token.expires_at == NEXT_WEEK.timestamp() * 1000 // 1
    (listed,) = keys.all()
    assert (listed.id, listed.name, listed.created_at, listed.is_expired) == (
        created.id,
        "a/b",
        created.created_at,
        False,
    )
    renamed = keys.rename(created.id, "..")
    assert (renamed.id, renamed.name) == (created.id, "..")
    keys.revoke(created.id)
    assert ada.tokens == {}
    # A client that put the name into a path would have deleted the user.
    assert ada.sub in ada.logto.tenant.users
    assert [(each["action"], each["name"], each["key_id"]) for each in signals] == [
        ("created", "a/b", created.id),
        ("renamed", "..", created.id),
        ("revoked", "..", created.id),
    ]
    assert {each["user"].username for each in signals} == {"ada"}


def test_keys_are_listed_newest_first(ada: Owner) -> None:
    for name, days in (("old", 3), ("new", 1), ("middle", 2)):
        ada.has(name, expires_at=1 if name == "old" else None)
        ada.tokens[name].created_at -= days * 86_400_000
    listed = keys_of(ada).all()
    assert [(each.name, each.is_expired) for each in listed] == [("new", False), ("middle", False), ("old", True)]


def test_expiry_beyond_the_calendar_is_none(ada: Owner) -> None:
    ada.has("eternal", expires_at=8_640_000_000_000_000)
    assert keys_of(ada).all()[0].expires_at is None


def test_keys_of_others_are_gone(ada: Owner, keys_site: Emulator) -> None:
    bobs = Owner(keys_site, "bob").has("laptop")
    keys = keys_of(ada)
    for change in (lambda: keys.get(bobs), lambda: keys.rename(bobs, "mine"), lambda: keys.revoke(bobs)):
        with pytest.raises(ApiKeyGone):
            change()
    assert set(tokens_of(keys_site, "bob000000001")) == {"laptop"}


def test_taken_name_is_refused(ada: Owner, signals: list[dict[str, Any]]) -> None:
    ada.has("laptop")
    other = ada.has("phone")
    keys = keys_of(ada)
    with pytest.raises(KeyNameTaken):
        keys.create("laptop", expires_at=NEXT_WEEK)
    with pytest.raises(KeyNameTaken):
        keys.rename(other, "laptop")
    assert keys.rename(other, "phone").name == "phone"
    assert signals == []


def test_expiry_is_limited(ada: Owner, settings: Any) -> None:
    keys = keys_of(ada)
    now = datetime.now(timezone.utc)
    for wrong in (now, None, now + timedelta(days=366), datetime(9999, 12, 31, tzinfo=timezone.utc)):
        with pytest.raises(ExpiryNotAllowed):
            keys.create("laptop", expires_at=wrong)
    with pytest.raises(ValueError, match="aware"):
        keys.create("laptop", expires_at=datetime(2030, 1, 1))
    settings.LOGTO_API_KEY_MAX_DAYS = None
    assert keys.create("laptop").expires_at is None
    assert keys.create("phone", expires_at=datetime.max.replace(tzinfo=timezone.utc)).expires_at is not None
    settings.LOGTO_API_KEY_MAX_DAYS = 10**12
    assert keys.create("tablet", expires_at=NEXT_WEEK).expires_at is not None


def test_number_of_keys_is_limited(ada: Owner, settings: Any) -> None:
    settings.LOGTO_API_KEYS_PER_USER = 2
    ada.has("one")
    keys_of(ada).create("two", expires_at=NEXT_WEEK)
    with pytest.raises(TooManyApiKeys):
        keys_of(ada).create("three", expires_at=NEXT_WEEK)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("not __import__('django').db.connection.features.has_select_for_update")
def test_parallel_requests_do_not_exceed_the_limit(ada: Owner, settings: Any) -> None:
    settings.LOGTO_API_KEYS_PER_USER = 1
    outcomes: list[Any] = []

    def create(keys: ApiKeys, name: str) -> None:
        try:
            outcomes.append(keys.create(name, expires_at=NEXT_WEEK).name)
        except ApiKeyError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=create, args=(keys_of(ada), name)) for name in ("one", "two", "three")]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert sorted(outcomes).count("too_many_api_keys") == 2


def test_creation_needs_proof(keys_site: Emulator) -> None:
    owner = Owner(keys_site)
    with pytest.raises(ProofRequired):
        keys_of(owner).create("laptop", expires_at=NEXT_WEEK)
    owner.prove()
    assert keys_of(owner).create("laptop", expires_at=NEXT_WEEK).name == "laptop"


def test_recent_sign_in_is_proof(keys_site: Emulator) -> None:
    owner = Owner(keys_site)
    owner.browser.sign_in(max_age="300")
    assert keys_of(owner).has_proof


def test_user_suspended_at_logto_gets_no_key(ada: Owner) -> None:
    ada.logto.tenant.users[ada.sub].is_suspended = True
    keys = keys_of(ada)
    with pytest.raises(SignInRefused) as raised:
        keys.create("laptop", expires_at=NEXT_WEEK)
    assert raised.value.code == "account_disabled"
    assert ada.tokens == {}


def test_user_deleted_at_logto_has_to_sign_in(ada: Owner) -> None:
    keys = keys_of(ada)
    del ada.logto.tenant.users[ada.sub]
    for use in (keys.all, lambda: keys.create("laptop", expires_at=NEXT_WEEK), lambda: keys.revoke("0" * 32)):
        with pytest.raises(SignInRequired):
            use()


def test_key_that_was_revoked_meanwhile_is_gone(ada: Owner, signals: list[dict[str, Any]]) -> None:
    key, keys = ada.has("laptop"), keys_of(ada)
    faults = ada.logto.faults.http
    faults["management_api"] = HttpFault(status=404, body='{"code": "entity.not_exists"}', only="PATCH .*")
    with pytest.raises(ApiKeyGone):
        keys.rename(key, "phone")
    faults["management_api"] = HttpFault(status=404, body='{"code": "entity.not_found"}', only="POST .*/delete")
    with pytest.raises(ApiKeyGone):
        keys.revoke(key)
    assert signals == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (HttpFault(status=500), ManagementAPIError),
        (HttpFault(status=404, body="<html>"), ManagementAPIError),
        (HttpFault(status=200, body="{}"), ManagementAPIError),
        (HttpFault(status=200, body='[{"name": "x"}]'), ManagementAPIError),
        (HttpFault(status=200, body='[{"name": "x", "value": 1, "createdAt": 1, "expiresAt": null}]'), LogtoError),
        (HttpFault(status=200, body='[{"name": "x", "value": "v", "createdAt": "1", "expiresAt": null}]'), LogtoError),
        (HttpFault(drop=True), ProviderError),
    ],
)
def test_unknown_answer_is_an_error_of_logto(ada: Owner, fault: HttpFault, error: Any) -> None:
    keys = keys_of(ada)
    keys.all()
    ada.logto.faults.http["management_api"] = fault
    with pytest.raises(error):
        keys.all()


@pytest.mark.parametrize("body", ["[]", "{}", '{"isSuspended": null}', ""])
def test_unknown_answer_about_user_makes_no_key_and_ends_no_session(ada: Owner, body: str) -> None:
    ada.logto.faults.http["management_api"] = HttpFault(status=200, body=body, only="GET .*/users/[^/]*")
    with pytest.raises(ManagementAPIError) as caught:
        keys_of(ada).create("laptop", expires_at=NEXT_WEEK)
    assert (caught.value.code, ada.tokens) == ("unexpected_body", {})
    page = ada.post("new", "create", name="laptop", expires_at="7")
    assert (page.status_code, ada.tokens) == (502, {})
    assert ada.open().status_code == 200


def test_key_is_not_revoked_because_something_else_has_answered(ada: Owner, signals: list[dict[str, Any]]) -> None:
    key = ada.has("laptop")
    ada.logto.faults.http["management_api"] = HttpFault(status=200, body="{}", only="POST .*/delete")
    with pytest.raises(ManagementAPIError, match="Expected nothing"):
        keys_of(ada).revoke(key)
    assert signals == []


def test_request_without_user_is_refused(keys_site: Emulator) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with pytest.raises(SignInRequired):
        ApiKeys(request)


def test_site_without_management_api_has_none(ada: Owner, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    with pytest.raises(ConfigurationError, match="LOGTO_M2M_APP_SECRET"):
        keys_of(ada)


class TokenOf:
    """What the service reads of the principal of an access token."""

    is_authenticated = True
    is_machine = False
    is_api_key = False
    client_id = "unknown"
    sub = "ada000000001"

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


@pytest.mark.parametrize(
    "values", [{"is_machine": True}, {"is_api_key": True}, {"client_id": "https://agent.example/"}]
)
def test_client_cannot_manage_keys(keys_site: Emulator, values: Any) -> None:
    request: Any = RequestFactory().get("/")
    request.logto = TokenOf(**values)
    with pytest.raises(ClientRefused):
        ApiKeys(request)


def test_access_token_makes_no_key(keys_site: Emulator, settings: Any) -> None:
    request: Any = RequestFactory().get("/")
    request.logto = TokenOf(client_id=settings.LOGTO_APP_ID)
    with pytest.raises(SessionRequired):
        ApiKeys(request).create("laptop", expires_at=NEXT_WEEK)
