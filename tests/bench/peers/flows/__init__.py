"""The contenders' programs: each runs in a process and an environment of its own, and imports little of ours."""
