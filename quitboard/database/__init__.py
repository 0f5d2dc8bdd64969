"""board.duckdb: schema, migrations, and every question asked of it. The only place that says SQL.

connection      open, create, migrate (a backup first)
load            a bundle's rows in one transaction
withdrawals     what was taken back for good, and where it is still due
board           what the site and `stats` ask: published violations, rates, coverage
export          the public fields as CSV, JSON and Parquet
"""
