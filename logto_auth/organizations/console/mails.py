"""The e-mail of an invitation: sent by Logto's e-mail connector, or by the site (`LOGTO_INVITATION_SENDER`)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.secrets import hide_frames
from logto_auth.sign_in.start import active_languages
from logto_auth.site_cache import cache_failures_ignored, count
from logto_auth.tenant.organization_console import BY_LOGTO, BY_SITE

from .errors import InvitationNotSent
from .links import invitation_link, require_page
from .rights import Actor

if TYPE_CHECKING:
    from logto_auth.management_api import types

__all__ = ["require_sender", "send_invitation"]

TEMPLATE = "logto_auth/organizations/invitation_{}.txt"
MAX_NAME_LENGTH = 80
# Mail programs make links of texts such as "evil.example", also with the dots of other scripts.
LINK_SIGN = re.compile(r"(://|[.\u2024\u3002\uff0e\uff61])(?=\w)")
# How many invitations one address gets in ten minutes, as Logto limits those of its connector, and how many one user
# sends in an hour.
MAX_PER_ADDRESS, ADDRESS_SECONDS = 10, 600
MAX_PER_USER, USER_SECONDS = 100, 3600
# By the status of Logto's answer.
TEXTS: dict[int, str | Promise] = {
    429: _("The invitation is saved. Too many e-mails were sent: send it again in some minutes."),
    501: _(
        "The invitation is saved, but this site cannot send e-mails now. Tell its operator, and send it again later."
    ),
}


def require_sender() -> None:
    """Raise ConfigurationError if the site cannot send invitations, before there is one."""
    if conf.invitation_sender not in (BY_LOGTO, BY_SITE):
        raise ConfigurationError(
            f"LOGTO_INVITATION_SENDER is {conf.invitation_sender!r}, expected {BY_LOGTO!r} or {BY_SITE!r}."
        )
    require_page()


@hide_frames
def send_invitation(
    actor: Actor, api: ManagementAPI, *, id: str, email: str, organization_name: str, expires_at: datetime
) -> None:
    """Send the e-mail of an invitation. Raise InvitationNotSent."""
    link = invitation_link(actor.request, id, email)
    if _are_too_many(actor, email):
        raise _not_sent(f"The user {actor.sub} has sent too many invitations, or one address got too many.", 429)
    if conf.invitation_sender == BY_LOGTO:
        _send_by_logto(api, id, link)
        return
    context = {
        "organization": _plain(organization_name),
        "inviter": _plain(_full_name(actor.user)),
        "link": link,
        "expires_at": expires_at,
    }
    _send_by_site(email, context)


def _are_too_many(actor: Actor, email: str) -> bool:
    """Return whether this e-mail is one too many. A site whose cache does not work has no limit."""
    with cache_failures_ignored():
        return (
            count("invitations-to", email.lower(), period_seconds=ADDRESS_SECONDS) > MAX_PER_ADDRESS
            or count("invitations-by", actor.sub, period_seconds=USER_SECONDS) > MAX_PER_USER
        )
    return False


def _plain(name: object) -> str:
    """Return a name on one line, shortened, and without links: users choose it, and could send advertisements."""
    return LINK_SIGN.sub(r"\1 ", single_line(name, MAX_NAME_LENGTH))


@hide_frames
def _send_by_logto(api: ManagementAPI, id: str, link: str) -> None:
    payload: types.MessagePayload = {"link": link}
    if languages := active_languages():
        payload["locale"] = languages.partition(" ")[0]
    try:
        api.invitations.send_message(id, payload)
    except LogtoError as error:
        status = error.status if isinstance(error, ManagementAPIError) else 0
        text = f"Logto did not send the e-mail of the invitation {id} ({error.code})."
        raise _not_sent(text, status) from error


@hide_frames
def _send_by_site(email: str, context: dict[str, object]) -> None:
    subject = single_line(render_to_string(TEMPLATE.format("subject"), context))
    message = render_to_string(TEMPLATE.format("message"), context)
    try:
        send_mail(subject, message, None, [email])
    except Exception as error:  # each mail backend raises errors of its own
        # Their texts have the address.
        raise _not_sent(f"The site did not send the e-mail of an invitation ({type(error).__name__}).", 0) from None


def _full_name(user: Any) -> object:
    """Return the name of a Django user. A user model need not have it."""
    get_full_name = getattr(user, "get_full_name", None)
    return get_full_name() if callable(get_full_name) else ""


def _not_sent(text: str, status: int) -> InvitationNotSent:
    error = InvitationNotSent(text, status=429 if status == 429 else None)
    if status in TEXTS:
        error.visitor_message = TEXTS[status]
    return error
