"""The settings of the tests in a server of its own. What differs between tests comes from the environment."""

import json
import os

from tests.settings import *  # noqa: F403

DATABASES["default"] |= json.loads(os.environ["SOCKETS_DATABASE"])  # noqa: F405
LOGTO_ENDPOINT = os.environ["LOGTO_ENDPOINT"]
LOGTO_APP_ID = os.environ["LOGTO_APP_ID"]
LOGTO_APP_SECRET = os.environ["LOGTO_APP_SECRET"]
LOGTO_BASE_URL = os.environ["SOCKETS_BASE_URL"]
ALLOWED_HOSTS = ["*"]
DEBUG = False
CHANNEL_LAYERS = json.loads(os.environ["SOCKETS_CHANNEL_LAYERS"])
LOGTO_SOCKET_CHECK_SECONDS = 2
LOGTO_API_RESOURCE = "https://bookstore.example/api"
LOGTO_API_CREATE_USERS = True
ROOT_URLCONF = os.environ.get("SOCKETS_URLCONF") or ROOT_URLCONF  # noqa: F405
TEMPLATES = [{**TEMPLATES[0], "DIRS": []}]  # noqa: F405
TEST_SCRIPT = ""
