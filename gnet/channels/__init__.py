"""Channels and branches: what excites them most, pictures grown, one step as arithmetic."""
