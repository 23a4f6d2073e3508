"""The Logtos of a run: emulators, and the real one that the environment names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import pytest
import requests

from logto_auth.emulator import Emulator, Visitor, run_in_thread

from .experience import ExperienceVisitor
from .leftovers import kept_settings, remove_all, remove_old_runs
from .options import PREFIX, Options, is_local
from .tenant_api import TenantAPI

ROLE = "Logto Management API access"
REAL = "this Logto"
EMULATOR = "emulator "
MANY_USERS = 100


@dataclass(frozen=True)
class Target:
    """One Logto. All names that the run makes there begin with `run`, which is a valid username and unique."""

    name: str
    endpoint: str
    m2m_app_id: str
    m2m_app_secret: str = field(repr=False)
    api: TenantAPI
    options: Options
    run: str
    emulator: Emulator | None = None

    @property
    def is_emulator(self) -> bool:
        return self.emulator is not None

    @property
    def version(self) -> str:
        """The version of the emulator."""
        return self.name.removeprefix(EMULATOR)

    @property
    def may_rotate_keys(self) -> bool:
        return self.is_emulator or self.options.may_rotate_keys

    def visitor(self) -> Visitor:
        """Return a new browser at this Logto, without cookies."""
        return Visitor(self.endpoint) if self.is_emulator else ExperienceVisitor(self.endpoint)

    def outbound_guards(self) -> Iterator[str]:
        """Yield "on", "off" or, if it is not known, "": the states of the outbound guard that can be tried here."""
        if not self.may_have_outbound_guard:
            yield "off"
        elif self.emulator is None:
            yield self.options.outbound_guard
        else:
            for state in ("on", "off"):
                self.emulator.outbound_guard = state == "on"
                yield state

    @cached_property
    def may_have_outbound_guard(self) -> bool:
        """Whether this Logto may refuse to call private addresses for a back-channel logout: since 1.42.

        Source: the discovery document of 1.42, which no longer has this member.
        """
        discovery = requests.get(f"{self.endpoint}/oidc/.well-known/openid-configuration", timeout=15).json()
        return "request_parameter_supported" not in discovery


def target_names(options: Options) -> list[str]:
    """Return the names of the Logtos of the run, in the order of the table's columns."""
    emulators = [EMULATOR + version for version in options.emulator_versions]
    return [*emulators, REAL] if options.endpoint else emulators


@contextmanager
def open_target(name: str, options: Options) -> Iterator[Target]:
    """Yield the Logto with this name, with sign-ins by username and password. Leave the tenant as it was found."""
    if name == REAL:
        api = _api_of_real_logto(options)
        _refuse_used_tenant(api, options)
        remove_old_runs(api)
        target = Target(REAL, options.endpoint, options.m2m_app_id, options.m2m_app_secret, api, options, _run_id())
        with _tidied(target):
            yield target
        return
    with run_in_thread(like=name.removeprefix(EMULATOR)) as emulator:
        machine = emulator.tenant.add_application(name="Live", type="MachineToMachine", roles=[ROLE])
        api = TenantAPI(emulator.endpoint, machine.id, machine.secret)
        target = Target(name, emulator.endpoint, machine.id, machine.secret, api, options, _run_id(), emulator)
        with _tidied(target):
            yield target


def _api_of_real_logto(options: Options) -> TenantAPI:
    """Return the API of the tenant that the options name. End the whole run if Logto gives no access to it."""
    try:
        return TenantAPI(options.endpoint, options.m2m_app_id, options.m2m_app_secret, options.management_api_resource)
    except requests.RequestException as error:
        problem = f"{PREFIX}ENDPOINT {options.endpoint} cannot be reached: {type(error).__name__}."
    except AssertionError as error:
        problem = f"{error} Check {PREFIX}M2M_APP_ID and {PREFIX}M2M_APP_SECRET."
    # Not an error of each journey, whose traceback would show the secret.
    pytest.exit(problem, returncode=2)


@contextmanager
def _tidied(target: Target) -> Iterator[None]:
    try:
        with kept_settings(target.api):
            yield
    finally:
        remove_all(target.api, target.run)
        target.api.close()


def _refuse_used_tenant(api: TenantAPI, options: Options) -> None:
    """End the run if the tenant looks like one that is in use."""
    if options.may_use_any_tenant:
        return
    users = api.count("users")
    if is_local(options.endpoint) and users <= MANY_USERS:
        return
    pytest.exit(
        f"{options.endpoint} has {users} users{'' if is_local(options.endpoint) else ' and is on a public address'}. "
        "The live suite changes the sign-in experience of the tenant while it runs. "
        f"If that does no harm there, set {PREFIX}ANY_TENANT=1.",
        returncode=2,
    )


def _run_id() -> str:
    return f"live_{time.time_ns() // 1_000_000:x}"
