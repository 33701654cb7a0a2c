"""cleancopy every night as a DAG of Airflow 3: yesterday's articles, folded into what the last 30 days kept."""

import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

CLEANCOPY = "/opt/cleancopy/.venv/bin/cleancopy"
WRONG_USAGE = 2


def command(day: str) -> list[str]:
    """The run of one day's articles."""
    run = [CLEANCOPY, "run", f"/srv/crawl/{day}/", "--output", f"/srv/clean/{day}"]
    return [*run, "--index", "/srv/clean/index", "--index-run", day, "--log-format", "json"]


@dag(
    schedule="10 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # a second run into one folder would be refused anyway
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
)
def cleancopy_nightly() -> None:
    """A failed run is tried again, and goes on where it stopped."""

    @task
    def clean(ds: str) -> None:
        day = (datetime.fromisoformat(ds) - timedelta(days=1)).date().isoformat()
        code = subprocess.run(command(day), check=False).returncode
        if code == WRONG_USAGE:
            raise AirflowFailException("wrong usage, which no retry mends: see the log")
        if code:
            raise RuntimeError(f"cleancopy ended with {code}: see the log")

    clean(ds="{{ ds }}")


cleancopy_nightly()
