"""The worker itself: what it takes from its pool, how it stops, and what it does about runs that are lost."""
