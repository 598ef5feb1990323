"""What a run leaves: its folder, record, command and results."""
