"""Unknown keys, headers, scopes, machines, accounts, opaque tokens, and texts that must not show a token."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter
from joserfc.jwk import ECKey

from logto_auth.api.authentication import authenticate
from logto_auth.clients import access_token_verifier, reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.oidc.jwks import SECONDS_BETWEEN_FETCHES
from logto_auth.testing import Browser
from logto_auth.users.current_request import use_request
from tests.emulator.relying_party import wait_until
from tests.support import SOME_BROKEN

from . import attacked_urls
from .attackers import API, METADATA_URL, Door, TokenMaker, challenge_of

pytestmark = pytest.mark.django_db
User = get_user_model()

EVIL_KEY = ECKey.generate_key("P-384")


def test_unknown_keys_fetch_keys_once(doors: list[Door], token: TokenMaker, logto: Emulator) -> None:
    doors[0].sees_served(token())
    logto.requests.clear()
    started = time.monotonic()
    for number in range(100):
        junk = token({"kid": f"junk-{number}"}, key=EVIL_KEY)
        assert doors[number % len(doors)].call(junk).status_code == 401
    for door in doors:
        door.sees_refused(token({"kid": "more-junk"}, key=EVIL_KEY), 401, "invalid_token", claim="kid")
        door.sees_served(token())
    # Once, and once more after each interval.
    intervals = int((time.monotonic() - started) / SECONDS_BETWEEN_FETCHES)
    assert {request.endpoint for request in logto.requests} == {"jwks"}
    assert len(logto.requests) <= 1 + intervals


@pytest.mark.parametrize("kid", [None, "", "x" * 1000, 5])
def test_tokens_without_kid_fetch_no_keys(door: Door, token: TokenMaker, logto: Emulator, kid: Any) -> None:
    logto.rotate_keys()
    door.sees_served(token())
    for _ in range(5):
        assert door.call(token({"kid": kid}, key=EVIL_KEY)).status_code == 401
    assert len(logto.requests.to("jwks")) <= 2


def test_known_key_works_while_unknown_key_waits(door: Door, token: TokenMaker, logto: Emulator) -> None:
    door.sees_served(token())
    logto.faults.http["jwks"] = HttpFault(delay_seconds=1)
    logto.requests.clear()
    waiting = threading.Thread(target=door.call, args=[token({"kid": "junk"}, key=EVIL_KEY)])
    waiting.start()
    wait_until(lambda: logto.requests.to("jwks"))
    door.sees_served(token())
    assert waiting.is_alive()
    # The key may be among those that the other request is fetching.
    assert door.call(token({"kid": "more-junk"}, key=EVIL_KEY)).status_code == 401
    waiting.join()
    assert len(logto.requests.to("jwks")) == 1


@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_outage_keeps_known_keys_and_refuses_unknown(
    door: Door, token: TokenMaker, logto: Emulator, fault: HttpFault, code: str, status: int, settings: Any
) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)
    door.sees_served(token())
    for endpoint in ("discovery", "jwks"):
        logto.faults.http[endpoint] = HttpFault(**vars(fault))
    door.sees_served(token())
    for _ in range(3):
        door.sees_refused(token({"kid": "junk"}, key=EVIL_KEY), 503, "temporarily_unavailable")
    door.sees_served(token())
    # A connection that broke is tried twice.
    assert len(logto.requests.to("jwks")) <= 3


def test_rotation_is_accepted_within_2_seconds_under_a_flood(door: Door, token: TokenMaker, logto: Emulator) -> None:
    door.sees_served(token())
    logto.requests.clear()
    started = time.monotonic()

    def flood() -> None:
        assert door.call(token({"kid": f"junk-{time.monotonic()}"}, key=EVIL_KEY)).status_code == 401

    while time.monotonic() - started < 0.3:
        flood()
    logto.rotate_keys()
    rotated_at, genuine = time.monotonic(), token()
    while door.call(genuine).status_code != 200:
        flood()
    assert time.monotonic() - rotated_at < 2.5
    assert len(logto.requests.to("jwks")) <= 1 + (time.monotonic() - started) / 2


@pytest.mark.parametrize("endpoint", ["discovery", "jwks"])
@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_outage_without_keys_is_503(
    door: Door,
    token: TokenMaker,
    logto: Emulator,
    endpoint: str,
    fault: HttpFault,
    code: str,
    status: int,
    spoil: Callable[[str, HttpFault], None],
) -> None:
    spoil(endpoint, fault)
    started = time.monotonic()
    for _ in range(5):
        door.sees_refused(token(), 503, "temporarily_unavailable")
        door.sees_refused(token({"kid": "junk"}, key=EVIL_KEY), 503, "temporarily_unavailable")
    # One fetch a second for all calls, or two if the connection broke.
    assert len(logto.requests.to(endpoint)) <= 2 * (2 + time.monotonic() - started)


def test_outage_at_start_is_short(door: Door, browser: Browser, token: TokenMaker, logto: Emulator) -> None:
    logto.faults.http["jwks"] = HttpFault(status=500)
    door.sees_refused(token(), 503, "temporarily_unavailable")
    logto.faults.http.clear()
    time.sleep(1.1)
    assert browser.sign_in("reader").status_code == 302
    door.sees_served(token())


def test_malformed_token_is_refused_without_keys(door: Door, token: TokenMaker, logto: Emulator) -> None:
    logto.faults.http["jwks"] = logto.faults.http["discovery"] = HttpFault(status=500)
    door.sees_refused(None, 401, None)
    door.sees_refused("opaque", 401, "invalid_token", claim="token")
    door.sees_refused("a b", 400, "invalid_request")
    assert len(logto.requests) == 0


def test_cached_token_ends_with_its_key(doors: list[Door], token: TokenMaker, logto: Emulator) -> None:
    old = token()
    for door in doors:
        door.sees_served(old)
    logto.rotate_keys()
    logto.rotate_keys()
    # A removed key is noticed when the keys are fetched again.
    doors[0].sees_served(old)
    doors[0].sees_served(token())
    for door in doors:
        door.sees_refused(old, 401, "invalid_token", claim="kid")
    assert len(logto.requests.to("jwks")) == 2


@pytest.mark.parametrize("size", [0, 5])
def test_token_cache_is_bounded(door: Door, token: TokenMaker, settings: Any, size: int) -> None:
    settings.LOGTO_API_TOKEN_CACHE_SIZE = size
    tokens = [token(scope=f"read:books extra{number}") for number in range(12)]
    for _ in range(2):
        for number, each in enumerate(tokens):
            seen = door.sees_served(each)
            assert seen["scopes"] == [f"extra{number}", "read:books"]
    assert len(access_token_verifier()._known) == size


def test_challenge_without_token_has_no_error(doors: list[Door], stock_doors: list[Door]) -> None:
    for door, scope in [*((door, "read:books") for door in doors), *((door, "manage:stock") for door in stock_doors)]:
        response = door.sees_refused(None, 401, None)
        assert response["WWW-Authenticate"] == f'Bearer scope="{scope}", resource_metadata="{METADATA_URL}"'


def test_challenge_contains_missing_scope(doors: list[Door], stock_doors: list[Door], token: TokenMaker) -> None:
    for door in doors:
        response = door.sees_refused(token(scope="write:books"), 403, "insufficient_scope")
        assert challenge_of(response)["scope"] == "read:books"
    for door in stock_doors:
        response = door.sees_refused(token.for_organization("harbour00001", scope=""), 403, "insufficient_scope")
        assert challenge_of(response)["scope"] == "manage:stock"


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("", id="empty"),
        pytest.param(..., id="missing"),
        pytest.param("bread:books", id="superstring"),
        pytest.param("read:book", id="substring"),
        pytest.param("read:books2", id="prefix"),
        pytest.param("READ:BOOKS", id="other-case"),
        pytest.param("read:books,write:books", id="comma"),
        pytest.param("read:*", id="wildcard"),
        pytest.param("all", id="all"),
        pytest.param("read:books\x00", id="nul"),
        pytest.param("read: books", id="in-two"),
        pytest.param("x\u00a0read:books", id="no-break-space"),
        pytest.param("x\tread:books", id="tab"),
        pytest.param("x\x1fread:books", id="unit-separator"),
        pytest.param("x\nread:books", id="newline"),
        pytest.param("r\u0435ad:books", id="look-alike"),
        pytest.param("https://bookstore.example/api/read:books", id="qualified"),
        pytest.param("logto.read:books", id="as-a-permission"),
    ],
)
def test_scopes_are_compared_as_a_whole(door: Door, token: TokenMaker, scope: Any) -> None:
    claims = {"scp": ["read:books"], "scopes": "read:books", "permissions": ["read:books"], "roles": ["read:books"]}
    door.sees_refused(token(scope=scope, **claims), 403, "insufficient_scope")


def test_machine_is_not_the_account_with_its_id(door: Door, token: TokenMaker, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    user = User.objects.create_superuser("robot000000000000001", "a@example.com", "secret")
    LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub="robot000000000000001")
    seen = door.sees_served(token(sub="robot000000000000001", client_id="robot000000000000001"))
    assert (seen["is_machine"], seen["user"]) == (True, "robot000000000000001")


def test_other_claims_do_not_make_a_machine(door: Door, token: TokenMaker, caller: Any) -> None:
    seen = door.sees_served(token(azp=token.sub, client_id=token.sub.upper(), act={"sub": token.sub}))
    assert (seen["is_machine"], seen["user"]) == (False, str(caller.pk))


def test_api_for_users_refuses_machines(apis: None, caplog: Any, token: TokenMaker) -> None:
    for path in ("/class/only-users", "/drf/only-users", "/ninja/only-users"):
        door = Door(path, path, caplog)
        door.sees_refused(token(sub="robot", client_id="robot"), 403, "machine_refused")
        assert door.sees_served(token())["is_machine"] is False
    users = Door("users", "/drf/users", caplog)
    assert users.call(token(sub="robot", client_id="robot")).status_code == 403
    assert users.sees_served(token())["is_machine"] is False


def test_machine_has_only_its_scopes(rf: RequestFactory, apis: None, token: TokenMaker) -> None:
    made = token(sub="robot", client_id="robot", scope="read:books add_user auth.add_user")
    request = rf.get("/", headers={"Authorization": f"Bearer {made}"})
    assert authenticate(request) is not None
    machine: Any = request.user
    with use_request(request):
        for right in ("auth.add_user", "add_user", "logto_auth.view_logtosession", "logto", "logto."):
            assert not machine.has_perm(right)
            assert not asyncio.run(machine.ahas_perm(right))
        assert machine.has_perms(["logto.read:books"])
        assert not machine.has_perms(["logto.read:books", "auth.add_user"])
        assert not machine.has_module_perms("auth")
    with use_request(rf.get("/")):
        assert not machine.has_perm("logto.read:books")
    assert (machine.is_staff, machine.is_superuser, machine.is_anonymous) == (False, False, False)
    assert machine.get_all_permissions(machine) == set()
    assert machine.get_user_permissions() == machine.get_group_permissions() == set()
    assert list(machine.groups.all()) == list(machine.user_permissions.all()) == []


@pytest.mark.parametrize(
    "name",
    [
        "X-Authorization",
        "Proxy-Authorization",
        "X-Forwarded-Authorization",
        "X-Access-Token",
        "X-Original-Authorization",
        "Http-Authorization",
        "Redirect-Http-Authorization",
        "Authorization-",
        "Cookie",
    ],
)
def test_token_in_another_header_is_ignored(door: Door, token: TokenMaker, name: str) -> None:
    for value in (f"Bearer {token()}", token(), f"access_token={token()}; Authorization=Bearer {token()}"):
        door.sees_refused(None, 401, None, **{name: value})


def test_token_in_query_or_body_is_ignored(apis: None, token: TokenMaker) -> None:
    del attacked_urls.ran[:]
    fields = {"access_token": token(), "token": token(), "authorization": f"Bearer {token()}", "jwt": token()}
    for path in attacked_urls.BOOKS.values():
        assert Client().get(path, fields).status_code == 401
        assert Client().generic("GET", path, "&".join(f"{k}={v}" for k, v in fields.items())).status_code == 401
        assert Client().get(path, fields, headers={"Authorization": "Bearer"}).status_code == 400
    assert Client().post("/drf", fields).status_code == 401
    assert Client().post("/drf", json.dumps(fields), content_type="application/json").status_code == 401
    assert attacked_urls.ran == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer ", "  Bearer  "])
def test_scheme_is_case_insensitive(door: Door, token: TokenMaker, scheme: str) -> None:
    response = Client().get(door.path, headers={"Authorization": f"{scheme} {token()} "})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer", id="no-token"),
        pytest.param("Bearer ", id="no-token-but-a-space"),
        pytest.param("bearer  ", id="no-token-but-spaces"),
        pytest.param("Bearer {token} {token}", id="two-tokens"),
        pytest.param("Bearer {token},{token}", id="two-tokens-and-a-comma"),
        pytest.param("Bearer {token}, Bearer {token}", id="two-headers-as-servers-join-them"),
        pytest.param("Bearer {token},Basic eDp5", id="two-schemes"),
        pytest.param("Bearer {token};", id="semicolon"),
        pytest.param("Bearer Bearer {token}", id="twice-the-scheme"),
        pytest.param('Bearer "{token}"', id="quoted"),
        pytest.param('Bearer token="{token}"', id="parameter"),
        pytest.param("Bearer access_token={token}", id="form"),
        pytest.param("Bearer {token}\x00", id="nul"),
        pytest.param("Bearer {token}\x85", id="next-line"),
        pytest.param("Bearer {token}\xa0", id="no-break-space"),
        pytest.param("Bearer \xa0{token}", id="no-break-space-before"),
        pytest.param("Bearer {token}\x1f", id="unit-separator"),
        pytest.param("Bearer {token}\r\nX: y", id="folded"),
        pytest.param("Bearer {token}é", id="latin-1"),
        pytest.param("Bearer é", id="latin-1-alone"),
        pytest.param("Bearer \u3042", id="beyond-latin-1"),
        pytest.param("Bearer <{token}>", id="brackets"),
        pytest.param("Bearer %20{token}", id="percent"),
        pytest.param("Bearer =", id="padding-alone"),
        pytest.param("Bearer {token}=x", id="padding-inside"),
    ],
)
def test_header_without_single_token_is_400(door: Door, token: TokenMaker, header: str) -> None:
    door.sees_refused(None, 400, "invalid_request", Authorization=header.replace("{token}", token()))


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "{token}",
        "Basic {token}",
        "Basic {token}, Bearer {token}",
        "Token {token}",
        "JWT {token}",
        "DPoP {token}",
        "Digest Bearer {token}",
        "Bearer:{token}",
        "Bearer={token}",
        "Bearer,{token}",
        "Bearer\t{token}",
        "Bearer\xa0{token}",
        "\xa0Bearer {token}",
        "\x1cBearer {token}",
        "Bearer{token}",
        "Bearers {token}",
        "BeareR\u200b {token}",
        '"Bearer" {token}',
    ],
)
def test_another_scheme_is_no_token(door: Door, token: TokenMaker, header: str) -> None:
    door.sees_refused(None, 401, None, Authorization=header.replace("{token}", token()))


@pytest.mark.parametrize("size", [10_000, 3_000_000])
@pytest.mark.parametrize("piece", ["A", ".", "=", "A.", "Bearer ", "é"])
def test_huge_header_is_refused_quickly(door: Door, size: int, piece: str) -> None:
    header = "Bearer " + piece * (size // len(piece))
    started = time.monotonic()
    assert door.call(None, Authorization=header).status_code in (400, 401)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer {token}"), ("authorization", "Bearer {token}")],
        [("authorization", "Bearer {token}"), ("Authorization", "Basic eDp5")],
        [("Authorization", "Bearer {token}"), ("AUTHORIZATION", "")],
    ],
)
def test_two_headers_are_400_under_asgi(apis: None, token: TokenMaker, headers: list[tuple[str, str]]) -> None:
    encoded = [(name.lower().encode(), value.replace("{token}", token()).encode()) for name, value in headers]
    del attacked_urls.ran[:]
    for path in attacked_urls.BOOKS.values():
        assert asyncio.run(status_under_asgi(path, encoded)) == 400
    assert attacked_urls.ran == []


@pytest.mark.parametrize("name", [b"authorization_", b"http_authorization", b"x_authorization", b"http-authorization"])
def test_similar_header_is_ignored_under_asgi(apis: None, token: TokenMaker, name: bytes) -> None:
    for path in attacked_urls.BOOKS.values():
        assert asyncio.run(status_under_asgi(path, [(name, f"Bearer {token()}".encode())])) == 401


async def status_under_asgi(path: str, headers: list[tuple[bytes, bytes]]) -> int:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), *headers],
    }
    application = ApplicationCommunicator(get_asgi_application(), scope)
    await application.send_input({"type": "http.request"})
    start = await application.receive_output(timeout=5)
    await application.receive_output(timeout=5)
    await application.wait()
    return int(start["status"])


@pytest.mark.django_db(transaction=True)
def test_two_headers_are_400_under_wsgi(apis: None, token: TokenMaker, live_server: Any) -> None:
    good = token()
    del attacked_urls.ran[:]
    for path in attacked_urls.BOOKS.values():
        for lines, status in [
            (["Authorization: Bearer " + good], b"200"),
            (["authorization: bearer " + good], b"200"),
            (["Authorization: Bearer " + good] * 2, b"400"),
            (["Authorization: Bearer " + good, "authorization: Basic eDp5"], b"400"),
            (["Authorization: Basic eDp5", "Authorization: Bearer " + good], b"401"),
            (["Http_Authorization: Bearer " + good], b"401"),
            (["Authorization_: Bearer " + good], b"401"),
        ]:
            assert status_over_a_socket(live_server, path, lines) == status
    assert len(attacked_urls.ran) == 2 * len(attacked_urls.BOOKS)


def status_over_a_socket(live_server: Any, path: str, lines: list[str]) -> bytes:
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=10) as connection:
        head = [f"GET {path} HTTP/1.0", f"Host: {live_server.thread.host}", *lines, "", ""]
        connection.sendall("\r\n".join(head).encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer.split(b" ")[1]


# Accounts


@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "by-a-query"])
def test_tokens_of_deactivated_account_are_refused(
    door: Door, stock_doors: list[Door], token: TokenMaker, caller: Any, is_saved: bool
) -> None:
    remembered, of_organization = token(), token.for_organization("harbour00001")
    door.sees_served(remembered)
    stock_doors[0].sees_served(of_organization)
    set_active(caller, False, is_saved)
    for each in (remembered, token()):
        response = door.sees_refused(each, 401, "invalid_token")
        assert "is deactivated on this site" in response.json()["error_description"]
    stock_doors[0].sees_refused(of_organization, 401, "invalid_token")
    set_active(caller, True, is_saved)
    door.sees_served(remembered)


def set_active(user: Any, is_active: bool, is_saved: bool) -> None:
    if is_saved:
        user.is_active = is_active
        user.save()
    else:
        User.objects.filter(pk=user.pk).update(is_active=is_active)


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.DELETED])
def test_tokens_of_suspended_user_are_refused(
    door: Door, stock_doors: list[Door], token: TokenMaker, settings: Any, status: UserStatus
) -> None:
    """A webhook reported it: the token itself has not expired, and must not create another account."""
    settings.LOGTO_API_CREATE_USERS = True
    remembered, of_organization = token(), token.for_organization("harbour00001")
    door.sees_served(remembered)
    LogtoIdentity.objects.update(status=status)
    for each in (remembered, token()):
        door.sees_refused(each, 401, "invalid_token")
    stock_doors[0].sees_refused(of_organization, 401, "invalid_token")


def test_tokens_of_deleted_account_are_refused(door: Door, token: TokenMaker, caller: Any) -> None:
    remembered = token()
    door.sees_served(remembered)
    caller.delete()
    door.sees_refused(remembered, 403, "account_unknown")


def test_tokens_of_other_accounts_remain_valid(door: Door, token: TokenMaker, caller: Any) -> None:
    caller.delete()
    door.sees_served(token(sub="robot", client_id="robot"))


def test_unknown_user_is_refused_without_account(door: Door, token: TokenMaker, logto: Emulator) -> None:
    door.sees_refused(token(sub="stranger0001"), 403, "account_unknown")
    # A sub is compared as a whole, case-sensitively, with its issuer.
    door.sees_refused(token(sub=token.sub.upper()), 403, "account_unknown")
    door.sees_refused(token(sub=token.sub + " "), 403, "account_unknown")
    LogtoIdentity.objects.update(issuer="https://other.example/oidc")
    LogtoIdentity.objects.get().save()
    door.sees_refused(token(), 403, "account_unknown")


def test_account_created_by_call_has_only_username(doors: list[Door], token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    settings.LOGTO_LINK_BY_EMAIL = "tests.support.trust_every_address"
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ["admin"]
    User.objects.create_user("victim", "victim@example.com")
    claims = {
        "email": "victim@example.com",
        "email_verified": True,
        "username": "victim",
        "roles": ["admin"],
        "is_staff": True,
        "is_superuser": True,
    }
    response = doors[0].call(token(sub="stranger0001", **claims))
    user = LogtoIdentity.objects.get(sub="stranger0001").user
    assert response.json()["user"] == str(user.pk)
    assert (user.username, user.email, user.is_staff, user.is_superuser) == ("stranger0001", "", False, False)
    assert not user.has_usable_password()
    for door in doors:
        assert door.sees_served(token(sub="stranger0001"))["user"] == str(user.pk)


def test_text_for_operator_is_not_in_response(door: Door, token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_API_CREATE_USERS = True
    for hook, told in (("refuse_in_private", ""), ("refuse_everyone", "Closed today.")):
        settings.LOGTO_USER_FIELDS = f"tests.support.{hook}"
        response = door.call(token(sub="stranger0001"))
        assert response.status_code == 403
        assert "fraud list" not in f"{response.headers}{response.content.decode()}"
        assert told in response.content.decode()
    assert not LogtoIdentity.objects.filter(sub="stranger0001").exists()


# Opaque tokens, and wrong introspection responses


@pytest.fixture
def any_doors(apis: None, caplog: Any) -> list[Door]:
    """APIs that require no scope: an opaque token has none."""
    return [Door(path, path, caplog) for path in ("/plain/any", "/class/any", "/drf/any", "/ninja/any")]


@pytest.fixture
def opaque(browser: Browser, logto: Emulator, caller: Any, apis: None, settings: Any) -> str:
    """The opaque access token of the user, of an application whose tokens the APIs accept."""
    settings.LOGTO_API_INTROSPECTED_APPS = [settings.LOGTO_APP_ID]
    token: str = browser.sign_in("reader").wsgi_request.logto.access_token()
    return token


def test_revoked_opaque_token_is_refused_at_once(
    any_doors: list[Door], doors: list[Door], opaque: str, logto: Emulator, caller: Any
) -> None:
    for door in any_doors:
        assert door.sees_served(opaque)["user"] == str(caller.pk)
    assert len(logto.requests.to("introspection")) == len(any_doors)
    # It identifies the user, and has no permission on the API.
    for door in doors:
        door.sees_refused(opaque, 403, "insufficient_scope")
    logto.instances.access_tokens.clear()
    for door in any_doors:
        door.sees_refused(opaque, 401, "invalid_token", claim="active")


def test_too_long_opaque_token_is_not_introspected(any_doors: list[Door], opaque: str, logto: Emulator) -> None:
    """Otherwise any text in the header would be sent on to Logto."""
    any_doors[0].sees_refused("x" * 10_000, 401, "invalid_token", claim="token")
    assert logto.requests.to("introspection") == []


@pytest.fixture
def reports(settings: Any) -> Iterator[list[str]]:
    """The error reports of Django for each uncaught exception."""
    pages: list[str] = []

    def report(request: Any, **kwargs: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        pages.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    got_request_exception.connect(report)
    yield pages
    got_request_exception.disconnect(report)


@pytest.mark.parametrize("debug", [True, False])
def test_debug_page_of_view_error_shows_no_token(
    doors: list[Door], token: TokenMaker, settings: Any, reports: list[str], debug: bool
) -> None:
    settings.DEBUG = debug
    settings.LOGTO_API_CREATE_USERS = True
    settings.LOGTO_USER_FIELDS = "tests.support.fail"
    made = token(sub="stranger0001")
    client = Client(raise_request_exception=False)
    for door in doors:
        response = door.call(made, client=client)
        assert response.status_code == 500
        assert made not in response.content.decode()
    # With DEBUG, Ninja responds with its own traceback.
    assert len(reports) == 2 * (len(doors) - (2 if debug else 0))
    assert all("RuntimeError" in page for page in reports)
    assert not any(part in page for page in reports for part in made.split("."))


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("name", ["LOGTO_API_RESOURCE", "LOGTO_ENDPOINT"])
def test_debug_page_of_missing_setting_shows_no_token(
    door: Door, token: TokenMaker, settings: Any, reports: list[str], name: str, debug: bool
) -> None:
    settings.DEBUG = debug
    setattr(settings, name, "")
    made = token()
    assert door.call(made, client=Client(raise_request_exception=False)).status_code == 500
    assert all(f"{name} must be set" in page for page in reports)
    assert not any(part in page for page in reports for part in made.split("."))


def test_report_of_verification_error_shows_no_token(
    any_doors: list[Door], opaque: str, settings: Any, reports: list[str]
) -> None:
    settings.LOGTO_APP_SECRET = ""
    for door in any_doors:
        assert door.call(opaque, client=Client(raise_request_exception=False)).status_code == 500
    assert len(reports) == 2 * len(any_doors)
    assert all("LOGTO_APP_SECRET must be set" in page for page in reports)
    assert not any(opaque in page for page in reports)


def test_report_of_refresh_error_shows_no_token(
    apis: None, browser: Browser, logto: Emulator, reader: Any, settings: Any, reports: list[str]
) -> None:
    settings.LOGTO_RESOURCES = [API]
    logto.tenant.add_resource(API)
    browser.sign_in("reader")
    refresh_token = LogtoSession.objects.get().tokens["refresh_token"]
    logto.faults.http["token"] = HttpFault(status=500)
    browser.client.raise_request_exception = False
    assert browser.client.get("/session/token").status_code == 500
    assert len(reports) == 2
    assert all("ProviderError" in page for page in reports)
    assert not any(refresh_token in page for page in reports)


def test_repr_shows_no_token(rf: RequestFactory, apis: None, token: TokenMaker) -> None:
    made = token()
    request = rf.get("/", headers={"Authorization": f"Bearer {made}"})
    caller: Any = authenticate(request)
    verifier: Any = access_token_verifier()
    holders = [caller, caller.token, caller.user, request, verifier, vars(verifier), vars(caller), verifier._known]
    for holder in holders:
        shown = f"{holder!r} {holder!s}"
        assert not any(part in shown for part in made.split("."))
    assert len(verifier._known) == 1


def test_log_and_cache_contain_no_token(
    doors: list[Door], any_doors: list[Door], token: TokenMaker, opaque: str, logto: Emulator, caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    caches: Any = cache
    cached = str(caches._cache) + str(caches._expire_info)
    reset_clients()
    tokens = [
        token(),
        token(aud="x"),
        token({"kid": "junk"}, key=EVIL_KEY),
        token() + "x",
        token()[:-2],
        opaque,
        "x" * 43,
    ]
    for door in [*doors, *any_doors]:
        for made in tokens:
            # The check reads the log, here with all loggers.
            response = door.call(made)
            assert made not in f"{response.headers}{response.content.decode()}"
    assert "GET /oidc/jwks" in caplog.text
    assert "POST /oidc/token/introspection" in caplog.text
    pieces = [piece for made in tokens for piece in made.split(".") if len(piece) > 40]
    assert not any(piece in caplog.text for piece in pieces)
    assert str(caches._cache) + str(caches._expire_info) == cached


# Methods


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"])
def test_every_method_requires_the_token(apis: None, token: TokenMaker, method: str) -> None:
    del attacked_urls.ran[:]
    for path in [*attacked_urls.BOOKS.values(), *attacked_urls.STOCKS.values()]:
        for headers in ({}, {"Authorization": f"Bearer {token(aud='x')}"}, {"X-HTTP-Method-Override": "GET"}):
            response = Client().generic(method, path, headers=headers)
            assert response.status_code in (401, 405), (path, response.content)
            if response.status_code == 401:
                assert challenge_of(response)["resource_metadata"] == METADATA_URL
    assert attacked_urls.ran == []


@pytest.mark.parametrize("methods", [["GET"], ["get"], {"Get"}, "GET", ("GET", "HEAD")])
def test_requirement_for_get_applies_to_head(apis: None, token: TokenMaker, methods: Any) -> None:
    view = attacked_urls.book_api(methods)
    for method in ("get", "head"):
        request: Any = getattr(RequestFactory(), method)("/", headers={"Authorization": f"Bearer {token(scope='x')}"})
        del attacked_urls.ran[:]
        assert view(request).status_code == 403
        assert attacked_urls.ran == []
        request = getattr(RequestFactory(), method)("/", headers={"Authorization": f"Bearer {token()}"})
        assert view(request).status_code == 200


def test_writing_requires_its_own_scope(apis: None, token: TokenMaker) -> None:
    def status(method: str, scope: str) -> int:
        headers = {"Authorization": f"Bearer {token(scope=scope)}"}
        return Client().generic(method, "/drf", headers=headers).status_code

    assert (status("GET", "read:books"), status("HEAD", "read:books"), status("POST", "read:books")) == (200, 200, 403)
    assert (status("GET", "write:books"), status("HEAD", "write:books"), status("POST", "write:books")) == (
        403,
        403,
        201,
    )


# The browsable API, the metadata


def test_browsable_api_escapes_claims(apis: None, token: TokenMaker, settings: Any) -> None:
    settings.INSTALLED_APPS = list(dict.fromkeys([*settings.INSTALLED_APPS, "rest_framework"]))
    markup = "<script>alert(1)</script>"
    for made in (token({"kid": markup}), token(aud=markup), token(iss=markup), token(scope=markup)):
        response = Client().get("/drf/forms", headers={"Authorization": f"Bearer {made}", "Accept": "text/html"})
        page = response.content.decode()
        assert response["Content-Type"].startswith("text/html")
        assert markup not in page
        assert made not in page
    # Its forms check the other methods too; the challenge is for this one.
    assert response.status_code == 403
    assert challenge_of(response)["scope"] == "read:books"
    response = Client().get(
        "/drf", headers={"Authorization": f"Bearer {token(scope='read:books')}", "Accept": "text/html"}
    )
    assert response.status_code == 200
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "testserver@evil.example", "evil.example/"])
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_base_url_fixes_the_metadata_url(door: Door, settings: Any, host: str, header: str) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    settings.USE_X_FORWARDED_HOST = header == "X-Forwarded-Host"
    settings.ALLOWED_HOSTS = ["*"]
    response = Client().get(door.path, headers={header: host})
    if response.status_code == 401:
        expected = "https://shop.example/.well-known/oauth-protected-resource/api"
        assert challenge_of(response)["resource_metadata"] == expected
    else:
        assert response.status_code == 400
    assert "evil" not in response.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize("path", ["", "/api", "/%61pi", "/api/"])
def test_challenge_url_serves_metadata(apis: None, logto: Emulator, path: str) -> None:
    response = Client().get(f"/.well-known/oauth-protected-resource{path}", headers={"Origin": "https://evil.example"})
    assert response.json()["resource"] == API
    assert response.json()["authorization_servers"] == [logto.issuer]
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_metadata_is_read_only(apis: None, method: str) -> None:
    assert Client().generic(method, "/.well-known/oauth-protected-resource").status_code == 405
