"""The words that scripts show: a table for a mouse, and what differs for a finger."""
