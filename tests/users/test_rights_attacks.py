"""Roles give the rights that the site maps and nothing else; no profile prevents a sign-in.

`sign_in` provides verified claims to `provision`, as the callback view does. Some tests sign in with a browser.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from logto_auth.users.provisioning import provision
from tests.support import Witness, changed_claims

pytestmark = pytest.mark.django_db
User = get_user_model()


def sign_in(**changes: Any) -> Any:
    """Return the user after a sign-in with these claims; the value `...` removes a claim."""
    claims = {"iss": conf.issuer, "sub": "reader000001", "username": "reader", "name": "Reader", **changes}
    return provision({name: value for name, value in claims.items() if value is not ...})[0].user


@pytest.fixture
def mapped(settings: Any, logto: Emulator) -> Any:
    """A site that maps roles to rights, with the roles at Logto."""
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors", "proofreader": "Editors", "cashier": "Cashiers"}
    settings.LOGTO_STAFF_ROLES = ["admin", "helper"]
    settings.LOGTO_SUPERUSER_ROLES = ["admin"]
    for role in ("editor", "proofreader", "cashier", "admin", "helper", "Owners", "superuser", "staff", "editor "):
        logto.tenant.add_role(role)
    return settings


def rights_of(user: Any) -> tuple[bool, bool, set[str]]:
    user = User.objects.get(pk=user.pk)
    return user.is_staff, user.is_superuser, set(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        pytest.param(..., (True, False, {"Editors"}), id="missing-changes-nothing"),
        pytest.param(None, (True, False, {"Editors"}), id="null-changes-nothing"),
        pytest.param("admin", (True, False, {"Editors"}), id="text-changes-nothing"),
        pytest.param({"admin": True}, (True, False, {"Editors"}), id="object-changes-nothing"),
        pytest.param([], (False, False, set()), id="empty-takes-all"),
        pytest.param(["editor", 5, None, ["admin"], {"admin": 1}, True], (False, False, {"Editors"}), id="non-text"),
        pytest.param([f"role-{n}" for n in range(5000)], (False, False, set()), id="5000-entries"),
        pytest.param(["x" * 150_000], (False, False, set()), id="a-very-long-name"),
        pytest.param(["editor"] * 5000, (False, False, {"Editors"}), id="the-same-5000-times"),
        pytest.param(["\ud800", "\x00", "editor\x00"], (False, False, set()), id="garbage"),
        pytest.param(["EDITOR", "Admin", " admin", "admin "], (False, False, set()), id="other-spellings"),
    ],
)
def test_missing_roles_claim_changes_no_rights(mapped: Any, roles: Any, expected: Any) -> None:
    user = sign_in(roles=["helper", "editor"])
    assert rights_of(user) == (True, False, {"Editors"})
    assert sign_in(roles=roles) == user
    assert rights_of(user) == expected


def test_5000_roles_fit_into_the_session(browser: Browser, logto: Emulator, witness: Witness, mapped: Any) -> None:
    logto.tenant.add_user(username="reader", roles=["helper", "editor"])
    logto.faults.id_token_claims = changed_claims(roles=["editor", *(f"role-{number}" for number in range(5000))])
    response = browser.sign_in("reader")
    assert rights_of(witness.sees_signed_in(response)) == (False, False, {"Editors"})
    assert browser.client.post("/sign-out").status_code == 302


def test_new_user_without_roles_claim_has_no_rights(mapped: Any) -> None:
    assert rights_of(sign_in()) == (False, False, set())


def test_rights_given_by_staff_survive(browser: Browser, logto: Emulator, witness: Witness, mapped: Any) -> None:
    sub = logto.tenant.add_user(username="reader", roles=["editor", "admin"]).id
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert rights_of(user) == (True, True, {"Editors"})
    user.groups.add(Group.objects.create(name="By hand"))
    logto.tenant.update_user(sub, roles=["cashier"])
    witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert rights_of(user) == (False, False, {"By hand", "Cashiers"})


def test_one_of_two_roles_keeps_the_group(mapped: Any) -> None:
    user = sign_in(roles=["editor", "proofreader"])
    sign_in(roles=["proofreader"])
    assert rights_of(user) == (False, False, {"Editors"})


def test_site_without_mapping_changes_nothing() -> None:
    user = sign_in()
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.groups.add(Group.objects.create(name="By hand"))
    sign_in(roles=[], is_staff=False, is_superuser=False, groups=[])
    assert rights_of(user) == (True, True, {"By hand"})


def test_unmapped_role_gives_no_rights(mapped: Any) -> None:
    for name in ("Owners", "Editors", "superuser"):
        Group.objects.get_or_create(name=name)
    assert rights_of(sign_in(roles=["Owners", "superuser", "staff", "editor "])) == (False, False, set())
    assert set(Group.objects.values_list("name", flat=True)) == {"Owners", "Editors", "superuser"}


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"is_superuser": True, "is_staff": True, "is_active": True}, id="flags"),
        pytest.param({"groups": ["Owners", "Editors"], "permissions": ["auth.add_user"]}, id="groups"),
        pytest.param({"role": "admin", "Roles": ["admin"], "roles ": ["admin"]}, id="other-names"),
        pytest.param({"organization_roles": ["x:admin", "admin"], "scope": "admin"}, id="organization-roles"),
        pytest.param({"custom_data": {"roles": ["admin"], "is_superuser": True}}, id="custom-data"),
        pytest.param({"id": 1, "pk": 1, "password": "x", "user_permissions": [1], "backend": "x"}, id="fields"),
    ],
)
def test_other_claims_give_no_rights(mapped: Any, claims: dict[str, Any]) -> None:
    Group.objects.create(name="Owners")
    user = sign_in(**claims)
    assert rights_of(user) == (False, False, set())
    assert not user.has_usable_password()


def test_userinfo_gives_no_roles(browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any) -> None:
    mapped.LOGTO_USERINFO_CLAIMS = ["custom_data", "roles"]
    logto.faults.userinfo = lambda claims: {**claims, "roles": ["admin"]}
    assert rights_of(witness.sees_signed_in(browser.sign_in("reader"))) == (False, False, set())


def test_organization_roles_do_not_apply_elsewhere(
    browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any
) -> None:
    mapped.LOGTO_SCOPES = ["openid", "roles", "urn:logto:scope:organizations", "urn:logto:scope:organization_roles"]
    logto.tenant.add_organization_role("admin")
    logto.tenant.add_organization_role("b:admin")
    for id, roles in (("a", ["admin"]), ("b", []), ("a:b", ["admin"]), ("c", ["b:admin"])):
        logto.tenant.add_organization(f"Organization {id}", id=id)
        logto.tenant.add_member(id, reader.id, roles=roles)
    response = browser.sign_in("reader")
    user = witness.sees_signed_in(response)
    held = {organization.id: organization.roles for organization in response.wsgi_request.logto.organizations}
    assert held["a"] == ("admin", "b:admin")  # Logto's ids have no colon; "a:b" is split after "a"
    assert (held["b"], held["c"]) == ((), ("b:admin",))
    assert response.wsgi_request.logto.roles == ()
    assert rights_of(user) == (False, False, set())


@pytest.mark.parametrize(
    "claims",
    [
        {"organizations": None, "organization_roles": None},
        {"organizations": "a", "organization_roles": "a:admin"},
        {"organizations": ["a", 5, None, ["b"]], "organization_roles": [5, None, "admin", ":admin", "a:", "a"]},
        {"organizations": {}, "organization_data": [{"id": []}, None, {"name": "x"}]},
    ],
)
def test_malformed_organizations_are_ignored(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, claims: dict[str, Any]
) -> None:
    logto.faults.id_token_claims = changed_claims(**claims)
    response = browser.sign_in("reader")
    witness.sees_signed_in(response)
    organizations = response.wsgi_request.logto.organizations
    assert all("admin" not in organization.roles for organization in organizations)


TEXTS = [
    pytest.param("<script>alert(1)</script>", id="html"),
    pytest.param("{{ 7|add:7 }}{% debug %}", id="template"),
    pytest.param("%s%n%(x)s{0.__class__}", id="format"),
    pytest.param("a\x00b", id="nul"),
    pytest.param("\x00", id="only-nul"),
    pytest.param("x" * 10_000, id="long"),
    pytest.param("😀" * 300, id="emoji"),
    pytest.param("漢字かな" * 50, id="japanese"),
    pytest.param("\u202egnp.exe\u202c", id="right-to-left"),
    pytest.param("e\u0301" * 200, id="combining"),
    pytest.param("' OR 1=1; DROP TABLE auth_user; --", id="sql"),
    pytest.param("\r\nSet-Cookie: a=b", id="crlf"),
    pytest.param("   ", id="spaces"),
    pytest.param("", id="empty"),
    pytest.param(None, id="null"),
    pytest.param(5, id="number"),
    pytest.param(["x"], id="list"),
    pytest.param({"a": "b"}, id="object"),
    pytest.param(True, id="true"),
    pytest.param(10**300, id="huge-number"),
]
NAMES = ("username", "preferred_username", "name", "given_name", "family_name", "picture", "email", "sid", "locale")


@pytest.mark.parametrize("text", TEXTS)
def test_odd_profile_does_not_prevent_sign_in(text: Any) -> None:
    user = sign_in(**dict.fromkeys(NAMES, text))
    assert user.username
    user.full_clean()
    again = sign_in(**dict.fromkeys(NAMES, text))
    assert again == user
    assert again.username == user.username


@pytest.mark.parametrize("text", ["a\x00b", "\u202egnp.exe\u202c", "x" * 10_000, {"a": "b"}], ids=repr)
def test_odd_profile_does_not_prevent_sign_in_over_http(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, text: Any
) -> None:
    logto.faults.id_token_claims = lambda claims: {**claims, **dict.fromkeys(NAMES, text)}
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert witness.sees_signed_in(browser.sign_in(ui_locales="en")) == user


@pytest.mark.parametrize(
    "names", [[*NAMES, "roles", "custom_data"], ["username"], ["name"], ["email"], ["sid"]], ids="-".join
)
def test_surrogate_in_profile_is_no_500(browser: Browser, logto: Emulator, reader: Any, names: list[str]) -> None:
    """Logto's database cannot store half a surrogate pair; JSON can."""
    logto.faults.id_token = lambda header, claims: logto.sign(
        json.dumps({**claims, **dict.fromkeys(names, "\ud800")}), header=header
    )
    for options in ({}, {"ui_locales": "en"}):
        assert browser.sign_in("reader", **options).status_code in (302, 403)


@pytest.mark.parametrize(
    "email",
    [
        "x" * 300 + "@example.com",
        "not an address",
        "a@b",
        "<b>@example.com",
        "a\x00@example.com",
        "a@" + "b" * 70 + ".com",
    ],
)
def test_email_is_kept_whole_or_dropped(email: str) -> None:
    assert sign_in(email=email).email in ("", email.replace("\x00", ""))


def test_longest_email_is_kept() -> None:
    email = "x" * (User._meta.get_field("email").max_length - len("@example.com")) + "@example.com"
    assert sign_in(email=email).email == email
    assert sign_in(email=f"x{email}").email == ""


@pytest.mark.parametrize("sid", [..., 5, "x" * 255, "x" * 256, "\x00", "😀"])
def test_odd_sid_does_not_prevent_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, sid: Any
) -> None:
    logto.faults.id_token_claims = changed_claims(sid=sid)
    witness.sees_signed_in(browser.sign_in("reader"))
    assert LogtoSession.objects.get().sid in ("", sid)


@pytest.mark.parametrize("username", ["admin", "ADMIN", "admin\x00", "admin ", " admin", "\u0430dmin"])
def test_username_taken_in_any_spelling_is_avoided(username: str) -> None:
    admin = User.objects.create_superuser("admin", "admin@example.com", "secret")
    user = sign_in(username=username)
    assert user.pk != admin.pk
    assert user.username.lower() != "admin"
    assert not user.is_superuser
