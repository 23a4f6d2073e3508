"""What every page does with the interaction of its browser: find it, finish it, show something of it.

Every form is bound to the interaction in the browser's cookie: without that cookie's token it is refused.
"""

from __future__ import annotations

import hmac

from flask import Response, render_template, request

from logto_auth.emulator.oidc import cookies
from logto_auth.emulator.oidc.http import NO_STORE, see_other
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, check_not_suspended, record_sign_in

from .sign_in_webhooks import announce_sign_in


class UnknownSession(Exception):
    """There is no interaction in this browser for the page that was asked for."""


def waiting_interaction(provider: Provider, *prompts: str) -> Interaction:
    """Return the interaction of this browser that waits for one of these prompts, or lead away."""
    uid = cookies.read_interaction_uid(request.args.get("app_id"))
    interaction = provider.instances.find_interaction(uid)
    if interaction is None or interaction.prompt not in prompts:
        raise UnknownSession
    return interaction


def submitted_interaction(provider: Provider, *prompts: str) -> Interaction:
    """Return the interaction that a form belongs to, or lead away."""
    interaction = waiting_interaction(provider, *prompts)
    if not hmac.compare_digest(interaction.csrf_token.encode(), request.form.get("csrf_token", "").encode()):
        raise UnknownSession
    return interaction


def signed_in_user(provider: Provider) -> User:
    """Return the user of this browser's session, or lead away."""
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    user = provider.tenant.users.get(session.account_id or "") if session else None
    if user is None:
        raise UnknownSession
    return user


def finish_login(provider: Provider, interaction: Interaction, user: User, *, is_new: bool = False) -> Response:
    """Sign the user in and return to the authorization request. Webhooks hear of it; `is_new` is a registration."""
    check_not_suspended(user)
    record_sign_in(provider.tenant, user, interaction.request.client)
    announce_sign_in(provider, interaction, user, is_new=is_new)
    interaction.account_id = user.id
    interaction.solved |= {"login"}
    return see_other(f"/oidc/auth/{interaction.uid}")


def page(template: str, *, refusal: SignInRefused | None = None, status: int = 200, **context: object) -> Response:
    """Return a page; a refusal is told on it and sets the status."""
    status = refusal.status if refusal else status
    return Response(render_template(template, refusal=refusal, **context), status, NO_STORE)
