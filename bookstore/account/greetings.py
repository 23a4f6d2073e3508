"""The messages after a sign-in and a sign-out."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from logto_auth.signals import signed_in, signed_out

from .names import display_name

GREETED = "bookstore_greeted"


def connect() -> None:
    """Show the messages from now on."""
    signed_in.connect(greet)
    signed_out.connect(say_goodbye)


def disconnect() -> None:
    """Show them no longer: for tests of pages that have messages of their own."""
    signed_in.disconnect(greet)
    signed_out.disconnect(say_goodbye)


def greet(request: HttpRequest, user: Any, claims: dict[str, Any], **signal: Any) -> None:
    """Say who is signed in, once in a session: Logto confirms a session that lasts, and sends the signal again."""
    if request.session.get(GREETED) == user.pk:
        return
    request.session[GREETED] = user.pk
    messages.success(request, _("You are signed in as %(name)s.") % {"name": display_name(user, claims)})


def say_goodbye(request: HttpRequest, **signal: Any) -> None:
    """Say that the user is signed out. The message is in a cookie while the browser is at Logto."""
    messages.info(request, _("You are signed out."))
