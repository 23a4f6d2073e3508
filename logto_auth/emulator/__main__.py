"""`python -m logto_auth.emulator`: the demo tenant on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from . import Emulator, seed_demo

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
        print(
            f"The emulator does not listen on {options.host}: it is for this machine only, 127.0.0.1.", file=sys.stderr
        )
        return 1
    seed = partial(seed_demo, base_urls=options.base_url) if options.base_url else seed_demo
    try:
        with Emulator(port=options.port, seed=seed).start() as emulator:
            print(_NOTICE)
            print(_summary(emulator), flush=True)
            emulator.wait()
    except OSError as error:
        print(f"{error.strerror} Choose another port with --port.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logto_auth.emulator", description="A small Logto for this machine."
    )
    parser.add_argument(
        "--port", type=_port, default=3001, help="the port to listen on (default 3001; 0 takes a free one)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1 or localhost: nothing else is allowed")
    parser.add_argument(
        "--base-url",
        action="append",
        metavar="URL",
        help="where the site runs, such as http://localhost:8000; may be repeated",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {port}")
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
        "  Accounts (or press a button on the sign-in page):",
        *(f"    {user.username:<12} {user.password}{'   (suspended)' if user.is_suspended else ''}" for user in users),
        "  Ctrl-C stops it.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
