"""The command `python -m logto_auth.emulator`, which runs the demo tenant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from . import Emulator, seed_demo
from .versions import DEFAULT, VERSIONS

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_NOTICE = """\
================================================================================
  LOGTO EMULATOR: for development and tests only. NOT A PRODUCTION SERVER.
  Anyone who can reach it can sign in as anyone. It listens on 127.0.0.1 only.
================================================================================"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until Ctrl-C and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.host not in _LOOPBACK:
        print(f"The emulator listens on 127.0.0.1 only, not on {options.host}.", file=sys.stderr)
        return 1
    seed = partial(seed_demo, base_urls=options.base_url) if options.base_url else seed_demo
    try:
        with Emulator(port=options.port, like=options.like, seed=seed).start() as emulator:
            print(_NOTICE)
            print(_summary(emulator), flush=True)
            emulator.wait()
    except OSError as error:
        print(f"{error.strerror} Use --port to choose another port.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logto_auth.emulator", description="Run a Logto emulator on the local machine."
    )
    parser.add_argument(
        "--port", type=_port, default=3001, help="the port to listen on (default 3001; 0 uses a free port)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1 or localhost; other hosts are refused")
    parser.add_argument(
        "--like",
        choices=VERSIONS,
        default=DEFAULT,
        help=f"the version of Logto (default {DEFAULT}; head is Logto's development head)",
    )
    parser.add_argument(
        "--base-url",
        action="append",
        metavar="URL",
        help="URL of the site, such as http://localhost:8000; may be repeated",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, not {port}")
    return port


def _summary(emulator: Emulator) -> str:
    application = next(iter(emulator.tenant.applications.values()))
    users = emulator.tenant.users.values()
    lines = [
        f"  Endpoint      {emulator.endpoint}",
        f"  Issuer        {emulator.issuer}",
        f"  App ID        {application.id}",
        f"  App secret    {application.secret}",
        f"  Redirect URIs {', '.join(application.redirect_uris)}",
        "  Accounts (the sign-in page has a button for each):",
        *(f"    {user.username:<12} {user.password}{'   (suspended)' if user.is_suspended else ''}" for user in users),
        "  Press Ctrl-C to stop.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
