"""A tenant that gets another endpoint, such as a custom domain: accounts, sessions and tokens continue."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import include, path

from logto_auth.clients import reset_clients
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession, Organization, OrganizationMembership, make_digest
from logto_auth.testing import Browser
from logto_auth.users import moving
from tests.ageing import age
from tests.api.callers import call
from tests.rights import API, ask_for_rights, set_up
from tests.support import query_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

FORMER = "https://abc123.logto.app"
FORMER_ISSUER = f"{FORMER}/oidc"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@access_token_required("read:books")
def books(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.user.pk, "sub": request.logto.sub})  # type: ignore[attr-defined]


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("api-of-books/", books),
    path("", include("bookstore.urls")),
]


@pytest.fixture
def site(logto: Emulator, settings: Any) -> Emulator:
    """A site whose tenant has got another endpoint."""
    set_up(logto)
    ask_for_rights(settings)
    settings.LOGTO_FORMER_ENDPOINTS = [f"{FORMER}/"]
    settings.LOGTO_API_RESOURCE = API
    return logto


@pytest.fixture
def editor(site: Emulator) -> Browser:
    """The browser of a user who signed in at the former endpoint."""
    browser = Browser(site)
    browser.sign_in("editor")
    rename(FORMER_ISSUER)
    row = LogtoSession.objects.get()
    tokens, id_token = row.tokens, signed(site, aud=client_id(site), typ="JWT")
    row.tokens = {
        **tokens,
        "id_token": id_token,
        "id_token_claims": {**tokens["id_token_claims"], "iss": FORMER_ISSUER},
    }
    row.save()
    return browser


def rename(issuer: str) -> None:
    """Give all rows this issuer."""
    for row in [*LogtoIdentity.objects.all(), *Organization.objects.all()]:
        row.issuer = issuer
        row.save()


def client_id(logto: Emulator) -> str:
    return next(iter(logto.tenant.applications))


def signed(logto: Emulator, *, typ: str, issuer: str = FORMER_ISSUER, **claims: Any) -> str:
    """Return a token about the editor with the keys of the tenant."""
    now = int(time.time())
    default = {"iss": issuer, "sub": "editor000001", "iat": now, "exp": now + 3600, "jti": f"jti{time.time_ns()}"}
    return logto.sign({**default, **claims}, header={"typ": typ})


def move(*options: str) -> tuple[str, str]:
    """Return what the command writes."""
    out, err = StringIO(), StringIO()
    call_command("logto_move_issuer", *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


# The command


def test_moved_users_keep_accounts_and_organizations(site: Emulator, editor: Browser) -> None:
    organizations = set(Organization.objects.values_list("pk", "logto_id"))
    assert move() == (f"Logto identities: 1 moved\norganizations: {len(organizations)} moved\n", "")
    Browser(site).sign_in("editor")
    assert User.objects.count() == LogtoIdentity.objects.count() == 1
    assert LogtoIdentity.objects.get().digest == make_digest(site.issuer, "editor000001")
    assert set(Organization.objects.values_list("pk", "logto_id")) == organizations
    assert OrganizationMembership.objects.count() == len(organizations)
    assert move()[0] == "Logto identities: 0 moved\norganizations: 0 moved\n"


def test_dry_run_moves_nothing(editor: Browser) -> None:
    assert "Logto identities: 1 would be moved" in move("--dry-run")[0]
    assert LogtoIdentity.objects.get().issuer == FORMER_ISSUER


def test_user_with_rows_at_both_issuers_is_named(site: Emulator, editor: Browser) -> None:
    Browser(site).sign_in("editor")
    with pytest.raises(CommandError, match="were not moved"):
        move()
    assert sorted(LogtoIdentity.objects.values_list("issuer", flat=True)) == sorted([FORMER_ISSUER, site.issuer])
    LogtoIdentity.objects.get(issuer=site.issuer).delete()
    Organization.objects.filter(issuer=site.issuer).delete()
    move()
    assert LogtoIdentity.objects.get().issuer == site.issuer


def test_rows_of_other_issuers_stay(site: Emulator, editor: Browser) -> None:
    rename("https://unrelated.example/oidc")
    assert move()[0] == "Logto identities: 0 moved\norganizations: 0 moved\n"


def test_many_rows_are_moved_in_batches(site: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "BATCH_SIZE", 7)
    for number in range(20):
        user = User.objects.create_user(f"user{number}")
        LogtoIdentity.objects.create(user=user, issuer=FORMER_ISSUER, sub=f"sub{number}")
    assert "Logto identities: 20 moved" in move()[0]
    assert LogtoIdentity.objects.for_subs(site.issuer, [f"sub{number}" for number in range(20)]).count() == 20


def test_command_needs_former_endpoints(settings: Any) -> None:
    settings.LOGTO_FORMER_ENDPOINTS = []
    with pytest.raises(CommandError, match="LOGTO_FORMER_ENDPOINTS must be set"):
        move()


# Tokens


def test_session_continues_with_tokens_of_new_issuer(site: Emulator, editor: Browser) -> None:
    move()
    age(editor)
    site.requests.clear()
    request = editor.client.get("/").wsgi_request
    assert request.user.is_authenticated
    assert request.logto.claims["iss"] == site.issuer
    assert len(site.requests.to("token")) == 1


def test_sign_out_sends_no_hint_of_former_issuer(editor: Browser) -> None:
    move()
    location = editor.client.post("/sign-out")["Location"]
    assert "id_token_hint" not in query_of(location)
    assert editor.logto.sign_out(location).startswith("http://testserver/")


@pytest.mark.parametrize("issuer", [FORMER_ISSUER, "https://evil.example/oidc", FORMER, f"{FORMER_ISSUER}/"])
def test_access_token_of_former_issuer_is_accepted(site: Emulator, editor: Browser, issuer: str) -> None:
    move()
    token = signed(site, issuer=issuer, typ="at+jwt", aud=API, client_id="app", scope="read:books")
    response = call("/api-of-books/", token)
    if issuer == FORMER_ISSUER:
        assert response.json() == {"sub": "editor000001", "user": User.objects.get().pk}
    else:
        assert response.status_code == 401


def test_former_issuer_needs_key_of_current_endpoint(site: Emulator, editor: Browser, settings: Any) -> None:
    move()
    token = signed(site, typ="at+jwt", aud=API, client_id="app", scope="read:books")
    site.rotate_keys()
    site.rotate_keys()
    reset_clients()
    assert call("/api-of-books/", token).status_code in (401, 503)
    settings.LOGTO_FORMER_ENDPOINTS = []
    assert call("/api-of-books/", signed(site, typ="at+jwt", aud=API, client_id="app")).status_code == 401


def test_logout_token_of_former_issuer_ends_session(site: Emulator, editor: Browser, settings: Any) -> None:
    move()
    for endpoints, status in (([], 400), ([FORMER], 200)):
        settings.LOGTO_FORMER_ENDPOINTS = endpoints
        token = signed(site, typ="logout+jwt", aud=client_id(site), events={LOGOUT_EVENT: {}})
        assert Client().post("/back-channel-logout", {"logout_token": token}).status_code == status
    assert LogtoSession.objects.count() == 0


def test_sign_in_with_former_issuer_is_refused(site: Emulator) -> None:
    browser = Browser(site)
    site.faults.id_token_claims = lambda claims: {**claims, "iss": FORMER_ISSUER}
    assert browser.sign_in("editor").status_code == 400
    assert LogtoIdentity.objects.count() == 0
