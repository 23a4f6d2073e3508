"""The bookstore's settings, with what tests need: a throw-away database, and no Logto unless a test starts one.

`TEST_DATABASE=postgresql` or `mysql` runs the suite on a server on this machine instead of on SQLite.
"""

import os

import pymysql

from bookstore.settings import *  # noqa: F403

# A MySQL driver that needs no compiler; Django asks for the version of the other one.
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

SECRET_KEY = "only-for-tests"
DATABASES = {
    "sqlite": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "postgresql": {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "logto_auth",
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
        }
    },
    "mysql": {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": "logto_auth",
            "HOST": os.environ.get("MYSQL_HOST", "127.0.0.1"),
            "USER": os.environ.get("MYSQL_USER", "root"),
            "PASSWORD": os.environ.get("MYSQL_PASSWORD", ""),
            "OPTIONS": {"charset": "utf8mb4"},
        }
    },
}[os.environ.get("TEST_DATABASE", "sqlite")]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Nothing listens there: a test that forgets its Logto fails at once.
LOGTO_ENDPOINT = "http://localhost:9"
LOGTO_APP_ID = "testapp00000000000001"
LOGTO_APP_SECRET = "testsecret0000000000000000000001"
LOGTO_SCOPES = ("openid", "offline_access", "profile", "email", "roles")
LOGTO_RESOURCES = ()
LOGTO_USERINFO_CLAIMS = ()
LOGTO_API_RESOURCE = ""
LOGTO_API_SCOPES = ()
LOGTO_API_CREATE_USERS = False
LOGTO_STAFF_ROLES = ()
LOGTO_SUPERUSER_ROLES = ()
LOGTO_GROUPS_BY_ROLE = {}
LOGTO_M2M_APP_ID = ""
LOGTO_M2M_APP_SECRET = ""
LOGTO_WEBHOOK_SIGNING_KEY = ""

# What an OpenAPI document is by default; the bookstore's own is made in a process of its own.
SPECTACULAR_SETTINGS = {}
