"""`aftertouch rules`: what a file of rules says, before it counts."""
