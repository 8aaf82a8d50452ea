"""Last on the event's path: turns signals into alerts with a life, and tells the right team."""
