"""What is known of a delivery before it is deployed; pure: every room speaks it."""
