"""What stands between a feed and the prices that are served."""
