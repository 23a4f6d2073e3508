"""The bookstore's settings, with what tests need: a throw-away database, and no Logto unless a test starts one.

`TEST_DATABASE=postgresql` or `mysql` runs the suite on a server on this machine instead of on SQLite.
"""

import os
import tempfile
import zlib
from pathlib import Path

import pymysql

from bookstore.settings import *  # noqa: F403

# A MySQL driver that needs no compiler; Django asks for the version of the other one.
pymysql.version_info = (2, 2, 7, "final", 0)
if os.environ.get("TEST_MYSQL_DRIVER") != "mysqlclient":
    pymysql.install_as_MySQLdb()

INSTALLED_APPS = [*INSTALLED_APPS, "logto_auth.password_migration"]  # noqa: F405
SECRET_KEY = "only-for-tests"

# A file, because all threads of a process share one connection to a database in memory. With a file, each thread has
# its own. The test run creates the file and deletes it.
SQLITE_PATH = Path(tempfile.gettempdir()) / f"logto_auth_{os.getpid()}.sqlite3"
# The same name in each run from this folder, so that a run replaces what a killed run left behind. Runs from other
# folders use other databases.
SERVER_DATABASE = f"logto_auth_{zlib.crc32(str(Path(__file__).parent).encode()):08x}"

DATABASES = {
    "sqlite": {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            "TEST": {"NAME": str(SQLITE_PATH)},
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF",
            },
        }
    },
    "postgresql": {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": SERVER_DATABASE,
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
        }
    },
    "mysql": {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": SERVER_DATABASE,
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
LOGTO_SECOND_FACTOR = False
LOGTO_API_SCOPES = ()
LOGTO_API_RESOURCES = {}
LOGTO_API_CREATE_USERS = False
LOGTO_STAFF_ROLES = ()
LOGTO_SUPERUSER_ROLES = ()
LOGTO_GROUPS_BY_ROLE = {}
HAS_BRANCH_CONSOLE = False
HAS_MCP = False
HAS_API_KEYS = False
HAS_SUPPORT_ACCESS = False
LOGTO_M2M_APP_ID = ""
LOGTO_M2M_APP_SECRET = ""
LOGTO_DELETE_ACCOUNT = ""
LOGTO_WEBHOOK_SIGNING_KEY = ""

# What an OpenAPI document is by default; the bookstore's own is made in a process of its own.
SPECTACULAR_SETTINGS = {}
