"""What several rooms' stacks share, and declarations of rooms that are not built yet."""
