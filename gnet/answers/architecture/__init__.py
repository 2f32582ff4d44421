"""What a network is made of, as the Architecture tab and its command show it."""
