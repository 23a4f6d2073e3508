"""Access tokens for scripts: what Logto grants to a refresh that names fewer scopes than the sign-in."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests

from .conftest import MakePerson
from .people import Person
from .sites import Site
from .test_calls_of_logto import suspend
from .test_rights import Rights, rights

__all__ = ["rights"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


SCRIPT = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


def hand_out(site: Site, user: Person, resource: str) -> requests.Response:
    return user.post(site, "/access-token", {"resource": resource}, SCRIPT)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_token_for_script_has_fewer_scopes(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    editor = make_person("scripted")
    rights.give_role(editor)
    editor.sign_in(shop)
    answer = hand_out(shop, editor, rights.resource)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    claims = claims_of(body["access_token"])
    assert (body["scope"], claims["scope"]) == ("read:books", "read:books")
    assert (claims["aud"], claims["sub"], claims["client_id"]) == (rights.resource, editor.id, shop.app_id)
    # The next refresh has all scopes of the sign-in again, and the user data of the session is complete.
    editor.get(shop, "/refresh/")
    site_token = editor.get(shop, "/token/", resource=rights.resource).json()["token"]
    assert claims_of(site_token)["scope"].split() == ["read:books", "write:books"]
    assert editor.at(shop)["roles"] == [f"{shop.target.run} editor"]


def test_user_without_permission_gets_no_token(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    reader = make_person("unscripted")
    reader.sign_in(shop)
    answer = hand_out(shop, reader, rights.resource)
    assert (answer.status_code, answer.json()["missing"]) == (403, {"scope": ["read:books"]})
    assert reader.at(shop)["roles"] == []


def test_suspended_user_gets_no_token(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    editor = make_person("halted")
    rights.give_role(editor)
    editor.sign_in(shop)
    suspend(shop, editor)
    answer = hand_out(shop, editor, rights.resource)
    assert (answer.status_code, answer.json()["error"]) == (401, "sign_in_required")
