"""`aftertouch replay-rejected`: answers that were refused and can be read now go back onto their topic."""
