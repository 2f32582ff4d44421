"""What the Why tab asks: methods and their cost, maps with what could disprove them, checks."""
