"""How a team is told: which receiver, what is sent, and what its answer means."""
