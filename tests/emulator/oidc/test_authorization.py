import pytest
import requests

from logto_auth.emulator import Visitor
from tests.emulator.relying_party import CALLBACK, VERIFIER, claims_of, parameters_of, repeated_parameters_of

API = "https://bookstore.example/api"


def error_of(response):
    """The error parameters of a callback, in order."""
    assert response.status_code == 303
    location = response.headers["Location"]
    assert location.startswith(CALLBACK)
    return {name: values[0] for name, values in repeated_parameters_of(location).items()}


def test_unknown_client_gets_json_error(bookstore):
    response = bookstore.authorize(client_id="nope")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client")
    assert response.json()["error_description"] == "invalid client nope"


@pytest.mark.parametrize(
    "uri",
    [
        "http://evil.example/callback",
        "http://localhost:8000/callback/",
        "http://localhost:8000/callback?x=1",
        "http://localhost:8000/callback#fragment",
        "http://localhost:8001/callback",
        "https://localhost:8000/callback",
        "http://localhost.evil.example:8000/callback",
        "http://user@localhost:8000/callback",
        "not a uri",
        "//localhost:8000/callback",
    ],
)
def test_unregistered_redirect_uri_gets_json_without_redirect(bookstore, uri):
    response = bookstore.authorize(redirect_uri=uri)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_redirect_uri"
    assert "Location" not in response.headers


def test_log_names_the_unregistered_redirect_uri_and_the_option(bookstore, caplog):
    bookstore.authorize(redirect_uri="http://localhost:8080/callback")
    assert "'http://localhost:8080/callback' is not registered" in caplog.text
    assert "--base-url" in caplog.text


def test_wrong_redirect_uri_is_reported_first(bookstore):
    response = bookstore.authorize(redirect_uri="http://evil.example/", prompt="nonsense")
    assert response.json()["error"] == "invalid_redirect_uri"


def test_redirect_uri_is_normalised_before_comparison(bookstore):
    assert bookstore.authorize(redirect_uri="HTTP://LOCALHOST:8000/x/../callback").status_code == 303


def test_only_redirect_uri_may_be_omitted(emulator, bookstore):
    bookstore.application.redirect_uris = [CALLBACK]
    assert bookstore.authorize(redirect_uri=None).status_code == 303
    bookstore.application.redirect_uris = ["http://*.shop.example/callback"]
    assert bookstore.authorize(redirect_uri=None).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"prompt": "select_account"}, "invalid_request", "unsupported prompt value requested"),
        ({"prompt": "create"}, "invalid_request", "unsupported prompt value requested"),
        ({"prompt": "none login"}, "invalid_request", "prompt none must only be used alone"),
        ({"prompt": "none"}, "login_required", "End-User authentication is required"),
        ({"response_type": "nope"}, "unsupported_response_type", "unsupported response_type requested"),
        ({"response_type": None}, "invalid_request", "missing required parameter 'response_type'"),
        ({"response_mode": "web_message"}, "unsupported_response_mode", "unsupported response_mode requested"),
        ({"resource": "https://nope.example"}, "invalid_target", "resource indicator is missing, or unknown"),
        ({"resource": "nope"}, "invalid_target", "resource indicator must be an absolute URI"),
        ({"code_challenge_method": "plain"}, "invalid_request", "not supported value of code_challenge_method"),
        (
            {"code_challenge": "short"},
            "invalid_request",
            "code_challenge must be a string with a minimum length of 43 characters",
        ),
        (
            {"scope": "profile"},
            "invalid_request",
            "openid scope must be requested when using the nonce parameter",
        ),
        ({"max_age": "-1"}, "invalid_request", "invalid max_age parameter value"),
        ({"id_token_hint": "junk"}, "invalid_request", "could not validate id_token_hint"),
        ({"nonce": ["a", "b"]}, "invalid_request", "'nonce' parameter must not be provided twice"),
    ],
)
def test_other_errors_are_sent_to_the_callback(emulator, bookstore, changes, error, description):
    received = error_of(bookstore.authorize(**changes))
    expected = {"error": error, "error_description": description, "state": "st", "iss": emulator.issuer}
    assert list(received.items()) == list(expected.items())


@pytest.mark.parametrize("name", ["request", "request_uri", "registration"])
def test_unsupported_parameter_is_refused_without_a_description(bookstore, name):
    received = error_of(bookstore.authorize(**{name: "https://client.example/request"}))
    assert received.pop("error") == f"{name}_not_supported"
    assert list(received) == ["state", "iss"]


def test_unknown_pushed_request_is_refused(bookstore):
    request_uri = "urn:ietf:params:oauth:request_uri:unknown"
    assert error_of(bookstore.authorize(request_uri=request_uri))["error"] == "invalid_request_uri"


def test_front_channel_response_type_error_is_a_fragment(bookstore):
    location = bookstore.authorize(response_type="token").headers["Location"]
    assert location.startswith(f"{CALLBACK}#error=unsupported_response_type&")


def test_error_has_no_state_if_request_had_none(bookstore):
    assert list(error_of(bookstore.authorize(prompt="none", state=None))) == ["error", "error_description", "iss"]


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_public_application_must_use_pkce(request, kind):
    application = request.getfixturevalue(kind)
    error = error_of(application.authorize(code_challenge=None, code_challenge_method=None))
    assert error["error_description"] == "Authorization Server policy requires PKCE to be used for this request"


def test_verifier_without_challenge_is_refused(bookstore):
    code = bookstore.code(code_challenge=None, code_challenge_method=None)
    assert bookstore.exchange(code).json()["error"] == "invalid_grant"
    assert bookstore.exchange(code, code_verifier=None).status_code == 200


def test_machine_application_cannot_start_a_sign_in(emulator, bookstore):
    machine = emulator.tenant.add_application(name="Machine", type="MachineToMachine")
    assert bookstore.authorize(client_id=machine.id).json()["error"] == "invalid_redirect_uri"


def test_unknown_scopes_are_dropped_without_error(bookstore):
    assert bookstore.sign_in(scope="openid nonsense")["scope"] == "openid"


def test_offline_access_is_dropped_without_prompt_consent(bookstore):
    answer = bookstore.sign_in(prompt=None)
    assert "refresh_token" not in answer
    assert answer["scope"] == "openid profile"


def test_always_issue_refresh_token_needs_no_consent_prompt(bookstore):
    bookstore.application.always_issue_refresh_token = True
    assert "refresh_token" in bookstore.sign_in(prompt=None)


def test_request_without_grantable_scopes_is_denied(bookstore, visitor):
    url = bookstore.authorization_url(scope="nonsense", nonce=None, prompt=None)
    error = parameters_of(visitor.sign_in(url, "customer"))
    assert error["error"] == "access_denied"
    # The sign-in itself succeeded.
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url()))


# The URL of the sign-in page


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({}, "/sign-in?app_id={id}"),
        ({"first_screen": "register"}, "/register?app_id={id}"),
        ({"first_screen": "reset_password"}, "/reset-password?app_id={id}"),
        (
            {"first_screen": "identifier:sign_in", "identifier": "email phone"},
            "/identifier-sign-in?app_id={id}&identifier=email+phone",
        ),
        ({"first_screen": "identifier:register"}, "/identifier-register?app_id={id}"),
        ({"first_screen": "single_sign_on"}, "/single-sign-on?app_id={id}"),
        ({"interaction_mode": "signUp"}, "/register?app_id={id}"),
        ({"interaction_mode": "signUp", "first_screen": "sign_in"}, "/sign-in?app_id={id}"),
        (
            {"organization_id": "o", "ui_locales": "ja", "one_time_token": "t", "login_hint": "a@b.c"},
            "/sign-in?app_id={id}&organization_id=o&ui_locales=ja&one_time_token=t&login_hint=a%40b.c",
        ),
        ({"direct_sign_in": "social:github"}, "/direct/social/github?app_id={id}&fallback=sign-in"),
        ({"direct_sign_in": "sso:abc"}, "/direct/sso/abc?app_id={id}&fallback=sign-in"),
    ],
)
def test_logto_parameters_select_the_first_page(bookstore, changes, location):
    response = bookstore.authorize(**changes)
    assert response.headers["Location"] == location.format(id=bookstore.application.id)


@pytest.mark.parametrize("bad", [{"first_screen": "nope"}, {"interaction_mode": "nope"}, {"identifier": "email nope"}])
def test_malformed_logto_parameter_disables_all_of_them(bookstore, bad):
    changes = {"login_hint": "a@b.c", "direct_sign_in": "social:alipay", "organization_id": "o", **bad}
    assert bookstore.authorize(**changes).headers["Location"] == f"/sign-in?app_id={bookstore.application.id}"


# Sessions


def test_existing_session_returns_a_code_at_once(emulator, bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    response = visitor.session.get(bookstore.authorization_url(prompt=None), allow_redirects=False)
    assert response.status_code == 303
    assert list(parameters_of(response.headers["Location"])) == ["code", "state", "iss"]


def test_prompt_none_returns_a_code_with_session(bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(prompt="none")))


def test_prompt_none_cannot_add_scopes_to_grant(bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    url = bookstore.authorization_url(prompt="none", scope="openid profile email")
    assert parameters_of(visitor.sign_in(url))["error"] == "consent_required"


def test_prompt_none_never_works_for_native_applications(native, visitor):
    native.sign_in(visitor=visitor)
    error = parameters_of(visitor.sign_in(native.authorization_url(prompt="none")))
    assert error["error"] == "interaction_required"
    assert error["error_description"] == "native clients require End-User interaction"


def test_session_ends_after_14_days_of_inactivity(emulator, bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    emulator.clock.advance(13 * 86400)
    assert "code" in parameters_of(visitor.sign_in(bookstore.authorization_url(prompt="none")))
    emulator.clock.advance(14 * 86400 + 1)
    assert parameters_of(visitor.sign_in(bookstore.authorization_url(prompt="none")))["error"] == "login_required"


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login consent"}])
def test_login_can_be_required_despite_session(bookstore, visitor, changes):
    bookstore.sign_in(visitor=visitor)
    assert "/sign-in" in visitor.open(bookstore.authorization_url(**changes)).url
    claims = claims_of(bookstore.sign_in(visitor=visitor, **changes)["id_token"])
    assert claims["auth_time"] <= claims["iat"]


def test_session_older_than_max_age_requires_login(emulator, bookstore, visitor):
    bookstore.sign_in(visitor=visitor)
    emulator.clock.advance(61)
    assert "code=" in visitor.sign_in(bookstore.authorization_url(max_age="100"))
    assert "/sign-in" in visitor.open(bookstore.authorization_url(max_age="60")).url


def test_auth_time_is_omitted_unless_requested(bookstore):
    assert "auth_time" not in claims_of(bookstore.sign_in()["id_token"])
    assert "auth_time" in claims_of(bookstore.sign_in(max_age="100")["id_token"])


def test_hint_for_another_subject_requires_login(bookstore, visitor):
    hint = bookstore.sign_in("editor")["id_token"]
    bookstore.sign_in("customer", visitor=visitor)
    assert "/sign-in" in visitor.open(bookstore.authorization_url(id_token_hint=hint)).url


def test_second_account_in_browser_gets_new_session(emulator, bookstore, visitor):
    first = bookstore.sign_in("customer", visitor=visitor)
    second = bookstore.sign_in("editor", visitor=visitor, prompt="login consent")
    subs = [claims_of(answer["id_token"])["sub"] for answer in (first, second)]
    assert subs == ["customer0001", "editor000001"]
    assert [session.account_id for session in emulator.instances.sessions.values()] == ["editor000001"]


def test_first_application_of_user_is_stored(emulator, bookstore):
    bookstore.sign_in("customer")
    assert emulator.tenant.users["customer0001"].application_id == bookstore.application.id


def test_interaction_cannot_be_resumed_in_another_browser(emulator, bookstore, visitor):
    visitor.open(bookstore.authorization_url())
    uid = next(iter(emulator.instances.interactions))
    response = requests.get(f"{emulator.endpoint}/oidc/auth/{uid}", timeout=10)
    assert (response.status_code, response.json()["code"]) == (400, "session.not_found")


def test_interaction_expires_after_an_hour(emulator, bookstore, visitor):
    visitor.open(bookstore.authorization_url())
    uid = next(iter(emulator.instances.interactions))
    emulator.clock.advance(3601)
    assert visitor.open(f"{emulator.endpoint}/oidc/auth/{uid}").json()["code"] == "session.not_found"


def test_unfinished_interaction_gives_no_code(emulator, bookstore, visitor):
    visitor.open(bookstore.authorization_url())
    uid = next(iter(emulator.instances.interactions))
    assert visitor.open(f"{emulator.endpoint}/oidc/auth/{uid}").url.startswith(f"{emulator.endpoint}/sign-in")


# Response modes


def test_response_modes_fragment_and_form_post(emulator, bookstore, visitor):
    url = visitor.sign_in(bookstore.authorization_url(response_mode="fragment"), "customer")
    assert url.startswith(f"{CALLBACK}#code=")
    url = visitor.sign_in(bookstore.authorization_url(response_mode="form_post", state='"><b>'))
    assert url == CALLBACK
    assert [name for name, _ in visitor.posted] == ["code", "state", "iss"]
    assert dict(visitor.posted)["state"] == '"><b>'


def test_redirect_uri_keeps_its_query(bookstore, visitor):
    bookstore.application.redirect_uris.append("http://localhost:8000/cb?tenant=a")
    url = visitor.sign_in(bookstore.authorization_url(redirect_uri="http://localhost:8000/cb?tenant=a"), "customer")
    assert list(parameters_of(url)) == ["tenant", "code", "state", "iss"]


def test_authorization_endpoint_accepts_post(emulator, bookstore):
    form = parameters_of(bookstore.authorization_url())
    response = requests.post(f"{emulator.endpoint}/oidc/auth", data=form, allow_redirects=False, timeout=10)
    assert response.headers["Location"].startswith("/sign-in?app_id=")


@pytest.mark.parametrize("path", ["auth", "session/end"])
@pytest.mark.parametrize(("like", "status"), [("1.41", 400), ("1.42", 404), ("head", 404)])
def test_post_to_browser_endpoint_must_be_a_form(emulator, path, like, status):
    emulator.like = like
    response = requests.post(f"{emulator.endpoint}/oidc/{path}", files={"client_id": (None, "x")}, timeout=10)
    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")


def test_registration_is_refused(bookstore):
    received = error_of(bookstore.authorize(registration="{}"))
    assert received.pop("error") == "registration_not_supported"
    assert list(received) == ["state", "iss"]


# Third-party applications


def test_third_party_application_needs_consent(emulator, third_party):
    with Visitor(emulator) as visitor:
        url = third_party.authorization_url(prompt=None, scope="openid profile")
        assert "code" in parameters_of(visitor.sign_in(url, "customer"))
        # Granted scopes need no second consent.
        assert visitor.session.get(url, allow_redirects=False).headers["Location"].startswith(CALLBACK)


def test_cancel_redirects_without_parameters(third_party, visitor):
    url = third_party.authorization_url(scope="openid profile")
    assert visitor.cancel_consent(url, "customer") == CALLBACK


def test_third_party_application_needs_scopes_enabled(emulator, third_party):
    error = error_of(third_party.authorize(scope="openid email"))
    assert list(error) == ["error", "error_description", "scope", "state", "iss"]
    assert (error["error"], error["scope"]) == ("invalid_scope", "email")


def test_prompt_none_fails_before_third_party_consent(bookstore, third_party, visitor):
    bookstore.sign_in(visitor=visitor)
    error = parameters_of(visitor.sign_in(third_party.authorization_url(prompt="none", scope="openid")))
    assert (error["error"], error["error_description"]) == ("consent_required", "requested scopes not granted")


# Pushed requests


def test_pushed_request_works_once(emulator, bookstore, visitor):
    pushed = bookstore.post("request", **parameters_of(bookstore.authorization_url()))
    assert pushed.status_code == 201
    assert list(pushed.json()) == ["expires_in", "request_uri"]
    url = (
        f"{emulator.endpoint}/oidc/auth?client_id={bookstore.application.id}&request_uri={pushed.json()['request_uri']}"
    )
    code = parameters_of(visitor.sign_in(url, "customer"))["code"]
    assert bookstore.exchange(code, code_verifier=VERIFIER).status_code == 200
    assert visitor.open(url).json()["error"] == "invalid_request_uri"


def test_pushed_request_is_checked_when_pushed(bookstore):
    refused = {
        "invalid_request": {"redirect_uri": "http://evil.example/", "response_type": "code"},
        "invalid_target": {"resource": "https://nope.example", "redirect_uri": CALLBACK, "response_type": "code"},
    }
    for error, fields in refused.items():
        assert bookstore.post("request", **fields).json()["error"] == error


def test_pushed_request_expires_after_a_minute(emulator, bookstore, visitor):
    pushed = bookstore.post("request", **parameters_of(bookstore.authorization_url())).json()
    emulator.clock.advance(60)
    url = f"{emulator.endpoint}/oidc/auth?client_id={bookstore.application.id}&request_uri={pushed['request_uri']}"
    assert visitor.open(url).json()["error"] == "invalid_request_uri"
