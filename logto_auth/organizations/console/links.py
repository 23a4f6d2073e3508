"""The links in invitations. Only the mailbox of the invited address gets them: no page, no answer, no log."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from logto_auth.conf import Conf, conf
from logto_auth.encryption import decrypt, encrypt
from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.secrets import hide_frames
from logto_auth.sign_in.start import absolute_uri

from .errors import InvitationInvalid

__all__ = ["SealedInvitation", "invitation_link", "invitation_path", "require_page", "seal", "unseal"]

PURPOSE = "organization-invitation"
# An address has at most 254 characters. A longer text is not decrypted.
MAX_SEALED_LENGTH = 2000


@dataclass(frozen=True, kw_only=True)
class SealedInvitation:
    """What a link contains."""

    id: str
    email: str


@hide_frames
def seal(invitation_id: str, email: str) -> str:
    """Return the last part of the link of an invitation, which only this site can make and read."""
    return encrypt({"invitation": invitation_id, "email": email}, purpose=PURPOSE)


@hide_frames
def unseal(sealed: str) -> SealedInvitation:
    """Return what a link contains. Raise InvitationInvalid for a text that this site has not sealed."""
    content = decrypt(sealed, purpose=PURPOSE) if len(sealed) <= MAX_SEALED_LENGTH else None
    if content is None:
        raise InvitationInvalid("The link of an invitation is not one that this site has made.")
    return SealedInvitation(id=content["invitation"], email=content["email"])


@hide_frames
def invitation_path(invitation_id: str, email: str) -> str:
    """Return the path of the page for an invitation: for a site that creates invitations with the Management API.

    A reader of the link is taken for the owner of the mailbox: send it to `email`, and show it nowhere. Raise
    ConfigurationError if the site has no page for invitations.
    """
    return _path(seal(invitation_id, email))


@hide_frames
def invitation_link(request: HttpRequest, invitation_id: str, email: str) -> str:
    """Return the absolute URL of the page for an invitation. Raise ConfigurationError as `require_page` does."""
    return absolute_uri(request, invitation_path(invitation_id, email))


def require_page() -> None:
    """Raise ConfigurationError if the site has no page for invitations, or does not know its own host.

    The host of a request is chosen by the client: an inviter would have the e-mail lead to a host of their own, which
    then gets the link.
    """
    _path("-")
    if not conf.base_url and "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        raise ConfigurationError(
            "The e-mail of an invitation leads to the host of the site, and ALLOWED_HOSTS accepts each host. Set "
            f"{Conf.base_url.name}."
        )


@hide_frames
def _path(sealed: str) -> str:
    try:
        return reverse("logto_organizations:invitation", args=[sealed])
    except NoReverseMatch:
        raise ConfigurationError(
            "The e-mail of an invitation leads to a page of the console. Include "
            "logto_auth.organizations.console.urls in the URLconf."
        ) from None
