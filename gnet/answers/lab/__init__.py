"""What the Branch lab asks: two sides compared, rounds of guesses, patterns of every scale."""
