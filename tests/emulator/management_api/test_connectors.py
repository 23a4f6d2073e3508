"""`/api/connectors` and `/api/sign-in-exp`, and the effect on the sign-in pages."""

import json

import pytest
import requests

from logto_auth.emulator import VisitFailed
from tests.recorded import recording

CONFIG = {"appId": "2021000000000000", "privateKey": "key", "signType": "RSA2"}


@pytest.fixture(autouse=True)
def _no_connectors(emulator):
    emulator.tenant.sign_in_experience.connector_instances.clear()
    emulator.tenant.sign_in_experience.targets = []


def code(response):
    return response.status_code, response.json()["code"]


def add(api, factory="alipay-web", **more):
    return api.post("/connectors", {"connectorId": factory, "config": CONFIG, **more})


def enable(api, *targets):
    return api.patch("/sign-in-exp", {"socialSignInConnectorTargets": list(targets)}).json()


def test_alipay_web_connector_is_created_by_api(api, bookstore, visitor):
    assert "Alipay" not in visitor.open(bookstore.authorization_url()).text
    connector = add(api).json()
    assert "Alipay" not in visitor.open(bookstore.authorization_url()).text
    assert enable(api, "alipay")["socialSignInConnectorTargets"] == ["alipay"]
    assert "Continue with Alipay" in visitor.open(bookstore.authorization_url()).text
    assert "code=" in visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")
    assert api.delete(f"/connectors/{connector['id']}").status_code == 204
    assert api.get("/sign-in-exp").json()["socialSignInConnectorTargets"] == []
    assert "Alipay" not in visitor.open(bookstore.authorization_url()).text


def test_native_connector_is_public_but_hidden_in_browsers(emulator, api, bookstore, visitor):
    add(api, "alipay-native")
    enable(api, "alipay")
    public = requests.get(f"{emulator.endpoint}/api/.well-known/sign-in-exp", timeout=5).json()
    assert [each["platform"] for each in public["socialConnectors"]] == ["Native"]
    assert "Alipay" not in visitor.open(bookstore.authorization_url()).text


def test_native_connector_created_by_api_signs_in(api, app, phone):
    connector = add(api, "alipay-native", config={**CONFIG, "appId": "2021000000000009"}).json()
    enable(api, "alipay")
    page = phone.open(app.authorization_url(direct_sign_in="social:alipay")).text
    assert f"/callback/social/{connector['id']}" in page
    assert "app_id=2021000000000009" in page
    assert "code=" in phone.sign_in_with_alipay(app.authorization_url(), "2088")


def test_target_without_connector_is_dropped_without_error(api):
    add(api)
    assert enable(api, "github", "alipay")["socialSignInConnectorTargets"] == ["alipay"]


def test_python_changes_are_visible_in_api(emulator, api):
    emulator.tenant.sign_in_experience.connectors = ["alipay-native", "alipay-web"]
    assert [each["connectorId"] for each in api.get("/connectors", target="alipay").json()] == [
        "alipay-native",
        "alipay-web",
    ]
    assert api.get("/connectors", target="github").json() == []
    assert api.get("/sign-in-exp").json()["socialSignInConnectorTargets"] == ["alipay"]


def test_config_is_replaced_including_unknown_keys(api):
    connector = add(api, "alipay-native", config={**CONFIG, "charset": "gbk"}).json()
    assert list(connector["config"]) == ["appId", "charset", "signType", "privateKey"]
    path = f"/connectors/{connector['id']}"
    assert api.patch(path, {"config": CONFIG}).json()["config"].keys() == CONFIG.keys()
    assert code(api.patch(path, {"config": {"appId": "x"}})) == (400, "connector.invalid_config")
    assert api.get(path).json()["config"].keys() == CONFIG.keys()
    assert api.patch(path, {"syncProfile": True}).json()["syncProfile"] is True


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"appId": "2" * 17}, ("too_big", "String must contain at most 16 character(s)")),
        ({"signType": "RSA3"}, ("invalid_enum_value", "Invalid enum value. Expected 'RSA' | 'RSA2', received 'RSA3'")),
        (
            {"charset": "latin1"},
            ("invalid_enum_value", "Invalid enum value. Expected 'gbk' | 'utf8', received 'latin1'"),
        ),
    ],
)
def test_invalid_configs_are_refused(api, changes, issue):
    response = add(api, config={**CONFIG, **changes})
    assert code(response) == (400, "connector.invalid_config")
    assert [(each["code"], each["message"]) for each in response.json()["data"]["issues"]] == [issue]


def test_invalid_connectors_are_refused(api):
    assert code(add(api, "nope")) == (422, "connector.not_found_with_connector_id")
    metadata = code(add(api, metadata={"target": "x"}))
    assert metadata == (400, "connector.cannot_overwrite_metadata_for_non_standard_connector")
    assert code(add(api, enableTokenStorage=True)) == (422, "connector.token_storage_not_supported")
    assert code(add(api, "oidc", config={})) == (400, "connector.should_specify_target")
    assert api.get("/connectors").json() == []


def test_standard_connector_target_is_unique_for_platform(api):
    config = {
        "clientId": "id",
        "clientSecret": "secret",
        "authorizationEndpoint": "https://idp.example/auth",
        "tokenEndpoint": "https://idp.example/token",
    }
    metadata = {"target": "idp", "name": {"en": "IdP"}}
    made = add(api, "oidc", config=config, metadata=metadata, id="chosen").json()
    assert (made["id"], made["target"], made["name"], made["isStandard"]) == ("chosen", "idp", {"en": "IdP"}, True)
    again = add(api, "oidc", config=config, metadata=metadata)
    assert code(again) == (422, "connector.multiple_target_with_same_platform")
    assert add(api, "oidc", config=config, metadata={"target": "other"}).status_code == 200


def test_factories_are_listed_and_shown(api):
    assert [each["id"] for each in api.get("/connector-factories").json()] == [
        "alipay-native",
        "alipay-web",
        "oauth2",
        "oidc",
        "mock-social-connector",
        "simple-mail-transfer-protocol",
        "twilio-short-message-service",
    ]
    native = api.get("/connector-factories/alipay-native").json()
    assert [item["key"] for item in native["formItems"]] == ["appId", "privateKey", "signType"]
    assert api.get("/connector-factories/nope").status_code == 404


def test_factory_without_form_equals_the_recorded_connector(api):
    recorded = recording("tenant/connector_mock_social_created", "1.42")
    given = json.loads(recorded["request"]["body"])
    assert code(add(api, given["connectorId"], config={"clientId": "r3"})) == (400, "connector.invalid_config")
    created = add(api, given["connectorId"], config=given["config"])
    kept = ("config", "target", "platform", "type", "configTemplate", "formItems")
    assert {name: created.json().get(name) for name in kept} == {name: recorded["body"].get(name) for name in kept}


SMTP = {
    "host": "mail.shop.example",
    "port": 25,
    "auth": {"user": "shop", "pass": "password"},
    "fromEmail": "shop@shop.example",
    "templates": [
        {"usageType": usage, "content": "{{code}}"} for usage in ("Register", "SignIn", "ForgotPassword", "Generic")
    ],
}


def test_new_email_connector_replaces_the_old_one(emulator, api):
    first = add(api, "simple-mail-transfer-protocol", config=SMTP).json()
    assert (first["type"], first["platform"], first["target"]) == ("Email", None, "smtp")
    second = add(api, "simple-mail-transfer-protocol", config={**SMTP, "port": 587}).json()
    assert [each["id"] for each in api.get("/connectors").json()] == [second["id"]]
    assert enable(api, "smtp")["socialSignInConnectorTargets"] == []
    synced = api.patch(f"/connectors/{second['id']}", {"syncProfile": True})
    assert code(synced) == (422, "connector.invalid_type_for_syncing_profile")


def test_empty_config_values_are_dropped(api):
    config = {**SMTP, "replyTo": "", "tls": {"ca": []}, "secure": False, "auth": {"user": "", "pass": ""}}
    made = add(api, "simple-mail-transfer-protocol", config=config).json()
    assert made["config"].keys() == {*SMTP, "secure"} - {"auth"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"port": "25"}, "Expected number, received string"),
        ({"secure": "no"}, "Expected boolean, received string"),
        ({"templates": SMTP["templates"][:2]}, "Template with UsageType (ForgotPassword, Generic) should be provided!"),
    ],
)
def test_invalid_email_configs_are_refused(api, changes, message):
    response = add(api, "simple-mail-transfer-protocol", config={**SMTP, **changes})
    assert [each["message"] for each in response.json()["data"]["issues"]] == [message]


def test_test_message_is_recorded_and_not_sent(emulator, api):
    path = "/connectors/simple-mail-transfer-protocol/test"
    assert api.post(path, {"email": "ada@example.com", "config": SMTP}).status_code == 204
    assert [(each.to, each.code) for each in emulator.tenant.sent_messages] == [("ada@example.com", "000000")]
    assert code(api.post(path, {"config": SMTP})) == (400, "guard.invalid_input")
    assert code(api.post(path, {"email": "ada@example.com", "config": {}})) == (400, "connector.invalid_config")
    assert code(api.post(path, {"phone": "15550100", "config": SMTP})) == (400, "connector.unexpected_type")
    unknown = api.post("/connectors/alipay-web/test", {"email": "ada@example.com", "config": CONFIG})
    assert code(unknown) == (400, "connector.not_found")


def test_social_only_disables_password_and_registration(api, bookstore, visitor):
    add(api)
    body = {
        "signUp": {"identifiers": [], "password": False, "verify": False},
        "signIn": {"methods": []},
        "socialSignInConnectorTargets": ["alipay"],
    }
    assert api.patch("/sign-in-exp", body).status_code == 200
    page = visitor.open(bookstore.authorization_url()).text
    assert 'name="password"' not in page
    assert "/register" not in page
    with pytest.raises(VisitFailed):
        visitor.sign_in(bookstore.authorization_url(), "customer", "customer-password")
    assert visitor.sign_in_with_alipay(bookstore.authorization_url(), "2088")


def test_closed_registration_is_shown_on_page(api, bookstore, visitor):
    api.patch("/sign-in-exp", {"signInMode": "SignIn"})
    with pytest.raises(VisitFailed):
        visitor.register(bookstore.authorization_url(), "newcomer", "newcomer-password")


@pytest.mark.usefixtures("default_sign_up")
def test_password_policy_applies_on_page(api, bookstore, visitor):
    api.patch("/sign-in-exp", {"passwordPolicy": {"length": {"min": 30, "max": 256}}})
    with pytest.raises(VisitFailed):
        visitor.register(bookstore.authorization_url(), "newcomer", "newcomer-password")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"signInMode": "Sometimes"}, "guard.invalid_input"),
        ({"signIn": {"methods": [{"identifier": "email"}]}}, "guard.invalid_input"),
        (
            {"signUp": {"identifiers": ["email"], "password": True, "verify": True}},
            "sign_in_experiences.enabled_connector_not_found",
        ),
        (
            {"signUp": {"identifiers": ["username"], "password": False, "verify": False}},
            "sign_in_experiences.username_requires_password",
        ),
        ({"signIn": {"methods": []}}, "sign_in_experiences.miss_sign_up_identifier_in_sign_in"),
    ],
)
@pytest.mark.usefixtures("default_sign_up")
def test_invalid_sign_in_experiences_are_refused(api, body, error):
    before = api.get("/sign-in-exp").json()
    assert code(api.patch("/sign-in-exp", body)) == (400, error)
    assert api.get("/sign-in-exp").json() == before
