"""A small Logto for development and tests: on this machine only, all in memory, no match for a real one in production.

    with run_in_thread(seed=seed_demo) as emulator:
        callback = Visitor(emulator).sign_in(authorization_url, "customer")

The tour: `store` and `tenant` hold what an administrator sets up, `instances` what the provider remembers between
requests; `authorization`, `token_endpoints`, `userinfo` and `end_session` are the endpoints, the modules called `pages`
are what a person sees; `management_api` is what an administrator calls, `webhooks` tells others of it; `faults` makes
it misbehave; `server` runs it, `browser` and `native_browser` visit it.
"""

try:
    import authlib as _authlib
    import flask as _flask
    import joserfc as _joserfc
except ImportError as error:
    raise ImportError(
        f'The Logto emulator needs {error.name}, which is not installed: pip install "logto_auth[emulator]"'
    ) from error

from .app import create_app
from .browser import VisitFailed, Visitor
from .faults import Faults, HttpFault
from .native_browser import NativeVisitor
from .provider import Provider
from .seeds import seed_demo
from .server import Emulator, PortInUse, run_in_thread
from .tenant import DuplicateError, Tenant

__all__ = [
    "DuplicateError",
    "Emulator",
    "Faults",
    "HttpFault",
    "NativeVisitor",
    "PortInUse",
    "Provider",
    "Tenant",
    "VisitFailed",
    "Visitor",
    "create_app",
    "run_in_thread",
    "seed_demo",
]

del _authlib, _flask, _joserfc
