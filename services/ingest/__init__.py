"""Step 1 of an answer's way: HTTP in, feedback.events out."""
