"""Every problem has an example that causes it, and the ids run in order."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from logto_auth.checks import (
    account,
    accounts,
    addresses,
    api_keys,
    browser_tokens,
    deployment,
    mcp,
    organization_console,
    project,
    templates,
    views,
)
from logto_auth.checks import settings as checks_of_settings
from logto_auth.checks.problem import Problem
from logto_auth.tenant import (
    MFA,
    AccountCenter,
    AnyRole,
    DeclaredOrganization,
    OrganizationConsole,
    OrganizationRole,
    Role,
    TenantDeclaration,
)

from .found import messages

MODULES = (
    checks_of_settings,
    addresses,
    browser_tokens,
    account,
    accounts,
    api_keys,
    organization_console,
    project,
    views,
    mcp,
    templates,
    deployment,
)
ALL_PROBLEMS = [problem for module in MODULES for problem in vars(module).values() if isinstance(problem, Problem)]
WITHOUT_AUDIT = [name for name in settings.INSTALLED_APPS if name != "logto_auth.audit"]
WITHOUT_SESSIONS = [name for name in settings.MIDDLEWARE if "SessionMiddleware" not in name]
WITHOUT_LOGTO = [name for name in settings.MIDDLEWARE if "Logto" not in name]
TENANT_WITH_AN_UNKNOWN_EVENT = TenantDeclaration(webhook_events=["User.Delted"])
TENANT_WITHOUT_A_DESCRIPTION = TenantDeclaration(roles=[Role("editor", "")])
TENANT_WITHOUT_A_DELETE_PAGE = TenantDeclaration(account_center=AccountCenter(delete_account_url="/no-such-page"))
TENANT_WITHOUT_THE_CLAIM = TenantDeclaration(mfa=MFA())
TENANT_WITH_SKIPPABLE_MFA = TenantDeclaration(mfa=MFA(policy="NoPrompt"), authentication_methods_claim=True)
TENANT_WITHOUT_ACCOUNT_CENTER = TenantDeclaration(account_center=AccountCenter(enabled=False))
TENANT_WITH_A_PERMISSION_OF_NO_ROLE = TenantDeclaration(
    organization_scopes={"invite:members": ""},
    organization_roles=[OrganizationRole("owner")],
    organization_console=OrganizationConsole(owner_roles=["owner"], invite="invite:members"),
)
TENANT_WITH_BLIND_MANAGERS = TenantDeclaration(
    organization_roles=[OrganizationRole("owner"), OrganizationRole("manager"), OrganizationRole("staff")],
    organization_console=OrganizationConsole(
        owner_roles=["owner"], manage_members=AnyRole("manager"), grants={"manager": ["staff"]}
    ),
)
TENANT_WITH_A_PUBLIC_MAIL_DOMAIN = TenantDeclaration(
    organizations=[DeclaredOrganization("North", email_domains=["north.example", "gmail.com"])]
)
WITH_API_KEY_PAGES = {"ROOT_URLCONF": "tests.checks.urls_with_api_key_pages"}
WITH_CONSOLE = {"ROOT_URLCONF": "tests.checks.urls_with_console"}

EXAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "E001": ({"LOGTO_SCOPES": "openid profile"}, "LOGTO_SCOPES is of type str."),
    "E002": ({"LOGTO_ENDPOINT": ""}, "LOGTO_ENDPOINT is not set."),
    "E003": ({"LOGTO_APP_ID": ""}, "LOGTO_APP_ID is not set."),
    "E004": ({"LOGTO_APP_SECRET": ""}, "LOGTO_APP_SECRET is not set."),
    "E005": ({"LOGTO_APP_ID": "<your-app-id>"}, "LOGTO_APP_ID is still a placeholder."),
    "E006": (
        {"LOGTO_ENDPOINT": "https://abc123.logto.app/oidc"},
        "LOGTO_ENDPOINT is 'https://abc123.logto.app/oidc', not an origin without a path.",
    ),
    "E007": (
        {"LOGTO_ENDPOINT": "http://abc123.logto.app"},
        "LOGTO_ENDPOINT is 'http://abc123.logto.app': tokens would cross the internet unencrypted.",
    ),
    "E008": ({"LOGTO_BASE_URL": "https://shop.example/shop"}, "LOGTO_BASE_URL is 'https://shop.example/shop'."),
    "E009": ({"LOGTO_SCOPES": ["profile"]}, "LOGTO_SCOPES does not contain openid."),
    "E010": ({"LOGTO_SIGNING_ALGORITHMS": ["HS256"]}, "LOGTO_SIGNING_ALGORITHMS is ['HS256']."),
    "E011": (
        {"LOGTO_SIGN_IN_QUERY_PARAMETERS": ["resources", "max_age"]},
        "LOGTO_SIGN_IN_QUERY_PARAMETERS lets a URL set resources.",
    ),
    "E012": (
        {"LOGTO_PROMPT": "select_account"},
        "LOGTO_SCOPES, LOGTO_RESOURCES, LOGTO_PROMPT or LOGTO_SIGN_IN_PARAMETERS has a value that Logto refuses.",
    ),
    "E013": ({"LOGTO_HTTP_TIMEOUT_SECONDS": (0, 5)}, "LOGTO_HTTP_TIMEOUT_SECONDS is (0, 5)."),
    "E014": (
        {"LOGTO_USER_FIELDS": "shop.nowhere.fields"},
        "LOGTO_USER_FIELDS is 'shop.nowhere.fields', which is not a function that can be imported.",
    ),
    "E015": ({"LOGTO_CLOCK_SKEW_SECONDS": -5}, "LOGTO_CLOCK_SKEW_SECONDS is -5."),
    "E016": (
        {"LOGTO_API_RESOURCE": "bookstore-api"},
        "LOGTO_API_RESOURCE names 'bookstore-api', which is not an absolute URI.",
    ),
    "E017": (
        {"LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.from_subdomain"},
        "LOGTO_ORGANIZATION_DOMAIN is '', which is not a domain with subdomains for organizations.",
    ),
    "E018": (
        {"LOGTO_M2M_APP_ID": "stockrobotdemo0000001"},
        "LOGTO_M2M_APP_SECRET is not set, but LOGTO_M2M_APP_ID is.",
    ),
    "E019": (
        {
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"],
            "LOGTO_APP_ID": "",
            "LOGTO_APP_SECRET": "",
            "LOGIN_URL": "/accounts/login/",
            "ROOT_URLCONF": "logto_auth.api_urls",
        },
        "LOGTO_API_INTROSPECTED_APPS is set, but LOGTO_APP_ID or LOGTO_APP_SECRET is not.",
    ),
    "E020": (
        {"LOGTO_TENANT": "shop.nowhere.TENANT"},
        "LOGTO_TENANT is 'shop.nowhere.TENANT', which is not a TenantDeclaration that can be imported.",
    ),
    "E021": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITHOUT_A_DESCRIPTION"},
        'LOGTO_TENANT has a mistake: The role "editor" has no description, which Logto requires.',
    ),
    "E022": (
        {"LOGTO_WEBHOOK_SIGNING_KEY": "<signing key>"},
        "LOGTO_WEBHOOK_SIGNING_KEY contains a value that is not a signing key.",
    ),
    "E023": (
        {"LOGTO_WEBHOOK_RUNNER": "shop.nowhere.enqueue"},
        "LOGTO_WEBHOOK_RUNNER is 'shop.nowhere.enqueue', which is not a function that can be imported.",
    ),
    "E024": ({"LOGTO_CONSOLE_URL": "cloud.logto.io/abc123"}, "LOGTO_CONSOLE_URL is 'cloud.logto.io/abc123'."),
    "E025": (
        {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]},
        "AUTHENTICATION_BACKENDS contains no LogtoBackend.",
    ),
    "E026": ({"MIDDLEWARE": WITHOUT_LOGTO}, "MIDDLEWARE contains no LogtoMiddleware."),
    "E027": (
        {"MIDDLEWARE": ["logto_auth.middleware.LogtoMiddleware", *WITHOUT_LOGTO]},
        "LogtoMiddleware comes before AuthenticationMiddleware.",
    ),
    "E028": (
        {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
        "SESSION_ENGINE keeps sessions in cookies, where the server cannot end them.",
    ),
    "E029": (
        {"SESSION_COOKIE_SAMESITE": "Strict"},
        "SESSION_COOKIE_SAMESITE is 'Strict': users who return from Logto would appear signed out.",
    ),
    "E030": ({"ROOT_URLCONF": "django.conf.urls.i18n"}, "The site's URLs do not include the views."),
    "E031": ({"LOGTO_FORMER_ENDPOINTS": ["abc123.logto.app"]}, "LOGTO_FORMER_ENDPOINTS contains 'abc123.logto.app'."),
    "E032": (
        {"LOGTO_NEXT_ORIGINS": ["https://*.shop.example"]},
        "LOGTO_NEXT_ORIGINS contains 'https://*.shop.example'.",
    ),
    "E034": (
        {"SECURE_REFERRER_POLICY": "no-referrer"},
        "SECURE_REFERRER_POLICY is 'no-referrer': browsers send 'Origin: null' with the sign-out button and with every "
        "other form, and Django refuses them.",
    ),
    "E035": (
        {"LOGOUT_REDIRECT_URL": "no-such-view"},
        "LOGOUT_REDIRECT_URL is 'no-such-view', which is neither a URL nor the name of a view.",
    ),
    "E036": (
        {"LOGTO_INTERNAL_ENDPOINT": "http://logto:3001/oidc"},
        "LOGTO_INTERNAL_ENDPOINT is 'http://logto:3001/oidc', not an origin without a path.",
    ),
    "E037": (
        {"LOGTO_INTERNAL_ENDPOINT": "http://logto.shop.example:3001"},
        "LOGTO_INTERNAL_ENDPOINT is 'http://logto.shop.example:3001': app secrets and tokens would cross the internet "
        "unencrypted.",
    ),
    "E038": (
        {"ROOT_URLCONF": "tests.account.urls_without_pages"},
        "tests.account.urls_without_pages.payment requires the security verification, but the site's URLs do not "
        "include its page.",
    ),
    "E039": (
        {
            "ROOT_URLCONF": "tests.checks.urls_with_account_pages",
            "MIDDLEWARE": [name for name in settings.MIDDLEWARE if "SessionMiddleware" not in name],
        },
        "The site's URLs include the account pages, which need SessionMiddleware in MIDDLEWARE.",
    ),
    "E040": (
        {"LOGTO_SECOND_FACTOR": True, "LOGTO_API_RESOURCE": ""},
        "LOGTO_SECOND_FACTOR is True, but LOGTO_API_RESOURCE is not set.",
    ),
    "E041": (
        {"ROOT_URLCONF": "tests.checks.urls_with_second_factor"},
        "tests.checks.urls_with_second_factor.decorated requires a second factor, but LOGTO_SECOND_FACTOR is False.",
    ),
    "E042": (
        {"LOGTO_ADMIN_SECOND_FACTOR": True},
        "LOGTO_ADMIN_SECOND_FACTOR is True, but LOGTO_SECOND_FACTOR is not: no user can enter the admin.",
    ),
    "E043": (
        {"LOGTO_AUDIT_REQUIRED": True, "INSTALLED_APPS": WITHOUT_AUDIT},
        "LOGTO_AUDIT_REQUIRED is True, but logto_auth.audit is not in INSTALLED_APPS: nothing is recorded.",
    ),
    "E044": (
        {**WITH_CONSOLE, "LOGTO_TENANT": ""},
        "The site's URLs include the console of organizations, but LOGTO_TENANT is not set. Each page and endpoint "
        "answers with an error.",
    ),
    "E045": (
        {**WITH_CONSOLE, "MIDDLEWARE": WITHOUT_SESSIONS},
        "The site's URLs include the pages of the console of organizations, which need SessionMiddleware in "
        "MIDDLEWARE.",
    ),
    "E046": ({"LOGTO_INVITATION_SENDER": "smtp"}, "LOGTO_INVITATION_SENDER is 'smtp'."),
    "E047": (
        {"ROOT_URLCONF": "tests.api.test_several_resources"},
        "tests.api.test_several_resources.Tools requires access tokens for https://bookstore.example/agents/mcp, which "
        "the settings do not declare.",
    ),
    "E049": (
        {"ROOT_URLCONF": "tests.checks.urls_of_mcp_servers"},
        "The MCP server at /mcp has resource='https://shop.example/mcp', which the settings do not declare.",
    ),
    "E048": (
        {"LOGTO_FIRST_PARTY_APPS": ["good", "one two"]},
        "LOGTO_FIRST_PARTY_APPS contains 'one two', which is not the App ID or the URL of an application.",
    ),
    "E050": (
        {
            "ROOT_URLCONF": "tests.checks.urls_accepting_api_keys",
            "LOGIN_URL": "/login/",
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_APP_ID": "",
            "LOGTO_APP_SECRET": "",
        },
        "tests.checks.urls_accepting_api_keys.decorated accepts API keys, but LOGTO_M2M_APP_ID or "
        "LOGTO_M2M_APP_SECRET is not set.",
    ),
    "E052": (
        {**WITH_API_KEY_PAGES, "MIDDLEWARE": WITHOUT_SESSIONS},
        "The site's URLs include the pages for API keys, which need SessionMiddleware in MIDDLEWARE.",
    ),
    "W001": ({"LOGTO_ENDPONT": "https://abc123.logto.app"}, "There is no setting LOGTO_ENDPONT."),
    "W002": (
        {"LOGTO_SIGN_IN_QUERY_PARAMETERS": ["login_hint"]},
        "LOGTO_SIGN_IN_QUERY_PARAMETERS lacks max_age, so recent_sign_in_required would redirect in a loop.",
    ),
    "W003": (
        {
            "LOGTO_ADMIN_PASSWORD_SIGN_IN": True,
            "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"],
        },
        "LOGTO_ADMIN_PASSWORD_SIGN_IN is True, but no backend accepts passwords.",
    ),
    "W004": (
        {"LOGIN_URL": "/accounts/login/"},
        "LOGIN_URL is '/accounts/login/', so login_required does not lead to Logto.",
    ),
    "W005": (
        {"LOGTO_ENDPOINT": "http://logto.internal"},
        "LOGTO_ENDPOINT is 'http://logto.internal', without encryption.",
    ),
    "W006": ({"LOGTO_BASE_URL": "http://shop.example"}, "LOGTO_BASE_URL is 'http://shop.example', without encryption."),
    "W007": (
        {"SESSION_COOKIE_SECURE": False},
        "SESSION_COOKIE_SECURE is False: the session cookie is also sent without encryption.",
    ),
    "W008": (
        {"SESSION_COOKIE_HTTPONLY": False},
        "SESSION_COOKIE_HTTPONLY is False: any script on a page can read the session cookie.",
    ),
    "W009": (
        {"SESSION_COOKIE_SAMESITE": None},
        "SESSION_COOKIE_SAMESITE is None: requests from other sites carry the session cookie.",
    ),
    "W010": (
        {"LOGTO_SUPERUSER_ROLES": ["admin", "root"], "LOGTO_STAFF_ROLES": ["admin"]},
        "LOGTO_SUPERUSER_ROLES contains root, but LOGTO_STAFF_ROLES does not: these superusers cannot enter the admin.",
    ),
    "W012": (
        {"ROOT_URLCONF": "tests.checks.urls_of_stock_admin"},
        "The default admin site is logto_auth.admin_site.LogtoAdminSite, but the admin's sign-in is that of "
        "django.contrib.admin.sites.AdminSite.",
    ),
    "W013": (
        {
            "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"],
            "ROOT_URLCONF": "tests.checks.urls_of_stock_admin",
        },
        "/stock-admin/login/ asks for a password, and no backend accepts one: no user can sign in there.",
    ),
    "W014": (
        {"ROOT_URLCONF": "tests.tenant.urls_by_language"},
        "Logto redirects to another URL in each language of the site: /en/callback, /ja/callback, /zh-hans/callback. "
        "It refuses those that are not registered.",
    ),
    "W015": (
        {"LOGTO_SIGN_IN_QUERY_PARAMETERS": ["prompt"]},
        f"{settings.BASE_DIR}/templates/base.html, line 41: logto_sign_in_button has a wrong argument. "
        "The URL of a sign-in cannot set direct_sign_in. LOGTO_SIGN_IN_QUERY_PARAMETERS allows prompt.",
    ),
    "W016": (
        {"LOGTO_ADMIN_PASSWORD_SIGN_IN": True},
        "LOGTO_ADMIN_PASSWORD_SIGN_IN is True: staff can sign in to the admin with a password alone.",
    ),
    "W017": (
        {"LOGTO_FRESHNESS_SECONDS": 7 * 24 * 60 * 60},
        "LOGTO_FRESHNESS_SECONDS is 604800, which is very large.",
    ),
    "W018": (
        {
            "LOGTO_ADMIN_PASSWORD_SIGN_IN": True,
            "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        },
        "LOGTO_ADMIN_PASSWORD_SIGN_IN is True, and the default cache stores nothing: attempts are refused.",
    ),
    "W019": (
        {"LOGTO_LOGOUT_TOKEN_TYPE_REQUIRED": False},
        "LOGTO_LOGOUT_TOKEN_TYPE_REQUIRED is False: the type of logout tokens is not checked.",
    ),
    "W020": (
        {
            "LOGTO_ENDPOINT": "https://sign-in.shop.example",
            "LOGTO_CONSOLE_URL": "https://cloud.logto.io/abc123",
            "LOGTO_M2M_APP_ID": "machine",
            "LOGTO_M2M_APP_SECRET": "emulatoronlysecret00000000000002",
        },
        "The indicator of the Management API is https://default.logto.app/api, but LOGTO_CONSOLE_URL names the tenant "
        "abc123 of Logto Cloud.",
    ),
    "W021": (
        {"LOGTO_ENDPOINT": "https://sign-in.shop.example", "LOGTO_INTERNAL_ENDPOINT": "https://abc123.logto.app"},
        "LOGTO_INTERNAL_ENDPOINT is 'https://abc123.logto.app', and LOGTO_ENDPOINT is 'https://sign-in.shop.example'. "
        "Logto Cloud has another issuer at each.",
    ),
    "W022": ({"LOGTO_APP_ID": ""}, "LOGTO_APP_ID is not set: requests that need it fail."),
    "W023": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITH_AN_UNKNOWN_EVENT"},
        f"{__name__}.TENANT_WITH_AN_UNKNOWN_EVENT declares the webhook event 'User.Delted', which Logto 1.42 does not "
        "have.",
    ),
    "W024": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITHOUT_A_DELETE_PAGE"},
        f"{__name__}.TENANT_WITHOUT_A_DELETE_PAGE declares the delete_account_url /no-such-page, where the site has no "
        "page.",
    ),
    "W025": (
        {
            "LOGTO_TENANT": f"{__name__}.TENANT_WITHOUT_ACCOUNT_CENTER",
            "ROOT_URLCONF": "tests.checks.urls_with_account_pages",
        },
        f"{__name__}.TENANT_WITHOUT_ACCOUNT_CENTER turns the account center off, but the site's URLs include the "
        "account pages.",
    ),
    "W026": (
        {"ROOT_URLCONF": "tests.checks.urls_with_account_pages_by_language"},
        "The account pages have another URL in each language, and so have the redirect URIs of linked accounts: "
        "/en/account/linked/connector-id/callback, /ja/account/linked/connector-id/callback, "
        "/zh-hans/account/linked/connector-id/callback.",
    ),
    "W027": (
        {"LOGTO_ADMIN_SECOND_FACTOR": True, "ROOT_URLCONF": "tests.checks.urls_of_stock_admin"},
        "LOGTO_ADMIN_SECOND_FACTOR is True, but it has no effect: the admin site 'admin' is of the class "
        "django.contrib.admin.sites.AdminSite, which is not a LogtoAdminSite.",
    ),
    "W028": (
        {
            "LOGTO_SECOND_FACTOR": True,
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_TENANT": f"{__name__}.TENANT_WITHOUT_THE_CLAIM",
        },
        f"LOGTO_SECOND_FACTOR is on, but {__name__}.TENANT_WITHOUT_THE_CLAIM does not declare "
        "authentication_methods_claim=True: without the script that it installs, nobody meets a requirement for a "
        "second factor.",
    ),
    "W029": (
        {
            "LOGTO_SECOND_FACTOR": True,
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_TENANT": f"{__name__}.TENANT_WITH_SKIPPABLE_MFA",
        },
        f"LOGTO_SECOND_FACTOR is on, but {__name__}.TENANT_WITH_SKIPPABLE_MFA declares the MFA policy NoPrompt, with "
        "which users may turn off that Logto asks for their factor. A thief of a password can then use a factor of "
        "their own as proof.",
    ),
    "W030": (
        {
            "LOGTO_SECOND_FACTOR": True,
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_SCOPES": ["openid", "offline_access", "roles"],
        },
        "LOGTO_SECOND_FACTOR is on, but LOGTO_SCOPES lacks identities: the page of the second factor cannot see "
        "whether a user has one, and asks everybody to sign in again first.",
    ),
    "W031": (
        {"LOGTO_STAFF_ROLES": ["admin"], "LOGTO_SCOPES": ["openid", "offline_access"]},
        "LOGTO_STAFF_ROLES depends on roles, but LOGTO_SCOPES lacks roles: no sign-in gives or takes these rights.",
    ),
    "W032": (
        WITH_CONSOLE,
        "The site's URLs include the console of organizations, which is off, because LOGTO_M2M_APP_ID and "
        "LOGTO_M2M_APP_SECRET are not set.",
    ),
    "W033": (
        {**WITH_CONSOLE, "LOGTO_SCOPES": ["openid", "offline_access"]},
        "The site's URLs include the console of organizations, but LOGTO_SCOPES lacks urn:logto:scope:organizations, "
        "urn:logto:scope:organization_roles: the sessions of users do not follow what the console changes.",
    ),
    "W034": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITH_A_PERMISSION_OF_NO_ROLE"},
        f"{__name__}.TENANT_WITH_A_PERMISSION_OF_NO_ROLE has the permission invite:members for invite of "
        "organization_console, and no declared organization role for users has this permission: only owners may do "
        "it.",
    ),
    "W035": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITH_A_PUBLIC_MAIL_DOMAIN"},
        f"{__name__}.TENANT_WITH_A_PUBLIC_MAIL_DOMAIN declares the e-mail domain gmail.com for the organization North. "
        "It is that of a public mail service: everybody who has an address there can become a member.",
    ),
    "W036": (
        {"ROOT_URLCONF": "tests.checks.urls_with_console_api"},
        "The site's URLs include the endpoints of the console of organizations, but not the page to which an "
        "invitation leads: nobody can be invited.",
    ),
    "W037": (
        {"LOGTO_TENANT": f"{__name__}.TENANT_WITH_BLIND_MANAGERS"},
        f"{__name__}.TENANT_WITH_BLIND_MANAGERS gives the role manager the right manage_members of "
        "organization_console, but not view_members: it cannot open the page of the members.",
    ),
    "W038": (
        {**WITH_CONSOLE, "ALLOWED_HOSTS": ["*"]},
        "The site's URLs include the console of organizations, ALLOWED_HOSTS accepts each host, and LOGTO_BASE_URL is "
        "not set: nobody can be invited, because the inviter could choose the host of the link.",
    ),
    "E051": (
        {"LOGTO_BROWSER_TOKENS": {"https://shop.example/api": ["read:books"]}},
        "LOGTO_BROWSER_TOKENS hands out no tokens for 'https://shop.example/api': LOGTO_RESOURCES does not contain it.",
    ),
    "W043": (
        {
            "LOGTO_BROWSER_TOKENS": {"https://shop.example/api": ["read:books"]},
            "LOGTO_RESOURCES": ["https://shop.example/api"],
        },
        "LOGTO_BROWSER_TOKENS lists read:books of https://shop.example/api, which LOGTO_SCOPES lacks: no token for "
        "scripts has it.",
    ),
    "W039": (
        {
            "LOGTO_API_RESOURCE": "https://bookstore.example/api",
            "LOGTO_API_RESOURCES": {"https://library.example/api/": []},
        },
        "https://bookstore.example/api and https://library.example/api/ are declared, and have the same path: only the "
        "first has protected-resource metadata.",
    ),
    "W040": (
        {
            "ROOT_URLCONF": "tests.checks.urls_of_mcp_servers",
            "LOGTO_API_RESOURCE": "https://shop.example/api",
        },
        "The MCP server at /default has the API resource https://shop.example/api, which is another URL.",
    ),
    "W041": (
        {"ROOT_URLCONF": "tests.api.test_calling_applications"},
        "tests.api.test_calling_applications.FirstParty refuses third-party applications, but this site cannot ask "
        "Logto which ones are: of all applications, only LOGTO_APP_ID and LOGTO_M2M_APP_ID have access.",
    ),
    "W042": (
        WITH_API_KEY_PAGES,
        "The site's URLs include the pages or the endpoints for API keys, which are off, because LOGTO_M2M_APP_ID and "
        "LOGTO_M2M_APP_SECRET are not set.",
    ),
}
# test_accounts.py causes these. They need a router, or another user model.
ACCOUNTS = ["E033", "W011"]


@pytest.mark.parametrize("id", EXAMPLES)
def test_example_causes_the_message(id: str) -> None:
    wrong, text = EXAMPLES[id]
    found = [message for message in messages(wrong, deploy=True) if message.id == f"logto_auth.{id}"]
    assert text in [message.msg for message in found]
    assert all(message.hint for message in found)


def test_every_problem_has_an_example() -> None:
    assert sorted(problem.id for problem in ALL_PROBLEMS) == sorted(f"logto_auth.{id}" for id in [*EXAMPLES, *ACCOUNTS])


@pytest.mark.parametrize("letter", ["E", "W"])
def test_ids_run_in_order_without_gaps(letter: str) -> None:
    ids = [problem.id.removeprefix("logto_auth.") for problem in ALL_PROBLEMS]
    of_letter = sorted(each for each in ids if each.startswith(letter))
    assert of_letter == [f"{letter}{number:03}" for number in range(1, len(of_letter) + 1)]
