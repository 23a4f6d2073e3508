"""The endpoint: who gets a yes, and which calls are refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.password_migration.accounts import REPEAT_SECONDS
from logto_auth.password_migration.limits import MAX_ATTEMPTS
from logto_auth.password_migration.models import MovedPassword

from . import site
from .site import KEY, PASSWORD, CountedScrypt, add_account, ask, body_of, send, signed

pytestmark = pytest.mark.django_db


def answer(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("error", "")


# Who gets a yes


def test_right_password_of_imported_account_is_verified(moving_site: Emulator) -> None:
    user = add_account(moving_site, "ada")
    response = send(body_of("subada"))
    assert (response.status_code, response.json()) == (200, {"verified": True})
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    moved = MovedPassword.objects.get(identity__user=user)
    assert moved.by_site


def test_wrong_password_is_not_verified(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    assert ask("subada", "wrong") == (200, False)
    assert not MovedPassword.objects.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"is_active": False}, id="inactive"),
        pytest.param({"is_staff": True}, id="staff"),
        pytest.param({"is_superuser": True}, id="superuser"),
        pytest.param({"at_logto": {"password": "New-at-Logto-1"}}, id="password at Logto"),
        pytest.param({"at_logto": {"is_suspended": True}}, id="suspended at Logto"),
        pytest.param({"hasher": "md5"}, id="hash that Logto takes"),
    ],
)
def test_other_accounts_get_no_yes(moving_site: Emulator, spoil: dict[str, Any]) -> None:
    add_account(moving_site, "bob")
    add_account(moving_site, "ada", **spoil)
    assert ask("subada") == (200, False)


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.DELETED])
def test_identity_that_is_not_active_gets_no_yes(moving_site: Emulator, status: UserStatus) -> None:
    add_account(moving_site, "bob")
    LogtoIdentity.objects.filter(user=add_account(moving_site, "ada")).update(status=status)
    assert ask("subada") == (200, False)


def test_user_of_logto_with_the_same_username_gets_no_yes(moving_site: Emulator) -> None:
    """The account is found by the id at Logto that the import has stored, and by nothing else."""
    add_account(moving_site, "ada")
    moving_site.tenant.delete_user("subada")
    moving_site.tenant.add_user(id="another00001", username="ada")
    assert ask("another00001") == (200, False)
    assert ask(None) == (200, False)
    # The user whom the import has created is gone.
    assert ask("subada") == (200, False)


def test_identity_of_another_issuer_gets_no_yes(moving_site: Emulator) -> None:
    add_account(moving_site, "bob")
    identity = LogtoIdentity.objects.get(user=add_account(moving_site, "ada"))
    identity.issuer = "https://other.example/oidc"
    identity.save()
    assert ask("subada") == (200, False)


def test_lost_yes_can_be_repeated_for_some_minutes(moving_site: Emulator) -> None:
    add_account(moving_site, "bob")
    user = add_account(moving_site, "ada")
    assert ask("subada") == (200, True)
    assert ask("subada") == (200, True)
    MovedPassword.objects.filter(identity__user=user).update(at=time.time() - REPEAT_SECONDS - 1)
    assert ask("subada") == (200, False)


def test_lost_yes_of_the_last_account_can_be_repeated(moving_site: Emulator) -> None:
    user = add_account(moving_site, "ada")
    assert ask("subada") == (200, True)
    # The cache knows the accounts that are left for a minute.
    cache.clear()
    assert ask("subada") == (200, True)
    MovedPassword.objects.filter(identity__user=user).update(at=time.time() - REPEAT_SECONDS - 1)
    cache.clear()
    CountedScrypt.computed.clear()
    assert ask("subada") == (200, False)
    assert CountedScrypt.computed == []


@pytest.mark.parametrize("setting", ["LOGTO_STAFF_ROLES", "LOGTO_SUPERUSER_ROLES"])
def test_user_whom_a_role_at_logto_makes_staff_gets_no_yes(moving_site: Emulator, settings: Any, setting: str) -> None:
    setattr(settings, setting, ["clerk"])
    for role in ("clerk", "reader"):
        moving_site.tenant.add_role(role)
        add_account(moving_site, role, at_logto={"roles": [role]})
    assert ask("subclerk") == (200, False)
    assert ask("subreader") == (200, True)


def test_no_yes_if_logto_does_not_answer_about_roles(moving_site: Emulator, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES = ["clerk"]
    add_account(moving_site, "ada")
    moving_site.faults.http["management_api"] = HttpFault(status=500, only="GET /api/users/subada/roles")
    assert ask("subada") == (503, "logto_unavailable")


def test_no_second_yes_once_logto_has_the_password(moving_site: Emulator) -> None:
    add_account(moving_site, "bob")
    add_account(moving_site, "ada")
    assert ask("subada") == (200, True)
    moving_site.tenant.update_user("subada", password=PASSWORD)
    assert ask("subada") == (200, False)


def test_password_set_at_logto_is_remembered(moving_site: Emulator) -> None:
    add_account(moving_site, "bob")
    user = add_account(moving_site, "ada", at_logto={"password": "New-at-Logto-1"})
    assert ask("subada", "whatever") == (200, False)
    assert not MovedPassword.objects.get(identity__user=user).by_site


@pytest.mark.parametrize("until", ["", "2020-01-01"])
def test_nothing_is_checked_after_the_last_day(moving_site: Emulator, settings: Any, until: str) -> None:
    add_account(moving_site, "ada")
    settings.LOGTO_PASSWORD_MIGRATION_UNTIL = until
    assert ask("subada") == (200, False)
    assert CountedScrypt.computed == []


def test_last_day_that_is_no_date_is_refused(moving_site: Emulator, settings: Any) -> None:
    add_account(moving_site, "ada")
    settings.LOGTO_PASSWORD_MIGRATION_UNTIL = "next year"
    assert ask("subada") == (503, "not_configured")
    assert CountedScrypt.computed == []


@pytest.mark.parametrize(
    ("password", "similar"),
    [("pässwörd-κόσμε", "password-κοσμε"), ("a\x00b", "a"), (" spaces ", "spaces"), ("x" * 4096, "x" * 4095)],
)
def test_unusual_passwords_are_checked_as_they_are(moving_site: Emulator, password: str, similar: str) -> None:
    user = add_account(moving_site, "ada")
    user.set_password(password)
    user.save()
    assert ask("subada", similar) == (200, False)
    assert ask("subada", password) == (200, True)


# Which calls are refused


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, "invalid_signature")),
        (signed(body_of("subada"), key="another-key-of-the-tests-with-many-characters"), (401, "invalid_signature")),
        (signed(body_of("subother")), (401, "invalid_signature")),
        ({**signed(body_of("subada")), "logto-auth-time": "1"}, (401, "invalid_signature")),
        ({**signed(body_of("subada")), "logto-auth-signature": "é"}, (401, "invalid_signature")),
    ],
)
def test_forged_call_is_refused(moving_site: Emulator, headers: dict[str, str], expected: tuple[int, str]) -> None:
    add_account(moving_site, "ada")
    assert answer(send(body_of("subada"), headers)) == expected
    assert CountedScrypt.computed == []


@pytest.mark.parametrize("seconds", [-200, 200, -(10**9)])
def test_old_or_early_call_is_refused(moving_site: Emulator, seconds: int) -> None:
    add_account(moving_site, "ada")
    body = body_of("subada")
    assert answer(send(body, signed(body, at=time.time() + seconds))) == (401, "expired_signature")


def test_signed_time_that_is_no_number_is_refused(moving_site: Emulator) -> None:
    body = body_of("subada")
    for sent_at in ("", "NaN", "1e9", "-1", "9" * 400):
        signature = hmac.new(KEY.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"logto-auth-time": sent_at, "logto-auth-signature": signature}
        assert answer(send(body, headers)) == (401, "expired_signature")


def test_repeated_call_is_refused(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    body = body_of("subada")
    headers = signed(body)
    assert answer(send(body, headers)) == (200, "")
    assert answer(send(body, headers)) == (401, "repeated_signature")


def test_plain_http_is_refused(moving_site: Emulator, settings: Any) -> None:
    add_account(moving_site, "ada")
    settings.ALLOWED_HOSTS = ["*"]
    for options in (
        {},
        {"HTTP_HOST": "localhost", "REMOTE_ADDR": "192.0.2.1"},
        # A proxy on this machine, in front of the site.
        {"HTTP_HOST": "shop.example", "REMOTE_ADDR": "127.0.0.1"},
        # Another one, which sends its own name and says whose call it is.
        {"HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"},
        {"HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=192.0.2.1"},
    ):
        body = body_of("subada", nonce=str(options))
        assert answer(send(body, secure=False, **options)) == (403, "https_required")
    assert CountedScrypt.computed == []


@pytest.mark.parametrize(("host", "address"), [("localhost:8000", "127.0.0.1"), ("[::1]:8000", "::1")])
def test_plain_http_from_this_machine_is_accepted(
    moving_site: Emulator, settings: Any, host: str, address: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    add_account(moving_site, "ada")
    assert answer(send(body_of("subada"), secure=False, HTTP_HOST=host, REMOTE_ADDR=address)) == (200, "")


@pytest.mark.parametrize("key", ["", "short", [], ["short"]])
def test_site_without_key_refuses_all_calls(moving_site: Emulator, settings: Any, key: Any) -> None:
    settings.LOGTO_PASSWORD_MIGRATION_KEY = key
    body = body_of("subada")
    text = key if isinstance(key, str) else "".join(key)
    assert answer(send(body, signed(body, key=text))) == (503, "not_configured")


def test_former_key_is_accepted_while_it_is_replaced(moving_site: Emulator, settings: Any) -> None:
    settings.LOGTO_PASSWORD_MIGRATION_KEY = ["a-new-key-of-the-tests-with-enough-characters", KEY]
    add_account(moving_site, "ada")
    assert ask("subada") == (200, True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "invalid_request")),
        (b"\xff", (400, "invalid_request")),
        (b"[" * 8000, (400, "invalid_request")),
        (b"[]", (400, "invalid_request")),
        (b'{"user_id": "subada"}', (400, "invalid_request")),
        (body_of("subada", None), (400, "invalid_request")),
        (body_of("subada", ["x"]), (400, "invalid_request")),
        (body_of("subada", "\ud800"), (400, "invalid_request")),
        (body_of("subada", "x" * 4097), (400, "invalid_request")),
        (body_of("sub\x00ada"), (400, "invalid_request")),
        (body_of("x" * 256), (400, "invalid_request")),
        (json.dumps({"user_id": 7, "password": "x"}).encode(), (400, "invalid_request")),
        (body_of("subada", "x" * 17000), (413, "content_too_large")),
    ],
)
def test_malformed_call_is_refused(moving_site: Emulator, body: bytes, expected: tuple[int, str]) -> None:
    add_account(moving_site, "ada")
    assert answer(send(body)) == expected
    assert CountedScrypt.computed == []


@pytest.mark.parametrize(
    "sub",
    # With a Cyrillic letter, and with full-width ones.
    ["' OR 1=1 --", "sub\u0430da", "SUBADA", "subada ", "subad\uff41", "sub%", "sub_da", "\u202esubada"],
)
def test_look_alike_ids_get_no_yes(moving_site: Emulator, sub: str) -> None:
    add_account(moving_site, "ada")
    assert ask(sub) in {(200, False), (400, "invalid_request")}


def test_other_methods_are_refused(moving_site: Emulator, client: Any) -> None:
    assert client.get(site.URL, secure=True).status_code == 405


# Limits


def test_attempts_for_one_user_are_limited(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    for _ in range(MAX_ATTEMPTS):
        assert ask("subada", "wrong") == (200, False)
    assert ask("subada") == (429, "too_many_attempts")
    assert ask("subbob") == (200, True)


def test_right_password_resets_the_attempts(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    for _ in range(2):
        for _ in range(MAX_ATTEMPTS - 1):
            assert ask("subada", "wrong") == (200, False)
        assert ask("subada") == (200, True)


def test_attempts_for_unknown_users_are_limited_alike(moving_site: Emulator) -> None:
    add_account(moving_site, "ada")
    for number in range(MAX_ATTEMPTS):
        # Case is no way around the limit.
        identifier = {"type": "username", "value": "nobody" if number % 2 else "NOBODY"}
        assert send(body_of(None, str(number), identifier=identifier)).json() == {"verified": False}
    assert ask("subada") == (200, True)
    identifier = {"type": "username", "value": "Nobody"}
    assert answer(send(body_of(None, identifier=identifier))) == (429, "too_many_attempts")


def test_all_attempts_together_are_limited(moving_site: Emulator, settings: Any) -> None:
    settings.LOGTO_PASSWORD_MIGRATION_PER_MINUTE = 5
    add_account(moving_site, "ada")
    for number in range(5):
        assert ask(f"sub{number}") == (200, False)
    assert ask("subada") == (429, "too_many_attempts")


@pytest.mark.parametrize(
    "backend", ["django.core.cache.backends.dummy.DummyCache", "tests.test_admin_password.BrokenCache"]
)
def test_call_that_cannot_be_counted_is_refused(moving_site: Emulator, settings: Any, backend: str) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.CACHES = {"default": {"BACKEND": backend}}
    add_account(moving_site, "ada")
    assert ask("subada") == (503, "attempts_not_counted")
    assert CountedScrypt.computed == []


@pytest.mark.parametrize("kind", ["locmem.LocMemCache", "filebased.FileBasedCache", "db.DatabaseCache"])
def test_limits_hold_with_each_cache(moving_site: Emulator, settings: Any, tmp_path: Any, kind: str) -> None:
    location = {"db.DatabaseCache": "password_migration_cache"}.get(kind, str(tmp_path))
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{kind}", "LOCATION": location}}
    if kind.startswith("db"):
        call_command("createcachetable", verbosity=0)
    add_account(moving_site, "ada")
    for _ in range(MAX_ATTEMPTS):
        assert ask("subada", "wrong") == (200, False)
    assert ask("subada") == (429, "too_many_attempts")
    cache.clear()


# The same work for everybody


@pytest.fixture
def many(moving_site: Emulator) -> Emulator:
    """Accounts in each state, with hashes of two kinds."""
    add_account(moving_site, "scrypt")
    add_account(moving_site, "bcrypt", hasher="bcrypt_sha256")
    add_account(moving_site, "left")
    add_account(moving_site, "inactive", is_active=False)
    add_account(moving_site, "staff", is_staff=True)
    add_account(moving_site, "newer", at_logto={"password": "New-at-Logto-1"})
    moved = add_account(moving_site, "moved")
    MovedPassword.objects.create(identity=moved.logto_identities.get(), at=1, by_site=True)
    add_account(moving_site, "suspended", at_logto={"is_suspended": True})
    unusable = add_account(moving_site, "unusable")
    unusable.set_unusable_password()
    unusable.save()
    moving_site.tenant.add_user(id="notimported1", username="notimported")
    return moving_site


SUBJECTS = [
    *(f"sub{name}" for name in ("scrypt", "bcrypt", "inactive", "staff", "newer", "moved", "suspended", "unusable")),
    "notimported1",
    "unknown00001",
    None,
]


@pytest.mark.parametrize("sub", SUBJECTS)
def test_each_call_computes_one_hash_of_each_kind(many: Emulator, sub: str | None) -> None:
    assert ask(sub, "wrong") == (200, False)
    assert sorted(CountedScrypt.computed) == ["bcrypt_sha256", "scrypt"]


def test_right_password_costs_the_same_hashes(many: Emulator) -> None:
    assert ask("subscrypt") == (200, True)
    assert sorted(CountedScrypt.computed) == ["bcrypt_sha256", "scrypt"]


def test_refusals_have_one_form(many: Emulator) -> None:
    found = {
        (r.status_code, r.content, tuple(sorted(r.headers))) for r in (send(body_of(s, "wrong")) for s in SUBJECTS)
    }
    assert len(found) == 1


def test_known_and_unknown_users_cost_the_same_calls_and_nearly_the_same_queries(many: Emulator) -> None:
    calls, queries = {}, {}
    ask("unknown00001", "warm-up")
    for sub in ("subscrypt", "subinactive", "notimported1", "unknown00001"):
        before = len(many.requests.to("management_api"))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            ask(sub, "wrong")
        calls[sub] = len(many.requests.to("management_api")) - before
        queries[sub] = len(captured)
    assert set(calls.values()) == {1}
    assert max(queries.values()) - min(queries.values()) <= 2


# Failures


@pytest.mark.parametrize("fault", [HttpFault(status=500), HttpFault(status=403), HttpFault(body="not json")])
def test_no_yes_if_logto_cannot_be_asked(moving_site: Emulator, fault: HttpFault) -> None:
    add_account(moving_site, "ada")
    moving_site.faults.http["management_api"] = fault
    assert ask("subada") == (503, "logto_unavailable")
    assert not MovedPassword.objects.exists()


def test_no_yes_without_credentials_for_logto(moving_site: Emulator, settings: Any) -> None:
    add_account(moving_site, "ada")
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert ask("subada") == (503, "logto_unavailable")


def test_malformed_hash_gets_no_yes(moving_site: Emulator) -> None:
    user = add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    for encoded in ("scrypt$", "scrypt$a$b$c$d$e", "scrypt$2$salt"):
        user.password = encoded
        user.save()
        assert ask("subada") == (200, False)


def test_password_is_in_no_log_and_no_row(moving_site: Emulator, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    add_account(moving_site, "ada")
    for password in (PASSWORD, "Wr0ng-but-secret"):
        ask("subada", password)
    send(body_of("subada"), {})
    send(body_of("sub\x00ada"))
    assert PASSWORD not in caplog.text
    assert "Wr0ng" not in caplog.text
    assert PASSWORD not in str(list(MovedPassword.objects.values()))


def test_error_report_has_no_password(moving_site: Emulator) -> None:
    """The database fails in the middle of a call."""
    add_account(moving_site, "ada")
    body = body_of("subada")
    with connection.execute_wrapper(_fail_to_insert), pytest.raises(RuntimeError) as failure:
        send(body)
    request = RequestFactory().post(site.URL, body, content_type="application/json")
    report = ExceptionReporter(request, failure.type, failure.value, failure.tb).get_traceback_data()
    frames = [frame for frame in report["frames"] if f"{os.sep}logto_auth{os.sep}" in frame["filename"]]
    assert len(frames) > 3
    assert PASSWORD not in str([frame["vars"] for frame in frames])


def _fail_to_insert(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if sql.startswith("INSERT"):
        raise RuntimeError("The database is gone.")
    return execute(sql, params, many, context)
