"""All `LOGTO_` settings: name, type, default and meaning.

Settings are read when they are used, never at import, so `override_settings` works. `docs/reference/settings.md` is
generated from this module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Generic, TypeVar, overload

from django.conf import settings

from .exceptions import ConfigurationError

__all__ = ["conf"]

T = TypeVar("T")

PREFIX = "LOGTO_"
SEQUENCE = (list, tuple, set, frozenset)
TYPE_NAMES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "True or False",
    NoneType: "None",
    # A list stands for the other collections that are accepted in its place.
    list: "a list",
    dict: "a dictionary",
}


def _are_strings(items: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _are_two_numbers(items: Collection[object]) -> bool:
    return len(items) == 2 and all(isinstance(item, int | float) and not isinstance(item, bool) for item in items)


def _are_lists_by_string(items: Mapping[Any, Any]) -> bool:
    return _are_strings(items) and all(isinstance(item, SEQUENCE) and _are_strings(item) for item in items.values())


# What a collection holds: the words for it, and a function that returns whether a collection does.
ITEMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "": ("", lambda items: True),
    "str": (" of strings", _are_strings),
    "str to str": (" of strings to strings", lambda items: _are_strings(items) and _are_strings(items.values())),
    "str to lists": (" of strings to lists of strings", _are_lists_by_string),
    "two numbers": (" of two numbers", _are_two_numbers),
}


class Setting(Generic[T]):
    """One setting. `conf.endpoint` is its value; `Conf.endpoint` is the `Setting` itself.

    `help` is Markdown. `items` names what a collection holds: a key of `ITEMS`. `example` is a value for error
    messages, for a setting whose default is empty.
    """

    name: str

    def __init__(
        self,
        default: T,
        help: str,
        *,
        type: type | tuple[type, ...],
        items: str = "",
        example: T | None = None,
        required: bool = False,
    ) -> None:
        self.default = default
        self.help = help
        self.types = type if isinstance(type, tuple) else (type,)
        self.items_name, self._are_right_items = ITEMS[items]
        self.example = example or default
        self.required = required
        # The latest value that had the right type. A value is examined once, so that reading a setting stays cheap.
        self._accepted: object = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name.upper()

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, instance: Conf, owner: type) -> T: ...
    def __get__(self, instance: Conf | None, owner: type) -> Setting[T] | T:
        if instance is None:
            return self
        value: T = getattr(settings, self.name, self.default)
        if value is self._accepted:
            return value
        if not self.is_right_type(value):
            return instance.replace_wrong_type(self, value)
        self._accepted = value
        return value

    @property
    def site_value(self) -> object:
        """The site's value, or the default. Its type has not been checked."""
        return getattr(settings, self.name, self.default)

    def is_right_type(self, value: object) -> bool:
        """Return whether the value, and what it contains, have the right types. `True` and `False` are no numbers."""
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            return False
        return isinstance(value, str) or not isinstance(value, Collection) or self._are_right_items(value)

    @property
    def expected(self) -> str:
        """The type in words: `a list of strings`."""
        return " or ".join(TYPE_NAMES[each] for each in self.types if each in TYPE_NAMES) + self.items_name

    @property
    def expected_with_example(self) -> str:
        """The type in words, with an example if there is one."""
        has_example = bool not in self.types and self.example not in (None, "", (), {})
        return self.expected + (f", such as {_readable(self.example)}" if has_example else "")

    def wrong_type(self, value: object) -> str:
        """Return a sentence that names the type of a wrong value. It does not contain the value: it may be a secret."""
        if value is None:
            return f"{self.name} is None."
        if isinstance(value, self.types) and isinstance(value, Collection) and not isinstance(value, str):
            return f"{self.name} is a {type(value).__name__}, but not{self.items_name}."
        return f"{self.name} is of type {type(value).__name__}."


def _readable(example: object) -> str:
    value = list(example) if isinstance(example, tuple) else example
    return repr(value).replace("'", '"')


class Conf:
    """The settings of the site. Use the instance `conf`.

    Reading a setting of a wrong type raises ConfigurationError.
    """

    def replace_wrong_type(self, setting: Setting[T], value: object) -> T:
        """Raise ConfigurationError. A subclass may return another value instead."""
        raise ConfigurationError(f"{setting.wrong_type(value)} Expected {setting.expected_with_example}.")

    def value_of(self, setting: Setting[T]) -> T:
        """Return the value of a setting that a variable holds."""
        return setting.__get__(self, Conf)

    endpoint = Setting(
        "",
        "Origin of Logto: `https://<tenant>.logto.app`, or the `ENDPOINT` of a Logto that you run yourself. The issuer "
        "of all tokens is this URL followed by `/oidc`, and must be exactly the issuer that Logto reports. `http` is "
        "accepted only for this machine and for private networks.",
        type=str,
        required=True,
        example="https://abc123.logto.app",
    )
    internal_endpoint = Setting(
        "",
        "Origin at which this server reaches Logto, if it differs from `LOGTO_ENDPOINT`: `http://logto:3001` "
        "between containers. Discovery, keys, tokens, userinfo and the Management API are requested there. The issuer "
        "and all URLs for browsers stay at `LOGTO_ENDPOINT`. `http` is accepted only for this machine and for private "
        "networks, because app secrets and tokens are sent there. Empty: `LOGTO_ENDPOINT`.",
        type=str,
        example="http://logto:3001",
    )
    former_endpoints: Setting[Sequence[str]] = Setting(
        (),
        "Origins that `LOGTO_ENDPOINT` was before, for the same tenant, such as `https://<tenant>.logto.app` before a "
        "custom domain. Access tokens and logout tokens of their issuers are accepted, too, if a current key of "
        "`LOGTO_ENDPOINT` has signed them. `manage.py logto_move_issuer` moves the users.",
        type=SEQUENCE,
        items="str",
        example=["https://abc123.logto.app"],
    )
    app_id = Setting("", "App ID of an application of the type Traditional Web.", type=str, required=True)
    app_secret = Setting("", "One of the app secrets of that application.", type=str, required=True)
    base_url = Setting(
        "",
        "Public origin of this site, such as `https://shop.example`. When set, the redirect URI and the post sign-out "
        "redirect URI are built from it, and no `Host` header can change them. A sign-in that starts at another origin "
        "of the site is redirected there first. When empty, these URIs follow the request.",
        type=str,
        example="https://shop.example",
    )
    internal_base_url = Setting(
        "",
        "Origin at which the server of Logto reaches this site, if browsers use another one: "
        "`http://web:8000` between containers. `manage.py logto_setup` registers the back-channel logout URI and the "
        "webhook there. Its host must be in `ALLOWED_HOSTS`. Empty: the first base URL that Logto can reach.",
        type=str,
        example="http://web:8000",
    )
    next_origins: Setting[Sequence[str]] = Setting(
        (),
        "Origins of other sites to which a sign-in may lead by `next`, such as `https://app.shop.example` for a "
        "single-page app with this site as its backend. Scheme, host and port must be equal. Empty: `next` can lead "
        "only to this site.",
        type=SEQUENCE,
        items="str",
        example=["https://app.shop.example"],
    )
    scopes: Setting[Sequence[str]] = Setting(
        ("openid", "offline_access", "profile", "email", "roles"),
        "Scopes requested at sign-in, permissions of API resources included. `openid` is required. `offline_access` "
        "requests the refresh token. Without it, `request.logto.access_token()` can only return a token that is still "
        "valid.",
        type=SEQUENCE,
        items="str",
    )
    resources: Setting[Sequence[str]] = Setting(
        (),
        "Indicators of the API resources for which `request.logto.access_token(resource=...)` may request tokens. Add "
        "`LOGTO_API_RESOURCE` to use `scope_required` or `has_perm` on pages, and `urn:logto:resource:organizations` "
        "to get organization tokens. Logto refuses every sign-in that names a resource it does not know.",
        type=SEQUENCE,
        items="str",
        example=["https://shop.example/api"],
    )
    prompt = Setting(
        "consent",
        "The `prompt` of each sign-in. Logto issues a refresh token only with `consent`, and shows no consent page for "
        "its own (first-party) applications. If `offline_access` is requested, `consent` is added, unless "
        "the prompt is `none` or contains it already.",
        type=str,
    )
    sign_in_parameters: Setting[Mapping[str, str]] = Setting(
        {},
        "Further parameters of every authorization request. Parameters that this package sets itself, such as `state`, "
        "`nonce` and `redirect_uri`, are refused.",
        type=dict,
        items="str to str",
        example={"ui_locales": "ja"},
    )
    sign_in_query_parameters: Setting[Sequence[str]] = Setting(
        ("first_screen", "identifiers", "direct_sign_in", "login_hint", "max_age", "prompt", "ui_locales"),
        "Sign-in options that the query string of the sign-in view may set. `one_time_token` may be added. All other "
        "options can be set only in code or settings. `recent_sign_in_required` needs `max_age`, and the link for "
        "switching accounts needs `prompt`.",
        type=SEQUENCE,
        items="str",
    )
    sign_in_max_age_seconds = Setting(
        3600, "Time in seconds within which a sign-in must be finished. Logto itself allows one hour.", type=int
    )
    max_pending_sign_ins = Setting(
        8,
        "Number of unfinished sign-ins that one browser may have, each in a cookie of its own. The oldest is dropped "
        "first.",
        type=int,
    )
    http_timeout_seconds: Setting[Sequence[float]] = Setting(
        (3.05, 10),
        "Time-outs in seconds of calls to Logto: for connecting, and for the whole exchange.",
        type=(list, tuple),
        items="two numbers",
    )
    clock_skew_seconds = Setting(
        60, "Accepted difference in seconds between the clocks of Logto and this site.", type=int
    )
    signing_algorithms: Setting[Sequence[str]] = Setting(
        ("ES384", "ES256", "ES512", "RS256"),
        "Accepted signature algorithms of tokens: ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384 or PS512. "
        "Logto signs with ES384, with RS256 after its signing key has been rotated to RSA, and with ES256 or ES512 if "
        "its operator has provided an EC key of another curve. A key is used for the algorithm of its curve only.",
        type=SEQUENCE,
        items="str",
    )
    freshness_seconds: Setting[int | None] = Setting(
        None,
        "Time in seconds for which a session is used without asking Logto again. After that time, the next request of "
        "the session uses the refresh token. `None` means the lifetime of the ID token, but at most a day. It is one "
        "hour, unless the application in Logto says otherwise. A number can only shorten the lifetime of the ID token.",
        type=(int, NoneType),
        example=600,
    )
    outage_grace_seconds = Setting(
        3600,
        "Time in seconds for which users remain signed in with stale data while Logto is unreachable. Requires a "
        "refresh token.",
        type=int,
    )
    logout_token_type_required = Setting(
        True,
        "Whether a back-channel logout token must have the `typ` header `logout+jwt`, as Logto's tokens do. Set it to "
        "`False` only for a provider that omits the header, such as the certification suite. ID tokens are refused in "
        "either case, because they have a nonce and no `events` claim.",
        type=bool,
    )
    userinfo_claims: Setting[Sequence[str]] = Setting(
        (),
        "Claims required at each sign-in that Logto may leave out of the ID token: `custom_data`, `identities`, "
        "`sso_identities` or `organization_data`. A missing one costs a call to the userinfo endpoint, and with "
        "`LOGTO_SECOND_FACTOR` a refresh before it. Their scopes must be in `LOGTO_SCOPES`.",
        type=SEQUENCE,
        items="str",
        example=["custom_data"],
    )
    create_users = Setting(
        True,
        "Whether the first sign-in creates an account. If `False`, users without an account see the error "
        "`account_unknown`.",
        type=bool,
    )
    link_by_email = Setting(
        "",
        "Dotted path of a function `(claims) -> bool` that returns whether the e-mail address of these claims may link "
        "the identity to an existing account. Empty: accounts are never linked by e-mail.",
        type=str,
        example="shop.users.may_link",
    )
    user_fields = Setting(
        "logto_auth.users.user_fields",
        "Dotted path of a function `(claims) -> dict` that returns values for the fields of the user model. It may "
        "raise `SignInRefused`.",
        type=str,
    )
    delete_account = Setting(
        "",
        "Dotted path of a function `(request) -> None` that deletes the account of `request.user`, for the page "
        "`logto_account:delete`. It may raise `ValidationError` with a text for the user. Empty: the page does not "
        "exist.",
        type=str,
        example="shop.users.delete_account",
    )
    staff_roles: Setting[Sequence[str]] = Setting(
        (),
        "Logto roles that set `is_staff`. Users without any of them lose `is_staff`. Empty: `is_staff` is not changed.",
        type=SEQUENCE,
        items="str",
        example=["admin"],
    )
    superuser_roles: Setting[Sequence[str]] = Setting(
        (),
        "Logto roles that set `is_superuser`. Users without any of them lose `is_superuser`. Empty: `is_superuser` is "
        "not changed.",
        type=SEQUENCE,
        items="str",
        example=["admin"],
    )
    groups_by_role: Setting[Mapping[str, str]] = Setting(
        {},
        "Maps Logto roles to names of Django groups. Users with a role are in its group, and users without it are not. "
        "Other groups are not changed. A group that does not exist is created when the first user joins it.",
        type=dict,
        items="str to str",
        example={"clerk": "Clerks"},
    )
    api_resource = Setting(
        "",
        "Indicator of the API resource that this site is: the audience of the access tokens that its APIs accept, and "
        'the resource to which the permissions of `scope_required` and `has_perm("logto.<scope>")` belong. An API or a '
        "view may name another one of `LOGTO_API_RESOURCES` as `resource`.",
        type=str,
        example="https://shop.example/api",
    )
    second_factor = Setting(
        False,
        "Whether this site checks by which methods a user has authenticated at Logto. Requires `LOGTO_API_RESOURCE`, "
        "and the custom claims script of this package at Logto: each sign-in and each refresh of claims asks for an "
        "access token for that API resource, and reads the claim `authentication_methods` in it.",
        type=bool,
    )
    api_scopes: Setting[Sequence[str]] = Setting(
        (),
        "Names of the permissions of that API resource, for the protected-resource metadata. No decision is based on "
        "them.",
        type=SEQUENCE,
        items="str",
        example=["read:books"],
    )
    api_resources: Setting[Mapping[str, Sequence[str]]] = Setting(
        {},
        "Indicators of further API resources that this site is, each with the names of its permissions. A view accepts "
        "their tokens if it names one of them as `resource`. Each has protected-resource metadata of its own, which "
        "the 401 and the 403 of these views name. No decision is based on the permissions.",
        type=dict,
        items="str to lists",
        example={"https://shop.example/mcp": ["mcp:tools"]},
    )
    browser_tokens: Setting[Mapping[str, Sequence[str]]] = Setting(
        {},
        "Indicators of API resources, each with the names of the permissions that an access token for a script may "
        "have. `POST /access-token` hands such a token to scripts on pages of this site, for the signed-in user. The "
        "resources must be in `LOGTO_RESOURCES`, and the permissions in `LOGTO_SCOPES`. Empty: the URL does not exist.",
        type=dict,
        items="str to lists",
        example={"https://shop.example/api": ["read:books"]},
    )
    api_create_users = Setting(
        False,
        "Whether the first call with an access token creates an account. The only claim about the user in the token is "
        "`sub`.",
        type=bool,
    )
    api_machine_user = Setting(
        "",
        "Dotted path of a function `(client_id) -> user` that returns the account of a machine-to-machine application, "
        "for `request.user`, or `None` if it has no account. It may raise `SignInRefused`. Empty: no application has "
        "one.",
        type=str,
    )
    api_introspected_apps: Setting[Sequence[str]] = Setting(
        (),
        "App IDs whose opaque access tokens the APIs of this site accept. Each request with an opaque token costs a "
        "call to Logto. Empty: opaque tokens are refused.",
        type=SEQUENCE,
        items="str",
        example=["the-app-id"],
    )
    api_token_cache_size = Setting(
        1000,
        "Number of verified access tokens that each process keeps, so that they are not verified again, and of the "
        "results of API keys. `0` keeps none.",
        type=int,
    )
    api_docs_app_id = Setting(
        "",
        'App ID of a "Single page app" of the tenant, with which the button "Authorize" of the API documentation signs '
        "in: see `logto_auth.contrib.swagger`. `manage.py logto_setup` creates it if the site includes the URLs. "
        "Empty: the documentation asks for an access token.",
        type=str,
        example="the-app-id",
    )
    first_party_apps: Setting[Sequence[str]] = Setting(
        (),
        "App IDs of further applications of your own. Views that refuse third-party applications accept them without "
        "asking Logto. `LOGTO_APP_ID` and `LOGTO_M2M_APP_ID` need not be listed. Without the Management API, all "
        "applications that are not listed count as third-party.",
        type=SEQUENCE,
        items="str",
        example=["the-app-id"],
    )
    api_key_seconds = Setting(
        60,
        "Time in seconds for which each process remembers the result of an API key that Logto has accepted. For as "
        "long, a revoked key still works, and so do permissions that its owner has lost at Logto. `0` asks Logto at "
        "each request.",
        type=int,
    )
    api_keys_per_user = Setting(
        20, "Number of API keys that a user may have before `logto_auth.api_keys` makes no further one.", type=int
    )
    api_key_max_days: Setting[int | None] = Setting(
        365,
        "How many days an API key that a user makes with `logto_auth.api_keys` may be valid. With `None`, a key may "
        "never expire.",
        type=(int, NoneType),
        example=90,
    )
    m2m_app_id = Setting(
        "",
        "App ID of the machine-to-machine application with which this site calls other APIs on its own behalf.",
        type=str,
    )
    m2m_app_secret = Setting("", "One of the app secrets of the machine-to-machine application.", type=str)
    management_api_resource = Setting(
        "",
        "Indicator of the tenant's Management API. Empty: derived from `LOGTO_ENDPOINT`, for a Logto that you run "
        "yourself and for a cloud tenant at its own `logto.app` domain. A cloud tenant with a custom domain needs "
        "`https://<tenant>.logto.app/api`.",
        type=str,
        example="https://abc123.logto.app/api",
    )
    organization_from = Setting(
        "logto_auth.organizations.from_url",
        "Dotted path of a function `(request) -> str | None` that returns the id of the organization that the URL "
        "selects. `logto_auth.organizations.from_subdomain` is an alternative. Membership is checked afterwards.",
        type=str,
    )
    organization_domain = Setting(
        "",
        "Domain below which each organization has a subdomain, for `from_subdomain`: `shop.example`.",
        type=str,
        example="shop.example",
    )
    organization_domain_check = Setting(
        "logto_auth.organizations.console.domains.is_own_domain",
        "Dotted path of a function `(request, organization_id, domain) -> bool` that returns whether the user may "
        "claim an e-mail domain for an organization, whose new users then join it. Logto checks nothing. The default "
        "accepts the domain of the user's own verified address, unless it is that of a public mail service.",
        type=str,
    )
    invitation_days = Setting(
        7,
        "Number of days for which an invitation to an organization is valid, if it was sent by the console.",
        type=int,
    )
    invitation_sender = Setting(
        "logto",
        "Who sends the e-mail of an invitation to an organization: `logto`, by the e-mail connector of the tenant, or "
        "`site`, by Django's `send_mail` with the templates `logto_auth/organizations/invitation_subject.txt` and "
        "`invitation_message.txt`.",
        type=str,
    )
    webhook_signing_key: Setting[str | Sequence[str]] = Setting(
        "",
        "Signing key of the webhook in Logto that calls this site, or several keys while one is replaced. Empty: "
        "webhooks are refused.",
        type=(str, list, tuple),
        items="str",
    )
    webhook_max_age_seconds = Setting(
        3600,
        "Accepted age in seconds of a webhook. Logto sends each webhook once, but keeps it in a queue while this site "
        "is slow.",
        type=int,
    )
    webhook_runner = Setting(
        "",
        "Dotted path of a function `(body) -> None` that arranges a later call of `logto_auth.webhooks.handle(body)`, "
        "for example in a queue. `logto_auth.contrib.tasks.enqueue` does so with Django's tasks. Empty: webhooks are "
        "handled during the request.",
        type=str,
        example="logto_auth.contrib.tasks.enqueue",
    )
    webhook_delete_users = Setting(
        False,
        "Whether the account of a user who was deleted at Logto is deleted. If `False`, and for staff in any case, the "
        "account is deactivated.",
        type=bool,
    )
    password_migration_key: Setting[str | Sequence[str]] = Setting(
        "",
        "Key with which Logto's script signs its calls of `logto_auth.password_migration`, at least 32 characters, or "
        "several keys while one is replaced: `manage.py logto_setup` installs the first one. Use it for nothing else. "
        "Empty: the endpoint refuses all calls.",
        type=(str, list, tuple),
        items="str",
    )
    password_migration_until = Setting(
        "",
        "The last day, in the time zone of the site, on which `logto_auth.password_migration` checks passwords. Empty: "
        "it checks none.",
        type=str,
        example="2027-03-31",
    )
    password_migration_per_minute = Setting(
        120,
        "How many passwords `logto_auth.password_migration` checks in a minute, of all users together. Each takes as "
        "much processor time as a sign-in with Django's form.",
        type=int,
    )
    console_url = Setting(
        "",
        "URL of the Logto Console, for links in the admin: `https://cloud.logto.io/<tenant>`, or `/console` below the "
        "`ADMIN_ENDPOINT` of a Logto that you run yourself. Empty: derived from `LOGTO_ENDPOINT` for a cloud tenant at "
        "its own `logto.app` domain. In other cases there are no links.",
        type=str,
        example="https://cloud.logto.io/abc123",
    )
    tenant = Setting(
        "",
        "Dotted path of the `TenantDeclaration` of what this site needs of its tenant: API resources, roles, the "
        "organization template. `manage.py logto_setup` applies it. Empty: this site needs only an application.",
        type=str,
        example="shop.tenant.TENANT",
    )
    admin_password_sign_in = Setting(
        False,
        "Whether `/admin/login/password/` of `LogtoAdminSite` offers Django's password form, for use while Logto is "
        "unreachable. Requires `ModelBackend` in `AUTHENTICATION_BACKENDS`. Turn it on only for that time.",
        type=bool,
    )
    admin_second_factor = Setting(
        False,
        "Whether `LogtoAdminSite` is open only to staff who have signed in with a second factor. Requires "
        "`LOGTO_SECOND_FACTOR`. The one exception are sessions that began at the password form of "
        "`LOGTO_ADMIN_PASSWORD_SIGN_IN`, while that setting is on.",
        type=bool,
    )
    audit_required = Setting(
        False,
        "Whether a sign-in fails that the audit trail cannot record, and `record_event` raises the error of the "
        "database. Otherwise the error is logged, as it always is for changes that Logto reports. Requires "
        "`logto_auth.audit` in `INSTALLED_APPS`.",
        type=bool,
    )
    audit_keep_days: Setting[int | None] = Setting(
        None,
        "How many days `manage.py logto_audit prune` keeps sealed events, unless it is given `--keep-days`. `None`: it "
        "asks for the option.",
        type=(int, NoneType),
        example=400,
    )

    socket_channel_layer = Setting(
        "default",
        "The channel layer, a key of `CHANNEL_LAYERS`, by which processes learn that sessions have ended, and close "
        "their sockets. Without it, or if it is in memory, each process asks the database every "
        '`LOGTO_SOCKET_CHECK_SECONDS`. `""` means the same.',
        type=str,
    )
    socket_check_seconds = Setting(
        5,
        "Time in seconds after which a process with open sockets asks the database again which of their sessions have "
        "ended, if there is no channel layer that reaches other processes. It is one query for all sockets.",
        type=int,
    )

    impersonation_seconds = Setting(
        3600,
        "Longest time in seconds for which staff may act as a user (support access). A start may ask for less.",
        type=int,
    )
    impersonation_read_only = Setting(
        False,
        "Whether staff who act as a user may only look: requests with another method than GET, HEAD or OPTIONS are "
        "refused, except to leave and to sign out, and so are WebSockets.",
        type=bool,
    )
    impersonation_allowed = Setting(
        "",
        "Dotted path of a function `(request, user) -> bool` that returns whether `request.user` may act as `user`, "
        "after all other rules. It may raise `ImpersonationRefused` with a text for the staff member. Empty: the other "
        "rules decide.",
        type=str,
        example="shop.support.may_act_as",
    )
    impersonation_banner = Setting(
        True,
        "Whether each HTML page gets the banner of support access while staff act as a user. Set it to `False` on a "
        "site whose templates contain `{% logto_impersonation_banner %}`.",
        type=bool,
    )

    @property
    def issuer(self) -> str:
        """The issuer of all tokens: the endpoint followed by `/oidc`."""
        return _issuer_at(self.endpoint)

    @property
    def server_endpoint(self) -> str:
        """The origin to which this server sends its requests to Logto."""
        return self.internal_endpoint or self.endpoint

    @property
    def former_issuers(self) -> list[str]:
        """The issuers of tokens from before the endpoint was changed."""
        return [_issuer_at(endpoint) for endpoint in self.former_endpoints]

    @property
    def declared_api_resources(self) -> dict[str, tuple[str, ...]]:
        """The API resources that this site is, each with the names of its permissions: `LOGTO_API_RESOURCE` first."""
        default = {self.api_resource: self.api_scopes} if self.api_resource else {}
        return {
            resource: tuple(dict.fromkeys([*default.get(resource, ()), *self.api_resources.get(resource, ())]))
            for resource in (*default, *self.api_resources)
        }

    @property
    def second_factor_resource(self) -> str | None:
        """The API resource whose access token proves the methods of authentication; None if they are not checked."""
        return (self.second_factor and self.api_resource) or None

    @property
    def sign_in_resources(self) -> list[str]:
        """The API resources that each sign-in requests."""
        return list(dict.fromkeys([*self.resources, *filter(None, [self.second_factor_resource])]))

    def all(self) -> Iterator[Setting[Any]]:
        """Return all settings, in the order of this file."""
        return (value for value in vars(Conf).values() if isinstance(value, Setting))


def _issuer_at(endpoint: str) -> str:
    return endpoint.rstrip("/") + "/oidc"


conf = Conf()


def api_resource() -> str:
    """Return the indicator of this site's API resource. Raise `ConfigurationError` if it is not set."""
    if not conf.api_resource:
        raise ConfigurationError("LOGTO_API_RESOURCE must be set to the indicator of this site's API resource.")
    return conf.api_resource
