"""Checks of the `LOGTO_` settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from logto_auth.access.clients import is_client_id
from logto_auth.api.resources import path_of
from logto_auth.conf import PREFIX, Conf, Setting
from logto_auth.exceptions import ConfigurationError, InvalidSignInOption
from logto_auth.memberships.current import from_subdomain
from logto_auth.oidc.authorization import SignInOptions, is_absolute_uri
from logto_auth.oidc.jwks import KEY_TYPES
from logto_auth.oidc.types import ORGANIZATIONS_RESOURCE
from logto_auth.origins import ascii_hint
from logto_auth.tenant.declaration import TenantDeclaration, declaration_errors
from logto_auth.tenant.mfa import lets_users_skip
from logto_auth.tenant.site import load_declaration
from logto_auth.tenant.webhook_events import KNOWN_EVENTS, unknown_event_error
from logto_auth.webhooks.events import MIN_SIGNING_KEY_LENGTH

from .addresses import check_addresses
from .browser_tokens import check_browser_tokens
from .lenient_conf import conf
from .placeholders import is_placeholder
from .problem import Problem
from .sign_in import missing_credentials, signs_users_in

QUERY_OPTIONS = {
    "first_screen",
    "identifiers",
    "direct_sign_in",
    "login_hint",
    "max_age",
    "one_time_token",
    "prompt",
    "ui_locales",
}
MINIMUMS: dict[Setting[Any], int] = {
    Conf.sign_in_max_age_seconds: 60,
    Conf.max_pending_sign_ins: 1,
    Conf.clock_skew_seconds: 0,
    Conf.freshness_seconds: 0,
    Conf.outage_grace_seconds: 0,
    # Logto keeps webhooks in a queue for longer than a few seconds.
    Conf.webhook_max_age_seconds: 60,
    Conf.api_token_cache_size: 0,
    Conf.api_key_seconds: 0,
    Conf.api_key_max_days: 1,
    Conf.api_keys_per_user: 1,
    Conf.password_migration_per_minute: 1,
    Conf.audit_keep_days: 1,
    Conf.invitation_days: 1,
    Conf.impersonation_seconds: 1,
    Conf.socket_check_seconds: 1,
}
# Their values are copied from Logto or from the documentation.
COPIED = (
    Conf.endpoint,
    Conf.internal_endpoint,
    Conf.app_id,
    Conf.app_secret,
    Conf.m2m_app_id,
    Conf.m2m_app_secret,
    Conf.management_api_resource,
)
# RFC 1035, section 2.3.1, in part: labels separated by single dots, without a dot at either end.
DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)

UNKNOWN_SETTING = Problem(
    "logto_auth.W001", "There is no setting {setting}.", "Correct the name. The hint suggests the most similar one."
)
WRONG_TYPE = Problem(
    "logto_auth.E001",
    "{wrong_type}",
    "Set a value of the expected type. The hint has an example. The usual mistake is a string in place of a list.",
)
PLACEHOLDER_LEFT = Problem(
    "logto_auth.E005", "{setting} is still a placeholder.", "Copy the value from the Logto Console."
)
OPENID_MISSING = Problem(
    "logto_auth.E009",
    "LOGTO_SCOPES does not contain openid.",
    "Add it. Without it, Logto issues no ID token, and no user can sign in.",
)
UNSUPPORTED_ALGORITHM = Problem(
    "logto_auth.E010", "LOGTO_SIGNING_ALGORITHMS is {value}.", f"Choose from {', '.join(KEY_TYPES)}."
)
FORBIDDEN_QUERY_PARAMETER = Problem(
    "logto_auth.E011",
    "LOGTO_SIGN_IN_QUERY_PARAMETERS lets a URL set {names}.",
    f"A URL may set {', '.join(sorted(QUERY_OPTIONS))}. Set other options in code.",
)
INVALID_SIGN_IN_OPTION = Problem(
    "logto_auth.E012",
    "LOGTO_SCOPES, LOGTO_RESOURCES, LOGTO_PROMPT or LOGTO_SIGN_IN_PARAMETERS has a value that Logto refuses.",
    "Correct the value. The hint names it, and says what is expected.",
)
INVALID_TIMEOUTS = Problem(
    "logto_auth.E013", "LOGTO_HTTP_TIMEOUT_SECONDS is {value}.", "Expected two numbers from above 0 to 3600."
)
NOT_A_FUNCTION = Problem(
    "logto_auth.E014",
    "{setting} is {value}, which is not a function that can be imported.",
    "Correct the dotted path. The hint says what the function receives and returns.",
)
NUMBER_TOO_SMALL = Problem("logto_auth.E015", "{setting} is {value}.", "Expected {minimum} or more.")
API_RESOURCE_NOT_URI = Problem(
    "logto_auth.E016",
    "{setting} names {value}, which is not an absolute URI.",
    "Copy the API identifier from the Logto Console: a URI with a scheme, and without fragment, comma or space.",
)
ORGANIZATION_DOMAIN_INVALID = Problem(
    "logto_auth.E017",
    "LOGTO_ORGANIZATION_DOMAIN is {value}, which is not a domain with subdomains for organizations.",
    "Set only the domain, such as shop.example: no scheme, no port, no dot in front.",
)
M2M_INCOMPLETE = Problem("logto_auth.E018", "{missing} is not set, but {other} is.", "Set both, or neither of them.")
INTROSPECTION_WITHOUT_APP = Problem(
    "logto_auth.E019",
    "LOGTO_API_INTROSPECTED_APPS is set, but LOGTO_APP_ID or LOGTO_APP_SECRET is not.",
    "Set both, or accept no opaque tokens. Logto answers questions about opaque tokens only to an application.",
)
TENANT_NOT_IMPORTABLE = Problem(
    "logto_auth.E020",
    "LOGTO_TENANT is {value}, which is not a TenantDeclaration that can be imported.",
    "Correct the dotted path. The hint says what was found there.",
)
TENANT_INVALID = Problem("logto_auth.E021", "LOGTO_TENANT has a mistake: {error}", "Correct it in {path}.")
SIGNING_KEY_INVALID = Problem(
    "logto_auth.E022",
    "LOGTO_WEBHOOK_SIGNING_KEY contains a value that is not a signing key.",
    "Copy the key from the webhook's page in the Logto Console. It has 32 characters.",
)
RUNNER_NOT_A_FUNCTION = Problem(
    "logto_auth.E023",
    "LOGTO_WEBHOOK_RUNNER is {value}, which is not a function that can be imported.",
    "Correct the dotted path. The hint says what is missing, such as Django 6.0 for logto_auth.contrib.tasks.",
)
SECOND_FACTOR_IMPOSSIBLE = Problem(
    "logto_auth.E040",
    "LOGTO_SECOND_FACTOR is True, but {reason}.",
    "Set LOGTO_API_RESOURCE to the API identifier in the Logto Console, and request refresh tokens: offline_access in "
    "LOGTO_SCOPES, and another LOGTO_PROMPT than none.",
)
AUDIT_NOT_INSTALLED = Problem(
    "logto_auth.E043",
    "LOGTO_AUDIT_REQUIRED is True, but logto_auth.audit is not in INSTALLED_APPS: nothing is recorded.",
    "Add 'logto_auth.audit' to INSTALLED_APPS, and run manage.py migrate. Or remove the setting.",
)
FIRST_PARTY_APP_INVALID = Problem(
    "logto_auth.E048",
    "LOGTO_FIRST_PARTY_APPS contains {value}, which is not the App ID or the URL of an application.",
    "Copy the App ID from the application's page in the Logto Console. Each is a string of its own, without spaces.",
)
MAX_AGE_MISSING = Problem(
    "logto_auth.W002",
    "LOGTO_SIGN_IN_QUERY_PARAMETERS lacks max_age, so recent_sign_in_required would redirect in a loop.",
    "Add 'max_age', or do not use recent_sign_in_required and RecentSignInRequiredMixin.",
)
SUPERUSERS_NOT_STAFF = Problem(
    "logto_auth.W010",
    "LOGTO_SUPERUSER_ROLES contains {roles}, but LOGTO_STAFF_ROLES does not: these superusers cannot enter the admin.",
    "Add the roles to LOGTO_STAFF_ROLES as well. The admin requires is_staff, also of superusers.",
)


NOT_SET_YET = Problem(
    "logto_auth.W022",
    "{setting} is not set: requests that need it fail.",
    "Set it before the site goes live. `manage.py logto_setup` creates the application and prints the values.",
)
UNKNOWN_WEBHOOK_EVENT = Problem(
    "logto_auth.W023",
    "{path} declares the webhook event {event}, which Logto 1.42 does not have.",
    "Correct the name. If a newer Logto has the event, silence this check: manage.py logto_setup asks the tenant.",
)
CLAIM_NOT_DECLARED = Problem(
    "logto_auth.W028",
    "LOGTO_SECOND_FACTOR is on, but {path} does not declare authentication_methods_claim=True: without the script that "
    "it installs, nobody meets a requirement for a second factor.",
    "Declare it, and run manage.py logto_setup. If the script is installed in another way, silence this check.",
)
SKIPPABLE_MFA_DECLARED = Problem(
    "logto_auth.W029",
    "LOGTO_SECOND_FACTOR is on, but {path} declares the MFA policy {policy}, with which users may turn off that Logto "
    "asks for their factor. A thief of a password can then use a factor of their own as proof.",
    "Declare MFA(policy='Mandatory').",
)
SECOND_FACTOR_WITHOUT_FACTORS = Problem(
    "logto_auth.W030",
    "LOGTO_SECOND_FACTOR is on, but LOGTO_SCOPES lacks identities: the page of the second factor cannot see whether a "
    "user has one, and asks everybody to sign in again first.",
    "Add 'identities' to LOGTO_SCOPES.",
)
SAME_METADATA_PATH = Problem(
    "logto_auth.W039",
    "{first} and {second} are declared, and have the same path: only the first has protected-resource metadata.",
    "Give one of the API resources another path: its identifier at Logto, and in LOGTO_API_RESOURCES.",
)
ROLES_NOT_REQUESTED = Problem(
    "logto_auth.W031",
    "{settings} depends on roles, but LOGTO_SCOPES lacks roles: no sign-in gives or takes these rights.",
    "Add 'roles' to LOGTO_SCOPES.",
)


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the names, types and values of the `LOGTO_` settings."""
    return [*_check_names(), *_check_types(), *_check_values()]


def _check_names() -> Iterator[CheckMessage]:
    known = [setting.name for setting in conf.all()]
    unknown = [name for name in dir(settings) if name.startswith(PREFIX) and name not in known]
    for name in unknown:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"The settings are {', '.join(known)}."
        yield UNKNOWN_SETTING(setting=name, hint=hint)


def _check_types() -> Iterator[CheckMessage]:
    for setting in conf.all():
        value = setting.site_value
        if not setting.is_right_type(value):
            hint = f"Expected {setting.expected_with_example}. {setting.help}"
            yield WRONG_TYPE(wrong_type=setting.wrong_type(value), hint=hint)


def _check_values() -> Iterator[CheckMessage]:
    yield from _check_credentials()
    yield from check_addresses()
    yield from _check_protocol_values()
    yield from _check_dotted_paths()
    yield from _check_numbers()
    yield from _check_roles()
    yield from _check_apis()
    yield from check_browser_tokens()
    yield from _check_second_factor()
    yield from _check_organization_domain()
    yield from _check_tenant()
    yield from _check_webhooks()
    if conf.audit_required and not apps.is_installed("logto_auth.audit"):
        yield AUDIT_NOT_INSTALLED()


def _check_credentials() -> Iterator[CheckMessage]:
    # A warning, so that `migrate` and tests run on a machine that has no credentials. A deployment check is the error.
    for setting in missing_credentials():
        yield NOT_SET_YET(setting=setting.name)
    for setting in COPIED:
        if is_placeholder(conf.value_of(setting)):
            yield PLACEHOLDER_LEFT(setting=setting.name)


def _check_protocol_values() -> Iterator[CheckMessage]:
    if "openid" not in conf.scopes:
        yield OPENID_MISSING()
    unsupported = [alg for alg in conf.signing_algorithms if alg not in KEY_TYPES]
    if unsupported or not conf.signing_algorithms:
        yield UNSUPPORTED_ALGORITHM(value=list(conf.signing_algorithms))
    forbidden = [name for name in conf.sign_in_query_parameters if name not in QUERY_OPTIONS]
    if forbidden:
        yield FORBIDDEN_QUERY_PARAMETER(names=", ".join(forbidden))
    if "max_age" not in conf.sign_in_query_parameters:
        yield MAX_AGE_MISSING()
    yield from _check_sign_in_options()
    if not all(0 < seconds <= 3600 for seconds in conf.http_timeout_seconds):
        yield INVALID_TIMEOUTS(value=repr(conf.http_timeout_seconds))


def _check_sign_in_options() -> Iterator[CheckMessage]:
    try:
        SignInOptions(
            scopes=list(conf.scopes),
            resources=list(conf.resources),
            prompt=conf.prompt,
            extra=conf.sign_in_parameters,
        )
    except InvalidSignInOption as error:
        hints = [str(error), *map(ascii_hint, conf.resources)]
        yield INVALID_SIGN_IN_OPTION(hint=" ".join(filter(None, hints)))


def _check_dotted_paths() -> Iterator[CheckMessage]:
    for setting in (
        Conf.user_fields,
        Conf.link_by_email,
        Conf.api_machine_user,
        Conf.organization_from,
        Conf.delete_account,
        Conf.organization_domain_check,
        Conf.impersonation_allowed,
    ):
        path = conf.value_of(setting)
        # A setting with a default cannot be empty.
        is_off = not path and not setting.default
        if not is_off and not callable(_imported(path)):
            yield NOT_A_FUNCTION(setting=setting.name, value=repr(path), hint=setting.help)


def _imported(path: str) -> Any:
    """Return the object at a dotted path, or None if it cannot be imported."""
    try:
        return import_string(path)
    except ImportError:
        return None


def _check_numbers() -> Iterator[CheckMessage]:
    for setting, minimum in MINIMUMS.items():
        value = conf.value_of(setting)
        if value is not None and value < minimum:
            hint = f"Expected {minimum} or more. {setting.help}"
            yield NUMBER_TOO_SMALL(setting=setting.name, value=value, hint=hint)


def _check_roles() -> Iterator[CheckMessage]:
    missing = sorted(set(conf.superuser_roles) - set(conf.staff_roles))
    if missing:
        yield SUPERUSERS_NOT_STAFF(roles=", ".join(missing))
    rights: tuple[Setting[Any], ...] = (Conf.staff_roles, Conf.superuser_roles, Conf.groups_by_role)
    dependent = [each.name for each in rights if conf.value_of(each)]
    if dependent and signs_users_in() and "roles" not in conf.scopes:
        yield ROLES_NOT_REQUESTED(settings=" and ".join(dependent))


def _check_apis() -> Iterator[CheckMessage]:
    yield from _check_api_resources()
    app_id, app_secret = Conf.m2m_app_id, Conf.m2m_app_secret
    for missing, other in ((app_id, app_secret), (app_secret, app_id)):
        if conf.value_of(other) and not conf.value_of(missing):
            yield M2M_INCOMPLETE(missing=missing.name, other=other.name)
    if conf.api_introspected_apps and not signs_users_in() and not (conf.app_id and conf.app_secret):
        yield INTROSPECTION_WITHOUT_APP()
    for app in conf.first_party_apps:
        if not is_client_id(app) or is_placeholder(app):
            yield FIRST_PARTY_APP_INVALID(value=f"{app!r:.100}")


def _check_api_resources() -> Iterator[CheckMessage]:
    first_of_path: dict[str, str] = {}
    for resource in conf.declared_api_resources:
        if not is_absolute_uri(resource):
            setting = Conf.api_resource if resource == conf.api_resource else Conf.api_resources
            yield API_RESOURCE_NOT_URI(setting=setting.name, value=repr(resource), hint=ascii_hint(resource))
            continue
        first = first_of_path.setdefault(path_of(resource), resource)
        if first != resource:
            yield SAME_METADATA_PATH(first=first, second=resource)


def _check_second_factor() -> Iterator[CheckMessage]:
    if not conf.second_factor:
        return
    if not conf.api_resource:
        yield SECOND_FACTOR_IMPOSSIBLE(reason="LOGTO_API_RESOURCE is not set")
    elif conf.api_resource == ORGANIZATIONS_RESOURCE:
        yield SECOND_FACTOR_IMPOSSIBLE(reason=f"LOGTO_API_RESOURCE is {ORGANIZATIONS_RESOURCE!r}, which is not an API")
    # Each sign-in fetches a JWT. Account pages and userinfo need an opaque token, which a refresh token fetches.
    if signs_users_in() and ("offline_access" not in conf.scopes or conf.prompt.split() == ["none"]):
        yield SECOND_FACTOR_IMPOSSIBLE(reason="no refresh token is requested")
    if signs_users_in() and "identities" not in conf.scopes:
        yield SECOND_FACTOR_WITHOUT_FACTORS()


def _check_organization_domain() -> Iterator[CheckMessage]:
    is_used = _imported(conf.organization_from) is from_subdomain
    if is_used and not DOMAIN.fullmatch(conf.organization_domain):
        hint = ascii_hint(f"https://{conf.organization_domain}").replace("https://", "")
        yield ORGANIZATION_DOMAIN_INVALID(value=repr(conf.organization_domain), hint=hint)


def _check_tenant() -> Iterator[CheckMessage]:
    try:
        declaration = load_declaration()
    except ConfigurationError as error:
        # A wrong type is reported already.
        if conf.tenant:
            yield TENANT_NOT_IMPORTABLE(value=repr(conf.tenant), hint=str(error))
        return
    for text in declaration_errors(declaration):
        yield TENANT_INVALID(error=text, path=conf.tenant)
    for event in declaration.webhook_events:
        if event not in KNOWN_EVENTS:
            yield UNKNOWN_WEBHOOK_EVENT(path=conf.tenant, event=repr(event), hint=unknown_event_error(event))
    if conf.tenant and conf.second_factor:
        yield from _check_declared_factors(declaration)


def _check_declared_factors(declaration: TenantDeclaration) -> Iterator[CheckMessage]:
    if not declaration.authentication_methods_claim:
        yield CLAIM_NOT_DECLARED(path=conf.tenant)
    policy = declaration.mfa.policy if declaration.mfa else ""
    if policy and lets_users_skip(policy):
        yield SKIPPABLE_MFA_DECLARED(path=conf.tenant, policy=policy)


def _check_webhooks() -> Iterator[CheckMessage]:
    setting = conf.webhook_signing_key
    keys = [setting] if isinstance(setting, str) else setting
    # Empty keys are ignored when a webhook arrives.
    if not all(not key or _is_signing_key(key) for key in keys):
        yield SIGNING_KEY_INVALID()
    if conf.webhook_runner:
        yield from _check_webhook_runner(conf.webhook_runner)


def _is_signing_key(key: str) -> bool:
    return len(key) >= MIN_SIGNING_KEY_LENGTH and not is_placeholder(key)


def _check_webhook_runner(path: str) -> Iterator[CheckMessage]:
    try:
        if callable(import_string(path)):
            return
        reason = Conf.webhook_runner.help
    except (ImportError, ConfigurationError) as error:
        reason = str(error)
    yield RUNNER_NOT_A_FUNCTION(value=repr(path), hint=reason)
