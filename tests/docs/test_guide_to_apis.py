"""What the guide to APIs says about its views."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model

from logto_auth.contrib import rest_framework
from logto_auth.emulator import Emulator, seed_demo
from logto_auth.testing import Browser

from .callers import access_token
from .pages import blocks_of, the_block

User = get_user_model()

PROTECT_AN_API = "docs/how-to/protect-an-api.md"
ORGANIZATION_PERMISSIONS = "docs/how-to/organization-permissions.md"
READING = ["/api/books/", "/plain/books/", "/plain/books/count", "/plain/shelf/", "/ninja/books"]
WRITING = [("/api/books/", "POST"), ("/plain/shelf/", "DELETE"), ("/ninja/books", "POST")]


@pytest.mark.django_db
def test_views_check_the_permission_of_the_token(api: Any, logto: Emulator) -> None:
    audience = "https://shop.example/api"
    reader = access_token(logto, aud=audience, scope="read:books")
    writer = access_token(logto, aud=audience, scope="write:books")
    for url in READING:
        assert api(url, reader)[0] == 200, url
        status, challenge = api(url, writer)
        assert (status, 'scope="read:books"' in challenge) == (403, True), url
    for url, method in WRITING:
        status, challenge = api(url, reader, method, {"title": "Emma"})
        assert (status, 'scope="write:books"' in challenge) == (403, True), url
        assert api(url, writer, method, {"title": "Emma"})[0] in (200, 201), url
    assert api("/api/orders/", reader)[0] == 200


@pytest.mark.django_db
def test_refused_tokens_get_the_documented_answer(api: Any, logto: Emulator) -> None:
    right = {"aud": "https://shop.example/api", "scope": "read:books"}
    cases = {
        "": (401, 'Bearer scope="read:books", resource_metadata='),
        "one two": (400, 'Bearer error="invalid_request"'),
        "opaque": (401, 'Bearer error="invalid_token"'),
        access_token(logto, **right, exp=1): (401, 'Bearer error="invalid_token"'),
        access_token(logto, **{**right, "aud": "https://another.example"}): (401, 'Bearer error="invalid_token"'),
        access_token(logto, **{**right, "scope": ""}): (403, 'Bearer error="insufficient_scope"'),
    }
    for url in READING:
        for token, (status, challenge) in cases.items():
            answered, given = api(url, token)
            assert (answered, given.startswith(challenge)) == (status, True), (url, token, given)
            assert 'resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"' in given


@pytest.mark.django_db
def test_only_known_active_users_may_call(api: Any, logto: Emulator, settings: Any) -> None:
    token = access_token(logto, aud="https://shop.example/api", scope="read:books")
    settings.LOGTO_API_CREATE_USERS = False
    metadata = 'resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"'
    assert api("/api/books/", token) == (403, f"Bearer {metadata}")
    settings.LOGTO_API_CREATE_USERS = True
    assert api("/api/books/", token)[0] == 200
    assert User.objects.get().username == "reader"
    User.objects.update(is_active=False)
    assert api("/api/books/", token)[0] == 401
    (block,) = (block for block in blocks_of(PROTECT_AN_API) if "Only(LogtoAuthentication)" in block.code)
    (users_only,) = (value for name, value in block.run().items() if name.endswith("Only"))
    sys.modules["shop.api"].Books.authentication_classes = [users_only]
    robot = access_token(logto, aud="https://shop.example/api", scope="read:books", sub="robot", client_id="robot")
    assert api("/api/books/", robot) == (403, f"Bearer {metadata}")


@pytest.mark.django_db
def test_either_of_two_permissions_suffices(api: Any, logto: Emulator) -> None:
    either = rest_framework.HasScope("write:books") | rest_framework.HasRole("editor")
    sys.modules["shop.api"].Books.permission_classes = [either]
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api", scope="write:books"))[0] == 200
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api", roles=["editor"]))[0] == 200
    assert api("/api/books/", access_token(logto, aud="https://shop.example/api"))[0] == 403


@pytest.mark.django_db
def test_reading_is_public_where_a_view_says_so(api: Any, logto: Emulator) -> None:
    books = sys.modules["shop.api"].Books
    books.permission_classes = books.permission_classes[1:]
    assert api("/api/books/")[0] == 401
    (block,) = (block for block in blocks_of(PROTECT_AN_API) if "AllowAny" in block.code)
    books.get_permissions = block.run()["PublicBooks"].get_permissions
    assert api("/api/books/")[0] == 200
    assert api("/api/books/", method="POST", data={"title": "Emma"})[0] == 401
    writer = access_token(logto, aud="https://shop.example/api", scope="write:books")
    assert api("/api/books/", writer, "POST", {"title": "Emma"})[0] == 201


@pytest.mark.django_db
def test_machine_of_the_guide_has_its_account(api: Any, logto: Emulator, apply_settings: Any, settings: Any) -> None:
    apply_settings(PROTECT_AN_API, "LOGTO_API_MACHINE_USER")
    machines = sys.modules[settings.LOGTO_API_MACHINE_USER.rpartition(".")[0]]
    user = User.objects.create_user("stock-robot")
    (client_id,) = machines.ACCOUNTS
    assert (machines.account_of(client_id), machines.account_of("another")) == (user, None)
    token = access_token(logto, aud="https://shop.example/api", scope="read:books", sub=client_id, client_id=client_id)
    assert api("/api/books/", token)[0] == 200
    User.objects.update(is_active=False)
    assert api("/api/books/", token)[0] == 401


@pytest.mark.django_db
def test_opaque_token_of_a_named_app_is_accepted(
    api: Any, logto: Emulator, apply_settings: Any, browser: Browser, settings: Any
) -> None:
    logto.tenant.add_user(id="reader", username="reader")
    browser.sign_in("reader")
    token = browser.client.get("/").wsgi_request.logto.access_token()
    assert api("/api/orders/", token)[0] == 401
    apply_settings(PROTECT_AN_API, "LOGTO_API_INTROSPECTED_APPS")
    assert api("/api/orders/", token)[0] == 401
    settings.LOGTO_API_INTROSPECTED_APPS = [settings.LOGTO_APP_ID]
    assert api("/api/orders/", token)[0] == 200
    assert api("/api/books/", token)[0] == 403


@pytest.mark.parametrize("page", [PROTECT_AN_API, ORGANIZATION_PERMISSIONS])
def test_token_request_of_the_guide_succeeds(page: str, logto: Emulator) -> None:
    seed_demo(logto.tenant)
    command = shlex.split(the_block(page, "token request").code.removeprefix("$ ").replace("\\\n", ""))
    values = [command[place + 1] for place, word in enumerate(command) if word == "--data"]
    form = dict(value.split("=", 1) for value in values)
    url = next(word for word in command if word.startswith("http")).replace("http://localhost:3001", logto.endpoint)
    user, _, password = command[command.index("--user") + 1].partition(":")
    answer = requests.post(url, data=form, auth=(user, password), timeout=10).json()
    assert answer["scope"] == form["scope"]
    assert list(answer) == ["access_token", "expires_in", "token_type", "scope"]
