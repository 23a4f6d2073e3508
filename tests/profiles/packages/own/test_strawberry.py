"""Strawberry: GraphQL with the session, and with access tokens."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import SiteClient, access_token, new_browser, signed_in

ADD = 'mutation { addBook(title: "Ulysses") }'


def query(client: SiteClient, text: str, path: str = "/graphql/", **headers: str) -> Any:
    return client.post(path, {"query": text}, "application/json", headers=headers)


def call(text: str, token: str) -> Any:
    return query(SiteClient(), text, "/api/graphql/", Authorization=f"Bearer {token}")


def errors(response: Any) -> list[str]:
    assert response.status_code == 200
    return [error["message"] for error in response.json().get("errors", [])]


def test_user_of_session_asks_for_own_data(reader: Browser) -> None:
    assert query(reader.client, "{ me branch }").json()["data"] == {"me": "reader000001", "branch": "harbourbr001"}


def test_visitor_is_sent_to_the_sign_in(logto: Emulator) -> None:
    assert query(new_browser(logto).client, "{ me }").status_code == 302


def test_field_requires_permission(logto: Emulator) -> None:
    editor, reader = signed_in(logto, "editor"), signed_in(logto, "reader")
    assert query(editor.client, ADD).json()["data"] == {"addBook": "Ulysses was added."}
    assert errors(query(reader.client, ADD)) == ['You need the permission "write:books".']
    assert errors(query(signed_in(logto, "customer").client, "{ branch }")) == ["You are in no organization."]


def test_session_needs_csrf_token(reader: Browser) -> None:
    reader.client.handler.enforce_csrf_checks = True
    assert query(reader.client, ADD).status_code == 403


def test_token_needs_permissions_of_endpoint_and_field(logto: Emulator) -> None:
    may_read = access_token(logto, "reader000001")
    may_write = access_token(logto, "reader000001", scope="read:books write:books")
    assert call("{ me }", may_read).json()["data"] == {"me": "reader000001"}
    assert errors(call(ADD, may_read)) == ['You need the permission "write:books".']
    assert call(ADD, may_write).json()["data"] == {"addBook": "Ulysses was added."}
    assert call("{ me }", access_token(logto, "reader000001", scope="other")).status_code == 403
    assert query(SiteClient(), "{ me }", "/api/graphql/").status_code == 401
    assert errors(call("{ branch }", may_read)) == ["You are in no organization."]
