"""The subcommands of `python -m gnet`: the same functions as the page, with text or JSON as result.

Heavy imports stand inside the commands, so that one command does not wait for another's.
"""
