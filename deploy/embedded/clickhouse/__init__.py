"""ClickHouse for one machine: its HTTP interface over chDB, the engine in this very process."""
