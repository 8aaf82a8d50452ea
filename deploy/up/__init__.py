"""`aftertouch up`: starts every part on this machine, keeps them running, and stops them together."""
