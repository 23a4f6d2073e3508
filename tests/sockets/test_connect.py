"""Who may open a socket, and whose socket it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from logto_auth.contrib import asgi
from logto_auth.contrib.asgi import LogtoAuthMiddleware
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import SignInRequired
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.api.attackers import TokenMaker

from .sites import ORIGIN, Socket, Stream, bearer, cookie_of, in_database, run, site, stream

pytestmark = pytest.mark.django_db(transaction=True)


def hello(*headers: tuple[bytes, bytes], **options: Any) -> Any:
    async def scenario() -> Any:
        socket = Socket(site(), *headers, **options)
        message = await socket.opened()
        await socket.disconnect()
        return {**message, "selected": socket.subprotocol}

    return run(scenario)


def refused(*headers: tuple[bytes, bytes], app: Any = None, **options: Any) -> int:
    return run(lambda: Socket(app or site(), *headers, **options).refused())


# The session


def test_session_of_the_cookie_is_the_user(signed_in: Browser, reader: Any) -> None:
    message = hello(cookie_of(signed_in), ORIGIN)
    assert message["sub"] == reader.id
    assert message["user"] == get_user_model().objects.get().get_username()
    assert message["authenticated"]


def test_socket_without_credentials_is_anonymous_or_refused(logto: Emulator) -> None:
    message = hello(ORIGIN)
    assert (message["user"], message["sub"], message["authenticated"]) == ("", None, False)
    assert refused(ORIGIN, app=site(signed_in_required=True)) == 4401
    assert refused(ORIGIN, app=site(roles=["editor"])) == 4401


def test_ended_session_is_anonymous_or_refused(signed_in: Browser) -> None:
    cookie = cookie_of(signed_in)
    LogtoSession.objects.all().end()
    assert hello(cookie, ORIGIN)["authenticated"] is False
    assert refused(cookie, ORIGIN, app=site(signed_in_required=True)) == 4401


def test_stale_session_is_refreshed_at_connect(signed_in: Browser, logto: Emulator) -> None:
    LogtoSession.objects.update(fresh_until=0)
    assert hello(cookie_of(signed_in), ORIGIN)["authenticated"]
    assert LogtoSession.objects.get().fresh_until > 0


def test_user_suspended_at_logto_is_noticed_at_connect(signed_in: Browser, logto: Emulator, reader: Any) -> None:
    LogtoSession.objects.update(fresh_until=0)
    logto.tenant.suspend_user(reader.id)
    cookie = cookie_of(signed_in)
    assert hello(cookie, ORIGIN)["authenticated"] is False
    assert not LogtoSession.objects.exists()


def test_stale_session_without_refresh_token_is_refused(signed_in: Browser, settings: Any) -> None:
    row = LogtoSession.objects.get()
    row.tokens = {name: value for name, value in row.tokens.items() if name != "refresh_token"}
    row.fresh_until = 0
    row.save()
    assert refused(cookie_of(signed_in), ORIGIN) == 4401
    assert LogtoSession.objects.exists(), "a page can still confirm it"


def test_deactivated_account_is_anonymous(signed_in: Browser) -> None:
    get_user_model().objects.update(is_active=False)
    assert hello(cookie_of(signed_in), ORIGIN)["authenticated"] is False


def test_user_of_a_session_without_logto_is_accepted(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    user = get_user_model().objects.create_user("clerk")
    browser = type("", (), {"client": Client()})()
    browser.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    message = hello(cookie_of(browser), ORIGIN)
    assert (message["user"], message["sub"]) == ("clerk", None)


def test_user_without_the_role_is_refused(signed_in: Browser) -> None:
    assert refused(cookie_of(signed_in), ORIGIN, app=site(roles=["editor"])) == 4403


# The origin


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"origin", b"null")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"http://testserver.evil.example")],
        [(b"origin", b"https://testserver")],
        [(b"origin", b"http://testserver:8000")],
        [(b"origin", b"http://[")],
    ],
)
def test_socket_of_another_origin_cannot_use_the_cookie(signed_in: Browser, headers: Any) -> None:
    assert refused(cookie_of(signed_in), *headers) == 4403


def test_trusted_origins_can_use_the_cookie(signed_in: Browser, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.shop.example"]
    cookie = cookie_of(signed_in)
    assert hello(cookie, (b"origin", b"https://app.example"))["authenticated"]
    assert hello(cookie, (b"origin", b"https://eu.shop.example"))["authenticated"]
    assert refused(cookie, (b"origin", b"http://eu.shop.example")) == 4403


def test_proxy_says_the_scheme_of_the_origin(signed_in: Browser, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    proxy = (b"x-forwarded-proto", b"https")
    assert hello(cookie_of(signed_in), proxy, (b"origin", b"https://testserver"))["authenticated"]


def test_host_must_be_allowed(logto: Emulator, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert refused() == 4400


# Access tokens


def test_token_in_the_header_has_priority_over_the_session(signed_in: Browser, token: TokenMaker) -> None:
    message = hello(cookie_of(signed_in), bearer(token()))
    assert message["sub"] == "robot0000001"
    assert message["authenticated"]
    assert message["may_write"]


def test_token_in_a_subprotocol_is_never_sent_back(token: TokenMaker) -> None:
    text = token()
    for offered, selected in (
        (["chat.v1", f"logto-bearer.{text}"], "chat.v1"),
        (["logto-bearer", f"logto-bearer.{text}"], "logto-bearer"),
        ([f"logto-bearer.{text}"], None),
    ):
        header = (b"sec-websocket-protocol", ", ".join(offered).encode())
        message = hello(header, subprotocols=offered)
        assert message["sub"] == "robot0000001"
        assert message["selected"] == selected
        assert text not in json.dumps(message)


def test_application_that_selects_the_first_subprotocol_sends_no_token(token: TokenMaker) -> None:
    text = token()

    async def naive(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "subprotocol": f"logto-bearer.{text}"})
        await receive()

    async def scenario() -> Any:
        socket = Socket(LogtoAuthMiddleware(naive), subprotocols=[f"logto-bearer.{text}"])
        return await socket.connect()

    assert run(scenario) == (True, None)


def test_wrong_token_is_refused_even_with_a_session(signed_in: Browser, token: TokenMaker) -> None:
    cookie = cookie_of(signed_in)
    assert refused(cookie, ORIGIN, bearer(token(exp=1))) == 4401
    assert refused(cookie, ORIGIN, bearer(token(aud="https://other.example"))) == 4401
    assert refused(cookie, ORIGIN, (b"authorization", b"Bearer")) == 4400
    assert refused(cookie, ORIGIN, subprotocols=["logto-bearer."]) == 4400
    assert refused(cookie, ORIGIN, subprotocols=["logto-bearer.\x00\xe9"]) == 4400


def test_two_tokens_are_refused(token: TokenMaker) -> None:
    assert refused(bearer(token()), subprotocols=[f"logto-bearer.{token()}"]) == 4400
    assert refused(subprotocols=[f"logto-bearer.{token()}", f"LOGTO-bearer.{token()}"]) == 4400


def test_token_without_the_permission_is_refused(token: TokenMaker) -> None:
    assert refused(bearer(token(scope="read:books")), app=site(scopes=["write:books"])) == 4403


def test_machine_can_open_a_socket(token: TokenMaker) -> None:
    text = token(sub="machine00001", client_id="machine00001")
    assert hello(bearer(text))["user"] == "machine00001"
    assert refused(bearer(text), app=site(accepts_machines=False)) == 4403


def test_token_cannot_be_checked_without_keys(token: TokenMaker, logto: Emulator) -> None:
    text = token()
    logto.faults.http["jwks"] = HttpFault(status=500)
    assert refused(bearer(text)) == 4503


def test_token_in_the_query_is_refused_and_not_logged(token: TokenMaker, caplog: Any) -> None:
    text = token()
    for query in (f"access_token={text}", "x=1&ACCESS_TOKEN=abc", f"jwt={text}", f"a=Bearer%20{text}", "id_token="):
        assert refused(url=f"/ws/?{query}") == 4400
    assert "query string" in caplog.text
    assert text not in caplog.text
    assert hello(url="/ws/?token=invitation-7&page=2")["authenticated"] is False


# What a server makes of a refusal


def test_refusal_is_an_http_response_where_the_server_can_send_one(logto: Emulator, token: TokenMaker) -> None:
    async def scenario() -> Any:
        socket = Socket(site(), bearer(token(exp=1)))
        socket.scope["extensions"] = {"websocket.http.response": {}}
        await socket.send_input({"type": "websocket.connect"})
        return [await socket.receive_output(5), await socket.receive_output(5)]

    start, body = run(scenario)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert dict(start["headers"])[b"www-authenticate"] == b'Bearer error="invalid_token"'
    assert json.loads(body["body"])["error"] == "invalid_token"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"cookie", b"sessionid=" + b"a" * 100_000)],
        [(b"cookie", b"sessionid=a\x00b")],
        [(b"cookie", "sessionid=\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9".encode())],
        [(b"authorization", b"Bearer " + b"a" * 100_000)],
        [(b"authorization", b"Bearer a\x00b")],
        [(b"authorization", b"\xff\xfe")],
        [(b"host", b"testserver\x00")],
        [(b"x-turbo-request-id", b"1"), (b"sec-purpose", b"prefetch")],
    ],
)
def test_odd_headers_cause_no_error(token: TokenMaker, headers: Any, caplog: Any) -> None:
    async def scenario() -> None:
        await Socket(site(), ORIGIN, *headers).connect()

    run(scenario)
    assert "Traceback" not in caplog.text


def test_odd_query_is_refused(logto: Emulator) -> None:
    async def scenario() -> int:
        socket = Socket(site())
        socket.scope["query_string"] = b"a=\xff" + b"&b=1" * 2000
        return await socket.refused()

    assert run(scenario) == 4400


def test_flood_without_credentials_asks_nothing(logto: Emulator, django_assert_num_queries: Any) -> None:
    async def scenario() -> None:
        sockets = [Socket(site()) for _ in range(200)]
        for socket in sockets:
            await socket.opened()
        assert len(asgi.watcher()) == 0
        for socket in sockets:
            await socket.disconnect()

    with django_assert_num_queries(0):
        run(scenario)


def test_too_many_waiting_connects_are_refused(token: TokenMaker, monkeypatch: Any) -> None:
    monkeypatch.setattr("logto_auth.contrib.open_sockets.MAX_WAITING", 0)
    assert refused(bearer(token())) == 4503


# Streams


def test_stream_has_the_user(signed_in: Browser, reader: Any) -> None:
    async def scenario() -> Any:
        app = LogtoAuthMiddleware(stream, signed_in_required=True)
        events = Stream(app, cookie_of(signed_in))
        start, body = await events.started(), await events.receive_output(5)
        await events.send_input({"type": "http.disconnect"})
        await events.wait()
        return start["status"], body["body"].decode()

    status, text = run(scenario)
    assert (status, text) == (200, f'data: {{"sub": "{reader.id}"}}\n\n')


def test_stream_of_another_origin_or_method_is_refused(signed_in: Browser) -> None:
    def status(method: str, *headers: tuple[bytes, bytes]) -> int:
        async def scenario() -> int:
            app = LogtoAuthMiddleware(stream)
            return int((await Stream(app, cookie_of(signed_in), *headers, method=method).started())["status"])

        return run(scenario)

    assert status("GET", (b"origin", b"https://evil.example")) == 403
    assert status("POST") == 403


# Later


def test_refresh_reads_the_session_again(signed_in: Browser, logto: Emulator, reader: Any) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            try:
                await asgi.refresh(scope)
            except SignInRequired:
                seen.append("ended")
            else:
                seen.append((scope["user"].is_staff, scope["logto"].claims["name"]))
                await send({"type": "websocket.send", "text": "1"})

    def change() -> None:
        logto.tenant.update_user(reader.id, name="Renamed")
        get_user_model().objects.update(is_staff=True)
        LogtoSession.objects.update(fresh_until=0)

    async def scenario() -> tuple[int, str]:
        socket = Socket(LogtoAuthMiddleware(app), cookie_of(signed_in), ORIGIN)
        await socket.connect()
        await in_database(change)
        await socket.say(1)
        await socket.hear()
        await in_database(lambda: LogtoSession.objects.all().end())
        await socket.say(2)
        return await socket.close_code()

    assert run(scenario) == (4401, "session_ended")
    assert seen == [(True, "Renamed"), "ended"]


def test_refresh_needs_the_middleware() -> None:
    with pytest.raises(ValueError, match="did not pass"):
        run(lambda: asgi.refresh({}))
