"""The arguments of `manage.py logto_connectors`, and what they give: values from the line, from files, from stdin."""

from __future__ import annotations

import codecs
import sys
from argparse import BooleanOptionalAction
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from logto_auth.exceptions import ConnectorError
from logto_auth.management_api.types import Connector

MAX_FILE_BYTES = 1024 * 1024
STDIN = "-"
# Options that are shorter to write than `--set`.
CONFIG_OPTIONS = {"app_id": "appId", "sign_type": "signType"}
METADATA_OPTIONS = ("target", "name", "logo")
CONNECTOR = "id of a connector, or its factory if it is the only one of it"


def add_to(parser: CommandParser) -> None:
    """Add the subcommands, each with its arguments."""
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> Any:
        added = commands.add_parser(name, help=help, description=help)
        added.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return added

    command("list", "List the connectors, and where each is offered.")
    show = command("show", "Show a connector, without its secrets.")
    show.add_argument("connector", help=CONNECTOR)
    factories = command("factories", "List what connectors can be made of, or what a factory asks for.")
    factories.add_argument("factory", nargs="?", help="such as alipay-native")

    add = command("add", "Add a connector.")
    add.add_argument("factory", help="such as alipay-native; `factories` lists them")
    add.add_argument("--target", help="for factories that serve any provider: the name by which sites ask for it")
    update = command("update", "Change a connector; what is not given stays.")
    update.add_argument("connector", help=CONNECTOR)
    update.add_argument("--unset", action="append", default=[], metavar="KEY", help="remove KEY from the config")
    for each in (add, update):
        _add_config_options(each)
    _add_yes(add)

    remove = command("remove", "Delete a connector.")
    remove.add_argument("connector", help=CONNECTOR)
    _add_yes(remove)
    test = command("test", "Have Logto send a message by a connector for e-mail or SMS.")
    test.add_argument("connector", help=CONNECTOR)
    test.add_argument("recipient", help="an e-mail address, or a telephone number with its country code")

    enable = command("enable", "Offer a social connector on the sign-in page, after those that are offered already.")
    enable.add_argument("target", help="a target such as alipay, or a social connector by its id or factory")
    enable.add_argument("--social-only", action="store_true", help="take all other ways to sign in and up away")
    disable = command("disable", "No longer offer a social connector.")
    disable.add_argument("target", help="a target such as alipay, or a social connector by its id or factory")
    for each in (enable, disable):
        _add_yes(each)

    keys = command("alipay-keys", "Make an RSA key pair for Alipay, and print the public key as Alipay wants it.")
    keys.add_argument("--out", default="private.pem", metavar="FILE", help="where the private key goes: %(default)s")
    keys.add_argument("--public-out", metavar="FILE", help="where the public key goes too")
    keys.add_argument("--private-key-file", metavar="FILE", help="print the public key of this one; make no new pair")


def _add_config_options(parser: Any) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a value of the config; KEY=@FILE takes it from a file, KEY=@- from standard input",
    )
    parser.add_argument("--app-id", help="the same as --set appId=...")
    parser.add_argument("--private-key-file", metavar="FILE", help="the same as --set privateKey=@FILE")
    parser.add_argument("--sign-type", help="the same as --set signType=...")
    parser.add_argument("--name", help="for factories that serve any provider: the name on the button")
    parser.add_argument("--logo", help="for factories that serve any provider: address of the picture on the button")
    parser.add_argument(
        "--sync-profile",
        action=BooleanOptionalAction,
        default=None,
        help="take over name and picture at each sign-in, not at the first alone",
    )


def _add_yes(parser: Any) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def given_config(options: Mapping[str, Any]) -> dict[str, str]:
    """What the arguments say of a config: text by key. Raises ConnectorError."""
    given = {key: options[name] for name, key in CONFIG_OPTIONS.items() if options[name] is not None}
    if options["private_key_file"] is not None:
        given["privateKey"] = read_text(options["private_key_file"])
    for assignment in options["set"]:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise ConnectorError("--set takes KEY=VALUE, KEY=@FILE or KEY=@-.")
        # Files end with a line break that belongs to no value.
        given[key] = read_text(value[1:]).rstrip("\r\n") if value.startswith("@") else value
    return given


def given_metadata(options: Mapping[str, Any], maker: Connector) -> dict[str, Any]:
    """What the arguments say of a connector beside its config, as Logto takes it. Raises ConnectorError.

    `maker` is the factory of a new connector, or the connector that is to be changed.
    """
    given = {name: options[name] for name in METADATA_OPTIONS if options.get(name)}
    stored = maker.get("metadata") or {}
    more: dict[str, Any] = {}
    if given and not maker.get("isStandard"):
        raise ConnectorError(f"This factory has its own target, name and logo: leave out --{', --'.join(given)}.")
    if maker.get("isStandard") and not {"target"} & {*given, *stored}:
        raise ConnectorError("This factory serves any provider. Say which: --target, a short name such as `github`.")
    if given:
        named = {"name": {"en": given["name"]}} if "name" in given else {}
        more["metadata"] = {**stored, **given, **named}
    if options["sync_profile"] is not None:
        more["syncProfile"] = options["sync_profile"]
    return more


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`. Raises ConnectorError.

    Byte order marks do not count, and UTF-16 is read as well, for so some editors and shells on Windows save.
    """
    if path == STDIN:
        return sys.stdin.read()
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConnectorError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ConnectorError(f"{path} has more than {MAX_FILE_BYTES} bytes, which no config needs.")
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConnectorError(f"{path} is not text. A key in DER becomes PEM by `openssl pkey -inform DER`.") from error
