"""Helpers of all pages: finding and finishing the interaction of the browser, and rendering.

Each form belongs to the interaction in the browser's cookie and has its CSRF token.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, render_template, request

from logto_auth.emulator.api.messages import message_of
from logto_auth.emulator.oidc import cookies
from logto_auth.emulator.oidc.http import NO_STORE, see_other
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.sign_in_rules import SignInRefused, check_not_suspended, record_sign_in
from logto_auth.emulator.state.verified_users import ReturningUser

from .sign_in_webhooks import announce_sign_in
from .submissions import submission_of


class UnknownSession(Exception):
    """The browser has no interaction for the requested page."""


class SubmittedToUnknownSession(UnknownSession):
    """The browser has no interaction for the submitted form, for example because another tab has finished it."""


def waiting_interaction(provider: Provider, *prompts: str) -> Interaction:
    """Return the browser's interaction that waits for one of these prompts. Raise UnknownSession."""
    uid = cookies.read_interaction_uid(request.args.get("app_id"))
    interaction = provider.instances.find_interaction(uid)
    if interaction is None or interaction.prompt not in prompts:
        raise UnknownSession
    return interaction


def submitted_interaction(provider: Provider, *prompts: str) -> Interaction:
    """Return the browser's interaction for a submitted form. Raise SubmittedToUnknownSession.

    Like Logto, a browser has one interaction for each application. The form of an older tab therefore continues the
    latest sign-in. The CSRF token must be that of an interaction for the same application.
    """
    try:
        interaction = waiting_interaction(provider, *prompts)
    except UnknownSession:
        raise SubmittedToUnknownSession from None
    client_id, submitted = interaction.request.client.id, request.form.get("csrf_token", "").encode()
    known = [each for each in list(provider.instances.interactions.values()) if each.request.client.id == client_id]
    if not any(hmac.compare_digest(each.csrf_token.encode(), submitted) for each in known):
        raise SubmittedToUnknownSession
    return interaction


def _verified_user(interaction: Interaction, *, is_submitted: bool = False) -> ReturningUser:
    """Return the user whose sign-in is not complete yet. Raise UnknownSession, of a submitted form its own kind."""
    if not isinstance(interaction.verified, ReturningUser):
        raise SubmittedToUnknownSession if is_submitted else UnknownSession
    return interaction.verified


def waiting_user(provider: Provider) -> tuple[Interaction, ReturningUser]:
    """Return the interaction that a page continues, and the user whose sign-in it is. Raise UnknownSession."""
    interaction = waiting_interaction(provider, "login", "consent")
    return interaction, _verified_user(interaction)


def submitting_user(provider: Provider) -> tuple[Interaction, ReturningUser]:
    """Do as `waiting_user` for a submitted form. Raise SubmittedToUnknownSession."""
    interaction = submitted_interaction(provider, "login", "consent")
    return interaction, _verified_user(interaction, is_submitted=True)


def signed_in_user(provider: Provider) -> User:
    """Return the user of the browser's session. Raise UnknownSession."""
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    user = provider.tenant.users.get(session.account_id or "") if session else None
    if user is None:
        raise UnknownSession
    return user


def finish_login(provider: Provider, interaction: Interaction, user: User, *, is_new: bool = False) -> Response:
    """Sign the user in, send webhooks, and continue the authorization request. `is_new` means a registration.

    Raise SignInRefused if the user is suspended.
    """
    check_not_suspended(user)
    record_sign_in(provider.tenant, user)
    announce_sign_in(provider, interaction, user, is_new=is_new)
    # Stored after the event of the first sign-in, which has no application yet.
    _remember_first_client(user, interaction.request.client)
    interaction.account_id = user.id
    interaction.submission = submission_of(interaction, user, is_new=is_new)
    interaction.solved |= {"login"}
    return see_other(f"/oidc/auth/{interaction.uid}")


def _remember_first_client(user: User, client: Application) -> None:
    if user.application_id or user.cimd_client_id:
        return
    if client.is_dynamic:
        user.cimd_client_id = client.id
    else:
        user.application_id = client.id


@contextmanager
def refusing() -> Iterator[None]:
    """Turn `Refused` into SignInRefused, with Logto's message."""
    try:
        yield
    except Refused as refused:
        message = message_of(refused.code, refused.values)
        raise SignInRefused(refused.code, message, status=refused.status) from refused


def page(template: str, *, refusal: SignInRefused | None = None, status: int = 200, **context: object) -> Response:
    """Return a rendered page. A refusal is shown on it and sets the status."""
    status = refusal.status if refusal else status
    return Response(render_template(template, refusal=refusal, **context), status, NO_STORE)
