"""The command `python -m logto_auth.emulator`, which runs the demo tenant."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from . import Emulator, seed_demo
from .listening import LOOPBACK, is_loopback
from .state.records import OPEN_SOURCE_RESOURCE
from .versions import DEFAULT, VERSIONS

_NOTICE = """\
================================================================================
  LOGTO EMULATOR: for development and tests only. NOT A PRODUCTION SERVER.
  Anyone who can reach it can sign in as anyone. {reach}
================================================================================"""


# Ctrl-C in a terminal reaches the other command too, which stops in its own way within this time.
_SECONDS_TO_STOP = 3
_EXAMPLES = """\
examples:
  python -m logto_auth.emulator
  python -m logto_auth.emulator -- python manage.py runserver
  python -m logto_auth.emulator --base-url http://localhost:8080
  python -m logto_auth.emulator --port 0 --json > emulator.json"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until Ctrl-C, or until the command that it has been given ends. Return the exit code."""
    _accept_any_text()
    options = _parser().parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    seed = partial(seed_demo, base_urls=options.base_url) if options.base_url else seed_demo
    try:
        emulator = Emulator(
            port=options.port,
            host=options.host,
            public_endpoint=options.public_endpoint,
            expose_to_network=options.expose_to_network,
            cloud_tenant=options.cloud,
            like=options.like,
            outbound_guard=options.outbound_guard,
            loopback_client_documents=options.loopback_client_documents,
            seed=seed,
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        with emulator.start():
            if options.json:
                print(json.dumps(_summary_data(emulator)), flush=True)
            else:
                print(_NOTICE.format(reach=_reach(options.host)))
                print(_summary(emulator), flush=True)
            if command:
                return _run(command, emulator)
            emulator.wait()
    except OSError as error:
        print(f"{error.strerror} Use --port to choose another port.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr if options.json else sys.stdout)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m logto_auth.emulator",
        description="Run a Logto emulator on the local machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_port, default=3001, help="the port to listen on (default 3001; 0 uses a free port)"
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help=f"the address to listen on (default {LOOPBACK}); one that other machines can reach needs "
        "--expose-to-network",
    )
    parser.add_argument(
        "--expose-to-network",
        action="store_true",
        help="allow a --host that other machines can reach; anyone who can reach the emulator can sign in as anyone",
    )
    parser.add_argument(
        "--public-endpoint",
        default="",
        metavar="URL",
        help="the origin that browsers use, and the issuer's, such as http://localhost:3001; default: that of --host",
    )
    parser.add_argument(
        "--cloud",
        default="",
        metavar="TENANT",
        help="be this tenant of Logto Cloud, with the public endpoint as its custom domain",
    )
    parser.add_argument(
        "--like",
        choices=VERSIONS,
        default=DEFAULT,
        help=f"the version of Logto (default {DEFAULT}; head is Logto's development head)",
    )
    parser.add_argument(
        "--no-outbound-guard",
        dest="outbound_guard",
        action="store_false",
        help="let back-channel logouts reach loopback and private addresses, such as a site on this machine",
    )
    parser.add_argument(
        "--loopback-client-documents",
        action="store_true",
        help="with --like head: read documents of dynamic clients (CIMD) from https URLs of this machine, which no "
        "Logto does",
    )
    parser.add_argument(
        "--base-url",
        action="append",
        metavar="URL",
        help="URL of the site, such as http://localhost:8000; may be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="print what the site needs to know as JSON, on one line, when it is ready"
    )
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="-- COMMAND",
        help="run this command with LOGTO_ENDPOINT, LOGTO_APP_ID and LOGTO_APP_SECRET of the emulator, and stop when "
        "it ends: -- python manage.py runserver",
    )
    return parser


def _run(command: Sequence[str], emulator: Emulator) -> int:
    """Run the command with the credentials of the first application in its environment, and return its exit code."""
    application = next(iter(emulator.tenant.applications.values()))
    variables = {
        "LOGTO_ENDPOINT": emulator.endpoint,
        "LOGTO_APP_ID": application.id,
        "LOGTO_APP_SECRET": application.secret,
    }
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})  # noqa: S603 - the user's own command
    except OSError as error:
        print(f"{command[0]} does not start: {error.strerror}.", file=sys.stderr)
        return 1
    try:
        code = process.wait()
    except KeyboardInterrupt:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_TO_STOP)
        process.terminate()
        code = process.wait()
    # As a shell reports a process that a signal has ended.
    return code if code >= 0 else 128 - code


def _accept_any_text() -> None:
    """Escape characters that the terminal or the file cannot show, where Python would end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _reach(host: str) -> str:
    """Return which machines can reach the emulator, in words."""
    if is_loopback(host):
        return f"It listens on {host} only."
    return f"\n  WARNING: IT LISTENS ON {host}, AND OTHER MACHINES CAN REACH IT."


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, such as 3001, not {text!r:.50}")
    return int(text)


def _summary(emulator: Emulator) -> str:
    application = next(iter(emulator.tenant.applications.values()))
    users = emulator.tenant.users.values()
    resource = emulator.tenant.management_api_resource
    lines = [
        f"  Endpoint      {emulator.endpoint}",
        f"  Issuer        {emulator.issuer}",
        f"  App ID        {application.id}",
        f"  App secret    {application.secret}",
        f"  Redirect URIs {', '.join(application.redirect_uris)}",
        f"  Logto         {emulator.like}{_guard_notice(emulator)}",
        *([f"  Management API {resource}"] if resource != OPEN_SOURCE_RESOURCE else []),
        "  Accounts (the sign-in page has a button for each):",
        *(f"    {user.username:<12} {user.password}{'   (suspended)' if user.is_suspended else ''}" for user in users),
        "  Press Ctrl-C to stop.",
    ]
    if emulator.loopback_client_documents:
        lines.insert(-1, "  Dynamic clients may have their documents on this machine, which no Logto allows.")
    return "\n".join(lines)


def _summary_data(emulator: Emulator) -> dict[str, Any]:
    """Return what the site needs to know, for JSON."""
    application = next(iter(emulator.tenant.applications.values()))
    return {
        "endpoint": emulator.endpoint,
        "issuer": emulator.issuer,
        "app_id": application.id,
        "app_secret": application.secret,
        "redirect_uris": list(application.redirect_uris),
        "logto": emulator.like,
        "outbound_guard": emulator.tenant.version.has_outbound_guard and emulator.outbound_guard,
        "management_api_resource": emulator.tenant.management_api_resource,
        "accounts": [
            {"username": user.username, "password": user.password, "suspended": user.is_suspended}
            for user in emulator.tenant.users.values()
        ],
    }


def _guard_notice(emulator: Emulator) -> str:
    if not emulator.tenant.version.has_outbound_guard:
        return ""
    if emulator.outbound_guard:
        return ", no back-channel logout to sites on this machine (--no-outbound-guard)"
    return ", back-channel logout to sites on this machine"


if __name__ == "__main__":
    sys.exit(main())
