"""The experiment on hip angles of dogs: phantoms, angles, readers and figures."""
