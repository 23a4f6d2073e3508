"""A simple client of the Account API and the Verification API."""

from __future__ import annotations

from typing import Any

import requests

from logto_auth.emulator import Emulator

ALL_SCOPES = "openid profile email phone address custom_data identities urn:logto:scope:sessions offline_access"


class AccountAPI:
    """Calls with the opaque access token of a user. Paths have no `/api` prefix. `record_id` is sent if it is set."""

    def __init__(self, emulator: Emulator, token: str) -> None:
        self.emulator = emulator
        self.record_id = ""
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {"logto-verification-id": self.record_id} if self.record_id else {}
        url = f"{self.emulator.endpoint}/api{path}"
        return self.http.request(method, url, json=body, timeout=10, headers=headers, **options)

    def get(self, path: str = "/my-account", **query: Any) -> requests.Response:
        return self("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self("POST", path, body)

    def patch(self, path: str, body: Any = None) -> requests.Response:
        return self("PATCH", path, body)

    def put(self, path: str, body: Any = None) -> requests.Response:
        return self("PUT", path, body)

    def delete(self, path: str, **query: Any) -> requests.Response:
        return self("DELETE", path, params=query)

    # Verification

    def verify_password(self, password: str) -> str:
        """Verify the password, use the record from now on, and return its id."""
        response = self.post("/verifications/password", {"password": password})
        assert response.status_code == 201, response.text
        self.record_id = response.json()["verificationRecordId"]
        return self.record_id

    def send_code(self, kind: str, value: str) -> str:
        """Send a code and return the id of the record."""
        body = {"identifier": {"type": kind, "value": value}}
        response = self.post("/verifications/verification-code", body)
        assert response.status_code == 201, response.text
        return response.json()["verificationRecordId"]

    def verify_code(self, kind: str, value: str, record_id: str, code: str | None = None) -> requests.Response:
        """Verify the code, by default the one that was sent."""
        body = {
            "identifier": {"type": kind, "value": value},
            "verificationId": record_id,
            "code": code or self.emulator.messages.code_for(value),
        }
        return self.post("/verifications/verification-code/verify", body)


def code_of(response: requests.Response) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return response.status_code, response.json()["code"]
