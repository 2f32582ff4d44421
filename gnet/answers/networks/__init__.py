"""What is said of a network: the facts of one, and the menu of those that can be shown."""
