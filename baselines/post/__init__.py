"""What can be done to the predictions of any method."""
