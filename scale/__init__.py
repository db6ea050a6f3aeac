"""`make scale`: load a plant in 1, 2 and 4 shards with Airflow, and compare."""
