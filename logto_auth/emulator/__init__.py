"""A small Logto for development and tests. It keeps everything in memory and is not for production.

    with run_in_thread(seed=seed_demo) as emulator:
        callback = Visitor(emulator).sign_in(authorization_url, "customer")

Import only the names in `__all__`; all modules below are private. `oidc` is the OpenID Connect provider, `pages` is
what a user sees, `management_api` is Logto's Management API, `webhook_delivery` sends events, and `state` holds the
data of all of them. `faults` makes the emulator misbehave, `server` runs it, and `visitors` are test users.
"""

import sys as _sys

try:
    import authlib as _authlib
    import flask as _flask
    import joserfc as _joserfc
except ImportError as error:
    _text = f'The Logto emulator needs {error.name}, which is not installed: pip install "logto_auth[emulator]"'
    # `python -m logto_auth.emulator`, which should show no traceback: https://docs.python.org/3/using/cmdline.html
    if _sys.argv[0] == "-m":
        _sys.exit(_text)
    raise ImportError(_text) from error

from .faults import Faults, HttpFault
from .listening import PortInUse
from .provider import Provider
from .server import Emulator, run_in_thread
from .state.application_record import Application
from .state.clock import Clock
from .state.password_digests import PasswordDigest
from .state.records import AlipayAccount, Organization, User
from .state.seeds import seed_demo
from .state.tenant import Tenant
from .state.tenant_tables import DuplicateError
from .state.totp import totp_code
from .versions import DEFAULT as DEFAULT_VERSION
from .visitors.browser import VisitFailed, Visitor
from .visitors.native_app import NativeVisitor

__all__ = [
    "DEFAULT_VERSION",
    "AlipayAccount",
    "Application",
    "Clock",
    "DuplicateError",
    "Emulator",
    "Faults",
    "HttpFault",
    "NativeVisitor",
    "Organization",
    "PasswordDigest",
    "PortInUse",
    "Provider",
    "Tenant",
    "User",
    "VisitFailed",
    "Visitor",
    "run_in_thread",
    "seed_demo",
    "totp_code",
]

del _authlib, _flask, _joserfc, _sys
