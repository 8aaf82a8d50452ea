"""Makes up realistic traffic, to see Aftertouch work and to test it."""
