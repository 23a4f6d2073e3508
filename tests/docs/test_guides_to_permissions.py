"""What the guides to permissions and to calls of other APIs say."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import jwt
import pytest
import requests
from django.contrib.auth import get_user_model
from django.template import engines
from django.urls import path

import bookstore.urls
from logto_auth import exceptions
from logto_auth.clients import token_exchange
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.sessions import outgoing
from logto_auth.testing import Browser
from logto_auth.users.current_request import use_request
from tests.raw_server import RawServer

from .callers import visit
from .pages import blocks_of

User = get_user_model()

PERMISSIONS = "docs/how-to/permissions.md"
CALL_OTHER_APIS = "docs/how-to/call-other-apis.md"
STOCK_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"Walden": 3}'


@pytest.fixture
def bookkeepers(logto: Emulator) -> Emulator:
    """`ada` may read and write books, `bob` may read them."""
    api = "https://shop.example/api"
    logto.tenant.add_resource(api, scopes=["read:books", "write:books"])
    logto.tenant.add_role("editor", scopes={api: ["read:books", "write:books"]})
    logto.tenant.add_role("reader", scopes={api: ["read:books"]})
    logto.tenant.add_user(username="ada", roles=["editor"])
    logto.tenant.add_user(username="bob", roles=["reader"])
    return logto


@pytest.mark.django_db
def test_views_require_their_permissions(
    browser: Browser, bookkeepers: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(PERMISSIONS, "LOGTO_API_RESOURCE")
    views, more = modules(PERMISSIONS, "shop.views"), sys.modules["shop.more_views"]
    open_to = {
        "add": (views.add_book, {"ada"}),
        "edit": (views.EditBook.as_view(), {"ada"}),
        "remove": (more.remove_book, {"ada"}),
        "desk": (more.desk, {"ada"}),
        "catalogue": (more.Catalogue.as_view(), {"ada"}),
    }
    views_by_name = [path(name, view) for name, (view, _) in open_to.items()]
    settings.ROOT_URLCONF = (*views_by_name, *bookstore.urls.urlpatterns)
    for username in ("ada", "bob"):
        visitor = Browser(bookkeepers)
        assert visit(visitor, "/add").url == "/sign-in?next=/add"
        visitor.sign_in(username)
        allowed = {name for name in open_to if visit(visitor, f"/{name}").status_code == 200}
        assert allowed == {name for name, (_, usernames) in open_to.items() if username in usernames}
    (template, tags) = (block for block in blocks_of(PERMISSIONS) if block.language == "html+django")
    assert "logto.write:books" in template.code
    for name, missing in {"remove": {"scope": ["write:books"]}, "desk": {"role": ["editor", "admin"]}}.items():
        answer = visit(visitor, f"/{name}", Accept="application/json")
        assert answer.json() == {"error": "forbidden", "missing": missing}
    assert "the permission write:books." in visit(visitor, "/remove").content.decode()
    request = visit(visitor, "/").wsgi_request
    with use_request(request):
        assert request.user.has_perm("logto.read:books")
        assert not User.objects.get(username="bob").has_perm("logto.read:books")
        assert not request.user.get_all_permissions()
        rendered = engines["django"].from_string(template.code + tags.code + "{{ may_write }}").render({}, request)
    assert ("Add a book" in rendered, rendered.strip()[-5:]) == (False, "False")


@pytest.mark.django_db
def test_unreachable_logto_grants_no_permission(
    browser: Browser, bookkeepers: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(PERMISSIONS, "LOGTO_API_RESOURCE")
    modules(PERMISSIONS)
    view = sys.modules["shop.more_views"].remove_book
    settings.ROOT_URLCONF = (path("remove", view), *bookstore.urls.urlpatterns)
    browser.sign_in("ada")
    bookkeepers.faults.http["token"] = HttpFault(status=503)
    request = visit(browser, "/").wsgi_request
    with use_request(request):
        assert not request.user.has_perm("logto.write:books")
    assert visit(browser, "/remove").status_code == 503


@pytest.mark.django_db
def test_calls_as_the_user_and_as_the_site(
    browser: Browser, logto: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    apply_settings(CALL_OTHER_APIS, "LOGTO_RESOURCES")
    resource = "https://stock.example/api"
    logto.tenant.add_resource(resource, scopes=["read:stock"])
    logto.tenant.add_role("clerk", scopes={resource: ["read:stock"]})
    logto.tenant.add_role("robot", type="MachineToMachine", scopes={resource: ["read:stock"]})
    logto.tenant.add_user(id="ada", username="ada", roles=["clerk"])
    robot = logto.tenant.add_application(name="Robot", type="MachineToMachine", roles=["robot"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = robot.id, robot.secret
    browser.sign_in("ada")
    request = visit(browser, "/").wsgi_request
    as_the_site = modules(CALL_OTHER_APIS, "shop.jobs").STOCK
    for auth, sub in [(outgoing.UserToken(request, resource=resource), "ada"), (as_the_site, robot.id)]:
        call = requests.Request("GET", f"{resource}/books", auth=auth).prepare()
        claims = jwt.decode(call.headers["Authorization"].split()[1], options={"verify_signature": False})
        assert (claims["sub"], claims["aud"], claims["scope"]) == (sub, resource, "read:stock")
    for refused, error in [
        (outgoing.MachineToken(resource="https://unknown.example"), "invalid_target"),
        (outgoing.MachineToken(organization_id="nowhere"), "access_denied"),
    ]:
        with pytest.raises(exceptions.ProviderError) as raised:
            requests.Request("GET", resource, auth=refused).prepare()
        assert raised.value.error == error


@pytest.mark.django_db
def test_calls_with_an_exchanged_token(rf: Any, browser: Browser, logto: Emulator, settings: Any, modules: Any) -> None:
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    gateway = modules(CALL_OTHER_APIS, "shop.gateway")
    reports, scripts = sys.modules["shop.reports"], modules("docs/reference/token-exchange.md", "shop.scripts")
    with RawServer(lambda connection: connection.sendall(STOCK_ANSWER)) as stock:
        for function in (reports.token_for, scripts.token_of_a_script, inspect.unwrap(gateway.stock)):
            function.__globals__["STOCK_API"] = stock.url
        logto.tenant.add_resource(settings.LOGTO_API_RESOURCE, scopes=["read:books"])
        logto.tenant.add_resource(stock.url, scopes=["read:stock"])
        scopes = {settings.LOGTO_API_RESOURCE: ["read:books"], stock.url: ["read:stock"]}
        logto.tenant.add_role("clerk", scopes=scopes)
        logto.tenant.add_user(id="ada", username="ada", roles=["clerk"])
        pat = logto.tenant.add_personal_access_token("ada", "script").value
        robot = logto.tenant.add_application(
            name="Robot", type="MachineToMachine", roles=["Logto Management API access"]
        )
        settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = robot.id, robot.secret
        with pytest.raises(exceptions.ProviderError, match="Allow token exchange"):
            scripts.token_of_a_script(pat)
        logto.tenant.applications[settings.LOGTO_APP_ID].custom_client_metadata["allowTokenExchange"] = True
        for token in (scripts.token_of_a_script(pat), reports.token_for("ada")):
            assert (token.sub, token.resource, token.scopes) == ("ada", stock.url, {"read:stock"})

        caller = token_exchange().exchange_personal_access_token(
            pat, resource=settings.LOGTO_API_RESOURCE, scopes=["read:books"]
        )
        browser.sign_in("ada")
        request = rf.get("/stock", headers={"Authorization": f"Bearer {caller.access_token.reveal()}"})
        assert json.loads(gateway.stock(request).content) == {"Walden": 3}
        sent = stock.requests[0].decode().partition("Authorization: Bearer ")[2].split()[0]
    claims = jwt.decode(sent, options={"verify_signature": False})
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("ada", stock.url, "read:stock")


@pytest.mark.django_db
def test_views_require_a_recent_sign_in(browser: Browser, logto: Emulator, settings: Any, modules: Any) -> None:
    views = modules("docs/how-to/step-up.md", "shop.payments")
    modules("docs/how-to/sign-in-options.md")
    sys.modules["shop.urls"].urlpatterns += [
        path("pay", views.pay),
        path("close", views.CloseAccount.as_view()),
        *bookstore.urls.urlpatterns,
    ]
    settings.ROOT_URLCONF = "shop.urls"
    logto.tenant.add_user(username="ada")
    browser.sign_in("ada")
    assert browser.client.get("/pay").url == "/sign-in?max_age=300&next=/pay"
    assert browser.client.get("/close").url == "/sign-in?max_age=600&next=/close"
    browser.sign_in(max_age="300")
    assert browser.client.get("/pay").content == b"Thank you."
    assert browser.client.get("/close").status_code == 200
