"""Webhooks of sign-ins and registrations (logto.md, 9.3 and 9.4)."""

from __future__ import annotations

from flask import request

from .http import caller_ip
from .instances import Interaction
from .provider import Provider
from .store import User
from .user_info import user_info


def announce_sign_in(provider: Provider, interaction: Interaction, user: User, *, is_new: bool) -> None:
    """Tell webhooks that somebody signed in, or that a new user registered. `sessionId` is the interaction's uid."""
    webhooks, client = provider.webhooks, interaction.request.client
    interaction_event = "Register" if is_new else "SignIn"
    user_agent = request.headers.get("User-Agent", "")
    application = {
        "id": client.id,
        "type": client.type,
        "name": client.name,
        "description": client.description,
    }
    webhooks.announce(
        {
            "event": f"Post{interaction_event}",
            "interactionEvent": interaction_event,
            "createdAt": webhooks.now(),
            "sessionId": interaction.uid,
            "userAgent": user_agent,
            "userId": user.id,
            "userIp": caller_ip(),
            "user": user_info(user),
            "application": application,
        }
    )
    if is_new:
        webhooks.announce(
            {
                "event": "User.Created",
                "createdAt": webhooks.now(),
                "interactionEvent": interaction_event,
                "userAgent": user_agent,
                "applicationId": client.id,
                "sessionId": interaction.uid,
                "ip": caller_ip(),
                "application": application,
                "data": user_info(user),
            }
        )
