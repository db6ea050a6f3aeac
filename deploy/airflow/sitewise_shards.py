"""An Airflow DAG that loads AWS IoT SiteWise in shards, which run at the same time.

1. ``create_tables`` installs the plugins of Meltano and creates the tables.
2. ``load`` runs once for each shard, as a mapped task: ``meltano run`` with a state of
   its own. If a shard fails, only this shard runs again.
3. ``check_row_counts`` compares each table with what the shards sent. The tap reports
   how many records of each stream it sent, and sends none twice in a run. The target
   writes the time at which it started into each row (``_sdc_sync_started_at``). So a
   table must contain at least as many rows since the start of the first shard as all
   shards together sent. More are possible: a shard that failed may have loaded rows
   that its next try did not have to send again. If rows are missing, the task fails.

The Variable ``sitewise_shards`` contains what to load, see ``Load`` in
``sitewise_meltano.py``. The credentials of AWS and of the target are environment
variables of the worker. The connection ``sitewise_tables`` is for the check.
"""

from __future__ import annotations

import logging
import typing as t
from datetime import datetime, timedelta, timezone

import sitewise_meltano
from airflow.sdk import BaseHook, Variable, dag, task

VARIABLE = "sitewise_shards"
CONNECTION = "sitewise_tables"
POOL = "iot_sitewise"
"""Its number of slots is the number of shards that run at the same time."""

log = logging.getLogger(__name__)


@dag(
    schedule="17 2 * * *",
    start_date=datetime(2025, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # Two runs would read the same values, and load the same tables.
    max_active_runs=1,
    default_args={
        # 0.5, 1, 2, 4 and 8 minutes. Meltano refuses to run a shard again during five
        # minutes after its process was killed.
        "retries": 5,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
    },
    doc_md=__doc__,
    tags=["sitewise"],
)
def sitewise_shards() -> None:
    """Load AWS IoT SiteWise in shards."""

    @task(execution_timeout=timedelta(minutes=15))
    def create_tables() -> None:
        sitewise_meltano.create_tables(_load(), log.info)

    @task
    def shards() -> list[int]:
        return list(range(_load().shard_count))

    @task(pool=POOL, execution_timeout=timedelta(hours=6))
    def load(shard: int) -> dict[str, t.Any]:
        return sitewise_meltano.load_shard(_load(), shard, log.info)

    @task(retries=0)
    def check_row_counts(reports: list[dict[str, t.Any]]) -> None:
        what = _load()
        hook: t.Any = BaseHook.get_hook(CONNECTION)

        def rows(table: str, started: int) -> int:
            # The schema is from the Variable, and the name of the table from the tap.
            found = hook.get_first(
                f"SELECT count(*) FROM {what.schema}.{table} "  # noqa: S608 - see above
                f"WHERE _sdc_sync_started_at >= {int(started)}"
            )
            return int(found[0])

        if problems := list(sitewise_meltano.problems(what, list(reports), rows)):
            raise ValueError("; ".join(problems))

    loaded = load.expand(shard=shards())
    create_tables() >> loaded
    check_row_counts(loaded)


def _load() -> sitewise_meltano.Load:
    return sitewise_meltano.Load(**Variable.get(VARIABLE, deserialize_json=True))


sitewise_shards()
