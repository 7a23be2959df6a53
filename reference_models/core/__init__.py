"""What the families of reference models share."""
