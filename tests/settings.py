"""The hub's settings with a data folder that goes away and quick passwords."""

import atexit
import os
import shutil
import tempfile

os.environ["DATA_DIR"] = folder = tempfile.mkdtemp(prefix="hub-tests-")
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["REDIS_URL"] = os.environ.get("TEST_REDIS_URL", "")
os.environ["HUB_BUILTIN"] = "off"
for name in (
    "SECRET_KEY",
    "CREDENTIALS_KEY",
    "HUB_ADMIN_USERNAME",
    "HUB_ADMIN_PASSWORD",
    "HUB_BUILTIN_MODEL",
    "MCP_COMMANDS",
):
    os.environ[name] = ""
atexit.register(shutil.rmtree, folder, ignore_errors=True)

from privatechathub.settings import *  # noqa: E402, F403
from privatechathub.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# A file, not memory: background threads have connections of their own and must see the same rows.
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": f"{folder}/test.sqlite3"}
