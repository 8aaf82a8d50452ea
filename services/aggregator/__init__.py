"""From feedback.events to rolling scores, signals and ClickHouse: the windows worker and the sink worker."""
