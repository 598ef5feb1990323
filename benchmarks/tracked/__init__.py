"""What asv follows from commit to commit: CPU time and memory of what everybody waits for."""
