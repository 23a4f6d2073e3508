import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from logto_auth.emulator import Emulator
from logto_auth.emulator.oidc.outbound_guard import is_blocked
from tests.emulator.relying_party import RelyingParty, claims_of, header_of, parameters_of

HOME = "http://localhost:8000/"


@pytest.fixture
def receiver(emulator):
    """A back-channel endpoint that stores the requests. Tests set `answer` and `delay`."""
    emulator.outbound_guard = False

    class Receiver(BaseHTTPRequestHandler):
        received: list = []
        answer = 200
        delay = 0.0

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            Receiver.received.append((dict(self.headers), parse_qs(body)))
            time.sleep(Receiver.delay)
            self.send_response(Receiver.answer)
            self.send_header("Location", "http://localhost:9/")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    Receiver.url = f"http://127.0.0.1:{server.server_port}/backchannel"
    yield Receiver
    server.shutdown()
    server.server_close()


def test_sign_out_redirects_to_registered_uri_with_state(bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    url = bookstore.end_session_url(
        client_id=bookstore.application.id, post_logout_redirect_uri=HOME, state="bye", ui_locales="ja", logout_hint="x"
    )
    assert visitor.sign_out(url) == f"{HOME}?state=bye"
    assert "/sign-in" in visitor.open(bookstore.authorization_url(prompt=None)).url


def test_sign_out_without_uri_ends_on_logto_page(emulator, bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    success = f"{emulator.endpoint}/oidc/session/end/success"
    assert visitor.sign_out(bookstore.end_session_url()) == success
    # Without a client the URI is ignored without an error.
    assert visitor.sign_out(bookstore.end_session_url(post_logout_redirect_uri=HOME)) == success


def test_sign_out_without_session_redirects(bookstore, visitor):
    url = bookstore.end_session_url(client_id=bookstore.application.id, post_logout_redirect_uri=HOME)
    assert visitor.sign_out(url) == HOME


def test_expired_hint_identifies_the_client(emulator, bookstore, visitor):
    hint = bookstore.sign_in(visitor=visitor)["id_token"]
    emulator.clock.advance(7200)
    assert visitor.sign_out(bookstore.end_session_url(id_token_hint=hint, post_logout_redirect_uri=HOME)) == HOME


@pytest.mark.parametrize(
    ("parameters", "error", "description"),
    [
        (
            {"post_logout_redirect_uri": "http://evil.example/"},
            "invalid_request",
            "post_logout_redirect_uri not registered",
        ),
        (
            {"post_logout_redirect_uri": "http://localhost:8000/x"},
            "invalid_request",
            "post_logout_redirect_uri not registered",
        ),
        ({"client_id": "nope"}, "invalid_client", "invalid client nope"),
        ({"id_token_hint": "junk"}, "invalid_request", "could not decode id_token_hint"),
        ({"id_token_hint": "e30.e30.x"}, "invalid_request", "client_id does not match the provided id_token_hint"),
        ({"client_id": "", "id_token_hint": "e30.e30.x"}, "invalid_client", "invalid client None"),
    ],
)
def test_invalid_sign_outs_are_refused(bookstore, parameters, error, description):
    url = bookstore.end_session_url(**{"client_id": bookstore.application.id, **parameters})
    response = requests.get(url, timeout=5)
    assert response.status_code == 400
    assert (response.json()["error"], response.json()["error_description"]) == (error, description)


def test_hint_with_deleted_key_is_refused(rotating_emulator):
    emulator = rotating_emulator
    relying_party = RelyingParty(emulator, next(iter(emulator.tenant.applications.values())))
    url = relying_party.end_session_url(id_token_hint=relying_party.sign_in()["id_token"])
    emulator.rotate_keys()
    assert requests.get(url, timeout=5).status_code == 200
    emulator.rotate_keys("RSA")
    # The key is no longer published. A published key with another algorithm would be refused too.
    answer = requests.get(url, timeout=5)
    assert answer.json()["error_description"] == "could not validate id_token_hint"
    relying_party.http.close()


def test_confirm_step_requires_session_and_xsrf_token(emulator, bookstore, visitor):
    confirm = f"{emulator.endpoint}/oidc/session/end/confirm"
    response = requests.post(confirm, data={"xsrf": "x", "logout": "yes"}, timeout=5)
    assert response.json()["error_description"] == "could not find logout details"
    bookstore.sign_in(visitor=visitor)
    visitor.session.get(bookstore.end_session_url())
    response = visitor.session.post(confirm, data={"xsrf": "x", "logout": "yes"})
    assert response.json()["error_description"] == "xsrf token invalid"


def test_sign_out_keeps_grants_with_offline_access(bookstore, visitor):
    lasting = bookstore.sign_in(visitor=visitor)
    assert visitor.sign_out(bookstore.end_session_url())
    assert bookstore.refresh(lasting["refresh_token"]).status_code == 200
    assert bookstore.userinfo(lasting["access_token"]).status_code == 200
    bound = bookstore.sign_in(visitor=visitor, prompt=None)
    assert bookstore.userinfo(bound["access_token"]).status_code == 200
    assert visitor.sign_out(bookstore.end_session_url())
    assert bookstore.userinfo(bound["access_token"]).status_code == 401


def test_refresh_token_without_offline_access_ends_with_session(bookstore, visitor):
    bookstore.application.always_issue_refresh_token = True
    token = bookstore.sign_in(visitor=visitor, prompt=None)["refresh_token"]
    assert bookstore.refresh(token).status_code == 200
    visitor.sign_out(bookstore.end_session_url())
    assert bookstore.refresh(token).json()["error"] == "invalid_grant"


def test_backchannel_logout_is_sent_before_redirect(emulator, bookstore, visitor, receiver):
    emulator.like = "1.42"
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.application.backchannel_logout_session_required = True
    sid = claims_of(bookstore.sign_in(visitor=visitor)["id_token"])["sid"]
    visitor.sign_out(bookstore.end_session_url())
    ((headers, form),) = receiver.received
    host = urlsplit(receiver.url).netloc
    form_type = "application/x-www-form-urlencoded"
    # Python adds the two headers that the recordings do not have.
    sent = {name: value for name, value in headers.items() if name not in {"Content-Length", "Accept-Encoding"}}
    assert sent == {"host": host, "content-type": form_type, "user-agent": "", "accept": "*/*"}
    (token,) = form["logout_token"]
    assert header_of(token)["typ"] == "logout+jwt"
    claims = claims_of(token)
    assert list(claims) == ["sub", "events", "jti", "sid", "aud", "exp", "iat", "iss"]
    assert claims["exp"] - claims["iat"] == 120
    assert (claims["sub"], claims["sid"]) == ("customer0001", sid)


def test_outbound_guard_blocks_loopback_silently(emulator, bookstore, visitor, receiver):
    emulator.outbound_guard, emulator.like = True, "1.42"
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in(visitor=visitor)
    url = bookstore.end_session_url(client_id=bookstore.application.id, post_logout_redirect_uri=HOME)
    assert visitor.sign_out(url) == HOME
    assert receiver.received == []


def test_1_41_has_no_outbound_guard(emulator, bookstore, visitor, receiver):
    emulator.outbound_guard, emulator.like = True, "1.41"
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in(visitor=visitor)
    visitor.sign_out(bookstore.end_session_url())
    ((headers, _),) = receiver.received
    assert not {"User-Agent", "Accept"} & set(headers)


def test_reset_restores_outbound_guard_and_version():
    emulator = Emulator(like="head", outbound_guard=False)
    emulator.like, emulator.outbound_guard = "1.41", True
    emulator.reset(tenant=True)
    assert (emulator.like, emulator.outbound_guard) == ("head", False)


@pytest.mark.parametrize(
    ("host", "blocked"),
    [
        ("localhost", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("[::ffff:10.0.0.1]", True),
        ("10.0.0.1", True),
        ("172.16.0.1", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("[fe80::1]", True),
        ("[fd00::1]", True),
        ("198.51.100.1", True),
        ("93.184.216.34", False),
        ("[2606:4700:4700::1111]", False),
        ("unknown.invalid", False),
    ],
)
def test_guard_knows_special_addresses(host, blocked):
    assert is_blocked(f"https://{host}:8443/backchannel") is blocked


def test_logout_token_has_sid_only_if_required(bookstore, visitor, receiver):
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.application.backchannel_logout_session_required = False
    bookstore.sign_in(visitor=visitor)
    visitor.sign_out(bookstore.end_session_url())
    assert "sid" not in claims_of(receiver.received[0][1]["logout_token"][0])


def test_all_applications_of_session_get_backchannel_logout(bookstore, spa, visitor, receiver):
    for relying_party in (bookstore, spa):
        relying_party.application.backchannel_logout_uri = receiver.url
        relying_party.sign_in(visitor=visitor)
    visitor.sign_out(bookstore.end_session_url())
    audiences = {claims_of(form["logout_token"][0])["aud"] for _, form in receiver.received}
    assert audiences == {bookstore.application.id, spa.application.id}


def test_switching_accounts_sends_backchannel_logout(bookstore, visitor, receiver):
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in("customer", visitor=visitor)
    bookstore.sign_in("editor", visitor=visitor, prompt="login consent")
    assert [claims_of(form["logout_token"][0])["sub"] for _, form in receiver.received] == ["customer0001"]


@pytest.mark.parametrize("answer", [204, 302, 400, 500])
def test_backchannel_logout_follows_no_redirect_and_never_retries(bookstore, visitor, receiver, answer):
    receiver.answer = answer
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in(visitor=visitor)
    assert visitor.sign_out(bookstore.end_session_url())
    assert len(receiver.received) == 1


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/", "not a url"])
def test_unreachable_receiver_does_not_delay_sign_out(bookstore, visitor, uri):
    bookstore.application.backchannel_logout_uri = uri
    bookstore.sign_in(visitor=visitor)
    assert visitor.sign_out(bookstore.end_session_url())


def test_slow_receiver_delays_sign_out_for_2500_ms(bookstore, visitor, receiver):
    receiver.delay = 10
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in(visitor=visitor)
    started = time.monotonic()
    visitor.sign_out(bookstore.end_session_url())
    # It does not wait for the answer.
    assert 2.4 < time.monotonic() - started < receiver.delay


def test_suspension_sends_no_backchannel_logout(emulator, bookstore, visitor, receiver):
    bookstore.application.backchannel_logout_uri = receiver.url
    bookstore.sign_in(visitor=visitor)
    emulator.tenant.suspend_user("customer0001")
    emulator.tenant.delete_user("customer0001")
    assert receiver.received == []


def test_receiver_may_request_jwks_during_logout(emulator, bookstore, visitor):
    """A relying party that requests the JWKS while Logto waits for it must not cause a deadlock."""
    bookstore.application.backchannel_logout_uri = f"{emulator.endpoint}/oidc/jwks"
    bookstore.sign_in(visitor=visitor)
    started = time.monotonic()
    visitor.sign_out(bookstore.end_session_url())
    assert time.monotonic() - started < 2
    assert parameters_of(bookstore.authorization_url())["client_id"] == bookstore.application.id
