"""The checks of an authorization request.

They are in Logto's order, so that a request with two errors gets the same answer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import ORGANIZATIONS_RESOURCE, unique
from logto_auth.emulator.state.sessions import AuthorizationRequest

from . import errors
from .claims import oidc_scopes
from .client_authentication import find_client
from .client_redirects import allows_redirect_uri
from .http import resource_parameters, single_parameters
from .id_token_hint import validate_id_token_hint
from .redirect_uris import parse_url

_logger = logging.getLogger(__name__)

PUSHED_REQUEST_PREFIX = "urn:ietf:params:oauth:request_uri:"

_RESPONSE_TYPES = frozenset({"code id_token", "code", "id_token", "none"})
_RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})
_PROMPTS = frozenset({"none", "login", "consent"})
_PARAMETERS_THAT_NEED_OPENID = ("acr_values", "claims", "claims_locales", "id_token_hint", "max_age", "nonce")


def read_authorization_request(provider: Provider, lists: Mapping[str, list[str]]) -> AuthorizationRequest:
    """Return the checked request, or raise OIDCError."""
    params = single_parameters(lists, repeatable=["resource"])
    if "request" in params:
        raise _unsupported("request")
    client = find_client(provider, _required(params, "client_id"))
    if "registration" in params:
        raise errors.OIDCError("registration_not_supported", None)
    if "request_uri" in params:
        # Valid pushed requests were resolved before.
        is_pushed = params["request_uri"].startswith(PUSHED_REQUEST_PREFIX)
        raise invalid_request_uri() if is_pushed else _unsupported("request_uri")
    _check_response_mode(params)
    if "registration" in params:
        raise _unsupported("registration")
    redirect_uri = params.get("redirect_uri") or only_redirect_uri(client)
    _check_response_type(client, _required(params, "response_type"))
    if redirect_uri is None:
        raise errors.missing_parameters("redirect_uri")
    prompts = _checked_prompts(params)
    known = oidc_scopes(provider.tenant)
    scopes = _checked_scopes(client, params, prompts, known)
    _check_openid_scope(params, scopes)
    _check_redirect_uri(client, redirect_uri)
    _check_pkce(client, params)
    resources = _checked_resources(provider, resource_parameters(lists))
    max_age = _checked_max_age(params)
    openid_scopes = tuple(scope for scope in scopes if scope in known)
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        # Without a resource only OIDC scopes have a meaning. Others are dropped without an error.
        scopes=tuple(scopes) if resources else openid_scopes,
        oidc_scopes=openid_scopes,
        resources=tuple(resources),
        prompts=prompts | {"login"} if max_age == 0 else prompts,
        max_age=max_age or None,
        hinted_sub=_checked_hint(provider, client, params),
        params=params,
    )


def only_redirect_uri(client: Application) -> str | None:
    """Return the only redirect URI, which a request may omit, or None. A pattern does not count."""
    uris = client.redirect_uris
    return uris[0] if len(uris) == 1 and "*" not in uris[0] else None


def invalid_request_uri() -> errors.OIDCError:
    return errors.OIDCError("invalid_request_uri", "request_uri is invalid, expired, or was already used")


def _unsupported(name: str) -> errors.OIDCError:
    return errors.OIDCError(f"{name}_not_supported", None)


def response_mode(params: Mapping[str, str]) -> str:
    """Return the response mode. The default is `fragment` if the response would have tokens, otherwise `query`."""
    mode = params.get("response_mode")
    if mode in _RESPONSE_MODES:
        return mode
    return "fragment" if "token" in params.get("response_type", "") else "query"


def _required(params: Mapping[str, str], name: str) -> str:
    if name not in params:
        raise errors.missing_parameters(name)
    return params[name]


def _check_response_mode(params: Mapping[str, str]) -> None:
    if params.get("response_mode", "query") not in _RESPONSE_MODES:
        raise errors.OIDCError("unsupported_response_mode", "unsupported response_mode requested")
    if params.get("response_mode") == "query" and "token" in params.get("response_type", ""):
        raise errors.invalid_request("requested response_mode is not allowed for the requested response_type")


def _check_response_type(client: Application, response_type: str) -> None:
    response_type = " ".join(sorted(set(response_type.split(" "))))
    if response_type not in _RESPONSE_TYPES:
        raise errors.OIDCError("unsupported_response_type", "unsupported response_type requested")
    # Discovery lists four response types. Applications may use `code` only, and machine-to-machine applications none.
    if response_type != "code" or not client.is_interactive:
        raise errors.invalid_request("requested response_type is not allowed for this client")


def _checked_prompts(params: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(params["prompt"].split(" ")) if "prompt" in params else frozenset()
    if prompts - _PROMPTS:
        raise errors.invalid_request("unsupported prompt value requested")
    if "none" in prompts and len(prompts) > 1:
        raise errors.invalid_request("prompt none must only be used alone")
    return prompts


def _checked_scopes(
    client: Application, params: Mapping[str, str], prompts: frozenset[str], known: Collection[str]
) -> list[str]:
    """Return the scopes. Without `prompt=consent`, `offline_access` is dropped without an error."""
    scopes = unique(params["scope"].split(" ")) if "scope" in params else []
    if "consent" not in prompts or "refresh_token" not in client.grant_types:
        scopes = [scope for scope in scopes if scope != "offline_access"]
    enabled = {"openid", "offline_access", *client.user_scopes}
    for scope in scopes:
        if client.is_third_party and scope in known and scope not in enabled:
            raise errors.OIDCError("invalid_scope", "requested scope is not allowed", scope=scope)
    return scopes


def _check_openid_scope(params: Mapping[str, str], scopes: Sequence[str]) -> None:
    for name in _PARAMETERS_THAT_NEED_OPENID:
        if name in params and "openid" not in scopes:
            raise errors.invalid_request(f"openid scope must be requested when using the {name} parameter")


def _check_redirect_uri(client: Application, redirect_uri: str) -> None:
    if not allows_redirect_uri(client, redirect_uri):
        # Logto's answer names no URI. The log does, for a site at another port.
        _logger.warning(
            "The redirect URI %.200r is not registered for the application %s. It has: %s. "
            "If it is the URI of your site, start the emulator with the site's URL: --base-url",
            redirect_uri,
            client.id,
            ", ".join(client.redirect_uris) or "none",
        )
        raise invalid_redirect_uri()


def invalid_redirect_uri() -> errors.OIDCError:
    description = "redirect_uri did not match any of the client's registered redirect_uris"
    return errors.OIDCError("invalid_redirect_uri", description, redirectable=False)


def _check_pkce(client: Application, params: Mapping[str, str]) -> None:
    challenge, method = params.get("code_challenge"), params.get("code_challenge_method")
    if challenge and not method:
        raise errors.invalid_request(
            "plain code_challenge_method fallback disabled, code_challenge_method must be provided"
        )
    if method and method != "S256":
        raise errors.invalid_request("not supported value of code_challenge_method")
    if method and not challenge:
        raise errors.invalid_request("code_challenge must be provided with code_challenge_method")
    if challenge:
        check_pkce_format("code_challenge", challenge)
    elif client.is_public:
        raise errors.invalid_request("Authorization Server policy requires PKCE to be used for this request")


def check_pkce_format(name: str, value: str) -> None:
    """Raise OIDCError unless the value is 43 to 128 unreserved characters (RFC 7636, 4.1)."""
    if len(value) < 43:
        raise errors.invalid_request(f"{name} must be a string with a minimum length of 43 characters")
    if len(value) > 128:
        raise errors.invalid_request(f"{name} must be a string with a maximum length of 128 characters")
    if re.search(r"[^\w.\-~]", value, re.ASCII):
        raise errors.invalid_request(f"{name} contains invalid characters")


def _checked_resources(provider: Provider, indicators: list[str]) -> list[str]:
    default = provider.tenant.default_resource
    if not indicators and default:
        indicators = [default.indicator]
    for indicator in indicators:
        check_resource(provider, indicator)
    return unique(indicators)


def check_resource(provider: Provider, indicator: str) -> None:
    """Raise OIDCError unless the indicator is an absolute URI of an API resource, or the reserved indicator."""
    url = parse_url(indicator)
    if url is None:
        raise errors.invalid_target("resource indicator must be an absolute URI")
    if url.fragment:
        raise errors.invalid_target("resource indicator must not contain a fragment component")
    if indicator != ORGANIZATIONS_RESOURCE and provider.tenant.find_resource(indicator) is None:
        raise errors.invalid_target()


def _checked_max_age(params: Mapping[str, str]) -> int | None:
    if "max_age" not in params:
        return None
    if not re.fullmatch(r"\d{1,15}", params["max_age"], re.ASCII):
        raise errors.invalid_request("invalid max_age parameter value")
    return int(params["max_age"])


def _checked_hint(provider: Provider, client: Application, params: Mapping[str, str]) -> str | None:
    if "id_token_hint" not in params:
        return None
    return str(validate_id_token_hint(provider, params["id_token_hint"], client)["sub"])
