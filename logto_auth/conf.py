"""Every `LOGTO_` setting, once: its type, its default and what it means.

Settings are read when they are used, never at import, so `override_settings` works and nothing needs resetting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from django.conf import settings

from .exceptions import ConfigurationError

T = TypeVar("T")

PREFIX = "LOGTO_"


class Setting(Generic[T]):
    """One setting; as an attribute of `Conf` it is the site's value, or the default."""

    def __init__(self, default: T, help: str, *, type: type | tuple[type, ...]) -> None:
        self.default = default
        self.help = help
        self.type = type

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name.upper()

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Setting[T] | T:
        if instance is None:
            return self
        value: T = getattr(settings, self.name, self.default)
        return value


SEQUENCE = (list, tuple, set, frozenset)


class Conf:
    """The site's settings. Use the instance `conf`."""

    endpoint = Setting(
        "",
        "Where Logto is, without a path: `https://<tenant>.logto.app`, or the `ENDPOINT` of your own Logto. Required.",
        type=str,
    )
    app_id = Setting("", "App ID of the Traditional Web application in Logto. Required.", type=str)
    app_secret = Setting("", "One of the app secrets of that application. Required.", type=str)
    base_url = Setting(
        "",
        "Public origin of this site, such as `https://shop.example`. When set, redirect URIs are built from it and "
        "no `Host` header can change them. When empty, they follow the request.",
        type=str,
    )
    scopes: Setting[Sequence[str]] = Setting(
        ("openid", "offline_access", "profile", "email", "roles"),
        "Scopes asked for at sign-in. `openid` is required; `offline_access` brings the refresh token.",
        type=SEQUENCE,
    )
    resources: Setting[Sequence[str]] = Setting(
        (),
        "Indicators of the API resources that `request.logto.access_token(resource=...)` may ask tokens for.",
        type=SEQUENCE,
    )
    prompt = Setting(
        "consent",
        "The `prompt` of each sign-in. Logto gives a refresh token only with `consent`; its own applications never "
        "show a consent page for it.",
        type=str,
    )
    sign_in_parameters: Setting[Mapping[str, str]] = Setting(
        {}, "Further parameters sent with every authorization request.", type=dict
    )
    sign_in_query_parameters: Setting[Sequence[str]] = Setting(
        ("first_screen", "identifiers", "direct_sign_in", "login_hint", "max_age", "prompt", "ui_locales"),
        "Sign-in options that the URL of the sign-in view may set. All others are set in code or settings alone.",
        type=SEQUENCE,
    )
    sign_in_max_age_seconds = Setting(
        3600, "How long a started sign-in may take, in seconds. Logto itself gives up after an hour.", type=int
    )
    max_pending_sign_ins = Setting(
        8, "How many sign-ins one browser may have under way, one per tab. The oldest is dropped first.", type=int
    )
    http_timeout_seconds: Setting[Sequence[float]] = Setting(
        (3.05, 10),
        "Time-outs of calls to Logto in seconds: to connect, and for each wait for data after that.",
        type=(list, tuple),
    )
    clock_skew_seconds = Setting(60, "How far the clocks of Logto and this site may differ, in seconds.", type=int)
    signing_algorithms: Setting[Sequence[str]] = Setting(
        ("ES384", "RS256"),
        "Algorithms that a token may be signed with. Logto signs with ES384, or RS256 after rotating to an RSA key.",
        type=SEQUENCE,
    )
    freshness_seconds: Setting[int | None] = Setting(
        None,
        "How long a page trusts Logto's last word on who is signed in, in seconds. None: as long as the ID token "
        "lives, an hour unless the application in Logto says otherwise.",
        type=(int, type(None)),
    )
    outage_grace_seconds = Setting(
        3600,
        "How long people stay signed in, in seconds, while Logto is out of reach and cannot confirm it.",
        type=int,
    )
    logout_token_type_required = Setting(
        True,
        "Whether a back-channel logout token must say by its `typ` that it is one. Logto's do; switch it off only for "
        "a provider whose do not.",
        type=bool,
    )
    userinfo_claims: Setting[Sequence[str]] = Setting(
        (),
        "Claims wanted at each sign-in that Logto may leave out of the ID token: `custom_data`, `identities`, "
        "`sso_identities`, `organization_data`. They cost a call to userinfo when they are missing there.",
        type=SEQUENCE,
    )
    create_users = Setting(True, "Whether a person without an account here gets one at the first sign-in.", type=bool)
    link_by_email = Setting(
        "",
        "Dotted path of a function `(claims) -> bool` that says whether the e-mail of these claims may be trusted to "
        "link an existing account. Empty: accounts are never linked by e-mail.",
        type=str,
    )
    user_fields = Setting(
        "logto_auth.users.user_fields",
        "Dotted path of a function `(claims) -> dict` that returns values for the user model's fields. It may raise "
        "`SignInRefused`.",
        type=str,
    )
    staff_roles: Setting[Sequence[str]] = Setting(
        (), "Logto roles whose holders get `is_staff`, and whose loss takes it. Empty: never touched.", type=SEQUENCE
    )
    superuser_roles: Setting[Sequence[str]] = Setting(
        (),
        "Logto roles whose holders get `is_superuser`, and whose loss takes it. Empty: never touched.",
        type=SEQUENCE,
    )
    groups_by_role: Setting[Mapping[str, str]] = Setting(
        {},
        "Logto role to name of the Django group that its holders belong to. Only groups named here are ever touched.",
        type=dict,
    )
    api_resource = Setting(
        "",
        "Indicator of the API resource that this site is: the audience of the access tokens that its APIs take, and "
        "the one whose permissions `scope_required` asks for.",
        type=str,
    )
    api_scopes: Setting[Sequence[str]] = Setting(
        (),
        "Names of the permissions of that API resource, for the protected-resource metadata.",
        type=SEQUENCE,
    )
    api_create_users = Setting(
        False, "Whether a person without an account here gets one at the first call with an access token.", type=bool
    )
    api_introspected_apps: Setting[Sequence[str]] = Setting(
        (),
        "App IDs whose opaque access tokens this site's APIs take, at the cost of a call to Logto for each request. "
        "Empty: opaque tokens are refused.",
        type=SEQUENCE,
    )
    api_token_cache_size = Setting(
        1000,
        "How many verified access tokens each process remembers, so that they need not be verified again. 0: none.",
        type=int,
    )
    m2m_app_id = Setting(
        "",
        "App ID of the machine-to-machine application by which this site calls other APIs in nobody's name.",
        type=str,
    )
    m2m_app_secret = Setting("", "One of the app secrets of that application.", type=str)
    management_api_resource = Setting(
        "",
        "Indicator of the tenant's Management API. Empty: that of a Logto of one's own, or of the cloud tenant at "
        "`LOGTO_ENDPOINT`. A cloud tenant with a domain of its own has to name it: `https://<tenant>.logto.app/api`.",
        type=str,
    )
    organization_from = Setting(
        "logto_auth.organizations.from_url",
        "Dotted path of a function `(request) -> str | None` that returns the id of the organization which an address "
        "names. `logto_auth.organizations.from_subdomain` is another.",
        type=str,
    )
    organization_domain = Setting(
        "", "The domain under which each organization has a subdomain, for `from_subdomain`: `shop.example`.", type=str
    )
    webhook_signing_key: Setting[str | Sequence[str]] = Setting(
        "",
        "Signing key of the webhook in Logto that calls this site, or several while one is being replaced. Empty: "
        "webhooks are refused.",
        type=(str, list, tuple),
    )
    webhook_max_age_seconds = Setting(
        3600, "How long after an event its webhook is taken, in seconds. Logto itself tries once.", type=int
    )
    webhook_runner = Setting(
        "",
        "Dotted path of a function `(body) -> None` that has `logto_auth.webhooks.handle(body)` called later, by a "
        "queue: `logto_auth.contrib.tasks.enqueue` is one for Django's tasks. Empty: it is called at once.",
        type=str,
    )
    webhook_delete_users = Setting(
        False,
        "Whether the account of a person who was deleted at Logto is deleted too. Otherwise it is switched off.",
        type=bool,
    )
    console_url = Setting(
        "",
        "Where the Logto Console is, for links in the admin: `https://cloud.logto.io/<tenant>`, or `/console` at the "
        "`ADMIN_ENDPOINT` of a Logto of one's own. Empty: that of the cloud tenant at `LOGTO_ENDPOINT`, else no links.",
        type=str,
    )
    tenant = Setting(
        "",
        "Dotted path of the `TenantDeclaration` that says what this site needs of its tenant: API resources, roles, "
        "the organization template. Empty: an application alone.",
        type=str,
    )
    admin_password_sign_in = Setting(
        False,
        "Whether `/admin/login/password/` offers Django's password form, for the day Logto is out of reach.",
        type=bool,
    )

    @property
    def issuer(self) -> str:
        """The issuer of every token: the endpoint and `/oidc`."""
        return self.endpoint.rstrip("/") + "/oidc"

    def all(self) -> Iterator[Setting[Any]]:
        """All settings, in the order of this file."""
        return (value for value in vars(type(self)).values() if isinstance(value, Setting))


conf = Conf()


def api_resource() -> str:
    """The indicator of the API that this site is. Raises ConfigurationError."""
    if not conf.api_resource:
        raise ConfigurationError("LOGTO_API_RESOURCE must be set: the indicator of the API resource that this site is.")
    return conf.api_resource
