"""What a method is, how it is found, wrapped and measured."""
