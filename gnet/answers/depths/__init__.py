"""Belief from depth to depth: of one picture, and over many."""
