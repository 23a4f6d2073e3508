"""Attacks on webhooks: unsigned deliveries change nothing, and stale ones override nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now
from freezegun import freeze_time

from logto_auth.models import LogtoIdentity, OrganizationMembership, WebhookMark
from logto_auth.webhooks.signals import webhook_received
from tests.recorded import recording
from tests.webhooks.deliveries import (
    SIGNING_KEY,
    SUB,
    URL,
    deliver,
    encoded,
    event,
    send,
    signature,
    user_event,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_key", "identity")]
User = get_user_model()
OTHER_KEY = "RotatedRotatedRotatedRotatedRota"


@pytest.fixture
def refused(caplog: Any) -> Callable[..., Any]:
    """Return a function that checks that a delivery is refused in JSON with one log line and without effects."""

    def refused(deliver: Callable[[], Any], status: int, code: str) -> Any:
        caplog.clear()
        received: list[Any] = []
        webhook_received.connect(hear := lambda event, **kwargs: received.append(event))
        response = deliver()
        webhook_received.disconnect(hear)
        assert response.status_code == status
        assert response.json()["error"] == code
        assert response["Cache-Control"] == "no-store"
        assert received == []
        assert not WebhookMark.objects.exists()
        assert User.objects.get().is_active
        assert LogtoIdentity.objects.get().status_at is None
        lines = [record for record in caplog.records if record.name == "logto_auth"]
        assert [line.levelno for line in lines] == [logging.ERROR if status >= 500 else logging.WARNING]
        for secret in (SIGNING_KEY, "reader@example.com", SUB):
            assert secret not in caplog.text
            assert secret not in response.content.decode()
        return response

    return refused


def suspension(at: datetime | None = None) -> dict[str, Any]:
    return user_event("User.SuspensionStatus.Updated", SUB, at=at, isSuspended=True)


def ago(**time: float) -> datetime:
    return now() - timedelta(**time)


# Signatures


def test_valid_signature_is_accepted() -> None:
    assert deliver(suspension()).status_code == 204
    assert not User.objects.get().is_active


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(lambda body: "", id="empty"),
        pytest.param(lambda body: "0" * 64, id="zeros"),
        pytest.param(lambda body: "é€\x80", id="no-ascii"),
        pytest.param(lambda body: signature(body)[:-1], id="cut"),
        pytest.param(lambda body: signature(body) + "0", id="longer"),
        pytest.param(lambda body: signature(body).upper(), id="upper-case"),
        pytest.param(lambda body: "sha256=" + signature(body), id="prefixed"),
        pytest.param(lambda body: f"{signature(body)}, {signature(body)}", id="doubled"),
        pytest.param(lambda body: signature(body, "other"), id="other-key"),
        pytest.param(lambda body: signature(body, SIGNING_KEY.lower()), id="key-of-another-case"),
        pytest.param(lambda body: signature(body, ""), id="no-key"),
        pytest.param(lambda body: signature(body + b" "), id="other-body"),
        pytest.param(lambda body: signature(b""), id="empty-body"),
    ],
)
def test_wrong_signature_is_refused(refused: Any, sign: Callable[[bytes], str]) -> None:
    body = encoded(suspension())
    refused(lambda: send(body, signed=sign(body)), 401, "invalid_signature")


def test_missing_or_misplaced_signature_is_refused(refused: Any) -> None:
    body = encoded(suspension())
    client = Client()
    refused(lambda: client.post(URL, body, "application/json"), 401, "invalid_signature")
    query = f"{URL}?logto-signature-sha-256={signature(body)}"
    refused(lambda: client.post(query, body, "application/json"), 401, "invalid_signature")


def test_signature_of_other_body_is_refused(refused: Any) -> None:
    harmless = encoded(user_event("User.Data.Updated", SUB))
    refused(lambda: send(encoded(suspension()), signed=signature(harmless)), 401, "invalid_signature")


def test_reformatted_body_is_refused(refused: Any) -> None:
    payload = suspension()
    signed = signature(encoded(payload))
    refused(lambda: send(json.dumps(payload).encode(), signed=signed), 401, "invalid_signature")
    refused(lambda: send(json.dumps(payload, sort_keys=True).encode(), signed=signed), 401, "invalid_signature")


def test_recorded_delivery_with_changed_byte_is_refused(refused: Any) -> None:
    delivery = recording("webhooks")[3]
    body = delivery["body"].replace("p8258v1eiise", SUB).encode()
    with freeze_time(parse_datetime(json.loads(body)["createdAt"])):
        signed = delivery["headers"]["logto-signature-sha-256"]
        refused(lambda: send(body, signed=signed), 401, "invalid_signature")


@pytest.mark.parametrize("key", ["", [], (), [""], ("", ""), "secret", ["secret"]])
def test_missing_key_refuses_all_deliveries(refused: Any, settings: Any, key: Any) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = key
    body = encoded(suspension())
    for signed in (signature(body, ""), signature(body, "secret"), signature(body), ""):
        response = refused(lambda signed=signed: send(body, signed=signed), 503, "not_configured")
        assert "LOGTO_WEBHOOK_SIGNING_KEY" in response.json()["error_description"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_two_keys_are_accepted_during_rotation(refused: Any, settings: Any, kind: type) -> None:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = kind([OTHER_KEY, "", SIGNING_KEY])
    body = encoded(user_event("User.Data.Updated", SUB, name="New"))
    refused(lambda: send(body, signed=signature(body, "")), 401, "invalid_signature")
    assert send(body, signed=signature(body, OTHER_KEY)).status_code == 204
    assert send(body, signed=signature(body, SIGNING_KEY)).status_code == 204
    settings.LOGTO_WEBHOOK_SIGNING_KEY = OTHER_KEY
    assert send(body + b" ", signed=signature(body + b" ", SIGNING_KEY)).status_code == 401


# Bodies


def test_large_body_is_refused_unread(refused: Any) -> None:
    body = encoded({**suspension(), "padding": "x" * 5_000_000})
    refused(lambda: send(body), 413, "content_too_large")
    refused(lambda: send(body, signed=""), 413, "content_too_large")


def test_body_of_maximum_size_is_accepted(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = encoded({**suspension(), "padding": ""})
    assert send(body[:-2] + b"x" * (1024 * 1024 - len(body)) + b'"}').status_code == 204
    assert not User.objects.get().is_active


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 204),
        ("application/json; charset=utf-8", 204),
        ("APPLICATION/JSON", 204),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
def test_other_content_type_is_refused(refused: Any, content_type: str, status: int) -> None:
    body = encoded(suspension())
    if status == 204:
        assert send(body, content_type=content_type).status_code == 204
    else:
        refused(lambda: send(body, content_type=content_type), status, "invalid_request")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_other_method_is_refused(method: str) -> None:
    body = encoded(suspension())
    headers = {"logto-signature-sha-256": signature(body)}
    assert Client().generic(method.upper(), URL, body, "application/json", headers=headers).status_code == 405
    assert User.objects.get().is_active


def test_webhook_needs_no_csrf_token_or_session() -> None:
    body = encoded(suspension())
    headers = {"logto-signature-sha-256": signature(body), "Origin": "https://evil.example"}
    client = Client(enforce_csrf_checks=True)
    assert client.post(URL, body, "application/json", headers=headers).status_code == 204
    assert not client.cookies


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"null",
        b"[]",
        b'"User.Deleted"',
        b"\xff\xfe{\x00}\x00",
        b'{"event": "User.Deleted"}',
        b'{"event": 5, "createdAt": "2026-11-23T02:15:27.969Z"}',
        b'{"event": "\\u0000", "createdAt": "2026-11-23T02:15:27.969Z"}',
        b'{"createdAt": "2026-11-23T02:15:27.969Z"}',
        b'{"a":' * 100_000,
        b'{"a": 1' + b"0" * 100_000 + b"}",
    ],
    ids=lambda body: body[:20].decode(errors="replace"),
)
def test_signed_body_without_event_is_refused(refused: Any, body: bytes) -> None:
    refused(lambda: send(body), 400, "invalid_request")


@pytest.mark.parametrize(
    "created_at",
    [
        None,
        5,
        1795400127969,
        [],
        {},
        "",
        "yesterday",
        "2026-11-23",
        "2026-11-23T02:15:27.969",
        "2026-13-45T99:99:99Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-23T02:15:27+99:99",
    ],
    ids=str,
)
def test_event_without_valid_time_is_refused(refused: Any, created_at: Any) -> None:
    refused(lambda: deliver({**suspension(), "createdAt": created_at}), 400, "invalid_request")


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [(-3600, True), (-3659, True), (-3661, False), (-86400, False), (0, True), (59, True), (61, False), (1e6, False)],
)
def test_event_is_accepted_within_time_window(refused: Any, seconds: float, is_taken: bool) -> None:
    with freeze_time("2026-11-23T12:00:00Z"):
        at = now() + timedelta(seconds=seconds)
        if is_taken:
            assert deliver(suspension(at)).status_code == 204
        else:
            refused(lambda: deliver(suspension(at)), 400, "invalid_request")


def test_time_window_can_be_set(refused: Any, settings: Any) -> None:
    settings.LOGTO_WEBHOOK_MAX_AGE_SECONDS, settings.LOGTO_CLOCK_SKEW_SECONDS = 10, 0
    refused(lambda: deliver(suspension(ago(seconds=12))), 400, "invalid_request")
    assert deliver(suspension(ago(seconds=5))).status_code == 204


# Replays


def test_replay_gets_204_and_does_nothing() -> None:
    body = encoded(suspension(ago(seconds=5)))
    heard: list[Any] = []
    webhook_received.connect(hear := lambda event, **kwargs: heard.append(event))
    assert send(body).status_code == 204
    User.objects.update(is_active=True)
    assert send(body).status_code == 204
    webhook_received.disconnect(hear)
    assert len(heard) == 1
    assert User.objects.get().is_active


@pytest.mark.parametrize("backend", ["dummy.DummyCache", "filebased.FileBasedCache"])
def test_replay_with_empty_cache_changes_nothing(settings: Any, tmp_path: Any, backend: str) -> None:
    location = tmp_path / "file"
    location.write_text("no folder")
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": str(location)}}
    suspended, lifted = suspension(ago(seconds=5)), user_event("User.SuspensionStatus.Updated", SUB, at=ago(seconds=4))
    renamed = user_event("User.Data.Updated", SUB, at=ago(seconds=3), name="New")
    joined = event("Organization.Membership.Updated", at=ago(seconds=5), organizationId="o", addedUserIds=[SUB])
    left = event("Organization.Membership.Updated", at=ago(seconds=4), organizationId="o", removedUserIds=[SUB])
    story = [suspended, lifted, renamed, joined, left]
    for payload in [*story, *story, *reversed(story)]:
        assert deliver(payload).status_code == 204
    assert (User.objects.get().is_active, User.objects.get().first_name) == (True, "New")
    assert not OrganizationMembership.objects.exists()


def test_failed_delivery_can_be_sent_again(settings: Any) -> None:
    body = encoded(user_event("User.Data.Updated", SUB, name="New"))
    settings.LOGTO_WEBHOOK_RUNNER = "tests.support.fail"
    assert send(body).status_code == 500
    settings.LOGTO_WEBHOOK_RUNNER = ""
    assert send(body).status_code == 204
    assert User.objects.get().first_name == "New"
