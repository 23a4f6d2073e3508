"""Each recorded way to import a password digest: creation, verification by the Management API, and real sign-in."""

import pytest

from logto_auth.emulator import VisitFailed, Visitor
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.recorded import recording

CASES = {case["case"]: case for case in recording("errors/password_import", "1.42")}


@pytest.fixture(params=CASES)
def case(request):
    case = CASES[request.param]
    for prefix, module in (("argon2", "argon2"), ("bcrypt", "bcrypt")):
        if case["case"].startswith(prefix):
            pytest.importorskip(module)
    return case


@pytest.fixture
def api(emulator):
    api = ManagementAPI(emulator)
    yield api
    api.http.close()


def body_of(case, username):
    return {"username": username, **{key: case[key] for key in ("passwordAlgorithm", "passwordDigest")}}


def status_of_sign_in(api, password, username):
    application = api.emulator.tenant.add_application(name="x", redirect_uris=[CALLBACK])
    relying_party = RelyingParty(api.emulator, application)
    try:
        with Visitor(api.emulator) as visitor:
            visitor.sign_in(relying_party.authorization_url(), username, password)
    except VisitFailed as failure:
        return failure.response.status_code
    finally:
        relying_party.http.close()
    return 200


def test_import_matches_recording(api, case):
    created = api.post("/users", body_of(case, "verified"))
    assert created.status_code == case["create_status"]
    if created.status_code != 200:
        assert created.json() == case["create_body"]
        return
    path = f"/users/{created.json()['id']}/password/verify"
    for password, status in (("wrong", case["wrong_password_status"]), (case["password"], case["verify_status"])):
        answer = api.post(path, {"password": password})
        assert answer.status_code == status
    assert case.get("verify_body") in (None, answer.json() if answer.content else None)
    api.made("/users", body_of(case, "visitor"))
    assert status_of_sign_in(api, case["password"], "visitor") == case["sign_in_status"]


def test_right_password_replaces_the_digest(api):
    user = api.made("/users", body_of(CASES["md5"], "replaced"))
    api.post(f"/users/{user['id']}/password/verify", {"password": CASES["md5"]["password"]})
    assert api.emulator.tenant.users[user["id"]].password_digest is None
