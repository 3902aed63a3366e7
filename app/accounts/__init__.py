"""Who is there, and what they may do: sessions, the log-in page, the table of roles and the gate that holds it."""
