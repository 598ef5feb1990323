"""What an entry is checked for, one idea a file."""
