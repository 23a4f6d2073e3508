"""Webhooks: events, payloads, and failed deliveries."""

import hashlib
import hmac
import json
import time

import pytest

from logto_auth.emulator import VisitFailed, totp_code
from logto_auth.emulator.state.webhook_events import events_of
from logto_auth.emulator.visitors.page_reader import text_of


@pytest.fixture
def hook(emulator, receiver):
    return emulator.tenant.add_hook(receiver.url, events_of(emulator.tenant.version))


def delivered(emulator, receiver):
    """Return the payloads that were delivered so far."""
    emulator.webhooks.wait()
    return [each.payload for each in receiver.received]


def events(emulator, receiver):
    return [payload["event"] for payload in delivered(emulator, receiver)]


@pytest.mark.usefixtures("default_sign_up")
def test_sign_in_and_registration_send_events(emulator, receiver, hook, bookstore, visitor):
    bookstore.sign_in()
    visitor.register(bookstore.authorization_url(), "newcomer", "newcomer-password")
    sign_in, *registration = delivered(emulator, receiver)
    assert (sign_in["event"], sign_in["userId"]) == ("PostSignIn", "customer0001")
    assert sign_in["application"]["id"] == bookstore.application.id
    assert sign_in["user"]["applicationId"] is None
    assert emulator.tenant.users["customer0001"].application_id == bookstore.application.id
    by_event = {payload["event"]: payload for payload in registration}
    assert by_event.keys() == {"PostRegister", "User.Created"}
    assert by_event["PostRegister"]["interactionEvent"] == "Register"
    assert list(by_event["User.Created"]) == [
        "event", "createdAt", "interactionEvent", "userAgent", "applicationId",
        "sessionId", "ip", "application", "data", "hookId",
    ]  # fmt: skip
    assert by_event["User.Created"]["data"]["username"] == "newcomer"
    assert "hasPassword" not in by_event["User.Created"]["data"]


def test_first_alipay_sign_in_is_a_registration(emulator, receiver, hook, bookstore, visitor):
    visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    assert sorted(events(emulator, receiver)) == ["PostRegister", "User.Created"]
    visitor.sign_in_with_alipay(bookstore.authorization_url(prompt="login"), "2088")
    assert events(emulator, receiver)[2:] == ["PostSignIn"]


def test_one_time_token_sends_membership_event(emulator, receiver, hook, bookstore, visitor):
    token = emulator.tenant.add_one_time_token("new@bookstore.example", jit_organization_ids=["harbourbr001"])
    link = bookstore.authorization_url(one_time_token=token.token, login_hint=token.email)
    visitor.sign_in_by_link(link)
    by_event = {payload["event"]: payload for payload in delivered(emulator, receiver)}
    assert by_event.keys() == {"PostRegister", "User.Created", "Organization.Membership.Updated"}
    membership = by_event["Organization.Membership.Updated"]
    assert membership["organizationId"] == "harbourbr001"
    assert membership["addedUserIds"] == [by_event["PostRegister"]["userId"]]


def test_silent_sign_in_and_refresh_send_no_event(emulator, receiver, hook, bookstore, visitor):
    tokens = bookstore.sign_in(visitor=visitor)
    visitor.session.get(bookstore.authorization_url(prompt="none"), allow_redirects=False)
    bookstore.refresh(tokens["refresh_token"])
    assert events(emulator, receiver) == ["PostSignIn"]


@pytest.mark.parametrize(
    ("method", "path", "body", "event", "route"),
    [
        (
            "PATCH",
            "/users/editor000001/custom-data",
            {"customData": {}},
            "User.Data.Updated",
            "/users/:userId/custom-data",
        ),
        ("PATCH", "/users/editor000001/profile", {"profile": {}}, "User.Data.Updated", "/users/:userId/profile"),
        ("PATCH", "/users/editor000001/password", {"password": "x"}, "User.Data.Updated", "/users/:userId/password"),
        ("POST", "/roles", {"name": "x", "description": "x"}, "Role.Created", "/roles"),
        ("PATCH", "/roles/roleeditor00000000001", {"name": "x"}, "Role.Data.Updated", "/roles/:id"),
        ("DELETE", "/roles/roleeditor00000000001", None, "Role.Deleted", "/roles/:id"),
        (
            "POST",
            "/resources/bookstoreapi000000001/scopes",
            {"name": "x"},
            "Scope.Created",
            "/resources/:resourceId/scopes",
        ),
        ("POST", "/organizations", {"name": "x"}, "Organization.Created", "/organizations"),
        ("PATCH", "/organizations/harbourbr001", {"name": "x"}, "Organization.Data.Updated", "/organizations/:id"),
        ("DELETE", "/organizations/harbourbr001", None, "Organization.Deleted", "/organizations/:id"),
        ("POST", "/organization-roles", {"name": "x"}, "OrganizationRole.Created", "/organization-roles"),
        (
            "PUT",
            "/organization-roles/orgrolestaff000000001/scopes",
            {"organizationScopeIds": []},
            "OrganizationRole.Scopes.Updated",
            "/organization-roles/:id/scopes",
        ),
        ("POST", "/organization-scopes", {"name": "x"}, "OrganizationScope.Created", "/organization-scopes"),
    ],
)
def test_data_event_contains_the_response(emulator, receiver, hook, api, method, path, body, event, route):
    answer = api(method, path, body)
    [payload] = delivered(emulator, receiver)
    assert (payload["event"], payload["matchedRoute"], payload["path"]) == (event, route, path)
    assert (payload["method"], payload["status"]) == (method, answer.status_code)
    if "json" in answer.headers.get("Content-Type", ""):
        assert payload["data"] == answer.json()
    else:
        assert "data" not in payload


def test_role_with_scopes_sends_two_events(emulator, receiver, hook, api):
    scope = api.get("/resources/bookstoreapi000000001/scopes").json()[0]
    role = api.made("/roles", {"name": "x", "description": "x", "scopeIds": [scope["id"]]})
    by_event = {payload["event"]: payload for payload in delivered(emulator, receiver)}
    assert by_event.keys() == {"Role.Created", "Role.Scopes.Updated"}
    assert by_event["Role.Scopes.Updated"]["roleId"] == role["id"]
    assert by_event["Role.Scopes.Updated"]["data"] == [scope]


def test_membership_event_lists_added_and_removed_users(emulator, receiver, hook, api):
    api.put("/organizations/harbourbr001/users", {"userIds": ["editor000001", "customer0001"]})
    [payload] = delivered(emulator, receiver)
    assert list(payload)[-4:] == ["organizationId", "addedUserIds", "removedUserIds", "hookId"]
    assert (payload["addedUserIds"], payload["removedUserIds"]) == (
        ["customer0001"],
        ["admin0000001", "owner0000001", "manager00001"],
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users/customer0001/roles", {"roleIds": ["roleeditor00000000001"]}),
        ("POST", "/roles/roleeditor00000000001/users", {"userIds": ["customer0001"]}),
        ("PUT", "/organizations/harbourbr001/users/editor000001/roles", {"organizationRoleIds": []}),
        ("PUT", "/users/customer0001/identities/alipay", {"userId": "2088"}),
        ("POST", "/applications", {"name": "x", "type": "SPA"}),
        ("POST", "/users", {"username": "editor"}),
        ("GET", "/users", None),
    ],
)
def test_other_calls_send_no_event(emulator, receiver, hook, api, method, path, body):
    api(method, path, body)
    assert delivered(emulator, receiver) == []


def test_only_enabled_webhooks_receive_their_events(emulator, receiver, api):
    tenant = emulator.tenant
    wanted = tenant.add_hook(receiver.url, ["User.Created"])
    tenant.add_hook(receiver.url, ["User.Created"], enabled=False)
    tenant.add_hook(receiver.url, ["User.Deleted"])
    api.post("/users", {})
    assert [payload["hookId"] for payload in delivered(emulator, receiver)] == [wanted.id]


def test_caller_does_not_wait_for_receiver(emulator, receiver, hook, api):
    receiver.may_answer.clear()
    started = time.monotonic()
    assert api.post("/users", {}).status_code == 200
    # The receiver waits for ten seconds.
    assert time.monotonic() - started < 8
    with pytest.raises(TimeoutError):
        emulator.webhooks.wait(0.05)
    receiver.may_answer.set()
    assert events(emulator, receiver) == ["User.Created"]


def test_failed_delivery_is_logged_and_not_repeated(emulator, receiver, hook, api):
    receiver.status = 500
    api.post("/users", {})
    emulator.webhooks.wait()
    time.sleep(0.1)
    assert len(receiver.received) == 1
    [log] = api.get(f"/hooks/{hook.id}/recent-logs").json()
    assert (log["key"], log["payload"]["result"]) == ("TriggerHook.User.Created", "Error")
    assert log["payload"]["response"] == {"statusCode": 500, "body": "thanks"}
    stats = api.get(f"/hooks/{hook.id}", includeExecutionStats="true").json()["executionStats"]
    assert stats == {"successCount": 0, "requestCount": 1}


def test_unreachable_receiver_is_a_failed_delivery(emulator, api):
    hook = emulator.tenant.add_hook("http://127.0.0.1:9/hook", ["User.Created"])
    api.post("/users", {})
    emulator.webhooks.wait()
    [delivery] = emulator.webhooks.deliveries
    assert (delivery.hook_id, delivery.status, delivery.error) == (hook.id, None, "ConnectionError")


def test_logs_are_filtered_by_time_and_key(emulator, receiver, hook, api):
    api.post("/users", {})
    emulator.webhooks.wait()
    path = f"/hooks/{hook.id}/recent-logs"
    assert len(api.get(path, logKey="TriggerHook.User.Created").json()) == 1
    assert api.get(path, logKey="TriggerHook.User.Deleted").json() == []
    emulator.clock.advance(86400 + 60)
    api.http.headers["Authorization"] = f"Bearer {api.token()}"
    assert api.get(path).json() == []
    assert len(api.get(path, start_time="0").json()) == 1


def test_webhook_is_managed_by_api(emulator, receiver, api):
    body = {"events": ["User.Created"], "config": {"url": receiver.url, "headers": {"X-Site": "books"}}}
    hook = api.made("/hooks", {**body, "name": "Site"})
    path = f"/hooks/{hook['id']}"
    renewed = api.patch(f"{path}/signing-key").json()
    assert renewed["signingKey"] != hook["signingKey"]
    api.post("/users", {})
    emulator.webhooks.wait()
    [delivery] = receiver.received
    expected = hmac.new(renewed["signingKey"].encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["logto-signature-sha-256"] == expected
    assert delivery.headers["x-site"] == "books"
    assert api.patch(path, {"enabled": False, "name": "Off"}).json()["enabled"] is False
    assert [each["id"] for each in api.get("/hooks").json()] == [hook["id"]]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"events": [], "config": {"url": "http://a.example"}}, "guard.invalid_input"),
        ({"config": {"url": "http://a.example"}}, "hook.missing_events"),
        ({"events": ["Nope"], "config": {"url": "http://a.example"}}, "guard.invalid_input"),
        ({"events": ["User.Created"], "config": {}}, "guard.invalid_input"),
        ({"events": ["User.Created"], "config": {"url": "x", "headers": {"A": 1}}}, "guard.invalid_input"),
    ],
)
def test_invalid_webhooks_are_refused(api, body, code):
    response = api.post("/hooks", body)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_test_delivery_is_signed_with_real_key(emulator, receiver, hook, api):
    body = {"events": ["User.Data.Updated", "PostSignIn"], "config": {"url": receiver.url}}
    assert api.post(f"/hooks/{hook.id}/test", body).status_code == 204
    data, sign_in = receiver.received
    assert data.payload["data"] == {"result": "success"}
    assert sign_in.payload["userId"] == "fake-id"
    for delivery in (data, sign_in):
        expected = hmac.new(hook.signing_key.encode(), delivery.body, hashlib.sha256).hexdigest()
        assert delivery.headers["logto-signature-sha-256"] == expected


def test_test_delivery_reports_failure(receiver, hook, api):
    receiver.status = 503
    body = {"events": ["User.Created"], "config": {"url": receiver.url}}
    refused = api.post(f"/hooks/{hook.id}/test", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "hook.endpoint_responded_with_error")
    assert refused.json()["data"] == {"responseStatus": 503, "responseBody": "thanks"}
    body["config"] = {"url": "http://127.0.0.1:9/"}
    assert api.post(f"/hooks/{hook.id}/test", body).json()["code"] == "hook.send_test_payload_failed"


def test_python_can_announce_any_payload(emulator, receiver, hook):
    emulator.webhooks.announce({"event": "User.Data.Updated", "createdAt": emulator.webhooks.now(), "data": {"ü": 1}})
    emulator.webhooks.wait()
    [delivery] = receiver.received
    assert json.loads(delivery.body)["hookId"] == hook.id
    assert "ü".encode() in delivery.body


def test_second_factor_that_is_set_up_at_sign_in_changes_the_user(emulator, receiver, hook, bookstore, visitor):
    emulator.tenant.sign_in_experience.mfa_factors = ["Totp"]
    emulator.tenant.sign_in_experience.mfa_policy = "Mandatory"
    with pytest.raises(VisitFailed) as failure:
        visitor.sign_in(bookstore.authorization_url(), "customer")
    page = failure.value.response
    visitor._submit(page, "mfa-binding", {"code": totp_code(text_of(page, "id", "secret"))})
    by_event = {payload["event"]: payload for payload in delivered(emulator, receiver)}
    assert by_event.keys() == {"PostSignIn", "User.Data.Updated"}
    changed = by_event["User.Data.Updated"]
    assert (changed["data"]["id"], changed["interactionEvent"]) == ("customer0001", "SignIn")


def test_too_many_wrong_second_factors_lock_the_user_out(emulator, receiver, hook, bookstore, visitor):
    emulator.tenant.add_totp(emulator.tenant.users["customer0001"])
    emulator.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 1}
    with pytest.raises(VisitFailed, match="Too many attempts"):
        visitor.sign_in(bookstore.authorization_url(), "customer", totp_secret="A" * 32)
    (lockout,) = delivered(emulator, receiver)
    assert (lockout["event"], lockout["type"], lockout["value"]) == ("Identifier.Lockout", "userId", "customer0001")
