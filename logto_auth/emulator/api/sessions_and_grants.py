"""The sessions and grants of a user: finding and ending them, and their JSON."""

from __future__ import annotations

from typing import Any, Literal

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import Authorization, Grant, Session

from .errors import APIError

RevokeGrantsTarget = Literal["all", "firstParty"]


def live_sessions(provider: Provider, user_id: str) -> list[Session]:
    """Return the sessions of a user that have not expired. An unknown user has none."""
    now = provider.clock.now()
    sessions = list(provider.instances.sessions.values())
    return [each for each in sessions if each.account_id == user_id and each.expires_at > now]


def existing_session(provider: Provider, user_id: str, session_uid: str) -> Session:
    """Return a session of the user. Raise 404 if it is unknown or that of another user."""
    for session in list(provider.instances.sessions.values()):
        if session.uid == session_uid and session.expires_at > provider.clock.now():
            if session.account_id != user_id:
                raise APIError("oidc.invalid_session_account_id", 404)
            return session
    raise APIError("oidc.session_not_found", 404)


def end_session(provider: Provider, session: Session, target: RevokeGrantsTarget | None) -> None:
    """End a session and the tokens that are bound to it. `target` names grants that end, too: they would outlive it."""
    provider.instances.end_session(session)
    for client_id, authorization in session.authorizations.items():
        client = provider.tenant.applications.get(client_id)
        is_third_party = client.is_third_party if client is not None else client_id.lower().startswith("https://")
        if authorization.grant_id and (target == "all" or (target == "firstParty" and not is_third_party)):
            provider.instances.revoke_grant(authorization.grant_id)


def session_json(provider: Provider, session: Session) -> dict[str, Any]:
    """Return a session as the APIs show it. `lastSubmission` says how the user signed in."""
    extension = provider.instances.session_extensions.get(session.uid)
    if extension is not None and extension.account_id != session.account_id:
        extension = None
    authorizations = {client_id: _authorization_json(each) for client_id, each in session.authorizations.items()}
    return {
        "payload": {
            "exp": session.expires_at,
            "iat": session.login_at,
            "jti": session.id,
            "uid": session.uid,
            "kind": "Session",
            "loginTs": session.login_at,
            "accountId": session.account_id,
            "authorizations": authorizations,
        },
        "lastSubmission": extension.sign_in if extension else None,
        "clientId": extension.client_id if extension else None,
        "accountId": extension.account_id if extension else None,
        "expiresAt": session.expires_at * 1000,
    }


def grants_json(provider: Provider, user_id: str, app_type: str) -> dict[str, Any]:
    """Return the grants of a user to applications of a type: `firstParty`, `thirdParty` or `all`.

    Those to dynamic clients come last, and are third-party.
    """
    applications = provider.tenant.applications
    grants = live_grants(provider, user_id)
    registered = [(grant, applications[grant.client_id]) for grant in grants if grant.client_id in applications]
    dynamic = [grant for grant in grants if grant.dynamic_client_name is not None and app_type != "firstParty"]
    return {
        "grants": [
            *(
                _grant_json(grant, application.name)
                for grant, application in registered
                if app_type in {"all", _app_type(application)}
            ),
            *(_grant_json(grant, grant.dynamic_client_name or grant.client_id) for grant in dynamic),
        ]
    }


def live_grants(provider: Provider, user_id: str) -> list[Grant]:
    """Return the grants of a user that have not expired. An unknown user has none."""
    grants = [provider.instances.find_grant(grant_id) for grant_id in list(provider.instances.grants)]
    return [grant for grant in grants if grant is not None and grant.account_id == user_id]


def forget_grant(provider: Provider, user_id: str, grant_id: str) -> None:
    """Remove the parts of clients with this grant from the sessions of a user."""
    for session in live_sessions(provider, user_id):
        kept = {name: each for name, each in session.authorizations.items() if each.grant_id != grant_id}
        session.authorizations = kept


def _authorization_json(authorization: Authorization) -> dict[str, Any]:
    persists = {"persistsLogout": True} if authorization.persists_logout else {}
    return {"sid": authorization.sid, "grantId": authorization.grant_id, **persists}


def _app_type(application: Application) -> str:
    return "thirdParty" if application.is_third_party else "firstParty"


def _grant_json(grant: Grant, client_name: str) -> dict[str, Any]:
    resources = {indicator: " ".join(scopes) for indicator, scopes in grant.resource_scopes.items() if scopes}
    return {
        "id": grant.id,
        "payload": {
            "exp": grant.expires_at,
            "iat": grant.created_at,
            "jti": grant.id,
            "kind": "Grant",
            "clientId": grant.client_id,
            "accountId": grant.account_id,
            **({"openid": {"scope": " ".join(grant.oidc_scopes)}} if grant.oidc_scopes else {}),
            **({"rejected": {}, "resources": resources} if resources else {}),
        },
        "expiresAt": grant.expires_at * 1000,
        "application": {"id": grant.client_id, "name": client_name},
    }
