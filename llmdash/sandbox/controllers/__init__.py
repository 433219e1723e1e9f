"""What happens in a cluster by itself: the controllers and the scheduler, as small loops over the store."""
