"""Checks of settings: which values are mistakes, beside the examples in `test_messages`."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from django.core.checks import CheckMessage

from logto_auth.tenant import MFA, TenantDeclaration

from .found import ids, messages

SCOPES = ("openid", "offline_access", "roles", "identities")
SECOND_FACTOR = {
    "LOGTO_SECOND_FACTOR": True,
    "LOGTO_API_RESOURCE": "https://shop.example/api",
    "LOGTO_SCOPES": SCOPES,
}
API = "https://shop.example/api"
BROWSER_TOKENS = {
    "LOGTO_BROWSER_TOKENS": {API: ["read:books"]},
    "LOGTO_RESOURCES": [API],
    "LOGTO_SCOPES": ("openid", "offline_access", "roles", "read:books"),
}
MANAGEMENT_API = "https://default.logto.app/api"
BROWSER_TOKENS_OF_THE_MANAGEMENT_API = {
    "LOGTO_BROWSER_TOKENS": {MANAGEMENT_API: ["all"]},
    "LOGTO_RESOURCES": [MANAGEMENT_API],
}
SUBDOMAINS = {"LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.from_subdomain"}


def test_correct_settings_have_no_messages() -> None:
    assert messages({}) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LOGTO_APP_ID": "<your-application-id>"}, "E005"),
        ({"LOGTO_APP_SECRET": "your-app-secret"}, "E005"),
        ({"LOGTO_ENDPOINT": "https://<tenant>.logto.app"}, "E005"),
        ({"LOGTO_ENDPOINT": "https://your-tenant.logto.app"}, "E005"),
        ({"LOGTO_ENDPOINT": "https://auth.example.com/oidc"}, "E006"),
        ({"LOGTO_ENDPOINT": "http://auth.example.com"}, "E007"),
        ({"LOGTO_ENDPOINT": "http://169.254.169.254"}, "E007"),
        ({"LOGTO_ENDPOINT": "https://auth.example.com/"}, ""),
        ({"LOGTO_ENDPOINT": "http://192.168.1.5:3001"}, ""),
        ({"LOGTO_ENDPOINT": "http://logto:3001"}, ""),
        ({"LOGTO_BASE_URL": "https://shop.example/app"}, "E008"),
        ({"LOGTO_BASE_URL": "https://shop.example"}, ""),
        ({"LOGTO_SCOPES": ("profile",)}, "E009"),
        ({"LOGTO_SIGNING_ALGORITHMS": ("HS256",)}, "E010"),
        ({"LOGTO_SIGNING_ALGORITHMS": ()}, "E010"),
        ({"LOGTO_SIGN_IN_QUERY_PARAMETERS": ("organization_id", "max_age")}, "E011 W015"),
        # A template of the site sets an option.
        ({"LOGTO_SIGN_IN_QUERY_PARAMETERS": ()}, "W002 W015"),
        ({"LOGTO_FRESHNESS_SECONDS": -1}, "E015"),
        ({"LOGTO_OUTAGE_GRACE_SECONDS": -1}, "E015"),
        ({"LOGTO_WEBHOOK_MAX_AGE_SECONDS": 0}, "E015"),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"}, ""),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": ["WZjZXvEsntxQUEKE4kYC8Ed9A8laShny", ""]}, ""),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": b"WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"}, "E001"),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "secret"}, "E022"),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "<your-signing-key>"}, "E022"),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": ["WZjZXvEsntxQUEKE4kYC8Ed9A8laShny", None]}, "E001"),
        ({"LOGTO_WEBHOOK_RUNNER": "logto_auth.webhooks.handle"}, ""),
        ({"LOGTO_WEBHOOK_RUNNER": "logto_auth.webhooks.views.logger"}, "E023"),
        ({"LOGTO_WEBHOOK_RUNNER": "shop.nowhere.run"}, "E023"),
        ({"LOGTO_CONSOLE_URL": "javascript:alert(1)"}, "E024"),
        ({"LOGTO_CONSOLE_URL": "https://cloud.logto.io/abc123"}, ""),
        ({"LOGTO_RESOURCES": ("not a uri",)}, "E012"),
        ({"LOGTO_SECOND_FACTOR": 1}, "E001"),
        (BROWSER_TOKENS, ""),
        ({**BROWSER_TOKENS, "LOGTO_BROWSER_TOKENS": {API: []}}, "E051"),
        ({**BROWSER_TOKENS, "LOGTO_BROWSER_TOKENS": {API: "read:books"}}, "E001"),
        ({**BROWSER_TOKENS, "LOGTO_BROWSER_TOKENS": {API: ["write:books"]}}, "W043"),
        ({**BROWSER_TOKENS, "LOGTO_RESOURCES": ()}, "E051"),
        ({**BROWSER_TOKENS, "LOGTO_SCOPES": ("openid", "roles", "read:books")}, "E051"),
        (BROWSER_TOKENS_OF_THE_MANAGEMENT_API, "E051"),
        ({**BROWSER_TOKENS_OF_THE_MANAGEMENT_API, "LOGTO_MANAGEMENT_API_RESOURCE": MANAGEMENT_API}, "E051"),
        ({"LOGTO_SECOND_FACTOR": True, "LOGTO_SCOPES": SCOPES}, "E040"),
        ({**SECOND_FACTOR, "LOGTO_API_RESOURCE": "urn:logto:resource:organizations"}, "E040"),
        ({**SECOND_FACTOR, "LOGTO_SCOPES": ("openid", "identities")}, "E040"),
        ({**SECOND_FACTOR, "LOGTO_PROMPT": "none"}, "E040"),
        ({**SECOND_FACTOR, "LOGTO_PROMPT": "login"}, ""),
        (SECOND_FACTOR, ""),
        ({**SECOND_FACTOR, "LOGTO_SCOPES": ("openid", "offline_access")}, "W030"),
        ({"LOGTO_GROUPS_BY_ROLE": {"editor": "Editors"}, "LOGTO_SCOPES": ("openid",)}, "W031"),
        ({"LOGTO_SIGN_IN_PARAMETERS": {"client_id": "x"}}, "E012"),
        ({"LOGTO_SIGN_IN_PARAMETERS": {"prompt": "login"}}, "E012"),
        ({"LOGTO_SIGN_IN_PARAMETERS": {"scope": "openid"}}, "E012"),
        ({"LOGTO_HTTP_TIMEOUT_SECONDS": (1,)}, "E001"),
        ({"LOGTO_HTTP_TIMEOUT_SECONDS": (True, 1)}, "E001"),
        ({"LOGTO_HTTP_TIMEOUT_SECONDS": (3, float("inf"))}, "E013"),
        ({"LOGTO_USER_FIELDS": "no.such.function"}, "E014"),
        ({"LOGTO_LINK_BY_EMAIL": "os.path.sep"}, "E014"),
        ({"LOGTO_USER_FIELDS": ""}, "E014"),
        ({"LOGTO_LINK_BY_EMAIL": ""}, ""),
        ({"LOGTO_DELETE_ACCOUNT": "shop.nowhere.delete"}, "E014"),
        ({"LOGTO_DELETE_ACCOUNT": ""}, ""),
        ({"LOGTO_ORGANIZATION_FROM": "no.such.function"}, "E014"),
        ({"LOGTO_ORGANIZATION_FROM": "logto_auth.memberships.current.URL_KWARG"}, "E014"),
        ({"LOGTO_ORGANIZATION_FROM": ""}, "E014"),
        ({"LOGTO_MAX_PENDING_SIGN_INS": 0}, "E015"),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": -1}, "E015"),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": "1000"}, "E001"),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": 0}, ""),
        ({"LOGTO_API_RESOURCE": "/api"}, "E016"),
        ({"LOGTO_API_RESOURCES": {"/mcp": ["mcp:tools"]}}, "E016"),
        ({"LOGTO_API_RESOURCES": {"https://[": ["mcp:tools"]}}, "E016"),
        ({"LOGTO_API_RESOURCES": {"https://shop.example/\ud800": ["mcp:tools"]}}, "E016"),
        ({"LOGTO_API_RESOURCES": {"https://bookstore.example/mcp": "mcp:tools"}}, "E001"),
        ({"LOGTO_API_RESOURCES": {"https://bookstore.example/mcp": []}}, ""),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api#books"}, "E016"),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api "}, "E016"),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api/"}, ""),
        ({"LOGTO_API_RESOURCE": "urn:bookstore:api"}, ""),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": ".shop.example"}, "E017"),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "https://shop.example"}, "E017"),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "shop.example:8000"}, "E017"),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "shop.example"}, ""),
        ({"LOGTO_M2M_APP_SECRET": "emulatoronlysecret00000000000002"}, "E018"),
        ({"LOGTO_M2M_APP_ID": "stockrobotdemo0000001", "LOGTO_M2M_APP_SECRET": "your-app-secret"}, "E005"),
        ({"LOGTO_ENDPOINT": "https://login.your-company.com"}, ""),
        ({"LOGTO_STAFF_ROLES": ["admin", None]}, "E001"),
        ({"LOGTO_GROUPS_BY_ROLE": {"clerk": ["Clerks"]}}, "E001"),
        ({"LOGTO_TENANT": None}, "E001"),
        ({"LOGTO_CLOCK_SKEW_SECONDS": True}, "E001"),
        ({"LOGTO_APP_ID": None}, "E001"),
    ],
    ids=str,
)
def test_only_the_mistake_is_reported(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages(settings)) == expected


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"LOGTO_ENDPOINT": "https://auth.example.com/oidc"}, "Set it to 'https://auth.example.com'."),
        ({"LOGTO_ENDPIONT": "x"}, "Did you mean LOGTO_ENDPOINT?"),
    ],
)
def test_hint_suggests_a_correct_value(settings: dict[str, Any], hint: str) -> None:
    assert hint in [message.hint for message in messages(settings)]


def test_wrong_type_has_an_example_in_its_hint() -> None:
    (message,) = messages({"LOGTO_STAFF_ROLES": "admin"})
    assert message.hint.startswith('Expected a list of strings, such as ["admin"]. ')


def test_wrong_types_and_wrong_values_are_reported_together() -> None:
    wrong = {
        "LOGTO_SCOPES": "openid profile",
        "LOGTO_APP_ID": None,
        "LOGTO_CLOCK_SKEW_SECONDS": "60",
        "LOGTO_TENANT": 3,
        "LOGTO_APP_SECRET": "",
        "LOGTO_PROMPT": "select_account",
        "LOGTO_OUTAGE_GRACE_SECONDS": -1,
        "LOGIN_URL": "/accounts/login/",
    }
    found = messages(wrong)
    assert ids(found) == "E001 E012 E015 W004 W022"
    assert [message.msg for message in found if message.id == "logto_auth.E001"] == [
        "LOGTO_APP_ID is None.",
        "LOGTO_SCOPES is of type str.",
        "LOGTO_CLOCK_SKEW_SECONDS is of type str.",
        "LOGTO_TENANT is of type int.",
    ]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.shop.example", ""),
        ("https://app.shop.example:8443/", ""),
        ("http://localhost:5173", ""),
        ("http://app.shop.example", "E032"),
        ("https://app.shop.example/cart", "E032"),
        ("https://*.shop.example", "E032"),
        ("app.shop.example", "E032"),
        ("//app.shop.example", "E032"),
        ("https://user@app.shop.example", "E032"),
        ("null", "E032"),
        ("*", "E032"),
        ("", "E032"),
    ],
)
def test_next_origins_are_exact_origins(origin: str, expected: str) -> None:
    assert ids(messages({"LOGTO_NEXT_ORIGINS": [origin]})) == expected


def test_former_endpoints_are_other_origins() -> None:
    settings = {"LOGTO_ENDPOINT": "https://sign-in.shop.example"}
    for endpoint, expected in (
        ("https://abc123.logto.app", ""),
        ("https://abc123.logto.app/oidc", "E031"),
        ("https://sign-in.shop.example/", "E031"),
        ("", "E031"),
    ):
        assert ids(messages({**settings, "LOGTO_FORMER_ENDPOINTS": [endpoint]})) == expected


def test_messages_contain_no_secret() -> None:
    assert not any("hush" in str(message) for message in messages({"LOGTO_APP_SECRET": "your-hush-hush"}))


def test_task_runner_without_django_tasks_gets_a_hint() -> None:
    found = messages({"LOGTO_WEBHOOK_RUNNER": "logto_auth.contrib.tasks.enqueue"})
    if importlib.util.find_spec("django.tasks"):
        assert found == []
    else:
        assert "needs django.tasks" in hint_of(found, "E023")


def hint_of(found: list[CheckMessage], id: str) -> str:
    (hint,) = (message.hint for message in found if message.id == f"logto_auth.{id}")
    return hint or ""


# Second factors

FACTORS = {**SECOND_FACTOR, "LOGTO_API_RESOURCE": "https://bookstore.example/api"}
COMPLETE = TenantDeclaration(mfa=MFA(), authentication_methods_claim=True)
CLAIM_ALONE = TenantDeclaration(authentication_methods_claim=True)
POLICY_OF_THE_TENANT = TenantDeclaration(mfa=MFA(policy=""), authentication_methods_claim=True)
NOTHING = TenantDeclaration()
ADAPTIVE = TenantDeclaration(mfa=MFA(policy="PromptOnlyAtSignInMandatory"), authentication_methods_claim=True)
SKIPPABLE = TenantDeclaration(mfa=MFA(policy="PromptAtSignInAndSignUp"), authentication_methods_claim=True)
INVALID = TenantDeclaration(mfa=MFA(factors=["Sms"]), authentication_methods_claim=True)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("COMPLETE", ""),
        ("CLAIM_ALONE", ""),
        ("POLICY_OF_THE_TENANT", ""),
        ("ADAPTIVE", ""),
        ("NOTHING", "W028"),
        ("SKIPPABLE", "W029"),
        ("INVALID", "E021"),
    ],
)
def test_declaration_has_to_fit_second_factors(name: str, expected: str) -> None:
    assert ids(messages({**FACTORS, "LOGTO_TENANT": f"{__name__}.{name}"})) == expected


def test_site_without_second_factors_may_declare_any_policy() -> None:
    assert ids(messages({"LOGTO_TENANT": f"{__name__}.SKIPPABLE"})) == ""


def test_site_without_a_declaration_is_not_asked_for_the_claim() -> None:
    assert ids(messages({**FACTORS, "LOGTO_TENANT": ""})) == ""
