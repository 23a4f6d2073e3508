"""The browser of a user, for the environment variable `BROWSER`: it signs the user in, agrees, and comes back.

python -m tests.bookstore.agent_browser customer http://localhost:3001/oidc/auth?...
"""

import sys
from urllib.parse import urlsplit

import requests

from logto_auth.emulator import Visitor

if __name__ == "__main__":
    username, url = sys.argv[1:]
    with Visitor(f"http://{urlsplit(url).netloc}") as visitor:
        callback = visitor.sign_in(url, username, f"{username}-password")
    requests.get(callback, timeout=10)
