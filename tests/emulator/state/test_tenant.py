import re

import pytest

from logto_auth.emulator import DuplicateError, Provider, seed_demo


@pytest.fixture
def tenant():
    return Provider().tenant


def test_ids_have_logto_formats(tenant):
    application = tenant.add_application(name="Any")
    shapes = {
        tenant.add_user().id: "[0-9a-z]{12}",
        tenant.add_organization("Any").id: "[0-9a-z]{12}",
        application.id: "[0-9a-z]{21}",
        application.secret: "[0-9A-Za-z]{32}",
        tenant.add_role("any").id: "[0-9a-z]{21}",
        tenant.add_resource("https://any.example").id: "[0-9a-z]{21}",
    }
    for value, shape in shapes.items():
        assert re.fullmatch(shape, value)


def test_demo_has_fixed_ids_in_logto_formats(tenant):
    application = seed_demo(tenant, base_urls=["http://localhost:8123/"])
    assert (application.id, application.secret) == ("bookstoredemo00000001", "emulatoronlysecret00000000000001")
    robot, app = (tenant.applications[each] for each in ("stockrobotdemo0000001", "bookstoreapp000000001"))
    assert (robot.type, robot.secret) == ("MachineToMachine", "emulatoronlysecret00000000000002")
    assert (app.type, app.secret) == ("Native", "")
    assert application.redirect_uris == ["http://localhost:8123/callback"]
    assert app.redirect_uris == app.post_logout_redirect_uris == ["io.bookstore.app://callback"]
    assert application.post_logout_redirect_uris == ["http://localhost:8123/"]
    for table, length in [
        (tenant.users, 12),
        (tenant.organizations, 12),
        (tenant.applications, 21),
        (tenant.roles, 21),
        (tenant.organization_roles, 21),
    ]:
        assert all(re.fullmatch(f"[0-9a-z]{{{length}}}", each) for each in table)
    assert {user.username for user in tenant.users.values() if user.is_suspended} == {"suspended"}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("username", "user.username_already_in_use"),
        ("primary_email", "user.email_already_in_use"),
        ("primary_phone", "user.phone_already_in_use"),
    ],
)
def test_identifiers_are_unique(tenant, field, code):
    user = tenant.add_user(**{field: "same"})
    with pytest.raises(DuplicateError) as refusal:
        tenant.add_user(**{field: "same"})
    assert refusal.value.code == code
    tenant.update_user(user.id, **{field: "same"})


def test_roles_must_exist(tenant):
    with pytest.raises(ValueError, match="no role 'nope'"):
        tenant.add_user(roles=["nope"])
    organization = tenant.add_organization("Any")
    with pytest.raises(ValueError, match="no organization role 'nope'"):
        tenant.add_member(organization.id, tenant.add_user().id, roles=["nope"])


def test_user_roles_and_machine_roles_are_separate(tenant):
    organization, user = tenant.add_organization("Any"), tenant.add_user()
    machine = tenant.add_application(name="Machine", type="MachineToMachine")
    for name, type in [("reader", "User"), ("robot", "MachineToMachine")]:
        tenant.add_role(name, type=type)
        tenant.add_organization_role(name, type=type)
    for give in [
        lambda: tenant.add_user(roles=["robot"]),
        lambda: tenant.update_user(user.id, roles=["robot"]),
        lambda: tenant.add_member(organization.id, user.id, roles=["robot"]),
    ]:
        with pytest.raises(ValueError, match="'robot' has the type MachineToMachine"):
            give()
    for give in [
        lambda: tenant.add_application(name="Other", type="MachineToMachine", roles=["reader"]),
        lambda: tenant.add_organization_application(organization.id, machine.id, roles=["reader"]),
    ]:
        with pytest.raises(ValueError, match="'reader' has the type User"):
            give()
    assert (organization.members, organization.applications) == ({}, {})


def test_only_machines_can_join_organizations(tenant):
    organization, application = tenant.add_organization("Any"), tenant.add_application(name="Any")
    with pytest.raises(ValueError, match="machine-to-machine"):
        tenant.add_organization_application(organization.id, application.id)


def test_default_roles_are_given_to_new_users(tenant):
    tenant.add_role("reader", is_default=True)
    assert tenant.add_user().roles == ["reader"]


def test_names_are_unique(tenant):
    tenant.add_role("same")
    tenant.add_resource("https://same.example")
    tenant.add_organization_role("same")
    with pytest.raises(DuplicateError):
        tenant.add_role("same")
    with pytest.raises(DuplicateError):
        tenant.add_organization_role("same")
    with pytest.raises(DuplicateError):
        tenant.add_resource("https://same.example")


def test_unknown_field_raises_type_error(tenant):
    with pytest.raises(TypeError, match="usrname"):
        tenant.update_user(tenant.add_user().id, usrname="x")


def test_public_applications_have_no_secret(tenant):
    assert tenant.add_application(name="SPA", type="SPA").secret == ""


def test_deleted_user_loses_membership(tenant):
    organization, user = tenant.add_organization("Any"), tenant.add_user()
    tenant.add_member(organization.id, user.id)
    tenant.delete_user(user.id)
    assert organization.members == {}


def test_repr_contains_no_secret(tenant):
    seed_demo(tenant)
    shown = repr([*tenant.users.values(), *tenant.applications.values()])
    assert "-password" not in shown
    assert "emulatoronlysecret" not in shown
