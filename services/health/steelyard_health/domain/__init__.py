"""What health means: windows, scores, states. Pure; times are seconds of one monotonic clock."""
