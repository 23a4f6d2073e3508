"""`manage.py logto_connectors`: what the Console's pages about connectors do, and keys for Alipay."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.connectors import alipay, connectors, sign_in_page
from logto_auth.exceptions import ConfigurationError, ConnectorError, LogtoError
from logto_auth.management import connector_tables as tables
from logto_auth.management.connector_options import add_to, given_config, given_metadata, read_text
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import Connector


class Command(BaseCommand):
    help = "Lists, adds, changes and offers connectors to other sign-in services, and makes keys for Alipay."
    # It sets things up: the site's own settings may still be missing.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_json, self.is_sure = options["json"], options.get("yes", False)
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
    def experience(self) -> dict[str, Any]:
        return self.api.sign_in_experience.get()

    # What there is

    def do_list(self, options: dict[str, Any]) -> None:
        targets = self.experience[sign_in_page.TARGETS]
        rows = [tables.connector_row(each, targets) for each in self.connectors]
        self._say(rows, tables.table(rows) or "No connectors. `factories` lists what they can be made of.")

    def do_show(self, options: dict[str, Any]) -> None:
        connector = connectors.find(self.connectors, options["connector"])
        details = tables.connector_details(connector, self.experience[sign_in_page.TARGETS], conf.endpoint)
        self._say(details, tables.listed(details))
        self._note_what_is_wrong(connector)

    def do_factories(self, options: dict[str, Any]) -> None:
        if options["factory"]:
            items = connectors.find_factory(self.api, options["factory"])["formItems"]
            self._say(items, tables.table([tables.form_row(item) for item in items]))
        else:
            rows = [tables.factory_row(each) for each in self.api.connectors.factories()]
            self._say(rows, tables.table(rows))

    # Changes

    def do_add(self, options: dict[str, Any]) -> None:
        factory = connectors.find_factory(self.api, options["factory"])
        more = given_metadata(options, factory)
        config = connectors.new_config(factory, given_config(options))
        if replaced := connectors.replaced_by(factory, self.connectors):
            self._confirm(f"Logto keeps one connector of this kind. To be deleted: {connectors.named(replaced)}.")
        added = connectors.create(self.api, factory, config, **more)
        data, lines = {"id": added["id"], "factory": factory["id"]}, [f"Added {connectors.named([added])}."]
        if added["type"] == "Social":
            data["callback_uri"] = connectors.callback_uri(conf.endpoint, added)
            lines.append(f"Callback address, to be registered at the provider: {data['callback_uri']}")
            lines.append(f"To offer it: manage.py logto_connectors enable {added['target']}")
        self._say(data, *lines)
        if added["type"] == "Social":
            self._note_what_browsers_lack([*self.connectors, added], added["target"])

    def do_update(self, options: dict[str, Any]) -> None:
        connector = connectors.find(self.connectors, options["connector"])
        more = given_metadata(options, connector)
        config = connectors.changed_config(connector, given_config(options), unset=options["unset"])
        changed = [*connectors.differences(connector["config"], config), *more]
        if changed:
            connectors.update(self.api, connector, config, **more)
        told = f"Changed in {connectors.named([connector])}: {', '.join(changed)}." if changed else "Nothing to change."
        self._say({"id": connector["id"], "changed": changed}, told)

    def do_remove(self, options: dict[str, Any]) -> None:
        connector = connectors.find(self.connectors, options["connector"])
        target, others = connector["target"], [each for each in self.connectors if each is not connector]
        question = [f"To be deleted, with its config: {connectors.named([connector])}."]
        if target not in [each["target"] for each in others]:
            changes = sign_in_page.disabling(self.experience, target)
            question += [f"Nobody will be able to sign in with {target}."] if changes else []
            question += self._closing(changes)
        self._confirm(*question)
        self.api.connectors.delete(connector["id"])
        self._say({"removed": connector["id"]}, f"Removed {connectors.named([connector])}.")

    def do_test(self, options: dict[str, Any]) -> None:
        connector = connectors.find(self.connectors, options["connector"])
        connectors.send_test_message(self.api, connector, options["recipient"])
        self._say({"sent_to": options["recipient"]}, f"Logto has sent a message to {options['recipient']}.")

    # The sign-in page

    def do_enable(self, options: dict[str, Any]) -> None:
        target = sign_in_page.find_target(self.connectors, options["target"])
        changes = sign_in_page.enabling(self.experience, target, social_only=options["social_only"])
        if sign_in_page.SOCIAL_ONLY.keys() & changes.keys():
            left = {**self.experience, **changes}[sign_in_page.TARGETS]
            question = [f"Nobody will be able to {way}." for way in sign_in_page.ways_in(self.experience)]
            question.append(f"What is left: {', '.join(left)}.")
            if not sign_in_page.shown_to_browsers(self.connectors, left):
                question.append("Browsers show none of it: on a website nobody will be able to sign in.")
            self._confirm(*question)
        self._apply(changes, f"{target} is offered already.")
        self._note_what_browsers_lack(self.connectors, target)

    def do_disable(self, options: dict[str, Any]) -> None:
        target = options["target"]
        if target not in self.experience[sign_in_page.TARGETS]:
            target = sign_in_page.find_target(self.connectors, target)
        changes = sign_in_page.disabling(self.experience, target)
        if closing := self._closing(changes):
            self._confirm(*closing)
        self._apply(changes, f"{target} was not offered.")

    def _closing(self, changes: Mapping[str, Any]) -> list[str]:
        is_closed = bool(changes) and sign_in_page.is_closed({**self.experience, **changes})
        return ["There is no other way in: nobody will be able to sign in at all."] if is_closed else []

    def _apply(self, changes: Mapping[str, Any], nothing: str) -> None:
        targets = sign_in_page.apply(self.api, changes) if changes else self.experience[sign_in_page.TARGETS]
        told = [] if changes else [f"{nothing} Nothing to change."]
        self._say({"targets": targets, "changed": list(changes)}, *told, f"Offered: {', '.join(targets) or 'none'}.")

    # Alipay's keys

    def do_alipay_keys(self, options: dict[str, Any]) -> None:
        path, lines = options["private_key_file"], []
        if path:
            key = self._key_in(path)
        else:
            path, key = options["out"], alipay.make_private_key()
            alipay.write_new_file(Path(path), key.pem)
            lines.append(f"Private key: {path}. Keep it secret, and out of the repository.")
        if options["public_out"]:
            alipay.write_new_file(Path(options["public_out"]), key.public_key)
        data = {"private_key_file": path, "public_key": key.public_key}
        self._say(data, *lines, "Public key, as Alipay's console takes it:", key.public_key)

    def _key_in(self, path: str) -> alipay.PrivateKey:
        text = read_text(path)
        try:
            return alipay.read_private_key(text)
        except ConnectorError as fault:
            raise CommandError(f"{path}: {fault}") from fault

    # How it is said

    def _say(self, data: Any, *lines: str) -> None:
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) if self.is_json else "\n".join(lines))

    def _note(self, text: str) -> None:
        self.stderr.write(text, self.style.WARNING)

    def _note_what_is_wrong(self, connector: Connector) -> None:
        try:
            config = connectors.changed_config(connector, {})
        except ConnectorError as faults:
            self._note(f"It cannot work like this.\n{faults}")
        else:
            if differences := connectors.differences(connector["config"], config):
                self._note(f"`update {connector['id']}` would correct {', '.join(differences)}.")
        if stray := connectors.stray_keys(connector):
            self._note(f"Not in the form: {', '.join(stray)}. `update {connector['id']} --unset KEY` removes a key.")

    def _note_what_browsers_lack(self, existing: Sequence[Connector], target: str) -> None:
        if sign_in_page.shown_to_browsers(existing, [target]):
            return
        (native, *_) = (each["connectorId"] for each in existing if each["target"] == target)
        self._note(
            f"Browsers never show a native connector, only apps with Logto's SDK do. For the website, add "
            f"{native.removesuffix('-native')}-web: it has the same target, so people are the same users either way."
        )

    def _confirm(self, *warning: str) -> None:
        """Warn, and go on only if the person says so, or has said so by `--yes`."""
        self._note("\n".join(warning))
        if self.is_sure:
            return
        self.stderr.write("Go on? [y/N] ", self.style.WARNING, ending="")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed. Where nobody can be asked, --yes says that it is meant.")
