"""The one error a person can cause and mend."""


class GnetError(Exception):
    """A message meant for the person at the screen: what was given, and what is allowed."""
