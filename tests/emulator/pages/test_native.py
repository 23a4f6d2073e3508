"""Native applications, and the native Alipay connector."""

import json

import pytest
import requests

from logto_auth.emulator import NativeVisitor, VisitFailed
from logto_auth.emulator.visitors.page_reader import text_of
from tests.emulator.relying_party import claims_of, parameters_of

API = "https://bookstore.example/api"
APP_CALLBACK = "io.bookstore.app://callback"


# A native application


def test_callback_has_custom_scheme(app, visitor):
    callback = visitor.sign_in(app.authorization_url(), "customer")
    assert callback.startswith(f"{APP_CALLBACK}?code=")
    assert list(parameters_of(callback)) == ["code", "state", "iss"]
    tokens = app.exchange(parameters_of(callback)["code"]).json()
    assert claims_of(tokens["id_token"])["aud"] == app.application.id


def test_error_callback_has_custom_scheme(app, visitor):
    callback = visitor.sign_in(app.authorization_url(prompt="none"))
    assert callback.startswith(f"{APP_CALLBACK}?error=login_required&")


@pytest.mark.parametrize("uri", ["io.bookstore.app://other", "io.bookstore.app:/callback", "io.evil.app://callback"])
def test_unregistered_custom_scheme_uri_is_refused(app, uri):
    response = app.authorize(redirect_uri=uri)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")


def test_custom_scheme_with_logto_host_leaves_logto(emulator, app, visitor):
    uri = emulator.endpoint.replace("http:", "io.bookstore.app:")
    app.application.redirect_uris.append(uri)
    assert visitor.sign_in(app.authorization_url(redirect_uri=uri), "customer").startswith(f"{uri}?code=")


def test_sign_out_redirects_to_custom_scheme(app, visitor):
    app.sign_in(visitor=visitor)
    url = app.end_session_url(client_id=app.application.id, post_logout_redirect_uri=APP_CALLBACK, state="bye")
    assert visitor.sign_out(url) == f"{APP_CALLBACK}?state=bye"


def test_native_callbacks_may_use_any_loopback_port(app, bookstore, visitor):
    for relying_party, allowed in [(app, True), (bookstore, False)]:
        relying_party.application.redirect_uris.append("http://127.0.0.1/cb")
        relying_party.application.post_logout_redirect_uris.append("http://127.0.0.1/cb")
        there = "http://127.0.0.1:49152/cb"
        assert (relying_party.authorize(redirect_uri=there).status_code == 303) is allowed
        url = relying_party.end_session_url(client_id=relying_party.application.id, post_logout_redirect_uri=there)
        assert (requests.get(url, timeout=5).status_code == 200) is allowed


def test_native_application_authenticates_by_verifier_only(app, visitor):
    code = app.code(visitor=visitor)
    for changes, error in [
        ({"client_secret": "anything"}, "invalid_client"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
    ]:
        assert app.exchange(code, **changes).json()["error"] == error
    assert app.exchange(code).status_code == 200


def test_native_application_gets_resource_token(app, visitor):
    rights = {"scope": "openid offline_access read:books", "resource": API}
    token = app.sign_in("editor", visitor, **rights)["refresh_token"]
    claims = claims_of(app.refresh(token, resource=API).json()["access_token"])
    assert (claims["aud"], claims["scope"], claims["client_id"]) == (API, "read:books", app.application.id)


# Alipay (Native)


def sub_of(relying_party, callback):
    return claims_of(relying_party.exchange(parameters_of(callback)["code"]).json()["id_token"])["sub"]


def test_alipay_app_signs_in(emulator, app, phone):
    callback = phone.sign_in_with_alipay(app.authorization_url(), "2088", nick_name="Phone Reader")
    assert callback.startswith(f"{APP_CALLBACK}?code=")
    user = emulator.tenant.users[sub_of(app, callback)]
    assert (user.name, user.primary_email) == ("Phone Reader", None)
    assert user.identities["alipay"]["userId"] == "2088"


def test_direct_sign_in_opens_alipay_app(app, phone):
    url = app.authorization_url(direct_sign_in="social:alipay")
    assert phone.open(url).url.partition("?")[0].endswith("/direct/social/alipay")
    assert "code" in parameters_of(phone.sign_in_with_alipay(url, "2088"))


def test_both_alipay_connectors_find_the_same_user(app, bookstore, phone, visitor):
    by_phone = sub_of(app, phone.sign_in_with_alipay(app.authorization_url(), "2088"))
    by_browser = sub_of(bookstore, visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088"))
    assert by_phone == by_browser


def test_message_for_sdk_has_callback_and_redirect(emulator, app, phone):
    message = message_on(phone.open(app.authorization_url(direct_sign_in="social:alipay")))
    assert list(message) == ["callbackUri", "redirectTo"]
    assert message["callbackUri"] == f"{emulator.endpoint}/callback/social/alipaynative"
    assert message["redirectTo"].startswith("alipay://?app_id=2021000000000000&state=")


@pytest.mark.parametrize(
    ("connectors", "targets", "in_browser", "in_web_view"),
    [
        (["alipay-web", "alipay-native"], ["alipay"], "Web", "Native"),
        (["alipay-web"], ["alipay"], "Web", None),
        (["alipay-native"], ["alipay"], None, "Native"),
        (["alipay-web", "alipay-native"], ["wechat"], "Web", None),
        (["alipay-web", "alipay-native"], [], "Web", None),
        ([], ["alipay"], None, None),
    ],
)
def test_shown_connector_depends_on_platform_and_target(
    emulator, app, visitor, connectors, targets, in_browser, in_web_view
):
    emulator.tenant.sign_in_experience.connectors = connectors
    with NativeVisitor(emulator, native_targets=targets, platform="android") as phone:
        for user, shown in [(visitor, in_browser), (phone, in_web_view)]:
            assert ("Continue with Alipay" in user.open(app.authorization_url()).text) is (shown is not None)
            direct = user.open(app.authorization_url(direct_sign_in="social:alipay", first_screen="register"))
            assert ("Stand-in for Alipay" in direct.text) is (shown == "Web")
            assert ("Opening Alipay" in direct.text) is (shown == "Native")
            assert ("/register?" in direct.url) is (shown is None)


@pytest.mark.parametrize(
    "header",
    ["", "ios", "[]", "{}", '{"platform": "windows"}', '{"platform": null}'],
)
def test_invalid_sdk_header_counts_as_browser(app, visitor, header):
    visitor.session.headers["Logto-Native-Sdk"] = header
    assert "Stand-in for Alipay" in visitor.open(app.authorization_url(direct_sign_in="social:alipay")).text


@pytest.mark.parametrize("supported", [None, [], {"universal": True}, {"nativeTargets": "alipay"}])
def test_app_without_native_targets_sees_no_connector(app, visitor, supported):
    visitor.session.headers["Logto-Native-Sdk"] = json.dumps({"platform": "ios", "supportedConnector": supported})
    assert "Alipay" not in visitor.open(app.authorization_url()).text


def message_on(response):
    return json.loads(text_of(response, "id", "native-sdk-message"))


@pytest.fixture
def at_alipay(emulator, app, phone):
    """Open the Alipay app from a web view, and return the callback URI and the answer of Alipay."""
    message = message_on(phone.open(app.authorization_url(direct_sign_in="social:alipay")))
    form = {**parameters_of(message["redirectTo"]), "alipay_user_id": "2088"}
    answer = requests.post(f"{emulator.endpoint}/stand-in/alipay-app", data=form, timeout=5).json()
    return message["callbackUri"], answer


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"auth_code": None}, 400, "connector.general"),
        ({"auth_code": "unknown"}, 401, "connector.social_auth_code_invalid"),
        ({"state": None}, 400, "error.invalid_connector_auth"),
        ({"state": "wrong"}, 400, "error.invalid_connector_auth"),
    ],
)
def test_invalid_alipay_answers_are_refused(emulator, phone, at_alipay, changes, status, code):
    callback_uri, answer = at_alipay
    users = len(emulator.tenant.users)
    response = phone.session.get(callback_uri, params={**answer, **changes}, allow_redirects=False)
    assert response.status_code == status
    assert f'data-code="{code}"' in response.text
    # The state is valid for one attempt.
    again = phone.session.get(callback_uri, params=answer, allow_redirects=False)
    assert 'data-code="error.invalid_connector_auth"' in again.text
    assert len(emulator.tenant.users) == users


def test_auth_code_works_once(app, phone, at_alipay):
    callback_uri, answer = at_alipay
    assert phone.session.get(callback_uri, params=answer, allow_redirects=False).headers["Location"]
    message = message_on(phone.open(app.authorization_url(direct_sign_in="social:alipay", prompt="login consent")))
    answer["state"] = parameters_of(message["redirectTo"])["state"]
    assert 'data-code="connector.social_auth_code_invalid"' in phone.session.get(callback_uri, params=answer).text


def test_alipay_answer_requires_its_web_view(emulator, app, at_alipay):
    callback_uri, answer = at_alipay
    with NativeVisitor(emulator) as other:
        response = other.session.get(callback_uri, params=answer, allow_redirects=False)
        assert response.headers["Location"] == "/unknown-session"
        other.open(app.authorization_url())
        assert 'data-code="error.invalid_connector_auth"' in other.session.get(callback_uri, params=answer).text


def test_hidden_connector_accepts_no_answer(emulator, app, phone, visitor, at_alipay):
    callback_uri, answer = at_alipay
    visitor.open(app.authorization_url())
    for user, uri in [(phone, callback_uri.replace("native", "web001")), (visitor, callback_uri)]:
        response = user.session.get(uri, params=answer, allow_redirects=False)
        assert response.headers["Location"] == f"/sign-in?app_id={app.application.id}"


@pytest.mark.parametrize("changes", [{"app_id": "other"}, {"app_id": None}, {"alipay_user_id": " "}])
def test_alipay_app_requires_known_app_and_user(emulator, changes):
    form = {"app_id": "2021000000000000", "state": "s", "alipay_user_id": "2088", **changes}
    response = requests.post(f"{emulator.endpoint}/stand-in/alipay-app", data=form, timeout=5)
    assert response.status_code == 400
    assert "auth_code" not in response.json()


def test_request_log_contains_no_auth_code(emulator, phone, at_alipay):
    callback_uri, answer = at_alipay
    phone.session.get(callback_uri, params=answer, allow_redirects=False)
    assert answer["auth_code"] not in repr(list(emulator.requests))


def test_visitor_reports_missing_native_connector(emulator, app, phone):
    emulator.tenant.sign_in_experience.connectors = ["alipay-web"]
    with pytest.raises(VisitFailed, match="no button for Alipay"):
        phone.sign_in_with_alipay(app.authorization_url(), "2088")
