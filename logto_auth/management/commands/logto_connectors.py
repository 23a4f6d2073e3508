"""`manage.py logto_connectors`: the connector pages of the Logto Console as a command, and keys for Alipay."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.connectors import actions, alipay, config, lookup, sign_in_page
from logto_auth.connectors.forms import form_items
from logto_auth.exceptions import ConfigurationError, ConnectorError, LogtoError
from logto_auth.management import connector_output as output
from logto_auth.management.command import LogtoCommand
from logto_auth.management.confirmation import confirm
from logto_auth.management.connector_options import add_subcommands, given_config, given_properties, read_text
from logto_auth.management.texts import terminal_width
from logto_auth.management_api import ManagementAPI

if TYPE_CHECKING:
    from logto_auth.management_api.types import Connector

__all__ = ["Command"]


class Command(LogtoCommand):
    help = "List, add, change and offer connectors to other sign-in services, and create keys for Alipay."
    # The command is used during set-up, when settings of the site may still be missing.
    requires_system_checks: tuple[str, ...] = ()
    examples = (
        "logto_connectors list",
        "logto_connectors factories alipay-web",
        "logto_connectors add alipay-web --app-id 2021000000000000 --private-key-file private.pem",
        "logto_connectors enable alipay",
    )
    interrupted = "Interrupted. `logto_connectors list` shows the current state."

    def add_arguments(self, parser: CommandParser) -> None:
        add_subcommands(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_confirmed = options.get("yes", False)
        try:
            getattr(self, "do_" + options["subcommand"].replace("-", "_"))(options)
        except (ConfigurationError, LogtoError) as error:
            raise CommandError(str(error)) from error

    @cached_property
    def api(self) -> ManagementAPI:
        return management_api()

    @cached_property
    def connectors(self) -> list[Connector]:
        return list(self.api.connectors.all())

    @cached_property
    def experience(self) -> Mapping[str, Any]:
        return self.api.sign_in_experience.get()

    # Show

    def do_list(self, options: dict[str, Any]) -> None:
        targets = self.experience[sign_in_page.TARGETS]
        rows = [output.connector_row(each, targets) for each in self.connectors]
        self._print(rows, self._table(rows) or "No connectors. `factories` lists what can be added.")

    def do_show(self, options: dict[str, Any]) -> None:
        connector = lookup.find_connector(self.connectors, options["connector"])
        details = output.connector_details(connector, self.experience[sign_in_page.TARGETS], conf.endpoint)
        self._print(details, output.listed(details))
        self._warn_about_config(connector)

    def do_factories(self, options: dict[str, Any]) -> None:
        if options["factory"]:
            factory = lookup.find_factory(self.api, options["factory"])
            data = {
                "factory": factory["id"],
                "form": form_items(factory),
                "config_template": factory.get("configTemplate"),
            }
            self._print(data, output.form_text(factory))
        else:
            rows = [output.factory_row(each) for each in self.api.connectors.factories()]
            self._print(rows, self._table(rows))

    # Changes

    def do_add(self, options: dict[str, Any]) -> None:
        factory = lookup.find_factory(self.api, options["factory"])
        properties = given_properties(options, factory)
        new_config = config.new_config(factory, given_config(options))
        if replaced := actions.replaced_by(factory, self.connectors):
            self._confirm(f"Logto keeps one connector of this type. It will delete: {lookup.describe(replaced)}.")
        added = actions.create(self.api, factory, new_config, properties)
        data, lines = {"id": added["id"], "factory": factory["id"]}, [f"Added {lookup.describe([added])}."]
        if added["type"] == "Social":
            data["callback_uri"] = lookup.callback_uri(conf.endpoint, added)
            lines.append(f"Callback URL to register at the provider: {data['callback_uri']}")
            lines.append(f"To offer it: manage.py logto_connectors enable {added['target']}")
        self._print(data, *lines)
        if added["type"] == "Social":
            self._warn_if_native_only([*self.connectors, added], added["target"])

    def do_update(self, options: dict[str, Any]) -> None:
        connector = lookup.find_connector(self.connectors, options["connector"])
        properties = given_properties(options, connector)
        updated_config = config.updated_config(connector, given_config(options), unset=options["unset"])
        changed = [*config.changed_keys(connector["config"], updated_config), *properties]
        if changed:
            actions.update(self.api, connector, updated_config, properties)
        text = f"Changed in {lookup.describe([connector])}: {', '.join(changed)}." if changed else "Nothing to change."
        self._print({"id": connector["id"], "changed": changed}, text)

    def do_remove(self, options: dict[str, Any]) -> None:
        connector = lookup.find_connector(self.connectors, options["connector"])
        target, others = connector["target"], [each for each in self.connectors if each is not connector]
        question = [f"This deletes a connector with its config: {lookup.describe([connector])}."]
        if target not in [each["target"] for each in others]:
            changes = sign_in_page.without_target(self.experience, target)
            question += [f"Users will no longer be able to sign in with {target}."] if changes else []
            question += self._last_method_warning(changes)
        self._confirm(*question)
        self.api.connectors.delete(connector["id"])
        self._print({"removed": connector["id"]}, f"Removed {lookup.describe([connector])}.")

    def do_test(self, options: dict[str, Any]) -> None:
        connector = lookup.find_connector(self.connectors, options["connector"])
        actions.send_test_message(self.api, connector, options["recipient"])
        self._print({"sent_to": options["recipient"]}, f"Logto has sent a message to {options['recipient']}.")

    # The sign-in page

    def do_enable(self, options: dict[str, Any]) -> None:
        target = sign_in_page.find_target(self.connectors, options["target"])
        changes = sign_in_page.with_target(self.experience, target, emptied=options["emptied"])
        if removed := sign_in_page.other_methods(self.experience, changes):
            self._confirm(*(f"Users will no longer be able to {method}." for method in removed), *self._rest(changes))
        self._apply(changes, f"{target} is offered already.")
        self._warn_if_native_only(self.connectors, target)
        if identifiers := sign_in_page.requires_sign_up_identifier({**self.experience, **changes}):
            self.warn(
                f"After the first sign-in with {target}, Logto asks new users for: {', '.join(identifiers)}. "
                f"`enable {target} --no-sign-up-identifier` turns this off."
            )

    def _rest(self, changes: Mapping[str, Any]) -> list[str]:
        """Return what remains to sign in with, if `changes` removes the other methods."""
        if "signIn" not in changes:
            return []
        left = {**self.experience, **changes}[sign_in_page.TARGETS]
        remaining = [f"Remaining: {', '.join(left)}."]
        if not sign_in_page.browser_targets(self.connectors, left):
            remaining.append("Browsers show none of these. Users will not be able to sign in to a website.")
        return remaining

    def do_restore(self, options: dict[str, Any]) -> None:
        given = options["previous"]
        previous = read_text(given[1:]) if given.startswith("@") else given
        changes = sign_in_page.restored_sections(self.experience, previous)
        if changes:
            self._confirm(
                "This replaces the following sections of Logto's sign-in experience:",
                *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in changes.items()),
            )
        self._apply(changes, "The sign-in experience is as given.")

    def do_disable(self, options: dict[str, Any]) -> None:
        target = options["target"]
        if target not in self.experience[sign_in_page.TARGETS]:
            target = sign_in_page.find_target(self.connectors, target)
        changes = sign_in_page.without_target(self.experience, target)
        if warning := self._last_method_warning(changes):
            self._confirm(*warning)
        self._apply(changes, f"{target} was not offered.")

    def _last_method_warning(self, changes: Mapping[str, Any]) -> list[str]:
        is_last = bool(changes) and sign_in_page.has_no_sign_in({**self.experience, **changes})
        return ["This is the last sign-in method. Users will no longer be able to sign in."] if is_last else []

    def _apply(self, changes: Mapping[str, Any], unchanged: str) -> None:
        targets = sign_in_page.apply_changes(self.api, changes) if changes else self.experience[sign_in_page.TARGETS]
        lines = [f"Offered: {', '.join(targets) or 'none'}."]
        data: dict[str, Any] = {"targets": targets, "changed": list(changes)}
        if not changes:
            lines.insert(0, f"{unchanged} Nothing to change.")
        if previous := sign_in_page.previous_sections(self.experience, changes):
            data["before"] = previous
            lines.append(f"To undo: manage.py logto_connectors restore {shlex.quote(json.dumps(previous))}")
        self._print(data, *lines)

    # Alipay's keys

    def do_alipay_keys(self, options: dict[str, Any]) -> None:
        path, lines = options["private_key_file"], []
        if path:
            key = self._key_in(path)
        else:
            path, key = options["out"], alipay.make_private_key()
            alipay.write_new_file(Path(path), key.pem)
            lines.append(f"Private key: {path}. Keep it secret, and do not commit it.")
        if options["public_out"]:
            alipay.write_new_file(Path(options["public_out"]), key.public_key)
        data = {"private_key_file": path, "public_key": key.public_key}
        self._print(data, *lines, "Public key for Alipay's console:", key.public_key)

    def _key_in(self, path: str) -> alipay.PrivateKey:
        text = read_text(path)
        try:
            return alipay.read_private_key(text)
        except ConnectorError as error:
            raise CommandError(f"{path}: {error}") from error

    # Output

    def _print(self, data: Any, *lines: str) -> None:
        self.result = data
        self.say(*lines)

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> str:
        return output.table(rows, terminal_width(self.stdout))

    def _warn_about_config(self, connector: Connector) -> None:
        try:
            corrected = config.updated_config(connector, {})
        except ConnectorError as error:
            self.warn(f"The config is invalid.\n{error}")
        else:
            if keys := config.changed_keys(connector["config"], corrected):
                self.warn(f"`update {connector['id']}` would correct {', '.join(keys)}.")
        if unknown := config.unknown_keys(connector):
            self.warn(f"Not in the form: {', '.join(unknown)}. `update {connector['id']} --unset KEY` removes a key.")

    def _warn_if_native_only(self, existing: Sequence[Connector], target: str) -> None:
        if sign_in_page.browser_targets(existing, [target]):
            return
        (native, *_) = (each["connectorId"] for each in existing if each["target"] == target)
        self.warn(
            f"Browsers do not show native connectors, only apps with Logto's SDK do. For a website, add "
            f"{native.removesuffix('-native')}-web. It has the same target, so users have one account for both."
        )

    def _confirm(self, *warning: str) -> None:
        """Print a warning and ask for confirmation. Raise CommandError if it is not given."""
        self.warn("\n".join(warning))
        confirm(self, is_confirmed=self.is_confirmed)
