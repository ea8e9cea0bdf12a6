"""The runtimes: Docker and local processes, and the seam that both implement."""
