"""A small room that is no part of the product: it shows that a room can be added, deployed, rolled back and removed."""
