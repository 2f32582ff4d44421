"""One channel: what excites it most, pictures grown for it, one step as arithmetic."""
