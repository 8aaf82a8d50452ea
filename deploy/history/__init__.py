"""Brings history into Aftertouch: a CSV or JSONL file, mapped to answers and posted in time order."""
