"""Questions of another program, as an assistant asks them: typed, and answered in short text."""
