"""What tests share: folders, networks, told runs, servers and a browser."""
