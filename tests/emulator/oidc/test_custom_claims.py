import subprocess
import sys

import pytest

from logto_auth.emulator import Visitor
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import RelyingParty, claims_of

API = "https://bookstore.example/api"
SCOPE = "openid offline_access read:books"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALL = "({ token, context, environmentVariables }) => ({ token, context, environmentVariables })"


@pytest.fixture
def install(api: ManagementAPI):
    """Install a script whose function is this expression."""

    def install(function, kind="access-token", **more):
        script = f"const getCustomJwtClaims = {function};"
        assert api.put(f"/configs/jwt-customizer/{kind}", {"script": script, **more}).status_code in {200, 201}

    return install


def sign_in(party, username="customer", visitor=None, **changes):
    """Sign in for the API resource, and return the tokens of a code exchange for it."""
    code = party.code(username, visitor, **{"scope": SCOPE, "resource": API, **changes})
    return party.exchange(code, resource=API).json()


def refreshed(party, tokens):
    """Return the claims of a token for the API resource."""
    response = party.refresh(tokens["refresh_token"], resource=API)
    assert response.status_code == 200, response.text
    return claims_of(response.json()["access_token"])


def methods(claims):
    records = claims["context"].get("interaction", {}).get("verificationRecords")
    return records and [record["type"] for record in records]


# What a script sees


def test_script_sees_user_interaction_and_application_at_exchange_and_refresh(bookstore, install):
    install(f"async {ALL}", environmentVariables={"KEY": "value"})
    tokens = sign_in(bookstore)
    exchanged = claims_of(tokens["access_token"])
    assert list(exchanged["context"]) == ["user", "interaction", "application"]
    assert exchanged["context"]["user"]["username"] == "customer"
    assert exchanged["context"]["user"]["hasPassword"] is True
    assert exchanged["context"]["interaction"]["interactionEvent"] == "SignIn"
    assert methods(exchanged) == ["Password"]
    assert exchanged["context"]["application"]["id"] == bookstore.application.id
    assert "secret" not in exchanged["context"]["application"]
    assert exchanged["environmentVariables"] == {"KEY": "value"}
    later = refreshed(bookstore, tokens)
    assert later["context"]["interaction"] == exchanged["context"]["interaction"]
    assert (exchanged["token"]["gty"], later["token"]["gty"]) == (
        "authorization_code",
        "authorization_code refresh_token",
    )


def test_script_sees_the_token_before_it_has_times(bookstore, install):
    install(f"async {ALL}")
    tokens = sign_in(bookstore)
    claims = claims_of(tokens["access_token"])
    assert claims["token"] == {
        "jti": claims["jti"],
        "kind": "AccessToken",
        "clientId": bookstore.application.id,
        "gty": "authorization_code",
        "grantId": claims["token"]["grantId"],
        "sessionUid": claims["token"]["sessionUid"],
        "accountId": claims["sub"],
        "aud": API,
        "scope": claims["scope"],
        "sid": claims["token"]["sid"],
    }


def test_token_without_offline_access_expires_with_session(bookstore, install):
    install("async ({ token }) => ({ bound: token.expiresWithSession })")
    assert claims_of(sign_in(bookstore, scope="openid read:books")["access_token"])["bound"] is True


def test_organization_token_has_the_organization(bookstore, emulator, install):
    install("async ({ token, context }) => ({ keys: Object.keys(context), organization: context.organization, token })")
    tokens = bookstore.sign_in("admin", scope="openid offline_access urn:logto:scope:organizations")
    organization = next(each for each in emulator.tenant.organizations.values())
    response = bookstore.refresh(tokens["refresh_token"], organization_id=organization.id)
    claims = claims_of(response.json()["access_token"])
    assert claims["keys"] == ["user", "interaction", "application", "organization"]
    assert list(claims["organization"]) == ["id", "name", "description", "customData"]
    assert claims["organization"]["id"] == organization.id
    assert claims["token"]["aud"] == f"urn:logto:organization:{organization.id}"


def test_exchange_has_the_context_of_the_subject_token_and_no_interaction(bookstore, emulator, api, install):
    install(f"async {ALL}")
    sign_in(bookstore)
    bookstore.application.custom_client_metadata["allowTokenExchange"] = True
    user = emulator.tenant.find_user(username="customer")
    subject = api.made("/subject-tokens", {"userId": user.id, "context": {"ticket": "T-1"}})["subjectToken"]
    fields = {"subject_token": subject, "subject_token_type": ACCESS_TOKEN, "resource": API, "scope": "read:books"}
    claims = claims_of(bookstore.post("token", grant_type=EXCHANGE, **fields).json()["access_token"])
    assert list(claims["context"]) == ["user", "grant", "application"]
    assert claims["context"]["grant"] == {"type": EXCHANGE, "subjectTokenContext": {"ticket": "T-1"}}
    assert claims["token"]["gty"] == EXCHANGE
    assert claims["token"]["extra"] == {"subjectTokenId": subject}
    assert "sessionUid" not in claims["token"]


def test_machine_has_its_own_script_with_its_application_alone(emulator, install):
    install("async () => ({ user: true })")
    install(f"async {ALL}", kind="client-credentials")
    machine = RelyingParty(emulator, emulator.tenant.add_application(name="m", type="MachineToMachine"))
    claims = claims_of(machine.post("token", grant_type="client_credentials", resource=API).json()["access_token"])
    machine.http.close()
    assert list(claims["context"]) == ["application"]
    assert claims["token"] == {
        "jti": claims["jti"],
        "kind": "ClientCredentials",
        "clientId": machine.application.id,
        "aud": API,
    }
    assert "user" not in claims


# Whose sign-in a script sees


@pytest.fixture
def other(emulator):
    application = emulator.tenant.add_application(name="Other", redirect_uris=["http://localhost:8000/callback"])
    party = RelyingParty(emulator, application)
    yield party
    party.http.close()


@pytest.fixture
def show(install):
    install("async ({ context }) => ({ context: { interaction: context.interaction } })")


def test_silent_sign_on_of_another_application_shows_the_first_sign_in(bookstore, other, visitor, show):
    first = claims_of(sign_in(bookstore, visitor=visitor)["access_token"])
    second = claims_of(sign_in(other, None, visitor, prompt=None)["access_token"])
    assert methods(first) == ["Password"]
    assert second["context"] == first["context"]


def test_silent_sign_on_without_consent_keeps_the_sign_in(bookstore, visitor, show):
    first = sign_in(bookstore, visitor=visitor)
    silent = sign_in(bookstore, None, visitor, prompt="none")
    assert claims_of(silent["access_token"])["context"] == claims_of(first["access_token"])["context"]


def test_silent_sign_on_with_consent_of_a_client_with_a_grant_wipes_the_sign_in(bookstore, other, visitor, show, api):
    tokens = sign_in(bookstore, visitor=visitor)
    others = sign_in(other, None, visitor, prompt="consent")
    silent = sign_in(bookstore, None, visitor, prompt="consent")
    for claims in (claims_of(silent["access_token"]), refreshed(bookstore, tokens), refreshed(other, others)):
        assert methods(claims) is None
    user_id = claims_of(tokens["access_token"])["sub"]
    (session,) = api.get(f"/users/{user_id}/sessions").json()["sessions"]
    assert (session["lastSubmission"], session["clientId"]) == (None, bookstore.application.id)


def test_first_silent_sign_on_of_another_client_with_consent_keeps_the_sign_in(bookstore, other, visitor, show):
    tokens = sign_in(bookstore, visitor=visitor)
    sign_in(other, None, visitor, prompt="consent")
    assert methods(refreshed(bookstore, tokens)) == ["Password"]


def test_new_sign_in_without_consent_leaves_the_old_one(bookstore, visitor, show):
    tokens = sign_in(bookstore, visitor=visitor)
    again = claims_of(sign_in(bookstore, visitor=visitor, prompt="login")["access_token"])
    assert again["context"] == claims_of(tokens["access_token"])["context"]


def test_new_sign_in_with_consent_is_saved_also_for_older_tokens(bookstore, visitor, show):
    tokens = sign_in(bookstore, visitor=visitor)
    again = claims_of(sign_in(bookstore, visitor=visitor, prompt="login consent")["access_token"])
    first = claims_of(tokens["access_token"])
    ids = [each["context"]["interaction"]["verificationRecords"][0]["id"] for each in (first, again)]
    assert ids[0] != ids[1]
    assert refreshed(bookstore, tokens)["context"] == again["context"]


def test_sign_in_is_saved_again_after_it_was_wiped(bookstore, visitor, show):
    sign_in(bookstore, visitor=visitor)
    sign_in(bookstore, None, visitor, prompt="consent")
    left_out = sign_in(bookstore, visitor=visitor, prompt="login")
    assert methods(claims_of(left_out["access_token"])) is None
    saved = sign_in(bookstore, visitor=visitor, prompt="login consent")
    assert methods(claims_of(saved["access_token"])) == ["Password"]


def test_end_of_the_session_ends_the_interaction_and_not_the_refresh_token(bookstore, visitor, show):
    tokens = sign_in(bookstore, visitor=visitor)
    visitor.sign_out(bookstore.end_session_url(id_token_hint=tokens["id_token"]))
    assert methods(refreshed(bookstore, tokens)) is None


def test_end_of_the_session_by_the_management_api_ends_the_interaction(bookstore, visitor, show, api):
    tokens = sign_in(bookstore, visitor=visitor)
    user_id = claims_of(tokens["access_token"])["sub"]
    (session,) = api.get(f"/users/{user_id}/sessions").json()["sessions"]
    assert api.delete(f"/users/{user_id}/sessions/{session['payload']['uid']}").status_code == 204
    assert methods(refreshed(bookstore, tokens)) is None


def test_interaction_outlives_a_session_that_expired(bookstore, emulator, show):
    bookstore.application.custom_client_metadata["refreshTokenTtlInDays"] = 90
    tokens = sign_in(bookstore)
    emulator.clock.advance(emulator.tenant.session_ttl + 1)
    assert methods(refreshed(bookstore, tokens)) == ["Password"]


def test_interaction_is_that_of_its_own_session(bookstore, emulator, show):
    with Visitor(emulator) as one, Visitor(emulator) as another:
        first = sign_in(bookstore, visitor=one)
        second = sign_in(bookstore, visitor=another)
        another.sign_out(bookstore.end_session_url(id_token_hint=second["id_token"]))
    assert methods(refreshed(bookstore, first)) == ["Password"]
    assert methods(refreshed(bookstore, second)) is None


def test_switch_of_account_ends_the_interaction_of_the_old_one(bookstore, visitor, show):
    first = sign_in(bookstore, "customer", visitor)
    second = sign_in(bookstore, "admin", visitor, prompt="login consent")
    assert methods(refreshed(bookstore, first)) is None
    interaction = claims_of(second["access_token"])["context"]["interaction"]
    assert interaction["userId"] == claims_of(second["access_token"])["sub"]


# What a script adds


def test_claims_of_the_script_come_first_and_reserved_ones_are_overwritten(bookstore, install):
    install(
        "async () => ({ sub: 'x', iss: 'x', scope: 'x', aud: 'x', exp: 1, client_id: 'x', jti: 'x', iat: 1, extra: 1 })"
    )
    claims = claims_of(sign_in(bookstore)["access_token"])
    names = ["sub", "iss", "scope", "aud", "exp", "client_id", "jti", "iat", "extra"]
    assert list(claims) == names
    assert "x" not in claims.values()
    assert claims["exp"] > claims["iat"] > 1


def test_claims_are_in_jwts_alone(bookstore, install):
    install("async () => ({ extra: 1 })")
    tokens = bookstore.sign_in()
    assert "extra" not in claims_of(tokens["id_token"])
    assert "extra" not in bookstore.userinfo(tokens["access_token"]).json()
    assert bookstore.post("token/introspection", token=tokens["access_token"]).json()["extra"] == 1


@pytest.mark.parametrize(
    "function",
    [
        "async () => { throw new Error('boom'); }",
        "async () => { throw null; }",
        "() => { throw { toString() { throw 1; } }; }",
        "async () => 'text'",
        "async () => null",
        "async () => undefined",
        "async () => [1]",
        "async () => (() => 1)",
        "async (",
        "42",
        "async () => { await fetch('https://example.com'); return { extra: 1 }; }",
        "async () => { setTimeout(() => {}, 1); return { extra: 1 }; }",
        "async () => ({ extra: process.env })",
        "async () => ({ extra: atob('YQ==') })",
        "async () => new Promise(() => {})",
        "async () => { (function f() { f(); })(); }",
        "async () => { const all = []; while (true) { all.push('x'.repeat(100000) + all.length); } }",
        "async ({ api }) => { try { api.denyAccess(); } catch { return 'caught'; } }",
        "async ({ api }) => api.denyAccess(5)",
    ],
)
def test_script_that_fails_adds_nothing_and_the_log_says_so(bookstore, install, caplog, function):
    install(function)
    claims = claims_of(sign_in(bookstore)["access_token"])
    assert list(claims) == ["jti", "sub", "iat", "exp", "scope", "client_id", "iss", "aud"]
    assert "jwt.accessToken" in caplog.text


def test_log_names_a_fetch_that_cannot_work(bookstore, install, caplog):
    install("async () => { await fetch('https://example.com'); }")
    sign_in(bookstore)
    assert "no network" in caplog.text


@pytest.mark.parametrize("loop", ["while (true) {}", "await 1; while (true) {}", "while (true) { await 1; }"])
def test_script_that_takes_too_long_adds_nothing(bookstore, install, caplog, loop):
    install(f"async () => {{ {loop} }}")
    assert "extra" not in claims_of(sign_in(bookstore)["access_token"])
    assert "timed out after 1000ms" in caplog.text


@pytest.mark.parametrize(
    ("function", "description"),
    [
        ("async ({ api }) => { api.denyAccess('no entry'); }", "no entry"),
        ("({ api }) => api.denyAccess()", "Access denied"),
        ("async ({ api }) => { try { api.denyAccess('a'); } finally { await 1; } }", "a"),
    ],
)
def test_script_can_deny_access(bookstore, install, function, description):
    tokens = sign_in(bookstore)
    install(function)
    for request in ({"resource": API}, {}):
        response = bookstore.refresh(tokens["refresh_token"], **request)
        assert (response.status_code, response.json()) == (
            400,
            {
                "code": "oidc.access_denied",
                "message": "Access denied.",
                "error": "access_denied",
                "error_description": description,
            },
        )


def test_value_that_json_cannot_hold_is_an_error_of_the_server(bookstore, install):
    install("async () => ({ big: 1n })")
    response = bookstore.exchange(bookstore.code(scope=SCOPE, resource=API), resource=API)
    assert (response.status_code, response.json()["error"]) == (500, "server_error")


@pytest.mark.parametrize(
    ("function", "extra"),
    [
        ("async () => ({ extra: [undefined, NaN, new Date(0)], f() {}, u: undefined })", [None, None, 0]),
        ("async () => { console.log('x'); return { extra: 1 }; }", 1),
        ("function () { counter = 1; return { extra: counter }; }", 1),
        ("async () => ({ extra: '\\ud800' })", "\ud800"),
        ("async () => ({ extra: '\\u4e2d\\u0000' })", "中\0"),
        ("async () => ({ extra: typeof queueMicrotask + typeof performance })", "undefinedundefined"),
        ("async () => { try { await fetch('x'); } catch { return { extra: 'offline' }; } }", "offline"),
    ],
)
def test_what_a_script_returns_becomes_json(bookstore, install, function, extra):
    install(function)
    claims = claims_of(sign_in(bookstore)["access_token"])
    if isinstance(extra, list):
        extra[2] = "1970-01-01T00:00:00.000Z"
        assert not {"f", "u"} & claims.keys()
    assert claims["extra"] == extra


def test_half_a_surrogate_pair_survives_introspection(bookstore, install):
    install("async () => ({ extra: '\\ud800' })")
    token = bookstore.sign_in()["access_token"]
    assert bookstore.post("token/introspection", token=token).json()["extra"] == "\ud800"


def test_script_starts_afresh_for_each_token(bookstore, install):
    install("async () => { globalThis.count = (globalThis.count ?? 0) + 1; return { count }; }")
    tokens = sign_in(bookstore)
    assert [claims_of(tokens["access_token"])["count"], refreshed(bookstore, tokens)["count"]] == [1, 1]


def test_script_without_the_engine_is_an_error_with_a_hint(bookstore, api, install, monkeypatch):
    code = bookstore.code(scope=SCOPE, resource=API)
    monkeypatch.setitem(sys.modules, "quickjs", None)
    tokens = bookstore.exchange(code, resource=API).json()
    assert bookstore.refresh(tokens["refresh_token"], resource=API).status_code == 200
    install("async () => ({})")
    tried = {"tokenType": "access-token", "script": "x", "token": {}, "context": {"user": {}}}
    for response in (
        bookstore.refresh(tokens["refresh_token"], resource=API),
        api.post("/configs/jwt-customizer/test", tried),
    ):
        assert response.status_code == 501
        assert "pip install" in response.text
        assert "quickjs-ng" in response.text


def test_engine_is_loaded_for_scripts_alone():
    program = "import sys, logto_auth.emulator; print('quickjs' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
