"""A simple client of the Management API: a machine with the built-in role."""

from __future__ import annotations

from typing import Any

import requests

from logto_auth.emulator import Emulator

RESOURCE = "https://default.logto.app/api"
ROLE = "Logto Management API access"


class ManagementAPI:
    """Calls with an access token of the machine. Paths have no `/api` prefix."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.machine = emulator.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self, **changes: Any) -> str:
        """Return an access token."""
        fields = {"grant_type": "client_credentials", "resource": RESOURCE, "scope": "all", **changes}
        auth = (self.machine.id, self.machine.secret)
        return self.http.post(f"{self.emulator.issuer}/token", data=fields, auth=auth, timeout=10).json()[
            "access_token"
        ]

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.http.request(method, f"{self.emulator.endpoint}/api{path}", json=body, timeout=10, **options)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self("POST", path, body)

    def patch(self, path: str, body: Any = None) -> requests.Response:
        return self("PATCH", path, body)

    def put(self, path: str, body: Any = None) -> requests.Response:
        return self("PUT", path, body)

    def delete(self, path: str) -> requests.Response:
        return self("DELETE", path)

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """Create a record and return it."""
        response = self.post(path, body)
        assert response.status_code in {200, 201}, response.text
        return response.json()
