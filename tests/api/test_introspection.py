"""Opaque access tokens: refused, unless the site has them introspected for listed applications."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from freezegun import freeze_time

from logto_auth.api.introspection import MAX_CALLS, MAX_REMEMBERED, REFUSED_SECONDS, Introspections, _Answer
from logto_auth.clients import oidc_client, reset_clients
from logto_auth.decorators import access_token_required, organization_token_required
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderError, TokenError
from logto_auth.oidc.client import OIDCClient
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import AccessTokenClaims
from tests.rights import API, OTHER_API

from .callers import App, Robot, call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]


def who(request: HttpRequest) -> JsonResponse:
    logto = request.logto
    return JsonResponse(
        {
            "user": str(request.user),
            "scopes": sorted(logto.scopes),
            "permissions": sorted(logto.permissions(API) | logto.permissions()),
            "has_perms": request.user.has_perm("logto.profile") or request.user.has_module_perms("logto"),
            "organization_id": logto.organization_id,
        }
    )


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("any/", access_token_required()(who)),
    path("books/", access_token_required("read:books")(who)),
    path("profile/", access_token_required("profile")(who)),
    path("admin/", access_token_required(resource=OTHER_API)(who)),
    path("editors/", access_token_required(roles=["editor"])(who)),
    path("branch/", organization_token_required()(who)),
]


@pytest.fixture(autouse=True)
def editor(site: None, logto: Emulator) -> None:
    has_been_here(logto, "editor")
    logto.requests.clear()


@pytest.fixture
def introspected(settings: Any, app: App) -> None:
    settings.LOGTO_API_INTROSPECTED_APPS = [app.id]


def refusal(answer: Any, *, status: int = 401, error: str = "invalid_token") -> str:
    """Return the description of the refusal."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    return answer.json()["error_description"]


def test_opaque_tokens_are_refused_by_default(logto: Emulator, app: App) -> None:
    token = app.token("editor")
    assert len(token) == 43
    assert "send resource with the authorization request" in refusal(call("/any/", token))
    assert logto.requests.to("introspection") == []


def test_jwt_is_not_sent_to_introspection(logto: Emulator, introspected: None, app: App) -> None:
    jwt = logto.sign({"sub": "x"}, header={"typ": "at+jwt"})
    with pytest.raises(TokenError) as caught:
        oidc_client().introspect(jwt)
    assert caught.value.claim == "token"
    assert logto.requests.to("introspection") == []


def test_opaque_token_of_listed_application_identifies_user(introspected: None, app: App) -> None:
    answer = call("/any/", app.token("editor")).json()
    assert (answer["user"], answer["organization_id"]) == ("editor", None)
    assert {"openid", "profile"} <= set(answer["scopes"])
    assert call("/editors/", app.token("editor")).status_code == 200


def test_opaque_token_has_no_permissions(introspected: None, app: App) -> None:
    token = app.token("editor")
    seen = call("/any/", token).json()
    assert (seen["permissions"], seen["has_perms"]) == ([], False)
    assert "profile" in seen["scopes"]
    refusal(call("/profile/", token), status=403, error="insufficient_scope")
    answer = call("/books/", token)
    refusal(answer, status=403, error="insufficient_scope")
    assert parameters_of(answer["WWW-Authenticate"])["scope"] == "read:books"


def test_opaque_token_of_other_application_is_refused(logto: Emulator, app: App, settings: Any) -> None:
    token = app.token("editor")
    settings.LOGTO_API_INTROSPECTED_APPS = ["other", app.id.upper(), app.id[:-1]]
    assert "which is not in LOGTO_API_INTROSPECTED_APPS" in refusal(call("/any/", token))


def test_opaque_token_is_refused_for_named_resource(logto: Emulator, introspected: None, app: App) -> None:
    refusal(call("/admin/", app.token("editor")))
    assert logto.requests.to("introspection") == []


def test_each_request_is_introspected(logto: Emulator, introspected: None, app: App) -> None:
    token = app.token("editor")
    assert [call("/any/", token).status_code for _ in range(3)] == [200] * 3
    assert len(logto.requests.to("introspection")) == 3
    logto.tenant.suspend_user("editor000001")
    assert "Logto does not know this opaque access token" in refusal(call("/any/", token))


def test_expired_opaque_token_is_refused(logto: Emulator, introspected: None, app: App) -> None:
    token = app.token("editor")
    logto.clock.advance(3600)
    refusal(call("/any/", token))


@pytest.mark.parametrize("token", ["OgAJnoEaRtrNhWgN_i8OaSirpFToDN2B4VLqT9vve57", "x"])
def test_unknown_opaque_token_is_refused(introspected: None, token: str) -> None:
    refusal(call("/any/", token))


def test_refused_token_is_not_introspected_again(introspected: None, logto: Emulator, app: App) -> None:
    logto.requests.clear()
    for _ in range(50):
        assert "Logto does not know" in refusal(call("/any/", "junk"))
    assert len(logto.requests.to("introspection")) == 1
    refusal(call("/any/", "other-junk"))
    assert len(logto.requests.to("introspection")) == 2


def test_refusal_is_forgotten_after_some_seconds(introspected: None, logto: Emulator) -> None:
    with freeze_time() as now:
        refusal(call("/any/", "old-junk"))
        now.tick(REFUSED_SECONDS + 1)
        refusal(call("/any/", "old-junk"))
    assert len(logto.requests.to("introspection")) == 2


def test_outage_is_not_remembered_as_refusal(introspected: None, logto: Emulator, app: App) -> None:
    token = app.token("editor")
    logto.faults.http["introspection"] = HttpFault(status=500)
    assert call("/any/", token).status_code == 503
    logto.faults.http.clear()
    assert call("/any/", token).status_code == 200


def test_remembered_refusals_are_bounded(introspected: None, logto: Emulator) -> None:
    introspections = Introspections()
    for number in range(MAX_REMEMBERED + 20):
        introspections._answers[str(number)] = _Answer()
    with pytest.raises(TokenError):
        introspections.claims_of(Secret("junk"))
    assert len(introspections._answers) == MAX_REMEMBERED


def test_parallel_requests_share_one_call(introspected: None, logto: Emulator, app: App) -> None:
    introspections, token = Introspections(), app.token("editor")
    logto.requests.clear()
    logto.faults.http["introspection"] = HttpFault(delay_seconds=1.5)
    for each, expected in ((token, "editor000001"), ("junk", "active")):
        with ThreadPoolExecutor(20) as threads:
            outcomes = list(threads.map(outcome, [introspections] * 20, [each] * 20))
        assert outcomes == [expected] * 20
    assert len(logto.requests.to("introspection")) == 2


def test_parallel_calls_for_junk_are_bounded(introspected: None, logto: Emulator) -> None:
    introspections = Introspections()
    logto.faults.http["introspection"] = HttpFault(delay_seconds=3)
    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(outcome, [introspections] * 20, [f"junk-{number}" for number in range(20)]))
    assert (outcomes.count("active"), outcomes.count("busy")) == (MAX_CALLS, 20 - MAX_CALLS)
    assert len(logto.requests.to("introspection")) == MAX_CALLS


class Interrupted(Introspections):
    """The first call ends with the thread."""

    def __init__(self) -> None:
        super().__init__()
        self.called = threading.Event()
        self.may_end = threading.Event()

    def _introspected(self, client: OIDCClient, token: Secret) -> AccessTokenClaims:
        if self.called.is_set():
            return super()._introspected(client, token)
        self.called.set()
        assert self.may_end.wait(30)
        raise SystemExit


def test_end_of_a_thread_does_not_end_those_that_wait(introspected: None, app: App) -> None:
    introspections, token = Interrupted(), app.token("editor")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(introspections.claims_of, Secret(token))
        assert introspections.called.wait(30)
        second = threads.submit(outcome, introspections, token)
        assert wait([second], timeout=0.2).not_done
        introspections.may_end.set()
        assert second.result() == "busy"
        assert isinstance(first.exception(), SystemExit)
    assert outcome(introspections, token) == "editor000001"


def outcome(introspections: Introspections, token: str) -> str:
    """Return the `sub` of the token, or why it is refused."""
    try:
        return introspections.claims_of(Secret(token)).sub
    except TokenError as error:
        return error.claim
    except ProviderError:
        return "busy"


def test_refresh_token_is_no_opaque_access_token(introspected: None, app: App) -> None:
    assert "not an access token" in refusal(call("/any/", app.tokens("editor")["refresh_token"]))


def test_jwt_is_not_introspected(logto: Emulator, introspected: None, app: App, robot: Robot) -> None:
    for token in (app.token("editor", resource=API), robot.token(resource=API)):
        assert call("/books/", token).status_code == 200
    assert logto.requests.to("introspection") == []


def test_id_token_is_still_refused(logto: Emulator, introspected: None, app: App) -> None:
    refusal(call("/any/", app.tokens("editor")["id_token"]))
    assert logto.requests.to("introspection") == []


def test_opaque_token_has_no_organization(logto: Emulator, introspected: None, app: App) -> None:
    refusal(call("/branch/", app.token("editor")))
    assert logto.requests.to("introspection") == []


def test_opaque_token_of_unknown_user_is_refused(introspected: None, app: App) -> None:
    refusal(call("/any/", app.token("customer")), status=403, error="account_unknown")


@pytest.mark.parametrize(
    "fault",
    [HttpFault(drop=True), HttpFault(status=500), HttpFault(status=503), HttpFault(body="[]"), HttpFault(status=302)],
    ids=["gone", "500", "503", "list", "redirect"],
)
def test_unreachable_introspection_is_503(logto: Emulator, introspected: None, app: App, fault: HttpFault) -> None:
    token = app.token("editor")
    logto.faults.http["introspection"] = fault
    answer = call("/any/", token)
    refusal(answer, status=503, error="temporarily_unavailable")
    assert answer["Retry-After"]
    assert token not in answer.content.decode()


def test_missing_introspection_endpoint_is_503(logto: Emulator, introspected: None, app: App, caplog: Any) -> None:
    logto.faults.discovery = lambda document: {k: v for k, v in document.items() if k != "introspection_endpoint"}
    reset_clients()
    refusal(call("/any/", app.token("editor")), status=503, error="temporarily_unavailable")
    assert "names no introspection_endpoint" in caplog.text


def test_wrong_secret_is_503_and_logged(introspected: None, app: App, settings, caplog: Any) -> None:
    settings.LOGTO_APP_SECRET = "another"
    refusal(call("/any/", app.token("editor")), status=503, error="temporarily_unavailable")
    assert "Check LOGTO_APP_ID, LOGTO_APP_SECRET" in caplog.text
