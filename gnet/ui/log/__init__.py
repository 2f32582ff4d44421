"""What a server writes down of the requests it answers."""
