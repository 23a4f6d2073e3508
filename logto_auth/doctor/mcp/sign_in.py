"""Findings about the sign-in of an MCP client, and about what it may do then."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from logto_auth.clients import access_token_verifier
from logto_auth.doctor.findings import Finding, described, failure, ok, warning
from logto_auth.doctor.sign_in import NO_USER_SIGNED_IN, Answer, answer_of
from logto_auth.exceptions import ProviderError, TokenError
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.secrets import Secret

from .application import Chosen
from .server import resource_of
from .transcript import Run, SignInFailed

__all__ = ["authorization_findings", "revocation_findings", "sign_in_findings"]

# The answers to a valid request with `prompt=none`. A Native application always needs the user.
ACCEPTED = frozenset({NO_USER_SIGNED_IN, "interaction_required", "consent_required"})
NO_PERMISSIONS = frozenset({"openid", "offline_access"})
MAX_SHOWN = 20
SEE_LOG = "See the log of the server."
SCOPES_OF_APPLICATION = (
    "Add it to the user_scopes or the scopes of the ThirdPartyApplication or DynamicClients in LOGTO_TENANT, and run "
    "manage.py logto_setup."
)
REMEDIES = {
    "invalid_client": "Correct --client-id. It is the App ID of an application, or the URL of a document if dynamic "
    "clients (CIMD) are on.",
    "invalid_target": "Declare the API resource in LOGTO_TENANT, and run manage.py logto_setup.",
    "invalid_scope": SCOPES_OF_APPLICATION,
    "access_denied": "The user did not consent, or may not use the application. Try again.",
}


# The authorization request, without the user


def authorization_findings(
    http: HTTPClient, authorization_url: str, client: Chosen, resource: str
) -> Iterator[Finding]:
    """Yield whether Logto accepts the authorization request of the client.

    The request has `prompt=none`: Logto checks it completely, shows no page and stores nothing.
    """
    changes = {"client_id": client.client_id, "redirect_uri": client.redirect_uri, "prompt": "none"}
    base, _, query = authorization_url.partition("?")
    url = f"{base}?{urlencode({**dict(parse_qsl(query)), **changes})}"
    try:
        answer = answer_of(http.get_allowing_redirect(url), client.redirect_uri)
    except ProviderError as error:
        yield failure("mcp-authorization", str(error), "Check that Logto runs, and the proxy in front of it.")
        return
    if answer.is_callback and answer.error in ACCEPTED:
        yield ok("mcp-authorization", f"Logto accepts the request of {client.client_id} for {resource}.")
    elif answer.error == "invalid_redirect_uri":
        yield failure(
            "mcp-authorization",
            f"The redirect URI {client.redirect_uri} is not one of the application {client.client_id}.",
            "Add it to the redirect URIs of the application, or pass --redirect-uri. An application of the type Native "
            "may use any port of a loopback URI that it has.",
        )
    else:
        yield _rejected(answer, client, resource)


def _rejected(answer: Answer, client: Chosen, resource: str) -> Finding:
    return failure(
        "mcp-authorization",
        f"Logto refuses the request of {client.client_id} for {resource}: {answer}.",
        REMEDIES.get(answer.error, "See the log of Logto."),
    )


# The sign-in and what follows it


def sign_in_findings(run: Run, *, tool: str = "") -> Iterator[Finding]:
    """Yield how the sign-in went, what the token is for, which tools there are, and whether `tool` answered."""
    if isinstance(run.error, SignInFailed) and not run.access_token:
        yield _failed_sign_in(run.error)
    elif not run.access_token:
        yield _no_token(run)
    else:
        yield ok("mcp-sign-in", "The user signed in at Logto, and the client got a token.")
        yield from _token(run)
        yield _tools(run)
        if tool and run.tools is not None:
            yield _call(run, tool)


def _failed_sign_in(error: SignInFailed) -> Finding:
    scope = f" The scope is {error.scope}." if error.scope else ""
    remedy = REMEDIES.get(
        error.error, "If the browser shows an error page of Logto, see its text and the log of Logto."
    )
    return failure("mcp-sign-in", f"The sign-in failed: {error}.{scope}".replace("..", "."), remedy)


def _no_token(run: Run) -> Finding:
    answer = next(reversed(run.to_token_endpoint), None)
    if answer is None:
        return failure("mcp-sign-in", f"The sign-in failed: {_text(run.error)}.", "See the log of Logto.")
    remedy = "See the log of Logto."
    if "invalid_client" in answer.error:
        remedy = "The application has a secret. Use one of the type Native or Single page app, which has none."
    return failure("mcp-token", f"The token endpoint answered {answer.status} {answer.error}".rstrip() + ".", remedy)


def _token(run: Run) -> Iterator[Finding]:
    resource = resource_of(run)
    try:
        claims = access_token_verifier().verify_for_resource(Secret(run.access_token), resource)
    except TokenError as error:
        yield failure(
            "mcp-token",
            f"The access token is not valid at this site: {error}",
            "Check that the server has the LOGTO_ENDPOINT of these settings, and that its API resource exists.",
        )
        return
    except ProviderError as error:
        yield warning("mcp-token", f"The access token was not checked: {error}", "Check the address of Logto.")
        return
    yield ok("mcp-token", f"The token is for {resource}. Permissions: {_list(claims.scopes)}.")
    if missing := _requested(run) - claims.scopes:
        yield warning(
            "mcp-token",
            f"The token lacks {_list(missing)}, which the client requested.",
            "Give the user a role with these permissions, if the user needs them. A third-party application also needs "
            "them among its scopes.",
        )


def _requested(run: Run) -> frozenset[str]:
    """Return the permissions that the latest authorization request has."""
    query = parse_qs(urlsplit(run.authorization_urls[-1]).query)
    return frozenset(" ".join(query.get("scope", [])).split()) - NO_PERMISSIONS


def _tools(run: Run) -> Finding:
    if run.tools is None:
        return _refused("mcp-tools", "The client could not list the tools", run)
    shown = _list(run.tools[:MAX_SHOWN]) + (" …" if len(run.tools) > MAX_SHOWN else "")
    return ok("mcp-tools", f"The server speaks MCP {single_line(run.protocol_version)}. Tools: {shown}.")


def _call(run: Run, tool: str) -> Finding:
    if tool not in (run.tools or ()):
        return failure("mcp-tool", f"The server has no tool {tool!r:.200}.", "Correct --tool.")
    if run.result is None:
        return _refused("mcp-tool", f"The client could not call {tool}", run)
    if run.result.is_error:
        return warning("mcp-tool", f"{tool} answered with an error: {run.result.text}", f"Check --arguments. {SEE_LOG}")
    stepped_up = " after a second sign-in for more permissions" if len(run.authorization_urls) > 1 else ""
    return ok("mcp-tool", f"{tool} answered{stepped_up}. Parts of its answer: {run.result.parts}.")


def _refused(check: str, what: str, run: Run) -> Finding:
    """Return why the server did not do it, by its latest answer."""
    answer = run.last
    if isinstance(run.error, SignInFailed):
        remedy = REMEDIES.get(run.error.error, "Sign in again when the doctor asks for more permissions.")
        return failure(check, f"{what}: the second sign-in failed: {run.error}.".replace("..", "."), remedy)
    if answer is None or answer.status < 400:
        return failure(check, f"{what}: {_text(run.error)}".rstrip(".") + ".", SEE_LOG)
    reason = answer.parameter("error_description") or answer.parameter("error")
    message = f"{what}: the server answers {answer.status}. {reason}".rstrip()
    if answer.parameter("error") == "insufficient_scope":
        scopes = answer.parameter("scope")
        return failure(
            check,
            message,
            f"Give the user a role with {scopes or 'the permission'}. A third-party application also needs it among "
            "its scopes.",
        )
    if answer.status == 401:
        return failure(check, message, f"The server does not accept the token that Logto issued for it. {SEE_LOG}")
    return failure(check, message, SEE_LOG)


def _text(error: BaseException | None) -> str:
    """Return the kind of an error of the client, and its text if that cannot hold a token."""
    if type(error).__name__ == "MCPError":
        return single_line(str(error)) or "MCPError"
    return described(error) if isinstance(error, Exception) else "no answer"


def _list(names: frozenset[str] | list[str]) -> str:
    return ", ".join(single_line(each) for each in (sorted(names) if isinstance(names, frozenset) else names)) or "none"


# Afterwards


def revocation_findings(http: HTTPClient, run: Run, client: Chosen) -> Iterator[Finding]:
    """Revoke the refresh tokens of the run, so that nothing of it stays at Logto, and yield whether that worked."""
    endpoint = (run.logto_metadata or {}).get("revocation_endpoint")
    if not run.refresh_tokens or not isinstance(endpoint, str):
        return
    for refresh_token in run.refresh_tokens:
        form: dict[str, str | Secret] = {
            "token": Secret(refresh_token),
            "token_type_hint": "refresh_token",
            "client_id": client.client_id,
        }
        try:
            status = http.post_form(endpoint, form).status
        except ProviderError:
            status = 0
        if status != 200:
            yield warning(
                "mcp-revocation",
                f"The refresh token of this run was not revoked ({status or 'no answer'}).",
                "Remove the application from the connected applications of the user, or wait until the token expires.",
            )
            return
    yield ok("mcp-revocation", "The refresh token of this run was revoked.")
