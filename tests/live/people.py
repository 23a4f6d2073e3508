"""The people in front of the sites."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from .sites import Site
from .targets import Target

MAX_REDIRECTS = 10


class Person:
    """A user of Logto, with a browser of their own. `id` is the id at Logto, if the user exists there already."""

    def __init__(self, target: Target, username: str = "", password: str = "", id: str = "") -> None:
        self.id = id
        self.username = username
        self.password = password
        self.target = target
        self.logto = target.visitor()
        self._sessions: dict[str, requests.Session] = {}

    def get(self, site: Site, path: str, **query: str) -> requests.Response:
        return self._send("GET", site, path, params=query)

    def post(
        self, site: Site, path: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Send a form of the site, with its CSRF token."""
        self.get(site, "/page/")
        csrf_token = self._session(site).cookies.get("csrftoken", "")
        data = {"csrfmiddlewaretoken": csrf_token, **(fields or {})}
        return self._send("POST", site, path, data=data, headers=headers)

    def start(self, site: Site, path: str = "/sign-in", **query: str) -> str:
        """Return the URL at Logto to which the site redirects."""
        response = self.get(site, path, **query)
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return response.headers["Location"]

    def sign_in(self, site: Site, **query: str) -> dict[str, Any]:
        """Sign in with the password and return who the user is at the site."""
        return self.arrive(site, self.logto.sign_in(self.start(site, **query), self.username, self.password))

    def sign_in_with_factor(self, site: Site, path: str = "/sign-in", **factor: str) -> requests.Response:
        """Sign in with the password and a second factor, and return the page of the site at which that ends.

        `path` is a page that redirects to Logto, maybe after other redirects. `factor` is `totp_secret` or
        `backup_code`.
        """
        url = self.url_at_logto(site, path)
        callback = self.logto.sign_in(url, self.username, self.password, **factor)
        return self.follow(site, callback)

    def url_at_logto(self, site: Site, url: str) -> str:
        """Return the URL at Logto to which the page at `url` redirects, maybe after other redirects."""
        for _ in range(MAX_REDIRECTS):
            if not url.startswith((site.url, "/")):
                return url
            page = self.get(site, url)
            assert "Location" in page.headers, (page.status_code, page.url, page.text, site.log())
            url = page.headers["Location"]
        raise AssertionError(f"{MAX_REDIRECTS} redirects, the last one to {url}")

    def sign_in_silently(self, site: Site, **query: str) -> dict[str, Any]:
        """Sign in without a page of Logto, and return who the user is. Raise VisitFailed if Logto shows a page."""
        return self.arrive(site, self.logto.sign_in(self.start(site, **query)))

    def sign_in_by_link(self, authorization_url: str) -> str:
        """Use the one-time token in the URL, and return the callback URL. A new user gets username and password."""
        return self.logto.sign_in_by_link(authorization_url, username=self.username, password=self.password)

    def follow(self, site: Site, url: str) -> requests.Response:
        """Open a URL and follow redirects between the site and Logto. Return the last page, of the one or the other."""
        for _ in range(MAX_REDIRECTS):
            page = self.get(site, url) if url.startswith((site.url, "/")) else self.logto.open(url)
            if "Location" not in page.headers:
                return page
            url = page.headers["Location"]
        raise AssertionError(f"{MAX_REDIRECTS} redirects, the last one to {url}")

    def arrive(self, site: Site, callback: str) -> dict[str, Any]:
        """Open the callback URL and return who the user is at the site."""
        assert callback.startswith(f"{site.url}/callback"), callback
        parts = urlsplit(callback)
        response = self.get(site, f"{parts.path}?{parts.query}")
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return self.at(site)

    def sign_out(self, site: Site) -> str:
        """Sign out at the site and at Logto, and return the URL to which Logto finally redirects."""
        response = self.post(site, "/sign-out")
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return self.logto.sign_out(response.headers["Location"])

    def forget_logto(self) -> None:
        """Delete the cookies of Logto. The sessions at the sites go on."""
        self.logto.session.cookies.clear()

    def at(self, site: Site) -> dict[str, Any]:
        """Return who the user is at the site."""
        response = self.get(site, "/")
        assert response.status_code == 200, (response.status_code, response.text, site.log())
        found: dict[str, Any] = response.json()
        return found

    def is_signed_in(self, site: Site) -> bool:
        return self.at(site)["user"] is not None

    def close(self) -> None:
        self.logto.close()
        for session in self._sessions.values():
            session.close()

    def _send(self, method: str, site: Site, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else site.url + path
        return self._session(site).request(method, url, allow_redirects=False, timeout=30, **options)

    def _session(self, site: Site) -> requests.Session:
        # Cookies do not know ports, so each site has its own.
        if site.url not in self._sessions:
            self._sessions[site.url] = requests.Session()
            self._sessions[site.url].trust_env = False
        return self._sessions[site.url]
