"""What the environment says about a run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from logto_auth.emulator.versions import DEFAULT, VERSIONS
from logto_auth.origins import ascii_hint, is_origin

PREFIX = "LOGTO_LIVE_"
REQUIRED = ("ENDPOINT", "M2M_APP_ID", "M2M_APP_SECRET")
# Names that no server on the internet has.
LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


@dataclass(frozen=True)
class Options:
    """The options of a run. `endpoint` is empty if the run is on the emulator alone."""

    endpoint: str = ""
    m2m_app_id: str = ""
    m2m_app_secret: str = field(default="", repr=False)
    management_api_resource: str = ""
    emulator_versions: tuple[str, ...] = (DEFAULT,)
    # The name at which Logto's server reaches this machine. Empty: Logto runs on this machine too.
    site_host: str = ""
    may_use_any_tenant: bool = False
    may_rotate_keys: bool = False
    # Whether Logto's outbound guard is known to be on or off: "on", "off" or "".
    outbound_guard: str = ""

    @property
    def problem(self) -> str:
        """What is wrong with the options, or an empty text."""
        given = [self.endpoint, self.m2m_app_id, self.m2m_app_secret]
        if any(given) and not all(given):
            return f"Set all of {', '.join(PREFIX + name for name in REQUIRED)}, or none of them."
        if self.endpoint and not is_origin(self.endpoint):
            hint = ascii_hint(self.endpoint) or "Expected http://localhost:3001, for example, without /oidc."
            return f"{PREFIX}ENDPOINT is not an origin without a path. {hint}"
        if unknown := set(self.emulator_versions) - VERSIONS.keys():
            return f"{PREFIX}EMULATOR has {', '.join(sorted(unknown))}, expected some of {', '.join(VERSIONS)}."
        if self.outbound_guard not in {"", "on", "off"}:
            return f"{PREFIX}OUTBOUND_GUARD is {self.outbound_guard!r}, expected on or off."
        return ""


def read_options() -> Options:
    """Return the options that the environment sets."""
    return Options(
        endpoint=_text("ENDPOINT").rstrip("/"),
        m2m_app_id=_text("M2M_APP_ID"),
        m2m_app_secret=_text("M2M_APP_SECRET"),
        management_api_resource=_text("MANAGEMENT_API_RESOURCE"),
        emulator_versions=tuple(_text("EMULATOR", DEFAULT).replace(",", " ").split()),
        site_host=_text("SITE_HOST"),
        may_use_any_tenant=_text("ANY_TENANT") == "1",
        may_rotate_keys=_text("ROTATE_KEYS") == "1",
        outbound_guard=_text("OUTBOUND_GUARD"),
    )


def is_local(url: str) -> bool:
    """Return whether the host of the URL is on this machine or in a private network."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(LOCAL_SUFFIXES)


def _text(name: str, default: str = "") -> str:
    return os.environ.get(PREFIX + name, "").strip() or default
