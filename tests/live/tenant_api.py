"""A client of the Management API that shares no code with the package, to arrange and to examine a tenant."""

from __future__ import annotations

from typing import Any

import requests

PAGE_SIZE = 100
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"


class TenantAPI:
    """The tenant behind a machine-to-machine application. Paths are relative to `/api`.

    Every method raises an AssertionError with Logto's answer if the status is 400 or more.
    """

    def __init__(self, endpoint: str, app_id: str, app_secret: str, resource: str = "") -> None:
        self.endpoint = endpoint
        self._http = requests.Session()
        # No proxy of the environment is used.
        self._http.trust_env = False
        fields = {
            "grant_type": "client_credentials",
            "resource": resource or OPEN_SOURCE_RESOURCE,
            "scope": "all",
        }
        response = self._http.post(f"{endpoint}/oidc/token", data=fields, auth=(app_id, app_secret), timeout=15)
        assert response.status_code == 200, f"Logto issued no token for the Management API: {response.text}."
        self._http.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def __call__(self, method: str, path: str, json: Any = None, **query: Any) -> Any:
        """Return the decoded body of the response, or None if it has no JSON body."""
        response = self._send(method, path, json, query)
        return response.json() if "json" in response.headers.get("Content-Type", "") else None

    def get(self, path: str, **query: Any) -> Any:
        return self("GET", path, **query)

    def get_if_there(self, path: str) -> Any:
        """Return the decoded body, or None if this version of Logto does not have the path."""
        response = self._http.get(f"{self.endpoint}/api/{path}", timeout=30)
        return None if response.status_code == 404 else self.get(path)

    def post(self, path: str, json: Any = None) -> Any:
        return self("POST", path, json)

    def put(self, path: str, json: Any = None) -> Any:
        return self("PUT", path, json)

    def patch(self, path: str, json: Any = None) -> Any:
        return self("PATCH", path, json)

    def delete(self, path: str) -> None:
        self("DELETE", path)

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return the rows of all pages."""
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            found = self.get(path, page=page, page_size=PAGE_SIZE, **query)
            rows += found
            if len(found) < PAGE_SIZE:
                return rows
            page += 1

    def count(self, path: str) -> int:
        """Return the number of rows."""
        return int(self._send("GET", path, None, {"page": 1, "page_size": 1}).headers["Total-Number"])

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, json: Any, query: dict[str, Any]) -> requests.Response:
        response = self._http.request(method, f"{self.endpoint}/api/{path}", json=json, params=query, timeout=30)
        assert response.status_code < 400, f"{method} {path} answered {response.status_code}: {response.text}"
        return response
