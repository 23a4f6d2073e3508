"""The authorization request: state, nonce, PKCE and Logto's sign-in options.

Logto reads its own parameters as one object. With one invalid value it ignores all of them and reports no error, so
they are checked here.

Sources: OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636; RFC 8707.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .errors import InvalidSignInOption
from .secrets import Secret

__all__ = [
    "FIRST_SCREENS",
    "IDENTIFIERS",
    "PROMPTS",
    "PROTOCOL_PARAMETERS",
    "AuthorizationRequest",
    "SignInOptions",
    "effective_prompt",
    "is_absolute_uri",
]

FIRST_SCREENS = (
    "sign_in",
    "register",
    "reset_password",
    "identifier:sign_in",
    "identifier:register",
    "single_sign_on",
)
IDENTIFIERS = ("email", "phone", "username")
PROMPTS = ("none", "login", "consent")
_MAX_TEXT_LENGTH = 512

# Only this module sets these parameters. Options and settings must not add to them or replace them.
PROTOCOL_PARAMETERS = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)


@dataclass(frozen=True, kw_only=True)
class SignInOptions:
    """The options of a sign-in, named as in Logto's SDKs.

    Raise InvalidSignInOption for a value that Logto would not accept. Sources: Logto's documentation of its
    authentication parameters; OpenID Connect Core 1.0, section 3.1.2.1; RFC 8707.
    """

    first_screen: str = ""
    """The first page: one of FIRST_SCREENS. Empty: Logto's default."""
    identifiers: Sequence[str] = ()
    """The identifiers that the `identifier:` screens accept: any of IDENTIFIERS."""
    login_hint: str = ""
    """The identifier that Logto's page shows in its field."""
    direct_sign_in: str = ""
    """`social:<target>` or `sso:<connector ID>`: skip Logto's page and go to this connector."""
    prompt: str = ""
    """Any of PROMPTS, separated by spaces; `none` must be the only one. Empty: the default of the site."""
    max_age: int | None = None
    """The accepted age of the user's authentication at Logto, in seconds. Logto asks again if it is older."""
    ui_locales: str = ""
    """BCP 47 language tags, separated by spaces."""
    one_time_token: str = field(default="", repr=False)
    """The token of a magic link. It needs the e-mail address as `login_hint`."""
    organization_id: str = ""
    """The organization whose branding the sign-in page has."""
    members_only: bool = False
    """Whether only members of `organization_id` may sign in. It becomes the current organization. The site checks this
    by the claims; Logto does not."""
    resources: Sequence[str] = ()
    """API resources to request in addition to those of the site."""
    scopes: Sequence[str] = ()
    """Scopes to request in addition to those of the site."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """More parameters, sent unchanged."""

    def __post_init__(self) -> None:
        for name in ("login_hint", "one_time_token", "organization_id"):
            _check(name, getattr(self, name), _is_plain_text, f"text of at most {_MAX_TEXT_LENGTH} characters")
        _check("first_screen", self.first_screen, lambda value: value in ("", *FIRST_SCREENS), _one_of(FIRST_SCREENS))
        _check("identifiers", self.identifiers, lambda value: _are_words(value, IDENTIFIERS), _one_of(IDENTIFIERS))
        _check("direct_sign_in", self.direct_sign_in, _is_direct_sign_in, "social:<target> or sso:<connector id>")
        _check("prompt", self.prompt, _is_prompt, _one_of(PROMPTS) + ", and none only alone")
        _check("max_age", self.max_age, _is_seconds, "a whole number of seconds, or None")
        _check("ui_locales", self.ui_locales, _are_language_tags, "language tags separated by spaces")
        _check("scopes", self.scopes, _are_scopes, "a list of scopes without spaces")
        _check("resources", self.resources, _are_absolute_uris, "a list of absolute URIs without a fragment")
        _check(
            "extra", self.extra, _is_free_parameter, f"parameters other than {', '.join(sorted(PROTOCOL_PARAMETERS))}"
        )
        if self.members_only and not self.organization_id:
            raise InvalidSignInOption("The option members_only needs the option organization_id.")
        if self.one_time_token and "@" not in self.login_hint:
            raise InvalidSignInOption("The option one_time_token needs its e-mail address as login_hint.")

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters of the authorization request for these options, without the empty ones."""
        named = {
            "first_screen": self.first_screen,
            # Repeated values would only make the URL longer.
            "identifier": " ".join(dict.fromkeys(self.identifiers)),
            "login_hint": self.login_hint,
            "direct_sign_in": self.direct_sign_in,
            "ui_locales": self.ui_locales,
            "one_time_token": self.one_time_token,
            "organization_id": self.organization_id,
            "max_age": "" if self.max_age is None else str(self.max_age),
            **self.extra,
        }
        return [(name, value) for name, value in named.items() if value]


def _check(name: str, value: object, is_valid: Callable[[Any], bool], expected: str) -> None:
    if not is_valid(value):
        # The message goes to the log, and an invalid token may be almost the real one.
        shown = "not shown here" if name == "one_time_token" else f"{value!r:.100}"
        raise InvalidSignInOption(f"The sign-in option {name} is {shown}, expected {expected}.")


def _one_of(values: Iterable[str]) -> str:
    return "one of " + ", ".join(values)


def _is_plain_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT_LENGTH and (not value or value.isprintable())


def _are_words(value: object, allowed: Collection[str]) -> bool:
    return isinstance(value, list | tuple) and all(word in allowed for word in value)


def _is_direct_sign_in(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"((social|sso):[A-Za-z0-9_.-]{1,128})?", value))


def _is_prompt(value: object) -> bool:
    if not isinstance(value, str):
        return False
    words = value.split()
    return all(word in PROMPTS for word in words) and ("none" not in words or len(words) == 1)


def _is_seconds(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _are_language_tags(value: object) -> bool:
    tag = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}"
    return (
        isinstance(value, str) and len(value) <= _MAX_TEXT_LENGTH and bool(re.fullmatch(rf"({tag}( {tag})*)?", value))
    )


def _are_scopes(value: object) -> bool:
    # RFC 6749, section 3.3.
    return isinstance(value, list | tuple) and all(
        isinstance(scope, str) and re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", scope) for scope in value
    )


def _are_absolute_uris(value: object) -> bool:
    return isinstance(value, list | tuple) and all(is_absolute_uri(uri) for uri in value)


def is_absolute_uri(value: object) -> bool:
    """Return whether `value` can be the indicator of an API resource: an absolute URI without a fragment."""
    # RFC 8707, section 2. Logto splits the parameter at commas.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or set(value) & set(" #,"):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def _is_free_parameter(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) and name not in PROTOCOL_PARAMETERS
        for name, text in value.items()
    )


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """An authorization request.

    The response must contain `state`, and the ID token must contain `nonce`. `code_verifier` is sent with the code.
    """

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    code_verifier: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(48)))

    @property
    def code_challenge(self) -> str:
        """The S256 challenge of the verifier (RFC 7636, section 4.2)."""
        digest = hashlib.sha256(self.code_verifier.reveal().encode("ascii")).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def url(
        self,
        authorization_endpoint: str,
        *,
        client_id: str,
        redirect_uri: str,
        scopes: Sequence[str],
        resources: Sequence[str],
        prompt: str,
        options: SignInOptions,
    ) -> str:
        """Return the URL that starts the sign-in. `options` add to the site's `scopes`, `resources` and `prompt`."""
        all_scopes = list(dict.fromkeys([*scopes, *options.scopes]))
        parameters = [
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", " ".join(all_scopes)),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", "S256"),
            ("prompt", effective_prompt(options.prompt or prompt, all_scopes)),
            *(("resource", resource) for resource in dict.fromkeys([*resources, *options.resources])),
            *options.parameters(),
        ]
        separator = "&" if urlsplit(authorization_endpoint).query else "?"
        return authorization_endpoint + separator + urlencode([pair for pair in parameters if pair[1]])


def effective_prompt(prompt: str, scopes: Collection[str]) -> str:
    """Return the prompt that is sent with `scopes`: with `consent`, if a refresh token needs it."""
    # Without `consent` Logto ignores `offline_access`, and issues no refresh token.
    words = list(dict.fromkeys(prompt.split()))
    if "offline_access" in scopes and not {"none", "consent"} & set(words):
        words.append("consent")
    return " ".join(words)
