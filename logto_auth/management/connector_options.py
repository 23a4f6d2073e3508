"""The arguments of `manage.py logto_connectors`, and their values: from the command line, from files or from stdin."""

from __future__ import annotations

import codecs
import sys
from argparse import BooleanOptionalAction
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from logto_auth.connectors.sign_in_page import NO_SIGN_UP_IDENTIFIER, SOCIAL_ONLY
from logto_auth.exceptions import ConnectorError

from . import arguments
from .command import add_examples

if TYPE_CHECKING:
    from logto_auth.management_api.types import Connector, ConnectorChanges, ConnectorFactory

__all__ = ["add_subcommands", "given_config", "given_properties", "read_text"]

MAX_FILE_BYTES = 1024 * 1024
STDIN = "-"
# Options that are short for `--set`.
CONFIG_OPTIONS = {"app_id": "appId", "sign_type": "signType"}
METADATA_OPTIONS = ("target", "name", "logo")
# The arguments in the examples of `--help`, by subcommand.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "list": ("", "--json"),
    "show": ("alipay-web",),
    "factories": ("", "alipay-web"),
    "add": (
        "alipay-web --app-id 2021000000000000 --private-key-file private.pem",
        "simple-mail-transfer-protocol --set host=smtp.shop.example --set auth=@auth.json",
    ),
    "update": ("alipay-web --sync-profile", "alipay-web --unset charset"),
    "remove": ("alipay-web",),
    "test": ("simple-mail-transfer-protocol you@shop.example",),
    "enable": ("alipay", "alipay --no-sign-up-identifier"),
    "disable": ("alipay",),
    "restore": ("@before.json",),
    "alipay-keys": ("--out private.pem --public-out public.txt",),
}
CONNECTOR = "id of a connector, or its factory if that has only one connector"
TARGET = "a target such as alipay, or the id or factory of a social connector"


def add_subcommands(parser: CommandParser) -> None:
    """Add the subcommands with their arguments."""
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> Any:
        added = commands.add_parser(name, help=help, description=help)
        arguments.add_json(added)
        arguments.add_common(added)
        add_examples(added, *(f"logto_connectors {name} {rest}".rstrip() for rest in EXAMPLES[name]))
        return added

    command("list", "List the connectors, and where each one is offered.")
    show = command("show", "Show a connector, without its secrets.")
    show.add_argument("connector", help=CONNECTOR)
    factories = command("factories", "List the factories of connectors, or the form of one factory.")
    factories.add_argument("factory", nargs="?", help="such as alipay-native")

    add = command("add", "Add a connector.")
    add.add_argument("factory", help="such as alipay-native; `factories` lists all")
    add.add_argument("--target", help="for generic factories such as oidc: the name of the target")
    update = command("update", "Change a connector. Values that are not given stay.")
    update.add_argument("connector", help=CONNECTOR)
    update.add_argument("--unset", action="append", default=[], metavar="KEY", help="remove KEY from the config")
    for each in (add, update):
        _add_config_options(each)
    arguments.add_yes(add)

    remove = command("remove", "Delete a connector.")
    remove.add_argument("connector", help=CONNECTOR)
    arguments.add_yes(remove)
    test = command("test", "Send a test message by a connector for e-mail or SMS.")
    test.add_argument("connector", help=CONNECTOR)
    test.add_argument("recipient", help="an e-mail address, or a phone number with country code")

    enable = command("enable", "Offer a social connector on the sign-in page, after the others.")
    enable.add_argument("target", help=TARGET)
    methods = enable.add_mutually_exclusive_group()
    for option, emptied, help in (
        ("--no-sign-up-identifier", NO_SIGN_UP_IDENTIFIER, "set the sign-up identifier to not applicable"),
        ("--social-only", SOCIAL_ONLY, "remove all other methods to sign in and sign up"),
    ):
        methods.add_argument(option, dest="emptied", action="store_const", const=emptied, default={}, help=help)
    disable = command("disable", "Stop offering a social connector.")
    disable.add_argument("target", help=TARGET)
    restore = command("restore", "Restore the methods to sign in and sign up that `enable` has replaced.")
    restore.add_argument("previous", help="JSON that `enable` printed; @FILE reads a file, @- standard input")
    for each in (enable, disable, restore):
        arguments.add_yes(each)

    keys = command(
        "alipay-keys", "Create an RSA key pair for Alipay, and print the public key in the form that Alipay expects."
    )
    keys.add_argument(
        "--out", default="private.pem", metavar="FILE", help="file for the private key. Default: %(default)s"
    )
    keys.add_argument("--public-out", metavar="FILE", help="file for the public key")
    keys.add_argument(
        "--private-key-file", metavar="FILE", help="print the public key of this private key; create no new pair"
    )


def _add_config_options(parser: Any) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a value of the config; KEY=@FILE reads it from a file, KEY=@- from standard input",
    )
    parser.add_argument("--app-id", help="short for --set appId=...")
    parser.add_argument("--private-key-file", metavar="FILE", help="short for --set privateKey=@FILE")
    parser.add_argument("--sign-type", help="short for --set signType=...")
    parser.add_argument("--name", help="for generic factories: name on the button")
    parser.add_argument("--logo", help="for generic factories: URL of the image on the button")
    parser.add_argument(
        "--sync-profile",
        action=BooleanOptionalAction,
        default=None,
        help="update name and picture at each sign-in, instead of the first only",
    )


def given_config(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the config values in the options, as text by key. Raise ConnectorError."""
    given = {key: options[name] for name, key in CONFIG_OPTIONS.items() if options[name] is not None}
    if options["private_key_file"] is not None:
        given["privateKey"] = read_text(options["private_key_file"])
    for assignment in options["set"]:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise ConnectorError("--set: expected KEY=VALUE, KEY=@FILE or KEY=@-.")
        # The line break at the end of a file is not part of the value.
        given[key] = read_text(value[1:]).rstrip("\r\n") if value.startswith("@") else value
    return given


def given_properties(options: Mapping[str, Any], source: Connector | ConnectorFactory) -> ConnectorChanges:
    """Return `metadata` and `syncProfile` from the options, for a request to Logto. Raise ConnectorError.

    `source` is the factory of a new connector, or the connector to change.
    """
    given = {name: options[name] for name in METADATA_OPTIONS if options.get(name)}
    stored: Any = source.get("metadata") or {}
    properties: ConnectorChanges = {}
    if given and not source.get("isStandard"):
        raise ConnectorError(f"This factory has a fixed target, name and logo. Omit --{', --'.join(given)}.")
    if source.get("isStandard") and not {"target"} & {*given, *stored}:
        raise ConnectorError(
            "This factory is generic and needs a target. Pass --target with a short name such as github."
        )
    if given:
        named = {"name": {"en": given["name"]}} if "name" in given else {}
        metadata: Any = {**stored, **given, **named}
        properties["metadata"] = metadata
    if options["sync_profile"] is not None:
        properties["syncProfile"] = options["sync_profile"]
    return properties


def read_text(path: str) -> str:
    """Return the text of a file, or of standard input if `path` is `-`. Raise ConnectorError.

    UTF-16 and byte order marks are accepted, because some editors and shells on Windows write them.
    """
    if path == STDIN:
        return sys.stdin.read()
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConnectorError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ConnectorError(f"{path} has more than {MAX_FILE_BYTES} bytes. Expected the file of a single value.")
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConnectorError(
            f"{path} is not a text file. `openssl pkey -inform DER` converts a DER key to PEM."
        ) from error
