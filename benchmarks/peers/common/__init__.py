"""What the claims share: environments for peers, runs in turn, results and the page. Only the standard library."""
