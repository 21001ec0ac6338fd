"""What the other tests ask of the hub holds on PostgreSQL too: they run once more, on it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.live.process import ROOT
from tests.services.servers import Postgres

#: Those whose subject is queries, locks and transactions.
TESTS = (
    "attachments/test_project_files.py",
    "test_access.py",
    "test_catalogue_page.py",
    "test_models_offered.py",
    "test_sending.py",
    "test_views.py",
    "order/test_order.py",
    "searching/test_finding.py",
)
#: A world for each of a hundred doors takes a minute there.
LEFT_OUT = "whom_it_is_for"


@pytest.mark.postgres
@pytest.mark.xdist_group("services")
def test_the_tests_of_the_chat_pass_on_postgresql(
    postgres: Postgres, with_tables: Callable[[str], str]
) -> None:
    database = f"tests_{secrets.token_hex(4)}"
    with_tables(f"test_{database}")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PG"))}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--reuse-db", "-k", f"not {LEFT_OUT}",
         *(f"tests/chat/{name}" for name in TESTS)],
        cwd=ROOT, env=kept | {"TEST_DATABASE_URL": postgres.url(database), "TEST_REDIS_URL": ""},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-10000:] + done.stderr[-2000:]
