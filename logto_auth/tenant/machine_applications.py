"""The part of a plan about machine-to-machine applications, which are members of declared organizations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .steps import Step, creation_step

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application, NewApplication

__all__ = ["MACHINE_APPLICATION", "MachineApplications"]

MACHINE_APPLICATION: Final = "machine-to-machine application"
TYPE: Final = "MachineToMachine"
# The form of the App IDs that Logto chooses.
APP_ID = re.compile(r"[a-z0-9]{21}")


class MachineApplications:
    """Applications that a declaration names, by name or App ID. Those that do not exist are created with the name."""

    def __init__(self, api: ManagementAPI, names: Iterable[str]) -> None:
        self._api = api
        self._names = list(dict.fromkeys(names))
        self._ids: dict[str, str] = {}

    @property
    def ids(self) -> Mapping[str, str]:
        """The App IDs, by the names in the declaration. One that does not exist yet is missing."""
        return self._ids

    def steps(self) -> Iterator[Step]:
        """Yield a step for each application.

        Raise ConfigurationError if an application has another type, if several have the same name, and if there is
        none with an App ID.
        """
        stored = list(self._api.applications.all()) if self._names else []
        for name in self._names:
            if (found := _find(name, stored)) is not None:
                self._ids[name] = found["id"]
                yield Step("nothing", MACHINE_APPLICATION, name)
            elif APP_ID.fullmatch(name):
                raise ConfigurationError(
                    f"An organization in the declaration has the application {name}, which has the form of an App ID, "
                    "and the tenant has no such application. Correct it, or name the application, which is then "
                    "created."
                )
            else:
                yield creation_step(MACHINE_APPLICATION, name, {}, partial(self._create, name))

    def _create(self, name: str) -> None:
        # Logto accepts several applications with the same name, so a second one has to be prevented here.
        if _find(name, list(self._api.applications.all(types=TYPE))):
            raise ConfigurationError(
                f'A machine-to-machine application "{name}" was created in the meantime. Run this again to use that '
                "application."
            )
        payload: NewApplication = {"name": name, "type": TYPE}
        self._ids[name] = self._api.applications.create(payload)["id"]


def _find(name: str, stored: Iterable[Application]) -> Application | None:
    """Return the application with this App ID, or else the machine-to-machine application with this name."""
    for application in stored:
        if application["id"] == name:
            if application["type"] != TYPE:
                raise ConfigurationError(
                    f'The application "{application["name"]}" ({name}) has the type {application["type"]}. Only a '
                    "machine-to-machine application can be a member of an organization."
                )
            return application
    found = [each for each in stored if each["name"] == name and each["type"] == TYPE]
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise ConfigurationError(
            f'{len(found)} machine-to-machine applications have the name "{name}": {ids}. Declare the App ID of the '
            "application to use in place of its name."
        )
    return found[0] if found else None
