"""What the commands of all rooms share."""
