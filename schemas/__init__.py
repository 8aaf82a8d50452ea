"""The contract: whatever crosses a process boundary, and what its numbers mean."""
